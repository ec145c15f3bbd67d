use super::{
    ActorView, Change, EventView, Outcome, RequestView, Source, Target,
    index::Taken,
    record::{Body, BodyActor, BodyRequest, Personal, SCHEMA, UNREADABLE},
    search::{Any, Criteria, Criterion, Range, Rows},
    views::View,
};
use crate::{
    AppError,
    ids::{AuditViewId, EventId, RequestId, UserId, WorkspaceId},
};
use sqlx::{PgConnection, PgPool, Postgres, QueryBuilder, Row, postgres::PgRow};
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

pub(super) const COLUMNS: &str =
    "select e.seq, e.at, e.event_id, e.action, e.outcome, e.actor_kind, e.actor_id, e.body, e.personal, e.salt";
/// What is proven of an event: all that is read of hundreds of thousands a second.
pub(super) const PROVEN: &str = "select e.seq, e.at, e.body, e.personal, e.salt";
const OF_WORKSPACE: &str = " from audit_events e where e.workspace_id = ";

/// These columns of the events of a workspace, to be narrowed.
fn select(columns: &str, workspace: WorkspaceId) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(columns);
    query.push(OF_WORKSPACE).push_bind(workspace.0);
    query
}

/// Where a search can begin and end.
pub(super) struct Ends {
    /// The first event that is not before the search.
    pub from: i64,
    /// The first event that is behind it.
    pub to: i64,
    /// The event that is written next.
    pub next: i64,
    /// Up to which event the worker has taken the log in.
    pub done: i64,
}

/// `limit`: the longest that any later statement of this transaction may take. Whoever has none may take as long as ever.
pub(super) async fn ends(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    from: Option<OffsetDateTime>,
    to: Option<OffsetDateTime>,
    limit: Option<Duration>,
) -> Result<Ends, AppError> {
    // Time never runs back along seq, so a bound on time is a bound on seq, which every index ends in.
    let ends = sqlx::query_as!(
        Ends,
        r#"select greatest(
                case when $2::timestamptz is null then 1 else audit_seq_at($1, $2) end,
                (select first_seq from audit_floors where workspace_id = $1)
            ) as "from!",
            audit_seq_at($1, $3) as "to!",
            coalesce((select next_seq from audit_heads where workspace_id = $1), 1) as "next!",
            coalesce((select done from audit_search_heads where workspace_id = $1), 0) as "done!"
            from set_config('statement_timeout', coalesce($4, current_setting('statement_timeout')), true)"#,
        workspace.0,
        from,
        to,
        limit.map(|limit| limit.as_millis().to_string()),
    );
    Ok(ends.fetch_one(conn).await?)
}

/// Later statements of this transaction may take as long as ever. False when even that was not done in time.
pub(super) async fn lift_limit(conn: &mut PgConnection) -> Result<bool, AppError> {
    Ok(in_time(sqlx::query!("set local statement_timeout to default").execute(conn).await)?.is_some())
}

