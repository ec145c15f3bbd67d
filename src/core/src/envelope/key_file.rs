//! The local key file: the default [`KeyProvider`].
//!
//! A text file that only its owner may read, with one line per version of the key-encryption key:
//!
//! ```text
//! send0-kek v1 <64 hexadecimal digits>
//! send0-kek v2 <64 hexadecimal digits>
//! ```
//!
//! The highest version is current; older ones stay for as long as data keys are wrapped with them.
//! Keep a copy somewhere else: without this file, what is sealed stays sealed.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::primitives::{KEY, Secret};
use super::provider::Kek;
use super::{DataKey, DataKeyId, KekId, KeyError, KeyProvider, WrappedKey};
use crate::private_file::{self, FileFault};

const PREFIX: &str = "send0-kek v";
const LINE: usize = PREFIX.len() + 10 + 1 + 2 * KEY + 1;

/// The keys of a local key file, wiped from memory on drop.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    keys: RwLock<Arc<Keys>>,
}

impl KeyFile {
    /// Reads the key file at `path`.
    ///
    /// # Errors
    /// [`KeyFileError`] when the file is missing, can be read by others than its owner, or holds
    /// anything but well-formed keys.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, KeyFileError> {
        let path = path.as_ref();
        let keys = Keys::load(path).map_err(|fault| fault.at(path))?;
        Ok(Self { path: path.to_owned(), keys: RwLock::new(Arc::new(keys)) })
    }

    /// Reads the key file at `path`; creates it first, with one new key, if nothing is there. Not
    /// even a crash or a full disk leaves half a file. Ask for a backup of a file that is new.
    ///
    /// # Errors
    /// [`KeyFileError`] when the file cannot be written, and as [`load`](Self::load).
    pub fn create_if_missing(path: impl AsRef<Path>) -> Result<Self, KeyFileError> {
        let path = path.as_ref();
        create_if_missing(path).map_err(|error| KeyFileFault::from(error).at(path))?;
        Self::load(path)
    }

    /// Adds a new version, which becomes the current one, and returns it. Concurrent rotations wait
    /// for each other. A loaded [`KeyFile`] goes on wrapping with the version it knows until
    /// [`reload`](Self::reload).
    ///
    /// # Errors
    /// [`KeyFileError`] when the file cannot be read (as in [`load`](Self::load)) or written; it is
    /// as it was then.
    pub fn rotate(path: impl AsRef<Path>) -> Result<KekId, KeyFileError> {
        let path = path.as_ref();
        rotate(path).map_err(|fault| fault.at(path))
    }

    /// Reads the file again. It is also read by itself when a data key needs a version that is not
    /// known yet, so that reads go on while another process rotates.
    ///
    /// # Errors
    /// As [`load`](Self::load); the keys stay as they were then.
    pub fn reload(&self) -> Result<(), KeyFileError> {
        let keys = Keys::load(&self.path).map_err(|fault| fault.at(&self.path))?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn find(&self, id: KekId) -> Result<Arc<Kek>, KeyError> {
        if let Some(kek) = self.keys().find(id) {
            return Ok(kek);
        }
        self.reload().map_err(|error| KeyError::Unavailable(Box::new(error)))?;
        self.keys().find(id).ok_or(KeyError::UnknownKek(id))
    }
}

#[async_trait]
impl KeyProvider for KeyFile {
    async fn wrap(&self, id: DataKeyId, workspace: Uuid, key: &DataKey) -> Result<WrappedKey, KeyError> {
        Ok(self.keys().current.wrap(id, workspace, key))
    }

    async fn unwrap(&self, id: DataKeyId, workspace: Uuid, wrapped: &WrappedKey) -> Result<DataKey, KeyError> {
        self.find(wrapped.kek())?.unwrap(id, workspace, wrapped)
    }

    fn current(&self) -> KekId {
        self.keys().current.id()
    }
}

/// What is wrong with a key file, and what to do about it. Never holds key material.
#[derive(Debug, thiserror::Error)]
#[error("key file {}: {fault}", path.display())]
pub struct KeyFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: KeyFileFault,
}

