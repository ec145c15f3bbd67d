//! Numbers as people read them.

/// U+202F: narrow, and no line breaks at it.
const THIN_SPACE: char = '\u{202f}';

/// `10 412`: groups of three with thin spaces.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(THIN_SPACE);
        }
        grouped.push(digit);
    }
    grouped
}

/// `1.5 MB`: with units of a thousand.
pub fn bytes(number: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    match units.into_iter().find(|(_, size)| number >= *size) {
        Some((unit, size)) if number / size < 10 && number % size >= size / 10 => {
            format!("{}.{}{THIN_SPACE}{unit}", number / size, number % size / (size / 10))
        }
        Some((unit, size)) => format!("{}{THIN_SPACE}{unit}", count(number / size)),
        None => format!("{number}{THIN_SPACE}B"),
    }
}
