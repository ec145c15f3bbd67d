//! `/subprocessors`: the list, what is to come, and what was. For anybody, without scripts and without cookies.

use super::parts::{differences, kind, list, state};
use crate::{
    public::public_page,
    ui::{ExactTime, PageHeader, Section, date},
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    subprocessors::{Notice, operations},
};

/// `/subprocessors`.
#[component]
pub fn Subprocessors() -> impl IntoView {
    public_page("Subprocessors", "/subprocessors", |visit| async move {
        let all = operations::public(&visit.ctx).await?;
        let subtitle = format!(
            "{} companies process data for send0. Customers are told at least 30 full days before one is added, changed or removed.",
            all.current.len()
        );
        let announced = match all.announced.is_empty() {
            true => view! { <p class="meta">"No change is announced."</p> }.into_any(),
            false => all.announced.iter().map(notice).collect_view().into_any(),
        };
        let history = match all.history.is_empty() {
            true => view! { <p class="meta">"Nothing has changed since April 2026."</p> }.into_any(),
            false => all.history.iter().map(past).collect_view().into_any(),
        };
        Ok::<_, AppError>(view! {
            <PageHeader title="Subprocessors" subtitle/>
            {list(all.current, None)}
            <Section id="announced" title="Announced">{announced}</Section>
            <Section id="history" title="What has changed">{history}</Section>
            <p><a href="/subprocessors/subscribe">"Be told of changes by mail"</a></p>
            <p class="meta">
                "For programs: "<a href="/subprocessors.json">"JSON"</a>", and "<a href="/subprocessors.atom">"a feed"</a>" of every notice. \
                 The security contacts of each workspace are told by mail."
            </p>
        })
    })
}

fn notice(notice: &Notice) -> impl IntoView + use<> {
    let first = notice.is_postponed().then_some(notice.first_effective_at).flatten();
    let first =
        first.map(|first| view! { <p class="meta">{format!("It was announced for {} first.", date(first))}</p> });
    view! {
        <article class="card" id=notice.id.to_string()>
            <h3>{notice.title()}</h3>
            <p>{format!("{} {} on ", notice.details.vendor, kind(notice))} <ExactTime at=notice.effective_at/> ". " {notice.why.clone()}</p>
            {first}
            {differences(notice)}
        </article>
    }
}

fn past(notice: &Notice) -> impl IntoView + use<> {
    let withdrawn = notice.withdrawn.clone().map(|(at, why)| {
        view! { <p>"Withdrawn on " <ExactTime at/> ". " {why}</p> }
    });
    let announced = notice.published_at.map(|at| view! { <p class="meta">"Announced on " <ExactTime at/> "."</p> });
    let happened =
        notice.in_effect_at.map(|at| view! { <p>"In effect since " <ExactTime at/> ". " {notice.why.clone()}</p> });
    view! {
        <article class="card" id=notice.id.to_string()>
            <h3>{notice.title()} " " {state(notice)}</h3>
            {happened}
            {withdrawn}
            {announced}
            {differences(notice)}
        </article>
    }
}
