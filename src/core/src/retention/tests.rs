//! Retention on a real PostgreSQL: what is past its time goes with a receipt, and what is left goes on verifying.

use super::{
    GRACE, HOLDS_MAX, Retention, Waiting, holds,
    operations::{change, find, keep, show},
    pruning::prune_all,
};
use crate::{
    Actor, AppError,
    audit_log::{
        Action, Event, Filter, Place,
        operations::{facets, list},
    },
    permissions::Role,
    plans,
    sealing::operations::{check_all, check_everything, public_keys, seal_all},
    testing::{Tenant, TestDb},
};
use futures::future::join_all;
use send0_verify::{checkpoint::Checkpoint, note};
use sqlx::{AssertSqlSafe, Executor};
use time::Duration;

/// A workspace with 700 events, of which the first 600 are of more than a year ago; sealed and checked.
async fn old(db: &TestDb) -> Tenant {
    let tenant = db.workspace("Acme").await;
    let actor = tenant.actor(Role::Owner);
    let first = db.seq(tenant.id()).await;
    join_all((first..700).map(|_| db.ctx.log_call(&actor, Event::new(Action::ApiCalled)))).await;
    let back = format!(
        "begin; alter table audit_events disable trigger all;
         update audit_events set at = at - interval '400 days' where workspace_id = '{}' and seq <= 600;
         alter table audit_events enable always trigger append_only, enable always trigger never_truncated; commit",
        tenant.id().0
    );
    db.superuser.execute(AssertSqlSafe(back)).await.expect("aged");
    seal_all(&db.ctx).await.expect("sealed");
    check_all(&db.ctx).await.expect("checked");
    tenant
}

async fn put_on_scale(db: &TestDb) {
    db.superuser.execute("update workspaces set plan = 'scale'").await.expect("a plan");
}

async fn first_kept(db: &TestDb, tenant: &Tenant) -> i64 {
    let first = sqlx::query_scalar("select min(seq) from audit_events where workspace_id = $1");
    first.bind(tenant.id().0).fetch_one(&db.superuser).await.expect("first")
}

#[tokio::test]
async fn what_is_past_its_time_goes_in_whole_tiles_with_a_receipt_and_an_event() {
    let db = TestDb::new().await;
    let tenant = old(&db).await;
    let owner = tenant.actor(Role::Owner);
    let before = show(&db.ctx, &owner).await.expect("shown");
    assert_eq!((before.retention.audit_days, before.previews[0].days, before.previews[0].events), (365, 365, 512));
    let counted = async |filter: &Filter| facets(&db.ctx, &owner, filter).await.expect("counts").counted;
    let calls = Filter { actions: vec![Action::ApiCalled], ..Filter::default() };
    let called = db.count(tenant.id(), Action::ApiCalled).await;
    assert_eq!((counted(&Filter::default()).await, counted(&calls).await), (700, called));
    prune_all(&db.ctx).await.expect("pruned");
    assert_eq!(first_kept(&db, &tenant).await, 513, "no part of a tile goes");
    assert_eq!(
        (counted(&Filter::default()).await, counted(&calls).await),
        (189, 188),
        "what was known of it goes along"
    );
    let event = db.events_after(tenant.id(), 700).await.pop().expect("an event");
    assert_eq!((event.action.as_str(), event.actor.kind.as_str()), ("audit_log.pruned", "system"));
    assert_eq!((&event.changes[0].before, &event.changes[0].after), (&1.into(), &513.into()));
    let after = show(&db.ctx, &owner).await.expect("shown");
    assert_eq!((after.oldest.map(|(seq, _)| seq), after.previews[0].events), (Some(513), 0));
    let [receipt] = &after.pruned[..] else { panic!("{:?}", after.pruned) };
    assert_eq!((receipt.from, receipt.to), (1, 512));
    let keys: Vec<note::Verifier> =
        public_keys(&db.ctx).await.expect("keys").iter().map(|key| key.parse().expect("a key")).collect();
    let signed: Checkpoint = note::open(&receipt.note, &keys).expect("signed").parse().expect("a checkpoint");
    assert_eq!(
        (signed.size, crate::secrets::hex(&signed.root)),
        (512, event.changes[1].after.as_str().expect("a root").to_owned())
    );

    // What is left still verifies, and goes on.
    seal_all(&db.ctx).await.expect("sealed");
    db.ctx.clock.advance(Duration::minutes(2));
    check_all(&db.ctx).await.expect("checked");
    assert!(check_everything(&db.ctx).await.expect("checked").iter().all(|verdict| verdict.problem.is_none()));
    let page =
        list(&db.ctx, &owner, &Filter::default(), Place::Older(520), 50, Action::PageViewed).await.expect("a page");
    assert_eq!((page.events.len(), page.older), (7, None), "the list ends where the log begins");
    prune_all(&db.ctx).await.expect("nothing to do");
    assert_eq!(show(&db.ctx, &owner).await.expect("shown").pruned.len(), 1);
}

