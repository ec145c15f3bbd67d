//! Keys on a real PostgreSQL: shown once, stored as a hash, refused at once when revoked.

use super::{
    KeySecret, Kind, Mode, NewKey, NewKeyText, Status, last_uses,
    operations::{Caller, Issued, issue, issue_for_page, list, recognise, revoke, show},
};
use crate::{
    Actor, AppError,
    actor::Who,
    audit_log::{Action, Outcome},
    flash::{self, Flash},
    ids::{KeyId, WorkspaceId},
    permissions::{Permission, Role},
    testing::{TestDb, request},
};
use futures::future::join_all;
use secrecy::ExposeSecret;
use time::{Duration, OffsetDateTime};

fn key(kind: &str, scopes: &[&str]) -> NewKey {
    let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    NewKeyText { name: "Key".into(), kind: kind.into(), scopes, ..NewKeyText::default() }.parse().expect("key")
}

async fn knock(db: &TestDb, bearer: &str) -> Caller {
    recognise(&db.ctx, Some(bearer), request()).await.expect("asked")
}

/// Why the key is refused; `None`: it opens.
async fn refusal(db: &TestDb, issued: &Issued) -> Option<AppError> {
    knock(db, issued.secret.expose()).await.refused
}

fn unauthenticated(code: &str) -> Option<AppError> {
    Some(AppError::Unauthenticated(code.into()))
}

// What is stored ---------------------------------------------------------------------------------------------------

#[tokio::test]
async fn the_key_is_nowhere_in_the_database() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let mut keys: Vec<String> = vec![];
    for new in [key("live", &[]), key("test", &[]), key("restricted", &["keys.read"])] {
        let issued = issue(&db.ctx, &owner, new).await.expect("issue");
        assert_eq!(refusal(&db, &issued).await, None);
        keys.push(issued.secret.expose().into());
    }
    let (id, token) =
        issue_for_page(&db.ctx, &owner, key("live", &[]), |id| format!("/keys/{id}")).await.expect("issue");
    let unread = db.number("select count(*) from flashes").await;
    assert_eq!(unread, 1);
    assert_eq!(db.tables_with(token.expose_secret()).await, Vec::<String>::new());
    let shown = async || flash::take(&db.ctx, token.expose_secret(), &format!("/keys/{id}")).await.expect("taken");
    // Looked for while the flash with it lies there …
    let taken = {
        let before = dump(&db).await;
        let Some(Flash::Key { id: of, key }) = shown().await else { panic!("no key is shown") };
        assert_eq!(of, id);
        assert!(!before.contains(&key) && !before.contains(&crate::secrets::hex(key.as_bytes())));
        key
    };
    assert!(shown().await.is_none(), "shown once");
    assert_eq!(knock(&db, &taken).await.refused, None);
    keys.push(taken);
    for key in keys {
        assert_eq!(db.tables_with(&key).await, Vec::<String>::new());
        // … and neither is its secret part by itself.
        let body = key.rsplit('_').next().expect("body");
        assert_eq!(db.tables_with(&body[..40]).await, Vec::<String>::new());
        assert_eq!(db.tables_with(&body[body.len() - 4..]).await, ["api_keys"], "the last four are");
    }
}

/// The table that holds sealed flashes, as text.
async fn dump(db: &TestDb) -> String {
    let dump = "select string_agg(f::text || encode(f.sealed, 'escape'), '') from flashes f";
    sqlx::query_scalar(dump).fetch_one(&db.superuser).await.expect("dump")
}

