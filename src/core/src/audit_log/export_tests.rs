//! Exports from a real PostgreSQL: whole, resumed, filtered, refused, and nobody else's.

use super::{
    Action, Event, EventView, Filter, Format, Outcome, Record,
    export::{Asked, export},
    queries::{Columns, Stored},
};
use crate::{
    Actor, AppError,
    accounts::Proof,
    actor::Who,
    api_keys::{Kind, Mode},
    ids::{KeyId, WorkspaceId},
    permissions::{Permission, Role},
    sealing::operations::{checkpoint, public_keys},
    secrets,
    testing::{Tenant, TestDb, request},
};
use futures::StreamExt;
use send0_verify::{
    Checkpoints, Finding, Hash, Kind as Found, Report, checkpoint::Checkpoint, leaf, note::Verifier, tree::Frontier,
};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::datetime};

/// More than two windows, so that windows have seams.
const MANY: usize = 4_500;

fn all(format: Format) -> Asked {
    Asked { format, filter: Filter::default(), after: 0 }
}

async fn exported(db: &TestDb, actor: &Actor, asked: &Asked) -> String {
    let mut pieces = Box::pin(export(&db.ctx, actor, asked).await.expect("an export"));
    let mut bytes = vec![];
    while let Some(piece) = pieces.next().await {
        bytes.extend(piece.expect("a piece"));
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// The lines of an export as JSON, and its receipt.
pub(super) async fn read(db: &TestDb, actor: &Actor, asked: &Asked) -> (Vec<Value>, Value) {
    let text = exported(db, actor, asked).await;
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let receipt = lines.pop().expect("a receipt")["receipt"].take();
    (lines, receipt)
}

fn seqs(lines: &[Value]) -> Vec<i64> {
    lines.iter().map(|line| line["seq"].as_i64().expect("a number")).collect()
}

/// Events of an API key, every third refused.
async fn fill(db: &TestDb, tenant: &Tenant, count: usize) {
    let event = |n: usize| match n % 3 {
        0 => Event::new(Action::ApiCalled).because(Outcome::Denied, "missing_permission"),
        _ => Event::new(Action::ApiKeyRevoked).on("api_key", n, Some("CI")),
    };
    fill_with(db, tenant, count, event).await;
}

/// So many events of the command line.
pub(super) async fn fill_with(db: &TestDb, tenant: &Tenant, count: usize, event: impl Fn(usize) -> Event) {
    let actor = Actor::cli(tenant.id(), request());
    let mut conn = db.ctx.db.auth.acquire().await.expect("connection");
    let records: Vec<Record> = (0..count).map(|n| Record::new(&actor, event(n)).expect("record")).collect();
    for batch in records.chunks(500) {
        Record::append_all(batch, &mut conn).await.expect("append");
    }
}

fn key(workspace: WorkspaceId, scopes: Vec<Permission>) -> Actor {
    let who = Who::ApiKey { id: KeyId::new(), name: "CI".into(), kind: Kind::Restricted, mode: Mode::Live, scopes };
    Actor { workspace, who, request: request() }
}

// Whole ------------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn an_export_is_the_log_byte_for_byte_and_says_so() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    fill(&db, &tenant, MANY).await;
    let before = db.seq(tenant.id()).await;
    let (lines, receipt) = read(&db, &tenant.actor(Role::Owner), &all(Format::Ndjson)).await;
    assert_eq!(seqs(&lines), (1..=before).collect::<Vec<_>>(), "every event once, in order, without its own");
    let count = |name: &str| receipt[name].as_i64();
    assert_eq!((count("first"), count("last"), count("count")), (Some(1), Some(before), Some(before)));
    assert_eq!((&receipt["workspace"], &receipt["query"]), (&Value::from(tenant.id().to_string()), &Value::Null));
    let stored = "select format('\"body\":%s,\"personal\":%s,\"salt\":\"%s\"', body, personal, encode(salt, 'hex'))
        from audit_events where workspace_id = $1 and seq <= $2 order by seq";
    let stored: Vec<String> =
        sqlx::query_scalar(stored).bind(tenant.id().0).bind(before).fetch_all(&db.superuser).await.expect("the log");
    let text = exported(&db, &tenant.actor(Role::Owner), &all(Format::Ndjson)).await;
    for (line, stored) in text.lines().zip(&stored) {
        assert!(line.contains(stored.as_str()), "{line}\n{stored}");
    }
}

#[tokio::test]
async fn what_an_export_says_reads_back_as_the_event() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    fill(&db, &tenant, 5).await;
    let events: Vec<EventView> = db.events(tenant.id()).await;
    let (lines, _) = read(&db, &tenant.actor(Role::Owner), &all(Format::Ndjson)).await;
    assert_eq!(lines.len(), events.len());
    for (line, event) in lines.iter().zip(&events) {
        let body = serde_json::to_string(&line["body"]).expect("JSON");
        let personal = serde_json::to_string(&line["personal"]).expect("JSON");
        let stored = Stored {
            seq: event.seq,
            at: event.time,
            columns: Columns::default(),
            body: &body,
            personal: Some(&personal),
            salt: None,
        };
        assert_eq!(&stored.view(tenant.id()), event);
        let time = line["time"].as_str().expect("a time");
        assert_eq!(time.len(), "2026-11-23T18:04:05.123456Z".len());
        assert_eq!(OffsetDateTime::parse(time, &Rfc3339), Ok(event.time));
        let salt: Vec<u8> = (0..64)
            .step_by(2)
            .map(|at| u8::from_str_radix(&line["salt"].as_str().expect("a salt")[at..at + 2], 16).expect("hex"))
            .collect();
        assert_eq!(
            line["body"]["commitment"],
            leaf::commitment(&salt, personal.as_bytes()),
            "the commitment can be checked"
        );
    }
}

