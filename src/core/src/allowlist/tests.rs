//! The lists on a real PostgreSQL: nobody is locked out, nothing stays unconfirmed, nobody overwrites anybody.

use super::{
    Allowlist, Door, ENTRIES_MAX, NewEntryText, Rules, State, Verdict,
    operations::{
        Preview, add, change, confirm, disable, discard, draft, preview, remove, revert_overdue, save, set_reporting,
        show, undo,
    },
    queries,
};
use crate::{
    Actor, AppError,
    accounts::{Proof, operations::enter},
    actor::{Request, Who},
    api_keys::{self, NewKeyText, operations::Caller},
    audit_log::{Action, Event, EventView, Outcome},
    ids::{AllowlistEntryId, RequestId, UserId},
    permissions::{Permission, Role},
    testing::{Tenant, TestDb, request},
};
use futures::future::join_all;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::json;
use std::net::IpAddr;
use time::Duration;

/// Where everybody is, in tests.
const HERE: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.9";

fn from(address: &str) -> Request {
    Request::new(RequestId::new(), "POST", "/test", Some(address.into()), Some("test"))
}

fn acting(tenant: &Tenant, user: UserId, role: Role, address: &str) -> Actor {
    Actor { request: from(address), ..tenant.acting(user, role) }
}

/// The owner, who was seen here.
async fn owner(db: &TestDb, tenant: &Tenant) -> Actor {
    let owner = acting(tenant, tenant.made.user, Role::Owner, HERE);
    seen(db, &owner).await;
    owner
}

/// Leaves an event of the actor at their address, as a sign-in would.
async fn seen(db: &TestDb, actor: &Actor) {
    db.ctx.log_call(actor, Event::new(Action::SessionStarted)).await.expect("logged");
}

async fn list(db: &TestDb, actor: &Actor, door: Door) -> Allowlist {
    draft(&db.ctx, actor, door, Action::PageViewed).await.expect("the list")
}

async fn version(db: &TestDb, actor: &Actor, door: Door) -> String {
    list(db, actor, door).await.version.to_string()
}

async fn put(db: &TestDb, actor: &Actor, door: Door, cidr: &str, days: &str) -> AllowlistEntryId {
    let text = NewEntryText { cidr: cidr.into(), note: "Note".into(), lifetime: days.into() };
    let version = version(db, actor, door).await;
    add(&db.ctx, actor, door, &version, text.parse().expect("entry")).await.expect("added")
}

async fn saved(db: &TestDb, actor: &Actor, door: Door) -> Result<(), AppError> {
    save(&db.ctx, actor, door, &version(db, actor, door).await).await.map(drop)
}

async fn confirmed(db: &TestDb, actor: &Actor, door: Door) -> Result<(), AppError> {
    confirm(&db.ctx, actor, door, &version(db, actor, door).await).await
}

/// A list that is in force for good.
async fn enforced(db: &TestDb, actor: &Actor, door: Door, cidr: &str) {
    put(db, actor, door, cidr, "").await;
    saved(db, actor, door).await.expect("saved");
    confirmed(db, actor, door).await.expect("confirmed");
}

async fn state(db: &TestDb, actor: &Actor, door: Door) -> State {
    list(db, actor, door).await.in_force.state()
}

/// Whether the owner gets into the dashboard from an address.
async fn comes_in(db: &TestDb, tenant: &Tenant, address: &str) -> Result<(), AppError> {
    let signed_in = db.signed_in(tenant.made.user, "owner@acme.example");
    enter(&db.ctx, &signed_in, &from(address), &tenant.made.slug).await.map(drop)
}

async fn knock(db: &TestDb, key: &str, address: &str) -> Caller {
    api_keys::operations::recognise(&db.ctx, Some(key), from(address)).await.expect("asked")
}

async fn key(db: &TestDb, actor: &Actor, name: &str) -> String {
    let new = NewKeyText { name: name.into(), kind: "live".into(), ..NewKeyText::default() };
    let issued = api_keys::operations::issue(&db.ctx, actor, new.parse().expect("a key")).await.expect("issued");
    issued.secret.expose().to_owned()
}

async fn last_event(db: &TestDb, tenant: &Tenant) -> EventView {
    db.events(tenant.id()).await.pop().expect("an event")
}

fn blocked(address: &str) -> AppError {
    AppError::BlockedByIp(address.into())
}

async fn acme() -> (TestDb, Tenant, Actor) {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = owner(&db, &tenant).await;
    (db, tenant, owner)
}

