//! Closing an account at once and everywhere, and opening it again. Only whoever runs the server does: an owner removes
//! somebody from their workspace, this is for whoever is to get in nowhere any more. Keys belong to workspaces and go on.

use super::{operations, queries, settings::told};
use crate::{
    Actor, AppError, Ctx,
    actor::Request,
    audit_log::{Action, Event},
    ids::UserId,
};

/// Nobody gets in with it any more; every session ends. Each workspace of the person has it in its log.
///
/// # Errors
/// [`AppError::NotFound`] for an address that nobody has; [`AppError::Conflict`] when it is disabled already.
pub async fn disable(ctx: &Ctx, request: &Request, email: &str) -> Result<(), AppError> {
    let text =
        "Whoever runs the server has disabled it. You are signed out everywhere, and nobody can sign in with it.";
    switch(ctx, request, email, false, ("Your account was disabled", text)).await
}

/// It opens again with what opened it before.
///
/// # Errors
/// [`AppError::NotFound`] for an address that nobody has; [`AppError::Conflict`] when it is open.
pub async fn enable(ctx: &Ctx, request: &Request, email: &str) -> Result<(), AppError> {
    let text = "Whoever runs the server has enabled it. Sign in with the password and the factors that you had.";
    switch(ctx, request, email, true, ("Your account is open again", text)).await
}

async fn switch(
    ctx: &Ctx,
    request: &Request,
    email: &str,
    open: bool,
    (subject, text): (&str, &str),
) -> Result<(), AppError> {
    let email = email.trim().to_lowercase();
    let account = queries::find(&ctx.db.auth, &email).await?.ok_or(AppError::NotFound)?;
    let letter = told(ctx, &email, subject, text).await?;
    let mut tx = ctx.db.change_account().await?;
    let (done, action, already) = match open {
        true => (queries::enable(tx.conn(), account.user).await?, Action::AccountEnabled, "open"),
        false => {
            let done = queries::disable(tx.conn(), account.user, ctx.clock.now()).await?;
            (done, Action::AccountDisabled, "disabled")
        }
    };
    if !done {
        return Err(AppError::Conflict(format!("The account of {email} is {already} already.")));
    }
    letter.put(tx.conn()).await?;
    let actors = operations::cli_of_account(tx.conn(), account.user, request).await?;
    tx.commit(&actors, Event::new(action).on("user", account.user, Some(&account.name))).await
}

/// Refuses whoever has shown what opens a disabled account: only they are told that it is.
pub(crate) async fn refuse_disabled(ctx: &Ctx, request: &Request, user: UserId) -> Result<(), AppError> {
    if !queries::is_disabled(&ctx.db.auth, user).await? {
        return Ok(());
    }
    let event = Event::new(Action::SessionRefused).on("user", user, None);
    let actor = Actor::anonymous(request.clone());
    let text = "This account is disabled. Write to whoever runs send0 if it should not be.";
    ctx.refuse(&actor, event, "account_disabled", AppError::Refused(text.into())).await
}
