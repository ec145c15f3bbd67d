//! `GET /v1/retention`. It is changed in the dashboard only, by somebody who confirms it.

use super::{
    call::Called,
    lists::Query,
    problem::{ApiError, Problem},
};
use axum::{Json, extract::State};
use send0_core::{
    Ctx,
    audit_log::Action,
    retention::{Retention, operations},
};

/// How long the audit log is kept. Scope: retention.read.
#[utoipa::path(get, path = "/v1/retention", operation_id = "show_retention", responses(
    (status = 200, body = Retention),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(State(ctx): State<Ctx>, called: Called, query: Query) -> Result<Json<Retention>, ApiError> {
    query.only(&[])?;
    Ok(Json(operations::find(&ctx, &called.actor, Action::ApiCalled).await?))
}
