//! Counts beside the list, and when it all was. Each number is a link that changes the query.

use super::search::Asked;
use crate::ui::{Bar, Histogram, bar_label, count};
use leptos::prelude::*;
use send0_core::audit_log::{Bucket, COUNTED_MAX, Counted, Facet, Facets, Query};

/// Bars over time, each a link to its events.
pub fn over_time(base: &str, asked: &Asked, facets: &Facets) -> Option<AnyView> {
    if facets.over_time.is_empty() {
        return None;
    }
    let query = &asked.filter.query;
    let bar = |bucket: &Bucket| Bar {
        label: bar_label(bucket.from, bucket.to),
        count: bucket.count,
        // The times stand in the query then, and no longer beside it.
        href: super::search::link_to(base, &query.between(bucket.from, bucket.to)),
    };
    let bars = facets.over_time.iter().map(bar).collect();
    let is_part =
        facets.is_capped && facets.over_time.iter().map(|bucket| bucket.count).sum::<u64>() <= COUNTED_MAX as u64;
    let caption = if is_part { "The newest 1,000 of these events over time" } else { "These events over time" };
    Some(view! { <Histogram caption bars/> }.into_any())
}

/// Who was found, by name.
pub fn actors_of(facets: &Facets) -> Vec<String> {
    let actors = facets.kinds.iter().find(|facet| facet.title == "Actor");
    actors.into_iter().flat_map(|facet| facet.values.iter().map(|value| value.label.clone())).collect()
}

/// Counts by actor, action, outcome and source.
pub fn counts(base: &str, asked: &Asked, facets: &Facets) -> impl IntoView + use<> {
    let note = match (facets.kinds.is_empty(), facets.is_capped) {
        (true, _) => Some("Counting all of these would take too long."),
        (false, true) => Some("Of the newest 1,000 of these events; there are more."),
        (false, false) => None,
    };
    let kind = |facet: &Facet| kind(base, asked, facet);
    let kinds = facets.kinds.iter().filter(|facet| !facet.values.is_empty()).map(kind).collect_view();
    view! {
        <aside class="counts" id="counts" aria-labelledby="counts-heading">
            <h2 id="counts-heading">"Counts"</h2>
            {note.map(|note| view! { <p class="meta">{note}</p> })}
            {kinds}
        </aside>
    }
}

fn kind(base: &str, asked: &Asked, facet: &Facet) -> impl IntoView + use<> {
    let values = facet.values.iter().map(|value| row(base, asked, value)).collect_view();
    view! { <h3>{facet.title}</h3> <ul>{values}</ul> }
}

fn row(base: &str, asked: &Asked, value: &Counted) -> impl IntoView + use<> {
    let query: &Query = &asked.filter.query;
    let (is_set, href) = (query.has(&value.term), asked.link_for(base, &query.toggled(&value.term)));
    let sign = is_set.then(|| view! { <span aria-hidden="true">"✓ "</span> });
    let number = match value.count >= COUNTED_MAX {
        true => format!("{}+", count(COUNTED_MAX as u64)),
        false => count(value.count as u64),
    };
    let current = is_set.then_some("true");
    view! { <li><a href=href aria-current=current>{sign}<span class="facet">{value.label.clone()}</span>" "<span class="num">{number}</span></a></li> }
}
