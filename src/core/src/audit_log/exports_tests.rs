//! Exports in the background: one at a time, whole or not at all, gone after a day.

use super::{
    Action, Event, FilterText, Format, Outcome,
    export_tests::{fill_with, verified},
    exports::{
        ATTEMPTS, ExportState, ExportView, FILE_LASTS, KEPT, LEASE, cancel, download, folder, list, start, sweep, work,
    },
};
use crate::{
    Actor, AppError, Ctx,
    accounts::Proof,
    actor::Who,
    ids::ExportId,
    permissions::{Permission, Role},
    secrets,
    testing::{Tenant, TestDb, abandoned},
};
use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Executor};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};
use time::{Duration, macros::datetime};

pub(super) async fn fill(db: &TestDb, tenant: &Tenant, count: usize) {
    fill_with(db, tenant, count, |_| Event::new(Action::ApiCalled)).await;
}

async fn begun(db: &TestDb, tenant: &Tenant, format: Format) -> ExportId {
    let text = FilterText::default();
    start(&db.ctx, &tenant.actor(Role::Owner), format.as_str(), &text).await.expect("begun")
}

async fn shown(db: &TestDb, tenant: &Tenant, id: ExportId) -> ExportView {
    let all = list(&db.ctx, &tenant.actor(Role::Owner)).await.expect("a list");
    all.into_iter().find(|one| one.id == id).expect("the export")
}

async fn fetched(ctx: &Ctx, actor: &Actor, id: ExportId) -> Result<Vec<u8>, AppError> {
    let (_, chunks) = download(ctx, actor, id).await?;
    Ok(chunks.try_collect::<Vec<_>>().await.expect("the file").concat())
}

fn files(db: &TestDb) -> Vec<PathBuf> {
    let folder = folder(&db.ctx).expect("a folder");
    fs::read_dir(folder).map(|all| all.map(|one| one.expect("an entry").path()).collect()).unwrap_or_default()
}

#[tokio::test]
async fn an_export_becomes_a_file_whose_hash_and_receipt_are_kept() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    fill(&db, &tenant, 4_500).await;
    let last = db.seq(tenant.id()).await;
    let id = begun(&db, &tenant, Format::Ndjson).await;
    let waiting = shown(&db, &tenant, id).await;
    assert_eq!(
        (waiting.state, waiting.looked_at(), waiting.bounds),
        (ExportState::Queued, (0, last as u64), Some((1, last)))
    );
    assert_eq!(waiting.by.as_deref(), Some("Owner of Acme"));
    let before = db.seq(tenant.id()).await;
    assert_eq!(work(&db.ctx).await, Ok(true));
    assert_eq!(work(&db.ctx).await, Ok(false), "there is no other");
    let done = shown(&db, &tenant, id).await;
    assert_eq!((done.state, done.rows, done.looked_at()), (ExportState::Done, last, (last as u64, last as u64)));
    let receipt = done.receipt.clone().expect("a receipt");
    assert_eq!((receipt.first, receipt.last, receipt.count, receipt.query), (Some(1), Some(last), last, None));
    let events = db.events_after(tenant.id(), before).await;
    assert_eq!(
        (events.len(), events[0].action.as_str(), events[0].actor.id.as_str()),
        (1, "audit_log.export_finished", "jobs")
    );
    assert_eq!(events[0].targets[0].id, id.to_string());

    let [file] = &files(&db)[..] else { panic!("one file") };
    assert_eq!(fs::metadata(file).expect("the file").permissions().mode() & 0o777, 0o600);
    let owner = tenant.actor(Role::Owner);
    let bytes = fetched(&db.ctx, &owner, id).await.expect("fetched");
    assert_eq!(done.sha256, Some(secrets::hex(&Sha256::digest(&bytes))));
    assert_eq!(done.bytes, bytes.len() as i64);
    let text = String::from_utf8(bytes).expect("UTF-8");
    assert_eq!(text.lines().count() as i64, last + 1);
    assert!(text.ends_with("}}\n") && text.lines().last().is_some_and(|line| line.starts_with("{\"receipt\":")));
    let said = db.events_after(tenant.id(), before + 1).await;
    assert_eq!(
        (said.len(), said[0].action.as_str(), said[0].actor.id.clone()),
        (1, "audit_log.export_downloaded", owner.id())
    );
}

