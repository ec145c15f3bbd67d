//! send0's own staff: their accounts are apart from those of customers, they need a second factor, and what they do is in
//! the platform's log.

mod model;
pub use model::*;

#[cfg(feature = "server")]
pub mod operations;
#[cfg(feature = "server")]
mod queries;

#[cfg(all(test, feature = "testing"))]
mod tests;
