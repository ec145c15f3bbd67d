//! Searching the log: every query finds what it means, however far the worker has come, and what is erased is not found.

use super::{
    Action, Event, EventView, Facets, Filter, FilterText, Format, Outcome, Page, Place, Query, Source,
    export::Asked,
    export_tests::read,
    exports_tests::fill,
    index,
    operations::{around, facets, list, list_of_platform, newer, watch},
    search::{Any, Budget, Criteria, look},
    tests::{a_key, eventful},
    views::{self, ViewText},
};
use crate::{
    Actor, AppError, FieldError,
    actor::{Request, Who},
    api_keys,
    ids::{RequestId, UserId, WorkspaceId},
    members,
    permissions::Role,
    testing::{Tenant, TestDb, request},
};
use futures::future::join_all;
use sqlx::Executor;
use std::time::Duration;

fn asking(q: &str) -> Filter {
    FilterText { q: q.into(), ..FilterText::default() }.parse().unwrap_or_else(|error| panic!("{q}: {error:?}"))
}

async fn take_in_everything(db: &TestDb) {
    while index::take_in(&db.ctx).await.expect("the worker") > 0 {}
}

#[tokio::test]
async fn what_is_new_in_the_index_is_put_in_order_and_found_as_before() {
    let db = TestDb::new().await;
    let (tenant, _) = eventful(&db).await;
    noted(&db, &tenant, "Zoë", "10.9.8.7", "of late").await;
    take_in_everything(&db).await;
    assert!(index::tidy(&db.ctx).await.expect("put in order") > 0, "there was something");
    assert_eq!(index::tidy(&db.ctx).await, Ok(0), "and nothing is left");
    let owner = tenant.actor(Role::Owner);
    let page = list(&db.ctx, &owner, &asking("\"of late\""), Place::Top, 10, Action::PageViewed).await.expect("a page");
    let oldest = page.events.last().and_then(|event| event.actor.name.clone());
    assert_eq!(oldest.as_deref(), Some("Zoë"), "behind the search itself");
}

/// An event of a person at an address, with a name in a target and a value that changed.
async fn noted(db: &TestDb, tenant: &Tenant, name: &str, address: &str, text: &str) -> UserId {
    let id = UserId::new();
    let who = Who::User { id, name: name.into(), role: Role::Owner, session: None, proof: crate::testing::PROVEN };
    let request = Request::new(RequestId::new(), "POST", "/test", Some(address.into()), Some("Firefox on 100% rye"));
    let actor = Actor { workspace: tenant.id(), who, request };
    let event = Event::new(Action::PageViewed).on("page", "page_of_test", Some(text)).change("words", "before", text);
    db.ctx.log_call(&actor, event).await.expect("logged");
    id
}

fn operator() -> Who {
    let (id, session) = (UserId::new(), crate::ids::SessionId::new());
    Who::Operator { id, name: "Ops".into(), session, proof: crate::testing::PROVEN }
}

type Test<'a> = Box<dyn Fn(&EventView) -> bool + 'a>;

