//! What proves that an audit log of send0 is complete and unchanged: leaves, the Merkle tree over them, signed
//! checkpoints, and the check of an export. No I/O but the reader that is handed over, no clock, no randomness.
//!
//! The formats and the check are described in `docs/audit-log-format.md`, from which anybody can write the same again.

mod check;
pub mod checkpoint;
mod checkpoints;
mod content;
mod export;
pub mod hex;
pub mod leaf;
pub mod note;
mod order;
mod report;
mod span;
mod timestamp;
pub mod tree;

pub use check::verify;
pub use checkpoints::{Checkpoints, NotCheckpoints};
pub use report::{Finding, Kind, Report};

/// A SHA-256.
pub type Hash = [u8; 32];
