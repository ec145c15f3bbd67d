//! What letters say of notices.

use super::Notice;
use crate::zones;
use time::{Duration, OffsetDateTime};

/// Subject and text. Instants are told in the zone; empty: UTC.
pub(crate) fn words(told: &str, notice: &Notice, now: OffsetDateTime, zone: &str) -> (String, String) {
    let (vendor, day) = (&notice.details.vendor, zones::words(zone, notice.effective_at));
    // Thirteen days and a half are fourteen to whoever counts them.
    let days = (notice.effective_at - now + Duration::days(1) - Duration::SECOND).whole_days();
    let (subject, first) = match told {
        "withdrawn" => {
            let why = notice.withdrawn.as_ref().map(|(_, why)| why.as_str()).unwrap_or_default();
            (
                format!("withdrawn: {}", notice.title()),
                format!("What was announced about {vendor} will not happen. {why}"),
            )
        }
        "in_effect" => {
            (format!("in effect: {}", notice.title()), format!("This is in effect from now on: {}", notice.why))
        }
        "postponed" => {
            (format!("postponed: {}", notice.title()), format!("It is put off, and happens on {day}. {}", notice.why))
        }
        "in_3_days" | "in_14_days" => {
            (format!("in {days} days: {}", notice.title()), format!("It happens on {day}. {}", notice.why))
        }
        _ => (notice.title(), format!("It happens on {day}, in {days} days. {}", notice.why)),
    };
    let differences = notice.differences().into_iter().map(|(field, before, after)| match (before, after) {
        (Some(before), Some(after)) => format!("{field}: {before} → {after}"),
        (Some(before), None) => format!("{field}: {before} (no more)"),
        (None, after) => format!("{field}: {}", after.unwrap_or_default()),
    });
    let differences = differences.collect::<Vec<_>>().join("\n");
    let put_off = match notice.first_effective_at {
        Some(first) if notice.is_postponed() && told != "withdrawn" => {
            format!("\n\nIt was announced for {} first, and put off.", zones::words(zone, first))
        }
        _ => String::new(),
    };
    (subject, format!("{first}\n\n{differences}{put_off}"))
}
