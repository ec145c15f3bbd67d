//! HTML first: a server function stays an ordinary function; the middleware here gives it the manners of a form.
//!
//! A form that is accepted answers 303 to its result; one that is refused leaves a flash (its errors, and the values it
//! declares as harmless) and answers 303 back to itself. It is the same with and without scripts.

use crate::{
    access::FUNCTIONS,
    cookies,
    ui::{Banner, ErrorSummary, Tone},
    visit::{Visit, is_local, set_cookie},
};
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use leptos::{prelude::*, server_fn::ServerFn};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use send0_core::{
    AppError, Ctx,
    flash::{self, Flash},
    ids::WorkspaceId,
};
use std::{collections::BTreeMap, sync::Arc};

/// The largest form, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;
const FLASH_SECONDS: u32 = 300;

/// In front of the router.
pub async fn middleware(State(ctx): State<Ctx>, request: Request, next: Next) -> Response {
    let is_function = request.uri().path().starts_with("/_fn/");
    match *request.method() {
        Method::POST if is_function && wants_html(request.headers()) => form_post(&ctx, request, next).await,
        _ if is_function => function_call(request, next).await,
        Method::GET if is_navigation(request.headers()) => navigation(&ctx, request, next).await,
        _ => next.run(request).await,
    }
}

fn wants_html(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains("text/html"))
}

/// Only a navigation takes a flash: not a style sheet, and not a page fetched in case somebody goes there.
fn is_navigation(headers: &HeaderMap) -> bool {
    wants_html(headers) && !headers.contains_key("sec-purpose") && !headers.contains_key("purpose")
}

/// What an island sends. Server functions themselves read bodies of any size.
async fn function_call(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    with_status(next.run(Request::from_parts(parts, Body::from(body))).await).await.0
}

