//! What the server does by itself.

use futures::TryFutureExt as _;
use send0_core::{
    AppError, Ctx, accounts, allowlist, api_keys, audit_log, compliance, mail, policies, retention, sealing, streams,
    subprocessors, subscribers,
};
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

const LAST_USES_EVERY: Duration = Duration::from_secs(1);
const PURGE_EVERY: Duration = Duration::from_secs(60);
const NOTICES_EVERY: Duration = Duration::from_secs(2);
const REVERT_EVERY: Duration = Duration::from_secs(10);
const SEARCH_EVERY: Duration = Duration::from_secs(1);
/// While calls crowd, so many times as long as it worked the search rests: its index costs more than all that a call does.
const SEARCH_RESTS: u32 = 9;
/// How often the index is put in order while events trickle in: each time costs more than the events of a second.
const TIDY_EVERY: Duration = Duration::from_secs(20);
const MAIL_EVERY: Duration = Duration::from_secs(1);
const EXPORTS_EVERY: Duration = Duration::from_secs(1);
const SEAL_EVERY: Duration = Duration::from_millis(500);
const CHECK_EVERY: Duration = Duration::from_secs(5);
const ROLL_EVERY: Duration = Duration::from_secs(3600);
const PRUNE_EVERY: Duration = Duration::from_secs(3600);
/// How long a mail that is being sent may take after the signal to stop.
const MAIL_GRACE: Duration = Duration::from_secs(5);

/// Runs until told to stop; what is gathered by then is still written.
pub async fn run(ctx: Ctx, stop: CancellationToken) {
    let (house, mail) = (keep_house(&ctx, &stop), send_mail(&ctx, &stop));
    let (proof, search) = (seal(&ctx, &stop), take_in_events(&ctx, &stop));
    let check = every(CHECK_EVERY, &stop, "checking the logs", || sealing::operations::check_all(&ctx));
    let roll = every(ROLL_EVERY, &stop, "listing every checkpoint", || sealing::operations::call_the_roll(&ctx));
    // The first time of a log of years takes minutes.
    let prune = every(PRUNE_EVERY, &stop, "removing events past their time", || retention::pruning::prune_all(&ctx));
    let proof = async { tokio::join!(proof, check, roll, prune) };
    tokio::join!(house, mail, proof, search, write_exports(&ctx, &stop), streams::run(&ctx, stop.cancelled()));
}

async fn keep_house(ctx: &Ctx, stop: &CancellationToken) {
    let (mut last_uses, mut purge) = (interval(LAST_USES_EVERY), interval(PURGE_EVERY));
    last_uses.set_missed_tick_behavior(MissedTickBehavior::Delay);
    purge.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut notices = interval(NOTICES_EVERY);
    notices.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut revert = interval(REVERT_EVERY);
    revert.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = notices.tick() => {
                report("putting changes of subprocessors into effect", subprocessors::operations::take_effect(ctx).await);
                report("telling workspaces of changes", subprocessors::notices::tell(ctx).await.map(|_| ()));
                report("telling subscribers of changes", subscribers::operations::tell(ctx).await.map(|_| ()));
            }
            _ = revert.tick() => report("taking back what nobody confirmed", allowlist::operations::revert_overdue(ctx).await),
            _ = last_uses.tick() => report("writing when keys were last used", api_keys::last_uses::flush(ctx).await),
            _ = purge.tick() => {
                report("removing what has expired", accounts::operations::purge_expired(ctx).await);
                report("forgetting links of visitors", compliance::requests::purge(ctx).await.map(|_| ()));
                report("removing exports that have expired", audit_log::exports::sweep(ctx).await);
                report("reminding of second factors", policies::operations::remind(ctx).await);
            }
        }
    }
    report("writing when keys were last used", api_keys::last_uses::flush(ctx).await);
}

/// Seals what is new. In a loop of its own: a checkpoint is due two seconds after an event, whatever else there is to do.
async fn seal(ctx: &Ctx, stop: &CancellationToken) {
    let work = || sealing::operations::seal_all(ctx).map_ok(|_| ());
    every(SEAL_EVERY, stop, "sealing the logs", work).await;
    report("sealing the logs", work().await);
}

