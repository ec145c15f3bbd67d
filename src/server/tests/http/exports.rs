//! Exports of the log over HTTP: streamed to programs, and as files to people.

use crate::harness::{Browser, Console, ORIGIN, call};
use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use send0_core::{
    Actor,
    audit_log::{Action, Event, Format, Outcome, exports},
    permissions::Role,
    testing::{Tenant, request},
};
use serde_json::Value;
use std::time::Duration;

/// So many events of a program, gathered into few commits.
async fn fill(console: &Console, acme: &Tenant, count: usize) {
    let actor = Actor::cli(acme.id(), request());
    let calls: Vec<_> = (0..count).map(|_| console.db.ctx.log_call(&actor, Event::new(Action::ApiCalled))).collect();
    futures_all(calls).await;
}

async fn futures_all(calls: Vec<impl Future<Output = Result<(), send0_core::AppError>>>) {
    let mut calls: Vec<_> = calls.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|context| {
        calls.retain_mut(|call| match call.as_mut().poll(context) {
            std::task::Poll::Ready(done) => {
                done.expect("logged");
                false
            }
            std::task::Poll::Pending => true,
        });
        if calls.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[tokio::test]
async fn every_format_is_a_stream_with_its_type_and_one_event() {
    let (console, acme) = Console::with_acme().await;
    let (id, key) = console.key(acme.id(), "audit.export").await;
    for (format, kind, ending) in [
        ("", "application/x-ndjson", "ndjson"),
        ("ndjson", "application/x-ndjson", "ndjson"),
        ("csv", "text/csv; charset=utf-8; header=present", "csv"),
        ("ocsf", "application/x-ndjson", "ocsf.ndjson"),
        ("ecs", "application/x-ndjson", "ecs.ndjson"),
        ("cef", "text/plain; charset=utf-8", "cef"),
    ] {
        let mark = console.mark(acme.id()).await;
        let seq = console.db.seq(acme.id()).await;
        let path = if format.is_empty() {
            "/v1/audit-log/export".into()
        } else {
            format!("/v1/audit-log/export?format={format}")
        };
        let answer = console.call("GET", &path, Some(&key)).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, kind), "{path}");
        assert_eq!(answer.header("content-disposition"), format!("attachment; filename=\"audit-log.{ending}\""));
        assert_eq!((answer.header("cache-control"), answer.header("content-length")), ("no-store", ""), "{path}");
        let extra = i64::from(matches!(format, "" | "ndjson" | "csv"));
        assert_eq!(answer.text().lines().count() as i64, seq + extra, "{path}");
        let event = console.the_one_event(&mark, &path).await;
        assert_eq!(
            (event.action.as_str(), event.actor.id.clone(), event.outcome),
            ("audit_log.exported", id.to_string(), Outcome::Success)
        );
        assert_eq!(event.request_id.to_string(), answer.header("x-request-id"));
    }
}

#[tokio::test]
async fn an_export_goes_on_after_its_cursor_and_narrows_by_the_filters_of_the_list() {
    let (console, acme) = Console::with_acme().await;
    let (_, key) = console.key(acme.id(), "audit.export").await;
    fill(&console, &acme, 20).await;
    let lines = async |query: &str| {
        let answer = console.call("GET", &format!("/v1/audit-log/export?{query}"), Some(&key)).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        let mut lines: Vec<Value> =
            answer.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        (lines.pop().expect("a receipt")["receipt"].take(), lines)
    };
    // The receipt is that of the whole file, whose first part the caller has.
    let (receipt, rest) = lines("cursor=10").await;
    assert_eq!((rest[0]["seq"].as_i64(), receipt["first"].as_i64()), (Some(11), Some(1)));
    assert_eq!(
        (receipt["count"].as_i64(), receipt["last"].as_i64()),
        (Some(rest.len() as i64 + 10), receipt["count"].as_i64())
    );
    assert_eq!(receipt["from_prefix"], serde_json::json!([]));
    let (receipt, rest) = lines("actor=cli&cursor=10").await;
    assert_eq!((rest[0]["seq"].as_i64(), receipt["first"].as_i64()), (Some(11), Some(11)), "a file of its own");
    assert_eq!(receipt["count"].as_i64(), Some(rest.len() as i64));
    let (receipt, found) = lines("actor=cli&action=api.called&outcome=success&from=2020-01-01").await;
    assert_eq!((found.len(), receipt["count"].as_i64()), (20, Some(20)));
    assert_eq!(receipt["query"], "actor:cli action:api.called outcome:success");
    assert!(receipt["from_prefix"].is_null() && receipt["to_suffix"].is_null());
    let note = receipt["checkpoint"].as_str().expect("a checkpoint");
    assert!(note.starts_with(&format!("send0.dev/audit-log/{}\n", acme.id())), "{note}");
    assert!(found.iter().all(|line| line["leaf"].is_string() && line["proof"].is_array()), "each has its proof");
    let (receipt, none) = lines("to=2020-01-01").await;
    assert!(none.is_empty() && receipt["first"].is_null() && receipt["checkpoint"].is_null());
}

