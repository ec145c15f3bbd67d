//! Inviting people, and coming in with an invitation.

use super::{HOURS, InvitationView, InviteResult, Invited, Offer, PENDING_MAX, addresses, queries};
use crate::{
    Actor, AppError, Ctx,
    accounts::{self, Proof, SignedIn, check_password},
    actor::{Request, Who},
    api_keys::line,
    audit_log::{Action, Event},
    contacts::NoticeKind,
    database::WorkspaceTx,
    error::Checks,
    flash::{self, Flash},
    ids::{InvitationId, MemberId, UserId},
    intent::Intent,
    mail::{self, Letter, notices},
    members,
    permissions::{Permission, Role},
    secrets,
};
use secrecy::{ExposeSecret, SecretString};
use time::Duration;

/// Those that wait, the newest first. No more than [`PENDING_MAX`].
pub async fn pending(ctx: &Ctx, actor: &Actor, attempted: Action) -> Result<Vec<InvitationView>, AppError> {
    ctx.authorise(actor, Permission::MembersInvite, attempted).await?;
    let mut read = ctx.db.read(actor.workspace).await?;
    queries::pending(read.conn(), actor.workspace).await
}

/// How many wait.
pub async fn count(ctx: &Ctx, actor: &Actor) -> Result<i64, AppError> {
    ctx.authorise(actor, Permission::MembersRead, Action::PageViewed).await?;
    let mut read = ctx.db.read(actor.workspace).await?;
    queries::count(read.conn(), actor.workspace).await
}

/// Whether the actor may invite at all; a page asks before it shows a form.
pub async fn may_invite(ctx: &Ctx, actor: &Actor, attempted: Action) -> Result<(), AppError> {
    ctx.authorise(actor, Permission::MembersInvite, attempted).await
}

/// Invites everybody in a pasted text, each as `role`. Those that can be invited are, in one transaction; of the others
/// the result says why not.
///
/// # Errors
/// [`AppError::Invalid`] for no or too many addresses and for no role; [`AppError::Refused`] for a role above one's own;
/// [`AppError::ProofNeeded`].
pub async fn invite(ctx: &Ctx, actor: &Actor, emails: &str, role: &str) -> Result<Vec<Invited>, AppError> {
    ctx.authorise(actor, Permission::MembersInvite, Action::MemberInvited).await?;
    let mut checks = Checks::default();
    let (emails, role) = (checks.keep(addresses(emails)), checks.keep(members::parse_role(role)));
    checks.finish()?;
    let (Some(emails), Some(role)) = (emails, role) else { return Err(AppError::Internal) };
    let words = match emails.as_slice() {
        [first, second, third, _, ..] => {
            format!("Invite {first}, {second}, {third} and {} more as {role}", emails.len() - 3)
        }
        few => format!("Invite {} as {role}", few.join(", ")),
    };
    demand_proof(ctx, actor, Action::MemberInvited, words, &emails).await?;
    let mut invited = vec![];
    for email in emails {
        invited.push(prepare(ctx, actor, email, role).await?);
    }
    let mut tx = ctx.db.change(actor).await?;
    check_role(ctx, actor, &mut tx, Action::MemberInvited, role).await?;
    if queries::count(tx.conn(), actor.workspace).await? + invited.len() as i64 > PENDING_MAX {
        let text = format!("At most {PENDING_MAX} invitations may wait. Revoke some that nobody needs.");
        return Err(AppError::Conflict(text));
    }
    let (mut results, mut events) = (vec![], vec![]);
    for one in invited {
        let result = one.insert(ctx, actor, &mut tx).await?;
        if result == InviteResult::Sent {
            events.push(one.event());
        }
        results.push(Invited { email: one.email, result });
    }
    if role.is_above(Role::Viewer) {
        tell(ctx, actor, &mut tx, role, &results).await?;
    }
    match events.pop() {
        Some(last) => tx.commit_all(events, last).await.map(|()| results),
        None => Ok(results),
    }
}

/// An open session alone hands out no role.
async fn demand_proof(
    ctx: &Ctx,
    actor: &Actor,
    attempted: Action,
    words: String,
    emails: &[String],
) -> Result<(), AppError> {
    let intent = Intent::new(actor.workspace, words, emails);
    ctx.demand_proof(actor, Event::new(attempted).under(Permission::MembersInvite), intent).await
}

