//! What workspaces and visitors ask of send0 about compliance, and what it answers.

use super::{ComplianceRequest, Message, NewRequest, RequestKind, RequestState, RequestText, documents, queries};
use crate::{
    Actor, AppError, Ctx, accounts,
    actor::Request,
    audit_log::{Action, Event},
    database::WorkspaceTx,
    ids::{ComplianceRequestId, WorkspaceId},
    intent::Intent,
    mail::{notices::account_notice_with, operations::Sealed},
    members, operators,
    permissions::Permission,
    plans::{Plan, plan_of},
    secrets,
    subprocessors::text,
    workspaces,
};
use secrecy::{ExposeSecret, SecretString};
use time::Duration;
use tokio::time::sleep;

/// How long what a visitor wrote waits for them to open the link.
const WAITING_HOURS: i64 = 72;
/// How long a visitor's link shows what was said, from the last answer on.
const LINK_DAYS: i64 = 30;
/// Requests of one workspace that are not over, and messages in one request.
const OPEN_MAX: usize = 20;
const MESSAGES_MAX: usize = 100;
/// Requests for one address, and from one, in an hour.
const FREE_PER_EMAIL: i32 = 3;
const FREE_PER_ADDRESS: i32 = 10;
/// When a visitor is answered: longer than it takes.
const ANSWERS_AFTER: std::time::Duration = std::time::Duration::from_millis(250);

// A workspace ------------------------------------------------------------------------------------------------------

/// Those of the workspace, the newest first.
pub async fn list(ctx: &Ctx, actor: &Actor, attempted: Action) -> Result<Vec<ComplianceRequest>, AppError> {
    ctx.authorise(actor, Permission::ComplianceRequest, attempted).await?;
    queries::requests(ctx.db.read(actor.workspace).await?.conn(), actor.workspace, None).await
}

/// One of them, and what was said.
///
/// # Errors
/// [`AppError::NotFound`].
pub async fn show(
    ctx: &Ctx,
    actor: &Actor,
    id: ComplianceRequestId,
) -> Result<(ComplianceRequest, Vec<Message>), AppError> {
    ctx.authorise(actor, Permission::ComplianceRequest, Action::PageViewed).await?;
    find(ctx, (actor.workspace, id)).await
}

async fn find(
    ctx: &Ctx,
    (workspace, id): (WorkspaceId, ComplianceRequestId),
) -> Result<(ComplianceRequest, Vec<Message>), AppError> {
    let mut read = ctx.db.read(workspace).await?;
    let one = queries::requests(read.conn(), workspace, Some(id)).await?.pop().ok_or(AppError::NotFound)?;
    Ok((one, queries::messages(read.conn(), (workspace, id)).await?))
}

/// Asks for something. Name and address are those of whoever asks, the company is the workspace.
///
/// # Errors
/// [`AppError::Invalid`] with every field that is wrong, also for a BAA below the Scale plan; [`AppError::Conflict`] with too
/// many that are not over.
pub async fn make(ctx: &Ctx, actor: &Actor, email: &str, typed: &RequestText) -> Result<ComplianceRequestId, AppError> {
    let (permission, action) = (Permission::ComplianceRequest, Action::ComplianceRequested);
    ctx.authorise(actor, permission, action).await?;
    ctx.vault.warm(WorkspaceId::PLATFORM).await?;
    let mut tx = ctx.db.change(actor).await?;
    members::operations::present_role(ctx, actor, &mut tx, permission, action).await?;
    let workspace = workspaces::find(tx.conn(), actor.workspace).await?.ok_or(AppError::NotFound)?;
    let name = actor.name().unwrap_or(&workspace.name).to_owned();
    let typed = RequestText { name, email: email.into(), company: workspace.name.clone(), ..typed.clone() };
    let new = typed.parse()?;
    check_document(ctx, &new).await?;
    let plan = plan_of(tx.conn(), actor.workspace).await?.ok_or(AppError::NotFound)?;
    if new.kind == RequestKind::Baa && plan < Plan::Scale {
        let text = format!("A BAA comes with the Scale plan and above; this workspace is on {}.", plan.name());
        return Err(AppError::field("kind", "plan", text));
    }
    let open = queries::requests(tx.conn(), actor.workspace, None).await?;
    if open.iter().filter(|one| !one.state.is_over()).count() >= OPEN_MAX {
        let text = format!("{OPEN_MAX} requests are not over yet. Write more on one of them instead.");
        return Err(AppError::Conflict(text));
    }
    let id = ComplianceRequestId::new();
    insert(ctx, &mut tx, (actor.workspace, id), &new, actor.user()).await?;
    let event = about(action, id, new.kind).under(permission);
    tx.also_on_platform(event.clone().on("workspace", actor.workspace, Some(&workspace.name))).await?;
    tx.commit(event).await?;
    Ok(id)
}