/// `None` for what was cancelled because its time was over; its transaction is then of no more use.
fn in_time<T>(result: Result<T, sqlx::Error>) -> Result<Option<T>, AppError> {
    const QUERY_CANCELED: &str = "57014";
    match result {
        Ok(done) => Ok(Some(done)),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(QUERY_CANCELED) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Events of which the columns tell that they are meant. `None` when they were not found in time.
pub(super) async fn page(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    criteria: &Criteria,
    range: Range,
    limit: i64,
) -> Result<Option<Vec<EventView>>, AppError> {
    let mut query = QueryBuilder::<Postgres>::new(COLUMNS);
    meant(&mut query, workspace, criteria, range, limit);
    let Some(rows) = in_time(query.build().fetch_all(conn).await)? else { return Ok(None) };
    rows.iter().map(|row| view(workspace, row)).collect::<Result<_, _>>().map(Some)
}

/// The numbers of the newest events of these actions. Each is looked up by itself: on the way back through a busy log there may be
/// millions of others before the first of these.
pub(super) async fn newest_of(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    actions: &[&str],
    limit: i64,
) -> Result<Vec<i64>, AppError> {
    let newest = sqlx::query_scalar!(
        r#"select newest.seq as "seq!" from unnest($2::text[]) as wanted (action) cross join lateral (
            select seq from audit_events where workspace_id = $1 and action = wanted.action order by seq desc limit $3
         ) newest order by newest.seq desc limit $3"#,
        workspace.0,
        actions as &[&str],
        limit,
    );
    Ok(newest.fetch_all(conn).await?)
}

/// The events with these numbers.
pub(super) async fn by_seq(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    seqs: &[i64],
    newest_first: bool,
) -> Result<Vec<EventView>, AppError> {
    if seqs.is_empty() {
        return Ok(vec![]);
    }
    let mut query = select(COLUMNS, workspace);
    query.push(" and e.seq = any(").push_bind(seqs.to_vec()).push(") order by e.seq");
    query.push(if newest_first { " desc" } else { " asc" });
    let rows = query.build().fetch_all(conn).await?;
    rows.iter().map(|row| view(workspace, row)).collect()
}

/// Who acted in a log, at most so many. The index is asked for one after another: how much each did makes no difference.
pub(super) async fn actors(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    limit: usize,
) -> Result<Vec<String>, AppError> {
    let actors = sqlx::query_scalar!(
        r#"with recursive actors (id) as (
            (select actor_id from audit_events where workspace_id = $1 order by actor_id desc limit 1)
            union all
            select next.id from actors, lateral (
                select e.actor_id as id from audit_events e where e.workspace_id = $1 and e.actor_id < actors.id
                order by e.actor_id desc limit 1
            ) as next
        ) select id as "id!" from actors limit $2"#,
        workspace.0,
        limit as i64,
    );
    Ok(actors.fetch_all(conn).await?)
}

/// What these were called when they acted last. The last events may say no more who somebody is, because another who stands in them
/// was erased; of whom none of the last few does, nothing is said.
pub(super) async fn last_names(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    actors: &[String],
) -> Result<Vec<(String, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select asked.id as "id!", named.personal as "personal!" from unnest($2::text[]) as asked (id), lateral (
            select last.personal from (
                select e.seq, e.personal from audit_events e where e.workspace_id = $1 and e.actor_id = asked.id
                order by e.seq desc limit 20
            ) as last where last.personal is not null order by last.seq desc limit 1
        ) as named"#,
        workspace.0,
        actors,
    );
    let named = rows.fetch_all(conn).await?.into_iter().filter_map(|row| {
        let personal: Personal = serde_json::from_str(&row.personal).ok()?;
        personal.actor.map(|name| (row.id, name))
    });
    Ok(named.collect())
}

/// The events that follow a number, in their order, for whoever reads all of them.
pub(crate) async fn after(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    seq: i64,
    limit: i64,
) -> Result<Vec<EventView>, AppError> {
    let mut query = select(COLUMNS, workspace);
    within(&mut query, "e.seq", Range { above: seq, below: i64::MAX, newest_first: false }, limit);
    let rows = query.build().fetch_all(conn).await?;
    rows.iter().map(|row| view(workspace, row)).collect()
}

/// Events that are alike in their columns, in no order.
#[derive(Clone, Debug)]
pub(super) struct Alike {
    pub action: String,
    pub outcome: Outcome,
    pub actor_id: String,
    pub source: Source,
    /// Which they are, and when each was.
    pub events: Vec<(i64, OffsetDateTime)>,
}

impl Alike {
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let columns = |one: &Self| (one.outcome, one.source);
        columns(self) == columns(other) && self.action == other.action && self.actor_id == other.actor_id
    }
}

