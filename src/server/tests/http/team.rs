//! Links that let somebody in, and what is shown to whoever runs the server only.

use crate::harness::{Browser, Console, ORIGIN};
use axum::{body::Body, http::Request};
use send0_core::{audit_log::Action, permissions::Role, testing::PASSWORD};

#[tokio::test]
async fn a_link_becomes_a_cookie_and_stays_in_no_address() {
    let (console, acme) = Console::with_acme().await;
    let (_, token) = console.invitation(&acme, "bo@example.com", "viewer").await;
    let mut bo = Browser::default();
    for (link, page) in [("invitations", "/invitations"), ("account/address", "/account/address"), ("setup", "/setup")]
    {
        let answer = bo.get(&console, &format!("/{link}/{token}")).await;
        assert_eq!(answer.location(), page);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.header("set-cookie").starts_with("__Host-"), "{link}");
    }
    let refused = Browser::default().get(&console, "/invitations/nonsense").await;
    assert!(refused.headers.get("set-cookie").is_none());
    let page = bo.get(&console, "/invitations").await.text();
    assert!(page.contains("Join Acme") && page.contains("bo@example.com") && !page.contains(&token), "{page}");
}

#[tokio::test]
async fn who_joins_is_signed_in_and_the_cookie_is_gone() {
    let (console, acme) = Console::with_acme().await;
    let (_, token) = console.invitation(&acme, "bo@example.com", "viewer").await;
    let mut bo = Browser::default();
    bo.get(&console, &format!("/invitations/{token}")).await;
    let short =
        bo.post(&console, "join_workspace", &[("_back", "/invitations"), ("name", "Bo"), ("password", "short")]).await;
    assert_eq!(short.location(), "/invitations");
    let page = bo.get(&console, "/invitations").await.text();
    assert!(page.contains("At least 15 characters") && page.contains("value=\"Bo\""), "{page}");
    let joined = bo.post(&console, "join_workspace", &[("name", "Bo"), ("password", PASSWORD)]).await;
    assert_eq!(joined.location(), "/w/acme");
    assert!(!bo.cookies.contains_key("__Host-invitation") && !bo.session().is_empty());
    assert_eq!(bo.get(&console, "/w/acme").await.status, 200);
    assert_eq!(console.db.count(acme.id(), Action::MemberJoined).await, 2);
}

#[tokio::test]
async fn who_is_removed_or_demoted_is_so_with_the_next_request() {
    let (console, acme) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let mut admin = Browser::member(&console, &acme, Role::Admin).await;
    let id = console.member_id(&acme, Role::Admin).await.to_string();
    assert_eq!(admin.get(&console, "/w/acme/settings").await.status, 200);
    owner.post(&console, "change_role", &[("workspace", "acme"), ("id", &id), ("role", "viewer")]).await;
    assert_eq!(admin.get(&console, "/w/acme/settings").await.status, 403);
    owner.post(&console, "remove_member", &[("workspace", "acme"), ("id", &id)]).await;
    assert_eq!(admin.get(&console, "/w/acme").await.status, 404);
}

#[tokio::test]
async fn pages_for_trying_out_are_for_this_machine_and_the_default_mode() {
    let (console, acme) = Console::with_acme().await;
    console.invitation(&acme, "bo@example.com", "viewer").await;
    let host = ORIGIN.trim_start_matches("http://");
    let get = |path: &str, headers: &[(&str, &str)]| {
        let mut request = Request::builder().uri(path).header("accept", "text/html");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).expect("request")
    };
    for path in ["/dev/mailbox", "/dev/kit"] {
        let here = console.send_from([127, 0, 0, 1], get(path, &[("host", host)])).await;
        assert_eq!(here.status, 200, "{path}");
        let refused = [
            console.send_from([203, 0, 113, 7], get(path, &[("host", host)])).await,
            console.send_from([127, 0, 0, 1], get(path, &[("host", "evil.example:3000")])).await,
            console.send_from([127, 0, 0, 1], get(path, &[])).await,
            console.send_from([127, 0, 0, 1], get(path, &[("host", host), ("x-forwarded-for", "127.0.0.1")])).await,
        ];
        for answer in refused {
            assert_eq!(answer.status, 404, "{path}");
            assert!(!answer.text().contains("bo@example.com"));
        }
    }
    let configured = Console::configured().await;
    assert_eq!(configured.send_from([127, 0, 0, 1], get("/dev/mailbox", &[("host", host)])).await.status, 404);
}

#[tokio::test]
async fn the_theme_is_there_before_the_first_byte() {
    let (console, _) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let page = owner.get(&console, "/account").await.text();
    assert!(page.contains("<html lang=\"en\">"), "as the device is set");
    let fields = [("_back", "/account"), ("name", "Ana"), ("time_zone", "Asia/Kolkata"), ("theme", "dark")];
    assert_eq!(owner.post(&console, "change_settings", &fields).await.location(), "/account");
    let page = owner.get(&console, "/w/acme").await.text();
    assert!(page.contains("<html lang=\"en\" data-theme=\"dark\">"), "{page}");
    assert!(page.contains(" IST\"") && !page.contains("LocalTimes"), "in the chosen zone without a script");
}

#[tokio::test]
async fn a_name_cannot_leave_the_title() {
    let (console, _) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let name = "A&B</title><script>run()</script>";
    owner.post(&console, "rename_workspace", &[("workspace", "acme"), ("name", name)]).await;
    let page = owner.get(&console, "/w/acme").await.text();
    assert!(page.contains("A&amp;B&lt;/title>&lt;script>run()&lt;/script> · send0</title>"), "{page}");
    assert!(!page.contains("<script>run()"), "{page}");
}

#[tokio::test]
async fn a_deadline_is_shown_in_the_zone_of_the_workspace_and_its_plan_in_the_settings() {
    let (console, _) = Console::with_acme().await;
    let id = console.notice("Acme Mail").await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let fields = [("_back", "/account"), ("name", "Ana"), ("time_zone", "America/New_York"), ("theme", "dark")];
    owner.post(&console, "change_settings", &fields).await;
    for (zone, deadline) in [("", "1 Jan 2999, 00:00:00 UTC"), ("Asia/Kolkata", "1 Jan 2999, 05:30:00 IST")] {
        owner.post(&console, "set_time_zone", &[("workspace", "acme"), ("time_zone", zone)]).await;
        for path in ["/w/acme/notices".to_owned(), format!("/w/acme/notices/{id}")] {
            let page = owner.get(&console, &path).await.text();
            assert!(page.contains(&format!("title=\"31 Dec 2998, 19:00:00 EST\">{deadline}</time>")), "{path}: {page}");
        }
    }
    let page = owner.get(&console, "/subprocessors").await.text();
    assert!(page.contains("1 Jan 2999, 00:00:00 UTC") && !page.contains(" IST"), "visitors keep UTC: {page}");
    let page = owner.get(&console, "/w/acme/settings").await.text();
    assert!(page.contains("<option value=\"Asia/Kolkata\" selected"), "{page}");
    assert!(page.contains("up to 5") && page.contains("No member and no key is refused because of it yet."), "{page}");
}
