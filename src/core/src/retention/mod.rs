//! How long a workspace keeps its audit log, and what happens to what is older.

mod model;
pub use model::*;

#[cfg(feature = "server")]
pub mod operations;
#[cfg(feature = "server")]
pub mod pruning;
#[cfg(feature = "server")]
mod queries;

#[cfg(all(test, feature = "testing"))]
mod tests;