/// The contacts hear of whoever is to be an owner or admin.
async fn tell(ctx: &Ctx, actor: &Actor, tx: &mut WorkspaceTx, role: Role, results: &[Invited]) -> Result<(), AppError> {
    let sent = results.iter().filter(|one| one.result == InviteResult::Sent);
    let emails: Vec<&str> = sent.map(|one| one.email.as_str()).collect();
    let subject = match emails.as_slice() {
        [] => return Ok(()),
        [one] => format!("{one} is invited as {role}"),
        many => format!("{} people are invited as {role}", many.len()),
    };
    let text = format!("{} invites as {role}:\n\n{}", notices::who(actor), emails.join("\n"));
    notices::tell_contacts(ctx, actor, tx, NoticeKind::Members, &subject, &text).await
}

/// One address on its way to an invitation. Sealed before the transaction, so that nothing waits for it.
struct Prepared {
    id: InvitationId,
    email: String,
    role: Role,
    /// The token's hash and the mail with the token; none for what is no address.
    letter: Option<([u8; 32], mail::operations::Sealed)>,
}

async fn prepare(ctx: &Ctx, actor: &Actor, email: String, role: Role) -> Result<Prepared, AppError> {
    let letter = match accounts::parse_email("emails", &email) {
        Ok(address) => {
            let token = secrets::token();
            let letter = letter(ctx, actor, &address, role, &token).await?;
            Some((secrets::hash(token.expose_secret()), letter))
        }
        Err(_) => None,
    };
    Ok(Prepared { id: InvitationId::new(), email, role, letter })
}

impl Prepared {
    async fn insert(&self, ctx: &Ctx, actor: &Actor, tx: &mut WorkspaceTx) -> Result<InviteResult, AppError> {
        let Some((hash, letter)) = &self.letter else { return Ok(InviteResult::NotAnAddress) };
        if members::person_by_email(tx.conn(), &self.email).await?.is_some() {
            return Ok(InviteResult::Member);
        }
        let now = ctx.clock.now();
        let (id, role, expires_at) = (self.id, self.role, now + Duration::hours(HOURS));
        let new = queries::New { id, email: &self.email, role, invited_by: actor.user(), now, expires_at };
        if !queries::insert(tx.conn(), actor.workspace, &new).await? {
            return Ok(InviteResult::Invited);
        }
        queries::register(tx.conn(), self.id, hash).await?;
        letter.put(tx.conn()).await?;
        Ok(InviteResult::Sent)
    }

    fn event(&self) -> Event {
        Event::new(Action::MemberInvited)
            .under(Permission::MembersInvite)
            .on("invitation", self.id, Some(&self.email))
            .change("email", None::<String>, self.email.clone())
            .change("role", None::<String>, self.role.as_str())
    }
}

async fn letter(
    ctx: &Ctx,
    actor: &Actor,
    email: &str,
    role: Role,
    token: &SecretString,
) -> Result<mail::operations::Sealed, AppError> {
    let workspace = crate::workspaces::operations::show(ctx, actor, Action::MemberInvited).await?.name;
    let inviter = actor.name().unwrap_or("The operator of this server");
    let letter = Letter {
        to: email.to_owned(),
        subject: format!("{inviter} invites you to {workspace} on send0"),
        text: format!(
            "{inviter} invites you to the workspace {workspace}, as {role}.\n\nThe link is for you alone and opens once, within {HOURS} \
             hours. If you expected no invitation, do nothing."
        ),
        link: Some(link(ctx, token)),
    };
    mail::operations::seal(ctx, actor.workspace, &letter).await
}

fn link(ctx: &Ctx, token: &SecretString) -> String {
    format!("{}/invitations/{}", ctx.origin, token.expose_secret())
}

/// Nobody hands out more than they have, as of now: their own role may have changed since they opened the page.
async fn check_role(
    ctx: &Ctx,
    actor: &Actor,
    tx: &mut WorkspaceTx,
    attempted: Action,
    role: Role,
) -> Result<(), AppError> {
    let own = members::operations::present_role(ctx, actor, tx, Permission::MembersInvite, attempted).await?;
    if !role.is_above(own) {
        return Ok(());
    }
    let event = Event::new(attempted).under(Permission::MembersInvite).change("role", None::<String>, role.as_str());
    let text = format!("Somebody with the role {own} cannot invite an {role}. Ask an owner.");
    ctx.refuse(actor, event, "above_own_role", AppError::Refused(text)).await
}

