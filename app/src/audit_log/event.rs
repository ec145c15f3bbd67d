//! An event's own page: the sentence, what changed, what stands around it, and all of it.

use super::{
    page::{Shown, badge, events_table, of_workspace, proof_of},
    search::link_to,
    sentence::{kind, what, who},
};
use crate::{
    page::{id_param, page, param},
    ui::{Change as Changed, Diff, ExactTime, Fact, Facts, JsonBlock, PageHeader, Section, Tag, TimeAgo, Times},
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    accounts::Factor,
    audit_log::{
        Action, Asked, EventView, Query, Target, Term, Window,
        operations::{self, Around},
    },
    ids::EventId,
};
use serde_json::Value;

/// `/w/{slug}/audit-log/{event}`.
#[component]
pub fn Event() -> impl IntoView {
    let id = param("event");
    page("Event", "audit-log", |inside| async move {
        let event = operations::show(&inside.visit.ctx, &inside.actor, id_param(&id)?, Action::PageViewed).await?;
        let proof = proof_of(&inside, std::slice::from_ref(&event), Some(event.id)).await?;
        let around = operations::around(&inside.visit.ctx, &inside.actor, &event).await?;
        let shown = event_page(&of_workspace(&inside), event, around)?;
        Ok(view! { {shown} {proof} })
    })
}

/// One event, and what stands around it.
pub fn event_page(log: &Shown, event: EventView, around: Around) -> Result<impl IntoView + use<>, AppError> {
    let raw = serde_json::to_value(&event).map_err(|_| AppError::Internal)?;
    let changes: Vec<Changed> =
        event.changes.iter().filter(|change| change.before != change.after).map(changed).collect();
    Ok(view! {
        <PageHeader title=format!("{} {}", who(&event), what(&event)) subtitle=format!("Event #{}", event.seq)/>
        {neighbours(log, &around)}
        {facts(log, &event, around.factor)}
        {(!changes.is_empty()).then(|| view! {
            <Section id="changes" title="Before and after"><Diff caption="What changed" changes/></Section>
        })}
        {history(log, &event, around.history)}
        <Section id="raw" title=log.raw><JsonBlock value=raw label="Event"/></Section>
        <Times/>
    })
}

/// The events before and after it.
fn neighbours(log: &Shown, around: &Around) -> impl IntoView + use<> {
    let link = |id: Option<EventId>| id.map(|id| format!("{}/{id}", log.base));
    let previous = link(around.previous)
        .map(|href| view! { <a href=href rel="prev"><span aria-hidden="true">"‹ "</span>"previous event"</a> });
    let next = link(around.next)
        .map(|href| view! { <a href=href rel="next">"next event"<span aria-hidden="true">" ›"</span></a> });
    view! { <nav class="neighbours" aria-label="Events around this one">{previous} " " {next}</nav> }
}

/// What else happened to what this happened to.
fn history(log: &Shown, event: &EventView, history: Vec<EventView>) -> Option<impl IntoView + use<>> {
    let target = event.targets.first()?;
    let others: Vec<EventView> = history.into_iter().filter(|other| other.seq != event.seq).collect();
    if others.is_empty() {
        return None;
    }
    let name = target.name.clone().unwrap_or_else(|| target.id.clone());
    let title = format!("History of {} {name}", target.kind.replace('_', " "));
    let query = Query { terms: vec![Term { negated: false, asked: Asked::Target(target.id.clone()) }] };
    let (all, table) = (link_to(&log.base, &query), events_table(&log.base, log.now, others));
    Some(view! { <Section id="history" title>{table} <p><a href=all>"All of it"</a></p></Section> })
}

fn changed(change: &send0_core::audit_log::Change) -> Changed {
    Changed { field: change.field.clone(), before: shown(&change.before), after: shown(&change.after) }
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => Some(items.iter().filter_map(shown).collect::<Vec<_>>().join(", ")),
        other => Some(other.to_string()),
    }
}

fn facts(log: &Shown, event: &EventView, factor: Option<Factor>) -> impl IntoView + use<> {
    let now = log.now;
    let at = event.time;
    let EventView { actor, action, outcome, reason, targets, request, count, window, .. } = event.clone();
    let by_actor = format!("{}?actor={}", log.base, actor.id);
    let line = |target: Target| {
        let name = format!("{} {} ", target.kind.replace('_', " "), target.name.unwrap_or_default());
        view! { <li>{name}<code>{target.id}</code></li> }
    };
    let targets = (!targets.is_empty()).then(|| targets.into_iter().map(line).collect_view());
    let (name, word) = (format!("{} ", who(event)), kind(&event.actor));
    let key = log.keys.as_ref().filter(|_| actor.kind == "api_key").map(|keys| format!("{keys}/{}", actor.id));
    let key = key.map(|href| view! { ", "<a href=href>"the key"</a> });
    view! {
        <Facts>
            <Fact label="When"><ExactTime at/>", "<TimeAgo at now/></Fact>
            <Fact label="Actor">{name}<Tag word/>" "<a href=by_actor><code>{actor.id}</code></a>{key}</Fact>
            {actor.role.map(|role| view! { <Fact label="Role at that time">{role}</Fact> })}
            <Fact label="Action"><code>{action}</code></Fact>
            <Fact label="Outcome">{badge(outcome)}</Fact>
            {code("Reason", reason)}
            {code("Permission", actor.permission)}
            {targets.map(|targets| view! { <Fact label="To"><ul>{targets}</ul></Fact> })}
            {code("Request", Some(format!("{} {}", request.method, request.path)))}
            {code("Request id", Some(request.id.to_string()))}
            {code("Address", request.address)}
            {request.agent.map(|agent| view! { <Fact label="Agent">{agent}</Fact> })}
            {code("Session", actor.session)}
            {factor.map(|factor| view! { <Fact label="Signed in with">{factor.words()}</Fact> })}
            {count.map(|count| view! { <Fact label="Stands for">{format!("{count} alike calls")}{window.map(times)}</Fact> })}
        </Facts>
    }
}

/// Of an event of before they were kept, there are none.
fn times(window: Window) -> impl IntoView {
    view! { ", from "<ExactTime at=window.from/>" to "<ExactTime at=window.to/> }
}

fn code(label: &'static str, value: Option<String>) -> Option<impl IntoView> {
    value.map(|value| view! { <Fact label><code>{value}</code></Fact> })
}
