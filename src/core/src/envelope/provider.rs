//! Wrapping data keys under a key-encryption key: what every provider of one must do, and the
//! AES-256-GCM wrap of the local one.

use std::error::Error;
use std::fmt;

use async_trait::async_trait;
use uuid::Uuid;

use super::primitives::{KEY, NONCE, Secret, decrypt, encrypt, pae, random};
use super::{DataKey, DataKeyId};

const VERSION: u8 = 1;

/// Holds the key-encryption keys: a local [`KeyFile`](super::KeyFile), or a KMS.
///
/// To rotate: make a new version current, then unwrap and wrap again every data key whose
/// [`WrappedKey::kek`] is not [`current`](Self::current). Content stays as it is.
#[async_trait]
pub trait KeyProvider: Send + Sync {
    /// Wraps a data key under the current key-encryption key, bound to its id and workspace (the
    /// account, where the key belongs to a person).
    ///
    /// # Errors
    /// [`KeyError::Unavailable`] when the provider does not answer.
    async fn wrap(&self, id: DataKeyId, workspace: Uuid, key: &DataKey) -> Result<WrappedKey, KeyError>;

    /// Unwraps a data key under the version that it was wrapped with.
    ///
    /// # Errors
    /// Any [`KeyError`].
    async fn unwrap(&self, id: DataKeyId, workspace: Uuid, wrapped: &WrappedKey) -> Result<DataKey, KeyError>;

    /// The version that [`wrap`](Self::wrap) uses now.
    fn current(&self) -> KekId;
}

/// The version of a key-encryption key, from 1 upwards. Not a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KekId(pub u32);

impl fmt::Display for KekId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

/// Why a data key could not be wrapped or unwrapped.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The provider did not answer: try again later, and refuse the work until then.
    #[error("the key provider is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The data key was wrapped under a version that the provider no longer, or not yet, has.
    #[error("the provider has no key-encryption key {0}: restore it (a key file: its line) from the backup")]
    UnknownKek(KekId),
    /// Damaged, moved to another workspace or id, under another key, or no wrapped key at all.
    #[error("the wrapped data key does not open")]
    Refused,
}

/// A data key as it is stored: wrapped, with the version of its key-encryption key in clear.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey {
    kek: KekId,
    body: Vec<u8>,
}

impl WrappedKey {
    /// What a provider made: `body` is a data key wrapped under `kek`, in the provider's own format.
    #[must_use]
    pub fn new(kek: KekId, body: Vec<u8>) -> Self {
        Self { kek, body }
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`KeyError::Refused`] when the header is cut short or of an unknown version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let (kek, body) =
            bytes.strip_prefix(&[VERSION]).and_then(|rest| rest.split_first_chunk()).ok_or(KeyError::Refused)?;
        Ok(Self::new(KekId(u32::from_be_bytes(*kek)), body.to_vec()))
    }

    /// The bytes to store: `version (1) | key-encryption key (4, big-endian) | body`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&[VERSION], &self.kek.0.to_be_bytes()[..], &self.body].concat()
    }

    /// The version that it was wrapped with. Only a claim until it has been unwrapped.
    #[must_use]
    pub fn kek(&self) -> KekId {
        self.kek
    }

    /// What only the provider can read.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappedKey({}, {} bytes)", self.kek, self.body.len())
    }
}

/// One key-encryption key held in memory.
///
/// Nonces are random, so it must wrap at most 2³² data keys (SP 800-38D, section 8.3): one a day
/// for ten thousand workspaces takes a thousand years.
#[derive(Debug)]
pub(super) struct Kek {
    id: KekId,
    secret: Secret,
}

impl Kek {
    pub(super) fn new(id: KekId, secret: Secret) -> Self {
        Self { id, secret }
    }

    pub(super) fn id(&self) -> KekId {
        self.id
    }

    pub(super) fn wrap(&self, id: DataKeyId, workspace: Uuid, key: &DataKey) -> WrappedKey {
        let nonce: [u8; NONCE] = random();
        let context = self.context(id, workspace);
        let mut body = [&nonce, &key.expose()[..]].concat();
        let tag = encrypt(self.secret.expose(), &nonce, &context, &mut body[NONCE..]);
        body.extend_from_slice(&tag);
        WrappedKey::new(self.id, body)
    }

    pub(super) fn unwrap(&self, id: DataKeyId, workspace: Uuid, wrapped: &WrappedKey) -> Result<DataKey, KeyError> {
        self.decrypt(&self.context(id, workspace), wrapped.body()).ok_or(KeyError::Refused)
    }

    fn decrypt(&self, context: &[u8], body: &[u8]) -> Option<DataKey> {
        let (nonce, rest) = body.split_first_chunk()?;
        let (ciphertext, tag) = rest.split_last_chunk()?;
        let mut secret = Secret::copy_from(<&[u8; KEY]>::try_from(ciphertext).ok()?);
        decrypt(self.secret.expose(), nonce, context, secret.expose_mut(), tag)?;
        Some(DataKey::from(secret))
    }

    fn context(&self, id: DataKeyId, workspace: Uuid) -> Vec<u8> {
        pae(&[b"send0/wrapped-key", &[VERSION], &self.id.0.to_be_bytes(), workspace.as_bytes(), id.0.as_bytes()])
    }
}
