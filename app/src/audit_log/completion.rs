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
