//! Sealing on a real PostgreSQL: what is stored is what was sealed, or the first event that is not is named.

use super::{
    Finding, Kind, SigningKeys,
    operations::{
        call_the_roll, check_all, check_everything, checkpoint, consistency, inclusion, leaves, public_keys,
        range_proof, seal_all, standing,
    },
    register,
};
use crate::{
    AppError, Ctx,
    audit_log::{Action, Event, Filter, Place, operations::list},
    ids::{EventId, WorkspaceId},
    permissions::Role,
    secrets::{from_hex, hex},
    testing::{Tenant, TestDb},
};
use futures::future::join_all;
use send0_verify::{
    Hash,
    checkpoint::Checkpoint,
    note::{self, Verifier},
    tree,
};
use sqlx::{AssertSqlSafe, Executor, PgPool};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
};
use time::{Duration, macros::datetime};

/// A workspace whose log has exactly this many events.
async fn logged(db: &TestDb, name: &str, count: i64) -> Tenant {
    let tenant = db.workspace(name).await;
    let actor = tenant.actor(Role::Owner);
    let first = db.seq(tenant.id()).await;
    join_all((first..count).map(|_| db.ctx.log_call(&actor, Event::new(Action::ApiCalled).change("n", 1, 2)))).await;
    assert_eq!(db.seq(tenant.id()).await, count);
    tenant
}

async fn verifiers(ctx: &Ctx) -> Vec<Verifier> {
    public_keys(ctx).await.expect("keys").iter().map(|key| key.parse().expect("a verifier key")).collect()
}

async fn opened(ctx: &Ctx, note: &str) -> Checkpoint {
    note::open(note, &verifiers(ctx).await).expect("signed").parse().expect("a checkpoint")
}

fn hashes(proof: &[String]) -> Vec<Hash> {
    proof.iter().map(|text| from_hex(text).expect("a hash")).collect()
}

async fn size(superuser: &PgPool, workspace: WorkspaceId) -> i64 {
    let size = sqlx::query_scalar("select coalesce(max(size), 0) from audit_trees where workspace_id = $1");
    size.bind(workspace.0).fetch_one(superuser).await.expect("size")
}

#[tokio::test]
async fn every_event_is_proven_to_be_in_the_log_and_the_log_to_have_only_grown() {
    let db = TestDb::new().await;
    let tenant = logged(&db, "Acme", 300).await;
    let owner = tenant.actor(Role::Owner);
    seal_all(&db.ctx).await.expect("sealed");
    let old = opened(&db.ctx, &checkpoint(&db.ctx, &owner).await.expect("checkpoint")).await;
    assert_eq!((old.origin, old.size), (format!("send0.dev/audit-log/{}", tenant.id()), 300));
    for n in 0..250 {
        db.ctx.log_call(&owner, Event::new(Action::ApiCalled).change("n", n, n)).await.expect("logged");
    }
    let newest = opened(&db.ctx, &checkpoint(&db.ctx, &owner).await.expect("what is asked for is sealed")).await;
    assert_eq!(newest.size, 550);
    for event in db.events(tenant.id()).await.iter().step_by(7) {
        let proof = inclusion(&db.ctx, &owner, event.id).await.expect("proof");
        assert_eq!((proof.seq, proof.index, proof.size), (event.seq, event.seq - 1, 550));
        assert_eq!(opened(&db.ctx, &proof.checkpoint).await.root, newest.root);
        let leaf = from_hex(&proof.leaf).expect("a hash");
        let (index, size) = (proof.index.unsigned_abs(), proof.size.unsigned_abs());
        assert!(tree::verify_inclusion(index, size, &leaf, &hashes(&proof.proof), &newest.root), "{}", event.seq);
    }
    for from in [1, 255, 256, 257, 299, 300, 512, 550] {
        let proof = consistency(&db.ctx, &owner, from, None).await.expect("proof");
        let [from_root, to_root] = [&proof.from_root, &proof.to_root].map(|root| from_hex(root).expect("a hash"));
        assert_eq!((proof.from, proof.to, to_root), (from, 550, newest.root));
        assert!(from != 300 || from_root == old.root);
        let (from, to) = (proof.from.unsigned_abs(), proof.to.unsigned_abs());
        assert!(tree::verify_consistency(from, to, &from_root, &to_root, &hashes(&proof.proof)), "{from}");
    }
    for (from, to, field) in
        [(0, None, "from"), (551, None, "from"), (5, Some(4), "from"), (1, Some(551), "to"), (1, Some(0), "to")]
    {
        let refused = consistency(&db.ctx, &owner, from, to).await.expect_err("no such size");
        assert!(matches!(&refused, AppError::Malformed(errors) if errors[0].field == field), "{refused:?}");
    }
    let whole = standing(&db.ctx, &owner, &(1..=550).collect::<Vec<_>>()).await.expect("standing").expect("sealed");
    assert_eq!((whole.sealed_to, whole.failed, whole.first_seq), (550, None, 1));
}