/// Does this again and again until told to stop.
async fn every<Work>(period: Duration, stop: &CancellationToken, job: &str, work: impl Fn() -> Work)
where
    Work: Future<Output = Result<(), AppError>>,
{
    let mut tick = interval(period);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => report(job, work().await),
        }
    }
}

/// In a loop of its own: a relay that answers slowly holds up nothing else.
async fn send_mail(ctx: &Ctx, stop: &CancellationToken) {
    let mut tick = interval(MAIL_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let sent = tokio::select! {
            // What is cut off here is tried again when its lease is over.
            () = overdue(stop) => return,
            sent = mail::operations::deliver(ctx) => sent,
        };
        if sent.as_ref().is_ok_and(|sent| *sent > 0) {
            tick.reset_immediately();
        }
        report("sending mail", sent.map(|_| ()));
    }
}

/// In a loop of its own: an export of a large log takes minutes. What is cut off here begins anew when its lease is over.
async fn write_exports(ctx: &Ctx, stop: &CancellationToken) {
    let mut tick = interval(EXPORTS_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let worked = tokio::select! {
            () = stop.cancelled() => return,
            worked = async { tick.tick().await; audit_log::exports::work(ctx).await } => worked,
        };
        report("writing an export of an audit log", worked.map(|_| ()));
    }
}

/// In a loop of its own: a log that has long not been taken in takes minutes.
async fn take_in_events(ctx: &Ctx, stop: &CancellationToken) {
    let (mut tick, mut tidied, mut is_tidy) = (interval(SEARCH_EVERY), Instant::now(), false);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let begun = Instant::now();
        let taken = audit_log::index::take_in(ctx).await;
        match taken {
            Ok(1..) if ctx.is_crowded() => tick.reset_after(begun.elapsed() * SEARCH_RESTS),
            Ok(1..) => tick.reset_immediately(),
            Ok(0) if !is_tidy && tidied.elapsed() >= TIDY_EVERY => {
                let done = audit_log::index::tidy(ctx).await.map(|_| ());
                (tidied, is_tidy) = (Instant::now(), done.is_ok());
                report("putting the search in order", done);
            }
            _ => {}
        }
        is_tidy &= !matches!(taken, Ok(1..));
        report("making events searchable", taken.map(|_| ()));
    }
}

async fn overdue(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(MAIL_GRACE).await;
}

fn report(job: &str, result: Result<(), AppError>) {
    if let Err(error) = result {
        tracing::warn!(job, %error, "a job failed and will be tried again");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use send0_core::{
        audit_log::{Action, Event},
        permissions::Role,
        testing::TestDb,
    };
    use tokio::time::timeout;

    /// A limit for a test that fails, not a figure.
    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn what_is_new_is_sealed_while_another_job_does_not_come_to_an_end() {
        let db = TestDb::new().await;
        let tenant = db.workspace("Acme").await;
        // No check of a log ends before this does.
        let mut held = db.superuser.begin().await.expect("begun");
        sqlx::query("lock table audit_checks in exclusive mode").execute(&mut *held).await.expect("locked");
        let stop = CancellationToken::new();
        let jobs = tokio::spawn(run(db.ctx.clone(), stop.clone()));
        let sealed = async || -> i64 {
            let size = sqlx::query_scalar("select coalesce(max(size), 0) from audit_trees where workspace_id = $1");
            size.bind(tenant.id().0).fetch_one(&db.superuser).await.expect("size")
        };
        let waiting = async || -> bool {
            let lock = "select exists (select from pg_locks l join pg_database d on d.oid = l.database
                where d.datname = current_database() and not l.granted and l.relation = 'audit_checks'::regclass)";
            sqlx::query_scalar(lock).fetch_one(&db.superuser).await.expect("locks")
        };
        let all = async {
            while !waiting().await {
                tokio::task::yield_now().await;
            }
            db.ctx.log_call(&tenant.actor(Role::Owner), Event::new(Action::ApiCalled)).await.expect("logged");
            let last = db.seq(tenant.id()).await;
            while sealed().await < last {
                tokio::task::yield_now().await;
            }
        };
        timeout(LONG, all).await.expect("sealed all the same");
        held.rollback().await.expect("released");
        stop.cancel();
        timeout(LONG, jobs).await.expect("ends").expect("ends well");
    }
}
