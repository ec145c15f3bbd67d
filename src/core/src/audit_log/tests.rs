//! The log on a real PostgreSQL: order without gaps, nothing without its event, nothing changed afterwards.

use super::{
    Action, Event, EventView, Filter, FilterText, Outcome, Place, Record,
    exports_tests::fill,
    operations::{list, list_of_platform, notable, show, show_of_platform},
    record::Personal,
};
use crate::{
    Actor, AppError,
    actor::{Request, Who},
    api_keys::{self, NewKey, NewKeyText},
    ids::{EventId, RequestId, SessionId, UserId, WorkspaceId},
    permissions::{Permission, Role},
    secrets,
    testing::{Tenant, TestDb, abandoned, request},
};
use futures::future::join_all;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Executor, PgConnection, PgPool};
use std::collections::BTreeSet;
use time::{Duration, OffsetDateTime};

pub(super) fn a_key(name: &str) -> NewKey {
    NewKeyText { name: name.into(), kind: "test".into(), ..NewKeyText::default() }.parse().expect("key")
}

/// `seq` is 1, 2, 3, … and time never runs back, in every workspace; and the heads are where the events end.
async fn assert_in_order(superuser: &PgPool) {
    let rows: Vec<(uuid::Uuid, i64, OffsetDateTime)> =
        sqlx::query_as("select workspace_id, seq, at from audit_events order by workspace_id, seq")
            .fetch_all(superuser)
            .await
            .expect("events");
    assert!(!rows.is_empty());
    for (n, row) in rows.iter().enumerate() {
        match n.checked_sub(1).map(|before| rows[before]).filter(|before| before.0 == row.0) {
            None => assert_eq!(row.1, 1),
            Some(before) => {
                assert_eq!(row.1, before.1 + 1, "a gap or a fork");
                assert!(row.2 >= before.2, "time ran back at {}", row.1);
            }
        }
    }
    let heads: Vec<(uuid::Uuid, i64, OffsetDateTime)> =
        sqlx::query_as("select workspace_id, next_seq - 1, last_at from audit_heads order by workspace_id")
            .fetch_all(superuser)
            .await
            .expect("heads");
    let ends: Vec<_> = rows
        .iter()
        .enumerate()
        .filter(|(n, row)| rows.get(n + 1).is_none_or(|next| next.0 != row.0))
        .map(|(_, row)| *row)
        .collect();
    assert_eq!(heads, ends);
}

/// The whole log, to see that nothing in it moved.
async fn everything(superuser: &PgPool) -> Vec<String> {
    sqlx::query_scalar("select e::text from audit_events e order by workspace_id, seq")
        .fetch_all(superuser)
        .await
        .expect("log")
}

async fn refusal(conn: &mut PgConnection, sql: &str) -> Option<String> {
    let error = conn.execute(AssertSqlSafe(sql)).await.expect_err(sql);
    error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned())
}

// Order ------------------------------------------------------------------------------------------------------------

