//! Signing in and out, and who a session is.

use super::{
    Begun, FREE_PER_ACCOUNT, FREE_PER_ADDRESS, Factor, Membership, PASSWORD_MAX, SignedIn, check_password, devices,
    disabling::refuse_disabled, queries,
};
use crate::{
    Actor, AppError, Ctx,
    actor::{Request, Who},
    allowlist,
    audit_log::{Action, Event, Outcome},
    ids::{SessionId, UserId, WorkspaceId},
    policies, secrets, two_factor,
};
use futures::future::try_join_all;
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgConnection;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// When whoever is refused is answered: longer than it takes to find out.
const REFUSED_AFTER: Duration = Duration::from_millis(100);

/// Checks mail address and password, and says how the session may begin: whoever has a second factor shows it next. The
/// answer and its time are the same for a wrong password and for an account that does not exist; both are written down, and
/// both count against the same throttle.
///
/// # Errors
/// [`AppError::Unauthenticated`], [`AppError::Throttled`], [`AppError::Unavailable`].
pub async fn sign_in(
    ctx: &Ctx,
    request: &Request,
    email: &str,
    password: SecretString,
) -> Result<(UserId, Begun), AppError> {
    let answer_at = Instant::now() + REFUSED_AFTER;
    let begun = check(ctx, request, email, password).await;
    if begun.is_err() {
        sleep_until(answer_at).await;
    }
    begun
}

async fn check(ctx: &Ctx, request: &Request, email: &str, password: SecretString) -> Result<(UserId, Begun), AppError> {
    let email = email.trim().to_lowercase();
    let buckets = buckets(&email, request);
    if let Some(wait) = throttled(ctx, &buckets).await? {
        return Err(refuse(ctx, request, None, "throttled", AppError::Throttled(wait)).await?);
    }
    // PostgreSQL keeps no NUL in a text, so nobody has such an address.
    let account = if email.contains('\0') { None } else { queries::find(&ctx.db.auth, &email).await? };
    let password = sane(password);
    let stored = account.as_ref().map(|account| account.password_hash.clone());
    if !ctx.passwords.verify(password, stored).await? {
        let wrong = AppError::Unauthenticated("wrong_credentials".into());
        return Err(refuse(ctx, request, account.as_ref(), "wrong_credentials", wrong).await?);
    }
    let account = account.ok_or(AppError::Internal)?;
    let [(of_account, _), (of_address, _)] = &buckets;
    queries::forget_failures(&ctx.db.auth, of_account).await?;
    queries::uncount_attempt(&ctx.db.auth, of_address).await?;
    refuse_disabled(ctx, request, account.user).await?;
    let factors = two_factor::operations::factors_of(&ctx.db.auth, account.user).await?;
    Ok((account.user, if factors.is_second() { Begun::Half } else { Begun::With(Factor::Password) }))
}

/// No password is longer than the longest; hashing it would only be work for whoever sends it.
pub(super) fn sane(password: SecretString) -> SecretString {
    let sane = password.expose_secret().chars().count() <= PASSWORD_MAX;
    if sane { password } else { SecretString::default() }
}

fn buckets(email: &str, request: &Request) -> [([u8; 32], i32); 2] {
    let address = request.address.as_deref().unwrap_or("local");
    [
        (secrets::bucket("sign-in account", email), FREE_PER_ACCOUNT),
        (secrets::bucket("sign-in address", &network(address)), FREE_PER_ADDRESS),
    ]
}

/// An IPv4 address, or the /64 that an IPv6 host has to itself.
fn network(address: &str) -> String {
    match address.parse() {
        Ok(std::net::IpAddr::V6(v6)) => format!("{:x?}", &v6.segments()[..4]),
        _ => address.to_owned(),
    }
}

async fn throttled(ctx: &Ctx, buckets: &[([u8; 32], i32)]) -> Result<Option<u32>, AppError> {
    let mut longest = None;
    for (bucket, free) in buckets {
        longest = longest.max(queries::attempt(&ctx.db.auth, bucket, *free, ctx.clock.now()).await?);
    }
    Ok(longest)
}

