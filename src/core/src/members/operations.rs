//! Who is in a workspace: looking, changing roles, removing, leaving.
//!
//! Three rules hold whoever asks: nobody gives or takes a role above their own, a workspace keeps an owner, and every key
//! has somebody who answers for it.

use super::{KeyFate, MemberFactors, MemberView, Page, queries};
use crate::{
    Actor, AppError, Ctx, accounts,
    actor::Who,
    api_keys,
    audit_log::{Action, Event},
    contacts::{self, NoticeKind},
    database::WorkspaceTx,
    ids::{KeyId, MemberId, UserId, WorkspaceId},
    intent::Intent,
    invitations,
    mail::{self, Letter, notices},
    permissions::{Permission, Role},
    policies, secrets,
    two_factor::Factors,
    workspaces,
};
use std::collections::HashMap;

/// How often in an hour somebody's sessions are ended before there is a wait.
const ENDED_FREE: i32 = 5;

/// The longest page.
pub const LIMIT_MAX: u32 = 100;

/// One page of members, newest first; after the one with the given id. When they were last seen is told to those with
/// `policies.read`.
pub async fn list(
    ctx: &Ctx,
    actor: &Actor,
    after: Option<MemberId>,
    limit: u32,
    attempted: Action,
) -> Result<Page, AppError> {
    ctx.authorise(actor, Permission::MembersRead, attempted).await?;
    let limit = limit.clamp(1, LIMIT_MAX);
    let mut read = ctx.db.read(actor.workspace).await?;
    let mut members = queries::page(read.conn(), actor.workspace, after, limit + 1).await?;
    let more = members.len() > limit as usize;
    members.truncate(limit as usize);
    let older = members.last().filter(|_| more).map(|member| member.id);
    let factors = policies::operations::factors(read.conn()).await?;
    Ok(Page { members: members.into_iter().map(|member| as_seen_by(actor, member, &factors)).collect(), older })
}

/// How many there are.
pub async fn count(ctx: &Ctx, actor: &Actor) -> Result<i64, AppError> {
    ctx.authorise(actor, Permission::MembersRead, Action::PageViewed).await?;
    let mut read = ctx.db.read(actor.workspace).await?;
    queries::count(read.conn(), actor.workspace).await
}

/// One member.
///
/// # Errors
/// [`AppError::NotFound`] for an unknown id and for another workspace's alike.
pub async fn show(ctx: &Ctx, actor: &Actor, id: MemberId, attempted: Action) -> Result<MemberView, AppError> {
    ctx.authorise(actor, Permission::MembersRead, attempted).await?;
    let member = found(ctx, actor, id).await?;
    let factors = policies::operations::factors(ctx.db.read(actor.workspace).await?.conn()).await?;
    Ok(as_seen_by(actor, member, &factors))
}

/// Whether the actor may see who is in the workspace, for pages that need no list.
pub async fn may_read(ctx: &Ctx, actor: &Actor, attempted: Action) -> Result<(), AppError> {
    ctx.authorise(actor, Permission::MembersRead, attempted).await
}

fn as_seen_by(actor: &Actor, member: MemberView, factors: &HashMap<UserId, Factors>) -> MemberView {
    let knows = actor.may(Permission::PoliciesRead);
    let factors = factors.get(&member.user_id).filter(|_| knows);
    let factors = factors.map(|factors| MemberFactors { totp: factors.totp, passkeys: factors.passkeys });
    MemberView { last_seen_at: member.last_seen_at.filter(|_| knows), factors, ..member }
}

/// The keys that open something and that this member answers for: whoever removes them decides about each.
pub async fn keys_of(ctx: &Ctx, actor: &Actor, member: &MemberView) -> Result<Vec<(KeyId, String)>, AppError> {
    ctx.authorise(actor, Permission::MembersRemove, Action::PageViewed).await?;
    let mut read = ctx.db.read(actor.workspace).await?;
    api_keys::active_of(read.conn(), actor.workspace, member.user_id, ctx.clock.now()).await
}

/// What the actor is now, under the lock of the workspace's membership: their role may have changed since the page was
/// opened, and must not change before the end of the transaction.
///
/// # Errors
/// [`AppError::NotFound`] for who is no member any more; [`AppError::Forbidden`] when the role allows it no more.
pub(crate) async fn present_role(
    ctx: &Ctx,
    actor: &Actor,
    tx: &mut WorkspaceTx,
    permission: Permission,
    attempted: Action,
) -> Result<Role, AppError> {
    queries::lock(tx.conn(), actor.workspace).await?;
    let Who::User { id, .. } = actor.who else { return Ok(Role::Owner) };
    let role = queries::role_of(tx.conn(), actor.workspace, id).await?.ok_or(AppError::NotFound)?;
    ctx.authorise(&actor.clone().with_role(role), permission, attempted).await?;
    Ok(role)
}

