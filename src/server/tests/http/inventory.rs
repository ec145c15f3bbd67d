//! What there is equals what is declared.

use crate::harness::{Browser, Console, route};
use app::{access, shell::App};
use leptos_router::SsrMode;
use send0_core::permissions::Role;
use send0_server::rest;
use std::collections::BTreeSet;

/// Forms in open tabs and other people's notes hold these: changing one breaks them.
const FUNCTION_PATHS: [&str; 96] = [
    "/_fn/app/accounts/server_fns/cancel_address",
    "/_fn/app/accounts/server_fns/change_password",
    "/_fn/app/accounts/server_fns/change_settings",
    "/_fn/app/accounts/server_fns/confirm_address",
    "/_fn/app/accounts/server_fns/end_other_sessions",
    "/_fn/app/accounts/server_fns/end_session",
    "/_fn/app/accounts/server_fns/request_address",
    "/_fn/app/accounts/server_fns/request_reset",
    "/_fn/app/accounts/server_fns/reset_password",
    "/_fn/app/accounts/server_fns/sign_in",
    "/_fn/app/accounts/server_fns/sign_out",
    "/_fn/app/allowlist/server_fns/add_entry",
    "/_fn/app/allowlist/server_fns/change_entry",
    "/_fn/app/allowlist/server_fns/confirm_change",
    "/_fn/app/allowlist/server_fns/discard_draft",
    "/_fn/app/allowlist/server_fns/remove_entry",
    "/_fn/app/allowlist/server_fns/save_draft",
    "/_fn/app/allowlist/server_fns/set_reporting",
    "/_fn/app/allowlist/server_fns/undo_change",
    "/_fn/app/api_keys/server_fns/issue_key",
    "/_fn/app/api_keys/server_fns/revoke_key",
    "/_fn/app/audit_log/server_fns/cancel_export",
    "/_fn/app/audit_log/server_fns/change_view",
    "/_fn/app/audit_log/server_fns/remove_view",
    "/_fn/app/audit_log/server_fns/save_view",
    "/_fn/app/audit_log/server_fns/start_export",
    "/_fn/app/compliance/server_fns/accept_terms",
    "/_fn/app/compliance/server_fns/add_evidence",
    "/_fn/app/compliance/server_fns/answer_request",
    "/_fn/app/compliance/server_fns/ask_as_visitor",
    "/_fn/app/compliance/server_fns/change_framework",
    "/_fn/app/compliance/server_fns/grant_document",
    "/_fn/app/compliance/server_fns/make_request",
    "/_fn/app/compliance/server_fns/remove_evidence",
    "/_fn/app/compliance/server_fns/retire_document",
    "/_fn/app/compliance/server_fns/revoke_grant",
    "/_fn/app/compliance/server_fns/send_request",
    "/_fn/app/compliance/server_fns/write_more",
    "/_fn/app/compliance/server_fns/write_on_request",
    "/_fn/app/contacts/server_fns/add_contact",
    "/_fn/app/contacts/server_fns/change_contact",
    "/_fn/app/contacts/server_fns/confirm_contact",
    "/_fn/app/contacts/server_fns/remove_contact",
    "/_fn/app/contacts/server_fns/test_contact",
    "/_fn/app/invitations/server_fns/accept_invitation",
    "/_fn/app/invitations/server_fns/invite_members",
    "/_fn/app/invitations/server_fns/join_workspace",
    "/_fn/app/invitations/server_fns/make_invitation_link",
    "/_fn/app/invitations/server_fns/resend_invitation",
    "/_fn/app/invitations/server_fns/revoke_invitation",
    "/_fn/app/members/server_fns/change_role",
    "/_fn/app/members/server_fns/end_member_sessions",
    "/_fn/app/members/server_fns/leave_workspace",
    "/_fn/app/members/server_fns/remove_member",
    "/_fn/app/plans/server_fns/set_plan",
    "/_fn/app/policies/server_fns/change_policy",
    "/_fn/app/retention/server_fns/change_retention",
    "/_fn/app/retention/server_fns/keep_retention",
    "/_fn/app/retention/server_fns/place_hold",
    "/_fn/app/retention/server_fns/release_hold",
    "/_fn/app/streams/server_fns/change_stream",
    "/_fn/app/streams/server_fns/create_stream",
    "/_fn/app/streams/server_fns/pause_stream",
    "/_fn/app/streams/server_fns/remove_stream",
    "/_fn/app/streams/server_fns/replace_stream_secret",
    "/_fn/app/streams/server_fns/resume_stream",
    "/_fn/app/streams/server_fns/test_stream",
    "/_fn/app/subprocessors/server_fns/answer_notice",
    "/_fn/app/subprocessors/server_fns/discard_notice",
    "/_fn/app/subprocessors/server_fns/postpone_notice",
    "/_fn/app/subprocessors/server_fns/propose_change",
    "/_fn/app/subprocessors/server_fns/publish_notice",
    "/_fn/app/subprocessors/server_fns/reply_to_objection",
    "/_fn/app/subprocessors/server_fns/withdraw_notice",
    "/_fn/app/subscribers/server_fns/confirm_subscription",
    "/_fn/app/subscribers/server_fns/end_subscription",
    "/_fn/app/subscribers/server_fns/subscribe",
    "/_fn/app/two_factor/server_fns/begin_app",
    "/_fn/app/two_factor/server_fns/begin_passkey",
    "/_fn/app/two_factor/server_fns/begin_passkey_proof",
    "/_fn/app/two_factor/server_fns/begin_passkey_sign_in",
    "/_fn/app/two_factor/server_fns/confirm_app",
    "/_fn/app/two_factor/server_fns/finish_passkey",
    "/_fn/app/two_factor/server_fns/finish_passkey_proof",
    "/_fn/app/two_factor/server_fns/finish_passkey_sign_in",
    "/_fn/app/two_factor/server_fns/make_recovery_codes",
    "/_fn/app/two_factor/server_fns/prove_by_code",
    "/_fn/app/two_factor/server_fns/prove_by_password",
    "/_fn/app/two_factor/server_fns/prove_by_recovery_code",
    "/_fn/app/two_factor/server_fns/remove_app",
    "/_fn/app/two_factor/server_fns/remove_passkey",
    "/_fn/app/two_factor/server_fns/rename_passkey",
    "/_fn/app/workspaces/server_fns/create_workspace",
    "/_fn/app/workspaces/server_fns/rename_workspace",
    "/_fn/app/workspaces/server_fns/set_time_zone",
    "/_fn/app/workspaces/server_fns/set_up",
];

