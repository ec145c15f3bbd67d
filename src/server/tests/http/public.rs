//! The public pages: the same for everybody, without scripts and cookies, and other people's parsers read them.

use crate::harness::{Answer, Browser, Console, call};
use app::public::{CACHE, PATHS};
use axum::body::Body;
use send0_core::{Actor, ids::WorkspaceId, subprocessors::operations, testing::request};

fn is_public(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 200, "{what}");
    assert_eq!(answer.header("cache-control"), CACHE, "{what}");
    assert!(answer.headers.get("set-cookie").is_none(), "{what}");
}

#[tokio::test]
async fn a_public_page_is_the_same_for_everybody() {
    let (console, _) = Console::with_acme().await;
    console.notice("Acme Mail").await;
    let (mut owner, mut nobody) = (Browser::signed_in(&console, "owner@acme.example").await, Browser::default());
    for (_, path) in PATHS {
        let (theirs, ours) = (nobody.get(&console, path).await, owner.get(&console, path).await);
        is_public(&theirs, path);
        is_public(&ours, path);
        assert_eq!(theirs.text(), ours.text(), "{path}: nothing in it depends on who asks");
        let page = theirs.text();
        assert!(!page.contains("<script") && !page.contains("modulepreload") && !page.contains(" style="), "{path}");
        for (_, other) in PATHS.into_iter().chain([("", "/sign-in")]) {
            assert!(page.contains(&format!("href=\"{other}\"")), "{path} leads to {other}");
        }
    }
    let sign_in = nobody.get(&console, "/sign-in").await.text();
    assert!(PATHS.iter().all(|(_, path)| sign_in.contains(&format!("href=\"{path}\""))), "and sign-in leads to them");
}

#[tokio::test]
async fn a_slash_at_the_end_leads_to_the_page_and_to_no_other_site() {
    let console = Console::new().await;
    let mut nobody = Browser::default();
    for (path, expected) in [
        ("/security/", Some("/security")),
        ("/w/acme/audit-log///?q=a%2Fb&older=3", Some("/w/acme/audit-log?q=a%2Fb&older=3")),
        ("/pkg/", Some("/pkg")),
        ("/pkg", None),
        ("//evil.example/", None),
        ("//evil.example//", None),
        ("//", None),
    ] {
        let answer = nobody.get(&console, path).await;
        let location = answer.headers.get("location").map(|value| value.to_str().expect("text"));
        assert_eq!(
            (answer.status.as_u16(), location),
            (if expected.is_some() { 308 } else { 404 }, expected),
            "{path}"
        );
    }
    assert_eq!(nobody.get(&console, "/").await.header("location"), "/sign-in", "the slash alone is a page");
}

