//! `GET /v1/workspace`: who am I.

use super::{
    call::Called,
    lists::Query,
    problem::{ApiError, Problem},
};
use axum::{Json, extract::State};
use send0_core::{
    AppError, Ctx,
    actor::Who,
    api_keys::{Kind, Mode},
    audit_log::Action,
    ids::{KeyId, WorkspaceId},
    permissions::Permission,
    workspaces::operations,
};
use serde::Serialize;
use utoipa::ToSchema;

/// The workspace of the key in use, and what the key may do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Workspace {
    id: WorkspaceId,
    slug: String,
    name: String,
    key: CallingKey,
}

/// The key in use.
#[derive(Debug, Serialize, ToSchema)]
pub struct CallingKey {
    id: KeyId,
    kind: Kind,
    mode: Mode,
    scopes: Vec<Permission>,
}

/// The workspace of the key in use, and what the key may do. Scope: workspace.read.
#[utoipa::path(get, path = "/v1/workspace", operation_id = "show_workspace", responses(
    (status = 200, body = Workspace),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(State(ctx): State<Ctx>, called: Called, query: Query) -> Result<Json<Workspace>, ApiError> {
    query.only(&[])?;
    operations::may_read(&ctx, &called.actor, Action::ApiCalled).await?;
    let Who::ApiKey { id, kind, mode, scopes, .. } = called.actor.who else { return Err(AppError::Internal.into()) };
    let (slug, name) = called.workspace;
    Ok(Json(Workspace { id: called.actor.workspace, slug, name, key: CallingKey { id, kind, mode, scopes } }))
}