/// Changes what somebody is. Whoever may issue no keys any more answers for none: the owners take them over and are told.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Refused`] above one's own role; [`AppError::Conflict`] for the last owner.
pub async fn change_role(ctx: &Ctx, actor: &Actor, id: MemberId, role: &str) -> Result<MemberView, AppError> {
    let (permission, action) = (Permission::MembersChangeRole, Action::MemberRoleChanged);
    ctx.authorise(actor, permission, action).await?;
    let role = super::parse_role(role)?;
    let name = found(ctx, actor, id).await?.name;
    let intent = Intent::new(actor.workspace, format!("Make {name} {role}"), (id, role.as_str()));
    ctx.demand_proof(actor, Event::new(action).under(permission), intent).await?;
    ctx.vault.warm(actor.workspace).await?;
    let mut tx = ctx.db.change(actor).await?;
    let own = present_role(ctx, actor, &mut tx, permission, action).await?;
    let member = queries::find(tx.conn(), actor.workspace, id).await?.ok_or(AppError::NotFound)?;
    if member.role == role {
        return Ok(member);
    }
    let event = about(action, &member).under(permission).change("role", member.role.as_str(), role.as_str());
    if member.role.is_above(own) || role.is_above(own) {
        return above_own(ctx, actor, event, own).await;
    }
    if is_last_owner(&mut tx, actor, &member).await? {
        return last_owner(ctx, actor, event).await;
    }
    queries::set_role(tx.conn(), actor.workspace, id, role).await?;
    if member.role.is_above(Role::Viewer) || role.is_above(Role::Viewer) {
        let text = format!("{} made {} {role}, who was {}.", notices::who(actor), member.name, member.role);
        let subject = format!("{} is {role} now", member.name);
        notices::tell_contacts(ctx, actor, &mut tx, NoticeKind::Members, &subject, &text).await?;
    }
    let mut events = vec![];
    if !role.may(Permission::KeysIssue) {
        events.extend(to_the_owners(ctx, actor, &mut tx, &member).await?);
    }
    if !role.may(Permission::MembersInvite) {
        events.extend(withdraw_invitations(actor, &mut tx, member.user_id).await?);
    }
    tx.commit_all(events, event).await?;
    Ok(MemberView { role, ..member })
}

/// Ends all sessions of another member, wherever they are signed in, and tells them: for a device that is lost, or somebody
/// who is not who they should be. Asks for no proof: whoever sees that must be quick.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Conflict`] for oneself.
pub async fn end_sessions(ctx: &Ctx, actor: &Actor, id: MemberId) -> Result<MemberView, AppError> {
    let (permission, action) = (Permission::SessionsRevoke, Action::SessionRevoked);
    ctx.authorise(actor, permission, action).await?;
    let member = found(ctx, actor, id).await?;
    if actor.user() == Some(member.user_id) {
        return Err(AppError::Conflict("This is you. Your own sessions are listed in your account.".into()));
    }
    // They may be somebody in other workspaces, too: nobody is kept out of these for long, and their logs have it.
    let bucket = secrets::bucket("sessions ended of", &member.user_id.to_string());
    let wait = accounts::attempt(&ctx.db.auth, &bucket, ENDED_FREE, ctx.clock.now()).await?;
    if let Some(wait) = wait {
        return ctx.refuse(actor, about(action, &member), "throttled", AppError::Throttled(wait)).await;
    }
    let text = format!("{} ended all your sessions. Sign in again.", notices::who(actor));
    let letter = notices::account_notice(ctx, &member.email, "Your sessions were ended", &text).await?;
    let mut tx = ctx.db.change_account().await?;
    accounts::end_all_sessions(tx.conn(), member.user_id).await?;
    letter.put(tx.conn()).await?;
    let others = accounts::memberships_of(tx.conn(), member.user_id).await?.into_iter();
    let others = others.filter(|other| other.workspace != actor.workspace).map(|other| abroad(actor, other.workspace));
    let actors: Vec<Actor> = std::iter::once(actor.clone()).chain(others).collect();
    tx.commit(&actors, about(action, &member).under(permission)).await?;
    Ok(member)
}

/// Whoever acts, as another workspace sees them: no member of it.
fn abroad(actor: &Actor, workspace: WorkspaceId) -> Actor {
    let who = match &actor.who {
        Who::User { id, name, session, .. } => Who::Stranger { id: *id, name: name.clone(), session: *session },
        who => who.clone(),
    };
    Actor { workspace, who, request: actor.request.clone() }
}