/// The newest events that are meant, grouped by what their columns say: a thousand of them take longer to read than to find. `None` when they were
/// not found in time.
pub(super) async fn alike(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    criteria: &Criteria,
    range: Range,
    limit: i64,
) -> Result<Option<Vec<Alike>>, AppError> {
    let mut query = QueryBuilder::<Postgres>::new(
        "select action, outcome, actor_kind, actor_id, called, array_agg(seq), array_agg(at)
            from (select e.seq, e.at, e.action, e.outcome, e.actor_kind, e.actor_id, ",
    );
    query.push(CALLED).push(" as called");
    meant(&mut query, workspace, criteria, range, limit);
    query.push(") as found group by action, outcome, actor_kind, actor_id, called");
    let Some(groups) = in_time(query.build_query_as::<Group>().fetch_all(conn).await)? else { return Ok(None) };
    groups.into_iter().map(alike_in).collect::<Result<_, _>>().map(Some)
}

type Group = (String, String, String, String, bool, Vec<i64>, Vec<OffsetDateTime>);

fn alike_in((action, outcome, kind, actor_id, called, seqs, times): Group) -> Result<Alike, AppError> {
    let outcome = outcome.parse().map_err(|()| AppError::Internal)?;
    let source = Source::of(&kind, &actor_id, if called { "/v1" } else { "" });
    Ok(Alike { action, outcome, actor_id, source, events: seqs.into_iter().zip(times).collect() })
}

/// Whether nobody known called the API. The body is canonical, so this stands in it just like that; as JSON, one that was made unreadable
/// would be an error. Within a text of it the quotes would have backslashes.
const CALLED: &str =
    r#"(e.actor_kind = 'anonymous' and e.body ~ '"request":\{"id":"[^"]*","method":"[^"]*","path":"/v1')"#;

/// More values are as good as all: on the way back through the log one of them comes soon.
const LEADS_MAX: usize = 20;

/// Values of which an index has the events in their order. On the way back through a busy log there may be millions of others before the
/// first of these, so each value is looked up by itself.
struct Lead<'a> {
    criterion: &'a Criterion,
    rank: u8,
    is: &'static str,
    values: Vec<String>,
}

impl<'a> Lead<'a> {
    /// The one with the fewest values.
    fn of(workspace: WorkspaceId, criteria: &'a Criteria) -> Option<Self> {
        let positive = criteria.all.iter().filter(|criterion| !criterion.negated);
        let leads = positive.filter_map(|criterion| {
            let (rank, is, values) = led_by(workspace, &criterion.any)?;
            Some(Self { criterion, rank, is, values })
        });
        leads.min_by_key(|lead| (lead.values.len(), lead.rank)).filter(|lead| lead.values.len() <= LEADS_MAX)
    }

    /// Whether this is still to be asked. What leads must not be asked twice: PostgreSQL would look both up in the index, which then gives no
    /// order. Of a source the kinds of actors are not all there is to say.
    fn leaves(&self, criterion: &Criterion) -> bool {
        !std::ptr::eq(self.criterion, criterion) || matches!(criterion.any, Any::Sources(_))
    }
}

/// With a rank among those of as many values: there are few refusals, and of one person fewer events than of one action. What the two
/// partial indexes leave out is said again: they are used for nothing else.
fn led_by(workspace: WorkspaceId, any: &Any) -> Option<(u8, &'static str, Vec<String>)> {
    let (rank, is, mut values): (_, _, Vec<String>) = match any {
        Any::Outcomes(outcomes) if !outcomes.contains(&Outcome::Success) => (
            0,
            "e.outcome = wanted.value and e.outcome <> 'success'",
            outcomes.iter().map(|outcome| outcome.as_str().to_owned()).collect(),
        ),
        // The platform has no keys, and whoever is refused at the API is nobody known there.
        Any::Sources(sources) if workspace != WorkspaceId::PLATFORM => {
            (1, "e.actor_kind = wanted.value and e.actor_kind <> 'api_key'", kinds(sources)?)
        }
        Any::Actors(ids) => (2, "e.actor_id = wanted.value", ids.clone()),
        Any::Actions(actions) => (3, "e.action = wanted.value", actions.iter().map(ToString::to_string).collect()),
        _ => return None,
    };
    // What is asked for twice must not be counted twice.
    values.sort_unstable();
    values.dedup();
    Some((rank, is, values))
}

/// Kinds of actors that events of these sources can have; `None` for those of keys, which are most of a log.
fn kinds(sources: &[Source]) -> Option<Vec<String>> {
    let mut kinds = vec![];
    for source in sources {
        kinds.extend_from_slice(match source {
            Source::Api => return None,
            Source::Console => &["user", "operator", "anonymous"],
            Source::Cli | Source::System => &["system"],
        });
    }
    Some(kinds.into_iter().map(str::to_owned).collect())
}

