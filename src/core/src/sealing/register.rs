//! The register: every checkpoint that was signed, of every workspace, in files outside the database, of which the last is read.
//! Whoever makes a log vanish or turns it back cannot make the register forget it; see `docs/operating.md`.

use crate::{AppError, ids::WorkspaceId};
use send0_verify::{Hash, checkpoint::Checkpoint};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _},
    ops::Not,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

/// So large a register goes on in another file: a log that is never quiet adds about 55 MB a day.
const LARGEST: u64 = 64 << 20;
/// When a file of the register was put aside, as part of its name.
const STAMP: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");

/// A line of the register.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Line {
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    pub workspace: WorkspaceId,
    /// The signed note.
    pub note: String,
    /// That the log of that moment did not lead on from this checkpoint. Written before the log's next checkpoint is, because that
    /// one would hide it.
    #[serde(default, skip_serializing_if = "<&bool>::not")]
    pub broken: bool,
}

/// A checkpoint that a log has to lead on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub size: u64,
    pub root: Hash,
    /// The signed note that says so.
    pub note: String,
}

impl Mark {
    /// Read without a look at the signature.
    fn of(note: String) -> Option<Self> {
        let (text, _) = note.split_once("\n\n")?;
        let Checkpoint { size, root, .. } = format!("{text}\n").parse().ok()?;
        Some(Self { size, root, note })
    }
}

/// What the register has of a log.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    /// The largest of the history that was entered last.
    pub newest: Option<Mark>,
    /// Those that the log did not lead on from.
    pub broken: Vec<Mark>,
}

impl Marks {
    fn take(&mut self, line: Line) {
        let Some(mark) = Mark::of(line.note) else { return };
        if line.broken {
            // Another history follows, which may be shorter.
            self.newest = None;
            if !self.broken.contains(&mark) {
                self.broken.push(mark);
            }
        } else if self.newest.as_ref().is_none_or(|newest| newest.size <= mark.size) {
            // Of two processes the one that sealed less may come second.
            self.newest = Some(mark);
        }
    }
}

/// The register as far as this process has read it: only what is new is read again.
#[derive(Clone, Default)]
pub(crate) struct Register(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    /// Which file it is: another one may be put in its place.
    file: u64,
    bytes: u64,
    logs: BTreeMap<WorkspaceId, Marks>,
}

impl Register {
    /// What stands of one log.
    pub(super) async fn of(&self, path: PathBuf, workspace: WorkspaceId) -> Result<Marks, AppError> {
        self.read(path, move |logs| logs.get(&workspace).cloned().unwrap_or_default()).await
    }

    /// What stands of every log.
    pub(super) async fn all(&self, path: PathBuf) -> Result<BTreeMap<WorkspaceId, Marks>, AppError> {
        self.read(path, Clone::clone).await
    }

    /// Begins another file when this one is large, with what each log has to lead on from. The old one stays beside it, under the time.
    pub(super) async fn rotate(&self, path: PathBuf, now: OffsetDateTime) -> Result<(), AppError> {
        let known = Arc::clone(&self.0);
        blocking(move || {
            // Where it is, should the name lead there.
            let path = match fs::canonicalize(&path) {
                Ok(path) if fs::metadata(&path)?.len() >= LARGEST => path,
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            };
            let old = open(&path)?;
            let text = {
                let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
                known.read_on(&path)?;
                text_of(&known.lines(now))?
            };
            // What it comes down to may be large itself.
            if old.metadata()?.len() < 2 * text.len() as u64 {
                return Ok(());
            }
            begin_anew(&path, &text, now)
        })
        .await
    }

    async fn read<T: Send + 'static>(
        &self,
        path: PathBuf,
        take: impl FnOnce(&BTreeMap<WorkspaceId, Marks>) -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let known = Arc::clone(&self.0);
        blocking(move || {
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            known.read_on(&path)?;
            Ok(take(&known.logs))
        })
        .await
    }
}

impl Known {
    /// What all of it comes down to.
    fn lines(&self, time: OffsetDateTime) -> Vec<Line> {
        let line = |workspace, mark: &Mark, broken| Line { time, workspace, note: mark.note.clone(), broken };
        let of = |(workspace, marks): (&WorkspaceId, &Marks)| {
            let broken: Vec<Line> = marks.broken.iter().map(|mark| line(*workspace, mark, true)).collect();
            let newest = marks.newest.iter().map(|mark| line(*workspace, mark, false)).collect::<Vec<_>>();
            [broken, newest].concat()
        };
        self.logs.iter().flat_map(of).collect()
    }

    /// A line that is no line, because a crash cut it off, counts for nothing; the last counts when it is whole.
    fn read_on(&mut self, path: &Path) -> io::Result<()> {
        let mut file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                *self = Self::default();
                return Ok(());
            }
            other => other?,
        };
        let found = file.metadata()?;
        if found.ino() != self.file || found.len() < self.bytes {
            *self = Self { file: found.ino(), ..Self::default() };
        }
        file.seek(SeekFrom::Start(self.bytes))?;
        let (mut file, mut line) = (BufReader::new(file), Vec::new());
        while file.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            self.bytes += line.len() as u64;
            if let Ok(line) = serde_json::from_slice::<Line>(&line) {
                self.logs.entry(line.workspace).or_default().take(line);
            }
            line.clear();
        }
        Ok(())
    }
}

/// Appends, each line whole, and has them on the disk when it returns.
pub(super) async fn append(path: PathBuf, lines: Vec<Line>) -> Result<(), AppError> {
    if lines.is_empty() {
        return Ok(());
    }
    blocking(move || {
        let mut file = open(&path)?;
        let mut text = if is_cut_off(&mut file)? { vec![b'\n'] } else { vec![] };
        text.extend(text_of(&lines)?);
        file.write_all(&text)?;
        file.sync_data()
    })
    .await
}

/// The file that has the name, for this process alone until it is closed.
fn open(path: &Path) -> io::Result<File> {
    loop {
        let file = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path)?;
        file.lock()?;
        // While it was waited for, another may have been put in its place.
        if fs::metadata(path).is_ok_and(|named| named.ino() == file.metadata().map_or(0, |own| own.ino())) {
            return Ok(file);
        }
    }
}

/// Puts the file aside and another one in its place, which nobody else appends to before it is there for good.
fn begin_anew(path: &Path, text: &[u8], now: OffsetDateTime) -> io::Result<()> {
    let (new, folder) = (path.with_extension("new"), path.parent().unwrap_or(Path::new("/")));
    let mut next = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&new)?;
    next.lock()?;
    next.write_all(text)?;
    next.sync_all()?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let aside = folder.join(format!("{stem}-{}.ndjson", now.format(STAMP).map_err(io::Error::other)?));
    fs::hard_link(path, &aside)?;
    // At each moment there is one under the name.
    if let Err(error) = fs::rename(&new, path) {
        fs::remove_file(&aside)?;
        return Err(error);
    }
    File::open(folder)?.sync_all()
}

fn text_of(lines: &[Line]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut text, line)?;
        text.push(b'\n');
    }
    Ok(text)
}

/// Whether a crash or a full disk left the last line without its end.
fn is_cut_off(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, AppError> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|_| AppError::Internal)?;
    done.map_err(|error| {
        tracing::error!(%error, "the register of checkpoints cannot be read or written");
        AppError::Unavailable
    })
}
