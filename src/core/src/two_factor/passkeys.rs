//! Passkeys (WebAuthn Level 3): two factors in one, as user verification is always demanded. webauthn-rs checks what comes
//! back; here it is made sure that every challenge is ours, young, used once, and for whoever answers it.

use super::{
    PASSKEY_NAME_MAX, PASSKEYS_MAX, PasskeyView, ceremony,
    operations::{about, after_removal, demand_proof, forget_guesses},
    queries,
};
use crate::{
    AppError, Ctx,
    accounts::{self, Factor, Shown, SignedIn, operations::everywhere, operations::refuse_everywhere, settings::told},
    actor::{Actor, Request},
    api_keys::line,
    audit_log::{Action, Event, Outcome},
    ids::{PasskeyId, SessionId, UserId},
    intent::Intent,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, DiscoverableKey, Passkey, PasskeyAuthentication, PasskeyRegistration,
    PublicKeyCredential, RegisterPublicKeyCredential,
};

pub(super) const ADD: &str = "Add a passkey";

/// What is remembered between the two halves. A state of one kind never serves another.
#[derive(Serialize, Deserialize)]
enum State {
    Register { user: UserId, session: SessionId, name: String, state: PasskeyRegistration },
    SignIn { state: DiscoverableAuthentication },
    Prove { user: UserId, session: SessionId, only: Option<([u8; 32], String)>, state: PasskeyAuthentication },
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
    demand_proof(ctx, request, signed_in, event.clone(), ADD).await?;
    let name = line("name", name, PASSKEY_NAME_MAX)?;
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
    let state = State::Register { user: signed_in.user, session: signed_in.session, name, state };
    let begun = begun(ctx, options, state).await?;
    let mut tx = ctx.db.change_account().await?;
    let actors = everywhere(tx.conn(), signed_in, request).await?;
    tx.commit(&actors, event).await.map(|()| begun)
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
    demand_proof(ctx, request, signed_in, added.clone(), ADD).await?;
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
        is_from_here(&answer.response.client_data_json).then_some(())?;
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
    let name = line("name", name, PASSKEY_NAME_MAX)?;
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
    let named = list(ctx, signed_in).await?.into_iter().find(|passkey| passkey.id == id).map(|passkey| passkey.name);
    let words = format!("Remove the passkey {} ({id})", named.unwrap_or_default());
    demand_proof(ctx, request, signed_in, event.clone(), &words).await?;
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

/// A challenge for whoever wants to sign in. It names nobody, so it tells nothing about accounts. No event, as little as the page
/// that asks for it: what comes of it is one.
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
        Some(user) => {
            accounts::disabling::refuse_disabled(ctx, request, user).await?;
            forget_guesses(ctx, user).await.map(|()| user)
        }
        None => {
            let event = Event::new(Action::SessionRefused).because(Outcome::Denied, "wrong_passkey");
            ctx.log_call(&Actor::anonymous(request.clone()), event).await?;
            Err(AppError::Unauthenticated("wrong_passkey".into()))
        }
    }
}