#[tokio::test]
async fn every_format_has_a_line_for_every_event() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    fill(&db, &tenant, 2_500).await;
    let seq = db.seq(tenant.id()).await;
    let bounded = Filter { to: Some(OffsetDateTime::now_utc()), ..Filter::default() };
    for (format, extra) in [(Format::Csv, 1), (Format::Ocsf, 0), (Format::Ecs, 0), (Format::Cef, 0)] {
        let asked = Asked { filter: bounded.clone(), ..all(format) };
        let text = exported(&db, &tenant.actor(Role::Owner), &asked).await;
        assert_eq!(text.lines().count() as i64, seq + extra, "{format:?}");
    }
}

#[tokio::test]
async fn resumed_anywhere_it_is_the_same() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    fill(&db, &tenant, 115).await;
    let to = Some(OffsetDateTime::now_utc());
    let last = db.seq(tenant.id()).await;
    // Sealed from here on, which its receipt sees to: a line says so, and there is no newer checkpoint.
    exported(&db, &tenant.actor(Role::Owner), &all(Format::Ndjson)).await;
    for format in Format::ALL {
        let asked = Asked { filter: Filter { to, ..Filter::default() }, ..all(format) };
        let whole = exported(&db, &tenant.actor(Role::Owner), &asked).await;
        let head = usize::from(format == Format::Csv);
        let lines: Vec<&str> = whole.split_inclusive('\n').collect();
        // Everywhere, where bytes are copied; around the seam of the windows, where they are made of the same events.
        let first = if format == Format::Ndjson { 1 } else { 98 };
        for cursor in first..=last {
            let rest = exported(&db, &tenant.actor(Role::Owner), &Asked { after: cursor, ..asked.clone() }).await;
            let received = lines[..cursor as usize + head].concat();
            assert!(received + &rest == whole, "{format:?} after {cursor}");
        }
    }
}

