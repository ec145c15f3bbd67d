//! Streams on a real PostgreSQL, to real servers on this machine: over TLS, under a name, with an authority of their own.

use super::{
    Health, Kind, State, StreamText, StreamView,
    batch::EVENTS_MAX,
    deliver_due,
    delivery::{LEASE, Lanes, SLOW_AT_ONCE, claim, deliver, wait},
    operations::{change, create, list, pause, remove, replace_secret, resume, show, test},
    queries::{self, Reached},
    run,
};
use crate::{
    Actor, AppError, Ctx,
    audit_log::{Action, Event, EventView, Outcome},
    egress::{
        Egress,
        servers::{Authority, Canary, NAME, Names, Received, Reply, Server, to_here},
    },
    envelope::{DataKey, DataKeyId, KekId, KeyError, KeyFile, KeyProvider, WrappedKey},
    flash::{self, Flash},
    ids::StreamId,
    permissions::Role,
    sealing::operations::seal_all,
    testing::{Tenant, TestDb, logins},
};
use async_trait::async_trait;
use futures::future::join_all;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use secrecy::ExposeSecret;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor};
use std::{
    future::pending,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration as Real,
};
use time::Duration;
use tokio::{
    io::AsyncReadExt,
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};
use uuid::Uuid;

const TOKEN: &str = "8f14e45f-hec-token-0e2d";

/// A workspace, and a target that its log is sent to.
struct Wired {
    db: TestDb,
    tenant: Tenant,
    authority: Authority,
    server: Server,
}

impl Wired {
    async fn new() -> Self {
        let mut db = TestDb::new().await;
        db.ctx = db.ctx.clone().reaching(to_here());
        let (tenant, authority) = (db.workspace("Acme").await, Authority::new());
        let server = Server::accepting(Some(authority.acceptor(NAME))).await;
        Self { db, tenant, authority, server }
    }

    fn ctx(&self) -> &Ctx {
        &self.db.ctx
    }

    /// Another server on the same database, with other keys.
    fn with_keys(&self, keys: Arc<dyn KeyProvider>) -> Ctx {
        Ctx::new(logins(&self.db.options), keys, self.ctx().clock.clone()).reaching(to_here())
    }

    fn owner(&self) -> Actor {
        self.tenant.actor(Role::Owner)
    }

    /// A form that leads to the target.
    fn text(&self, kind: Kind, from: &str) -> StreamText {
        StreamText {
            kind: kind.as_str().into(),
            name: format!("To {kind}"),
            url: self.server.url("https", NAME, "/"),
            index: "audit-send0".into(),
            secret: if kind.secret_label().is_some() { TOKEN.into() } else { String::new() },
            authorities: self.authority.pem.clone(),
            from: from.into(),
            ..StreamText::default()
        }
    }

    async fn stream(&self, kind: Kind, from: &str) -> StreamId {
        self.made(&self.text(kind, from)).await
    }

    async fn made(&self, text: &StreamText) -> StreamId {
        create(self.ctx(), &self.owner(), text, |id| format!("/{id}")).await.expect("a stream").0
    }

    /// So many events that nobody looks for.
    async fn happen(&self, count: usize) {
        let owner = self.owner();
        let calls = (0..count).map(|_| self.ctx().log_call(&owner, Event::new(Action::ApiCalled)));
        join_all(calls).await.into_iter().collect::<Result<Vec<()>, _>>().expect("logged");
    }

    /// A stream that has sent all there was and is paused.
    async fn paused(&self) -> StreamId {
        let id = self.stream(Kind::Https, "1").await;
        self.drain().await;
        pause(self.ctx(), &self.owner(), id).await.expect("paused");
        id
    }

    /// The one event that says what a stream left out.
    async fn lost(&self) -> EventView {
        let said: Vec<_> = self.log().await.into_iter().filter(|event| event.action == "stream.failing").collect();
        let [lost] = &said[..] else { panic!("it is said once: {said:?}") };
        lost.clone()
    }

    /// Sends until nothing is due.
    async fn drain(&self) {
        while deliver_due(self.ctx()).await.expect("sent") > 0 {}
    }

    async fn view(&self, id: StreamId) -> StreamView {
        show(self.ctx(), &self.owner(), id, Action::PageViewed).await.expect("shown")
    }

    async fn log(&self) -> Vec<EventView> {
        self.db.events(self.tenant.id()).await
    }

    async fn actions(&self, action: Action) -> usize {
        self.db.count(self.tenant.id(), action).await
    }

    /// Takes every event up to this one out of the log, as retention does.
    async fn lose(&self, to: i64) {
        self.delete("<=", to).await;
    }

    /// Takes one event out of the log, as nobody may.
    async fn remove(&self, seq: i64) {
        self.delete("=", seq).await;
    }

    async fn delete(&self, is: &str, seq: i64) {
        let workspace = self.tenant.id().0;
        let gone = format!(
            "begin; alter table audit_events disable trigger all;
             delete from audit_events where workspace_id = '{workspace}' and seq {is} {seq};
             alter table audit_events enable always trigger append_only, enable always trigger never_truncated; commit"
        );
        self.db.superuser.execute(AssertSqlSafe(gone)).await.expect("gone");
    }
}

/// The numbers of the events that were received, in the order in which they came.
fn seqs(received: &[Received]) -> Vec<i64> {
    let lines = received.iter().flat_map(|one| one.text().lines().map(str::to_owned).collect::<Vec<_>>());
    let values = lines.map(|line| serde_json::from_str::<Value>(&line).expect("a line of JSON"));
    values.filter(|value| value["type"].is_null()).filter_map(|value| value["seq"].as_i64()).collect()
}

// Order, and nothing missing ---------------------------------------------------------------------------------------