async fn open_account(ctx: &Ctx, state: DiscoverableAuthentication, answer: &str) -> Result<Option<UserId>, AppError> {
    let Some(answer) = read(answer) else { return Ok(None) };
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

/// A challenge for the person's own passkeys. While signing in it is the second factor. In an open session it is for the one
/// change that is asked for, which the page has named to the person: `intent` is the id of that. The answer to it is the event.
///
/// # Errors
/// [`AppError::NotFound`] when they have none; [`AppError::Conflict`] when another change is asked for by now, or none.
pub async fn begin_proof(ctx: &Ctx, signed_in: &SignedIn, intent: &str) -> Result<Begun, AppError> {
    let only = match signed_in.is_whole {
        true => {
            let asked = confirmed(ctx, signed_in, intent).await?;
            Some((asked.digest, asked.words))
        }
        false => None,
    };
    let stored = queries::passkeys(&ctx.db.auth, signed_in.user).await?;
    if stored.is_empty() {
        return Err(AppError::NotFound);
    }
    let keys: Vec<_> = stored.into_iter().map(|stored| stored.passkey).collect();
    let (options, state) =
        ctx.relying_party.get()?.start_passkey_authentication(&keys).map_err(|error| unexpected(&error))?;
    begun(ctx, options, State::Prove { user: signed_in.user, session: signed_in.session, only, state }).await
}

async fn confirmed(ctx: &Ctx, signed_in: &SignedIn, intent: &str) -> Result<Intent, AppError> {
    let asked = accounts::sessions::asked(ctx, signed_in).await?.filter(|asked| asked.id() == intent);
    let text = "Something else was asked for meanwhile. Load this page again, and look what you confirm.";
    asked.ok_or_else(|| AppError::Conflict(text.into()))
}

/// Whether a passkey of the person answers the challenge that this session was given, and what that shows.
///
/// # Errors
/// [`AppError::Unauthenticated`] when not: it is written down.
pub async fn finish_proof(
    ctx: &Ctx,
    request: &Request,
    signed_in: &SignedIn,
    token: &str,
    answer: &str,
) -> Result<Shown, AppError> {
    let proved = match ceremony::take(ctx, token).await? {
        Some(State::Prove { user, session, only, state })
            if (user, session) == (signed_in.user, signed_in.session) && only.is_some() == signed_in.is_whole =>
        {
            proves(ctx, signed_in, &state, answer).await?.then_some(only)
        }
        _ => None,
    };
    let Some(only) = proved else {
        let refusal = AppError::Unauthenticated("wrong_passkey".into());
        let refused = about(Action::SecondFactorRefused, signed_in);
        return refuse_everywhere(ctx, request, signed_in, refused, "wrong_passkey", refusal).await;
    };
    forget_guesses(ctx, signed_in.user).await?;
    Ok(Shown { factor: Factor::Passkey, only })
}

async fn proves(
    ctx: &Ctx,
    signed_in: &SignedIn,
    state: &PasskeyAuthentication,
    answer: &str,
) -> Result<bool, AppError> {
    let Some(answer) = read(answer) else { return Ok(false) };
    let Ok(result) = ctx.relying_party.get()?.finish_passkey_authentication(&answer, state) else { return Ok(false) };
    // Removed while the challenge was out, or somebody else's.
    let found = queries::find_passkey(&ctx.db.auth, result.cred_id()).await?;
    let Some(found) = found.filter(|found| found.user == signed_in.user) else { return Ok(false) };
    if is_eligible_for_backup(&found.passkey) != Some(result.backup_eligible()) {
        return Ok(false);
    }
    let mut after = found.passkey.clone();
    after.update_credential(&result);
    queries::passkey_used(&ctx.db.auth, &found, &after, ctx.clock.now()).await
}

fn read(answer: &str) -> Option<PublicKeyCredential> {
    let answer: PublicKeyCredential = serde_json::from_str(answer).ok()?;
    is_from_here(&answer.response.client_data_json).then_some(answer)
}

/// Whether the page itself asked, and not a frame of ours within another site: webauthn-rs looks at that only when
/// something is registered.
fn is_from_here(client_data: &[u8]) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ClientData {
        #[serde(default)]
        cross_origin: bool,
        top_origin: Option<String>,
    }
    serde_json::from_slice(client_data).is_ok_and(|data: ClientData| !data.cross_origin && data.top_origin.is_none())
}

/// What was said of the passkey when it was registered: it never changes (WebAuthn Level 3 §7.2, step 21). webauthn-rs lets
/// it be upgraded after a password, and shows it only in what it stores.
fn is_eligible_for_backup(passkey: &Passkey) -> Option<bool> {
    serde_json::to_value(passkey).ok()?.pointer("/cred/backup_eligible")?.as_bool()
}

fn unexpected(error: &webauthn_rs::prelude::WebauthnError) -> AppError {
    tracing::error!(%error, "a ceremony cannot begin");
    AppError::Internal
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::testing::{TestDb, request};

    #[tokio::test]
    async fn whoever_begins_to_add_one_is_in_the_log_and_a_challenge_to_prove_is_not() {
        let db = TestDb::new().await;
        let tenant = db.workspace("Acme").await;
        let before = db.seq(tenant.id()).await;
        let (signed_in, request) = (db.signed_in(tenant.made.user, "owner@acme.example"), request());
        begin_registration(&db.ctx, &request, &signed_in, "Laptop").await.expect("begun");
        begin_sign_in(&db.ctx).await.expect("begun");
        let told = db.events_after(tenant.id(), before).await;
        let [began] = told.as_slice() else { panic!("{told:#?}") };
        assert_eq!((began.action.as_str(), began.outcome), ("factor.enrolment_started", Outcome::Success));
        assert_eq!(began.request_id, request.id);
    }
}
