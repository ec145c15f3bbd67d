//! The register: every checkpoint that was signed, of every workspace, in a file outside the database. Whoever makes a log vanish
//! or turns it back cannot make the register forget it; see `docs/operating.md`.

use crate::{AppError, ids::WorkspaceId};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};
use time::OffsetDateTime;

/// A line of the register.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Line {
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    pub workspace: WorkspaceId,
    /// The signed note.
    pub note: String,
}

/// Appends, each line whole, and has them on the disk when it returns.
pub(super) async fn append(path: PathBuf, lines: Vec<Line>) -> Result<(), AppError> {
    if lines.is_empty() {
        return Ok(());
    }
    blocking(move || {
        let mut text = Vec::new();
        for line in &lines {
            serde_json::to_writer(&mut text, line)?;
            text.push(b'\n');
        }
        let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
        file.write_all(&text)?;
        file.sync_data()
    })
    .await
}

/// The newest checkpoint of each workspace. A last line that a crash cut off counts for nothing.
pub(super) async fn newest(path: PathBuf) -> Result<BTreeMap<WorkspaceId, Line>, AppError> {
    blocking(move || read(&path)).await
}

fn read(path: &Path) -> io::Result<BTreeMap<WorkspaceId, Line>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        other => other?,
    };
    let mut newest = BTreeMap::new();
    for line in BufReader::new(file).lines() {
        if let Ok(line) = serde_json::from_str::<Line>(&line?) {
            newest.insert(line.workspace, line);
        }
    }
    Ok(newest)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, AppError> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|_| AppError::Internal)?;
    done.map_err(|error| {
        tracing::error!(%error, "the register of checkpoints cannot be read or written");
        AppError::Unavailable
    })
}
