//! One request for a page or a server function: who, with what means, from where.

use axum::http::request::Parts;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use send0_core::{
    Actor, AppError, Ctx,
    accounts::{Membership, SignedIn, operations},
    actor::Request,
    flash::Flash,
    ids::RequestId,
};
use std::{net::IpAddr, sync::Arc};
use tower_sessions::Session;

/// Left with each request that comes from this machine to a server in its default mode: what helps while trying the
/// product out is shown to nobody else.
#[derive(Clone, Copy, Debug)]
pub struct DefaultMode;

/// Left with each request that says somebody passed it on whom the server has not been told to trust.
#[derive(Clone, Copy, Debug)]
pub struct UnnamedProxy(pub IpAddr);

/// Left with each request of somebody whose password was right: their second factor may be still to come.
#[derive(Clone, Debug)]
pub struct Known(pub SignedIn);

/// The request as pages and server functions see it.
#[derive(Clone)]
pub struct Visit {
    /// The means.
    pub ctx: Ctx,
    /// The headers and whatever the layers left with them.
    pub parts: Parts,
}

impl Visit {
    /// The one being answered. Only within a component or a server function.
    pub fn now() -> Self {
        Self { ctx: expect_context(), parts: expect_context() }
    }

    /// For events.
    pub fn request(&self) -> Request {
        let unknown = || Request::new(RequestId::new(), self.parts.method.as_str(), self.parts.uri.path(), None, None);
        self.parts.extensions.get().cloned().unwrap_or_else(unknown)
    }

    /// Who is signed in.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`] when nobody is.
    pub fn signed_in(&self) -> Result<SignedIn, AppError> {
        self.parts.extensions.get::<SignedIn>().cloned().ok_or_else(|| AppError::Unauthenticated("session".into()))
    }

    /// Who is signed in, or has still to show a second factor. For the pages where that is done, and for nothing else.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`] when nobody is known.
    pub fn known(&self) -> Result<SignedIn, AppError> {
        let known = self.parts.extensions.get::<Known>().map(|known| known.0.clone());
        known.ok_or_else(|| AppError::Unauthenticated("session".into()))
    }

    /// Who is signed in, as a member of the workspace, and all their workspaces.
    pub async fn enter(&self, slug: &str) -> Result<(Actor, Vec<Membership>), AppError> {
        operations::enter(&self.ctx, &self.signed_in()?, &self.request(), slug).await
    }

    /// Who is signed in, as one of send0's staff.
    pub async fn operator(&self) -> Result<Actor, AppError> {
        send0_core::operators::operations::enter(&self.ctx, &self.signed_in()?, &self.request()).await
    }

    /// The session of tower-sessions.
    ///
    /// # Errors
    /// [`AppError::Internal`] when its layer is missing.
    pub fn session(&self) -> Result<Session, AppError> {
        self.parts.extensions.get().cloned().ok_or(AppError::Internal)
    }

    /// What is shown once, on this page, now.
    pub fn flash(&self) -> Option<Arc<Flash>> {
        self.parts.extensions.get().cloned()
    }

    /// Whether the server is in its default mode and the request comes from this machine.
    pub fn is_default_mode(&self) -> bool {
        self.parts.extensions.get::<DefaultMode>().is_some()
    }

    /// Who says that they passed the request on, and is no trusted proxy.
    pub fn unnamed_proxy(&self) -> Option<IpAddr> {
        self.parts.extensions.get::<UnnamedProxy>().map(|proxy| proxy.0)
    }

    /// A cookie that was sent.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        crate::cookies::read(&self.parts.headers, name)
    }

    /// The path and query of the page.
    pub fn address(&self) -> String {
        self.parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default()
    }
}

/// Sets a cookie on the answer of a server function.
pub fn set_cookie(value: axum::http::HeaderValue) {
    expect_context::<ResponseOptions>().append_header(axum::http::header::SET_COOKIE, value);
}

/// A path of our own, as `next` and `_back` must be: not another site's, not one that a browser would take for that.
pub fn is_local(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 2048
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}
