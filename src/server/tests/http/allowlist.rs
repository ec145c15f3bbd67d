//! Allowlists over HTTP: who is kept out, by which address, and the pages on which somebody decides that.

use crate::harness::{Answer, Browser, Console, HERE, call, route};
use axum::body::Body;
use send0_core::{
    allowlist::Door,
    audit_log::{Action, Outcome},
    permissions::Role,
    testing::Tenant,
};
use send0_server::rest;

const ELSEWHERE: [u8; 4] = [198, 51, 100, 9];
const PROXY: [u8; 4] = [10, 0, 0, 1];

/// A console whose workspace lets 203.0.113.0/24 in, and nobody else.
async fn guarded(door: Door) -> (Console, Tenant) {
    let (console, acme) = Console::with_acme().await;
    // Where an owner was seen decides whether a list may be saved.
    Browser::signed_in(&console, "owner@acme.example").await;
    console.entry(&acme, door, "203.0.113.0/24").await;
    console.save(&acme, door).await;
    (console, acme)
}

async fn knock(console: &Console, peer: [u8; 4], key: &str, method: &str, path: &str, forwarded: &[&str]) -> Answer {
    let mut request = call(method, path, Some(key));
    for value in forwarded {
        request = request.header("x-forwarded-for", *value);
    }
    console.send_from(peer, request.body(Body::empty()).expect("request")).await
}

#[tokio::test]
async fn a_blocked_call_says_so_on_every_route_and_is_one_event() {
    let (console, acme) = guarded(Door::Api).await;
    let (id, key) = console.key(acme.id(), "live").await;
    for (method, path) in rest::scoped_routes() {
        let mark = console.mark(acme.id()).await;
        let path = route(path, id);
        let answer = knock(&console, ELSEWHERE, &key, method, &path, &[]).await;
        let problem = answer.json();
        assert_eq!((answer.status.as_u16(), &problem["code"]), (403, &"blocked_by_ip".into()), "{method} {path}");
        assert_eq!(problem["type"], "https://send0.dev/problems/blocked_by_ip");
        assert!(problem["detail"].as_str().is_some_and(|text| text.contains("198.51.100.9")), "{problem}");
        let event = console.the_one_event(&mark, &path).await;
        assert_eq!(
            (event.action.as_str(), event.outcome, event.reason.as_deref(), event.request.address.as_deref()),
            ("api.called", Outcome::Denied, Some("blocked_by_ip"), Some("198.51.100.9"))
        );
        assert_eq!(event.actor.id, id.to_string(), "whose key it was is known");
        console.nothing_changed(&mark, &path).await;
    }
    let unknown = knock(&console, ELSEWHERE, &key, "GET", "/v1/nothing", &[]).await;
    assert_eq!(unknown.status, 403, "what there is, is not said outside");
    assert_eq!(knock(&console, HERE, &key, "GET", "/v1/workspace", &[]).await.status, 200);
}

