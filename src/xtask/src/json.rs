//! Just enough JSON: the values of a field, wherever it stands.

/// Strings without their quotes (escapes stay as they are); numbers and words as written.
///
/// A quote inside a string is escaped, so that no string can look like a field.
pub fn all<'a>(text: &'a str, field: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let name = format!("\"{field}\"");
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            rest = &rest[rest.find(&name)? + name.len()..];
            if let Some(after) = rest.trim_start().strip_prefix(':') {
                return value(after.trim_start());
            }
        }
    })
}

/// The first of them; nothing for `null`.
pub fn first<'a>(text: &'a str, field: &str) -> Option<&'a str> {
    all(text, field).next().filter(|value| *value != "null")
}

fn value(text: &str) -> Option<&str> {
    match text.strip_prefix('"') {
        Some(string) => Some(&string[..end_of(string)?]),
        None => text.split([',', '}', ']', '\n']).next().map(str::trim_end),
    }
}

fn end_of(string: &str) -> Option<usize> {
    let mut escaped = false;
    string.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })
}

#[cfg(test)]
mod tests {
    use super::{all, first};

    const TEXT: &str = r#"{"data":[{"seq":12,"id":"evt_b","name":"\"seq\":7 \\"},{"seq":11,"id":"evt_a"}],
        "next_cursor": null,"id_seq":5,"said":"seq", "last" : true
    }"#;

    #[test]
    fn values_come_in_order_and_none_from_within_strings() {
        assert_eq!(all(TEXT, "seq").collect::<Vec<_>>(), ["12", "11"]);
        assert_eq!(all(TEXT, "id").collect::<Vec<_>>(), ["evt_b", "evt_a"]);
    }

    #[test]
    fn the_first_value_or_nothing() {
        assert_eq!(first(TEXT, "name"), Some(r#"\"seq\":7 \\"#));
        assert_eq!(first(TEXT, "last"), Some("true"));
        assert_eq!(first(TEXT, "next_cursor"), None);
        assert_eq!(first(TEXT, "missing"), None);
    }
}
