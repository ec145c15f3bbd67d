//! Reading the log.

use super::{
    Action, Event, EventView, Facets, Filter, Page, Place, facets, queries,
    search::{self, Any, Criteria, Criterion, Known, look},
};
use crate::{
    Actor, AppError, Ctx,
    accounts::Factor,
    api_keys,
    ids::{EventId, WorkspaceId},
    members,
    operators::{self, OperatorView},
    permissions::Permission,
};
use sqlx::PgConnection;
use std::collections::HashSet;
use time::OffsetDateTime;

/// The longest page.
pub const LIMIT_MAX: u32 = 100;
/// The page when nothing is asked for.
pub const LIMIT_DEFAULT: u32 = 50;

/// One page of events, newest first. Looking for something is itself an event; `attempted` names it if refused.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit.read`.
pub async fn list(
    ctx: &Ctx,
    actor: &Actor,
    filter: &Filter,
    place: Place,
    limit: u32,
    attempted: Action,
) -> Result<Page, AppError> {
    ctx.authorise(actor, Permission::AuditRead, attempted).await?;
    if !filter.is_empty() {
        ctx.log_call(actor, searched(filter).under(Permission::AuditRead)).await?;
    }
    let criteria = criteria_in(ctx, actor.workspace, filter).await?;
    page(ctx, actor.workspace, &criteria, place, limit).await
}

/// One page of what happened on the platform, for operators, newest first. Looking for something is itself an event there.
pub async fn list_of_platform(
    ctx: &Ctx,
    actor: &Actor,
    filter: &Filter,
    place: Place,
    limit: u32,
) -> Result<Page, AppError> {
    ctx.authorise_operator(actor, Action::PageViewed).await?;
    if !filter.is_empty() {
        ctx.log_call(&actor.on_platform(), searched(filter)).await?;
    }
    let criteria = criteria_of_platform(ctx, filter).await?;
    page(ctx, WorkspaceId::PLATFORM, &criteria, place, limit).await
}

/// How many events of each actor, family of actions, outcome and source the filter finds, and when. Part of a search that
/// [`list`] has written down already.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit.read`.
pub async fn facets(ctx: &Ctx, actor: &Actor, filter: &Filter) -> Result<Facets, AppError> {
    ctx.authorise(actor, Permission::AuditRead, Action::PageViewed).await?;
    let criteria = criteria_in(ctx, actor.workspace, filter).await?;
    facets::count(ctx, actor.workspace, &criteria).await
}

/// The same of the platform, for operators.
pub async fn facets_of_platform(ctx: &Ctx, actor: &Actor, filter: &Filter) -> Result<Facets, AppError> {
    ctx.authorise_operator(actor, Action::PageViewed).await?;
    let criteria = criteria_of_platform(ctx, filter).await?;
    facets::count(ctx, WorkspaceId::PLATFORM, &criteria).await
}

async fn page(
    ctx: &Ctx,
    workspace: WorkspaceId,
    criteria: &Criteria,
    place: Place,
    limit: u32,
) -> Result<Page, AppError> {
    let limit = limit.clamp(1, LIMIT_MAX) as usize;
    // One more than asked for tells whether there is another page.
    let found = look(&ctx.db, workspace, criteria, place, limit as i64 + 1, search::PAGE).await?;
    let (mut events, searched_to) = (found.events, found.stopped_at);
    let more = events.len() > limit;
    events.truncate(limit);
    if matches!(place, Place::Newer(_)) {
        events.reverse();
    }
    let first = events.first().map(|event| event.seq);
    let last = events.last().map(|event| event.seq);
    // Where it stopped for want of time, it goes on.
    let onwards = |end: Option<i64>| if more { end } else { searched_to };
    let (older, newer) = match place {
        Place::Top => (onwards(last), None),
        Place::Older(_) => (onwards(last), first),
        Place::Newer(_) => (last, onwards(first)),
    };
    Ok(Page { events, older, newer, searched_to: searched_to.filter(|_| !more) })
}

/// How many new events are counted at most.
pub const NEWER_MAX: usize = 100;

/// How many events after this one the filter finds: at most [`NEWER_MAX`] and one, which means more. Asked again and again by
/// whoever watches the log, so it is no search of its own: [`watch`] has written that down.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit.read`.
pub async fn newer(ctx: &Ctx, actor: &Actor, filter: &Filter, after: i64) -> Result<usize, AppError> {
    ctx.authorise(actor, Permission::AuditRead, Action::PageViewed).await?;
    // Every second, so only who is here now is known by name.
    let known = if filter.names_somebody() { present(ctx, actor.workspace).await? } else { vec![] };
    let criteria = Criteria::of(filter, &known);
    let limit = NEWER_MAX as i64 + 1;
    let found = look(&ctx.db, actor.workspace, &criteria, Place::Newer(after), limit, search::PAGE).await?;
    Ok(found.events.len())
}

