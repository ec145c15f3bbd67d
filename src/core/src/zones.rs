//! Time zones by their IANA names, for people who want times in theirs.

use crate::FieldError;
use jiff::{Timestamp, tz::TimeZoneDatabase};
use std::sync::LazyLock;
use time::{OffsetDateTime, UtcOffset};

/// What this program was built with, not what the machine has: the same zones everywhere.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The zone of this name; empty: none chosen.
///
/// # Errors
/// For a name that the IANA time zone database does not know.
pub fn parse(field: &str, text: &str) -> Result<String, FieldError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    let zone = ZONES.get(text).ok();
    let name = zone.as_ref().and_then(|zone| zone.iana_name()).map(str::to_owned);
    name.ok_or_else(|| FieldError::new(field, "unknown_time_zone", "A time zone such as Europe/Berlin, or none."))
}

/// Every zone that people live in, by name: `Africa/Abidjan`, …
pub fn all() -> Vec<String> {
    let is_place = |name: &String| name.contains('/') && !name.starts_with("Etc/") && !name.starts_with("SystemV/");
    ZONES.available().map(|name| name.to_string()).filter(is_place).collect()
}

/// The instant as a clock in this zone shows it, and how the zone is called at that time: `CET`. UTC when the zone is
/// empty or unknown.
pub fn local(zone: &str, at: OffsetDateTime) -> (OffsetDateTime, String) {
    let utc = || (at.to_offset(UtcOffset::UTC), "UTC".to_owned());
    let Ok(zone) = ZONES.get(zone) else { return utc() };
    let Ok(instant) = Timestamp::from_second(at.unix_timestamp()) else { return utc() };
    let info = zone.to_offset_info(instant);
    match UtcOffset::from_whole_seconds(info.offset().seconds()) {
        Ok(offset) => (at.to_offset(offset), info.abbreviation().to_owned()),
        Err(_) => utc(),
    }
}

/// The instant for a letter: "27 November 2026, 09:00 CET".
pub fn words(zone: &str, at: OffsetDateTime) -> String {
    let (at, zone) = local(zone, at);
    format!("{} {} {}, {:02}:{:02} {zone}", at.day(), at.month(), at.year(), at.hour(), at.minute())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn names_are_those_of_the_database() {
        assert_eq!(parse("time_zone", " Europe/Berlin "), Ok("Europe/Berlin".into()));
        assert_eq!(parse("time_zone", ""), Ok(String::new()));
        assert!(parse("time_zone", "Europe/Atlantis").is_err());
        assert!(all().contains(&"Asia/Kolkata".to_owned()));
    }

    #[test]
    fn a_zone_keeps_its_summer_time() {
        let (winter, name) = local("Europe/Berlin", datetime!(2026-10-25 01:00:00 UTC));
        assert_eq!((winter.hour(), name.as_str()), (2, "CET"));
        let (summer, name) = local("Europe/Berlin", datetime!(2026-10-25 00:59:59 UTC));
        assert_eq!((summer.hour(), name.as_str()), (2, "CEST"));
        assert_eq!(words("Europe/Berlin", datetime!(2026-10-25 01:05 UTC)), "25 October 2026, 02:05 CET");
        assert_eq!(local("nowhere", datetime!(2026-10-25 01:00:00 UTC)).1, "UTC");
    }
}
