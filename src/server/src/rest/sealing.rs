//! `/v1/audit-log`: what proves the log. The format is docs/audit-log-format.md.

use super::{
    call::Called,
    lists::Query,
    problem::{ApiError, Problem},
};
use axum::{
    Json,
    extract::{Path, State},
};
use send0_core::{
    Ctx,
    ids::EventId,
    sealing::{ConsistencyProof, InclusionProof, operations},
};

/// The public keys that checkpoints are verified with: a C2SP verifier key a line, the current one first. Public.
#[utoipa::path(get, path = "/v1/audit-log/public-key", operation_id = "audit_log_public_key", security(()), responses(
    (status = 200, body = String, content_type = "text/plain"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn public_key(State(ctx): State<Ctx>) -> Result<String, ApiError> {
    let keys = operations::public_keys(&ctx).await?;
    Ok(keys.into_iter().map(|key| key + "\n").collect())
}

/// The newest checkpoint of the log: a signed note (C2SP tlog-checkpoint). Scope: audit.read.
#[utoipa::path(get, path = "/v1/audit-log/checkpoint", operation_id = "audit_log_checkpoint", responses(
    (status = 200, body = String, content_type = "text/plain"),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn checkpoint(State(ctx): State<Ctx>, called: Called, query: Query) -> Result<String, ApiError> {
    query.only(&[])?;
    Ok(operations::checkpoint(&ctx, &called.actor).await?)
}

/// That an event is in the log that the checkpoint signs (RFC 9162). Scope: audit.read.
#[utoipa::path(get, path = "/v1/audit-events/{id}/proof", operation_id = "audit_event_proof", params(("id" = String, Path)), responses(
    (status = 200, body = InclusionProof),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn proof(
    State(ctx): State<Ctx>,
    called: Called,
    Path(id): Path<String>,
    query: Query,
) -> Result<Json<InclusionProof>, ApiError> {
    query.only(&[])?;
    let id = id.parse().unwrap_or(EventId(uuid::Uuid::nil()));
    Ok(Json(operations::inclusion(&ctx, &called.actor, id).await?))
}

/// That the log only grew between two sizes (RFC 9162); without `to`, up to the newest checkpoint. Scope: audit.read.
#[utoipa::path(get, path = "/v1/audit-log/consistency", operation_id = "audit_log_consistency", params(
    ("from" = i64, Query, minimum = 1), ("to" = Option<i64>, Query, minimum = 1),
), responses(
    (status = 200, body = ConsistencyProof),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn consistency(
    State(ctx): State<Ctx>,
    called: Called,
    query: Query,
) -> Result<Json<ConsistencyProof>, ApiError> {
    query.only(&["from", "to"])?;
    let size = |name: &str| match query.get(name) {
        text if text.is_empty() => Ok(None),
        text => {
            text.parse().map(Some).map_err(|_| ApiError::parameter(name, "not_a_number", "The number of an event."))
        }
    };
    let from = size("from")?
        .ok_or_else(|| ApiError::parameter("from", "required", "The size that you have a checkpoint of."))?;
    Ok(Json(operations::consistency(&ctx, &called.actor, from, size("to")?).await?))
}