#[tokio::test]
async fn nothing_to_export_is_an_export_of_nothing() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let asked = Asked { after: 1_000_000, ..all(Format::Ndjson) };
    let (lines, receipt) = read(&db, &tenant.actor(Role::Owner), &asked).await;
    assert!(lines.is_empty());
    assert!(receipt["first"].is_null() && receipt["last"].is_null() && receipt["count"] == 0);
    let never = Filter { from: Some(datetime!(2999-01-01 0:00 UTC)), ..Filter::default() };
    let (lines, _) = read(&db, &tenant.actor(Role::Owner), &Asked { filter: never, ..all(Format::Ndjson) }).await;
    assert!(lines.is_empty());
}

// Proven -----------------------------------------------------------------------------------------------------------

/// The bytes of a body, as they stand in a line.
fn body(line: &str) -> &str {
    line.split_once("\"body\":").and_then(|(_, rest)| rest.split_once(",\"personal\":")).expect("a body").0
}

/// Fails unless lines and receipt lead to the root that the checkpoint signs, from nothing but the text.
async fn assert_proven(db: &TestDb, text: &str) {
    let mut lines: Vec<&str> = text.lines().collect();
    let receipt: Value = serde_json::from_str(lines.pop().expect("a receipt")).expect("JSON");
    let receipt = &receipt["receipt"];
    let hashes = |name: &str| -> Vec<Hash> {
        let all = receipt[name].as_array().expect(name).iter();
        all.map(|text| send0_verify::hex::hash(text.as_str().expect("text")).expect("a hash")).collect()
    };
    let first = receipt["first"].as_u64().expect("a number");
    let mut frontier = Frontier::from_parts(first - 1, hashes("from_prefix")).expect("the prefix");
    for line in lines {
        let value: Value = serde_json::from_str(line).expect("JSON");
        let time = OffsetDateTime::parse(value["time"].as_str().expect("a time"), &Rfc3339).expect("a time");
        let micros = (time.unix_timestamp_nanos() / 1000) as i64;
        let workspace = value["workspace"].as_str().expect("a workspace");
        let leaf = leaf::hash(workspace, value["seq"].as_u64().expect("a number"), micros, body(line).as_bytes());
        if let Some(sealed) = value.get("leaf") {
            assert_eq!(sealed, &secrets::hex(&leaf), "as it was sealed");
        }
        frontier.push(leaf);
    }
    let note = receipt["checkpoint"].as_str().expect("a note");
    let keys = public_keys(&db.ctx).await.expect("keys");
    let verifiers: Vec<Verifier> = keys.iter().map(|key| key.parse().expect("a key")).collect();
    let signed: Checkpoint = send0_verify::note::open(note, &verifiers).expect("signed").parse().expect("a checkpoint");
    assert!(frontier.extend(signed.size, &hashes("to_suffix")), "the suffix");
    assert_eq!(frontier.root(), signed.root);
}

/// What whoever has the file, the public keys and the register of checkpoints is told.
pub(super) async fn verified(db: &TestDb, text: &str) -> Result<Report, Finding> {
    let register = db.ctx.folder.as_ref().expect("a folder").join("checkpoints.ndjson");
    let register = std::fs::read(register).expect("the register");
    let checkpoints = Checkpoints::read(&register[..]).expect("checkpoints");
    let keys = public_keys(&db.ctx).await.expect("keys");
    let verifiers: Vec<Verifier> = keys.iter().map(|key| key.parse().expect("a key")).collect();
    send0_verify::verify(text.as_bytes(), &checkpoints, &verifiers)
}

/// The first lines of one export, and behind them another: `curl … >> file`.
fn joined(first: &str, lines: i64, rest: &str) -> String {
    let lines = usize::try_from(lines).expect("a number");
    first.split_inclusive('\n').take(lines).collect::<String>() + rest
}

