//! `/v1`: every status that can occur, the shape of problems, lists, and one event for each call.

use crate::harness::{Answer, Browser, Console, call};
use axum::body::Body;
use send0_core::{
    audit_log::Outcome,
    ids::{KeyId, UserId},
    permissions::Role,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Fails unless the answer is a problem in the agreed shape. Gives it.
fn problem(answer: &Answer, status: u16, code: &str, path: &str) -> Value {
    assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text());
    assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
    let problem = answer.json();
    let keys: BTreeSet<&str> = problem.as_object().expect("an object").keys().map(String::as_str).collect();
    let mut agreed = BTreeSet::from(["type", "title", "status", "code", "detail", "instance", "request_id", "errors"]);
    if code == "missing_scope" {
        agreed.insert("required_scope");
    }
    assert_eq!(keys, agreed, "{path}");
    assert_eq!(problem["type"], format!("https://send0.dev/problems/{code}"), "{path}");
    assert_eq!((&problem["status"], &problem["code"]), (&json!(status), &json!(code)), "{path}");
    assert_eq!(problem["instance"], path.split('?').next().expect("a path"), "{path}");
    assert_eq!(problem["request_id"], answer.header("x-request-id"), "{path}");
    assert!(answer.header("x-request-id").starts_with("req_"), "{path}");
    for text in ["title", "detail"] {
        assert!(problem[text].as_str().is_some_and(|text| text.len() > 5), "{path}: {text}");
    }
    problem
}

#[tokio::test]
async fn bad_syntax_is_400_and_names_the_parameter() {
    let (console, acme) = Console::with_acme().await;
    let (id, key) = console.key(acme.id(), "live").await;
    let cases = [
        ("/v1/api-keys?limit=0", "limit", "out_of_range"),
        ("/v1/api-keys?limit=101", "limit", "out_of_range"),
        ("/v1/api-keys?limit=-1", "limit", "out_of_range"),
        ("/v1/api-keys?limit=ten", "limit", "out_of_range"),
        ("/v1/api-keys?limit=", "limit", "out_of_range"),
        ("/v1/members?limit=101", "limit", "out_of_range"),
        ("/v1/audit-events?limit=101", "limit", "out_of_range"),
        ("/v1/api-keys?cursor=garbage", "cursor", "unknown_cursor"),
        ("/v1/api-keys?cursor=mem_01h455vb4pex5vsknk084sn02q", "cursor", "unknown_cursor"),
        ("/v1/api-keys?cursor=%00", "cursor", "unknown_cursor"),
        ("/v1/members?cursor=garbage", "cursor", "unknown_cursor"),
        ("/v1/audit-events?cursor=garbage", "cursor", "unknown_cursor"),
        ("/v1/audit-events?cursor=99999999999999999999", "cursor", "unknown_cursor"),
        ("/v1/api-keys?status=active", "status", "unknown_parameter"),
        ("/v1/members?q=ana", "q", "unknown_parameter"),
        ("/v1/workspace?limit=1", "limit", "unknown_parameter"),
        ("/v1/audit-events?actors=x", "actors", "unknown_parameter"),
        ("/v1/audit-log/export?format=xml", "format", "unknown_format"),
        ("/v1/audit-log/export?cursor=-1", "cursor", "unknown_cursor"),
        ("/v1/audit-log/export?cursor=garbage", "cursor", "unknown_cursor"),
        ("/v1/audit-log/export?limit=1", "limit", "unknown_parameter"),
        ("/v1/audit-log/export?from=yesterday", "from", "not_a_time"),
        ("/v1/api-keys?limit=1&limit=2", "limit", "repeated"),
        ("/v1/audit-events?actor=a&actor=b", "actor", "repeated"),
        ("/v1/audit-events?outcome=maybe", "outcome", "unknown_outcome"),
        ("/v1/audit-events?action=api_key.eaten", "action", "unknown_action"),
        ("/v1/audit-events?from=yesterday", "from", "not_a_time"),
        ("/v1/audit-events?to=2026-13-01", "to", "not_a_time"),
    ];
    for (path, field, code) in cases {
        let answer = console.call("GET", path, Some(&key)).await;
        let problem = problem(&answer, 400, "malformed", path);
        assert_eq!(problem["errors"].as_array().map(Vec::len), Some(1), "{path}");
        assert_eq!(
            (&problem["errors"][0]["field"], &problem["errors"][0]["code"]),
            (&json!(field), &json!(code)),
            "{path}"
        );
        assert!(problem["errors"][0]["message"].as_str().is_some_and(|text| !text.is_empty()), "{path}");
    }
    for body in ["not json", "{", "{\"a\":1} x"] {
        let path = format!("/v1/api-keys/{id}");
        let request =
            call("DELETE", &path, Some(&key)).header("content-type", "application/json").body(Body::from(body));
        let problem = problem(&console.send(request.expect("request")).await, 400, "malformed", &path);
        assert_eq!(
            (&problem["errors"][0]["field"], &problem["errors"][0]["code"]),
            (&json!(""), &json!("not_json")),
            "{body}"
        );
    }
    assert_eq!(console.call("GET", &format!("/v1/api-keys/{id}"), Some(&key)).await.json()["status"], "active");
}

