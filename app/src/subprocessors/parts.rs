//! What the three sides show alike.

use crate::ui::{Badge, Change, Column, Diff, ExactTime, Status as Look, Table, TimeAgo, ZonedTime};
use leptos::prelude::*;
use send0_core::subprocessors::{Details, Kind, Notice, State, Subprocessor};
use time::{Duration, OffsetDateTime};

/// Those of now.
pub fn list(current: Vec<Subprocessor>, more: Option<fn(&Subprocessor) -> AnyView>) -> impl IntoView {
    let mut head = ["Vendor", "Purpose", "Data", "Regions"].map(Column::text).to_vec();
    if more.is_some() {
        head.push(Column::actions("Change or remove"));
    }
    let rows = current
        .into_iter()
        .map(|one| {
            let more = more.map(|more| view! { <td class="row-actions">{more(&one)}</td> });
            let Details { vendor, purpose, data, regions } = one.details;
            view! {
                <tr>
                    <th scope="row">{vendor}</th>
                    <td data-label="Purpose">{purpose}</td>
                    <td data-label="Data">{data}</td>
                    <td data-label="Regions">{each(regions)}</td>
                    {more}
                </tr>
            }
        })
        .collect_view();
    view! { <Table caption="Subprocessors" head>{rows}</Table> }
}

/// A region is not broken at its hyphens.
fn each(regions: Vec<String>) -> impl IntoView {
    let last = regions.len().saturating_sub(1);
    let one = |(n, region): (usize, String)| {
        let comma = (n != last).then_some(", ");
        view! { <span class="whitespace-nowrap">{region}</span>{comma} }
    };
    regions.into_iter().enumerate().map(one).collect_view()
}

/// A day that comes, and how far it is; a day that was.
pub fn day(at: OffsetDateTime, now: OffsetDateTime) -> AnyView {
    counted(view! { <ExactTime at/> }.into_any(), at, now)
}

/// The same, in the zone of a workspace: everybody in it reads the same.
pub fn deadline(zone: &str, at: OffsetDateTime, now: OffsetDateTime) -> AnyView {
    let zone = zone.to_owned();
    counted(view! { <ZonedTime at zone/> }.into_any(), at, now)
}

fn counted(exact: AnyView, at: OffsetDateTime, now: OffsetDateTime) -> AnyView {
    if at <= now {
        return view! { {exact} ", " <TimeAgo at now/> }.into_any();
    }
    // Thirteen days and a half are fourteen to whoever counts them.
    let days = (at - now + Duration::days(1) - Duration::SECOND).whole_days();
    let days = if days == 1 { ", tomorrow at the latest".to_owned() } else { format!(", in {days} days") };
    view! { {exact} {days} }.into_any()
}

/// What changes, field by field.
pub fn differences(notice: &Notice) -> impl IntoView + use<> {
    let changes = notice.differences().into_iter();
    let changes = changes.map(|(field, before, after)| Change { field: field.to_owned(), before, after }).collect();
    view! { <Diff caption="What changes" changes/> }
}

/// Where it stands, as a sign and a word.
pub fn state(notice: &Notice) -> impl IntoView + use<> {
    let (status, word) = match notice.state() {
        State::Draft => (Look::Neutral, "draft"),
        State::Announced if notice.is_postponed() => (Look::Pending, "announced, postponed"),
        State::Announced => (Look::Pending, "announced"),
        State::InEffect => (Look::Ok, "in effect"),
        State::Withdrawn => (Look::Off, "withdrawn"),
    };
    view! { <Badge status word/> }
}

/// What happens, in a word.
pub fn kind(notice: &Notice) -> &'static str {
    match notice.kind {
        Kind::Add => "is added",
        Kind::Change => "is changed",
        Kind::Remove => "is removed",
    }
}
