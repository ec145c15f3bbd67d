//! What send0 says of compliance, no more than it can show; what is asked of it; and the documents behind it.

mod model;
pub use model::*;

#[cfg(feature = "server")]
pub mod documents;
#[cfg(feature = "server")]
pub mod operations;
#[cfg(feature = "server")]
mod queries;
#[cfg(feature = "server")]
pub mod requests;

#[cfg(all(test, feature = "testing"))]
mod tests;
