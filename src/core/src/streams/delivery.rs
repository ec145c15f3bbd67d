//! Sending what is due. Any number of servers may do this: a stream belongs to whoever claimed it, until the lease is over, so
//! that there is one batch of a stream under way at any time.

use super::{
    batch::{Batch, EVENTS_MAX},
    parcel::{Failure, Recipient},
    queries::{self, Claim, Claimed, Reached},
};
use crate::{
    Actor, AppError, Ctx,
    audit_log::{Action, Event, Outcome, operations::first_kept},
    contacts::NoticeKind,
    envelope::Place,
    ids::{StreamId, WorkspaceId},
    mail::notices,
    secrets,
};
use futures::future::join_all;
use std::{
    collections::{HashMap, HashSet},
    pin::pin,
};
use time::{Duration, OffsetDateTime};
use tokio::{
    task::{Id, JoinSet},
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use uuid::Uuid;
use zeroize::Zeroizing;

/// How often it is looked for something to send.
const POLL: std::time::Duration = std::time::Duration::from_secs(1);
/// The most streams that one server sends at once.
const AT_ONCE: usize = 32;
/// An attempt that takes longer is slow.
const SLOW: std::time::Duration = std::time::Duration::from_secs(2);
/// Of the places, those that slow streams may take: the others are for whoever answers.
pub(super) const SLOW_AT_ONCE: usize = 16;
/// The most streams that are remembered as slow: with one more it is found out anew which are.
const SLOW_MAX: usize = 1000;
/// How long a server has to send what it has claimed: longer than an attempt can take.
pub(super) const LEASE: Duration = Duration::seconds(60);
/// How long a batch that is being sent may take after the signal to stop.
const GRACE: std::time::Duration = std::time::Duration::from_secs(5);
/// The wait after the first failure, which doubles with each further one, and the longest.
const FIRST_WAIT: Duration = Duration::seconds(5);
const LONGEST_WAIT: Duration = Duration::HOUR;
/// From so many failures on, the log says that a stream fails: before, it may be a hiccup.
const FAILURES: i32 = 3;
/// After so long, the security contacts are told, once.
const TELL_AFTER: Duration = Duration::DAY;
/// The longest reason that is kept, in characters.
const ERROR_MAX: usize = 1500;

/// Which streams are slow, as far as this server knows, and which attempts are under way since when.
#[derive(Default)]
pub(super) struct Lanes {
    slow: HashSet<StreamId>,
    at_work: HashMap<Id, (StreamId, Instant)>,
}

impl Lanes {
    pub(super) fn begun(&mut self, id: Id, stream: StreamId) {
        self.at_work.insert(id, (stream, Instant::now()));
    }

    /// As if all had begun so long ago.
    #[cfg(test)]
    pub(super) fn since(&mut self, ago: std::time::Duration) {
        self.at_work.values_mut().for_each(|(_, begun)| *begun -= ago);
    }

    pub(super) fn ended(&mut self, id: Id) {
        let Some((stream, begun)) = self.at_work.remove(&id) else { return };
        if begun.elapsed() > SLOW {
            self.slow.insert(stream)
        } else {
            self.slow.remove(&stream)
        };
    }

    /// Claims as many as there are places for: slow ones first, so that they come at all, but only as long as there are places for such.
    pub(super) async fn claim(&mut self, ctx: &Ctx, places: usize) -> Result<Vec<Claim>, AppError> {
        let overdue = self.at_work.values().filter(|(_, begun)| begun.elapsed() > SLOW);
        self.slow.extend(overdue.map(|(stream, _)| stream));
        if self.slow.len() > SLOW_MAX {
            self.slow.clear();
        }
        let at_work = self.at_work.values().filter(|(stream, _)| self.slow.contains(stream)).count();
        let places_for_slow = if self.slow.is_empty() { 0 } else { SLOW_AT_ONCE.saturating_sub(at_work) };
        let mut claims = claim_among(ctx, places.min(places_for_slow), &self.slow, true).await?;
        claims.extend(claim_among(ctx, places - claims.len(), &self.slow, false).await?);
        Ok(claims)
    }
}

/// Sends until told to stop. A target that hangs takes up one of many places and delays no other, and however many hang, there are places
/// for those that do not, once they are known; what is cut off in the end is sent again when its lease is over.
pub async fn run(ctx: &Ctx, stop: impl Future<Output = ()>) {
    let (mut stop, mut tick, mut under_way) = (pin!(stop), interval(POLL), JoinSet::new());
    let mut lanes = Lanes::default();
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = &mut stop => break,
            _ = tick.tick() => {}
            // There may be more of the same stream, and there is a place for another one.
            Some(ended) = under_way.join_next_with_id() => lanes.ended(ended.map_or_else(|error| error.id(), |(id, ())| id)),
        }
        match lanes.claim(ctx, AT_ONCE - under_way.len()).await {
            Ok(claims) => claims.into_iter().for_each(|claim| {
                let ctx = ctx.clone();
                let attempt = under_way.spawn(async move { report(&claim, deliver(&ctx, &claim).await) });
                lanes.begun(attempt.id(), claim.stream);
            }),
            Err(error) => tracing::warn!(%error, "streams could not be looked at and will be"),
        }
    }
    let rest = async { while under_way.join_next().await.is_some() {} };
    let _ = timeout(GRACE, rest).await;
}

