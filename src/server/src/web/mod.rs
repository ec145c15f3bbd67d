//! HTTP: the one visible list of layers, and what is no page and no API.

mod client_address;
mod csrf;
mod identify;
mod panics;
mod plain;
mod proofs;
mod public;
pub mod statics;
mod tail;

pub use client_address::TrustedProxies;

use crate::rest;
use app::{
    audit_log::exports::FILE,
    compliance::documents::DOWNLOAD,
    cookies, forms, html,
    public::is_public,
    sessions::{Store, signed_in},
    shell::{App, shell},
    visit::Known,
};
use axum::{
    Router,
    extract::Request,
    http::StatusCode,
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use leptos::{config::LeptosOptions, prelude::*};
use leptos_axum::{LeptosRoutes, generate_route_list};
use send0_core::{AppError, Ctx};
use std::sync::Arc;
use tail::Tails;
use tokio_util::sync::CancellationToken;
use tower::ServiceBuilder;
use tower_http::{CompressionLevel, compression::CompressionLayer};
use tower_sessions::{Expiry, Session, SessionManagerLayer, cookie::SameSite};

/// What the router needs to know of its surroundings.
#[derive(Clone, Debug)]
pub struct Site {
    /// Where styles and islands are.
    pub options: LeptosOptions,
    /// `https://console.example.com`, or in the default mode `http://localhost:3000`: the one origin that forms come from.
    pub origin: String,
    /// Whether nothing is configured: then pages for trying the product out are shown on this machine.
    pub is_default: bool,
    /// Whose word is taken for where a request comes from.
    pub proxies: TrustedProxies,
    /// When answers that have no end of their own are to end.
    pub stop: CancellationToken,
}

/// Everything the server answers. Layers are listed from the outermost to the innermost.
pub fn router(ctx: Ctx, site: Site) -> Router {
    let rooms =
        Router::new().merge(pages(ctx.clone(), &site)).merge(rest::router(ctx.clone())).merge(plain_routes(ctx));
    let shown_here: Option<Arc<str>> = site.is_default.then(|| site.origin.into());
    // Around the router, not in it: there every layer is put in a box, and each call clones all boxes below each of them.
    let layers = ServiceBuilder::new()
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(from_fn_with_state(Arc::new(site.proxies), identify::identify))
        .layer(from_fn_with_state(shown_here, identify::default_mode))
        .layer(from_fn_with_state(Arc::new(site.options), html::finish))
        .layer(from_fn(panics::catch));
    Router::new().fallback_service(layers.service(rooms))
}

fn pages(ctx: Ctx, site: &Site) -> Router {
    let options = site.options.clone();
    let routes = generate_route_list(App);
    let provided = ctx.clone();
    let document = {
        let options = options.clone();
        move || shell(options.clone())
    };
    let fallback = {
        let (ctx, options) = (ctx.clone(), options.clone());
        move |request: Request| statics::serve(ctx.clone(), options.clone(), request)
    };
    Router::new()
        .leptos_routes_with_context(&options, routes, move || provide_context(provided.clone()), document)
        .fallback(fallback)
        .with_state(options)
        .merge(
            Router::new()
                .route(FILE, post(plain::download_export))
                .route("/w/{slug}/audit-log/checkpoint", get(proofs::checkpoint))
                .route("/w/{slug}/audit-log/{event}/proof", get(proofs::proof))
                .with_state(ctx.clone()),
        )
        .route("/w/{slug}/audit-log/tail", get(tail::watch).with_state((ctx.clone(), Tails::until(site.stop.clone()))))
        .layer(
            ServiceBuilder::new()
                .layer(from_fn_with_state((ctx.clone(), site.origin.clone()), csrf::refuse_foreign))
                .layer(sessions(ctx.clone()))
                .layer(from_fn(know_who))
                .layer(from_fn_with_state(ctx, forms::middleware)),
        )
}

fn sessions(ctx: Ctx) -> SessionManagerLayer<Store> {
    SessionManagerLayer::new(Store(ctx))
        .with_name(cookies::SESSION)
        .with_path("/")
        .with_secure(true)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnSessionEnd)
}

/// The status of an answer that is an error.
fn status_of(error: &AppError) -> StatusCode {
    StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Leaves who is signed in with the request.
async fn know_who(session: Session, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_nobodys = path.starts_with("/pkg/") || is_public(path);
    if !is_nobodys && cookies::read(request.headers(), cookies::SESSION).is_some() {
        match signed_in(&session).await {
            Ok(None) => {}
            Ok(Some(who)) => {
                if who.is_whole {
                    request.extensions_mut().insert(who.clone());
                }
                request.extensions_mut().insert(Known(who));
            }
            Err(_) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }
    next.run(request).await
}

fn plain_routes(ctx: Ctx) -> Router {
    Router::new()
        .route("/healthz", get(plain::healthy))
        .route("/readyz", get(plain::ready))
        .route("/csp-report", post(plain::csp_report))
        .route("/security.json", get(public::security_json))
        .route("/changelog.atom", get(public::changelog_atom))
        .route("/subprocessors.json", get(public::subprocessors_json))
        .route("/subprocessors.atom", get(public::subprocessors_atom))
        .route("/setup/{token}", get(plain::open_setup))
        .route("/invitations/{token}", get(plain::open_invitation))
        .route("/contacts/{token}", get(plain::open_contact))
        .route("/subscription/{token}", get(plain::open_subscription))
        .route("/unsubscribe/{token}", get(plain::open_unsubscribe).post(plain::unsubscribe))
        .route("/compliance.json", get(public::compliance_json))
        .route("/compliance/requests/{token}", get(plain::open_request))
        .route("/documents/{token}", get(plain::open_document))
        .route(DOWNLOAD, post(plain::download_document))
        .route("/account/address/{token}", get(plain::open_address))
        .route("/sign-in/reset/{token}", get(plain::open_reset))
        .with_state(ctx)
}
