//! Security contacts over HTTP: the link in the mail, the page, and what the mailbox shows of a mail.

use crate::harness::{Browser, Console, ORIGIN};
use axum::{body::Body, http::Request};
use send0_core::{audit_log::Action, contacts::NoticeKind, permissions::Role};

/// Names an address outside through the form. Gives the token in its mail.
async fn asked(console: &Console, owner: &mut Browser, email: &str) -> String {
    let fields = [("_back", "/w/acme/contacts"), ("workspace", "acme"), ("email", email), ("kinds[]", "keys")];
    assert_eq!(owner.post(console, "add_contact", &fields).await.location(), "/w/acme/contacts");
    console.mailed_token(email).await
}

#[tokio::test]
async fn the_link_becomes_a_cookie_and_confirms_once() {
    let (console, acme) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let token = asked(&console, &mut owner, "soc@example.com").await;
    let page = owner.get(&console, "/w/acme/contacts").await.text();
    assert!(page.contains("A link is on its way to soc@example.com") && page.contains("waits"), "{page}");

    let mut soc = Browser::default();
    let arrived = soc.get(&console, &format!("/contacts/{token}")).await;
    assert_eq!((arrived.location(), arrived.header("cache-control")), ("/contacts", "no-store"));
    assert!(arrived.header("set-cookie").starts_with("__Host-contact="));
    for _ in 0..2 {
        let page = soc.get(&console, "/contacts").await.text();
        assert!(
            page.contains("names soc@example.com as a security contact of Acme") && !page.contains(&token),
            "{page}"
        );
    }
    assert_eq!(console.db.count(acme.id(), Action::ContactConfirmed).await, 0, "looking confirms nothing");
    let mut twice = soc.clone();
    assert_eq!(soc.post(&console, "confirm_contact", &[("_back", "/contacts")]).await.location(), "/contacts");
    assert!(!soc.cookies.contains_key("__Host-contact"));
    let page = soc.get(&console, "/contacts").await.text();
    assert!(page.contains("Confirmed") && page.contains("soc@example.com is told"), "{page}");
    assert!(soc.get(&console, "/contacts").await.text().contains("This link is void"), "said once");
    assert_eq!(twice.post_json(&console, "confirm_contact", &[]).await.status, 403);
    assert_eq!(console.db.count(acme.id(), Action::ContactConfirmed).await, 1);
    assert!(owner.get(&console, "/w/acme/contacts").await.text().contains("confirmed"));
}

#[tokio::test]
async fn only_a_token_becomes_a_cookie() {
    let console = Console::new().await;
    for bad in ["x".to_owned(), "g".repeat(64), format!("{}%0D%0A", "a".repeat(62))] {
        let answer = Browser::default().get(&console, &format!("/contacts/{bad}")).await;
        assert_eq!(answer.location(), "/contacts");
        assert!(answer.headers.get("set-cookie").is_none(), "{bad}");
    }
    assert!(Browser::default().get(&console, "/contacts").await.text().contains("This link is void"));
}

#[tokio::test]
async fn a_form_comes_back_with_what_was_typed() {
    let (console, _) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let wrong = [("_back", "/w/acme/contacts"), ("workspace", "acme"), ("email", "<nobody>")];
    assert_eq!(owner.post(&console, "add_contact", &wrong).await.location(), "/w/acme/contacts");
    let page = owner.get(&console, "/w/acme/contacts").await.text();
    assert!(page.contains("2 fields need another look.") && page.contains("value=\"&lt;nobody"), "{page}");
    assert!(page.contains("Choose at least one.") && !page.contains("checked"), "{page}");
    let fresh = owner.get(&console, "/w/acme/contacts").await.text();
    assert_eq!(fresh.matches("checked").count(), NoticeKind::ALL.len(), "at first everything is chosen: {fresh}");
}

#[tokio::test]
async fn the_overview_asks_for_a_contact_until_there_is_one() {
    let (console, acme) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let step = "<a href=\"/w/acme/contacts\">Name a security contact</a>";
    assert!(owner.get(&console, "/w/acme").await.text().contains(step));
    let token = asked(&console, &mut owner, "soc@example.com").await;
    owner.get(&console, "/w/acme/contacts").await;
    assert!(owner.get(&console, "/w/acme").await.text().contains(step), "nobody has said yes");
    let mut soc = Browser::default();
    soc.get(&console, &format!("/contacts/{token}")).await;
    soc.post(&console, "confirm_contact", &[]).await;
    assert!(!owner.get(&console, "/w/acme").await.text().contains(step));
    let mut viewer = Browser::member(&console, &acme, Role::Viewer).await;
    let page = viewer.get(&console, "/w/acme").await.text();
    assert!(!page.contains("security contact") && !page.contains("/w/acme/contacts"), "not offered to who may not");
}

#[tokio::test]
async fn the_last_contact_is_kept_and_the_page_says_why() {
    let (console, acme) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let id = console.contact(&acme, "owner@acme.example").await.to_string();
    let page = format!("/w/acme/contacts/{id}");
    let fields = [("_back", page.as_str()), ("workspace", "acme"), ("id", &id)];
    assert_eq!(owner.post(&console, "remove_contact", &fields).await.location(), page);
    assert!(owner.get(&console, &page).await.text().contains("this is the last one"));
    assert_eq!(owner.post(&console, "test_contact", &fields).await.location(), page);
    assert!(owner.get(&console, &page).await.text().contains("A test is on its way to owner@acme.example."));
    assert_eq!(owner.post(&console, "test_contact", &fields).await.location(), page);
    assert!(owner.get(&console, &page).await.text().contains("Too many attempts."));
}

#[tokio::test]
async fn the_mailbox_shows_both_parts_of_a_mail() {
    let (console, acme) = Console::with_acme().await;
    let (_, token) = console.invitation(&acme, "bo@example.com", "viewer").await;
    let request = Request::builder()
        .uri("/dev/mailbox")
        .header("accept", "text/html")
        .header("host", ORIGIN.trim_start_matches("http://"))
        .body(Body::empty())
        .expect("request");
    let page = console.send_from([127, 0, 0, 1], request).await.text();
    let mail = page.split("<li ").find(|text| text.contains("data-to=\"bo@example.com\"")).expect("the mail");
    let link = format!("{ORIGIN}/invitations/{token}");
    let first = mail.split("href=\"").nth(1).and_then(|rest| rest.split('"').next());
    assert_eq!(first, Some(link.as_str()), "the first link of the item is that of the mail");
    assert!(mail.contains("text/plain") && mail.contains("text/html"), "{mail}");
    assert!(mail.contains("&lt;!DOCTYPE html&gt;") && mail.contains("Open send0"), "{mail}");
    assert!(!page.contains("<iframe") && !mail.contains("<h1"), "nothing of the mail itself is rendered");
}