#[test]
fn every_server_function_is_declared() {
    let there: BTreeSet<&str> = server_fn::axum::server_fn_paths().map(|(path, _)| path).collect();
    let declared: BTreeSet<&str> = access::FUNCTIONS.iter().map(|function| function.path).collect();
    assert_eq!(there, declared);
    assert_eq!(there, BTreeSet::from(FUNCTION_PATHS));
    for (path, method) in server_fn::axum::server_fn_paths() {
        assert_eq!(method, "POST", "{path} changes something");
    }
}

#[test]
fn every_page_is_declared_and_rendered_whole() {
    let routes = leptos_axum::generate_route_list(App);
    let there: BTreeSet<String> = routes.iter().map(|route| route.path().to_owned()).collect();
    let declared: BTreeSet<String> = access::PAGES.iter().map(|(path, _)| braces(path)).collect();
    assert_eq!(there, declared);
    for route in &routes {
        assert!(matches!(route.mode(), SsrMode::Async), "{}", route.path());
    }
}

fn braces(path: &str) -> String {
    let segment = |segment: &str| segment.strip_prefix(':').map_or(segment.to_owned(), |name| format!("{{{name}}}"));
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn the_openapi_document_lists_exactly_the_routes() {
    let document = serde_json::to_value(rest::openapi()).expect("a document");
    let mut described = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys().filter(|word| *word != "parameters") {
            described.insert((method.to_uppercase(), path.clone()));
        }
    }
    let declared: BTreeSet<(String, String)> =
        rest::ROUTES.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(described, declared);
    let console = Console::new().await;
    assert_eq!(
        console.call("GET", "/v1/openapi.json", None).await.json(),
        document,
        "and it is the one that is served"
    );
}

#[tokio::test]
async fn every_declared_route_answers() {
    let (console, acme) = Console::with_acme().await;
    let (id, secret) = console.key(acme.id(), "live").await;
    let event = console.db.events(acme.id()).await.remove(0).id;
    assert_eq!(console.call("GET", "/v1/audit-log/public-key", None).await.status, 200);
    for (method, path) in rest::scoped_routes() {
        let id =
            if path.contains("audit") { event.to_string() } else { console.key(acme.id(), "test").await.0.to_string() };
        let answer = console.call(method, &route(path, &id), Some(&secret)).await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text());
    }
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let member = console.member_id(&acme, Role::Owner).await.to_string();
    let contact = console.contact(&acme, "owner@acme.example").await.to_string();
    let notice = console.notice("Acme Mail").await.to_string();
    let view = console.view(&acme, "Refusals").await.to_string();
    let request = console.compliance_request(&acme).await.to_string();
    let stream = console.stream(&acme).await.to_string();
    let hold = console.legal_hold(&acme, "Matter 12").await.to_string();
    for (path, access) in access::PAGES {
        if matches!(access, access::Access::Dev | access::Access::Operator) {
            continue;
        }
        let id = match path {
            path if path.contains("members") => member.clone(),
            path if path.contains("views") => view.clone(),
            path if path.contains("contacts") => contact.clone(),
            path if path.contains("notices") => notice.clone(),
            path if path.contains("compliance") => request.clone(),
            path if path.contains("streams") => stream.clone(),
            path if path.contains("holds") => hold.clone(),
            _ => id.to_string(),
        };
        let path = path.replace(":slug", "acme").replace(":id", &id).replace(":event", &event.to_string());
        let path = path.replace(":door", "dashboard");
        let answer = owner.get(&console, &path).await;
        assert!(answer.status == 200 || answer.status == 302, "{path}: {}", answer.status);
    }
}
