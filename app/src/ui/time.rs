//! Times: short to read, exact in `title` and `datetime`.

use super::form::Choice;
use crate::islands::LocalTimes;
use axum::http::request::Parts;
use leptos::prelude::*;
use send0_core::{accounts::SignedIn, zones};
use time::{Duration, OffsetDateTime, UtcOffset};

/// The time zone that the reader has chosen; empty: none.
fn readers_zone() -> String {
    with_context(|parts: &Parts| parts.extensions.get::<SignedIn>().map(|reader| reader.time_zone.clone()))
        .flatten()
        .unwrap_or_default()
}

/// At the end of a page with times: puts them into the browser's zone, unless the reader has chosen one.
#[component]
pub fn Times() -> impl IntoView {
    readers_zone().is_empty().then(|| view! { <LocalTimes/> })
}

/// How long ago something was, or how long until it is.
#[component]
pub fn TimeAgo(
    /// The instant.
    at: OffsetDateTime,
    /// The time of the page.
    now: OffsetDateTime,
) -> impl IntoView {
    view! { <time datetime=rfc3339(at) title=exact(at)>{ago(at, now)}</time> }
}

/// An exact instant, with its zone.
#[component]
pub fn ExactTime(
    /// The instant.
    at: OffsetDateTime,
) -> impl IntoView {
    view! { <time datetime=rfc3339(at)>{exact(at)}</time> }
}

/// An exact instant in a zone that does not depend on who reads it; empty: UTC. The reader's own stands in the title.
#[component]
pub fn ZonedTime(
    /// The instant.
    at: OffsetDateTime,
    /// The zone.
    zone: String,
) -> impl IntoView {
    view! { <time datetime=rfc3339(at) title=exact(at)>{exact_in(&zone, at)}</time> }
}

/// Every time zone to choose from, and what none is called.
pub fn time_zones(none: &str) -> Vec<Choice> {
    let zones = zones::all().into_iter().map(|zone| Choice::new(zone.clone(), zone.replace('_', " ")));
    [Choice::new("", none)].into_iter().chain(zones).collect()
}

/// `2 min ago`, `in 3 h`; beyond 30 days the date.
pub fn ago(at: OffsetDateTime, now: OffsetDateTime) -> String {
    let distance = (now - at).abs();
    if distance < Duration::SECOND {
        return "just now".into();
    }
    if distance >= Duration::days(30) {
        return date(at);
    }
    let span = span(distance);
    if at < now { format!("{span} ago") } else { format!("in {span}") }
}

fn span(distance: Duration) -> String {
    if distance < Duration::MINUTE {
        format!("{} s", distance.whole_seconds())
    } else if distance < Duration::HOUR {
        format!("{} min", distance.whole_minutes())
    } else if distance < Duration::DAY {
        format!("{} h", distance.whole_hours())
    } else {
        format!("{} d", distance.whole_days())
    }
}

/// `24 Nov 2026`, in the zone of the reader.
pub fn date(at: OffsetDateTime) -> String {
    day(zones::local(&readers_zone(), at).0)
}

fn day(at: OffsetDateTime) -> String {
    let month = at.month().to_string();
    format!("{} {} {}", at.day(), month.get(..3).unwrap_or(&month), at.year())
}

/// What a bar stands for, in the zone of the reader: `24 Nov 2026`, or of less than a day `24 Nov 2026, 02:25`.
pub fn bar_label(from: OffsetDateTime, to: OffsetDateTime) -> String {
    let (at, _) = zones::local(&readers_zone(), from);
    if to - from >= Duration::DAY { day(at) } else { format!("{}, {:02}:{:02}", day(at), at.hour(), at.minute()) }
}

/// `24 Nov 2026, 02:25:42 UTC`, in the zone of the reader.
pub fn exact(at: OffsetDateTime) -> String {
    exact_in(&readers_zone(), at)
}

fn exact_in(zone: &str, at: OffsetDateTime) -> String {
    let (at, zone) = zones::local(zone, at);
    format!("{}, {:02}:{:02}:{:02} {zone}", day(at), at.hour(), at.minute(), at.second())
}

/// `2026-11-24T02:25:42Z`.
pub fn rfc3339(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}