// Drafting ---------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_draft_counts_for_nothing_until_it_is_saved() {
    let (db, tenant, owner) = acme().await;
    let id = put(&db, &owner, Door::Dashboard, "203.0.113.0/24", "").await;
    let list = list(&db, &owner, Door::Dashboard).await;
    assert_eq!((list.in_force.state(), list.draft.state(), list.is_drafted()), (State::Off, State::Enforced, true));
    assert_eq!(comes_in(&db, &tenant, ELSEWHERE).await, Ok(()));
    let event = last_event(&db, &tenant).await;
    assert_eq!((event.action.as_str(), event.targets[1].id.clone()), ("allowlist.drafted", id.to_string()));

    saved(&db, &owner, Door::Dashboard).await.expect("saved");
    assert_eq!(last_event(&db, &tenant).await.action, "allowlist.changed");
    assert_eq!(comes_in(&db, &tenant, HERE).await, Ok(()));
    assert_eq!(comes_in(&db, &tenant, ELSEWHERE).await, Err(blocked(ELSEWHERE)));
    let event = last_event(&db, &tenant).await;
    assert_eq!(
        (event.action.as_str(), event.outcome, event.reason.as_deref(), event.request.address.as_deref()),
        ("workspace.entry_refused", Outcome::Denied, Some("blocked_by_ip"), Some(ELSEWHERE))
    );
    assert_eq!(saved(&db, &owner, Door::Dashboard).await.map_err(|error| error.status()), Err(409), "nothing to save");
}

#[tokio::test]
async fn a_network_is_in_a_list_once_and_comes_out_again() {
    let (db, _, owner) = acme().await;
    let (first, _) = (
        put(&db, &owner, Door::Api, "10.0.0.0/8", "").await,
        put(&db, &owner, Door::Dashboard, "10.0.0.0/8", "").await,
    );
    let again = NewEntryText { cidr: "::ffff:10.0.0.0/104".into(), ..NewEntryText::default() }.parse().expect("entry");
    let v = version(&db, &owner, Door::Api).await;
    let refused = add(&db.ctx, &owner, Door::Api, &v, again).await.expect_err("taken");
    assert_eq!(refused.of_field("cidr"), Some("10.0.0.0/8 is in the list already."));
    assert_eq!(version(&db, &owner, Door::Api).await, v, "nothing happened");
    remove(&db.ctx, &owner, Door::Api, &v, first).await.expect("removed");
    let v = version(&db, &owner, Door::Api).await;
    assert_eq!(remove(&db.ctx, &owner, Door::Api, &v, first).await, Err(AppError::NotFound));
    put(&db, &owner, Door::Api, "10.0.0.0/8", "").await;
    assert_eq!(list(&db, &owner, Door::Dashboard).await.draft.entries.len(), 1, "the other list is another one");
}

#[tokio::test]
async fn an_entry_is_changed_in_place_and_what_is_in_force_keeps_the_old_one() {
    let (db, tenant, owner) = acme().await;
    enforced(&db, &owner, Door::Api, "203.0.113.0/24").await;
    let id = list(&db, &owner, Door::Api).await.draft.entries[0].id;
    let text = |cidr: &str, note: &str, lifetime: &str| {
        let text = NewEntryText { cidr: cidr.into(), note: note.into(), lifetime: lifetime.into() };
        text.parse().expect("entry")
    };
    let v = version(&db, &owner, Door::Api).await;
    change(&db.ctx, &owner, Door::Api, &v, id, text("203.0.113.0/24", "Office", "7"), false).await.expect("changed");
    let lists = list(&db, &owner, Door::Api).await;
    let draft = lists.draft.entries[0].clone();
    assert_eq!((lists.draft.entries.len(), draft.note.as_str(), draft.expires_at.is_some()), (1, "Office", true));
    assert_eq!((lists.in_force.entries[0].id, lists.in_force.entries[0].note.as_str()), (id, "Note"));
    let event = last_event(&db, &tenant).await;
    let noted = event.changes.iter().find(|change| change.field == "note").expect("the note");
    assert_eq!((noted.before.clone(), noted.after.clone()), (json!("Note"), json!("Office")));

    let v = version(&db, &owner, Door::Api).await;
    change(&db.ctx, &owner, Door::Api, &v, draft.id, text("203.0.113.0/25", "", ""), true).await.expect("changed");
    let now = list(&db, &owner, Door::Api).await.draft.entries[0].clone();
    assert_eq!((now.network.to_string().as_str(), now.expires_at), ("203.0.113.0/25", draft.expires_at));
    let v = version(&db, &owner, Door::Api).await;
    put(&db, &owner, Door::Api, "198.51.100.0/24", "").await;
    let stale = change(&db.ctx, &owner, Door::Api, &v, now.id, text("10.0.0.0/8", "", ""), false).await;
    assert!(matches!(stale, Err(AppError::Conflict(_))), "somebody else changed the list: {stale:?}");
    let v = version(&db, &owner, Door::Api).await;
    let taken = change(&db.ctx, &owner, Door::Api, &v, now.id, text("198.51.100.0/24", "", ""), false).await;
    assert!(taken.expect_err("taken").of_field("cidr").is_some());
    let gone = change(&db.ctx, &owner, Door::Api, &v, id, text("10.0.0.0/8", "", ""), false).await;
    assert_eq!(gone, Err(AppError::NotFound), "that one is not in the draft any more");
}

