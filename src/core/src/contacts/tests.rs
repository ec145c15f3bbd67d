//! Security contacts on a real PostgreSQL: somebody is always told, nobody is told who has not agreed.

use super::{
    CONTACTS_MAX, ContactView, HOURS, NoticeKind, Standing,
    operations::{Added, add, change_kinds, confirm, is_named, list, offer, remove, show, test},
};
use crate::{
    Actor, AppError,
    api_keys::{self, NewKeyText},
    audit_log::{Action, EventView, Outcome},
    ids::{ContactId, WorkspaceId},
    invitations::operations::invite,
    mail::operations::mailbox,
    members,
    permissions::{Permission, Role},
    testing::{Tenant, TestDb, request},
    workspaces,
};
use futures::future::join_all;
use time::Duration;

fn kinds(of: &[NoticeKind]) -> Vec<String> {
    of.iter().map(ToString::to_string).collect()
}

fn all_kinds() -> Vec<String> {
    kinds(&NoticeKind::ALL)
}

async fn contacts(db: &TestDb, tenant: &Tenant) -> Vec<ContactView> {
    list(&db.ctx, &tenant.actor(Role::Owner), Action::PageViewed).await.expect("contacts")
}

async fn contact(db: &TestDb, tenant: &Tenant, email: &str) -> ContactView {
    contacts(db, tenant).await.into_iter().find(|contact| contact.email == email).expect("a contact")
}

/// Who was sent a mail with this in its subject.
async fn told(db: &TestDb, subject: &str) -> Vec<String> {
    let mails = mailbox(&db.ctx).await.expect("mailbox");
    let mut told: Vec<String> =
        mails.into_iter().filter(|mail| mail.letter.subject.contains(subject)).map(|mail| mail.letter.to).collect();
    told.sort();
    told
}

async fn last_event(db: &TestDb, workspace: WorkspaceId) -> EventView {
    db.events(workspace).await.pop().expect("an event")
}

/// An address outside that has said yes.
async fn outside(db: &TestDb, tenant: &Tenant, email: &str, told: &[NoticeKind]) -> ContactView {
    add(&db.ctx, &tenant.actor(Role::Owner), email, &kinds(told)).await.expect("added");
    confirm(&db.ctx, &request(), &db.mailed_token(email).await).await.expect("confirmed");
    contact(db, tenant, email).await
}

#[tokio::test]
async fn a_workspace_begins_with_its_owner_as_contact() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let signed_in = db.signed_in(tenant.made.user, "owner@acme.example");
    let second = workspaces::operations::create(&db.ctx, &request(), &signed_in, "Second").await.expect("made");
    for made in [tenant.made.clone(), second] {
        let tenant = Tenant { made };
        let contacts = contacts(&db, &tenant).await;
        assert_eq!(contacts.len(), 1);
        let first = &contacts[0];
        assert_eq!((first.email.as_str(), first.standing), ("owner@acme.example", Standing::Member));
        assert_eq!(first.kinds, NoticeKind::ALL);
        assert_eq!(is_named(&db.ctx, &tenant.actor(Role::Owner)).await, Ok(false));
        let created = db.events(tenant.id()).await.remove(0);
        assert!(created.changes.iter().any(|change| change.field == "security_contact"), "{created:?}");
    }
}

#[tokio::test]
async fn a_member_is_a_contact_at_once() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    db.member(&tenant, Role::Security).await;
    let added = add(&db.ctx, &tenant.actor(Role::Owner), " Security@Acme.example ", &all_kinds()).await;
    assert_eq!(added, Ok(Added::Member("security@acme.example".into())));
    let view = contact(&db, &tenant, "security@acme.example").await;
    assert_eq!((view.standing, view.name.as_deref()), (Standing::Member, Some("The security")));
    assert_eq!(mailbox(&db.ctx).await.expect("mailbox").len(), 0, "nothing to confirm");
    assert_eq!(is_named(&db.ctx, &tenant.actor(Role::Owner)).await, Ok(true));
    let event = last_event(&db, tenant.id()).await;
    assert_eq!((event.action.as_str(), event.actor.permission.as_deref()), ("contact.added", Some("contacts.manage")));
    let again = add(&db.ctx, &tenant.actor(Role::Owner), "security@acme.example", &all_kinds()).await;
    assert!(matches!(again, Err(AppError::Conflict(_))), "{again:?}");
}