/// Bad input is the caller's mistake, or finds nothing. It is never ours.
#[tokio::test]
async fn odd_input_is_never_our_fault() {
    let (console, acme) = Console::with_acme().await;
    let (id, key) = console.key(acme.id(), "live").await;
    let odd = ["%00", "%FF%FE", "%F0%9F%92%A9", "'%3B--", "%25", "%0D%0Ax:y", "..%2F..", "NaN", "%E2%80%AE"];
    let long = "9".repeat(4000);
    let mut asked = 0;
    for value in odd.into_iter().chain([long.as_str()]) {
        for path in [
            format!("/v1/api-keys/{value}"),
            format!("/v1/audit-events/{value}"),
            format!("/v1/{value}"),
            format!("/v1/api-keys?limit={value}"),
            format!("/v1/api-keys?cursor={value}"),
            format!("/v1/members?cursor={value}"),
            format!("/v1/audit-events?cursor={value}"),
            format!("/v1/audit-events?actor={value}"),
            format!("/v1/audit-events?actor={value}@example.com"),
            format!("/v1/audit-events?action={value}"),
            format!("/v1/audit-events?from={value}"),
            format!("/v1/workspace?{value}"),
        ] {
            let before = console.events_everywhere().await;
            let answer = console.call("GET", &path, Some(&key)).await;
            let short = &path[..path.len().min(80)];
            assert!(answer.status.as_u16() < 500, "{short}: {} {}", answer.status, answer.text());
            assert_eq!(console.events_everywhere().await, before + 1, "{short}");
            asked += 1;
        }
        let reason = console.call("DELETE", &format!("/v1/api-keys/{}?reason={value}", KeyId::new()), Some(&key)).await;
        assert!(matches!(reason.status.as_u16(), 404 | 422), "{}", reason.status);
    }
    for cursor in [i64::MIN, -1, 0, i64::MAX] {
        let answer = console.call("GET", &format!("/v1/audit-events?cursor={cursor}"), Some(&key)).await;
        assert_eq!(answer.status, 200, "{cursor}");
    }
    for time in ["0000-01-01", "9999-12-31", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999-23:59"] {
        let path = format!("/v1/audit-events?from={}", time.replace('+', "%2B"));
        assert!(console.call("GET", &path, Some(&key)).await.status.as_u16() < 500, "{time}");
    }
    assert_eq!(asked, 120);
    assert_eq!(console.call("GET", &format!("/v1/api-keys/{id}"), Some(&key)).await.status, 200);
}

#[tokio::test]
async fn refusals_have_their_problem() {
    let (console, acme) = Console::with_acme().await;
    let (_, live) = console.key(acme.id(), "live").await;
    let (_, test) = console.key(acme.id(), "test").await;
    problem(&console.call("GET", "/v1/workspace", None).await, 401, "missing_key", "/v1/workspace");
    problem(&console.call("GET", "/v1/workspace", Some("sk_live_x")).await, 401, "malformed_key", "/v1/workspace");
    let basic = call("GET", "/v1/workspace", None).header("authorization", format!("Basic {live}")).body(Body::empty());
    problem(&console.send(basic.expect("request")).await, 401, "missing_key", "/v1/workspace");
    let forbidden =
        problem(&console.call("GET", "/v1/audit-events", Some(&test)).await, 403, "missing_scope", "/v1/audit-events");
    assert_eq!(forbidden["required_scope"], "audit.read");
    let user = UserId::new();
    let unknown = [
        "/v1/nothing".to_owned(),
        "/v1/api-keys/".to_owned(),
        "/v1/workspace/x".to_owned(),
        "/v1".to_owned(),
        format!("/v1/api-keys/{user}"),
        format!("/v1/api-keys/{}", KeyId::new()),
        format!("/v1/api-keys/{}", KeyId::new().to_string().to_uppercase()),
        "/v1/api-keys/x".to_owned(),
        "/v1/api-keys/key_00000000000000000000000000".to_owned(),
        format!("/v1/audit-events/{}", KeyId::new()),
        "/v1/audit-events/1".to_owned(),
    ];
    for path in &unknown {
        let found = problem(&console.call("GET", path, Some(&live)).await, 404, "not_found", path);
        assert_eq!(found["errors"], json!([]));
    }
    // Whoever has no key is not told which paths there are.
    problem(&console.call("GET", "/v1/nothing", None).await, 401, "missing_key", "/v1/nothing");
}

