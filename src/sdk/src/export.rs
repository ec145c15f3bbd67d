//! The lines of an export.

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::fmt;

/// Longer than any event may be; whoever writes longer lines wants to fill memory.
pub(crate) const MAX_LINE: u64 = 16 << 20;

/// An event, with what is made of its body. Fields that are not listed are refused, because nothing vouches for them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event<'a, B = Body<'a>> {
    pub seq: u64,
    pub time: &'a str,
    pub workspace: &'a str,
    pub body: B,
    #[serde(borrow)]
    pub personal: Option<&'a RawValue>,
    pub salt: Option<&'a str>,
    pub leaf: Option<&'a str>,
    pub proof: Option<Vec<&'a str>>,
}

impl<'a, B> Event<'a, B> {
    fn with<C>(self, body: C) -> Event<'a, C> {
        let Self { seq, time, workspace, body: _, personal, salt, leaf, proof } = self;
        Event { seq, time, workspace, body, personal, salt, leaf, proof }
    }
}

/// The body of an event.
pub(crate) struct Body<'a> {
    /// The exact bytes: they are hashed as they stand.
    pub text: &'a str,
    /// `None` when it is not that of an event.
    pub stated: Option<Stated<'a>>,
}

/// What of a body matters here.
#[derive(Deserialize)]
pub(crate) struct Stated<'a> {
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
    pub from_prefix: Option<Vec<String>>,
    pub to_suffix: Option<Vec<String>>,
    /// None: no event was looked at, or whoever wrote it had nothing to prove it by.
    pub checkpoint: Option<String>,
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
    let text = std::str::from_utf8(bytes).ok()?;
    let event = in_one_pass(text).or_else(|| in_two_passes(text))?;
    (event.seq > 0).then_some(Line::Event(event))
}

/// First the line, then the body in it, which may be anything.
fn in_two_passes(line: &str) -> Option<Event<'_>> {
    let event: Event<'_, &RawValue> = serde_json::from_str(line).ok()?;
    let text = event.body.get();
    Some(event.with(Body { text, stated: serde_json::from_str(text).ok() }))
}

/// As events are written: `workspace` stands last in a body, so that its place tells where the body ends. Saves reading it twice.
fn in_one_pass(line: &str) -> Option<Event<'_>> {
    let event: Event<'_, Passed<'_>> = serde_json::from_str(line).ok()?;
    let Passed { first, commitment, workspace } = event.body;
    let place = |part: &str| part.as_ptr().addr().checked_sub(line.as_ptr().addr());
    let begin = place(first)?.checked_sub(r#"{""#.len())?;
    let end = place(workspace)? + workspace.len() + r#""}"#.len();
    let text = line.get(begin..end)?;
    let stated = Some(Stated { workspace, commitment });
    (text.starts_with(r#"{""#) && text.ends_with(r#""}"#)).then(|| event.with(Body { text, stated }))
}

/// The first key of a body, its commitment, and its workspace, after which it had no more.
struct Passed<'a> {
    first: &'a str,
    commitment: &'a str,
    workspace: &'a str,
}

impl<'de: 'a, 'a> Deserialize<'de> for Passed<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Passing)
    }
}

struct Passing;

impl<'de> Visitor<'de> for Passing {
    type Value = Passed<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a body as events have it")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Passed<'de>, A::Error> {
        let other = || A::Error::custom("another body");
        let (mut first, mut commitment) = (None, None);
        while let Some(key) = map.next_key::<&str>()? {
            first.get_or_insert(key);
            match key {
                "commitment" if commitment.is_none() => commitment = Some(map.next_value()?),
                "commitment" => return Err(other()),
                "workspace" => {
                    let workspace = map.next_value()?;
                    let is_last = map.next_key::<IgnoredAny>()?.is_none();
                    let passed =
                        first.zip(commitment).map(|(first, commitment)| Passed { first, commitment, workspace });
                    return passed.filter(|_| is_last).ok_or_else(other);
                }
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Err(other())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_with(body: &str) -> String {
        format!(r#"{{"seq":7,"time":"t","workspace":"w","body":{body},"personal":null,"salt":null,"leaf":"l"}}"#)
    }

    fn read<'a>(event: &Event<'a>) -> (&'a str, Option<(&'a str, &'a str)>) {
        (event.body.text, event.body.stated.as_ref().map(|stated| (stated.workspace, stated.commitment)))
    }

    #[test]
    fn a_body_as_events_have_it_is_read_with_its_line() {
        for body in [
            r#"{"action":"a","actor":{"workspace":"x","id":"\"}"},"commitment":"c","targets":[{"commitment":"x"}],"workspace":"w"}"#,
            r#"{"commitment":"c","workspace":"w"}"#,
            r#"{"":1,"commitment":"c","é":"\u0000","workspace":"w"}"#,
        ] {
            let line = line_with(body);
            let event = in_one_pass(&line).expect(body);
            assert_eq!(read(&event), (body, Some(("w", "c"))));
            assert_eq!(read(&event), read(&in_two_passes(&line).expect(body)));
        }
    }

    /// Read all the same, and what it says is what the whole of it says.
    #[test]
    fn any_other_body_is_read_by_itself() {
        let stated = Some(("w", "c"));
        for (body, expected) in [
            (r#"{ "commitment":"c","workspace":"w"}"#, stated),
            (r#"{"commitment":"c","workspace":"w" }"#, stated),
            (r#"{"commitment":"c","workspace" : "w"}"#, stated),
            (r#"{"workspace":"w","commitment":"c"}"#, stated),
            (r#"{"commitment":"c","workspace":"w","z":1}"#, stated),
            (r#"{"\u0061":1,"commitment":"c","workspace":"w"}"#, stated),
            (r#"{"commitment":"c","commitment":"d","workspace":"w"}"#, None),
            (r#"{"commitment":"c","workspace":"v","workspace":"w"}"#, None),
            (r#"{"workspace":"w"}"#, None),
            (r#"{"commitment":"c"}"#, None),
            (r#"{"commitment":"c","workspace":1}"#, None),
            (r#"["commitment","c","workspace","w"]"#, None),
            (r#""c""#, None),
            ("{}", None),
        ] {
            let line = line_with(body);
            let by_itself = line_read(&line);
            assert_eq!(
                by_itself,
                Some((body.to_owned(), expected.map(|(w, c)| (w.to_owned(), c.to_owned())))),
                "{body}"
            );
        }
    }

    type Read = (String, Option<(String, String)>);

    fn line_read(text: &str) -> Option<Read> {
        let Some(Line::Event(event)) = line(text.as_bytes()) else { return None };
        let (text, stated) = read(&event);
        Some((text.to_owned(), stated.map(|(w, c)| (w.to_owned(), c.to_owned()))))
    }

    #[test]
    fn what_is_no_body_is_no_line() {
        for body in [
            r#"{"commitment":"c","workspace":"w""#,
            r#"{"commitment":"c","workspace":"w"}}"#,
            r#"{"a":,"workspace":"w"}"#,
            "",
        ] {
            assert_eq!(line_read(&line_with(body)), None, "{body}");
        }
    }
}
