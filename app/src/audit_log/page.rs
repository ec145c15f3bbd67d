//! The list of events: what is asked for, what was found, and counts of it.

pub use super::sentence::{kind, what, who};
use super::{
    facets::{actors_of, counts, over_time},
    proof::proven,
    search::{self, Asked},
    sentence::MEMBER,
    tail::watching,
    views,
};
use crate::{
    page::{Inside, page},
    ui::{
        Badge, ButtonKind, ButtonLink, Column, Empty, NoMatch, PageHeader, Pager, Status as Look, Table, Tag, TimeAgo,
        Times, count, date,
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use send0_core::{
    AppError,
    audit_log::{Action, EventView, Facets, Outcome, Page, Place, operations, views as saved},
    ids::EventId,
    permissions::Permission,
    retention::{self, Retention},
    sealing,
};
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
    /// Where the list of everything is.
    pub all: String,
    /// Where new events are counted as they come.
    pub tail: Option<String>,
    /// Where the pages of API keys are, for who may see them.
    pub keys: Option<String>,
    /// The time of the page.
    pub now: OffsetDateTime,
}

/// `/w/{slug}/audit-log`. Every state of the filter is a URL.
#[component]
pub fn Log() -> impl IntoView {
    let query = use_query_map().get_untracked();
    page("Audit log", "audit-log", |inside| async move {
        let (ctx, actor, limit) = (&inside.visit.ctx, &inside.actor, operations::LIMIT_DEFAULT);
        let asked = Asked::of(&query)?;
        let saved = saved::list(ctx, actor, Action::PageViewed).await?;
        let log = Shown { all: views::everything(&inside.path("audit-log"), &saved), ..of_workspace(&inside) };
        if let Some(opening) = views::opening(&log.base, &asked, &saved) {
            leptos_axum::redirect(&opening);
            return Ok(().into_any());
        }
        let counting = operations::facets(ctx, actor, &asked.filter);
        let finding = async {
            let found = operations::list(ctx, actor, &asked.filter, asked.place, limit, Action::PageViewed).await?;
            let proof = proof_of(&inside, &found.events, None).await?;
            Ok((found, proof))
        };
        // Whoever may not look was refused before, once.
        let ((found, proof), facets, kept) = futures::try_join!(finding, counting, kept(&inside))?;
        let export = inside.path(&format!("audit-log/exports{}", query.to_query_string()));
        // What is not read as it was meant would export more than was meant.
        let export = (actor.may(Permission::AuditExport) && asked.is_readable()).then(|| {
            view! { <p class="actions"><ButtonLink href=export kind=ButtonKind::Quiet>"Export"</ButtonLink></p> }
        });
        let above = views::above(&inside, &log.base, &asked, &saved).into_any();
        Ok(view! { {log_page(&log, asked, found, facets, above, kept)} {export} {proof} }.into_any())
    })
}

/// How far the log is proven, with what is shown of it looked at now. `one`: the event whose page it is.
pub(super) async fn proof_of(inside: &Inside, events: &[EventView], one: Option<EventId>) -> Result<AnyView, AppError> {
    let shown: Vec<i64> = events.iter().map(|event| event.seq).collect();
    let standing = sealing::operations::standing(&inside.visit.ctx, &inside.actor, &shown).await?;
    Ok(proven(Some(&inside.path("audit-log")), one, inside.now, standing))
}

/// How long the log is kept, and how far back it goes.
async fn kept(inside: &Inside) -> Result<String, AppError> {
    let (ctx, actor) = (&inside.visit.ctx, &inside.actor);
    let (retention, oldest) = futures::try_join!(
        retention::operations::find(ctx, actor, Action::PageViewed),
        operations::oldest(ctx, actor),
    )?;
    Ok(kept_for(&retention, oldest))
}

/// The same in words.
pub fn kept_for(retention: &Retention, oldest: Option<(i64, OffsetDateTime)>) -> String {
    let days = count(retention.audit_days.into());
    let held = if retention.legal_holds.is_empty() { "" } else { ", and everything while there is a legal hold" };
    let oldest = oldest.map(|(seq, at)| format!(". The oldest event is #{seq}, of {}", date(at)));
    format!("Kept {days} days{held}{}", oldest.unwrap_or_default())
}

pub(super) fn of_workspace(inside: &Inside) -> Shown {
    Shown {
        title: "Audit log",
        about: "Everything that was done or tried in this workspace.",
        raw: "As the API gives it",
        base: inside.path("audit-log"),
        all: inside.path("audit-log"),
        tail: Some(inside.path("audit-log/tail")),
        keys: inside.actor.may(Permission::KeysRead).then(|| inside.path("api-keys")),
        now: inside.now,
    }
}

/// The list with its search, its counts and when it all was; above it, what only some logs have, and below it, how long it is kept.
pub fn log_page(
    log: &Shown,
    asked: Asked,
    found: Page,
    facets: Facets,
    above: AnyView,
    kept: String,
) -> impl IntoView + use<> {
    let subtitle = summary(log, &found, &asked);
    let (wrong, searching) = (asked.misread(), search::form(log, &asked, &actors_of(&facets)));
    let (bars, counts) = (over_time(&log.base, &asked, &facets), counts(&log.base, &asked, &facets));
    let watching = watching(log, &asked, &found);
    let list = list(log, &asked, found, kept);
    view! {
        <PageHeader title=log.title subtitle/>
        {wrong}
        {above}
        {searching}
        {bars}
        <p class="to-counts meta"><a href="#counts">"Counts of these events"</a></p>
        <div class="beside">
            <div>{watching} {list}</div>
            {counts}
        </div>
        <Times/>
    }
}

fn list(log: &Shown, asked: &Asked, found: Page, kept: String) -> AnyView {
    let base = log.base.clone();
    let newer = found.newer.map(|seq| asked.link(&base, &[("newer", &seq.to_string())]));
    let older = found.older.map(|seq| asked.link(&base, &[("older", &seq.to_string())]));
    let stopped = found.searched_to.map(|seq| stopped(seq, asked.place, newer.as_ref(), older.as_ref()));
    let content = match (found.events.is_empty(), asked.filter.is_empty()) {
        (false, _) => events_table(&base, log.now, found.events).into_any(),
        (true, _) if stopped.is_some() => ().into_any(),
        (true, false) => view! { <NoMatch what="events" clear=log.all.clone()/> }.into_any(),
        (true, true) => {
            view! { <Empty title="No events here" text="Every API call, change and refusal will be listed here."/> }
                .into_any()
        }
    };
    view! { {content} {stopped} <Pager newer older note=kept/> }.into_any()
}

/// What was not looked at for want of time, and the way to go on.
fn stopped(seq: i64, place: Place, newer: Option<&String>, older: Option<&String>) -> impl IntoView + use<> {
    let (how_far, on) = match place {
        Place::Newer(_) => (format!("Searched up to #{seq}; what is newer was not looked at yet. "), newer),
        _ => (format!("Searched back to #{seq}; what is older was not looked at yet. "), older),
    };
    let on = on.cloned().map(|href| view! { <a href=href>"Search further"</a> });
    view! { <p class="stopped" role="status">{how_far}{on}</p> }
}

fn summary(log: &Shown, found: &Page, asked: &Asked) -> String {
    let is_whole = asked.place == Place::Top && found.older.is_none();
    numbers(&found.events, !asked.filter.is_empty(), is_whole).unwrap_or_else(|| log.about.into())
}

/// Which events are shown, the newest first. Whether any is missing can be told where nothing is filtered out. Nothing of no events.
pub fn numbers(events: &[EventView], is_filtered: bool, is_whole: bool) -> Option<String> {
    let (newest, oldest) = (events.first()?.seq, events.last()?.seq);
    let shown = format!("#{newest} to #{oldest}, the newest first.");
    Some(match missing(events) {
        _ if is_filtered => shown,
        Some(seq) => format!("{shown} Events are missing: the first of them is #{seq}."),
        None if is_whole => format!("{} events, without a gap from #{oldest} to #{newest}.", events.len()),
        None => shown,
    })
}

/// The first number between those shown that no event has.
fn missing(events: &[EventView]) -> Option<i64> {
    let oldest = events.last()?.seq;
    let (_, number) = events.iter().rev().zip(oldest..).find(|(event, number)| event.seq != *number)?;
    Some(number)
}

/// Events as rows that read as sentences.
pub fn events_table(base: &str, now: OffsetDateTime, events: Vec<EventView>) -> impl IntoView + use<> {
    let head = vec![
        Column::number("#"),
        Column::text("Event"),
        Column::text("By"),
        Column::text("Outcome"),
        Column::text("Address"),
        Column::text("When"),
    ];
    let rows = events.into_iter().map(|event| row(base, now, event)).collect_view();
    view! { <Table caption="Audit events" head>{rows}</Table> }
}

fn row(base: &str, now: OffsetDateTime, event: EventView) -> impl IntoView + use<> {
    // Said only of who is no member: of the others there are most.
    let by = Some(kind(&event.actor)).filter(|kind| *kind != MEMBER).map(|word| view! { <Tag word/> });
    view! {
        <tr>
            <td class="num" data-label="#">{event.seq}</td>
            <th scope="row">
                <a href=format!("{base}/{}", event.id)>{format!("{} {}", who(&event), what(&event))}</a>
            </th>
            <td data-label="By">{by}</td>
            <td data-label="Outcome">{badge(event.outcome)}</td>
            <td data-label="Address"><code>{event.request.address.clone().unwrap_or_else(|| "local".into())}</code></td>
            <td data-label="When" class="sm:whitespace-nowrap"><TimeAgo at=event.time now/></td>
        </tr>
    }
}

pub(super) fn badge(outcome: Outcome) -> impl IntoView {
    let look = match outcome {
        Outcome::Success => Look::Neutral,
        Outcome::Denied => Look::Warn,
        Outcome::Failed => Look::Danger,
    };
    view! { <Badge status=look word=outcome.as_str()/> }
}
