//! Group commit for the events of calls that change nothing: many wait for one commit.

use super::{Event, Outcome, Record, Window, record::unwritten};
use crate::{Actor, AppError, actor::Who, batches, ids::WorkspaceId};
use sqlx::PgPool;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot, watch};

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

type Done = oneshot::Sender<Result<(), AppError>>;

struct Pending {
    what: What,
    at: OffsetDateTime,
    done: Done,
}

enum What {
    /// Of somebody known. Put together where it is waited for, not one after another in the one task that writes.
    Record(Record),
    /// A refusal that nobody known made, and that is about nobody known: several may become one.
    Nobodys(Box<Actor>, Event),
}

impl Writer {
    /// Starts the task that writes; it ends when the last clone is dropped.
    pub(crate) fn start(pool: PgPool) -> Self {
        let (crowd, last_crowd) = watch::channel(None);
        let queue = batches::start(move |batch: Vec<Pending>| {
            if batch.len() >= CROWD {
                crowd.send_replace(Some(Instant::now()));
            }
            write(pool.clone(), batch)
        });
        Self { queue, last_crowd }
    }

    /// Whether many events were to be written at once a moment ago: what has time should wait.
    pub fn is_crowded(&self) -> bool {
        self.last_crowd.borrow().is_some_and(|at| at.elapsed() < CALM_AFTER)
    }

    /// Returns when the event is committed. `at`: when it is.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] when it could not be written: the call must then fail too.
    pub async fn write(&self, actor: &Actor, event: Event, at: OffsetDateTime) -> Result<(), AppError> {
        let what = What::of(actor, event)?;
        let (done, result) = oneshot::channel();
        self.queue.send(Pending { what, at, done }).await.map_err(|_| AppError::Unavailable)?;
        result.await.unwrap_or(Err(AppError::Unavailable))?;
        actor.request.mark_logged();
        Ok(())
    }
}

async fn write(pool: PgPool, batch: Vec<Pending>) {
    let mut entries = Vec::with_capacity(batch.len());
    for (record, waiting) in roll_up(batch).into_iter().map(Entry::record) {
        match record {
            Ok(record) => entries.push((record, waiting)),
            Err(error) => answer([waiting], &Err(error)),
        }
    }
    // In the order in which each log has them.
    entries.sort_by_key(|(record, _)| record.workspace());
    let (records, waiting): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
    let mut waiting = waiting.into_iter();
    let mut connection = match pool.acquire().await {
        Ok(connection) => connection,
        Err(error) => return answer(waiting, &Err(error.into())),
    };
    let result = Record::try_append_all(&records, &mut connection).await;
    let of_one_log = |a: &Record, b: &Record| a.workspace() == b.workspace();
    // Of whatever else went wrong nobody knows whether it was done.
    let is_refused = matches!(result, Err(sqlx::Error::Database(_)));
    if !is_refused || records.chunk_by(of_one_log).nth(1).is_none() {
        return answer(waiting, &result.map_err(unwritten));
    }
    // A log that cannot be written to is no reason to refuse what is done elsewhere.
    for records in records.chunk_by(of_one_log) {
        let result = Record::append_all(records, &mut connection).await;
        answer(waiting.by_ref().take(records.len()), &result);
    }
}

/// Nobody listens any more when the caller went away; the event stands all the same.
fn answer(waiting: impl IntoIterator<Item = Vec<Done>>, result: &Result<(), AppError>) {
    waiting.into_iter().flatten().for_each(|done| _ = done.send(result.clone()));
}

struct Entry {
    what: What,
    window: Window,
    waiting: Vec<Done>,
}

impl Entry {
    fn record(self) -> (Result<Record, AppError>, Vec<Done>) {
        let count = u32::try_from(self.waiting.len()).unwrap_or(u32::MAX);
        let record = match self.what {
            What::Record(record) => Ok(record),
            What::Nobodys(actor, event) => Record::new(&actor, event.standing_for(count, self.window)),
        };
        (record, self.waiting)
    }
}

impl What {
    /// Whoever guesses at a known account stays unknown, but every guess is an event of its own where that account is at home.
    fn of(actor: &Actor, event: Event) -> Result<Self, AppError> {
        let is_nobodys = actor.who == Who::Anonymous
            && actor.workspace == WorkspaceId::PLATFORM
            && event.targets.is_empty()
            && event.outcome != Outcome::Success;
        Ok(if is_nobodys {
            Self::Nobodys(Box::new(actor.clone()), event)
        } else {
            Self::Record(Record::new(actor, event)?)
        })
    }

