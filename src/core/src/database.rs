//! The doors to PostgreSQL. A tenant's rows are reached through [`WorkspaceTx`] and [`WorkspaceRead`] only.

pub mod bootstrap;
mod data_keys;
mod demo_clock;
mod logins;
mod migrations;
mod transactions;

pub use demo_clock::DemoClock;
pub use logins::{Database, Login, Logins};
#[cfg(feature = "testing")]
pub(crate) use migrations::fingerprint;
pub use migrations::migrate;
pub use transactions::{AccountTx, WorkspaceRead, WorkspaceTx};

use crate::AppError;

/// What a failed query means to whoever asked. The reason goes to the server's own log.
impl From<sqlx::Error> for AppError {
    fn from(error: sqlx::Error) -> Self {
        if is_unavailable(&error) {
            tracing::warn!(%error, "database not available");
            return Self::Unavailable;
        }
        tracing::error!(%error, "query failed");
        Self::Internal
    }
}

/// Connections that cannot be had, a server that stops or starts, a disk that is full.
fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Tls(_) => true,
        sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| ["57P", "08", "53"].iter().any(|class| code.starts_with(class)))
        }
        _ => false,
    }
}

/// The name of the constraint that refused a row.
pub(crate) fn constraint(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error().and_then(|error| error.constraint())
}

#[cfg(all(test, feature = "testing"))]
mod tests;
