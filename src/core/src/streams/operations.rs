//! Making streams, looking at them, and what their owners do with them. The sending itself is in `delivery.rs`.

use super::{
    Kind, NewStream, STREAMS_MAX, Sampled, State, StreamText, StreamView, TEST_SECONDS, batch::Batch, delivery,
    needs_secret_again, parcel::Recipient, queries, signing,
};
use crate::{
    Actor, AppError, Ctx,
    audit_log::{Action, Event, Outcome, operations::first_kept},
    database::WorkspaceTx,
    flash::{self, Flash},
    ids::{StreamId, WorkspaceId},
    intent::Intent,
    members,
    permissions::Permission,
};
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;

const PERMISSION: Permission = Permission::AuditStream;

/// Every stream, the oldest first.
pub async fn list(ctx: &Ctx, actor: &Actor, attempted: Action) -> Result<Vec<StreamView>, AppError> {
    ctx.authorise(actor, PERMISSION, attempted).await?;
    queries::all(ctx.db.read(actor.workspace).await?.conn(), actor.workspace, None).await
}

/// One stream.
///
/// # Errors
/// [`AppError::NotFound`] for an unknown id and for another workspace's alike.
pub async fn show(ctx: &Ctx, actor: &Actor, id: StreamId, attempted: Action) -> Result<StreamView, AppError> {
    ctx.authorise(actor, PERMISSION, attempted).await?;
    find(ctx, actor.workspace, id).await
}

async fn find(ctx: &Ctx, workspace: WorkspaceId, id: StreamId) -> Result<StreamView, AppError> {
    let found = queries::all(ctx.db.read(workspace).await?.conn(), workspace, Some(id)).await?;
    found.into_iter().next().ok_or(AppError::NotFound)
}

/// The number of the newest event: what a stream can begin with at the latest is the one after it.
pub async fn newest(ctx: &Ctx, actor: &Actor, attempted: Action) -> Result<i64, AppError> {
    ctx.authorise(actor, PERMISSION, attempted).await?;
    queries::last_seq(ctx.db.read(actor.workspace).await?.conn(), actor.workspace).await
}

/// Makes a stream, which begins at once, and with the oldest event that is kept at the earliest. Returns its id, and, where the secret
/// is made here, the token that opens the flash of the page at `place`, which shows it once.
///
/// # Errors
/// [`AppError::Invalid`] naming every field that is wrong; [`AppError::ProofNeeded`]; [`AppError::Conflict`] when there are
/// enough of them.
pub async fn create(
    ctx: &Ctx,
    actor: &Actor,
    text: &StreamText,
    place: impl Fn(StreamId) -> String,
) -> Result<(StreamId, Option<SecretString>), AppError> {
    let action = Action::StreamCreated;
    ctx.authorise(actor, PERMISSION, action).await?;
    let kind: Kind =
        text.kind.parse().map_err(|()| AppError::field("kind", "unknown_kind", "Choose from the list."))?;
    let new = text.parse(kind, &ctx.egress)?;
    if kind.secret_label().is_some() && new.secret.is_none() {
        return Err(AppError::field("secret", "required", "Without it the target takes nothing."));
    }
    ctx.demand_proof(actor, Event::new(action).under(PERMISSION), intent("Send the audit log", actor, &new)).await?;
    let id = StreamId::new();
    let made = (kind == Kind::Https).then(signing::new_secret);
    let shown = match &made {
        Some(secret) => Some(shown_once(ctx, actor, id, secret, &place(id)).await?),
        None => None,
    };
    let sealed = seal(ctx, actor.workspace, id, made.as_ref().or(new.secret.as_ref())).await?;
    let mut tx = change_with(ctx, actor, action).await?;
    if queries::count(tx.conn(), actor.workspace).await? >= STREAMS_MAX {
        return Err(AppError::Conflict(format!("A workspace has at most {STREAMS_MAX} streams. Remove one first.")));
    }
    let next = queries::last_seq(tx.conn(), actor.workspace).await? + 1;
    let from = new.from.unwrap_or(next);
    if from > next {
        let text = format!("There is no event {from} yet. The next one is {next}.");
        return Err(AppError::field("from", "not_yet", text));
    }
    // What is not kept any more cannot be sent, and must not be counted as if it had been.
    let oldest = first_kept(tx.conn(), actor.workspace).await?;
    let from = oldest.map_or(from, |(seq, _)| from.max(seq));
    queries::insert(tx.conn(), actor.workspace, id, &new, (sealed.as_deref(), from), ctx.clock.now()).await?;
    if let Some((_, row)) = &shown {
        row.put(tx.conn()).await?;
    }
    let event = about(action, id, &new.name)
        .change("kind", None::<String>, kind.as_str())
        .change("target", None::<String>, new.target.line())
        .change("from_seq", None::<i64>, from);
    tx.commit(event).await?;
    Ok((id, shown.map(|(token, _)| token)))
}

