//! The headers of every kind of answer, and the nonce.

use crate::harness::{Answer, Browser, Console, call, form, function};
use axum::body::Body;
use send0_core::{audit_log::Action, permissions::Role};
use std::collections::BTreeSet;

const ALWAYS: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    (
        "permissions-policy",
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=(), \
         publickey-credentials-create=(self), publickey-credentials-get=(self)",
    ),
];

fn has_its_headers(answer: &Answer, what: &str) {
    for (name, value) in ALWAYS {
        let all: Vec<_> = answer.headers.get_all(name).iter().collect();
        assert_eq!((all.len(), answer.header(name)), (1, value), "{what}: {name}");
    }
    assert_eq!(answer.headers.get_all("content-security-policy").iter().count(), 1, "{what}");
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"), "{what}: {policy}");
    assert!(
        !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'") && !policy.contains('*'),
        "{what}: {policy}"
    );
    assert!(answer.header("x-request-id").starts_with("req_"), "{what}");
    assert!(answer.headers.get("server").is_none(), "{what}");
    if answer.header("content-type").starts_with("text/html") {
        assert_eq!(answer.header("cache-control"), "no-store", "{what}");
        assert!(answer.text().starts_with("<!DOCTYPE html>") && answer.text().ends_with("</html>"), "{what}");
        assert_eq!(policy, page_policy(nonce(answer)), "{what}");
    }
}

fn page_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; report-uri /csp-report"
    )
}

fn nonce(answer: &Answer) -> &str {
    let rest = answer.header("content-security-policy").split("'nonce-").nth(1).expect("a nonce");
    rest.split('\'').next().expect("its end")
}

#[tokio::test]
async fn every_kind_of_answer() {
    let (console, acme) = Console::with_acme().await;
    let (_, live) = console.key(acme.id(), "live").await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let mut viewer = Browser::member(&console, &acme, Role::Viewer).await;
    let mut nobody = Browser::default();
    let mut kinds = vec![
        ("a page", 200, owner.get(&console, "/w/acme").await),
        ("a page with islands", 200, owner.get(&console, "/w/acme/audit-log").await),
        ("the way to the sign-in", 302, nobody.get(&console, "/w/acme").await),
        ("the sign-in", 200, nobody.get(&console, "/sign-in").await),
        ("a refused page", 403, viewer.get(&console, "/w/acme/api-keys").await),
        ("no such page", 404, nobody.get(&console, "/nothing").await),
        ("no such page in a workspace", 404, owner.get(&console, "/w/nothing").await),
        ("a folder", 404, nobody.get(&console, "/pkg").await),
        ("a slash at the end", 308, nobody.get(&console, "/pkg/").await),
        ("an asset", 200, nobody.get(&console, "/pkg/send0.css").await),
        ("the icon", 200, nobody.get(&console, "/favicon.svg").await),
        ("outside the site", 404, nobody.get(&console, "/pkg/../../Cargo.toml").await),
        ("outside the site, escaped", 404, nobody.get(&console, "/pkg/..%2f..%2fCargo.toml").await),
        ("health", 200, nobody.get(&console, "/healthz").await),
        ("readiness", 200, nobody.get(&console, "/readyz").await),
        ("the set-up link", 303, nobody.get(&console, "/setup/x").await),
        ("an accepted form", 303, nobody.sign_in(&console, "owner@acme.example", send0_core::testing::PASSWORD).await),
        ("a refused form", 303, nobody.sign_in(&console, "owner@acme.example", "wrong").await),
        (
            "a refused form, for an island",
            401,
            nobody.post_json(&console, "sign_in", &[("email", "x"), ("password", "y")]).await,
        ),
        ("half a form", 400, nobody.post_json(&console, "sign_in", &[]).await),
        ("the API", 200, console.call("GET", "/v1/workspace", Some(&live)).await),
        ("the API without a key", 401, console.call("GET", "/v1/workspace", None).await),
        ("the API, no such path", 404, console.call("GET", "/v1/x", Some(&live)).await),
        ("the API, wrong method", 405, console.call("PUT", "/v1/workspace", Some(&live)).await),
        ("its description", 200, console.call("GET", "/v1/openapi.json", None).await),
        ("its description, wrong method", 405, console.call("POST", "/v1/openapi.json", None).await),
        ("a preflight", 405, console.call("OPTIONS", "/healthz", None).await),
        ("nothing by POST", 403, console.call("POST", "/nothing", None).await),
    ];
    for (what, status, kind, size) in [
        ("cross-site", 403, "application/x-www-form-urlencoded", 1),
        ("text", 415, "text/plain", 1),
        ("a large form", 413, "application/x-www-form-urlencoded", 70_000),
    ] {
        let site = if status == 403 { "cross-site" } else { "same-origin" };
        let request = call("POST", function("sign_in"), None)
            .header("accept", "text/html")
            .header("sec-fetch-site", site)
            .header("content-type", kind);
        kinds.push((what, status, console.send(request.body(Body::from(vec![b'a'; size])).expect("request")).await));
    }
    let wrong = call("POST", "/w/acme", None)
        .header("accept", "text/html")
        .header("sec-fetch-site", "same-origin")
        .body(form(&[]));
    kinds.push(("a page by POST", 405, console.send(wrong.expect("request")).await));
    let report =
        call("POST", "/csp-report", None).header("content-type", "application/csp-report").body(Body::from("{}"));
    kinds.push(("a report", 204, console.send(report.expect("request")).await));
    for (what, status, answer) in kinds {
        assert_eq!(answer.status.as_u16(), status, "{what}: {}", answer.text());
        has_its_headers(&answer, what);
        match what {
            "an asset" => assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable"),
            "the icon" => assert_eq!(answer.header("cache-control"), "public, max-age=3600"),
            _ => assert_eq!(answer.header("cache-control"), "no-store", "{what}"),
        }
        if status >= 400 && answer.header("content-type").starts_with("text/html") {
            assert!(answer.text().contains(answer.header("x-request-id")), "{what}: the page names the request");
        }
    }
}

