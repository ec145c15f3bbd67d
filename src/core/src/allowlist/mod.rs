//! From which addresses people and keys get in.

mod model;
mod network;
mod replay;
pub use {
    model::*,
    network::{Network, parse_address},
    replay::*,
};

#[cfg(feature = "server")]
pub(crate) mod gate;
#[cfg(feature = "server")]
pub mod operations;
#[cfg(feature = "server")]
mod queries;

#[cfg(all(test, feature = "testing"))]
mod tests;