#[tokio::test]
async fn methods_bodies_and_fields() {
    let (console, acme) = Console::with_acme().await;
    let (_, live) = console.key(acme.id(), "live").await;
    let (target, _) = console.key(acme.id(), "test").await;
    let one = format!("/v1/api-keys/{target}");
    for (method, path, allowed) in [
        ("POST", "/v1/api-keys", "GET, HEAD"),
        ("DELETE", "/v1/workspace", "GET, HEAD"),
        ("PUT", "/v1/members", "GET, HEAD"),
        ("PATCH", one.as_str(), "GET, DELETE, HEAD"),
        ("OPTIONS", "/v1/audit-events", "GET, HEAD"),
    ] {
        let answer = console.call(method, path, Some(&live)).await;
        problem(&answer, 405, "method_not_allowed", path);
        let all: Vec<_> = answer.headers.get_all("allow").iter().collect();
        assert_eq!((all.len(), answer.header("allow")), (1, allowed), "{method} {path}");
    }
    let send = |size: usize, kind: &'static str| {
        let request = call("DELETE", &one, Some(&live)).header("content-type", kind).body(Body::from(vec![b' '; size]));
        console.send(request.expect("request"))
    };
    problem(&send(256 * 1024 + 1, "application/json").await, 413, "payload_too_large", &one);
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
        problem(&send(1, kind).await, 415, "unsupported_media_type", &one);
    }
    let long = format!("{one}?reason={}", "a".repeat(201));
    let invalid = problem(&console.call("DELETE", &long, Some(&live)).await, 422, "invalid", &long);
    assert_eq!(
        invalid["errors"],
        json!([{ "field": "/reason", "code": "too_long", "message": "At most 200 characters." }])
    );
    assert_eq!(console.call("GET", &one, Some(&live)).await.json()["status"], "active", "none of it revoked the key");
    let fits = format!("{one}?reason={}", "a".repeat(200));
    let request = call("DELETE", &fits, Some(&live))
        .header("content-type", "application/json; charset=utf-8")
        .body(Body::from("{}"));
    assert_eq!(console.send(request.expect("request")).await.json()["status"], "revoked");
}