#[tokio::test]
async fn a_query_finds_what_it_means_however_far_the_worker_has_come() {
    let db = TestDb::new().await;
    let (tenant, developer) = eventful(&db).await;
    let owner = tenant.actor(Role::Owner);
    let zoe = noted(&db, &tenant, "Zoë Ångström", "10.9.8.7", "Ünder_score 50% off").await;
    noted(&db, &tenant, "Bob", "2001:db8::7", "nothing special").await;
    let hostile = "\0 \u{1b}[31m '; drop table audit_events; -- \\ \"quoted\"";
    noted(&db, &tenant, hostile, "198.51.100.7", hostile).await;
    for (who, path) in [(operator(), "/operator"), (Who::Anonymous, "/w/acme"), (Who::Anonymous, "/v1/workspace")] {
        let request = Request::new(RequestId::new(), "GET", path, Some("203.0.113.7".into()), None);
        let actor = Actor { workspace: tenant.id(), who, request };
        db.ctx.log_call(&actor, Event::new(Action::PageViewed)).await.expect("logged");
    }
    let events = db.events(tenant.id()).await;
    let key = events.iter().find(|e| e.action == "api_key.issued" && e.outcome == Outcome::Success).expect("issued");
    let key = key.targets[0].id.clone();
    let (early, late) = (events[6].time, events[12].time);
    let text = |time: time::OffsetDateTime| time.format(&time::format_description::well_known::Rfc3339).expect("time");
    let (developer, zoe) = (developer.to_string(), zoe.to_string());
    let name = |e: &EventView, part: &str| e.actor.name.as_deref().is_some_and(|name| name.contains(part));
    let cases: Vec<(String, Test)> = vec![
        (format!("actor:{developer}"), Box::new(|e| e.actor.id == developer)),
        ("actor:developer@acme.example".into(), Box::new(|e| e.actor.id == developer)),
        ("actor:\"the DEVELOPER\"".into(), Box::new(|e| e.actor.id == developer)),
        (format!("actor:cli actor:{developer}"), Box::new(|e| e.actor.id == "cli" || e.actor.id == developer)),
        (format!("-actor:cli -actor:{developer}"), Box::new(|e| e.actor.id != "cli" && e.actor.id != developer)),
        ("action:api_key.* -action:api_key.revoked".into(), Box::new(|e| e.action == "api_key.issued")),
        (
            format!("action:api_key.* action:page.viewed actor:{developer} actor:{zoe}"),
            Box::new(|e| {
                (e.action.starts_with("api_key.") || e.action == "page.viewed")
                    && (e.actor.id == developer || e.actor.id == zoe)
            }),
        ),
        ("outcome:denied outcome:failed".into(), Box::new(|e| e.outcome != Outcome::Success)),
        ("source:cli".into(), Box::new(|e| e.actor.id == "cli")),
        ("source:console source:cli".into(), Box::new(|e| e.request.path != "/v1/workspace")),
        ("source:console".into(), Box::new(|e| e.actor.id != "cli" && e.request.path != "/v1/workspace")),
        ("source:api".into(), Box::new(|e| e.request.path == "/v1/workspace")),
        ("source:system".into(), Box::new(|_| false)),
        ("-source:cli".into(), Box::new(|e| e.actor.id != "cli")),
        ("source:console outcome:denied".into(), Box::new(|e| e.actor.kind == "user" && e.outcome == Outcome::Denied)),
        (format!("target:{key}"), Box::new(|e| e.targets.iter().any(|t| t.id == key))),
        (
            format!("-target:{key} action:api_key.*"),
            Box::new(|e| e.action.starts_with("api_key.") && e.targets.iter().all(|t| t.id != key)),
        ),
        ("ip:10.0.0.0/8".into(), Box::new(|e| e.request.address.as_deref() == Some("10.9.8.7"))),
        ("ip:10.9.8.7 ip:2001:db8::/32".into(), Box::new(|e| name(e, "Ångström") || name(e, "Bob"))),
        ("-ip:203.0.113.0/24".into(), Box::new(|e| e.request.address.as_deref() != Some("203.0.113.7"))),
        ("ångström".into(), Box::new(|e| e.actor.id == zoe)),
        ("ÅNG".into(), Box::new(|e| e.actor.id == zoe)),
        ("\"50% off\"".into(), Box::new(|e| e.actor.id == zoe)),
        ("under_s".into(), Box::new(|_| false)),
        ("ünder_s".into(), Box::new(|e| e.actor.id == zoe)),
        ("%".into(), Box::new(|e| name(e, "Ångström") || name(e, "Bob") || name(e, "drop"))),
        ("\"% r\"".into(), Box::new(|e| name(e, "Ångström") || name(e, "Bob") || name(e, "drop"))),
        ("missing_permission".into(), Box::new(|e| e.reason.as_deref() == Some("missing_permission"))),
        ("missing%permission".into(), Box::new(|_| false)),
        (
            format!("{key} -revoked"),
            Box::new(|e| e.action == "api_key.issued" && e.targets.iter().any(|t| t.id == key)),
        ),
        ("firefox special".into(), Box::new(|e| name(e, "Bob"))),
        ("\"drop table\"".into(), Box::new(|e| name(e, "drop"))),
        ("\"\\\\ \\\"quoted\"".into(), Box::new(|e| name(e, "drop"))),
        (format!("after:{}", text(early)), Box::new(|e| e.time >= early)),
        (format!("-after:{}", text(early)), Box::new(|e| e.time < early)),
        (
            format!("after:{} before:{} api_key", text(early), text(late)),
            Box::new(|e| e.time >= early && e.time < late && e.action.starts_with("api_key")),
        ),
    ];
    // Nothing is taken in yet; then all of it; then what the searches themselves have added is new.
    for state in ["none", "all", "some"] {
        if state == "all" {
            take_in_everything(&db).await;
        }
        for (q, expected) in &cases {
            let (mut found, mut place) = (vec![], Some(Place::Top));
            while let Some(here) = place {
                let page = list(&db.ctx, &owner, &asking(q), here, 100, Action::PageViewed).await.expect(q);
                assert_eq!(page.searched_to, None, "{q}: a short log is searched whole");
                found.extend(page.events);
                place = page.older.map(Place::Older);
            }
            let mut all = db.events(tenant.id()).await;
            all.reverse();
            // Searches have the words that they look for in them: left out on both sides.
            let is_search = |e: &EventView| e.action == "audit_log.searched";
            all.retain(|e| expected(e) && !is_search(e));
            found.retain(|e| !is_search(e));
            let seqs = |events: &[EventView]| events.iter().map(|e| e.seq).collect::<Vec<_>>();
            assert_eq!(seqs(&found), seqs(&all), "{q}, {state} taken in");
        }
    }
    assert!(db.number("select max(done) from audit_search_heads").await > 20, "the worker is meant to have come far");
}

