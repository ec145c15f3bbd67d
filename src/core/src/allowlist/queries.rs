use super::{Allowlist, Door, ENTRIES_MAX, Entry, Network, NewEntry, Rules, Usage, Verdict};
use crate::{
    Actor, AppError,
    database::constraint,
    ids::{AllowlistEntryId, WorkspaceId},
};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

/// What the list of a door says of an address.
pub(super) async fn verdict(
    pool: &PgPool,
    workspace: WorkspaceId,
    door: Door,
    address: Option<&str>,
    now: OffsetDateTime,
) -> Result<Verdict, AppError> {
    let verdict = sqlx::query_scalar!(
        "select allowlist_verdict($1, $2, $3::text::inet, $4)",
        workspace.0,
        door.as_str(),
        address,
        now,
    )
    .fetch_one(pool)
    .await?;
    verdict.map_or(Ok(Verdict::Off), |word| word.parse().map_err(|()| unknown(&word)))
}

fn unknown(word: &str) -> AppError {
    tracing::error!(word, "a stored word is unknown");
    AppError::Internal
}

/// The list of a door as it stands at this time: a change that is overdue counts as gone back, under the version that
/// going back will give it.
pub(super) async fn find(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    door: Door,
    now: OffsetDateTime,
) -> Result<Allowlist, AppError> {
    let row = sqlx::query!(
        "select version, draft_decide_by, decide_by, previous_decide_by, reverts_at from allowlists
         where workspace_id = $1 and door = $2",
        workspace.0,
        door.as_str(),
    )
    .fetch_optional(&mut *conn)
    .await?;
    let mut list =
        Allowlist { door, version: 0, in_force: Rules::default(), draft: Rules::default(), reverts_at: None };
    let Some(row) = row else { return Ok(list) };
    let is_overdue = row.reverts_at.is_some_and(|at| at <= now);
    list.version = row.version + i64::from(is_overdue);
    list.reverts_at = row.reverts_at.filter(|_| !is_overdue);
    list.draft.decide_by = row.draft_decide_by;
    list.in_force.decide_by = if is_overdue { row.previous_decide_by } else { row.decide_by };
    for row in entries(conn, workspace, door).await? {
        let is_in_force = if is_overdue { row.in_previous } else { row.in_force };
        list.in_force.entries.extend(is_in_force.then(|| row.entry.clone()));
        list.draft.entries.extend(row.in_draft.then_some(row.entry));
    }
    Ok(list)
}

struct StoredEntry {
    entry: Entry,
    in_draft: bool,
    in_force: bool,
    in_previous: bool,
}

async fn entries(conn: &mut PgConnection, workspace: WorkspaceId, door: Door) -> Result<Vec<StoredEntry>, AppError> {
    let rows = sqlx::query!(
        r#"select entry_id, network::text as "network!", note, expires_at, added_at, in_draft, in_force, in_previous
         from allowlist_entries where workspace_id = $1 and door = $2 order by allowlist_entries.network, entry_id"#,
        workspace.0,
        door.as_str(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let entry = Entry {
                id: AllowlistEntryId(row.entry_id),
                network: Network::parse(&row.network).map_err(|_| unknown(&row.network))?,
                note: row.note,
                expires_at: row.expires_at,
                added_at: row.added_at,
            };
            Ok(StoredEntry { entry, in_draft: row.in_draft, in_force: row.in_force, in_previous: row.in_previous })
        })
        .collect()
}

