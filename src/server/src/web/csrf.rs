//! Refuses what another site sends in a signed-in person's name. Server functions have no such check of their own.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use send0_core::{
    Actor, Ctx, actor,
    audit_log::{Action, Event, Outcome},
};

/// Lets through what is safe by its method, and what says that it comes from a page of ours. Whatever says nothing at
/// all is refused as well.
pub async fn refuse_foreign(State((ctx, origin)): State<(Ctx, String)>, request: Request, next: Next) -> Response {
    let is_function = request.uri().path().starts_with("/_fn/");
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) && !is_function;
    if is_safe || is_ours(request.headers(), &origin) {
        if is_function && !is_form(request.headers()) {
            return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
        }
        return next.run(request).await;
    }
    match refusal(&ctx, request.extensions().get()).await {
        Ok(()) => StatusCode::FORBIDDEN.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn is_ours(headers: &HeaderMap, origin: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), None) => site == "same-origin",
        (Some(site), Some(from)) => site == "same-origin" && from == origin,
        (None, Some(from)) => from == origin,
        (None, None) => false,
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

async fn refusal(ctx: &Ctx, request: Option<&actor::Request>) -> Result<(), send0_core::AppError> {
    let Some(request) = request else { return Ok(()) };
    let event = Event::new(Action::RequestRefused).because(Outcome::Denied, "cross_site");
    ctx.log_call(&Actor::anonymous(request.clone()), event).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().expect("name"), value.parse().expect("value"))).collect()
    }

    #[test]
    fn only_our_own_pages_may_send_forms() {
        const OURS: &str = "http://localhost:3000";
        let accepted: [&[(&str, &str)]; 3] = [
            &[("sec-fetch-site", "same-origin"), ("origin", OURS)],
            &[("origin", OURS)],
            &[("sec-fetch-site", "same-origin")],
        ];
        let refused: [&[(&str, &str)]; 9] = [
            &[],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
            &[("sec-fetch-site", "same-site"), ("origin", OURS)],
            &[("sec-fetch-site", "none")],
            &[("origin", "null")],
            &[("origin", "https://sub.localhost:3000")],
            &[("origin", "http://localhost:3001")],
            &[("origin", "https://localhost:3000")],
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
        ];
        for pairs in accepted {
            assert!(is_ours(&headers(pairs), OURS), "{pairs:?}");
        }
        for pairs in refused {
            assert!(!is_ours(&headers(pairs), OURS), "{pairs:?}");
        }
    }

    #[test]
    fn forms_are_forms() {
        let of = |kind: &'static str| is_form(&headers(&[("content-type", kind)]));
        assert!(of("application/x-www-form-urlencoded") && of("application/x-www-form-urlencoded; charset=UTF-8"));
        assert!(!of("text/plain") && !of("multipart/form-data; boundary=x") && !of("application/json"));
    }
}
