use super::{LegalHold, Pruned, Retention, Waiting};
use crate::{
    AppError,
    ids::{LegalHoldId, UserId, WorkspaceId},
    plans,
};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

fn days(number: i32) -> u32 {
    number.unsigned_abs()
}

/// As chosen; where nothing is, as the plan has it. What a plan no longer allows counts only while a shorter time waits.
pub(super) async fn find(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    now: OffsetDateTime,
) -> Result<Retention, AppError> {
    let plan = plans::plan_of(conn, workspace).await?.ok_or(AppError::NotFound)?;
    let max_days = plan.caps().audit_days;
    let legal_holds = holds(conn, workspace).await?.into_iter().filter(LegalHold::is_active).collect();
    let row = sqlx::query!(
        "select audit_days, waiting_days, waiting_until from retention where workspace_id = $1",
        workspace.0
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else {
        return Ok(Retention { audit_days: max_days, max_days, waiting: None, legal_holds });
    };
    let waiting = row.waiting_days.zip(row.waiting_until);
    let waiting = waiting.map(|(number, until)| Waiting { audit_days: days(number), until });
    // What has waited long enough counts, whether or not anybody has come by since.
    let (audit_days, waiting) = match waiting {
        Some(over) if over.until <= now => (over.audit_days, None),
        waiting => (days(row.audit_days), waiting),
    };
    let audit_days = if waiting.is_some() { audit_days } else { audit_days.min(max_days) };
    Ok(Retention { audit_days, max_days, waiting, legal_holds })
}

pub(super) async fn set(conn: &mut PgConnection, workspace: WorkspaceId, new: &Retention) -> Result<(), AppError> {
    let number = |days: u32| i32::try_from(days).unwrap_or(i32::MAX);
    sqlx::query!(
        "insert into retention (workspace_id, audit_days, waiting_days, waiting_until) values ($1, $2, $3, $4)
            on conflict (workspace_id) do update set audit_days = $2, waiting_days = $3, waiting_until = $4",
        workspace.0,
        number(new.audit_days),
        new.waiting.map(|waiting| number(waiting.audit_days)),
        new.waiting.map(|waiting| waiting.until),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The first event of the log that is kept, and the first that is not older than this.
pub(super) async fn bounds(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    since: OffsetDateTime,
) -> Result<(i64, i64), AppError> {
    let row = sqlx::query!(
        r#"select coalesce((select first_seq from audit_floors where workspace_id = $1), 1) as "first!",
            least(audit_seq_at($1, $2), (select next_seq from audit_heads where workspace_id = $1)) as "since!""#,
        workspace.0,
        since,
    )
    .fetch_one(conn)
    .await?;
    Ok((row.first, row.since))
}

/// When an event was.
pub(super) async fn time_of(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    seq: i64,
) -> Result<Option<OffsetDateTime>, AppError> {
    let at = sqlx::query_scalar!("select at from audit_events where workspace_id = $1 and seq = $2", workspace.0, seq);
    Ok(at.fetch_optional(conn).await?)
}

/// False: somebody else was faster.
pub(super) async fn prune(
    conn: &mut PgConnection,
    (from, first): (i64, i64),
    last_at: OffsetDateTime,
    note: &str,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let done =
        sqlx::query_scalar!(r#"select audit_prune($1, $2, $3, $4, $5) as "done!""#, from, first, last_at, note, now);
    Ok(done.fetch_one(conn).await?)
}

/// What was removed so far, the newest first.
pub(super) async fn pruned(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Vec<Pruned>, AppError> {
    let rows = sqlx::query_as!(
        Pruned,
        r#"select from_seq as "from", first_seq - 1 as "to!", pruned_at as at, last_at, note
            from audit_prunes where workspace_id = $1 order by first_seq desc limit 50"#,
        workspace.0,
    );
    Ok(rows.fetch_all(conn).await?)
}

/// Removes so many rows below the floors at most, and says how many there were.
pub(super) async fn sweep(worker: &PgPool, limit: i64) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(r#"select audit_sweep($1) as "count!""#, limit).fetch_one(worker).await?)
}

/// Every legal hold there was, those that still hold first, then the newest.
pub(super) async fn holds(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Vec<LegalHold>, AppError> {
    let rows = sqlx::query!(
        r#"select h.hold_id, h.name, h.placed_at, h.released_at, p.name as "placed_by?"
            from legal_holds h left join workspace_people() p on p.user_id = h.placed_by
            where h.workspace_id = $1 order by h.released_at is not null, h.hold_id desc"#,
        workspace.0,
    );
    let rows = rows.fetch_all(conn).await?.into_iter().map(|row| LegalHold {
        id: LegalHoldId(row.hold_id),
        name: row.name,
        placed_at: row.placed_at,
        released_at: row.released_at,
        placed_by: row.placed_by,
    });
    Ok(rows.collect())
}

pub(super) async fn place(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    hold: &LegalHold,
    by: Option<UserId>,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into legal_holds (workspace_id, hold_id, name, placed_by, placed_at) values ($1, $2, $3, $4, $5)",
        workspace.0,
        hold.id.0,
        hold.name,
        by.map(|id| id.0),
        hold.placed_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// False when it was released already.
pub(super) async fn release(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: LegalHoldId,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update legal_holds set released_at = $3 where workspace_id = $1 and hold_id = $2 and released_at is null",
        workspace.0,
        id.0,
        now,
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}
