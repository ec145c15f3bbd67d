//! Forms without scripts: what comes back, what is shown once, and whose session it is.

use crate::harness::{Browser, Console};
use axum::http::HeaderValue;
use send0_core::{audit_log::Action, permissions::Role, testing::PASSWORD};

const WRONG: &str = "Mail address or password is wrong.";

#[tokio::test]
async fn a_refused_form_comes_back_without_its_password() {
    let (console, _) = Console::with_acme().await;
    let mut browser = Browser::default();
    let answer = browser.sign_in(&console, "Ana@Example.com", "a secret of fifteen").await;
    assert_eq!(answer.location(), "/sign-in");
    let flash = answer.cookie("__Host-flash").expect("a flash");
    for attribute in ["; Path=/", "; Max-Age=300", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(flash.contains(attribute), "{flash}");
    }
    assert_eq!(console.db.tables_with("a secret of fifteen").await, Vec::<String>::new());
    assert_eq!(
        console.db.tables_with(&browser.cookies["__Host-flash"]).await,
        Vec::<String>::new(),
        "only its hash is stored"
    );
    let page = browser.get(&console, "/sign-in").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains(WRONG) && page.text().contains("value=\"Ana@Example.com\""), "{}", page.text());
    assert!(!page.text().contains("a secret of fifteen"));
    assert!(!browser.cookies.contains_key("__Host-flash"), "the cookie is taken back");
    let again = browser.get(&console, "/sign-in").await.text();
    assert!(!again.contains(WRONG) && !again.contains("Ana@Example.com"), "shown once");
    assert_eq!(console.db.number("select count(*) from flashes").await, 0);
}

#[tokio::test]
async fn every_wrong_field_is_named_beside_what_was_typed() {
    let (console, acme) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let mark = console.mark(acme.id()).await;
    let fields = [
        ("_back", "/w/acme/api-keys/new"),
        ("workspace", "acme"),
        ("name", " "),
        ("kind", "restricted"),
        ("mode", "test"),
        ("lifetime", "0"),
        ("other", "harmful"),
    ];
    assert_eq!(owner.post(&console, "issue_key", &fields).await.location(), "/w/acme/api-keys/new");
    let page = owner.get(&console, "/w/acme/api-keys/new").await.text();
    for text in
        ["3 fields need another look.", "Name is needed.", "Choose at least one scope", "Between 1 and 3650 days"]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("harmful"));
    let kind = page.split("value=\"restricted\"").nth(1).and_then(|rest| rest.split('>').next()).unwrap_or_default();
    assert!(kind.contains("checked"), "what was chosen stays chosen: {kind}");
    console.nothing_changed(&mark, "a refused form").await;
    assert_eq!(owner.post_json(&console, "issue_key", &fields).await.status, 422);
}

#[tokio::test]
async fn a_flash_waits_for_its_page_and_a_navigation() {
    let (console, _) = Console::with_acme().await;
    let mut browser = Browser::default();
    browser.sign_in(&console, "a@example.com", "x").await;
    let flash = browser.cookies.clone();
    let not_it: [(&str, &[(&str, &str)]); 6] = [
        ("/setup", &[]),
        ("/nothing", &[]),
        ("/sign-in", &[("sec-purpose", "prefetch")]),
        ("/sign-in", &[("sec-purpose", "prefetch;prerender")]),
        ("/sign-in", &[("purpose", "prefetch")]),
        ("/sign-in", &[("accept", "text/css,*/*;q=0.1")]),
    ];
    for (path, headers) in not_it {
        let answer = browser.get_with(&console, path, headers).await;
        assert!(!answer.text().contains(WRONG), "{path} {headers:?}");
        assert_eq!(browser.cookies, flash, "{path} {headers:?}");
    }
    assert!(!Browser::default().get(&console, "/sign-in").await.text().contains(WRONG), "another browser sees nothing");
    assert!(browser.get(&console, "/sign-in?next=%2Fw%2Facme").await.text().contains(WRONG));
}

