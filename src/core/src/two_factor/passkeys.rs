//! Passkeys (WebAuthn Level 3): two factors in one, as user verification is always demanded. webauthn-rs checks what comes
//! back; here it is made sure that every challenge is ours, young, used once, and for whoever answers it.

use super::{
    PASSKEY_NAME_MAX, PASSKEYS_MAX, PasskeyView, ceremony,
    operations::{about, after_removal, demand_proof, forget_guesses},
    queries,
};
use crate::{
    AppError, Ctx,
    accounts::{self, Factor, SignedIn, operations::everywhere, operations::refuse_everywhere, settings::told},
    actor::{Actor, Request},
    api_keys::line,
    audit_log::{Action, Event, Outcome},
    ids::{PasskeyId, SessionId, UserId},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, DiscoverableKey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential,
};

/// What is remembered between the two halves. A state of one kind never serves another.
#[derive(Serialize, Deserialize)]
enum State {
    Register { user: UserId, session: SessionId, name: String, state: PasskeyRegistration },
    SignIn { state: DiscoverableAuthentication },
    Prove { user: UserId, session: SessionId, state: PasskeyAuthentication },
}

/// The first half: what the browser is to be told, as JSON, and the token that finds the rest.
pub struct Begun {
    /// For `PublicKeyCredential.parse…OptionsFromJSON`.
    pub options: serde_json::Value,
    /// For a cookie.
    pub token: SecretString,
}

async fn begun(ctx: &Ctx, options: impl Serialize, state: State) -> Result<Begun, AppError> {
    let options = serde_json::to_value(options).map_err(|_| AppError::Internal)?;
    // webauthn-rs puts what the browser wants under one key, beside the mediation.
    let options = options.get("publicKey").cloned().unwrap_or(options);
    Ok(Begun { options, token: ceremony::keep(ctx, &state).await? })
}

/// The person's passkeys, the oldest first.
pub async fn list(ctx: &Ctx, signed_in: &SignedIn) -> Result<Vec<PasskeyView>, AppError> {
    let stored = queries::passkeys(&ctx.db.auth, signed_in.user).await?;
    Ok(stored.into_iter().map(|stored| stored.view).collect())
}

// Adding, naming, removing ---------------------------------------------------------------------------------------

/// Begins to add a passkey under a name.
///
/// # Errors
/// [`AppError::ProofNeeded`], [`AppError::Invalid`] for the name, [`AppError::Conflict`] for too many.
pub async fn begin_registration(
    ctx: &Ctx,
    request: &Request,
    signed_in: &SignedIn,
    name: &str,
) -> Result<Begun, AppError> {
    let event = about(Action::FactorEnrolmentStarted, signed_in).change("factor", None::<&str>, "passkey");
    demand_proof(ctx, request, signed_in, event.clone()).await?;
    let name = line("name", name, PASSKEY_NAME_MAX).map_err(|error| AppError::Invalid(vec![error]))?;
    let there = queries::passkeys(&ctx.db.auth, signed_in.user).await?;
    if there.len() >= PASSKEYS_MAX {
        return Err(AppError::Conflict(format!("At most {PASSKEYS_MAX} passkeys. Remove one that you do not use.")));
    }
    let handle = queries::handle(&ctx.db.auth, signed_in.user).await?;
    let known = there.iter().map(|stored| stored.passkey.cred_id().clone()).collect();
    let party = ctx.relying_party.get()?;
    let (options, state) = party
        .start_passkey_registration(handle, &signed_in.email, &signed_in.name, Some(known))
        .map_err(|error| unexpected(&error))?;
    let mut options = serde_json::to_value(options).map_err(|_| AppError::Internal)?;
    // Found by the browser itself, so that it can be offered before anybody has typed a name.
    options["publicKey"]["authenticatorSelection"]["residentKey"] = "required".into();
    options["publicKey"]["authenticatorSelection"]["requireResidentKey"] = true.into();
    begun(ctx, options, State::Register { user: signed_in.user, session: signed_in.session, name, state }).await
}