#[tokio::test]
async fn everything_arrives_once_in_order_and_signed() {
    let wired = Wired::new().await;
    wired.happen(1_200).await;
    let text = wired.text(Kind::Https, "1");
    let (id, token) = create(wired.ctx(), &wired.owner(), &text, |id| format!("/{id}")).await.expect("a stream");
    let token = token.expect("the secret is shown once");
    let shown = flash::take(wired.ctx(), token.expose_secret(), &format!("/{id}")).await.expect("taken");
    let Some(Flash::StreamSecret { secret, .. }) = shown else { panic!("no secret is shown") };
    wired.drain().await;

    let (received, log) = (wired.server.received(), wired.log().await);
    assert_eq!(seqs(&received), (1..=log.len() as i64).collect::<Vec<_>>());
    assert_eq!(received.len(), log.len().div_ceil(500));
    let other = standardwebhooks::Webhook::new(&secret.replace(&secret[10..14], "AAAA")).expect("a secret");
    let webhook = standardwebhooks::Webhook::new(&secret).expect("a secret");
    for (part, one) in received.iter().enumerate() {
        let (first, last) = (part * 500 + 1, (part * 500 + 500).min(log.len()));
        assert_eq!((one.method.as_str(), one.header("webhook-id")), ("POST", &*format!("{id}-{first}-{last}")));
        assert!(webhook.verify(&one.body, &one.headers).is_ok(), "another library agrees");
        assert!(
            webhook.verify(&one.body[1..], &one.headers).is_err() && other.verify(&one.body, &one.headers).is_err()
        );
    }
    let first: Value = serde_json::from_str(received[0].text().lines().next().expect("a line")).expect("JSON");
    assert_eq!(first, serde_json::to_value(&log[0]).expect("JSON"), "as the API gives it");
    let view = wired.view(id).await;
    assert_eq!((view.delivered(), view.due(), view.health()), (log.len() as i64, log.len() as i64, Health::UpToDate));
    assert_eq!(deliver_due(wired.ctx()).await, Ok(0), "that it was sent is no event");
}

#[tokio::test]
async fn a_batch_that_was_sent_and_not_recorded_is_sent_again_as_it_was() {
    let wired = Wired::new().await;
    wired.happen(20).await;
    wired.stream(Kind::Https, "1").await;
    let killed = claim(wired.ctx(), 1).await.expect("claimed").remove(0);
    tokio::select! {
        biased;
        _ = wired.server.has(1) => {}
        _ = deliver(wired.ctx(), &killed) => panic!("it was recorded before it arrived"),
    }
    wired.happen(20).await;
    assert_eq!(deliver_due(wired.ctx()).await, Ok(0), "until the lease is over, it may still be sent");
    wired.ctx().clock.advance(LEASE);
    wired.drain().await;
    let received = wired.server.received();
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    assert_eq!(received[0].body, received[1].body, "the same batch, whatever has happened since");
    assert_eq!(seqs(&received[1..]), (1..=wired.log().await.len() as i64).collect::<Vec<_>>());
}

#[tokio::test]
async fn two_servers_never_send_one_batch_at_once() {
    let wired = Wired::new().await;
    let id = wired.stream(Kind::Https, "1").await;
    let sent = join_all((0..8).map(|_| deliver_due(wired.ctx()))).await;
    assert_eq!(sent.into_iter().map(|sent| sent.expect("asked")).sum::<usize>(), 1);
    assert_eq!(wired.server.received().len(), 1);

    wired.happen(5).await;
    let late = claim(wired.ctx(), 1).await.expect("claimed").remove(0);
    wired.ctx().clock.advance(LEASE);
    let next = claim(wired.ctx(), 1).await.expect("claimed").remove(0);
    let before = wired.view(id).await;
    // Whoever comes late sends nothing, and changes nothing either.
    deliver(wired.ctx(), &late).await.expect("nothing");
    let (now, far) = (wired.ctx().clock.now(), Reached { next_seq: 999, checkpoint_size: 0 });
    queries::sent(&wired.ctx().db.worker, &late, far, now).await.expect("nothing");
    queries::failed(&wired.ctx().db.worker, &late, "late", now, now).await.expect("nothing");
    assert_eq!((wired.view(id).await, wired.server.received().len()), (before, 1));
    deliver(wired.ctx(), &next).await.expect("sent");
    assert_eq!(wired.view(id).await.health(), Health::UpToDate);
}

#[tokio::test]
async fn nothing_is_missing_after_a_pause_and_after_failures() {
    let wired = Wired::new().await;
    let id = wired.stream(Kind::Https, "1").await;
    wired.happen(10).await;
    wired.drain().await;

    pause(wired.ctx(), &wired.owner(), id).await.expect("paused");
    wired.happen(10).await;
    assert_eq!(deliver_due(wired.ctx()).await, Ok(0));
    assert_eq!(wired.view(id).await.health(), Health::Paused);
    assert_eq!(resume(wired.ctx(), &wired.owner(), id).await.expect("resumed").state, State::Active);
    resume(wired.ctx(), &wired.owner(), id).await.expect("nothing");
    assert_eq!((wired.actions(Action::StreamPaused).await, wired.actions(Action::StreamResumed).await), (1, 1));

    wired.server.answer(|_| Reply::With(503, "busy".into()));
    for _ in 0..5 {
        wired.happen(3).await;
        assert_eq!(deliver_due(wired.ctx()).await, Ok(1));
        assert_eq!(deliver_due(wired.ctx()).await, Ok(0), "not before its time");
        wired.ctx().clock.advance(Duration::HOUR);
    }
    let failing = wired.view(id).await;
    assert_eq!((failing.attempts, failing.last_error.as_deref()), (5, Some("It answered 503: busy")));
    assert!(matches!(failing.health(), Health::Failing(_)));
    let failed = wired.server.received().len();
    assert!(
        wired.server.received()[failed - 5..].iter().all(|one| one.body == wired.server.received()[failed - 1].body)
    );

    wired.server.answer(|_| Reply::With(204, String::new()));
    wired.drain().await;
    // What was refused came again; each event came first after all those before it.
    let mut first = seqs(&wired.server.received());
    let mut known = std::collections::BTreeSet::new();
    first.retain(|seq| known.insert(*seq));
    assert_eq!(first, (1..=wired.log().await.len() as i64).collect::<Vec<_>>());
    assert_eq!(wired.view(id).await.health(), Health::UpToDate);
}

#[tokio::test]
async fn a_stream_begins_where_it_is_told_to() {
    let wired = Wired::new().await;
    wired.happen(20).await;
    let newest = wired.log().await.len() as i64;
    let begins = async |from: &str, name: &str| {
        let text = StreamText { name: name.into(), ..wired.text(Kind::Https, from) };
        create(wired.ctx(), &wired.owner(), &text, |id| format!("/{id}")).await.map(|made| made.0)
    };
    let (all, some, next) = (begins("1", "All").await, begins("7", "Some").await, begins("", "Next").await);
    let from = async |id: Result<StreamId, AppError>| wired.view(id.expect("a stream")).await.from_seq;
    // Each is made in an event of its own, the last stream's is the first that it sends.
    assert_eq!((from(all).await, from(some).await, from(next).await), (1, 7, newest + 3));
    let code = async |from: &str| match begins(from, "Wrong").await {
        Err(AppError::Invalid(errors)) => errors[0].code.clone(),
        other => panic!("{other:?}"),
    };
    for wrong in ["0", "-1", "x", "1.5", "99999999999999999999"] {
        assert_eq!(code(wrong).await, "not_a_number", "{wrong}");
    }
    assert_eq!(code("1000").await, "not_yet");
    wired.drain().await;
    let first =
        wired.server.received().into_iter().map(|one| seqs(&[one])[0]).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(first, [1, 7, newest + 3].into());
}

