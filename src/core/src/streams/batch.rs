//! What is sent together: events in their order, cut at a size, under an id that stays the same however often they are sent.

use crate::{
    AppError,
    audit_log::{EventView, Outcome, visible_json},
    ids::{StreamId, WorkspaceId},
};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The most events of a batch.
pub(super) const EVENTS_MAX: i32 = 500;
/// The largest batch, in bytes of JSON. One event that is larger goes by itself.
pub(super) const BYTES_MAX: usize = 1024 * 1024;

/// How grave it is, as syslog counts (RFC 5424 §6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    Error = 3,
    Warning = 4,
    Informational = 6,
}

/// One thing that is sent.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// The same however often it is sent: by it, the target knows what it has already.
    pub id: String,
    pub seq: i64,
    pub at: OffsetDateTime,
    /// A word of at most 32 characters.
    pub what: String,
    pub severity: Severity,
    /// What a target stores: an event as the API gives it.
    pub json: Value,
    /// The same as text.
    pub text: String,
}

impl Item {
    fn of_event(event: &EventView) -> Result<Self, AppError> {
        let json = serde_json::to_value(event).map_err(|_| AppError::Internal)?;
        let severity = match event.outcome {
            Outcome::Success => Severity::Informational,
            Outcome::Denied => Severity::Warning,
            Outcome::Failed => Severity::Error,
        };
        Ok(Self {
            id: event.id.to_string(),
            seq: event.seq,
            at: event.time,
            what: event.action.clone(),
            severity,
            text: visible_json(&json),
            json,
        })
    }

    /// How far the log is sealed, signed by this server (docs/audit-log-format.md).
    fn checkpoint(workspace: WorkspaceId, (size, note): (i64, &str), at: OffsetDateTime) -> Self {
        let id = format!("checkpoint-{workspace}-{size}");
        let json = json!({
            "type": "checkpoint", "id": id, "time": rfc3339(at), "workspace": workspace, "size": size, "note": note,
        });
        let (what, severity) = ("checkpoint".to_owned(), Severity::Informational);
        Self { id, seq: size, at, what, severity, text: json.to_string(), json }
    }

    /// Looks like an event to whoever stores it, and like none to whoever reads it.
    fn sample(workspace: WorkspaceId, stream: StreamId, at: OffsetDateTime) -> Self {
        let id = format!("test-{stream}-{}", at.unix_timestamp());
        let json = json!({
            "type": "test", "id": id, "time": rfc3339(at), "workspace": workspace,
            "message": "A test from send0. It is no event of the audit log.",
        });
        let (what, severity) = ("test".to_owned(), Severity::Informational);
        Self { id, seq: 0, at, what, severity, text: json.to_string(), json }
    }
}

fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

/// What is sent together.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    /// The same however often it is sent.
    pub id: String,
    /// What the object is called where batches become objects, without what all of them begin with.
    pub name: String,
    pub workspace: WorkspaceId,
    pub items: Vec<Item>,
}

impl Batch {
    /// As many of these events as fit and follow each other without a gap. `None` when there are none.
    pub fn of_events(workspace: WorkspaceId, stream: StreamId, events: &[EventView]) -> Result<Option<Self>, AppError> {
        let (mut items, mut bytes) = (vec![], 0);
        for (event, seq) in events.iter().zip(events.first().map_or(0, |first| first.seq)..) {
            if event.seq != seq {
                break;
            }
            let item = Item::of_event(event)?;
            bytes += item.text.len() + 1;
            if bytes > BYTES_MAX && !items.is_empty() {
                break;
            }
            items.push(item);
        }
        let (Some(first), Some(last)) = (items.first(), items.last()) else { return Ok(None) };
        let day = first.at.date();
        let name = format!(
            "{:04}/{:02}/{:02}/{:012}-{:012}.ndjson",
            day.year(),
            u8::from(day.month()),
            day.day(),
            first.seq,
            last.seq
        );
        let id = format!("{stream}-{}-{}", first.seq, last.seq);
        Ok(Some(Self { id, name, workspace, items }))
    }

    /// A checkpoint, by itself.
    pub fn checkpoint(workspace: WorkspaceId, stream: StreamId, (size, note): (i64, &str), at: OffsetDateTime) -> Self {
        let item = Item::checkpoint(workspace, (size, note), at);
        let (id, name) = (format!("{stream}-checkpoint-{size}"), format!("checkpoints/{size:012}.ndjson"));
        Self { id, name, workspace, items: vec![item] }
    }

    /// One item, which is no event.
    pub fn sample(workspace: WorkspaceId, stream: StreamId, at: OffsetDateTime) -> Self {
        let item = Item::sample(workspace, stream, at);
        Self { id: item.id.clone(), name: "test.ndjson".into(), workspace, items: vec![item] }
    }

    /// The first event in it.
    pub fn first(&self) -> i64 {
        self.items.first().map_or(0, |item| item.seq)
    }

    /// The last event in it.
    pub fn last(&self) -> i64 {
        self.items.last().map_or(0, |item| item.seq)
    }

    /// One line of JSON for each item.
    pub fn lines(&self) -> String {
        self.items.iter().fold(String::new(), |mut lines, item| {
            lines.push_str(&item.text);
            lines.push('\n');
            lines
        })
    }
}
