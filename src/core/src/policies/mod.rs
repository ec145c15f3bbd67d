//! What a workspace demands of its members: a second factor, perhaps a passkey, by a date of their own.

mod model;
pub use model::*;

#[cfg(feature = "server")]
pub mod operations;
#[cfg(feature = "server")]
mod queries;
#[cfg(feature = "server")]
pub(crate) use queries::insert;

#[cfg(all(test, feature = "testing"))]
mod tests;
