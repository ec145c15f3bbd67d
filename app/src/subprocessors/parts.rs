//! What the three sides show alike.

use crate::ui::{Badge, Change, Column, Diff, Status as Look, Table};
use leptos::prelude::*;
use send0_core::subprocessors::{Details, Kind, Notice, State, Subprocessor};

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
                    <td data-label="Regions">{regions.join(", ")}</td>
                    {more}
                </tr>
            }
        })
        .collect_view();
    view! { <Table caption="Subprocessors" head>{rows}</Table> }
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
