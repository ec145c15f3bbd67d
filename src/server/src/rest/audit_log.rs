//! `/v1/audit-events`, and the whole log as a file.

use super::{
    call::Called,
    lists::{List, Query},
    problem::{ApiError, Problem},
};
use crate::attachment::attachment;
use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use send0_core::{
    AppError, Ctx,
    audit_log::{Action, EventView, Filter, FilterText, Format, Place, export, operations, schema::schema},
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
    let filter = filter(&query)?;
    let (limit, after) = (query.limit()?, query.cursor()?);
    let place = after.map_or(Place::Top, Place::Older);
    let page = operations::list(&ctx, &called.actor, &filter, place, limit, Action::ApiCalled).await?;
    Ok(Json(List { data: page.events, next_cursor: page.older.map(|seq| seq.to_string()) }))
}

fn filter(query: &Query) -> Result<Filter, ApiError> {
    let [actor, action, outcome, from, to, q] =
        ["actor", "action", "outcome", "from", "to", "q"].map(|name| query.get(name));
    Ok(FilterText { actor, action, outcome, from, to, q }.parse()?)
}

/// The log as it is now, the oldest event first, as a stream of lines. The last line of NDJSON is a receipt that says what it
/// holds; an answer that breaks off goes on after the cursor. Scope: audit.export.
#[utoipa::path(get, path = "/v1/audit-log/export", operation_id = "export_audit_log", params(
    ("format" = Option<String>, Query, description = "ndjson (the default), csv, ocsf, ecs or cef"),
    ("q" = Option<String>, Query, description = "A query as on the page"),
    ("actor" = Option<String>, Query, description = "usr_…, key_…, cli, or a member's mail address"),
    ("action" = Option<String>, Query, description = "api_key.issued, or a family: api_key.*"),
    ("outcome" = Option<String>, Query, description = "success, denied or failed"),
    ("from" = Option<String>, Query, description = "RFC 3339, inclusive"),
    ("to" = Option<String>, Query, description = "RFC 3339, exclusive"),
    ("cursor" = Option<String>, Query, description = "the seq of the last event received"),
), responses(
    (status = 200, body = String, content_type = "application/x-ndjson"),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn export(State(ctx): State<Ctx>, called: Called, query: Query) -> Result<Response, ApiError> {
    query.only(&["action", "actor", "cursor", "format", "from", "outcome", "q", "to"])?;
    let asked = export::Asked { format: format(&query)?, filter: filter(&query)?, after: after(&query)? };
    let pieces = export::export(&ctx, &called.actor, &asked).await?;
    let head = attachment(asked.format.media_type(), &format!("audit-log.{}", asked.format.ending()));
    Ok((head, Body::from_stream(pieces)).into_response())
}

fn format(query: &Query) -> Result<Format, ApiError> {
    let text = query.get("format");
    if text.is_empty() {
        return Ok(Format::Ndjson);
    }
    text.parse().map_err(|error| AppError::Malformed(vec![error]).into())
}

/// Events are numbered from 1: who has none yet gives no cursor, or 0.
fn after(query: &Query) -> Result<i64, ApiError> {
    let wrong = || ApiError::parameter("cursor", "unknown_cursor", "Give the seq of the last event received.");
    match query.get("cursor").as_str() {
        "" => Ok(0),
        text => text.parse().ok().filter(|seq| *seq >= 0).ok_or_else(wrong),
    }
}

/// The JSON Schema of an event, with samples. Public.
#[utoipa::path(get, path = "/v1/audit-events/schema.json", operation_id = "audit_event_schema", security(()), responses(
    (status = 200, body = serde_json::Value, content_type = "application/schema+json"),
))]
pub async fn published_schema() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/schema+json")], schema().to_string())
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