fn report(claim: &Claim, done: Result<(), AppError>) {
    if let Err(error) = done {
        tracing::warn!(stream = %claim.stream, %error, "a stream was not sent and will be");
    }
}

/// Sends one batch of every stream that is due, all at once. Returns how many streams that were.
///
/// # Errors
/// [`AppError::Unavailable`] when the database cannot be asked. That a target does not take it is no error: it waits.
pub async fn deliver_due(ctx: &Ctx) -> Result<usize, AppError> {
    let claims = claim(ctx, AT_ONCE).await?;
    let done = join_all(claims.iter().map(|claim| deliver(ctx, claim))).await;
    done.into_iter().collect::<Result<Vec<()>, _>>().map(|done| done.len())
}

/// Committed before anything is sent: nobody waits on a lock for somebody else's server.
pub(super) async fn claim(ctx: &Ctx, limit: usize) -> Result<Vec<Claim>, AppError> {
    claim_among(ctx, limit, &HashSet::new(), false).await
}

/// Likewise, of streams that are among `some`, or of those that are not.
async fn claim_among(
    ctx: &Ctx,
    limit: usize,
    some: &HashSet<StreamId>,
    is_among: bool,
) -> Result<Vec<Claim>, AppError> {
    let limit = i32::try_from(limit).unwrap_or(0);
    if limit == 0 {
        return Ok(vec![]);
    }
    let now = ctx.clock.now();
    let some: Vec<Uuid> = some.iter().map(|stream| stream.0).collect();
    queries::claim(&ctx.db.worker, limit, EVENTS_MAX, (now, now + LEASE), (&some, is_among)).await
}

pub(super) async fn deliver(ctx: &Ctx, claim: &Claim) -> Result<(), AppError> {
    let found = queries::claimed(ctx.db.read(claim.workspace).await?.conn(), claim).await?;
    let Some(stream) = found else { return Ok(()) };
    let (batch, reached) = match next(ctx, claim, &stream).await? {
        Next::Send(batch, reached) => (batch, reached),
        Next::Skip(to) => return skip(ctx, claim, &stream, to).await,
        Next::Wait => return Ok(()),
    };
    let sent = match recipient(ctx, claim, &stream).await {
        Ok(recipient) => recipient.take(ctx, &batch).await,
        Err(failure) => Err(failure),
    };
    match sent {
        Ok(_) => taken(ctx, claim, &stream, reached).await,
        Err(failure) => refused(ctx, claim, &stream, &failure).await,
    }
}