#[tokio::test]
async fn a_search_shows_every_event_once_in_both_directions() {
    let db = TestDb::new().await;
    let (tenant, _) = eventful(&db).await;
    take_in_everything(&db).await;
    for _ in 0..3 {
        api_keys::operations::issue(&db.ctx, &tenant.actor(Role::Owner), a_key("Key")).await.expect("issue");
    }
    // The last of them asks for the same action twice.
    let criteria =
        ["issued", "-revoked key", "ip:203.0.113.7 ey", "action:api_key.* action:api_key.issued"].map(asking);
    for criteria in criteria.map(|filter| Criteria::of(&filter, &[])) {
        let mut all = db.events(tenant.id()).await;
        all.retain(|event| criteria.hold(event));
        let expected: Vec<i64> = all.iter().map(|event| event.seq).collect();
        assert!(expected.len() > 6);
        // Without any time and in steps of two events, each look ends after the first of them.
        let hurried = Budget { time: Duration::ZERO, least: 1, step: 2 };
        let mut partial = 0;
        for budget in [hurried, super::search::PAGE] {
            for down in [true, false] {
                let mut place = Some(if down { Place::Older(i64::MAX) } else { Place::Newer(0) });
                let mut seen = vec![];
                while let Some(here) = place {
                    let found = look(&db.ctx.db, tenant.id(), &criteria, here, 2, budget).await.expect("found");
                    seen.extend(found.events.iter().map(|event| event.seq));
                    let onwards = found.events.last().filter(|_| found.events.len() == 2).map(|event| event.seq);
                    partial += usize::from(onwards.is_none() && found.stopped_at.is_some());
                    place = onwards.or(found.stopped_at).map(if down { Place::Older } else { Place::Newer });
                }
                if down {
                    seen.reverse();
                }
                assert_eq!(seen, expected, "{criteria:?} {budget:?} down: {down}");
            }
        }
        assert_eq!(partial > 0, criteria.is_deep(), "{criteria:?}: only a walk has steps to stop at");
    }
}

#[tokio::test]
async fn a_page_that_ran_out_of_time_goes_on_where_it_stopped() {
    let db = TestDb::new().await;
    let (tenant, _) = eventful(&db).await;
    let nobody = Criteria::of(&asking("this stands nowhere"), &[]);
    let hurried = Budget { time: Duration::ZERO, least: 1, step: 3 };
    let found = look(&db.ctx.db, tenant.id(), &nobody, Place::Older(12), 10, hurried).await.expect("found");
    assert_eq!((found.events.len(), found.stopped_at), (0, Some(9)), "8 to 1 are still to be looked at");
    let found = look(&db.ctx.db, tenant.id(), &nobody, Place::Older(4), 10, hurried).await.expect("found");
    assert_eq!(found.stopped_at, None, "that was all");
}

#[tokio::test]
async fn what_one_query_does_not_find_in_time_is_found_step_by_step() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let expected = db.events(tenant.id()).await.len();
    // More than can be passed by in a millisecond.
    fill(&db, &tenant, 20_000).await;
    let criteria = Criteria::of(&asking("-action:api.called"), &[]);
    let hurried = Budget { time: Duration::from_millis(1), least: 1, step: 2_000 };
    let (mut place, mut seen, mut stops) = (Some(Place::Top), vec![], 0);
    while let Some(here) = place {
        let found = look(&db.ctx.db, tenant.id(), &criteria, here, 100, hurried).await.expect("found");
        seen.extend(found.events.iter().map(|event| event.seq));
        stops += usize::from(found.stopped_at.is_some());
        place = found.stopped_at.map(Place::Older);
    }
    seen.reverse();
    assert_eq!(seen, (1..=expected as i64).collect::<Vec<_>>());
    assert!(stops > 0, "one query is meant to be too slow for this");
}

#[test]
fn what_parameters_and_query_say_of_one_kind_is_one_condition() {
    let action = |text: &str| Any::Actions(Action::matching(text));
    let cases = [
        ("", "api_key.*", "action:api_key.issued", vec![(false, action("api_key.issued"))]),
        ("", "api_key.issued", "action:api_key.revoked", vec![(false, Any::Actions(vec![]))]),
        (
            "",
            "api_key.*",
            "-action:api_key.issued",
            vec![(false, action("api_key.*")), (true, action("api_key.issued"))],
        ),
        ("denied", "", "outcome:denied outcome:failed", vec![(false, Any::Outcomes(vec![Outcome::Denied]))]),
        (
            "denied",
            "api_key.issued",
            "action:api_key.* source:cli",
            vec![
                (false, action("api_key.issued")),
                (false, Any::Outcomes(vec![Outcome::Denied])),
                (false, Any::Sources(vec![Source::Cli])),
            ],
        ),
    ];
    for (outcome, actions, q, expected) in cases {
        let text = FilterText { q: q.into(), action: actions.into(), outcome: outcome.into(), ..FilterText::default() };
        let filter: Filter = text.parse().expect(q);
        let all = Criteria::of(&filter, &[]).all.into_iter().map(|one| (one.negated, one.any)).collect::<Vec<_>>();
        assert_eq!(all, expected, "{outcome} {actions} {q}");
    }
}

#[tokio::test]
async fn what_parameters_and_query_leave_of_each_other_is_found() {
    let db = TestDb::new().await;
    let (tenant, _) = eventful(&db).await;
    let owner = tenant.actor(Role::Owner);
    for (action, q, expected) in [
        ("api_key.issued", "action:api_key.revoked", vec![]),
        ("api_key.*", "-action:api_key.issued", vec!["api_key.revoked"]),
        ("api_key.*", "action:api_key.issued", vec!["api_key.issued"]),
    ] {
        let text = FilterText { q: q.into(), action: action.into(), ..FilterText::default() };
        let filter = text.parse().expect(q);
        let page = list(&db.ctx, &owner, &filter, Place::Top, 100, Action::PageViewed).await.expect("page");
        let mut actions: Vec<_> = page.events.iter().map(|event| event.action.as_str()).collect();
        let listed = actions.len();
        actions.dedup();
        assert_eq!(actions, expected, "{action} {q}");
        let counted = facets(&db.ctx, &owner, &filter).await.expect("counts");
        assert_eq!(counted.counted, listed, "{action} {q}");
        let (exported, _) = read(&db, &owner, &Asked { filter, after: 0, format: Format::Ndjson }).await;
        assert_eq!(exported.len(), listed, "{action} {q}");
    }
}

