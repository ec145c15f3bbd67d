//! The list of events with its filters, and an event's own page.

use super::{
    proof::proven,
    sentence::{what, who},
};
use crate::{
    page::{Inside, id_param, page, param},
    ui::{
        Badge, Banner, Change as Changed, Choice, Column, Diff, Empty, ExactTime, Fact, Facts, FilterSelect, Filters,
        JsonBlock, NoMatch, PageHeader, Pager, SearchField, Section, Status as Look, Table, TextField, TimeAgo, Times,
        Tone,
    },
};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, params::ParamsMap};
use send0_core::{
    AppError, FieldError,
    audit_log::{Action, EventView, Filter, FilterText, Outcome, Page, Place, Target, operations},
    sealing,
};
use serde_json::Value;
use time::OffsetDateTime;

/// A log as its pages show it: of a workspace, or of the platform.
pub struct Shown {
    /// What the list is called.
    pub title: &'static str,
    /// What is in it, when nothing is.
    pub about: &'static str,
    /// What an event as JSON is called.
    pub raw: &'static str,
    /// Where the list is.
    pub base: String,
    /// The time of the page.
    pub now: OffsetDateTime,
}

/// What of a log is asked for, in the URL.
pub struct Asked {
    /// The filter.
    pub filter: Filter,
    /// Which part of the list.
    pub place: Place,
    text: FilterText,
    wrong: Option<AppError>,
}

impl Asked {
    /// As the URL has it. What cannot be read is said beside the fields; the list stays, unfiltered.
    pub fn of(query: &ParamsMap) -> Result<Self, AppError> {
        let (text, place) = (text_of(query), place_of(query)?);
        let (filter, wrong) = match text.parse() {
            Ok(filter) => (filter, None),
            Err(error) => (Filter::default(), Some(error)),
        };
        Ok(Self { filter, place, text, wrong })
    }
}

/// `/w/{slug}/audit-log`. Every state of the filter is a URL.
#[component]
pub fn Log() -> impl IntoView {
    let query = use_query_map().get_untracked();
    page("Audit log", "audit-log", |inside| async move {
        let asked = Asked::of(&query)?;
        let (ctx, actor, limit) = (&inside.visit.ctx, &inside.actor, operations::LIMIT_DEFAULT);
        let found = operations::list(ctx, actor, &asked.filter, asked.place, limit, Action::PageViewed).await?;
        let proof = proof_of(&inside, &found.events).await?;
        Ok(view! { {log_page(&of_workspace(&inside), asked, found)} {proof} })
    })
}

/// How far the log is proven, with what is shown of it looked at now.
async fn proof_of(inside: &Inside, events: &[EventView]) -> Result<AnyView, AppError> {
    let shown: Vec<i64> = events.iter().map(|event| event.seq).collect();
    let standing = sealing::operations::standing(&inside.visit.ctx, &inside.actor, &shown).await?;
    Ok(proven(inside.now, standing))
}

fn of_workspace(inside: &Inside) -> Shown {
    Shown {
        title: "Audit log",
        about: "Everything that was done or tried in this workspace.",
        raw: "As the API gives it",
        base: inside.path("audit-log"),
        now: inside.now,
    }
}

/// The list with its filters.
pub fn log_page(log: &Shown, asked: Asked, found: Page) -> impl IntoView + use<> {
    let Asked { filter, place, text, wrong } = asked;
    let subtitle = summary(log, &found, &filter, place);
    let base = log.base.clone();
    let clear = (text != FilterText::default()).then(|| base.clone());
    let newer = found.newer.map(|seq| link(&base, &text, "newer", seq));
    let older = found.older.map(|seq| link(&base, &text, "older", seq));
    let content = match (found.events.is_empty(), filter.is_empty()) {
        (false, _) => {
            let table = events_table(&base, log.now, found.events);
            view! { {table} <Pager newer older note="Kept at least 365 days"/> }.into_any()
        }
        (true, false) => view! { <NoMatch what="events" clear=base.clone()/> }.into_any(),
        (true, true) => {
            view! { <Empty title="No events here" text="Every API call, change and refusal will be listed here."/> }
                .into_any()
        }
    };
    view! {
        <PageHeader title=log.title subtitle/>
        {wrong.as_ref().map(misread)}
        {filters(&base, clear, &text)}
        {content}
        <Times/>
    }
}