#[tokio::test]
async fn a_discarded_draft_is_what_is_in_force() {
    let (db, _, owner) = acme().await;
    enforced(&db, &owner, Door::Dashboard, "203.0.113.0/24").await;
    let kept = list(&db, &owner, Door::Dashboard).await.in_force;
    let v = version(&db, &owner, Door::Dashboard).await;
    remove(&db.ctx, &owner, Door::Dashboard, &v, kept.entries[0].id).await.expect("removed");
    put(&db, &owner, Door::Dashboard, "203.0.113.0/24", "").await;
    put(&db, &owner, Door::Dashboard, "10.0.0.0/8", "").await;
    discard(&db.ctx, &owner, Door::Dashboard, &version(&db, &owner, Door::Dashboard).await).await.expect("discarded");
    let list = list(&db, &owner, Door::Dashboard).await;
    assert_eq!((list.draft, list.in_force), (kept.clone(), kept));
    assert_eq!(db.number("select count(*) from allowlist_entries").await, 1, "nothing is left lying about");
}

#[tokio::test]
async fn a_list_has_at_most_a_thousand_entries() {
    let (db, tenant, owner) = acme().await;
    put(&db, &owner, Door::Api, "10.0.0.0/32", "").await;
    let fill = "insert into allowlist_entries (workspace_id, entry_id, door, network, note, added_at, in_draft)
        select workspace_id, gen_random_uuid(), door, ('10.1.0.0'::inet + n)::cidr, '', added_at, true
        from allowlist_entries, generate_series(1, $1) n";
    let most = i32::try_from(ENTRIES_MAX).expect("few") - 1;
    sqlx::query(fill).bind(most).execute(&db.superuser).await.expect("filled");
    let v = version(&db, &owner, Door::Api).await;
    let one = NewEntryText { cidr: HERE.into(), ..NewEntryText::default() }.parse().expect("entry");
    let full = add(&db.ctx, &owner, Door::Api, &v, one).await.expect_err("full");
    assert!(full.of_field("cidr").is_some_and(|text| text.contains("1 000")), "{full:?}");
    put(&db, &owner, Door::Dashboard, HERE, "").await;
    assert_eq!(tenant.id(), owner.workspace);
}

// Two at once ------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn nobody_overwrites_what_they_have_not_seen() {
    let (db, tenant, owner) = acme().await;
    let admin = acting(&tenant, db.member(&tenant, Role::Admin).await, Role::Admin, HERE);
    let stale = version(&db, &admin, Door::Dashboard).await;
    put(&db, &owner, Door::Dashboard, "203.0.113.0/24", "").await;
    let (ctx, door) = (&db.ctx, Door::Dashboard);
    let entry = NewEntryText { cidr: "10.0.0.0/8".into(), ..NewEntryText::default() }.parse().expect("entry");
    for refused in [
        add(ctx, &admin, door, &stale, entry).await.map(drop),
        remove(ctx, &admin, door, &stale, AllowlistEntryId::new()).await,
        set_reporting(ctx, &admin, door, &stale, "7").await,
        discard(ctx, &admin, door, &stale).await,
        save(ctx, &admin, door, &stale).await.map(drop),
        confirm(ctx, &admin, door, &stale).await,
        undo(ctx, &admin, door, &stale).await,
        save(ctx, &admin, door, "nonsense").await.map(drop),
    ] {
        assert!(matches!(&refused, Err(AppError::Conflict(text)) if text.contains("was changed")), "{refused:?}");
    }
    assert_eq!(list(&db, &owner, door).await.draft.entries.len(), 1);
}

#[tokio::test]
async fn of_many_who_save_at_once_one_does() {
    let (db, tenant, owner) = acme().await;
    put(&db, &owner, Door::Dashboard, "203.0.113.0/24", "").await;
    let v = version(&db, &owner, Door::Dashboard).await;
    let all = futures::future::join_all((0..8).map(|_| save(&db.ctx, &owner, Door::Dashboard, &v))).await;
    assert_eq!(all.iter().filter(|saved| saved.is_ok()).count(), 1, "{all:?}");
    assert_eq!(db.count(tenant.id(), Action::AllowlistChanged).await, 1);
}

// The guard --------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn nobody_shuts_themselves_out() {
    let (db, tenant, owner) = acme().await;
    put(&db, &owner, Door::Dashboard, "10.0.0.0/8", "").await;
    let refused = saved(&db, &owner, Door::Dashboard).await;
    assert!(
        matches!(&refused, Err(AppError::Conflict(text)) if text.contains("shut you out") && text.contains(HERE)),
        "{refused:?}"
    );
    let event = last_event(&db, &tenant).await;
    assert_eq!(
        (event.action.as_str(), event.outcome, event.reason.as_deref()),
        ("allowlist.changed", Outcome::Denied, Some("would_lock_out"))
    );
    assert_eq!(state(&db, &owner, Door::Dashboard).await, State::Off);
    let said = preview(&db.ctx, &owner, Door::Dashboard, Action::PageViewed).await.expect("preview").refusal;
    assert!(said.is_some_and(|text| text.contains("shut you out")), "the review says so before");
    put(&db, &owner, Door::Dashboard, HERE, "").await;
    assert_eq!(saved(&db, &owner, Door::Dashboard).await, Ok(()));
    // Whoever edits does not come by the API.
    put(&db, &owner, Door::Api, "10.0.0.0/8", "").await;
    assert_eq!(saved(&db, &owner, Door::Api).await, Ok(()));
}