async fn found(ctx: &Ctx, actor: &Actor, id: MemberId) -> Result<MemberView, AppError> {
    let mut read = ctx.db.read(actor.workspace).await?;
    queries::find(read.conn(), actor.workspace, id).await?.ok_or(AppError::NotFound)
}

/// Removes somebody else. For each of their keys somebody decides: hand it over to oneself, or revoke it.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Refused`] above one's own role; [`AppError::Conflict`] for the last owner, for
/// oneself (leave instead) and when a key is not decided about.
pub async fn remove(
    ctx: &Ctx,
    actor: &Actor,
    id: MemberId,
    fates: &[(KeyId, KeyFate)],
) -> Result<MemberView, AppError> {
    let (permission, action) = (Permission::MembersRemove, Action::MemberRemoved);
    ctx.authorise(actor, permission, action).await?;
    let name = found(ctx, actor, id).await?.name;
    let asked: Vec<(KeyId, bool)> = fates.iter().map(|(key, fate)| (*key, *fate == KeyFate::Revoke)).collect();
    let revoked = asked.iter().filter(|(_, revoke)| *revoke).count();
    let words = match asked.len() {
        0 => format!("Remove {name} from the workspace"),
        all => format!("Remove {name} from the workspace, revoke {revoked} keys and take over {}", all - revoked),
    };
    let intent = Intent::new(actor.workspace, words, (id, asked));
    ctx.demand_proof(actor, Event::new(action).under(permission), intent).await?;
    ctx.vault.warm(actor.workspace).await?;
    ctx.vault.warm(WorkspaceId::PLATFORM).await?;
    let mut tx = ctx.db.change(actor).await?;
    let own = present_role(ctx, actor, &mut tx, permission, action).await?;
    let member = queries::find(tx.conn(), actor.workspace, id).await?.ok_or(AppError::NotFound)?;
    if actor.user() == Some(member.user_id) {
        return Err(AppError::Conflict("This is you. To go, leave the workspace.".into()));
    }
    let event = about(action, &member).under(permission).change("role", member.role.as_str(), None::<String>);
    if member.role.is_above(own) {
        return above_own(ctx, actor, event, own).await;
    }
    if is_last_owner(&mut tx, actor, &member).await? {
        return last_owner(ctx, actor, event).await;
    }
    let mut events = decide_keys(ctx, actor, &mut tx, &member, fates).await?;
    events.extend(withdraw_invitations(actor, &mut tx, member.user_id).await?);
    queries::delete(tx.conn(), actor.workspace, &member).await?;
    events.extend(contacts::member_gone(ctx, actor, &mut tx, member.user_id, &member.name).await?);
    tell_of_removal(ctx, actor, &mut tx, &member).await?;
    tx.commit_all(events, event).await?;
    Ok(member)
}

/// The contacts, and the person themselves.
async fn tell_of_removal(ctx: &Ctx, actor: &Actor, tx: &mut WorkspaceTx, member: &MemberView) -> Result<(), AppError> {
    let text = format!("{} removed {}, who was {}.", notices::who(actor), member.name, member.role);
    let subject = format!("{} was removed", member.name);
    notices::tell_contacts(ctx, actor, tx, NoticeKind::Members, &subject, &text).await?;
    let text = "You are no member of this workspace any more. Its owners can invite you again.";
    let workspace = workspaces::find(tx.conn(), actor.workspace).await?.ok_or(AppError::NotFound)?;
    let subject = format!("You were removed from {}", workspace.name);
    notices::account_notice(ctx, &member.email, &subject, text).await?.put(tx.conn()).await
}

async fn decide_keys(
    ctx: &Ctx,
    actor: &Actor,
    tx: &mut WorkspaceTx,
    member: &MemberView,
    fates: &[(KeyId, KeyFate)],
) -> Result<Vec<Event>, AppError> {
    let now = ctx.clock.now();
    let mut events = vec![];
    for (id, name) in api_keys::active_of(tx.conn(), actor.workspace, member.user_id, now).await? {
        let fate = fates.iter().find(|(key, _)| *key == id).map(|(_, fate)| *fate);
        let fate = fate
            .ok_or_else(|| AppError::Conflict(format!("Decide about the key {name}: hand it over, or revoke it.")))?;
        events.push(match fate {
            KeyFate::HandOver => hand_over(actor, tx, member, id, &name, actor.user()).await?,
            KeyFate::Revoke => {
                api_keys::revoke_row(tx.conn(), actor, id, Some("The member was removed."), now).await?;
                Event::new(Action::ApiKeyRevoked).on("api_key", id, Some(&name)).change("status", "active", "revoked")
            }
        });
    }
    Ok(events)
}

