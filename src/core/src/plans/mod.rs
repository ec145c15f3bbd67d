//! Plans: what a workspace has of everything. Operators set them.

mod model;
pub use model::*;

#[cfg(feature = "server")]
pub mod operations;
#[cfg(feature = "server")]
mod queries;
#[cfg(feature = "server")]
pub(crate) use queries::{lock, of as plan_of};

#[cfg(all(test, feature = "testing"))]
mod tests;