#[tokio::test]
async fn a_key_is_shown_as_it_was_issued() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let before = db.ctx.clock.now();
    let new = NewKeyText {
        name: " CI é ".into(),
        kind: "restricted".into(),
        mode: "test".into(),
        scopes: vec!["keys.read".into(), "audit.read".into(), "keys.read".into()],
        lifetime: "30".into(),
    };
    let issued = issue(&db.ctx, &owner, new.parse().expect("key")).await.expect("issue");
    let view = show(&db.ctx, &owner, issued.id, Action::PageViewed).await.expect("key");
    assert_eq!(
        (view.name.as_str(), view.kind, view.mode, view.status),
        ("CI é", Kind::Restricted, Mode::Test, Status::Active)
    );
    assert_eq!((view.prefix.as_str(), view.last4.as_str()), ("sk_restr_", issued.secret.last4()));
    assert_eq!(view.scopes, [Permission::KeysRead, Permission::AuditRead]);
    assert_eq!((view.created_by, view.creator.as_deref()), (tenant.made.user.to_string(), Some("Owner of Acme")));
    assert!(view.created_at >= before && view.created_at <= db.ctx.clock.now());
    assert_eq!(view.expires_at, Some(view.created_at + Duration::days(30)));
    assert_eq!((view.last_used_at, view.revoked_at, view.reason), (None, None, None));

    let cli = issue(&db.ctx, &Actor::cli(tenant.id(), request()), key("live", &[])).await.expect("issue");
    let view = show(&db.ctx, &owner, cli.id, Action::PageViewed).await.expect("key");
    assert_eq!((view.created_by.as_str(), view.creator, view.expires_at), ("cli", None, None));
}

#[tokio::test]
async fn issuing_and_revoking_are_one_event_each() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let before = db.events(tenant.id()).await.len();
    let issued = issue(&db.ctx, &owner, key("restricted", &["keys.read"])).await.expect("issue");
    revoke(&db.ctx, &owner, issued.id, " Left the company ").await.expect("revoke");
    let events = db.events(tenant.id()).await;
    let [made, revoked] = &events[before..] else { panic!("{} events", events.len() - before) };
    for (event, action, permission) in
        [(made, "api_key.issued", "keys.issue"), (revoked, "api_key.revoked", "keys.revoke")]
    {
        assert_eq!(
            (event.action.as_str(), event.outcome, event.actor.permission.as_deref()),
            (action, Outcome::Success, Some(permission))
        );
        assert_eq!(
            (event.targets[0].id.clone(), event.targets[0].name.as_deref()),
            (issued.id.to_string(), Some("Key"))
        );
        assert_eq!(event.actor.id, owner.id());
    }
    let after = |field: &str| made.changes.iter().find(|change| change.field == field).expect(field).after.clone();
    assert_eq!((after("kind"), after("scopes")), ("restricted".into(), serde_json::json!(["keys.read"])));
    assert_eq!(revoked.changes[1].after, "Left the company");
}

// Who may ----------------------------------------------------------------------------------------------------------

/// By hand: what each role gets. `ok`, or the permission that is missing.
const ALLOWED: &str = "
    operation                owner admin developer   security    billing     viewer
    issue-live               ok    ok    audit.read  keys.issue  keys.issue  keys.issue
    issue-test               ok    ok    ok          keys.issue  keys.issue  keys.issue
    issue-audit.read         ok    ok    audit.read  keys.issue  keys.issue  keys.issue
    issue-keys.read          ok    ok    ok          keys.issue  keys.issue  keys.issue
    issue-keys.revoke        ok    ok    ok          keys.issue  keys.issue  keys.issue
    list                     ok    ok    ok          ok          keys.read   keys.read
    show                     ok    ok    ok          ok          keys.read   keys.read
    revoke                   ok    ok    ok          ok          keys.revoke keys.revoke
";

