//! Envelope encryption: what is stored sealed, under which keys, and where those keys come from.
//!
//! Three levels of keys. A *key-encryption key* ([`KeyProvider`]; by default a local [`KeyFile`])
//! wraps *data keys* ([`DataKey`]: one per workspace, one per workspace and day for message
//! content). Every message is sealed under a *message key* of its own, derived from its data key
//! and a random salt. Rotating the outer key re-wraps data keys and leaves content alone;
//! destroying a data key makes everything sealed under it unreadable, in backups too.
//!
//! # An envelope ([`seal()`])
//!
//! | bytes | field       | what it is                                                            |
//! |-------|-------------|-----------------------------------------------------------------------|
//! | 1     | version     | 1: the algorithms below                                               |
//! | 16    | data key id | UUID: the data key to look up, see [`data_key_id`]                     |
//! | 32    | salt        | random, from the operating system                                     |
//! | 32    | commitment  | second half of the derived bytes; compared before anything is decrypted |
//! | 12    | nonce       | random                                                                |
//! | n     | ciphertext  | as long as the plaintext                                              |
//! | 16    | tag         | of AES-GCM                                                            |
//!
//! ```text
//! context                  = PAE("send0/envelope", version, data key id, workspace, table, column, row)
//! message key ‖ commitment = HKDF-SHA-512(secret = data key, salt = salt, info = context), 32 + 32 bytes
//! ciphertext, tag          = AES-256-GCM(message key, nonce, associated data = context, plaintext)
//! ```
//!
//! AES-GCM alone does not commit to its key: a ciphertext can be built that opens under two. The
//! commitment closes that, and since it covers the context, an envelope opens in one place only.
//! A fresh message key for each message keeps random nonces far from the limit of 2³² per key.
//!
//! # A wrapped data key ([`WrappedKey`])
//!
//! `version (1) | version of the key-encryption key (4, big-endian) | body`, where the body of the
//! key file is `nonce (12) | AES-256-GCM of the data key (32) | tag (16)`, with the associated data
//! `PAE("send0/wrapped-key", version, key-encryption key, workspace, data key id)`.
//!
//! # Standards
//!
//! AES-GCM: NIST SP 800-38D. HKDF: RFC 5869. Authenticated encryption as a key wrap: NIST
//! SP 800-38F, section 3.1. The shape (HKDF-SHA-512, commitment first) is that of the AWS
//! Encryption SDK's algorithm suite 0x0478; the encoding of the context is PASETO's PAE.

mod key_file;
mod primitives;
mod provider;
mod seal;
#[cfg(test)]
mod tests;

pub use key_file::{KeyFile, KeyFileError, KeyFileFault};
pub use provider::{KekId, KeyError, KeyProvider, WrappedKey};
pub use seal::{DataKey, DataKeyId, EnvelopeError, OVERHEAD, Place, data_key_id, open, seal};
