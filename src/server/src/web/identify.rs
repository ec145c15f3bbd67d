//! Names every request: an id, which the answer, the log lines and the audit event share, and the client's address.

use super::TrustedProxies;
use app::visit::{DefaultMode, UnnamedProxy};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use send0_core::{actor, ids::RequestId};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};
use tracing::{Instrument, info_span};

/// Outermost but for compression. Logs one line for each answer.
pub async fn identify(State(proxies): State<Arc<TrustedProxies>>, mut request: Request, next: Next) -> Response {
    let id = RequestId::new();
    let peer = peer(&request);
    if let Some(peer) = peer.filter(|peer| proxies.is_unnamed(*peer, request.headers())) {
        request.extensions_mut().insert(UnnamedProxy(peer));
    }
    let client = peer.map(|peer| proxies.client(peer, request.headers()).to_string());
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).map(str::to_owned);
    let about = actor::Request::new(id, request.method().as_str(), request.uri().path(), client, agent.as_deref());
    let span = info_span!("request", %id, method = %about.method, path = %about.path);
    let (method, path) = (about.method.clone(), about.path.clone());
    request.extensions_mut().insert(about);
    let begun = Instant::now();
    let mut response = next.run(request).instrument(span).await;
    let (status, ms) = (response.status().as_u16(), begun.elapsed().as_millis());
    // Outside the span: to write the fields of a span as JSON, they are read as JSON first.
    tracing::info!(parent: None, %id, method, path, status, ms, "answered");
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
    }
    response
}

/// Marks what comes from this machine to a server in its default mode. Another site's name that points here is not this
/// machine, and neither is whatever a proxy passes on.
pub async fn default_mode(State(origin): State<Option<Arc<str>>>, mut request: Request, next: Next) -> Response {
    let peer = peer(&request);
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_ours = origin.is_some_and(|origin| origin.split_once("://").is_some_and(|(_, ours)| ours == host));
    let is_passed_on = ["forwarded", "x-forwarded-for", "via"].iter().any(|name| request.headers().contains_key(*name));
    if is_ours && !is_passed_on && peer.is_some_and(|peer| peer.is_loopback()) {
        request.extensions_mut().insert(DefaultMode);
    }
    next.run(request).await
}

/// The other end of the connection. An IPv4 address that came in over IPv6 is an IPv4 address.
fn peer(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical())
}
