//! Group commit for the events of calls that change nothing: many wait for one commit.

use super::{Event, Record};
use crate::{Actor, AppError, actor::Who};
use futures::FutureExt;
use sqlx::PgPool;
use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, oneshot, watch};

/// Small, so that one busy workspace does not hold up the others for long.
const BATCH: usize = 64;
/// Callers that may wait; beyond it they wait to be allowed to wait.
const QUEUE: usize = 1024;
/// So many in one batch are a crowd.
const CROWD: usize = 8;
/// How long after a crowd there may be another.
const CALM_AFTER: Duration = Duration::from_secs(1);

/// Writes events in batches. Whoever writes waits until the batch is committed.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Pending>,
    last_crowd: watch::Receiver<Option<Instant>>,
}

struct Pending {
    actor: Actor,
    event: Event,
    done: oneshot::Sender<Result<(), AppError>>,
}

impl Writer {
    /// Starts the task that writes; it ends when the last clone is dropped.
    pub(crate) fn start(pool: PgPool) -> Self {
        let (queue, mut waiting) = mpsc::channel(QUEUE);
        let (crowd, last_crowd) = watch::channel(None);
        tokio::spawn(async move {
            // Whoever was in a batch that broke is told; the next goes on.
            while AssertUnwindSafe(run(&pool, &mut waiting, &crowd)).catch_unwind().await.is_err() {}
        });
        Self { queue, last_crowd }
    }

    /// Whether many events were to be written at once a moment ago: what has time should wait.
    pub fn is_crowded(&self) -> bool {
        self.last_crowd.borrow().is_some_and(|at| at.elapsed() < CALM_AFTER)
    }

    /// Returns when the event is committed.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] when it could not be written: the call must then fail too.
    pub async fn write(&self, actor: &Actor, event: Event) -> Result<(), AppError> {
        let (done, result) = oneshot::channel();
        let pending = Pending { actor: actor.clone(), event, done };
        self.queue.send(pending).await.map_err(|_| AppError::Unavailable)?;
        result.await.unwrap_or(Err(AppError::Unavailable))?;
        actor.request.mark_logged();
        Ok(())
    }
}

async fn run(pool: &PgPool, waiting: &mut mpsc::Receiver<Pending>, crowd: &watch::Sender<Option<Instant>>) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        if batch.len() >= CROWD {
            crowd.send_replace(Some(Instant::now()));
        }
        let entries = roll_up(batch.drain(..));
        let result = append(pool, &entries).await;
        for done in entries.into_iter().flat_map(|entry| entry.waiting) {
            // Nobody listens any more when the caller went away; the event stands all the same.
            let _ = done.send(result.clone());
        }
    }
}

async fn append(pool: &PgPool, entries: &[Entry]) -> Result<(), AppError> {
    let records = entries.iter().map(Entry::record).collect::<Result<Vec<_>, _>>()?;
    let mut connection = pool.acquire().await?;
    Record::append_all(&records, &mut connection).await
}

struct Entry {
    actor: Actor,
    event: Event,
    waiting: Vec<oneshot::Sender<Result<(), AppError>>>,
}

impl Entry {
    fn record(&self) -> Result<Record, AppError> {
        let count = u32::try_from(self.waiting.len()).unwrap_or(u32::MAX);
        Record::new(&self.actor, self.event.clone().standing_for(count))
    }

    /// Refusals of nobody known, alike in everything but the request id: a flood of them must not fill the log.
    fn stands_for(&self, other: &Pending) -> bool {
        let (mine, theirs) = (&self.actor.request, &other.actor.request);
        self.actor.workspace == other.actor.workspace
            && self.actor.who == Who::Anonymous
            && other.actor.who == Who::Anonymous
            && self.event == other.event
            && (&mine.address, &mine.method, &mine.path, &mine.agent)
                == (&theirs.address, &theirs.method, &theirs.path, &theirs.agent)
    }
}

fn roll_up(batch: impl Iterator<Item = Pending>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for pending in batch {
        match entries.iter_mut().find(|entry| entry.stands_for(&pending)) {
            Some(entry) => entry.waiting.push(pending.done),
            None => entries.push(Entry { actor: pending.actor, event: pending.event, waiting: vec![pending.done] }),
        }
    }
    entries
}
