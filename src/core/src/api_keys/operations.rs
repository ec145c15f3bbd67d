//! Issuing, showing, revoking and recognising keys.

use super::{KeySecret, KeyView, Mode, NewKey, Page, REASON_MAX, Status, Summary, line, queries, recogniser::Asked};
use crate::{
    Actor, AppError, Ctx,
    actor::{Request, Who},
    allowlist::{Door, Verdict, gate},
    audit_log::{Action, Event},
    contacts::NoticeKind,
    flash::{self, Flash},
    ids::{KeyId, WorkspaceId},
    intent::Intent,
    mail::notices,
    permissions::Permission,
};
use secrecy::SecretString;

/// The longest page.
pub const LIMIT_MAX: u32 = 100;

/// A key just issued. It is not to be had again.
#[derive(Debug)]
pub struct Issued {
    /// The id, which is no secret.
    pub id: KeyId,
    /// The key.
    pub secret: KeySecret,
}

/// Issues a key. Whoever issues one must hold every scope that it will have.
///
/// # Errors
/// [`AppError::Forbidden`] naming the permission that is missing.
pub async fn issue(ctx: &Ctx, actor: &Actor, new: NewKey) -> Result<Issued, AppError> {
    let issued = Issued { id: KeyId::new(), secret: KeySecret::generate(new.kind) };
    issue_as(ctx, actor, new, &issued, None).await?;
    Ok(issued)
}

/// Issues a key and leaves it, sealed, for the one page that shows it once. Returns the key's id, and the token that
/// opens the page's flash.
pub async fn issue_for_page(
    ctx: &Ctx,
    actor: &Actor,
    new: NewKey,
    place: impl Fn(KeyId) -> String,
) -> Result<(KeyId, SecretString), AppError> {
    let issued = Issued { id: KeyId::new(), secret: KeySecret::generate(new.kind) };
    let shown = Flash::Key { id: issued.id, key: issued.secret.expose().to_owned() };
    let (token, row) = flash::seal(ctx, actor.workspace, &place(issued.id), &shown).await?;
    issue_as(ctx, actor, new, &issued, Some(row)).await?;
    Ok((issued.id, token))
}

async fn issue_as(
    ctx: &Ctx,
    actor: &Actor,
    new: NewKey,
    issued: &Issued,
    shown: Option<flash::Row>,
) -> Result<(), AppError> {
    ctx.authorise(actor, Permission::KeysIssue, Action::ApiKeyIssued).await?;
    for scope in &new.scopes {
        ctx.authorise(actor, *scope, Action::ApiKeyIssued).await?;
    }
    let attempted = Event::new(Action::ApiKeyIssued).under(Permission::KeysIssue);
    ctx.demand_proof(actor, attempted, intent_to_issue(actor, &new)).await?;
    let (subject, text) = told(actor, "issued", &new.name);
    let notice = match new.mode {
        Mode::Live => Some(notices::security_notice(ctx, actor.workspace, NoticeKind::Keys, &subject, &text).await?),
        Mode::Test => None,
    };
    let mut tx = ctx.db.change(actor).await?;
    queries::insert(&mut tx, actor, issued, &new, ctx.clock.now()).await?;
    if let Some(notice) = notice {
        notice.put(tx.conn()).await?;
    }
    if let Some(row) = shown {
        row.put(tx.conn()).await?;
    }
    tx.commit(event_of_issue(issued.id, &new)).await
}

fn intent_to_issue(actor: &Actor, new: &NewKey) -> Intent {
    let scopes: Vec<String> = new.scopes.iter().map(ToString::to_string).collect();
    let lasts = new.lifetime.map_or_else(|| "never expires".to_owned(), |days| format!("expires after {days} days"));
    let words = format!(
        "Issue the {} API key {} for {} messages: {}; {lasts}",
        new.kind.as_str(),
        new.name,
        new.mode.as_str(),
        scopes.join(", ")
    );
    Intent::new(actor.workspace, words, (scopes, new.lifetime))
}

/// What the contacts hear of a key that reaches live messages: subject and text.
fn told(actor: &Actor, verb: &str, name: &str) -> (String, String) {
    let text = format!("{} {verb} the API key {name}, which reaches live messages.", notices::who(actor));
    (format!("API key {name} was {verb}"), text)
}

fn event_of_issue(id: KeyId, new: &NewKey) -> Event {
    let scopes: Vec<String> = new.scopes.iter().map(ToString::to_string).collect();
    Event::new(Action::ApiKeyIssued)
        .under(Permission::KeysIssue)
        .on("api_key", id, Some(&new.name))
        .change("name", None::<String>, new.name.clone())
        .change("kind", None::<String>, new.kind.as_str())
        .change("mode", None::<String>, new.mode.as_str())
        .change("scopes", None::<String>, scopes)
        .change("lifetime", None::<String>, new.lifetime)
}

/// Whether the actor may issue keys at all; a page asks before it shows a form.
pub async fn may_issue(ctx: &Ctx, actor: &Actor, attempted: Action) -> Result<(), AppError> {
    ctx.authorise(actor, Permission::KeysIssue, attempted).await
}

