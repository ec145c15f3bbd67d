//! Files of the site, precompressed where the build did so; everything else is a page that is not there.

use app::{shell::shell, visit::is_local};
use axum::{
    extract::Request,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
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
    if let Some(location) = without_slash(request.uri()) {
        return Redirect::permanent(&location).into_response();
    }
    let hashed = request.uri().path().starts_with("/pkg/");
    let (parts, body) = request.into_parts();
    let asked = Request::from_parts(parts.clone(), axum::body::Body::empty());
    let files = ServeDir::new(&*options.site_root)
        .append_index_html_on_directories(false)
        .precompressed_br()
        .precompressed_gzip();
    let Ok(file) = files.oneshot(asked).await;
    let is_missing = matches!(file.status(), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
    if is_missing || parts.uri.path().ends_with('/') {
        return missing(ctx, options, Request::from_parts(parts, body)).await;
    }
    let mut response = file.into_response();
    let lifetime = HeaderValue::from_static(if hashed { FOR_EVER } else { FOR_AN_HOUR });
    response.headers_mut().insert(header::CACHE_CONTROL, lifetime);
    response
}

/// Where an address leads that has a slash too many at its end: to a page of ours, not to another site.
fn without_slash(uri: &Uri) -> Option<String> {
    let path = uri.path().strip_suffix('/')?.trim_end_matches('/');
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("{path}{query}")).filter(|location| is_local(location))
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