#[test]
fn what_can_be_read_of_a_filter_is_asked_for_and_the_rest_is_named() {
    let text = FilterText {
        actor: " ana ".into(),
        action: "cake.eaten".into(),
        outcome: "denied".into(),
        from: "2026-11-01".into(),
        to: "soon".into(),
        q: "source:api outcome:maybe".into(),
    };
    let (filter, wrong) = text.read();
    assert_eq!((filter.actor.as_deref(), filter.outcome), (Some("ana"), Some(Outcome::Denied)));
    assert!(filter.actions.is_empty() && filter.from.is_some() && filter.to.is_none());
    assert_eq!(filter.query, Query::parse("source:api").expect("query"));
    let fields = |wrong: &[FieldError]| wrong.iter().map(|error| error.field.clone()).collect::<Vec<_>>();
    assert_eq!(fields(&wrong), ["action", "to", "q"]);
    assert_eq!(text.parse(), Err(AppError::Malformed(wrong)), "a program is told, and gets nothing");

    let folded = text.folded();
    assert_eq!(folded.q, "actor:ana outcome:denied source:api outcome:maybe");
    assert_eq!((folded.actor.as_str(), folded.action.as_str(), folded.outcome.as_str()), ("", "cake.eaten", ""));
    assert_eq!(fields(&folded.read().1), ["action", "to", "q"]);
    let readable = FilterText { actor: "ana".into(), q: "source:api".into(), ..FilterText::default() };
    assert_eq!(readable.folded(), FilterText { q: "source:api actor:ana".into(), ..FilterText::default() });
    let open = FilterText { outcome: "denied".into(), q: "\"never closed".into(), ..FilterText::default() };
    assert_eq!(open.folded().read().0.query.to_string(), "outcome:denied", "a quote does not take it");
}

#[tokio::test]
async fn who_has_left_is_found_by_the_name_that_the_log_offers() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let developer = db.member(&tenant, Role::Developer).await;
    let acting = tenant.acting(developer, Role::Developer);
    db.ctx.log_call(&acting, Event::new(Action::PageViewed)).await.expect("logged");
    members::operations::leave(&db.ctx, &acting).await.expect("left");
    let offered = facets(&db.ctx, &owner, &Filter::default()).await.expect("counts").kinds.remove(0).values;
    assert!(offered.iter().any(|actor| actor.label == "The developer"), "{offered:?}");
    for q in ["actor:\"The developer\"", "actor:develop", &format!("actor:{developer}")] {
        let page = list(&db.ctx, &owner, &asking(q), Place::Top, 100, Action::PageViewed).await.expect(q);
        let actions: Vec<&str> = page.events.iter().map(|event| event.action.as_str()).collect();
        assert_eq!(actions, ["member.left", "page.viewed"], "{q}");
    }
    // Of their last events some may say no more who they are, for another's sake.
    sqlx::query("update audit_events set personal = null, salt = null where workspace_id = $1 and actor_id = $2 and action = 'member.left'")
        .bind(tenant.id().0)
        .bind(developer.to_string())
        .execute(&db.superuser)
        .await
        .expect("emptied");
    let page =
        list(&db.ctx, &owner, &asking("actor:develop"), Place::Top, 100, Action::PageViewed).await.expect("page");
    assert_eq!(page.events.len(), 2);
    // Whose name it never was, they are not.
    let page = list(&db.ctx, &owner, &asking("actor:designer"), Place::Top, 100, Action::PageViewed).await;
    assert_eq!(page.expect("page").events, []);
}

#[tokio::test]
async fn who_is_no_member_is_found_by_the_name_that_the_log_offers() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let ops = Actor { workspace: tenant.id(), who: operator(), request: request() };
    let stranger = Who::Stranger { id: UserId::new(), name: "Ophelia".into(), session: None };
    let stranger = Actor { workspace: WorkspaceId::PLATFORM, who: stranger, request: request() };
    for actor in [&ops, &ops, &ops.on_platform(), &stranger] {
        db.ctx.log_call(actor, Event::new(Action::PageViewed)).await.expect("logged");
    }
    let found = |page: Page| page.events.into_iter().filter(|event| event.action == "page.viewed").count();
    for (q, number) in [("actor:ops", 2), ("actor:op", 2), ("actor:opx", 0), ("-actor:op", 0)] {
        let page = list(&db.ctx, &owner, &asking(q), Place::Top, 100, Action::PageViewed).await.expect(q);
        assert_eq!(found(page), number, "{q}");
    }
    let reader = db.operator().await;
    for (q, number) in [("actor:op", 2), ("actor:ophelia", 1)] {
        let page = list_of_platform(&db.ctx, &reader, &asking(q), Place::Top, 100).await.expect(q);
        assert_eq!(found(page), number, "{q}");
    }
}

