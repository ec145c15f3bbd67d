//! Roles, removal and leaving on a real PostgreSQL: nobody above their own role, always an owner, every key somebody's.

use super::{
    KeyFate, MemberView,
    operations::{change_role, end_sessions, keys_of, leave, list, remove, show},
};
use crate::{
    Actor, AppError,
    accounts::{Begun, Factor, operations},
    api_keys::{self, NewKeyText},
    audit_log::{Action, EventView, Outcome},
    ids::{KeyId, MemberId, UserId},
    invitations::operations::{invite, pending},
    mail::operations::mailbox,
    permissions::Role,
    testing::{Tenant, TestDb, request},
};
use futures::future::join_all;

async fn members(db: &TestDb, tenant: &Tenant) -> Vec<MemberView> {
    list(&db.ctx, &tenant.actor(Role::Owner), None, 100, Action::PageViewed).await.expect("members").members
}

async fn member_of(db: &TestDb, tenant: &Tenant, user: UserId) -> MemberView {
    members(db, tenant).await.into_iter().find(|member| member.user_id == user).expect("a member")
}

async fn key(db: &TestDb, actor: &Actor, name: &str) -> KeyId {
    let new = NewKeyText { name: name.into(), kind: "test".into(), ..NewKeyText::default() };
    api_keys::operations::issue(&db.ctx, actor, new.parse().expect("a key")).await.expect("issued").id
}

async fn last_event(db: &TestDb, tenant: &Tenant) -> EventView {
    db.events(tenant.id()).await.pop().expect("an event")
}

#[tokio::test]
async fn a_role_is_changed_up_to_ones_own() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let (admin, viewer) = (db.member(&tenant, Role::Admin).await, db.member(&tenant, Role::Viewer).await);
    let acting_admin = tenant.acting(admin, Role::Admin);
    let viewer_id = member_of(&db, &tenant, viewer).await.id;
    let changed = change_role(&db.ctx, &acting_admin, viewer_id, "developer").await.expect("changed");
    assert_eq!((changed.role, member_of(&db, &tenant, viewer).await.role), (Role::Developer, Role::Developer));
    let event = last_event(&db, &tenant).await;
    assert_eq!(
        (event.action.as_str(), event.changes[0].before.as_str(), event.changes[0].after.as_str()),
        ("member.role_changed", Some("viewer"), Some("developer"))
    );

    let owner_id = member_of(&db, &tenant, tenant.made.user).await.id;
    for (id, role) in [(viewer_id, "owner"), (owner_id, "viewer")] {
        let refused = change_role(&db.ctx, &acting_admin, id, role).await;
        assert!(matches!(refused, Err(AppError::Refused(_))), "{role}: {refused:?}");
        let event = last_event(&db, &tenant).await;
        assert_eq!((event.outcome, event.reason.as_deref()), (Outcome::Denied, Some("above_own_role")));
    }
    assert!(matches!(change_role(&db.ctx, &acting_admin, viewer_id, "king").await, Err(AppError::Invalid(_))));
    assert_eq!(change_role(&db.ctx, &acting_admin, MemberId::new(), "viewer").await, Err(AppError::NotFound));
}

#[tokio::test]
async fn what_counts_is_the_role_of_now() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let (admin, viewer) = (db.member(&tenant, Role::Admin).await, db.member(&tenant, Role::Viewer).await);
    let still_admin = tenant.acting(admin, Role::Admin);
    let (admin_id, viewer_id) = (member_of(&db, &tenant, admin).await.id, member_of(&db, &tenant, viewer).await.id);
    let owner = tenant.actor(Role::Owner);
    change_role(&db.ctx, &owner, admin_id, "viewer").await.expect("demoted");
    assert_eq!(
        change_role(&db.ctx, &still_admin, viewer_id, "billing").await,
        Err(AppError::Forbidden("members.change_role".into()))
    );
    remove(&db.ctx, &owner, admin_id, &[]).await.expect("removed");
    assert_eq!(remove(&db.ctx, &still_admin, viewer_id, &[]).await.map(|_| ()), Err(AppError::NotFound));
    assert_eq!(member_of(&db, &tenant, viewer).await.role, Role::Viewer);
}