#[tokio::test]
async fn an_address_outside_is_told_nothing_before_it_says_yes() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let added = add(&db.ctx, &owner, "soc@example.com", &all_kinds()).await;
    assert_eq!(added, Ok(Added::Asked("soc@example.com".into())));
    let view = contact(&db, &tenant, "soc@example.com").await;
    assert!(!view.is_told() && is_named(&db.ctx, &owner).await == Ok(false));
    let token = db.mailed_token("soc@example.com").await;
    assert_eq!(db.tables_with(&token).await, Vec::<String>::new(), "only its hash is stored");
    assert!(matches!(test(&db.ctx, &owner, view.id).await, Err(AppError::Conflict(_))));
    issue_live(&db, &owner, "Before").await;
    assert_eq!(told(&db, "Before was issued").await, ["owner@acme.example"]);

    for _ in 0..2 {
        let offer = offer(&db.ctx, &token).await.expect("looking confirms nothing");
        assert_eq!((offer.workspace_name.as_str(), offer.email.as_str()), ("Acme", "soc@example.com"));
        assert_eq!(offer.added_by.as_deref(), Some("Owner of Acme"));
    }
    confirm(&db.ctx, &request(), &token).await.expect("confirmed");
    let event = last_event(&db, tenant.id()).await;
    assert_eq!((event.action.as_str(), event.actor.kind.as_str()), ("contact.confirmed", "anonymous"));
    assert!(matches!(contact(&db, &tenant, "soc@example.com").await.standing, Standing::Confirmed(_)));
    assert_eq!(is_named(&db.ctx, &owner).await, Ok(true));
    issue_live(&db, &owner, "After").await;
    assert_eq!(told(&db, "After was issued").await, ["owner@acme.example", "soc@example.com"]);
}

async fn issue_live(db: &TestDb, actor: &Actor, name: &str) -> crate::ids::KeyId {
    let new = NewKeyText { name: name.into(), kind: "live".into(), ..NewKeyText::default() };
    api_keys::operations::issue(&db.ctx, actor, new.parse().expect("a key")).await.expect("issued").id
}

#[tokio::test]
async fn of_fifty_at_once_one_confirms() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    add(&db.ctx, &tenant.actor(Role::Owner), "soc@example.com", &all_kinds()).await.expect("added");
    let token = db.mailed_token("soc@example.com").await;
    let asked = request();
    let confirmed = join_all((0..50).map(|_| confirm(&db.ctx, &asked, &token))).await;
    assert_eq!(confirmed.iter().filter(|confirmed| confirmed.is_ok()).count(), 1);
    assert!(confirmed.iter().all(|one| matches!(one, Ok(_) | Err(AppError::Refused(_)))), "{confirmed:?}");
    assert_eq!(db.count(tenant.id(), Action::ContactConfirmed).await, 1);
}

#[tokio::test]
async fn a_link_is_void_when_it_is_old_replaced_or_its_contact_gone() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let void = async |token: &str| {
        assert_eq!(offer(&db.ctx, token).await, Err(AppError::NotFound));
        let refused = confirm(&db.ctx, &request(), token).await;
        assert!(matches!(refused, Err(AppError::Refused(_))), "{refused:?}");
        let event = last_event(&db, WorkspaceId::PLATFORM).await;
        assert_eq!((event.outcome, event.reason.as_deref()), (Outcome::Denied, Some("void_link")));
    };
    void("0000").await;
    add(&db.ctx, &owner, "soc@example.com", &all_kinds()).await.expect("added");
    let first = db.mailed_token("soc@example.com").await;
    let before = contact(&db, &tenant, "soc@example.com").await;
    add(&db.ctx, &owner, "soc@example.com", &kinds(&[NoticeKind::Log])).await.expect("asked again");
    let second = db.mailed_token("soc@example.com").await;
    let after = contact(&db, &tenant, "soc@example.com").await;
    assert_eq!((before.id, after.kinds.as_slice()), (after.id, &[NoticeKind::Log][..]));
    void(&first).await;
    db.ctx.clock.advance(Duration::hours(HOURS));
    void(&second).await;
    add(&db.ctx, &owner, "soc@example.com", &all_kinds()).await.expect("asked again");
    let third = db.mailed_token("soc@example.com").await;
    remove(&db.ctx, &owner, after.id).await.expect("removed");
    void(&third).await;
    assert_eq!(db.number("select count(*) from contact_directory").await, 0);
}

