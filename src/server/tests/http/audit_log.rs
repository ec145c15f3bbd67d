//! The log over HTTP: its search on the page and on the API, an event's own page, views, and new events as they come.

use crate::harness::{Browser, Console};
use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use http_body_util::BodyExt;
use send0_core::{
    audit_log::{Action, Event, Outcome},
    permissions::Role,
    testing::{Tenant, request},
};

async fn noted(console: &Console, acme: &Tenant, times: usize) {
    let actor = send0_core::Actor::cli(acme.id(), request());
    for _ in 0..times {
        console.db.ctx.log_call(&actor, Event::new(Action::PageViewed)).await.expect("logged");
    }
}

#[tokio::test]
async fn the_api_takes_a_query_and_says_where_it_cannot_be_read() {
    let (console, acme) = Console::with_acme().await;
    let (id, live) = console.key(acme.id(), "live").await;
    let search = async |q: &str| {
        let q: String = form_urlencoded::byte_serialize(q.as_bytes()).collect();
        console.call("GET", &format!("/v1/audit-events?q={q}"), Some(&live)).await
    };
    let found = search(&format!("target:{id} action:api_key.*")).await.json();
    assert_eq!(found["data"].as_array().expect("data").len(), 1, "{found}");
    assert_eq!(found["data"][0]["action"], "api_key.issued");
    let event = console.db.events(acme.id()).await.pop().expect("event");
    assert_eq!((event.action.as_str(), event.changes[0].field.as_str()), ("audit_log.searched", "q"));
    assert_eq!(event.changes[0].after, format!("target:{id} action:api_key.*"));

    let wrong = search("source:api outcome:maybe colour:red").await;
    assert_eq!(wrong.status, 400);
    let errors = wrong.json()["errors"].clone();
    assert_eq!((&errors[0]["field"], &errors[0]["code"]), (&"q".into(), &"unreadable".into()));
    assert_eq!(errors[0]["message"], "Column 20: One of success, denied, failed stands here.");
    assert!(errors[1]["message"].as_str().expect("text").starts_with("Column 26: There is no key colour."), "{errors}");

    let both = console.call("GET", "/v1/audit-events?outcome=success&q=-source%3Acli", Some(&live)).await.json();
    let kinds = both["data"].as_array().expect("data").iter().map(|event| &event["actor"]["kind"]);
    assert!(kinds.clone().count() > 0 && kinds.clone().all(|kind| kind == "api_key"), "{both}");
}

#[tokio::test]
async fn the_schema_of_an_event_is_public_and_what_the_api_answers_with_is_of_it() {
    let (console, acme) = Console::with_acme().await;
    let (_, live) = console.key(acme.id(), "live").await;
    let published = console.call("GET", "/v1/audit-events/schema.json", None).await;
    assert_eq!((published.status, published.header("content-type")), (StatusCode::OK, "application/schema+json"));
    let schema = jsonschema::validator_for(&published.json()).expect("a schema");
    console.call("DELETE", "/v1/api-keys/key_0000000000000000000000000z", Some(&live)).await;
    let list = console.call("GET", "/v1/audit-events", Some(&live)).await.json();
    let events = list["data"].as_array().expect("data");
    assert!(events.len() > 3, "{list}");
    for event in events {
        let errors: Vec<String> = schema.iter_errors(event).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0], "{event}");
    }
}