#[tokio::test]
async fn what_a_session_searches_for_is_no_news_to_itself() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    // One person, signed in twice.
    let (here, elsewhere) = (tenant.actor(Role::Owner), tenant.actor(Role::Owner));
    let Who::User { session, .. } = &here.who else { panic!("a person") };
    // By its columns, and by its text.
    for q in ["source:console", "audit_log.searched"] {
        let begun = db.seq(tenant.id()).await;
        let all = asking(q);
        let news = Filter { but_searches_of: *session, ..all.clone() };
        for actor in [&here, &here, &elsewhere, &here, &elsewhere] {
            watch(&db.ctx, actor, &all).await.expect("watched");
        }
        let count = async |filter: &Filter| newer(&db.ctx, &here, filter, begun).await.expect("a number");
        assert_eq!((count(&all).await, count(&news).await), (5, 2), "{q}");
        // However few are asked for, what is left out takes nobody's place.
        for limit in [1, 2, 3] {
            let criteria = Criteria::of(&news, &[]);
            let found = look(&db.ctx.db, tenant.id(), &criteria, Place::Newer(begun), limit, super::search::PAGE).await;
            let seqs: Vec<i64> = found.expect("found").events.iter().map(|event| event.seq - begun).collect();
            assert_eq!(seqs, [3, 5][..seqs.len()], "{q}");
            assert_eq!(seqs.len() as i64, limit.min(2), "{q}");
        }
    }
}

#[tokio::test]
async fn a_text_is_found_by_the_index_of_trigrams() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let neighbour = db.workspace("Neighbour").await;
    noted(&db, &tenant, "Ana", "10.0.0.1", "a needle").await;
    noted(&db, &neighbour, "Ana", "10.0.0.1", "a needle").await;
    take_in_everything(&db).await;
    let mut auditor = db.connect("send0_auditor").await;
    let set = format!("set send0.workspace_id = '{}'", tenant.id().0);
    auditor.execute(sqlx::AssertSqlSafe(set)).await.expect("set");
    let find = "select seqs, reached from audit_search_find('%needle%', $1, $2, $3, 10, 1000)";
    type Found = (Vec<i64>, i64);
    for (above, below, newest_first, expected) in [
        // One's own, and no other's.
        (0_i64, 100_i64, true, (vec![3_i64], 0_i64)),
        (0, 100, false, (vec![3], 100)),
        (3, 100, true, (vec![], 3)),
        (0, 3, false, (vec![], 3)),
        // Over blocks of which most are empty.
        (0, 200_000, true, (vec![3], 0)),
        (0, 200_000, false, (vec![3], 200_000)),
    ] {
        let found = sqlx::query_as::<_, Found>(find).bind(above).bind(below).bind(newest_first);
        assert_eq!(found.fetch_one(&mut auditor).await.expect("found"), expected, "{above} {below} {newest_first}");
    }
    // Without time it goes through one block, and says so.
    let hurried = "select seqs, reached from audit_search_find('%needle%', 0, 200000, true, 10, 0)";
    let found = sqlx::query_as::<_, Found>(hurried).fetch_one(&mut auditor).await.expect("found");
    assert_eq!(found, (vec![], 196_607));
}

// Erasure ----------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn what_identifies_an_erased_person_leaves_the_search() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let found = async |q: &str| {
        let page = list(&db.ctx, &owner, &asking(q), Place::Top, 100, Action::PageViewed).await.expect(q);
        page.events.into_iter().filter(|e| e.action != "audit_log.searched").count()
    };
    let erase = "update audit_events set personal = null, salt = null";
    // Erased in a replica too, where triggers do not fire unless they always do.
    for mode in ["origin", "replica"] {
        let id = noted(&db, &tenant, "Marked Person", "10.66.0.1", "marked value").await;
        take_in_everything(&db).await;
        // Long enough that no id has one of them by chance.
        let texts = ["marked person", "10.66.0.1", "marked value", "100% rye"];
        for text in texts {
            assert!(db.tables_with(text).await.contains(&"audit_search".into()), "{text}, {mode}, before");
        }
        assert_eq!((found("\"marked person\"").await, found("ip:10.66.0.1").await), (1, 1));
        let mut superuser = db.connect(db.options.get_username()).await;
        superuser.execute(sqlx::AssertSqlSafe(format!("set session_replication_role = {mode}"))).await.expect("mode");
        superuser.execute(erase).await.expect("erased");
        for text in texts {
            assert!(!db.tables_with(text).await.contains(&"audit_search".into()), "{text}, {mode}");
        }
        assert_eq!((found("\"marked person\"").await, found("ip:10.66.0.1").await), (0, 0), "{mode}");
        assert!(found(&format!("{id} page_of_test")).await > 0, "what identifies nobody is still found");
    }
    assert_eq!(db.number("select count(*) from audit_search where address is not null and seq = 1").await, 0);
}

#[tokio::test]
async fn the_worker_writes_nothing_that_is_erased_while_it_reads() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    noted(&db, &tenant, "Marked Person", "10.66.0.1", "marked value").await;
    // The worker has read the events, and then they are erased: its put is made by hand.
    db.superuser.execute("update audit_events set personal = null, salt = null").await.expect("erased");
    let mut worker = db.connect("send0_worker").await;
    let put = "select audit_search_put($1, 0, 3, array[3], array['plain marked person'], array[5], array['10.66.0.1'], array[]::bigint[], array[]::text[])";
    let taken: bool = sqlx::query_scalar(put).bind(tenant.id().0).fetch_one(&mut worker).await.expect("put");
    assert!(taken);
    let row: (String, Option<String>) =
        sqlx::query_as("select text, address::text from audit_search").fetch_one(&db.superuser).await.expect("row");
    assert_eq!(row, ("plain".into(), None));
    // Whoever comes second with the same does nothing.
    let taken: bool = sqlx::query_scalar(put).bind(tenant.id().0).fetch_one(&mut worker).await.expect("put");
    assert!(!taken);
}