#[tokio::test]
async fn the_last_one_stays() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let id = contacts(&db, &tenant).await[0].id;
    add(&db.ctx, &owner, "waits@example.com", &all_kinds()).await.expect("added");
    let refused = remove(&db.ctx, &owner, id).await;
    assert!(matches!(refused, Err(AppError::Conflict(_))), "who waits does not count: {refused:?}");
    let event = last_event(&db, tenant.id()).await;
    assert_eq!((event.outcome, event.reason.as_deref()), (Outcome::Denied, Some("last_contact")));
    let waits = contact(&db, &tenant, "waits@example.com").await.id;
    remove(&db.ctx, &owner, waits).await.expect("it was not the last one that is told");
    outside(&db, &tenant, "soc@example.com", &NoticeKind::ALL).await;
    remove(&db.ctx, &owner, id).await.expect("there is another");
    assert_eq!(contacts(&db, &tenant).await.len(), 1);
    assert_eq!(remove(&db.ctx, &owner, id).await.map(|_| ()), Err(AppError::NotFound));
}

#[tokio::test]
async fn two_cannot_both_be_removed() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    for round in 0..40 {
        let stays = contacts(&db, &tenant).await[0].id;
        db.member_named(&tenant, Role::Viewer, &format!("v{round}")).await;
        add(&db.ctx, &owner, &format!("v{round}@acme.example"), &all_kinds()).await.expect("added");
        let other = contacts(&db, &tenant).await.into_iter().find(|contact| contact.id != stays).expect("another").id;
        let (one, two) = tokio::join!(remove(&db.ctx, &owner, stays), remove(&db.ctx, &owner, other));
        assert!(one.is_ok() != two.is_ok(), "round {round}: {one:?} {two:?}");
        assert_eq!(contacts(&db, &tenant).await.len(), 1, "round {round}");
    }
}

#[tokio::test]
async fn who_leaves_is_no_contact_and_the_owners_take_over_from_the_last() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let viewer = db.member(&tenant, Role::Viewer).await;
    add(&db.ctx, &owner, "viewer@acme.example", &kinds(&[NoticeKind::Log])).await.expect("added");
    let founder = contact(&db, &tenant, "owner@acme.example").await.id;
    remove(&db.ctx, &owner, founder).await.expect("removed");
    add(&db.ctx, &owner, "waits@example.com", &all_kinds()).await.expect("added");
    members::operations::leave(&db.ctx, &tenant.acting(viewer, Role::Viewer)).await.expect("left");
    let now = contacts(&db, &tenant).await;
    let now: Vec<&str> = now.iter().filter(|one| one.is_told()).map(|one| one.email.as_str()).collect();
    assert_eq!(now, ["owner@acme.example"]);
    let actions: Vec<String> = db.events(tenant.id()).await.into_iter().map(|event| event.action).collect();
    assert_eq!(actions[actions.len() - 3..], ["contact.removed", "contact.added", "member.left"]);

    let security = db.member(&tenant, Role::Security).await;
    add(&db.ctx, &owner, "security@acme.example", &all_kinds()).await.expect("added");
    let page = members::operations::list(&db.ctx, &owner, None, 100, Action::PageViewed).await.expect("members");
    let member = page.members.into_iter().find(|member| member.user_id == security).expect("a member").id;
    members::operations::remove(&db.ctx, &owner, member, &[]).await.expect("removed");
    assert!(contacts(&db, &tenant).await.iter().all(|contact| contact.email != "security@acme.example"));

    let second = db.member_named(&tenant, Role::Owner, "second").await;
    members::operations::leave(&db.ctx, &tenant.acting(second, Role::Owner)).await.expect("left");
    assert_eq!(told(&db, "has left").await, ["owner@acme.example"], "an owner does not go unnoticed");
}

