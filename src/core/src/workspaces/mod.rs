//! Workspaces: the tenants.

mod model;
pub use model::*;

#[cfg(feature = "server")]
pub mod operations;
#[cfg(feature = "server")]
mod queries;

#[cfg(all(test, feature = "testing"))]
mod tests;
