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

pub(super) async fn put(
    conn: &mut PgConnection,
    id: MailId,
    workspace: WorkspaceId,
    sealed: &[u8],
    at: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!("select mail_put($1, $2, $3, $4)", id.0, workspace.0, sealed, at).execute(conn).await?;
    Ok(())
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