#[tokio::test]
async fn a_flash_fades() {
    let (console, _) = Console::with_acme().await;
    let mut browser = Browser::default();
    browser.sign_in(&console, "a@example.com", "x").await;
    console.db.ctx.clock.advance(time::Duration::minutes(5));
    assert!(!browser.get(&console, "/sign-in").await.text().contains(WRONG));
}

/// Places that a browser would take for another site's, or that are none.
const ELSEWHERE: [&str; 10] = [
    "//evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "https://evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/ /evil.example",
    "///evil.example",
    "evil.example",
];

#[tokio::test]
async fn no_form_leads_to_another_site() {
    let (console, _) = Console::with_acme().await;
    let mut browser = Browser::default();
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    for evil in ELSEWHERE {
        let refused =
            browser.post(&console, "sign_in", &[("_back", evil), ("email", "a@example.com"), ("password", "x")]).await;
        assert_eq!(refused.location(), "/", "{evil:?}");
        let fields = [("email", "owner@acme.example"), ("password", PASSWORD), ("next", evil), ("_back", evil)];
        assert_eq!(Browser::default().post(&console, "sign_in", &fields).await.location(), "/", "{evil:?}");
        let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("next", evil).finish();
        let path = format!("/sign-in?{query}");
        assert_eq!(owner.get(&console, &path).await.location(), "/", "{evil:?}");
        assert!(browser.get(&console, &path).await.text().contains("name=\"next\" value=\"\""), "{evil:?}");
        console.run("delete from throttles").await;
    }
    let fields =
        [("email", "owner@acme.example"), ("password", PASSWORD), ("next", "/w/acme/audit-log?outcome=denied")];
    assert_eq!(browser.post(&console, "sign_in", &fields).await.location(), "/w/acme/audit-log?outcome=denied");
    assert_eq!(owner.get(&console, "/sign-in?next=%2Fw%2Facme").await.location(), "/w/acme");
}

#[tokio::test]
async fn a_session_cookie_has_every_guard() {
    let (console, _) = Console::with_acme().await;
    let mut browser = Browser::default();
    let answer = browser.sign_in(&console, "OWNER@acme.example ", PASSWORD).await;
    let cookie = answer.cookie("__Host-session").expect("a session");
    let mut attributes: Vec<&str> = cookie.split("; ").skip(1).collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
    assert!(browser.session().len() >= 22, "128 bits");
    assert!(browser.is_signed_in(&console).await);
    assert_eq!(
        console.db.tables_with(browser.session()).await,
        Vec::<String>::new(),
        "a dump of the database opens nothing"
    );
    let hash: Vec<u8> = sqlx::query_scalar("select session_hash from sessions")
        .fetch_one(&console.db.superuser)
        .await
        .expect("a session");
    assert_eq!(hash, send0_core::secrets::hash(browser.session()));
    let thief = Browser {
        cookies: [("__Host-session".to_owned(), send0_core::secrets::hex(&hash))].into(),
        ..Browser::default()
    };
    assert!(!thief.clone().is_signed_in(&console).await);
}

#[tokio::test]
async fn no_page_before_the_sign_in_sets_a_session() {
    let (console, _) = Console::with_acme().await;
    let mut browser = Browser::default();
    for path in ["/", "/sign-in", "/setup", "/w/acme", "/nothing"] {
        browser.get(&console, path).await;
    }
    browser.sign_in(&console, "owner@acme.example", "wrong").await;
    assert_eq!(browser.session(), "");
    assert_eq!(console.db.number("select count(*) from sessions").await, 0);
}