#[tokio::test]
async fn too_many_attempts_are_429() {
    let (console, acme) = Console::with_acme().await;
    let mut browser = Browser::default();
    for _ in 0..10 {
        let answer =
            browser.post_json(&console, "sign_in", &[("email", "owner@acme.example"), ("password", "wrong")]).await;
        assert_eq!(answer.status, 401);
    }
    let refused = console.db.count(acme.id(), Action::SessionRefused).await;
    assert_eq!(refused, 10, "each is in the log of the workspace");
    let right = [("email", "owner@acme.example"), ("password", send0_core::testing::PASSWORD), ("_back", "/sign-in")];
    let answer = browser.post_json(&console, "sign_in", &right).await;
    assert_eq!(answer.status, 429, "even with the right password");
    has_its_headers(&answer, "429");
    assert_eq!(browser.post(&console, "sign_in", &right).await.location(), "/sign-in");
    let page = browser.get(&console, "/sign-in").await.text();
    assert!(page.contains("Too many attempts. Try again in"), "{page}");
    assert_eq!(browser.session(), "");
}

/// What makes a flash unreadable is our fault: a page says so, with the request's id.
#[tokio::test]
async fn our_own_faults_are_500_with_a_page() {
    let (console, _) = Console::with_acme().await;
    console
        .run(
            r"insert into data_keys (workspace_id, data_key_id, purpose, wrapped, created_at)
              values ('00000000-0000-4000-8000-000000000000', gen_random_uuid(), 'workspace', '\x00', now())",
        )
        .await;
    let answer = Browser::default().sign_in(&console, "owner@acme.example", "wrong").await;
    assert_eq!(answer.status, 500);
    has_its_headers(&answer, "500");
    assert!(
        answer.text().contains("Something broke on our side") && answer.text().contains(answer.header("x-request-id"))
    );
}