#[tokio::test]
async fn each_role_may_what_the_list_says() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let rows: Vec<Vec<&str>> =
        ALLOWED.lines().map(|line| line.split_whitespace().collect()).filter(|row: &Vec<_>| !row.is_empty()).collect();
    for row in &rows[1..] {
        for (column, role) in Role::ALL.into_iter().enumerate() {
            assert_eq!(rows[0][column + 1], role.as_str());
            let there = issue(&db.ctx, &tenant.actor(Role::Owner), key("test", &[])).await.expect("issue").id;
            let before = (
                db.number("select count(*) from api_keys").await,
                db.number("select count(*) from key_directory").await,
            );
            let events = db.events(tenant.id()).await.len();
            let actor = tenant.actor(role);
            let (action, done) = match row[0] {
                "issue-live" => ("api_key.issued", issue(&db.ctx, &actor, key("live", &[])).await.map(|_| ())),
                "issue-test" => ("api_key.issued", issue(&db.ctx, &actor, key("test", &[])).await.map(|_| ())),
                "list" => ("page.viewed", list(&db.ctx, &actor, None, 10, Action::PageViewed).await.map(|_| ())),
                "show" => ("page.viewed", show(&db.ctx, &actor, there, Action::PageViewed).await.map(|_| ())),
                "revoke" => ("api_key.revoked", revoke(&db.ctx, &actor, there, "").await.map(|_| ())),
                other => {
                    let scope = other.strip_prefix("issue-").expect("an operation");
                    ("api_key.issued", issue(&db.ctx, &actor, key("restricted", &[scope])).await.map(|_| ()))
                }
            };
            let expected = match row[column + 1] {
                "ok" => Ok(()),
                missing => Err(AppError::Forbidden(missing.into())),
            };
            assert_eq!(done, expected, "{} as {role}", row[0]);
            if let Err(AppError::Forbidden(missing)) = expected {
                let after = (
                    db.number("select count(*) from api_keys").await,
                    db.number("select count(*) from key_directory").await,
                );
                assert_eq!(after, before, "{} as {role} left something behind", row[0]);
                let status =
                    show(&db.ctx, &tenant.actor(Role::Owner), there, Action::PageViewed).await.expect("key").status;
                assert_eq!(status, Status::Active);
                let events = db.events(tenant.id()).await.split_off(events);
                let [denied] = events.as_slice() else { panic!("{} as {role}: {} events", row[0], events.len()) };
                assert_eq!((denied.action.as_str(), denied.outcome), (action, Outcome::Denied), "{} as {role}", row[0]);
                assert_eq!(denied.actor.permission.as_deref(), Some(missing.as_str()));
            }
        }
    }
}

#[tokio::test]
async fn a_key_cannot_make_keys_and_does_what_its_scopes_say() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let live = issue(&db.ctx, &owner, key("live", &[])).await.expect("issue");
    let actor = knock(&db, live.secret.expose()).await.actor;
    assert_eq!(
        issue(&db.ctx, &actor, key("test", &[])).await.expect_err("refused"),
        AppError::Forbidden("keys.issue".into())
    );
    assert_eq!(list(&db.ctx, &actor, None, 10, Action::ApiCalled).await.expect("list").keys.len(), 1);

    let reader = issue(&db.ctx, &owner, key("restricted", &["keys.read"])).await.expect("issue");
    let actor = knock(&db, reader.secret.expose()).await.actor;
    assert_eq!(list(&db.ctx, &actor, None, 10, Action::ApiCalled).await.expect("list").keys.len(), 2);
    assert_eq!(
        revoke(&db.ctx, &actor, live.id, "").await.expect_err("refused"),
        AppError::Forbidden("keys.revoke".into())
    );
    assert_eq!(refusal(&db, &live).await, None);

    let nobody = Actor { workspace: tenant.id(), ..Actor::anonymous(request()) };
    assert_eq!(
        list(&db.ctx, &nobody, None, 10, Action::ApiCalled).await.expect_err("refused"),
        AppError::Forbidden("keys.read".into())
    );
}

// Revoking ---------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_revoked_key_is_refused_at_the_very_next_call() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let [revoked, kept] =
        [issue(&db.ctx, &owner, key("live", &[])).await, issue(&db.ctx, &owner, key("live", &[])).await]
            .map(|key| key.expect("issue"));
    assert_eq!(refusal(&db, &revoked).await, None);
    let view = revoke(&db.ctx, &owner, revoked.id, "leaked").await.expect("revoke");
    assert_eq!((view.status, view.reason.as_deref()), (Status::Revoked, Some("leaked")));
    assert_eq!(refusal(&db, &revoked).await, unauthenticated("revoked_key"));
    assert_eq!(refusal(&db, &kept).await, None, "the other one stays");
}

