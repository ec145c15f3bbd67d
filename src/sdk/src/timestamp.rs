//! RFC 3339 in UTC, to the microsecond, as exports write it.

const DAYS_TO_1970: i64 = 719_162;

/// Microseconds since 1970 of `2026-11-23T18:04:05.123456Z`; the fraction has none to six digits.
pub(crate) fn micros(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.as_bytes().strip_suffix(b"Z")?.split_at_checked(19)?;
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1, b':', s0, s1] = *seconds else {
        return None;
    };
    let (year, month, day) = (number(&[y0, y1, y2, y3])?, number(&[m0, m1])?, number(&[d0, d1])?);
    let (hour, minute, second) = (number(&[h0, h1])?, number(&[n0, n1])?, number(&[s0, s1])?);
    let known = year >= 1 && (1..=12).contains(&month) && day >= 1 && day <= days_in(year, month);
    if !known || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days_before(year, month) + day - 1 - DAYS_TO_1970;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000 + micros_of(fraction)?)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
}

fn micros_of(fraction: &[u8]) -> Option<i64> {
    match fraction {
        [] => Some(0),
        [b'.', digits @ ..] if (1..=6).contains(&digits.len()) => {
            Some(number(digits)? * 10_i64.pow(6 - digits.len() as u32))
        }
        _ => None,
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Since the first of January of the year 1.
fn days_before(year: i64, month: i64) -> i64 {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let past = year - 1;
    let leap_day = i64::from(month > 2 && is_leap(year));
    past * 365 + past / 4 - past / 100 + past / 400 + BEFORE[month as usize - 1] + leap_day
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_others_computed() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("2026-11-23T18:04:05.123456Z", 1_795_457_045_123_456),
            ("2026-11-23T18:04:05.1Z", 1_795_457_045_100_000),
            ("2000-02-29T12:00:00Z", 951_825_600_000_000),
            ("2100-03-01T00:00:00Z", 4_107_542_400_000_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
        ] {
            assert_eq!(micros(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "Z",
            "2026-11-23T18:04:05",
            "2026-11-23T18:04:05+00:00",
            "2026-11-23 18:04:05Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:60Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00.1234567Z",
            "2026-01-01T00:00:00.-1Z",
            "0000-01-01T00:00:00Z",
            "2026-1-01T00:00:00Z",
            "２026-01-01T00:00:00Z",
        ] {
            assert_eq!(micros(text), None, "{text}");
        }
    }
}
