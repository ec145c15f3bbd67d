//! What keeps the private PostgreSQL from running.

use super::binaries::OLDEST;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why the private PostgreSQL does not run. Each message says what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// No usable version is installed.
    #[error(
        "PostgreSQL {OLDEST} or newer is neither on PATH nor in /usr/lib/postgresql: install it (on Debian: apt-get \
         install postgresql), or set SEND0_DATABASE_URL to a server that runs elsewhere"
    )]
    NotInstalled,
    /// The data were made by a major version that is not installed.
    #[error(
        "{} was made by PostgreSQL {made_by}, and what is installed here is {installed}: install PostgreSQL {made_by} \
         (on Debian: apt-get install postgresql-{made_by}), or move the data with pg_upgrade to another directory",
        cluster.display()
    )]
    OtherVersion {
        /// The cluster's directory.
        cluster: PathBuf,
        /// The major version in its `PG_VERSION`.
        made_by: String,
        /// The major versions found, or "none".
        installed: String,
    },
    /// Another process runs this data directory.
    #[error("{} is in use by {by}: stop that first, or choose another directory with --data", data_dir.display())]
    InUse {
        /// The data directory.
        data_dir: PathBuf,
        /// "process 123", or "another process" while that one is only beginning.
        by: String,
    },
    /// Another process holds the data directory, but its PostgreSQL cannot be joined.
    #[error("{} is in use by {by}, but its PostgreSQL does not answer: {why}", data_dir.display())]
    NotAnswering {
        /// The data directory.
        data_dir: PathBuf,
        /// "process 123", or "another process".
        by: String,
        /// The last attempt's error.
        why: String,
    },
    /// The unprivileged user that runs PostgreSQL for root cannot get to the data directory.
    #[error(
        "started by root, PostgreSQL runs as {user}, who may not enter {}: choose a directory within reach with --data \
         (such as /var/lib/send0), let others through (chmod o+x {}), or start send0 as another user",
        closed.display(), closed.display()
    )]
    OutOfReach {
        /// Who.
        user: String,
        /// The outermost directory that is closed to them.
        closed: PathBuf,
    },
    /// Root, but not free to become somebody else (a restricted container).
    #[error(
        "PostgreSQL refuses to run as root, and this root may not become {user} ({source}): start send0 as another user"
    )]
    CannotBecome {
        /// Who.
        user: String,
        /// Why not.
        source: io::Error,
    },
    /// `initdb` insists on a name for the user it runs as.
    #[error(
        "user id {uid} has no name, and PostgreSQL's initdb insists on one: add a line for it to /etc/passwd, or start \
         send0 as a user that has one"
    )]
    NoUserName {
        /// The user id.
        uid: u32,
    },
    /// `initdb` failed.
    #[error("initdb could not make {}:\n{said}", cluster.display())]
    NotMade {
        /// The cluster's directory.
        cluster: PathBuf,
        /// What it said.
        said: String,
    },
    /// The password file is missing, though the cluster is there.
    #[error("{} is missing: without it nobody can log in to the database beside it. Restore it from the backup", path.display())]
    PasswordsLost {
        /// The password file.
        path: PathBuf,
    },
    /// The password file cannot be understood.
    #[error("{} is damaged ({source}): restore it from the backup", path.display())]
    PasswordsDamaged {
        /// The password file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Somebody else's directory is where the socket should be.
    #[error("{} must be a directory that only {user} may use, and is not: remove it, or choose a shorter path with --data", path.display())]
    SocketDirTaken {
        /// Where the socket should be.
        path: PathBuf,
        /// Who runs PostgreSQL.
        user: String,
    },
    /// What an earlier run left behind does not end.
    #[error("PostgreSQL (process {pid}) of an earlier run does not stop: end it (kill -INT {pid}), then start again")]
    OrphanStays {
        /// The process id.
        pid: i32,
    },
    /// The server ended before it was ready.
    #[error("PostgreSQL does not start ({status}); it says:\n{said}\n(more in {})", log.display())]
    NotStarted {
        /// How it ended.
        status: std::process::ExitStatus,
        /// Its last words.
        said: String,
        /// Its log.
        log: PathBuf,
    },
    /// The roles, the database or the grants could not be made.
    #[error(
        "PostgreSQL runs, but its logins could not be made: {0}. If it refused the password, logins.json does not \
         belong to the database beside it: restore both from the same backup"
    )]
    Bootstrap(sqlx::Error),
    /// The thread that watches PostgreSQL is gone.
    #[error("PostgreSQL is no longer watched over; this is a bug in send0. Start it again")]
    Abandoned,
    /// A file operation failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, such as "open".
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl PostgresError {
    /// For `map_err`: what was tried, and on what.
    pub(super) fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + use<'a> {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}
