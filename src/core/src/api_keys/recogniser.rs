//! Whose keys are these: all calls that wait are asked for in one statement.

use super::queries::{self, Known};
use crate::{AppError, batches};
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};

/// Finds keys in batches. A call that comes alone is asked for alone, and at once.
#[derive(Clone)]
pub struct Recogniser {
    queue: mpsc::Sender<Waiting>,
}

/// What is asked for a call.
pub(super) struct Asked {
    pub hash: [u8; 32],
    pub address: Option<String>,
    pub at: OffsetDateTime,
}

struct Waiting {
    asked: Asked,
    done: oneshot::Sender<Result<Option<Known>, AppError>>,
}

impl Recogniser {
    /// Starts the task that asks; it ends when the last clone is dropped.
    pub(crate) fn start(pool: PgPool) -> Self {
        Self { queue: batches::start(move |batch| find(pool.clone(), batch)) }
    }

    /// The key with this hash, if there is one.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] when the database cannot be asked.
    pub(super) async fn find(&self, asked: Asked) -> Result<Option<Known>, AppError> {
        let (done, result) = oneshot::channel();
        self.queue.send(Waiting { asked, done }).await.map_err(|_| AppError::Unavailable)?;
        result.await.unwrap_or(Err(AppError::Unavailable))
    }
}

async fn find(pool: PgPool, batch: Vec<Waiting>) {
    let (asked, waiting): (Vec<_>, Vec<_>) = batch.into_iter().map(|one| (one.asked, one.done)).unzip();
    match queries::recognise(&pool, &asked).await {
        // Nobody listens any more when the caller went away.
        Ok(found) => waiting.into_iter().zip(found).for_each(|(done, known)| drop(done.send(Ok(known)))),
        Err(error) => waiting.into_iter().for_each(|done| drop(done.send(Err(error.clone())))),
    }
}
