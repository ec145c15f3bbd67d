//! What happened when: bars that are links, and a line of events.

use super::time::{TimeAgo, rfc3339};
use leptos::prelude::*;
use time::OffsetDateTime;

/// One bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// What it counts: "24 Nov, 10:00".
    pub label: String,
    /// How many.
    pub count: u64,
    /// The list of just these.
    pub href: String,
}

const HEIGHT: u64 = 48;
const STEP: usize = 12;
const WIDTH: usize = 10;

/// Counts over time. Each bar is a link to what it counts; the same numbers stand in a table.
#[component]
pub fn Histogram(
    /// What is counted.
    #[prop(into)]
    caption: String,
    /// The bars, the oldest first.
    bars: Vec<Bar>,
) -> impl IntoView {
    let highest = bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
    let width = bars.len() * STEP;
    let rows = bars.iter().map(|bar| {
        view! { <tr><th scope="row"><a href=bar.href.clone()>{bar.label.clone()}</a></th><td class="num">{super::count(bar.count)}</td></tr> }
    });
    let rows = rows.collect_view();
    let drawn = bars.into_iter().enumerate().map(|(place, bar)| drawn(place, bar, highest)).collect_view();
    view! {
        <figure class="histogram">
            <svg viewBox=format!("0 0 {width} {HEIGHT}") height=HEIGHT preserveAspectRatio="none" role="group" aria-label=caption.clone()>{drawn}</svg>
            <details>
                <summary class="meta">"As a table"</summary>
                <table class="table"><caption class="sr-only">{caption}</caption><tbody>{rows}</tbody></table>
            </details>
        </figure>
    }
}

fn drawn(place: usize, bar: Bar, highest: u64) -> impl IntoView {
    let label = format!("{}: {}", bar.label, bar.count);
    // What is not nothing is seen.
    let height = if bar.count == 0 { 1 } else { (bar.count * HEIGHT / highest).max(3) };
    let class = if bar.count == 0 { "bar bar-none" } else { "bar" };
    view! {
        <a href=bar.href aria-label=label>
            <rect class="bar-hit" x=place * STEP y="0" width=STEP height=HEIGHT/>
            <rect class=class x=place * STEP + 1 y=HEIGHT - height width=WIDTH height=height/>
        </a>
    }
}

/// One moment on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: OffsetDateTime,
    /// What, as a sentence.
    pub text: String,
}

/// What happened to one thing, in its order.
#[component]
pub fn Timeline(
    /// What it happened to; read out.
    #[prop(into)]
    label: String,
    /// The moments.
    moments: Vec<Moment>,
    /// The time of the page.
    now: OffsetDateTime,
) -> impl IntoView {
    let entry = |moment: Moment| view! { <li id=format!("at-{}", rfc3339(moment.at))><span>{moment.text}</span> <span class="meta"><TimeAgo at=moment.at now/></span></li> };
    view! { <ol class="timeline" aria-label=label>{moments.into_iter().map(entry).collect_view()}</ol> }
}
