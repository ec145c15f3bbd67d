//! Looking at the lists, drafting, trying out, saving, confirming, and the way back.
//!
//! Nothing counts before it is saved, and what is saved goes back by itself unless somebody whom it lets in says that it
//! may stay. Whoever edits cannot shut out themselves, nor every owner.

use super::{
    Allowlist, CONFIRM_WITHIN, Door, LOOK_BACK, NewEntry, Replay, Rules, Somebody, State, Verdict, parse_days, queries,
    replay,
};
use crate::{
    Actor, AppError, Ctx, api_keys,
    audit_log::{Action, Event},
    database::WorkspaceTx,
    ids::{AllowlistEntryId, WorkspaceId},
    intent::Intent,
    members,
    permissions::{Permission, Role},
};
use serde_json::Value;
use sqlx::PgConnection;
use std::net::IpAddr;
use time::{Duration, OffsetDateTime};

/// The most requests that a dry run looks at, the newest first.
const REPLAYED_MAX: i64 = 100_000;

/// Both lists.
pub async fn show(ctx: &Ctx, actor: &Actor, attempted: Action) -> Result<[Allowlist; 2], AppError> {
    ctx.authorise(actor, Permission::AllowlistRead, attempted).await?;
    let (mut read, now) = (ctx.db.read(actor.workspace).await?, ctx.clock.now());
    let [dashboard, api] = Door::ALL;
    Ok([
        queries::find(read.conn(), actor.workspace, dashboard, now).await?,
        queries::find(read.conn(), actor.workspace, api, now).await?,
    ])
}

/// One list, for whoever may change it.
pub async fn draft(ctx: &Ctx, actor: &Actor, door: Door, attempted: Action) -> Result<Allowlist, AppError> {
    ctx.authorise(actor, Permission::AllowlistUpdate, attempted).await?;
    let mut read = ctx.db.read(actor.workspace).await?;
    queries::find(read.conn(), actor.workspace, door, ctx.clock.now()).await
}

/// A draft, and what it would have done.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The list with its draft.
    pub list: Allowlist,
    /// Who would still get in, and who would not.
    pub replay: Replay,
    /// From when on requests were looked at.
    pub since: OffsetDateTime,
    /// Whether there were too many to look at all of the last 30 days.
    pub is_cut: bool,
    /// Why it cannot be saved.
    pub refusal: Option<String>,
}

/// Plays the draft against the requests of the last 30 days.
pub async fn preview(ctx: &Ctx, actor: &Actor, door: Door, attempted: Action) -> Result<Preview, AppError> {
    let list = draft(ctx, actor, door, attempted).await?;
    let now = ctx.clock.now();
    let mut log = ctx.db.read_log(actor.workspace).await?;
    let (usage, cut) = queries::usage(log.conn(), actor.workspace, door, now - LOOK_BACK, REPLAYED_MAX).await?;
    drop(log);
    let mut read = ctx.db.read(actor.workspace).await?;
    let people = somebody(read.conn(), actor.workspace, door, now).await?;
    let refusal = lock_out(ctx, actor, &list, read.conn()).await?;
    let replay = replay(&list.draft, people, usage, now);
    Ok(Preview { list, replay, since: cut.unwrap_or(now - LOOK_BACK), is_cut: cut.is_some(), refusal })
}

/// Everybody who could come through a door today.
async fn somebody(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    door: Door,
    now: OffsetDateTime,
) -> Result<Vec<Somebody>, AppError> {
    Ok(match door {
        Door::Dashboard => {
            let members = members::everybody(conn, workspace).await?.into_iter();
            members.map(|(id, name, _)| Somebody { id: id.to_string(), name }).collect()
        }
        Door::Api => {
            let keys = api_keys::active(conn, workspace, now).await?.into_iter();
            keys.map(|(id, name)| Somebody { id: id.to_string(), name }).collect()
        }
    })
}

/// Adds an entry to the draft. Gives its id.
///
/// # Errors
/// [`AppError::Conflict`] when somebody else changed the list meanwhile; [`AppError::Invalid`] when it is full or has the
/// network already.
pub async fn add(
    ctx: &Ctx,
    actor: &Actor,
    door: Door,
    version: &str,
    new: NewEntry,
) -> Result<AllowlistEntryId, AppError> {
    let (mut tx, _) = edit(ctx, actor, door, version, Action::AllowlistDrafted).await?;
    if !queries::has_room(tx.conn(), actor.workspace, door).await? {
        return Err(AppError::field("cidr", "full", "A list has at most 1 000 entries. Write some as one network."));
    }
    let now = ctx.clock.now();
    let id = queries::insert(tx.conn(), actor.workspace, door, &new, new.expires_at(now), now).await?;
    let event = about(Action::AllowlistDrafted, door)
        .on("allowlist_entry", id, Some(&new.network.to_string()))
        .change("cidr", None::<String>, new.network.to_string())
        .change("note", None::<String>, new.note)
        .change("lifetime", None::<String>, new.lifetime);
    finish(tx, actor, door, event).await?;
    Ok(id)
}