#[tokio::test]
async fn a_log_that_is_not_as_it_was_sealed_is_not_pruned() {
    let db = TestDb::new().await;
    let tenant = old(&db).await;
    let tamper =
        "begin; alter table audit_events disable trigger all; update audit_events set outcome = 'failed' where seq = 3;
        alter table audit_events enable always trigger append_only, enable always trigger never_truncated; commit";
    db.superuser.execute(tamper).await.expect("tampered");
    db.ctx.clock.advance(Duration::minutes(2));
    check_all(&db.ctx).await.expect("checked");
    prune_all(&db.ctx).await.expect("left alone");
    assert_eq!(first_kept(&db, &tenant).await, 1, "nobody removes the evidence");
}

#[tokio::test]
async fn a_shorter_time_waits_a_week_and_can_be_called_off() {
    let db = TestDb::new().await;
    let tenant = old(&db).await;
    put_on_scale(&db).await;
    let owner = tenant.actor(Role::Owner);
    prune_all(&db.ctx).await.expect("nothing to do");
    assert_eq!(first_kept(&db, &tenant).await, 1, "the plan keeps it for two years");
    for (days, confirm, field) in [
        ("365", "", "confirm"),
        ("365", "other", "confirm"),
        ("366", "acme", "audit_days"),
        ("2555", "acme", "audit_days"),
        ("", "acme", "audit_days"),
    ] {
        let refused = change(&db.ctx, &owner, "acme", days, confirm).await.expect_err("refused");
        assert!(matches!(&refused, AppError::Invalid(errors) if errors[0].field == field), "{days}: {refused:?}");
    }
    let waiting = change(&db.ctx, &owner, "acme", "365", " acme ").await.expect("changed");
    let told = db.subjects("owner@acme.example").await;
    assert!(told.iter().any(|subject| subject.contains("how long the audit log is kept")), "{told:?}");
    assert_eq!((waiting.audit_days, waiting.waiting.map(|waiting| waiting.audit_days)), (730, Some(365)));
    prune_all(&db.ctx).await.expect("nothing to do");
    assert_eq!(first_kept(&db, &tenant).await, 1);
    let kept = keep(&db.ctx, &owner).await.expect("called off");
    assert_eq!((kept.audit_days, kept.waiting), (730, None));
    assert!(matches!(keep(&db.ctx, &owner).await, Err(AppError::Conflict(_))));
    db.ctx.clock.advance(GRACE + Duration::minutes(1));
    prune_all(&db.ctx).await.expect("nothing to do");
    assert_eq!(first_kept(&db, &tenant).await, 1);

    change(&db.ctx, &owner, "acme", "365", "acme").await.expect("changed");
    db.ctx.clock.advance(GRACE + Duration::minutes(1));
    assert_eq!(find(&db.ctx, &owner, Action::PageViewed).await.expect("found").audit_days, 365);
    prune_all(&db.ctx).await.expect("pruned");
    assert_eq!(first_kept(&db, &tenant).await, 513);
    let longer = change(&db.ctx, &owner, "acme", "730", "").await.expect("a longer time needs no more than a click");
    assert_eq!((longer.audit_days, longer.waiting), (730, None));
    assert_eq!(
        (db.count(tenant.id(), Action::RetentionChanged).await, db.count(tenant.id(), Action::RetentionKept).await),
        (3, 1)
    );
}

