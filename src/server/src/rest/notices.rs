//! `GET /v1/notices`: what is announced about subprocessors, and what the workspace has answered.

use super::{
    call::Called,
    lists::{List, Query},
    problem::{ApiError, Problem},
};
use axum::{Json, extract::State};
use send0_core::{
    Ctx,
    audit_log::Action,
    ids::NoticeId,
    subprocessors::{ReceivedView, notices},
};

/// Changes of subprocessors that the workspace was told of, newest first. Scope: notices.read.
#[utoipa::path(get, path = "/v1/notices", operation_id = "list_notices", params(
    ("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query),
), responses(
    (status = 200, body = List<ReceivedView>),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(State(ctx): State<Ctx>, called: Called, query: Query) -> Result<Json<List<ReceivedView>>, ApiError> {
    query.only(&["cursor", "limit"])?;
    let (limit, after) = (query.limit()? as usize, query.cursor::<NoticeId>()?);
    // There are a few a year: one look brings all.
    let all = notices::list(&ctx, &called.actor, Action::ApiCalled).await?;
    let known = |after| all.iter().position(|one| one.notice.id == after).map(|place| place + 1);
    let begin = match after {
        Some(after) => known(after).ok_or_else(|| {
            ApiError::parameter("cursor", "unknown_cursor", "Give next_cursor of the page before, unchanged.")
        })?,
        None => 0,
    };
    let data: Vec<ReceivedView> = all.iter().skip(begin).take(limit).map(|one| one.view()).collect();
    let last = all.get(begin + data.len()).and_then(|_| data.last());
    let next_cursor = last.map(|last| last.notice.id.to_string());
    Ok(Json(List { data, next_cursor }))
}