#[tokio::test]
async fn the_twins_for_programs_say_the_same() {
    let console = Console::new().await;
    let (announced, withdrawn) = (console.notice("Acme <Mail> & Co").await, console.notice("Other").await);
    let ops = Actor::cli(WorkspaceId::PLATFORM, request());
    operations::withdraw(&console.db.ctx, &ops, withdrawn, "Another way.").await.expect("withdrawn");
    let mut nobody = Browser::default();
    let answer = nobody.get(&console, "/subprocessors.json").await;
    is_public(&answer, "json");
    let all = answer.json();
    assert_eq!(all["subprocessors"].as_array().map(Vec::len), Some(6));
    assert_eq!(all["subprocessors"][1]["regions"], serde_json::json!(["us-east-1", "eu-west-1"]));
    assert_eq!(
        (&all["announced"][0]["id"], &all["announced"][0]["before"]),
        (&announced.to_string().into(), &serde_json::Value::Null)
    );
    assert_eq!(
        (&all["history"][0]["state"], &all["history"][0]["withdrawal"]),
        (&"withdrawn".into(), &"Another way.".into())
    );

    let answer = nobody.get(&console, "/compliance.json").await;
    is_public(&answer, "json");
    let said = answer.json();
    assert_eq!(
        (&said["frameworks"][0]["id"], &said["frameworks"][0]["status"]),
        (&"soc-2".into(), &"in_progress".into())
    );
    assert_eq!(said["frameworks"][1]["evidence"][0]["is_valid"], true);

    let answer = nobody.get(&console, "/subprocessors.atom").await;
    is_public(&answer, "atom");
    assert_eq!(answer.header("content-type"), "application/atom+xml; charset=utf-8");
    let feed = feed_rs::parser::parse(answer.body.as_ref()).expect("a feed");
    assert_eq!((feed.entries.len(), feed.title.expect("a title").content.as_str()), (2, "send0: subprocessors"));
    let titles: Vec<String> =
        feed.entries.iter().filter_map(|entry| entry.title.clone()).map(|title| title.content).collect();
    assert!(titles.contains(&"New subprocessor: Acme <Mail> & Co".to_owned()), "{titles:?}");
    assert!(feed.entries.iter().all(|entry| entry.updated.is_some() && !entry.links.is_empty()));

    let answer = nobody.get(&console, "/changelog.atom").await;
    is_public(&answer, "changelog");
    let feed = feed_rs::parser::parse(answer.body.as_ref()).expect("a feed");
    assert_eq!(feed.entries.len(), send0_core::changelog::changelog().len());

    let answer = nobody.get(&console, "/security.json").await;
    is_public(&answer, "security");
    assert_eq!(answer.json()["practices"].as_array().map(Vec::len), Some(8));
}

#[tokio::test]
async fn what_is_a_draft_is_nowhere_public() {
    let console = Console::new().await;
    console.db.drafted("Secret Plans").await;
    for path in ["/subprocessors", "/subprocessors.json", "/subprocessors.atom"] {
        assert!(!Browser::default().get(&console, path).await.text().contains("Secret Plans"), "{path}");
    }
}

#[tokio::test]
async fn one_click_of_a_mail_program_ends_a_subscription() {
    let console = Console::new().await;
    let mut visitor = Browser::default();
    let sent = visitor.post(&console, "subscribe", &[("email", "reader@example.com")]).await;
    assert_eq!(sent.location(), "/subprocessors/subscribe?sent");
    let token = console.db.mailed_token("reader@example.com").await;
    let opened = visitor.get(&console, &format!("/subscription/{token}")).await;
    assert_eq!((opened.status.as_u16(), opened.location()), (303, "/subscription"), "the token becomes a cookie");
    assert!(visitor.get(&console, "/subscription").await.text().contains("reader@example.com is to be told"));
    assert_eq!(visitor.post(&console, "confirm_subscription", &[]).await.location(), "/subscription");
    assert!(visitor.get(&console, "/subscription").await.text().contains("is told of every change from now on"));
    console.notice("Acme Mail").await;
    send0_core::subscribers::operations::tell(&console.db.ctx).await.expect("told");
    let mails = send0_core::mail::operations::mailbox(&console.db.ctx).await.expect("mailbox");
    let mail = mails.into_iter().find(|mail| mail.letter.to == "reader@example.com").expect("a mail").letter.text;
    let path = mail.rsplit("http://localhost:3000").next().expect("a link").to_owned();
    assert_eq!(console.db.number("select count(*) from subscribers").await, 1);
    // Looking ends nothing: whatever scans mails follows links.
    assert_eq!(visitor.get(&console, &path).await.location(), "/unsubscribe");
    assert_eq!(console.db.number("select count(*) from subscribers").await, 1);
    for _ in 0..2 {
        let request = call("POST", &path, None).header("content-type", "application/x-www-form-urlencoded");
        let answer = console.send(request.body(Body::from("List-Unsubscribe=One-Click")).expect("request")).await;
        assert_eq!(answer.status, 204);
    }
    assert_eq!(console.db.number("select count(*) from subscribers").await, 0);
}
