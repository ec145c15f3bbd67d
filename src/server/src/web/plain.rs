//! Answers that are no pages: for load balancers, for browsers' reports, and the doors of single-use links.

use super::status_of;
use crate::attachment::attachment;
use app::{
    cookies,
    forms::prove_path,
    page::{id_param, path_in},
};
use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use send0_core::{
    AppError, Ctx,
    accounts::{self, SignedIn},
    actor,
    audit_log::exports,
    compliance::documents,
    subscribers,
};

/// How long the page behind a link may be open.
const LINK_SECONDS: u32 = 3600;
const REPORT_LENGTH: usize = 2048;

/// The process answers.
pub async fn healthy() -> &'static str {
    "ok"
}

/// The database answers too.
pub async fn ready(State(ctx): State<Ctx>) -> Response {
    match ctx.db.ready().await {
        Ok(()) => "ready".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer").into_response(),
    }
}

/// What a browser refused to load. It goes to the server's own log, cut short.
pub async fn csp_report(report: Bytes) -> StatusCode {
    let report = String::from_utf8_lossy(&report[..report.len().min(REPORT_LENGTH)]).into_owned();
    tracing::warn!(report, "content security policy");
    StatusCode::NO_CONTENT
}

/// Swaps the token of the set-up link for a cookie. Whether it is any good is for that page to say.
pub async fn open_setup(Path(token): Path<String>) -> Response {
    swapped("/setup", cookies::SETUP, &token)
}

/// Likewise the token of an invitation.
pub async fn open_invitation(Path(token): Path<String>) -> Response {
    swapped("/invitations", cookies::INVITATION, &token)
}

/// Likewise the token that confirms a mail address.
pub async fn open_address(Path(token): Path<String>) -> Response {
    swapped("/account/address", cookies::ADDRESS, &token)
}

/// Likewise the token that sets a new password.
pub async fn open_reset(Path(token): Path<String>) -> Response {
    swapped("/sign-in/reset", cookies::RESET, &token)
}

/// Likewise the token that confirms a security contact.
pub async fn open_contact(Path(token): Path<String>) -> Response {
    swapped("/contacts", cookies::CONTACT, &token)
}

/// Likewise the token that confirms a subscription.
pub async fn open_subscription(Path(token): Path<String>) -> Response {
    swapped("/subscription", cookies::SUBSCRIPTION, &token)
}

/// Likewise the token of a visitor's request about compliance.
pub async fn open_request(Path(token): Path<String>) -> Response {
    swapped("/compliance/requests", cookies::REQUEST, &token)
}

/// Likewise the token of somebody's access to a document.
pub async fn open_document(Path(token): Path<String>) -> Response {
    swapped("/documents", cookies::DOCUMENT, &token)
}

/// The file, as a download, to whoever has the link and has agreed to the terms. Anybody else is led to the page that says so.
pub async fn download_document(
    State(ctx): State<Ctx>,
    Extension(about): Extension<actor::Request>,
    headers: HeaderMap,
) -> Response {
    let token = cookies::read(&headers, cookies::DOCUMENT).unwrap_or_default();
    match documents::download(&ctx, &about, token).await {
        Ok((offer, content)) => (attachment(offer.media_type, &offer.file_name), content).into_response(),
        Err(AppError::Refused(_)) => Redirect::to("/documents").into_response(),
        Err(error) => status_of(&error).into_response(),
    }
}

/// The file of an export, as a download, to whoever is signed in and may export. What is wrong is said on the page of exports.
pub async fn download_export(
    State(ctx): State<Ctx>,
    Extension(about): Extension<actor::Request>,
    who: Option<Extension<SignedIn>>,
    Path((slug, id)): Path<(String, String)>,
) -> Response {
    let page = path_in(&slug, "audit-log/exports");
    let Some(Extension(who)) = who else { return Redirect::to("/sign-in").into_response() };
    match export_file(&ctx, &about, &who, &slug, &id).await {
        Ok(response) => response,
        Err(AppError::Refused(_)) => Redirect::to(&page).into_response(),
        Err(AppError::ProofNeeded) => Redirect::to(&prove_path(&page)).into_response(),
        Err(error) => status_of(&error).into_response(),
    }
}

async fn export_file(
    ctx: &Ctx,
    about: &actor::Request,
    who: &SignedIn,
    slug: &str,
    id: &str,
) -> Result<Response, AppError> {
    let (actor, _) = accounts::operations::enter(ctx, who, about, slug).await?;
    let (export, chunks) = exports::download(ctx, &actor, id_param(id)?).await?;
    Ok((attachment(export.format.media_type(), &export.file_name()), Body::from_stream(chunks)).into_response())
}

/// Likewise the token that ends one.
pub async fn open_unsubscribe(Path(token): Path<String>) -> Response {
    swapped("/unsubscribe", cookies::UNSUBSCRIBE, &token)
}

/// One click in a mail program, which its server sends without a page (RFC 8058). Whoever holds the token may.
pub async fn unsubscribe(
    State(ctx): State<Ctx>,
    Extension(about): Extension<actor::Request>,
    Path(token): Path<String>,
) -> StatusCode {
    match subscribers::operations::end(&ctx, &about, &token).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(error) => status_of(&error),
    }
}

/// A token stays in no history and no log: it becomes a cookie on arrival. It is used up only by the form.
fn swapped(page: &str, cookie: &str, token: &str) -> Response {
    let mut response = Redirect::to(page).into_response();
    let is_token = token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_token {
        response.headers_mut().append(header::SET_COOKIE, cookies::set(cookie, token, LINK_SECONDS));
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