#[tokio::test]
async fn a_planted_session_is_never_adopted() {
    let (console, acme) = Console::with_acme().await;
    let planted = "AAAAAAAAAAAAAAAAAAAAAA";
    let mut victim =
        Browser { cookies: [("__Host-session".to_owned(), planted.to_owned())].into(), ..Browser::default() };
    victim.sign_in(&console, "owner@acme.example", PASSWORD).await;
    assert!(victim.is_signed_in(&console).await);
    assert_ne!(victim.session(), planted);
    let mut attacker =
        Browser { cookies: [("__Host-session".to_owned(), planted.to_owned())].into(), ..Browser::default() };
    assert!(!attacker.is_signed_in(&console).await);
    // Nor does somebody else's live session become theirs: it ends.
    console.db.member(&acme, Role::Viewer).await;
    let mut attacker = Browser::signed_in(&console, "viewer@acme.example").await;
    let mut victim = attacker.clone();
    victim.sign_in(&console, "owner@acme.example", PASSWORD).await;
    assert_ne!(victim.session(), attacker.session());
    assert!(victim.is_signed_in(&console).await && !attacker.is_signed_in(&console).await);
    assert_eq!(console.db.count(acme.id(), Action::SessionStarted).await, 3);
    assert_eq!(console.db.count(acme.id(), Action::SessionEnded).await, 1);
}

#[tokio::test]
async fn signing_out_ends_it_on_the_server() {
    let (console, acme) = Console::with_acme().await;
    let mut browser = Browser::signed_in(&console, "owner@acme.example").await;
    let mut copy = browser.clone();
    let answer = browser.post(&console, "sign_out", &[("_back", "/w/acme")]).await;
    assert_eq!(answer.location(), "/sign-in");
    assert_eq!(answer.header("clear-site-data"), "\"cache\", \"cookies\", \"storage\"");
    let cookies: Vec<&str> =
        answer.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok()).collect();
    assert!(cookies.contains(&"__Host-session=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"), "{cookies:?}");
    assert_eq!(browser.session(), "");
    assert!(!copy.is_signed_in(&console).await, "a copy of the cookie opens nothing any more");
    assert_eq!(console.db.number("select count(*) from sessions").await, 0);
    assert_eq!(copy.post(&console, "sign_out", &[]).await.location(), "/sign-in", "once more is no error");
    assert_eq!(console.db.count(acme.id(), Action::SessionEnded).await, 1);
}

#[tokio::test]
async fn sessions_end_by_themselves() {
    let (console, _) = Console::with_acme().await;
    let mut idle = Browser::signed_in(&console, "owner@acme.example").await;
    console.db.ctx.clock.advance(time::Duration::minutes(29));
    assert!(idle.is_signed_in(&console).await);
    console.db.ctx.clock.advance(time::Duration::minutes(31));
    assert!(!idle.is_signed_in(&console).await, "idle for 30 minutes");
    let mut busy = Browser::signed_in(&console, "owner@acme.example").await;
    for _ in 0..28 {
        console.db.ctx.clock.advance(time::Duration::minutes(25));
        assert!(busy.is_signed_in(&console).await);
    }
    console.db.ctx.clock.advance(time::Duration::minutes(25));
    assert!(!busy.is_signed_in(&console).await, "12 hours in all");
}

