//! The public pages: the same for everybody, without scripts and cookies, and other people's parsers read them.

use crate::harness::{Answer, Browser, Console};
use app::public::{CACHE, PATHS};
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

    let answer = nobody.get(&console, "/subprocessors.atom").await;
    is_public(&answer, "atom");
    assert_eq!(answer.header("content-type"), "application/atom+xml; charset=utf-8");
    let feed = feed_rs::parser::parse(answer.body.as_ref()).expect("a feed");
    assert_eq!((feed.entries.len(), feed.title.expect("a title").content.as_str()), (2, "send0: subprocessors"));
    let titles: Vec<String> =
        feed.entries.iter().filter_map(|entry| entry.title.clone()).map(|title| title.content).collect();
    assert!(titles.contains(&"New subprocessor: Acme <Mail> & Co".to_owned()), "{titles:?}");
    assert!(feed.entries.iter().all(|entry| entry.updated.is_some() && !entry.links.is_empty()));

    let answer = nobody.get(&console, "/security.json").await;
    is_public(&answer, "security");
    assert_eq!(answer.json()["practices"].as_array().map(Vec::len), Some(8));
}

#[tokio::test]
async fn what_is_a_draft_is_nowhere_public() {
    let console = Console::new().await;
    let ops = Actor::cli(WorkspaceId::PLATFORM, request());
    let typed = send0_core::subprocessors::ProposalText {
        vendor: "Secret Plans".into(),
        purpose: "Delivery".into(),
        data: "Messages".into(),
        regions: "global".into(),
        why: "Needed.".into(),
        effective_at: "2999-01-01".into(),
    };
    operations::propose(&console.db.ctx, &ops, send0_core::subprocessors::Kind::Add, None, &typed)
        .await
        .expect("drafted");
    for path in ["/subprocessors", "/subprocessors.json", "/subprocessors.atom"] {
        assert!(!Browser::default().get(&console, path).await.text().contains("Secret Plans"), "{path}");
    }
}