/// Rounds of 20 actions for each writer: one here, 50 in `cargo xtask drill writers`.
fn rounds() -> usize {
    std::env::var("SEND0_TEST_ROUNDS").map_or(1, |rounds| rounds.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_in_order_without_gaps_under_32_writers() {
    let rounds = rounds();
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let ctx = &db.ctx;
    let writers = (0..32).map(|writer| {
        let actor = tenant.actor(Role::Owner);
        async move {
            let mut acknowledged = 0;
            for n in 0..20 * rounds {
                let issue = api_keys::operations::issue(ctx, &actor, a_key("Key"));
                match (writer + n) % 20 {
                    // A tenth changes its mind after the event is written …
                    0 | 10 => {
                        let mut tx = ctx.db.change(&actor).await.expect("begin");
                        tx.also(Event::new(Action::ApiKeyIssued).on("api_key", "none", None)).await.expect("event");
                    }
                    // … and every twentieth goes away in the middle, each elsewhere.
                    5 => acknowledged += usize::from(abandoned(issue, writer % 12).await.is_some()),
                    _ => {
                        issue.await.expect("issue");
                        acknowledged += 1;
                    }
                }
            }
            acknowledged
        }
    });
    let acknowledged: usize = join_all(writers).await.into_iter().sum();
    assert_in_order(&db.superuser).await;
    let events = db.events(tenant.id()).await;
    let issued: Vec<String> =
        events.iter().filter(|e| e.action == "api_key.issued").map(|e| e.targets[0].id.clone()).collect();
    let keys: Vec<uuid::Uuid> =
        sqlx::query_scalar("select key_id from api_keys").fetch_all(&db.superuser).await.expect("keys");
    let keys: BTreeSet<String> = keys.into_iter().map(|id| crate::ids::KeyId(id).to_string()).collect();
    assert_eq!(issued.len(), keys.len());
    assert_eq!(issued.into_iter().collect::<BTreeSet<_>>(), keys, "each key has its event, each event its key");
    assert!((acknowledged..=acknowledged + 32 * rounds).contains(&keys.len()), "whoever was told so has a key");
    assert!(acknowledged >= 32 * 17 * rounds);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_over_several_workspaces_never_block_each_other_for_good() {
    let db = TestDb::new().await;
    let mut places = vec![];
    for name in ["Anna", "Bert", "Carl", "Dora"] {
        places.push(db.workspace(name).await.id());
    }
    let before = db.number("select count(*) from audit_events").await;
    let tasks = (0..8).map(|task| {
        let (db, places) = (&db, &places);
        async move {
            for n in 0..15 {
                // Every task goes through the workspaces in another order, some twice.
                let of = |step: usize| Actor::cli(places[(task + n + step * (1 + task % 3)) % 4], request());
                let records: Vec<Record> =
                    (0..6).map(|step| Record::new(&of(step), Event::new(Action::ApiCalled)).expect("record")).collect();
                let mut conn = db.ctx.db.auth.acquire().await.expect("connection");
                Record::append_all(&records, &mut conn).await.expect("no deadlock");
                // Between them, changes that lock one head each.
                let actor = of(n);
                let tx = db.ctx.db.change(&actor).await.expect("begin");
                tx.commit(Event::new(Action::ApiKeyRevoked)).await.expect("commit");
            }
        }
    });
    join_all(tasks).await;
    assert_in_order(&db.superuser).await;
    assert_eq!(db.number("select count(*) from audit_events").await, before + 8 * 15 * 7);
}

#[tokio::test]
async fn a_batch_keeps_the_order_in_which_it_was_given() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let actor = tenant.actor(Role::Owner);
    let actions = [Action::ApiCalled, Action::PageViewed, Action::SessionStarted, Action::SessionEnded];
    let records: Vec<Record> =
        actions.iter().map(|action| Record::new(&actor, Event::new(*action)).expect("record")).collect();
    Record::append_all(&records, &mut db.ctx.db.auth.acquire().await.expect("connection")).await.expect("append");
    let events = db.events(tenant.id()).await;
    let last: Vec<&str> = events[events.len() - 4..].iter().map(|event| event.action.as_str()).collect();
    assert_eq!(last, actions.map(Action::as_str));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alike_refusals_of_nobody_known_are_counted_together() {
    let db = TestDb::new().await;
    let knock = |agent: &'static str| {
        let ctx = &db.ctx;
        let request = Request::new(RequestId::new(), "GET", "/v1/me", Some("203.0.113.9".into()), Some(agent));
        async move {
            let event = Event::new(Action::ApiCalled).because(Outcome::Denied, "malformed_key");
            ctx.log_call(&Actor::anonymous(request), event).await.expect("logged");
        }
    };
    join_all((0..40).map(|_| knock("curl")).chain((0..3).map(|_| knock("wget")))).await;
    let events = db.events(WorkspaceId::PLATFORM).await;
    let of =
        |agent: &str| events.iter().filter(|event| event.request.agent.as_deref() == Some(agent)).collect::<Vec<_>>();
    let sum = |agent: &str| of(agent).iter().map(|event| event.count.unwrap_or(1)).sum::<u32>();
    assert_eq!((sum("curl"), sum("wget")), (40, 3));
    assert!(of("curl").len() < 40, "a flood does not fill the log");
    assert!(of("curl").iter().all(|event| event.count != Some(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_somebody_known_are_each_an_event() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let event = || Event::new(Action::ApiCalled).because(Outcome::Denied, "missing_permission");
    let actor = tenant.actor(Role::Viewer);
    join_all((0..20).map(|_| db.ctx.log_call(&actor, event())))
        .await
        .into_iter()
        .for_each(|done| done.expect("logged"));
    assert_eq!(db.count(tenant.id(), Action::ApiCalled).await, 20);
}

#[tokio::test]
async fn many_calls_at_once_are_a_crowd_and_one_is_none() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let actor = tenant.actor(Role::Viewer);
    db.ctx.log_call(&actor, Event::new(Action::ApiCalled)).await.expect("logged");
    assert!(!db.ctx.is_crowded());
    join_all((0..64).map(|_| db.ctx.log_call(&actor, Event::new(Action::ApiCalled)))).await;
    assert!(db.ctx.is_crowded());
}

#[tokio::test]
async fn a_log_that_cannot_be_written_to_holds_up_no_other() {
    let db = TestDb::new().await;
    let (stuck, tenant, other) =
        (db.workspace("Stuck").await, db.workspace("Acme").await, db.workspace("Globex").await);
    // Somebody has put an event where its next one belongs.
    let stray = "insert into audit_events select workspace_id, seq + 1, event_id, at, action, outcome, actor_kind, actor_id, body, personal, salt
        from audit_events where workspace_id = $1 order by seq desc limit 1";
    sqlx::query(stray).bind(stuck.id().0).execute(&db.superuser).await.expect("put there");
    let actors = [&tenant, &stuck, &other, &tenant].map(|one| one.actor(Role::Owner));
    let calls = actors.iter().map(|actor| db.ctx.log_call(actor, Event::new(Action::ApiCalled)));
    assert_eq!(join_all(calls).await, [Ok(()), Err(AppError::Unavailable), Ok(()), Ok(())]);
    assert_eq!(db.count(tenant.id(), Action::ApiCalled).await, 2);
    assert_eq!(db.count(other.id(), Action::ApiCalled).await, 1);
}

#[tokio::test]
async fn of_an_event_that_cannot_be_read_what_is_left_is_shown() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let event = || Event::new(Action::ApiKeyRevoked).on("api_key", "key_1", Some("CI"));
    db.ctx.log_call(&owner, event()).await.expect("logged");
    let before = db.events(tenant.id()).await.pop().expect("an event");
    let damaged = async |what: &'static str| {
        db.superuser.execute("alter table audit_events disable trigger append_only").await.expect("superuser");
        db.superuser.execute(what).await.expect("damaged");
        show(&db.ctx, &owner, before.id, Action::PageViewed).await.expect("shown")
    };
    let nameless = damaged("update audit_events set personal = 'x' where action = 'api_key.revoked'").await;
    assert_eq!((nameless.actor.name, nameless.request.address, nameless.targets[0].name.clone()), (None, None, None));
    assert_eq!((&nameless.targets[0].id, &nameless.request.path), (&before.targets[0].id, &before.request.path));
    let bodiless = damaged("update audit_events set body = '{}' where action = 'api_key.revoked'").await;
    assert_eq!((bodiless.seq, bodiless.time, bodiless.id), (before.seq, before.time, before.id));
    assert_eq!(
        (bodiless.action, bodiless.outcome, bodiless.actor.id),
        (before.action, before.outcome, before.actor.id)
    );
    assert_eq!((bodiless.reason.as_deref(), bodiless.targets), (Some("unreadable"), vec![]));
}

// Nothing without its event, no event without its change -----------------------------------------------------------

#[tokio::test]
async fn dropped_before_its_commit_nothing_happened() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let before = everything(&db.superuser).await;
    let mut tx = db.ctx.db.change(&tenant.actor(Role::Owner)).await.expect("begin");
    sqlx::query("update workspaces set name = 'Other'").execute(tx.conn()).await.expect("change");
    tx.also(Event::new(Action::WorkspaceCreated)).await.expect("event");
    drop(tx);
    assert_eq!(everything(&db.superuser).await, before);
    assert_eq!(db.number("select count(*) from workspaces where name = 'Other'").await, 0);
    // The next event takes the number that was given back.
    let next = db.ctx.db.change(&tenant.actor(Role::Owner)).await.expect("begin");
    next.commit(Event::new(Action::PageViewed)).await.expect("commit");
    assert_in_order(&db.superuser).await;
}

#[tokio::test]
async fn when_the_log_cannot_be_written_nothing_is_done() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let (owner, viewer) = (tenant.actor(Role::Owner), tenant.actor(Role::Viewer));
    let before = everything(&db.superuser).await;
    for broken in [
        "revoke execute on function append_event from send0_app; revoke execute on function append_events from send0_auth",
        "create function broken() returns trigger language plpgsql as $$ begin raise exception 'disk full' using errcode = '53100'; end $$;
         create trigger broken before insert on audit_events for each row execute function broken();
         grant execute on function append_event to send0_app; grant execute on function append_events to send0_auth",
    ] {
        db.superuser.execute(AssertSqlSafe(broken)).await.expect("break it");
        let error = api_keys::operations::issue(&db.ctx, &owner, a_key("Key")).await.expect_err("no log, no key");
        assert!(matches!(error, AppError::Unavailable | AppError::Internal), "{error:?}");
        // A refusal that cannot be written down is no refusal either: the call fails.
        let error = show(&db.ctx, &viewer, EventId::new(), Action::PageViewed).await.expect_err("no log, no answer");
        assert!(matches!(error, AppError::Unavailable | AppError::Internal), "{error:?}");
        let search = Filter { outcome: Some(Outcome::Denied), ..Filter::default() };
        let error = list(&db.ctx, &owner, &search, Place::Top, 10, Action::PageViewed).await.expect_err("no log, no search");
        assert!(matches!(error, AppError::Unavailable | AppError::Internal), "{error:?}");
        assert!(!owner.request.is_logged() && !viewer.request.is_logged());
        assert_eq!(db.number("select (select count(*) from api_keys) + (select count(*) from key_directory)").await, 0);
        assert_eq!(everything(&db.superuser).await, before);
    }
    db.superuser.execute("drop trigger broken on audit_events").await.expect("mend it");
    api_keys::operations::issue(&db.ctx, &owner, a_key("Key")).await.expect("works again");
    assert!(owner.request.is_logged());
}