#[tokio::test]
async fn the_page_searches_counts_and_marks_what_it_cannot_read() {
    let (console, acme) = Console::with_acme().await;
    console.key(acme.id(), "live").await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let page = owner.get(&console, "/w/acme/audit-log").await.text();
    assert!(page.contains("4 events, without a gap"), "{page}");
    assert!(page.contains("q=action%3Aapi_key.*") && page.contains("q=source%3Acli"), "facets are links: {page}");
    assert!(page.contains("These events over time") && page.contains("q=after%3A20"), "bars are links");

    let found = owner.get(&console, "/w/acme/audit-log?q=api_key.issued+-outcome%3Adenied").await.text();
    assert!(found.contains("issued API key") && !found.contains("created workspace"), "{found}");
    assert!(found.contains(r#"value="api_key.issued -outcome:denied""#), "the box has what was asked");
    let old = owner.get(&console, "/w/acme/audit-log?actor=cli&action=member.*").await.text();
    assert!(old.contains(r#"value="actor:cli action:member.*""#), "what older links say is in the box: {old}");
    assert!(old.contains("added member") && !old.contains("issued API key"));

    let before = console.db.events(acme.id()).await.len();
    let wrong = owner.get(&console, "/w/acme/audit-log?q=outcome%3Amaybe").await.text();
    assert!(wrong.contains("created workspace"), "{wrong}");
    assert_eq!(console.db.events(acme.id()).await.len(), before, "what cannot be read is no search");
}

#[tokio::test]
async fn what_cannot_be_read_of_a_filter_is_left_out_and_the_rest_of_it_holds() {
    let (console, acme) = Console::with_acme().await;
    let (_, key) = console.key(acme.id(), "live").await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let (is_found, is_not) = ("issued API key", "created workspace");
    let found = owner.get(&console, "/w/acme/audit-log?q=action%3Aapi_key.*").await.text();
    assert!(found.contains(is_found) && !found.contains(is_not), "{found}");

    let wrong = owner.get(&console, "/w/acme/audit-log?q=action%3Aapi_key.*+outcome%3Amaybe").await.text();
    assert!(wrong.contains("action:api_key.* outcome:<mark>maybe</mark>"), "{wrong}");
    assert!(wrong.contains("Column 26: One of success, denied, failed stands here.") && wrong.contains("left out"));
    assert!(wrong.contains(is_found) && !wrong.contains(is_not), "the rows stay: {wrong}");
    let event = console.db.events(acme.id()).await.pop().expect("event");
    assert_eq!((event.action.as_str(), &event.changes[0].after), ("audit_log.searched", &"action:api_key.*".into()));

    // Parameters and times hold beside a query that cannot be read, and the other way round.
    for query in ["action=api_key.*&q=colour%3Ared", "q=action%3Aapi_key.*&from=yesterday&outcome=maybe"] {
        let page = owner.get(&console, &format!("/w/acme/audit-log?{query}")).await.text();
        assert!(page.contains(is_found) && !page.contains(is_not) && page.contains("left out"), "{query}: {page}");
    }
    let page = owner.get(&console, "/w/acme/audit-log?to=2020-01-01&q=colour%3Ared").await.text();
    assert!(page.contains("No events match"), "{page}");

    let refused = console.call("GET", "/v1/audit-events?q=action%3Aapi_key.*+outcome%3Amaybe", Some(&key)).await;
    assert_eq!((refused.status, &refused.json()["errors"][0]["field"]), (StatusCode::BAD_REQUEST, &"q".into()));
}

#[tokio::test]
async fn an_event_leads_to_its_neighbours_its_history_and_its_key() {
    let (console, acme) = Console::with_acme().await;
    let (id, live) = console.key(acme.id(), "live").await;
    console.call("GET", "/v1/workspace", Some(&live)).await;
    console.call("DELETE", &format!("/v1/api-keys/{id}?reason=over"), Some(&live)).await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let events = console.db.events(acme.id()).await;
    let [issued, called, revoked] = ["api_key.issued", "api.called", "api_key.revoked"]
        .map(|action| events.iter().find(|e| e.action == action).expect(action));
    let page = owner.get(&console, &format!("/w/acme/audit-log/{}", called.id)).await.text();
    for (rel, event) in [("prev", issued), ("next", revoked)] {
        assert!(page.contains(&format!(r#"<a href="/w/acme/audit-log/{}" rel="{rel}""#, event.id)), "{rel}: {page}");
    }
    assert!(page.contains(&format!(r#"href="/w/acme/api-keys/{id}""#)), "the key that called: {page}");
    let page = owner.get(&console, &format!("/w/acme/audit-log/{}", issued.id)).await.text();
    assert!(page.contains("History of api key") && page.contains(&format!("q=target%3A{id}")), "{page}");
    assert!(page.contains(&format!(r#"href="/w/acme/audit-log/{}""#, revoked.id)), "what else happened to it");
}

#[tokio::test]
async fn a_view_is_saved_opens_the_log_and_goes() {
    let (console, acme) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let page = owner.get(&console, "/w/acme/audit-log?q=outcome%3Adenied").await.text();
    assert!(page.contains("Save this search as a view"), "{page}");
    let back = "/w/acme/audit-log?q=outcome%3Adenied";
    let common = [("_back", back), ("workspace", "acme"), ("query", "outcome:denied")];
    let refused = owner.post(&console, "save_view", &[&common[..], &[("name", " ")]].concat()).await;
    assert_eq!(refused.location(), back);
    assert!(owner.get(&console, back).await.text().contains("Name is needed."));
    let saved =
        owner.post(&console, "save_view", &[&common[..], &[("name", "Refusals"), ("opens", "true")]].concat()).await;
    assert_eq!(saved.location(), back, "its result is the search itself");
    let page = owner.get(&console, back).await.text();
    assert!(page.contains("The view Refusals is saved.") && page.contains("Rename or remove this view"), "{page}");

    let opened = owner.get(&console, "/w/acme/audit-log").await;
    assert_eq!((opened.status, opened.location()), (StatusCode::FOUND, back));
    let all = owner.get(&console, "/w/acme/audit-log?q=").await;
    assert!(all.status == 200 && all.text().contains("without a gap"), "everything is still there");
    let mut other = Browser::member(&console, &acme, Role::Security).await;
    assert_eq!(other.get(&console, "/w/acme/audit-log").await.status, 200, "another's view is not theirs");

    let views = send0_core::audit_log::views::list(&console.db.ctx, &acme.actor(Role::Owner), Action::PageViewed).await;
    let id = views.expect("views")[0].id.to_string();
    let path = format!("/w/acme/audit-log/views/{id}");
    assert_eq!(other.get(&console, &path).await.status, 404);
    assert!(owner.get(&console, &path).await.text().contains("Yours alone."));
    owner.post(&console, "remove_view", &[("_back", &path), ("workspace", "acme"), ("id", &id)]).await;
    assert_eq!(owner.get(&console, &path).await.status, 404);
    assert_eq!(owner.get(&console, "/w/acme/audit-log").await.status, 200);
}

// New events as they come ------------------------------------------------------------------------------------------

const TAIL: &str = "/w/acme/audit-log/tail";

async fn open(console: &Console, browser: &Browser, query: &str) -> (StatusCode, Body) {
    let request = Request::builder().uri(format!("{TAIL}?{query}")).header("cookie", browser.cookie_header());
    console.begin(request.body(Body::empty()).expect("request")).await
}

/// The next thing that the stream says; `None` when it is over.
async fn said(body: &mut Body) -> Option<String> {
    loop {
        let frame = body.frame().await?.expect("a frame").into_data().ok()?;
        let text = String::from_utf8_lossy(&frame).trim().to_owned();
        // A comment keeps the connection open and says nothing.
        if !text.starts_with(':') {
            return Some(text);
        }
    }
}

#[tokio::test]
async fn new_events_are_counted_under_the_filter() {
    let (console, acme) = Console::with_acme().await;
    let owner = Browser::signed_in(&console, "owner@acme.example").await;
    let newest = console.db.seq(acme.id()).await;
    let (status, mut all) = open(&console, &owner, &format!("after={newest}")).await;
    assert_eq!(status, 200);
    noted(&console, &acme, 1).await;
    let (_, mut filtered) =
        open(&console, &owner, &format!("after={newest}&q=action%3Apage.*+outcome%3Asuccess")).await;
    assert_eq!(said(&mut filtered).await.as_deref(), Some("data: 1 new event"));
    noted(&console, &acme, 2).await;
    assert_eq!(said(&mut filtered).await.as_deref(), Some("data: 3 new events"));
    // The search that the second stream is, is an event too, but no news to whoever opened it.
    while said(&mut all).await.as_deref() != Some("data: 3 new events") {}
    let searched = console.db.count(acme.id(), Action::AuditLogSearched).await;
    assert_eq!(searched, 1, "once, however long somebody watches");
}

#[tokio::test]
async fn a_stream_does_not_count_itself_nor_the_pages_of_its_reader() {
    let (console, acme) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    for q in ["-source%3Aapi", "source%3Aconsole", "actor%3Aowner%40acme.example", "searched"] {
        let newest = console.db.seq(acme.id()).await;
        let query = format!("after={newest}&q={q}");
        // The page, the stream, and the stream again after it broke off.
        owner.get(&console, &format!("/w/acme/audit-log?q={q}&live=1")).await;
        drop(open(&console, &owner, &query).await);
        let (status, mut body) = open(&console, &owner, &query).await;
        assert_eq!((status, console.db.seq(acme.id()).await), (StatusCode::OK, newest + 3), "{q}");
        // Somebody else reads: that is news.
        let mut other = Browser::signed_in(&console, "owner@acme.example").await;
        other.get(&console, &format!("/w/acme/audit-log?q={q}")).await;
        let count = loop {
            let text = said(&mut body).await.expect("a count");
            if !text.contains("data: 1 new event") || q == "searched" {
                break text;
            }
        };
        let news = if q == "searched" { "data: 1 new event" } else { "data: 2 new events" };
        assert_eq!(count, news, "{q}: the sign-in and the search of the other session, and nothing of one's own");
    }
}

#[tokio::test]
async fn a_stream_ends_with_the_session_with_the_right_and_with_the_server() {
    let (console, acme) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let (_, mut body) = open(&console, &owner, "after=0").await;
    assert!(said(&mut body).await.expect("a count").starts_with("data: "));
    owner.post(&console, "sign_out", &[("_back", "/")]).await;
    let last = loop {
        let text = said(&mut body).await.expect("it says why");
        if text.contains("event: end") {
            break text;
        }
    };
    assert!(last.contains("no longer counted"), "{last}");
    assert_eq!(said(&mut body).await, None, "that was the end");
    assert_eq!(open(&console, &owner, "after=0").await.0, 401);

    let security = Browser::member(&console, &acme, Role::Security).await;
    let (_, mut body) = open(&console, &security, "after=0").await;
    assert!(said(&mut body).await.expect("a count").starts_with("data: "));
    let update = "update members set role = 'viewer' where role = 'security'";
    sqlx::query(update).execute(&console.db.superuser).await.expect("demoted");
    while !said(&mut body).await.expect("it says why").contains("event: end") {}
    assert_eq!(said(&mut body).await, None);
    let denied = console.db.events(acme.id()).await.into_iter().filter(|e| e.outcome == Outcome::Denied).count();
    assert_eq!(denied, 1, "one refusal is written down, and then the stream is over");

    let owner = Browser::signed_in(&console, "owner@acme.example").await;
    let (_, mut body) = open(&console, &owner, "after=0").await;
    said(&mut body).await.expect("a count");
    console.stop.cancel();
    while said(&mut body).await.is_some() {}
}

#[tokio::test]
async fn a_session_opens_no_more_streams_than_a_few_and_others_none() {
    let (console, acme) = Console::with_acme().await;
    let owner = Browser::signed_in(&console, "owner@acme.example").await;
    let mut bodies = vec![];
    for _ in 0..4 {
        let (status, body) = open(&console, &owner, "after=0").await;
        assert_eq!(status, 200);
        bodies.push(body);
    }
    let before = console.db.seq(acme.id()).await;
    assert_eq!(open(&console, &owner, "after=0&q=source%3Aapi").await.0, 429);
    assert_eq!(console.db.seq(acme.id()).await, before, "who gets no place has not searched");
    bodies.pop();
    assert_eq!(open(&console, &owner, "after=0").await.0, 200, "one was closed");

    assert_eq!(open(&console, &Browser::default(), "after=0").await.0, 401);
    assert_eq!(open(&console, &owner, "after=0&q=outcome%3Amaybe").await.0, 400);
    for role in [Role::Developer, Role::Billing, Role::Viewer] {
        let browser = Browser::member(&console, &acme, role).await;
        let before = console.db.events(acme.id()).await.len();
        assert_eq!(open(&console, &browser, "after=0").await.0, 403, "{role}");
        assert_eq!(console.db.events(acme.id()).await.len(), before + 1, "{role}: the refusal is an event");
    }
    console.db.workspace("Other").await;
    let stranger = Browser::signed_in(&console, "owner@other.example").await;
    assert_eq!(open(&console, &stranger, "after=0").await.0, 404);
}
