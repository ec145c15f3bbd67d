//! The document around every page, and the list of pages.

use crate::{
    accounts, allowlist, api_keys, audit_log, compliance, contacts, html::Assets, invitations, kit, mail, members,
    page::bare_page, plans, public, retention, streams, subprocessors, subscribers, two_factor, workspaces,
};
use axum::http::request::Parts;
use leptos::prelude::*;
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{Route, Router, Routes},
    path,
};
use send0_core::{AppError, accounts::SignedIn};

/// The document.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    // Leptos's own script would say so; pages have none.
    if let Some(shared) = Owner::current_shared_context() {
        shared.set_is_hydrating(false);
    }
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="stylesheet" href=Assets::get(&options).css.clone()/>
                <MetaTags/>
            </head>
            <body><App/></body>
        </html>
    }
}

/// leptos_meta 0.8 writes the title as it is, and a workspace's name is part of it.
fn document_title(title: String) -> String {
    let escaped = title.replace('&', "&amp;").replace('<', "&lt;");
    if escaped.is_empty() { "send0".to_owned() } else { format!("{escaped} · send0") }
}

/// The theme that the reader has chosen, known before the first byte: nothing flashes.
fn theme() -> Option<String> {
    let theme = with_context(|parts: &Parts| parts.extensions.get::<SignedIn>().map(|reader| reader.theme.clone()));
    theme.flatten().filter(|theme| theme != "system")
}