#[tokio::test]
async fn a_denial_is_one_event_that_names_the_permission_and_changes_nothing() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let before = db.events(tenant.id()).await.len();
    let viewer = tenant.actor(Role::Viewer);
    let refused = api_keys::operations::issue(&db.ctx, &viewer, a_key("Key")).await.expect_err("refused");
    assert_eq!(refused, AppError::Forbidden("keys.issue".into()));
    let events = db.events(tenant.id()).await;
    let [denied] = &events[before..] else { panic!("{} events", events.len() - before) };
    assert_eq!(
        (denied.action.as_str(), denied.outcome, denied.reason.as_deref()),
        ("api_key.issued", Outcome::Denied, Some("missing_permission"))
    );
    assert_eq!(denied.actor.permission.as_deref(), Some("keys.issue"));
    assert_eq!((denied.actor.id.clone(), denied.actor.role.as_deref()), (viewer.id(), Some("viewer")));
    assert!(viewer.request.is_logged());
    assert_eq!(db.number("select (select count(*) from api_keys) + (select count(*) from key_directory)").await, 0);
}

// Append-only ------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn the_app_can_neither_write_nor_rewind_the_log() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let before = everything(&db.superuser).await;
    let mut app = db.connect("send0_app").await;
    app.execute(AssertSqlSafe(format!("set send0.workspace_id = '{}'", tenant.id().0))).await.expect("set");
    assert_eq!(
        app.execute("select from audit_events").await.expect("it can read").rows_affected(),
        before.len() as u64
    );
    for forbidden in [
        "insert into audit_events (workspace_id, seq, event_id, at, action, outcome, actor_kind, actor_id, body)
            select workspace_id, 99, event_id, at, action, outcome, actor_kind, actor_id, body from audit_events limit 1",
        "update audit_events set action = 'nothing'",
        "update audit_events set personal = null, salt = null",
        "delete from audit_events",
        "truncate audit_events",
        "truncate audit_events_0",
        "select from audit_heads",
        "insert into audit_heads (workspace_id, next_seq, last_at) values (gen_random_uuid(), 1, now())",
        "update audit_heads set next_seq = 1",
        "delete from audit_heads",
        "truncate audit_heads",
        "alter table audit_events disable trigger all",
        "set session_replication_role = replica",
        "drop table audit_events",
        "select append_events(null, null, null, null, null, null, null, null, null)",
        "set role send0_log",
        "set role send0_owner",
    ] {
        assert_eq!(refusal(&mut app, forbidden).await.as_deref(), Some("42501"), "{forbidden}");
    }
    for login in ["send0_auth", "send0_worker", "send0_auditor"] {
        let mut conn = db.connect(login).await;
        conn.execute(AssertSqlSafe(format!("set send0.workspace_id = '{}'", tenant.id().0))).await.expect("set");
        for forbidden in [
            "update audit_events set action = 'nothing'",
            "delete from audit_events",
            "truncate audit_events",
            "update audit_heads set next_seq = 1",
        ] {
            assert_eq!(refusal(&mut conn, forbidden).await.as_deref(), Some("42501"), "{login}: {forbidden}");
        }
        let append = "select append_event(gen_random_uuid(), '', 'success', '', '', '', null, null)";
        assert_eq!(refusal(&mut conn, append).await.as_deref(), Some("42501"), "{login}");
    }
    assert_eq!(everything(&db.superuser).await, before);
}

