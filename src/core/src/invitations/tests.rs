//! Invitations on a real PostgreSQL: each opens once, for one address, never above the inviter.

use super::{
    InviteResult,
    operations::{NewPerson, accept, invite, join, make_link, offer, pending, resend, revoke},
};
use crate::{
    AppError,
    accounts::operations::{memberships, sign_in},
    audit_log::{Action, Outcome},
    flash::{self, Flash},
    ids::WorkspaceId,
    mail::operations::mailbox,
    permissions::Role,
    testing::{PASSWORD, Tenant, TestDb, request},
};
use futures::future::join_all;
use secrecy::ExposeSecret;
use time::Duration;

fn new_person(name: &str) -> NewPerson {
    NewPerson { name: name.into(), password: PASSWORD.into() }
}

/// The token in the newest mail to this address.
async fn mailed(db: &TestDb, to: &str) -> String {
    let mails = mailbox(&db.ctx).await.expect("mailbox");
    let link = mails.into_iter().find(|mail| mail.letter.to == to).and_then(|mail| mail.letter.link).expect("a link");
    link.rsplit('/').next().expect("a token").to_owned()
}

async fn invited(db: &TestDb, tenant: &Tenant, email: &str, role: &str) -> String {
    let results = invite(&db.ctx, &tenant.actor(Role::Owner), email, role).await.expect("invited");
    assert_eq!(results[0].result, InviteResult::Sent);
    mailed(db, email).await
}

#[tokio::test]
async fn a_pasted_list_is_answered_row_by_row() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    invited(&db, &tenant, "waits@example.com", "viewer").await;
    let list = "a@example.com, b@example.com c@example.com d@example.com e@example.com f@example.com\nnonsense waits@example.com owner@acme.example";
    let results = invite(&db.ctx, &owner, list, "developer").await.expect("answered");
    let of = |result| results.iter().filter(|one| one.result == result).count();
    assert_eq!(
        (of(InviteResult::Sent), of(InviteResult::NotAnAddress), of(InviteResult::Invited), of(InviteResult::Member)),
        (6, 1, 1, 1)
    );
    assert_eq!(pending(&db.ctx, &owner, Action::PageViewed).await.expect("pending").len(), 7);
    assert_eq!(mailbox(&db.ctx).await.expect("mailbox").len(), 7);
    assert_eq!(db.count(tenant.id(), Action::MemberInvited).await, 7);
}

#[tokio::test]
async fn somebody_new_joins_and_the_link_is_void() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let token = invited(&db, &tenant, "bo@example.com", "security").await;
    assert_eq!(db.tables_with(&token).await, Vec::<String>::new(), "only hashed and sealed");
    let seen = offer(&db.ctx, &token).await.expect("an offer");
    assert_eq!((seen.workspace_name.as_str(), seen.role, seen.user), ("Acme", Role::Security, None));
    let (user, slug) = join(&db.ctx, &request(), &token, new_person("Bo")).await.expect("joined");
    assert_eq!(slug, "acme");
    assert_eq!(sign_in(&db.ctx, &request(), "bo@example.com", PASSWORD.into()).await.map(|(who, _)| who), Ok(user));
    assert_eq!(memberships(&db.ctx, user).await.expect("memberships")[0].role, Role::Security);
    assert_eq!(offer(&db.ctx, &token).await, Err(AppError::NotFound));
    let again = join(&db.ctx, &request(), &token, new_person("Bo")).await;
    assert!(matches!(again, Err(AppError::Refused(_))), "{again:?}");
    assert_eq!(db.count(WorkspaceId::PLATFORM, Action::InvitationRefused).await, 1);
    let joined = db.events(tenant.id()).await.pop().expect("an event");
    assert_eq!((joined.action.as_str(), joined.actor.name.as_deref()), ("member.joined", Some("Bo")));
}

#[tokio::test]
async fn what_is_typed_is_checked_and_uses_nothing_up() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let token = invited(&db, &tenant, "bo@example.com", "viewer").await;
    let short = NewPerson { name: " ".into(), password: "short".into() };
    let Err(AppError::Invalid(errors)) = join(&db.ctx, &request(), &token, short).await else { panic!("refused") };
    assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), ["name", "password"]);
    assert!(offer(&db.ctx, &token).await.is_ok());
}

#[tokio::test]
async fn an_account_comes_into_a_second_workspace_but_only_its_own_invitation() {
    let db = TestDb::new().await;
    let (acme, globex) = (db.workspace("Acme").await, db.workspace("Globex").await);
    let token = invited(&db, &acme, "owner@globex.example", "admin").await;
    let globex_owner = db.signed_in(globex.made.user, "owner@globex.example");
    let somebody = db.signed_in(acme.made.user, "owner@acme.example");
    let refused = accept(&db.ctx, &request(), &somebody, &token).await;
    assert!(matches!(refused, Err(AppError::Refused(_))), "{refused:?}");
    let event = db.events(acme.id()).await.pop().expect("an event");
    assert_eq!((event.outcome, event.reason.as_deref()), (Outcome::Denied, Some("another_address")));
    assert!(matches!(join(&db.ctx, &request(), &token, new_person("X")).await, Err(AppError::Conflict(_))));
    assert_eq!(accept(&db.ctx, &request(), &globex_owner, &token).await, Ok("acme".into()));
    assert_eq!(memberships(&db.ctx, globex.made.user).await.expect("memberships").len(), 2);
}