#[tokio::test]
async fn a_file_is_what_the_verifier_reads() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    fill(&db, &tenant, 2_500).await;
    for (actor, proven) in [("", false), ("cli", true)] {
        let text = FilterText { actor: actor.into(), ..FilterText::default() };
        let id = start(&db.ctx, &owner, "ndjson", &text).await.expect("begun");
        work(&db.ctx).await.expect("written");
        let bytes = fetched(&db.ctx, &owner, id).await.expect("fetched");
        let report = verified(&db, &String::from_utf8(bytes).expect("UTF-8")).await.expect("it holds");
        assert_eq!((report.sealed, report.proven), (report.events, proven), "{report}");
        assert!(report.events >= 2_500, "{report}");
        let kept = shown(&db, &tenant, id).await.receipt.expect("a receipt");
        assert!(kept.root().is_some() && kept.from_prefix.is_some() != proven, "{kept:?}");
    }
}

#[tokio::test]
async fn there_is_one_event_when_it_begins_and_it_says_what() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let before = db.seq(tenant.id()).await;
    let text = FilterText { actor: "owner@acme.example".into(), outcome: "success".into(), ..FilterText::default() };
    let id = start(&db.ctx, &tenant.actor(Role::Security), "cef", &text).await.expect("begun");
    let events = db.events_after(tenant.id(), before).await;
    let [event] = &events[..] else { panic!("{} events", events.len()) };
    assert_eq!((event.action.as_str(), event.targets[0].id.clone()), ("audit_log.exported", id.to_string()));
    let said =
        |field: &str| event.changes.iter().find(|change| change.field == field).map(|change| change.after.clone());
    assert_eq!((said("format"), said("last")), (Some("cef".into()), Some(before.into())));
    work(&db.ctx).await.expect("written");
    let done = shown(&db, &tenant, id).await;
    assert_eq!(done.filter, text);
    let query = done.receipt.and_then(|receipt| receipt.query);
    assert_eq!(query.as_deref(), Some("actor:owner@acme.example outcome:success"));
}

#[tokio::test]
async fn one_at_a_time_in_a_workspace() {
    let db = TestDb::new().await;
    let (acme, other) = (db.workspace("Acme").await, db.workspace("Other").await);
    let id = begun(&db, &acme, Format::Csv).await;
    begun(&db, &other, Format::Csv).await;
    let before = db.seq(acme.id()).await;
    let again =
        start(&db.ctx, &acme.actor(Role::Admin), "csv", &FilterText::default()).await.expect_err("one at a time");
    assert!(matches!(&again, AppError::Conflict(words) if words.contains("being written")), "{again:?}");
    let events = db.events_after(acme.id(), before).await;
    assert_eq!(
        (events.len(), events[0].outcome, events[0].reason.as_deref()),
        (1, Outcome::Denied, Some("another_export"))
    );
    cancel(&db.ctx, &acme.actor(Role::Owner), id).await.expect("cancelled");
    begun(&db, &acme, Format::Csv).await;
}

#[tokio::test]
async fn a_cancelled_one_is_written_no_further_and_leaves_no_file() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    fill(&db, &tenant, 5_000).await;
    let id = begun(&db, &tenant, Format::Ndjson).await;
    // While nobody can read the log, the worker waits in the middle.
    let mut tx = db.superuser.begin().await.expect("begin");
    tx.execute("lock table audit_events in access exclusive mode").await.expect("lock");
    let ctx = db.ctx.clone();
    let worker = tokio::spawn(async move { work(&ctx).await });
    let running = "select count(*) from audit_exports where state = 'running'";
    while sqlx::query_scalar::<_, i64>(running).fetch_one(&mut *tx).await.expect("a number") == 0 {
        tokio::task::yield_now().await;
    }
    sqlx::query("update audit_exports set state = 'cancelled', finished_at = now()")
        .execute(&db.superuser)
        .await
        .expect("cancelled");
    tx.rollback().await.expect("unlock");
    assert_eq!(worker.await.expect("no panic"), Ok(true));
    assert_eq!(shown(&db, &tenant, id).await.state, ExportState::Cancelled);
    assert_eq!(files(&db), Vec::<PathBuf>::new());
    assert_eq!(db.count(tenant.id(), Action::AuditExportFinished).await, 0);
}