    /// Refusals of nobody known, alike in everything but the request id: a flood of them must not fill the log.
    fn stands_for(&self, other: &Self) -> bool {
        let (Self::Nobodys(actor, event), Self::Nobodys(others, another)) = (self, other) else { return false };
        let (mine, theirs) = (&actor.request, &others.request);
        actor.workspace == others.workspace
            && event == another
            && (&mine.address, &mine.method, &mine.path, &mine.agent)
                == (&theirs.address, &theirs.method, &theirs.path, &theirs.agent)
    }
}

impl Window {
    /// Reaches to what came before or after, too.
    fn take_in(&mut self, at: OffsetDateTime) {
        *self = Self { from: self.from.min(at), to: self.to.max(at) };
    }
}

fn roll_up(batch: Vec<Pending>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for Pending { what, at, done } in batch {
        match entries.iter_mut().find(|entry| entry.what.stands_for(&what)) {
            Some(entry) => {
                entry.window.take_in(at);
                entry.waiting.push(done);
            }
            None => entries.push(Entry { what, window: Window { from: at, to: at }, waiting: vec![done] }),
        }
    }
    entries
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::{audit_log::Action, ids::UserId, testing::request};
    use time::macros::datetime;

    const BEGUN: OffsetDateTime = datetime!(2026-11-24 09:00 UTC);

    /// Five alike calls in one second, of which the first was not queued first.
    fn entries(actor: &Actor, event: &Event) -> Vec<Entry> {
        let pending = |place: i64| {
            let what = What::of(&Actor { request: request(), ..actor.clone() }, event.clone()).expect("a record");
            Pending { what, at: BEGUN + time::Duration::milliseconds(place * 250), done: oneshot::channel().0 }
        };
        let entries = roll_up([1, 0, 2, 3, 4].map(pending).into());
        assert_eq!(entries.iter().map(|entry| entry.waiting.len()).sum::<usize>(), 5, "everybody is told");
        entries
    }

    fn events(actor: &Actor, event: &Event) -> usize {
        entries(actor, event).len()
    }

    #[test]
    fn an_event_that_stands_for_several_says_how_many_and_from_when_to_when() {
        let refused = Event::new(Action::SessionRefused).because(Outcome::Denied, "wrong_credentials");
        let said = |actor: &Actor| -> Vec<serde_json::Value> {
            let records = entries(actor, &refused).into_iter().map(|entry| entry.record().0.expect("a record"));
            records.map(|record| serde_json::from_str(record.body()).expect("JSON")).collect()
        };
        let all = said(&Actor::anonymous(request()));
        let window = serde_json::json!({ "from": "2026-11-24T09:00:00Z", "to": "2026-11-24T09:00:01Z" });
        assert_eq!((all.len(), &all[0]["count"], &all[0]["window"]), (1, &5.into(), &window));
        let each = said(&Actor { who: Who::System("jobs"), ..Actor::anonymous(request()) });
        assert!(each.iter().all(|body| body["count"].is_null() && body["window"].is_null()), "{each:?}");
    }

    #[test]
    fn only_refusals_without_a_known_person_or_key_are_counted_together() {
        let nobody = Actor::anonymous(request());
        let elsewhere = Actor { workspace: WorkspaceId::new(), ..nobody.clone() };
        let known = Actor { who: Who::System("jobs"), ..nobody.clone() };
        let refused = Event::new(Action::SessionRefused).because(Outcome::Denied, "wrong_credentials");
        let failed = Event::new(Action::PasswordResetRequested).because(Outcome::Failed, "unknown_account");
        let of_somebody = refused.clone().on("user", UserId::new(), Some("Ana"));
        assert_eq!((events(&nobody, &refused), events(&nobody, &failed)), (1, 1));
        assert_eq!(events(&elsewhere, &of_somebody), 5, "wrong passwords for a member");
        assert_eq!(events(&nobody, &of_somebody), 5, "for somebody who is in no workspace");
        assert_eq!((events(&elsewhere, &refused), events(&known, &refused)), (5, 5));
        assert_eq!(events(&nobody, &Event::new(Action::SubscriptionEnded)), 5, "what was done is no refusal");
    }
}
