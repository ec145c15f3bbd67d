//! From the one-time link to the first workspace.

use crate::harness::{Browser, Console};
use secrecy::ExposeSecret;
use send0_core::{audit_log::Action, ids::WorkspaceId, testing::TestDb, workspaces::operations::offer_setup};

/// The link's token, as the server prints it.
async fn offered(db: &TestDb) -> Option<String> {
    let token = offer_setup(&db.ctx).await.expect("the database");
    token.map(|token| token.expose_secret().to_owned())
}

const GOOD: [(&str, &str); 5] = [
    ("_back", "/setup"),
    ("workspace", "Acme"),
    ("name", "Ana"),
    ("email", "ana@acme.example"),
    ("password", "a quiet fifteen"),
];

#[tokio::test]
async fn the_link_makes_the_first_owner_once() {
    let console = Console::new().await;
    let token = offered(&console.db).await.expect("nobody owns anything yet");
    let mut browser = Browser::default();
    assert!(browser.get(&console, "/setup").await.text().contains("Not set up yet"), "not without the link");
    assert!(browser.get(&console, "/sign-in").await.text().contains("Not set up yet"));
    let opened = browser.get(&console, &format!("/setup/{token}")).await;
    assert_eq!(opened.location(), "/setup");
    assert_eq!(
        opened.cookie("__Host-setup"),
        Some(&*format!("__Host-setup={token}; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax"))
    );
    assert_eq!(console.db.tables_with(&token).await, Vec::<String>::new(), "only its hash is stored");
    // Looking uses nothing up, nor does a form that is refused.
    for _ in 0..2 {
        assert!(browser.get(&console, "/setup").await.text().contains("Set up send0"));
    }
    let short = [("_back", "/setup"), ("workspace", "Acme"), ("name", "Ana"), ("email", "ana"), ("password", "short")];
    assert_eq!(browser.post(&console, "set_up", &short).await.location(), "/setup");
    let page = browser.get(&console, "/setup").await.text();
    assert!(
        page.contains("2 fields need another look.") && page.contains("value=\"Acme\"") && !page.contains("\"short\""),
        "{page}"
    );
    assert_eq!(browser.session(), "");
    let mut other = browser.clone();
    let done = browser.post(&console, "set_up", &GOOD).await;
    assert_eq!(done.location(), "/w/acme");
    assert!(done.cookie("__Host-setup").expect("taken back").contains("Max-Age=0"));
    assert!(browser.get(&console, "/w/acme").await.text().contains("You are an owner here."));
    let workspace: uuid::Uuid = sqlx::query_scalar("select workspace_id from workspaces where slug = 'acme'")
        .fetch_one(&console.db.superuser)
        .await
        .expect("acme");
    let actions: Vec<String> =
        console.db.events(WorkspaceId(workspace)).await.into_iter().map(|event| event.action).collect();
    assert_eq!(actions, ["workspace.created", "member.joined", "session.started"]);
    // Void from now on, for whoever still has it.
    let mark = console.mark(WorkspaceId::PLATFORM).await;
    assert_eq!(other.get(&console, "/setup").await.location(), "/sign-in");
    let again = [
        ("_back", "/setup"),
        ("workspace", "Evil"),
        ("name", "E"),
        ("email", "e@evil.example"),
        ("password", "a quiet fifteen"),
    ];
    assert_eq!(other.post_json(&console, "set_up", &again).await.status, 403);
    assert_eq!(console.the_one_event(&mark, "a void link").await.action, "setup.refused");
    assert_eq!(other.get(&console, &format!("/setup/{token}")).await.location(), "/setup");
    assert_eq!(other.get(&console, "/setup").await.location(), "/sign-in");
    console.nothing_changed(&mark, "a void link").await;
    assert_eq!(other.session(), "");
    assert_eq!(offered(&console.db).await, None, "and no other is offered");
}

#[tokio::test]
async fn a_newer_link_voids_the_older() {
    let console = Console::new().await;
    let older = offered(&console.db).await.expect("a token");
    let newer = offered(&console.db).await.expect("a token");
    let mut browser = Browser::default();
    browser.get(&console, &format!("/setup/{older}")).await;
    assert!(browser.get(&console, "/setup").await.text().contains("Not set up yet"));
    assert_eq!(browser.post_json(&console, "set_up", &GOOD).await.status, 403);
    browser.get(&console, &format!("/setup/{newer}")).await;
    assert!(browser.get(&console, "/setup").await.text().contains("Set up send0"));
    assert_eq!(console.db.count(WorkspaceId::PLATFORM, Action::SetupRefused).await, 1);
}

#[tokio::test]
async fn only_a_token_becomes_a_cookie() {
    let console = Console::new().await;
    offered(&console.db).await.expect("a token");
    for bad in [
        "x".to_owned(),
        "a".repeat(63),
        "g".repeat(64),
        format!("{};x", "a".repeat(62)),
        format!("{}%0D%0A", "a".repeat(62)),
    ] {
        let answer = Browser::default().get(&console, &format!("/setup/{bad}")).await;
        assert_eq!(answer.location(), "/setup");
        assert!(answer.headers.get("set-cookie").is_none(), "{bad}");
    }
    let mut guess = Browser::default();
    guess.get(&console, &format!("/setup/{}", "0".repeat(64))).await;
    assert!(guess.get(&console, "/setup").await.text().contains("Not set up yet"));
    assert_eq!(guess.post(&console, "set_up", &GOOD).await.location(), "/setup");
    assert!(guess.session().is_empty());
    assert_eq!(console.db.number("select count(*) from users").await, 0);
}

#[tokio::test]
async fn two_forms_at_once_make_one_workspace() {
    let console = Console::new().await;
    let token = offered(&console.db).await.expect("a token");
    let mut first = Browser::default();
    first.get(&console, &format!("/setup/{token}")).await;
    let mut second = first.clone();
    let other =
        [("workspace", "Other"), ("name", "Eve"), ("email", "eve@other.example"), ("password", "a quiet fifteen")];
    let (one, two) =
        tokio::join!(first.post_json(&console, "set_up", &GOOD), second.post_json(&console, "set_up", &other));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses[1], 403, "{statuses:?}");
    assert!(statuses[0] < 400, "{statuses:?}");
    assert_eq!(console.db.number("select count(*) from users").await, 1);
    assert_eq!(console.db.number("select count(*) from members where role = 'owner'").await, 1);
}