#[tokio::test]
async fn a_nonce_is_used_once_and_hidden() {
    let (console, acme) = Console::with_acme().await;
    let (key, _) = console.key(acme.id(), "live").await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let path = format!("/w/acme/api-keys/{key}");
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        let answer = owner.get(&console, &path).await;
        let (page, nonce) = (answer.text(), nonce(&answer).to_owned());
        assert!(page.contains("<script"), "this page has an island");
        let tags = page.matches("<script").count() + page.matches("<link rel=\"modulepreload\"").count();
        assert_eq!(
            (page.matches(&nonce).count(), page.matches(&format!("nonce=\"{nonce}\"")).count()),
            (tags, tags),
            "only in nonce attributes"
        );
        assert_eq!(
            page.matches("<script").count(),
            page.matches(&format!("<script type=\"module\" nonce=\"{nonce}\">")).count()
        );
        assert!(nonce.len() >= 22, "128 bits: {nonce}");
        seen.insert(nonce);
    }
    assert_eq!(seen.len(), 200);
}

#[tokio::test]
async fn pages_without_islands_carry_no_script() {
    let (console, acme) = Console::with_acme().await;
    let (_, token) = console.invitation(&acme, "bo@example.com", "viewer").await;
    let (mut nobody, mut invited) = (Browser::default(), Browser::default());
    invited.get(&console, &format!("/invitations/{token}")).await;
    let refused = nobody.sign_in(&console, "a@example.com", "x").await;
    assert_eq!(refused.location(), "/sign-in");
    let answers = [
        nobody.get(&console, "/sign-in/forgot").await,
        nobody.get(&console, "/sign-in/reset").await,
        nobody.get(&console, "/nothing").await,
        nobody.get(&console, "/setup").await,
        nobody.get(&console, "/invitations").await,
        nobody.get(&console, "/account/address").await,
        invited.get(&console, "/invitations").await,
    ];
    for answer in answers {
        let page = answer.text();
        if answer.status == 302 {
            continue;
        }
        assert!(page.contains("</html>") && !page.contains("<script") && !page.contains("modulepreload"), "{page}");
        assert!(!page.contains(" style=") && !page.contains(" onclick="), "nothing inline");
    }
    // What talks to a passkey is one small module.
    let sign_in = nobody.get(&console, "/sign-in").await.text();
    let script = sign_in.split_once("<script type=\"module\" nonce=\"").expect("a script").1;
    let length = script.find("</script>").expect("its end");
    assert!(length < 5_000 && sign_in.matches("<script").count() == 1, "{length}");
}

/// Text of users never becomes markup.
#[tokio::test]
async fn names_are_text() {
    let (console, acme) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let evil = "</title><script>alert(1)</script>\"'><img src=x>&lt;";
    let fields = [("_back", "/w/acme/api-keys/new"), ("workspace", "acme"), ("name", evil), ("kind", "test")];
    let made = owner.post(&console, "issue_key", &fields).await.location().to_owned();
    let key = made.trim_end_matches("/secret").to_owned();
    let long = "<script>".repeat(40);
    owner
        .post(
            &console,
            "revoke_key",
            &[("_back", &key), ("workspace", "acme"), ("id", key.rsplit('/').next().expect("id")), ("reason", &long)],
        )
        .await;
    let refused = owner.get(&console, &key).await.text();
    assert!(refused.contains("At most 200 characters."), "the refused reason comes back");
    let event = console.db.events(acme.id()).await.pop().expect("an event").id;
    let search = "/w/acme/audit-log?actor=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E&action=%3Cscript%3E";
    for path in [
        &made,
        &key,
        "/w/acme/api-keys",
        "/w/acme",
        "/w/acme/audit-log",
        &format!("/w/acme/audit-log/{event}"),
        search,
        "/sign-in?next=/%22%3E%3Cscript%3E",
    ] {
        let answer = owner.get(&console, path).await;
        let page = answer.text();
        let ours = format!(
            "<script type=\"module\" nonce=\"{}\">",
            if page.contains("<script") { nonce(&answer) } else { "" }
        );
        assert_eq!(page.matches("<script").count(), page.matches(&ours).count(), "{path}");
        assert!(!page.contains("<img src=x>"), "{path}");
    }
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_can_read_that() {
    let (console, _) = Console::with_acme().await;
    let plain = Browser::default().get(&console, "/sign-in").await;
    let small = Browser::default().get_with(&console, "/sign-in", &[("accept-encoding", "gzip")]).await;
    assert_eq!((plain.header("content-encoding"), small.header("content-encoding")), ("", "gzip"));
    assert!(small.body.len() < plain.body.len());
    assert!(small.header("vary").contains("accept-encoding"));
}