#[tokio::test]
async fn what_was_cut_off_and_its_rest_are_one_file_that_holds() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    fill(&db, &tenant, 300).await;
    let before = db.seq(tenant.id()).await;
    fill(&db, &tenant, 400).await;
    let from = Some(db.events_after(tenant.id(), before).await.remove(0).time);
    for (filter, first) in [(Filter::default(), 1), (Filter { from, ..Filter::default() }, before + 1)] {
        let asked = Asked { filter, ..all(Format::Ndjson) };
        let cut_off = exported(&db, &owner, &asked).await;
        for cursor in [first, first + 99, first + 100, before + 400] {
            // More came, and what was sealed grew.
            fill(&db, &tenant, 3).await;
            let last = db.seq(tenant.id()).await;
            let rest = exported(&db, &owner, &Asked { after: cursor, ..asked.clone() }).await;
            assert_eq!(rest.lines().count() as i64, last - cursor + 1, "from {first} after {cursor}");
            let text = joined(&cut_off, cursor - first + 1, &rest);
            let report = verified(&db, &text).await.unwrap_or_else(|finding| panic!("after {cursor}: {finding}"));
            let held = [report.first, report.last, report.events, report.sealed];
            assert_eq!(held.map(u64::cast_signed), [first, last, last - first + 1, last - first + 1]);
            let alone = verified(&db, &rest).await.expect_err("a part without its beginning");
            assert_eq!((alone.kind, alone.seq.cast_signed()), (Found::Delete, first));
        }
    }
}

/// Over several windows, while the log goes on and is sealed further.
#[tokio::test]
async fn each_event_that_a_filter_finds_is_proven_by_one_checkpoint() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    fill(&db, &tenant, 9_000).await;
    let last = db.seq(tenant.id()).await;
    let filter = Filter { actor: Some("cli".into()), ..Filter::default() };
    let asked = Asked { filter, ..all(Format::Ndjson) };
    let mut pieces = Box::pin(export(&db.ctx, &owner, &asked).await.expect("an export"));
    let mut bytes = pieces.next().await.expect("a piece").expect("no error");
    fill(&db, &tenant, 300).await;
    checkpoint(&db.ctx, &owner).await.expect("sealed");
    while let Some(piece) = pieces.next().await {
        bytes.extend(piece.expect("no error"));
    }
    let text = String::from_utf8(bytes).expect("UTF-8");
    let report = verified(&db, &text).await.expect("it holds");
    assert_eq!(
        [report.events, report.sealed, report.size].map(u64::cast_signed),
        [last; 3],
        "all are of the command line"
    );
    assert!(report.proven && report.query.as_deref() == Some("actor:cli"), "{report}");
    let receipt: Value = serde_json::from_str(text.lines().last().expect("a receipt")).expect("JSON");
    assert_eq!((&receipt["receipt"]["first"], &receipt["receipt"]["last"]), (&Value::from(1), &Value::from(last)));
    let edited = text.replacen("missing_permission", "missing_permissioN", 1);
    assert_eq!(verified(&db, &edited).await.expect_err("an edit").kind, Found::Edit);
    let (lines, receipt) = text.rsplit_once("{\"receipt\"").expect("a receipt");
    let fewer: String = lines.split_inclusive('\n').skip(1).collect();
    let gone = verified(&db, &format!("{fewer}{{\"receipt\"{receipt}")).await.expect_err("one is gone");
    assert_eq!((gone.kind, gone.seq), (Found::Delete, 1));
}