#[tokio::test]
async fn a_smaller_plan_removes_nothing_for_a_week_and_says_the_day() {
    let db = TestDb::new().await;
    let (ops, tenant) = (db.operator().await, old(&db).await);
    let owner = tenant.actor(Role::Owner);
    let put_on = |plan| plans::operations::set(&db.ctx, &ops, tenant.id(), plan, "They asked for it.");
    let found = || find(&db.ctx, &owner, Action::PageViewed);
    put_on("enterprise").await.expect("changed");
    assert_eq!(found().await.map(|kept| (kept.audit_days, kept.waiting)), Ok((2555, None)));

    let earliest = db.ctx.clock.now() + GRACE;
    put_on("growth").await.expect("changed");
    let kept = found().await.expect("found");
    let waiting = kept.waiting.expect("a shorter time waits");
    assert_eq!((kept.audit_days, kept.max_days, waiting.audit_days), (2555, 365, 365));
    assert!((earliest..=db.ctx.clock.now() + GRACE).contains(&waiting.until), "{waiting:?}");
    let day = waiting.until;
    let letter = db.newest_letter("owner@acme.example").await;
    assert!(letter.contains(&format!("Until {} nothing of the audit log is removed", day.date())), "{letter}");
    let event = db.events(tenant.id()).await.pop().expect("an event");
    let told = event.changes.iter().find(|change| change.field == "audit_days").expect("what it means for the log");
    assert_eq!((&told.before, &told.after), (&2555.into(), &365.into()));
    assert!(matches!(keep(&db.ctx, &owner).await, Err(AppError::Conflict(why)) if why.contains("365 days at most")));
    let again = change(&db.ctx, &owner, "acme", "365", "acme").await;
    assert!(matches!(again, Err(AppError::Conflict(_))), "or it would wait for ever: {again:?}");
    assert_eq!(found().await.map(|kept| kept.waiting), Ok(Some(waiting)));
    db.ctx.clock.advance(GRACE - Duration::minutes(1));
    prune_all(&db.ctx).await.expect("nothing to do");
    assert_eq!(first_kept(&db, &tenant).await, 1, "not before the week is over");

    // Back in time: as if nothing had been.
    put_on("scale").await.expect("changed");
    assert_eq!(
        found().await.map(|kept| kept.waiting.map(|waiting| waiting.audit_days)),
        Ok(Some(730)),
        "more than before, and still less"
    );
    put_on("enterprise").await.expect("changed");
    assert_eq!(found().await.map(|kept| (kept.audit_days, kept.waiting)), Ok((2555, None)));

    put_on("growth").await.expect("changed");
    db.ctx.clock.advance(GRACE + Duration::minutes(1));
    assert_eq!(found().await.map(|kept| (kept.audit_days, kept.waiting)), Ok((365, None)));
    seal_all(&db.ctx).await.expect("sealed");
    check_all(&db.ctx).await.expect("checked");
    prune_all(&db.ctx).await.expect("pruned");
    assert_eq!(first_kept(&db, &tenant).await, 513);
}

#[test]
fn what_another_plan_makes_of_it() {
    let now = time::OffsetDateTime::UNIX_EPOCH;
    let (soon, week) = (now + Duration::days(1), now + GRACE);
    let kept = |audit_days, max_days, waiting: Option<(u32, time::OffsetDateTime)>| Retention {
        audit_days,
        max_days,
        waiting: waiting.map(|(audit_days, until)| Waiting { audit_days, until }),
        legal_holds: vec![],
    };
    let cases = [
        ("all that there was, all that there is", kept(365, 365, None), 2555, (2555, None)),
        ("a choice stays", kept(730, 2555, None), 1095, (730, None)),
        ("and stays when there is more", kept(730, 1095, None), 2555, (730, None)),
        ("less waits a week", kept(2555, 2555, None), 730, (2555, Some((730, week)))),
        ("still less waits a week of its own", kept(2555, 730, Some((730, soon))), 365, (2555, Some((365, week)))),
        ("more than was told, on that day", kept(2555, 365, Some((365, soon))), 730, (2555, Some((730, soon)))),
        ("back in time", kept(2555, 365, Some((365, soon))), 2555, (2555, None)),
        ("a choice that waits goes on waiting", kept(2555, 2555, Some((365, soon))), 730, (2555, Some((365, soon)))),
        ("also back in time", kept(2555, 730, Some((365, soon))), 2555, (2555, Some((365, soon)))),
        ("unless the plan has less", kept(2555, 2555, Some((730, soon))), 365, (2555, Some((365, week)))),
    ];
    for (what, before, max_days, (days, waiting)) in cases {
        assert_eq!(before.under(max_days, now), kept(days, max_days, waiting), "{what}");
    }
}

