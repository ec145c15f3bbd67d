//! The worker behind the log: takes the words, addresses and targets of events into the tables where they are found.

use super::{
    EventView, queries, query,
    search::{Criteria, Range},
};
use crate::{AppError, Ctx, ids::WorkspaceId};
use std::net::IpAddr;

/// Events that are taken in together: the more, the less each costs the index.
const BATCH: i64 = 2000;
/// While calls crowd: so few that no call waits for long beside them. More are taken in that way, too.
const CROWDED_BATCH: i64 = 200;
/// Workspaces that are looked after in one go.
const WORKSPACES: i32 = 20;

/// What the worker knows of some events, column by column.
#[derive(Default)]
pub(super) struct Taken {
    pub seqs: Vec<i64>,
    pub texts: Vec<String>,
    /// How many characters of the text identify nobody.
    pub plain_lengths: Vec<i32>,
    pub addresses: Vec<Option<String>>,
    pub target_seqs: Vec<i64>,
    pub target_ids: Vec<String>,
}

impl Taken {
    fn push(&mut self, event: &EventView) {
        let (plain, personal) = query::searchable(event);
        self.seqs.push(event.seq);
        self.plain_lengths.push(i32::try_from(plain.chars().count()).unwrap_or(i32::MAX));
        self.texts.push(format!("{plain}\n{personal}"));
        let address = event.request.address.as_deref().and_then(|text| text.parse::<IpAddr>().ok());
        self.addresses.push(address.map(|address| address.to_canonical().to_string()));
        for target in &event.targets {
            self.target_seqs.push(event.seq);
            self.target_ids.push(target.id.clone());
        }
    }
}

/// Takes in what is new, some of each workspace. Gives how many events that were; 0 when there is nothing to do.
///
/// # Errors
/// The first error, when nothing could be taken in; one log does not hold up the others.
pub async fn take_in(ctx: &Ctx) -> Result<usize, AppError> {
    let (mut taken, mut failed) = (0, None);
    for (workspace, done) in queries::due(&ctx.db.worker, WORKSPACES).await? {
        match take_in_of(ctx, workspace, done).await {
            Ok(count) => taken += count,
            Err(error) => {
                tracing::error!(%workspace, %error, "new events of a log could not be taken in and will be");
                failed.get_or_insert(error);
            }
        }
    }
    failed.filter(|_| taken == 0).map_or(Ok(taken), Err)
}

/// Puts in order what the index has of late: each search reads all of that, however little it looks for. Gives how many pages of it
/// there were.
pub async fn tidy(ctx: &Ctx) -> Result<i64, AppError> {
    queries::tidy(&ctx.db.worker).await
}

async fn take_in_of(ctx: &Ctx, workspace: WorkspaceId, done: i64) -> Result<usize, AppError> {
    let mut read = ctx.db.read_log(workspace).await?;
    let range = Range { above: done, below: i64::MAX, newest_first: false };
    let all = Criteria::default();
    let batch = if ctx.is_crowded() { CROWDED_BATCH } else { BATCH };
    let events = queries::page(read.conn(), workspace, &all, range, batch).await?.unwrap_or_default();
    drop(read);
    let Some(to) = events.last().map(|event| event.seq) else { return Ok(0) };
    let mut rows = Taken::default();
    events.iter().for_each(|event| rows.push(event));
    let is_taken = queries::take_in(&ctx.db.worker, workspace, done, to, &rows).await?;
    Ok(if is_taken { events.len() } else { 0 })
}