/// Few of many, so that their proofs lie in tiles that are far apart, and the newest of them in none.
#[tokio::test]
async fn what_a_filter_finds_here_and_there_is_proven() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let rare = |n: usize| match n % 97 {
        5 => Event::new(Action::ApiKeyRevoked).on("api_key", n, Some("CI")),
        _ => Event::new(Action::ApiCalled),
    };
    let asked = |after| {
        let filter = Filter { actions: vec![Action::ApiKeyRevoked], ..Filter::default() };
        Asked { filter, after, format: Format::Ndjson }
    };
    let mut found = 0;
    for count in [6, 250, 256, 1_000] {
        fill_with(&db, &tenant, count, rare).await;
        found += (0..count as u64).filter(|n| n % 97 == 5).count() as u64;
        let text = exported(&db, &owner, &asked(0)).await;
        let report = verified(&db, &text).await.expect("it holds");
        assert_eq!((report.events, report.sealed, report.proven), (found, found, true), "{count} more");
    }
    // What goes on is a file of its own: the proofs of the other one lead to another checkpoint.
    let whole = exported(&db, &owner, &asked(0)).await;
    let cursor = 600;
    let rest = exported(&db, &owner, &asked(cursor)).await;
    let report = verified(&db, &rest).await.expect("it holds");
    assert!(report.proven && report.events < found && report.first.cast_signed() > cursor, "{report}");
    let receipt: Value = serde_json::from_str(rest.lines().last().expect("a receipt")).expect("JSON");
    assert_eq!(receipt["receipt"]["first"], cursor + 1);
    let text = joined(&whole, (found - report.events).cast_signed(), &rest);
    assert!(verified(&db, &text).await.is_err(), "two files are not one");
}

#[tokio::test]
async fn an_export_of_no_events_is_read_and_said_to_be_one() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    fill(&db, &tenant, 300).await;
    let whole = verified(&db, &exported(&db, &owner, &all(Format::Ndjson)).await).await.expect("it holds");
    assert!(whole.to_string().contains("complete and unchanged, 1 to "), "{whole}");
    let failed = Filter { outcome: Some(Outcome::Failed), ..Filter::default() };
    let never = Filter { from: Some(datetime!(2999-01-01 0:00 UTC)), ..Filter::default() };
    let neither = Filter { outcome: Some(Outcome::Failed), ..never.clone() };
    for (filter, is_looked_at, said) in [
        (failed, true, "no events; a filtered export does not show"),
        (never, false, "no checkpoint: no event was looked at"),
        (neither, false, "no checkpoint: no event was looked at"),
    ] {
        let text = exported(&db, &owner, &Asked { filter, ..all(Format::Ndjson) }).await;
        assert_eq!(text.lines().count(), 1, "{text}");
        let answer = match verified(&db, &text).await {
            Ok(report) => {
                assert_eq!((is_looked_at, report.events, report.checkpoints), (true, 0, 1), "{text}");
                report.to_string()
            }
            Err(finding) => {
                assert_eq!((is_looked_at, finding.kind), (false, Found::NoCheckpoint), "{text}");
                finding.to_string()
            }
        };
        assert!(answer.contains(said), "{answer}");
    }
}

#[tokio::test]
async fn the_receipt_ties_any_part_of_the_log_to_a_signed_checkpoint() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let edges = [2, 3, 255, 256, 257, 511, 600];
    // What comes in one batch has one time: a part can begin where one does. A new log has two events.
    for edge in edges {
        let missing = edge - db.seq(tenant.id()).await;
        fill(&db, &tenant, usize::try_from(missing).unwrap_or(0)).await;
    }
    fill(&db, &tenant, 100).await;
    let owner = tenant.actor(Role::Owner);
    // Nothing is sealed yet, and then some is not: the export sees to it, or its checkpoint would cover events without a leaf.
    for more in [0, 40] {
        fill(&db, &tenant, more).await;
        let text = exported(&db, &owner, &all(Format::Ndjson)).await;
        assert_eq!(text.matches("\"leaf\":\"").count(), text.lines().count() - 1, "all but the receipt");
        assert_proven(&db, &text).await;
    }
    for after in edges.into_iter().chain([db.seq(tenant.id()).await - 1]) {
        let from = Some(db.events_after(tenant.id(), after).await.remove(0).time);
        let asked = Asked { filter: Filter { from, ..Filter::default() }, ..all(Format::Ndjson) };
        let text = exported(&db, &owner, &asked).await;
        assert!(text.starts_with(&format!("{{\"seq\":{},", after + 1)), "after {after}");
        assert_proven(&db, &text).await;
        let report = verified(&db, &text).await.expect("it holds");
        assert_eq!(report.first.cast_signed(), after + 1);
    }
    let to = Some(db.events_after(tenant.id(), 300).await.remove(0).time);
    let bounded = Asked { filter: Filter { to, ..Filter::default() }, ..all(Format::Ndjson) };
    assert_proven(&db, &exported(&db, &owner, &bounded).await).await;
}