fn text_of(query: &ParamsMap) -> FilterText {
    let value = |name| query.get(name).unwrap_or_default();
    FilterText {
        actor: value("actor"),
        action: value("action"),
        outcome: value("outcome"),
        from: value("from"),
        to: value("to"),
    }
}

fn place_of(query: &ParamsMap) -> Result<Place, AppError> {
    let seq = |text: String| text.parse::<i64>().map_err(|_| AppError::NotFound);
    match (query.get("older"), query.get("newer")) {
        (Some(older), _) => seq(older).map(Place::Older),
        (None, Some(newer)) => seq(newer).map(Place::Newer),
        (None, None) => Ok(Place::Top),
    }
}

fn link(base: &str, text: &FilterText, direction: &str, seq: i64) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let fields = [
        ("actor", &text.actor),
        ("action", &text.action),
        ("outcome", &text.outcome),
        ("from", &text.from),
        ("to", &text.to),
    ];
    for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    query.append_pair(direction, &seq.to_string());
    format!("{base}?{}", query.finish())
}

fn summary(log: &Shown, found: &Page, filter: &Filter, place: Place) -> String {
    match (found.events.first(), found.events.last()) {
        (Some(first), Some(last)) if filter.is_empty() && place == Place::Top && found.older.is_none() => {
            format!("{} events, without a gap from #{} to #{}.", found.events.len(), last.seq, first.seq)
        }
        (Some(first), Some(last)) => format!("#{} to #{}, the newest first.", first.seq, last.seq),
        _ => log.about.into(),
    }
}

fn misread(error: &AppError) -> AnyView {
    let AppError::Malformed(errors) = error else { return ().into_any() };
    let line = |error: &FieldError| view! { <p><code>{error.field.clone()}</code>{format!(" {}", error.message)}</p> };
    let lines = errors.iter().map(line).collect_view();
    view! { <Banner tone=Tone::Warn title="The filter could not be read; everything is shown">{lines}</Banner> }
        .into_any()
}

fn filters(base: &str, clear: Option<String>, text: &FilterText) -> impl IntoView + use<> {
    let FilterText { actor, action, outcome, from, to } = text.clone();
    let actions = actions(&action);
    view! {
        <Filters action=base.to_owned() clear>
            <SearchField name="actor" label="Actor: mail address or id" value=actor/>
            <FilterSelect name="action" label="Action" choices=actions value=action/>
            <FilterSelect name="outcome" label="Outcome" choices=outcomes() value=outcome/>
            <TextField name="from" label="From" kind="datetime-local" value=from/>
            <TextField name="to" label="To, UTC" kind="datetime-local" value=to/>
        </Filters>
    }
}

/// Families first (`api_key.*`), then each action; and whatever else was asked for, so that it is not lost.
fn actions(asked: &str) -> Vec<Choice> {
    let mut values: Vec<String> = Action::ALL
        .iter()
        .filter_map(|action| action.as_str().split_once('.').map(|(thing, _)| format!("{thing}.*")))
        .chain(Action::ALL.iter().map(ToString::to_string))
        .collect();
    values.sort_unstable();
    values.dedup();
    if !asked.is_empty() && !values.iter().any(|value| value == asked) {
        values.push(asked.to_owned());
    }
    let all = std::iter::once(Choice::new("", "any action"));
    all.chain(values.into_iter().map(|value| Choice::new(value.clone(), value))).collect()
}

