//! The primitives everything here is made of, behind signatures that are hard to misuse.

use std::fmt;

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use hkdf::Hkdf;
use rand::TryRng;
use rand::rngs::SysRng;
use sha2::Sha512;
use zeroize::Zeroizing;

pub(super) const KEY: usize = 32;
pub(super) const NONCE: usize = 12;
pub(super) const TAG: usize = 16;

/// A 256-bit secret: wiped on drop, never printed.
///
/// Boxed because moving a value leaves its old bytes behind on the stack.
pub(super) struct Secret(Box<Zeroizing<[u8; KEY]>>);

impl Secret {
    pub(super) fn generate() -> Self {
        let mut secret = Self::zero();
        fill_random(secret.expose_mut());
        secret
    }

    pub(super) fn copy_from(bytes: &[u8; KEY]) -> Self {
        let mut secret = Self::zero();
        secret.expose_mut().copy_from_slice(bytes);
        secret
    }

    pub(super) fn zero() -> Self {
        Self(Box::new(Zeroizing::new([0; KEY])))
    }

    pub(super) fn expose(&self) -> &[u8; KEY] {
        &self.0
    }

    pub(super) fn expose_mut(&mut self) -> &mut [u8; KEY] {
        &mut self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// `N` bytes from the operating system's generator.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill_random(&mut bytes);
    bytes
}

/// Panics when there is no randomness: without it, sealing anything would be worse than stopping.
fn fill_random(bytes: &mut [u8]) {
    SysRng.try_fill_bytes(bytes).expect("the operating system gives random bytes");
}

/// AES-256-GCM (NIST SP 800-38D) in place; the tag is returned.
pub(super) fn encrypt(key: &[u8; KEY], nonce: &[u8; NONCE], associated_data: &[u8], text: &mut [u8]) -> [u8; TAG] {
    Aes256Gcm::new(key.into())
        .encrypt_inout_detached(&Nonce::from(*nonce), associated_data, text.into())
        .expect("a plaintext is shorter than 64 GiB")
        .into()
}

/// AES-256-GCM (NIST SP 800-38D) in place. `None`, and `text` as it was, when the tag is wrong.
pub(super) fn decrypt(
    key: &[u8; KEY],
    nonce: &[u8; NONCE],
    associated_data: &[u8],
    text: &mut [u8],
    tag: &[u8; TAG],
) -> Option<()> {
    Aes256Gcm::new(key.into())
        .decrypt_inout_detached(&Nonce::from(*nonce), associated_data, text.into(), &Tag::from(*tag))
        .ok()
}

/// HKDF-SHA-512 (RFC 5869), extract and expand. `N` is at most 255 × 64 bytes.
pub(super) fn derive<const N: usize>(secret: &[u8], salt: &[u8], info: &[u8]) -> Zeroizing<[u8; N]> {
    const { assert!(N <= 255 * 64, "RFC 5869 gives at most 255 blocks") };
    let mut derived = Zeroizing::new([0; N]);
    Hkdf::<Sha512>::new(Some(salt), secret)
        .expand(info, derived.as_mut_slice())
        .expect("the length was checked at compile time");
    derived
}

/// PASETO's pre-authentication encoding: different lists of fields never give the same bytes.
pub(super) fn pae(fields: &[&[u8]]) -> Vec<u8> {
    let mut encoded = length(fields.len()).to_vec();
    for field in fields {
        encoded.extend_from_slice(&length(field.len()));
        encoded.extend_from_slice(field);
    }
    encoded
}

fn length(length: usize) -> [u8; 8] {
    (length as u64).to_le_bytes()
}