#[tokio::test]
async fn a_stream_begins_with_what_is_kept_and_counts_nothing_else() {
    let wired = Wired::new().await;
    wired.happen(20).await;
    wired.lose(5).await;
    let id = wired.stream(Kind::Https, "1").await;
    let begun = wired.view(id).await;
    assert_eq!((begun.from_seq, begun.gone(), begun.is_cut()), (6, None, false));
    wired.drain().await;
    let (sent, newest) = (wired.view(id).await, wired.db.seq(wired.tenant.id()).await);
    assert_eq!((sent.delivered(), sent.due(), sent.health()), (newest - 5, newest - 5, Health::UpToDate));
    assert_eq!(seqs(&wired.server.received()), (6..=newest).collect::<Vec<_>>());
    assert_eq!(wired.actions(Action::StreamFailing).await, 0, "nothing of what it was to send is missing");
}

#[tokio::test]
async fn events_that_are_gone_before_they_were_sent_are_not_counted_as_sent() {
    let wired = Wired::new().await;
    let id = wired.paused().await;
    wired.happen(20).await;
    let (next, newest) = (wired.view(id).await.next_seq, wired.db.seq(wired.tenant.id()).await);
    wired.lose(next + 4).await;
    let (waiting, left) = (wired.view(id).await, newest - next - 4);
    assert_eq!((waiting.gone(), waiting.is_cut()), (Some((next, next + 4)), true));
    assert_eq!((waiting.delivered(), waiting.due(), waiting.waiting()), (0, left, left));
    assert!(waiting.waiting_since.is_some(), "the oldest that is left waits");

    resume(wired.ctx(), &wired.owner(), id).await.expect("resumed");
    wired.drain().await;
    let (sent, newest) = (wired.view(id).await, wired.db.seq(wired.tenant.id()).await);
    let kept = newest - next - 4;
    assert_eq!((sent.delivered(), sent.due(), sent.gone(), sent.health()), (kept, kept, None, Health::UpToDate));
    let lost = wired.lost().await;
    assert_eq!((lost.outcome, lost.reason.as_deref()), (Outcome::Failed, Some("gone_unsent")));
    assert_eq!((&lost.changes[0].before, &lost.changes[0].after), (&next.into(), &(next + 5).into()));
    let said = wired.server.received().iter().any(|one| one.text().contains("gone_unsent"));
    assert!(said, "the target learns of it as well");
}

#[tokio::test]
async fn no_batch_reaches_across_an_event_that_somebody_removed() {
    let wired = Wired::new().await;
    let id = wired.paused().await;
    let next = wired.view(id).await.next_seq;
    wired.happen(20).await;
    wired.remove(next + 7).await;
    resume(wired.ctx(), &wired.owner(), id).await.expect("resumed");
    wired.drain().await;
    let received = wired.server.received();
    let newest = wired.db.seq(wired.tenant.id()).await;
    assert_eq!(seqs(&received), (1..=newest).filter(|seq| *seq != next + 7).collect::<Vec<_>>());
    let over = |id: &str| {
        let numbers: Vec<i64> = id.rsplit('-').take(2).filter_map(|part| part.parse().ok()).collect();
        matches!(numbers[..], [last, first] if (first..=last).contains(&(next + 7)))
    };
    let ids: Vec<&str> = received.iter().map(|one| one.header("webhook-id")).collect();
    assert!(ids.contains(&format!("{id}-{next}-{}", next + 6).as_str()) && !ids.iter().any(|id| over(id)), "{ids:?}");
    let lost = wired.lost().await;
    assert_eq!((lost.outcome, lost.reason.as_deref()), (Outcome::Failed, Some("missing")));
    assert_eq!((&lost.changes[0].before, &lost.changes[0].after), (&(next + 7).into(), &(next + 8).into()));
}

#[tokio::test]
async fn whatever_a_name_holds_a_record_is_one_line() {
    for kind in [Kind::Https, Kind::Splunk, Kind::Elastic, Kind::Datadog] {
        let wired = Wired::new().await;
        wired.stream(kind, "1").await;
        let name = "a\u{2028}b\u{202e}c\u{85}d\u{9b}e\r\nf";
        let event = Event::new(Action::ApiKeyRevoked).on("api_key", "key_1", Some(name));
        wired.ctx().log_call(&wired.owner(), event).await.expect("logged");
        wired.drain().await;
        let text: String = wired.server.received().iter().map(Received::text).collect();
        assert!(text.contains("\\u2028b") && text.contains("key_1"), "{kind}: {text}");
        let hidden = |c: char| c.is_control() && c != '\n' || ['\u{2028}', '\u{202e}'].contains(&c);
        assert!(!text.contains(hidden), "{kind}: {text}");
    }
}

#[tokio::test]
async fn gone_on_with_a_stream_that_failed_is_sent_at_once() {
    let wired = Wired::new().await;
    let id = wired.stream(Kind::Https, "1").await;
    wired.server.answer(|_| Reply::With(503, "busy".into()));
    for _ in 0..8 {
        wired.ctx().clock.advance(Duration::HOUR);
        wired.drain().await;
    }
    wired.server.answer(|_| Reply::With(200, "ok".into()));
    wired.drain().await;
    assert_eq!(wired.view(id).await.delivered(), 0, "it waits for its next attempt");
    pause(wired.ctx(), &wired.owner(), id).await.expect("paused");
    resume(wired.ctx(), &wired.owner(), id).await.expect("resumed");
    wired.drain().await;
    let view = wired.view(id).await;
    assert_eq!((view.health(), view.waiting()), (Health::UpToDate, 0));
}

#[tokio::test]
async fn however_many_streams_are_slow_there_are_places_for_the_others() {
    let wired = Wired::new().await;
    let slow = wired.stream(Kind::Https, "1").await;
    let (mut lanes, mut attempts) = (Lanes::default(), JoinSet::<()>::new());
    let at_work: Vec<_> = (0..SLOW_AT_ONCE).map(|_| attempts.spawn(pending()).id()).collect();
    at_work.iter().for_each(|id| lanes.begun(*id, slow));
    lanes.since(Real::from_secs(9));
    let streams = async |lanes: &mut Lanes, places| -> Vec<StreamId> {
        lanes.claim(wired.ctx(), places).await.expect("claimed").iter().map(|claim| claim.stream).collect()
    };
    assert_eq!(streams(&mut lanes, 8).await, [], "no place is left for it");
    let quick = wired.made(&StreamText { name: "Quick".into(), ..wired.text(Kind::Https, "1") }).await;
    assert_eq!(streams(&mut lanes, 8).await, [quick]);
    wired.ctx().clock.advance(LEASE);
    lanes.ended(at_work[0]);
    assert_eq!(streams(&mut lanes, 1).await, [slow], "one is done, and the others do not come before it for ever");
    // Whoever answers in time again waits for nobody.
    wired.ctx().clock.advance(LEASE);
    lanes.begun(at_work[0], slow);
    lanes.ended(at_work[0]);
    assert_eq!(streams(&mut lanes, 8).await.len(), 2);
}

