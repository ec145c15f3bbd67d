//! What a session opens that has shown the password only, and what an open session alone is not enough for.

use crate::harness::{Browser, Console};
use app::access::{self, Access};
use secrecy::ExposeSecret;
use send0_core::{
    accounts::{Begun, Factor, operations},
    audit_log::Action,
    flash::{self, Flash},
    secrets,
    testing::{PASSWORD, Tenant, request},
    two_factor::operations::make_recovery_codes,
};
use time::Duration;

const OWNER: &str = "owner@acme.example";

/// The owner of Acme with a second factor, and their recovery codes.
async fn with_factor(console: &Console, acme: &Tenant) -> Vec<String> {
    let (ctx, user) = (&console.db.ctx, acme.made.user);
    sqlx::query(
        "insert into totp_factors (user_id, sealed, confirmed_at, created_at) values ($1, 'sealed', now(), now())",
    )
    .bind(user.0)
    .execute(&console.db.superuser)
    .await
    .expect("a factor");
    let hash = secrets::hash("a session of its own");
    operations::start_session(ctx, &request(), user, Begun::With(Factor::Totp), &hash).await.expect("session");
    let signed_in = operations::find_session(ctx, &hash).await.expect("looked").expect("signed in");
    let token = make_recovery_codes(ctx, &request(), &signed_in, "/codes").await.expect("codes");
    match flash::take(ctx, token.expose_secret(), "/codes").await.expect("flash") {
        Some(Flash::RecoveryCodes(codes)) => codes,
        _ => panic!("no codes"),
    }
}

#[tokio::test]
async fn half_a_session_reaches_the_second_factor_and_nothing_else() {
    let (console, acme) = Console::with_acme().await;
    let codes = with_factor(&console, &acme).await;
    let mut owner = Browser::default();
    let next = owner.sign_in(&console, OWNER, PASSWORD).await.location().to_owned();
    assert_eq!(next, "/sign-in/second-factor?next=%2F");
    assert_eq!(owner.get(&console, &next).await.status, 200);
    assert_eq!(owner.get(&console, "/sign-in").await.location(), "/sign-in/second-factor?next=");
    let mut tried = 0;
    for (path, access) in access::PAGES {
        if matches!(access, Access::Public | Access::Half | Access::Dev) {
            continue;
        }
        let path = path.replace(":slug", "acme").replace(":id", "key_x").replace(":event", "evt_x");
        let answer = owner.get(&console, &path).await;
        assert!(answer.location().starts_with("/sign-in?next="), "{path}: {} {}", answer.status, answer.location());
        tried += 1;
    }
    for function in
        access::FUNCTIONS.iter().filter(|function| !matches!(function.access, Access::Public | Access::Half))
    {
        let name = function.path.rsplit('/').next().expect("a name");
        let fields = [
            ("workspace", "acme"),
            ("id", "x"),
            ("name", "x"),
            ("role", "x"),
            ("emails", "x"),
            ("password", "x"),
            ("new_password", "x"),
            ("present", "x"),
            ("email", "x"),
            ("code", "x"),
            ("answer", "x"),
        ];
        let answer = owner.post_json(&console, name, &fields).await;
        assert_eq!(answer.status, 401, "{name}: {}", answer.text());
        tried += 1;
    }
    assert!(tried > 35, "{tried}");

    let half = owner.session().to_owned();
    let wrong = owner
        .post(&console, "prove_by_recovery_code", &[("_back", "/sign-in/second-factor"), ("code", "nonsense")])
        .await;
    assert_eq!(wrong.location(), "/sign-in/second-factor");
    assert!(owner.get(&console, "/sign-in/second-factor").await.text().contains("This code does not open anything"));
    let proved = owner.post(&console, "prove_by_recovery_code", &[("code", &codes[0])]).await;
    assert_eq!(proved.location(), "/account/security");
    let whole = owner.session().to_owned();
    assert_ne!(half, whole);
    let page = owner.get(&console, "/account/security").await;
    assert!(page.status == 200 && page.text().contains("You came in with a recovery code"));
    assert_eq!(owner.get(&console, "/w/acme").await.status, 200);
    owner.cookies.insert("__Host-session".into(), half);
    assert!(owner.get(&console, "/w/acme").await.location().starts_with("/sign-in"), "the token before opens nothing");
    assert_eq!(console.db.count(acme.id(), Action::RecoveryCodeUsed).await, 1);
}

