use super::{NewStream, State, StreamView, Target, delivery::LEASE};
use crate::{
    AppError,
    audit_log::{self, EventView},
    database::constraint,
    ids::{StreamId, WorkspaceId},
};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// A stream that one server has until its lease is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub workspace: WorkspaceId,
    pub stream: StreamId,
    /// Which claim this is.
    pub lease: i64,
}

/// What is sent of a claimed stream, and how it was before.
pub(super) struct Claimed {
    pub name: String,
    pub target: Target,
    pub authorities: String,
    pub secret: Option<Vec<u8>>,
    pub next_seq: i64,
    /// The last event of the batch; nothing: it is a checkpoint that is sent.
    pub batch_to: Option<i64>,
    pub checkpoint_size: i64,
    pub attempts: i32,
    pub failing_since: Option<OffsetDateTime>,
    /// Whether the log says that it fails.
    pub is_failing: bool,
    pub told_at: Option<OffsetDateTime>,
}

/// Only what was a target is ever stored: that it cannot be read is our fault, and nothing to go on with.
fn target_of(stored: Value) -> Result<Target, AppError> {
    serde_json::from_value(stored).map_err(|error| {
        tracing::error!(%error, "a stored target of a stream cannot be read");
        AppError::Internal
    })
}

fn stored(target: &Target) -> Result<Value, AppError> {
    serde_json::to_value(target).map_err(|_| AppError::Internal)
}

fn taken(error: sqlx::Error) -> AppError {
    match constraint(&error) {
        Some("audit_streams_name_key") => AppError::field("name", "taken", "Another stream has this name."),
        _ => error.into(),
    }
}