#[tokio::test]
async fn a_gap_is_said_once_however_long_it_is() {
    let wired = Wired::new().await;
    let id = wired.paused().await;
    wired.happen(2 * EVENTS_MAX as usize + 100).await;
    let (next, newest) = (wired.view(id).await.next_seq, wired.db.seq(wired.tenant.id()).await);
    wired.lose(newest - 1).await;
    resume(wired.ctx(), &wired.owner(), id).await.expect("resumed");
    let before = wired.server.received().len();
    wired.drain().await;
    let told = wired.log().await.into_iter().filter(|event| event.action == "stream.failing").collect::<Vec<_>>();
    let [told] = &told[..] else { panic!("{} events of one gap", told.len()) };
    assert_eq!((&told.changes[0].before, &told.changes[0].after), (&next.into(), &newest.into()));
    let sent = seqs(&wired.server.received()[before..]);
    assert_eq!(sent, (newest..=wired.db.seq(wired.tenant.id()).await).collect::<Vec<_>>());
    assert_eq!(wired.view(id).await.health(), Health::UpToDate);
}

#[tokio::test]
async fn a_stream_that_fails_goes_on_failing_when_its_batch_is_gone() {
    let wired = Wired::new().await;
    let id = wired.stream(Kind::Https, "1").await;
    wired.drain().await;
    wired.happen(10).await;
    wired.server.answer(|_| Reply::With(503, "busy".into()));
    for _ in 0..3 {
        wired.drain().await;
        wired.ctx().clock.advance(Duration::HOUR);
    }
    // The newest event says that it fails: it came after the batch.
    let (failing, newest) = (wired.view(id).await, wired.db.seq(wired.tenant.id()).await);
    wired.lose(newest - 1).await;
    assert_eq!(deliver_due(wired.ctx()).await, Ok(1));
    let skipped = wired.view(id).await;
    let how = |view: &StreamView| (view.attempts, view.failing_since, view.last_error.clone(), view.last_ok_at);
    assert_eq!((skipped.next_seq, how(&skipped)), (newest, how(&failing)), "the target took nothing");
    assert_eq!((failing.attempts, wired.actions(Action::StreamRecovered).await), (3, 0));

    assert_eq!(deliver_due(wired.ctx()).await, Ok(1), "what is left is due at once");
    assert_eq!(wired.view(id).await.attempts, 4);
    assert_eq!(wired.actions(Action::StreamFailing).await, 2, "that it fails, and what is gone");
    wired.ctx().clock.advance(Duration::HOUR);
    wired.server.answer(|_| Reply::With(200, String::new()));
    wired.drain().await;
    assert_eq!(wired.actions(Action::StreamRecovered).await, 1);
    assert_eq!(wired.view(id).await.health(), Health::UpToDate);
}

#[tokio::test]
async fn checkpoints_follow_the_events_that_they_cover() {
    let wired = Wired::new().await;
    let id = wired.stream(Kind::Https, "1").await;
    wired.happen(5).await;
    seal_all(wired.ctx()).await.expect("sealed");
    let sealed = wired.log().await.len() as i64;
    wired.happen(5).await;
    wired.drain().await;
    let received = wired.server.received();
    let last: Value = serde_json::from_str(&received.last().expect("something").text()).expect("JSON");
    assert_eq!((&last["type"], &last["size"]), (&"checkpoint".into(), &sealed.into()));
    let note = sqlx::query_scalar::<_, String>("select note from audit_trees where workspace_id = $1");
    let note = note.bind(wired.tenant.id().0).fetch_one(&wired.db.superuser).await.expect("a note");
    assert_eq!(last["note"], note.as_str());
    assert_eq!(received.last().expect("something").header("webhook-id"), format!("{id}-checkpoint-{sealed}"));
    assert_eq!(deliver_due(wired.ctx()).await, Ok(0), "once");
    seal_all(wired.ctx()).await.expect("sealed");
    wired.drain().await;
    assert_eq!(wired.server.received().len(), received.len() + 1, "and the next one after it");
}

