use super::Policy;
use crate::{
    AppError,
    ids::{UserId, WorkspaceId},
    two_factor::Factors,
};
use sqlx::{PgConnection, PgPool};
use std::collections::HashMap;
use time::{Duration, OffsetDateTime};

pub(super) async fn find(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Policy, AppError> {
    let row = sqlx::query_as!(
        Policy,
        "select require_two_factor, require_passkey, grace_days from policies where workspace_id = $1",
        workspace.0,
    );
    Ok(row.fetch_optional(conn).await?.unwrap_or(Policy::NONE))
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    policy: Policy,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into policies (workspace_id, require_two_factor, require_passkey, grace_days, changed_at) values ($1, $2, $3, $4, $5)
         on conflict (workspace_id) do update
            set require_two_factor = $2, require_passkey = $3, grace_days = $4, changed_at = $5",
        workspace.0,
        policy.require_two_factor,
        policy.require_passkey,
        policy.grace_days,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives a date to everybody who has none, or takes all dates away.
pub(super) async fn set_dates(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    policy: Policy,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let due_at = policy.require_two_factor.then(|| now + Duration::days(policy.grace_days.into()));
    sqlx::query!(
        "update members set factor_due_at = case when $2::timestamptz is not null then coalesce(factor_due_at, $2) end,
            factor_reminded_at = case when $2::timestamptz is not null and factor_due_at is not null then factor_reminded_at end
         where workspace_id = $1",
        workspace.0,
        due_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What the members can show, and until when they may come in without.
pub(super) async fn factors(conn: &mut PgConnection) -> Result<HashMap<UserId, Factors>, AppError> {
    let rows = sqlx::query!(
        r#"select user_id as "user_id!", totp as "totp!", passkeys as "passkeys!" from workspace_factors()"#
    );
    let rows = rows.fetch_all(conn).await?.into_iter();
    let factors =
        rows.map(|row| (UserId(row.user_id), Factors { totp: row.totp, passkeys: row.passkeys, ..Factors::default() }));
    Ok(factors.collect())
}

/// The workspaces with members who cannot show what is soon demanded of them, and are to be reminded.
pub(super) async fn reminders_due(pool: &PgPool, now: OffsetDateTime) -> Result<Vec<WorkspaceId>, AppError> {
    let due = sqlx::query_scalar!(r#"select workspace_id as "workspace_id!" from policy_reminders_due($1)"#, now);
    Ok(due.fetch_all(pool).await?.into_iter().map(WorkspaceId).collect())
}

pub(super) struct Due {
    pub member_id: uuid::Uuid,
    pub user_id: uuid::Uuid,
    pub name: String,
    pub email: String,
    pub due_at: OffsetDateTime,
}

/// Those of one workspace who are to be reminded, locked: somebody else who does so at the same time passes them over.
pub(super) async fn to_remind(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    now: OffsetDateTime,
) -> Result<Vec<Due>, AppError> {
    let due = sqlx::query_as!(
        Due,
        r#"select m.member_id, m.user_id, p.name as "name!", p.email as "email!", m.factor_due_at as "due_at!"
         from members m join workspace_people() p on p.user_id = m.user_id
         where m.workspace_id = $1 and is_reminder_due(m.factor_due_at, m.factor_reminded_at, $2)
         for update of m skip locked"#,
        workspace.0,
        now,
    );
    Ok(due.fetch_all(conn).await?)
}

pub(super) async fn set_reminded(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    members: &[uuid::Uuid],
    now: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "update members set factor_reminded_at = $3 where workspace_id = $1 and member_id = any($2)",
        workspace.0,
        members,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) struct Person {
    pub user_id: uuid::Uuid,
    pub name: String,
    pub email: String,
    pub factor_due_at: Option<OffsetDateTime>,
}

pub(super) async fn people(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Vec<Person>, AppError> {
    let people = sqlx::query_as!(
        Person,
        r#"select m.user_id, p.name as "name!", p.email as "email!", m.factor_due_at
         from members m join workspace_people() p on p.user_id = m.user_id where m.workspace_id = $1 order by p.name, m.user_id"#,
        workspace.0,
    );
    Ok(people.fetch_all(conn).await?)
}
