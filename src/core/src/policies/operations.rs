//! Looking at the policy, changing it, and holding members to it.

use super::{Affected, Demand, Policy, PolicyText, queries};
use crate::{
    Actor, AppError, Ctx,
    accounts::{Factor, Membership, SignedIn},
    audit_log::{Action, Event},
    contacts::NoticeKind,
    ids::{MemberId, UserId, WorkspaceId},
    intent::Intent,
    mail::notices,
    members,
    permissions::Permission,
    two_factor::{Factors, operations::factors_of},
    workspaces, zones,
};
use sqlx::PgConnection;
use std::collections::HashMap;

/// The policy, and whom it affects: everybody who cannot show what is demanded, or would be if a second factor were.
pub async fn show(ctx: &Ctx, actor: &Actor, attempted: Action) -> Result<(Policy, Vec<Affected>), AppError> {
    ctx.authorise(actor, Permission::PoliciesRead, attempted).await?;
    let mut read = ctx.db.read(actor.workspace).await?;
    let policy = queries::find(read.conn(), actor.workspace).await?;
    let factors = queries::factors(read.conn()).await?;
    let people = queries::people(read.conn(), actor.workspace).await?.into_iter();
    let all = people.map(|person| Affected {
        factors: factors.get(&UserId(person.user_id)).copied().unwrap_or_default(),
        name: person.name,
        email: person.email,
        due_at: person.factor_due_at,
    });
    let meets = |factors: Factors| if policy.require_passkey { factors.passkeys > 0 } else { factors.is_second() };
    Ok((policy, all.filter(|one| !meets(one.factors)).collect()))
}

/// What each member can show besides a password, for those with `policies.read`.
pub(crate) async fn factors(conn: &mut PgConnection) -> Result<HashMap<UserId, Factors>, AppError> {
    queries::factors(conn).await
}

/// Changes the policy. Whoever it is demanded of for the first time gets a date of their own, and keeps it.
///
/// # Errors
/// [`AppError::Invalid`] with every field that is wrong; [`AppError::ProofNeeded`].
pub async fn change(ctx: &Ctx, actor: &Actor, new: &PolicyText) -> Result<Policy, AppError> {
    let (permission, action) = (Permission::PoliciesUpdate, Action::PolicyChanged);
    ctx.authorise(actor, permission, action).await?;
    let new = new.parse().map_err(AppError::Invalid)?;
    let intent = Intent::new(
        actor.workspace,
        format!("Demand {} of every member", words(new)),
        (new.require_two_factor, new.require_passkey, new.grace_days),
    );
    ctx.demand_proof(actor, Event::new(action).under(permission), intent).await?;
    let now = ctx.clock.now();
    let text = format!("{} changed what members must show when they sign in: {}.", notices::who(actor), words(new));
    let notice = notices::security_notice(
        ctx,
        actor.workspace,
        NoticeKind::Policies,
        "the policy on factors was changed",
        &text,
    );
    let notice = notice.await?;
    let mut tx = ctx.db.change(actor).await?;
    members::operations::present_role(ctx, actor, &mut tx, permission, action).await?;
    let before = queries::find(tx.conn(), actor.workspace).await?;
    if before == new {
        return Ok(new);
    }
    queries::insert(tx.conn(), actor.workspace, new, now).await?;
    queries::set_dates(tx.conn(), actor.workspace, new, now).await?;
    notice.put(tx.conn()).await?;
    tx.commit(changed(before, new).under(permission)).await.map(|()| new)
}

fn words(policy: Policy) -> String {
    let by = format!("within {} days", policy.grace_days);
    match (policy.require_two_factor, policy.require_passkey) {
        (false, _) => "nothing besides their password".to_owned(),
        (true, false) => format!("a second factor, {by}"),
        (true, true) => format!("a passkey, {by}"),
    }
}

fn changed(before: Policy, after: Policy) -> Event {
    let mut event = Event::new(Action::PolicyChanged);
    for (field, before, after) in [
        ("require_two_factor", before.require_two_factor, after.require_two_factor),
        ("require_passkey", before.require_passkey, after.require_passkey),
    ] {
        if before != after {
            event = event.change(field, before, after);
        }
    }
    if before.grace_days != after.grace_days {
        event = event.change("grace_days", before.grace_days, after.grace_days);
    }
    event
}

