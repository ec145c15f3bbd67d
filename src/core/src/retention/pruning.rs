//! Removing what is past its time: whole sealed tiles, with a signed receipt and an event.

use super::{
    operations::{cutoff, of, tile_start},
    queries,
};
use crate::{
    Actor, AppError, Ctx,
    audit_log::{Action, Event},
    ids::WorkspaceId,
    sealing,
};

/// Rows that are removed at once, so that nothing is locked for long.
const SWEEP: i64 = 5000;

/// Lets every log begin where its time begins, and removes what lies before.
///
/// # Errors
/// The first error; the other logs are pruned all the same.
pub async fn prune_all(ctx: &Ctx) -> Result<(), AppError> {
    let mut done = Ok(());
    for workspace in sealing::operations::workspaces(ctx).await? {
        let pruned = prune(ctx, workspace).await;
        done = done.and(pruned.inspect_err(|error| tracing::error!(%workspace, %error, "a log could not be pruned")));
    }
    while queries::sweep(&ctx.db.worker, SWEEP).await? == SWEEP {}
    done
}

async fn prune(ctx: &Ctx, workspace: WorkspaceId) -> Result<(), AppError> {
    let now = ctx.clock.now();
    // The platform's own log has no plan and is kept.
    if workspace == WorkspaceId::PLATFORM {
        return Ok(());
    }
    let retention = of(ctx, workspace).await?;
    if !retention.legal_holds.is_empty() {
        return Ok(());
    }
    let (from, first, last_at) = {
        let mut read = ctx.db.read_log(workspace).await?;
        let (from, since) = queries::bounds(read.conn(), workspace, cutoff(now, retention.audit_days)).await?;
        let first = tile_start(since);
        if first <= from {
            return Ok(());
        }
        let Some(last_at) = queries::time_of(read.conn(), workspace, first - 1).await? else { return Ok(()) };
        (from, first, last_at)
    };
    let Some((note, root)) = sealing::operations::receipt(ctx, workspace, first - 1).await? else { return Ok(()) };
    let mut tx = ctx.db.change(&Actor::jobs(workspace, "prune")).await?;
    if !queries::prune(tx.conn(), (from, first), last_at, &note, now).await? {
        return Ok(());
    }
    let event = Event::new(Action::AuditLogPruned).change("first_seq", from, first).change("root", None::<&str>, root);
    tx.commit(event).await
}