/// The first bytes come while most of the log has not been read yet, compressed or not.
#[tokio::test]
async fn nothing_is_gathered_before_it_is_sent() {
    let (console, acme) = Console::with_acme().await;
    let (_, key) = console.key(acme.id(), "audit.export").await;
    fill(&console, &acme, 9_000).await;
    for coding in ["identity", "gzip", "br"] {
        let request = call("GET", "/v1/audit-log/export", Some(&key)).header("accept-encoding", coding);
        let answer = console.open(request.body(Body::empty()).expect("request")).await;
        assert_eq!(answer.status(), 200);
        let sent = answer.headers().get("content-encoding").map_or("identity", |value| value.to_str().expect("text"));
        assert_eq!(sent, coding);
        let mut body = answer.into_body();
        let first = body.frame().await.expect("a frame").expect("no error").into_data().expect("data");
        assert!(!first.is_empty());
        // What has not been read by now cannot be read any more.
        console.run("revoke select on audit_events from send0_auditor").await;
        let rest = rest_of(body).await;
        assert!(rest.is_err(), "{coding}: the whole log had been read before the first byte was sent");
        console.run("grant select on audit_events to send0_auditor").await;
    }
}

async fn rest_of(mut body: Body) -> Result<Vec<Bytes>, axum::Error> {
    let mut rest = vec![];
    while let Some(frame) = body.frame().await {
        rest.extend(frame?.into_data());
    }
    Ok(rest)
}

#[tokio::test]
async fn a_file_is_asked_for_written_and_fetched() {
    let (console, acme) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let page = owner.get(&console, "/w/acme/audit-log/exports?outcome=denied").await.text();
    assert!(page.contains("name=\"q\" value=\"outcome:denied\""), "the filter of the list is that of the export");
    let back = [("_back", "/w/acme/audit-log/exports"), ("workspace", "acme"), ("format", "csv")];
    let answer = owner.post(&console, "start_export", &back).await;
    assert_eq!(answer.location(), "/w/acme/audit-log/exports");
    let page = owner.get(&console, "/w/acme/audit-log/exports").await.text();
    assert!(page.contains("An export is being written") && page.contains("<progress"), "{page}");
    let again = owner.post(&console, "start_export", &back).await;
    assert_eq!(again.location(), "/w/acme/audit-log/exports");
    assert!(exports::work(&console.db.ctx).await.expect("written"));
    let export = exports::list(&console.db.ctx, &acme.actor(Role::Owner)).await.expect("a list").remove(0);
    let page = owner.get(&console, "/w/acme/audit-log/exports").await.text();
    let hash = export.sha256.clone().expect("a hash");
    assert!(page.contains(&hash) && page.contains("Root of the tree") && page.contains("every one from #1"), "{page}");

    let mark = console.mark(acme.id()).await;
    let file = fetch(&mut owner, &console, &export.id.to_string(), ORIGIN).await;
    assert_eq!((file.status.as_u16(), file.header("content-type")), (200, Format::Csv.media_type()));
    assert!(file.header("content-disposition").starts_with("attachment; filename=\"audit-log-1-"));
    assert_eq!(file.body.len() as i64, export.bytes);
    let event = console.the_one_event(&mark, "a download").await;
    assert_eq!((event.action.as_str(), event.request.path.contains("/file")), ("audit_log.export_downloaded", true));
}

async fn fetch(browser: &mut Browser, console: &Console, id: &str, origin: &str) -> crate::harness::Answer {
    let request = axum::http::Request::builder()
        .method("POST")
        .uri(format!("/w/acme/audit-log/exports/{id}/file"))
        .header("cookie", browser.cookie_header())
        .header("accept", "text/html")
        .header("origin", origin);
    console.send(request.body(Body::empty()).expect("request")).await
}