#[tokio::test]
async fn answers_are_as_agreed() {
    let (console, acme) = Console::with_acme().await;
    let (id, live) = console.key(acme.id(), "live").await;
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<BTreeSet<String>>();
    let set = |names: &str| names.split(", ").map(str::to_owned).collect::<BTreeSet<String>>();
    let workspace = console.call("GET", "/v1/workspace", Some(&live)).await.json();
    assert_eq!(keys(&workspace), set("id, slug, name, key"));
    assert_eq!(
        workspace["key"],
        json!({ "id": id, "kind": "live", "mode": "live", "scopes": ["workspace.read", "members.read", "policies.read", "keys.read", "keys.revoke", "allowlist.read", "audit.read", "audit.export", "retention.read", "notices.read"] })
    );
    let hold = console.legal_hold(&acme, "Matter 12").await.to_string();
    let retention = console.call("GET", "/v1/retention", Some(&live)).await.json();
    assert_eq!(keys(&retention), set("audit_days, max_days, waiting, legal_holds"));
    assert_eq!(keys(&retention["legal_holds"][0]), set("id, name, placed_at, released_at"));
    assert_eq!(
        (&retention["legal_holds"][0]["id"], &retention["legal_holds"][0]["name"]),
        (&json!(hold), &json!("Matter 12"))
    );
    let member = console.call("GET", "/v1/members", Some(&live)).await.json()["data"][0].clone();
    assert_eq!(keys(&member), set("id, user_id, name, email, role, joined_at, factors"));
    let key = console.call("GET", &format!("/v1/api-keys/{id}"), Some(&live)).await.json();
    assert_eq!(
        keys(&key),
        set(
            "id, name, kind, mode, prefix, last4, scopes, created_by, created_at, last_used_at, status, expires_at, revoked_at, reason"
        )
    );
    assert!(key["created_at"].as_str().is_some_and(|time| time.ends_with('Z')));
    assert_eq!(key["last4"], live[live.len() - 4..]);
    let event = console.call("GET", "/v1/audit-events?limit=1", Some(&live)).await.json()["data"][0].clone();
    assert_eq!(
        keys(&event),
        set("seq, id, time, schema, workspace, actor, action, outcome, reason, targets, request, request_id, changes")
    );
    assert_eq!(keys(&event["actor"]), set("kind, id, name, session, role, permission"));
    assert_eq!(event["request"]["address"], "203.0.113.7");
    assert!(!console.call("GET", "/v1/api-keys", Some(&live)).await.text().contains(&live), "no list gives a key away");
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let (console, acme) = Console::with_acme().await;
    let (_, live) = console.key(acme.id(), "live").await;
    for (path, status) in [("/v1/workspace", 200), ("/v1/nothing", 404), ("/v1/api-keys?limit=0", 400)] {
        let mark = console.mark(acme.id()).await;
        let answer = console.call("HEAD", path, Some(&live)).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (status, 0), "{path}");
        let event = console.the_one_event(&mark, path).await;
        assert_eq!(
            (event.request.method.as_str(), event.request_id.to_string().as_str()),
            ("HEAD", answer.header("x-request-id"))
        );
    }
}

#[tokio::test]
async fn revoking_may_be_repeated() {
    let (console, acme) = Console::with_acme().await;
    let (_, live) = console.key(acme.id(), "live").await;
    let (target, secret) = console.key(acme.id(), "live").await;
    assert_eq!(console.call("GET", "/v1/workspace", Some(&secret)).await.status, 200);
    let first = console.call("DELETE", &format!("/v1/api-keys/{target}?reason=leaked"), Some(&live)).await;
    problem(&console.call("GET", "/v1/workspace", Some(&secret)).await, 401, "revoked_key", "/v1/workspace");
    let mark = console.mark(acme.id()).await;
    let again = console.call("DELETE", &format!("/v1/api-keys/{target}?reason=other"), Some(&live)).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (200, 200));
    assert_eq!((&again.json()["reason"], &again.json()["revoked_at"]), (&json!("leaked"), &first.json()["revoked_at"]));
    assert_eq!(console.the_one_event(&mark, "again").await.action, "api.called", "nothing was revoked this time");
    console.nothing_changed(&mark, "again").await;
}

#[tokio::test]
async fn every_list_gives_each_row_once() {
    let (console, acme) = Console::with_acme().await;
    let (_, live) = console.key(acme.id(), "live").await;
    for role in &Role::ALL[1..] {
        console.db.member(&acme, *role).await;
    }
    for _ in 0..6 {
        console.key(acme.id(), "test").await;
    }
    for (path, rows) in [("/v1/members", 6), ("/v1/api-keys", 7)] {
        for limit in [1, 2, 3, rows - 1, rows, rows + 1] {
            let ids = walk(&console, path, limit, &live, "id").await;
            let mut newest_first = ids.clone();
            newest_first.sort_by(|a, b| b.cmp(a));
            newest_first.dedup();
            assert_eq!((ids.len(), &ids), (rows, &newest_first), "{path} by {limit}");
        }
    }
    // Each page is an event of its own, but nothing appears behind a cursor.
    let newest = console.db.events(acme.id()).await.len() + 1;
    let seqs = walk(&console, "/v1/audit-events", 4, &live, "seq").await;
    let expected: Vec<String> = (1..=newest - 1).rev().map(|seq| seq.to_string()).collect();
    assert_eq!(seqs, expected);
    let whole = console.call("GET", "/v1/members", Some(&live)).await.json();
    assert_eq!((whole["data"].as_array().map(Vec::len), &whole["next_cursor"]), (Some(6), &Value::Null));
}

