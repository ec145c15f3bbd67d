//! Whom send0 gives data to. Operators give notice of every change, 30 full days ahead; workspaces acknowledge or object.

mod model;
pub use model::*;

#[cfg(feature = "server")]
mod letters;
#[cfg(feature = "server")]
pub mod notices;
#[cfg(feature = "server")]
pub mod operations;
#[cfg(feature = "server")]
mod queries;
#[cfg(feature = "server")]
pub(crate) use letters::words;

#[cfg(all(test, feature = "testing"))]
mod tests;