#[tokio::test]
async fn proofs_are_for_who_may_read_the_log_of_their_own_workspace() {
    let db = TestDb::new().await;
    let (ours, theirs) = (db.workspace("Ours").await, db.workspace("Theirs").await);
    let foreign = db.events(theirs.id()).await[0].id;
    let own = db.events(ours.id()).await[0].id;
    let owner = ours.actor(Role::Owner);
    assert_eq!(inclusion(&db.ctx, &owner, foreign).await, Err(AppError::NotFound));
    assert_eq!(inclusion(&db.ctx, &owner, EventId::new()).await, Err(AppError::NotFound));
    for role in Role::ALL {
        let actor = ours.actor(role);
        let may = matches!(role, Role::Owner | Role::Admin | Role::Security);
        let refused = || AppError::Forbidden("audit.read".into());
        assert_eq!(checkpoint(&db.ctx, &actor).await.err(), (!may).then(refused), "{role}");
        assert_eq!(inclusion(&db.ctx, &actor, own).await.err(), (!may).then(refused), "{role}");
        assert_eq!(consistency(&db.ctx, &actor, 1, None).await.err(), (!may).then(refused), "{role}");
        assert_eq!(standing(&db.ctx, &actor, &[1]).await.err(), (!may).then(refused), "{role}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_sealers_one_seals() {
    let db = TestDb::new().await;
    let mut tenants = vec![];
    for name in ["Anna", "Bert", "Carl"] {
        tenants.push(logged(&db, name, 60).await);
    }
    let writers = tenants.iter().map(|tenant| async {
        for _ in 0..40 {
            db.ctx.log_call(&tenant.actor(Role::Owner), Event::new(Action::ApiCalled)).await.expect("logged");
        }
    });
    let sealers = (0..6).map(|_| async {
        for _ in 0..12 {
            seal_all(&db.ctx).await.expect("sealed, or somebody else did");
        }
    });
    tokio::join!(join_all(writers), join_all(sealers));
    seal_all(&db.ctx).await.expect("sealed");
    for tenant in &tenants {
        assert_eq!(size(&db.superuser, tenant.id()).await, 100);
    }
    let verdicts = check_everything(&db.ctx).await.expect("checked");
    assert!(verdicts.len() >= 3 && verdicts.iter().all(|verdict| verdict.problem.is_none()), "{verdicts:?}");
    assert_eq!(seal_all(&db.ctx).await, Ok(0), "nothing is left");
}

#[tokio::test]
async fn every_checkpoint_is_in_the_register_and_signed() {
    let db = TestDb::new().await;
    let tenant = logged(&db, "Acme", 5).await;
    db.operator().await;
    seal_all(&db.ctx).await.expect("sealed");
    let mut sizes: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    call_the_roll(&db.ctx).await.expect("listed");
    let register =
        fs::read_to_string(db.ctx.folder.as_deref().expect("a folder").join("checkpoints.ndjson")).expect("read");
    for line in register.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("a line");
        let signed = opened(&db.ctx, line["note"].as_str().expect("a note")).await;
        sizes.entry(line["workspace"].as_str().expect("a workspace").to_owned()).or_default().push(signed.size);
    }
    assert_eq!(sizes[&tenant.id().to_string()], [5, 5], "when it was sealed, and when the roll was called");
    assert!(sizes.len() >= 2, "the platform is listed too");
}

#[tokio::test]
async fn what_older_keys_signed_goes_on_being_verified() {
    let db = TestDb::new().await;
    let tenant = logged(&db, "Acme", 3).await;
    let owner = tenant.actor(Role::Owner);
    let old = checkpoint(&db.ctx, &owner).await.expect("checkpoint");
    let path = db.ctx.folder.as_deref().expect("a folder").join("audit-keys");
    let new = SigningKeys::rotate(&path).expect("rotated");
    db.ctx.log_call(&owner, Event::new(Action::ApiCalled)).await.expect("logged");
    let newest = checkpoint(&db.ctx, &owner).await.expect("checkpoint");
    assert_eq!(opened(&db.ctx, &old).await.size, 3);
    assert!(note::open(&newest, std::slice::from_ref(&new)).is_ok() && note::open(&old, &[new]).is_err());
    assert!(check_everything(&db.ctx).await.expect("checked").iter().all(|verdict| verdict.problem.is_none()));
    let text = fs::read_to_string(&path).expect("keys");
    assert_eq!(text.lines().count(), 2);
    for key in text.lines().filter_map(|line| line.split(' ').nth(2)) {
        assert_eq!(db.tables_with(key).await, Vec::<String>::new(), "no signing key is in the database");
    }
    fs::write(&path, "send0-audit v1 00\n").expect("broken");
    db.ctx.log_call(&owner, Event::new(Action::ApiCalled)).await.expect("the log goes on");
    assert_eq!(checkpoint(&db.ctx, &owner).await, Err(AppError::Unavailable));
}

#[test]
fn rotating_at_the_same_time_loses_no_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("audit-keys");
    let rotated: Vec<String> = std::thread::scope(|scope| {
        let rotate = || SigningKeys::rotate(&path).expect("rotated").to_string();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(rotate)).collect();
        threads.into_iter().map(|thread| thread.join().expect("ends")).collect()
    });
    let known: Vec<String> =
        SigningKeys::load_or_create(&path).expect("keys").verifiers().iter().map(Verifier::to_string).collect();
    assert_eq!(known.len(), 9);
    assert!(rotated.iter().all(|key| known.contains(key)), "whoever was told a key can rely on it");
    let versions: Vec<String> = fs::read_to_string(&path)
        .expect("keys")
        .lines()
        .filter_map(|line| line.split(' ').nth(1).map(str::to_owned))
        .collect();
    assert_eq!(versions, (1..=9).map(|version| format!("v{version}")).collect::<Vec<_>>());
    assert_eq!(fs::read_dir(folder.path()).expect("reads").count(), 1, "no draft stays");
}