fn outcomes() -> Vec<Choice> {
    let all = std::iter::once(Choice::new("", "any outcome"));
    all.chain(Outcome::ALL.map(|outcome| Choice::new(outcome.as_str(), outcome.as_str()))).collect()
}

/// Events as rows that read as sentences.
pub fn events_table(base: &str, now: OffsetDateTime, events: Vec<EventView>) -> impl IntoView + use<> {
    let head = vec![
        Column::number("#"),
        Column::text("Event"),
        Column::text("Outcome"),
        Column::text("Address"),
        Column::text("When"),
    ];
    let rows = events.into_iter().map(|event| row(base, now, event)).collect_view();
    view! { <Table caption="Audit events" head>{rows}</Table> }
}

fn row(base: &str, now: OffsetDateTime, event: EventView) -> impl IntoView + use<> {
    view! {
        <tr>
            <td class="num" data-label="#">{event.seq}</td>
            <th scope="row">
                <a href=format!("{base}/{}", event.id)>{format!("{} {}", who(&event), what(&event))}</a>
            </th>
            <td data-label="Outcome">{badge(event.outcome)}</td>
            <td data-label="Address"><code>{event.request.address.clone().unwrap_or_else(|| "local".into())}</code></td>
            <td data-label="When" class="sm:whitespace-nowrap"><TimeAgo at=event.time now/></td>
        </tr>
    }
}

fn badge(outcome: Outcome) -> impl IntoView {
    let look = match outcome {
        Outcome::Success => Look::Neutral,
        Outcome::Denied => Look::Warn,
        Outcome::Failed => Look::Danger,
    };
    view! { <Badge status=look word=outcome.as_str()/> }
}

/// `/w/{slug}/audit-log/{event}`.
#[component]
pub fn Event() -> impl IntoView {
    let id = param("event");
    page("Event", "audit-log", |inside| async move {
        let event = operations::show(&inside.visit.ctx, &inside.actor, id_param(&id)?, Action::PageViewed).await?;
        let proof = proof_of(&inside, std::slice::from_ref(&event)).await?;
        let shown = event_page(&of_workspace(&inside), event)?;
        Ok(view! { {shown} {proof} })
    })
}

/// One event.
pub fn event_page(log: &Shown, event: EventView) -> Result<impl IntoView + use<>, AppError> {
    let raw = serde_json::to_value(&event).map_err(|_| AppError::Internal)?;
    let changes: Vec<Changed> =
        event.changes.iter().filter(|change| change.before != change.after).map(changed).collect();
    Ok(view! {
        <PageHeader title=format!("{} {}", who(&event), what(&event)) subtitle=format!("Event #{}", event.seq)/>
        {facts(log, &event)}
        {(!changes.is_empty()).then(|| view! {
            <Section id="changes" title="Before and after"><Diff caption="What changed" changes/></Section>
        })}
        <Section id="raw" title=log.raw><JsonBlock value=raw label="Event"/></Section>
        <Times/>
    })
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

fn facts(log: &Shown, event: &EventView) -> impl IntoView + use<> {
    let now = log.now;
    let at = event.time;
    let EventView { actor, action, outcome, reason, targets, request, .. } = event.clone();
    let by_actor = format!("{}?actor={}", log.base, actor.id);
    let line = |target: Target| {
        let name = format!("{} {} ", target.kind.replace('_', " "), target.name.unwrap_or_default());
        view! { <li>{name}<code>{target.id}</code></li> }
    };
    let targets = (!targets.is_empty()).then(|| targets.into_iter().map(line).collect_view());
    let name = format!("{} ", who(event));
    view! {
        <Facts>
            <Fact label="When"><ExactTime at/>", "<TimeAgo at now/></Fact>
            <Fact label="Actor">{name}<a href=by_actor><code>{actor.id}</code></a></Fact>
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
        </Facts>
    }
}

fn code(label: &'static str, value: Option<String>) -> Option<impl IntoView> {
    value.map(|value| view! { <Fact label><code>{value}</code></Fact> })
}
