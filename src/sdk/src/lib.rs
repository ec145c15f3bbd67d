//! What proves that an audit log of send0 is complete and unchanged: leaves, the Merkle tree over them, signed
//! checkpoints, and the check of an export. No I/O but the reader that is handed over, no clock, no randomness.
//!
//! The formats are described in `docs/audit-log-format.md`, from which anybody can write the same again.

pub mod checkpoint;
pub mod hex;
pub mod leaf;
pub mod note;
pub mod tree;

/// A SHA-256.
pub type Hash = [u8; 32];
