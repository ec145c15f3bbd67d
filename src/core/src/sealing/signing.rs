//! The keys that sign checkpoints. They lie in a file beside the key file and never enter the database, so that whoever can
//! rewrite the database cannot sign what they wrote.
//!
//! ```text
//! send0-audit v1 <64 hexadecimal digits>
//! send0-audit v2 <64 hexadecimal digits>
//! ```
//!
//! The last line signs. Older ones stay, so that what they signed goes on being verified.

use crate::secrets;
use send0_verify::{checkpoint, note};
use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};
use zeroize::Zeroizing;

const PREFIX: &str = "send0-audit v";

/// What is wrong with the file of the signing keys. Never holds key material.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// It cannot be read or written.
    #[error("the signing keys {0}: {1}")]
    Io(String, io::Error),
    /// Others than its owner may read it.
    #[error("the signing keys {0}: mode {1:04o} lets others than its owner in; run `chmod 600` on it")]
    Exposed(String, u32),
    /// A line is no key.
    #[error(
        "the signing keys {0}: line {1} is not `send0-audit v<number> <64 hexadecimal digits>`; restore it from the backup"
    )]
    BadLine(String, usize),
    /// There is no line.
    #[error("the signing keys {0}: holds no key; restore it from its backup")]
    Empty(String),
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
        match Self::load(path) {
            Err(SigningError::Io(_, error)) if error.kind() == ErrorKind::NotFound => {
                create(path).map_err(|error| io_error(path, error))?;
                Self::load(path)
            }
            other => other,
        }
    }

    fn load(path: &Path) -> Result<Self, SigningError> {
        let name = path.display().to_string();
        let about = fs::metadata(path).map_err(|error| io_error(path, error))?;
        let mode = about.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(SigningError::Exposed(name, mode));
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(|error| io_error(path, error))?);
        let signer = |(n, line): (usize, &str)| signer(line).ok_or_else(|| SigningError::BadLine(name.clone(), n + 1));
        let signers = text.lines().enumerate().map(signer).collect::<Result<Vec<_>, _>>()?;
        if signers.is_empty() { Err(SigningError::Empty(name)) } else { Ok(Self { signers }) }
    }

    /// Adds a key, which signs from now on. What older ones signed goes on being verified.
    ///
    /// # Errors
    /// As [`Self::load_or_create`]; nothing is changed then.
    pub fn rotate(path: &Path) -> Result<note::Verifier, SigningError> {
        let version = Self::load_or_create(path)?.signers.len() + 1;
        let line = new_line(version);
        let written = OpenOptions::new().append(true).open(path).and_then(|mut file| {
            file.write_all(line.as_bytes())?;
            file.sync_all()
        });
        written.map_err(|error| io_error(path, error))?;
        Ok(Self::load(path)?.current().verifier())
    }

    /// The one that signs.
    pub fn current(&self) -> &note::Signer {
        // Never empty: see `load`.
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

/// Whole or not at all: written beside its place and linked there, unless somebody else was first.
fn create(path: &Path) -> io::Result<()> {
    let beside = path.with_extension(secrets::hex(secrets::random::<8>().as_slice()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(new_line(1).as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn io_error(path: &Path, error: io::Error) -> SigningError {
    SigningError::Io(path.display().to_string(), error)
}