#[tokio::test]
async fn a_choice_can_be_called_off_as_far_as_a_smaller_plan_allows() {
    let db = TestDb::new().await;
    let (ops, tenant) = (db.operator().await, old(&db).await);
    let owner = tenant.actor(Role::Owner);
    let put_on = |plan| plans::operations::set(&db.ctx, &ops, tenant.id(), plan, "They asked for it.");
    put_on("enterprise").await.expect("changed");
    let until = change(&db.ctx, &owner, "acme", "365", "acme").await.expect("changed").waiting.expect("waits").until;
    put_on("scale").await.expect("changed");
    let kept = keep(&db.ctx, &owner).await.expect("called off");
    assert_eq!(kept.times(), (2555, Some(Waiting { audit_days: 730, until })));
    assert!(matches!(keep(&db.ctx, &owner).await, Err(AppError::Conflict(why)) if why.contains("730 days at most")));
}

#[tokio::test]
async fn who_reads_the_retention_and_who_changes_it() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    put_on_scale(&db).await;
    for role in Role::ALL {
        let actor = tenant.actor(role);
        let reads = role != Role::Billing;
        let changes = matches!(role, Role::Owner | Role::Admin);
        let refused = |permission: &str| AppError::Forbidden(permission.into());
        assert_eq!(
            find(&db.ctx, &actor, Action::PageViewed).await.err(),
            (!reads).then(|| refused("retention.read")),
            "{role}"
        );
        let changed = change(&db.ctx, &actor, "acme", "365", "acme").await;
        assert_eq!(changed.err(), (!changes).then(|| refused("retention.update")), "{role}");
        let kept = keep(&db.ctx, &actor).await;
        assert_eq!(kept.err(), (!changes).then(|| refused("retention.update")), "{role}");
    }
}

#[tokio::test]
async fn a_legal_hold_keeps_everything_until_it_is_released() {
    let db = TestDb::new().await;
    let tenant = old(&db).await;
    let owner = tenant.actor(Role::Owner);
    for (name, code) in [("", "required"), ("a\nb", "control_characters"), (&"x".repeat(121), "too_long")] {
        let refused = holds::place(&db.ctx, &owner, name).await.expect_err("refused");
        assert!(matches!(&refused, AppError::Invalid(errors) if errors[0].code == code), "{name}: {refused:?}");
    }
    let security = tenant.actor(Role::Security);
    let hold = holds::place(&db.ctx, &security, " Matter 12 ").await.expect("placed");
    assert!(matches!(holds::place(&db.ctx, &owner, "Matter 12").await, Err(AppError::Conflict(_))));
    let other = holds::place(&db.ctx, &owner, "Matter 13").await.expect("placed");
    prune_all(&db.ctx).await.expect("left alone");
    assert_eq!(first_kept(&db, &tenant).await, 1);
    let known = find(&db.ctx, &owner, Action::PageViewed).await.expect("found").legal_holds;
    assert_eq!(known.iter().map(|hold| hold.name.as_str()).collect::<Vec<_>>(), ["Matter 13", "Matter 12"]);

    let refused = holds::release(&db.ctx, &owner, hold.id, "Matter").await.expect_err("refused");
    assert!(matches!(&refused, AppError::Invalid(errors) if errors[0].field == "confirm"), "{refused:?}");
    let released = holds::release(&db.ctx, &owner, hold.id, "Matter 12").await.expect("released");
    assert!(!released.is_active());
    assert!(matches!(holds::release(&db.ctx, &owner, hold.id, "Matter 12").await, Err(AppError::Conflict(_))));
    prune_all(&db.ctx).await.expect("left alone");
    assert_eq!(first_kept(&db, &tenant).await, 1, "the other one holds");
    holds::release(&db.ctx, &owner, other.id, "Matter 13").await.expect("released");
    prune_all(&db.ctx).await.expect("pruned");
    assert_eq!(first_kept(&db, &tenant).await, 513);

    let told = db.subjects("owner@acme.example").await;
    for what in ["a legal hold was placed", "a legal hold was released"] {
        assert_eq!(told.iter().filter(|subject| subject.contains(what)).count(), 2, "{told:?}");
    }
    let (placed, ended) = (Action::LegalHoldPlaced, Action::LegalHoldReleased);
    assert_eq!((db.count(tenant.id(), placed).await, db.count(tenant.id(), ended).await), (2, 2));
}

