//! From an event to the leaf that is sealed.

use crate::{Hash, hex};
use sha2::{Digest, Sha256};

/// `SHA-256(0x00 ‖ "send0 audit leaf v1\0" ‖ workspace ‖ seq ‖ time ‖ body)`: the workspace as text of 30 bytes (`wsp_…`),
/// the number as u64 and the time (µs since 1970) as i64, both big endian, the body as its exact bytes.
pub fn hash(workspace: &str, seq: u64, time_us: i64, body: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(b"\0send0 audit leaf v1\0");
    hash.update(workspace.as_bytes());
    hash.update(seq.to_be_bytes());
    hash.update(time_us.to_be_bytes());
    hash.update(body);
    hash.finalize().into()
}

/// What the body says about what identifies people: hex of `SHA-256(0x01 ‖ "send0 audit personal v1\0" ‖ salt ‖ personal)`,
/// over the exact bytes of the canonical JSON. Salt and personal destroyed, the body still stands.
pub fn commitment(salt: &[u8], personal: &[u8]) -> String {
    hex::encode(&commitment_hash(salt, personal))
}

pub(crate) fn commitment_hash(salt: &[u8], personal: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(b"\x01send0 audit personal v1\0");
    hash.update(salt);
    hash.update(personal);
    hash.finalize().into()
}