/// Of a log, what seals it is gone.
const WIPE: &str = "delete from audit_trees where workspace_id = $w";
/// All of it is gone.
const VANISHED: &str =
    "delete from audit_trees where workspace_id = $w; delete from audit_events where workspace_id = $w;
    delete from audit_heads where workspace_id = $w";
/// It is turned back to its sixth event.
const TURNED_BACK: &str = "delete from audit_trees where workspace_id = $w;
    delete from audit_events where workspace_id = $w and seq > 6; update audit_heads set next_seq = 7 where workspace_id = $w";

/// As whoever owns the machine and the database could.
async fn tamper(db: &TestDb, workspace: WorkspaceId, sql: &str) {
    let sql = sql.replace("$w", &format!("'{}'", workspace.0));
    let whole = format!(
        "begin; alter table audit_events disable trigger all; alter table audit_tiles disable trigger all;
         alter table audit_trees disable trigger all; alter table audit_floors disable trigger all; {sql};
         alter table audit_events enable always trigger append_only; alter table audit_tiles enable always trigger never_changed;
         alter table audit_trees enable always trigger only_grows; alter table audit_floors enable always trigger demand_a_seal,
         enable always trigger demand_no_hold; commit"
    );
    db.superuser.execute(AssertSqlSafe(whole)).await.expect("tampered");
}

