//! What the word under the caret can become: keys, and after a key its values. Carets count as browsers do, in UTF-16.

/// How many are offered at once.
const OFFERED: usize = 8;

/// The word that ends at the caret, and where it begins.
fn word(typed: &str, caret: usize) -> (usize, String) {
    let before: Vec<u16> = typed.encode_utf16().take(caret).collect();
    let before = String::from_utf16_lossy(&before);
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    let word = word.strip_prefix('-').unwrap_or(word);
    (before.encode_utf16().count() - word.encode_utf16().count(), word.to_owned())
}

/// The completions of the word at the caret. Of one that is empty, the keys.
pub fn offered(typed: &str, caret: usize, all: &[String]) -> Vec<String> {
    let (_, word) = word(typed, caret);
    let word = word.to_lowercase();
    let is_key = |option: &str| option.ends_with(':');
    let fits = |option: &&String| match word.contains(':') {
        true => option.to_lowercase().starts_with(&word) && option.to_lowercase() != word,
        false => is_key(option) && option.starts_with(&word),
    };
    all.iter().filter(fits).take(OFFERED).cloned().collect()
}

/// What was typed with the word at the caret completed, and where the caret stands then. After a value comes a space.
pub fn completed(typed: &str, caret: usize, chosen: &str) -> (String, usize) {
    let (start, _) = word(typed, caret);
    let units: Vec<u16> = typed.encode_utf16().collect();
    let part = |from: usize, to: usize| {
        let part: Vec<u16> = units.iter().copied().skip(from).take(to.saturating_sub(from)).collect();
        String::from_utf16_lossy(&part)
    };
    let (before, after) = (part(0, start), part(caret, units.len()));
    let space = if chosen.ends_with(':') || after.starts_with(char::is_whitespace) { "" } else { " " };
    let head = format!("{before}{chosen}{space}");
    let caret = head.encode_utf16().count();
    (head + &after, caret)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<String> {
        [
            "actor:",
            "action:",
            "outcome:",
            "action:api_key.*",
            "action:api_key.issued",
            "outcome:denied",
            "actor:\"Ana Ö\"",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    #[test]
    fn first_keys_are_offered_then_values() {
        let offer = |typed: &str| offered(typed, typed.encode_utf16().count(), &all());
        assert_eq!(offer(""), ["actor:", "action:", "outcome:"]);
        assert_eq!(offer("ana "), ["actor:", "action:", "outcome:"]);
        assert_eq!(offer("AC"), ["actor:", "action:"]);
        assert_eq!(offer("x -out"), ["outcome:"]);
        assert_eq!(offer("action:"), ["action:api_key.*", "action:api_key.issued"]);
        assert_eq!(offer("action:api_key.i"), ["action:api_key.issued"]);
        assert_eq!(offer("outcome:denied"), Vec::<String>::new(), "it is complete");
        assert_eq!(offer("nothing"), Vec::<String>::new());
    }

    #[test]
    fn the_word_at_the_caret_is_completed_and_the_rest_stays() {
        assert_eq!(completed("", 0, "actor:"), ("actor:".into(), 6));
        assert_eq!(completed("é😀 -ac b", 7, "action:"), ("é😀 -action: b".into(), 12));
        assert_eq!(completed("outcome:d", 9, "outcome:denied"), ("outcome:denied ".into(), 15));
        assert_eq!(completed("outcome:d ana", 9, "outcome:denied"), ("outcome:denied ana".into(), 14));
        // Wherever a caret is said to be, also in the middle of a character.
        for caret in 0..20 {
            completed("a😀b \u{301}é", caret, "actor:");
            offered("a😀b \u{301}é", caret, &all());
        }
    }
}