#[tokio::test]
async fn an_admin_does_not_shut_out_every_owner() {
    let (db, tenant, owner) = acme().await;
    let admin = acting(&tenant, db.member(&tenant, Role::Admin).await, Role::Admin, ELSEWHERE);
    put(&db, &admin, Door::Dashboard, "198.51.100.0/24", "").await;
    let refused = saved(&db, &admin, Door::Dashboard).await;
    assert!(matches!(&refused, Err(AppError::Conflict(text)) if text.contains("every owner")), "{refused:?}");
    // An entry that stops would shut them out later.
    put(&db, &admin, Door::Dashboard, HERE, "7").await;
    assert!(saved(&db, &admin, Door::Dashboard).await.is_err());
    // One owner of several is enough, …
    let other = acting(&tenant, db.member_named(&tenant, Role::Owner, "other").await, Role::Owner, "192.0.2.1");
    put(&db, &admin, Door::Dashboard, "192.0.2.0/24", "").await;
    assert!(saved(&db, &admin, Door::Dashboard).await.is_err(), "never seen there");
    seen(&db, &other).await;
    assert_eq!(saved(&db, &admin, Door::Dashboard).await, Ok(()));
    // … if they were there within 30 days.
    db.ctx.clock.advance(Duration::days(31));
    put(&db, &owner, Door::Dashboard, "192.0.2.128/25", "").await;
    assert!(saved(&db, &owner, Door::Dashboard).await.is_err());
}

#[tokio::test]
async fn a_list_does_not_end_by_itself() {
    let (db, _, owner) = acme().await;
    for door in Door::ALL {
        put(&db, &owner, door, "203.0.113.0/24", "7").await;
        let refused = saved(&db, &owner, door).await;
        assert!(
            matches!(&refused, Err(AppError::Conflict(text)) if text.contains("Every entry expires")),
            "{refused:?}"
        );
    }
}

// Commit and confirm -----------------------------------------------------------------------------------------------

#[tokio::test]
async fn what_nobody_confirms_goes_back_after_ten_minutes() {
    let (db, tenant, owner) = acme().await;
    enforced(&db, &owner, Door::Dashboard, "203.0.113.0/24").await;
    let before = list(&db, &owner, Door::Dashboard).await.in_force;
    put(&db, &owner, Door::Dashboard, "198.51.100.0/24", "").await;
    saved(&db, &owner, Door::Dashboard).await.expect("saved");
    assert_eq!(comes_in(&db, &tenant, ELSEWHERE).await, Ok(()));
    db.ctx.clock.advance(Duration::minutes(9));
    revert_overdue(&db.ctx).await.expect("job");
    assert_eq!(comes_in(&db, &tenant, ELSEWHERE).await, Ok(()));
    db.ctx.clock.advance(Duration::minutes(2));
    // At once, without the job, …
    assert_eq!(comes_in(&db, &tenant, ELSEWHERE).await, Err(blocked(ELSEWHERE)));
    let lazily = list(&db, &owner, Door::Dashboard).await;
    assert_eq!((&lazily.in_force, lazily.reverts_at), (&before, None));
    // … and for good with it, which says so.
    revert_overdue(&db.ctx).await.expect("job");
    revert_overdue(&db.ctx).await.expect("job");
    assert_eq!(
        list(&db, &owner, Door::Dashboard).await,
        lazily,
        "what was seen before is what is there, under one version"
    );
    assert!(lazily.is_drafted(), "what was prepared is still there to be saved again");
    assert_eq!(db.count(tenant.id(), Action::AllowlistReverted).await, 1);
    let event = last_event(&db, &tenant).await;
    assert_eq!(
        (event.action.as_str(), event.actor.kind.as_str(), event.actor.id.as_str()),
        ("allowlist.reverted", "system", "jobs")
    );
    let late = confirmed(&db, &owner, Door::Dashboard).await;
    assert!(matches!(&late, Err(AppError::Conflict(text)) if text.contains("No change waits")), "{late:?}");
}

#[tokio::test]
async fn what_is_confirmed_stays() {
    let (db, tenant, owner) = acme().await;
    enforced(&db, &owner, Door::Dashboard, "203.0.113.0/24").await;
    db.ctx.clock.advance(Duration::hours(1));
    revert_overdue(&db.ctx).await.expect("job");
    assert_eq!(state(&db, &owner, Door::Dashboard).await, State::Enforced);
    assert_eq!(db.count(tenant.id(), Action::AllowlistConfirmed).await, 1);
    assert_eq!(db.count(tenant.id(), Action::AllowlistReverted).await, 0);
}

