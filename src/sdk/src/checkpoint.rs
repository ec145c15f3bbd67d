//! Checkpoints (<https://c2sp.org/tlog-checkpoint>): how long a log is, and its root. Signed as a note, see [`crate::note`].

use crate::Hash;
use base64::{Engine, prelude::BASE64_STANDARD};
use std::{fmt, str::FromStr};

/// What the key is called that signs them.
pub const KEY_NAME: &str = "send0.dev/audit-log";

/// The log of a workspace (`wsp_…`).
pub fn origin(workspace: &str) -> String {
    format!("{KEY_NAME}/{workspace}")
}

/// The text of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log, see [`origin`].
    pub origin: String,
    /// How many events it covers: those with the numbers 1 to this.
    pub size: u64,
    /// The root of the tree over their leaves.
    pub root: Hash,
}

impl Checkpoint {
    /// The workspace whose log this is.
    pub fn workspace(&self) -> Option<&str> {
        self.origin.strip_prefix(KEY_NAME)?.strip_prefix('/')
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, BASE64_STANDARD.encode(self.root))
    }
}

/// The text is not a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a checkpoint")]
pub struct NotACheckpoint;

impl FromStr for Checkpoint {
    type Err = NotACheckpoint;

    /// Lines after the third are extensions: passed over, none of them empty.
    fn from_str(text: &str) -> Result<Self, NotACheckpoint> {
        let mut lines = text.strip_suffix('\n').ok_or(NotACheckpoint)?.split('\n');
        let mut line = || lines.next().ok_or(NotACheckpoint);
        let (origin, size, root) = (line()?, line()?, line()?);
        let number: u64 = size.parse().map_err(|_| NotACheckpoint)?;
        let root = BASE64_STANDARD.decode(root).map_err(|_| NotACheckpoint)?;
        let root = root.try_into().map_err(|_| NotACheckpoint)?;
        let sound = !origin.is_empty() && number.to_string() == size && lines.all(|line| !line.is_empty());
        sound.then(|| Self { origin: origin.to_owned(), size: number, root }).ok_or(NotACheckpoint)
    }
}