#[tokio::test]
async fn an_event_that_is_pruned_leaves_the_search_whole() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    noted(&db, &tenant, "\0", "10.66.0.1", "needle").await;
    take_in_everything(&db).await;
    let rows = "select (select count(*) from audit_search) + (select count(*) from audit_targets)";
    let before = db.number(rows).await;
    db.superuser.execute("alter table audit_events disable trigger append_only").await.expect("superuser");
    db.superuser.execute("delete from audit_events where body like '%page_of_test%'").await.expect("pruned");
    assert_eq!(db.number(rows).await, before - 2, "its row, and its target");
    // Nor does one that somebody made unreadable stay, or keep others.
    noted(&db, &tenant, "\0", "10.66.0.1", "needle").await;
    take_in_everything(&db).await;
    db.superuser.execute("update audit_events set body = 'x' where body like '%page_of_test%'").await.expect("damaged");
    db.superuser.execute("delete from audit_events where body = 'x'").await.expect("pruned");
    assert_eq!(db.number(rows).await, before - 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_take_each_event_in_once() {
    let db = TestDb::new().await;
    let (tenant, _) = eventful(&db).await;
    let work = async || while index::take_in(&db.ctx).await.expect("the worker") > 0 {};
    futures::join!(work(), work(), work());
    work().await;
    let events = db.number("select count(*) from audit_events").await;
    assert_eq!(db.number("select count(*) from audit_search").await, events);
    assert_eq!(db.seq(tenant.id()).await, db.number("select max(done) from audit_search_heads").await);
}

// One event --------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn an_event_stands_between_two_and_in_the_history_of_its_target() {
    let db = TestDb::new().await;
    let (tenant, _) = eventful(&db).await;
    let neighbour = db.workspace("Neighbour").await;
    let owner = tenant.actor(Role::Owner);
    let events = db.events(tenant.id()).await;
    let issued = events.iter().find(|e| e.action == "api_key.issued" && e.outcome == Outcome::Success).expect("issued");
    let at = usize::try_from(issued.seq).expect("a place") - 1;
    for state in ["none", "all"] {
        if state == "all" {
            take_in_everything(&db).await;
        }
        let found = around(&db.ctx, &owner, issued).await.expect("around");
        assert_eq!((found.previous, found.next), (Some(events[at - 1].id), Some(events[at + 1].id)));
        let history: Vec<&str> = found.history.iter().map(|e| e.action.as_str()).collect();
        assert_eq!(history, ["api_key.revoked", "api_key.issued"], "{state} taken in");
        assert_eq!(found.factor, None, "the command line has no session");
        let first = around(&db.ctx, &owner, &events[0]).await.expect("around");
        let last = around(&db.ctx, &owner, &events[events.len() - 1]).await.expect("around");
        assert_eq!((first.previous, last.next), (None, None));
        // An id that another workspace knows too shows nothing of it.
        let foreign = around(&db.ctx, &neighbour.actor(Role::Owner), issued).await.expect("around");
        assert_eq!(foreign.history, vec![]);
    }
    let refused = around(&db.ctx, &tenant.actor(Role::Viewer), issued).await.map(drop);
    assert_eq!(refused, Err(AppError::Forbidden("audit.read".into())));
}

// Counts -----------------------------------------------------------------------------------------------------------

fn counts(facets: &Facets, title: &str) -> Vec<(String, usize)> {
    let kind = facets.kinds.iter().find(|kind| kind.title == title).expect(title);
    kind.values.iter().map(|value| (value.label.clone(), value.count)).collect()
}

#[tokio::test]
async fn facets_count_what_the_filter_finds() {
    let db = TestDb::new().await;
    let (tenant, developer) = eventful(&db).await;
    let owner = tenant.actor(Role::Owner);
    let all = db.events(tenant.id()).await;
    for state in ["none", "all"] {
        if state == "all" {
            take_in_everything(&db).await;
        }
        for (q, is_meant) in [
            ("", Box::new(|_: &EventView| true) as Test),
            ("outcome:denied", Box::new(|e| e.outcome == Outcome::Denied)),
            ("api_key", Box::new(|e| e.action.starts_with("api_key"))),
        ] {
            let found = facets(&db.ctx, &owner, &asking(q)).await.expect("facets");
            let meant: Vec<&EventView> = all.iter().filter(|e| is_meant(e)).collect();
            assert_eq!((found.counted, found.is_capped), (meant.len(), false), "{q}");
            let number = |test: &dyn Fn(&EventView) -> bool| meant.iter().filter(|e| test(e)).count();
            let by_cli = number(&|e| e.actor.id == "cli");
            assert!(by_cli == 0 || counts(&found, "Actor").contains(&("cli".into(), by_cli)), "{q}: {found:?}");
            // Under the name that they had last.
            let by_other = number(&|e| e.actor.id == developer.to_string());
            assert!(by_other == 0 || counts(&found, "Actor").contains(&("The developer".into(), by_other)), "{q}");
            let denied = number(&|e| e.outcome == Outcome::Denied);
            assert!(counts(&found, "Outcome").contains(&("denied".into(), denied)), "{q}");
            assert!(denied > 0, "{q}");
            let keys = number(&|e| e.action.starts_with("api_key."));
            assert!(counts(&found, "Action").contains(&("api_key.*".into(), keys)), "{q}");
            let over_time: u64 = found.over_time.iter().map(|bucket| bucket.count).sum();
            assert_eq!(over_time, meant.len() as u64, "{q}: {:?}", found.over_time);
            // Each value finds as many as it says.
            for value in found.kinds.iter().flat_map(|kind| &kind.values) {
                let narrowed = Query::parse(q).expect("query").toggled(&value.term).to_string();
                let again = facets(&db.ctx, &owner, &asking(&narrowed)).await.expect("facets");
                assert!(q == "outcome:denied" || again.counted == value.count, "{narrowed}: {}", value.count);
            }
        }
    }
    assert_eq!(db.events(tenant.id()).await.len(), all.len(), "counting is no search of its own");
    let developer = tenant.acting(developer, Role::Developer);
    assert_eq!(facets(&db.ctx, &developer, &Filter::default()).await, Err(AppError::Forbidden("audit.read".into())));
}

