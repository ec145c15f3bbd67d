//! The private PostgreSQL of a machine on which nothing is configured. `send0 serve` starts it, keeps it running and
//! stops it; other commands join it, or start it for as long as they last.
//!
//! It listens on a socket in its data directory and on nothing else:
//!
//! ```text
//! DATA/postgres/      the cluster, as PostgreSQL keeps it
//! DATA/run/           the socket (elsewhere when the path is too long for one)
//! DATA/logins.json    the password of each login
//! DATA/postgres.log   what the server says
//! DATA/send0.lock     held by the process that runs it
//! DATA/guests.lock    held by the processes that joined it
//! ```

mod binaries;
mod bootstrap;
mod cluster;
mod data_dir;
mod error;
mod logins;
mod pid_file;
mod supervisor;
#[cfg(test)]
mod tests;
mod user;

pub use bootstrap::bootstrap_sql;
pub use data_dir::default_data_dir;
pub use error::PostgresError;
pub use logins::Login;

use cluster::Cluster;
use data_dir::{DataDir, Lock};
use logins::Passwords;
use pid_file::PidFile;
use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use supervisor::{Shutdown, Supervisor};
use tokio::time::{Instant, sleep};

/// How long to wait for what another process is about to finish.
const PATIENCE: Duration = Duration::from_secs(30);
const PORT: u16 = 5432;
const DATABASE: &str = "send0";

/// A running private PostgreSQL. Dropped, it is told to stop, but nobody waits for it: call [`Postgres::stop`].
pub struct Postgres {
    passwords: Passwords,
    socket_dir: PathBuf,
    held: Held,
}

/// What keeps the server running.
enum Held {
    /// It is ours.
    Owned(Supervisor),
    /// Another process runs it, and does not stop it before this is dropped.
    Joined(#[expect(dead_code, reason = "held, not read")] Lock),
}

impl Postgres {
    /// Finds the installed PostgreSQL, makes the cluster if the directory is new, starts it, waits until it answers,
    /// and sees to the database `send0` and its logins. If the server dies, it is started again.
    ///
    /// # Errors
    /// [`PostgresError::InUse`] when another process runs this directory; otherwise whatever keeps it from running.
    pub async fn start(data_dir: &Path) -> Result<Self, PostgresError> {
        let data = DataDir::at(data_dir)?;
        let lock = data.try_lock()?.ok_or_else(|| data.in_use())?;
        Self::run(data, lock, Shutdown::Now).await
    }

    /// Joins the server that another process runs in this directory, or else starts it for as long as this value is
    /// needed. Either way, [`Postgres::stop`] leaves the directory as it was found.
    ///
    /// # Errors
    /// [`PostgresError::NotAnswering`] when the other process has not got it running within 30 seconds; otherwise as
    /// for [`Postgres::start`].
    pub async fn start_or_join(data_dir: &Path) -> Result<Self, PostgresError> {
        let data = DataDir::at(data_dir)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(lock) = data.try_lock()? {
                return Self::run(data, lock, Shutdown::AfterGuests).await;
            }
            match Self::join(&data).await {
                Err(_) if Instant::now() < deadline => sleep(Duration::from_millis(50)).await,
                joined => return joined,
            }
        }
    }

    /// How to connect over the socket as this login, to the database `send0`.
    pub fn options(&self, login: Login) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.socket_dir)
            .port(PORT)
            .ssl_mode(PgSslMode::Disable)
            .database(DATABASE)
            .username(login.role())
            .password(self.passwords.of(login))
    }

    /// Resolves when the server died and could not be started again, with the reason. Never resolves for a server
    /// that was joined. May be dropped and called again.
    pub async fn died(&mut self) -> PostgresError {
        match &mut self.held {
            Held::Owned(supervisor) => supervisor.failure().await,
            Held::Joined(_) => std::future::pending().await,
        }
    }

    /// Stops the server, whoever is connected, and waits until it is down. Before that, one that was started by
    /// [`Postgres::start_or_join`] gives those who joined it up to 30 seconds to finish. One that was joined runs on.
    ///
    /// # Errors
    /// When it could not be stopped, or had died for good and [`Postgres::died`] has not told yet.
    pub async fn stop(self) -> Result<(), PostgresError> {
        match self.held {
            Held::Owned(supervisor) => supervisor.stop().await,
            Held::Joined(_) => Ok(()),
        }
    }

    async fn run(data: DataDir, lock: Lock, shutdown: Shutdown) -> Result<Self, PostgresError> {
        let prepared = tokio::task::spawn_blocking(move || Cluster::prepare(data).map(|cluster| (cluster, lock)));
        let (cluster, lock) = prepared.await.map_err(|_| PostgresError::Abandoned)??;
        let (passwords, socket_dir) = (cluster.passwords.clone(), cluster.socket_dir.clone());
        let mut supervisor = Supervisor::start(cluster, lock, shutdown)?;
        supervisor.ready().await?;
        let postgres = Self { passwords, socket_dir, held: Held::Owned(supervisor) };
        match bootstrap::bootstrap(&postgres).await {
            Ok(()) => Ok(postgres),
            Err(error) => {
                postgres.stop().await?;
                Err(PostgresError::Bootstrap(error))
            }
        }
    }

    async fn join(data: &DataDir) -> Result<Self, PostgresError> {
        let guest = data.try_join()?.ok_or_else(|| data.not_answering("it is stopping"))?;
        let running = PidFile::of(&data.cluster()).ok_or_else(|| data.not_answering("it is still starting"))?;
        let passwords = Passwords::read(&data.logins())?;
        let postgres = Self { passwords, socket_dir: running.socket_dir, held: Held::Joined(guest) };
        let answer = PgConnection::connect_with(&postgres.options(Login::App)).await;
        answer.map_err(|error| data.not_answering(error))?;
        Ok(postgres)
    }
}
