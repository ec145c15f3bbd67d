//! The keys that sign checkpoints. They lie in a file beside the key file and never enter the database, so that whoever can
//! rewrite the database cannot sign what they wrote.
//!
//! ```text
//! send0-audit v1 <64 hexadecimal digits>
//! send0-audit v2 <64 hexadecimal digits>
//! ```
//!
//! The last line signs. Older ones stay, so that what they signed goes on being verified.

use crate::{
    private_file::{self, FileFault},
    secrets,
};
use send0_verify::{checkpoint, note};
use std::path::Path;
use zeroize::Zeroizing;

const PREFIX: &str = "send0-audit v";

/// What is wrong with the file of the signing keys. Never holds key material.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// It cannot be read or written, or others than its owner may read it.
    #[error("the signing keys: {0}")]
    File(#[from] FileFault),
    /// A line is no key.
    #[error(
        "the signing keys: line {0} is not `send0-audit v<number> <64 hexadecimal digits>`; restore it from the backup"
    )]
    BadLine(usize),
    /// There is no line.
    #[error("the signing keys: the file holds no key; restore it from its backup")]
    Empty,
}

/// The signing keys, wiped from memory when dropped.
pub struct SigningKeys {
    signers: Vec<note::Signer>,
}

impl SigningKeys {
    /// Reads the file; makes it first, with one new key, if nothing is there.
    ///
    /// # Errors
    /// [`SigningError`], also for a file that others may read.
    pub fn load_or_create(path: &Path) -> Result<Self, SigningError> {
        private_file::create_if_missing(path, || new_line(1)).map_err(FileFault::from)?;
        Self::parse(&private_file::read(path)?.0)
    }

    fn parse(text: &str) -> Result<Self, SigningError> {
        let signer = |(line, number)| signer(line).ok_or(SigningError::BadLine(number));
        let signers = text.lines().zip(1..).map(signer).collect::<Result<Vec<_>, _>>()?;
        if signers.is_empty() { Err(SigningError::Empty) } else { Ok(Self { signers }) }
    }

    /// Adds a key, which signs from now on. What older ones signed goes on being verified. Concurrent rotations wait for each
    /// other.
    ///
    /// # Errors
    /// As [`Self::load_or_create`]; nothing is changed then.
    pub fn rotate(path: &Path) -> Result<note::Verifier, SigningError> {
        Self::load_or_create(path)?;
        private_file::rewrite(path, |old| {
            let new = private_file::with_line(old, &new_line(Self::parse(old)?.signers.len() + 1));
            Ok((Self::parse(&new)?.current().verifier(), new))
        })
    }

    /// The one that signs.
    pub fn current(&self) -> &note::Signer {
        // Never empty: see `parse`.
        &self.signers[self.signers.len() - 1]
    }

    /// The public keys, the current one first.
    pub fn verifiers(&self) -> Vec<note::Verifier> {
        self.signers.iter().rev().map(note::Signer::verifier).collect()
    }
}

fn signer(line: &str) -> Option<note::Signer> {
    let (version, key) = line.strip_prefix(PREFIX)?.split_once(' ')?;
    version.parse::<u32>().ok()?;
    let seed = Zeroizing::new(secrets::from_hex::<32>(key)?);
    note::Signer::new(checkpoint::KEY_NAME, &seed).ok()
}

fn new_line(version: usize) -> Zeroizing<String> {
    let seed = Zeroizing::new(secrets::random::<32>());
    Zeroizing::new(format!("{PREFIX}{version} {}\n", secrets::hex(seed.as_slice())))
}
