//! Invitations: how people come into a workspace.

mod model;
pub use model::*;

#[cfg(feature = "server")]
pub mod operations;
#[cfg(feature = "server")]
mod queries;
#[cfg(feature = "server")]
pub(crate) use queries::delete_by_inviter;

#[cfg(all(test, feature = "testing"))]
mod tests;