#[tokio::test]
async fn only_whom_the_list_lets_in_confirms_it() {
    let (db, tenant, owner) = acme().await;
    put(&db, &owner, Door::Dashboard, "203.0.113.0/24", "").await;
    saved(&db, &owner, Door::Dashboard).await.expect("saved");
    let outside = acting(&tenant, tenant.made.user, Role::Owner, ELSEWHERE);
    let refused = confirmed(&db, &outside, Door::Dashboard).await;
    assert!(matches!(&refused, Err(AppError::Conflict(text)) if text.contains(ELSEWHERE)), "{refused:?}");
    assert_eq!(confirmed(&db, &owner, Door::Dashboard).await, Ok(()));
}

#[tokio::test]
async fn a_second_change_goes_back_to_what_was_confirmed_last() {
    let (db, tenant, owner) = acme().await;
    enforced(&db, &owner, Door::Dashboard, "203.0.113.0/24").await;
    let before = list(&db, &owner, Door::Dashboard).await.in_force;
    for cidr in ["198.51.100.0/24", "192.0.2.0/24"] {
        put(&db, &owner, Door::Dashboard, cidr, "").await;
        saved(&db, &owner, Door::Dashboard).await.expect("saved");
        db.ctx.clock.advance(Duration::minutes(6));
    }
    assert_eq!(comes_in(&db, &tenant, ELSEWHERE).await, Ok(()), "the second save began the wait anew");
    undo(&db.ctx, &owner, Door::Dashboard, &version(&db, &owner, Door::Dashboard).await).await.expect("undone");
    assert_eq!(list(&db, &owner, Door::Dashboard).await.in_force, before);
    let event = last_event(&db, &tenant).await;
    assert_eq!((event.action.as_str(), event.actor.kind.as_str()), ("allowlist.reverted", "user"));
}

#[tokio::test]
async fn who_edits_after_the_time_is_over_edits_what_is_there() {
    let (db, tenant, owner) = acme().await;
    put(&db, &owner, Door::Api, "10.0.0.0/8", "").await;
    saved(&db, &owner, Door::Api).await.expect("saved");
    db.ctx.clock.advance(Duration::minutes(11));
    // The page that is opened now shows the list as it is, and its form fits, though no job has run.
    put(&db, &owner, Door::Api, "192.0.2.0/24", "").await;
    assert_eq!(db.count(tenant.id(), Action::AllowlistReverted).await, 1);
    assert_eq!(state(&db, &owner, Door::Api).await, State::Off);
}

// Only reporting ---------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_list_that_only_reports_says_once_an_hour_whom_it_would_keep_out() {
    let (db, tenant, owner) = acme().await;
    let secret = key(&db, &owner, "CI").await;
    for door in Door::ALL {
        put(&db, &owner, door, "10.0.0.0/8", "").await;
        set_reporting(&db.ctx, &owner, door, &version(&db, &owner, door).await, "14").await.expect("set");
        saved(&db, &owner, door).await.expect("it shuts nobody out, so it may be saved");
        confirmed(&db, &owner, door).await.expect("confirmed");
        assert_eq!(state(&db, &owner, door).await, State::ReportOnly);
    }
    for _ in 0..3 {
        assert_eq!(comes_in(&db, &tenant, HERE).await, Ok(()));
        assert_eq!(knock(&db, &secret, HERE).await.refused, None);
        assert_eq!(knock(&db, &secret, "10.1.2.3").await.refused, None);
    }
    let said = async || {
        let events = db.events(tenant.id()).await.into_iter().filter(|event| event.action == "allowlist.would_block");
        events.map(|event| (event.actor.kind, event.targets[0].id.clone())).collect::<Vec<_>>()
    };
    assert_eq!(said().await, [("user".into(), "dashboard".into()), ("api_key".into(), "api".into())]);
    assert_eq!(comes_in(&db, &tenant, ELSEWHERE).await, Ok(()));
    assert_eq!(said().await.len(), 3, "another address is another event");
    db.ctx.clock.advance(Duration::minutes(61));
    assert_eq!(comes_in(&db, &tenant, HERE).await, Ok(()));
    assert_eq!(said().await.len(), 4);

    // To enforce it is a change like any other.
    set_reporting(&db.ctx, &owner, Door::Dashboard, &version(&db, &owner, Door::Dashboard).await, "")
        .await
        .expect("set");
    assert!(saved(&db, &owner, Door::Dashboard).await.is_err(), "now it would shut out the owner");
}