#[tokio::test]
async fn a_key_is_shown_once_to_whoever_issued_it() {
    let (console, _) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let mut elsewhere = Browser::signed_in(&console, "owner@acme.example").await;
    let fields = [
        ("_back", "/w/acme/api-keys/new"),
        ("workspace", "acme"),
        ("name", "CI"),
        ("kind", "restricted"),
        ("scopes[]", "workspace.read"),
        ("scopes[]", "members.read"),
        ("lifetime", "30"),
    ];
    let place = owner.post(&console, "issue_key", &fields).await.location().to_owned();
    assert!(place.ends_with("/secret"), "{place}");
    assert!(secret_in(&elsewhere.get(&console, &place).await.text()).is_none(), "another browser of the same person");
    assert!(secret_in(&owner.get_with(&console, &place, &[("sec-purpose", "prefetch")]).await.text()).is_none());
    assert!(
        secret_in(&owner.get(&console, place.trim_end_matches("/secret")).await.text()).is_none(),
        "only on its own page"
    );
    let shown = owner.get(&console, &place).await;
    assert_eq!(shown.header("cache-control"), "no-store");
    let secret = secret_in(&shown.text()).expect("the key");
    assert!(secret_in(&owner.get(&console, &place).await.text()).is_none(), "gone on reload");
    assert!(owner.get(&console, &place).await.text().contains("This key was shown once"));
    let me = console.call("GET", "/v1/workspace", Some(&secret)).await.json();
    assert_eq!(me["key"]["scopes"], serde_json::json!(["workspace.read", "members.read"]));
    assert_eq!(console.db.tables_with(&secret).await, Vec::<String>::new());
    for path in ["/w/acme", "/w/acme/api-keys", "/w/acme/audit-log"] {
        assert!(!owner.get(&console, path).await.text().contains(&secret), "{path}");
    }
}

/// A whole key in a page: the prefix and what follows it, if that is long enough.
fn secret_in(page: &str) -> Option<String> {
    let candidates = page.match_indices("sk_restr_").map(|(at, _)| &page[at..]);
    let whole = |text: &str| text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    candidates.map(whole).find(|text| text.len() == 9 + 49)
}

#[tokio::test]
async fn a_notice_is_said_once() {
    let (console, acme) = Console::with_acme().await;
    let (id, _) = console.key(acme.id(), "live").await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let page = format!("/w/acme/api-keys/{id}");
    let fields = [
        ("_back", page.as_str()),
        ("workspace", "acme"),
        ("id", &id.to_string()),
        ("reason", "left a laptop on a train"),
    ];
    assert_eq!(owner.post(&console, "revoke_key", &fields).await.location(), page);
    let after = owner.get(&console, &page).await.text();
    assert!(after.contains("The key is revoked.") && after.contains("left a laptop on a train"));
    assert!(!owner.get(&console, &page).await.text().contains("The key is revoked."));
}

#[tokio::test]
async fn odd_fields_are_refused_and_never_our_fault() {
    let (console, acme) = Console::with_acme().await;
    let (id, _) = console.key(acme.id(), "live").await;
    let id = id.to_string();
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let long = "x".repeat(60_000);
    for odd in [
        "\0",
        "a\0b@example.com",
        "\u{202e}",
        "💩",
        "'; drop table users; --",
        "%00",
        "\r\nset-cookie: a=b",
        long.as_str(),
    ] {
        let forms: [(&str, Vec<(&str, &str)>); 7] = [
            ("sign_in", vec![("email", odd), ("password", "x")]),
            ("sign_in", vec![("email", "a@example.com"), ("password", odd)]),
            ("set_up", vec![("workspace", odd), ("name", odd), ("email", odd), ("password", odd)]),
            ("issue_key", vec![("workspace", odd), ("name", "CI"), ("kind", "test")]),
            (
                "issue_key",
                vec![
                    ("workspace", "acme"),
                    ("name", "CI"),
                    ("kind", odd),
                    ("mode", odd),
                    ("lifetime", odd),
                    ("scopes[]", odd),
                ],
            ),
            ("revoke_key", vec![("workspace", "acme"), ("id", odd)]),
            ("revoke_key", vec![("workspace", odd), ("id", &id), ("reason", odd)]),
        ];
        for (name, fields) in forms {
            let what = format!("{name} {:?}", odd.chars().take(30).collect::<String>());
            let mark = console.mark(acme.id()).await;
            let mut browser = if name == "sign_in" { Browser::default() } else { owner.clone() };
            let answer = browser.post_json(&console, name, &fields).await;
            assert!((400..500).contains(&answer.status.as_u16()), "{what}: {} {}", answer.status, answer.text());
            let back = [fields, vec![("_back", "/w/acme")]].concat();
            let size: usize = back.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
            let expected = if size > 64 * 1024 { 413 } else { 303 };
            assert_eq!(browser.post(&console, name, &back).await.status, expected, "{what}");
            console.nothing_changed(&mark, &what).await;
        }
        console.run("delete from throttles").await;
    }
    for path in [
        "/w/%00",
        "/w/acme/api-keys/%00",
        "/w/acme/api-keys?cursor=%00",
        "/w/acme/audit-log?actor=%00",
        "/w/acme/audit-log?actor=a%00@b.example",
        "/w/acme/audit-log?older=%00",
        "/w/acme/audit-log?from=%00",
        "/w/%FF",
        "/sign-in?next=%00",
    ] {
        let status = owner.get(&console, path).await.status;
        assert!(status.as_u16() < 500, "{path}: {status}");
    }
}

