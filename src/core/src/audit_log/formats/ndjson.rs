//! The log as it is stored. Bytes are copied, never parsed and written anew: what was sealed is what one gets.

use super::super::queries::Stored;
use crate::ids::WorkspaceId;
use send0_verify::Hash;
use std::io::Write;
use time::OffsetDateTime;

/// One event: `{"seq","time","workspace","body","personal","salt"}`, and `leaf` once it is sealed.
pub(super) fn write(to: &mut Vec<u8>, workspace: WorkspaceId, stored: &Stored<'_>, leaf: Option<&Hash>) {
    to.extend_from_slice(b"{\"seq\":");
    number(to, stored.seq.unsigned_abs(), 1);
    to.extend_from_slice(b",\"time\":\"");
    time(to, stored.at);
    to.extend_from_slice(b"\",\"workspace\":\"");
    text(to, workspace);
    to.extend_from_slice(b"\",\"body\":");
    to.extend_from_slice(stored.body.as_bytes());
    to.extend_from_slice(b",\"personal\":");
    to.extend_from_slice(stored.personal.unwrap_or("null").as_bytes());
    to.extend_from_slice(b",\"salt\":");
    match stored.salt {
        Some(salt) => hex_text(to, salt),
        None => to.extend_from_slice(b"null"),
    }
    if let Some(leaf) = leaf {
        to.extend_from_slice(b",\"leaf\":");
        hex_text(to, leaf);
    }
    to.extend_from_slice(b"}\n");
}

/// RFC 3339 in UTC, always with six digits of microseconds: the precision that the database keeps and the leaf covers.
pub(super) fn time(to: &mut Vec<u8>, at: OffsetDateTime) {
    let (year, month, day) = at.to_calendar_date();
    let (hour, minute, second, micro) = at.time().as_hms_micro();
    number(to, year.unsigned_abs().into(), 4);
    for (before, value) in [(b'-', month.into()), (b'-', day), (b'T', hour), (b':', minute), (b':', second)] {
        to.push(before);
        number(to, value.into(), 2);
    }
    to.push(b'.');
    number(to, micro.into(), 6);
    to.push(b'Z');
}

/// The same as a text.
pub(super) fn time_text(at: OffsetDateTime) -> String {
    let mut written = vec![];
    time(&mut written, at);
    String::from_utf8_lossy(&written).into_owned()
}

/// In decimal, with at least so many digits.
fn number(to: &mut Vec<u8>, value: u64, digits: usize) {
    let mut text = [b'0'; 20];
    let (mut place, mut left) = (text.len(), value);
    while left > 0 || text.len() - place < digits {
        place -= 1;
        // A remainder of ten is a digit.
        text[place] = b'0' + (left % 10) as u8;
        left /= 10;
    }
    to.extend_from_slice(&text[place..]);
}

fn hex_text(to: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    to.push(b'"');
    to.extend(bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]));
    to.push(b'"');
}

fn text(to: &mut Vec<u8>, value: impl std::fmt::Display) {
    // A vector takes whatever is written to it.
    let _ = write!(to, "{value}");
}
