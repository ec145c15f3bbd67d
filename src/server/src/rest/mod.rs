//! The REST API, `/v1`. Handlers are thin: they read the request, call an operation, shape the answer.

mod allowlist;
mod api_keys;
mod audit_log;
mod call;
mod lists;
mod members;
mod notices;
pub mod problem;
mod retention;
mod sealing;
mod workspace;

use axum::{
    Json, Router,
    middleware::from_fn_with_state,
    routing::{any, get},
};
use send0_core::{Ctx, permissions::Permission};
use utoipa::openapi::{
    Info, OpenApi, OpenApiBuilder,
    security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// A key with this scope.
    Scope(Permission),
}

/// Every route, with who may call it. One that is not declared here fails a test.
pub const ROUTES: &[(&str, &str, Access)] = &[
    ("GET", "/v1/workspace", Access::Scope(Permission::WorkspaceRead)),
    ("GET", "/v1/members", Access::Scope(Permission::MembersRead)),
    ("GET", "/v1/api-keys", Access::Scope(Permission::KeysRead)),
    ("GET", "/v1/api-keys/{id}", Access::Scope(Permission::KeysRead)),
    ("DELETE", "/v1/api-keys/{id}", Access::Scope(Permission::KeysRevoke)),
    ("GET", "/v1/allowlist", Access::Scope(Permission::AllowlistRead)),
    ("GET", "/v1/notices", Access::Scope(Permission::NoticesRead)),
    ("GET", "/v1/retention", Access::Scope(Permission::RetentionRead)),
    ("GET", "/v1/audit-events", Access::Scope(Permission::AuditRead)),
    ("GET", "/v1/audit-events/{id}", Access::Scope(Permission::AuditRead)),
    ("GET", "/v1/audit-log/export", Access::Scope(Permission::AuditExport)),
    ("GET", "/v1/audit-events/{id}/proof", Access::Scope(Permission::AuditRead)),
    ("GET", "/v1/audit-log/checkpoint", Access::Scope(Permission::AuditRead)),
    ("GET", "/v1/audit-log/consistency", Access::Scope(Permission::AuditRead)),
    ("GET", "/v1/audit-log/public-key", Access::Public),
    ("GET", "/v1/audit-events/schema.json", Access::Public),
];

/// Method and path of every route that takes a key.
pub fn scoped_routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROUTES.iter().filter(|(.., access)| *access != Access::Public).map(|(method, path, _)| (*method, *path))
}

fn routes() -> (Router<Ctx>, OpenApi) {
    OpenApiRouter::with_openapi(described())
        .routes(routes!(workspace::show))
        .routes(routes!(members::list))
        .routes(routes!(api_keys::list))
        .routes(routes!(api_keys::show, api_keys::revoke))
        .routes(routes!(allowlist::show))
        .routes(routes!(notices::list))
        .routes(routes!(retention::show))
        .routes(routes!(audit_log::list))
        .routes(routes!(audit_log::show))
        .routes(routes!(audit_log::export))
        .routes(routes!(sealing::proof))
        .routes(routes!(sealing::checkpoint))
        .routes(routes!(sealing::consistency))
        .split_for_parts()
}

fn described() -> OpenApi {
    let text = "The API of send0 console. Every call is written to the audit log of the key's workspace, refusals too. \
        Errors are RFC 9457 problems. Every answer has an x-request-id, which the log knows.";
    let mut document =
        OpenApiBuilder::new().info(Info::builder().title("send0").version("1").description(Some(text)).build()).build();
    let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    document.components.get_or_insert_default().add_security_scheme("api_key", scheme);
    document.security = Some(vec![SecurityRequirement::new("api_key", Vec::<String>::new())]);
    document
}

/// What anybody may call.
fn public_routes() -> (Router<Ctx>, OpenApi) {
    OpenApiRouter::new()
        .routes(routes!(sealing::public_key))
        .routes(routes!(audit_log::published_schema))
        .split_for_parts()
}

/// The OpenAPI document.
pub fn openapi() -> OpenApi {
    let mut document = routes().1;
    document.merge(public_routes().1);
    document
}

/// `/v1` and everything below it.
pub fn router(ctx: Ctx) -> Router {
    let (routes, served) = (routes().0, openapi());
    routes
        .route("/v1", any(call::unknown_path))
        .route("/v1/", any(call::unknown_path))
        .route("/v1/{*path}", any(call::unknown_path))
        .method_not_allowed_fallback(call::wrong_method)
        .layer(from_fn_with_state(ctx.clone(), call::recognise_and_log))
        // Public, and no call of anybody's: outside the layer that asks for a key.
        .merge(public_routes().0)
        .with_state(ctx)
        .route("/v1/openapi.json", get(move || async move { Json(served) }))
        .layer(axum::middleware::from_fn(call::complete_problems))
}