/// Writes the refusal down where it is seen: in each workspace of a known account, else with the platform.
async fn refuse(
    ctx: &Ctx,
    request: &Request,
    account: Option<&queries::Account>,
    reason: &str,
    error: AppError,
) -> Result<AppError, AppError> {
    // Asked for nobody as well: what is known of somebody must not show in how long the answer takes.
    let user = account.map_or(UserId(uuid::Uuid::nil()), |account| account.user);
    let memberships = queries::memberships(&ctx.db.auth, user).await?;
    let mut event = Event::new(Action::SessionRefused).because(Outcome::Denied, reason);
    if let Some(account) = account {
        event = event.on("user", account.user, Some(&account.name));
    }
    let mut places: Vec<WorkspaceId> = memberships.iter().map(|membership| membership.workspace).collect();
    if places.is_empty() {
        places.push(WorkspaceId::PLATFORM);
    }
    // All at once: how many workspaces somebody has must not show in how long the answer takes.
    let actors: Vec<Actor> =
        places.into_iter().map(|workspace| Actor { workspace, ..Actor::anonymous(request.clone()) }).collect();
    try_join_all(actors.iter().map(|actor| ctx.log_call(actor, event.clone()))).await?;
    Ok(error)
}

/// The person as each of their workspaces sees them; the platform, if they are in none.
fn in_each(memberships: Vec<Membership>, signed_in: &SignedIn, request: &Request) -> Vec<Actor> {
    if memberships.is_empty() {
        return vec![stranger(signed_in, request)];
    }
    memberships.into_iter().map(|membership| actor(&membership, signed_in, request)).collect()
}

fn stranger(signed_in: &SignedIn, request: &Request) -> Actor {
    let who = Who::Stranger { id: signed_in.user, name: signed_in.name.clone(), session: Some(signed_in.session) };
    Actor { workspace: WorkspaceId::PLATFORM, who, request: request.clone() }
}

/// Whoever tells each workspace of the person what they did to their account.
pub(crate) async fn everywhere(
    conn: &mut PgConnection,
    signed_in: &SignedIn,
    request: &Request,
) -> Result<Vec<Actor>, AppError> {
    Ok(in_each(queries::memberships(conn, signed_in.user).await?, signed_in, request))
}

/// Likewise for what whoever holds a link did to an account: nobody is signed in.
pub(super) async fn of_account(
    conn: &mut PgConnection,
    user: UserId,
    request: &Request,
) -> Result<Vec<Actor>, AppError> {
    let actor = |workspace| Actor { workspace, ..Actor::anonymous(request.clone()) };
    Ok(places(conn, user).await?.into_iter().map(actor).collect())
}

/// Likewise for what whoever runs the server did to an account.
pub(crate) async fn cli_of_account(
    conn: &mut PgConnection,
    user: UserId,
    request: &Request,
) -> Result<Vec<Actor>, AppError> {
    Ok(places(conn, user).await?.into_iter().map(|place| Actor::cli(place, request.clone())).collect())
}

/// The workspaces of a person; the platform, if they are in none.
async fn places(conn: &mut PgConnection, user: UserId) -> Result<Vec<WorkspaceId>, AppError> {
    let memberships = queries::memberships(conn, user).await?;
    let mut places: Vec<WorkspaceId> = memberships.into_iter().map(|membership| membership.workspace).collect();
    if places.is_empty() {
        places.push(WorkspaceId::PLATFORM);
    }
    Ok(places)
}

/// Writes down in each workspace of the person that something was refused, and gives the refusal.
pub(crate) async fn refuse_everywhere<T>(
    ctx: &Ctx,
    request: &Request,
    signed_in: &SignedIn,
    attempted: Event,
    reason: &str,
    refusal: AppError,
) -> Result<T, AppError> {
    let memberships = queries::memberships(&ctx.db.auth, signed_in.user).await?;
    for actor in in_each(memberships, signed_in, request) {
        ctx.log_call(&actor, attempted.clone().because(Outcome::Denied, reason)).await?;
    }
    Err(refusal)
}

fn actor(membership: &Membership, signed_in: &SignedIn, request: &Request) -> Actor {
    Actor {
        workspace: membership.workspace,
        who: Who::User {
            id: signed_in.user,
            name: signed_in.name.clone(),
            role: membership.role,
            session: Some(signed_in.session),
            proof: signed_in.proof,
        },
        request: request.clone(),
    }
}

