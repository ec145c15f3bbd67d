//! How workspaces come to be: by one link, once, whole or not at all.

use super::operations::{
    Established, NewOwner, by_slug, create, create_owner, offer_setup, rename, set_time_zone, set_up, setup_needed,
    setup_offered, show,
};
use crate::{
    Actor, AppError,
    accounts::operations::{memberships, sign_in},
    audit_log::{Action, EventView, Outcome},
    ids::WorkspaceId,
    permissions::Role,
    testing::{PASSWORD, Tenant, TestDb, request},
};
use futures::future::join_all;
use secrecy::{ExposeSecret, SecretString};

fn owner(workspace: &str, email: &str) -> NewOwner {
    NewOwner { workspace: workspace.into(), name: "Ana".into(), email: email.into(), password: PASSWORD.into() }
}

async fn offer(db: &TestDb) -> SecretString {
    offer_setup(&db.ctx).await.expect("offered").expect("nobody owns anything yet")
}

async fn use_link(db: &TestDb, token: &SecretString, new: NewOwner) -> Result<Established, AppError> {
    set_up(&db.ctx, &request(), token.expose_secret(), new).await
}

/// How many refused uses of a link the platform has seen.
async fn refusals(db: &TestDb) -> u32 {
    let refused = |event: &&EventView| event.action == Action::SetupRefused.as_str();
    db.events(WorkspaceId::PLATFORM).await.iter().filter(refused).map(|event| event.count.unwrap_or(1)).sum()
}

/// Rows in every table that a workspace or an account leaves something in.
async fn rows(db: &TestDb) -> i64 {
    db.number(
        "select (select count(*) from workspaces) + (select count(*) from workspace_directory) + (select count(*) from users)
            + (select count(*) from contacts) + (select count(*) from members) + (select count(*) from member_directory)
            + (select count(*) from audit_events) + (select count(*) from audit_heads)",
    )
    .await
}

// Set-up -----------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn the_link_makes_an_owner_once() {
    let db = TestDb::new().await;
    assert_eq!(setup_needed(&db.ctx).await, Ok(true));
    let token = offer(&db).await;
    for _ in 0..2 {
        assert_eq!(setup_offered(&db.ctx, token.expose_secret()).await, Ok(true), "looking does not use it up");
    }
    assert_eq!(setup_offered(&db.ctx, "another").await, Ok(false));
    assert_eq!(db.tables_with(token.expose_secret()).await, Vec::<String>::new());

    let made = use_link(&db, &token, owner("Acme", " Ana@Example.com ")).await.expect("set up");
    assert_eq!(
        sign_in(&db.ctx, &request(), "ana@example.com", PASSWORD.into()).await.map(|(who, _)| who),
        Ok(made.user)
    );
    let mine = memberships(&db.ctx, made.user).await.expect("memberships");
    assert_eq!(
        mine.iter().map(|m| (m.workspace, m.slug.as_str(), m.role)).collect::<Vec<_>>(),
        [(made.workspace, "acme", Role::Owner)]
    );
    let events = db.events(made.workspace).await;
    assert_eq!(
        events.iter().map(|event| event.action.as_str()).collect::<Vec<_>>(),
        ["workspace.created", "member.joined"]
    );
    assert!(events.iter().all(|event| event.actor.id == made.user.to_string() && event.outcome == Outcome::Success));

    assert_eq!(setup_needed(&db.ctx).await, Ok(false));
    assert_eq!(setup_offered(&db.ctx, token.expose_secret()).await, Ok(false));
    assert!(offer_setup(&db.ctx).await.expect("asked").is_none());
    assert_eq!(refusals(&db).await, 0);
    let before = rows(&db).await;
    assert!(matches!(use_link(&db, &token, owner("Other", "other@example.com")).await, Err(AppError::Refused(_))));
    assert_eq!(refusals(&db).await, 1);
    assert_eq!(rows(&db).await, before + 2, "the refusal and the head of the platform's log");
}

