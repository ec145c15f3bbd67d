//! One API call: who calls, one event, and no answer before the event is committed.

use super::{Access, ROUTES, problem::ApiError};
use axum::{
    Json,
    body::to_bytes,
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use send0_core::{
    Actor, AppError, Ctx, actor,
    api_keys::operations::{Caller, recognise},
    audit_log::{Action, Event, Outcome},
    permissions::Permission,
};

/// The largest body, in bytes. No route of today takes one.
const BODY_LIMIT: usize = 256 * 1024;

/// Who calls, for handlers. Without it there is no actor, and without an actor no operation.
pub struct Called {
    /// The key.
    pub actor: Actor,
    /// Slug and name of its workspace.
    pub workspace: (String, String),
}

#[derive(Clone)]
struct Known(Actor, (String, String));

impl<S: Sync> FromRequestParts<S> for Called {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Known(actor, workspace) = parts.extensions.get::<Known>().cloned().ok_or(AppError::Internal)?;
        Ok(Self { actor, workspace })
    }
}

/// Recognises the key, lets the handler answer, writes the one event unless the operation has, and only then lets the
/// answer go. If the event cannot be written, the call has failed.
pub async fn recognise_and_log(State(ctx): State<Ctx>, mut request: Request, next: Next) -> Response {
    let Some(about) = request.extensions().get::<actor::Request>().cloned() else {
        return ApiError::from(AppError::Internal).into_response();
    };
    let bearer = bearer(request.headers()).map(str::to_owned);
    let caller = match recognise(&ctx, bearer.as_deref(), about).await {
        Ok(caller) => caller,
        Err(error) => return ApiError::from(error).into_response(),
    };
    let (actor, permission) = (caller.actor.clone(), permission(&request));
    let response = match admit(caller, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    if actor.request.is_logged() {
        return response;
    }
    match ctx.log_call(&actor, event(&response, permission)).await {
        Ok(()) => response,
        Err(error) => ApiError::from(error).into_response(),
    }
}

async fn admit(caller: Caller, request: &mut Request) -> Result<(), ApiError> {
    if let Some(refusal) = caller.refused {
        return Err(refusal.into());
    }
    let workspace = caller.workspace.ok_or(AppError::Internal)?;
    request.extensions_mut().insert(Known(caller.actor, workspace));
    check_body(request).await
}

/// No route takes a body; one that comes all the same is looked at, so that nothing odd passes unseen.
async fn check_body(request: &mut Request) -> Result<(), ApiError> {
    let body = std::mem::take(request.body_mut());
    let too_large = || {
        ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload_too_large",
            format!("A body may have {BODY_LIMIT} bytes."),
        )
    };
    let body = to_bytes(body, BODY_LIMIT).await.map_err(|_| too_large())?;
    if body.is_empty() {
        return Ok(());
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/json") {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "A body must be application/json.",
        ));
    }
    serde_json::from_slice::<serde_json::Value>(&body).map_err(|error| {
        ApiError::parameter(
            "",
            "not_json",
            format!("The body is not JSON: line {}, column {}.", error.line(), error.column()),
        )
    })?;
    *request.body_mut() = body.into();
    Ok(())
}

fn bearer(headers: &axum::http::HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// What a key needs for the route that the request has come to: whoever was answered has used it.
fn permission(request: &Request) -> Option<Permission> {
    let path = request.extensions().get::<MatchedPath>()?.as_str();
    // A HEAD is a GET without its body.
    let method = if request.method() == Method::HEAD { "GET" } else { request.method().as_str() };
    ROUTES.iter().find_map(|route| match *route {
        (declared, of, Access::Scope(permission)) if (declared, of) == (method, path) => Some(permission),
        _ => None,
    })
}

fn event(response: &Response, permission: Option<Permission>) -> Event {
    let event = Event::new(Action::ApiCalled);
    let status = response.status();
    let code = response.extensions().get::<ApiError>().map_or("", |error| error.code.as_str());
    match status.as_u16() {
        401 | 403 | 429 => event.because(Outcome::Denied, code),
        400.. => event.because(Outcome::Failed, code),
        _ => match permission {
            Some(permission) => event.under(permission),
            None => event,
        },
    }
}

/// No such path below `/v1`.
pub async fn unknown_path() -> ApiError {
    AppError::NotFound.into()
}

/// The path is there, the method is not.
pub async fn wrong_method(request: Request) -> Response {
    let allowed = allowed(request.uri().path());
    let detail = format!("{} answers to {allowed}.", request.uri().path());
    let mut response = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail).into_response();
    if let Ok(allowed) = HeaderValue::from_str(&allowed) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

fn allowed(path: &str) -> String {
    let matches = |route: &str| {
        let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
        route.len() == path.len()
            && route.iter().zip(&path).all(|(route, path)| route.starts_with('{') || route == path)
    };
    let methods: Vec<&str> = ROUTES.iter().filter(|(_, route, _)| matches(route)).map(|(method, ..)| *method).collect();
    let head = methods.contains(&"GET").then_some("HEAD");
    methods.into_iter().chain(head).collect::<Vec<_>>().join(", ")
}

/// Gives every error its problem. A 405 or 413 of the framework becomes one too.
pub async fn complete_problems(request: Request, next: Next) -> Response {
    let instance = request.extensions().get::<actor::Request>().map(|request| request.path.clone()).unwrap_or_default();
    let id = request.extensions().get::<actor::Request>().map(|request| request.id.to_string()).unwrap_or_default();
    let is_head = request.method() == Method::HEAD;
    let response = next.run(request).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let error = response.extensions().get::<ApiError>().cloned();
    let error = error
        .unwrap_or_else(|| ApiError::new(status, of_status(status), status.canonical_reason().unwrap_or_default()));
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let mut answer = Json(error.problem(&instance, &id)).into_response();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    for (name, value) in answer.headers() {
        parts.headers.insert(name.clone(), value.clone());
    }
    let body = if is_head { axum::body::Body::empty() } else { answer.into_body() };
    Response::from_parts(parts, body)
}

fn of_status(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "malformed",
        404 => "not_found",
        405 => "method_not_allowed",
        413 => "payload_too_large",
        415 => "unsupported_media_type",
        503 => "unavailable",
        _ => "internal",
    }
}