/// Starts a session under the hash of its token, with its event in the same transaction.
pub async fn start_session(
    ctx: &Ctx,
    request: &Request,
    user: UserId,
    begun: Begun,
    hash: &[u8; 32],
) -> Result<(), AppError> {
    let session = SessionId::new();
    let now = ctx.clock.now();
    devices::warm(ctx).await?;
    let mut tx = ctx.db.change_account().await?;
    queries::start_session(tx.conn(), hash, session, user, request, begun, now).await?;
    let signed_in = queries::find_session(tx.conn(), hash, now).await?.ok_or(AppError::Internal)?;
    if signed_in.is_whole {
        devices::notice(ctx, tx.conn(), &signed_in, request).await?;
    }
    let memberships = queries::memberships(tx.conn(), user).await?;
    let event = match begun {
        Begun::Half => about(Action::SecondFactorAsked, &signed_in),
        Begun::With(factor) => {
            about(Action::SessionStarted, &signed_in).change("factor", None::<&str>, factor.as_str())
        }
    };
    tx.commit(&in_each(memberships, &signed_in, request), event).await
}

/// Whether somebody who has an account may choose this password: the names of their workspaces count against it.
pub(super) async fn check_new_password(
    ctx: &Ctx,
    field: &str,
    new: &SecretString,
    user: UserId,
    email: &str,
) -> Result<(), AppError> {
    let memberships = queries::memberships(&ctx.db.auth, user).await?;
    let workspaces: Vec<&str> = memberships.iter().map(|membership| membership.workspace_name.as_str()).collect();
    Ok(check_password(field, new.expose_secret(), email, &workspaces)?)
}

/// Who is signed in with the token of this hash: idle for at most 30 minutes, for at most 12 hours in all.
pub async fn find_session(ctx: &Ctx, hash: &[u8; 32]) -> Result<Option<SignedIn>, AppError> {
    queries::find_session(&mut *ctx.db.auth.acquire().await?, hash, ctx.clock.now()).await
}

/// Ends the session, with its event in the same transaction. One that is over already is no event.
pub async fn end_session(ctx: &Ctx, request: &Request, signed_in: &SignedIn, hash: &[u8; 32]) -> Result<(), AppError> {
    let mut tx = ctx.db.change_account().await?;
    if !queries::end_session(tx.conn(), hash).await? {
        return Ok(());
    }
    let memberships = queries::memberships(tx.conn(), signed_in.user).await?;
    tx.commit(&in_each(memberships, signed_in, request), about(Action::SessionEnded, signed_in)).await
}

/// Ends all sessions of the person but the one that this comes from: what opens the account has changed.
pub(crate) async fn end_others(conn: &mut PgConnection, signed_in: &SignedIn) -> Result<(), AppError> {
    queries::end_other_sessions(conn, signed_in.user, signed_in.session).await.map(|_| ())
}

fn about(action: Action, signed_in: &SignedIn) -> Event {
    Event::new(action).on("session", signed_in.session, None)
}

/// The workspaces of a person.
pub async fn memberships(ctx: &Ctx, user: UserId) -> Result<Vec<Membership>, AppError> {
    queries::memberships(&ctx.db.auth, user).await
}

/// The person as a member of the workspace in the URL.
///
/// # Errors
/// [`AppError::NotFound`] when there is no such workspace or they are not in it: the answer is the same.
/// [`AppError::BlockedByIp`] when the workspace's allowlist keeps their address out.
pub async fn enter(
    ctx: &Ctx,
    signed_in: &SignedIn,
    request: &Request,
    slug: &str,
) -> Result<(Actor, Vec<Membership>), AppError> {
    if !signed_in.is_whole {
        return Err(AppError::Unauthenticated("second_factor".into()));
    }
    let memberships = memberships(ctx, signed_in.user).await?;
    let membership = memberships.iter().find(|membership| membership.slug == slug).ok_or(AppError::NotFound)?;
    let actor = actor(membership, signed_in, request);
    allowlist::gate::admit(ctx, &actor).await?;
    policies::operations::admit(ctx, signed_in, &actor, membership).await?;
    let now = ctx.clock.now();
    if membership.last_seen_at.is_none_or(|seen| now - seen > time::Duration::MINUTE) {
        queries::seen(&ctx.db.auth, membership.workspace, signed_in.user, now).await?;
    }
    Ok((actor, memberships))
}

/// Removes sessions and flashes that are over, and throttles that are forgotten.
pub async fn purge_expired(ctx: &Ctx) -> Result<(), AppError> {
    let now = ctx.clock.now();
    let removed =
        queries::purge(&ctx.db.worker, now).await? + two_factor::operations::purge(&ctx.db.worker, now).await?;
    tracing::debug!(removed, "removed what has expired");
    Ok(())
}