#[tokio::test]
async fn the_last_owner_stays() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let id = member_of(&db, &tenant, tenant.made.user).await.id;
    for refused in [change_role(&db.ctx, &owner, id, "admin").await.map(|_| ()), leave(&db.ctx, &owner).await] {
        assert!(matches!(refused, Err(AppError::Conflict(_))), "{refused:?}");
        let event = last_event(&db, &tenant).await;
        assert_eq!((event.outcome, event.reason.as_deref()), (Outcome::Denied, Some("last_owner")));
    }
    assert!(matches!(remove(&db.ctx, &owner, id, &[]).await, Err(AppError::Conflict(_))), "nobody removes themselves");
    assert_eq!(members(&db, &tenant).await.len(), 1);
}

/// Two owners go at once, in every way there is, 200 times: one of them stays.
#[tokio::test]
async fn two_owners_cannot_both_go() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let mut stays = tenant.made.user;
    for round in 0..200 {
        let other = db.member_named(&tenant, Role::Owner, &format!("owner{round}")).await;
        let (a, b) = (tenant.acting(stays, Role::Owner), tenant.acting(other, Role::Owner));
        let (a_id, b_id) = (member_of(&db, &tenant, stays).await.id, member_of(&db, &tenant, other).await.id);
        let (first, second) = match round % 4 {
            0 => tokio::join!(leave(&db.ctx, &a), leave(&db.ctx, &b)),
            1 => tokio::join!(async { change_role(&db.ctx, &a, a_id, "viewer").await.map(|_| ()) }, leave(&db.ctx, &b)),
            2 => tokio::join!(async { remove(&db.ctx, &a, b_id, &[]).await.map(|_| ()) }, async {
                remove(&db.ctx, &b, a_id, &[]).await.map(|_| ())
            }),
            _ => tokio::join!(async { change_role(&db.ctx, &a, b_id, "viewer").await.map(|_| ()) }, async {
                change_role(&db.ctx, &b, a_id, "viewer").await.map(|_| ())
            }),
        };
        assert!(first.is_ok() != second.is_ok(), "round {round}: {first:?} {second:?}");
        let owners: Vec<MemberView> =
            members(&db, &tenant).await.into_iter().filter(|member| member.role == Role::Owner).collect();
        assert_eq!(owners.len(), 1, "round {round}");
        stays = owners[0].user_id;
        for gone in members(&db, &tenant).await.into_iter().filter(|member| member.role != Role::Owner) {
            remove(&db.ctx, &tenant.acting(stays, Role::Owner), gone.id, &[]).await.expect("cleared");
        }
    }
}

#[tokio::test]
async fn each_key_of_who_is_removed_is_decided_about() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let developer = db.member(&tenant, Role::Developer).await;
    let acting_developer = tenant.acting(developer, Role::Developer);
    let (kept, ended) = (key(&db, &acting_developer, "Kept").await, key(&db, &acting_developer, "Ended").await);
    let owner = tenant.actor(Role::Owner);
    let member = member_of(&db, &tenant, developer).await;
    assert_eq!(keys_of(&db.ctx, &owner, &member).await.expect("keys").len(), 2);
    for undecided in [vec![], vec![(kept, KeyFate::HandOver)]] {
        assert!(matches!(remove(&db.ctx, &owner, member.id, &undecided).await, Err(AppError::Conflict(_))));
    }
    assert_eq!(members(&db, &tenant).await.len(), 2, "nothing is half done");
    remove(&db.ctx, &owner, member.id, &[(kept, KeyFate::HandOver), (ended, KeyFate::Revoke)]).await.expect("removed");
    let key = |id| api_keys::operations::show(&db.ctx, &owner, id, Action::PageViewed);
    let (kept, ended) = (key(kept).await.expect("kept"), key(ended).await.expect("ended"));
    assert_eq!((kept.status, kept.responsible.as_deref()), (api_keys::Status::Active, Some("Owner of Acme")));
    assert_eq!(ended.status, api_keys::Status::Revoked);
    let events: Vec<String> =
        db.events(tenant.id()).await.into_iter().rev().take(3).map(|event| event.action).collect();
    assert_eq!(events[0], "member.removed");
    assert!(events.contains(&"api_key.handed_over".into()) && events.contains(&"api_key.revoked".into()), "{events:?}");
    assert_eq!(show(&db.ctx, &owner, member.id, Action::PageViewed).await.map(|_| ()), Err(AppError::NotFound));
}