async fn walk(console: &Console, path: &str, limit: usize, key: &str, field: &str) -> Vec<String> {
    let (mut found, mut cursor) = (vec![], String::new());
    loop {
        let page = console.call("GET", &format!("{path}?limit={limit}{cursor}"), Some(key)).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let page = page.json();
        let rows = page["data"].as_array().expect("rows");
        assert!(rows.len() <= limit && !rows.is_empty(), "{path} by {limit}");
        found.extend(rows.iter().map(|row| row[field].to_string().trim_matches('"').to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

#[tokio::test]
async fn filters_of_the_log() {
    let (console, acme) = Console::with_acme().await;
    let (_, live) = console.key(acme.id(), "live").await;
    let (_, test) = console.key(acme.id(), "test").await;
    assert_eq!(console.call("GET", "/v1/members", Some(&test)).await.status, 403);
    let actions = |answer: Answer| {
        let rows = answer.json()["data"].as_array().expect("rows").clone();
        rows.iter().map(|row| row["action"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let mark = console.mark(acme.id()).await;
    let found = console.call("GET", "/v1/audit-events?action=api_key.*", Some(&live)).await;
    let searched = console.the_one_event(&mark, "a search").await;
    assert_eq!(
        (searched.action.as_str(), searched.request_id.to_string().as_str()),
        ("audit_log.searched", found.header("x-request-id"))
    );
    assert_eq!(actions(found), ["api_key.issued", "api_key.issued"]);
    let denied = console.call("GET", "/v1/audit-events?outcome=denied", Some(&live)).await;
    assert_eq!(actions(denied), ["api.called"]);
    let nobody = console.call("GET", "/v1/audit-events?actor=nobody%40example.com", Some(&live)).await;
    assert_eq!(actions(nobody), Vec::<String>::new());
    let later = console.call("GET", "/v1/audit-events?from=2999-01-01", Some(&live)).await;
    assert_eq!(actions(later), Vec::<String>::new());
}

/// The issue's own sentence: every API call, whatever becomes of it, is one event, and the two share an id.
#[tokio::test]
async fn every_call_is_one_event() {
    let (console, acme) = Console::with_acme().await;
    let (live_id, live) = console.key(acme.id(), "live").await;
    let (_, test) = console.key(acme.id(), "test").await;
    let (gone_id, gone) = console.key(acme.id(), "live").await;
    console.call("DELETE", &format!("/v1/api-keys/{gone_id}"), Some(&live)).await;
    let one = format!("/v1/api-keys/{live_id}");
    let paths = [
        "/v1/workspace",
        "/v1/members",
        "/v1/api-keys",
        "/v1/audit-events",
        "/v1/audit-events?outcome=denied",
        "/v1/audit-events?outcome=x",
        "/v1/audit-events?action=api.*&cursor=x",
        "/v1/api-keys?limit=0",
        "/v1/nothing",
        "/v1",
        "/v1/",
        "/v1/api-keys/x",
        "/v1/api-keys/%FF",
        one.as_str(),
        "/v1/workspace?x=1",
    ];
    let mut calls = 0;
    let mut statuses = BTreeSet::new();
    for key in [Some(live.as_str()), Some(test.as_str()), Some(gone.as_str()), Some("x"), None] {
        for method in ["GET", "HEAD", "POST", "PUT", "OPTIONS"] {
            for path in paths {
                let before = console.events_everywhere().await;
                let answer = console.call(method, path, key).await;
                assert_eq!(console.events_everywhere().await, before + 1, "{method} {path} {}", answer.status);
                let newest =
                    "select body::jsonb -> 'request' ->> 'id' from audit_events order by at desc, seq desc limit 1";
                let logged: String =
                    sqlx::query_scalar(newest).fetch_one(&console.db.superuser).await.expect("the newest event");
                assert_eq!(logged, answer.header("x-request-id"), "{method} {path}");
                statuses.insert(answer.status.as_u16());
                calls += 1;
            }
        }
    }
    assert_eq!(calls, 375);
    assert_eq!(statuses, BTreeSet::from([200, 400, 401, 403, 404, 405]));
    let seqs: Vec<i64> = console.db.events(acme.id()).await.iter().map(|event| event.seq).collect();
    assert!(seqs.iter().zip(1..).all(|(seq, n)| *seq == n), "no gap: {seqs:?}");
}

#[tokio::test]
async fn calls_at_once_are_one_event_each() {
    let (console, acme) = Console::with_acme().await;
    let (_, live) = console.key(acme.id(), "live").await;
    let mark = console.mark(acme.id()).await;
    let answers = futures_of(&console, &live, 40).await;
    let ids: BTreeSet<String> = answers.iter().map(|answer| answer.header("x-request-id").to_owned()).collect();
    let logged: Vec<String> = console.since(&mark).await.iter().map(|event| event.request_id.to_string()).collect();
    assert_eq!((logged.len(), ids.len()), (40, 40));
    assert_eq!(logged.into_iter().collect::<BTreeSet<_>>(), ids);
}

async fn futures_of(console: &Console, key: &str, count: usize) -> Vec<Answer> {
    let mut calls: Vec<_> = (0..count).map(|_| Box::pin(console.call("GET", "/v1/workspace", Some(key)))).collect();
    let mut answers = vec![];
    std::future::poll_fn(|context| {
        calls.retain_mut(|call| match call.as_mut().poll(context) {
            std::task::Poll::Ready(answer) => {
                answers.push(answer);
                false
            }
            std::task::Poll::Pending => true,
        });
        if calls.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    answers
}

#[tokio::test]
async fn without_the_log_nothing_is_acknowledged() {
    let (console, acme) = Console::with_acme().await;
    let (_, live) = console.key(acme.id(), "live").await;
    let (target, _) = console.key(acme.id(), "test").await;
    let mut viewer = Browser::member(&console, &acme, Role::Viewer).await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let sessions = "select count(*) from sessions";
    let mark = console.mark(acme.id()).await;
    let there = console.db.number(sessions).await;
    console.run("revoke execute on function append_events from send0_auth").await;
    console.run("revoke execute on function append_event from send0_app").await;
    for (method, path, key) in [
        ("GET", "/v1/workspace", Some(live.as_str())),
        ("GET", "/v1/audit-events?outcome=denied", Some(live.as_str())),
        ("GET", "/v1/nothing", Some(live.as_str())),
        ("GET", "/v1/api-keys?limit=0", Some(live.as_str())),
        ("GET", "/v1/workspace", None),
        ("DELETE", &format!("/v1/api-keys/{target}"), Some(live.as_str())),
    ] {
        let answer = console.call(method, path, key).await;
        problem(&answer, 503, "unavailable", path);
        assert_eq!(answer.header("retry-after"), "5", "{path}");
        assert!(!answer.text().contains("Acme"), "{path}");
    }
    let refused_page = viewer.get(&console, "/w/acme/audit-log").await;
    assert_eq!(refused_page.status, 503);
    assert!(
        refused_page.text().contains("Not right now")
            && refused_page.text().contains(refused_page.header("x-request-id"))
    );
    let form = [("_back", "/w/acme/api-keys/new"), ("workspace", "acme"), ("name", "CI"), ("kind", "live")];
    assert_eq!(owner.post_json(&console, "issue_key", &form).await.status, 503);
    assert_eq!(owner.post(&console, "issue_key", &form).await.location(), "/w/acme/api-keys/new");
    assert!(
        owner
            .get(&console, "/w/acme/api-keys/new")
            .await
            .text()
            .contains("The service cannot do this right now. Look whether it was done")
    );
    let mut late = Browser::default();
    assert_eq!(
        late.sign_in(&console, "owner@acme.example", send0_core::testing::PASSWORD).await.location(),
        "/sign-in"
    );
    assert_eq!((late.session(), console.db.number(sessions).await), ("", there), "no session without its event");
    assert_eq!(console.send(cross_site()).await.status, 503, "not even a refusal");
    assert_eq!(console.events_everywhere().await, mark.everywhere());
    console.nothing_changed(&mark, "a console without a log").await;
    console.run("grant execute on function append_events to send0_auth").await;
    console.run("grant execute on function append_event to send0_app").await;
    let answer = console.call("DELETE", &format!("/v1/api-keys/{target}"), Some(&live)).await;
    assert_eq!(answer.json()["status"], "revoked", "and it recovers by itself");
    assert_eq!(console.the_one_event(&mark, "after").await.outcome, Outcome::Success);
}

fn cross_site() -> axum::http::Request<Body> {
    let request = call("POST", crate::harness::function("sign_out"), None).header("sec-fetch-site", "cross-site");
    request.body(Body::empty()).expect("request")
}