#[tokio::test]
async fn a_target_that_hangs_delays_no_other() {
    let wired = Wired::new().await;
    let hanging = Server::start(Some(wired.authority.acceptor(NAME)), |_| Reply::Never).await;
    let slow =
        StreamText { name: "Hangs".into(), url: hanging.url("https", NAME, "/"), ..wired.text(Kind::Https, "1") };
    wired.made(&slow).await;
    let id = wired.stream(Kind::Https, "1").await;
    let ctx = wired.ctx().clone();
    let running = tokio::spawn(async move { run(&ctx, std::future::pending()).await });
    hanging.has(1).await;
    for round in 0..3 {
        let before = wired.log().await.len() as i64;
        wired.happen(600).await;
        while wired.view(id).await.next_seq <= before + 600 {
            tokio::time::timeout(Real::from_secs(8), wired.server.has(round + 1)).await.expect("not held up");
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(hanging.received().len(), 1, "and has one batch under way");
    running.abort();
}

#[tokio::test]
async fn a_new_secret_signs_from_then_on() {
    let wired = Wired::new().await;
    let id = wired.stream(Kind::Https, "1").await;
    let token = replace_secret(wired.ctx(), &wired.owner(), id, "/shown").await.expect("replaced");
    let shown = flash::take(wired.ctx(), token.expose_secret(), "/shown").await.expect("taken");
    let Some(Flash::StreamSecret { secret, .. }) = shown else { panic!("no secret is shown") };
    wired.drain().await;
    let received = wired.server.received().remove(0);
    let webhook = standardwebhooks::Webhook::new(&secret).expect("a secret");
    assert!(webhook.verify(&received.body, &received.headers).is_ok());
    assert_eq!(wired.db.tables_with(&secret).await, Vec::<String>::new());
}

// Health -----------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn the_log_and_the_contacts_are_told_when_a_stream_fails() {
    let wired = Wired::new().await;
    let id = wired.stream(Kind::Https, "1").await;
    wired.server.answer(|_| Reply::With(500, "oops".into()));
    let attempt = async || {
        wired.drain().await;
        wired.ctx().clock.advance(Duration::HOUR);
    };
    for expected in [0, 0, 1, 1] {
        attempt().await;
        assert_eq!(wired.actions(Action::StreamFailing).await, expected, "a hiccup is no news");
    }
    wired.server.answer(|_| Reply::With(200, String::new()));
    attempt().await;
    assert_eq!((wired.actions(Action::StreamRecovered).await, wired.view(id).await.failing_since), (1, None));

    wired.server.answer(|_| Reply::With(403, "wrong token".into()));
    wired.happen(1).await;
    attempt().await;
    assert_eq!(wired.actions(Action::StreamFailing).await, 2, "what does not heal by itself is said at once");
    let mails = async || {
        let subjects = wired.db.subjects("owner@acme.example").await.into_iter();
        subjects.filter(|subject| subject.ends_with("The stream To https has been failing for a day")).count()
    };
    for _ in 0..30 {
        assert_eq!(mails().await, usize::from(wired.actions(Action::StreamFailing).await > 2));
        attempt().await;
    }
    assert_eq!((mails().await, wired.actions(Action::StreamFailing).await), (1, 3), "once");
    assert!(wired.db.newest_letter("owner@acme.example").await.contains("It answered 403: wrong token"));
    let failing = wired.log().await.into_iter().rfind(|event| event.action == "stream.failing").expect("an event");
    assert_eq!(
        (failing.outcome, failing.reason.as_deref(), failing.actor.id.as_str()),
        (Outcome::Failed, Some("for_a_day"), "jobs")
    );
}

#[test]
fn it_is_tried_again_later_and_later_up_to_an_hour() {
    for _ in 0..100 {
        for (attempts, seconds) in [(0, 5), (1, 10), (2, 20), (5, 160), (9, 2_560)] {
            let wait = wait(attempts, None);
            assert!((seconds * 8 / 10..=seconds * 12 / 10).contains(&wait.whole_seconds()), "{attempts}: {wait}");
        }
        assert!((2_880..=3_600).contains(&wait(20, None).whole_seconds()) && wait(i32::MAX, None) <= Duration::HOUR);
        assert_eq!(wait(0, Some(Real::from_secs(120))), Duration::minutes(2), "the target asks for it");
        assert_eq!(wait(0, Some(Real::MAX)), Duration::HOUR, "within reason");
    }
}

// Where nothing is sent --------------------------------------------------------------------------------------------

#[tokio::test]
async fn private_addresses_are_refused_when_saved_and_when_sent_to() {
    let (wired, canary) = (Wired::new().await, Canary::start().await);
    let public = wired.ctx().clone().reaching(Egress::to_public());
    for url in [
        "https://127.0.0.1:8088",
        "https://10.0.0.1",
        "https://[::1]",
        "https://localhost:8088",
        "http://siem.example.com",
    ] {
        let text = StreamText { url: url.into(), ..wired.text(Kind::Https, "1") };
        let refused = create(&public, &wired.owner(), &text, |_| "/".into()).await.expect_err(url);
        assert!(refused.of_field("url").is_some(), "{url}: {refused:?}");
    }
    let host = StreamText { url: "localhost:6514".into(), ..wired.text(Kind::Syslog, "1") };
    assert!(
        create(&public, &wired.owner(), &host, |_| "/".into()).await.expect_err("refused").of_field("url").is_some()
    );

    // The name led to the internet while it was saved, and leads here when it is sent to.
    let url = format!("https://{NAME}:{}/", canary.port);
    let id = wired.made(&StreamText { url, ..wired.text(Kind::Https, "1") }).await;
    let rebound = wired.ctx().clone().reaching(Egress::to_public().resolving(Names::leading(&[&["127.0.0.1"]])));
    assert_eq!(deliver_due(&rebound).await, Ok(1));
    let said = Some("the name leads to no address on the public internet.");
    assert_eq!(wired.view(id).await.last_error.as_deref(), said);
    let sampled = test(&rebound, &wired.owner(), id).await.expect("tried");
    assert_eq!((sampled.accepted, Some(sampled.said.as_str())), (false, said));
    assert_eq!(canary.connections().await, 0);

    // Saved while the server was in its default mode, sent to when it is not.
    let url = format!("http://127.0.0.1:{}/", canary.port);
    let id = wired.made(&StreamText { url, name: "Local".into(), ..wired.text(Kind::Https, "1") }).await;
    assert_eq!(deliver_due(&public).await, Ok(1));
    assert!(wired.view(id).await.last_error.expect("refused").contains("https://"));
    assert_eq!(canary.connections().await, 0);
}

// The kinds of targets ---------------------------------------------------------------------------------------------

#[tokio::test]
async fn splunk_gets_events_with_their_time() {
    let wired = Wired::new().await;
    let id = wired.stream(Kind::Splunk, "1").await;
    wired.drain().await;
    let (received, log) = (wired.server.received().remove(0), wired.log().await);
    assert_eq!(
        (received.path.as_str(), received.header("authorization")),
        ("/services/collector/event", &*format!("Splunk {TOKEN}"))
    );
    let events: Vec<Value> =
        serde_json::Deserializer::from_str(&received.text()).into_iter().map(|one| one.expect("JSON")).collect();
    assert_eq!(events.len(), log.len());
    for (event, one) in events.iter().zip(&log) {
        assert_eq!(event["event"], serde_json::to_value(one).expect("JSON"));
        let micros = one.time.unix_timestamp_nanos() / 1_000;
        // A number: what it ends in says nothing.
        let exact = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        assert_eq!(event["time"].as_f64(), exact.parse().ok());
        assert_eq!((&event["sourcetype"], &event["index"]), (&"send0:audit".into(), &"audit-send0".into()));
    }
    assert_eq!(wired.view(id).await.health(), Health::UpToDate);
}

#[tokio::test]
async fn elastic_creates_each_document_once() {
    let wired = Wired::new().await;
    wired.server.answer(|_| Reply::With(200, r#"{"errors":false,"items":[]}"#.into()));
    let id = wired.stream(Kind::Elastic, "1").await;
    wired.drain().await;
    let (received, log) = (wired.server.received().remove(0), wired.log().await);
    assert!(received.path.starts_with("/audit-send0/_bulk?filter_path="), "{}", received.path);
    assert_eq!(received.header("authorization"), format!("ApiKey {TOKEN}"));
    let lines: Vec<Value> = received.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2 * log.len());
    for (pair, event) in lines.chunks(2).zip(&log) {
        assert_eq!(pair[0], serde_json::json!({ "create": { "_id": event.id } }));
        assert_eq!((&pair[1]["seq"], &pair[1]["@timestamp"]), (&event.seq.into(), &pair[1]["time"]));
    }
    // What is there already is what was wanted.
    wired.happen(2).await;
    let there = r#"{"errors":true,"items":[{"create":{"status":409,"error":{"type":"version_conflict_engine_exception"}}},{"create":{"status":201}}]}"#;
    wired.server.answer(|_| Reply::With(200, there.into()));
    wired.drain().await;
    assert_eq!(wired.view(id).await.health(), Health::UpToDate);
    // One that is not taken holds up the rest: nothing is left out.
    wired.happen(2).await;
    let wrong = r#"{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":400,"error":{"type":"mapper_parsing_exception"}}}]}"#;
    wired.server.answer(|_| Reply::With(200, wrong.into()));
    wired.drain().await;
    let failing = wired.view(id).await;
    let said = "It did not take 1 of 2 documents, the first with 400: mapper_parsing_exception";
    assert_eq!((failing.last_error.as_deref(), failing.waiting()), (Some(said), 2));
    wired.ctx().clock.advance(Duration::HOUR);
    wired.server.answer(|_| Reply::With(200, "<html>a login page</html>".into()));
    wired.drain().await;
    assert!(wired.view(id).await.last_error.expect("refused").contains("no answer of a bulk request"));
}

#[tokio::test]
async fn datadog_gets_an_array_of_logs() {
    let wired = Wired::new().await;
    wired.server.answer(|_| Reply::With(202, "{}".into()));
    let id = wired.stream(Kind::Datadog, "1").await;
    wired.drain().await;
    let (received, log) = (wired.server.received().remove(0), wired.log().await);
    assert_eq!((received.path.as_str(), received.header("dd-api-key")), ("/api/v2/logs", TOKEN));
    let logs: Vec<Value> = serde_json::from_slice(&received.body).expect("an array");
    for (one, event) in logs.iter().zip(&log) {
        let message: Value = serde_json::from_str(one["message"].as_str().expect("text")).expect("JSON");
        assert_eq!((&one["ddsource"], message), (&"send0".into(), serde_json::to_value(event).expect("JSON")));
    }
    assert_eq!((logs.len(), wired.view(id).await.health()), (log.len(), Health::UpToDate));
}

/// Reads the messages of syslog as RFC 5425 frames them, by hand.
fn frames(mut bytes: &[u8]) -> Vec<String> {
    let mut messages = vec![];
    while !bytes.is_empty() {
        let space = bytes.iter().position(|byte| *byte == b' ').expect("a length");
        let length: usize = std::str::from_utf8(&bytes[..space]).expect("digits").parse().expect("a number");
        let (message, rest) = bytes[space + 1..].split_at(length);
        messages.push(String::from_utf8(message.to_vec()).expect("text"));
        bytes = rest;
    }
    messages
}

#[tokio::test]
async fn syslog_gets_messages_in_frames() {
    let wired = Wired::new().await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let url = format!("{NAME}:{}", listener.local_addr().expect("an address").port());
    let acceptor = wired.authority.acceptor(NAME);
    let reading = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut bytes = vec![];
        acceptor.accept(stream).await.expect("tls").read_to_end(&mut bytes).await.expect("read");
        bytes
    });
    let renamed = StreamText { name: "Zürich 🔒".into(), ..wired.text(Kind::Https, "1") };
    wired.made(&renamed).await;
    let id = wired.made(&StreamText { url, ..wired.text(Kind::Syslog, "1") }).await;
    wired.drain().await;
    let (messages, log) = (frames(&reading.await.expect("read")), wired.log().await);
    assert_eq!(messages.len(), log.len());
    for (message, event) in messages.iter().zip(&log) {
        assert!(message.is_ascii());
        let (head, json) = message.split_once("] ").expect("a message");
        let time = event.time.format(time::macros::format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z"
        ));
        let expected = format!(
            "<110>1 {} localhost send0 - {} [meta sequenceId=\"{}\"",
            time.expect("a time"),
            event.action,
            event.seq
        );
        assert_eq!(
            (head, serde_json::from_str::<Value>(json).expect("JSON")),
            (&*expected, serde_json::to_value(event).expect("JSON"))
        );
    }
    assert_eq!(wired.view(id).await.health(), Health::UpToDate);
    let none = replace_secret(wired.ctx(), &wired.owner(), id, "/").await;
    assert_eq!(none.map(|_| ()).expect_err("it has none").status(), 409);
}

