//! `/v1/audit-events`.

use super::{
    call::Called,
    lists::{List, Query},
    problem::{ApiError, Problem},
};
use axum::{
    Json,
    extract::{Path, State},
};
use send0_core::{
    Ctx,
    audit_log::{Action, EventView, FilterText, Place, operations},
    ids::EventId,
};

/// Events, newest first. A cursor is a place in the order of commits: nothing appears behind it. A search that would take too
/// long gives what it has found, perhaps nothing, with the cursor where it goes on. Scope: audit.read.
#[utoipa::path(get, path = "/v1/audit-events", operation_id = "list_audit_events", params(
    ("q" = Option<String>, Query, description = "A query as on the page: actor:ana -source:api ip:10.0.0.0/8 \"free text\""),
    ("actor" = Option<String>, Query, description = "usr_…, key_…, cli, a member's mail address, or a part of a name"),
    ("action" = Option<String>, Query, description = "api_key.issued, or a family: api_key.*"),
    ("outcome" = Option<String>, Query, description = "success, denied or failed"),
    ("from" = Option<String>, Query, description = "RFC 3339, inclusive"),
    ("to" = Option<String>, Query, description = "RFC 3339, exclusive"),
    ("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query),
), responses(
    (status = 200, body = List<EventView>),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(State(ctx): State<Ctx>, called: Called, query: Query) -> Result<Json<List<EventView>>, ApiError> {
    query.only(&["action", "actor", "cursor", "from", "limit", "outcome", "q", "to"])?;
    let [actor, action, outcome, from, to, q] =
        ["actor", "action", "outcome", "from", "to", "q"].map(|name| query.get(name));
    let filter = FilterText { actor, action, outcome, from, to, q }.parse()?;
    let (limit, after) = (query.limit()?, query.cursor()?);
    let place = after.map_or(Place::Top, Place::Older);
    let page = operations::list(&ctx, &called.actor, &filter, place, limit, Action::ApiCalled).await?;
    Ok(Json(List { data: page.events, next_cursor: page.older.map(|seq| seq.to_string()) }))
}

/// One event. Scope: audit.read.
#[utoipa::path(get, path = "/v1/audit-events/{id}", operation_id = "show_audit_event", params(("id" = String, Path)), responses(
    (status = 200, body = EventView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(
    State(ctx): State<Ctx>,
    called: Called,
    Path(id): Path<String>,
    query: Query,
) -> Result<Json<EventView>, ApiError> {
    query.only(&[])?;
    let id = id.parse().unwrap_or(EventId(uuid::Uuid::nil()));
    Ok(Json(operations::show(&ctx, &called.actor, id, Action::ApiCalled).await?))
}
