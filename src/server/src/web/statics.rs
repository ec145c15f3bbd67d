//! Files of the site, precompressed where the build did so; everything else is a page that is not there.

use app::shell::shell;
use axum::{
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use leptos::{config::LeptosOptions, prelude::*};
use send0_core::Ctx;
use tower::ServiceExt;
use tower_http::services::ServeDir;

/// A year: the names of these files change with their content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const FOR_AN_HOUR: &str = "public, max-age=3600";

/// Answers whatever no route does.
pub async fn serve(ctx: Ctx, options: LeptosOptions, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let hashed = request.uri().path().starts_with("/pkg/");
    let (parts, body) = request.into_parts();
    let asked = Request::from_parts(parts.clone(), axum::body::Body::empty());
    let files = ServeDir::new(&*options.site_root).precompressed_br().precompressed_gzip();
    let Ok(file) = files.oneshot(asked).await;
    if file.status() == StatusCode::NOT_FOUND
        || file.status() == StatusCode::METHOD_NOT_ALLOWED
        || parts.uri.path().ends_with('/')
    {
        return missing(ctx, options, Request::from_parts(parts, body)).await;
    }
    let mut response = file.into_response();
    let lifetime = HeaderValue::from_static(if hashed { FOR_EVER } else { FOR_AN_HOUR });
    response.headers_mut().insert(header::CACHE_CONTROL, lifetime);
    response
}

async fn missing(ctx: Ctx, options: LeptosOptions, request: Request) -> Response {
    let render = leptos_axum::render_app_to_stream_in_order_with_context(
        move || provide_context(ctx.clone()),
        move || shell(options.clone()),
    );
    let mut response = render(request).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}
