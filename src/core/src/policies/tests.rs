//! Who is held to what, from when.

use super::{
    Policy, PolicyText,
    operations::{change, show},
};
use crate::{
    AppError,
    accounts::{Begun, Factor, SignedIn, operations},
    audit_log::Action,
    ids::UserId,
    mail::operations::mailbox,
    permissions::{Permission, Role},
    policies, secrets,
    testing::{Tenant, TestDb, request},
    two_factor::operations::remove_app,
};
use futures::future::join_all;
use secrecy::ExposeSecret;
use time::Duration;

fn policy(demand: &str, days: &str) -> PolicyText {
    PolicyText { demand: demand.into(), grace_days: days.into() }
}

async fn session(db: &TestDb, user: UserId, factor: Factor) -> SignedIn {
    let hash = secrets::hash(secrets::token().expose_secret());
    operations::start_session(&db.ctx, &request(), user, Begun::With(factor), &hash).await.expect("session");
    operations::find_session(&db.ctx, &hash).await.expect("looked").expect("signed in")
}

async fn enters(db: &TestDb, user: UserId, factor: Factor) -> Result<(), AppError> {
    let signed_in = session(db, user, factor).await;
    operations::enter(&db.ctx, &signed_in, &request(), "acme").await.map(|_| ())
}

async fn with_app(db: &TestDb, user: UserId) {
    sqlx::query(
        "insert into totp_factors (user_id, sealed, confirmed_at, created_at) values ($1, 'sealed', now(), now())",
    )
    .bind(user.0)
    .execute(&db.superuser)
    .await
    .expect("a factor");
}

async fn names(db: &TestDb, tenant: &Tenant) -> Vec<String> {
    let (_, affected) = show(&db.ctx, &tenant.actor(Role::Owner), Action::PageViewed).await.expect("policy");
    affected.into_iter().map(|one| one.email).collect()
}

const NEEDED: AppError = AppError::FactorNeeded { passkey: false };

#[tokio::test]
async fn a_new_workspace_demands_a_second_factor_within_seven_days() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.made.user;
    let (policy, affected) = show(&db.ctx, &tenant.actor(Role::Owner), Action::PageViewed).await.expect("policy");
    assert_eq!((policy, affected.len()), (Policy::NEW, 1));
    assert_eq!(enters(&db, owner, Factor::Password).await, Ok(()));
    db.ctx.clock.advance(Duration::days(7) - Duration::minutes(1));
    assert_eq!(enters(&db, owner, Factor::Password).await, Ok(()));
    let late = db.member(&tenant, Role::Viewer).await;
    db.ctx.clock.advance(Duration::minutes(2));
    assert_eq!(enters(&db, owner, Factor::Password).await, Err(NEEDED));
    let event = db.events(tenant.id()).await.pop().expect("an event");
    assert_eq!((event.action.as_str(), event.reason.as_deref()), ("page.viewed", Some("second_factor_missing")));
    assert_eq!(enters(&db, late, Factor::Password).await, Ok(()), "who came later has a date of their own");
    // Kept out, not removed: with a factor they are back.
    with_app(&db, owner).await;
    assert_eq!(enters(&db, owner, Factor::Totp).await, Ok(()));
    assert_eq!(names(&db, &tenant).await, ["viewer@acme.example"]);
}

#[tokio::test]
async fn nothing_moves_the_date_of_a_person() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let viewer = db.member(&tenant, Role::Viewer).await;
    let owner = tenant.actor(Role::Owner);
    db.ctx.clock.advance(Duration::days(5));
    let id = crate::members::operations::list(&db.ctx, &owner, None, 100, Action::PageViewed).await.expect("members");
    let id = id.members.iter().find(|member| member.user_id == viewer).expect("the viewer").id;
    crate::members::operations::change_role(&db.ctx, &owner, id, "developer").await.expect("changed");
    crate::accounts::reset::request(&db.ctx, &request(), "viewer@acme.example").await.expect("reset");
    change(&db.ctx, &owner, &policy("two_factor", "30")).await.expect("changed");
    change(&db.ctx, &owner, &policy("passkey", "30")).await.expect("changed");
    db.ctx.clock.advance(Duration::days(2) + Duration::minutes(1));
    assert_eq!(enters(&db, viewer, Factor::Password).await, Err(AppError::FactorNeeded { passkey: true }));
    assert_eq!(enters(&db, viewer, Factor::Totp).await, Err(AppError::FactorNeeded { passkey: true }));
    assert_eq!(enters(&db, viewer, Factor::Passkey).await, Ok(()));
    change(&db.ctx, &owner, &policy("off", "7")).await.expect("changed");
    assert_eq!(enters(&db, viewer, Factor::Password).await, Ok(()));
    assert_eq!(db.count(tenant.id(), Action::PolicyChanged).await, 3);
}