/// What is wrong with a key file. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileFault {
    /// There is no such file.
    #[error("missing; restore it from its backup: a new one opens nothing that was sealed before")]
    Missing,
    /// Its group or everybody may read, write or execute it.
    #[error("mode {0:04o} lets others than its owner in; run `chmod 600` on it")]
    Exposed(u32),
    /// The file holds no line.
    #[error("holds no key; restore it from its backup")]
    Empty,
    /// A line is not a version of the key.
    #[error("line {0} is not `send0-kek v<number> <key>`; restore the line or remove it")]
    UnknownLine(usize),
    /// A key is too short, too long, or not hexadecimal.
    #[error("line {0}: a key is 64 hexadecimal digits (32 bytes); restore it from the backup")]
    BadKey(usize),
    /// Two lines have the same version.
    #[error("line {0}: this version is there already; keep the line that the backup has")]
    DuplicateVersion(usize),
    /// The file or its directory cannot be read or written.
    #[error("{0}; check the path, who owns it, and the space on the disk")]
    Io(#[from] io::Error),
}

impl From<FileFault> for KeyFileFault {
    fn from(fault: FileFault) -> Self {
        match fault {
            FileFault::Missing => Self::Missing,
            FileFault::Exposed(mode) => Self::Exposed(mode),
            FileFault::Io(error) => Self::Io(error),
        }
    }
}

impl KeyFileFault {
    fn at(self, path: &Path) -> KeyFileError {
        KeyFileError { path: path.to_owned(), fault: self }
    }
}

struct Keys {
    current: Arc<Kek>,
    all: BTreeMap<KekId, Arc<Kek>>,
}

impl Keys {
    fn load(path: &Path) -> Result<Self, KeyFileFault> {
        Self::parse(&private_file::read(path)?.0)
    }

    fn parse(text: &str) -> Result<Self, KeyFileFault> {
        let mut all = BTreeMap::new();
        for (line, number) in text.lines().zip(1..) {
            let kek = parse_line(line, number)?;
            if all.insert(kek.id(), Arc::new(kek)).is_some() {
                return Err(KeyFileFault::DuplicateVersion(number));
            }
        }
        let (_, current) = all.last_key_value().ok_or(KeyFileFault::Empty)?;
        Ok(Self { current: Arc::clone(current), all })
    }

    fn find(&self, id: KekId) -> Option<Arc<Kek>> {
        self.all.get(&id).cloned()
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.all.keys()).finish()
    }
}

fn parse_line(line: &str, number: usize) -> Result<Kek, KeyFileFault> {
    let (version, key) =
        line.strip_prefix(PREFIX).and_then(|rest| rest.split_once(' ')).ok_or(KeyFileFault::UnknownLine(number))?;
    let id = parse_version(version).ok_or(KeyFileFault::UnknownLine(number))?;
    let secret = parse_key(key).ok_or(KeyFileFault::BadKey(number))?;
    Ok(Kek::new(id, secret))
}

fn parse_version(text: &str) -> Option<KekId> {
    let version = text.parse::<u32>().ok().filter(|version| *version > 0)?;
    // One spelling only: neither `+1` nor `01`.
    (version.to_string() == text).then_some(KekId(version))
}

fn parse_key(text: &str) -> Option<Secret> {
    let (digits, []) = text.as_bytes().as_chunks() else {
        return None;
    };
    if digits.len() != KEY {
        return None;
    }
    let mut secret = Secret::zero();
    for (byte, [high, low]) in secret.expose_mut().iter_mut().zip(digits) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(secret)
}

fn digit(text: u8) -> Option<u8> {
    char::from(text).to_digit(16).map(|digit| digit as u8)
}

fn new_line(id: KekId) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(LINE));
    let _ = write!(text, "{PREFIX}{} ", id.0);
    for byte in Secret::generate().expose() {
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\n');
    text
}

fn create_if_missing(path: &Path) -> io::Result<()> {
    private_file::create_if_missing(path, || new_line(KekId(1)))
}

fn rotate(path: &Path) -> Result<KekId, KeyFileFault> {
    private_file::rewrite(path, |old| {
        let next = KekId(Keys::parse(old)?.current.id().0.saturating_add(1));
        let new = private_file::with_line(old, &new_line(next));
        Keys::parse(&new)?;
        Ok((next, new))
    })
}