/// What was asked for has to be there.
async fn check_document(ctx: &Ctx, new: &NewRequest) -> Result<(), AppError> {
    let Some(wanted) = new.document else { return Ok(()) };
    if documents::handed_out(ctx).await?.iter().any(|one| one.id == wanted) {
        return Ok(());
    }
    Err(AppError::field("document", "unknown_document", "Choose one of them."))
}

async fn insert(
    ctx: &Ctx,
    tx: &mut WorkspaceTx,
    place: (WorkspaceId, ComplianceRequestId),
    new: &NewRequest,
    by: Option<crate::ids::UserId>,
) -> Result<(), AppError> {
    let now = ctx.clock.now();
    queries::add_request(tx.conn(), place, new, by, now).await?;
    let message = Message { is_ours: false, author: new.name.clone(), body: new.message.clone(), at: now };
    queries::add_message(tx.conn(), place, &message).await?;
    tell_operators(ctx, tx, place, &format!("{} asks: {}", new.company, new.kind.words()), &new.message).await
}

async fn tell_operators(
    ctx: &Ctx,
    tx: &mut WorkspaceTx,
    (workspace, id): (WorkspaceId, ComplianceRequestId),
    subject: &str,
    message: &str,
) -> Result<(), AppError> {
    let link = format!("{}/operator/requests/{workspace}/{id}", ctx.origin);
    for operator in operators::operations::all(tx.conn()).await? {
        let letter = account_notice_with(ctx, &operator.email, subject, message, Some(link.clone())).await?;
        letter.put(tx.conn()).await?;
    }
    Ok(())
}

/// Says more.
///
/// # Errors
/// [`AppError::Invalid`] for an empty message; [`AppError::Conflict`] for a request that is over; [`AppError::NotFound`].
pub async fn write(ctx: &Ctx, actor: &Actor, id: ComplianceRequestId, body: &str) -> Result<(), AppError> {
    let (permission, action) = (Permission::ComplianceRequest, Action::ComplianceWritten);
    ctx.authorise(actor, permission, action).await?;
    let body = text("message", body, super::MESSAGE_MAX)?;
    ctx.vault.warm(WorkspaceId::PLATFORM).await?;
    let mut tx = ctx.db.change(actor).await?;
    members::operations::present_role(ctx, actor, &mut tx, permission, action).await?;
    let one = say(ctx, &mut tx, (actor.workspace, id), actor.name().unwrap_or("Somebody"), &body).await?;
    let event = about(action, id, one.kind).under(permission);
    tx.also_on_platform(event.clone().on("workspace", actor.workspace, one.workspace_name.as_deref())).await?;
    tx.commit(event).await
}

/// The requester's next message.
async fn say(
    ctx: &Ctx,
    tx: &mut WorkspaceTx,
    place: (WorkspaceId, ComplianceRequestId),
    author: &str,
    body: &str,
) -> Result<ComplianceRequest, AppError> {
    let one = writable(tx, place).await?;
    let now = ctx.clock.now();
    let message = Message { is_ours: false, author: author.to_owned(), body: body.to_owned(), at: now };
    queries::add_message(tx.conn(), place, &message).await?;
    queries::set_state(tx.conn(), place, RequestState::Open, now).await?;
    tell_operators(ctx, tx, place, &format!("{} writes more: {}", one.company, one.kind.words()), body).await?;
    Ok(one)
}

/// The request under its lock, if something can be written to it.
async fn writable(
    tx: &mut WorkspaceTx,
    place: (WorkspaceId, ComplianceRequestId),
) -> Result<ComplianceRequest, AppError> {
    let one = queries::lock_request(tx.conn(), place).await?.ok_or(AppError::NotFound)?;
    if one.state.is_over() {
        return Err(AppError::Conflict("This request is over. Make another.".into()));
    }
    if queries::messages(tx.conn(), place).await?.len() >= MESSAGES_MAX {
        return Err(AppError::Conflict(format!("{MESSAGES_MAX} messages are enough for one request. Make another.")));
    }
    Ok(one)
}

// Operators --------------------------------------------------------------------------------------------------------

/// Those of everybody: first what waits.
pub async fn of_all(ctx: &Ctx, actor: &Actor) -> Result<Vec<ComplianceRequest>, AppError> {
    ctx.authorise_operator(actor, Action::PageViewed).await?;
    queries::requests_of_all(ctx.db.read(actor.workspace).await?.conn()).await
}

/// One of anybody's, and what was said.
///
/// # Errors
/// [`AppError::NotFound`].
pub async fn of_anybody(
    ctx: &Ctx,
    actor: &Actor,
    place: (WorkspaceId, ComplianceRequestId),
) -> Result<(ComplianceRequest, Vec<Message>), AppError> {
    ctx.authorise_operator(actor, Action::PageViewed).await?;
    find(ctx, place).await
}