#[tokio::test]
async fn nobody_appends_without_a_tenant() {
    let db = TestDb::new().await;
    let mut app = db.connect("send0_app").await;
    let append = "select append_event(gen_random_uuid(), '', 'success', '', '', '', null, null)";
    assert_eq!(refusal(&mut app, append).await.as_deref(), Some("23502"));
}

#[tokio::test]
async fn not_even_the_superuser_changes_the_log() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let before = everything(&db.superuser).await;
    let part: String = sqlx::query_scalar("select tableoid::regclass::text from audit_events limit 1")
        .fetch_one(&db.superuser)
        .await
        .expect("partition");
    let changes = |table: &str| {
        [
            format!("update {table} set action = 'nothing'"),
            format!("update {table} set at = at - interval '1 day'"),
            format!("update {table} set body = '{{}}'"),
            format!("update {table} set body = '{{}}', personal = null, salt = null"),
            format!("update {table} set seq = seq + 100, personal = null, salt = null"),
            format!("update {table} set workspace_id = gen_random_uuid(), personal = null, salt = null"),
            format!("update {table} set personal = '{{}}'"),
            format!("update {table} set salt = '\\x00'"),
            format!("update {table} set personal = personal"),
            format!("delete from {table}"),
            format!("truncate {table}"),
        ]
    };
    let mut superuser = db.connect(db.options.get_username()).await;
    let mut owner = db.connect("send0_migrator").await;
    owner.execute("set role send0_owner").await.expect("owner");
    // Row-level security is forced on the owner, who therefore sees no row to change …
    for change in changes("audit_events") {
        let done = owner.execute(AssertSqlSafe(change.as_str())).await;
        let untouched = match &done {
            Ok(done) => done.rows_affected() == 0,
            Err(error) => error.as_database_error().and_then(|error| error.code()).as_deref() == Some("42501"),
        };
        assert!(untouched, "{change}: {done:?}");
    }
    // … and without it meets the trigger, as does the superuser, in a replica too.
    owner.execute("alter table audit_events no force row level security").await.expect("owner");
    for table in ["audit_events", &part] {
        for change in changes(table) {
            assert_eq!(refusal(&mut superuser, &change).await.as_deref(), Some("42501"), "superuser: {change}");
            if table == "audit_events" {
                assert_eq!(refusal(&mut owner, &change).await.as_deref(), Some("42501"), "owner: {change}");
            }
        }
    }
    superuser.execute("set session_replication_role = replica").await.expect("replica");
    for table in ["audit_events", &part] {
        for change in changes(table) {
            assert_eq!(refusal(&mut superuser, &change).await.as_deref(), Some("42501"), "replica: {change}");
        }
    }
    assert_eq!(refusal(&mut superuser, "truncate audit_events, audit_heads cascade").await.as_deref(), Some("42501"));
    assert_eq!(everything(&db.superuser).await, before);
    assert_eq!(db.events(tenant.id()).await.len(), 2);
}

