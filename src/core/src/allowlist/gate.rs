//! Whether an address gets in. Asked of every request: of people as they enter the workspace, of keys as they are
//! recognised.

use super::{Door, Verdict, queries};
use crate::{
    Actor, AppError, Ctx,
    actor::Request,
    audit_log::{Action, Event},
};
use time::Duration;

/// The word for it, in problems and in the log.
pub(crate) const BLOCKED: &str = "blocked_by_ip";
/// While a list only reports, one event stands for everything that an actor does from one address in this time.
const NOTED_FOR: Duration = Duration::HOUR;

/// Lets somebody into the dashboard of the actor's workspace, or writes the refusal down and refuses.
///
/// # Errors
/// [`AppError::BlockedByIp`].
pub(crate) async fn admit(ctx: &Ctx, actor: &Actor) -> Result<(), AppError> {
    let (pool, address) = (&ctx.db.auth, actor.request.address.as_deref());
    let verdict = queries::verdict(pool, actor.workspace, Door::Dashboard, address, ctx.clock.now()).await?;
    if let Some(refusal) = refusal(verdict, &actor.request) {
        let event = Event::new(Action::WorkspaceEntryRefused).on("allowlist", Door::Dashboard.as_str(), None);
        return ctx.refuse(actor, event, BLOCKED, refusal).await;
    }
    if verdict == Verdict::WouldBlock {
        note(ctx, actor, Door::Dashboard).await?;
    }
    Ok(())
}

/// The refusal that a verdict comes to.
pub(crate) fn refusal(verdict: Verdict, request: &Request) -> Option<AppError> {
    let address = || request.address.clone().unwrap_or_else(|| "an unknown address".into());
    (verdict == Verdict::Blocked).then(|| AppError::BlockedByIp(address()))
}

/// Writes down that a list which only reports would have kept the actor out. The log itself knows whether that was said
/// already.
pub(crate) async fn note(ctx: &Ctx, actor: &Actor, door: Door) -> Result<(), AppError> {
    let since = ctx.clock.now() - NOTED_FOR;
    let mut log = ctx.db.read_log(actor.workspace).await?;
    let said = queries::would_block_said(log.conn(), actor, since).await?;
    drop(log);
    if said {
        return Ok(());
    }
    let event = Event::new(Action::AllowlistWouldBlock).on("allowlist", door.as_str(), Some(door.name()));
    let beside = Actor { request: actor.request.apart(), ..actor.clone() };
    ctx.log_call(&beside, event).await
}