/// Adds the passkey that answers the challenge. Every other session ends. Returns whether recovery codes are still to be
/// made.
///
/// # Errors
/// [`AppError::Refused`] for whatever does not answer this person's own challenge of this session, within five minutes,
/// once; [`AppError::Conflict`] for a passkey of somebody else.
pub async fn finish_registration(
    ctx: &Ctx,
    request: &Request,
    signed_in: &SignedIn,
    token: &str,
    answer: &str,
) -> Result<bool, AppError> {
    let added = about(Action::FactorAdded, signed_in).change("factor", None::<&str>, "passkey");
    demand_proof(ctx, request, signed_in, added.clone()).await?;
    let ours = match ceremony::take(ctx, token).await? {
        Some(State::Register { user, session, name, state })
            if (user, session) == (signed_in.user, signed_in.session) =>
        {
            Some((name, state))
        }
        _ => None,
    };
    let passkey = ours.and_then(|(name, state)| {
        let answer: RegisterPublicKeyCredential = serde_json::from_str(answer).ok()?;
        let passkey = ctx.relying_party.get().ok()?.finish_passkey_registration(&answer, &state).ok()?;
        Some((name, passkey))
    });
    let Some((name, passkey)) = passkey else {
        let refusal = AppError::Refused("The passkey was not added: what came back does not answer. Try again.".into());
        return refuse_everywhere(ctx, request, signed_in, added, "wrong_passkey", refusal).await;
    };
    let id = PasskeyId::new();
    let text = format!("It is called {name}. You can sign in with it alone.");
    let letter = told(ctx, &signed_in.email, "A passkey was added", &text).await?;
    let mut tx = ctx.db.change_account().await?;
    queries::lock(tx.conn(), signed_in.user).await?;
    queries::add_passkey(tx.conn(), signed_in.user, id, &passkey, &name, ctx.clock.now()).await?;
    accounts::operations::end_others(tx.conn(), signed_in).await?;
    let codes = queries::factors(&mut *tx.conn(), signed_in.user).await?.recovery_codes;
    letter.put(tx.conn()).await?;
    let actors = everywhere(tx.conn(), signed_in, request).await?;
    tx.commit(&actors, added.on("passkey", id, Some(&name))).await.map(|()| codes == 0)
}

/// Gives a passkey another name.
///
/// # Errors
/// [`AppError::NotFound`] for one that is gone or somebody else's; [`AppError::Invalid`] for the name.
pub async fn rename(
    ctx: &Ctx,
    request: &Request,
    signed_in: &SignedIn,
    id: PasskeyId,
    name: &str,
) -> Result<(), AppError> {
    let name = line("name", name, PASSKEY_NAME_MAX).map_err(|error| AppError::Invalid(vec![error]))?;
    let mut tx = ctx.db.change_account().await?;
    let before = queries::rename_passkey(tx.conn(), signed_in.user, id, &name).await?.ok_or(AppError::NotFound)?;
    let event = about(Action::FactorRenamed, signed_in).on("passkey", id, Some(&name)).change("name", before, name);
    let actors = everywhere(tx.conn(), signed_in, request).await?;
    tx.commit(&actors, event).await
}

/// Removes a passkey. Every other session ends.
///
/// # Errors
/// As [`super::operations::remove_app`].
pub async fn remove(ctx: &Ctx, request: &Request, signed_in: &SignedIn, id: PasskeyId) -> Result<String, AppError> {
    let event = about(Action::FactorRemoved, signed_in).change("factor", "passkey", None::<&str>);
    demand_proof(ctx, request, signed_in, event.clone()).await?;
    let letter = told(ctx, &signed_in.email, "A passkey was removed", "It opens your account no more.").await?;
    let mut tx = ctx.db.change_account().await?;
    queries::lock(tx.conn(), signed_in.user).await?;
    let name = queries::remove_passkey(tx.conn(), signed_in.user, id).await?.ok_or(AppError::NotFound)?;
    after_removal(tx.conn(), signed_in).await?;
    letter.put(tx.conn()).await?;
    let actors = everywhere(tx.conn(), signed_in, request).await?;
    tx.commit(&actors, event.on("passkey", id, Some(&name))).await.map(|()| name)
}

// Signing in and proving -----------------------------------------------------------------------------------------

/// A challenge for whoever wants to sign in. It names nobody, so it tells nothing about accounts.
pub async fn begin_sign_in(ctx: &Ctx) -> Result<Begun, AppError> {
    let (options, state) =
        ctx.relying_party.get()?.start_discoverable_authentication().map_err(|error| unexpected(&error))?;
    begun(ctx, options, State::SignIn { state }).await
}