/// Writes an entry of the draft anew. What is in force keeps the old one until the draft is saved. `keeps_expiry`: it stops
/// when it did before, whatever `new` says.
///
/// # Errors
/// As [`add`]; [`AppError::NotFound`] for what is not in the draft.
pub async fn change(
    ctx: &Ctx,
    actor: &Actor,
    door: Door,
    version: &str,
    id: AllowlistEntryId,
    new: NewEntry,
    keeps_expiry: bool,
) -> Result<(), AppError> {
    let (mut tx, list) = edit(ctx, actor, door, version, Action::AllowlistDrafted).await?;
    let before = list.draft.entries.iter().find(|entry| entry.id == id).ok_or(AppError::NotFound)?;
    let now = ctx.clock.now();
    let expires_at = if keeps_expiry { before.expires_at } else { new.expires_at(now) };
    queries::take_out(tx.conn(), actor.workspace, door, id).await?;
    let id = queries::insert(tx.conn(), actor.workspace, door, &new, expires_at, now).await?;
    let network = new.network.to_string();
    let event = about(Action::AllowlistDrafted, door)
        .on("allowlist_entry", id, Some(&network))
        .change("cidr", before.network.to_string(), network.as_str())
        .change("note", before.note.as_str(), new.note.as_str())
        .change("expires_at", time(before.expires_at), time(expires_at));
    finish(tx, actor, door, event).await
}

/// Takes an entry out of the draft.
///
/// # Errors
/// [`AppError::NotFound`] for what is not in it; [`AppError::Conflict`] when somebody else changed the list meanwhile.
pub async fn remove(ctx: &Ctx, actor: &Actor, door: Door, version: &str, id: AllowlistEntryId) -> Result<(), AppError> {
    let (mut tx, list) = edit(ctx, actor, door, version, Action::AllowlistDrafted).await?;
    let entry = list.draft.entries.iter().find(|entry| entry.id == id).ok_or(AppError::NotFound)?;
    queries::take_out(tx.conn(), actor.workspace, door, id).await?;
    let event = about(Action::AllowlistDrafted, door)
        .on("allowlist_entry", id, Some(&entry.network.to_string()))
        .change("cidr", entry.network.to_string(), None::<String>);
    finish(tx, actor, door, event).await
}

/// Lets the draft only report for so many days; none: it is enforced.
///
/// # Errors
/// [`AppError::Conflict`] when somebody else changed the list meanwhile.
pub async fn set_reporting(ctx: &Ctx, actor: &Actor, door: Door, version: &str, days: &str) -> Result<(), AppError> {
    let (mut tx, list) = edit(ctx, actor, door, version, Action::AllowlistDrafted).await?;
    let days = parse_days("days", days)?;
    let decide_by = days.map(|days| ctx.clock.now() + Duration::days(days.into()));
    queries::set_reporting(tx.conn(), actor.workspace, door, decide_by).await?;
    let event = about(Action::AllowlistDrafted, door).change("decide_by", time(list.draft.decide_by), time(decide_by));
    finish(tx, actor, door, event).await
}

/// Forgets the draft.
///
/// # Errors
/// [`AppError::Conflict`] when somebody else changed the list meanwhile.
pub async fn discard(ctx: &Ctx, actor: &Actor, door: Door, version: &str) -> Result<(), AppError> {
    let (mut tx, list) = edit(ctx, actor, door, version, Action::AllowlistDrafted).await?;
    queries::discard(tx.conn(), actor.workspace, door).await?;
    let event = compared(about(Action::AllowlistDrafted, door), &list.draft, &list.in_force);
    finish(tx, actor, door, event).await
}

/// Makes the draft count, for somebody who showed a moment ago that it is them. Gives the time at which it goes back unless somebody confirms it.
///
/// # Errors
/// [`AppError::Conflict`] when it would shut out whoever saves it or every owner, when nothing would change, and when
/// somebody else changed the list meanwhile.
pub async fn save(ctx: &Ctx, actor: &Actor, door: Door, version: &str) -> Result<OffsetDateTime, AppError> {
    let (mut tx, list) = edit(ctx, actor, door, version, Action::AllowlistChanged).await?;
    ctx.demand_proof(actor, about(Action::AllowlistChanged, door), intent_to_save(actor, &list)).await?;
    if !list.is_drafted() {
        return Err(AppError::Conflict("The draft is what is in force already.".into()));
    }
    let event = compared(about(Action::AllowlistChanged, door), &list.in_force, &list.draft);
    if let Some(refusal) = lock_out(ctx, actor, &list, tx.conn()).await? {
        return ctx.refuse(actor, event, "would_lock_out", AppError::Conflict(refusal)).await;
    }
    let reverts_at = ctx.clock.now() + CONFIRM_WITHIN;
    queries::save(tx.conn(), actor.workspace, door, list.reverts_at.is_some(), reverts_at).await?;
    finish(tx, actor, door, event).await?;
    Ok(reverts_at)
}