async fn form_post(ctx: &Ctx, request: Request, next: Next) -> Response {
    let action = request.uri().path().to_owned();
    let (mut parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let typed: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    let back =
        typed.iter().find(|(name, path)| name == "_back" && is_local(path)).map_or("/", |(_, path)| path).to_owned();
    // Without text/html the server function answers plain JSON, to us as to an island.
    parts.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let (response, error) = with_status(next.run(Request::from_parts(parts, Body::from(body))).await).await;
    match error {
        None => accepted(response.headers(), &back),
        Some(error) => refused(ctx, response.into_parts().0.headers, action, error, typed, &back).await,
    }
}

fn accepted(headers: &HeaderMap, back: &str) -> Response {
    let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or(back);
    see_other(location, headers)
}

async fn refused(
    ctx: &Ctx,
    headers: HeaderMap,
    action: String,
    error: AppError,
    typed: Vec<(String, String)>,
    back: &str,
) -> Response {
    let place = path_of(back).to_owned();
    let form = Flash::Form { values: harmless(&action, typed), action, error };
    let needs_proof = matches!(form, Flash::Form { error: AppError::ProofNeeded, .. });
    match flash::put(ctx, WorkspaceId::PLATFORM, &place, &form).await {
        Ok(token) => {
            let (goal, cookie) = match needs_proof {
                // What was typed waits, apart from whatever that page itself has to say.
                true => (prove_path(back), cookies::set(cookies::HELD, token.expose_secret(), FLASH_SECONDS)),
                false => (back.to_owned(), flash_cookie(&token)),
            };
            let mut answer = see_other(&goal, &headers);
            answer.headers_mut().append(header::SET_COOKIE, cookie);
            answer
        }
        // What the form says cannot be kept: the error becomes a page of its own.
        Err(error) => StatusCode::from_u16(error.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE).into_response(),
    }
}

/// Where somebody proves that it is them before they go on.
pub fn prove_path(next: &str) -> String {
    format!("/account/prove?next={}", utf8_percent_encode(next, NON_ALPHANUMERIC))
}

fn harmless(action: &str, typed: Vec<(String, String)>) -> BTreeMap<String, Vec<String>> {
    let echo = FUNCTIONS.iter().find(|function| function.path == action).map_or(&[][..], |function| function.echo);
    let mut values = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in typed.into_iter().filter(|(name, _)| echo.contains(&name.as_str())) {
        values.entry(name).or_default().push(value);
    }
    values
}

fn see_other(location: &str, headers: &HeaderMap) -> Response {
    let mut answer = Redirect::to(location).into_response();
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for name in [header::SET_COOKIE, header::HeaderName::from_static("clear-site-data")] {
        for value in headers.get_all(&name) {
            answer.headers_mut().append(&name, value.clone());
        }
    }
    answer
}

fn path_of(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or("/")
}

/// server_fn 0.8 answers 500 for every error; here it becomes the status that the error means.
async fn with_status(response: Response) -> (Response, Option<AppError>) {
    if response.status().is_success() || response.status().is_redirection() {
        return (response, None);
    }
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
    let known: Option<AppError> = serde_json::from_slice(&body).ok();
    // What is no error of a function, such as 405, is right as it is.
    if let Some(status) = known.as_ref().and_then(|error| StatusCode::from_u16(error.status()).ok()) {
        parts.status = status;
    }
    let error = known.unwrap_or_else(|| of_status(parts.status));
    (Response::from_parts(parts, Body::from(body)), Some(error))
}

fn of_status(status: StatusCode) -> AppError {
    match status.as_u16() {
        400 => AppError::Malformed(vec![]),
        403 => AppError::Refused("This request was refused.".into()),
        404 => AppError::NotFound,
        429 => AppError::Throttled(60),
        503 => AppError::Unavailable,
        _ => AppError::Internal,
    }
}

async fn navigation(ctx: &Ctx, request: Request, next: Next) -> Response {
    let was_shown = cookies::read(request.headers(), cookies::SHOWN).is_some();
    let mut response = with_flash(ctx, request, next).await;
    if was_shown {
        response.headers_mut().append(header::SET_COOKIE, cookies::clear(cookies::SHOWN));
    }
    response
}

async fn with_flash(ctx: &Ctx, mut request: Request, next: Next) -> Response {
    for name in [cookies::FLASH, cookies::HELD] {
        let Some(token) = cookies::read(request.headers(), name).map(str::to_owned) else { continue };
        let Ok(Some(flash)) = flash::take(ctx, &token, request.uri().path()).await else { continue };
        request.extensions_mut().insert(Arc::new(flash));
        let mut response = next.run(request).await;
        response.headers_mut().append(header::SET_COOKIE, cookies::clear(name));
        return response;
    }
    next.run(request).await
}

/// The cookie that lets one page read a flash.
pub fn flash_cookie(token: &SecretString) -> HeaderValue {
    cookies::set(cookies::FLASH, token.expose_secret(), FLASH_SECONDS)
}

/// Sends an accepted form to its result, which says the sentence once.
pub async fn go_and_say(ctx: &Ctx, path: &str, sentence: &str) -> Result<(), AppError> {
    go_with(ctx, path, &Flash::Notice(sentence.to_owned())).await
}

/// Sends an accepted form to its result, which shows something once.
pub async fn go_with(ctx: &Ctx, path: &str, flash: &Flash) -> Result<(), AppError> {
    let token = flash::put(ctx, WorkspaceId::PLATFORM, path_of(path), flash).await?;
    set_cookie(flash_cookie(&token));
    go(path);
    Ok(())
}

/// Sends an accepted form to its result. The path is one of ours: it is made of slugs and ids.
pub fn go(path: &str) {
    leptos_axum::redirect(path);
}

/// Why a form comes back, above its fields.
fn said(error: &AppError) -> AnyView {
    let errors = match error {
        AppError::Invalid(errors) => errors.iter().map(|e| (e.field.clone(), e.message.clone())).collect(),
        // Whoever is back here has proved it meanwhile.
        AppError::ProofNeeded => {
            return view! { <Banner tone=Tone::Info title="You have confirmed that it is you. Look it over, and send it again."/> }
                .into_any();
        }
        _ => vec![],
    };
    view! { <ErrorSummary message=error.to_string() errors/> }.into_any()
}

/// The form that posts to a server function, on this page.
#[derive(Clone)]
pub struct FormState {
    action: &'static str,
    back: String,
    flash: Option<Arc<Flash>>,
}

impl FormState {
    /// The form of the server function `F`, with what was refused a moment ago, if anything was.
    pub fn of<F: ServerFn>(visit: &Visit) -> Self {
        let flash = visit.flash().filter(|flash| matches!(&**flash, Flash::Form { action, .. } if action == F::PATH));
        Self { action: F::PATH, back: visit.address(), flash }
    }

    /// What was typed, or nothing.
    pub fn value(&self, field: &str) -> String {
        self.values(field).into_iter().next().unwrap_or_default()
    }

    /// Everything that was chosen under a name.
    pub fn values(&self, field: &str) -> Vec<String> {
        match self.flash.as_deref() {
            Some(Flash::Form { values, .. }) => values.get(field).cloned().unwrap_or_default(),
            _ => vec![],
        }
    }

    /// What was wrong with a field.
    pub fn error(&self, field: &str) -> Option<String> {
        self.refusal()?.of_field(field).map(str::to_owned)
    }

    /// Whether it comes back refused.
    pub fn is_refused(&self) -> bool {
        self.flash.is_some()
    }

    /// Why it was refused, above a table that has this form in every row.
    pub fn problem(&self) -> Option<AnyView> {
        self.refusal().map(said)
    }

    /// The form whose answer comes from a passkey: the script in `passkey.js` fetches the challenge from `begin` and sends
    /// what the passkey answers. Without scripts there are no passkeys, and it stays hidden.
    /// `offered`: also in the field for the mail address, by the browser itself.
    pub fn passkey(
        &self,
        begin: &'static str,
        how: &'static str,
        offered: bool,
        children: impl IntoView + 'static,
    ) -> AnyView {
        let summary = self.refusal().map(said);
        view! {
            {summary}
            <form method="post" action=self.action class="form" data-passkey=how data-begin=begin data-offer=offered.then_some("") hidden>
                <input type="hidden" name="_back" value=self.back.clone()/>
                <input type="hidden" name="answer"/>
                {children}
                <p class="error" role="status"></p>
            </form>
        }
        .into_any()
    }

    /// The form as a button in a row: what was wrong is said above, by [`Self::problem`].
    pub fn inline(&self, children: impl IntoView + 'static) -> AnyView {
        view! {
            <form method="post" action=self.action class="form-inline">
                <input type="hidden" name="_back" value=self.back.clone()/>
                {children}
            </form>
        }
        .into_any()
    }

    fn refusal(&self) -> Option<&AppError> {
        match self.flash.as_deref() {
            Some(Flash::Form { error, .. }) => Some(error),
            _ => None,
        }
    }

    /// The form around its fields, with the summary of what was wrong on top.
    pub fn view(&self, children: impl IntoView + 'static) -> AnyView {
        let summary = self.refusal().map(said);
        view! {
            <form method="post" action=self.action class="form">
                {summary}
                <input type="hidden" name="_back" value=self.back.clone()/>
                {children}
            </form>
        }
        .into_any()
    }
}