/// Events of which the columns tell that they are meant, from one end of the range on.
fn meant(query: &mut QueryBuilder<Postgres>, workspace: WorkspaceId, criteria: &Criteria, range: Range, limit: i64) {
    let Some(lead) = Lead::of(workspace, criteria) else {
        query.push(OF_WORKSPACE).push_bind(workspace.0);
        narrow(query, criteria.all.iter());
        return within(query, "e.seq", range, limit);
    };
    query.push(" from unnest(").push_bind(lead.values.clone());
    query.push(") as wanted (value) cross join lateral (select e.*").push(OF_WORKSPACE).push_bind(workspace.0);
    query.push(" and ").push(lead.is);
    narrow(query, criteria.all.iter().filter(|criterion| lead.leaves(criterion)));
    within(query, "e.seq", range, limit);
    query.push(") as e");
    in_order(query, "e.seq", range, limit);
}

fn narrow<'a>(query: &mut QueryBuilder<Postgres>, criteria: impl Iterator<Item = &'a Criterion>) {
    for Criterion { negated, any } in criteria {
        let and = if *negated { " and not " } else { " and " };
        match any {
            Any::Actors(ids) => {
                query.push(and).push("e.actor_id = any(").push_bind(ids.clone()).push(")");
            }
            Any::Actions(actions) => {
                let actions: Vec<String> = actions.iter().map(ToString::to_string).collect();
                query.push(and).push("e.action = any(").push_bind(actions).push(")");
            }
            Any::Outcomes(outcomes) => {
                let outcomes: Vec<String> = outcomes.iter().map(|outcome| outcome.as_str().to_owned()).collect();
                query.push(and).push("e.outcome = any(").push_bind(outcomes).push(")");
            }
            Any::Sources(sources) => {
                query.push(and).push("(false");
                for source in sources {
                    query.push(" or ").push(came_from(*source));
                }
                query.push(")");
            }
            // The columns say nothing of them.
            Any::Targets(_) | Any::Networks(_) | Any::Text(_) => {}
        }
    }
}

/// As [`Source::of`].
fn came_from(source: Source) -> String {
    match source {
        Source::Api => format!("e.actor_kind = 'api_key' or {CALLED}"),
        Source::Console => format!("e.actor_kind not in ('api_key', 'system') and not {CALLED}"),
        Source::Cli => "e.actor_kind = 'system' and e.actor_id = 'cli'".to_owned(),
        Source::System => "e.actor_kind = 'system' and e.actor_id <> 'cli'".to_owned(),
    }
}

fn within(query: &mut QueryBuilder<Postgres>, seq: &str, range: Range, limit: i64) {
    query.push(" and ").push(seq).push(" > ").push_bind(range.above);
    query.push(" and ").push(seq).push(" < ").push_bind(range.below);
    in_order(query, seq, range, limit);
}

fn in_order(query: &mut QueryBuilder<Postgres>, seq: &str, range: Range, limit: i64) {
    query.push(" order by ").push(seq).push(if range.newest_first { " desc limit " } else { " asc limit " });
    query.push_bind(limit);
}

/// Events of which the worker's rows tell that they are meant.
pub(super) async fn rows(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    rows: &Rows,
    range: Range,
    limit: i64,
) -> Result<Vec<i64>, AppError> {
    let mut query = QueryBuilder::<Postgres>::new("select s.seq from audit_search s where s.workspace_id = ");
    query.push_bind(workspace.0);
    for pattern in &rows.patterns {
        query.push(" and s.text like ").push_bind(pattern.clone());
    }
    if let Some(networks) = &rows.networks {
        query.push(" and s.address <<= any(").push_bind(networks.clone()).push("::inet[])");
    }
    within(&mut query, "s.seq", range, limit);
    Ok(query.build_query_scalar().fetch_all(conn).await?)
}

/// Events whose text is like the pattern, from one end of the range on, and how far the index was gone through.
pub(super) async fn trigrams(
    conn: &mut PgConnection,
    pattern: &str,
    range: Range,
    limit: i64,
    time: Duration,
) -> Result<(Vec<i64>, i64), AppError> {
    let found = sqlx::query!(
        r#"select seqs as "seqs!", reached as "reached!" from audit_search_find($1, $2, $3, $4, $5, $6)"#,
        pattern,
        range.above,
        range.below,
        range.newest_first,
        i32::try_from(limit).unwrap_or(i32::MAX),
        i32::try_from(time.as_millis()).unwrap_or(i32::MAX),
    );
    let found = found.fetch_one(conn).await?;
    Ok((found.seqs, found.reached))
}