#[tokio::test]
async fn headers_let_nobody_in_but_what_a_trusted_proxy_adds() {
    let (console, acme) = guarded(Door::Api).await;
    let (_, key) = console.key(acme.id(), "live").await;
    for (peer, forwarded, let_in, address) in [
        (HERE, &[][..], true, "203.0.113.7"),
        (HERE, &["198.51.100.9"], true, "203.0.113.7"),
        (ELSEWHERE, &["203.0.113.7"], false, "198.51.100.9"),
        (ELSEWHERE, &["203.0.113.7", "203.0.113.7, 10.0.0.1"], false, "198.51.100.9"),
        (PROXY, &["203.0.113.7"], true, "203.0.113.7"),
        (PROXY, &["[::ffff:203.0.113.7]:4242"], true, "203.0.113.7"),
        (PROXY, &["198.51.100.9, 203.0.113.7"], true, "203.0.113.7"),
        (PROXY, &["203.0.113.7, 198.51.100.9"], false, "198.51.100.9"),
        (PROXY, &["203.0.113.7", "198.51.100.9"], false, "198.51.100.9"),
        (PROXY, &["203.0.113.7, 198.51.100.9, 10.9.9.9"], false, "198.51.100.9"),
        (PROXY, &["203.0.113.7, a"], false, "10.0.0.1"),
        (PROXY, &["203.0.113.7,"], false, "10.0.0.1"),
        (PROXY, &["a"], false, "10.0.0.1"),
        (PROXY, &[], false, "10.0.0.1"),
    ] {
        let mark = console.mark(acme.id()).await;
        let answer = knock(&console, peer, &key, "GET", "/v1/workspace", forwarded).await;
        assert_eq!(answer.status == 200, let_in, "{peer:?} {forwarded:?}: {}", answer.text());
        let event = console.the_one_event(&mark, "a call").await;
        assert_eq!(
            event.request.address.as_deref(),
            Some(address),
            "{peer:?} {forwarded:?}: the log knows the same address"
        );
    }
    for name in ["x-real-ip", "forwarded", "cf-connecting-ip"] {
        let request = call("GET", "/v1/workspace", Some(&key)).header(name, "203.0.113.7");
        let answer = console.send_from(PROXY, request.body(Body::empty()).expect("request")).await;
        assert_eq!(answer.status, 403, "{name}");
    }
}

#[tokio::test]
async fn a_session_is_cut_off_with_its_next_request() {
    let (console, acme) = Console::with_acme().await;
    Browser::signed_in(&console, "owner@acme.example").await;
    let mut admin = Browser::member(&console, &acme, Role::Admin).await;
    admin.peer = Some(ELSEWHERE);
    assert_eq!(admin.get(&console, "/w/acme").await.status, 200);
    console.entry(&acme, Door::Dashboard, "203.0.113.0/24").await;
    console.save(&acme, Door::Dashboard).await;

    for path in ["/w/acme", "/w/acme/api-keys", "/w/acme/audit-log", "/w/acme/allowlist"] {
        let mark = console.mark(acme.id()).await;
        let page = admin.get(&console, path).await;
        assert_eq!(page.status, 403, "{path}");
        let text = page.text();
        for said in ["blocked_by_ip", "198.51.100.9", "This address is not let in", page.header("x-request-id")] {
            assert!(text.contains(said), "{path} does not say {said}: {text}");
        }
        assert!(!text.contains("203.0.113.0"), "what would be let in is not said");
        let event = console.the_one_event(&mark, path).await;
        assert_eq!(
            (event.action.as_str(), event.outcome, event.reason.as_deref()),
            ("workspace.entry_refused", Outcome::Denied, Some("blocked_by_ip"))
        );
        assert_eq!(event.request_id.to_string(), page.header("x-request-id"));
    }
    let mark = console.mark(acme.id()).await;
    let fields = [("_back", "/w/acme/settings"), ("workspace", "acme"), ("name", "Mine")];
    let refused = admin.post_json(&console, "rename_workspace", &fields).await;
    assert_eq!(
        (refused.status.as_u16(), refused.json()),
        (403, serde_json::json!({ "code": "blocked_by_ip", "detail": "198.51.100.9" }))
    );
    console.the_one_event(&mark, "a form").await;
    console.nothing_changed(&mark, "a form from outside").await;
    assert_eq!(admin.post(&console, "rename_workspace", &fields).await.location(), "/w/acme/settings");
    // The account is the person's own, and so are their other workspaces.
    assert_eq!(admin.get(&console, "/account").await.status, 200);
    admin.peer = None;
    assert_eq!(admin.get(&console, "/w/acme").await.status, 200);
}

#[tokio::test]
async fn what_a_list_says_is_nothing_to_strangers() {
    let (console, acme) = guarded(Door::Dashboard).await;
    console.db.workspace("Globex").await;
    let mut stranger = Browser::signed_in(&console, "owner@globex.example").await;
    stranger.peer = Some(ELSEWHERE);
    let mark = console.mark(acme.id()).await;
    assert_eq!(stranger.get(&console, "/w/acme").await.status, 404);
    assert!(console.since(&mark).await.is_empty());
}

