//! Pages for anybody: no script, no cookie, the same for everybody, so that whoever stands between may keep them a while.

pub mod changelog;
pub mod security;

use crate::{
    page::sorry,
    ui::{Glyph, Icon},
    visit::Visit,
};
use axum::http::{HeaderValue, header};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_meta::Title;
use send0_core::AppError;
use std::future::Future;

/// The paths of these pages. Nobody is looked up for them, so that they cannot differ.
pub const PATHS: [(&str, &str); 4] = [
    ("Security", "/security"),
    ("Compliance", "/compliance"),
    ("Subprocessors", "/subprocessors"),
    ("Changelog", "/changelog"),
];

/// How long they may be kept.
pub const CACHE: &str = "public, max-age=60";

/// Whether everybody gets the same answer there.
pub fn is_public(path: &str) -> bool {
    PATHS.iter().any(|(_, public)| *public == path)
}

/// A page for anybody. `path` is its own.
pub fn public_page<V, F>(
    title: &'static str,
    path: &'static str,
    load: impl FnOnce(Visit) -> F + Send + 'static,
) -> impl IntoView
where
    V: IntoView + 'static,
    F: Future<Output = Result<V, AppError>> + Send + 'static,
{
    let visit = Visit::now();
    Suspend::new(async move {
        let content = match load(visit.clone()).await {
            Ok(view) => {
                let response = expect_context::<ResponseOptions>();
                response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static(CACHE));
                view! { <Title text=title/> {view} }.into_any()
            }
            Err(error) => sorry(error, &visit),
        };
        framed(path, content)
    })
}

fn framed(path: &'static str, content: AnyView) -> impl IntoView {
    let entry = |(label, href): (&'static str, &'static str)| {
        let current = (href == path).then_some("page");
        view! { <li><a href=href aria-current=current>{label}</a></li> }
    };
    view! {
        <a class="skip-link" href="#main">"Skip to content"</a>
        <header class="public-head">
            <a class="brand" href="/security"><Icon glyph=Glyph::Mark/>"send0"</a>
            <nav aria-label="Trust">
                <ul>{PATHS.into_iter().map(entry).collect_view()} <li><a href="/sign-in">"Sign in"</a></li></ul>
            </nav>
        </header>
        <main class="wide" id="main" tabindex="-1">{content}</main>
    }
}

/// From a page outside the frame to these.
pub fn links() -> impl IntoView {
    let entry = |(label, href): (&'static str, &'static str)| view! { <li><a href=href>{label}</a></li> };
    view! { <nav class="public-links" aria-label="Trust"><ul>{PATHS.into_iter().map(entry).collect_view()}</ul></nav> }
}