/// The newest event of the log.
pub(super) async fn last_seq(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<i64, AppError> {
    let last = sqlx::query_scalar!(
        r#"select coalesce(max(seq), 0) as "last!" from audit_events where workspace_id = $1"#,
        workspace.0
    );
    Ok(last.fetch_one(conn).await?)
}

pub(super) async fn count(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<i64, AppError> {
    let count =
        sqlx::query_scalar!(r#"select count(*) as "count!" from audit_streams where workspace_id = $1"#, workspace.0);
    Ok(count.fetch_one(conn).await?)
}

pub(super) async fn insert(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: StreamId,
    new: &NewStream,
    (secret, from_seq): (Option<&[u8]>, i64),
    now: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into audit_streams
            (workspace_id, stream_id, name, target, authorities, secret, state, created_at, from_seq, next_seq, due_at)
         values ($1, $2, $3, $4, $5, $6, 'active', $7, $8, $8, $7)",
        workspace.0,
        id.0,
        new.name,
        stored(&new.target)?,
        new.authorities,
        secret,
        now,
        from_seq,
    )
    .execute(conn)
    .await
    .map_err(taken)?;
    Ok(())
}

struct Row {
    stream_id: Uuid,
    name: String,
    target: Value,
    authorities: String,
    state: String,
    created_at: OffsetDateTime,
    from_seq: i64,
    next_seq: i64,
    last_seq: i64,
    waiting_since: Option<OffsetDateTime>,
    last_ok_at: Option<OffsetDateTime>,
    failing_since: Option<OffsetDateTime>,
    last_error: Option<String>,
    attempts: i32,
    due_at: OffsetDateTime,
    tested_at: Option<OffsetDateTime>,
}

impl Row {
    /// `oldest`: the first event that is kept, and when it was.
    fn view(self, oldest: Option<(i64, OffsetDateTime)>) -> Result<StreamView, AppError> {
        // The next one may be gone: then the oldest that is left is what waits.
        let oldest_waiting = oldest.filter(|(seq, _)| *seq > self.next_seq).map(|(_, at)| at);
        Ok(StreamView {
            id: StreamId(self.stream_id),
            name: self.name,
            target: target_of(self.target)?,
            authorities: self.authorities,
            state: if self.state == State::Paused.as_str() { State::Paused } else { State::Active },
            created_at: self.created_at,
            from_seq: self.from_seq,
            next_seq: self.next_seq,
            last_seq: self.last_seq,
            first_kept: oldest.map_or(1, |(seq, _)| seq),
            waiting_since: self.waiting_since.or(oldest_waiting),
            last_ok_at: self.last_ok_at,
            failing_since: self.failing_since,
            last_error: self.last_error,
            attempts: self.attempts,
            due_at: self.due_at,
            tested_at: self.tested_at,
        })
    }
}

/// Every stream of the workspace, or the one named, the oldest first.
pub(super) async fn all(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    one: Option<StreamId>,
) -> Result<Vec<StreamView>, AppError> {
    let rows = sqlx::query_as!(
        Row,
        r#"select s.stream_id, s.name, s.target, s.authorities, s.state, s.created_at, s.from_seq, s.next_seq,
            (select coalesce(max(e.seq), 0) from audit_events e where e.workspace_id = $1) as "last_seq!",
            (select e.at from audit_events e where e.workspace_id = $1 and e.seq = s.next_seq) as waiting_since,
            s.last_ok_at, s.failing_since, s.last_error, s.attempts, s.due_at, s.tested_at
         from audit_streams s where s.workspace_id = $1 and ($2::uuid is null or s.stream_id = $2)
         order by s.created_at, s.stream_id"#,
        workspace.0,
        one.map(|id| id.0),
    )
    .fetch_all(&mut *conn)
    .await?;
    let oldest = audit_log::operations::first_kept(conn, workspace).await?;
    rows.into_iter().map(|row| row.view(oldest)).collect()
}

/// The sealed secret.
pub(super) async fn secret(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: StreamId,
) -> Result<Option<Vec<u8>>, AppError> {
    let secret = sqlx::query_scalar!(
        "select secret from audit_streams where workspace_id = $1 and stream_id = $2",
        workspace.0,
        id.0
    );
    Ok(secret.fetch_optional(conn).await?.flatten())
}

/// Writes a stream anew. Whoever sends it now has lost it, and it is due at once.
pub(super) async fn change(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: StreamId,
    new: &NewStream,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "update audit_streams set name = $3, target = $4, authorities = $5, lease = lease + 1, due_at = $6
         where workspace_id = $1 and stream_id = $2",
        workspace.0,
        id.0,
        new.name,
        stored(&new.target)?,
        new.authorities,
        now,
    )
    .execute(conn)
    .await
    .map_err(taken)?;
    Ok(())
}

pub(super) async fn set_secret(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: StreamId,
    secret: &[u8],
    now: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "update audit_streams set secret = $3, lease = lease + 1, due_at = $4 where workspace_id = $1 and stream_id = $2",
        workspace.0,
        id.0,
        secret,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether that was new.
pub(super) async fn set_state(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: StreamId,
    state: State,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        // No later than by the end of a lease an attempt may be under way: beside that there is no other.
        "update audit_streams set state = $3, due_at = case when due_at > $5 then $4 else greatest(due_at, $4) end
         where workspace_id = $1 and stream_id = $2 and state <> $3",
        workspace.0,
        id.0,
        state.as_str(),
        now,
        now + LEASE,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn set_tested(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: StreamId,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "update audit_streams set tested_at = $3 where workspace_id = $1 and stream_id = $2",
        workspace.0,
        id.0,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn delete(conn: &mut PgConnection, workspace: WorkspaceId, id: StreamId) -> Result<(), AppError> {
    sqlx::query!("delete from audit_streams where workspace_id = $1 and stream_id = $2", workspace.0, id.0)
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn claim(
    pool: &PgPool,
    limit: i32,
    batch: i32,
    (now, until): (OffsetDateTime, OffsetDateTime),
    (some, is_among): (&[Uuid], bool),
) -> Result<Vec<Claim>, AppError> {
    let rows = sqlx::query!(
        r#"select workspace_id as "workspace_id!", stream_id as "stream_id!", lease as "lease!"
         from audit_streams_claim($1, $2, $3, $4, $5, $6)"#,
        limit,
        batch,
        now,
        until,
        some,
        is_among,
    )
    .fetch_all(pool)
    .await?;
    let claims = rows.into_iter().map(|row| Claim {
        workspace: WorkspaceId(row.workspace_id),
        stream: StreamId(row.stream_id),
        lease: row.lease,
    });
    Ok(claims.collect())
}

/// What was claimed, unless it has been lost since.
pub(super) async fn claimed(conn: &mut PgConnection, claim: &Claim) -> Result<Option<Claimed>, AppError> {
    let row = sqlx::query!(
        "select name, target, authorities, secret, next_seq, batch_to, checkpoint_size, attempts, failing_since, is_failing, told_at
         from audit_streams where workspace_id = $1 and stream_id = $2 and lease = $3",
        claim.workspace.0,
        claim.stream.0,
        claim.lease,
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Claimed {
        name: row.name,
        target: target_of(row.target)?,
        authorities: row.authorities,
        secret: row.secret,
        next_seq: row.next_seq,
        batch_to: row.batch_to,
        checkpoint_size: row.checkpoint_size,
        attempts: row.attempts,
        failing_since: row.failing_since,
        is_failing: row.is_failing,
        told_at: row.told_at,
    }))
}

/// The events of a batch, in their order. Where the first of them were removed, later ones take their place: those that are removed
/// are always the oldest.
pub(super) async fn events(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    from: i64,
    to: i64,
) -> Result<Vec<EventView>, AppError> {
    audit_log::after(conn, workspace, from - 1, to - from + 1).await
}

/// The newest checkpoint of the log: its size, the signed note, and when it was made.
pub(super) async fn checkpoint(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
) -> Result<Option<(i64, String, OffsetDateTime)>, AppError> {
    let row = sqlx::query!("select size, note, sealed_at from audit_trees where workspace_id = $1", workspace.0);
    Ok(row.fetch_optional(conn).await?.map(|row| (row.size, row.note, row.sealed_at)))
}

/// How far a target has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reached {
    pub next_seq: i64,
    pub checkpoint_size: i64,
}

pub(super) async fn sent(pool: &PgPool, claim: &Claim, reached: Reached, now: OffsetDateTime) -> Result<(), AppError> {
    sqlx::query!(
        "select audit_stream_sent($1, $2, $3, $4, $5, $6)",
        claim.workspace.0,
        claim.stream.0,
        claim.lease,
        reached.next_seq,
        reached.checkpoint_size,
        now
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn failed(
    pool: &PgPool,
    claim: &Claim,
    error: &str,
    now: OffsetDateTime,
    due_at: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "select audit_stream_failed($1, $2, $3, $4, $5, $6)",
        claim.workspace.0,
        claim.stream.0,
        claim.lease,
        error,
        now,
        due_at,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Goes on with this event, at once. The target took nothing: how it does stays as it is. Whether it was this claim's to say.
pub(super) async fn skipped(
    conn: &mut PgConnection,
    claim: &Claim,
    next_seq: i64,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update audit_streams set next_seq = $4, batch_to = null, due_at = $5
         where workspace_id = $1 and stream_id = $2 and lease = $3",
        claim.workspace.0,
        claim.stream.0,
        claim.lease,
        next_seq,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// As `sent`, of a stream of which the log says that it fails. Whether it was this claim's to say.
pub(super) async fn recovered(
    conn: &mut PgConnection,
    claim: &Claim,
    reached: Reached,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update audit_streams set next_seq = $4, checkpoint_size = $5, batch_to = null, due_at = $6, attempts = 0, last_ok_at = $6,
            failing_since = null, last_error = null, is_failing = false, told_at = null
         where workspace_id = $1 and stream_id = $2 and lease = $3",
        claim.workspace.0,
        claim.stream.0,
        claim.lease,
        reached.next_seq,
        reached.checkpoint_size,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A failure that the log is told. Whether it was this claim's to say.
pub(super) async fn failing(
    conn: &mut PgConnection,
    claim: &Claim,
    error: &str,
    (now, due_at): (OffsetDateTime, OffsetDateTime),
    is_told: bool,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update audit_streams set attempts = attempts + 1, due_at = $6, failing_since = coalesce(failing_since, $5), last_error = $4,
            is_failing = true, told_at = case when $7 then $5 else told_at end
         where workspace_id = $1 and stream_id = $2 and lease = $3",
        claim.workspace.0,
        claim.stream.0,
        claim.lease,
        error,
        now,
        due_at,
        is_told,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
