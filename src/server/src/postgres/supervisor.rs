//! Keeps the server running.

use super::{PATIENCE, PostgresError, cluster::Cluster, data_dir::Lock, pid_file::PidFile};
use rustix::process::{Pid, Signal, kill_process};
use std::{convert::Infallible, process::ExitStatus, time::Duration};
use tokio::{
    process::{Child, Command},
    sync::{oneshot, watch},
    time::{Instant, sleep},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How the server is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shutdown {
    /// Whoever is connected.
    Now,
    /// When those who joined have gone, within reason.
    AfterGuests,
}

const LOOK_AGAIN: Duration = Duration::from_millis(20);
const TRY_AGAIN: Duration = Duration::from_millis(250);
const SLOW_START: Duration = Duration::from_secs(5);

/// The hold on the thread that starts the server and watches it. It has a thread of its own because the server is
/// told of its parent's death when the *thread* that started it ends, and others come and go.
pub(super) struct Supervisor {
    /// The process that takes connections now.
    pub serving: watch::Receiver<Option<u32>>,
    outcome: Option<oneshot::Receiver<Result<(), PostgresError>>>,
    stop: DropGuard,
}

impl Supervisor {
    /// The lock is held for as long as the server may run.
    pub fn start(cluster: Cluster, lock: Lock, shutdown: Shutdown) -> Result<Self, PostgresError> {
        let directory = cluster.directory();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(PostgresError::io("watch PostgreSQL in", &directory))?;
        let (announce, serving) = watch::channel(None);
        let (report, outcome) = oneshot::channel();
        let stop = CancellationToken::new();
        let guard = stop.clone().drop_guard();
        let watcher = Watcher { cluster, announce, stop, shutdown };
        let thread = std::thread::Builder::new().name("postgres".to_owned()).spawn(move || {
            let outcome = runtime.block_on(watcher.keep_running());
            drop((watcher, lock));
            let _ = report.send(outcome);
        });
        thread.map_err(PostgresError::io("watch PostgreSQL in", &directory))?;
        Ok(Self { serving, outcome: Some(outcome), stop: guard })
    }

    /// Waits until the server takes connections.
    pub async fn ready(&mut self) -> Result<(), PostgresError> {
        if self.serving.wait_for(Option::is_some).await.is_ok() {
            return Ok(());
        }
        Err(self.failure().await)
    }

    /// Waits until the server cannot be kept running.
    pub async fn failure(&mut self) -> PostgresError {
        let Some(outcome) = &mut self.outcome else { return PostgresError::Abandoned };
        let ended = outcome.await;
        self.outcome = None;
        match ended {
            Ok(Err(error)) => error,
            Ok(Ok(())) | Err(_) => PostgresError::Abandoned,
        }
    }

    /// Stops the server and waits until it is down.
    pub async fn stop(self) -> Result<(), PostgresError> {
        drop(self.stop);
        match self.outcome {
            Some(outcome) => outcome.await.map_err(|_| PostgresError::Abandoned)?,
            None => Ok(()),
        }
    }
}

struct Watcher {
    cluster: Cluster,
    announce: watch::Sender<Option<u32>>,
    stop: CancellationToken,
    shutdown: Shutdown,
}

enum End {
    Asked,
    Died { status: ExitStatus, had_served: bool },
}

impl Watcher {
    async fn keep_running(&self) -> Result<(), PostgresError> {
        let mut deadline = Instant::now() + PATIENCE;
        while !self.stop.is_cancelled() {
            let Some(cleared) = self.stop.run_until_cancelled(self.clear_the_way(deadline)).await else { break };
            cleared?;
            let log_start = self.cluster.log_end();
            match self.run_once().await? {
                End::Asked => break,
                End::Died { status, had_served: true } => {
                    tracing::error!(%status, "PostgreSQL died; starting it again");
                    deadline = Instant::now() + PATIENCE;
                }
                End::Died { status, .. } => self.weigh(status, log_start, deadline).await?,
            }
        }
        Ok(())
    }

    /// Waits until a server that an earlier run left behind has stopped.
    async fn clear_the_way(&self, deadline: Instant) -> Result<(), PostgresError> {
        while let Some(orphan) = self.cluster.interrupt_orphan() {
            if Instant::now() > deadline {
                return Err(PostgresError::OrphanStays { pid: orphan.as_raw_nonzero().get() });
            }
            tracing::debug!(pid = orphan.as_raw_nonzero(), "stopping the PostgreSQL of an earlier run");
            sleep(LOOK_AGAIN).await;
        }
        self.cluster.remove_mistaken_pid_files()
    }

    /// Starts the server and returns when it has ended.
    async fn run_once(&self) -> Result<End, PostgresError> {
        let (directory, mut command) = (self.cluster.directory(), Command::from(self.cluster.server()?));
        let mut child = command.spawn().map_err(PostgresError::io("run PostgreSQL in", &directory))?;
        let pid = child.id();
        let died = tokio::select! {
            status = child.wait() => Some(status),
            () = self.stop.cancelled() => None,
            never = self.announce_when_ready(pid) => match never {},
        };
        let had_served = self.announce.send_replace(None).is_some();
        let Some(status) = died else { return self.shut_down(&mut child).await.map(|()| End::Asked) };
        let status = status.map_err(PostgresError::io("watch PostgreSQL in", &directory))?;
        Ok(End::Died { status, had_served })
    }

    async fn announce_when_ready(&self, pid: Option<u32>) -> Infallible {
        let started = Instant::now();
        let mut patient = true;
        while !self.is_ready(pid) {
            if patient && started.elapsed() > SLOW_START {
                tracing::info!(log = %self.cluster.log().display(), "PostgreSQL takes long to start; it may be recovering");
                patient = false;
            }
            sleep(LOOK_AGAIN).await;
        }
        tracing::info!(pid, ms = started.elapsed().as_millis(), "PostgreSQL is running");
        self.announce.send_replace(pid);
        std::future::pending().await
    }

    fn is_ready(&self, pid: Option<u32>) -> bool {
        let written = PidFile::of(&self.cluster.directory());
        written.is_some_and(|written| written.ready && u32::try_from(written.pid).ok() == pid)
    }

    /// After a start that failed: waits and returns if another attempt may do better.
    async fn weigh(&self, status: ExitStatus, log_start: u64, deadline: Instant) -> Result<(), PostgresError> {
        let said = self.cluster.said_since(log_start);
        if !passes(&said) || Instant::now() > deadline {
            return Err(PostgresError::NotStarted { status, said, log: self.cluster.log() });
        }
        tracing::info!("PostgreSQL cannot start yet: what an earlier run left behind is still ending");
        sleep(TRY_AGAIN).await;
        Ok(())
    }

    async fn shut_down(&self, child: &mut Child) -> Result<(), PostgresError> {
        let _nobody_joins_now = self.see_guests_off().await;
        // Not SIGTERM: that waits for every connection to be closed.
        signal(child, Signal::INT);
        child.wait().await.map(drop).map_err(PostgresError::io("stop PostgreSQL in", &self.cluster.directory()))
    }

    async fn see_guests_off(&self) -> Option<Lock> {
        let deadline = Instant::now() + PATIENCE;
        while self.shutdown == Shutdown::AfterGuests && Instant::now() < deadline {
            match self.cluster.try_close() {
                Ok(None) => sleep(LOOK_AGAIN).await,
                closed => return closed.ok().flatten(),
            }
        }
        None
    }
}

/// Whether the reason goes away by itself: processes of a server that was killed keep its memory until they notice.
fn passes(said: &str) -> bool {
    said.contains("shared memory block") || said.contains("lock file")
}

/// A child that has not been waited for keeps its number, so this reaches nobody else.
fn signal(child: &Child, signal: Signal) {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = kill_process(pid, signal);
    }
}
