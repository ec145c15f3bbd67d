//! What names may hold and a line must not: ends of lines, escape sequences of terminals, changes of direction.

use serde_json::Value;
use std::fmt::Write;
use time::OffsetDateTime;

/// Whether a character cannot be seen but does something: control characters (CR, LF, ANSI), separators of lines, changes of
/// the direction of text, and what is there to hide other text.
pub(super) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// As `\uXXXX`, in units of UTF-16 as JSON has it.
pub(super) fn escape(to: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        let _ = write!(to, "\\u{unit:04x}");
    }
}

/// The text with everything hidden made visible, but for those that the format can carry.
pub(super) fn visible(text: &str, carried: &[char]) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) && !carried.contains(&c) { escape(&mut shown, c) } else { shown.push(c) }
    }
    shown
}

/// The same value as text. Hidden characters can only stand in its texts, where an escape means the same.
pub(crate) fn visible_json(value: &Value) -> String {
    visible(&value.to_string(), &[])
}

/// Appends an object as one line of JSON, without what is null.
pub(super) fn json_line(to: &mut Vec<u8>, mut value: Value) {
    drop_nulls(&mut value);
    to.extend_from_slice(visible_json(&value).as_bytes());
    to.push(b'\n');
}

/// Leaves out what is not known: these formats have no null.
fn drop_nulls(value: &mut Value) {
    if let Value::Object(fields) = value {
        fields.values_mut().for_each(drop_nulls);
        fields.retain(|_, value| !value.is_null() && value.as_object().is_none_or(|inner| !inner.is_empty()));
    }
}

/// Milliseconds since 1970, as SIEMs have them.
pub(super) fn millis(at: OffsetDateTime) -> i128 {
    at.unix_timestamp_nanos() / 1_000_000
}