/// An S3 server that keeps its objects in a folder.
async fn s3(authority: &Authority, root: &Path, secret: &str) -> (u16, JoinHandle<()>) {
    let mut builder = S3ServiceBuilder::new(FileSystem::new(root).expect("a folder"));
    builder.set_auth(SimpleAuth::from_single("AKIDEXAMPLE", secret));
    let (service, acceptor) = (builder.build(), authority.acceptor(NAME));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (service, acceptor) = (service.clone(), acceptor.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (port, serving)
}

/// The objects in a folder, by their names.
fn objects(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(objects(&path)),
            false if path.extension().is_some_and(|ending| ending == "ndjson") => found.push(path),
            false => {}
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn s3_has_an_object_for_each_batch_however_often_it_was_written() {
    let (wired, folder) = (Wired::new().await, tempfile::tempdir().expect("a folder"));
    std::fs::create_dir(folder.path().join("audit")).expect("a bucket");
    let (port, serving) = s3(&wired.authority, folder.path(), TOKEN).await;
    let text = StreamText {
        url: format!("https://{NAME}:{port}"),
        bucket: "audit".into(),
        region: "eu-central-1".into(),
        prefix: "send0/".into(),
        access_key: "AKIDEXAMPLE".into(),
        ..wired.text(Kind::S3, "1")
    };
    wired.happen(600).await;
    let id = wired.made(&text).await;
    wired.drain().await;
    let (log, found) = (wired.log().await, objects(folder.path()));
    let day = log[0].time.format(time::macros::format_description!("[year]/[month]/[day]")).expect("a day");
    let first = folder.path().join(format!("audit/send0/{}/{day}/000000000001-000000000500.ndjson", wired.tenant.id()));
    assert_eq!((found.len(), &found[0]), (2, &first));
    let lines: String = found.iter().map(|path| std::fs::read_to_string(path).expect("an object")).collect();
    let kept: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(kept, log.iter().map(|event| serde_json::to_value(event).expect("JSON")).collect::<Vec<_>>());

    // Forgotten that it was written: it is the same object.
    sqlx::query("update audit_streams set next_seq = 1").execute(&wired.db.superuser).await.expect("back");
    wired.drain().await;
    assert_eq!(objects(folder.path()).len(), 2);

    let other = StreamText { secret: "another-secret".into(), ..text };
    change(wired.ctx(), &wired.owner(), id, &other).await.expect("another secret");
    assert_eq!((wired.actions(Action::StreamChanged).await, wired.actions(Action::StreamSecretReplaced).await), (0, 1));
    wired.drain().await;
    let error = wired.view(id).await.last_error.expect("refused");
    assert!(error.starts_with("It answered 403") && error.contains("SignatureDoesNotMatch"), "{error}");
    serving.abort();
}

// What its owners do with it ---------------------------------------------------------------------------------------

#[tokio::test]
async fn secrets_are_sealed_and_never_said() {
    let wired = Wired::new().await;
    let kinds = [Kind::Splunk, Kind::Elastic, Kind::Datadog];
    wired.server.answer(|received| {
        let all: Vec<&str> = ["authorization", "dd-api-key"].map(|name| received.header(name)).to_vec();
        Reply::With(403, format!("you sent {}", all.join(" ")))
    });
    for kind in kinds {
        let id = wired.stream(kind, "1").await;
        wired.drain().await;
        let error = wired.view(id).await.last_error.expect("refused");
        assert!(error.contains("you sent") && error.contains('…') && !error.contains(TOKEN), "{error}");
        let sampled = test(wired.ctx(), &wired.owner(), id).await.expect("tried");
        assert!(!sampled.accepted && !sampled.said.contains(TOKEN), "{}", sampled.said);
    }
    assert!(wired.server.received()[0].header("authorization").contains(TOKEN), "the canary was sent");
    assert_eq!(wired.db.tables_with(TOKEN).await, Vec::<String>::new());
    assert!(!serde_json::to_string(&wired.log().await).expect("JSON").contains(TOKEN));

    // Sealed for its row: in another it does not open.
    let swap = "update audit_streams s set secret = (select o.secret from audit_streams o where o.stream_id <> s.stream_id limit 1)";
    sqlx::query(swap).execute(&wired.db.superuser).await.expect("swapped");
    let before = wired.server.received().len();
    wired.ctx().clock.advance(Duration::HOUR);
    assert_eq!(deliver_due(wired.ctx()).await, Ok(kinds.len()));
    assert_eq!(wired.server.received().len(), before, "nothing is sent with a secret that is another's");
    for stream in list(wired.ctx(), &wired.owner(), Action::PageViewed).await.expect("listed") {
        assert!(stream.last_error.as_deref().is_some_and(|error| error.contains("cannot be opened")), "{stream:?}");
    }
}

#[tokio::test]
async fn a_secret_that_does_not_open_is_a_failure_that_is_told() {
    let wired = Wired::new().await;
    let id = wired.stream(Kind::Https, "1").await;
    let spoil = "update audit_streams set secret = secret || '\\x00'";
    sqlx::query(spoil).execute(&wired.db.superuser).await.expect("spoilt");
    assert_eq!(deliver_due(wired.ctx()).await, Ok(1));
    let failing = wired.view(id).await;
    assert!(matches!(failing.health(), Health::Failing(_)), "{failing:?}");
    assert!(failing.last_error.expect("a reason").contains("Make a new one"), "it says what to do");
    let told = wired.log().await.into_iter().rfind(|event| event.action == "stream.failing").expect("told at once");
    assert_eq!((told.outcome, told.reason.as_deref()), (Outcome::Failed, Some("not_opened")));
    let sampled = test(wired.ctx(), &wired.owner(), id).await.expect("tried");
    assert!(!sampled.accepted && sampled.said.contains("cannot be opened"), "{}", sampled.said);
    assert_eq!(wired.server.received().len(), 0);

    for _ in 0..30 {
        wired.ctx().clock.advance(Duration::HOUR);
        wired.drain().await;
    }
    assert!(wired.db.newest_letter("owner@acme.example").await.contains("cannot be opened"), "the contacts are told");

    replace_secret(wired.ctx(), &wired.owner(), id, "/shown").await.expect("replaced");
    wired.drain().await;
    let mended = wired.view(id).await;
    assert_eq!((mended.health(), mended.last_error), (Health::UpToDate, None));
    assert_eq!(wired.actions(Action::StreamRecovered).await, 1);
}

/// Answers nobody.
struct Away;

fn away() -> KeyError {
    KeyError::Unavailable("no answer".into())
}

#[async_trait]
impl KeyProvider for Away {
    async fn wrap(&self, _: DataKeyId, _: Uuid, _: &DataKey) -> Result<WrappedKey, KeyError> {
        Err(away())
    }

    async fn unwrap(&self, _: DataKeyId, _: Uuid, _: &WrappedKey) -> Result<DataKey, KeyError> {
        Err(away())
    }

    fn current(&self) -> KekId {
        KekId(1)
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_had_is_a_failure_and_its_letter_follows() {
    let folder = tempfile::tempdir().expect("a folder");
    let wrong = KeyFile::create_if_missing(folder.path().join("keys")).expect("other keys");
    let providers: [Arc<dyn KeyProvider>; 2] = [Arc::new(Away), Arc::new(wrong)];
    for keys in providers {
        let wired = Wired::new().await;
        let id = wired.stream(Kind::Https, "1").await;
        let without = wired.with_keys(keys);
        for _ in 0..30 {
            assert_eq!(deliver_due(&without).await, Ok(1));
            wired.ctx().clock.advance(Duration::HOUR);
        }
        let failing = wired.view(id).await;
        assert!(matches!(failing.health(), Health::Failing(_)) && failing.attempts == 30, "{failing:?}");
        // No new secret can be sealed either: nobody is told to make one.
        let error = failing.last_error.expect("a reason");
        assert!(error.contains("cannot be had") && !error.contains("Make a new one"), "{error}");
        assert!(replace_secret(&without, &wired.owner(), id, "/shown").await.is_err());
        let told = wired.log().await.into_iter().filter(|event| event.action == "stream.failing").collect::<Vec<_>>();
        let [told] = &told[..] else { panic!("it is said once: {told:?}") };
        assert_eq!(told.reason.as_deref(), Some("not_opened"));
        let letters = async || {
            let subjects = wired.db.subjects("owner@acme.example").await.into_iter();
            subjects.filter(|subject| subject.ends_with("has been failing for a day")).count()
        };
        assert_eq!((letters().await, wired.server.received().len()), (0, 0), "nothing can be sealed");

        wired.server.answer(|_| Reply::With(503, "busy".into()));
        wired.drain().await;
        assert_eq!((letters().await, wired.actions(Action::StreamFailing).await), (1, 2), "now it can");
        assert!(wired.db.newest_letter("owner@acme.example").await.contains("It answered 503"));
    }
}

#[tokio::test]
async fn a_stream_that_is_led_elsewhere_needs_its_token_again() {
    let wired = Wired::new().await;
    let id = wired.stream(Kind::Splunk, "1").await;
    let elsewhere = StreamText {
        url: "https://other.example.com:8088".into(),
        secret: String::new(),
        ..wired.text(Kind::Splunk, "1")
    };
    let refused = change(wired.ctx(), &wired.owner(), id, &elsewhere).await.expect_err("refused");
    assert!(refused.of_field("secret").is_some(), "{refused:?}");
    let path = StreamText {
        name: "Renamed".into(),
        url: wired.server.url("https", NAME, "/services/collector"),
        secret: String::new(),
        ..wired.text(Kind::Splunk, "1")
    };
    change(wired.ctx(), &wired.owner(), id, &path).await.expect("the same host");
    let with_token = StreamText { secret: "another".into(), ..elsewhere };
    change(wired.ctx(), &wired.owner(), id, &with_token).await.expect("with its token");
    let view = wired.view(id).await;
    assert_eq!((view.name.as_str(), view.target.address()), ("To splunk", "https://other.example.com:8088"));
    let event = wired.log().await.into_iter().rfind(|event| event.action == "stream.changed").expect("an event");
    assert_eq!(event.changes[1].after, "https://other.example.com:8088, index audit-send0");
    assert_eq!(wired.actions(Action::StreamSecretReplaced).await, 1);
    let before = wired.log().await.len();
    change(wired.ctx(), &wired.owner(), id, &StreamText { secret: String::new(), ..with_token })
        .await
        .expect("nothing");
    assert_eq!(wired.log().await.len(), before, "no change, no event");
}

#[tokio::test]
async fn a_sample_is_no_event_and_moves_nothing() {
    let wired = Wired::new().await;
    for kind in [Kind::Https, Kind::Splunk, Kind::Datadog] {
        let id = wired.stream(kind, "").await;
        let before = wired.view(id).await.next_seq;
        let sampled = test(wired.ctx(), &wired.owner(), id).await.expect("sent");
        assert_eq!((sampled.accepted, sampled.said.as_str()), (true, "It answered 200: ok"));
        assert!(wired.server.received().last().expect("a sample").text().contains("A test from send0"));
        let again = test(wired.ctx(), &wired.owner(), id).await;
        assert!(matches!(again, Err(AppError::Throttled(1..=10))), "{again:?}");
        assert_eq!(wired.view(id).await.next_seq, before);
    }
    assert_eq!(wired.actions(Action::StreamTested).await, 3);
}

#[tokio::test]
async fn a_stream_is_removed_by_whoever_types_its_name() {
    let wired = Wired::new().await;
    let id = wired.stream(Kind::Https, "1").await;
    for typed in ["", "to https", "To"] {
        let refused = remove(wired.ctx(), &wired.owner(), id, typed).await.expect_err(typed);
        assert!(refused.of_field("confirm").is_some());
    }
    remove(wired.ctx(), &wired.owner(), id, " To https ").await.expect("removed");
    assert_eq!(show(wired.ctx(), &wired.owner(), id, Action::PageViewed).await, Err(AppError::NotFound));
    assert_eq!((deliver_due(wired.ctx()).await, wired.actions(Action::StreamRemoved).await), (Ok(0), 1));
}

#[tokio::test]
async fn only_who_may_stream_sees_a_stream_and_strangers_see_none() {
    let wired = Wired::new().await;
    let id = wired.stream(Kind::Https, "1").await;
    for role in Role::ALL {
        let actor = wired.tenant.actor(role);
        let refused = [
            list(wired.ctx(), &actor, Action::PageViewed).await.err(),
            show(wired.ctx(), &actor, id, Action::PageViewed).await.err(),
        ];
        let expected = match role {
            Role::Owner | Role::Admin | Role::Security => None,
            _ => Some(AppError::Forbidden("audit.stream".into())),
        };
        assert_eq!(refused, [expected.clone(), expected], "{role}");
    }
    let viewer = wired.tenant.actor(Role::Viewer);
    let before = wired.db.seq(wired.tenant.id()).await;
    let forbidden = || Some(AppError::Forbidden("audit.stream".into()));
    assert_eq!(create(wired.ctx(), &viewer, &wired.text(Kind::Https, "1"), |_| "/".into()).await.err(), forbidden());
    assert_eq!(change(wired.ctx(), &viewer, id, &wired.text(Kind::Https, "1")).await.err(), forbidden());
    assert_eq!(pause(wired.ctx(), &viewer, id).await.err(), forbidden());
    assert_eq!(resume(wired.ctx(), &viewer, id).await.err(), forbidden());
    assert_eq!(replace_secret(wired.ctx(), &viewer, id, "/").await.err(), forbidden());
    assert_eq!(test(wired.ctx(), &viewer, id).await.err(), forbidden());
    assert_eq!(remove(wired.ctx(), &viewer, id, "To https").await.err(), forbidden());
    let refusals = wired.db.events_after(wired.tenant.id(), before).await;
    assert!(refusals.len() == 7 && refusals.iter().all(|event| event.outcome == Outcome::Denied), "each is an event");

    let globex = wired.db.workspace("Globex").await;
    let stranger = globex.actor(Role::Owner);
    assert_eq!(show(wired.ctx(), &stranger, id, Action::PageViewed).await, Err(AppError::NotFound));
    assert_eq!(remove(wired.ctx(), &stranger, id, "To https").await.err(), Some(AppError::NotFound));
}

#[tokio::test]
async fn a_form_names_everything_that_is_wrong_with_it() {
    let wired = Wired::new().await;
    let fields = async |text: StreamText| match create(wired.ctx(), &wired.owner(), &text, |_| "/".into()).await {
        Err(AppError::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(fields(StreamText { kind: "gopher".into(), ..wired.text(Kind::Https, "") }).await, ["kind"]);
    assert_eq!(
        fields(StreamText { kind: "s3".into(), from: "x".into(), authorities: "x".into(), ..StreamText::default() })
            .await,
        ["name", "bucket", "region", "access_key", "url", "authorities", "from"]
    );
    assert_eq!(fields(StreamText { secret: String::new(), ..wired.text(Kind::Splunk, "") }).await, ["secret"]);
    assert_eq!(fields(StreamText { secret: "a\r\nx: y".into(), ..wired.text(Kind::Splunk, "") }).await, ["secret"]);
    for index in ["", "../x", "a/b", "a?b", "Ünï", ".hidden", "a..b"] {
        assert_eq!(
            fields(StreamText { index: index.into(), ..wired.text(Kind::Elastic, "") }).await,
            ["index"],
            "{index}"
        );
    }
    wired.stream(Kind::Https, "").await;
    assert_eq!(fields(StreamText { name: "TO HTTPS".into(), ..wired.text(Kind::Https, "") }).await, ["name"], "taken");
}