#[tokio::test]
async fn the_event_of_a_call_is_its_own() {
    let (db, tenant, owner) = acme().await;
    let secret = key(&db, &owner, "CI").await;
    put(&db, &owner, Door::Api, "10.0.0.0/8", "").await;
    set_reporting(&db.ctx, &owner, Door::Api, &version(&db, &owner, Door::Api).await, "7").await.expect("set");
    saved(&db, &owner, Door::Api).await.expect("saved");
    let caller = knock(&db, &secret, HERE).await;
    assert_eq!(db.count(tenant.id(), Action::AllowlistWouldBlock).await, 1);
    assert!(!caller.actor.request.is_logged(), "that it would be kept out does not stand for the call");
}

// What is asked of every request -----------------------------------------------------------------------------------

#[tokio::test]
async fn a_key_is_kept_out_from_its_next_call_on() {
    let (db, _, owner) = acme().await;
    let secret = key(&db, &owner, "CI").await;
    assert_eq!(knock(&db, &secret, ELSEWHERE).await.refused, None);
    enforced(&db, &owner, Door::Api, "203.0.113.0/24").await;
    assert_eq!(knock(&db, &secret, HERE).await.refused, None);
    assert_eq!(
        knock(&db, &secret, "::ffff:203.0.113.7").await.refused,
        Some(blocked("::ffff:203.0.113.7")),
        "addresses come in canonical"
    );
    assert_eq!(knock(&db, &secret, ELSEWHERE).await.refused, Some(blocked(ELSEWHERE)));
    let nowhere = Request::new(RequestId::new(), "GET", "/v1", None, None);
    let nowhere = api_keys::operations::recognise(&db.ctx, Some(&secret), nowhere).await.expect("asked");
    assert_eq!(nowhere.refused, Some(blocked("an unknown address")), "who cannot be placed is in no entry");
    assert_eq!(state(&db, &owner, Door::Dashboard).await, State::Off);
}

/// Calls that wait together share what is asked for them.
#[tokio::test]
async fn of_many_calls_at_once_each_gets_its_own_answer() {
    let (db, tenant, owner) = acme().await;
    let other = db.workspace("Other").await;
    let keys = [key(&db, &owner, "CI").await, key(&db, &other.actor(Role::Owner), "Theirs").await];
    enforced(&db, &owner, Door::Api, "203.0.113.0/24").await;
    let calls = (0..64).map(|n| (n % 2, [HERE, ELSEWHERE][n / 2 % 2]));
    let answers = calls.map(async |(of, address)| {
        let (request, secret) = (from(address), Some(keys[of].as_str()));
        let id = request.id;
        let caller = api_keys::operations::recognise(&db.ctx, secret, request).await.expect("asked");
        assert_eq!((caller.actor.request.id, caller.actor.workspace), (id, [tenant.id(), other.id()][of]));
        assert_eq!(caller.refused, (of == 0 && address == ELSEWHERE).then(|| blocked(ELSEWHERE)));
    });
    assert_eq!(join_all(answers).await.len(), 64);
}

/// The database decides about requests, Rust about drafts: they must not disagree.
#[tokio::test]
async fn the_database_and_the_model_judge_alike() {
    let (db, tenant, owner) = acme().await;
    let cidrs =
        ["10.0.0.0/8", "203.0.113.0/24", "192.0.2.128/25", "192.0.2.1", "2001:db8::/48", "2001:db8:1::1", "64.0.0.0/2"];
    for cidr in cidrs {
        put(&db, &owner, Door::Dashboard, cidr, "").await;
    }
    put(&db, &owner, Door::Dashboard, "172.16.0.0/12", "1").await;
    saved(&db, &owner, Door::Dashboard).await.expect("saved");
    confirmed(&db, &owner, Door::Dashboard).await.expect("confirmed");
    let near = prop_oneof![
        any::<u32>().prop_map(|bits| IpAddr::from(bits.to_be_bytes())),
        any::<u128>().prop_map(|bits| IpAddr::from(bits.to_be_bytes()).to_canonical()),
        (0u8..3, any::<u8>()).prop_map(|(net, host)| IpAddr::from(
            [[10, 0, 0], [203, 0, 113], [192, 0, 2]][usize::from(net)]
                .iter()
                .copied()
                .chain([host])
                .collect::<Vec<u8>>()
                .try_into()
                .unwrap_or([0; 4])
        )),
        (0u16..3, any::<u16>()).prop_map(|(net, host)| IpAddr::from([0x2001, 0xdb8, net, 0, 0, 0, 0, host])),
        any::<[u8; 2]>().prop_map(|[a, b]| IpAddr::from([172, a, b, 1])),
    ];
    let mut runner = TestRunner::deterministic();
    for hours in [0, 25] {
        db.ctx.clock.advance(Duration::hours(hours));
        let (rules, now) = (list(&db, &owner, Door::Dashboard).await.in_force, db.ctx.clock.now());
        for _ in 0..300 {
            let address = near.new_tree(&mut runner).expect("an address").current();
            let said =
                queries::verdict(&db.ctx.db.auth, tenant.id(), Door::Dashboard, Some(&address.to_string()), now).await;
            assert_eq!(said, Ok(rules.verdict(Some(address), now)), "{address}");
        }
    }
    let off = queries::verdict(&db.ctx.db.auth, tenant.id(), Door::Api, Some(HERE), db.ctx.clock.now()).await;
    assert_eq!(off, Ok(Rules::default().verdict(None, db.ctx.clock.now())));
    assert_eq!(off, Ok(Verdict::Off));
}