/// Sends the invitation again, with a new link. The one before is void.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Refused`] when it is for a role above one's own.
pub async fn resend(ctx: &Ctx, actor: &Actor, id: InvitationId) -> Result<String, AppError> {
    let waiting = pending(ctx, actor, Action::InvitationResent).await?;
    let waiting = waiting.into_iter().find(|invitation| invitation.id == id).ok_or(AppError::NotFound)?;
    let token = secrets::token();
    let letter = letter(ctx, actor, &waiting.email, waiting.role, &token).await?;
    let (mut tx, email) = reopen(ctx, actor, id, &token, Action::InvitationResent).await?;
    letter.put(tx.conn()).await?;
    tx.commit(about(Action::InvitationResent, id, &email)).await?;
    Ok(email)
}

/// Makes a new link for the invitation and leaves it, sealed, for the one page that shows it once. The one before is
/// void. Returns the token that opens the page's flash.
///
/// # Errors
/// As [`resend`]; [`AppError::ProofNeeded`].
pub async fn make_link(ctx: &Ctx, actor: &Actor, id: InvitationId, place: &str) -> Result<SecretString, AppError> {
    let waiting = pending(ctx, actor, Action::InvitationLinkMade).await?;
    let waiting = waiting.into_iter().find(|invitation| invitation.id == id).ok_or(AppError::NotFound)?;
    let words = format!("Make a link that lets {} in as {}", waiting.email, waiting.role);
    demand_proof(ctx, actor, Action::InvitationLinkMade, words, &[waiting.email]).await?;
    let token = secrets::token();
    let shown = Flash::Link { id, url: link(ctx, &token) };
    let (opener, row) = flash::seal(ctx, actor.workspace, place, &shown).await?;
    let (mut tx, email) = reopen(ctx, actor, id, &token, Action::InvitationLinkMade).await?;
    row.put(tx.conn()).await?;
    tx.commit(about(Action::InvitationLinkMade, id, &email)).await?;
    Ok(opener)
}

/// Gives the invitation another token and its full time again.
async fn reopen(
    ctx: &Ctx,
    actor: &Actor,
    id: InvitationId,
    token: &SecretString,
    attempted: Action,
) -> Result<(WorkspaceTx, String), AppError> {
    ctx.authorise(actor, Permission::MembersInvite, attempted).await?;
    let mut tx = ctx.db.change(actor).await?;
    let (email, role) = queries::lock(tx.conn(), actor.workspace, id).await?.ok_or(AppError::NotFound)?;
    check_role(ctx, actor, &mut tx, attempted, role).await?;
    let now = ctx.clock.now();
    queries::renew(tx.conn(), actor.workspace, id, now, now + Duration::hours(HOURS)).await?;
    queries::register(tx.conn(), id, &secrets::hash(token.expose_secret())).await?;
    Ok((tx, email))
}

/// Revokes the invitation: its link opens nothing any more.
///
/// # Errors
/// [`AppError::NotFound`] for one that was accepted, revoked, or never was.
pub async fn revoke(ctx: &Ctx, actor: &Actor, id: InvitationId) -> Result<String, AppError> {
    ctx.authorise(actor, Permission::MembersInvite, Action::InvitationRevoked).await?;
    let mut tx = ctx.db.change(actor).await?;
    let (email, _) = queries::lock(tx.conn(), actor.workspace, id).await?.ok_or(AppError::NotFound)?;
    queries::delete(tx.conn(), actor.workspace, id).await?;
    tx.commit(about(Action::InvitationRevoked, id, &email)).await?;
    Ok(email)
}

fn about(action: Action, id: InvitationId, email: &str) -> Event {
    Event::new(action).under(Permission::MembersInvite).on("invitation", id, Some(email))
}

/// What the link opens. Looking does not use it up.
///
/// # Errors
/// [`AppError::NotFound`] for one that is void: used, revoked, replaced, or too old.
pub async fn offer(ctx: &Ctx, token: &str) -> Result<Offer, AppError> {
    queries::find(&ctx.db.auth, &secrets::hash(token), ctx.clock.now()).await?.ok_or(AppError::NotFound)
}

