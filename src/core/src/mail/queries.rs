use super::DeliveryError;
use crate::{
    AppError,
    ids::{MailId, WorkspaceId},
};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

pub(super) struct Row {
    pub id: MailId,
    pub workspace: WorkspaceId,
    pub sealed: Vec<u8>,
    pub at: OffsetDateTime,
}

/// A mail that one worker has until its lease is over.
pub(super) struct Claimed {
    pub id: MailId,
    pub workspace: WorkspaceId,
    pub sealed: Vec<u8>,
    /// How often it was tried, with this time.
    pub attempts: i32,
}

pub(super) async fn put(
    conn: &mut PgConnection,
    id: MailId,
    workspace: WorkspaceId,
    sealed: &[u8],
    at: OffsetDateTime,
    relayed: bool,
) -> Result<(), AppError> {
    sqlx::query!("select mail_put($1, $2, $3, $4, $5)", id.0, workspace.0, sealed, at, relayed).execute(conn).await?;
    Ok(())
}

pub(super) async fn claim(
    pool: &PgPool,
    limit: i32,
    now: OffsetDateTime,
    until: OffsetDateTime,
) -> Result<Vec<Claimed>, AppError> {
    let rows = sqlx::query!(
        r#"select mail_id as "mail_id!", workspace_id as "workspace_id!", sealed as "sealed!", attempts as "attempts!"
         from mail_claim($1, $2, $3)"#,
        limit,
        now,
        until,
    )
    .fetch_all(pool)
    .await?;
    let claimed = rows.into_iter().map(|row| Claimed {
        id: MailId(row.mail_id),
        workspace: WorkspaceId(row.workspace_id),
        sealed: row.sealed,
        attempts: row.attempts,
    });
    Ok(claimed.collect())
}

pub(super) async fn sent(pool: &PgPool, id: MailId, now: OffsetDateTime) -> Result<(), AppError> {
    sqlx::query!("select mail_sent($1, $2)", id.0, now).execute(pool).await?;
    Ok(())
}

pub(super) async fn retry(
    pool: &PgPool,
    mail: &Claimed,
    error: DeliveryError,
    next_at: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!("select mail_retry($1, $2, $3, $4)", mail.id.0, mail.attempts, error.to_string(), next_at)
        .execute(pool)
        .await?;
    Ok(())
}

/// Whether it was this worker's to give up.
pub(super) async fn give_up(conn: &mut PgConnection, mail: &Claimed, error: DeliveryError) -> Result<bool, AppError> {
    let given_up = sqlx::query_scalar!(
        r#"select mail_give_up($1, $2, $3) as "given_up!""#,
        mail.id.0,
        mail.attempts,
        error.to_string()
    );
    Ok(given_up.fetch_one(conn).await?)
}

pub(super) async fn newest(pool: &PgPool, limit: i32) -> Result<Vec<Row>, AppError> {
    let rows = sqlx::query!(
        r#"select mail_id as "mail_id!", workspace_id as "workspace_id!", sealed as "sealed!", created_at as "created_at!"
         from mail_list($1)"#,
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Row {
            id: MailId(row.mail_id),
            workspace: WorkspaceId(row.workspace_id),
            sealed: row.sealed,
            at: row.created_at,
        })
        .collect())
}
