//! A person's sessions, one by one: looking at them, ending them, and going on after a proof.

use super::{Proof, SessionView, Shown, SignedIn, devices, operations, queries};
use crate::{
    AppError, Ctx,
    actor::Request,
    audit_log::{Action, Event},
    ids::SessionId,
    intent::Intent,
};

/// The living ones, the one used last first.
pub async fn list(ctx: &Ctx, signed_in: &SignedIn) -> Result<Vec<SessionView>, AppError> {
    queries::sessions(&ctx.db.auth, signed_in.user, ctx.clock.now()).await
}

/// Whether the session is still alive. Asking does not keep it so.
pub async fn is_alive(ctx: &Ctx, signed_in: &SignedIn) -> Result<bool, AppError> {
    Ok(list(ctx, signed_in).await?.iter().any(|session| session.id == signed_in.session))
}

/// Ends one of the person's own.
///
/// # Errors
/// [`AppError::NotFound`] for one that is over, and for somebody else's.
pub async fn end(ctx: &Ctx, request: &Request, signed_in: &SignedIn, session: SessionId) -> Result<(), AppError> {
    let mut tx = ctx.db.change_account().await?;
    if !queries::end_one(tx.conn(), signed_in.user, session).await? {
        return Err(AppError::NotFound);
    }
    let actors = operations::everywhere(tx.conn(), signed_in, request).await?;
    tx.commit(&actors, Event::new(Action::SessionRevoked).on("session", session, None)).await
}

/// Ends all but the one it is asked from. Returns how many those were.
pub async fn end_others(ctx: &Ctx, request: &Request, signed_in: &SignedIn) -> Result<i64, AppError> {
    let mut tx = ctx.db.change_account().await?;
    let ended = queries::end_other_sessions(tx.conn(), signed_in.user, signed_in.session).await?;
    if ended == 0 {
        return Ok(0);
    }
    let event = Event::new(Action::SessionRevoked).on("user", signed_in.user, Some(&signed_in.name)).change(
        "other_sessions_ended",
        None::<i64>,
        ended,
    );
    let actors = operations::everywhere(tx.conn(), signed_in, request).await?;
    tx.commit(&actors, event).await.map(|()| ended)
}

/// After a proof the session goes on under another token; the one before opens nothing any more. What was half is whole.
///
/// # Errors
/// [`AppError::Unauthenticated`] when the session is over, or another proof was faster.
pub async fn prove(
    ctx: &Ctx,
    request: &Request,
    signed_in: &SignedIn,
    shown: Shown,
    old: &[u8; 32],
    new: &[u8; 32],
) -> Result<(), AppError> {
    devices::warm(ctx).await?;
    let mut tx = ctx.db.change_account().await?;
    if !queries::prove_session(tx.conn(), old, new, &shown, ctx.clock.now()).await? {
        return Err(AppError::Unauthenticated("session".into()));
    }
    devices::notice(ctx, tx.conn(), signed_in, request).await?;
    let action = if signed_in.is_whole { Action::SessionProved } else { Action::SessionStarted };
    let event =
        Event::new(action).on("session", signed_in.session, None).change("factor", None::<&str>, shown.factor.as_str());
    let event = match &shown.only {
        Some((_, words)) => event.change("approved", None::<&str>, words.as_str()),
        None => event,
    };
    let actors = operations::everywhere(tx.conn(), signed_in, request).await?;
    tx.commit(&actors, event).await
}

/// Remembers what the session is asked to confirm, so that the page where that is done can say it.
pub(crate) async fn ask(ctx: &Ctx, session: SessionId, intent: &Intent) -> Result<(), AppError> {
    queries::ask(&ctx.db.auth, session, intent).await
}

/// What the session is asked to confirm, if anything.
pub async fn asked(ctx: &Ctx, signed_in: &SignedIn) -> Result<Option<Intent>, AppError> {
    queries::asked(&ctx.db.auth, signed_in.session).await
}

/// Whether the proof is enough for this: one for everything, or the approval of this alone, which is used up by it.
pub(crate) async fn is_proved(ctx: &Ctx, session: SessionId, proof: Proof, intent: &Intent) -> Result<bool, AppError> {
    let now = ctx.clock.now();
    if proof.covers_everything(now) {
        return Ok(true);
    }
    match (proof.covers(&intent.digest, now), intent.in_steps) {
        (false, _) => Ok(false),
        (true, true) => Ok(true),
        (true, false) => queries::spend(&ctx.db.auth, session, &intent.digest).await,
    }
}