/// Comes in with the account that the invitation is for. Returns the workspace's name in URLs.
///
/// # Errors
/// [`AppError::Refused`] when it is void or for another address.
pub async fn accept(ctx: &Ctx, request: &Request, signed_in: &SignedIn, token: &str) -> Result<String, AppError> {
    let offer = known(ctx, request, token).await?;
    let who = Who::User {
        id: signed_in.user,
        name: signed_in.name.clone(),
        role: offer.role,
        session: Some(signed_in.session),
        proof: signed_in.proof,
    };
    let actor = Actor { workspace: offer.workspace, who, request: request.clone() };
    if offer.user != Some(signed_in.user) {
        // Nobody's role here is claimed by somebody who was not let in.
        let who = Who::Stranger { id: signed_in.user, name: signed_in.name.clone(), session: Some(signed_in.session) };
        let actor = Actor { who, ..actor };
        let event = Event::new(Action::InvitationRefused).on("invitation", offer.id, Some(&offer.email));
        let text = format!("This invitation is for {}. Sign out, and open it with that account.", offer.email);
        return ctx.refuse(&actor, event, "another_address", AppError::Refused(text)).await;
    }
    enter(ctx, &actor, &offer, token, signed_in.user, None).await?;
    Ok(offer.slug)
}

/// Somebody new, as typed.
pub struct NewPerson {
    /// How they are called.
    pub name: String,
    /// Their password.
    pub password: SecretString,
}

/// Makes the account that the invitation is for, and comes in. Returns the person and the workspace's name in URLs.
///
/// # Errors
/// [`AppError::Refused`] when the link is void, [`AppError::Invalid`] with every field that is wrong,
/// [`AppError::Conflict`] when the address has an account by now.
pub async fn join(ctx: &Ctx, request: &Request, token: &str, new: NewPerson) -> Result<(UserId, String), AppError> {
    let offer = known(ctx, request, token).await?;
    if offer.user.is_some() {
        return Err(AppError::Conflict(format!("{} has an account already. Sign in, then accept.", offer.email)));
    }
    let mut checks = Checks::default();
    let name = checks.keep(line("name", &new.name, accounts::NAME_MAX));
    checks.keep(check_password("password", new.password.expose_secret(), &offer.email, &[&offer.workspace_name]));
    checks.finish()?;
    let name = name.ok_or(AppError::Internal)?;
    let password_hash = ctx.passwords.hash(new.password).await?;
    let user = UserId::new();
    let proof = Proof::of_everything(ctx.clock.now());
    let who = Who::User { id: user, name: name.clone(), role: offer.role, session: None, proof };
    let actor = Actor { workspace: offer.workspace, who, request: request.clone() };
    enter(ctx, &actor, &offer, token, user, Some((&name, &password_hash))).await?;
    Ok((user, offer.slug))
}

/// What the token opens, or the refusal, written down.
async fn known(ctx: &Ctx, request: &Request, token: &str) -> Result<Offer, AppError> {
    match queries::find(&ctx.db.auth, &secrets::hash(token), ctx.clock.now()).await? {
        Some(offer) => Ok(offer),
        None => refuse_void(ctx, request).await,
    }
}

async fn refuse_void<T>(ctx: &Ctx, request: &Request) -> Result<T, AppError> {
    let event = Event::new(Action::InvitationRefused);
    ctx.refuse(&Actor::anonymous(request.clone()), event, "void_link", void()).await
}

fn void() -> AppError {
    AppError::Refused(
        "This invitation is void: it was used, revoked, sent again, or it is too old. Ask for another.".into(),
    )
}

/// Uses up the invitation. Of several at once, one comes in.
async fn enter(
    ctx: &Ctx,
    actor: &Actor,
    offer: &Offer,
    token: &str,
    user: UserId,
    new: Option<(&str, &str)>,
) -> Result<(), AppError> {
    let (now, member) = (ctx.clock.now(), MemberId::new());
    let mut tx = ctx.db.change(actor).await?;
    if !queries::take(tx.conn(), &secrets::hash(token)).await? {
        drop(tx);
        return refuse_void(ctx, &actor.request).await;
    }
    queries::delete(tx.conn(), actor.workspace, offer.id).await?;
    if let Some((name, password_hash)) = new {
        accounts::create_account(tx.conn(), user, &offer.email, name, password_hash, now).await?;
    }
    members::insert(tx.conn(), actor.workspace, member, user, offer.role, now).await?;
    let event = Event::new(Action::MemberJoined)
        .on("member", member, actor.name())
        .on("user", user, actor.name())
        .on("invitation", offer.id, Some(&offer.email))
        .change("role", None::<String>, offer.role.as_str())
        .change("email", None::<String>, offer.email.clone());
    tx.commit(event).await
}
