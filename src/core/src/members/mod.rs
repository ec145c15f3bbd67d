//! Who is in a workspace, with which role.

mod model;
pub use model::*;

#[cfg(feature = "server")]
pub mod operations;
#[cfg(feature = "server")]
mod queries;
#[cfg(feature = "server")]
pub(crate) use queries::{everybody, insert, owners, people, person_by_email};

#[cfg(all(test, feature = "testing"))]
mod tests;
