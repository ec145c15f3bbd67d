//! Plans on a real PostgreSQL: operators set them, workspaces are told, and nobody else may.

use super::{
    Plan,
    operations::{all, of, set, show},
};
use crate::{
    Actor, AppError,
    actor::Who,
    api_keys::{NewKeyText, operations as keys},
    audit_log::{Action, Outcome},
    ids::WorkspaceId,
    permissions::Role,
    testing::{TestDb, request},
};
use time::Duration;

const WHY: &str = "They have outgrown it.";

#[tokio::test]
async fn a_workspace_begins_on_free_and_an_operator_puts_it_on_another() {
    let db = TestDb::new().await;
    let (ops, tenant) = (db.operator().await, db.workspace("Acme").await);
    assert_eq!(of(&db.ctx, tenant.id()).await, Ok(Plan::Free));
    let changed = set(&db.ctx, &ops, tenant.id(), "scale", &format!(" {WHY} ")).await.expect("changed");
    assert_eq!((changed.slug.as_str(), changed.plan), ("acme", Plan::Scale));
    assert_eq!(of(&db.ctx, tenant.id()).await, Ok(Plan::Scale));
    assert_eq!(show(&db.ctx, &ops, tenant.id()).await.map(|of| of.plan), Ok(Plan::Scale));

    assert_eq!(db.subjects("owner@acme.example").await, ["Acme: you are on Scale now"]);
    let letter = db.newest_letter("owner@acme.example").await;
    for said in ["It was on Free.", WHY, "100 members and 200 API keys", "at least 730"] {
        assert!(letter.contains(said), "{said}: {letter}");
    }
    for place in [tenant.id(), WorkspaceId::PLATFORM] {
        let event = db.events(place).await.pop().expect("an event");
        assert_eq!((event.actor.kind.as_str(), event.action.as_str()), ("operator", "workspace.plan_changed"));
        assert_eq!((event.targets.len(), event.targets[0].id.clone()), (1, tenant.id().to_string()));
        let changes: Vec<_> =
            event.changes.iter().map(|change| (change.field.as_str(), change.after.clone())).collect();
        assert_eq!(changes, [("plan", "scale".into()), ("why", WHY.into()), ("audit_days", 730.into())]);
    }
}