/// Who answers the challenge with a passkey of theirs.
///
/// # Errors
/// [`AppError::Unauthenticated`] for everything that does not open an account: it is written down.
pub async fn finish_sign_in(ctx: &Ctx, request: &Request, token: &str, answer: &str) -> Result<UserId, AppError> {
    let state = ceremony::take(ctx, token).await?;
    let opened = match state {
        Some(State::SignIn { state }) => open_account(ctx, state, answer).await?,
        _ => None,
    };
    match opened {
        Some(user) => forget_guesses(ctx, user).await.map(|()| user),
        None => {
            let event = Event::new(Action::SessionRefused).because(Outcome::Denied, "wrong_passkey");
            ctx.log_call(&Actor::anonymous(request.clone()), event).await?;
            Err(AppError::Unauthenticated("wrong_passkey".into()))
        }
    }
}

async fn open_account(ctx: &Ctx, state: DiscoverableAuthentication, answer: &str) -> Result<Option<UserId>, AppError> {
    let Ok(answer) = serde_json::from_str::<PublicKeyCredential>(answer) else { return Ok(None) };
    let party = ctx.relying_party.get()?;
    let Ok((handle, credential)) = party.identify_discoverable_authentication(&answer) else { return Ok(None) };
    let Some(found) = queries::find_passkey(&ctx.db.auth, credential).await? else { return Ok(None) };
    if found.handle != handle {
        return Ok(None);
    }
    let key = DiscoverableKey::from(&found.passkey);
    let Ok(result) = party.finish_discoverable_authentication_v2(&answer, state, &key) else { return Ok(None) };
    let mut after = found.passkey.clone();
    after.update_credential(&result);
    let used = queries::passkey_used(&ctx.db.auth, &found, &after, ctx.clock.now()).await?;
    Ok(used.then_some(found.user))
}

/// A challenge for the person's own passkeys, to prove that it is them: as the second factor, or once more.
///
/// # Errors
/// [`AppError::NotFound`] when they have none.
pub async fn begin_proof(ctx: &Ctx, signed_in: &SignedIn) -> Result<Begun, AppError> {
    let stored = queries::passkeys(&ctx.db.auth, signed_in.user).await?;
    if stored.is_empty() {
        return Err(AppError::NotFound);
    }
    let keys: Vec<_> = stored.into_iter().map(|stored| stored.passkey).collect();
    let (options, state) =
        ctx.relying_party.get()?.start_passkey_authentication(&keys).map_err(|error| unexpected(&error))?;
    begun(ctx, options, State::Prove { user: signed_in.user, session: signed_in.session, state }).await
}

/// Whether a passkey of the person answers the challenge that this session was given.
///
/// # Errors
/// [`AppError::Unauthenticated`] when not: it is written down.
pub async fn finish_proof(
    ctx: &Ctx,
    request: &Request,
    signed_in: &SignedIn,
    token: &str,
    answer: &str,
) -> Result<Factor, AppError> {
    let ours = match ceremony::take(ctx, token).await? {
        Some(State::Prove { user, session, state }) if (user, session) == (signed_in.user, signed_in.session) => {
            Some(state)
        }
        _ => None,
    };
    let proved = match ours {
        Some(state) => proves(ctx, signed_in, &state, answer).await?,
        None => false,
    };
    if !proved {
        let refusal = AppError::Unauthenticated("wrong_passkey".into());
        let refused = about(Action::SecondFactorRefused, signed_in);
        return refuse_everywhere(ctx, request, signed_in, refused, "wrong_passkey", refusal).await;
    }
    forget_guesses(ctx, signed_in.user).await?;
    Ok(Factor::Passkey)
}

async fn proves(
    ctx: &Ctx,
    signed_in: &SignedIn,
    state: &PasskeyAuthentication,
    answer: &str,
) -> Result<bool, AppError> {
    let Ok(answer) = serde_json::from_str::<PublicKeyCredential>(answer) else { return Ok(false) };
    let Ok(result) = ctx.relying_party.get()?.finish_passkey_authentication(&answer, state) else { return Ok(false) };
    // Removed while the challenge was out, or somebody else's.
    let found = queries::find_passkey(&ctx.db.auth, result.cred_id()).await?;
    let Some(found) = found.filter(|found| found.user == signed_in.user) else { return Ok(false) };
    let mut after = found.passkey.clone();
    after.update_credential(&result);
    queries::passkey_used(&ctx.db.auth, &found, &after, ctx.clock.now()).await
}

fn unexpected(error: &webauthn_rs::prelude::WebauthnError) -> AppError {
    tracing::error!(%error, "a ceremony cannot begin");
    AppError::Internal
}