// The dry run ------------------------------------------------------------------------------------------------------

fn names(seen: &[super::Seen]) -> Vec<(String, i64)> {
    seen.iter().map(|seen| (seen.who.name.clone(), seen.requests)).collect()
}

#[tokio::test]
async fn a_dry_run_names_whom_it_would_hit() {
    let (db, tenant, owner) = acme().await;
    let bo = acting(&tenant, db.member(&tenant, Role::Developer).await, Role::Developer, ELSEWHERE);
    db.member(&tenant, Role::Viewer).await;
    for _ in 0..3 {
        seen(&db, &bo).await;
    }
    seen(&db, &acting(&tenant, tenant.made.user, Role::Owner, ELSEWHERE)).await;
    put(&db, &owner, Door::Dashboard, "203.0.113.0/24", "").await;
    let Preview { replay, refusal, is_cut, .. } =
        preview(&db.ctx, &owner, Door::Dashboard, Action::PageViewed).await.expect("preview");
    assert_eq!((refusal, is_cut), (None, false));
    assert_eq!(names(&replay.shut_out), [("Owner of Acme".to_owned(), 1), ("The developer".to_owned(), 3)]);
    // The sign-in and the one change of the draft.
    assert_eq!(names(&replay.gets_in), [("Owner of Acme".to_owned(), 2)]);
    assert_eq!(replay.gets_in[0].from[0].by.as_ref().map(|entry| entry.note.as_str()), Some("Note"));
    assert_eq!(replay.unseen.iter().map(|who| who.name.as_str()).collect::<Vec<_>>(), ["The viewer"]);

    let secret = key(&db, &owner, "CI").await;
    let quiet = key(&db, &owner, "Quiet").await;
    let caller = knock(&db, &secret, ELSEWHERE).await;
    db.ctx.log_call(&caller.actor, Event::new(Action::ApiCalled)).await.expect("logged");
    put(&db, &owner, Door::Api, "203.0.113.0/24", "").await;
    let replay = preview(&db.ctx, &owner, Door::Api, Action::PageViewed).await.expect("preview").replay;
    assert_eq!(names(&replay.shut_out), [("CI".to_owned(), 1)]);
    assert_eq!(replay.unseen[0].name, "Quiet");
    drop(quiet);

    db.ctx.clock.advance(Duration::days(31));
    let replay = preview(&db.ctx, &owner, Door::Api, Action::PageViewed).await.expect("preview").replay;
    assert_eq!((replay.shut_out.len(), replay.unseen.len()), (0, 2), "long ago is not looked at");
}

// The way back in --------------------------------------------------------------------------------------------------

#[tokio::test]
async fn the_command_line_lets_everybody_in_again() {
    let (db, tenant, owner) = acme().await;
    let secret = key(&db, &owner, "CI").await;
    for door in Door::ALL {
        enforced(&db, &owner, door, "203.0.113.0/24").await;
    }
    let cli = Actor::cli(tenant.id(), Request::command("allowlist disable"));
    assert_eq!(disable(&db.ctx, &cli).await, Ok(Door::ALL.to_vec()));
    assert_eq!(comes_in(&db, &tenant, ELSEWHERE).await, Ok(()));
    assert_eq!(knock(&db, &secret, ELSEWHERE).await.refused, None);
    let event = last_event(&db, &tenant).await;
    assert_eq!((event.action.as_str(), event.actor.id.as_str()), ("allowlist.disabled", "cli"));
    let list = list(&db, &owner, Door::Dashboard).await;
    assert_eq!(
        (list.in_force.state(), list.draft.entries.len()),
        (State::Off, 1),
        "as a draft the entries are still there"
    );
    assert_eq!(disable(&db.ctx, &cli).await, Ok(vec![]), "done is done");
    assert_eq!(db.count(tenant.id(), Action::AllowlistDisabled).await, 2);
}

// Who may, and whose -----------------------------------------------------------------------------------------------

