//! The checkpoints that an export is held against.

use crate::{
    Finding, Hash, Kind,
    checkpoint::Checkpoint,
    note::{self, Verifier},
};
use serde::{Deserialize, de::IgnoredAny};
use std::{
    collections::BTreeMap,
    io::{self, BufRead},
    ops::Bound,
};

/// One signed note, or a server's file of them.
#[derive(Clone, Debug, Default)]
pub struct Checkpoints {
    /// Workspace, as the file says, and note.
    notes: Vec<(String, String)>,
    until: Option<u64>,
    /// Lines that are no JSON.
    skipped: u64,
}

/// The file holds no checkpoints.
#[derive(Debug, thiserror::Error)]
pub enum NotCheckpoints {
    /// It could not be read.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// A line is JSON, but not `{"time":…,"workspace":…,"note":…}`.
    #[error("line {0} is not a line of a checkpoints file")]
    Line(usize),
    /// Neither lines of JSON nor a note.
    #[error("neither a signed checkpoint nor a checkpoints file")]
    Note,
}

#[derive(Deserialize)]
struct Line {
    workspace: String,
    note: String,
}

impl Checkpoints {
    /// Reads a signed note, or lines of `{"time":…,"workspace":…,"note":…}`. Signatures are looked at in the check. A line that
    /// breaks off, because it is being written or never was to its end, is no JSON, and only counted: see [`Report::skipped`].
    ///
    /// [`Report::skipped`]: crate::Report::skipped
    ///
    /// # Errors
    /// [`NotCheckpoints`].
    pub fn read(mut reader: impl BufRead) -> Result<Self, NotCheckpoints> {
        if !reader.fill_buf()?.starts_with(b"{") {
            let mut note = String::new();
            reader.read_to_string(&mut note)?;
            return Self::note(&note);
        }
        let mut read = Self::default();
        for (at, line) in reader.split(b'\n').enumerate() {
            read.take(&line?).ok_or(NotCheckpoints::Line(at + 1))?;
        }
        if read.notes.is_empty() { Err(NotCheckpoints::Note) } else { Ok(read) }
    }

    /// `None` for a line that is whole, but not that of a checkpoint. In bytes: where it breaks off need not be between characters.
    fn take(&mut self, line: &[u8]) -> Option<()> {
        let text = std::str::from_utf8(line).map_or("broken", str::trim);
        match serde_json::from_str::<Line>(text) {
            Ok(line) => self.notes.push((line.workspace, line.note)),
            Err(_) if serde_json::from_str::<IgnoredAny>(text).is_ok() => return None,
            Err(_) => self.skipped += u64::from(!text.is_empty()),
        }
        Some(())
    }

    /// One signed note.
    ///
    /// # Errors
    /// [`NotCheckpoints::Note`] when it is no note, or not of a checkpoint of a workspace.
    pub fn note(note: &str) -> Result<Self, NotCheckpoints> {
        let checkpoint = unverified(note).ok_or(NotCheckpoints::Note)?;
        let workspace = checkpoint.workspace().ok_or(NotCheckpoints::Note)?;
        Ok(Self { notes: vec![(workspace.to_owned(), note.to_owned())], ..Self::default() })
    }

    /// Only those of at most so many events: for an export that is older than the file.
    pub fn until(self, size: u64) -> Self {
        Self { until: Some(size), ..self }
    }

    pub(crate) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The workspace, when all are of one.
    pub(crate) fn workspace(&self) -> Option<&str> {
        let (first, _) = self.notes.first()?;
        self.notes.iter().all(|(workspace, _)| workspace == first).then_some(first)
    }

    /// Size and root of those of a workspace, all of them signed by a known key.
    pub(crate) fn of(&self, workspace: &str, verifiers: &[Verifier]) -> Result<Known, Finding> {
        let mut known = Known::default();
        let mut trouble = None;
        for (_, note) in self.notes.iter().filter(|(of, _)| of == workspace) {
            let size = unverified(note).map_or(0, |checkpoint| checkpoint.size);
            if self.until.is_none_or(|until| size <= until)
                && let Err(detail) = known.add(workspace, note, verifiers)
            {
                trouble = trouble.or(Some((size, detail)));
            }
        }
        match trouble {
            Some((size, detail)) => Err(Finding::new(Kind::Resigned, known.below(size) + 1, detail)),
            None => Ok(known),
        }
    }
}

/// What a note says, whoever signed it.
pub(crate) fn unverified(note: &str) -> Option<Checkpoint> {
    note::parts(note).ok()?.0.parse().ok()
}

/// The roots that somebody known signed, by size.
#[derive(Default)]
pub(crate) struct Known(BTreeMap<u64, Hash>);

impl Known {
    /// Takes a note up. The error is the detail of what makes it re-signed history.
    pub fn add(&mut self, workspace: &str, note: &str, verifiers: &[Verifier]) -> Result<u64, String> {
        let text = note::open(note, verifiers).map_err(|error| format!("a checkpoint is {}", lower(error)))?;
        let checkpoint: Checkpoint = text.parse().map_err(|_| "a signed note is not a checkpoint".to_owned())?;
        if checkpoint.workspace() != Some(workspace) {
            return Err("a checkpoint of another log stands for one of this".to_owned());
        }
        let size = checkpoint.size;
        match self.0.insert(size, checkpoint.root) {
            Some(other) if other != checkpoint.root => {
                // What came first stays: it decides about the events below.
                self.0.insert(size, other);
                Err(format!("two checkpoints of {size} events have different roots"))
            }
            _ => Ok(size),
        }
    }

    /// The largest size below.
    pub fn below(&self, size: u64) -> u64 {
        self.0.range(..size).next_back().map_or(0, |(size, _)| *size)
    }

    /// The largest.
    pub fn largest(&self) -> Option<u64> {
        self.0.last_key_value().map(|(size, _)| *size)
    }

    /// The smallest above.
    pub fn above(&self, size: u64) -> Option<u64> {
        self.0.range((Bound::Excluded(size), Bound::Unbounded)).next().map(|(size, _)| *size)
    }

    pub fn root(&self, size: u64) -> Option<&Hash> {
        self.0.get(&size)
    }

    pub fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

fn lower(error: note::NoteError) -> &'static str {
    match error {
        note::NoteError::Unknown => "signed by no known key",
        note::NoteError::Signature => "not what the known key signed",
        _ => "not a signed note",
    }
}
