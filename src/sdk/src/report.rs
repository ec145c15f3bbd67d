//! What a check says.

use serde::Serialize;
use std::fmt;

/// What is the matter with an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Kind {
    /// An event does not say what it said when it was sealed, or a part of its line was changed.
    #[serde(rename = "edit")]
    Edit,
    /// An event that was never there, or is there twice.
    #[serde(rename = "insert")]
    Insert,
    /// An event is missing, and later ones are there.
    #[serde(rename = "delete")]
    Delete,
    /// An event stands in another place.
    #[serde(rename = "reorder")]
    Reorder,
    /// The end is missing.
    #[serde(rename = "truncate")]
    Truncate,
    /// The events fit together, but not to what a signed checkpoint says.
    #[serde(rename = "fork")]
    Fork,
    /// An event of another workspace.
    #[serde(rename = "foreign event")]
    Foreign,
    /// A checkpoint that no known key signed, or two that differ about the same events.
    #[serde(rename = "re-signed history")]
    Resigned,
    /// A line that is none of an export.
    #[serde(rename = "unreadable line")]
    Unreadable,
    /// Nothing was checked: no checkpoint is known that the export could be held against.
    #[serde(rename = "no checkpoint")]
    NoCheckpoint,
    /// Nothing was checked: the export could not be read.
    #[serde(rename = "not read")]
    NotRead,
}

impl Kind {
    /// Whether the export was judged; otherwise there was nothing to judge it by.
    pub fn is_judgement(self) -> bool {
        !matches!(self, Self::NoCheckpoint | Self::NotRead)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Edit => "edit",
            Self::Insert => "insert",
            Self::Delete => "delete",
            Self::Reorder => "reorder",
            Self::Truncate => "truncate",
            Self::Fork => "fork",
            Self::Foreign => "foreign event",
            Self::Resigned => "re-signed history",
            Self::Unreadable => "unreadable line",
            Self::NoCheckpoint => "no checkpoint",
            Self::NotRead => "not read",
        })
    }
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// The first event that is not shown to be as sealed: everything before it is.
    pub seq: u64,
    /// Where it stands in the export, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// For people.
    pub detail: String,
}

impl Finding {
    pub(crate) fn new(kind: Kind, seq: u64, detail: impl Into<String>) -> Self {
        Self { kind, seq, line: None, detail: detail.into() }
    }

    pub(crate) fn in_line(self, line: u64) -> Self {
        Self { line: Some(line), ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind.is_judgement() {
            write!(f, "{} at event {}", self.kind, self.seq)?;
        } else {
            write!(f, "{}", self.kind)?;
        }
        if let Some(line) = self.line {
            write!(f, " (line {line})")?;
        }
        write!(f, ": {}", Printable(&self.detail))
    }
}

impl std::error::Error for Finding {}

/// What was checked, and holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whose log it is.
    pub workspace: String,
    /// The first event of the export; 0 without events.
    pub first: u64,
    /// The last event of the export; 0 without events.
    pub last: u64,
    /// How many events.
    pub events: u64,
    /// How many of them a checkpoint covers.
    pub sealed: u64,
    /// Of how many the personal data were erased.
    pub erased: u64,
    /// The size of the largest checkpoint that was checked against; 0 when none covers any of it.
    pub size: u64,
    /// How many checkpoints fit.
    pub checkpoints: u64,
    /// How many checkpoints of this log lie outside the export, so that it says nothing about them.
    pub unchecked: u64,
    /// The search that a filtered export is the answer to: it cannot show that it is complete.
    pub query: Option<String>,
    /// Of a filtered export: every sealed event has a proof that it is in the log.
    pub proven: bool,
    /// How many lines of the checkpoints file say nothing, because they break off.
    pub skipped: u64,
}

impl Report {
    fn verdict(&self) -> String {
        let (first, last) = (self.first, self.last);
        match (&self.query, self.events, self.sealed) {
            (Some(_), _, _) if self.proven => {
                "each event as sealed; a filtered export does not show that it is complete".to_owned()
            }
            (Some(_), 0, _) => "no events; a filtered export does not show that it is complete".to_owned(),
            (Some(_), _, _) => "none of the events is sealed yet: nothing is shown".to_owned(),
            (None, 0, _) => "complete and unchanged, no events".to_owned(),
            (None, _, 0) => format!("{first} to {last} in order, none of them sealed yet: nothing is shown"),
            (None, _, _) if last < self.size => format!("complete and unchanged, {first} to {last} of {}", self.size),
            (None, _, _) => format!("complete and unchanged, {first} to {last}"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Printable(&self.workspace), self.verdict())?;
        if let Some(query) = &self.query {
            write!(f, "\nthe search: {}", Printable(query))?;
        }
        write!(
            f,
            "\n{} events, {} sealed, {} not sealed yet, {} erased; {} checkpoints fit, {} lie outside the export",
            self.events,
            self.sealed,
            self.events - self.sealed,
            self.erased,
            self.checkpoints,
            self.unchecked
        )?;
        match self.skipped {
            0 => Ok(()),
            skipped => write!(f, "\n{skipped} unreadable lines of the checkpoints file were skipped"),
        }
    }
}

/// Text from elsewhere on a terminal: nothing that moves, hides or turns around what stands beside it.
pub(crate) struct Printable<'a>(pub &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            _ if hides(character) => write!(f, "{}", character.escape_unicode()),
            _ => write!(f, "{character}"),
        })
    }
}

/// Controls, marks of direction, what has no width.
fn hides(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_that_could_change_it() {
        let report = Report { query: Some("a\u{1b}[2J\n\u{202e}\u{9b}é".to_owned()), ..Report::default() };
        assert!(report.to_string().contains(r"a\u{1b}[2J\u{a}\u{202e}\u{9b}é"), "{report}");
        let finding = Finding::new(Kind::Edit, 1, "\u{7}").in_line(2);
        assert_eq!(finding.to_string(), r"edit at event 1 (line 2): \u{7}");
    }
}