#[tokio::test]
async fn the_database_prunes_nothing_under_a_legal_hold() {
    let db = TestDb::new().await;
    let tenant = old(&db).await;
    let owner = tenant.actor(Role::Owner);
    let hold = holds::place(&db.ctx, &owner, "Matter 12").await.expect("placed");
    let prune = format!("insert into audit_floors values ('{}', 257)", tenant.id().0);
    let refused = db.superuser.execute(AssertSqlSafe(prune.clone())).await.expect_err("held");
    assert!(refused.to_string().contains("legal hold"), "{refused}");
    holds::release(&db.ctx, &owner, hold.id, "Matter 12").await.expect("released");
    // A removal that is under way is over before a hold is placed.
    waits_for(&db, &owner, &prune).await;
}

#[tokio::test]
async fn a_hold_waits_for_an_erasure_that_has_looked_for_holds() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let look = format!("select * from legal_holds_in(array['{}'::uuid])", tenant.id().0);
    waits_for(&db, &tenant.actor(Role::Owner), &look).await;
}

/// Placing a hold comes to an end only after a transaction that has done this.
async fn waits_for(db: &TestDb, owner: &Actor, done: &str) {
    let mut under_way = db.superuser.begin().await.expect("begun");
    under_way.execute(AssertSqlSafe(done.to_owned())).await.expect("nothing holds it");
    let waits = holds::place(&db.ctx, owner, "Matter 13");
    tokio::pin!(waits);
    loop {
        let waiting = "select exists (select from pg_locks l join pg_database d on d.oid = l.database
            where d.datname = current_database() and l.locktype = 'advisory' and not l.granted)";
        let look = sqlx::query_scalar::<_, bool>(waiting).fetch_one(&db.superuser);
        tokio::select! {
            placed = &mut waits => panic!("placed beside {done}: {placed:?}"),
            waiting = look => if waiting.expect("looked") { break },
        }
    }
    under_way.commit().await.expect("done");
    waits.await.expect("placed");
}

#[tokio::test]
async fn no_more_legal_holds_than_anybody_reads() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    for number in 0..HOLDS_MAX {
        holds::place(&db.ctx, &owner, &format!("Matter {number}")).await.expect("placed");
    }
    assert!(matches!(holds::place(&db.ctx, &owner, "One more").await, Err(AppError::Conflict(_))));
}

#[tokio::test]
async fn who_places_legal_holds_and_who_releases_them() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let globex = db.workspace("Globex").await;
    for role in Role::ALL {
        let actor = tenant.actor(role);
        let refused = |permission: &str| AppError::Forbidden(permission.into());
        let reads = role != Role::Billing;
        let listed = holds::list(&db.ctx, &actor, Action::PageViewed).await;
        assert_eq!(listed.err(), (!reads).then(|| refused("retention.read")), "{role}");
        let places = matches!(role, Role::Owner | Role::Admin | Role::Security);
        let placed = holds::place(&db.ctx, &actor, &format!("By {role}")).await;
        assert_eq!(placed.err(), (!places).then(|| refused("retention.hold")), "{role}");
    }
    let owner = tenant.actor(Role::Owner);
    for hold in holds::list(&db.ctx, &owner, Action::PageViewed).await.expect("listed") {
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Owner) {
            let refused = holds::release(&db.ctx, &tenant.actor(role), hold.id, &hold.name).await;
            assert_eq!(refused, Err(AppError::Forbidden("retention.release".into())), "{role}");
        }
        let stranger = globex.actor(Role::Owner);
        assert_eq!(holds::show(&db.ctx, &stranger, hold.id, Action::PageViewed).await, Err(AppError::NotFound));
        assert_eq!(holds::release(&db.ctx, &stranger, hold.id, &hold.name).await, Err(AppError::NotFound));
        holds::release(&db.ctx, &owner, hold.id, &hold.name).await.expect("released");
    }
}