#[tokio::test]
async fn fifty_at_once_let_one_in() {
    let db = TestDb::new().await;
    let (acme, globex) = (db.workspace("Acme").await, db.workspace("Globex").await);
    let token = invited(&db, &acme, "owner@globex.example", "viewer").await;
    let signed_in = db.signed_in(globex.made.user, "owner@globex.example");
    let request = request();
    let all = join_all((0..50).map(|_| accept(&db.ctx, &request, &signed_in, &token))).await;
    assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 1);
    let token = invited(&db, &acme, "new@example.com", "viewer").await;
    let all = join_all((0..50).map(|_| join(&db.ctx, &request, &token, new_person("New")))).await;
    assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 1);
    assert_eq!(db.count(acme.id(), Action::MemberJoined).await, 3, "the owner and two more");
    assert_eq!(db.number("select count(*) from users where email = 'new@example.com'").await, 1);
}

#[tokio::test]
async fn a_new_link_voids_the_one_before_and_so_do_time_and_revocation() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let first = invited(&db, &tenant, "bo@example.com", "viewer").await;
    let id = pending(&db.ctx, &owner, Action::PageViewed).await.expect("pending")[0].id;
    resend(&db.ctx, &owner, id).await.expect("sent again");
    let second = mailed(&db, "bo@example.com").await;
    assert_eq!((offer(&db.ctx, &first).await.is_ok(), offer(&db.ctx, &second).await.is_ok()), (false, true));
    let opener = make_link(&db.ctx, &owner, id, "/w/acme/members").await.expect("a link");
    let shown = flash::take(&db.ctx, opener.expose_secret(), "/w/acme/members").await.expect("asked");
    let Some(Flash::Link { url, .. }) = shown else { panic!("a link") };
    let third = url.rsplit('/').next().expect("a token").to_owned();
    assert_eq!((offer(&db.ctx, &second).await.is_ok(), offer(&db.ctx, &third).await.is_ok()), (false, true));
    assert_eq!(db.tables_with(&third).await, Vec::<String>::new());

    db.ctx.clock.advance(Duration::hours(72));
    assert!(offer(&db.ctx, &third).await.is_err(), "72 hours and not a second more");
    resend(&db.ctx, &owner, id).await.expect("an expired one too");
    let fourth = mailed(&db, "bo@example.com").await;
    assert!(offer(&db.ctx, &fourth).await.is_ok());
    revoke(&db.ctx, &owner, id).await.expect("revoked");
    assert!(offer(&db.ctx, &fourth).await.is_err());
    assert_eq!(revoke(&db.ctx, &owner, id).await, Err(AppError::NotFound));
    for (action, count) in
        [(Action::InvitationResent, 2), (Action::InvitationLinkMade, 1), (Action::InvitationRevoked, 1)]
    {
        assert_eq!(db.count(tenant.id(), action).await, count, "{action}");
    }
}

#[tokio::test]
async fn nobody_invites_above_their_own_role() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let admin = db.member(&tenant, Role::Admin).await;
    let actor = tenant.acting(admin, Role::Admin);
    let refused = invite(&db.ctx, &actor, "bo@example.com", "owner").await;
    assert!(matches!(refused, Err(AppError::Refused(_))), "{refused:?}");
    invited(&db, &tenant, "cy@example.com", "owner").await;
    let id = pending(&db.ctx, &actor, Action::PageViewed).await.expect("pending")[0].id;
    assert!(matches!(resend(&db.ctx, &actor, id).await, Err(AppError::Refused(_))));
    assert!(matches!(make_link(&db.ctx, &actor, id, "/").await, Err(AppError::Refused(_))));
    assert!(invite(&db.ctx, &actor, "bo@example.com", "admin").await.is_ok());
    let viewer = tenant.actor(Role::Viewer);
    assert_eq!(
        invite(&db.ctx, &viewer, "x@example.com", "viewer").await,
        Err(AppError::Forbidden("members.invite".into()))
    );
}

#[tokio::test]
async fn another_workspaces_invitations_are_none() {
    let db = TestDb::new().await;
    let (acme, globex) = (db.workspace("Acme").await, db.workspace("Globex").await);
    let token = invited(&db, &acme, "bo@example.com", "viewer").await;
    let (owner, stranger) = (acme.actor(Role::Owner), globex.actor(Role::Owner));
    let id = pending(&db.ctx, &owner, Action::PageViewed).await.expect("pending")[0].id;
    assert!(pending(&db.ctx, &stranger, Action::PageViewed).await.expect("none").is_empty());
    assert_eq!(resend(&db.ctx, &stranger, id).await, Err(AppError::NotFound));
    assert_eq!(revoke(&db.ctx, &stranger, id).await, Err(AppError::NotFound));
    assert!(make_link(&db.ctx, &stranger, id, "/").await.is_err());
    assert!(offer(&db.ctx, &token).await.is_ok(), "it still opens");
}