#[tokio::test]
async fn each_role_may_what_the_list_says() {
    let (db, tenant, _) = acme().await;
    for role in Role::ALL {
        let actor = match role {
            Role::Owner => acting(&tenant, tenant.made.user, role, HERE),
            role => acting(&tenant, db.member(&tenant, role).await, role, HERE),
        };
        let reads = matches!(role, Role::Owner | Role::Admin | Role::Developer | Role::Security);
        let changes = matches!(role, Role::Owner | Role::Admin);
        let expected = |may: bool, permission: Permission| {
            if may { Ok(()) } else { Err(AppError::Forbidden(permission.to_string())) }
        };
        let shown = show(&db.ctx, &actor, Action::PageViewed).await.map(drop);
        assert_eq!(shown, expected(reads, Permission::AllowlistRead), "{role}");
        let (ctx, door) = (&db.ctx, Door::Api);
        let v = || async {
            show(ctx, &acting(&tenant, tenant.made.user, Role::Owner, HERE), Action::PageViewed).await.expect("lists")
                [1]
            .version
            .to_string()
        };
        let entry =
            NewEntryText { cidr: format!("10.0.0.{}", role as u8), ..NewEntryText::default() }.parse().expect("entry");
        let mut done = vec![("allowlist.drafted", add(ctx, &actor, door, &v().await, entry).await.map(drop))];
        done.push(("allowlist.drafted", set_reporting(ctx, &actor, door, &v().await, "").await));
        done.push(("allowlist.changed", save(ctx, &actor, door, &v().await).await.map(drop)));
        done.push(("allowlist.reverted", undo(ctx, &actor, door, &v().await).await));
        done.push(("allowlist.changed", save(ctx, &actor, door, &v().await).await.map(drop)));
        done.push(("allowlist.confirmed", confirm(ctx, &actor, door, &v().await).await));
        done.push(("allowlist.drafted", discard(ctx, &actor, door, &v().await).await));
        done.push(("page.viewed", draft(ctx, &actor, door, Action::PageViewed).await.map(drop)));
        done.push(("page.viewed", preview(ctx, &actor, door, Action::PageViewed).await.map(drop)));
        for (_, done) in &done {
            assert_eq!(*done, expected(changes, Permission::AllowlistUpdate), "{role}");
        }
        if !changes {
            let denied: Vec<String> = db
                .events(tenant.id())
                .await
                .into_iter()
                .rev()
                .take(done.len())
                .map(|event| {
                    assert_eq!(
                        (event.outcome, event.actor.permission.as_deref()),
                        (Outcome::Denied, Some("allowlist.update"))
                    );
                    event.action
                })
                .collect();
            assert_eq!(denied, done.iter().rev().map(|(action, _)| *action).collect::<Vec<_>>(), "{role}");
        }
    }
}

#[tokio::test]
async fn an_open_session_alone_saves_nothing() {
    let (db, tenant, owner) = acme().await;
    put(&db, &owner, Door::Dashboard, "203.0.113.0/24", "").await;
    let mut left_open = owner.clone();
    if let Who::User { proof, .. } = &mut left_open.who {
        *proof = Proof::of_everything(db.ctx.clock.now() - Duration::minutes(11));
    }
    assert_eq!(saved(&db, &left_open, Door::Dashboard).await, Err(AppError::ProofNeeded));
    let event = last_event(&db, &tenant).await;
    assert_eq!(
        (event.action.as_str(), event.outcome, event.reason.as_deref()),
        ("allowlist.changed", Outcome::Denied, Some("proof_needed"))
    );
    assert_eq!(saved(&db, &owner, Door::Dashboard).await, Ok(()));
}

#[tokio::test]
async fn who_was_demoted_meanwhile_changes_nothing() {
    let (db, tenant, owner) = acme().await;
    let user = db.member(&tenant, Role::Admin).await;
    let admin = acting(&tenant, user, Role::Admin, HERE);
    put(&db, &admin, Door::Api, "10.0.0.0/8", "").await;
    let everybody =
        crate::members::operations::list(&db.ctx, &owner, None, 100, Action::PageViewed).await.expect("members");
    let member = everybody.members.into_iter().find(|member| member.user_id == user).expect("a member").id;
    crate::members::operations::change_role(&db.ctx, &owner, member, "viewer").await.expect("demoted");
    let v = version(&db, &owner, Door::Api).await;
    assert_eq!(save(&db.ctx, &admin, Door::Api, &v).await, Err(AppError::Forbidden("allowlist.update".into())));
}

#[tokio::test]
async fn one_workspaces_list_is_nothing_to_another() {
    let (db, acme, owner) = acme().await;
    let globex = db.workspace("Globex").await;
    let theirs = acting(&globex, globex.made.user, Role::Owner, HERE);
    enforced(&db, &owner, Door::Dashboard, "203.0.113.0/24").await;
    let id = list(&db, &owner, Door::Dashboard).await.in_force.entries[0].id;
    assert_eq!(list(&db, &theirs, Door::Dashboard).await.version, 0);
    assert_eq!(remove(&db.ctx, &theirs, Door::Dashboard, "0", id).await, Err(AppError::NotFound));
    let signed_in = db.signed_in(globex.made.user, "owner@globex.example");
    assert!(enter(&db.ctx, &signed_in, &from(ELSEWHERE), "globex").await.is_ok());
    assert_eq!(
        enter(&db.ctx, &signed_in, &from(ELSEWHERE), "acme").await.map(drop),
        Err(AppError::NotFound),
        "strangers do not learn that there is a list"
    );
    assert!(db.events(acme.id()).await.iter().all(|event| event.action != "workspace.entry_refused"));
    assert_eq!(request().address.as_deref(), Some(HERE));
}