#[tokio::test]
async fn revoking_again_changes_nothing_and_is_no_event() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let issued = issue(&db.ctx, &owner, key("test", &[])).await.expect("issue");
    let first = revoke(&db.ctx, &owner, issued.id, "first").await.expect("revoke");
    db.ctx.clock.advance(Duration::HOUR);
    let second = revoke(&db.ctx, &tenant.actor(Role::Security), issued.id, "second").await.expect("revoke");
    assert_eq!((&second.reason, second.revoked_at), (&Some("first".into()), first.revoked_at));
    assert_eq!(second, first);
    assert_eq!(db.count(tenant.id(), Action::ApiKeyRevoked).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoked_by_several_at_once_it_is_one_event() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    for round in 1..=5 {
        let issued = issue(&db.ctx, &owner, key("test", &[])).await.expect("issue");
        let views = join_all((0..6).map(|_| revoke(&db.ctx, &owner, issued.id, "race"))).await;
        for view in views {
            assert_eq!(view.expect("revoked").status, Status::Revoked);
        }
        assert_eq!(db.count(tenant.id(), Action::ApiKeyRevoked).await, round);
    }
}

#[tokio::test]
async fn a_reason_that_is_too_long_is_refused_and_nothing_is_revoked() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let issued = issue(&db.ctx, &owner, key("test", &[])).await.expect("issue");
    for reason in ["x".repeat(201), "two\nlines".into()] {
        let error = revoke(&db.ctx, &owner, issued.id, &reason).await.expect_err("refused");
        assert!(error.of_field("reason").is_some(), "{error:?}");
    }
    assert_eq!(refusal(&db, &issued).await, None);
    revoke(&db.ctx, &owner, issued.id, &"é".repeat(200)).await.expect("just fits");
}

// Recognising ------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_key_is_recognised_or_refused_for_what_is_wrong_with_it() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);

    let missing = recognise(&db.ctx, None, request()).await.expect("asked");
    assert_eq!(missing.refused, unauthenticated("missing_key"));
    let issued = issue(&db.ctx, &owner, key("restricted", &["keys.read", "audit.read"])).await.expect("issue");
    let whole = issued.secret.expose();
    for malformed in [
        "",
        "sk_live_",
        "Bearer",
        &whole[..whole.len() - 1],
        &whole.to_uppercase(),
        &format!("{whole} "),
        &whole.replace("sk_restr_", "sk_live_"),
        &"x".repeat(100_000),
    ] {
        let caller = knock(&db, malformed).await;
        assert_eq!(caller.refused, unauthenticated("malformed_key"), "{malformed:.80}");
        assert_eq!((caller.actor.workspace, caller.actor.who), (WorkspaceId::PLATFORM, Who::Anonymous));
        assert_eq!(caller.workspace, None);
    }
    let unknown = knock(&db, KeySecret::generate(Kind::Live).expose()).await;
    assert_eq!((unknown.refused, unknown.actor.who), (unauthenticated("unknown_key"), Who::Anonymous));

    let known = knock(&db, whole).await;
    assert_eq!((known.refused, known.actor.workspace), (None, tenant.id()));
    assert_eq!(known.workspace, Some(("acme".into(), "Acme".into())));
    let scopes = vec![Permission::KeysRead, Permission::AuditRead];
    assert_eq!(
        known.actor.who,
        Who::ApiKey { id: issued.id, name: "Key".into(), kind: Kind::Restricted, mode: Mode::Live, scopes }
    );
}

#[tokio::test]
async fn a_key_expires_to_the_second() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let new = NewKeyText { name: "Key".into(), kind: "test".into(), lifetime: "1".into(), ..NewKeyText::default() };
    let issued = issue(&db.ctx, &owner, new.parse().expect("key")).await.expect("issue");
    db.ctx.clock.advance(Duration::DAY - Duration::MINUTE);
    assert_eq!(refusal(&db, &issued).await, None);
    db.ctx.clock.advance(Duration::MINUTE);
    assert_eq!(refusal(&db, &issued).await, unauthenticated("expired_key"));
    let caller = knock(&db, issued.secret.expose()).await;
    assert_eq!(caller.actor.workspace, tenant.id(), "the refusal is seen by the workspace");
    assert_eq!(show(&db.ctx, &owner, issued.id, Action::PageViewed).await.expect("key").status, Status::Expired);
    revoke(&db.ctx, &owner, issued.id, "").await.expect("an expired key can be revoked");
    assert_eq!(refusal(&db, &issued).await, unauthenticated("revoked_key"));
}

