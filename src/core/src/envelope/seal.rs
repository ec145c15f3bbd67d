//! Sealing and opening under a data key. The layout is in the [module's documentation](super).

use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::primitives::{KEY, NONCE, Secret, TAG, decrypt, derive, encrypt, pae, random};

const VERSION: u8 = 1;
const SALT: usize = 32;
const COMMITMENT: usize = 32;
const HEADER: usize = 1 + 16 + SALT + COMMITMENT + NONCE;

/// How many bytes an envelope is longer than its plaintext.
pub const OVERHEAD: usize = HEADER + TAG;

/// A data key: 256 bits, wiped from memory on drop, never printed.
#[derive(Debug)]
pub struct DataKey(Secret);

impl DataKey {
    /// A new random key.
    ///
    /// # Panics
    /// When the operating system has no random bytes to give.
    #[must_use]
    pub fn generate() -> Self {
        Self(Secret::generate())
    }

    /// The key made of these bytes, for providers that unwrap one. Wiping `bytes` is up to the caller.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; KEY]) -> Self {
        Self(Secret::copy_from(bytes))
    }

    /// The bytes of the key, for providers that wrap it.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY] {
        self.0.expose()
    }
}

impl From<Secret> for DataKey {
    fn from(secret: Secret) -> Self {
        Self(secret)
    }
}

/// Names a data key; every envelope carries the name of its own. Not a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataKeyId(pub Uuid);

impl DataKeyId {
    /// A new id (UUID version 7, RFC 9562).
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

/// Where a sealed value is stored. It opens in this place and in no other.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The workspace that the row belongs to; the account, where it belongs to a person.
    pub workspace: Uuid,
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The primary key of the row.
    pub row: &'a [u8],
}

impl Place<'_> {
    pub(super) fn context(&self, id: DataKeyId) -> Vec<u8> {
        pae(&[
            b"send0/envelope",
            &[VERSION],
            id.0.as_bytes(),
            self.workspace.as_bytes(),
            self.table.as_bytes(),
            self.column.as_bytes(),
            self.row,
        ])
    }
}

/// The envelope does not open: damaged, moved, cut short, under another key, or no envelope at all.
/// Which of these it was is not told, so that nobody can ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the envelope does not open")]
pub struct EnvelopeError;

/// Seals `plaintext` for `place` under the data key `key`, whose name is `id`. The envelope is
/// [`OVERHEAD`] bytes longer than the plaintext, and differs each time.
///
/// # Panics
/// When the operating system has no random bytes to give, or the plaintext exceeds AES-GCM's 64 GiB.
#[must_use]
pub fn seal(id: DataKeyId, key: &DataKey, place: &Place<'_>, plaintext: &[u8]) -> Vec<u8> {
    let context = place.context(id);
    let salt: [u8; SALT] = random();
    let nonce: [u8; NONCE] = random();
    let message_key = MessageKey::derive(key, &salt, &context);

    // All of it at once: growing the buffer would leave plaintext behind in freed memory.
    let mut sealed = Vec::with_capacity(OVERHEAD + plaintext.len());
    sealed.push(VERSION);
    sealed.extend_from_slice(id.0.as_bytes());
    sealed.extend_from_slice(&salt);
    sealed.extend_from_slice(message_key.commitment());
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plaintext);
    let tag = encrypt(message_key.encryption_key(), &nonce, &context, &mut sealed[HEADER..]);
    sealed.extend_from_slice(&tag);
    sealed
}

/// Opens an envelope with the data key that [`data_key_id`] names. The plaintext is wiped on drop.
///
/// # Errors
/// [`EnvelopeError`], the same one for every reason.
pub fn open(key: &DataKey, place: &Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    let envelope = Envelope::parse(sealed)?;
    let context = place.context(envelope.id);
    let message_key = MessageKey::derive(key, envelope.salt, &context);
    message_key.check(envelope.commitment)?;
    message_key.decrypt(&envelope, &context)
}

/// Which data key an envelope was sealed under. Only a claim until the envelope has been opened.
///
/// # Errors
/// [`EnvelopeError`] when this is no envelope of a known version.
pub fn data_key_id(sealed: &[u8]) -> Result<DataKeyId, EnvelopeError> {
    Envelope::parse(sealed).map(|envelope| envelope.id)
}

pub(super) struct Envelope<'a> {
    pub(super) id: DataKeyId,
    pub(super) salt: &'a [u8; SALT],
    pub(super) commitment: &'a [u8; COMMITMENT],
    pub(super) nonce: &'a [u8; NONCE],
    ciphertext: &'a [u8],
    tag: &'a [u8; TAG],
}

impl<'a> Envelope<'a> {
    pub(super) fn parse(sealed: &'a [u8]) -> Result<Self, EnvelopeError> {
        Self::split(sealed).ok_or(EnvelopeError)
    }

    fn split(sealed: &'a [u8]) -> Option<Self> {
        let rest = sealed.strip_prefix(&[VERSION])?;
        let (id, rest) = rest.split_first_chunk()?;
        let (salt, rest) = rest.split_first_chunk()?;
        let (commitment, rest) = rest.split_first_chunk()?;
        let (nonce, rest) = rest.split_first_chunk()?;
        let (ciphertext, tag) = rest.split_last_chunk()?;
        Some(Self { id: DataKeyId(Uuid::from_bytes(*id)), salt, commitment, nonce, ciphertext, tag })
    }
}

/// What one message is encrypted with, and the commitment to it.
pub(super) struct MessageKey(Zeroizing<[u8; KEY + COMMITMENT]>);

impl MessageKey {
    pub(super) fn derive(key: &DataKey, salt: &[u8; SALT], context: &[u8]) -> Self {
        Self(derive(key.expose(), salt, context))
    }

    pub(super) fn encryption_key(&self) -> &[u8; KEY] {
        self.halves().0
    }

    pub(super) fn commitment(&self) -> &[u8; COMMITMENT] {
        self.halves().1
    }

    fn halves(&self) -> (&[u8; KEY], &[u8; COMMITMENT]) {
        let (halves, _) = self.0.as_chunks::<KEY>();
        (&halves[0], &halves[1])
    }

    pub(super) fn check(&self, commitment: &[u8; COMMITMENT]) -> Result<(), EnvelopeError> {
        let same = bool::from(self.commitment().ct_eq(commitment));
        same.then_some(()).ok_or(EnvelopeError)
    }

    pub(super) fn decrypt(&self, envelope: &Envelope<'_>, context: &[u8]) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let mut text = Zeroizing::new(envelope.ciphertext.to_vec());
        decrypt(self.encryption_key(), envelope.nonce, context, &mut text, envelope.tag).ok_or(EnvelopeError)?;
        Ok(text)
    }
}