/// Makes whoever else changes the list wait for the end of the transaction.
pub(super) async fn lock(conn: &mut PgConnection, workspace: WorkspaceId, door: Door) -> Result<(), AppError> {
    sqlx::query!(
        "insert into allowlists (workspace_id, door, version) values ($1, $2, 0) on conflict do nothing",
        workspace.0,
        door.as_str(),
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "select version from allowlists where workspace_id = $1 and door = $2 for update",
        workspace.0,
        door.as_str(),
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}

/// Counts one more change of the draft.
pub(super) async fn touch(conn: &mut PgConnection, workspace: WorkspaceId, door: Door) -> Result<(), AppError> {
    sqlx::query!(
        "update allowlists set version = version + 1 where workspace_id = $1 and door = $2",
        workspace.0,
        door.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn insert(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    door: Door,
    new: &NewEntry,
    expires_at: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Result<AllowlistEntryId, AppError> {
    let id = AllowlistEntryId::new();
    let inserted = sqlx::query!(
        "insert into allowlist_entries (workspace_id, entry_id, door, network, note, expires_at, added_at, in_draft)
         values ($1, $2, $3, $4::text::cidr, $5, $6, $7, true)",
        workspace.0,
        id.0,
        door.as_str(),
        new.network.to_string(),
        new.note,
        expires_at,
        now,
    )
    .execute(conn)
    .await;
    match inserted {
        Err(error) if constraint(&error) == Some("allowlist_entries_network_key") => {
            Err(AppError::field("cidr", "taken", format!("{} is in the list already.", new.network)))
        }
        inserted => Ok(inserted.map(|_| id)?),
    }
}

/// Whether there is room for one more entry in the draft.
pub(super) async fn has_room(conn: &mut PgConnection, workspace: WorkspaceId, door: Door) -> Result<bool, AppError> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from allowlist_entries where workspace_id = $1 and door = $2 and in_draft"#,
        workspace.0,
        door.as_str(),
    )
    .fetch_one(conn)
    .await?;
    Ok(usize::try_from(count).is_ok_and(|count| count < ENTRIES_MAX))
}

/// Takes an entry out of the draft.
pub(super) async fn take_out(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    door: Door,
    id: AllowlistEntryId,
) -> Result<(), AppError> {
    sqlx::query!(
        "update allowlist_entries set in_draft = false where workspace_id = $1 and door = $2 and entry_id = $3",
        workspace.0,
        door.as_str(),
        id.0,
    )
    .execute(&mut *conn)
    .await?;
    sweep(conn, workspace, door).await
}

/// Removes what is in no set any more.
async fn sweep(conn: &mut PgConnection, workspace: WorkspaceId, door: Door) -> Result<(), AppError> {
    sqlx::query!(
        "delete from allowlist_entries where workspace_id = $1 and door = $2 and not (in_draft or in_force or in_previous)",
        workspace.0,
        door.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn set_reporting(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    door: Door,
    decide_by: Option<OffsetDateTime>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update allowlists set draft_decide_by = $3 where workspace_id = $1 and door = $2",
        workspace.0,
        door.as_str(),
        decide_by,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes the draft what is in force. What to go back to stays as it is while an earlier change still waits.
pub(super) async fn save(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    door: Door,
    waits_already: bool,
    reverts_at: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "update allowlist_entries set in_previous = case when $3 then in_previous else in_force end, in_force = in_draft
         where workspace_id = $1 and door = $2",
        workspace.0,
        door.as_str(),
        waits_already,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update allowlists set previous_decide_by = case when $3 then previous_decide_by else decide_by end,
            decide_by = draft_decide_by, reverts_at = $4
         where workspace_id = $1 and door = $2",
        workspace.0,
        door.as_str(),
        waits_already,
        reverts_at,
    )
    .execute(&mut *conn)
    .await?;
    sweep(conn, workspace, door).await
}

/// Makes what is in force stay, or brings back what was before.
pub(super) async fn settle(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    door: Door,
    stays: bool,
) -> Result<(), AppError> {
    sqlx::query!(
        "update allowlist_entries set in_force = case when $3 then in_force else in_previous end, in_previous = false
         where workspace_id = $1 and door = $2",
        workspace.0,
        door.as_str(),
        stays,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update allowlists set decide_by = case when $3 then decide_by else previous_decide_by end,
            previous_decide_by = null, reverts_at = null
         where workspace_id = $1 and door = $2",
        workspace.0,
        door.as_str(),
        stays,
    )
    .execute(&mut *conn)
    .await?;
    sweep(conn, workspace, door).await
}

/// Makes the draft what is in force again.
///
/// In two steps: a network may be in the draft once, and its old entry comes back while its new one is still there.
pub(super) async fn discard(conn: &mut PgConnection, workspace: WorkspaceId, door: Door) -> Result<(), AppError> {
    sqlx::query!(
        "update allowlist_entries set in_draft = false where workspace_id = $1 and door = $2",
        workspace.0,
        door.as_str(),
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update allowlist_entries set in_draft = in_force where workspace_id = $1 and door = $2",
        workspace.0,
        door.as_str(),
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update allowlists set draft_decide_by = decide_by where workspace_id = $1 and door = $2",
        workspace.0,
        door.as_str(),
    )
    .execute(&mut *conn)
    .await?;
    sweep(conn, workspace, door).await
}

/// Lets everybody in. The entries stay in the draft, so that nobody has to type them again.
pub(super) async fn switch_off(conn: &mut PgConnection, workspace: WorkspaceId, door: Door) -> Result<(), AppError> {
    sqlx::query!(
        "update allowlist_entries set in_force = false, in_previous = false where workspace_id = $1 and door = $2",
        workspace.0,
        door.as_str(),
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update allowlists set decide_by = null, previous_decide_by = null, reverts_at = null
         where workspace_id = $1 and door = $2",
        workspace.0,
        door.as_str(),
    )
    .execute(&mut *conn)
    .await?;
    sweep(conn, workspace, door).await
}

/// The lists of all workspaces with a change that nobody has confirmed in time.
pub(super) async fn overdue(pool: &PgPool, now: OffsetDateTime) -> Result<Vec<(WorkspaceId, Door)>, AppError> {
    let rows =
        sqlx::query!(r#"select workspace_id as "workspace_id!", door as "door!" from allowlists_overdue($1)"#, now)
            .fetch_all(pool)
            .await?;
    let list = |(workspace, door): (uuid::Uuid, String)| {
        Ok((WorkspaceId(workspace), door.parse().map_err(|()| unknown(&door))?))
    };
    rows.into_iter().map(|row| list((row.workspace_id, row.door))).collect()
}

/// Whether an event since then says already that this actor would have been kept out at this address.
pub(super) async fn would_block_said(
    conn: &mut PgConnection,
    actor: &Actor,
    since: OffsetDateTime,
) -> Result<bool, AppError> {
    let said = sqlx::query_scalar!(
        r#"select exists (
            select from audit_events e where e.workspace_id = $1 and e.action = 'allowlist.would_block' and e.actor_id = $2
                and e.seq >= audit_seq_at($1, $4)
                and e.personal::jsonb ->> 'address' is not distinct from $3
        ) as "said!""#,
        actor.workspace.0,
        actor.id(),
        actor.request.address,
        since,
    );
    Ok(said.fetch_one(conn).await?)
}

/// Who came through a door from where: the newest events since then, at most so many. Also the time of the oldest of
/// them, when there were more.
pub(super) async fn usage(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    door: Door,
    since: OffsetDateTime,
    limit: i64,
) -> Result<(Vec<Usage>, Option<OffsetDateTime>), AppError> {
    let kind = match door {
        Door::Dashboard => "user",
        Door::Api => "api_key",
    };
    let rows = sqlx::query!(
        r#"with newest as (
            select e.actor_id, e.personal::jsonb ->> 'address' as address, e.at from audit_events e
            where e.workspace_id = $1 and e.actor_kind = $2 and e.action <> 'allowlist.would_block' and e.personal is not null
                and e.seq >= audit_seq_at($1, $3)
            order by e.seq desc limit $4
        )
        select actor_id as "actor!", address, count(*) as "requests!", max(at) as "last_at!", min(at) as "first_at!"
        from newest group by actor_id, address"#,
        workspace.0,
        kind,
        since,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let all: i64 = rows.iter().map(|row| row.requests).sum();
    let cut = rows.iter().map(|row| row.first_at).min().filter(|_| all >= limit);
    let usage = rows.into_iter().map(|row| Usage {
        actor: row.actor,
        address: row.address,
        requests: row.requests,
        last_at: row.last_at,
    });
    Ok((usage.collect(), cut))
}

/// The addresses from which these people did something since then.
pub(super) async fn addresses_of(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    people: &[String],
    since: OffsetDateTime,
) -> Result<Vec<String>, AppError> {
    let addresses = sqlx::query_scalar!(
        r#"select distinct e.personal::jsonb ->> 'address' as "address!" from audit_events e
         where e.workspace_id = $1 and e.actor_id = any($2) and e.actor_kind = 'user' and e.outcome = 'success'
            and e.personal::jsonb ->> 'address' is not null
            and e.seq >= audit_seq_at($1, $3)"#,
        workspace.0,
        people,
        since,
    );
    Ok(addresses.fetch_all(conn).await?)
}

/// Locks the list if it has a change that is to be taken back. Whoever had to wait for the lock looks again.
pub(super) async fn lock_overdue(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    door: Door,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let version = sqlx::query_scalar!(
        "select version from allowlists where workspace_id = $1 and door = $2 and reverts_at <= $3 for update",
        workspace.0,
        door.as_str(),
        now,
    );
    Ok(version.fetch_optional(conn).await?.is_some())
}
