//! Whose keys are these: all calls that wait are asked for in one statement.

use super::queries::{self, Known};
use crate::{AppError, batches};
use sqlx::PgPool;
use std::collections::HashMap;
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};

/// Finds keys in batches. A call that comes alone is asked for alone, and at once.
#[derive(Clone)]
pub struct Recogniser {
    queue: mpsc::Sender<Waiting>,
}

/// What is asked for a call.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Asked {
    pub hash: [u8; 32],
    pub address: Option<String>,
}

struct Waiting {
    asked: Asked,
    at: OffsetDateTime,
    done: Done,
}

type Done = oneshot::Sender<Result<Option<Known>, AppError>>;

impl Recogniser {
    /// Starts the task that asks; it ends when the last clone is dropped.
    pub(crate) fn start(pool: PgPool) -> Self {
        Self { queue: batches::start(move |batch| find(pool.clone(), batch)) }
    }

    /// The key with this hash, if there is one.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] when the database cannot be asked.
    pub(super) async fn find(&self, asked: Asked, at: OffsetDateTime) -> Result<Option<Known>, AppError> {
        let (done, result) = oneshot::channel();
        self.queue.send(Waiting { asked, at, done }).await.map_err(|_| AppError::Unavailable)?;
        result.await.unwrap_or(Err(AppError::Unavailable))
    }
}

async fn find(pool: PgPool, batch: Vec<Waiting>) {
    let Some(at) = batch.iter().map(|one| one.at).max() else { return };
    // A program that calls often waits for the same answer several times.
    let mut waiting: HashMap<Asked, Vec<Done>> = HashMap::new();
    for one in batch {
        waiting.entry(one.asked).or_default().push(one.done);
    }
    let (asked, waiting): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
    let found = match queries::recognise(&pool, &asked, at).await {
        Ok(found) => found.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error); asked.len()],
    };
    for (found, done) in found.into_iter().zip(waiting) {
        // Nobody listens any more when the caller went away.
        done.into_iter().for_each(|done| drop(done.send(found.clone())));
    }
}