#[tokio::test]
async fn each_is_told_what_they_want_to_know() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    outside(&db, &tenant, "keys@example.com", &[NoticeKind::Keys]).await;
    let team = outside(&db, &tenant, "team@example.com", &[NoticeKind::Members]).await;
    let key = issue_live(&db, &owner, "Shop").await;
    assert_eq!(told(&db, "Acme: API key Shop was issued").await, ["keys@example.com", "owner@acme.example"]);
    api_keys::operations::revoke(&db.ctx, &owner, key, "").await.expect("revoked");
    api_keys::operations::revoke(&db.ctx, &owner, key, "").await.expect("again");
    assert_eq!(told(&db, "API key Shop was revoked").await, ["keys@example.com", "owner@acme.example"]);
    let test = NewKeyText { name: "Local".into(), kind: "test".into(), ..NewKeyText::default() };
    api_keys::operations::issue(&db.ctx, &owner, test.parse().expect("a key")).await.expect("issued");
    assert!(told(&db, "Local").await.is_empty(), "test keys are no news");

    invite(&db.ctx, &owner, "bo@example.com nonsense", "admin").await.expect("invited");
    invite(&db.ctx, &owner, "cy@example.com", "viewer").await.expect("invited");
    assert_eq!(told(&db, "bo@example.com is invited as admin").await, ["owner@acme.example", "team@example.com"]);
    assert!(told(&db, "cy@example.com").await.is_empty());

    let viewer = db.member(&tenant, Role::Viewer).await;
    let page = members::operations::list(&db.ctx, &owner, None, 100, Action::PageViewed).await.expect("members");
    let member = page.members.into_iter().find(|member| member.user_id == viewer).expect("a member").id;
    for (role, news) in [("billing", 0), ("admin", 2), ("viewer", 2)] {
        members::operations::change_role(&db.ctx, &owner, member, role).await.expect("changed");
        assert_eq!(told(&db, &format!("is {role} now")).await.len(), news, "{role}");
    }
    change_kinds(&db.ctx, &owner, team.id, &kinds(&[NoticeKind::Log])).await.expect("changed");
    members::operations::remove(&db.ctx, &owner, member, &[]).await.expect("removed");
    assert_eq!(told(&db, "The viewer was removed").await, ["owner@acme.example"]);
    assert_eq!(told(&db, "You were removed from Acme").await, ["viewer@acme.example"]);
    let mail = mailbox(&db.ctx).await.expect("mailbox").into_iter().find(|mail| mail.letter.to == "keys@example.com");
    let letter = mail.expect("a mail").letter;
    assert!(letter.text.contains("because you are a security contact of Acme"), "{letter:?}");
    assert_eq!(letter.link.as_deref(), Some("http://localhost:3000/w/acme"));
}

#[tokio::test]
async fn a_refused_change_tells_nobody() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let page = members::operations::list(&db.ctx, &owner, None, 100, Action::PageViewed).await.expect("members");
    let refused = members::operations::change_role(&db.ctx, &owner, page.members[0].id, "viewer").await;
    assert!(matches!(refused, Err(AppError::Conflict(_))));
    assert_eq!(mailbox(&db.ctx).await.expect("mailbox").len(), 0);
}

#[tokio::test]
async fn subscriptions_are_changed_and_never_empty() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let id = contacts(&db, &tenant).await[0].id;
    let changed = change_kinds(&db.ctx, &owner, id, &kinds(&[NoticeKind::Log, NoticeKind::Keys])).await;
    assert_eq!(changed.expect("changed").kinds, [NoticeKind::Keys, NoticeKind::Log]);
    let event = last_event(&db, tenant.id()).await;
    assert_eq!((event.action.as_str(), &event.changes[0].after), ("contact.changed", &["keys", "log"].into()));
    change_kinds(&db.ctx, &owner, id, &kinds(&[NoticeKind::Keys, NoticeKind::Log])).await.expect("the same");
    assert_eq!(db.count(tenant.id(), Action::ContactChanged).await, 1, "no change, no event");
    for wrong in [vec![], vec!["weather".to_owned()]] {
        assert!(matches!(change_kinds(&db.ctx, &owner, id, &wrong).await, Err(AppError::Invalid(_))));
        assert!(matches!(add(&db.ctx, &owner, "soc@example.com", &wrong).await, Err(AppError::Invalid(_))));
    }
    let both = add(&db.ctx, &owner, "nobody", &[]).await;
    assert!(matches!(both, Err(AppError::Invalid(errors)) if errors.len() == 2));
}

#[tokio::test]
async fn a_test_is_sent_once_a_minute() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let id = contacts(&db, &tenant).await[0].id;
    test(&db.ctx, &owner, id).await.expect("sent");
    assert!(matches!(test(&db.ctx, &owner, id).await, Err(AppError::Throttled(1..=60))));
    db.ctx.clock.advance(Duration::seconds(61));
    test(&db.ctx, &owner, id).await.expect("sent");
    assert_eq!(told(&db, "A test from send0").await.len(), 2);
    assert_eq!(db.count(tenant.id(), Action::ContactTested).await, 2);
}