async fn hand_over(
    actor: &Actor,
    tx: &mut WorkspaceTx,
    from: &MemberView,
    id: KeyId,
    name: &str,
    to: Option<UserId>,
) -> Result<Event, AppError> {
    api_keys::hand_over(tx.conn(), actor.workspace, id, to).await?;
    let to = to.map_or_else(|| "owners".to_owned(), |to| to.to_string());
    Ok(Event::new(Action::ApiKeyHandedOver).on("api_key", id, Some(name)).change(
        "responsible",
        from.user_id.to_string(),
        to,
    ))
}

/// Everything that the member answers for goes to the owners, who are told.
async fn to_the_owners(
    ctx: &Ctx,
    actor: &Actor,
    tx: &mut WorkspaceTx,
    member: &MemberView,
) -> Result<Vec<Event>, AppError> {
    let keys = api_keys::active_of(tx.conn(), actor.workspace, member.user_id, ctx.clock.now()).await?;
    if keys.is_empty() {
        return Ok(vec![]);
    }
    let names: Vec<&str> = keys.iter().map(|(_, name)| name.as_str()).collect();
    for (_, to) in queries::owners(tx.conn(), actor.workspace).await? {
        let letter = Letter {
            to,
            subject: format!("You answer for {} API keys of {} now", keys.len(), member.name),
            text: format!("{} issues keys no more. They go on working:\n\n{}", member.name, names.join("\n")),
            link: None,
        };
        mail::operations::seal(ctx, actor.workspace, &letter).await?.put(tx.conn()).await?;
    }
    let mut events = vec![];
    for (id, name) in &keys {
        events.push(hand_over(actor, tx, member, *id, name, None).await?);
    }
    Ok(events)
}

/// Who may invite no more has no invitations that wait: they would bring in people on a word that counts no more.
async fn withdraw_invitations(actor: &Actor, tx: &mut WorkspaceTx, inviter: UserId) -> Result<Vec<Event>, AppError> {
    let gone = invitations::delete_by_inviter(tx.conn(), actor.workspace, inviter).await?;
    let event = |(id, email): (_, String)| Event::new(Action::InvitationRevoked).on("invitation", id, Some(&email));
    Ok(gone.into_iter().map(event).collect())
}

/// Leaves the workspace. The owners take over one's keys and are told.
///
/// # Errors
/// [`AppError::Conflict`] for the last owner.
pub async fn leave(ctx: &Ctx, actor: &Actor) -> Result<(), AppError> {
    let user = actor.user().ok_or(AppError::NotFound)?;
    ctx.vault.warm(actor.workspace).await?;
    let mut tx = ctx.db.change(actor).await?;
    queries::lock(tx.conn(), actor.workspace).await?;
    let id = queries::member_of(tx.conn(), actor.workspace, user).await?.ok_or(AppError::NotFound)?;
    let member = queries::find(tx.conn(), actor.workspace, id).await?.ok_or(AppError::NotFound)?;
    let event = about(Action::MemberLeft, &member).change("role", member.role.as_str(), None::<String>);
    if is_last_owner(&mut tx, actor, &member).await? {
        return last_owner(ctx, actor, event).await;
    }
    let mut events = to_the_owners(ctx, actor, &mut tx, &member).await?;
    events.extend(withdraw_invitations(actor, &mut tx, user).await?);
    queries::delete(tx.conn(), actor.workspace, &member).await?;
    events.extend(contacts::member_gone(ctx, actor, &mut tx, user, &member.name).await?);
    if member.role.is_above(Role::Viewer) {
        let (subject, text) =
            (format!("{} has left", member.name), format!("{}, who was {}, has left.", member.name, member.role));
        notices::tell_contacts(ctx, actor, &mut tx, NoticeKind::Members, &subject, &text).await?;
    }
    tx.commit_all(events, event).await
}

async fn is_last_owner(tx: &mut WorkspaceTx, actor: &Actor, member: &MemberView) -> Result<bool, AppError> {
    Ok(member.role == Role::Owner && queries::owners(tx.conn(), actor.workspace).await?.len() == 1)
}

async fn last_owner<T>(ctx: &Ctx, actor: &Actor, event: Event) -> Result<T, AppError> {
    let text = "A workspace keeps an owner, and this is the last one. Make somebody else an owner first.";
    ctx.refuse(actor, event, "last_owner", AppError::Conflict(text.into())).await
}

async fn above_own<T>(ctx: &Ctx, actor: &Actor, event: Event, own: Role) -> Result<T, AppError> {
    let text = format!("This is above your own role, {own}. Ask an owner.");
    ctx.refuse(actor, event, "above_own_role", AppError::Refused(text)).await
}

fn about(action: Action, member: &MemberView) -> Event {
    Event::new(action).on("member", member.id, Some(&member.name)).on("user", member.user_id, Some(&member.name))
}