/// The hidden fields of a form on a list.
async fn on<'a>(console: &Console, acme: &Tenant, door: Door, version: &'a mut String) -> Vec<(&'static str, &'a str)> {
    *version = console.version(acme, door).await;
    let back = match door {
        Door::Dashboard => "/w/acme/allowlist/dashboard",
        Door::Api => "/w/acme/allowlist/api",
    };
    vec![("_back", back), ("workspace", "acme"), ("door", door.as_str()), ("version", version.as_str())]
}

#[tokio::test]
async fn a_list_is_drafted_tried_out_saved_and_confirmed() {
    let (console, acme) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    console.db.member_named(&acme, Role::Viewer, "quiet").await;
    let mut bo = Browser::member(&console, &acme, Role::Developer).await;
    bo.peer = Some(ELSEWHERE);
    bo.get(&console, "/w/acme").await;
    let (ctx, door, mut v) = (&console, Door::Dashboard, String::new());
    let empty = owner.get(ctx, "/w/acme/allowlist").await.text();
    assert!(
        empty.contains("People and keys get in from everywhere") && empty.contains("You come from 203.0.113.7"),
        "{empty}"
    );

    let wrong = [on(ctx, &acme, door, &mut v).await, vec![("cidr", "203.0.113.7/24"), ("note", "Office")]].concat();
    assert_eq!(owner.post(ctx, "add_entry", &wrong).await.location(), "/w/acme/allowlist/dashboard");
    let page = owner.get(ctx, "/w/acme/allowlist/dashboard").await.text();
    assert!(page.contains("CIDR 203.0.113.7/24 has host bits set. Did you mean 203.0.113.0/24?"), "{page}");
    assert!(
        page.contains("value=\"203.0.113.7/24\"") && page.contains("value=\"Office\""),
        "what was typed is still there"
    );

    // A list without one's own address cannot be saved, whichever way it is tried.
    let other = [on(ctx, &acme, door, &mut v).await, vec![("cidr", "192.0.2.0/24"), ("note", "VPN")]].concat();
    assert_eq!(owner.post(ctx, "add_entry", &other).await.location(), "/w/acme/allowlist/dashboard");
    let review = owner.get(ctx, "/w/acme/allowlist/dashboard/review").await.text();
    assert!(review.contains("This would shut you out") && !review.contains("Save the list"), "{review}");
    let fields = on(ctx, &acme, door, &mut v).await;
    let refused = owner.post_json(ctx, "save_draft", &fields).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (409, &"conflict".into()));

    assert!(owner.get(ctx, "/w/acme/allowlist/dashboard").await.text().contains("Add mine, 203.0.113.7"));
    let mine = [on(ctx, &acme, door, &mut v).await, vec![("cidr", "203.0.113.7"), ("note", "Mine")]].concat();
    owner.post(ctx, "add_entry", &mine).await;
    let review = owner.get(ctx, "/w/acme/allowlist/dashboard/review").await.text();
    let (gets_in, shut_out) = review.split_once("Would be shut out").expect("two columns");
    assert!(
        gets_in.contains("Would still get in")
            && gets_in.contains("Owner of Acme")
            && gets_in.contains("203.0.113.7 (Mine)"),
        "{gets_in}"
    );
    // They signed in here, and what they only looked at from elsewhere is no event.
    assert!(gets_in.contains("The developer"), "{gets_in}");
    assert!(shut_out.contains("Not known") && shut_out.contains("The viewer"), "{shut_out}");

    let stale = [("workspace", "acme"), ("door", "dashboard"), ("version", "0")];
    assert_eq!(owner.post_json(ctx, "save_draft", &stale).await.status, 409, "somebody else's list");
    let fields = on(ctx, &acme, door, &mut v).await;
    assert_eq!(owner.post(ctx, "save_draft", &fields).await.location(), "/w/acme/allowlist");
    let page = owner.get(ctx, "/w/acme/allowlist").await.text();
    assert!(page.contains("It reverts at ") && page.contains(">Confirm<"), "{page}");
    assert_eq!(bo.get(ctx, "/w/acme").await.status, 403, "it counts at once");
    let fields = on(ctx, &acme, door, &mut v).await;
    assert_eq!(owner.post(ctx, "confirm_change", &fields).await.location(), "/w/acme/allowlist");
    let page = owner.get(ctx, "/w/acme/allowlist").await.text();
    assert!(page.contains("The list of the dashboard stays.") && !page.contains("It reverts at"), "{page}");
    console.db.ctx.clock.advance(time::Duration::minutes(11));
    assert_eq!(bo.get(ctx, "/w/acme").await.status, 403);
    assert_eq!(console.db.count(acme.id(), Action::AllowlistConfirmed).await, 1);
}