/// Events of these targets.
pub(super) async fn of_targets(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    ids: &[String],
    range: Range,
    limit: i64,
) -> Result<Vec<i64>, AppError> {
    let mut query = QueryBuilder::<Postgres>::new("select distinct t.seq from audit_targets t where t.workspace_id = ");
    query.push_bind(workspace.0).push(" and t.target_id = any(").push_bind(ids.to_vec()).push(")");
    within(&mut query, "t.seq", range, limit);
    Ok(query.build_query_scalar().fetch_all(conn).await?)
}

/// Where each of these times stands in the log.
pub(super) async fn seqs_at(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    times: &[OffsetDateTime],
) -> Result<Vec<i64>, AppError> {
    let seqs = sqlx::query_scalar!(
        // As `audit_seq_at`, which takes twice as long for so many.
        r#"select coalesce(
                (select e.seq from audit_events e where e.workspace_id = $1 and e.at >= asked.at order by e.at, e.seq limit 1),
                9223372036854775807) as "seq!"
            from unnest($2::timestamptz[]) with ordinality as asked (at, place) order by place"#,
        workspace.0,
        times,
    );
    Ok(seqs.fetch_all(conn).await?)
}

/// Workspaces whose log goes further than the worker has come, and how far that is.
pub(super) async fn due(pool: &PgPool, limit: i32) -> Result<Vec<(WorkspaceId, i64)>, AppError> {
    let due = sqlx::query!(r#"select workspace_id as "workspace!", done as "done!" from audit_search_due($1)"#, limit);
    let due = due.fetch_all(pool).await?.into_iter();
    Ok(due.map(|row| (WorkspaceId(row.workspace), row.done)).collect())
}

/// Puts in order what the index of words has of late, and says how many pages that was.
pub(super) async fn tidy(pool: &PgPool) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(r#"select audit_search_tidy() as "pages!""#).fetch_one(pool).await?)
}

/// Takes in the rows of the events after `from` up to `to`. False when somebody else has done so.
pub(super) async fn take_in(
    pool: &PgPool,
    workspace: WorkspaceId,
    from: i64,
    to: i64,
    rows: &Taken,
) -> Result<bool, AppError> {
    let taken = sqlx::query_scalar!(
        r#"select audit_search_put($1, $2, $3, $4, $5, $6, $7, $8, $9) as "taken!""#,
        workspace.0,
        from,
        to,
        &rows.seqs,
        &rows.texts,
        &rows.plain_lengths,
        &rows.addresses as &[Option<String>],
        &rows.target_seqs,
        &rows.target_ids,
    );
    Ok(taken.fetch_one(pool).await?)
}

/// The first event with at least this number, and when it was written.
pub(super) async fn first_from(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    seq: i64,
) -> Result<Option<(i64, OffsetDateTime)>, AppError> {
    let first = sqlx::query!(
        "select seq, at from audit_events where workspace_id = $1 and seq >= $2 order by seq limit 1",
        workspace.0,
        seq,
    );
    Ok(first.fetch_optional(conn).await?.map(|row| (row.seq, row.at)))
}

/// The ids of the events with these numbers, as far as there are any.
pub(super) async fn ids(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    seqs: &[i64],
) -> Result<Vec<(i64, EventId)>, AppError> {
    let rows = sqlx::query!(
        "select seq, event_id from audit_events where workspace_id = $1 and seq = any($2)",
        workspace.0,
        seqs,
    );
    Ok(rows.fetch_all(conn).await?.into_iter().map(|row| (row.seq, EventId(row.event_id))).collect())
}

pub(super) async fn find(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: EventId,
) -> Result<Option<EventView>, AppError> {
    let mut query = select(COLUMNS, workspace);
    query.push(" and e.event_id = ").push_bind(id.0);
    let row = query.build().fetch_optional(conn).await?;
    row.map(|row| view(workspace, &row)).transpose()
}

/// The first and the last event that an export looks at: after the cursor, between its bounds in time. `None`: there are none.
pub(super) async fn bounds(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    criteria: &Criteria,
    after: i64,
) -> Result<Option<(i64, i64)>, AppError> {
    let row = sqlx::query!(
        "select min(seq) as first, max(seq) as last from audit_events
            where workspace_id = $1 and seq > $2
                and seq >= coalesce((select first_seq from audit_floors where workspace_id = $1), 1)
                and seq >= case when $3::timestamptz is null then 1 else audit_seq_at($1, $3) end
                and seq < case when $4::timestamptz is null then 9223372036854775807 else audit_seq_at($1, $4) end",
        workspace.0,
        after,
        criteria.from,
        criteria.to,
    )
    .fetch_one(conn)
    .await?;
    Ok(row.first.zip(row.last))
}

/// Stored events after one and up to another, the oldest first. Bounds in time are no business of this: they have become
/// bounds of the order.
pub(super) async fn window(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    criteria: &Criteria,
    (after, last): (i64, i64),
    limit: i64,
    columns: &str,
) -> Result<Vec<PgRow>, AppError> {
    let mut query = select(columns, workspace);
    query.push(" and e.seq > ").push_bind(after).push(" and e.seq <= ").push_bind(last);
    narrow(&mut query, criteria.all.iter());
    query.push(" order by e.seq limit ").push_bind(limit);
    Ok(query.build().fetch_all(conn).await?)
}

/// An event as it is stored, borrowed from the answer of the database.
pub(super) struct Stored<'a> {
    pub seq: i64,
    pub at: OffsetDateTime,
    /// Canonical JSON (RFC 8785): what a leaf is the hash of.
    pub body: &'a str,
    /// Canonical JSON of what identifies people; `None` once it is erased.
    pub personal: Option<&'a str>,
    /// Of the commitment in the body.
    pub salt: Option<&'a [u8]>,
    /// For whoever has to show what cannot be read.
    pub columns: Columns<'a>,
}