/// Answers, and mails the answer to whoever asked. `then`: `answered`, `closed` or `declined`.
///
/// # Errors
/// [`AppError::Invalid`] with every field that is wrong; [`AppError::Conflict`] for a request that is over;
/// [`AppError::NotFound`]; [`AppError::ProofNeeded`].
pub async fn answer(
    ctx: &Ctx,
    actor: &Actor,
    place: (WorkspaceId, ComplianceRequestId),
    body: &str,
    then: &str,
) -> Result<RequestState, AppError> {
    let unknown = |()| AppError::field("then", "unknown_state", "Choose one of them.");
    let state: RequestState = then.parse().map_err(unknown)?;
    if state == RequestState::Open {
        return Err(unknown(()));
    }
    let action = if state.is_over() { Action::ComplianceClosed } else { Action::ComplianceAnswered };
    ctx.authorise_operator(actor, action).await?;
    let body = text("message", body, super::MESSAGE_MAX)?;
    let (one, _) = of_anybody(ctx, actor, place).await?;
    let event = about(action, one.id, one.kind).change("state", one.state.as_str(), state.as_str());
    let words = format!("Answer {} ({}), {}: {body}", one.company, one.kind.words(), state.words());
    let asked = (place, &body, state);
    ctx.demand_proof(actor, event.clone(), Intent::new(actor.workspace, words, asked)).await?;
    let now = ctx.clock.now();
    let there = Actor { workspace: one.workspace, ..actor.clone() };
    let token = one.workspace_name.is_none().then(secrets::token);
    let letter = letter(ctx, &one, &body, token.as_ref()).await?;
    let mut tx = ctx.db.change(&there).await?;
    writable(&mut tx, place).await?;
    let author = actor.name().unwrap_or("send0").to_owned();
    queries::add_message(tx.conn(), place, &Message { is_ours: true, author, body, at: now }).await?;
    queries::set_state(tx.conn(), place, state, now).await?;
    if let Some(token) = token {
        let hash = secrets::hash(token.expose_secret());
        queries::renew_link(tx.conn(), one.id, &hash, now + Duration::days(LINK_DAYS)).await?;
    }
    letter.put(tx.conn()).await?;
    if one.workspace_name.is_some() {
        tx.also_on_platform(event.clone().on("workspace", one.workspace, None)).await?;
    }
    tx.commit(event).await?;
    Ok(state)
}

/// To the page of the workspace, or to the visitor's own: by another link each time, so that whoever lost one has the newest.
async fn letter(
    ctx: &Ctx,
    one: &ComplianceRequest,
    body: &str,
    token: Option<&SecretString>,
) -> Result<Sealed, AppError> {
    let link = match token {
        Some(token) => format!("{}/compliance/requests/{}", ctx.origin, token.expose_secret()),
        None => {
            let there = workspaces::find(ctx.db.read(one.workspace).await?.conn(), one.workspace).await?;
            format!("{}/w/{}/compliance/{}", ctx.origin, there.ok_or(AppError::NotFound)?.slug, one.id)
        }
    };
    let subject = format!("send0 answers: {}", one.kind.words());
    account_notice_with(ctx, &one.email, &subject, body, Some(link)).await
}

// Visitors ---------------------------------------------------------------------------------------------------------

/// What a visitor's link shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Visitors {
    /// What they wrote, which waits for them to say that it is theirs.
    Waiting(RequestText),
    /// What they sent, and what was said.
    Sent(ComplianceRequest, Vec<Message>),
}

/// Keeps what a visitor wrote, and mails them the link that sends it. Nobody else sees it before.
///
/// # Errors
/// [`AppError::Invalid`] with every field that is wrong, also for a BAA, which is made with a workspace;
/// [`AppError::Throttled`].
pub async fn ask(ctx: &Ctx, request: &Request, typed: &RequestText) -> Result<(), AppError> {
    let new = typed.parse()?;
    if new.kind == RequestKind::Baa {
        let text = "A BAA is made with a workspace on the Scale plan or above: ask for it there.";
        return Err(AppError::field("kind", "plan", text));
    }
    check_document(ctx, &new).await?;
    let from = request.address.as_deref().unwrap_or("local");
    for (what, whose, free) in [
        ("request about compliance to", new.email.as_str(), FREE_PER_EMAIL),
        ("request about compliance from", from, FREE_PER_ADDRESS),
    ] {
        let wait = accounts::attempt(&ctx.db.auth, &secrets::bucket(what, whose), free, ctx.clock.now()).await?;
        if let Some(wait) = wait {
            return Err(AppError::Throttled(wait));
        }
    }
    let (asked, ()) = tokio::join!(keep(ctx, request, typed, &new), sleep(ANSWERS_AFTER));
    asked
}