#[tokio::test]
async fn a_scope_that_nobody_knows_opens_nothing() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let issued = issue(&db.ctx, &owner, key("restricted", &["keys.read"])).await.expect("issue");
    sqlx::query("update api_keys set scopes = '{keys.issue,messages.read,*}'")
        .execute(&db.superuser)
        .await
        .expect("scopes");
    let actor = knock(&db, issued.secret.expose()).await.actor;
    assert!(Permission::ALL.iter().all(|permission| !actor.may(*permission)), "keys.issue is no scope either");
}

// Last use ---------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn the_last_use_is_written_later_and_never_moves_back() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let [used, unused] =
        [issue(&db.ctx, &owner, key("live", &[])).await, issue(&db.ctx, &owner, key("live", &[])).await]
            .map(|key| key.expect("issue"));
    let last_use = async |id: KeyId| show(&db.ctx, &owner, id, Action::PageViewed).await.expect("key").last_used_at;
    let near =
        |time: Option<OffsetDateTime>| time.is_some_and(|time| (db.ctx.clock.now() - time).abs() < Duration::MINUTE);

    last_uses::flush(&db.ctx).await.expect("nothing to write");
    assert_eq!(refusal(&db, &used).await, None);
    assert_eq!(last_use(used.id).await, None, "not yet written");
    last_uses::flush(&db.ctx).await.expect("flush");
    let first = last_use(used.id).await;
    assert!(near(first));
    assert_eq!(last_use(unused.id).await, None);

    // A server whose clock is behind: before it is written, and after.
    db.ctx.clock.advance(Duration::HOUR);
    assert_eq!(refusal(&db, &used).await, None);
    db.ctx.clock.advance(-2 * Duration::HOUR);
    assert_eq!(refusal(&db, &used).await, None);
    last_uses::flush(&db.ctx).await.expect("flush");
    let latest = last_use(used.id).await;
    assert!(latest > first, "{latest:?} is not after {first:?}");
    assert_eq!(refusal(&db, &used).await, None);
    last_uses::flush(&db.ctx).await.expect("flush");
    assert_eq!(last_use(used.id).await, latest);

    // A refused call is no use.
    db.ctx.clock.advance(4 * Duration::HOUR);
    revoke(&db.ctx, &owner, used.id, "").await.expect("revoke");
    assert_eq!(refusal(&db, &used).await, unauthenticated("revoked_key"));
    last_uses::flush(&db.ctx).await.expect("flush");
    assert_eq!(last_use(used.id).await, latest);
}

// Across tenants and pages -----------------------------------------------------------------------------------------

#[tokio::test]
async fn another_tenants_key_is_not_there() {
    let db = TestDb::new().await;
    let (ours, theirs) = (db.workspace("Ours").await, db.workspace("Theirs").await);
    let owner = ours.actor(Role::Owner);
    let foreign = issue(&db.ctx, &theirs.actor(Role::Owner), key("live", &[])).await.expect("issue");
    let before = (db.events(ours.id()).await.len(), db.events(theirs.id()).await.len());
    for id in [foreign.id, KeyId::new()] {
        assert_eq!(show(&db.ctx, &owner, id, Action::PageViewed).await, Err(AppError::NotFound));
        assert_eq!(revoke(&db.ctx, &owner, id, "").await, Err(AppError::NotFound));
    }
    assert!(list(&db.ctx, &owner, None, 10, Action::PageViewed).await.expect("list").keys.is_empty());
    assert!(list(&db.ctx, &owner, Some(foreign.id), 10, Action::PageViewed).await.expect("list").keys.is_empty());
    assert_eq!(refusal(&db, &foreign).await, None);
    assert_eq!((db.events(ours.id()).await.len(), db.events(theirs.id()).await.len()), before);
}

#[tokio::test]
async fn pages_show_every_key_once_newest_first() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let mut ids = vec![];
    for _ in 0..7 {
        ids.push(issue(&db.ctx, &owner, key("test", &[])).await.expect("issue").id);
    }
    ids.reverse();
    for limit in [1, 3, 7, 100, 0, u32::MAX] {
        let (mut shown, mut after) = (vec![], None);
        loop {
            let page = list(&db.ctx, &owner, after, limit, Action::PageViewed).await.expect("page");
            assert!(page.keys.len() <= limit.clamp(1, 100) as usize);
            shown.extend(page.keys.iter().map(|key| key.id));
            after = page.older;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(shown, ids, "limit {limit}");
    }
}
