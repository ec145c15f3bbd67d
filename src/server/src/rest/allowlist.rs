//! `GET /v1/allowlist`: from which addresses people and keys get in. It is changed in the dashboard only, where nobody can
//! lock themselves out.

use super::{
    call::Called,
    lists::Query,
    problem::{ApiError, Problem},
};
use axum::{Json, extract::State};
use send0_core::{
    Ctx,
    allowlist::{AllowlistView, operations},
    audit_log::Action,
};
use serde::Serialize;
use utoipa::ToSchema;

/// What is in force at each door.
#[derive(Debug, Serialize, ToSchema)]
pub struct Allowlists {
    /// Pages and forms, by people.
    dashboard: AllowlistView,
    /// `/v1`, by keys.
    api: AllowlistView,
}

/// From which addresses people and keys get in. Scope: allowlist.read.
#[utoipa::path(get, path = "/v1/allowlist", operation_id = "show_allowlist", responses(
    (status = 200, body = Allowlists),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(State(ctx): State<Ctx>, called: Called, query: Query) -> Result<Json<Allowlists>, ApiError> {
    query.only(&[])?;
    let [dashboard, api] = operations::show(&ctx, &called.actor, Action::ApiCalled).await?;
    Ok(Json(Allowlists { dashboard: dashboard.view(), api: api.view() }))
}
