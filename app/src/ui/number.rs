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

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        text.replace(THIN_SPACE, " ")
    }

    #[test]
    fn counts_have_groups_of_three() {
        let cases = [(0, "0"), (999, "999"), (1_000, "1 000"), (10_412, "10 412"), (5_119_004, "5 119 004")];
        for (number, expected) in cases {
            assert_eq!(plain(&count(number)), expected);
        }
    }

    #[test]
    fn bytes_have_at_most_one_decimal() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1 kB"),
            (1_549, "1.5 kB"),
            (12_900, "12 kB"),
            (9_990_000, "9.9 MB"),
            (2_000_000_000, "2 GB"),
            (4_200_000_000_000, "4 200 GB"),
        ];
        for (number, expected) in cases {
            assert_eq!(plain(&bytes(number)), expected);
        }
    }
}
