//! What many wait for at the same time, done at once: one task takes as many as there are.

use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// As many as are done at once: some 10 ms' worth, so that one busy workspace does not hold up the others for long.
const BATCH: usize = 128;
/// Callers that may wait; beyond it they wait to be allowed to wait.
const QUEUE: usize = 1024;

/// Starts the task, which ends when the last clone of the sender is dropped. One that comes alone is done alone, and at once.
pub(crate) fn start<T: Send + 'static, F>(mut work: impl FnMut(Vec<T>) -> F + Send + 'static) -> Sender<T>
where
    F: Future<Output = ()> + Send,
{
    let (queue, mut waiting) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        while let Some(batch) = gather(&mut waiting).await {
            // Whoever was in a batch that broke is told, by what it held; the next goes on.
            let _ = AssertUnwindSafe(work(batch)).catch_unwind().await;
        }
    });
    queue
}

/// Those that wait, and those that are about to: whatever can run at this moment runs first.
async fn gather<T>(waiting: &mut Receiver<T>) -> Option<Vec<T>> {
    let mut batch = Vec::with_capacity(BATCH);
    batch.push(waiting.recv().await?);
    tokio::task::yield_now().await;
    while batch.len() < BATCH
        && let Ok(one) = waiting.try_recv()
    {
        batch.push(one);
    }
    Some(batch)
}
