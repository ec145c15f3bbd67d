//! Naming security contacts, and saying yes to being one.
//!
//! A workspace always has somebody who is told: the last one cannot be removed, and when the last one leaves the
//! workspace, the owners take over.

use super::{
    CONTACTS_MAX, ContactOffer, ContactView, HOURS, NoticeKind, Standing, TEST_SECONDS, parse_kinds,
    queries::{self, New, Who as Named},
};
use crate::{
    Actor, AppError, Ctx,
    accounts::parse_email,
    actor::{Request, Who},
    audit_log::{Action, Event},
    database::WorkspaceTx,
    error::Checks,
    ids::{ContactId, UserId, WorkspaceId},
    mail::{self, Letter, notices},
    members,
    permissions::Permission,
    secrets, workspaces,
};
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

/// All contacts, the oldest first. No more than [`CONTACTS_MAX`].
pub async fn list(ctx: &Ctx, actor: &Actor, attempted: Action) -> Result<Vec<ContactView>, AppError> {
    ctx.authorise(actor, Permission::ContactsManage, attempted).await?;
    let mut read = ctx.db.read(actor.workspace).await?;
    queries::all(read.conn(), actor.workspace).await
}

/// One contact.
///
/// # Errors
/// [`AppError::NotFound`] for an unknown id and for another workspace's alike.
pub async fn show(ctx: &Ctx, actor: &Actor, id: ContactId, attempted: Action) -> Result<ContactView, AppError> {
    one(list(ctx, actor, attempted).await?, id)
}

fn one(contacts: Vec<ContactView>, id: ContactId) -> Result<ContactView, AppError> {
    contacts.into_iter().find(|contact| contact.id == id).ok_or(AppError::NotFound)
}

/// Whether anybody is told but whom the workspace began with.
pub async fn is_named(ctx: &Ctx, actor: &Actor) -> Result<bool, AppError> {
    ctx.authorise(actor, Permission::ContactsManage, Action::PageViewed).await?;
    let mut read = ctx.db.read(actor.workspace).await?;
    queries::is_named(read.conn(), actor.workspace).await
}

/// What became of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// A member's: they are told from now on.
    Member(String),
    /// One outside: a link is on its way, and nothing else until it was opened.
    Asked(String),
}

/// Names a contact. The address of a member makes them one; any other is asked by mail first. Naming an address again that
/// has not said yes sends it a new link, and voids the one before.
///
/// # Errors
/// [`AppError::Invalid`] for what is no address and for no kinds; [`AppError::Conflict`] for who is one already and for
/// too many.
pub async fn add(ctx: &Ctx, actor: &Actor, email: &str, kinds: &[String]) -> Result<Added, AppError> {
    let (permission, action) = (Permission::ContactsManage, Action::ContactAdded);
    ctx.authorise(actor, permission, action).await?;
    let mut checks = Checks::default();
    let (email, kinds) = (checks.keep(parse_email("email", email)), checks.keep(parse_kinds(kinds)));
    checks.finish()?;
    let (Some(email), Some(kinds)) = (email, kinds) else { return Err(AppError::Internal) };
    let token = secrets::token();
    let letter = question(ctx, actor, &email, &token).await?;
    let mut tx = change(ctx, actor, action).await?;
    let contacts = queries::all(tx.conn(), actor.workspace).await?;
    let known = contacts.iter().find(|contact| contact.email == email);
    if known.is_some_and(ContactView::is_told) {
        return Err(AppError::Conflict(format!("{email} is a contact already.")));
    }
    if known.is_none() && contacts.len() as i64 >= CONTACTS_MAX {
        return Err(AppError::Conflict(format!("At most {CONTACTS_MAX} contacts. Remove one that nobody needs.")));
    }
    let now = ctx.clock.now();
    let (id, until) = (known.map_or_else(ContactId::new, |known| known.id), now + Duration::hours(HOURS));
    let member = members::person_by_email(tx.conn(), &email).await?;
    let event = added(id, &email, &kinds);
    if let (Some(user), None) = (member, known) {
        let new = New { id, who: Named::Member(user), kinds: &kinds, added_by: actor.user(), now };
        queries::insert(tx.conn(), actor.workspace, &new).await?;
        return tx.commit(event).await.map(|()| Added::Member(email));
    }
    if known.is_some() {
        queries::renew(tx.conn(), actor.workspace, id, &kinds, until).await?;
    } else {
        let new = New { id, who: Named::Address(&email, until), kinds: &kinds, added_by: actor.user(), now };
        queries::insert(tx.conn(), actor.workspace, &new).await?;
    }
    queries::register(tx.conn(), id, &secrets::hash(token.expose_secret())).await?;
    letter.put(tx.conn()).await?;
    tx.commit(event).await.map(|()| Added::Asked(email))
}