#[tokio::test]
async fn who_may_change_it_and_who_may_look() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let other = db.workspace("Globex").await;
    for role in Role::ALL {
        let actor = tenant.actor(role);
        db.member_named(&tenant, role, &format!("a{role}")).await;
        let looked = show(&db.ctx, &actor, Action::PageViewed).await.map(|_| ());
        assert_eq!(looked.is_ok(), role.may(Permission::PoliciesRead), "{role}");
        let refused = matches!(change(&db.ctx, &actor, &policy("off", "7")).await, Err(AppError::Forbidden(_)));
        assert_eq!(refused, !matches!(role, Role::Owner | Role::Admin), "{role}");
    }
    let (theirs, _) = show(&db.ctx, &other.actor(Role::Owner), Action::PageViewed).await.expect("policy");
    assert_eq!(theirs, Policy::NEW, "another workspace's is its own");
    let wrong = change(&db.ctx, &tenant.actor(Role::Owner), &policy("everything", "99")).await;
    assert!(matches!(wrong, Err(AppError::Invalid(errors)) if errors.len() == 2));
}

#[tokio::test]
async fn the_last_factor_stays_where_one_is_demanded_also_in_parallel() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    with_app(&db, tenant.made.user).await;
    let signed_in = session(&db, tenant.made.user, Factor::Totp).await;
    let removed = join_all((0..8).map(async |_| remove_app(&db.ctx, &request(), &signed_in).await)).await;
    for refused in removed {
        assert!(
            matches!(refused, Err(AppError::Conflict(ref text)) if text.starts_with("Acme would not let you in")),
            "{refused:?}"
        );
    }
    assert_eq!(db.number("select count(*) from totp_factors").await, 1);
    change(&db.ctx, &tenant.actor(Role::Owner), &policy("off", "7")).await.expect("changed");
    assert_eq!(remove_app(&db.ctx, &request(), &signed_in).await, Ok(()));
}

async fn reminders(db: &TestDb) -> Vec<(String, String)> {
    policies::operations::remind(&db.ctx).await.expect("reminded");
    let mails = mailbox(&db.ctx).await.expect("mailbox").into_iter();
    mails.map(|mail| (mail.letter.to, mail.letter.subject)).filter(|(_, subject)| subject.ends_with("soon")).collect()
}

#[tokio::test]
async fn who_will_be_kept_out_is_reminded_three_days_before_and_on_the_last_day() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let (slow, quick) = (db.member(&tenant, Role::Developer).await, db.member(&tenant, Role::Viewer).await);
    with_app(&db, quick).await;
    with_app(&db, tenant.made.user).await;
    db.ctx.clock.advance(Duration::days(3) + Duration::hours(23));
    assert_eq!(reminders(&db).await, [], "too early: {slow}");
    db.ctx.clock.advance(Duration::hours(2));
    let first = ("developer@acme.example".to_owned(), "Acme will ask for a second factor soon".to_owned());
    assert_eq!(reminders(&db).await, vec![first.clone(); 1]);
    assert_eq!(reminders(&db).await, vec![first.clone(); 1], "once");
    db.ctx.clock.advance(Duration::days(2));
    assert_eq!(reminders(&db).await, [first.clone(), first.clone()], "the last day");
    db.ctx.clock.advance(Duration::days(2));
    assert_eq!(reminders(&db).await.len(), 2, "and no more");
    assert_eq!(db.count(tenant.id(), Action::MemberReminded).await, 2);
    let mail = mailbox(&db.ctx).await.expect("mailbox").remove(0).letter;
    assert_eq!(mail.link.as_deref(), Some("http://localhost:3000/account/security"));
}