#[tokio::test]
async fn an_erased_person_leaves_the_proof_whole() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    exported(&db, &owner, &all(Format::Ndjson)).await;
    let erase = "update audit_events set personal = null, salt = null where workspace_id = $1";
    sqlx::query(erase).bind(tenant.id().0).execute(&db.superuser).await.expect("erased");
    assert_proven(&db, &exported(&db, &owner, &all(Format::Ndjson)).await).await;
}

// Part of it -------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_filter_narrows_it_and_the_receipt_says_by_what() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    fill(&db, &tenant, 3_000).await;
    let filter = Filter { actor: Some("cli".into()), outcome: Some(Outcome::Denied), ..Filter::default() };
    let (lines, receipt) = read(&db, &tenant.actor(Role::Owner), &Asked { filter, ..all(Format::Ndjson) }).await;
    assert_eq!(lines.len(), 1_000);
    assert!(lines.iter().all(|line| line["body"]["outcome"] == "denied"));
    assert_eq!(receipt["query"], "actor:cli outcome:denied");
    assert_eq!((&receipt["count"], &receipt["from_prefix"]), (&Value::from(1_000), &Value::Null));
    let actions = Action::matching("workspace.*");
    let (lines, receipt) = read(
        &db,
        &tenant.actor(Role::Owner),
        &Asked { filter: Filter { actions, ..Filter::default() }, ..all(Format::Ndjson) },
    )
    .await;
    assert_eq!(lines.len(), 1);
    assert!(receipt["query"].as_str().is_some_and(|query| query.starts_with("action:workspace.created,")), "{receipt}");
}

#[tokio::test]
async fn a_mail_address_stands_for_its_person() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    db.ctx.log_call(&owner, Event::new(Action::PageViewed)).await.expect("logged");
    let filter = Filter { actor: Some("owner@acme.example".into()), ..Filter::default() };
    let (lines, receipt) = read(&db, &tenant.actor(Role::Owner), &Asked { filter, ..all(Format::Ndjson) }).await;
    assert!(!lines.is_empty() && lines.iter().all(|line| line["body"]["actor"]["id"] == owner.id()));
    assert_eq!(receipt["query"], "actor:owner@acme.example");
}

#[tokio::test]
async fn what_comes_later_is_not_in_it() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    fill(&db, &tenant, MANY).await;
    let before = db.seq(tenant.id()).await;
    let mut pieces = Box::pin(export(&db.ctx, &tenant.actor(Role::Owner), &all(Format::Cef)).await.expect("an export"));
    let mut text = String::from_utf8(pieces.next().await.expect("a piece").expect("no error")).expect("UTF-8");
    assert_eq!(text.lines().count(), 100, "the first piece is small");
    fill(&db, &tenant, 10).await;
    while let Some(piece) = pieces.next().await {
        text.push_str(std::str::from_utf8(&piece.expect("no error")).expect("UTF-8"));
    }
    assert_eq!(text.lines().count() as i64, before);
}