/// Whoever changes contacts waits here for whoever does so already: two must not remove the last two at once.
async fn change(ctx: &Ctx, actor: &Actor, attempted: Action) -> Result<WorkspaceTx, AppError> {
    let mut tx = ctx.db.change(actor).await?;
    members::operations::present_role(ctx, actor, &mut tx, Permission::ContactsManage, attempted).await?;
    Ok(tx)
}

async fn question(
    ctx: &Ctx,
    actor: &Actor,
    email: &str,
    token: &SecretString,
) -> Result<mail::operations::Sealed, AppError> {
    let workspace = workspaces::operations::show(ctx, actor, Action::ContactAdded).await?.name;
    let letter = Letter {
        to: email.to_owned(),
        subject: format!("Security contact of {workspace} on send0"),
        text: format!(
            "{} names this address as a security contact of {workspace}: it would be told of changes to keys, people and \
             policies.\n\nOpen the link within {HOURS} hours to agree. It works once. If you expected nothing like this, do \
             nothing, and nothing more is sent.",
            notices::who(actor)
        ),
        link: Some(format!("{}/contacts/{}", ctx.origin, token.expose_secret())),
    };
    mail::operations::seal(ctx, actor.workspace, &letter).await
}

fn about(action: Action, id: ContactId, called: &str) -> Event {
    Event::new(action).under(Permission::ContactsManage).on("contact", id, Some(called))
}

fn words(kinds: &[NoticeKind]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.as_str()).collect()
}

fn added(id: ContactId, email: &str, kinds: &[NoticeKind]) -> Event {
    about(Action::ContactAdded, id, email).change("email", None::<String>, email).change(
        "kinds",
        None::<String>,
        words(kinds),
    )
}

/// Changes what a contact is told about. No change, no event.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Invalid`] for no kinds.
pub async fn change_kinds(ctx: &Ctx, actor: &Actor, id: ContactId, kinds: &[String]) -> Result<ContactView, AppError> {
    let action = Action::ContactChanged;
    ctx.authorise(actor, Permission::ContactsManage, action).await?;
    let kinds = parse_kinds(kinds)?;
    let mut tx = change(ctx, actor, action).await?;
    let contact = one(queries::all(tx.conn(), actor.workspace).await?, id)?;
    if contact.kinds == kinds {
        return Ok(contact);
    }
    queries::set_kinds(tx.conn(), actor.workspace, id, &kinds).await?;
    let event = about(action, id, contact.called()).change("kinds", words(&contact.kinds), words(&kinds));
    tx.commit(event).await?;
    Ok(ContactView { kinds, ..contact })
}

/// Removes a contact: nothing more is sent there, and a link that waits is void.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Conflict`] for the last one who is told anything.
pub async fn remove(ctx: &Ctx, actor: &Actor, id: ContactId) -> Result<ContactView, AppError> {
    let action = Action::ContactRemoved;
    ctx.authorise(actor, Permission::ContactsManage, action).await?;
    let mut tx = change(ctx, actor, action).await?;
    let contacts = queries::all(tx.conn(), actor.workspace).await?;
    let told = contacts.iter().filter(|contact| contact.is_told()).count();
    let contact = one(contacts, id)?;
    let event = about(action, id, contact.called());
    if contact.is_told() && told == 1 {
        drop(tx);
        let text = "A workspace keeps a security contact, and this is the last one. Name another first.";
        return ctx.refuse(actor, event, "last_contact", AppError::Conflict(text.into())).await;
    }
    queries::delete(tx.conn(), actor.workspace, id).await?;
    tx.commit(event.change("email", contact.email.clone(), None::<String>)).await?;
    Ok(contact)
}