#[tokio::test]
async fn whatever_is_tampered_with_the_first_bad_event_is_named() {
    let db = TestDb::new().await;
    let other = logged(&db, "Other", 3).await;
    let at = |seq: i64| format!("where workspace_id = $w and seq = {seq}");
    let update = |what: &str, seq| format!("update audit_events set {what} {}", at(seq));
    let swap = "update audit_events set seq = -seq where workspace_id = $w and seq in (9, 10);
        update audit_events set seq = 19 + seq where workspace_id = $w and seq < 0";
    let cases: Vec<(&str, String, i64, Kind)> = vec![
        ("a byte of a body", update("body = replace(body, 'api.called', 'api.palled')", 100), 100, Kind::Edit),
        ("the time", update("at = at + interval '1 microsecond'", 7), 7, Kind::Edit),
        ("the action", update("action = 'page.viewed'", 8), 8, Kind::Edit),
        ("the outcome", update("outcome = 'denied'", 9), 9, Kind::Edit),
        ("the kind of the actor", update("actor_kind = 'system'", 10), 10, Kind::Edit),
        ("the actor", update("actor_id = 'usr_x'", 11), 11, Kind::Edit),
        ("the id", update("event_id = gen_random_uuid()", 12), 12, Kind::Edit),
        ("what identifies people", update("personal = replace(personal, '203.0.113', '203.0.114')", 13), 13, Kind::Edit),
        ("the salt", update("salt = sha256(salt)", 14), 14, Kind::Edit),
        ("the first is deleted", format!("delete from audit_events {}", at(1)), 1, Kind::Delete),
        ("one in the middle is deleted", format!("delete from audit_events {}", at(150)), 150, Kind::Delete),
        ("the last is deleted", format!("delete from audit_events {}", at(300)), 300, Kind::Delete),
        ("all are deleted", "delete from audit_events where workspace_id = $w".into(), 1, Kind::Delete),
        ("the end is cut off", "delete from audit_events where workspace_id = $w and seq > 200".into(), 201, Kind::Delete),
        ("two are swapped", swap.into(), 9, Kind::Edit),
        ("one stands in for another", update("body = (select body from audit_events where workspace_id = $w and seq = 21)", 20), 20, Kind::Edit),
        (
            "one of another workspace",
            format!("update audit_events e set body = f.body, event_id = f.event_id, at = f.at, action = f.action, actor_id = f.actor_id,
                actor_kind = f.actor_kind, outcome = f.outcome, personal = f.personal, salt = f.salt
                from audit_events f where f.workspace_id = '{}' and f.seq = 3 and e.workspace_id = $w and e.seq = 30", other.id().0),
            30,
            Kind::Edit,
        ),
        (
            "one is put before the first",
            "insert into audit_events select workspace_id, 0, event_id, at, action, outcome, actor_kind, actor_id, body, personal, salt
                from audit_events where workspace_id = $w and seq = 1".into(),
            0,
            Kind::Insert,
        ),
        (
            "one is put behind the last",
            "insert into audit_events select workspace_id, 301, event_id, at, action, outcome, actor_kind, actor_id, body, personal, salt
                from audit_events where workspace_id = $w and seq = 1".into(),
            301,
            Kind::Insert,
        ),
        ("a tile", "update audit_tiles set hashes = set_byte(hashes, 39, get_byte(hashes, 39) # 1) where workspace_id = $w".into(), 2, Kind::Edit),
        ("the checkpoint", "update audit_trees set note = replace(note, E'\\n300\\n', E'\\n299\\n') where workspace_id = $w".into(), 300, Kind::Checkpoint),
        ("the root", "update audit_trees set root = sha256(root) where workspace_id = $w".into(), 300, Kind::Checkpoint),
        (
            "a body and its leaf in the tile",
            format!("{}; update audit_tiles set hashes = overlay(hashes placing '\\x{}'::bytea from 1 for 32) where workspace_id = $w",
                update("body = body || ' '", 1), "$leaf"),
            1,
            Kind::Tree,
        ),
        ("a body that is no JSON", update("body = 'x'", 299), 299, Kind::Edit),
        ("a body that is no event", update("body = '{}'", 298), 298, Kind::Edit),
        ("what identifies people is no JSON", update("personal = 'x'", 297), 297, Kind::Edit),
        ("the tree has no tails", "update audit_trees set tails = '{}' where workspace_id = $w".into(), 1, Kind::Tree),
        ("the tree is larger", "update audit_trees set size = size + 1 where workspace_id = $w".into(), 1, Kind::Tree),
        ("it begins later", "insert into audit_floors (workspace_id, first_seq) values ($w, 257)".into(), 256, Kind::Prune),
        (
            "it begins later, with a receipt that is none",
            "insert into audit_floors (workspace_id, first_seq) values ($w, 257); insert into audit_prunes
                (workspace_id, first_seq, from_seq, pruned_at, last_at, note)
                select workspace_id, 257, 1, now(), now(), note from audit_trees where workspace_id = $w".into(),
            256,
            Kind::Prune,
        ),
    ];
    assert!(cases.len() >= 14);
    for (n, (what, sql, seq, kind)) in cases.into_iter().enumerate() {
        let tenant = logged(&db, &format!("Copy {n}"), 300).await;
        seal_all(&db.ctx).await.expect("sealed");
        check_all(&db.ctx).await.expect("checked");
        let owner = tenant.actor(Role::Owner);
        let fine = standing(&db.ctx, &owner, &[]).await.expect("standing").expect("sealed");
        assert_eq!((fine.failed, fine.checked_to), (None, 300), "{what}: before");
        // What the leaf of the first event would be with its new body.
        let leaf = {
            let (body, time): (String, time::OffsetDateTime) =
                sqlx::query_as("select body || ' ', at from audit_events where workspace_id = $1 and seq = 1")
                    .bind(tenant.id().0)
                    .fetch_one(&db.superuser)
                    .await
                    .expect("first");
            let micros = i64::try_from(time.unix_timestamp_nanos() / 1000).expect("a time");
            hex(&send0_verify::leaf::hash(&tenant.id().to_string(), 1, micros, body.as_bytes()))
        };
        tamper(&db, tenant.id(), &sql.replace("$leaf", &leaf)).await;
        let looked_at = standing(&db.ctx, &owner, &[seq]).await.expect("standing").expect("sealed").failed;
        if kind == Kind::Edit && !what.starts_with("two are") {
            assert_eq!(looked_at, Some(Finding { seq, kind }), "{what}: whoever looks at it sees it at once");
        }
        db.ctx.clock.advance(Duration::minutes(2));
        // Behind the last event stands one already: until it is gone, nothing can be written down there.
        assert!(check_all(&db.ctx).await.is_ok() || seq == 301, "{what}");
        let found = standing(&db.ctx, &owner, &[]).await.expect("standing").expect("sealed").failed.expect(what);
        assert_eq!((found.seq, found.kind), (seq, kind), "{what}");
        let page = list(&db.ctx, &owner, &Filter::default(), Place::Top, 50, Action::PageViewed).await.expect(what);
        let is_long = page.events.len() == 50 || kind == Kind::Prune && page.events.len() >= 44;
        assert!(is_long || what == "all are deleted", "{what}: what is there is shown");
        let verdicts = check_everything(&db.ctx).await.expect("checked");
        let verdict = verdicts.iter().find(|verdict| verdict.workspace == tenant.id()).expect("a verdict");
        assert_eq!(verdict.problem.as_deref(), Some(kind.sentence(seq).as_str()), "{what}");
        assert_eq!(
            verdicts.iter().filter(|verdict| verdict.problem.is_some()).count(),
            1,
            "{what}: the others are fine"
        );
        // Out of the way of the next.
        tamper(
            &db,
            tenant.id(),
            "delete from audit_events where workspace_id = $w; delete from audit_tiles where workspace_id = $w;
            delete from audit_trees where workspace_id = $w; delete from audit_heads where workspace_id = $w;
            delete from audit_floors where workspace_id = $w",
        )
        .await;
        forget(&db, tenant.id());
    }
}

#[tokio::test]
async fn a_checkpoint_of_just_as_many_events_is_no_receipt() {
    let db = TestDb::new().await;
    let tenant = logged(&db, "Acme", 256).await;
    seal_all(&db.ctx).await.expect("sealed");
    let note = checkpoint(&db.ctx, &tenant.actor(Role::Owner)).await.expect("a checkpoint");
    assert_eq!(opened(&db.ctx, &note).await.size, 256);
    db.ctx.log_call(&tenant.actor(Role::Owner), Event::new(Action::ApiCalled)).await.expect("logged");
    seal_all(&db.ctx).await.expect("sealed");
    let pruned = format!(
        "insert into audit_floors (workspace_id, first_seq) values ($w, 257); insert into audit_prunes
            (workspace_id, first_seq, from_seq, pruned_at, last_at, note) values ($w, 257, 1, now(), now(), '{note}')"
    );
    tamper(&db, tenant.id(), &pruned).await;
    check_all(&db.ctx).await.expect("checked");
    assert_eq!(failed(&db.ctx, &tenant).await, Some((256, Kind::Prune)));
}

/// Takes a workspace out of the register.
fn forget(db: &TestDb, workspace: WorkspaceId) {
    let path = db.ctx.folder.as_deref().expect("a folder").join("checkpoints.ndjson");
    let text = fs::read_to_string(&path).expect("the register");
    let kept: String =
        text.lines().filter(|line| !line.contains(&workspace.to_string())).map(|line| format!("{line}\n")).collect();
    fs::write(&path, kept).expect("written");
}

#[tokio::test]
async fn a_log_that_vanished_was_turned_back_or_rewritten_is_not_in_line_with_the_register() {
    let db = TestDb::new().await;
    let gone = logged(&db, "Gone", 10).await;
    let back = logged(&db, "Back", 10).await;
    let rewritten = logged(&db, "Rewritten", 10).await;
    let untold = logged(&db, "Untold", 10).await;
    seal_all(&db.ctx).await.expect("sealed");
    forget(&db, untold.id());
    tamper(&db, gone.id(), VANISHED).await;
    tamper(&db, back.id(), TURNED_BACK).await;
    tamper(
        &db,
        rewritten.id(),
        &format!("{WIPE}; update audit_events set at = at + interval '1 second' where workspace_id = $w and seq = 4"),
    )
    .await;
    // Signed anew, as whoever has the key but not the register could.
    let path = db.ctx.folder.as_deref().expect("a folder").join("checkpoints.ndjson");
    let register = fs::read_to_string(&path).expect("the register");
    seal_all(&db.ctx).await.expect("sealed anew");
    fs::write(&path, register).expect("the register is out of reach");
    let verdicts = check_everything(&db.ctx).await.expect("checked");
    let problem = |tenant: &Tenant| {
        verdicts
            .iter()
            .find(|verdict| verdict.workspace == tenant.id())
            .and_then(|verdict| verdict.problem.clone())
            .unwrap_or_default()
    };
    assert_eq!(problem(&gone), "The register knows this log; the database does not.");
    assert_eq!(problem(&back), "It was turned back: 10 events were signed, 6 are there.");
    assert_eq!(problem(&rewritten), "Its history up to #10 is not what was signed.");
    assert_eq!(problem(&untold), "The register does not know this log.");
}

/// What a new process finds when it starts with the folder and the database as they are.
async fn started_anew(db: &TestDb) -> Ctx {
    let ctx = db.ctx.clone().keeping(db.ctx.folder.as_deref().expect("a folder"));
    call_the_roll(&ctx).await.expect("listed");
    ctx
}

async fn failed(ctx: &Ctx, tenant: &Tenant) -> Option<(i64, Kind)> {
    let standing = standing(ctx, &tenant.actor(Role::Owner), &[]).await.expect("standing").expect("sealed");
    standing.failed.map(|finding| (finding.seq, finding.kind))
}

async fn problem_of(ctx: &Ctx, tenant: &Tenant) -> Option<String> {
    let verdicts = check_everything(ctx).await.expect("checked");
    verdicts.into_iter().find(|verdict| verdict.workspace == tenant.id()).and_then(|verdict| verdict.problem)
}

#[tokio::test]
async fn no_start_and_no_new_checkpoint_makes_the_register_forget() {
    let db = TestDb::new().await;
    let (back, rewritten) = (logged(&db, "Back", 10).await, logged(&db, "Rewritten", 10).await);
    let fine = logged(&db, "Fine", 10).await;
    seal_all(&db.ctx).await.expect("sealed");
    tamper(&db, back.id(), TURNED_BACK).await;
    let edit = "update audit_events set at = at + interval '1 second' where workspace_id = $w and seq = 4";
    tamper(&db, rewritten.id(), &format!("{WIPE}; {edit}")).await;

    seal_all(&db.ctx).await.expect("sealed anew");
    let turned_back = Some("It was turned back: 10 events were signed, 6 are there.".to_owned());
    assert_eq!(problem_of(&started_anew(&db).await, &back).await, turned_back);
    // It grows beyond where it was, and is sealed there.
    for _ in 0..8 {
        db.ctx.log_call(&back.actor(Role::Owner), Event::new(Action::ApiCalled)).await.expect("logged");
    }
    seal_all(&db.ctx).await.expect("sealed");
    let ctx = started_anew(&db).await;
    for tenant in [&back, &rewritten] {
        let other = Some("Its history up to #10 is not what was signed.".to_owned());
        assert_eq!(problem_of(&ctx, tenant).await, other);
    }
    check_all(&ctx).await.expect("checked");
    assert_eq!(failed(&ctx, &back).await, Some((10, Kind::Register)), "the page says it, too");
    assert_eq!(failed(&ctx, &rewritten).await, Some((10, Kind::Register)));
    assert_eq!((failed(&ctx, &fine).await, problem_of(&ctx, &fine).await), (None, None));
    let told = db.events(back.id()).await;
    let told = told.iter().filter(|event| event.reason.as_deref() == Some("register"));
    assert_eq!(told.count(), 1, "it is in the log once");
}

#[tokio::test]
async fn a_log_that_vanished_is_told_to_the_operators() {
    let db = TestDb::new().await;
    db.operator().await;
    let gone = logged(&db, "Gone", 10).await;
    seal_all(&db.ctx).await.expect("sealed");
    tamper(&db, gone.id(), VANISHED).await;
    call_the_roll(&db.ctx).await.expect("listed");
    let event = db.events(WorkspaceId::PLATFORM).await.pop().expect("an event");
    assert_eq!((event.action.as_str(), event.reason.as_deref()), ("audit_log.check_failed", Some("register")));
    assert_eq!(event.targets[0].id, gone.id().to_string());
}

#[tokio::test]
async fn a_line_that_was_cut_off_takes_no_other_line_with_it() {
    let db = TestDb::new().await;
    let tenant = logged(&db, "Acme", 5).await;
    seal_all(&db.ctx).await.expect("sealed");
    let path = db.ctx.folder.as_deref().expect("a folder").join("checkpoints.ndjson");
    let whole = fs::read_to_string(&path).expect("the register");
    fs::write(&path, format!("{whole}{}", &whole[..whole.len() / 2])).expect("the disk was full");
    db.ctx.log_call(&tenant.actor(Role::Owner), Event::new(Action::ApiCalled)).await.expect("logged");
    seal_all(&db.ctx).await.expect("sealed");
    let text = fs::read_to_string(&path).expect("the register");
    let last: serde_json::Value = serde_json::from_str(text.lines().last().expect("a line")).expect("a whole line");
    assert_eq!(opened(&db.ctx, last["note"].as_str().expect("a note")).await.size, 6);
    assert_eq!(problem_of(&db.ctx, &tenant).await, None);
}

#[tokio::test]
async fn a_large_register_goes_on_in_another_file_and_forgets_nothing() {
    let db = TestDb::new().await;
    let (fine, back, gone) =
        (logged(&db, "Fine", 10).await, logged(&db, "Back", 10).await, logged(&db, "Gone", 5).await);
    seal_all(&db.ctx).await.expect("sealed");
    tamper(&db, back.id(), TURNED_BACK).await;
    tamper(&db, gone.id(), VANISHED).await;
    seal_all(&db.ctx).await.expect("sealed anew");
    let path = db.ctx.folder.as_deref().expect("a folder").join("checkpoints.ndjson");
    let files = || {
        let names = fs::read_dir(path.parent().expect("a folder"))
            .expect("files")
            .map(|file| file.expect("a file").file_name());
        let mut names: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
        names.retain(|name| name.starts_with("checkpoints"));
        names.sort();
        names
    };
    call_the_roll(&db.ctx).await.expect("listed");
    assert_eq!(files(), ["checkpoints.ndjson"], "it is small");

    // Its last line is cut off, and very long.
    let file = fs::OpenOptions::new().append(true).open(&path).expect("the register");
    file.set_len(64 << 20).expect("large");
    db.ctx.clock.set(datetime!(2026-11-28 12:34:56 UTC));
    call_the_roll(&db.ctx).await.expect("listed");
    assert_eq!(files(), ["checkpoints-20261128T123456Z.ndjson", "checkpoints.ndjson"]);
    let kept = fs::metadata(path.with_file_name("checkpoints-20261128T123456Z.ndjson")).expect("the old one").len();
    let new = fs::metadata(&path).expect("the new one");
    assert!(kept >= 64 << 20 && new.len() < 4096, "{kept} {}", new.len());
    assert_eq!(new.permissions().mode() & 0o777, 0o600);

    let turned_back = Some("It was turned back: 10 events were signed, 6 are there.".to_owned());
    let lost = Some("The register knows this log; the database does not.".to_owned());
    for ctx in [db.ctx.clone(), started_anew(&db).await] {
        db.ctx.log_call(&fine.actor(Role::Owner), Event::new(Action::ApiCalled)).await.expect("logged");
        seal_all(&ctx).await.expect("sealed");
        assert_eq!(problem_of(&ctx, &fine).await, None);
        assert_eq!((problem_of(&ctx, &back).await, problem_of(&ctx, &gone).await), (turned_back.clone(), lost.clone()));
    }
    assert_eq!(files().len(), 2);
}

#[tokio::test]
async fn a_line_that_waited_goes_into_the_file_that_has_the_name_then() {
    let db = TestDb::new().await;
    let folder = db.ctx.folder.as_deref().expect("a folder");
    let (path, new) = (folder.join("register.ndjson"), folder.join("register.new"));
    let (time, workspace) = (db.ctx.clock.now(), db.workspace("Acme").await.id());
    let old = fs::File::create(&path).expect("the register");
    old.lock().expect("held, as by a rotation");
    let waits = format!(":{} ", old.metadata().expect("a file").ino());
    let line = register::Line { time, workspace, note: "a note".into(), broken: false };
    let appended = tokio::spawn(register::append(path.clone(), vec![line]));
    let is_waiting = || {
        let locks = fs::read_to_string("/proc/locks").expect("the locks");
        locks.lines().any(|lock| lock.contains("-> FLOCK") && lock.contains(&waits))
    };
    while !is_waiting() {
        tokio::task::yield_now().await;
    }
    fs::write(&new, "").expect("the next one");
    fs::rename(&new, &path).expect("in its place");
    old.unlock().expect("released");
    appended.await.expect("ended").expect("appended");
    assert!(fs::read_to_string(&path).expect("the register").contains("a note"));
    assert_eq!(old.metadata().expect("the old one").len(), 0);
}

#[tokio::test]
async fn an_event_that_is_gone_before_it_was_sealed_is_named_and_the_rest_is_served() {
    let db = TestDb::new().await;
    let tenant = logged(&db, "Acme", 20).await;
    let owner = tenant.actor(Role::Owner);
    seal_all(&db.ctx).await.expect("sealed");
    for _ in 0..10 {
        db.ctx.log_call(&owner, Event::new(Action::ApiCalled)).await.expect("logged");
    }
    let events = db.events(tenant.id()).await;
    tamper(&db, tenant.id(), "delete from audit_events where workspace_id = $w and seq = 25").await;
    seal_all(&db.ctx).await.expect("as far as it goes");
    assert_eq!(opened(&db.ctx, &checkpoint(&db.ctx, &owner).await.expect("still served")).await.size, 24);
    check_all(&db.ctx).await.expect("checked");
    assert_eq!(failed(&db.ctx, &tenant).await, Some((25, Kind::Delete)));
    assert_eq!(problem_of(&db.ctx, &tenant).await.as_deref(), Some("Event #25 is missing."));
    assert!(inclusion(&db.ctx, &owner, events[23].id).await.is_ok());
    let refused = inclusion(&db.ctx, &owner, events[27].id).await;
    assert!(matches!(&refused, Err(AppError::Conflict(why)) if why.contains("#25")), "{refused:?}");
}

#[tokio::test]
async fn of_two_findings_far_apart_the_first_is_named_and_nobody_is_told_again_and_again() {
    let db = TestDb::new().await;
    let tenant = logged(&db, "Acme", 20).await;
    seal_all(&db.ctx).await.expect("sealed");
    check_all(&db.ctx).await.expect("checked");
    let edit = "update audit_events set outcome = 'failed' where workspace_id = $w and seq in (7, 15)";
    tamper(&db, tenant.id(), edit).await;
    // The pass is at the second, far from the first.
    let pass_at = |seq: i64| {
        let set = format!("update audit_checks set next_seq = {seq} where workspace_id = '{}'", tenant.id().0);
        async { db.superuser.execute(AssertSqlSafe(set)).await.expect("moved") }
    };
    for (at, first) in [(10, 15), (1, 7), (10, 7), (1, 7), (10, 7)] {
        pass_at(at).await;
        db.ctx.clock.advance(Duration::minutes(2));
        check_all(&db.ctx).await.expect("checked");
        assert_eq!(failed(&db.ctx, &tenant).await, Some((first, Kind::Edit)), "the pass at {at}");
    }
    assert_eq!(db.count(tenant.id(), Action::AuditLogCheckFailed).await, 2, "once for each");
}

#[tokio::test]
async fn what_is_found_is_written_down_once_and_stays_until_it_is_mended() {
    let db = TestDb::new().await;
    let tenant = logged(&db, "Acme", 20).await;
    seal_all(&db.ctx).await.expect("sealed");
    check_all(&db.ctx).await.expect("checked");
    let swapped = "update audit_events set outcome = case outcome when 'success' then 'failed' else 'success' end
        where workspace_id = $w and seq = 12";
    tamper(&db, tenant.id(), swapped).await;
    let owner = tenant.actor(Role::Owner);
    // Whoever looks at it sees it at once, before any job comes by.
    let seen = standing(&db.ctx, &owner, &[10, 12, 15]).await.expect("standing").expect("sealed").failed.expect("seen");
    assert_eq!((seen.seq, seen.kind), (12, Kind::Edit));
    for _ in 0..3 {
        db.ctx.clock.advance(Duration::minutes(2));
        seal_all(&db.ctx).await.expect("sealed");
        check_all(&db.ctx).await.expect("checked");
    }
    let found = db.events_after(tenant.id(), 20).await;
    let [event] = &found[..] else { panic!("{found:?}") };
    assert_eq!(
        (event.action.as_str(), event.reason.as_deref(), &event.changes[0].after),
        ("audit_log.check_failed", Some("edit"), &12.into())
    );
    tamper(&db, tenant.id(), swapped).await;
    db.ctx.clock.advance(Duration::minutes(2));
    check_all(&db.ctx).await.expect("checked");
    assert_eq!(standing(&db.ctx, &owner, &[]).await.expect("standing").expect("sealed").failed, None);
}

#[tokio::test]
async fn erasing_a_person_leaves_the_log_verifying_and_nothing_of_them() {
    let db = TestDb::new().await;
    let tenant = logged(&db, "Acme", 30).await;
    let owner = tenant.actor(Role::Owner);
    db.ctx
        .log_call(&owner, Event::new(Action::MemberRemoved).on("member", "mem_x", Some("Zebulon Quick")))
        .await
        .expect("logged");
    seal_all(&db.ctx).await.expect("sealed");
    assert_eq!(db.tables_with("Zebulon Quick").await, ["audit_events"]);
    sqlx::query("update audit_events set personal = null, salt = null where workspace_id = $1 and seq = 31")
        .bind(tenant.id().0)
        .execute(&db.superuser)
        .await
        .expect("erased");
    assert_eq!(db.tables_with("Zebulon Quick").await, Vec::<String>::new());
    assert!(check_everything(&db.ctx).await.expect("checked").iter().all(|verdict| verdict.problem.is_none()));
}

#[tokio::test]
async fn a_part_of_a_log_is_tied_to_its_checkpoint() {
    let db = TestDb::new().await;
    let tenant = logged(&db, "Acme", 700).await;
    let workspace = tenant.id();
    for (first, last) in [(1, 700), (1, 1), (700, 700), (256, 257), (257, 512), (300, 699), (2, 700)] {
        let proof = range_proof(&db.ctx, workspace, first, last).await.expect("proof");
        let signed = opened(&db.ctx, &proof.checkpoint).await;
        assert_eq!(signed.size, 700);
        let mut read = db.ctx.db.read_log(workspace).await.expect("read");
        let part = leaves(read.conn(), workspace, first, last).await.expect("leaves");
        assert_eq!(part.len() as i64, last - first + 1);
        let mut frontier =
            tree::Frontier::from_parts(first.unsigned_abs() - 1, proof.from_prefix).expect("fits what lies before");
        part.into_iter().for_each(|leaf| frontier.push(leaf));
        if last == 700 {
            assert_eq!((frontier.root(), proof.to_suffix.len()), (signed.root, 0));
        }
    }
}

#[tokio::test]
async fn nobody_changes_what_is_sealed_and_a_tree_only_grows() {
    let db = TestDb::new().await;
    let tenant = logged(&db, "Acme", 300).await;
    seal_all(&db.ctx).await.expect("sealed");
    for login in ["send0_app", "send0_auth", "send0_worker", "send0_auditor"] {
        let mut conn = db.connect(login).await;
        conn.execute(AssertSqlSafe(format!("set send0.workspace_id = '{}'", tenant.id().0))).await.expect("set");
        for table in ["audit_trees", "audit_tiles", "audit_checks", "audit_floors", "audit_prunes"] {
            for change in ["truncate", "delete from", "insert into"] {
                let rest = if change == "insert into" { " default values" } else { "" };
                let done = conn.execute(AssertSqlSafe(format!("{change} {table}{rest}"))).await;
                let code = done.expect_err(table).as_database_error().and_then(|error| error.code().map(String::from));
                assert_eq!(code.as_deref(), Some("42501"), "{login}: {change} {table}");
            }
        }
    }
    for refused in [
        "update audit_trees set size = size - 1",
        "update audit_trees set note = ''",
        "delete from audit_trees",
        "truncate audit_trees",
        "update audit_tiles set tile = 9",
        "delete from audit_tiles",
        "insert into audit_floors select workspace_id, 257 from audit_trees where size >= 300",
        "insert into audit_floors select workspace_id, 100 from audit_trees",
        "insert into audit_floors select workspace_id, 1025 from audit_trees",
    ] {
        assert!(db.superuser.execute(refused).await.is_err(), "{refused}");
    }
    let again = "select audit_seal(workspace_id, size - 1, size + 1, tails, '{}', '{}', '{}', root, note, now()) from audit_trees where size = 300";
    let done: bool = sqlx::query_scalar(again).fetch_one(&db.superuser).await.expect("asked");
    assert!(!done, "from a size that the log is past, nothing is sealed");
}