#[tokio::test]
async fn cancelling_is_an_event_and_happens_once() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let id = begun(&db, &tenant, Format::Csv).await;
    let before = db.seq(tenant.id()).await;
    cancel(&db.ctx, &tenant.actor(Role::Admin), id).await.expect("cancelled");
    let events = db.events_after(tenant.id(), before).await;
    assert_eq!((events.len(), events[0].action.as_str()), (1, "audit_log.export_cancelled"));
    assert!(matches!(cancel(&db.ctx, &tenant.actor(Role::Owner), id).await, Err(AppError::Conflict(_))));
    assert_eq!(cancel(&db.ctx, &tenant.actor(Role::Owner), ExportId::new()).await, Err(AppError::NotFound));
    assert_eq!(work(&db.ctx).await, Ok(false), "nobody writes it");
    let refused = fetched(&db.ctx, &tenant.actor(Role::Owner), id).await;
    assert!(matches!(refused, Err(AppError::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn a_worker_that_dies_leaves_it_to_the_next_and_nothing_behind() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    fill(&db, &tenant, 3_000).await;
    let (id, last) = (begun(&db, &tenant, Format::Csv).await, db.seq(tenant.id()).await - 1);
    // Each time a little later.
    for polls in [8, 16, 24] {
        if abandoned(work(&db.ctx), polls).await.is_some() {
            break;
        }
        db.quiet().await;
        assert_eq!(work(&db.ctx).await, Ok(false), "it belongs to the one that died, for a while");
        db.ctx.clock.advance(LEASE);
    }
    let before = shown(&db, &tenant, id).await;
    if before.state != ExportState::Done {
        assert_eq!(work(&db.ctx).await, Ok(true));
    }
    let done = shown(&db, &tenant, id).await;
    assert_eq!((done.state, done.rows), (ExportState::Done, last));
    let bytes = fetched(&db.ctx, &tenant.actor(Role::Owner), id).await.expect("fetched");
    assert_eq!(done.sha256, Some(secrets::hex(&Sha256::digest(&bytes))));
    assert_eq!(String::from_utf8_lossy(&bytes).lines().count() as i64, last + 1, "with its head");
    sweep(&db.ctx).await.expect("swept");
    assert_eq!(files(&db).len(), 1, "what the dead have left is gone");
    assert_eq!(db.count(tenant.id(), Action::AuditExportFinished).await, 1);
}

#[tokio::test]
async fn who_has_lost_the_lease_changes_nothing() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let id = begun(&db, &tenant, Format::Csv).await;
    let mut tx = db.superuser.begin().await.expect("begin");
    tx.execute("lock table audit_events in access exclusive mode").await.expect("lock");
    let ctx = db.ctx.clone();
    let slow = tokio::spawn(async move { work(&ctx).await });
    let running = "select count(*) from audit_exports where state = 'running'";
    while sqlx::query_scalar::<_, i64>(running).fetch_one(&mut *tx).await.expect("a number") == 0 {
        tokio::task::yield_now().await;
    }
    // Another worker has claimed it meanwhile.
    sqlx::query("update audit_exports set attempts = attempts + 1").execute(&db.superuser).await.expect("claimed");
    tx.rollback().await.expect("unlock");
    assert_eq!(slow.await.expect("no panic"), Ok(true));
    let row = shown(&db, &tenant, id).await;
    assert_eq!((row.state, row.sha256), (ExportState::Running, None));
    assert!(files(&db).is_empty());
}

#[tokio::test]
async fn one_that_cannot_be_written_is_given_up_after_some_tries() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let id = begun(&db, &tenant, Format::Csv).await;
    let broken = "revoke select on audit_events from send0_auditor";
    sqlx::query(AssertSqlSafe(broken)).execute(&db.superuser).await.expect("break it");
    for _ in 0..ATTEMPTS {
        assert_eq!(work(&db.ctx).await, Ok(true));
        db.ctx.clock.advance(LEASE);
    }
    assert_eq!(work(&db.ctx).await, Ok(false));
    db.superuser.execute("grant select on audit_events to send0_auditor").await.expect("mend it");
    assert_eq!(shown(&db, &tenant, id).await.state, ExportState::Failed);
    let last = db.events(tenant.id()).await.pop().expect("an event");
    assert_eq!((last.action.as_str(), last.outcome), ("audit_log.export_finished", Outcome::Failed));
    assert!(files(&db).is_empty());
    begun(&db, &tenant, Format::Csv).await;
}