/// What the columns of an event repeat of its body.
#[derive(Clone, Copy, Default)]
pub(super) struct Columns<'a> {
    pub id: Uuid,
    pub action: &'a str,
    pub outcome: &'a str,
    pub actor_kind: &'a str,
    pub actor_id: &'a str,
}

impl<'a> Stored<'a> {
    pub fn of(row: &'a PgRow) -> Result<Self, AppError> {
        let columns = Columns {
            id: row.try_get("event_id")?,
            action: row.try_get("action")?,
            outcome: row.try_get("outcome")?,
            actor_kind: row.try_get("actor_kind")?,
            actor_id: row.try_get("actor_id")?,
        };
        Ok(Self { columns, ..Self::proven(row)? })
    }

    /// Without the columns.
    pub fn proven(row: &'a PgRow) -> Result<Self, AppError> {
        Ok(Self {
            seq: row.try_get("seq")?,
            at: row.try_get("at")?,
            columns: Columns::default(),
            body: row.try_get("body")?,
            personal: row.try_get("personal")?,
            salt: row.try_get("salt")?,
        })
    }

    /// The event that people and programs read. Of one that somebody has made unreadable, as much as the columns say: who looks at a log has
    /// to see where it was touched, and the events around it.
    pub fn view(&self, workspace: WorkspaceId) -> EventView {
        let unread = |error| tracing::error!(%workspace, seq = self.seq, %error, "a stored event cannot be read");
        let personal = self.personal.and_then(|personal| serde_json::from_str(personal).map_err(unread).ok());
        let body = serde_json::from_str(self.body).map_err(unread);
        let body = body.unwrap_or_else(|()| self.columns.body(workspace));
        put_together(workspace, self.seq, self.at, body, &personal.unwrap_or_default())
    }
}

impl Columns<'_> {
    fn body(&self, workspace: WorkspaceId) -> Body {
        Body {
            action: self.action.to_owned(),
            actor: BodyActor {
                id: self.actor_id.to_owned(),
                kind: self.actor_kind.to_owned(),
                permission: None,
                role: None,
                session: None,
            },
            changed: vec![],
            commitment: String::new(),
            count: None,
            id: EventId(self.id),
            outcome: self.outcome.parse().unwrap_or(Outcome::Failed),
            reason: Some(UNREADABLE.to_owned()),
            request: BodyRequest { id: RequestId(Uuid::nil()), method: String::new(), path: String::new() },
            schema: SCHEMA,
            targets: vec![],
            window: None,
            workspace,
        }
    }
}

