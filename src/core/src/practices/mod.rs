//! What send0 promises in public about security, and how much of it this console keeps today.

mod model;
pub use model::*;
