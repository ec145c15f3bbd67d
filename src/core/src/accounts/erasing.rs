//! Taking out what identifies somebody, from their account, from every log, and from what was asked of a log about them. Only
//! whoever runs the server does, when a person asks for it (GDPR, article 17), and only once they are nowhere any more. It cannot be
//! undone.

use super::queries;
use crate::{
    Actor, AppError, Ctx,
    actor::Request,
    audit_log::{Action, Event},
    ids::{UserId, WorkspaceId},
};
use serde::Serialize;

/// What was taken out, or would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// What is left of them: nothing leads from it to a person.
    pub user: UserId,
    /// Logs that said who they are.
    pub workspaces: usize,
    /// Events that no longer do.
    pub events: i64,
}

/// Erases the account and empties what identifies the person in every event that they did or that is about them, or that holds an
/// address of theirs, also one that they had before. Saved views and exports that ask for them go. Each of these logs and the
/// platform's say so; the proof of each stays as it is. Unless it is for good, nothing happens but that it is counted.
///
/// # Errors
/// [`AppError::NotFound`] for an address that nobody has; [`AppError::Conflict`] while they are a member, an operator, a contact or
/// invited somewhere or may still have a document, and while a log that names them is under a legal hold.
pub async fn erase(ctx: &Ctx, request: &Request, email: &str, for_good: bool) -> Result<Erased, AppError> {
    let email = email.trim().to_lowercase();
    let account = queries::find(&ctx.db.auth, &email).await?.ok_or(AppError::NotFound)?;
    let mut tx = ctx.db.change_account().await?;
    let now = ctx.clock.now();
    let awaited = queries::erasure_awaits(tx.conn(), account.user, now).await?;
    if !awaited.is_empty() {
        return Err(AppError::Conflict(format!("{email} is still {}. End that first.", awaited.join(", "))));
    }
    let places = queries::erase(tx.conn(), account.user, now).await?;
    let held = queries::held(tx.conn(), &places).await?;
    if !held.is_empty() {
        let held = held.join(", ");
        return Err(AppError::Conflict(format!(
            "{email} is named in a log under a legal hold: {held}. Nobody is erased there."
        )));
    }
    let erased =
        Erased { user: account.user, workspaces: places.len(), events: places.iter().map(|(_, events)| events).sum() };
    if for_good {
        let told = places.iter().map(|(place, _)| *place).filter(|place| *place != WorkspaceId::PLATFORM);
        let told = told.chain([WorkspaceId::PLATFORM]).map(|place| Actor::cli(place, request.clone()));
        tx.commit(&told.collect::<Vec<_>>(), Event::new(Action::AccountErased).on("user", account.user, None)).await?;
    }
    Ok(erased)
}