#[tokio::test]
async fn an_old_proof_asks_for_another_and_keeps_what_was_typed() {
    let (console, acme) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, OWNER).await;
    console.db.ctx.clock.advance(Duration::minutes(11));
    let form = [
        ("_back", "/w/acme/api-keys/new"),
        ("workspace", "acme"),
        ("name", "CI deploy"),
        ("kind", "restricted"),
        ("scopes[]", "audit.read"),
    ];
    let mark = console.mark(acme.id()).await;
    let refused = owner.post(&console, "issue_key", &form).await;
    assert_eq!(refused.location(), "/account/prove?next=%2Fw%2Facme%2Fapi%2Dkeys%2Fnew");
    let event = console.the_one_event(&mark, "an old proof").await;
    assert_eq!((event.action.as_str(), event.reason.as_deref()), ("api_key.issued", Some("proof_needed")));
    let page = owner.get(&console, refused.location()).await.text();
    assert!(page.contains("Confirm that it is you") && page.contains("name=\"password\""), "{page}");
    let wrong = [
        ("_back", "/account/prove?next=%2Fw%2Facme%2Fapi%2Dkeys%2Fnew"),
        ("next", "/w/acme/api-keys/new"),
        ("password", "wrong"),
    ];
    owner.post(&console, "prove_by_password", &wrong).await;
    let page = owner.get(&console, "/account/prove").await.text();
    assert!(page.contains("This is not your present password"), "{page}");
    let before = owner.session().to_owned();
    let proved =
        owner.post(&console, "prove_by_password", &[("next", "/w/acme/api-keys/new"), ("password", PASSWORD)]).await;
    assert_eq!(proved.location(), "/w/acme/api-keys/new");
    assert_ne!(before, owner.session(), "a proof changes the token");
    let page = owner.get(&console, "/w/acme/api-keys/new").await.text();
    assert!(page.contains("You have confirmed that it is you") && page.contains("value=\"CI deploy\""), "{page}");
    let issued = owner.post(&console, "issue_key", &form).await;
    assert!(issued.location().starts_with("/w/acme/api-keys/key_"), "{}", issued.location());
    for path in ["//evil.example", "https://evil.example", "/\\evil.example"] {
        let proved = owner.post(&console, "prove_by_password", &[("next", path), ("password", PASSWORD)]).await;
        assert_eq!(proved.location(), "/", "{path}");
    }
}

#[tokio::test]
async fn ten_thousand_cookies_that_are_none_are_nobody() {
    let console = Console::new().await;
    let mut browser = Browser::default();
    let alphabet: Vec<char> = "AZaz09-_=+/%\"\\,.~!@#\t ".chars().collect();
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    for n in 0..10_000_u32 {
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 33).expect("31 bits")
        };
        let length = next() % 64;
        let value: String = (0..length).map(|_| alphabet[next() % alphabet.len()]).collect();
        browser.cookies = [("__Host-session".to_owned(), value.clone())].into();
        let answer = browser.get(&console, "/account/security").await;
        assert_eq!(answer.location(), "/sign-in?next=%2Faccount%2Fsecurity", "{n}: {value:?}: {}", answer.status);
    }
}

#[tokio::test]
async fn sessions_are_listed_and_end_at_once() {
    let (console, _) = Console::with_acme().await;
    let mut here = Browser::signed_in(&console, OWNER).await;
    let mut there = Browser::signed_in(&console, OWNER).await;
    let page = here.get(&console, "/account/sessions").await.text();
    let others: Vec<&str> =
        page.match_indices("name=\"id\" value=\"ses_").map(|(at, _)| &page[at + 17..at + 17 + 30]).collect();
    assert_eq!(others.len(), 1, "this one has no button: {page}");
    let ended = here.post(&console, "end_session", &[("id", others[0])]).await;
    assert_eq!(ended.location(), "/account/sessions");
    assert!(there.get(&console, "/w/acme").await.location().starts_with("/sign-in"));
    assert_eq!(here.get(&console, "/w/acme").await.status, 200);
    let again = here.post_json(&console, "end_session", &[("id", others[0])]).await;
    assert_eq!(again.status, 404);
    let mut there = Browser::signed_in(&console, OWNER).await;
    here.post(&console, "end_other_sessions", &[]).await;
    assert!(there.get(&console, "/account").await.location().starts_with("/sign-in"));
}
