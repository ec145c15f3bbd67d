//! Signed notes (<https://c2sp.org/signed-note>) with Ed25519 keys (type 0x01).

use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

const ED25519: u8 = 1;
/// More than anybody has reason to write; the limit is that of Go's implementation.
const MAX_SIGNATURES: usize = 100;

/// Why a note or a key is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The name of a key is empty or has a space or a plus sign.
    #[error("not the name of a key")]
    Name,
    /// Not `name+hash+key`, another kind of key, or a hash of another key.
    #[error("not a public key of the form name+hash+key")]
    Key,
    /// Not the text of a note, or not a note.
    #[error("not a signed note")]
    Malformed,
    /// Nobody known signed it.
    #[error("signed by no known key")]
    Unknown,
    /// The signature of a known key is wrong.
    #[error("the signature of a known key is wrong")]
    Signature,
}

/// What a key is called on a signature: its name and four bytes of its hash.
fn key_hash(name: &str, key: &VerifyingKey) -> [u8; 4] {
    let mut hash = Sha256::new();
    hash.update(name.as_bytes());
    hash.update([b'\n', ED25519]);
    hash.update(key.as_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    [hash[0], hash[1], hash[2], hash[3]]
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// Text ends with a line's end and has no other control characters.
fn is_text(text: &str) -> bool {
    text.ends_with('\n') && !text.bytes().any(|byte| byte < b' ' && byte != b'\n')
}

/// Signs notes. The key is wiped when it is dropped, and not shown.
pub struct Signer {
    name: String,
    key: SigningKey,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Signer {
    /// From the 32 bytes of an Ed25519 seed.
    ///
    /// # Errors
    /// [`NoteError::Name`].
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        let named = is_name(name).then(|| name.to_owned()).ok_or(NoteError::Name)?;
        Ok(Self { name: named, key: SigningKey::from_bytes(seed) })
    }

    /// What the key is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public side.
    pub fn verifier(&self) -> Verifier {
        Verifier { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// The text, an empty line, the line of the signature.
    ///
    /// # Errors
    /// [`NoteError::Malformed`] for a text that does not end with a line's end or has control characters.
    pub fn sign(&self, text: &str) -> Result<String, NoteError> {
        if !is_text(text) {
            return Err(NoteError::Malformed);
        }
        let mut signature = key_hash(&self.name, &self.key.verifying_key()).to_vec();
        signature.extend(self.key.sign(text.as_bytes()).to_bytes());
        Ok(format!("{text}\n\u{2014} {} {}\n", self.name, BASE64_STANDARD.encode(signature)))
    }
}

/// The public key of a signer: `name+hhhhhhhh+base64`, where the hash is of name and key, and the key is preceded by its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    key: VerifyingKey,
}

impl Verifier {
    /// What the key is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn accepts(&self, text: &str, signature: &[u8; 64]) -> bool {
        self.key.verify_strict(text.as_bytes(), &Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = u32::from_be_bytes(key_hash(&self.name, &self.key));
        let key = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        write!(f, "{}+{hash:08x}+{}", self.name, BASE64_STANDARD.encode(key))
    }
}

impl FromStr for Verifier {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let [name, _, encoded] = text.splitn(3, '+').collect::<Vec<_>>()[..] else { return Err(NoteError::Key) };
        let decoded = BASE64_STANDARD.decode(encoded).map_err(|_| NoteError::Key)?;
        let (&[ED25519], key) = decoded.split_at_checked(1).ok_or(NoteError::Key)? else { return Err(NoteError::Key) };
        let key = <&[u8; 32]>::try_from(key).map_err(|_| NoteError::Key)?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| NoteError::Key)?;
        let verifier = Self { name: name.to_owned(), key };
        // One way to write it: that also compares the hash.
        (is_name(name) && verifier.to_string() == text).then_some(verifier).ok_or(NoteError::Key)
    }
}

/// The text of a note, if a known key signed it and no known key's signature is wrong. Signatures of others are passed over.
///
/// # Errors
/// [`NoteError::Malformed`], [`NoteError::Unknown`], [`NoteError::Signature`].
pub fn open<'n>(note: &'n str, verifiers: &[Verifier]) -> Result<&'n str, NoteError> {
    let (text, signatures) = parts(note)?;
    let mut signed = false;
    for line in signatures.lines() {
        let (name, hash, signature) = signature(line)?;
        let mut known =
            verifiers.iter().filter(|known| known.name == name && key_hash(name, &known.key) == hash).peekable();
        if known.peek().is_none() {
            continue;
        }
        let signature = signature.as_slice().try_into().map_err(|_| NoteError::Signature)?;
        if !known.any(|known| known.accepts(text, signature)) {
            return Err(NoteError::Signature);
        }
        signed = true;
    }
    signed.then_some(text).ok_or(NoteError::Unknown)
}

/// Text and signatures, which the last empty line separates.
pub(crate) fn parts(note: &str) -> Result<(&str, &str), NoteError> {
    let at = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
    let (text, signatures) = (&note[..=at], &note[at + 2..]);
    let lines = signatures.lines().count();
    let sound = is_text(text) && is_text(signatures) && lines <= MAX_SIGNATURES;
    sound.then_some((text, signatures)).ok_or(NoteError::Malformed)
}

fn signature(line: &str) -> Result<(&str, [u8; 4], Vec<u8>), NoteError> {
    let (name, encoded) =
        line.strip_prefix("\u{2014} ").and_then(|rest| rest.split_once(' ')).ok_or(NoteError::Malformed)?;
    let mut hash = BASE64_STANDARD.decode(encoded).map_err(|_| NoteError::Malformed)?;
    if !is_name(name) || hash.len() < 5 {
        return Err(NoteError::Malformed);
    }
    let signature = hash.split_off(4);
    Ok((name, [hash[0], hash[1], hash[2], hash[3]], signature))
}
