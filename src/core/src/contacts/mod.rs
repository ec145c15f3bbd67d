//! Security contacts: who is told what happens to the security of a workspace.

mod model;
pub use model::*;

#[cfg(feature = "server")]
pub mod operations;
#[cfg(feature = "server")]
mod queries;
#[cfg(feature = "server")]
pub(crate) use {
    operations::{begin, member_gone},
    queries::{Told, told},
};

#[cfg(all(test, feature = "testing"))]
mod tests;
