//! What the server does by itself.

use send0_core::{AppError, Ctx, accounts, allowlist, api_keys};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

const LAST_USES_EVERY: Duration = Duration::from_secs(1);
const PURGE_EVERY: Duration = Duration::from_secs(60);
const REVERT_EVERY: Duration = Duration::from_secs(10);

/// Runs until told to stop; what is gathered by then is still written.
pub async fn run(ctx: Ctx, stop: CancellationToken) {
    let (mut last_uses, mut purge) = (interval(LAST_USES_EVERY), interval(PURGE_EVERY));
    last_uses.set_missed_tick_behavior(MissedTickBehavior::Delay);
    purge.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut revert = interval(REVERT_EVERY);
    revert.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = last_uses.tick() => report("writing when keys were last used", api_keys::last_uses::flush(&ctx).await),
            _ = revert.tick() => report("taking back what nobody confirmed", allowlist::operations::revert_overdue(&ctx).await),
            _ = purge.tick() => report("removing what has expired", accounts::operations::purge_expired(&ctx).await),
        }
    }
    report("writing when keys were last used", api_keys::last_uses::flush(&ctx).await);
}

fn report(job: &str, result: Result<(), AppError>) {
    if let Err(error) = result {
        tracing::warn!(job, %error, "a job failed and will be tried again");
    }
}