#[tokio::test]
async fn what_is_wrong_changes_nothing() {
    let db = TestDb::new().await;
    let (ops, tenant) = (db.operator().await, db.workspace("Acme").await);
    let fields = |refused: Result<_, AppError>| match refused {
        Err(AppError::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(fields(set(&db.ctx, &ops, tenant.id(), "gold", " ").await), ["plan", "why"]);
    assert_eq!(fields(set(&db.ctx, &ops, tenant.id(), "free", WHY).await), ["plan"], "it is on that already");
    for nowhere in [WorkspaceId::new(), WorkspaceId::PLATFORM] {
        assert_eq!(set(&db.ctx, &ops, nowhere, "growth", WHY).await, Err(AppError::NotFound));
        assert_eq!(show(&db.ctx, &ops, nowhere).await, Err(AppError::NotFound));
    }
    let by_hand = sqlx::query("update workspaces set plan = 'gold'").execute(&db.superuser).await.expect_err("checked");
    assert!(by_hand.to_string().contains("workspaces_plan"), "{by_hand}");
    assert_eq!(of(&db.ctx, tenant.id()).await, Ok(Plan::Free));
    assert_eq!(db.count(tenant.id(), Action::PlanChanged).await, 0);
    assert_eq!(db.subjects("owner@acme.example").await, Vec::<String>::new());
}

#[tokio::test]
async fn of_two_operators_at_once_one_changes_it() {
    let db = TestDb::new().await;
    let (ops, tenant) = (db.operator().await, db.workspace("Acme").await);
    let change = || set(&db.ctx, &ops, tenant.id(), "growth", WHY);
    let (one, other) = tokio::join!(change(), change());
    assert_eq!([one.is_ok(), other.is_ok()].iter().filter(|done| **done).count(), 1, "{one:?} {other:?}");
    assert_eq!(db.count(tenant.id(), Action::PlanChanged).await, 1);
    assert_eq!(db.subjects("owner@acme.example").await.len(), 1);
}

#[tokio::test]
async fn an_old_proof_is_not_enough() {
    let db = TestDb::new().await;
    let (ops, tenant) = (db.operator().await, db.workspace("Acme").await);
    let Who::Operator { id, name, session, mut proof } = ops.who.clone() else { panic!("no operator") };
    proof.at = db.ctx.clock.now() - Duration::minutes(11);
    let stale = Actor { who: Who::Operator { id, name, session, proof }, ..ops };
    let refused = set(&db.ctx, &stale, tenant.id(), "growth", WHY).await;
    assert_eq!(refused, Err(AppError::ProofNeeded));
    let event = db.events(WorkspaceId::PLATFORM).await.pop().expect("an event");
    assert_eq!((event.action.as_str(), event.reason.as_deref()), ("workspace.plan_changed", Some("proof_needed")));
    assert_eq!(of(&db.ctx, tenant.id()).await, Ok(Plan::Free));
}

#[tokio::test]
async fn operators_see_how_much_there_is_of_everybody_but_themselves() {
    let db = TestDb::new().await;
    let ops = db.operator().await;
    assert_eq!(all(&db.ctx, &ops).await, Ok(vec![]), "send0's own is none");
    let (zeta, alpha) = (db.workspace("Zeta").await, db.workspace("alpha").await);
    db.member(&zeta, Role::Viewer).await;
    let issue = async |name: &str, lifetime: &str| {
        let new =
            NewKeyText { name: name.into(), kind: "test".into(), lifetime: lifetime.into(), ..NewKeyText::default() };
        keys::issue(&db.ctx, &zeta.actor(Role::Owner), new.parse().expect("a key")).await.expect("issued")
    };
    issue("Lives", "").await;
    issue("Expires", "30").await;
    let revoked = issue("Revoked", "").await;
    keys::revoke(&db.ctx, &zeta.actor(Role::Owner), revoked.id, "").await.expect("revoked");
    let counts = async || {
        let all = all(&db.ctx, &ops).await.expect("all");
        all.into_iter().map(|of| (of.name, of.members, of.keys)).collect::<Vec<_>>()
    };
    assert_eq!(counts().await, [("alpha".to_owned(), 1, 0), ("Zeta".to_owned(), 2, 2)], "by name");
    db.ctx.clock.advance(Duration::days(31));
    assert_eq!(counts().await[1].2, 1, "what has expired opens nothing");
    let one = show(&db.ctx, &ops, alpha.id()).await.expect("alpha");
    assert_eq!((one.workspace, one.members, one.plan), (alpha.id(), 1, Plan::Free));
}

#[tokio::test]
async fn nobody_else_sees_or_sets_anything() {
    let db = TestDb::new().await;
    let (tenant, other) = (db.workspace("Acme").await, db.workspace("Other").await);
    let anonymous = Actor { workspace: tenant.id(), ..Actor::anonymous(request()) };
    for actor in Role::ALL.map(|role| tenant.actor(role)).into_iter().chain([anonymous]) {
        assert_eq!(all(&db.ctx, &actor).await, Err(AppError::NotFound));
        for workspace in [tenant.id(), other.id()] {
            assert_eq!(show(&db.ctx, &actor, workspace).await, Err(AppError::NotFound));
            assert_eq!(set(&db.ctx, &actor, workspace, "enterprise", WHY).await, Err(AppError::NotFound));
        }
    }
    let refused = db.events(tenant.id()).await.into_iter().filter(|event| event.outcome == Outcome::Denied);
    assert!(refused.filter(|event| event.reason.as_deref() == Some("no_operator")).count() >= Role::ALL.len());
    for workspace in [tenant.id(), other.id()] {
        assert_eq!(of(&db.ctx, workspace).await, Ok(Plan::Free));
    }
}