#[tokio::test]
async fn erasing_a_person_leaves_the_event() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let issued = api_keys::operations::issue(&db.ctx, &owner, a_key("Name of a person")).await.expect("issue");
    let before = db.events(tenant.id()).await.pop().expect("event");
    let bodies = "select string_agg(workspace_id::text || seq || event_id || at || action || outcome || actor_kind || actor_id || body, '' order by seq) from audit_events";
    let whole: String = sqlx::query_scalar(bodies).fetch_one(&db.superuser).await.expect("bodies");
    db.superuser.execute("update audit_events set personal = null, salt = null").await.expect("erased");
    // A second time there is nothing to do, and nothing is put back.
    db.superuser.execute("update audit_events set personal = null, salt = null").await.expect("erased");
    let mut superuser = db.connect(db.options.get_username()).await;
    let back = "update audit_events set personal = '{}', salt = '\\x00'";
    assert_eq!(refusal(&mut superuser, back).await.as_deref(), Some("42501"));

    let after = db.events(tenant.id()).await.pop().expect("event");
    assert_eq!(
        (after.seq, after.id, after.time, &after.action, &after.actor.id),
        (before.seq, before.id, before.time, &before.action, &before.actor.id)
    );
    assert_eq!(after.targets[0].id, issued.id.to_string());
    assert_eq!((before.targets[0].name.as_deref(), after.targets[0].name.as_deref()), (Some("Name of a person"), None));
    assert_eq!((after.actor.name, after.request.address, after.request.agent), (None, None, None));
    assert!(after.changes.iter().all(|change| change.after.is_null()));
    assert_eq!(sqlx::query_scalar::<_, String>(bodies).fetch_one(&db.superuser).await.expect("bodies"), whole);
    assert!(!db.tables_with("Name of a person").await.contains(&"audit_events".into()));
}

// What is stored ---------------------------------------------------------------------------------------------------

#[tokio::test]
async fn the_body_commits_to_what_identifies_people_and_holds_none_of_it() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Marked workspace").await;
    let marked = |name: &str| {
        let who = Who::User {
            id: UserId::new(),
            name: name.into(),
            role: Role::Owner,
            session: Some(SessionId::new()),
            proof: crate::testing::PROVEN,
        };
        let request = Request::new(
            RequestId::new(),
            "POST",
            "/w/acme/keys",
            Some("198.51.100.99".into()),
            Some("marked-agent/9"),
        );
        Actor { workspace: tenant.id(), who, request }
    };
    let actor = marked("Marked Person");
    let issued = api_keys::operations::issue(&db.ctx, &actor, a_key("marked key")).await.expect("issue");
    api_keys::operations::revoke(&db.ctx, &actor, issued.id, "marked reason").await.expect("revoke");
    let search = Filter { actor: Some("marked@person.example".into()), ..Filter::default() };
    list(&db.ctx, &actor, &search, Place::Top, 10, Action::PageViewed).await.expect("search");
    crate::accounts::operations::sign_in(&db.ctx, &actor.request, "owner@marked-workspace.example", "wrong".into())
        .await
        .expect_err("wrong");

    let rows: Vec<(String, String, Vec<u8>)> =
        sqlx::query_as("select body, personal, salt from audit_events order by workspace_id, seq")
            .fetch_all(&db.superuser)
            .await
            .expect("rows");
    let everyones = rows.iter().map(|row| row.1.as_str()).collect::<String>();
    for mark in [
        "Marked Person",
        "marked key",
        "marked reason",
        "marked@person.example",
        "owner@marked-workspace.example",
        "Owner of Marked",
        "198.51.100.99",
        "203.0.113.7",
        "marked-agent/9",
    ] {
        assert!(everyones.contains(mark), "{mark} is meant to be kept, apart");
        for (body, ..) in &rows {
            assert!(!body.contains(mark), "{mark} is in {body}");
        }
    }
    let mut salts = BTreeSet::new();
    for (body, personal, salt) in &rows {
        let value: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(serde_jcs::to_string(&value).expect("canonical"), *body, "canonical (RFC 8785)");
        let mut hash = Sha256::new();
        hash.update(b"\x01send0 audit personal v1\0");
        hash.update(salt);
        hash.update(personal.as_bytes());
        assert_eq!(value["commitment"], secrets::hex(&hash.finalize()));
        assert_eq!(salt.len(), 32);
        assert!(salts.insert(salt.clone()), "every event has a salt of its own");
        serde_json::from_str::<Personal>(personal).expect("readable");
    }
}

#[tokio::test]
async fn the_columns_say_what_the_body_says() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    api_keys::operations::issue(&db.ctx, &tenant.actor(Role::Viewer), a_key("Key")).await.expect_err("refused");
    api_keys::operations::issue(&db.ctx, &tenant.actor(Role::Owner), a_key("Key")).await.expect("issued");
    type Row = (uuid::Uuid, uuid::Uuid, String, String, String, String, String);
    let rows: Vec<Row> =
        sqlx::query_as("select workspace_id, event_id, action, outcome, actor_kind, actor_id, body from audit_events")
            .fetch_all(&db.superuser)
            .await
            .expect("rows");
    assert!(rows.len() >= 4);
    for (workspace, id, action, outcome, kind, actor, body) in rows {
        let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(body["workspace"], WorkspaceId(workspace).to_string());
        assert_eq!(body["id"], EventId(id).to_string());
        assert_eq!((&body["action"], &body["outcome"]), (&action.into(), &outcome.into()));
        assert_eq!((&body["actor"]["kind"], &body["actor"]["id"]), (&kind.into(), &actor.into()));
    }
}

