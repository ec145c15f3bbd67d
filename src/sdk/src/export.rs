//! The lines of an export.

use serde::Deserialize;
use serde_json::value::RawValue;

/// Longer than any event may be; whoever writes longer lines wants to fill memory.
pub(crate) const MAX_LINE: u64 = 16 << 20;

/// An event. Fields that are not listed are refused, because nothing vouches for them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event<'a> {
    pub seq: u64,
    pub time: &'a str,
    pub workspace: &'a str,
    /// The exact bytes: they are hashed as they stand.
    #[serde(borrow)]
    pub body: &'a RawValue,
    pub personal: Option<&'a RawValue>,
    pub salt: Option<&'a str>,
    pub leaf: Option<&'a str>,
    pub proof: Option<Vec<&'a str>>,
}

/// What of a body matters here.
#[derive(Deserialize)]
pub(crate) struct Body<'a> {
    pub workspace: &'a str,
    pub commitment: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceiptLine {
    receipt: Receipt,
}

/// The last line: what the export is a part of.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Receipt {
    pub workspace: String,
    /// The search whose answer this is; null for a contiguous part of the log.
    pub query: Option<String>,
    pub first: Option<u64>,
    pub last: Option<u64>,
    pub count: u64,
    #[serde(default)]
    pub from_prefix: Vec<String>,
    #[serde(default)]
    pub to_suffix: Vec<String>,
    pub checkpoint: String,
}

pub(crate) enum Line<'a> {
    Event(Event<'a>),
    Receipt(Receipt),
}

/// `None` when it is neither.
pub(crate) fn line(bytes: &[u8]) -> Option<Line<'_>> {
    if bytes.starts_with(br#"{"receipt""#) {
        let line: ReceiptLine = serde_json::from_slice(bytes).ok()?;
        return Some(Line::Receipt(line.receipt));
    }
    let event: Event<'_> = serde_json::from_slice(bytes).ok()?;
    (event.seq > 0).then_some(Line::Event(event))
}