#[tokio::test]
async fn the_owners_take_over_from_who_leaves_or_is_demoted_and_are_told() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let developer = db.member(&tenant, Role::Developer).await;
    let acting_developer = tenant.acting(developer, Role::Developer);
    let first = key(&db, &acting_developer, "First").await;
    let owner = tenant.actor(Role::Owner);
    let member = member_of(&db, &tenant, developer).await;
    change_role(&db.ctx, &owner, member.id, "security").await.expect("demoted");
    let key_now = api_keys::operations::show(&db.ctx, &owner, first, Action::PageViewed).await.expect("key");
    assert_eq!((key_now.status, key_now.responsible), (api_keys::Status::Active, None));
    let told = mailbox(&db.ctx).await.expect("mailbox");
    assert_eq!((told.len(), told[0].letter.to.as_str()), (1, "owner@acme.example"));
    assert!(told[0].letter.text.contains("First"), "{:?}", told[0].letter);

    change_role(&db.ctx, &owner, member.id, "developer").await.expect("promoted");
    let second = key(&db, &acting_developer, "Second").await;
    leave(&db.ctx, &acting_developer).await.expect("left");
    let key_now = api_keys::operations::show(&db.ctx, &owner, second, Action::PageViewed).await.expect("key");
    assert_eq!((key_now.status, key_now.responsible), (api_keys::Status::Active, None));
    assert_eq!(mailbox(&db.ctx).await.expect("mailbox").len(), 2);
    assert_eq!(last_event(&db, &tenant).await.action, "member.left");
    assert_eq!(leave(&db.ctx, &acting_developer).await, Err(AppError::NotFound), "who is gone cannot go again");
}

#[tokio::test]
async fn who_may_invite_no_more_has_no_invitations() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let admin = db.member(&tenant, Role::Admin).await;
    let owner = tenant.actor(Role::Owner);
    invite(&db.ctx, &tenant.acting(admin, Role::Admin), "bo@example.com", "viewer").await.expect("invited");
    invite(&db.ctx, &owner, "cy@example.com", "viewer").await.expect("invited");
    let member = member_of(&db, &tenant, admin).await;
    change_role(&db.ctx, &owner, member.id, "developer").await.expect("demoted");
    let left: Vec<String> =
        pending(&db.ctx, &owner, Action::PageViewed).await.expect("pending").into_iter().map(|one| one.email).collect();
    assert_eq!(left, ["cy@example.com"]);
    assert_eq!(db.count(tenant.id(), Action::InvitationRevoked).await, 1);
}

#[tokio::test]
async fn another_workspaces_members_are_nobody() {
    let db = TestDb::new().await;
    let (acme, globex) = (db.workspace("Acme").await, db.workspace("Globex").await);
    let theirs = member_of(&db, &globex, globex.made.user).await.id;
    let owner = acme.actor(Role::Owner);
    assert_eq!(show(&db.ctx, &owner, theirs, Action::PageViewed).await.map(|_| ()), Err(AppError::NotFound));
    assert_eq!(change_role(&db.ctx, &owner, theirs, "viewer").await.map(|_| ()), Err(AppError::NotFound));
    assert_eq!(remove(&db.ctx, &owner, theirs, &[]).await.map(|_| ()), Err(AppError::NotFound));
    assert_eq!(members(&db, &globex).await.len(), 1);
}