#[tokio::test]
async fn hostile_text_is_kept_as_it_is_and_stays_text() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let nasty = "a\r\nb\u{1b}[31m\u{202e}\0'; drop table audit_events; --\u{1f600}\\u0000";
    let who = Who::User {
        id: UserId::new(),
        name: nasty.into(),
        role: Role::Owner,
        session: None,
        proof: crate::testing::PROVEN,
    };
    let actor =
        Actor { workspace: tenant.id(), who, request: Request::new(RequestId::new(), "GET", "/", None, Some(nasty)) };
    let event = Event::new(Action::PageViewed).on("page", "p", Some(nasty)).change("text", nasty, nasty);
    db.ctx.log_call(&actor, event).await.expect("logged");
    let last = db.events(tenant.id()).await.pop().expect("event");
    assert_eq!(
        (last.actor.name.as_deref(), last.request.agent.as_deref(), last.targets[0].name.as_deref()),
        (Some(nasty), Some(nasty), Some(nasty))
    );
    assert_eq!(last.changes[0].after, nasty);
    let stored: String =
        sqlx::query_scalar("select body || personal from audit_events order by at desc, seq desc limit 1")
            .fetch_one(&db.superuser)
            .await
            .expect("row");
    assert!(!stored.contains(['\r', '\n', '\u{1b}']), "one event is one line");
}

// Reading ----------------------------------------------------------------------------------------------------------

/// A log with several actors, actions and outcomes.
pub(super) async fn eventful(db: &TestDb) -> (Tenant, UserId) {
    let tenant = db.workspace("Acme").await;
    let other = db.member(&tenant, Role::Developer).await;
    let (owner, viewer) = (tenant.actor(Role::Owner), tenant.actor(Role::Viewer));
    let developer = tenant.acting(other, Role::Developer);
    for n in 0..4 {
        let by = if n % 2 == 0 { &owner } else { &developer };
        let issued = api_keys::operations::issue(&db.ctx, by, a_key("Key")).await.expect("issue");
        api_keys::operations::issue(&db.ctx, &viewer, a_key("Key")).await.expect_err("refused");
        api_keys::operations::revoke(&db.ctx, by, issued.id, "").await.expect("revoke");
        let failed = Event::new(Action::ApiCalled).because(Outcome::Failed, "unavailable");
        db.ctx.log_call(&Actor::cli(tenant.id(), request()), failed).await.expect("logged");
    }
    (tenant, other)
}

#[tokio::test]
async fn filters_find_what_they_name_and_nothing_else() {
    let db = TestDb::new().await;
    let (tenant, developer) = eventful(&db).await;
    let neighbour = db.workspace("Neighbour").await;
    let owner = tenant.actor(Role::Owner);
    let events = db.events(tenant.id()).await;
    let [early, late] = [events[4].time, events[10].time];
    let text = |time: OffsetDateTime| time.format(&time::format_description::well_known::Rfc3339).expect("time");
    let id = developer.to_string();
    type Test<'a> = Box<dyn Fn(&EventView) -> bool + 'a>;
    let by = |f: &dyn Fn(&mut FilterText)| {
        let mut filter = FilterText::default();
        f(&mut filter);
        filter.parse().expect("filter")
    };
    let cases: Vec<(Filter, Test)> = vec![
        (by(&|f| f.actor = id.clone()), Box::new(|e| e.actor.id == id)),
        (by(&|f| f.actor = " Developer@acme.example ".into()), Box::new(|e| e.actor.id == id)),
        (by(&|f| f.actor = "cli".into()), Box::new(|e| e.actor.id == "cli")),
        (by(&|f| f.action = "api_key.issued".into()), Box::new(|e| e.action == "api_key.issued")),
        (by(&|f| f.action = "api_key.*".into()), Box::new(|e| e.action.starts_with("api_key."))),
        (by(&|f| f.outcome = "denied".into()), Box::new(|e| e.outcome == Outcome::Denied)),
        (by(&|f| f.outcome = "failed".into()), Box::new(|e| e.outcome == Outcome::Failed)),
        (by(&|f| f.outcome = "success".into()), Box::new(|e| e.outcome == Outcome::Success)),
        (by(&|f| f.from = text(early)), Box::new(|e| e.time >= early)),
        (by(&|f| f.to = text(late)), Box::new(|e| e.time < late)),
        (by(&|f| (f.from, f.to) = (text(early), text(late))), Box::new(|e| e.time >= early && e.time < late)),
        (
            by(&|f| (f.from, f.action, f.actor) = (text(early), "api_key.*".into(), id.clone())),
            Box::new(|e| e.time >= early && e.action.starts_with("api_key.") && e.actor.id == id),
        ),
    ];
    for (filter, expected) in cases {
        let page = list(&db.ctx, &owner, &filter, Place::Top, 100, Action::PageViewed).await.expect("page");
        // What is there afterwards: the search itself may be among what it looks for.
        let mut all = db.events(tenant.id()).await;
        all.reverse();
        all.retain(|event| expected(event));
        assert!(!all.is_empty(), "{filter:?} is meant to find something");
        assert_eq!(page.events, all, "{filter:?}");
    }
    for nothing in [
        by(&|f| f.actor = "nobody@acme.example".into()),
        by(&|f| f.actor = "owner@neighbour.example".into()),
        by(&|f| f.actor = neighbour.made.user.to_string()),
        by(&|f| f.action = "page.viewed".into()),
        by(&|f| (f.from, f.to) = (text(late), text(early))),
        by(&|f| f.from = text(OffsetDateTime::now_utc() + Duration::DAY)),
        by(&|f| f.to = text(events[0].time)),
    ] {
        let page = list(&db.ctx, &owner, &nothing, Place::Top, 100, Action::PageViewed).await.expect("page");
        assert_eq!((page.events, page.older, page.newer), (vec![], None, None), "{nothing:?}");
    }
}

