use super::{
    Finding, Kind, Standing, TILE,
    tree::{Tile, TileId, Tree},
};
use crate::{
    AppError,
    ids::{EventId, WorkspaceId},
};
use send0_verify::{Hash, leaf};
use sqlx::{PgConnection, PgPool};
use std::collections::HashMap;
use time::OffsetDateTime;

/// A log as far as it is sealed.
pub(super) struct Sealed {
    pub tree: Tree,
    pub root: Vec<u8>,
    pub note: String,
}

/// An event as it is hashed.
pub(super) struct Row {
    pub seq: i64,
    pub event_id: uuid::Uuid,
    pub at: OffsetDateTime,
    pub action: String,
    pub outcome: String,
    pub actor_kind: String,
    pub actor_id: String,
    pub body: String,
    pub personal: Option<String>,
    pub salt: Option<Vec<u8>>,
}

impl Row {
    pub fn leaf(&self, workspace: WorkspaceId) -> Hash {
        let micros = i64::try_from(self.at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX);
        leaf::hash(&workspace.to_string(), self.seq.unsigned_abs(), micros, self.body.as_bytes())
    }
}

/// The tree as it is stored; what is wrong with one that somebody has changed so that it is none any more.
pub(super) async fn tree(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
) -> Result<Option<Result<Sealed, Finding>>, AppError> {
    let row = sqlx::query!("select size, tails, root, note from audit_trees where workspace_id = $1", workspace.0)
        .fetch_optional(conn)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let tree = Tree::from_parts(row.size.unsigned_abs(), row.tails);
    let sealed = tree.map(|tree| Sealed { tree, root: row.root, note: row.note });
    Ok(Some(sealed.ok_or(Finding { seq: 1, kind: Kind::Tree })))
}

/// For whoever can do nothing with one that is none.
pub(super) async fn sealed(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Option<Sealed>, AppError> {
    let sealed = tree(conn, workspace).await?.transpose();
    sealed.map_err(|_| {
        tracing::error!(%workspace, "the stored tree does not fit its size");
        AppError::Internal
    })
}

pub(super) async fn tiles(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    ids: &[TileId],
) -> Result<HashMap<TileId, Vec<u8>>, AppError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let levels: Vec<i16> = ids.iter().map(|id| i16::from(id.0)).collect();
    let places: Vec<i64> = ids.iter().map(|id| id.1.cast_signed()).collect();
    let rows = sqlx::query!(
        "select t.level, t.tile, t.hashes from unnest($2::smallint[], $3::bigint[]) as wanted (level, tile)
            join audit_tiles t on t.workspace_id = $1 and t.level = wanted.level and t.tile = wanted.tile",
        workspace.0,
        &levels,
        &places,
    )
    .fetch_all(conn)
    .await?;
    let id = |level: i16, tile: i64| (u8::try_from(level).unwrap_or(u8::MAX), tile.unsigned_abs());
    Ok(rows.into_iter().map(|row| (id(row.level, row.tile), row.hashes)).collect())
}

/// Events between two numbers, in order.
pub(super) async fn rows(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    from: i64,
    to: i64,
    limit: i64,
) -> Result<Vec<Row>, AppError> {
    let rows = sqlx::query_as!(
        Row,
        "select seq, event_id, at, action, outcome, actor_kind, actor_id, body, personal, salt from audit_events
            where workspace_id = $1 and seq >= $2 and seq <= $3 order by seq limit $4",
        workspace.0,
        from,
        to,
        limit,
    );
    Ok(rows.fetch_all(conn).await?)
}

/// Single events, in order.
pub(super) async fn some_rows(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    seqs: &[i64],
) -> Result<Vec<Row>, AppError> {
    let rows = sqlx::query_as!(
        Row,
        "select seq, event_id, at, action, outcome, actor_kind, actor_id, body, personal, salt from audit_events
            where workspace_id = $1 and seq = any($2) order by seq",
        workspace.0,
        seqs,
    );
    Ok(rows.fetch_all(conn).await?)
}

/// The number of the last event.
pub(super) async fn last(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<i64, AppError> {
    let last =
        sqlx::query_scalar!(r#"select next_seq - 1 as "last!" from audit_heads where workspace_id = $1"#, workspace.0);
    Ok(last.fetch_optional(conn).await?.unwrap_or(0))
}

/// A number at which no event can be: before the first, or after the last that was ever given.
pub(super) async fn stray(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Option<i64>, AppError> {
    let found = sqlx::query_scalar!(
        // Asked of each side by itself: asked of both at once, PostgreSQL goes through the whole log.
        "select least(
            (select min(e.seq) from audit_events e where e.workspace_id = $1 and e.seq < 1),
            (select min(e.seq) from audit_events e where e.workspace_id = $1
                and e.seq >= (select next_seq from audit_heads where workspace_id = $1)))",
        workspace.0,
    );
    Ok(found.fetch_one(conn).await?)
}

/// Whether an event was written at this number and is not there.
pub(super) async fn is_missing(conn: &mut PgConnection, workspace: WorkspaceId, seq: i64) -> Result<bool, AppError> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from audit_heads where workspace_id = $1 and next_seq > $2)
            and not exists (select from audit_events where workspace_id = $1 and seq = $2) as "missing!""#,
        workspace.0,
        seq,
    );
    Ok(found.fetch_one(conn).await?)
}

