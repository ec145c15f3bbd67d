//! The finishing layer of every answer: the headers that keep it safe, the nonce of its scripts, a page for every error.

use crate::ui::BareFrame;
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use leptos::{config::LeptosOptions, nonce::Nonce, prelude::*};
use send0_core::actor;
use std::{
    fmt::Write,
    sync::{Arc, OnceLock},
};

/// Where the browser finds styles and islands.
pub struct Assets {
    js: String,
    wasm: String,
    /// The style sheet.
    pub css: String,
}

impl Assets {
    /// Read once: Leptos's own components read the file of hashes for every page.
    pub fn get(options: &LeptosOptions) -> &'static Self {
        static ASSETS: OnceLock<Assets> = OnceLock::new();
        ASSETS.get_or_init(|| Self::read(options))
    }

    fn read(options: &LeptosOptions) -> Self {
        let beside = std::env::current_exe().ok().map(|program| program.with_file_name(&*options.hash_file));
        let hashes = beside.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        let hash = |kind: &str| {
            let line = hashes.lines().find_map(|line| line.trim().strip_prefix(kind)?.strip_prefix(':'));
            line.map(|hash| format!(".{}", hash.trim())).unwrap_or_default()
        };
        let file = |kind: &str| format!("/{}/{}{}.{kind}", options.site_pkg_dir, options.output_name, hash(kind));
        Self { js: file("js"), wasm: file("wasm"), css: file("css") }
    }
}

const LOADER: &str = include_str!("islands.js");
/// Only where a form waits for the answer of a passkey.
const PASSKEY: &str = include_str!("passkey.js");

/// Only where new events are watched for.
const TAIL: &str = include_str!("tail.js");

/// Headers of every answer, whatever it is.
const HEADERS: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), \
         payment=(), usb=(), publickey-credentials-create=(self), publickey-credentials-get=(self)",
    ),
    ("x-frame-options", "DENY"),
];

/// Outermost but for compression.
pub async fn finish(State(options): State<Arc<LeptosOptions>>, mut request: Request, next: Next) -> Response {
    let nonce = Nonce::new();
    let wants_html =
        request.headers().get(header::ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"text/html"));
    let is_api = matches!(request.uri().path(), path if path == "/v1" || path.starts_with("/v1/"));
    request.extensions_mut().insert(nonce.clone());
    let id = request.extensions().get::<actor::Request>().map(|request| request.id.to_string());
    let response = next.run(request).await;
    let response = if wants_html && !is_api { explain(response, &options, id) } else { response };
    let mut response = if is_html(response.headers()) { complete(response, &options, &nonce).await } else { response };
    for (name, value) in HEADERS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let headers = response.headers_mut();
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
        headers.insert(header::CONTENT_SECURITY_POLICY, nothing);
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

fn is_html(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

async fn complete(response: Response, options: &LeptosOptions, nonce: &Nonce) -> Response {
    let (mut parts, body) = response.into_parts();
    let html = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let html = with_islands(without_resource_scripts(html), Assets::get(options), nonce);
    let html = with_script(html, r#" data-passkey=""#, PASSKEY, nonce);
    let html = with_script(html, r#" data-tail=""#, TAIL, nonce);
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; report-uri /csp-report"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        parts.headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(html))
}

/// Leptos appends empty scripts after `</html>`, for resources that our pages do not have.
fn without_resource_scripts(html: Bytes) -> Bytes {
    const END: &[u8] = b"</html>";
    match html.windows(END.len()).rposition(|window| window == END) {
        Some(at) => html.slice(..at + END.len()),
        None => html,
    }
}

/// Pages without an island carry no script. Text of users cannot look like one: its `<` is escaped.
fn with_islands(html: Bytes, assets: &Assets, nonce: &Nonce) -> Bytes {
    let Ok(text) = std::str::from_utf8(&html) else { return html };
    let (Some(head), true) = (text.find("</head>"), text.contains("<leptos-island")) else { return html };
    let Assets { js, wasm, .. } = assets;
    let mut out = String::with_capacity(text.len() + 2048);
    out.push_str(&text[..head]);
    let _ = write!(
        out,
        r#"<link rel="modulepreload" href="{js}" nonce="{nonce}"><link rel="preload" href="{wasm}" as="fetch" type="application/wasm" crossorigin><script type="module" nonce="{nonce}">{LOADER}("{js}","{wasm}")</script>"#
    );
    out.push_str(&text[head..]);
    out.into()
}

/// Likewise: an attribute with a plain quote before it is ours, those of users are escaped.
fn with_script(html: Bytes, mark: &str, script: &str, nonce: &Nonce) -> Bytes {
    let Ok(text) = std::str::from_utf8(&html) else { return html };
    let (Some(end), true) = (text.rfind("</body>"), text.contains(mark)) else { return html };
    let script = format!(r#"<script type="module" nonce="{nonce}">{script}</script>"#);
    [&text[..end], &script, &text[end..]].concat().into()
}

/// An error that came without a page gets one, for those who read pages.
fn explain(response: Response, options: &LeptosOptions, id: Option<String>) -> Response {
    let status = response.status();
    if is_html(response.headers()) || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(error_document(status, Assets::get(options), id)))
}

fn error_document(status: StatusCode, assets: &'static Assets, id: Option<String>) -> String {
    let owner = Owner::new();
    let html = owner.with(|| {
        let (title, text) = words(status);
        view! {
            <html lang="en">
                <head>
                    <meta charset="utf-8"/>
                    <meta name="viewport" content="width=device-width, initial-scale=1"/>
                    <title>{format!("{title} · send0")}</title>
                    <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                    <link rel="stylesheet" href=assets.css.clone()/>
                </head>
                <body><BareFrame>{explanation(status.as_u16(), title, text, id)}</BareFrame></body>
            </html>
        }
        .to_html()
    });
    format!("<!DOCTYPE html>{html}")
}

/// What an error page says, with the id by which we find the request.
pub fn explanation(status: u16, title: &'static str, text: String, id: Option<String>) -> impl IntoView {
    view! {
        <div class="stack">
            <p class="hint">{status}</p>
            <h1>{title}</h1>
            <p>{text}</p>
            <p><a href="/">"Go to the start"</a></p>
            {id.map(|id| view! { <p class="hint">"Request " <code>{id}</code></p> })}
        </div>
    }
}

fn words(status: StatusCode) -> (&'static str, String) {
    let (title, text) = match status.as_u16() {
        400 => ("This could not be understood", "The address or the form was not complete. Go back and try again."),
        401 => (
            "Sign in to continue",
            "The session is over: it ends after 30 minutes without use, and after 12 hours in any case.",
        ),
        403 => (
            "This was refused",
            "The request did not come from a page of this console, or your role does not allow it.",
        ),
        404 => ("There is nothing here", "The address is wrong, or what it names is not yours to see."),
        405 => ("Not in this way", "This address exists, but not for this kind of request."),
        413 => ("This is too much", "A form may have 64 kB. Nothing was changed."),
        415 => ("This cannot be read", "The form was sent in a way that this address does not accept."),
        429 => ("Too many attempts", "Wait a little, then try again."),
        503 => (
            "Not right now",
            "The database or the log cannot be written. Look whether what you asked for was done, and try again in a few seconds.",
        ),
        _ => ("Something broke on our side", "Nothing was changed. Tell us the request below and we will find it."),
    };
    (title, text.to_owned())
}