#[tokio::test]
async fn pages_show_every_event_once_in_both_directions() {
    let db = TestDb::new().await;
    let (tenant, _) = eventful(&db).await;
    let owner = tenant.actor(Role::Owner);
    for filter in [Filter::default(), Filter { actions: Action::matching("api_key.*"), ..Filter::default() }] {
        for limit in [1, 3, 4, 100] {
            let page =
                async |place| list(&db.ctx, &owner, &filter, place, limit, Action::PageViewed).await.expect("page");
            let mut expected: Vec<i64> = db
                .events(tenant.id())
                .await
                .iter()
                .filter(|event| filter.actions.is_empty() || event.action.starts_with("api_key."))
                .map(|event| event.seq)
                .collect();
            expected.reverse();

            let mut down = vec![];
            let mut place = Some(Place::Top);
            let mut last = None;
            while let Some(here) = place {
                let shown = page(here).await;
                assert_eq!(shown.newer.is_none(), here == Place::Top, "only the first page has nothing newer");
                assert!(shown.events.len() <= limit as usize && !shown.events.is_empty());
                last = shown.newer;
                down.push(shown.events.iter().map(|event| event.seq).collect::<Vec<_>>());
                place = shown.older.map(Place::Older);
            }
            assert_eq!(down.concat(), expected);

            let mut up = vec![];
            let mut place = last.map(Place::Newer);
            while let Some(here) = place {
                let shown = page(here).await;
                up.push(shown.events.iter().map(|event| event.seq).collect::<Vec<_>>());
                place = shown.newer.map(Place::Newer);
            }
            up.reverse();
            let above: Vec<i64> = down[..down.len() - 1].concat();
            assert_eq!(up.concat(), above, "upwards from the last page, limit {limit}");
        }
    }
}

#[tokio::test]
async fn what_is_no_routine_is_found_behind_any_number_of_calls() {
    let db = TestDb::new().await;
    let (tenant, other) = (db.workspace("Acme").await, db.workspace("Birch").await);
    let owner = tenant.actor(Role::Owner);
    for name in ["First", "Second", "Third"] {
        api_keys::operations::issue(&db.ctx, &owner, a_key(name)).await.expect("issued");
    }
    api_keys::operations::issue(&db.ctx, &other.actor(Role::Owner), a_key("Theirs")).await.expect("issued");
    // More than a search goes through in the time of a page.
    fill(&db, &tenant, 20_000).await;
    let found = notable(&db.ctx, &owner, 2).await.expect("found");
    let named: Vec<_> = found.iter().map(|event| (event.action.as_str(), event.targets[0].name.as_deref())).collect();
    assert_eq!(named, [("api_key.issued", Some("Third")), ("api_key.issued", Some("Second"))]);
    let mine = notable(&db.ctx, &owner, 100).await.expect("found");
    assert!(mine.iter().all(|event| event.action != Action::ApiCalled.as_str()) && mine.len() >= 4);
    assert!(mine.is_sorted_by(|newer, older| newer.seq > older.seq));
}

#[tokio::test]
async fn another_tenants_event_is_not_there() {
    let db = TestDb::new().await;
    let (ours, theirs) = (db.workspace("Ours").await, db.workspace("Theirs").await);
    let owner = ours.actor(Role::Owner);
    let own = db.events(ours.id()).await[0].clone();
    let foreign = db.events(theirs.id()).await[0].id;
    assert_eq!(show(&db.ctx, &owner, own.id, Action::PageViewed).await.expect("own"), own);
    assert_eq!(show(&db.ctx, &owner, foreign, Action::PageViewed).await, Err(AppError::NotFound));
    assert_eq!(show(&db.ctx, &owner, EventId::new(), Action::PageViewed).await, Err(AppError::NotFound));
    let page = list(&db.ctx, &owner, &Filter::default(), Place::Top, 100, Action::PageViewed).await.expect("page");
    assert!(!page.events.is_empty() && page.events.iter().all(|event| event.workspace == ours.id()));
}