#[tokio::test]
async fn when_somebody_was_last_seen_is_for_those_who_may_know() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let signed_in = db.signed_in(tenant.made.user, "owner@acme.example");
    crate::accounts::operations::enter(&db.ctx, &signed_in, &request(), "acme").await.expect("entered");
    let seen_by = async |role| {
        let page = list(&db.ctx, &tenant.actor(role), None, 100, Action::PageViewed).await.expect("members");
        let member = show(&db.ctx, &tenant.actor(role), page.members[0].id, Action::PageViewed).await.expect("member");
        for one in [&page.members[0], &member] {
            assert_eq!(one.factors.is_some(), one.last_seen_at.is_some(), "factors likewise");
        }
        page.members[0].last_seen_at
    };
    for role in Role::ALL {
        let knows = role.may(crate::permissions::Permission::PoliciesRead);
        assert_eq!(seen_by(role).await.is_some(), knows, "{role}");
    }
    let first = seen_by(Role::Owner).await;
    crate::accounts::operations::enter(&db.ctx, &signed_in, &request(), "acme").await.expect("entered");
    assert_eq!(seen_by(Role::Owner).await, first, "noted once a minute");
    db.ctx.clock.advance(time::Duration::minutes(2));
    crate::accounts::operations::enter(&db.ctx, &signed_in, &request(), "acme").await.expect("entered");
    assert!(seen_by(Role::Owner).await > first);
}

/// Nobody is removed half: many removals of one member, one event.
#[tokio::test]
async fn many_remove_one_member_once() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let viewer = db.member(&tenant, Role::Viewer).await;
    let id = member_of(&db, &tenant, viewer).await.id;
    let owner = tenant.actor(Role::Owner);
    let removed = join_all((0..8).map(|_| remove(&db.ctx, &owner, id, &[]))).await;
    assert_eq!(removed.iter().filter(|removed| removed.is_ok()).count(), 1);
    assert_eq!(db.count(tenant.id(), Action::MemberRemoved).await, 1);
}

#[tokio::test]
async fn whoever_may_ends_somebody_elses_sessions_and_they_are_told() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let viewer = db.member(&tenant, Role::Viewer).await;
    let id = member_of(&db, &tenant, viewer).await.id;
    let hash = [7; 32];
    operations::start_session(&db.ctx, &request(), viewer, Begun::With(Factor::Password), &hash).await.expect("begun");
    for role in Role::ALL {
        let may = matches!(role, Role::Owner | Role::Admin | Role::Security);
        let ended = end_sessions(&db.ctx, &tenant.actor(role), id).await.map(drop);
        assert_eq!(ended, if may { Ok(()) } else { Err(AppError::Forbidden("sessions.revoke".into())) }, "{role}");
        assert_eq!(operations::find_session(&db.ctx, &hash).await, Ok(None), "the first of them did it");
    }
    let event =
        db.events(tenant.id()).await.into_iter().find(|event| event.action == "session.revoked").expect("event");
    assert_eq!(
        (event.targets[0].id.clone(), event.actor.permission.as_deref()),
        (id.to_string(), Some("sessions.revoke"))
    );
    let mail = mailbox(&db.ctx).await.expect("mailbox").remove(0).letter;
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("viewer@acme.example", "Your sessions were ended"));
    let own = member_of(&db, &tenant, tenant.made.user).await.id;
    assert!(matches!(end_sessions(&db.ctx, &tenant.actor(Role::Owner), own).await, Err(AppError::Conflict(_))));
    let other = db.workspace("Other").await;
    assert_eq!(end_sessions(&db.ctx, &other.actor(Role::Owner), id).await.map(drop), Err(AppError::NotFound));
}