/// What comes next.
enum Next {
    /// This is sent, and the target has come so far with it.
    Send(Batch, Reached),
    /// It goes on with this event: those before it are not kept any more, and the target never got them.
    Skip(i64),
    /// Nothing until the lease is over.
    Wait,
}

async fn next(ctx: &Ctx, claim: &Claim, stream: &Claimed) -> Result<Next, AppError> {
    let mut log = ctx.db.read_log(claim.workspace).await?;
    let Some(to) = stream.batch_to else {
        let newest = queries::checkpoint(log.conn(), claim.workspace).await?;
        // Sealed further since it was claimed: then its events come first.
        let Some((size, note, at)) = newest.filter(|(size, ..)| *size < stream.next_seq) else {
            return Ok(Next::Wait);
        };
        let batch = Batch::checkpoint(claim.workspace, claim.stream, (size, &note), at);
        return Ok(Next::Send(batch, Reached { next_seq: stream.next_seq, checkpoint_size: size }));
    };
    let events = queries::events(log.conn(), claim.workspace, stream.next_seq, to).await?;
    Ok(match Batch::of_events(claim.workspace, claim.stream, &events)? {
        Some(batch) if batch.first() == stream.next_seq => {
            let reached = Reached { next_seq: batch.last() + 1, checkpoint_size: stream.checkpoint_size };
            Next::Send(batch, reached)
        }
        Some(batch) => Next::Skip(batch.first()),
        None => Next::Skip(to + 1),
    })
}

async fn recipient(ctx: &Ctx, claim: &Claim, stream: &Claimed) -> Result<Recipient, Failure> {
    let secret = open(ctx, claim.workspace, claim.stream, stream.secret.as_deref()).await?;
    Ok(Recipient { target: stream.target.clone(), authorities: stream.authorities.clone(), secret })
}

/// The secret in the clear, if there is one. That it does not open is a failure of the stream: somebody has to be told. Who: without
/// the data key no new secret can be sealed either, and only whoever runs the server can do something.
pub(super) async fn open(
    ctx: &Ctx,
    workspace: WorkspaceId,
    id: StreamId,
    sealed: Option<&[u8]>,
) -> Result<Option<Zeroizing<String>>, Failure> {
    let Some(sealed) = sealed else { return Ok(None) };
    ctx.vault.warm(workspace).await.map_err(|_| Failure::KeyAway)?;
    let bytes = ctx.vault.open(workspace, &place(workspace, &id), sealed).await.map_err(|_| Failure::Unopened)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::Unopened)?;
    Ok(Some(Zeroizing::new(text.to_owned())))
}

/// The secret of this stream and of no other.
pub(super) fn place(workspace: WorkspaceId, id: &StreamId) -> Place<'_> {
    Place { workspace: workspace.0, table: "audit_streams", column: "secret", row: id.0.as_bytes() }
}

/// Writes down how far the target has come. The log is told only where it was told that the stream fails.
async fn taken(ctx: &Ctx, claim: &Claim, stream: &Claimed, reached: Reached) -> Result<(), AppError> {
    let now = ctx.clock.now();
    if !stream.is_failing {
        return queries::sent(&ctx.db.worker, claim, reached, now).await;
    }
    let mut tx = ctx.db.change(&Actor::jobs(claim.workspace, "streams")).await?;
    if !queries::recovered(tx.conn(), claim, reached, now).await? {
        return Ok(());
    }
    tx.commit(about(Action::StreamRecovered, claim, stream)).await
}