pub(super) async fn seq_of(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    event: EventId,
) -> Result<Option<i64>, AppError> {
    let found = sqlx::query_scalar!(
        "select seq from audit_events where workspace_id = $1 and event_id = $2",
        workspace.0,
        event.0,
    );
    Ok(found.fetch_optional(conn).await?)
}

/// A log and where it stands.
pub(super) struct Log {
    pub workspace: WorkspaceId,
    pub size: i64,
    pub note: String,
    pub checked_to: i64,
    pub checked_at: Option<OffsetDateTime>,
}

pub(super) async fn logs(worker: &PgPool) -> Result<Vec<Log>, AppError> {
    let rows = sqlx::query!(
        r#"select workspace_id as "workspace!", size as "size!", note as "note!", checked_to as "checked_to!", checked_at
            from audit_logs()"#
    )
    .fetch_all(worker)
    .await?;
    let log = rows.into_iter().map(|row| Log {
        workspace: WorkspaceId(row.workspace),
        size: row.size,
        note: row.note,
        checked_to: row.checked_to,
        checked_at: row.checked_at,
    });
    Ok(log.collect())
}

/// The logs with something to seal, and the number of the last event of each.
pub(super) async fn unsealed(worker: &PgPool) -> Result<Vec<(WorkspaceId, i64)>, AppError> {
    let rows = sqlx::query!(r#"select workspace_id as "workspace!", events as "events!" from audit_unsealed()"#)
        .fetch_all(worker)
        .await?;
    Ok(rows.into_iter().map(|row| (WorkspaceId(row.workspace), row.events)).collect())
}

/// False: somebody else has sealed meanwhile.
pub(super) async fn seal(
    worker: &PgPool,
    workspace: WorkspaceId,
    from: u64,
    tree: &Tree,
    finished: &[Tile],
    note: &str,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let root = tree.root();
    let done = sqlx::query_scalar!(
        r#"select audit_seal($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) as "done!""#,
        workspace.0,
        from.cast_signed(),
        tree.size().cast_signed(),
        tree.tails(),
        &finished.iter().map(|tile| i16::from(tile.level)).collect::<Vec<_>>(),
        &finished.iter().map(|tile| tile.index.cast_signed()).collect::<Vec<_>>(),
        &finished.iter().map(|tile| tile.hashes.clone()).collect::<Vec<_>>(),
        root.as_slice(),
        note,
        now,
    );
    Ok(done.fetch_one(worker).await?)
}

/// Where the rolling check goes on.
pub(super) async fn next_to_check(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<i64, AppError> {
    let next = sqlx::query_scalar!("select next_seq from audit_checks where workspace_id = $1", workspace.0);
    Ok(next.fetch_optional(conn).await?.unwrap_or(1))
}

/// What a check found.
pub(super) struct Checked {
    pub to: i64,
    pub next_seq: i64,
    /// Whether the pass through the whole log ended with it.
    pub whole: bool,
    pub failed: Option<Finding>,
}

pub(super) async fn checked(
    worker: &PgPool,
    workspace: WorkspaceId,
    checked: &Checked,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "select audit_checked($1, $2, $3, $4, $5, $6, $7)",
        workspace.0,
        checked.to,
        checked.next_seq,
        checked.whole.then_some(now),
        checked.failed.map(|finding| finding.seq),
        checked.failed.map(|finding| finding.kind.as_str()),
        now,
    )
    .execute(worker)
    .await?;
    Ok(())
}

/// The note that was left in place of the events before this one.
pub(super) async fn receipt(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    first: i64,
) -> Result<Option<String>, AppError> {
    let note = sqlx::query_scalar!(
        "select note from audit_prunes where workspace_id = $1 and first_seq = $2",
        workspace.0,
        first,
    );
    Ok(note.fetch_optional(conn).await?)
}

pub(super) async fn standing(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Option<Standing>, AppError> {
    let row = sqlx::query!(
        r#"select t.size, coalesce(c.checked_to, 0) as "checked_to!", c.checked_at as "checked_at?", c.whole_at, c.failed_seq, c.failed_kind,
                coalesce(f.first_seq, 1) as "first_seq!"
            from audit_trees t
                left join audit_checks c on c.workspace_id = t.workspace_id
                left join audit_floors f on f.workspace_id = t.workspace_id
            where t.workspace_id = $1"#,
        workspace.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Standing {
        sealed_to: row.size,
        checked_to: row.checked_to,
        checked_at: row.checked_at,
        whole_at: row.whole_at,
        failed: finding(row.failed_seq, row.failed_kind.as_deref()),
        first_seq: row.first_seq,
    }))
}

fn finding(seq: Option<i64>, kind: Option<&str>) -> Option<Finding> {
    let kind: Kind = kind?.parse().ok()?;
    Some(Finding { seq: seq?, kind })
}

/// The finished tiles of leaves that these events lie in.
pub(super) fn leaf_tiles(tree: &Tree, from: i64, to: i64) -> Vec<TileId> {
    let last = to.unsigned_abs().min(tree.size());
    if from < 1 || last < from.unsigned_abs() {
        return vec![];
    }
    let finished = tree.size() / TILE;
    ((from.unsigned_abs() - 1) / TILE..=(last - 1) / TILE)
        .filter(|tile| *tile < finished)
        .map(|tile| (0, tile))
        .collect()
}
