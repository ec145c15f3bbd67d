//! Workspaces: the tenants.

mod model;
pub use model::*;

#[cfg(feature = "server")]
pub mod operations;
#[cfg(feature = "server")]
mod queries;
#[cfg(feature = "server")]
pub(crate) use queries::find;

#[cfg(all(test, feature = "testing"))]
mod tests;
