//! Sealing the audit log: one Merkle tree for each workspace, signed checkpoints, proofs, and the check of what is stored
//! against what was sealed. The format is `docs/audit-log-format.md`, its implementation the crate `send0-verify`.

mod model;
pub use model::*;

#[cfg(feature = "server")]
mod checking;
#[cfg(feature = "server")]
pub mod operations;
#[cfg(feature = "server")]
mod queries;
#[cfg(feature = "server")]
mod register;
#[cfg(feature = "server")]
mod signing;
#[cfg(feature = "server")]
mod tree;
#[cfg(feature = "server")]
pub(crate) use register::Register;
#[cfg(feature = "server")]
pub use signing::{SigningError, SigningKeys};

#[cfg(all(test, feature = "testing"))]
mod tests;