async fn keep(ctx: &Ctx, request: &Request, typed: &RequestText, new: &NewRequest) -> Result<(), AppError> {
    let (id, token) = (ComplianceRequestId::new(), secrets::token());
    let text = format!(
        "Somebody asks send0 for this, and wants the answer at your address: {}.\n\nOpen the link within {WAITING_HOURS} hours to send \
         the request. If that was not you, do nothing, and nobody ever sees it.",
        new.kind.words()
    );
    let link = format!("{}/compliance/requests/{}", ctx.origin, token.expose_secret());
    let letter = account_notice_with(ctx, &new.email, "Your request to send0", &text, Some(link)).await?;
    let waiting = serde_json::to_value(typed).map_err(|_| AppError::Internal)?;
    let until = ctx.clock.now() + Duration::hours(WAITING_HOURS);
    let mut tx = ctx.db.change(&Actor::anonymous(request.clone())).await?;
    queries::put_link(tx.conn(), &secrets::hash(token.expose_secret()), id, until, &waiting).await?;
    letter.put(tx.conn()).await?;
    tx.commit(about(Action::ComplianceRequested, id, new.kind).change("state", None::<&str>, "unconfirmed")).await
}

/// What the link shows. Looking sends nothing.
///
/// # Errors
/// [`AppError::NotFound`] for one that is void.
pub async fn look(ctx: &Ctx, token: &str) -> Result<Visitors, AppError> {
    let found = queries::find_link(&ctx.db.auth, &secrets::hash(token), ctx.clock.now()).await?;
    match found.ok_or(AppError::NotFound)? {
        (_, Some(waiting)) => serde_json::from_value(waiting).map(Visitors::Waiting).map_err(|_| AppError::Internal),
        (id, None) => find(ctx, (WorkspaceId::PLATFORM, id)).await.map(|(one, said)| Visitors::Sent(one, said)),
    }
}

/// Sends what waits, once.
///
/// # Errors
/// [`AppError::Refused`] for a void link.
pub async fn send(ctx: &Ctx, request: &Request, token: &str) -> Result<(), AppError> {
    let actor = Actor::anonymous(request.clone());
    let now = ctx.clock.now();
    ctx.vault.warm(WorkspaceId::PLATFORM).await?;
    let mut tx = ctx.db.change(&actor).await?;
    let times = (now, now + Duration::days(LINK_DAYS));
    let Some((id, waiting)) = queries::take_waiting(tx.conn(), &secrets::hash(token), times).await? else {
        drop(tx);
        return refuse_void(ctx, request, Action::ComplianceRequested).await;
    };
    let typed: RequestText = serde_json::from_value(waiting).map_err(|_| AppError::Internal)?;
    let new = typed.parse()?;
    insert(ctx, &mut tx, (WorkspaceId::PLATFORM, id), &new, None).await?;
    tx.commit(about(Action::ComplianceRequested, id, new.kind).change("state", "unconfirmed", "open")).await
}

/// Says more, for whoever holds the link.
///
/// # Errors
/// [`AppError::Invalid`] for an empty message; [`AppError::Conflict`] for a request that is over; [`AppError::Refused`] for a
/// void link.
pub async fn write_more(ctx: &Ctx, request: &Request, token: &str, body: &str) -> Result<(), AppError> {
    let action = Action::ComplianceWritten;
    let body = text("message", body, super::MESSAGE_MAX)?;
    let sent = match look(ctx, token).await {
        Ok(Visitors::Sent(one, _)) => one,
        Ok(Visitors::Waiting(_)) | Err(AppError::NotFound) => return refuse_void(ctx, request, action).await,
        Err(error) => return Err(error),
    };
    ctx.vault.warm(WorkspaceId::PLATFORM).await?;
    let mut tx = ctx.db.change(&Actor::anonymous(request.clone())).await?;
    say(ctx, &mut tx, (WorkspaceId::PLATFORM, sent.id), &sent.name, &body).await?;
    tx.commit(about(action, sent.id, sent.kind)).await
}

async fn refuse_void<T>(ctx: &Ctx, request: &Request, action: Action) -> Result<T, AppError> {
    let text = "This link is void: a newer one was mailed, or it is too old. Look for the newest mail, or ask again.";
    let actor = Actor::anonymous(request.clone());
    ctx.refuse(&actor, Event::new(action), "void_link", AppError::Refused(text.into())).await
}

/// Forgets links that are over, with what was never sent.
pub async fn purge(ctx: &Ctx) -> Result<i64, AppError> {
    queries::purge_links(&ctx.db.worker, ctx.clock.now()).await
}

fn about(action: Action, id: ComplianceRequestId, kind: RequestKind) -> Event {
    Event::new(action).on("compliance_request", id, Some(kind.words()))
}