/// Every page. Each is rendered whole before it is sent, so that it needs no script.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title formatter=document_title/>
        <Router>
            <Routes fallback=missing>
                <Route path=path!("/") view=workspaces::page::Start ssr=SsrMode::Async/>
                <Route path=path!("/setup") view=workspaces::page::SetUpPage ssr=SsrMode::Async/>
                <Route path=path!("/sign-in") view=accounts::page::SignInPage ssr=SsrMode::Async/>
                <Route path=path!("/invitations") view=invitations::arrival::Arrival ssr=SsrMode::Async/>
                <Route path=path!("/contacts") view=contacts::arrival::ContactArrival ssr=SsrMode::Async/>
                <Route path=path!("/account") view=accounts::account::Account ssr=SsrMode::Async/>
                <Route path=path!("/account/security") view=two_factor::security::Security ssr=SsrMode::Async/>
                <Route path=path!("/account/security/app") view=two_factor::enrolment::App ssr=SsrMode::Async/>
                <Route path=path!("/account/security/recovery-codes") view=two_factor::enrolment::RecoveryCodes ssr=SsrMode::Async/>
                <Route path=path!("/account/sessions") view=two_factor::security::Sessions ssr=SsrMode::Async/>
                <Route path=path!("/account/prove") view=two_factor::proof::Prove ssr=SsrMode::Async/>
                <Route path=path!("/sign-in/second-factor") view=two_factor::proof::SecondFactor ssr=SsrMode::Async/>
                <Route path=path!("/sign-in/forgot") view=accounts::reset::Forgot ssr=SsrMode::Async/>
                <Route path=path!("/sign-in/reset") view=accounts::reset::Reset ssr=SsrMode::Async/>
                <Route path=path!("/account/address") view=accounts::account::Address ssr=SsrMode::Async/>
                <Route path=path!("/workspaces/new") view=workspaces::settings::NewWorkspace ssr=SsrMode::Async/>
                <Route path=path!("/security") view=public::security::Security ssr=SsrMode::Async/>
                <Route path=path!("/changelog") view=public::changelog::Changelog ssr=SsrMode::Async/>
                <Route path=path!("/compliance") view=compliance::public::Compliance ssr=SsrMode::Async/>
                <Route path=path!("/compliance/ask") view=compliance::visitor::Ask ssr=SsrMode::Async/>
                <Route path=path!("/compliance/requests") view=compliance::visitor::Asked ssr=SsrMode::Async/>
                <Route path=path!("/documents") view=compliance::documents::Handed ssr=SsrMode::Async/>
                <Route path=path!("/subprocessors") view=subprocessors::public::Subprocessors ssr=SsrMode::Async/>
                <Route path=path!("/subprocessors/subscribe") view=subscribers::page::Subscribe ssr=SsrMode::Async/>
                <Route path=path!("/subscription") view=subscribers::page::Subscription ssr=SsrMode::Async/>
                <Route path=path!("/unsubscribe") view=subscribers::page::Unsubscribe ssr=SsrMode::Async/>
                <Route path=path!("/operator") view=subprocessors::operator::Console ssr=SsrMode::Async/>
                <Route path=path!("/operator/subprocessors/new") view=subprocessors::operator::Add ssr=SsrMode::Async/>
                <Route path=path!("/operator/subprocessors/:id/change") view=subprocessors::operator::ChangeOne ssr=SsrMode::Async/>
                <Route path=path!("/operator/subprocessors/:id/remove") view=subprocessors::operator::RemoveOne ssr=SsrMode::Async/>
                <Route path=path!("/operator/notices/:id") view=subprocessors::operator::OneNotice ssr=SsrMode::Async/>
                <Route path=path!("/operator/notices/:id/reply/:workspace") view=subprocessors::operator::Reply ssr=SsrMode::Async/>
                <Route path=path!("/operator/compliance") view=compliance::operator::Frameworks ssr=SsrMode::Async/>
                <Route path=path!("/operator/compliance/:id") view=compliance::operator::OneFramework ssr=SsrMode::Async/>
                <Route path=path!("/operator/requests") view=compliance::operator::Requests ssr=SsrMode::Async/>
                <Route path=path!("/operator/requests/:workspace/:id") view=compliance::operator::OneRequest ssr=SsrMode::Async/>
                <Route path=path!("/operator/documents") view=compliance::operator::Documents ssr=SsrMode::Async/>
                <Route path=path!("/operator/documents/:id") view=compliance::operator::OneDocument ssr=SsrMode::Async/>
                <Route path=path!("/operator/workspaces") view=plans::operator::Workspaces ssr=SsrMode::Async/>
                <Route path=path!("/operator/workspaces/:id") view=plans::operator::OneWorkspace ssr=SsrMode::Async/>
                <Route path=path!("/operator/log") view=audit_log::operator::PlatformLog ssr=SsrMode::Async/>
                <Route path=path!("/operator/log/:event") view=audit_log::operator::PlatformEvent ssr=SsrMode::Async/>
                <Route path=path!("/dev/kit") view=kit::page::Kit ssr=SsrMode::Async/>
                <Route path=path!("/dev/mailbox") view=mail::page::Mailbox ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug") view=workspaces::overview::Overview ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/members") view=members::page::Members ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/members/invite") view=invitations::page::Invite ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/members/:id") view=members::page::Member ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/roles") view=members::roles::Roles ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/contacts") view=contacts::page::Contacts ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/contacts/:id") view=contacts::page::Contact ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/settings") view=workspaces::settings::Settings ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/api-keys") view=api_keys::page::Keys ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/api-keys/new") view=api_keys::page::NewKey ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/api-keys/:id") view=api_keys::page::Key ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/api-keys/:id/secret") view=api_keys::page::Secret ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/allowlist") view=allowlist::page::Lists ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/allowlist/:door") view=allowlist::draft::Draft ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/allowlist/:door/review") view=allowlist::review::Review ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/notices") view=subprocessors::notices::Notices ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/notices/:id") view=subprocessors::notices::Notice ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/compliance") view=compliance::requests::Requests ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/compliance/:id") view=compliance::requests::Request ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/retention") view=retention::page::RetentionPage ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/retention/holds/:id") view=retention::holds::OneHold ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/streams") view=streams::page::Streams ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/streams/new") view=streams::new::NewStream ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/streams/:id") view=streams::page::Stream ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/streams/:id/secret") view=streams::new::Secret ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/audit-log") view=audit_log::page::Log ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/audit-log/exports") view=audit_log::exports::Exports ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/audit-log/views/:id") view=audit_log::views::OneView ssr=SsrMode::Async/>
                <Route path=path!("/w/:slug/audit-log/:event") view=audit_log::event::Event ssr=SsrMode::Async/>
            </Routes>
        </Router>
    }
}

fn missing() -> impl IntoView {
    bare_page("There is nothing here", |_| async { Err::<(), _>(AppError::NotFound) })
}