/// Begins to watch for new events. To look for something is an event, once.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit.read`.
pub async fn watch(ctx: &Ctx, actor: &Actor, filter: &Filter) -> Result<(), AppError> {
    ctx.authorise(actor, Permission::AuditRead, Action::PageViewed).await?;
    if filter.is_empty() {
        return Ok(());
    }
    ctx.log_call(actor, searched(filter).under(Permission::AuditRead)).await
}

/// The newest events that are no routine. Nobody asked for them, so it is no search.
pub async fn notable(ctx: &Ctx, actor: &Actor, limit: u32) -> Result<Vec<EventView>, AppError> {
    ctx.authorise(actor, Permission::AuditRead, Action::PageViewed).await?;
    let actions: Vec<&str> =
        Action::ALL.iter().filter(|action| !action.is_routine()).map(|action| action.as_str()).collect();
    let mut read = ctx.db.read_log(actor.workspace).await?;
    let newest = queries::newest_of(read.conn(), actor.workspace, &actions, limit.into()).await?;
    queries::by_seq(read.conn(), actor.workspace, &newest, true).await
}

/// The oldest event that is kept, and when it was. Part of a page that [`list`] has let somebody see.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit.read`.
pub async fn oldest(ctx: &Ctx, actor: &Actor) -> Result<Option<(i64, OffsetDateTime)>, AppError> {
    ctx.authorise(actor, Permission::AuditRead, Action::PageViewed).await?;
    first_kept(ctx.db.read_log(actor.workspace).await?.conn(), actor.workspace).await
}

/// The same for who has asked already.
pub(crate) async fn first_kept(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
) -> Result<Option<(i64, OffsetDateTime)>, AppError> {
    queries::first_from(conn, workspace, 1).await
}

/// Lets whoever may read the log pass, to what its pages lead to. That they look is no event, as little as a page is.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit.read`.
pub async fn may_look(ctx: &Ctx, actor: &Actor) -> Result<(), AppError> {
    ctx.authorise(actor, Permission::AuditRead, Action::PageViewed).await
}

/// One event.
///
/// # Errors
/// [`AppError::NotFound`] for an unknown id and for another workspace's alike.
pub async fn show(ctx: &Ctx, actor: &Actor, id: EventId, attempted: Action) -> Result<EventView, AppError> {
    ctx.authorise(actor, Permission::AuditRead, attempted).await?;
    let mut read = ctx.db.read_log(actor.workspace).await?;
    queries::find(read.conn(), actor.workspace, id).await?.ok_or(AppError::NotFound)
}

/// One event of the platform, for operators.
///
/// # Errors
/// [`AppError::NotFound`] for an unknown id and for a workspace's alike.
pub async fn show_of_platform(ctx: &Ctx, actor: &Actor, id: EventId) -> Result<EventView, AppError> {
    ctx.authorise_operator(actor, Action::PageViewed).await?;
    let mut read = ctx.db.read_log(WorkspaceId::PLATFORM).await?;
    queries::find(read.conn(), WorkspaceId::PLATFORM, id).await?.ok_or(AppError::NotFound)
}

/// What stands around an event.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// The event before it.
    pub previous: Option<EventId>,
    /// The event after it.
    pub next: Option<EventId>,
    /// The newest events with the same first target, the newest first; none when it has none.
    pub history: Vec<EventView>,
    /// By which factor its session was begun; none without a session, and when that is not in the log any more.
    pub factor: Option<Factor>,
}

/// How much of the history of a target stands on the page of an event.
const HISTORY: i64 = 10;

/// What stands around an event that [`show`] has given.
pub async fn around(ctx: &Ctx, actor: &Actor, event: &EventView) -> Result<Around, AppError> {
    ctx.authorise(actor, Permission::AuditRead, Action::PageViewed).await?;
    around_in(ctx, actor.workspace, event).await
}

/// The same of the platform, for operators.
pub async fn around_of_platform(ctx: &Ctx, actor: &Actor, event: &EventView) -> Result<Around, AppError> {
    ctx.authorise_operator(actor, Action::PageViewed).await?;
    around_in(ctx, WorkspaceId::PLATFORM, event).await
}

async fn around_in(ctx: &Ctx, workspace: WorkspaceId, event: &EventView) -> Result<Around, AppError> {
    let mut read = ctx.db.read_log(workspace).await?;
    let (before, after) = (event.seq - 1, event.seq + 1);
    let ids = queries::ids(read.conn(), workspace, &[before, after]).await?;
    drop(read);
    let id = |seq: i64| ids.iter().find(|(other, _)| *other == seq).map(|(_, id)| *id);
    let history = match event.targets.first() {
        None => vec![],
        Some(target) => {
            let criteria = Criteria::of_target(&target.id);
            look(&ctx.db, workspace, &criteria, Place::Top, HISTORY, search::PAGE).await?.events
        }
    };
    let factor = match &event.actor.session {
        None => None,
        Some(session) => factor(ctx, workspace, session, after).await?,
    };
    Ok(Around { previous: id(before), next: id(after), history, factor })
}