#[tokio::test]
async fn after_a_day_the_file_is_gone() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let id = begun(&db, &tenant, Format::Ocsf).await;
    work(&db.ctx).await.expect("written");
    db.ctx.clock.advance(FILE_LASTS - Duration::minutes(1));
    sweep(&db.ctx).await.expect("swept");
    assert!(fetched(&db.ctx, &tenant.actor(Role::Owner), id).await.is_ok());
    db.ctx.clock.advance(Duration::minutes(1));
    let before = db.seq(tenant.id()).await;
    let refused = fetched(&db.ctx, &tenant.actor(Role::Owner), id).await;
    assert!(matches!(refused, Err(AppError::Refused(_))), "before anybody has swept");
    let events = db.events_after(tenant.id(), before).await;
    assert_eq!((events.len(), events[0].reason.as_deref()), (1, Some("no_file")));
    sweep(&db.ctx).await.expect("swept");
    assert!(files(&db).is_empty());
    let row = shown(&db, &tenant, id).await;
    assert!(row.state == ExportState::Done && row.sha256.is_some() && !row.can_be_fetched(db.ctx.clock.now()));
}

#[tokio::test]
async fn only_so_many_are_kept() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    for _ in 0..KEPT + 2 {
        begun(&db, &tenant, Format::Csv).await;
        work(&db.ctx).await.expect("written");
    }
    sweep(&db.ctx).await.expect("swept");
    assert_eq!(db.number("select count(*) from audit_exports").await, i64::from(KEPT));
    assert_eq!(files(&db).len(), KEPT as usize);
}

#[tokio::test]
async fn nobody_without_the_permission_and_no_other_workspace() {
    let db = TestDb::new().await;
    let (acme, other) = (db.workspace("Acme").await, db.workspace("Other").await);
    let id = begun(&db, &acme, Format::Csv).await;
    work(&db.ctx).await.expect("written");
    let foreign = other.actor(Role::Owner);
    assert!(list(&db.ctx, &foreign).await.expect("a list").is_empty());
    assert_eq!(cancel(&db.ctx, &foreign, id).await, Err(AppError::NotFound));
    assert_eq!(fetched(&db.ctx, &foreign, id).await, Err(AppError::NotFound));
    for role in Role::ALL {
        let actor = acme.actor(role);
        let may = role.may(Permission::AuditExport);
        let forbidden = AppError::Forbidden("audit.export".into());
        let before = db.seq(acme.id()).await;
        let results = [
            list(&db.ctx, &actor).await.err(),
            fetched(&db.ctx, &actor, id).await.err(),
            start(&db.ctx, &actor, "csv", &FilterText::default()).await.err(),
            cancel(&db.ctx, &actor, id).await.err(),
        ];
        if may {
            assert_eq!(results[..3], [None, None, None], "{role}");
            work(&db.ctx).await.expect("written");
        } else {
            assert!(results.iter().all(|error| error.as_ref() == Some(&forbidden)), "{role}: {results:?}");
            let denied = db.events_after(acme.id(), before).await;
            assert_eq!(denied.len(), 4, "{role}");
            assert!(denied.iter().all(|event| event.outcome == Outcome::Denied));
        }
    }
}

#[tokio::test]
async fn a_session_needs_a_proof_for_it() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let mut owner = tenant.actor(Role::Owner);
    if let Who::User { proof, .. } = &mut owner.who {
        *proof = Proof { at: datetime!(2000-01-01 0:00 UTC), approved: None, approved_at: None };
    }
    let refused = start(&db.ctx, &owner, "csv", &FilterText::default()).await;
    assert_eq!(refused, Err(AppError::ProofNeeded));
    assert_eq!(db.number("select count(*) from audit_exports").await, 0);
    // Nor does somebody else's session get at what was written for who had given one.
    let id = begun(&db, &tenant, Format::Csv).await;
    assert_eq!(work(&db.ctx).await, Ok(true));
    assert_eq!(fetched(&db.ctx, &owner, id).await, Err(AppError::ProofNeeded));
    let denied = db.events(tenant.id()).await.pop().expect("an event");
    assert_eq!(
        (denied.action.as_str(), denied.reason.as_deref()),
        ("audit_log.export_downloaded", Some("proof_needed"))
    );
    assert!(!fetched(&db.ctx, &tenant.actor(Role::Owner), id).await.expect("the file").is_empty());
}

#[tokio::test]
async fn what_cannot_be_read_begins_nothing() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    assert!(matches!(start(&db.ctx, &owner, "xml", &FilterText::default()).await, Err(AppError::Invalid(_))));
    let text = FilterText { from: "yesterday".into(), ..FilterText::default() };
    assert!(matches!(start(&db.ctx, &owner, "csv", &text).await, Err(AppError::Malformed(_))));
    assert_eq!(db.number("select count(*) from audit_exports").await, 0);
}