fn intent_to_save(actor: &Actor, list: &Allowlist) -> Intent {
    let draft = &list.draft;
    let all = networks(draft).join(", ");
    let words = match draft.state() {
        State::Off => format!("Let in everybody at {}", list.door.name()),
        State::Enforced => format!("Let in nobody at {} but {all}", list.door.name()),
        _ => format!("Report at {} whoever is not in {all}", list.door.name()),
    };
    Intent::new(actor.workspace, words, (list.version, networks(draft), time(draft.decide_by)))
}

/// Lets a saved change stay.
///
/// # Errors
/// [`AppError::Conflict`] when nothing waits, also because it has gone back by itself, and when the list does not let in
/// whoever confirms it.
pub async fn confirm(ctx: &Ctx, actor: &Actor, door: Door, version: &str) -> Result<(), AppError> {
    let (mut tx, list) = edit(ctx, actor, door, version, Action::AllowlistConfirmed).await?;
    waiting(&list)?;
    let event = about(Action::AllowlistConfirmed, door);
    let address = address_of(actor);
    if door == Door::Dashboard && list.in_force.verdict(address, ctx.clock.now()) == Verdict::Blocked {
        return ctx.refuse(actor, event, "would_lock_out", AppError::Conflict(shuts_out(actor))).await;
    }
    queries::settle(tx.conn(), actor.workspace, door, true).await?;
    finish(tx, actor, door, event).await
}

/// Takes a saved change back before it does so by itself.
///
/// # Errors
/// [`AppError::Conflict`] when nothing waits.
pub async fn undo(ctx: &Ctx, actor: &Actor, door: Door, version: &str) -> Result<(), AppError> {
    let (mut tx, list) = edit(ctx, actor, door, version, Action::AllowlistReverted).await?;
    waiting(&list)?;
    let event = go_back(&mut tx, actor, &list, ctx.clock.now()).await?;
    finish(tx, actor, door, event).await
}

fn waiting(list: &Allowlist) -> Result<(), AppError> {
    let nothing =
        || AppError::Conflict("No change waits: it was confirmed, or it has gone back to what was before.".into());
    list.reverts_at.map(drop).ok_or_else(nothing)
}

/// Takes back every change that nobody has confirmed in time. They have counted for nothing since then; this makes it so
/// in the tables and in the log.
pub async fn revert_overdue(ctx: &Ctx) -> Result<(), AppError> {
    for (workspace, door) in queries::overdue(&ctx.db.worker, ctx.clock.now()).await? {
        revert(ctx, workspace, door).await?;
    }
    Ok(())
}

async fn revert(ctx: &Ctx, workspace: WorkspaceId, door: Door) -> Result<(), AppError> {
    let actor = Actor::jobs(workspace, "allowlist");
    let (mut tx, now) = (ctx.db.change(&actor).await?, ctx.clock.now());
    if !queries::lock_overdue(tx.conn(), workspace, door, now).await? {
        return Ok(());
    }
    // As it stood before it was overdue, so that the event tells what went.
    let list = queries::find(tx.conn(), workspace, door, OffsetDateTime::UNIX_EPOCH).await?;
    let event = go_back(&mut tx, &actor, &list, now).await?;
    finish(tx, &actor, door, event).await
}

async fn go_back(
    tx: &mut WorkspaceTx,
    actor: &Actor,
    list: &Allowlist,
    now: OffsetDateTime,
) -> Result<Event, AppError> {
    queries::settle(tx.conn(), actor.workspace, list.door, false).await?;
    let before = queries::find(tx.conn(), actor.workspace, list.door, now).await?.in_force;
    Ok(compared(about(Action::AllowlistReverted, list.door), &list.in_force, &before))
}