/// The flash that shows a secret made here, once.
async fn shown_once(
    ctx: &Ctx,
    actor: &Actor,
    id: StreamId,
    secret: &SecretString,
    place: &str,
) -> Result<(SecretString, flash::Row), AppError> {
    let shown = Flash::StreamSecret { id, secret: secret.expose_secret().to_owned() };
    flash::seal(ctx, actor.workspace, place, &shown).await
}

async fn seal(
    ctx: &Ctx,
    workspace: WorkspaceId,
    id: StreamId,
    secret: Option<&SecretString>,
) -> Result<Option<Vec<u8>>, AppError> {
    match secret {
        Some(secret) => sealed(ctx, workspace, id, secret.expose_secret()).await.map(Some),
        None => Ok(None),
    }
}

async fn sealed(ctx: &Ctx, workspace: WorkspaceId, id: StreamId, secret: &str) -> Result<Vec<u8>, AppError> {
    ctx.vault.seal(workspace, &delivery::place(workspace, &id), secret.as_bytes()).await
}

/// Changes name, address and authorities, and the secret where one is typed; the kind stays. A token that the target is given has
/// to be typed again when the stream is led to another host. No change, no event.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Invalid`] naming every field that is wrong; [`AppError::ProofNeeded`].
pub async fn change(ctx: &Ctx, actor: &Actor, id: StreamId, text: &StreamText) -> Result<(), AppError> {
    let action = Action::StreamChanged;
    ctx.authorise(actor, PERMISSION, action).await?;
    let before = find(ctx, actor.workspace, id).await?;
    let new = text.parse(before.target.kind(), &ctx.egress)?;
    if new.secret.is_none() && needs_secret_again(&before.target, &new.target, &ctx.egress) {
        let text = "The stream is led elsewhere. The secret that was given for the target before is not sent there: type it again.";
        return Err(AppError::field("secret", "required", text));
    }
    ctx.demand_proof(actor, about(action, id, &before.name), intent("Send the audit log from now on", actor, &new))
        .await?;
    let sealed = seal(ctx, actor.workspace, id, new.secret.as_ref()).await?;
    let mut events = vec![];
    let mut tx = change_with(ctx, actor, action).await?;
    let now = ctx.clock.now();
    if (&before.name, &before.target, &before.authorities) != (&new.name, &new.target, &new.authorities) {
        queries::change(tx.conn(), actor.workspace, id, &new, now).await?;
        events.push(changed(id, &before, &new));
    }
    if let Some(sealed) = &sealed {
        queries::set_secret(tx.conn(), actor.workspace, id, sealed, now).await?;
        events.push(about(Action::StreamSecretReplaced, id, &new.name));
    }
    let Some(last) = events.pop() else { return Ok(()) };
    tx.commit_all(events, last).await
}

fn changed(id: StreamId, before: &StreamView, after: &NewStream) -> Event {
    about(Action::StreamChanged, id, &after.name)
        .change("name", before.name.as_str(), after.name.as_str())
        .change("target", before.target.line(), after.target.line())
        .change("authorities", !before.authorities.is_empty(), !after.authorities.is_empty())
}

/// Replaces the secret that was made here by a new one. Returns the token that opens the flash of the page at `place`, which shows
/// it once.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Conflict`] for a kind whose secret is not made here; [`AppError::ProofNeeded`].
pub async fn replace_secret(ctx: &Ctx, actor: &Actor, id: StreamId, place: &str) -> Result<SecretString, AppError> {
    let action = Action::StreamSecretReplaced;
    ctx.authorise(actor, PERMISSION, action).await?;
    let stream = find(ctx, actor.workspace, id).await?;
    if stream.target.kind() != Kind::Https {
        return Err(AppError::Conflict(
            "The secret of this stream is its target's: type the new one where it goes.".into(),
        ));
    }
    let asked = Intent::new(actor.workspace, format!("Replace the secret of the stream {}", stream.name), id);
    ctx.demand_proof(actor, about(action, id, &stream.name), asked).await?;
    let secret = signing::new_secret();
    let (token, shown) = shown_once(ctx, actor, id, &secret, place).await?;
    let sealed = sealed(ctx, actor.workspace, id, secret.expose_secret()).await?;
    let mut tx = change_with(ctx, actor, action).await?;
    queries::set_secret(tx.conn(), actor.workspace, id, &sealed, ctx.clock.now()).await?;
    shown.put(tx.conn()).await?;
    tx.commit(about(action, id, &stream.name)).await?;
    Ok(token)
}

/// Stops sending. Events wait meanwhile. May be repeated.
///
/// # Errors
/// [`AppError::NotFound`].
pub async fn pause(ctx: &Ctx, actor: &Actor, id: StreamId) -> Result<StreamView, AppError> {
    set_state(ctx, actor, id, State::Paused, Action::StreamPaused).await
}

