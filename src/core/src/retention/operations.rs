//! What a workspace keeps, and changing it.

use super::{GRACE, LegalHold, Preview, Pruned, Retention, Waiting, queries};
use crate::{
    Actor, AppError, Ctx,
    audit_log::{Action, Event},
    contacts::NoticeKind,
    database::WorkspaceTx,
    ids::WorkspaceId,
    intent::Intent,
    mail::notices,
    members::operations::present_role,
    permissions::Permission,
    plans::{self, Plan},
    sealing::TILE,
};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Shown {
    /// How long the log is kept.
    pub retention: Retention,
    /// The first event that is kept, and when it was.
    pub oldest: Option<(i64, OffsetDateTime)>,
    /// What each choice would mean today.
    pub previews: Vec<Preview>,
    /// What was removed so far.
    pub pruned: Vec<Pruned>,
    /// Every legal hold there was, those that still hold first.
    pub holds: Vec<LegalHold>,
}

/// How long the log is kept, for programs.
///
/// # Errors
/// [`AppError::Forbidden`] without `retention.read`.
pub async fn find(ctx: &Ctx, actor: &Actor, attempted: Action) -> Result<Retention, AppError> {
    ctx.authorise(actor, Permission::RetentionRead, attempted).await?;
    of(ctx, actor.workspace).await
}

pub(crate) async fn of(ctx: &Ctx, workspace: WorkspaceId) -> Result<Retention, AppError> {
    queries::find(ctx.db.read(workspace).await?.conn(), workspace, ctx.clock.now()).await
}

/// How long the log is kept, what was removed, and what each choice would remove.
///
/// # Errors
/// [`AppError::Forbidden`] without `retention.read`.
pub async fn show(ctx: &Ctx, actor: &Actor) -> Result<Shown, AppError> {
    let retention = find(ctx, actor, Action::PageViewed).await?;
    let (workspace, now) = (actor.workspace, ctx.clock.now());
    let mut read = ctx.db.read_log(workspace).await?;
    let mut previews = vec![];
    for days in retention.choices() {
        let (first, since) = queries::bounds(read.conn(), workspace, cutoff(now, days)).await?;
        previews.push(Preview { days, events: (tile_start(since) - first).max(0) });
    }
    let (first, _) = queries::bounds(read.conn(), workspace, now).await?;
    let oldest = queries::time_of(read.conn(), workspace, first).await?.map(|at| (first, at));
    let pruned = queries::pruned(read.conn(), workspace).await?;
    let holds = queries::holds(ctx.db.read(workspace).await?.conn(), workspace).await?;
    Ok(Shown { retention, oldest, previews, pruned, holds })
}

/// What is older than this may go.
pub(super) fn cutoff(now: OffsetDateTime, days: u32) -> OffsetDateTime {
    now - Duration::days(days.into())
}

/// Whole tiles go, and no part of one: where the tile begins that this event is in.
pub(super) fn tile_start(seq: i64) -> i64 {
    let tile = TILE.cast_signed();
    (seq - 1).div_euclid(tile) * tile + 1
}