/// The way back in, for whoever runs the server: lets everybody in, at both doors. Gives the doors that had a list. The
/// entries stay as a draft.
pub async fn disable(ctx: &Ctx, actor: &Actor) -> Result<Vec<Door>, AppError> {
    ctx.authorise(actor, Permission::AllowlistUpdate, Action::AllowlistDisabled).await?;
    let mut disabled = vec![];
    for door in Door::ALL {
        let mut tx = ctx.db.change(actor).await?;
        queries::lock(tx.conn(), actor.workspace, door).await?;
        let list = queries::find(tx.conn(), actor.workspace, door, ctx.clock.now()).await?;
        if list.in_force.state() == State::Off && list.reverts_at.is_none() {
            continue;
        }
        queries::switch_off(tx.conn(), actor.workspace, door).await?;
        let event = compared(about(Action::AllowlistDisabled, door), &list.in_force, &Rules::default());
        finish(tx, actor, door, event).await?;
        disabled.push(door);
    }
    Ok(disabled)
}

/// The list under its lock, as whoever edits has seen it, by somebody who may still change it.
async fn edit(
    ctx: &Ctx,
    actor: &Actor,
    door: Door,
    version: &str,
    action: Action,
) -> Result<(WorkspaceTx, Allowlist), AppError> {
    let permission = Permission::AllowlistUpdate;
    ctx.authorise(actor, permission, action).await?;
    revert(ctx, actor.workspace, door).await?;
    let mut tx = ctx.db.change(actor).await?;
    members::operations::present_role(ctx, actor, &mut tx, permission, action).await?;
    queries::lock(tx.conn(), actor.workspace, door).await?;
    let list = queries::find(tx.conn(), actor.workspace, door, ctx.clock.now()).await?;
    if version.parse() != Ok(list.version) {
        let text =
            "The list was changed while this page was open. Here it is as it stands now; look at it, then do it again.";
        return Err(AppError::Conflict(text.into()));
    }
    Ok((tx, list))
}

async fn finish(mut tx: WorkspaceTx, actor: &Actor, door: Door, event: Event) -> Result<(), AppError> {
    queries::touch(tx.conn(), actor.workspace, door).await?;
    tx.commit(event).await
}

/// Why the draft cannot be saved: it would shut out whoever saves it, or every owner as far as can be known, or it would
/// end by itself.
async fn lock_out(
    ctx: &Ctx,
    actor: &Actor,
    list: &Allowlist,
    conn: &mut PgConnection,
) -> Result<Option<String>, AppError> {
    let (draft, lasting) = (&list.draft, list.draft.lasting());
    if draft.state() != State::Off && lasting.state() == State::Off {
        return Ok(Some("Every entry expires. One has to stay, or the list would end by itself.".into()));
    }
    if list.door == Door::Api || draft.state() != State::Enforced {
        return Ok(None);
    }
    let now = ctx.clock.now();
    if actor.user().is_some() && draft.verdict(address_of(actor), now) == Verdict::Blocked {
        return Ok(Some(shuts_out(actor)));
    }
    let everybody = members::everybody(conn, actor.workspace).await?.into_iter();
    let owners = everybody.filter(|(_, _, role)| *role == Role::Owner).map(|(id, ..)| id.to_string()).collect();
    let addresses = came_from(ctx, actor.workspace, owners, now).await?;
    let gets_in = |address: &String| address.parse().is_ok_and(|address| lasting.naming(address, now).is_some());
    Ok((!addresses.iter().any(gets_in)).then(|| {
        "This would shut out every owner: none of the addresses that an owner came from in the last 30 days is in an \
         entry that stays."
            .into()
    }))
}

fn shuts_out(actor: &Actor) -> String {
    let address = actor.request.address.as_deref().unwrap_or("an unknown address");
    format!(
        "This would shut you out: you come from {address}, which is in no entry. Add it, or have somebody else save it."
    )
}

fn address_of(actor: &Actor) -> Option<IpAddr> {
    actor.request.address.as_deref().and_then(|address| address.parse().ok())
}

async fn came_from(
    ctx: &Ctx,
    workspace: WorkspaceId,
    people: Vec<String>,
    now: OffsetDateTime,
) -> Result<Vec<String>, AppError> {
    let mut log = ctx.db.read_log(workspace).await?;
    queries::addresses_of(log.conn(), workspace, &people, now - LOOK_BACK).await
}

fn about(action: Action, door: Door) -> Event {
    Event::new(action).under(Permission::AllowlistUpdate).on("allowlist", door.as_str(), Some(door.name()))
}

fn compared(event: Event, before: &Rules, after: &Rules) -> Event {
    event.change("entries", networks(before), networks(after)).change(
        "decide_by",
        time(before.decide_by),
        time(after.decide_by),
    )
}

fn networks(rules: &Rules) -> Vec<String> {
    rules.entries.iter().map(|entry| entry.network.to_string()).collect()
}

fn time(at: Option<OffsetDateTime>) -> Value {
    at.and_then(|at| at.format(&time::format_description::well_known::Rfc3339).ok()).into()
}