/// The date of whoever comes in now.
pub(crate) async fn due_at(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    now: time::OffsetDateTime,
) -> Result<Option<time::OffsetDateTime>, AppError> {
    let policy = queries::find(conn, workspace).await?;
    Ok(policy.require_two_factor.then(|| now + time::Duration::days(policy.grace_days.into())))
}

/// What the workspace demands of this person and they cannot show, if anything.
pub async fn unmet(ctx: &Ctx, signed_in: &SignedIn, membership: &Membership) -> Result<Option<Demand>, AppError> {
    let Some(demand) = membership.demand else { return Ok(None) };
    let enough = match signed_in.factor {
        Factor::Passkey => true,
        Factor::Totp | Factor::RecoveryCode => !demand.passkey,
        // Begun before they had a second factor, perhaps.
        Factor::Password => !demand.passkey && factors_of(&ctx.db.auth, signed_in.user).await?.is_second(),
    };
    Ok((!enough).then_some(demand))
}

/// Lets in whoever shows what is demanded, or still has time to. Others are kept out, not removed: with a factor they are
/// back.
pub(crate) async fn admit(
    ctx: &Ctx,
    signed_in: &SignedIn,
    actor: &Actor,
    membership: &Membership,
) -> Result<(), AppError> {
    if membership.demand.is_none_or(|demand| ctx.clock.now() <= demand.due_at) {
        return Ok(());
    }
    let Some(demand) = unmet(ctx, signed_in, membership).await? else { return Ok(()) };
    let refusal = AppError::FactorNeeded { passkey: demand.passkey };
    ctx.refuse(actor, Event::new(Action::PageViewed), "second_factor_missing", refusal).await
}

/// Refuses to leave the person with less than one of their workspaces demands.
pub(crate) fn keep_enough(factors: Factors, memberships: &[Membership]) -> Result<(), AppError> {
    let demands =
        memberships.iter().filter(|membership| membership.demand.is_some_and(|demand| !demand.is_met_by(factors)));
    let names: Vec<&str> = demands.map(|membership| membership.workspace_name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(AppError::Conflict(format!("{} would not let you in without it. Add another factor first.", names.join(", "))))
}

/// Reminds everybody who will be kept out soon: three days before, and on the last day.
pub async fn remind(ctx: &Ctx) -> Result<(), AppError> {
    for workspace in queries::reminders_due(&ctx.db.worker, ctx.clock.now()).await? {
        // One that fails keeps no other from it.
        if let Err(error) = remind_in(ctx, workspace).await {
            tracing::error!(%workspace, %error, "members could not be reminded");
        }
    }
    Ok(())
}

async fn remind_in(ctx: &Ctx, workspace: WorkspaceId) -> Result<(), AppError> {
    let (actor, now) = (Actor::jobs(workspace, "policies"), ctx.clock.now());
    ctx.vault.warm(WorkspaceId::PLATFORM).await?;
    let mut tx = ctx.db.change(&actor).await?;
    let policy = queries::find(tx.conn(), workspace).await?;
    let factors = queries::factors(tx.conn()).await?;
    let mut due = queries::to_remind(tx.conn(), workspace, now).await?;
    due.retain(|one| {
        let demand = Demand { passkey: policy.require_passkey, due_at: one.due_at };
        !demand.is_met_by(factors.get(&UserId(one.user_id)).copied().unwrap_or_default())
    });
    let reminded: Vec<uuid::Uuid> = due.iter().map(|one| one.member_id).collect();
    queries::set_reminded(tx.conn(), workspace, &reminded, now).await?;
    let named = workspaces::find(tx.conn(), workspace).await?.ok_or(AppError::NotFound)?.name;
    let mut events = vec![];
    for one in due {
        let what = if policy.require_passkey { "a passkey" } else { "a second factor" };
        let subject = format!("{named} will ask for {what} soon");
        let text = format!(
            "From {} on, {named} lets in only who signs in with {what}. Add one to your account before that. Afterwards you are kept out, \
             but not removed: with {what} you are back at once.",
            zones::words("", one.due_at)
        );
        let link = format!("{}/account/security", ctx.origin);
        notices::account_notice_with(ctx, &one.email, &subject, &text, Some(link)).await?.put(tx.conn()).await?;
        let member = MemberId(one.member_id);
        events.push(Event::new(Action::MemberReminded).on("member", member, Some(&one.name)));
    }
    match events.pop() {
        Some(last) => tx.commit_all(events, last).await,
        None => Ok(()),
    }
}