/// By which factor a session was begun, before this event.
async fn factor(ctx: &Ctx, workspace: WorkspaceId, session: &str, before: i64) -> Result<Option<Factor>, AppError> {
    let mut criteria = Criteria::of_target(session);
    criteria.all.push(Criterion { negated: false, any: Any::Actions(vec![Action::SessionStarted]) });
    let found = look(&ctx.db, workspace, &criteria, Place::Older(before), 1, search::PAGE).await?;
    let changes = found.events.into_iter().flat_map(|event| event.changes);
    let factor = changes.into_iter().find(|change| change.field == "factor");
    Ok(factor.and_then(|change| change.after.as_str()?.parse().ok()))
}

fn searched(filter: &Filter) -> Event {
    asking_for(Event::new(Action::AuditLogSearched), filter)
}

/// The event with what was asked for.
pub(super) fn asking_for(mut event: Event, filter: &Filter) -> Event {
    let actions: Vec<&str> = filter.actions.iter().map(|action| action.as_str()).collect();
    if let Some(actor) = &filter.actor {
        event = event.change("actor", None::<String>, actor.clone());
    }
    if !actions.is_empty() {
        event = event.change("action", None::<String>, actions);
    }
    if let Some(outcome) = filter.outcome {
        event = event.change("outcome", None::<String>, outcome.as_str());
    }
    for (field, time) in [("from", filter.from), ("to", filter.to)] {
        if let Some(time) = time {
            event = event.change(field, None::<String>, time.to_string());
        }
    }
    if !filter.query.terms.is_empty() {
        event = event.change("q", None::<String>, filter.query.to_string());
    }
    event
}

/// The most keys whose names are known to a search.
const KEYS_MAX: i64 = 1_000;

/// The filter with ids in place of names.
pub(super) async fn criteria_in(ctx: &Ctx, workspace: WorkspaceId, filter: &Filter) -> Result<Criteria, AppError> {
    if !filter.names_somebody() {
        return Ok(Criteria::of(filter, &[]));
    }
    let known = present(ctx, workspace).await?;
    with_others(ctx, workspace, filter, known).await
}

/// The members and the keys of a workspace.
async fn present(ctx: &Ctx, workspace: WorkspaceId) -> Result<Vec<Known>, AppError> {
    let mut read = ctx.db.read(workspace).await?;
    let people = members::people(read.conn()).await?.into_iter();
    let mut known: Vec<Known> =
        people.map(|(id, name, email)| Known { id: id.to_string(), name, email: Some(email) }).collect();
    let keys = api_keys::names(read.conn(), workspace, KEYS_MAX).await?.into_iter();
    known.extend(keys.map(|(id, name)| Known { id: id.to_string(), name, email: None }));
    Ok(known)
}

/// The filter with the ids of these, and of whoever else acted.
async fn with_others(
    ctx: &Ctx,
    workspace: WorkspaceId,
    filter: &Filter,
    mut known: Vec<Known>,
) -> Result<Criteria, AppError> {
    if filter.names_by_name() {
        known.extend(others(ctx, workspace, &known).await?);
    }
    Ok(Criteria::of(filter, &known))
}

/// The most of those who are nobody's members or keys now who are known by name, those whose ids are the youngest.
const OTHERS_MAX: usize = 1_000;

/// Whoever else acted, under the name that they did it with last: who has left, an operator, somebody who was never a member. What
/// they did stands in the log, which offers their names to searches. None of them has an address there.
async fn others(ctx: &Ctx, workspace: WorkspaceId, known: &[Known]) -> Result<Vec<Known>, AppError> {
    let ids: HashSet<&str> = known.iter().map(|one| one.id.as_str()).collect();
    let mut read = ctx.db.read_log(workspace).await?;
    let actors = queries::actors(read.conn(), workspace, ids.len() + OTHERS_MAX).await?;
    let others: Vec<String> = actors.into_iter().filter(|id| !ids.contains(id.as_str())).collect();
    let named = queries::last_names(read.conn(), workspace, &others).await?;
    Ok(named.into_iter().map(|(id, name)| Known { id, name, email: None }).collect())
}

/// Likewise, of operators, who are nobody's members.
async fn criteria_of_platform(ctx: &Ctx, filter: &Filter) -> Result<Criteria, AppError> {
    if !filter.names_somebody() {
        return Ok(Criteria::of(filter, &[]));
    }
    let all = operators::operations::all(ctx.db.read(WorkspaceId::PLATFORM).await?.conn()).await?.into_iter();
    let known = |one: OperatorView| Known { id: one.user.to_string(), name: one.name, email: Some(one.email) };
    with_others(ctx, WorkspaceId::PLATFORM, filter, all.map(known).collect()).await
}
