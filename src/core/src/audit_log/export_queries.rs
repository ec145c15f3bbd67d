use super::{
    Format,
    exports::{ExportState, ExportView, Written},
};
use crate::{
    AppError,
    ids::{ExportId, UserId, WorkspaceId},
};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// An export that one worker has until its lease is over.
pub(super) struct Claimed {
    pub workspace: WorkspaceId,
    pub id: ExportId,
    pub format: Format,
    /// As it stands in a URL.
    pub filter: serde_json::Value,
    pub bounds: Option<(i64, i64)>,
    /// How often it was tried, with this time.
    pub attempts: i32,
}

/// What is asked for.
pub(super) struct New<'a> {
    pub id: ExportId,
    pub by: UserId,
    pub format: Format,
    pub filter: &'a serde_json::Value,
    pub bounds: Option<(i64, i64)>,
}

/// `false`: another one is being written.
pub(super) async fn insert(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    new: &New<'_>,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "insert into audit_exports
            (workspace_id, export_id, requested_by, format, filter, state, first_seq, last_seq, next_seq, leased_until, created_at)
         values ($1, $2, $3, $4, $5, 'queued', $6, $7, $8, $9, $9)
         on conflict (workspace_id) where state in ('queued', 'running') do nothing",
        workspace.0,
        new.id.0,
        new.by.0,
        new.format.as_str(),
        new.filter,
        new.bounds.map(|bounds| bounds.0),
        new.bounds.map(|bounds| bounds.1),
        new.bounds.map_or(0, |bounds| bounds.0),
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

struct Row {
    export_id: Uuid,
    by: Option<String>,
    format: String,
    filter: serde_json::Value,
    state: String,
    first_seq: Option<i64>,
    last_seq: Option<i64>,
    next_seq: i64,
    rows: i64,
    bytes: i64,
    sha256: Option<Vec<u8>>,
    receipt: Option<String>,
    file_id: Option<Uuid>,
    created_at: OffsetDateTime,
    finished_at: Option<OffsetDateTime>,
    expires_at: Option<OffsetDateTime>,
}

/// The newest exports, or the one with this id.
pub(super) async fn list(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: Option<ExportId>,
    limit: i64,
) -> Result<Vec<ExportView>, AppError> {
    let rows = sqlx::query_as!(
        Row,
        r#"select e.export_id, p.name as "by?", e.format, e.filter, e.state, e.first_seq, e.last_seq, e.next_seq, e.rows, e.bytes,
            e.sha256, e.receipt, e.file_id, e.created_at, e.finished_at, e.expires_at
         from audit_exports e left join workspace_people() p on p.user_id = e.requested_by
         where e.workspace_id = $1 and ($2::uuid is null or e.export_id = $2)
         order by e.created_at desc, e.export_id desc limit $3"#,
        workspace.0,
        id.map(|id| id.0),
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(view).collect()
}

fn view(row: Row) -> Result<ExportView, AppError> {
    Ok(ExportView {
        id: ExportId(row.export_id),
        by: row.by,
        format: row.format.parse()?,
        filter: serde_json::from_value(row.filter).map_err(unreadable)?,
        state: ExportState::of(&row.state).ok_or(AppError::Internal)?,
        bounds: row.first_seq.zip(row.last_seq),
        next: row.next_seq,
        rows: row.rows,
        bytes: row.bytes,
        sha256: row.sha256.map(|hash| crate::secrets::hex(&hash)),
        receipt: row.receipt.map(|text| serde_json::from_str(&text).map_err(unreadable)).transpose()?,
        file: row.file_id,
        created_at: row.created_at,
        finished_at: row.finished_at,
        expires_at: row.expires_at,
    })
}

fn unreadable(error: serde_json::Error) -> AppError {
    tracing::error!(%error, "a stored export cannot be read");
    AppError::Internal
}

/// Whether it was still to be written.
pub(super) async fn cancel(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: ExportId,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update audit_exports set state = 'cancelled', finished_at = $3
         where workspace_id = $1 and export_id = $2 and state in ('queued', 'running')",
        workspace.0,
        id.0,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn claim(
    pool: &PgPool,
    file: Uuid,
    now: OffsetDateTime,
    until: OffsetDateTime,
) -> Result<Option<Claimed>, AppError> {
    let row = sqlx::query!(
        r#"select workspace_id as "workspace_id!", export_id as "export_id!", format as "format!", filter as "filter!",
            first_seq, last_seq, attempts as "attempts!"
         from audit_export_claim($1, $2, $3)"#,
        file,
        now,
        until,
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Claimed {
        workspace: WorkspaceId(row.workspace_id),
        id: ExportId(row.export_id),
        format: row.format.parse()?,
        filter: row.filter,
        bounds: row.first_seq.zip(row.last_seq),
        attempts: row.attempts,
    }))
}

/// Whether it is still this worker's.
pub(super) async fn progress(
    pool: &PgPool,
    export: &Claimed,
    (at, rows, bytes): (i64, i64, i64),
    until: OffsetDateTime,
) -> Result<bool, AppError> {
    let kept = sqlx::query_scalar!(
        r#"select audit_export_progress($1, $2, $3, $4, $5, $6, $7) as "kept!""#,
        export.workspace.0,
        export.id.0,
        export.attempts,
        at,
        rows,
        bytes,
        until,
    );
    Ok(kept.fetch_one(pool).await?)
}

/// Whether it was this worker's to finish.
pub(super) async fn finish(
    conn: &mut PgConnection,
    export: &Claimed,
    written: &Written,
    (now, expires_at): (OffsetDateTime, OffsetDateTime),
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update audit_exports set state = 'done', next_seq = $4, rows = $5, bytes = $6, sha256 = $7, receipt = $8, finished_at = $9,
            expires_at = $10
         where workspace_id = $1 and export_id = $2 and attempts = $3 and state = 'running'",
        export.workspace.0,
        export.id.0,
        export.attempts,
        written.at,
        written.receipt.count,
        written.bytes,
        &written.sha256[..],
        serde_json::to_string(&written.receipt).map_err(unreadable)?,
        now,
        expires_at,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether it was this worker's to give up.
pub(super) async fn fail(conn: &mut PgConnection, export: &Claimed, now: OffsetDateTime) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update audit_exports set state = 'failed', finished_at = $4
         where workspace_id = $1 and export_id = $2 and attempts = $3 and state = 'running'",
        export.workspace.0,
        export.id.0,
        export.attempts,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The files that still belong to an export.
pub(super) async fn sweep(pool: &PgPool, now: OffsetDateTime, kept: i32) -> Result<Vec<Uuid>, AppError> {
    let files = sqlx::query_scalar!(r#"select file_id as "file_id!" from audit_exports_sweep($1, $2)"#, now, kept);
    Ok(files.fetch_all(pool).await?)
}
