//! `GET /v1/members`.

use super::{
    call::Called,
    lists::{List, Query},
    problem::{ApiError, Problem},
};
use axum::{Json, extract::State};
use send0_core::{
    Ctx,
    audit_log::Action,
    members::{MemberView, operations},
};

/// Who is in the workspace, newest first. Scope: members.read.
#[utoipa::path(get, path = "/v1/members", operation_id = "list_members", params(
    ("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query),
), responses(
    (status = 200, body = List<MemberView>),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(State(ctx): State<Ctx>, called: Called, query: Query) -> Result<Json<List<MemberView>>, ApiError> {
    query.only(&["cursor", "limit"])?;
    let (limit, after) = (query.limit()?, query.cursor()?);
    let page = operations::list(&ctx, &called.actor, after, limit, Action::ApiCalled).await?;
    Ok(Json(List { data: page.members, next_cursor: page.older.map(|id| id.to_string()) }))
}
