//! Reading the log.

use super::{Action, Event, EventView, Filter, Page, Place, queries};
use crate::{
    Actor, AppError, Ctx,
    ids::{EventId, WorkspaceId},
    operators,
    permissions::Permission,
};

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
    let filter = resolve(ctx, actor, filter).await?;
    page(ctx, actor.workspace, &filter, place, limit).await
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
    let filter = resolve_operator(ctx, filter).await?;
    page(ctx, WorkspaceId::PLATFORM, &filter, place, limit).await
}

async fn page(ctx: &Ctx, workspace: WorkspaceId, filter: &Filter, place: Place, limit: u32) -> Result<Page, AppError> {
    let limit = limit.clamp(1, LIMIT_MAX);
    let mut read = ctx.db.read_log(workspace).await?;
    // One more than asked for tells whether there is another page.
    let mut events = queries::page(read.conn(), workspace, filter, place, limit + 1).await?;
    let more = events.len() > limit as usize;
    events.truncate(limit as usize);
    if matches!(place, Place::Newer(_)) {
        events.reverse();
    }
    let first = events.first().map(|event| event.seq);
    let last = events.last().map(|event| event.seq);
    let (older, newer) = match place {
        Place::Top => (more.then_some(last), None),
        Place::Older(_) => (more.then_some(last), Some(first)),
        Place::Newer(_) => (Some(last), more.then_some(first)),
    };
    Ok(Page { events, older: older.flatten(), newer: newer.flatten() })
}

/// The newest events that are no routine. Nobody asked for them, so it is no search.
pub async fn notable(ctx: &Ctx, actor: &Actor, limit: u32) -> Result<Vec<EventView>, AppError> {
    ctx.authorise(actor, Permission::AuditRead, Action::PageViewed).await?;
    let actions = Action::ALL.iter().copied().filter(|action| !action.is_routine()).collect();
    let filter = Filter { actions, ..Filter::default() };
    let mut read = ctx.db.read_log(actor.workspace).await?;
    queries::page(read.conn(), actor.workspace, &filter, Place::Top, limit).await
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
    event
}

/// A member's mail address stands for their id.
pub(super) async fn resolve(ctx: &Ctx, actor: &Actor, filter: &Filter) -> Result<Filter, AppError> {
    let mut filter = filter.clone();
    if let Some(email) = filter.actor.as_deref().filter(|text| text.contains('@')) {
        let mut read = ctx.db.read(actor.workspace).await?;
        let user = crate::members::person_by_email(read.conn(), &email.to_lowercase()).await?;
        filter.actor = Some(user.map_or_else(|| email.to_owned(), |id| id.to_string()));
    }
    Ok(filter)
}

/// Likewise an operator's, who is nobody's member.
async fn resolve_operator(ctx: &Ctx, filter: &Filter) -> Result<Filter, AppError> {
    let mut filter = filter.clone();
    if let Some(email) = filter.actor.as_deref().map(str::to_lowercase).filter(|text| text.contains('@')) {
        let all = operators::operations::all(ctx.db.read(WorkspaceId::PLATFORM).await?.conn()).await?;
        let found = all.into_iter().find(|operator| operator.email == email);
        filter.actor = Some(found.map_or(email, |operator| operator.user.to_string()));
    }
    Ok(filter)
}