#[tokio::test]
async fn each_role_reads_the_log_or_is_refused_and_noted() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let id = db.events(tenant.id()).await[0].id;
    for (role, may) in [
        (Role::Owner, true),
        (Role::Admin, true),
        (Role::Security, true),
        (Role::Developer, false),
        (Role::Billing, false),
        (Role::Viewer, false),
    ] {
        let actor = tenant.actor(role);
        let before = db.events(tenant.id()).await.len();
        let listed = list(&db.ctx, &actor, &Filter::default(), Place::Top, 10, Action::PageViewed)
            .await
            .map(|page| page.events.len());
        let shown = show(&db.ctx, &actor, id, Action::PageViewed).await.map(|event| event.id);
        let events = db.events(tenant.id()).await;
        if may {
            assert_eq!((listed, shown), (Ok(before.min(10)), Ok(id)), "{role}");
            assert_eq!(events.len(), before, "{role}: looking at the newest is no event");
        } else {
            let refused = AppError::Forbidden("audit.read".into());
            assert_eq!((listed, shown), (Err(refused.clone()), Err(refused)), "{role}");
            let denied = &events[before..];
            assert_eq!(denied.len(), 2, "{role}");
            for event in denied {
                assert_eq!((event.action.as_str(), event.outcome), ("page.viewed", Outcome::Denied));
                assert_eq!(
                    (event.actor.permission.as_deref(), event.actor.role.as_deref()),
                    (Some("audit.read"), Some(role.as_str()))
                );
            }
        }
    }
}

#[tokio::test]
async fn a_search_is_itself_an_event() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let filter = FilterText {
        actor: "cli".into(),
        action: "member.*".into(),
        outcome: "success".into(),
        from: "2026-01-01".into(),
        to: "2100-01-01".into(),
        q: "-source:api \"two words\"".into(),
    };
    list(&db.ctx, &owner, &filter.parse().expect("filter"), Place::Top, 10, Action::PageViewed).await.expect("page");
    assert!(owner.request.is_logged());
    let event = db.events(tenant.id()).await.pop().expect("event");
    assert_eq!((event.action.as_str(), event.outcome), ("audit_log.searched", Outcome::Success));
    assert_eq!(event.actor.permission.as_deref(), Some(Permission::AuditRead.as_str()));
    let fields: Vec<&str> = event.changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(fields, ["actor", "action", "outcome", "from", "to", "q"]);
    assert_eq!(event.changes[5].after, "-source:api \"two words\"");
    assert_eq!((&event.changes[0].after, &event.changes[2].after), (&"cli".into(), &"success".into()));
}

// The platform's ---------------------------------------------------------------------------------------------------

#[tokio::test]
async fn operators_read_the_log_of_the_platform_page_by_page() {
    let db = TestDb::new().await;
    let (ops, tenant) = (db.operator().await, db.workspace("Acme").await);
    for _ in 0..4 {
        let refused = Event::new(Action::ApiCalled).because(Outcome::Denied, "missing_key");
        db.ctx.log_call(&Actor::anonymous(request()), refused).await.expect("written");
    }
    let all = Filter::default();
    let look = async |filter: &Filter, place| list_of_platform(&db.ctx, &ops, filter, place, 3).await.expect("a page");
    let seqs = |page: &super::Page| page.events.iter().map(|event| event.seq).collect::<Vec<_>>();
    let top = look(&all, Place::Top).await;
    assert_eq!((seqs(&top), top.older, top.newer), (vec![5, 4, 3], Some(3), None));
    let older = look(&all, Place::Older(3)).await;
    assert_eq!((seqs(&older), older.older, older.newer), (vec![2, 1], None, Some(2)));
    assert_eq!(older.events[1].action, "operator.created");
    let newer = look(&all, Place::Newer(2)).await;
    assert_eq!((seqs(&newer), newer.newer), (vec![5, 4, 3], None));
    assert!(newer.events.iter().all(|event| event.workspace == WorkspaceId::PLATFORM));

    // To look for something is an event, of the platform. A mail address of an operator stands for their id.
    let denied = Filter { outcome: Some(Outcome::Denied), ..Filter::default() };
    assert_eq!(look(&denied, Place::Top).await.events.len(), 3);
    let theirs = Filter { actor: Some("OPS@send0.dev".into()), ..Filter::default() };
    let found = look(&theirs, Place::Top).await;
    assert_eq!(seqs(&found), [7, 6]);
    assert!(found.events.iter().all(|event| event.action == "audit_log.searched" && event.actor.permission.is_none()));

    let one = show_of_platform(&db.ctx, &ops, older.events[0].id).await.expect("one");
    assert_eq!(one, older.events[0]);
    let foreign = db.events(tenant.id()).await.remove(0).id;
    for id in [foreign, EventId::new()] {
        assert_eq!(show_of_platform(&db.ctx, &ops, id).await, Err(AppError::NotFound), "a workspace's is not there");
    }
}

#[tokio::test]
async fn the_log_of_the_platform_is_not_there_for_anybody_else() {
    let db = TestDb::new().await;
    let (_, tenant) = (db.operator().await, db.workspace("Acme").await);
    let id = db.events(WorkspaceId::PLATFORM).await.remove(0).id;
    let anonymous = Actor::anonymous(request());
    for actor in Role::ALL.map(|role| tenant.actor(role)).into_iter().chain([anonymous]) {
        let page = list_of_platform(&db.ctx, &actor, &Filter::default(), Place::Top, 50).await.map(drop);
        assert_eq!(page, Err(AppError::NotFound), "{:?}", actor.who);
        assert_eq!(show_of_platform(&db.ctx, &actor, id).await, Err(AppError::NotFound), "{:?}", actor.who);
    }
    let refused = db.events(tenant.id()).await.into_iter().filter(|event| event.outcome == Outcome::Denied);
    assert_eq!(refused.count(), 2 * Role::ALL.len(), "each is written down");
}