/// Keeps the log for another time. A longer one counts at once; a shorter one waits a week, and whoever wants it says so by
/// typing the workspace's name in URLs.
///
/// # Errors
/// [`AppError::Invalid`] naming the field; [`AppError::ProofNeeded`]; [`AppError::Conflict`] while a shorter time of the plan waits.
pub async fn change(ctx: &Ctx, actor: &Actor, slug: &str, days: &str, confirm: &str) -> Result<Retention, AppError> {
    let (permission, action) = (Permission::RetentionUpdate, Action::RetentionChanged);
    ctx.authorise(actor, permission, action).await?;
    let before = of(ctx, actor.workspace).await?;
    let days = days.parse().ok().filter(|days| before.choices().any(|choice| choice == *days));
    let days = days
        .ok_or_else(|| AppError::field("audit_days", "not_offered", "One of the times that your plan comes with."))?;
    if days == before.audit_days && before.waiting.is_none() {
        return Ok(before);
    }
    if let Some(waiting) = before.waiting.filter(|_| before.is_beyond_plan()) {
        let text = format!(
            "It is about to be shortened to {} days, on {}. Another time can be chosen after that.",
            waiting.audit_days,
            waiting.until.date()
        );
        return Err(AppError::Conflict(text));
    }
    if days < before.audit_days && confirm.trim() != slug {
        let text = format!("Type {slug} to say that events older than {days} days may be removed.");
        return Err(AppError::field("confirm", "not_confirmed", text));
    }
    let words = format!("Keep the audit log for {days} days instead of {}", before.audit_days);
    ctx.demand_proof(actor, Event::new(action).under(permission), Intent::new(actor.workspace, words, days)).await?;
    let now = ctx.clock.now();
    let new = match days < before.audit_days {
        true => Retention { waiting: Some(Waiting { audit_days: days, until: now + GRACE }), ..before.clone() },
        false => Retention { audit_days: days, waiting: None, ..before.clone() },
    };
    let (subject, text) = ("how long the audit log is kept was changed", letter(actor, &new));
    let notice = notices::security_notice(ctx, actor.workspace, NoticeKind::Policies, subject, &text).await?;
    let mut tx = ctx.db.change(actor).await?;
    present_role(ctx, actor, &mut tx, permission, action).await?;
    if locked(ctx, &mut tx, actor.workspace).await?.times() != before.times() {
        return Err(AppError::Conflict("Somebody else has changed it meanwhile. Look at it again.".into()));
    }
    queries::set(tx.conn(), actor.workspace, &new).await?;
    notice.put(tx.conn()).await?;
    let event = Event::new(action).under(permission).change("audit_days", before.audit_days, days);
    tx.commit(event).await.map(|()| new)
}

fn letter(actor: &Actor, new: &Retention) -> String {
    let who = notices::who(actor);
    match new.waiting {
        Some(waiting) => format!(
            "{who} shortened how long the audit log is kept, from {} to {} days. Nothing is removed before {}; until then it can be \
             called off.",
            new.audit_days,
            waiting.audit_days,
            waiting.until.date(),
        ),
        None => format!("{who} keeps the audit log for {} days from now on.", new.audit_days),
    }
}

/// What another plan makes of the time that the log is kept for.
pub(crate) struct Followed {
    /// What counted, or was to count, before and after, in days.
    pub days: (u32, u32),
    /// The shorter time that waits now.
    pub waiting: Option<Waiting>,
}

/// Puts the log under another plan, within the change that does so and before it, with the plan locked. What the new one does not come
/// with waits a week, like a shorter time that somebody chose; whoever had all that the old one came with has all of the new one.
pub(crate) async fn follow_plan(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    plan: Plan,
    now: OffsetDateTime,
) -> Result<Followed, AppError> {
    let before = queries::find(conn, workspace, now).await?;
    let after = before.under(plan.caps().audit_days, now);
    if after.times() != before.times() {
        queries::set(conn, workspace, &after).await?;
    }
    Ok(Followed { days: (before.coming_days(), after.coming_days()), waiting: after.waiting })
}

/// As it stands, with the plan locked: whoever else changes either waits.
async fn locked(ctx: &Ctx, tx: &mut WorkspaceTx, workspace: WorkspaceId) -> Result<Retention, AppError> {
    plans::lock(tx.conn(), workspace).await?;
    queries::find(tx.conn(), workspace, ctx.clock.now()).await
}

/// Calls off a shorter time that waits.
///
/// # Errors
/// [`AppError::Conflict`] when none does, and when the plan does not come with the longer one.
pub async fn keep(ctx: &Ctx, actor: &Actor) -> Result<Retention, AppError> {
    let (permission, action) = (Permission::RetentionUpdate, Action::RetentionKept);
    ctx.authorise(actor, permission, action).await?;
    let mut tx = ctx.db.change(actor).await?;
    let before = locked(ctx, &mut tx, actor.workspace).await?;
    let Some(waiting) = before.waiting else {
        return Err(AppError::Conflict("No shorter time waits; it may have begun to count.".into()));
    };
    if before.is_bound() {
        let text = format!(
            "Your plan keeps the audit log for {} days at most. Only another plan keeps it longer.",
            before.max_days
        );
        return Err(AppError::Conflict(text));
    }
    // Beyond the plan what the plan comes with waits instead.
    let of_plan = Waiting { audit_days: before.max_days, ..waiting };
    let new = Retention { waiting: before.is_beyond_plan().then_some(of_plan), ..before };
    queries::set(tx.conn(), actor.workspace, &new).await?;
    let event = Event::new(action).under(permission).change("audit_days", waiting.audit_days, new.coming_days());
    tx.commit(event).await.map(|()| new)
}