fn view(workspace: WorkspaceId, row: &PgRow) -> Result<EventView, AppError> {
    Ok(Stored::of(row)?.view(workspace))
}

fn put_together(workspace: WorkspaceId, seq: i64, time: OffsetDateTime, body: Body, personal: &Personal) -> EventView {
    let named = |place: usize| personal.targets.get(place).cloned().flatten();
    let value = |place: usize, of: fn(&super::record::PersonalChange) -> &serde_json::Value| {
        personal.changes.get(place).map_or(serde_json::Value::Null, |change| of(change).clone())
    };
    EventView {
        seq,
        id: body.id,
        time,
        schema: body.schema,
        workspace,
        actor: ActorView {
            kind: body.actor.kind,
            id: body.actor.id,
            name: personal.actor.clone(),
            session: body.actor.session,
            role: body.actor.role,
            permission: body.actor.permission,
        },
        action: body.action,
        outcome: body.outcome,
        reason: body.reason,
        targets: (0..)
            .zip(body.targets)
            .map(|(n, target)| Target { kind: target.kind, id: target.id, name: named(n) })
            .collect(),
        request_id: body.request.id,
        request: RequestView {
            id: body.request.id,
            method: body.request.method,
            path: body.request.path,
            address: personal.address.clone(),
            agent: personal.agent.clone(),
        },
        changes: (0..)
            .zip(body.changed)
            .map(|(n, field)| Change { field, before: value(n, |c| &c.before), after: value(n, |c| &c.after) })
            .collect(),
        count: body.count,
        window: body.window,
    }
}

// Views ------------------------------------------------------------------------------------------------------------

struct ViewRow {
    view_id: Uuid,
    name: String,
    query: String,
    user_id: Option<Uuid>,
    is_default: bool,
}

impl ViewRow {
    fn view(self) -> View {
        View {
            id: AuditViewId(self.view_id),
            name: self.name,
            query: self.query,
            owner: self.user_id.map(UserId),
            is_default: self.is_default,
        }
    }
}

/// The views of the workspace and of the person, by name.
pub(super) async fn views(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    person: Option<UserId>,
) -> Result<Vec<View>, AppError> {
    let rows = sqlx::query_as!(
        ViewRow,
        "select view_id, name, query, user_id, is_default from audit_views
         where workspace_id = $1 and (user_id is null or user_id = $2) order by name, view_id",
        workspace.0,
        person.map(|person| person.0),
    );
    Ok(rows.fetch_all(conn).await?.into_iter().map(ViewRow::view).collect())
}

/// The views of the person, or of the workspace. Whoever else changes them waits until this transaction is over.
pub(super) async fn views_locked(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    owner: Option<UserId>,
) -> Result<Vec<View>, AppError> {
    let name = format!("audit_views {} {}", workspace.0, owner.map(|owner| owner.to_string()).unwrap_or_default());
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", name).fetch_one(&mut *conn).await?;
    let views = views(conn, workspace, owner).await?;
    Ok(views.into_iter().filter(|view| view.owner == owner).collect())
}

/// Nothing of theirs is the default any more.
pub(super) async fn no_default(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    owner: Option<UserId>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update audit_views set is_default = false where workspace_id = $1 and user_id is not distinct from $2 and is_default",
        workspace.0,
        owner.map(|owner| owner.0),
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn put_view(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    view: &View,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into audit_views (workspace_id, view_id, name, query, user_id, is_default, created_at) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (workspace_id, view_id) do update set name = excluded.name, query = excluded.query, is_default = excluded.is_default",
        workspace.0,
        view.id.0,
        view.name,
        view.query,
        view.owner.map(|owner| owner.0),
        view.is_default,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// False when there was none.
pub(super) async fn delete_view(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: AuditViewId,
) -> Result<bool, AppError> {
    let done = sqlx::query!("delete from audit_views where workspace_id = $1 and view_id = $2", workspace.0, id.0);
    Ok(done.execute(conn).await?.rows_affected() == 1)
}
