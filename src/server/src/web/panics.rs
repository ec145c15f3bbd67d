//! The last resort: a panic answers 500, is logged, and takes nothing else with it.

use axum::{
    extract::Request,
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Runs the rest in a task of its own, so that its panic ends there.
pub async fn catch(request: Request, next: Next) -> Response {
    let answer = tokio::spawn(tracing::Instrument::in_current_span(next.run(request))).await;
    answer.unwrap_or_else(|error| {
        tracing::error!(%error, "a request panicked");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    })
}
