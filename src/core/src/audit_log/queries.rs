use super::{
    ActorView, Change, EventView, Filter, Place, RequestView, Target,
    record::{Body, Personal},
};
use crate::{
    AppError,
    ids::{EventId, WorkspaceId},
};
use sqlx::{PgConnection, Postgres, QueryBuilder, Row, postgres::PgRow};
use time::OffsetDateTime;

const COLUMNS: &str = "select e.seq, e.at, e.body, e.personal from audit_events e where e.workspace_id = ";

pub(super) async fn page(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    filter: &Filter,
    place: Place,
    limit: u32,
) -> Result<Vec<EventView>, AppError> {
    let mut query = QueryBuilder::<Postgres>::new(COLUMNS);
    query.push_bind(workspace.0);
    narrow(&mut query, workspace, filter);
    match place {
        Place::Top => {}
        Place::Older(seq) => {
            query.push(" and e.seq < ").push_bind(seq);
        }
        Place::Newer(seq) => {
            query.push(" and e.seq > ").push_bind(seq);
        }
    }
    let order =
        if matches!(place, Place::Newer(_)) { " order by e.seq asc limit " } else { " order by e.seq desc limit " };
    query.push(order).push_bind(i64::from(limit));
    let rows = query.build().fetch_all(conn).await?;
    rows.iter().map(|row| view(workspace, row)).collect()
}

/// The events that follow a number, in their order, for whoever reads all of them.
pub(crate) async fn after(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    seq: i64,
    limit: u32,
) -> Result<Vec<EventView>, AppError> {
    page(conn, workspace, &Filter::default(), Place::Newer(seq), limit).await
}

fn narrow(query: &mut QueryBuilder<Postgres>, workspace: WorkspaceId, filter: &Filter) {
    if let Some(actor) = &filter.actor {
        query.push(" and e.actor_id = ").push_bind(actor.clone());
    }
    if !filter.actions.is_empty() {
        let actions: Vec<String> = filter.actions.iter().map(ToString::to_string).collect();
        query.push(" and e.action = any(").push_bind(actions).push(")");
    }
    if let Some(outcome) = filter.outcome {
        query.push(" and e.outcome = ").push_bind(outcome.as_str());
    }
    // Time never runs back along seq, so a bound on time is a bound on seq, which every index ends in.
    if let Some(from) = filter.from {
        first_seq_at(query, " and e.seq >= ", workspace, from);
    }
    if let Some(to) = filter.to {
        first_seq_at(query, " and e.seq < ", workspace, to);
    }
}

fn first_seq_at(query: &mut QueryBuilder<Postgres>, comparison: &str, workspace: WorkspaceId, at: OffsetDateTime) {
    query.push(comparison).push("audit_seq_at(").push_bind(workspace.0).push(", ").push_bind(at).push(")");
}

pub(super) async fn find(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: EventId,
) -> Result<Option<EventView>, AppError> {
    let mut query = QueryBuilder::<Postgres>::new(COLUMNS);
    query.push_bind(workspace.0).push(" and e.event_id = ").push_bind(id.0);
    let row = query.build().fetch_optional(conn).await?;
    row.map(|row| view(workspace, &row)).transpose()
}

fn view(workspace: WorkspaceId, row: &PgRow) -> Result<EventView, AppError> {
    let body: Body = parse(row.try_get("body")?)?;
    let personal: Personal = row.try_get::<Option<&str>, _>("personal")?.map(parse).transpose()?.unwrap_or_default();
    let named = |place: usize| personal.targets.get(place).cloned().flatten();
    let value = |place: usize, of: fn(&super::record::PersonalChange) -> &serde_json::Value| {
        personal.changes.get(place).map_or(serde_json::Value::Null, |change| of(change).clone())
    };
    Ok(EventView {
        seq: row.try_get("seq")?,
        id: body.id,
        time: row.try_get::<OffsetDateTime, _>("at")?,
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
    })
}

fn parse<'a, T: serde::Deserialize<'a>>(json: &'a str) -> Result<T, AppError> {
    serde_json::from_str(json).map_err(|error| {
        tracing::error!(%error, "a stored event cannot be read");
        AppError::Internal
    })
}