#[tokio::test]
async fn a_file_is_for_who_may_export_and_comes_from_our_own_page() {
    let (console, acme) = Console::with_acme().await;
    let id = console.export(&acme).await;
    exports::work(&console.db.ctx).await.expect("written");
    let other = console.db.workspace("Other").await;
    let foreign = console.export(&other).await.to_string();
    let id = id.to_string();
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let mut viewer = Browser::member(&console, &acme, Role::Viewer).await;
    let mut stranger = Browser::signed_in(&console, "owner@other.example").await;
    let mut nobody = Browser::default();
    assert_eq!(fetch(&mut owner, &console, &id, ORIGIN).await.status, 200);
    let mark = console.mark(acme.id()).await;
    assert_eq!(fetch(&mut viewer, &console, &id, ORIGIN).await.status, 403);
    let refused = console.the_one_event(&mark, "a viewer").await;
    assert_eq!((refused.action.as_str(), refused.outcome), ("audit_log.export_downloaded", Outcome::Denied));
    assert_eq!(fetch(&mut stranger, &console, &id, ORIGIN).await.status, 404);
    assert_eq!(fetch(&mut nobody, &console, &id, ORIGIN).await.location(), "/sign-in");
    assert_eq!(fetch(&mut owner, &console, &id, "https://evil.example").await.status, 403);
    assert_eq!(fetch(&mut owner, &console, &foreign, ORIGIN).await.status, 404);
    assert_eq!(fetch(&mut owner, &console, "exp_x", ORIGIN).await.status, 404);
    console.db.ctx.clock.advance(time::Duration::hours(25));
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    assert_eq!(fetch(&mut owner, &console, &id, ORIGIN).await.location(), "/w/acme/audit-log/exports");
    let page = owner.get(&console, "/w/acme/audit-log/exports").await.text();
    assert!(page.contains("data-ended=\"The export is done. Its file has expired.\""), "{page}");
}

/// An answer begins within the time that a proxy waits for it, however much there is.
#[tokio::test]
async fn who_goes_away_stops_the_export() {
    let (console, acme) = Console::with_acme().await;
    let (_, key) = console.key(acme.id(), "audit.export").await;
    fill(&console, &acme, 6_000).await;
    let request = call("GET", "/v1/audit-log/export", Some(&key)).body(Body::empty()).expect("request");
    let mut body = console.open(request).await.into_body();
    body.frame().await.expect("a frame").expect("no error");
    drop(body);
    tokio::time::timeout(Duration::from_secs(20), console.db.ctx.db.close()).await.expect("nothing is read any more");
}

/// As an island asks for it, again and again.
#[tokio::test]
async fn how_far_an_export_is_stands_in_its_page_and_to_look_is_no_event() {
    const PAGE: &str = "/w/acme/audit-log/exports";
    let (console, acme) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    owner.post(&console, "start_export", &[("_back", PAGE), ("workspace", "acme"), ("format", "csv")]).await;
    let mark = console.mark(acme.id()).await;
    let fetched = owner.get_with(&console, PAGE, &[("accept", "*/*")]).await.text();
    let id = exports::list(&console.db.ctx, &acme.actor(Role::Owner)).await.expect("a list").remove(0).id;
    let here = format!("data-export=\"{id}\"");
    assert!(fetched.contains(&here) && fetched.contains("<progress") && fetched.contains(">Refresh</a>"), "{fetched}");
    let shown = owner.get(&console, PAGE).await.text();
    assert!(shown.contains("You can leave this page."), "what is said once was not taken by the other: {shown}");
    assert_eq!(console.since(&mark).await.len(), 0);
    exports::work(&console.db.ctx).await.expect("written");
    let fetched = owner.get_with(&console, PAGE, &[("accept", "*/*")]).await.text();
    let ended = format!("{here} data-ended=\"The export is done. Its file can be downloaded.\"");
    assert!(fetched.contains(&ended) && !fetched.contains("<progress"), "{fetched}");

    let unreadable = owner.get(&console, &format!("{PAGE}?q=outcome%3Amaybe")).await.text();
    let is_offered = unreadable.contains("/start_export");
    assert!(unreadable.contains("could not be read") && !is_offered, "a file would hold more than was asked for");
    let typed = "href=\"/w/acme/audit-log?q=outcome%3Amaybe\"";
    assert!(unreadable.contains(typed), "it is corrected where it was typed: {unreadable}");
}
