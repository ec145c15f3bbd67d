//! `/v1/api-keys`. Keys are listed and revoked here; keys cannot make keys.

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
    api_keys::{KeyView, operations},
    audit_log::Action,
    ids::KeyId,
};

/// The keys of the workspace, newest first. Scope: keys.read.
#[utoipa::path(get, path = "/v1/api-keys", operation_id = "list_api_keys", params(
    ("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query),
), responses(
    (status = 200, body = List<KeyView>),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(State(ctx): State<Ctx>, called: Called, query: Query) -> Result<Json<List<KeyView>>, ApiError> {
    query.only(&["cursor", "limit"])?;
    let (limit, after) = (query.limit()?, query.cursor()?);
    let page = operations::list(&ctx, &called.actor, after, limit, Action::ApiCalled).await?;
    Ok(Json(List { data: page.keys, next_cursor: page.older.map(|id| id.to_string()) }))
}

/// One key. Scope: keys.read.
#[utoipa::path(get, path = "/v1/api-keys/{id}", operation_id = "show_api_key", params(("id" = String, Path)), responses(
    (status = 200, body = KeyView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(
    State(ctx): State<Ctx>,
    called: Called,
    Path(id): Path<String>,
    query: Query,
) -> Result<Json<KeyView>, ApiError> {
    query.only(&[])?;
    Ok(Json(operations::show(&ctx, &called.actor, id_or_none(&id), Action::ApiCalled).await?))
}

/// Revokes a key at once and for good. May be repeated. Scope: keys.revoke.
#[utoipa::path(delete, path = "/v1/api-keys/{id}", operation_id = "revoke_api_key", params(("id" = String, Path)), responses(
    (status = 200, body = KeyView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn revoke(
    State(ctx): State<Ctx>,
    called: Called,
    Path(id): Path<String>,
    query: Query,
) -> Result<Json<KeyView>, ApiError> {
    query.only(&["reason"])?;
    Ok(Json(operations::revoke(&ctx, &called.actor, id_or_none(&id), &query.get("reason")).await?))
}

/// What cannot be an id is the id of nothing: whether that may be said is for the operation to decide.
fn id_or_none(text: &str) -> KeyId {
    text.parse().unwrap_or(KeyId(uuid::Uuid::nil()))
}