/// Goes on where it stopped, at once. May be repeated.
///
/// # Errors
/// [`AppError::NotFound`].
pub async fn resume(ctx: &Ctx, actor: &Actor, id: StreamId) -> Result<StreamView, AppError> {
    set_state(ctx, actor, id, State::Active, Action::StreamResumed).await
}

async fn set_state(
    ctx: &Ctx,
    actor: &Actor,
    id: StreamId,
    state: State,
    action: Action,
) -> Result<StreamView, AppError> {
    ctx.authorise(actor, PERMISSION, action).await?;
    let stream = find(ctx, actor.workspace, id).await?;
    let mut tx = change_with(ctx, actor, action).await?;
    if !queries::set_state(tx.conn(), actor.workspace, id, state, ctx.clock.now()).await? {
        return Ok(stream);
    }
    let event = about(action, id, &stream.name).change("state", stream.state.as_str(), state.as_str());
    tx.commit(event).await?;
    Ok(StreamView { state, ..stream })
}

/// Sends a sample, which is no event, and tells what the target said.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Throttled`]. That the target does not take it is no error.
pub async fn test(ctx: &Ctx, actor: &Actor, id: StreamId) -> Result<Sampled, AppError> {
    let action = Action::StreamTested;
    ctx.authorise(actor, PERMISSION, action).await?;
    let (stream, now) = (find(ctx, actor.workspace, id).await?, ctx.clock.now());
    if let Some(seconds) = stream.tested_at.and_then(|at| wait(at, now)) {
        return Err(AppError::Throttled(seconds));
    }
    let secret = queries::secret(ctx.db.read(actor.workspace).await?.conn(), actor.workspace, id).await?;
    let taken = match delivery::open(ctx, actor.workspace, id, secret.as_deref()).await {
        Ok(secret) => {
            let recipient = Recipient { target: stream.target, authorities: stream.authorities, secret };
            recipient.take(ctx, &Batch::sample(actor.workspace, id, now)).await
        }
        Err(failure) => Err(failure),
    };
    let event = about(action, id, &stream.name);
    let (sampled, event) = match taken {
        Ok(said) => (Sampled { accepted: true, said }, event),
        Err(failure) => {
            let said = failure.to_string();
            (Sampled { accepted: false, said }, event.because(Outcome::Failed, failure.word()))
        }
    };
    let mut tx = ctx.db.change(actor).await?;
    queries::set_tested(tx.conn(), actor.workspace, id, now).await?;
    tx.commit(event).await?;
    Ok(sampled)
}

/// Seconds until there may be another sample.
fn wait(tested_at: OffsetDateTime, now: OffsetDateTime) -> Option<u32> {
    let left = TEST_SECONDS - (now - tested_at).whole_seconds();
    u32::try_from(left).ok().filter(|left| *left > 0)
}

/// Removes a stream, by whoever types its name. What it has not sent is not sent.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Invalid`] for another name; [`AppError::ProofNeeded`].
pub async fn remove(ctx: &Ctx, actor: &Actor, id: StreamId, typed: &str) -> Result<StreamView, AppError> {
    let action = Action::StreamRemoved;
    ctx.authorise(actor, PERMISSION, action).await?;
    let stream = find(ctx, actor.workspace, id).await?;
    if typed.trim() != stream.name {
        return Err(AppError::field("confirm", "other_name", "This is not the name of the stream."));
    }
    let asked = Intent::new(actor.workspace, format!("Remove the stream {}", stream.name), id);
    ctx.demand_proof(actor, about(action, id, &stream.name), asked).await?;
    let mut tx = change_with(ctx, actor, action).await?;
    queries::delete(tx.conn(), actor.workspace, id).await?;
    let event = about(action, id, &stream.name).change("target", stream.target.line(), None::<String>).change(
        "next_seq",
        stream.next_seq,
        None::<i64>,
    );
    tx.commit(event).await?;
    Ok(stream)
}

/// Under the workspace's lock, by somebody who still may.
async fn change_with(ctx: &Ctx, actor: &Actor, action: Action) -> Result<WorkspaceTx, AppError> {
    let mut tx = ctx.db.change(actor).await?;
    members::operations::present_role(ctx, actor, &mut tx, PERMISSION, action).await?;
    Ok(tx)
}

fn about(action: Action, id: StreamId, name: &str) -> Event {
    Event::new(action).under(PERMISSION).on("stream", id, Some(name))
}

fn intent(verb: &str, actor: &Actor, new: &NewStream) -> Intent {
    let words = format!("{verb} to {} ({}), as {}", new.target.line(), new.target.kind().label(), new.name);
    let secret = new.secret.as_ref().map(|secret| secret.expose_secret());
    Intent::new(actor.workspace, words, (&new.target, &new.authorities, secret, new.from))
}