/// Sends a test to one contact, to see that mail arrives.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Conflict`] for an address that has not said yes; [`AppError::Throttled`].
pub async fn test(ctx: &Ctx, actor: &Actor, id: ContactId) -> Result<ContactView, AppError> {
    let (action, now) = (Action::ContactTested, ctx.clock.now());
    ctx.authorise(actor, Permission::ContactsManage, action).await?;
    ctx.vault.warm(actor.workspace).await?;
    let mut tx = change(ctx, actor, action).await?;
    let contact = one(queries::all(tx.conn(), actor.workspace).await?, id)?;
    if let Standing::Waits(_) = contact.standing {
        return Err(AppError::Conflict(format!("{} has not said yes. Nothing is sent there before.", contact.email)));
    }
    if let Some(seconds) = contact.tested_at.and_then(|at| wait(at, now)) {
        return Err(AppError::Throttled(seconds));
    }
    let text = format!(
        "{} sends you this test: notices about the security of the workspace reach you here.",
        notices::who(actor)
    );
    let letter = Letter {
        to: contact.email.clone(),
        subject: "A test from send0".into(),
        text,
        link: Some(format!("{}/", ctx.origin)),
    };
    queries::set_tested(tx.conn(), actor.workspace, id, now).await?;
    mail::operations::seal(ctx, actor.workspace, &letter).await?.put(tx.conn()).await?;
    tx.commit(about(action, id, contact.called())).await?;
    Ok(ContactView { tested_at: Some(now), ..contact })
}

/// Seconds until there may be another test.
fn wait(tested_at: OffsetDateTime, now: OffsetDateTime) -> Option<u32> {
    let left = TEST_SECONDS - (now - tested_at).whole_seconds();
    u32::try_from(left).ok().filter(|left| *left > 0)
}

/// What the link is for. Looking confirms nothing.
///
/// # Errors
/// [`AppError::NotFound`] for one that is void: used, replaced, called off, or too old.
pub async fn offer(ctx: &Ctx, token: &str) -> Result<ContactOffer, AppError> {
    queries::find(&ctx.db.auth, &secrets::hash(token), ctx.clock.now()).await?.ok_or(AppError::NotFound)
}

/// Says yes for the address whose link this is. Whoever holds it reads that address's mail: no session is needed. Of
/// several at once, one does it.
///
/// # Errors
/// [`AppError::Refused`] for a void link.
pub async fn confirm(ctx: &Ctx, request: &Request, token: &str) -> Result<ContactOffer, AppError> {
    let offer = match offer(ctx, token).await {
        Err(AppError::NotFound) => return refuse_void(ctx, request).await,
        offer => offer?,
    };
    let actor = Actor { workspace: offer.workspace, who: Who::Anonymous, request: request.clone() };
    let mut tx = ctx.db.change(&actor).await?;
    if !queries::confirm(tx.conn(), &offer, &secrets::hash(token), ctx.clock.now()).await? {
        drop(tx);
        return refuse_void(ctx, request).await;
    }
    let event = Event::new(Action::ContactConfirmed).on("contact", offer.id, Some(&offer.email));
    tx.commit(event.change("email", None::<String>, offer.email.clone())).await?;
    Ok(offer)
}

async fn refuse_void<T>(ctx: &Ctx, request: &Request) -> Result<T, AppError> {
    let text =
        "This link is void: it was used, sent again, called off, or it is too old. Ask whoever named you for another.";
    let event = Event::new(Action::ContactConfirmed);
    ctx.refuse(&Actor::anonymous(request.clone()), event, "void_link", AppError::Refused(text.into())).await
}

/// The contact that a workspace begins with: its owner, told everything. Part of making the workspace, and of its event.
pub(crate) async fn begin(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    owner: UserId,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let new = New { id: ContactId::new(), who: Named::Member(owner), kinds: &NoticeKind::ALL, added_by: None, now };
    queries::insert(conn, workspace, &new).await.map(|_| ())
}

/// Somebody is no member any more, and so no contact. Were they the last one, the owners are contacts from now on.
pub(crate) async fn member_gone(
    ctx: &Ctx,
    actor: &Actor,
    tx: &mut WorkspaceTx,
    user: UserId,
    name: &str,
) -> Result<Vec<Event>, AppError> {
    let Some(id) = queries::delete_member(tx.conn(), actor.workspace, user).await? else { return Ok(vec![]) };
    let mut events = vec![Event::new(Action::ContactRemoved).on("contact", id, Some(name))];
    if queries::all(tx.conn(), actor.workspace).await?.iter().any(ContactView::is_told) {
        return Ok(events);
    }
    for (owner, email) in members::owners(tx.conn(), actor.workspace).await? {
        let (id, kinds, now) = (ContactId::new(), &NoticeKind::ALL, ctx.clock.now());
        let new = New { id, who: Named::Member(owner), kinds, added_by: actor.user(), now };
        queries::insert(tx.conn(), actor.workspace, &new).await?;
        events.push(Event::new(Action::ContactAdded).on("contact", id, Some(&email)).change(
            "kinds",
            None::<String>,
            words(kinds),
        ));
    }
    Ok(events)
}
