//! Messages of syslog: RFC 5424, framed for TLS as RFC 5425 says.

use super::batch::Item;
use std::fmt::Write;
use time::{UtcOffset, macros::format_description};

/// RFC 5424 §6.2.1: log audit.
const FACILITY: u8 = 13;
/// RFC 5424 §7.3.1: after it, numbers begin again.
const SEQUENCE_MAX: i64 = 2_147_483_647;

/// All of them, each with its length in front (RFC 5425 §4.3).
pub(super) fn frames<'a>(host: &str, items: impl IntoIterator<Item = &'a Item>) -> Vec<u8> {
    let mut frames = vec![];
    for item in items {
        let message = message(host, item);
        frames.extend_from_slice(format!("{} {message}", message.len()).as_bytes());
    }
    frames
}

/// ASCII throughout, so that no mark of byte order has to stand before the JSON (RFC 5424 §6.4).
fn message(host: &str, item: &Item) -> String {
    let priority = FACILITY * 8 + item.severity as u8;
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
    let time = item.at.to_offset(UtcOffset::UTC).format(format).unwrap_or_else(|_| "-".into());
    let sequence = item.seq.max(1).rem_euclid(SEQUENCE_MAX).max(1);
    format!("<{priority}>1 {time} {host} send0 - {} [meta sequenceId=\"{sequence}\"] {}", item.what, ascii(&item.text))
}

/// JSON says the same with everything escaped that is not ASCII (RFC 8259 §7).
fn ascii(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut text, letter| {
        if letter.is_ascii() {
            text.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
        text
    })
}