#[tokio::test]
async fn a_void_link_is_refused_and_noted_before_anything_is_read() {
    let db = TestDb::new().await;
    let (first, second) = (offer(&db).await, offer(&db).await);
    assert_eq!(setup_offered(&db.ctx, first.expose_secret()).await, Ok(false), "the second voids the first");
    for void in [first.expose_secret(), "", "garbage", &second.expose_secret().to_uppercase()] {
        let refused = set_up(&db.ctx, &request(), void, owner("", "")).await;
        assert!(matches!(refused, Err(AppError::Refused(_))), "{refused:?}");
    }
    assert_eq!(refusals(&db).await, 4);
    let event = db.events(WorkspaceId::PLATFORM).await.pop().expect("event");
    assert_eq!(
        (event.outcome, event.reason.as_deref(), event.actor.kind.as_str()),
        (Outcome::Denied, Some("void_link"), "anonymous")
    );
    assert_eq!(setup_needed(&db.ctx).await, Ok(true));
    use_link(&db, &second, owner("Acme", "ana@example.com")).await.expect("the second opens");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_forms_at_once_make_one_owner() {
    let db = TestDb::new().await;
    let token = offer(&db).await;
    let made =
        join_all((0..8).map(|n| use_link(&db, &token, owner(&format!("Acme {n}"), &format!("{n}@example.com"))))).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1, "{made:?}");
    assert!(made.iter().all(|made| matches!(made, Ok(_) | Err(AppError::Refused(_)))), "{made:?}");
    assert_eq!(db.number("select count(*) from users").await, 1);
    assert_eq!(db.number("select count(*) from workspaces where slug <> 'platform'").await, 1);
    assert_eq!(refusals(&db).await, 7, "each refusal is written down");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_links_offered_at_once_one_opens() {
    let db = TestDb::new().await;
    let mut first = db.ctx.db.auth.begin().await.expect("begin");
    sqlx::query("select setup_offer('first', now())").execute(&mut *first).await.expect("offered");
    let ctx = db.ctx.clone();
    let second = tokio::spawn(async move { offer_setup(&ctx).await });
    // The first server commits once the second has made its offer, or waits to.
    let waiting =
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while !second.is_finished() && db.number(waiting).await == 0 {}
    first.commit().await.expect("commit");
    let second = second.await.expect("task").expect("offered").expect("a link");
    assert_eq!(db.number("select count(*) from setup_tokens").await, 1);
    assert_eq!(setup_offered(&db.ctx, second.expose_secret()).await, Ok(true), "the last one opens");
}

#[tokio::test]
async fn a_form_that_is_refused_leaves_the_link_as_it_was() {
    let db = TestDb::new().await;
    let token = offer(&db).await;
    let before = rows(&db).await;
    let wrong = NewOwner { workspace: " ".into(), name: "a\nb".into(), email: "ana".into(), password: "short".into() };
    let Err(AppError::Invalid(errors)) = use_link(&db, &token, wrong).await else { panic!("accepted") };
    let named: Vec<(&str, &str)> = errors.iter().map(|error| (error.field.as_str(), error.code.as_str())).collect();
    assert_eq!(
        named,
        [
            ("workspace", "required"),
            ("name", "control_characters"),
            ("email", "not_an_address"),
            ("password", "too_short")
        ]
    );
    assert_eq!((rows(&db).await, refusals(&db).await), (before, 0));
    assert_eq!(setup_offered(&db.ctx, token.expose_secret()).await, Ok(true));
    use_link(&db, &token, owner("Acme", "ana@example.com")).await.expect("set up");
}

#[tokio::test]
async fn an_owner_from_the_command_line_voids_the_link() {
    let db = TestDb::new().await;
    let token = offer(&db).await;
    let made = create_owner(&db.ctx, &request(), owner("Acme", "ana@example.com")).await.expect("made");
    assert_eq!(setup_offered(&db.ctx, token.expose_secret()).await, Ok(false));
    assert!(matches!(use_link(&db, &token, owner("Other", "other@example.com")).await, Err(AppError::Refused(_))));
    assert!(db.events(made.workspace).await.iter().all(|event| event.actor.id == "cli"));
}

// Names ------------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_name_that_is_taken_gets_a_number() {
    let db = TestDb::new().await;
    let long = "a".repeat(64);
    let mut slugs = vec![];
    for (n, name) in ["Acme", "ACME!", "acme", "Platform", "日本", "ü", &long, &long].into_iter().enumerate() {
        slugs.push(
            create_owner(&db.ctx, &request(), owner(name, &format!("{n}@example.com"))).await.expect("made").slug,
        );
    }
    let (forty, cut) = ("a".repeat(40), format!("{}-2", "a".repeat(36)));
    assert_eq!(slugs, ["acme", "acme-2", "acme-3", "platform-workspace", "workspace", "workspace-2", &forty, &cut]);
    assert_eq!(by_slug(&db.ctx, "platform").await, Ok(WorkspaceId::PLATFORM));
    assert_eq!(by_slug(&db.ctx, "nowhere").await, Err(AppError::NotFound));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_the_same_name_at_once_each_gets_its_own() {
    let db = TestDb::new().await;
    let (ctx, asked) = (&db.ctx, request());
    let made = join_all((0..6).map(|n| create_owner(ctx, &asked, owner("Acme", &format!("{n}@example.com"))))).await;
    let mut slugs: Vec<String> = made.into_iter().map(|made| made.expect("made").slug).collect();
    slugs.sort();
    assert_eq!(slugs, ["acme", "acme-2", "acme-3", "acme-4", "acme-5", "acme-6"]);
    for slug in slugs {
        let workspace = by_slug(ctx, &slug).await.expect("found");
        let view = show(ctx, &Actor::cli(workspace, request()), Action::PageViewed).await.expect("workspace");
        assert_eq!((view.id, view.slug, view.name.as_str()), (workspace, slug, "Acme"));
    }
}

#[tokio::test]
async fn a_taken_address_is_named_and_nothing_is_half_made() {
    let db = TestDb::new().await;
    create_owner(&db.ctx, &request(), owner("Acme", "ana@example.com")).await.expect("made");
    let before = rows(&db).await;
    for email in ["ana@example.com", "ANA@EXAMPLE.COM"] {
        let error = create_owner(&db.ctx, &request(), owner("Second", email)).await.expect_err("taken");
        assert!(
            matches!(&error, AppError::Invalid(errors) if errors.len() == 1 && errors[0].field == "email" && errors[0].code == "taken"),
            "{error:?}"
        );
    }
    assert_eq!(rows(&db).await, before, "no workspace, no slug, no event");
    let second = create_owner(&db.ctx, &request(), owner("Second", "bert@example.com")).await.expect("made");
    assert_eq!(second.slug, "second", "the name stayed free");
}

#[tokio::test]
async fn everybody_in_a_workspace_sees_it_and_nobody_else() {
    let db = TestDb::new().await;
    let (tenant, other) = (db.workspace("Acme").await, db.workspace("Other").await);
    for role in Role::ALL {
        let view = show(&db.ctx, &tenant.actor(role), Action::PageViewed).await.expect("workspace");
        assert_eq!((view.id, view.slug.as_str(), view.name.as_str()), (tenant.id(), "acme", "Acme"));
    }
    let nobody = Actor { workspace: other.id(), ..Actor::anonymous(request()) };
    assert_eq!(show(&db.ctx, &nobody, Action::PageViewed).await, Err(AppError::Forbidden("workspace.read".into())));
}

// Further ones -----------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_person_makes_a_further_workspace_and_owns_it() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let signed_in = db.signed_in(tenant.made.user, "owner@acme.example");
    let made = create(&db.ctx, &request(), &signed_in, " Acme ").await.expect("made");
    assert_eq!(made.slug, "acme-2");
    let mine = memberships(&db.ctx, tenant.made.user).await.expect("memberships");
    assert_eq!(mine.iter().filter(|one| one.role == Role::Owner).count(), 2);
    let actions: Vec<String> = db.events(made.workspace).await.into_iter().map(|event| event.action).collect();
    assert_eq!(actions, ["workspace.created", "member.joined"]);
    assert!(matches!(create(&db.ctx, &request(), &signed_in, "  ").await, Err(AppError::Invalid(_))));
}