/// Leaves out events that are not there, however many they are, and tells the log once: retention removed them before the target had them;
/// or events before them are kept, and then somebody has. Nothing else is ever left out.
async fn skip(ctx: &Ctx, claim: &Claim, stream: &Claimed, to: i64) -> Result<(), AppError> {
    let mut tx = ctx.db.change(&Actor::jobs(claim.workspace, "streams")).await?;
    if !queries::skipped(tx.conn(), claim, to, ctx.clock.now()).await? {
        return Ok(());
    }
    let oldest = first_kept(tx.conn(), claim.workspace).await?;
    let reason = if oldest.is_none_or(|(first, _)| first >= to) { "gone_unsent" } else { "missing" };
    let event = about(Action::StreamFailing, claim, stream).because(Outcome::Failed, reason);
    tx.commit(event.change("next_seq", stream.next_seq, to)).await
}

async fn refused(ctx: &Ctx, claim: &Claim, stream: &Claimed, failure: &Failure) -> Result<(), AppError> {
    let now = ctx.clock.now();
    let error: String = failure.to_string().chars().take(ERROR_MAX).collect();
    let due_at = now + wait(stream.attempts, failure.wait());
    tracing::warn!(stream = %claim.stream, attempts = stream.attempts + 1, "a batch of a stream was not taken");
    let since = stream.failing_since.unwrap_or(now);
    let letters = match stream.told_at {
        None if now - since >= TELL_AFTER => letters(ctx, claim, stream, since, &error).await,
        _ => None,
    };
    let is_told = letters.is_some();
    let is_new = !stream.is_failing && (failure.is_lasting() || stream.attempts + 1 >= FAILURES);
    if !is_new && !is_told {
        return queries::failed(&ctx.db.worker, claim, &error, now, due_at).await;
    }
    let mut tx = ctx.db.change(&Actor::jobs(claim.workspace, "streams")).await?;
    if !queries::failing(tx.conn(), claim, &error, (now, due_at), is_told).await? {
        return Ok(());
    }
    if let Some(letters) = letters {
        letters.put(tx.conn()).await?;
    }
    let reason = if is_told { "for_a_day" } else { failure.word() };
    let event = about(Action::StreamFailing, claim, stream).because(Outcome::Failed, reason);
    tx.commit(event.change("last_error", None::<String>, error)).await
}

/// The letters to the contacts. Nothing where they cannot be sealed: the key may be what fails, which has to be written down all the
/// same, and they follow when they can be.
async fn letters(
    ctx: &Ctx,
    claim: &Claim,
    stream: &Claimed,
    since: OffsetDateTime,
    error: &str,
) -> Option<notices::Notices> {
    let (subject, text) = letter(stream, since, error);
    notices::security_notice(ctx, claim.workspace, NoticeKind::Log, &subject, &text).await.ok()
}

fn letter(stream: &Claimed, since: OffsetDateTime, error: &str) -> (String, String) {
    let since = since.format(time::macros::format_description!("[year]-[month]-[day] [hour]:[minute] UTC"));
    let text = format!(
        "The stream {} has sent nothing of the audit log since {}. What came of it last: {error}\n\nNothing is lost: the \
         events wait here, in order, and it is tried again at least once an hour.",
        stream.name,
        since.unwrap_or_default(),
    );
    (format!("The stream {} has been failing for a day", stream.name), text)
}

fn about(action: Action, claim: &Claim, stream: &Claimed) -> Event {
    Event::new(action).on("stream", claim.stream, Some(&stream.name))
}

/// How long to wait after so many failures before this one: twice as long each time up to an hour, a fifth more or less, so that
/// streams that failed together do not come back together. What the target asks for counts, within the hour.
pub(super) fn wait(attempts: i32, asked: Option<std::time::Duration>) -> Duration {
    let doublings = u32::try_from(attempts).unwrap_or(0).min(16);
    let wait = (FIRST_WAIT * 2_i32.pow(doublings)).min(LONGEST_WAIT);
    let percent = 80 + i32::from(secrets::random::<1>()[0]) * 40 / 255;
    let asked =
        asked.map_or(Duration::ZERO, |asked| Duration::try_from(asked).unwrap_or(LONGEST_WAIT)).min(LONGEST_WAIT);
    let spread: Duration = wait * percent / 100;
    spread.min(LONGEST_WAIT).max(asked)
}