#[tokio::test]
async fn the_review_names_who_came_from_elsewhere() {
    let (console, acme) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    console.db.member(&acme, Role::Developer).await;
    let mut bo = Browser { peer: Some(ELSEWHERE), ..Browser::default() };
    bo.sign_in(&console, "developer@acme.example", send0_core::testing::PASSWORD).await;
    console.entry(&acme, Door::Dashboard, "203.0.113.0/24").await;
    let review = owner.get(&console, "/w/acme/allowlist/dashboard/review").await.text();
    let shut_out = review.split_once("Would be shut out").expect("two columns").1;
    assert!(
        shut_out.contains("The developer") && shut_out.contains("198.51.100.9") && shut_out.contains("1 request"),
        "{shut_out}"
    );
    assert!(shut_out.contains("Save the list"), "{shut_out}");
}

#[tokio::test]
async fn an_address_is_checked_by_its_entry() {
    let (console, acme) = guarded(Door::Dashboard).await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let mut check =
        async |address: &str| owner.get(&console, &format!("/w/acme/allowlist?address={address}")).await.text();
    assert!(check("203.0.113.99").await.contains("203.0.113.99 gets into the dashboard by 203.0.113.0/24."));
    assert!(check("%5B%3A%3Affff%3A203.0.113.99%5D%3A80").await.contains("203.0.113.99 gets into the dashboard by"));
    let page = check("198.51.100.9").await;
    assert!(page.contains("198.51.100.9 does not get into the dashboard: no entry names it."), "{page}");
    assert!(page.contains("198.51.100.9 gets into the API: its list is off."), "{page}");
    let page = check("%3Cb%3E").await;
    assert!(page.contains("&lt;b&gt; is no address") && !page.contains("<b>"), "{page}");
    assert_eq!(console.version(&acme, Door::Api).await, "0", "to look changes nothing");
}

#[tokio::test]
async fn the_api_gives_what_is_in_force() {
    let (console, acme) = guarded(Door::Api).await;
    let (_, key) = console.key(acme.id(), "allowlist.read").await;
    console.entry(&acme, Door::Dashboard, "192.0.2.0/24").await;
    let lists = console.call("GET", "/v1/allowlist", Some(&key)).await.json();
    assert_eq!(
        lists["dashboard"],
        serde_json::json!({ "state": "off", "decide_by": null, "reverts_at": null, "entries": [] }),
        "a draft is not in force"
    );
    assert_eq!(
        (&lists["api"]["state"], &lists["api"]["entries"][0]["cidr"]),
        (&"enforced".into(), &"203.0.113.0/24".into())
    );
    assert!(lists["api"]["reverts_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{lists}");
    assert!(lists["api"]["entries"][0]["id"].as_str().is_some_and(|id| id.starts_with("cid_")), "{lists}");
    assert_eq!(console.call("GET", "/v1/allowlist?door=api", Some(&key)).await.status, 400);
}

#[tokio::test]
async fn a_door_that_is_not_there_is_nothing() {
    let (console, _) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    for path in ["allowlist/cellar", "allowlist/cellar/review"] {
        assert_eq!(owner.get(&console, &format!("/w/acme/{path}")).await.status, 404);
    }
    let fields = [("workspace", "acme"), ("door", "cellar"), ("version", "0"), ("cidr", "10.0.0.0/8")];
    assert_eq!(owner.post_json(&console, "add_entry", &fields).await.status, 404);
}