#[tokio::test]
async fn there_are_not_too_many() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    for n in 1..CONTACTS_MAX {
        add(&db.ctx, &owner, &format!("p{n}@example.com"), &all_kinds()).await.expect("added");
    }
    assert!(matches!(add(&db.ctx, &owner, "more@example.com", &all_kinds()).await, Err(AppError::Conflict(_))));
    add(&db.ctx, &owner, "p1@example.com", &all_kinds()).await.expect("asked again");
}

#[tokio::test]
async fn by_role() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let founder = contacts(&db, &tenant).await[0].id;
    for role in Role::ALL {
        let user = if role == Role::Owner { tenant.made.user } else { db.member(&tenant, role).await };
        let actor = tenant.acting(user, role);
        let (ctx, email) = (&db.ctx, format!("{role}@example.com"));
        db.ctx.clock.advance(Duration::minutes(2));
        let done = [
            ("contact.added", add(ctx, &actor, &email, &all_kinds()).await.map(|_| ())),
            ("contact.changed", change_kinds(ctx, &actor, founder, &kinds(&[rotated(role)])).await.map(|_| ())),
            ("contact.tested", test(ctx, &actor, founder).await.map(|_| ())),
            ("page.viewed", list(ctx, &actor, Action::PageViewed).await.map(|_| ())),
        ];
        let may = role.may(Permission::ContactsManage);
        for (action, done) in done {
            let expected = if may { Ok(()) } else { Err(AppError::Forbidden("contacts.manage".into())) };
            assert_eq!(done, expected, "{role} {action}");
        }
        let removed = remove(ctx, &actor, ContactId::new()).await.map(|_| ());
        assert_eq!(removed == Err(AppError::NotFound), may, "{role}: {removed:?}");
        if !may {
            let event = last_event(&db, tenant.id()).await;
            assert_eq!((event.action.as_str(), event.outcome), ("contact.removed", Outcome::Denied), "{role}");
        }
    }
}

/// Another kind for each role, so that every change is one.
fn rotated(role: Role) -> NoticeKind {
    NoticeKind::ALL[Role::ALL.iter().position(|one| *one == role).unwrap_or_default() % NoticeKind::ALL.len()]
}

#[tokio::test]
async fn what_counts_is_the_role_of_now() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let admin = db.member(&tenant, Role::Admin).await;
    let still_admin = tenant.acting(admin, Role::Admin);
    let owner = tenant.actor(Role::Owner);
    let page = members::operations::list(&db.ctx, &owner, None, 100, Action::PageViewed).await.expect("members");
    let member = page.members.into_iter().find(|member| member.user_id == admin).expect("a member").id;
    members::operations::change_role(&db.ctx, &owner, member, "viewer").await.expect("demoted");
    let refused = add(&db.ctx, &still_admin, "eve@example.com", &all_kinds()).await;
    assert_eq!(refused, Err(AppError::Forbidden("contacts.manage".into())));
}

#[tokio::test]
async fn another_workspaces_contacts_are_nobody() {
    let db = TestDb::new().await;
    let (acme, globex) = (db.workspace("Acme").await, db.workspace("Globex").await);
    let owner = acme.actor(Role::Owner);
    let theirs = outside(&db, &globex, "soc@example.com", &NoticeKind::ALL).await;
    let id = theirs.id;
    assert_eq!(show(&db.ctx, &owner, id, Action::PageViewed).await, Err(AppError::NotFound));
    assert_eq!(change_kinds(&db.ctx, &owner, id, &kinds(&[NoticeKind::Log])).await, Err(AppError::NotFound));
    assert_eq!(test(&db.ctx, &owner, id).await, Err(AppError::NotFound));
    assert_eq!(remove(&db.ctx, &owner, id).await, Err(AppError::NotFound));
    assert_eq!(contact(&db, &globex, "soc@example.com").await, theirs);
    issue_live(&db, &owner, "Ours").await;
    assert_eq!(told(&db, "Ours was issued").await, ["owner@acme.example"]);
    // The same address can be a contact of both, and says yes to each.
    add(&db.ctx, &owner, "soc@example.com", &all_kinds()).await.expect("added");
    assert_eq!(offer(&db.ctx, &db.mailed_token("soc@example.com").await).await.expect("an offer").workspace, acme.id());
}