#[tokio::test]
async fn malformed_cookies_are_nobodys() {
    let (console, _) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let right = owner.session().to_owned();
    let mut cases: Vec<Vec<u8>> = vec![
        b"__Host-session=".to_vec(),
        b"__Host-session".to_vec(),
        b"=;=;;;".to_vec(),
        b"__Host-session=\"".to_vec(),
        format!("__host-session={right}").into_bytes(),
        format!("__Host-session ={right}x").into_bytes(),
        format!("__Host-session={}", &right[..right.len() - 1]).into_bytes(),
        format!("__Host-session={right}A").into_bytes(),
        format!("__Host-session={}", right.to_uppercase()).into_bytes(),
        format!("__Host-session={}", "A".repeat(20_000)).into_bytes(),
        format!("x__Host-session={right}").into_bytes(),
        b"__Host-session=%00; __Host-flash=%00; __Host-setup=%00".to_vec(),
        b"__Host-session=\xff\xfe; __Host-flash=\xff".to_vec(),
    ];
    // Reproducible noise: the answer must not depend on which.
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for case in 0..300 {
        let length = next() % 60;
        let noise: Vec<u8> = (0..length)
            .map(|_| u8::try_from(next() % 224 + 32).unwrap_or(b' '))
            .map(|byte| if byte == 127 { b'~' } else { byte })
            .collect();
        let name: &[u8] = [b"__Host-session=".as_slice(), b"__Host-flash=", b"__Host-setup=", b""][case % 4];
        cases.push([name, &noise].concat());
    }
    let count = cases.len();
    for case in cases {
        let header = HeaderValue::from_bytes(&case).expect("a header");
        for path in ["/w/acme", "/sign-in"] {
            let request = axum::http::Request::get(path).header("accept", "text/html").header("cookie", header.clone());
            let answer = console.send(request.body(axum::body::Body::empty()).expect("request")).await;
            let expected = if path == "/sign-in" { 200 } else { 302 };
            assert_eq!(answer.status, expected, "{path} {:?}", String::from_utf8_lossy(&case));
        }
    }
    assert_eq!(count, 313);
    assert!(owner.is_signed_in(&console).await);
}

#[tokio::test]
async fn whoever_cannot_be_recognised_now_is_not_taken_for_nobody() {
    let (console, _) = Console::with_acme().await;
    let mut browser = Browser::signed_in(&console, "owner@acme.example").await;
    let session = browser.session().to_owned();
    console.run("revoke execute on function session_find from send0_auth").await;
    let page = browser.get(&console, "/w/acme").await;
    assert_eq!(page.status, 503);
    assert!(page.text().contains("Not right now"));
    assert_eq!(
        browser.post(&console, "sign_out", &[]).await.status,
        503,
        "a session that lives on is not said to be over"
    );
    assert_eq!(browser.session(), session);
    assert_eq!(browser.get(&console, "/pkg/send0.css").await.status, 200, "the page that says so has its styles");
    assert_eq!(Browser::default().get(&console, "/sign-in").await.status, 200);
    console.run("grant execute on function session_find to send0_auth").await;
    assert!(browser.is_signed_in(&console).await);
}
