//! Making streams, looking at them, and what their owners do with them. The sending itself is in `delivery.rs`.

use super::{
    Kind, NewStream, STREAMS_MAX, Sampled, State, StreamText, StreamView, TEST_SECONDS, batch::Batch, delivery,
    needs_secret_again, parcel::Recipient, queries, signing,
};
use crate::{
    Actor, AppError, Ctx,
    audit_log::{Action, Event, Outcome},
    database::WorkspaceTx,
    flash::{self, Flash},
    ids::{StreamId, WorkspaceId},
    intent::Intent,
    members,
    permissions::Permission,
};
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;
use zeroize::Zeroizing;

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

/// Whether the actor may have streams at all; a page asks before it shows a form.
pub async fn may_stream(ctx: &Ctx, actor: &Actor, attempted: Action) -> Result<(), AppError> {
    ctx.authorise(actor, PERMISSION, attempted).await
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

/// Makes a stream, which begins at once. Returns its id, and, where the secret is made here, the token that opens the flash of
/// the page at `place`, which shows it once.
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
    let (secret, shown) = secret_of(ctx, actor, id, kind, new.secret.as_deref(), &place(id)).await?;
    let sealed = seal(ctx, actor.workspace, id, secret.as_deref()).await?;
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
    queries::insert(tx.conn(), actor.workspace, id, &new, (sealed.as_deref(), from), ctx.clock.now()).await?;
    let token = put_shown(&mut tx, shown).await?;
    let event = about(action, id, &new.name)
        .change("kind", None::<String>, kind.as_str())
        .change("target", None::<String>, new.target.line())
        .change("from_seq", None::<i64>, from);
    tx.commit(event).await?;
    Ok((id, token))
}

type Shown = Option<(SecretString, flash::Row)>;

/// The secret that the stream will have: the one typed, or one made here, with the flash that shows it once.
async fn secret_of(
    ctx: &Ctx,
    actor: &Actor,
    id: StreamId,
    kind: Kind,
    typed: Option<&str>,
    place: &str,
) -> Result<(Option<Zeroizing<String>>, Shown), AppError> {
    if kind != Kind::Https {
        return Ok((typed.map(|typed| Zeroizing::new(typed.to_owned())), None));
    }
    let secret = signing::new_secret();
    let shown = Flash::StreamSecret { id, secret: secret.expose_secret().to_owned() };
    let shown = flash::seal(ctx, actor.workspace, place, &shown).await?;
    Ok((Some(Zeroizing::new(secret.expose_secret().to_owned())), Some(shown)))
}

async fn put_shown(tx: &mut WorkspaceTx, shown: Shown) -> Result<Option<SecretString>, AppError> {
    let Some((token, row)) = shown else { return Ok(None) };
    row.put(tx.conn()).await?;
    Ok(Some(token))
}

async fn seal(
    ctx: &Ctx,
    workspace: WorkspaceId,
    id: StreamId,
    secret: Option<&String>,
) -> Result<Option<Vec<u8>>, AppError> {
    let Some(secret) = secret else { return Ok(None) };
    ctx.vault.seal(workspace, &delivery::place(workspace, &id), secret.as_bytes()).await.map(Some)
}

/// Changes name, address and authorities; the kind stays. A token that the target is given has to be typed again when the
/// stream is led to another host.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Invalid`] naming every field that is wrong; [`AppError::ProofNeeded`].
pub async fn change(ctx: &Ctx, actor: &Actor, id: StreamId, text: &StreamText) -> Result<(), AppError> {
    let action = Action::StreamChanged;
    ctx.authorise(actor, PERMISSION, action).await?;
    let before = find(ctx, actor.workspace, id).await?;
    let kind = before.target.kind();
    let new = text.parse(kind, &ctx.egress)?;
    if new.secret.is_none() && needs_secret_again(&before.target, &new.target, &ctx.egress) {
        let text = "The stream is led elsewhere. The secret that was given for the target before is not sent there: type it again.";
        return Err(AppError::field("secret", "required", text));
    }
    ctx.demand_proof(actor, about(action, id, &before.name), intent("Send the audit log from now on", actor, &new)).await?;
    let sealed = seal(ctx, actor.workspace, id, new.secret.clone().as_ref()).await?;
    let mut tx = change_with(ctx, actor, action).await?;
    let now = ctx.clock.now();
    queries::change(tx.conn(), actor.workspace, id, &new, now).await?;
    if let Some(sealed) = &sealed {
        queries::set_secret(tx.conn(), actor.workspace, id, sealed, now).await?;
    }
    let mut event = about(action, id, &new.name)
        .change("name", before.name, new.name)
        .change("target", before.target.line(), new.target.line())
        .change("authorities", !before.authorities.is_empty(), !new.authorities.is_empty());
    if sealed.is_some() {
        event = event.change("secret", "replaced", "replaced");
    }
    tx.commit(event).await
}

/// Replaces the secret: by the one typed, or, where it is made here, by a new one. Returns what [`create`] does.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Invalid`]; [`AppError::Conflict`] for a kind that has none; [`AppError::ProofNeeded`].
pub async fn replace_secret(
    ctx: &Ctx,
    actor: &Actor,
    id: StreamId,
    typed: &str,
    place: &str,
) -> Result<Option<SecretString>, AppError> {
    let action = Action::StreamSecretReplaced;
    ctx.authorise(actor, PERMISSION, action).await?;
    let stream = find(ctx, actor.workspace, id).await?;
    let kind = stream.target.kind();
    let typed = super::parse_secret(kind, typed)?;
    if kind == Kind::Syslog {
        return Err(AppError::Conflict("A stream to syslog has no secret.".into()));
    }
    if kind.secret_label().is_some() && typed.is_none() {
        return Err(AppError::field("secret", "required", "Type the new one."));
    }
    let words = format!("Replace the secret of the stream {}", stream.name);
    let asked = Intent::new(actor.workspace, words, (id, typed.as_deref()));
    ctx.demand_proof(actor, about(action, id, &stream.name), asked).await?;
    let (secret, shown) = secret_of(ctx, actor, id, kind, typed.as_deref(), place).await?;
    let sealed = seal(ctx, actor.workspace, id, secret.as_deref()).await?.ok_or(AppError::Internal)?;
    let mut tx = change_with(ctx, actor, action).await?;
    queries::set_secret(tx.conn(), actor.workspace, id, &sealed, ctx.clock.now()).await?;
    let token = put_shown(&mut tx, shown).await?;
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
    let secret = delivery::open(ctx, actor.workspace, id, secret.as_deref()).await?;
    let recipient = Recipient { target: stream.target, authorities: stream.authorities, secret };
    let taken = recipient.take(ctx, &Batch::sample(actor.workspace, id, now)).await;
    let event = about(action, id, &stream.name);
    let (sampled, event) = match taken {
        Ok(said) => (Sampled { accepted: true, said }, event),
        Err(failure) => {
            let said = failure.to_string();
            (Sampled { accepted: false, said }, event.because(Outcome::Failed, "not_taken"))
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
    let event = about(action, id, &stream.name)
        .change("target", stream.target.line(), None::<String>)
        .change("next_seq", stream.next_seq, None::<i64>);
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
    Intent::new(actor.workspace, words, (&new.target, &new.authorities, new.secret.as_deref(), new.from))
}