#[tokio::test]
async fn a_workspace_is_renamed_by_who_may_and_keeps_its_slug() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    rename(&db.ctx, &tenant.actor(Role::Owner), "Umbrella").await.expect("renamed");
    let seen = show(&db.ctx, &tenant.actor(Role::Owner), Action::PageViewed).await.expect("seen");
    assert_eq!((seen.name.as_str(), seen.slug.as_str()), ("Umbrella", "acme"));
    rename(&db.ctx, &tenant.actor(Role::Owner), "Umbrella").await.expect("the same again");
    assert_eq!(db.count(tenant.id(), Action::WorkspaceRenamed).await, 1, "no change, no event");
    let refused = rename(&db.ctx, &tenant.actor(Role::Developer), "Mine").await;
    assert_eq!(refused, Err(AppError::Forbidden("workspace.update".into())));
}

#[tokio::test]
async fn a_time_zone_is_set_by_who_may_and_is_one() {
    let db = TestDb::new().await;
    let (tenant, other) = (db.workspace("Acme").await, db.workspace("Other").await);
    let zone = async |of: &Tenant| {
        show(&db.ctx, &of.actor(Role::Viewer), Action::PageViewed).await.expect("workspace").time_zone
    };
    assert_eq!(zone(&tenant).await, "", "UTC, until somebody says otherwise");
    for _ in 0..2 {
        set_time_zone(&db.ctx, &tenant.actor(Role::Owner), " europe/berlin ").await.expect("set");
    }
    assert_eq!((zone(&tenant).await.as_str(), zone(&other).await.as_str()), ("Europe/Berlin", ""));
    let wrong = set_time_zone(&db.ctx, &tenant.actor(Role::Owner), "Europe/Atlantis").await.expect_err("no zone");
    assert!(wrong.of_field("time_zone").is_some(), "{wrong:?}");
    for role in Role::ALL {
        let user = db.member_named(&tenant, role, &format!("again-{role}")).await;
        let set = set_time_zone(&db.ctx, &tenant.acting(user, role), "").await;
        let may = matches!(role, Role::Owner | Role::Admin);
        assert_eq!(set, if may { Ok(()) } else { Err(AppError::Forbidden("workspace.update".into())) }, "{role}");
    }
    let events = db.events(tenant.id()).await.into_iter();
    let changes = events.filter(|event| event.action == Action::TimeZoneChanged.as_str());
    let changes = changes.filter(|event| event.outcome == Outcome::Success).map(|event| event.changes[0].clone());
    let changes: Vec<_> = changes.map(|change| (change.before, change.after)).collect();
    assert_eq!(
        changes,
        [("".into(), "Europe/Berlin".into()), ("Europe/Berlin".into(), "".into())],
        "no change, no event"
    );
}
