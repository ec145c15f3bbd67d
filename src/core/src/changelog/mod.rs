//! What has changed, for customers: `CHANGELOG.md`, as it is in the repository.

mod model;
pub use model::*;