/// One page of keys, newest first; after the key with the given id.
pub async fn list(
    ctx: &Ctx,
    actor: &Actor,
    after: Option<KeyId>,
    limit: u32,
    attempted: Action,
) -> Result<Page, AppError> {
    ctx.authorise(actor, Permission::KeysRead, attempted).await?;
    let limit = limit.clamp(1, LIMIT_MAX);
    let mut read = ctx.db.read(actor.workspace).await?;
    let mut keys = queries::page(read.conn(), actor.workspace, after, limit + 1, ctx.clock.now()).await?;
    let more = keys.len() > limit as usize;
    keys.truncate(limit as usize);
    let older = keys.last().filter(|_| more).map(|key| key.id);
    Ok(Page { keys, older })
}

/// How many keys there are, and those that somebody should look at.
pub async fn summary(ctx: &Ctx, actor: &Actor) -> Result<Summary, AppError> {
    ctx.authorise(actor, Permission::KeysRead, Action::PageViewed).await?;
    let mut read = ctx.db.read(actor.workspace).await?;
    queries::summary(read.conn(), actor.workspace, ctx.clock.now()).await
}

/// One key.
///
/// # Errors
/// [`AppError::NotFound`] for an unknown id and for another workspace's alike.
pub async fn show(ctx: &Ctx, actor: &Actor, id: KeyId, attempted: Action) -> Result<KeyView, AppError> {
    ctx.authorise(actor, Permission::KeysRead, attempted).await?;
    find(ctx, actor.workspace, id).await
}

async fn find(ctx: &Ctx, workspace: WorkspaceId, id: KeyId) -> Result<KeyView, AppError> {
    let mut read = ctx.db.read(workspace).await?;
    queries::find(read.conn(), workspace, id, ctx.clock.now()).await?.ok_or(AppError::NotFound)
}

/// Revokes a key at once and for good. May be repeated: the first reason stays.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Forbidden`], [`AppError::Invalid`] for a reason that is too long.
pub async fn revoke(ctx: &Ctx, actor: &Actor, id: KeyId, reason: &str) -> Result<KeyView, AppError> {
    ctx.authorise(actor, Permission::KeysRevoke, Action::ApiKeyRevoked).await?;
    let reason = parse_reason(reason)?;
    let now = ctx.clock.now();
    ctx.vault.warm(actor.workspace).await?;
    let mut tx = ctx.db.change(actor).await?;
    if queries::revoke(tx.conn(), actor, id, reason.as_deref(), now).await? {
        let key = queries::find(tx.conn(), actor.workspace, id, now).await?.ok_or(AppError::NotFound)?;
        if key.mode == Mode::Live {
            let (subject, text) = told(actor, "revoked", &key.name);
            notices::tell_contacts(ctx, actor, &mut tx, NoticeKind::Keys, &subject, &text).await?;
        }
        tx.commit(event_of_revocation(&key, reason)).await?;
        return Ok(key);
    }
    // Unknown, another workspace's, or revoked before.
    queries::find(tx.conn(), actor.workspace, id, now).await?.ok_or(AppError::NotFound)
}

fn parse_reason(reason: &str) -> Result<Option<String>, AppError> {
    if reason.trim().is_empty() {
        return Ok(None);
    }
    Ok(Some(line("reason", reason, REASON_MAX)?))
}

fn event_of_revocation(key: &KeyView, reason: Option<String>) -> Event {
    Event::new(Action::ApiKeyRevoked)
        .under(Permission::KeysRevoke)
        .on("api_key", key.id, Some(&key.name))
        .change("status", "active", "revoked")
        .change("reason", None::<String>, reason)
}

/// Whoever knocks with a key: who that is as far as known, and why they may not come in.
pub struct Caller {
    /// The key's actor; anonymous when no key is known.
    pub actor: Actor,
    /// The slug and name of the key's workspace.
    pub workspace: Option<(String, String)>,
    /// Why not.
    pub refused: Option<AppError>,
}

impl Caller {
    fn nobody(request: Request, code: &str) -> Self {
        Self {
            actor: Actor::anonymous(request),
            workspace: None,
            refused: Some(AppError::Unauthenticated(code.to_owned())),
        }
    }
}

/// Recognises the key of an `Authorization: Bearer` header. What is wrong with it is said only of a key whose checksum
/// is right and which exists.
///
/// # Errors
/// [`AppError::Unavailable`] when the database cannot be asked.
pub async fn recognise(ctx: &Ctx, bearer: Option<&str>, request: Request) -> Result<Caller, AppError> {
    let Some(bearer) = bearer else { return Ok(Caller::nobody(request, "missing_key")) };
    let Some(secret) = KeySecret::parse(bearer) else { return Ok(Caller::nobody(request, "malformed_key")) };
    let now = ctx.clock.now();
    let asked = Asked { hash: secret.hash(), address: request.address.clone() };
    let Some(known) = ctx.keys.find(asked, now).await? else {
        return Ok(Caller::nobody(request, "unknown_key"));
    };
    let refused = match Status::at(now, known.expires_at, known.revoked_at) {
        Status::Active => gate::refusal(known.verdict, &request),
        Status::Expired => Some(AppError::Unauthenticated("expired_key".into())),
        Status::Revoked => Some(AppError::Unauthenticated("revoked_key".into())),
    };
    if refused.is_none() {
        ctx.last_uses.note(known.workspace, known.id, now);
    }
    let who = Who::ApiKey { id: known.id, name: known.name, kind: known.kind, mode: known.mode, scopes: known.scopes };
    let actor = Actor { workspace: known.workspace, who, request };
    if refused.is_none() && known.verdict == Verdict::WouldBlock {
        gate::note(ctx, &actor, Door::Api).await?;
    }
    Ok(Caller { actor, workspace: Some((known.slug, known.workspace_name)), refused })
}