#[tokio::test]
async fn facets_say_when_there_are_more_than_they_count() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let append = "select append_events(array_agg($1), array_agg(gen_random_uuid()), array_agg('api.called'::text), array_agg('success'::text),
        array_agg('system'::text), array_agg('jobs'::text), array_agg(e.body), array_agg(e.personal), array_agg(e.salt))
        from generate_series(1, 1500), (select * from audit_events where workspace_id = $1 limit 1) as e";
    sqlx::query(append).bind(tenant.id().0).execute(&db.superuser).await.expect("appended");
    let owner = tenant.actor(Role::Owner);
    let found = facets(&db.ctx, &owner, &Filter::default()).await.expect("facets");
    assert_eq!((found.counted, found.is_capped), (1_000, true));
    assert_eq!(counts(&found, "Source"), [("system".to_owned(), 1_000)]);
    let all: u64 = found.over_time.iter().map(|bucket| bucket.count).sum();
    assert_eq!(all, 1_502, "of a search for nothing, all are counted");
    let found = facets(&db.ctx, &owner, &asking("source:system")).await.expect("facets");
    let counted: u64 = found.over_time.iter().map(|bucket| bucket.count).sum();
    assert_eq!((found.is_capped, counted), (true, 1_000));
    // Time within a filter narrows the bars too.
    let nothing = FilterText { to: "2020-01-01".into(), ..FilterText::default() }.parse().expect("filter");
    let found = facets(&db.ctx, &Actor::cli(tenant.id(), request()), &nothing).await.expect("facets");
    assert_eq!((found.counted, found.over_time), (0, vec![]));
}

#[tokio::test]
async fn counts_go_on_from_what_was_counted_before() {
    let db = TestDb::new().await;
    let (tenant, other) = (db.workspace("Acme").await, db.workspace("Globex").await);
    let owner = tenant.actor(Role::Owner);
    let calls = async |count: usize, of: &Tenant, outcome: Outcome| {
        let event = || Event { outcome, ..Event::new(Action::ApiCalled) };
        let actor = of.actor(Role::Owner);
        join_all((0..count).map(|_| db.ctx.log_call(&actor, event()))).await;
    };
    let outcomes = async |actor: &Actor| {
        let found = facets(&db.ctx, actor, &asking("action:api.called")).await.expect("facets");
        (counts(&found, "Outcome"), found.is_capped, found.over_time.iter().map(|bucket| bucket.count).sum::<u64>())
    };
    let (of_success, of_failed) = (|n| ("success".to_owned(), n), |n| ("failed".to_owned(), n));
    assert_eq!(outcomes(&owner).await, (vec![], false, 0));
    calls(600, &tenant, Outcome::Success).await;
    assert_eq!(outcomes(&owner).await, (vec![of_success(600)], false, 600));
    calls(30, &tenant, Outcome::Failed).await;
    calls(3, &other, Outcome::Success).await;
    assert_eq!(outcomes(&owner).await, (vec![of_success(600), of_failed(30)], false, 630));
    assert_eq!(outcomes(&other.actor(Role::Owner)).await, (vec![of_success(3)], false, 3), "each log has its own");
    calls(600, &tenant, Outcome::Success).await;
    assert_eq!(outcomes(&owner).await, (vec![of_success(970), of_failed(30)], true, 1_000), "the newest of 1,230");
    calls(995, &tenant, Outcome::Failed).await;
    assert_eq!(outcomes(&owner).await, (vec![of_success(5), of_failed(995)], true, 1_000));
    assert_eq!(outcomes(&owner).await, (vec![of_success(5), of_failed(995)], true, 1_000), "nothing is new");
}

// Views ------------------------------------------------------------------------------------------------------------

fn a_view(name: &str, query: &str) -> ViewText {
    ViewText { name: name.into(), query: query.into(), ..ViewText::default() }
}

async fn names(db: &TestDb, actor: &Actor) -> Vec<String> {
    let views = views::list(&db.ctx, actor, Action::PageViewed).await.expect("views");
    views.into_iter().map(|view| view.name).collect()
}

