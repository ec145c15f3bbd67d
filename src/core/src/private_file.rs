//! Files with keys: read by their owner alone, and never half there, whatever crashes and whoever else writes.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, ErrorKind, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown},
    path::{Path, PathBuf},
};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Why such a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// There is no such file.
    #[error("missing; restore it from its backup")]
    Missing,
    /// Its group or everybody may read, write or execute it.
    #[error("mode {0:04o} lets others than its owner in; run `chmod 600` on it")]
    Exposed(u32),
    /// The file or its directory cannot be read or written.
    #[error("{0}; check the path, who owns it, and the space on the disk")]
    Io(#[from] io::Error),
}

/// Asks the open file, not its path, so that the answer is about what is read.
pub(crate) fn read(path: &Path) -> Result<(Zeroizing<String>, Metadata), FileFault> {
    let mut file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => FileFault::Missing,
        _ => error.into(),
    })?;
    let metadata = file.metadata()?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(FileFault::Exposed(mode));
    }
    let mut text = Zeroizing::new(String::with_capacity(metadata.len() as usize + 1));
    file.read_to_string(&mut text)?;
    Ok((text, metadata))
}

/// Makes the file with this text if nothing is there. Of several at once one does.
pub(crate) fn create_if_missing(path: &Path, text: impl FnOnce() -> Zeroizing<String>) -> io::Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    let draft = Draft::write(path, &text(), None)?;
    // Unlike a rename, a link never replaces a file that somebody else has just created.
    match fs::hard_link(&draft.0, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => drop(draft),
    }
    File::open(directory(path))?.sync_all()
}

/// Puts another text in place of the one that is there. Whoever else does so waits. Nothing is changed unless `change` has given
/// the new text.
pub(crate) fn rewrite<T, E: From<FileFault>>(
    path: &Path,
    change: impl FnOnce(&str) -> Result<(T, Zeroizing<String>), E>,
) -> Result<T, E> {
    // A rename would replace a symbolic link instead of the file behind it.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory = File::open(directory(path)).map_err(FileFault::from)?;
    directory.lock().map_err(FileFault::from)?;

    let (old, metadata) = read(path)?;
    let (made, new) = change(&old)?;
    let draft = Draft::write(path, &new, Some(&metadata)).map_err(FileFault::from)?;
    fs::rename(&draft.0, path).and_then(|()| directory.sync_all()).map_err(FileFault::from)?;
    Ok(made)
}

/// The text with one more line.
pub(crate) fn with_line(old: &str, line: &str) -> Zeroizing<String> {
    let mut new = Zeroizing::new(String::with_capacity(old.len() + 1 + line.len()));
    new.push_str(old);
    if !new.ends_with('\n') {
        new.push('\n');
    }
    new.push_str(line);
    new
}

/// A file next to its target, on disk before it takes that one's place; removed if it does not.
struct Draft(PathBuf);

impl Draft {
    fn write(target: &Path, text: &str, owner: Option<&Metadata>) -> io::Result<Self> {
        let path = directory(target).join(format!(".send0-keys-{}", Uuid::new_v4()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let draft = Self(path);
        if let Some(owner) = owner {
            // Root may write the file of the service, which must still be able to read it.
            fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(draft)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
