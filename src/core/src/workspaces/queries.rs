use super::WorkspaceView;
use crate::{AppError, ids::WorkspaceId};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

pub(super) async fn setup_needed(pool: &PgPool) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(r#"select setup_needed() as "needed!""#).fetch_one(pool).await?)
}

pub(super) async fn offer_setup(pool: &PgPool, hash: &[u8; 32], now: OffsetDateTime) -> Result<(), AppError> {
    sqlx::query!("select setup_offer($1, $2)", hash.as_slice(), now).execute(pool).await?;
    Ok(())
}

pub(super) async fn setup_offered(pool: &PgPool, hash: &[u8; 32]) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(r#"select setup_offered($1) as "offered!""#, hash.as_slice()).fetch_one(pool).await?)
}

pub(super) async fn consume_setup(conn: &mut PgConnection, hash: &[u8; 32]) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(r#"select setup_consume($1) as "consumed!""#, hash.as_slice()).fetch_one(conn).await?)
}

/// Claims the slug, or the next free one like it, and returns it.
pub(super) async fn insert(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    slug: &str,
    name: &str,
    now: OffsetDateTime,
) -> Result<String, AppError> {
    let slug = sqlx::query_scalar!(r#"select workspace_claim_slug($1) as "slug!""#, slug).fetch_one(&mut *conn).await?;
    sqlx::query!(
        "insert into workspaces (workspace_id, slug, name, created_at) values ($1, $2, $3, $4)",
        workspace.0,
        slug,
        name,
        now,
    )
    .execute(conn)
    .await?;
    Ok(slug)
}

pub(crate) async fn find(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Option<WorkspaceView>, AppError> {
    let row = sqlx::query!("select slug, name, time_zone from workspaces where workspace_id = $1", workspace.0)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| WorkspaceView { id: workspace, slug: row.slug, name: row.name, time_zone: row.time_zone }))
}

pub(super) async fn rename(conn: &mut PgConnection, workspace: WorkspaceId, name: &str) -> Result<(), AppError> {
    sqlx::query!("update workspaces set name = $2 where workspace_id = $1", workspace.0, name).execute(conn).await?;
    Ok(())
}

pub(super) async fn set_time_zone(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    time_zone: &str,
) -> Result<(), AppError> {
    sqlx::query!("update workspaces set time_zone = $2 where workspace_id = $1", workspace.0, time_zone)
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn by_slug(conn: &mut PgConnection, slug: &str) -> Result<Option<WorkspaceId>, AppError> {
    let id = sqlx::query_scalar!(r#"select workspace_id as "workspace_id!" from workspace_find($1)"#, slug)
        .fetch_optional(conn)
        .await?;
    Ok(id.map(WorkspaceId))
}