#[tokio::test]
async fn views_belong_to_a_person_or_to_the_workspace() {
    let db = TestDb::new().await;
    let (tenant, neighbour) = (db.workspace("Acme").await, db.workspace("Neighbour").await);
    let owner = tenant.actor(Role::Owner);
    let security = tenant.acting(db.member(&tenant, Role::Security).await, Role::Security);
    let save = async |actor: &Actor, view: ViewText| views::save(&db.ctx, actor, &view).await;
    let mine = save(&owner, a_view("Refusals", " outcome:denied ")).await.expect("saved");
    let ours = save(&owner, ViewText { shared: true, ..a_view("Keys", "action:api_key.*") }).await.expect("saved");
    save(&security, a_view("Refusals", "outcome:denied -source:api")).await.expect("a name is one's own");
    assert_eq!(
        (names(&db, &owner).await, names(&db, &security).await),
        (vec!["Keys".into(), "Refusals".into()], vec!["Keys".into(), "Refusals".into()])
    );
    assert_eq!(names(&db, &neighbour.actor(Role::Owner)).await, Vec::<String>::new());
    let event = db.events(tenant.id()).await.into_iter().find(|e| e.action == "audit_view.saved").expect("event");
    assert_eq!(
        (event.targets[0].id.clone(), event.changes[1].after.as_str()),
        (mine.id.to_string(), Some("outcome:denied"))
    );

    // What everybody sees changes only who may change the workspace; another person's is not there.
    let refused = Err(AppError::Forbidden("workspace.update".into()));
    assert_eq!(save(&security, ViewText { shared: true, ..a_view("Mine", "ana") }).await, refused);
    assert_eq!(views::change(&db.ctx, &security, ours.id, "Mine", true).await, refused);
    assert_eq!(views::remove(&db.ctx, &security, ours.id).await, refused);
    assert_eq!(views::change(&db.ctx, &security, mine.id, "Mine", true).await, Err(AppError::NotFound));
    assert_eq!(views::remove(&db.ctx, &security, mine.id).await, Err(AppError::NotFound));
    assert_eq!(views::remove(&db.ctx, &neighbour.actor(Role::Owner), ours.id).await, Err(AppError::NotFound));
    let viewer = tenant.actor(Role::Viewer);
    assert_eq!(save(&viewer, a_view("Mine", "ana")).await, Err(AppError::Forbidden("audit.read".into())));
    assert_eq!(views::list(&db.ctx, &viewer, Action::PageViewed).await, Err(AppError::Forbidden("audit.read".into())));

    views::remove(&db.ctx, &owner, mine.id).await.expect("removed");
    assert_eq!(names(&db, &owner).await, ["Keys"]);
    assert_eq!(db.count(tenant.id(), Action::AuditViewRemoved).await, 2, "one, and one refusal");
}

#[tokio::test]
async fn the_log_opens_with_ones_own_default_before_that_of_the_workspace() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let other = tenant.acting(db.member(&tenant, Role::Admin).await, Role::Admin);
    let default = async |actor: &Actor| {
        let views = views::list(&db.ctx, actor, Action::PageViewed).await.expect("views");
        views::default_of(&views).map(|view| view.name.clone())
    };
    let save =
        async |view: ViewText| views::save(&db.ctx, &owner, &ViewText { default: true, ..view }).await.expect("saved");
    assert_eq!(default(&owner).await, None);
    save(ViewText { shared: true, ..a_view("Ours", "outcome:denied") }).await;
    assert_eq!((default(&owner).await.as_deref(), default(&other).await.as_deref()), (Some("Ours"), Some("Ours")));
    save(a_view("First", "ana")).await;
    let second = save(a_view("Second", "bo")).await;
    assert_eq!((default(&owner).await.as_deref(), default(&other).await.as_deref()), (Some("Second"), Some("Ours")));
    let before = db.events(tenant.id()).await.len();
    views::change(&db.ctx, &owner, second.id, "Second", true).await.expect("the same");
    assert_eq!(db.events(tenant.id()).await.len(), before, "no change, no event");
    let renamed = views::change(&db.ctx, &owner, second.id, " Second thoughts ", false).await.expect("changed");
    assert_eq!((renamed.name.as_str(), renamed.query.as_str()), ("Second thoughts", "bo"));
    assert_eq!(default(&owner).await.as_deref(), Some("Ours"));
    let taken = views::change(&db.ctx, &owner, second.id, "First", false).await;
    assert!(matches!(taken, Err(AppError::Conflict(_))), "{taken:?}");
}

#[tokio::test]
async fn a_view_that_cannot_be_kept_says_why() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    for (view, field, code) in [
        (a_view("  ", "ana"), "name", "required"),
        (a_view(&"é".repeat(65), "ana"), "name", "too_long"),
        (a_view("a\u{0}b", "ana"), "name", "control_characters"),
        (a_view("Name", " "), "query", "required"),
        (a_view("Name", "outcome:maybe"), "query", "unreadable"),
    ] {
        let error = views::save(&db.ctx, &owner, &view).await.expect_err("refused");
        let AppError::Invalid(errors) = error else { panic!("{error:?}") };
        assert_eq!((errors[0].field.as_str(), errors[0].code.as_str()), (field, code), "{view:?}");
    }
    for n in 0..views::VIEWS_MAX {
        views::save(&db.ctx, &owner, &a_view(&format!("View {n}"), "ana")).await.expect("saved");
    }
    let one_more = views::save(&db.ctx, &owner, &a_view("One more", "ana")).await;
    assert!(matches!(one_more, Err(AppError::Conflict(_))), "{one_more:?}");
    views::save(&db.ctx, &owner, &a_view("View 7", "bo")).await.expect("one of the same name is replaced");
    assert_eq!(names(&db, &owner).await.len(), views::VIEWS_MAX);
}