#[tokio::test]
async fn an_erased_person_is_erased_from_exports_too() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let erase = "update audit_events set personal = null, salt = null where workspace_id = $1";
    sqlx::query(erase).bind(tenant.id().0).execute(&db.superuser).await.expect("erased");
    let to = Some(OffsetDateTime::now_utc());
    for format in Format::ALL {
        let asked = Asked { filter: Filter { to, ..Filter::default() }, ..all(format) };
        let text = exported(&db, &tenant.actor(Role::Owner), &asked).await;
        assert!(
            !text.is_empty() && !text.contains("Owner of Acme") && !text.contains("owner@acme"),
            "{format:?}: {text}"
        );
        if format == Format::Ndjson {
            assert!(text.lines().next().expect("a line").contains("\"personal\":null,\"salt\":null,"), "{text}");
        }
    }
}

// Who may ----------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn another_workspace_sees_nothing_of_it() {
    let db = TestDb::new().await;
    let (acme, other) = (db.workspace("Acme").await, db.workspace("Other").await);
    fill(&db, &acme, 10).await;
    for format in Format::ALL {
        let text = exported(&db, &other.actor(Role::Owner), &all(format)).await;
        assert!(!text.contains(&acme.id().to_string()) && !text.contains("Owner of Acme"), "{format:?}");
        assert!(text.contains(&other.id().to_string()));
    }
    let filter = Filter { actor: Some(acme.actor(Role::Owner).id()), ..Filter::default() };
    let (lines, _) = read(&db, &other.actor(Role::Owner), &Asked { filter, ..all(Format::Ndjson) }).await;
    assert!(lines.is_empty());
}

#[tokio::test]
async fn only_who_may_export_does_and_a_refusal_is_written_down() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let actors = Role::ALL.map(|role| (tenant.actor(role), role.may(Permission::AuditExport))).into_iter();
    let keys = [
        (key(tenant.id(), vec![Permission::AuditExport]), true),
        (key(tenant.id(), vec![Permission::AuditRead]), false),
    ];
    let mut allowed = 0;
    for (actor, may) in actors.chain(keys) {
        let before = db.seq(tenant.id()).await;
        let result = export(&db.ctx, &actor, &all(Format::Csv)).await.map(|_| ());
        let events = db.events_after(tenant.id(), before).await;
        let [event] = &events[..] else { panic!("{} events", events.len()) };
        assert_eq!((event.action.as_str(), event.actor.id.clone()), ("audit_log.exported", actor.id()));
        assert_eq!(event.actor.permission.as_deref(), Some("audit.export"));
        assert!(actor.request.is_logged());
        if may {
            assert_eq!((result, event.outcome), (Ok(()), Outcome::Success));
            allowed += 1;
        } else {
            assert_eq!((result, event.outcome), (Err(AppError::Forbidden("audit.export".into())), Outcome::Denied));
        }
    }
    assert_eq!(allowed, 4, "owner, admin, security, and a key with the scope");
}

#[tokio::test]
async fn the_event_says_what_was_taken_out() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let seq = db.seq(tenant.id()).await;
    let from = datetime!(2020-01-01 0:00 UTC);
    let filter = Filter { outcome: Some(Outcome::Success), from: Some(from), ..Filter::default() };
    exported(&db, &tenant.actor(Role::Security), &Asked { filter, ..all(Format::Ecs) }).await;
    let event = db.events_after(tenant.id(), seq).await.remove(0);
    let said =
        |field: &str| event.changes.iter().find(|change| change.field == field).map(|change| change.after.clone());
    assert_eq!(said("format"), Some("ecs".into()));
    assert_eq!((said("first"), said("last")), (Some(1.into()), Some(seq.into())));
    assert_eq!(said("outcome"), Some("success".into()));
    assert!(said("from").is_some_and(|from| from.as_str().is_some_and(|text| text.starts_with("2020-01-01"))));
    // The rest of a file: what is taken out now.
    exported(&db, &tenant.actor(Role::Security), &Asked { after: seq, ..all(Format::Ndjson) }).await;
    let event = db.events_after(tenant.id(), seq + 1).await.remove(0);
    let said =
        |field: &str| event.changes.iter().find(|change| change.field == field).map(|change| change.after.clone());
    assert_eq!((said("first"), said("last")), (Some((seq + 1).into()), Some((seq + 1).into())));
}

