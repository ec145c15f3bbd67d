//! How long a workspace keeps its audit log, what happens to what is older, and legal holds, which keep it for longer.

mod model;
pub use model::*;

#[cfg(feature = "server")]
pub mod holds;
#[cfg(feature = "server")]
pub mod operations;
#[cfg(feature = "server")]
pub mod pruning;
#[cfg(feature = "server")]
mod queries;

#[cfg(all(test, feature = "testing"))]
mod tests;
