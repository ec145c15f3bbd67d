//! Operators on a real PostgreSQL: apart from customers, never without a second factor.

use super::operations::{NewOperator, create, enter, list, remove};
use crate::{
    Actor, AppError,
    accounts::{
        Begun, Factor, SignedIn,
        operations::{find_session, start_session},
    },
    actor::Request,
    audit_log::{Action, Outcome},
    ids::{UserId, WorkspaceId},
    invitations::operations::{accept, invite},
    permissions::{Permission, Role},
    testing::{PASSWORD, TestDb, request},
    two_factor::operations::remove_app,
    workspaces,
};

const EMAIL: &str = "ops@send0.dev";

async fn operator(db: &TestDb) -> UserId {
    let new = NewOperator { name: "Ops".into(), email: EMAIL.into(), password: PASSWORD.into() };
    create(&db.ctx, &Request::command("operator create"), new).await.expect("operator")
}

fn signed_in(db: &TestDb, user: UserId, factor: Factor) -> SignedIn {
    SignedIn { factor, ..db.signed_in(user, EMAIL) }
}

#[tokio::test]
async fn an_operator_comes_in_with_a_second_factor_and_nobody_else_does() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let user = operator(&db).await;
    let enters = async |user, factor| enter(&db.ctx, &signed_in(&db, user, factor), &request()).await.map(|_| ());
    assert_eq!(enters(user, Factor::Password).await, Err(AppError::FactorNeeded { passkey: false }));
    assert_eq!(enters(user, Factor::Totp).await, Ok(()));
    assert_eq!(enters(user, Factor::Passkey).await, Ok(()));
    assert_eq!(enters(tenant.made.user, Factor::Passkey).await, Err(AppError::NotFound));
    let half = SignedIn { is_whole: false, ..signed_in(&db, user, Factor::Password) };
    let refused = enter(&db.ctx, &half, &request()).await.map(|_| ());
    assert_eq!(refused, Err(AppError::Unauthenticated("second_factor".into())));
    let refusals = db.events(WorkspaceId::PLATFORM).await.into_iter().filter(|event| event.outcome == Outcome::Denied);
    let refusals: Vec<_> = refusals.map(|event| (event.actor.kind, event.reason.unwrap_or_default())).collect();
    let denied = |kind: &str, reason: &str| (kind.to_owned(), reason.to_owned());
    assert_eq!(refusals, [denied("operator", "second_factor_missing"), denied("user", "no_operator")]);
    assert_eq!(db.count(WorkspaceId::PLATFORM, Action::OperatorCreated).await, 1);
}

#[tokio::test]
async fn an_operator_is_nobodys_member_and_a_member_no_operator() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let user = operator(&db).await;
    let signed_in = signed_in(&db, user, Factor::Passkey);
    let own = workspaces::operations::create(&db.ctx, &request(), &signed_in, "Ours").await.map(|_| ());
    assert!(matches!(own, Err(AppError::Conflict(_))), "{own:?}");
    invite(&db.ctx, &tenant.actor(Role::Owner), EMAIL, "viewer").await.expect("invited");
    let token = db.mailed_token(EMAIL).await;
    let accepted = accept(&db.ctx, &request(), &signed_in, &token).await.map(|_| ());
    assert!(matches!(accepted, Err(AppError::Conflict(_))), "{accepted:?}");
    let taken = NewOperator { name: "Ana".into(), email: "owner@acme.example".into(), password: PASSWORD.into() };
    let refused = create(&db.ctx, &Request::command("operator create"), taken).await.expect_err("taken");
    assert!(refused.of_field("email").is_some());
    assert_eq!(db.number("select count(*) from operators").await, 1);
    // Not even whoever goes past the code.
    let sql = format!("insert into operators (user_id, created_at) values ('{}', now())", tenant.made.user.0);
    let past = sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&db.superuser).await.expect_err("refused");
    assert!(past.to_string().contains("nobody's member"), "{past}");
}

#[tokio::test]
async fn an_operator_may_nothing_of_a_workspace_and_its_members_nothing_of_theirs() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let user = operator(&db).await;
    let operator = enter(&db.ctx, &signed_in(&db, user, Factor::Passkey), &request()).await.expect("in");
    for permission in Permission::ALL {
        let inside = Actor { workspace: tenant.id(), ..operator.clone() };
        assert!(!inside.may(*permission), "{permission}");
    }
    assert_eq!(list(&db.ctx, &operator).await.expect("operators").len(), 1);
    for role in Role::ALL {
        let refused = list(&db.ctx, &tenant.actor(role)).await.map(|_| ());
        assert_eq!(refused, Err(AppError::NotFound), "{role}");
    }
}

#[tokio::test]
async fn an_operator_keeps_a_second_factor_and_is_removed_with_every_session() {
    let db = TestDb::new().await;
    let user = operator(&db).await;
    sqlx::query(
        "insert into totp_factors (user_id, sealed, confirmed_at, created_at) values ($1, 'sealed', now(), now())",
    )
    .bind(user.0)
    .execute(&db.superuser)
    .await
    .expect("a factor");
    let hash = [7; 32];
    start_session(&db.ctx, &request(), user, Begun::With(Factor::Totp), &hash).await.expect("session");
    let signed_in = find_session(&db.ctx, &hash).await.expect("looked").expect("signed in");
    let kept = remove_app(&db.ctx, &request(), &signed_in).await;
    assert!(matches!(kept, Err(AppError::Conflict(_))), "{kept:?}");
    remove(&db.ctx, &Request::command("operator remove"), EMAIL).await.expect("removed");
    assert_eq!(find_session(&db.ctx, &hash).await, Ok(None));
    assert_eq!(enter(&db.ctx, &signed_in, &request()).await.map(|_| ()), Err(AppError::NotFound));
    let again = remove(&db.ctx, &Request::command("operator remove"), EMAIL).await;
    assert_eq!(again, Err(AppError::NotFound));
    assert_eq!(db.count(WorkspaceId::PLATFORM, Action::OperatorRemoved).await, 1);
}