#[tokio::test]
async fn what_lies_below_the_floor_and_is_not_swept_yet_is_in_no_export() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    fill(&db, &tenant, 300).await;
    let floor = format!(
        "begin; alter table audit_floors disable trigger all;
         insert into audit_floors (workspace_id, first_seq) values ('{}', 257);
         alter table audit_floors enable always trigger demand_a_seal, enable always trigger demand_no_hold; commit",
        tenant.id().0
    );
    sqlx::raw_sql(AssertSqlSafe(floor)).execute(&db.superuser).await.expect("a floor");
    let (lines, receipt) = read(&db, &tenant.actor(Role::Owner), &all(Format::Ndjson)).await;
    assert_eq!((seqs(&lines)[0], receipt["first"].as_i64()), (257, Some(257)));
    assert!(receipt["checkpoint"].is_string(), "it has no gap");
}

#[tokio::test]
async fn a_session_needs_a_proof_and_a_key_is_its_own() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let mut owner = tenant.actor(Role::Owner);
    if let Who::User { proof, .. } = &mut owner.who {
        *proof = Proof { at: datetime!(2000-01-01 0:00 UTC), approved: None, approved_at: None };
    }
    let seq = db.seq(tenant.id()).await;
    let refused = export(&db.ctx, &owner, &all(Format::Csv)).await.map(|_| ());
    assert_eq!(refused, Err(AppError::ProofNeeded));
    let events = db.events_after(tenant.id(), seq).await;
    assert_eq!((events.len(), events[0].reason.as_deref()), (1, Some("proof_needed")));
    exported(&db, &key(tenant.id(), vec![Permission::AuditExport]), &all(Format::Csv)).await;
}

#[tokio::test]
async fn without_its_event_there_is_no_export() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let broken = "revoke execute on function append_events from send0_auth";
    sqlx::query(AssertSqlSafe(broken)).execute(&db.superuser).await.expect("break it");
    let error = export(&db.ctx, &tenant.actor(Role::Owner), &all(Format::Ndjson))
        .await
        .map(|_| ())
        .expect_err("no log, no export");
    assert!(matches!(error, AppError::Unavailable | AppError::Internal), "{error:?}");
}

#[tokio::test]
async fn an_export_that_cannot_go_on_ends_with_an_error_and_without_a_receipt() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    fill(&db, &tenant, 9_000).await;
    let mut pieces =
        Box::pin(export(&db.ctx, &tenant.actor(Role::Owner), &all(Format::Ndjson)).await.expect("an export"));
    pieces.next().await.expect("a piece").expect("no error");
    let broken = "revoke select on audit_events from send0_auditor";
    sqlx::query(AssertSqlSafe(broken)).execute(&db.superuser).await.expect("break it");
    let rest: Vec<_> = pieces.collect().await;
    let (last, before) = rest.split_last().expect("more pieces");
    assert!(last.is_err() && before.iter().all(|piece| piece.is_ok()), "{:?}", last.as_ref().map(Vec::len));
    let text: Vec<u8> = before.iter().flatten().flatten().copied().collect();
    assert!(!String::from_utf8_lossy(&text).contains("\"receipt\""));
}

#[tokio::test]
async fn who_goes_away_leaves_nothing_running() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    fill(&db, &tenant, 9_000).await;
    let mut pieces =
        Box::pin(export(&db.ctx, &tenant.actor(Role::Owner), &all(Format::Ndjson)).await.expect("an export"));
    pieces.next().await.expect("a piece").expect("no error");
    drop(pieces);
    // The pool gives its connections back only when nobody reads with them any more.
    tokio::time::timeout(std::time::Duration::from_secs(20), db.ctx.db.close())
        .await
        .expect("nothing is read any more");
}
