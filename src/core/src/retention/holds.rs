//! Legal holds: while a workspace has one, nothing of its audit log is removed, and nobody who is named in it is erased.

use super::{HOLD_NAME_MAX, HOLDS_MAX, LegalHold, queries};
use crate::{
    Actor, AppError, Ctx,
    api_keys::line,
    audit_log::{Action, Event},
    contacts::NoticeKind,
    ids::LegalHoldId,
    intent::Intent,
    mail::notices,
    members::operations::present_role,
    permissions::Permission,
};

/// Every legal hold there was, those that still hold first.
///
/// # Errors
/// [`AppError::Forbidden`] without `retention.read`.
pub async fn list(ctx: &Ctx, actor: &Actor, attempted: Action) -> Result<Vec<LegalHold>, AppError> {
    ctx.authorise(actor, Permission::RetentionRead, attempted).await?;
    queries::holds(ctx.db.read(actor.workspace).await?.conn(), actor.workspace).await
}

/// One legal hold.
///
/// # Errors
/// [`AppError::NotFound`] for an unknown id and for another workspace's alike.
pub async fn show(ctx: &Ctx, actor: &Actor, id: LegalHoldId, attempted: Action) -> Result<LegalHold, AppError> {
    one(list(ctx, actor, attempted).await?, id)
}

fn one(holds: Vec<LegalHold>, id: LegalHoldId) -> Result<LegalHold, AppError> {
    holds.into_iter().find(|hold| hold.id == id).ok_or(AppError::NotFound)
}

/// Places a legal hold: it counts at once, and the contacts are told.
///
/// # Errors
/// [`AppError::Invalid`] for a name that cannot be kept; [`AppError::Conflict`] for one that a hold has already, and for too many.
pub async fn place(ctx: &Ctx, actor: &Actor, name: &str) -> Result<LegalHold, AppError> {
    let (permission, action) = (Permission::RetentionHold, Action::LegalHoldPlaced);
    ctx.authorise(actor, permission, action).await?;
    let name = line("name", name, HOLD_NAME_MAX)?;
    let text = format!(
        "{} placed the legal hold {name}: nothing of the audit log is removed until it is released.",
        notices::who(actor)
    );
    let notice =
        notices::security_notice(ctx, actor.workspace, NoticeKind::Policies, "a legal hold was placed", &text).await?;
    let mut tx = ctx.db.change(actor).await?;
    present_role(ctx, actor, &mut tx, permission, action).await?;
    let active: Vec<_> =
        queries::holds(tx.conn(), actor.workspace).await?.into_iter().filter(LegalHold::is_active).collect();
    if active.iter().any(|hold| hold.name == name) {
        return Err(AppError::Conflict(format!("There is a legal hold called {name} already.")));
    }
    if active.len() >= HOLDS_MAX {
        return Err(AppError::Conflict(format!("At most {HOLDS_MAX} legal holds. One is enough to keep everything.")));
    }
    let hold =
        LegalHold { id: LegalHoldId::new(), name, placed_at: ctx.clock.now(), released_at: None, placed_by: None };
    queries::place(tx.conn(), actor.workspace, &hold, actor.user()).await?;
    notice.put(tx.conn()).await?;
    tx.commit(about(action, permission, &hold).change("name", None::<String>, hold.name.clone())).await?;
    Ok(hold)
}

/// Releases a legal hold. What is past its time may go from then on, unless another one holds it; whoever wants it types its name.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Invalid`] naming the field; [`AppError::ProofNeeded`]; [`AppError::Conflict`] when it was
/// released already.
pub async fn release(ctx: &Ctx, actor: &Actor, id: LegalHoldId, confirm: &str) -> Result<LegalHold, AppError> {
    let (permission, action) = (Permission::RetentionRelease, Action::LegalHoldReleased);
    ctx.authorise(actor, permission, action).await?;
    let hold = one(queries::holds(ctx.db.read(actor.workspace).await?.conn(), actor.workspace).await?, id)?;
    if confirm.trim() != hold.name {
        return Err(AppError::field("confirm", "not_confirmed", format!("Type {} to release it.", hold.name)));
    }
    let intent = Intent::new(actor.workspace, format!("Release the legal hold {}", hold.name), id);
    ctx.demand_proof(actor, about(action, permission, &hold), intent).await?;
    let text = format!(
        "{} released the legal hold {}. What is past its time may be removed again.",
        notices::who(actor),
        hold.name
    );
    let notice =
        notices::security_notice(ctx, actor.workspace, NoticeKind::Policies, "a legal hold was released", &text)
            .await?;
    let mut tx = ctx.db.change(actor).await?;
    present_role(ctx, actor, &mut tx, permission, action).await?;
    let now = ctx.clock.now();
    if !queries::release(tx.conn(), actor.workspace, id, now).await? {
        return Err(AppError::Conflict("It was released already.".into()));
    }
    notice.put(tx.conn()).await?;
    tx.commit(about(action, permission, &hold).change("name", hold.name.clone(), None::<String>)).await?;
    Ok(LegalHold { released_at: Some(now), ..hold })
}

fn about(action: Action, permission: Permission, hold: &LegalHold) -> Event {
    Event::new(action).under(permission).on("legal_hold", hold.id, Some(&hold.name))
}
