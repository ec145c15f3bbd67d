//! The clock of a log with a made-up past. See `migrations/0006_demo_clock.sql`: only the migrator sets it, and only a log
//! that began with it ever runs by it.

use crate::{AppError, clock::Clock, ids::WorkspaceId};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use time::OffsetDateTime;

/// Sets the program's clock and that of one workspace's log together.
pub struct DemoClock {
    connection: PgConnection,
    workspace: WorkspaceId,
    clock: Clock,
}

impl DemoClock {
    /// Begins the log of a workspace that does not exist yet.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] without the migrator's login; [`AppError::Internal`] for a workspace that has a log.
    pub async fn begin(
        migrator: &PgConnectOptions,
        workspace: WorkspaceId,
        clock: Clock,
        at: OffsetDateTime,
    ) -> Result<Self, AppError> {
        let mut connection = PgConnection::connect_with(migrator).await?;
        sqlx::query!("select demo_clock_begin($1, $2)", workspace.0, at).execute(&mut connection).await?;
        clock.set(at);
        Ok(Self { connection, workspace, clock })
    }

    /// Goes on at this time.
    pub async fn set(&mut self, at: OffsetDateTime) -> Result<(), AppError> {
        sqlx::query!("select demo_clock_set($1, $2)", self.workspace.0, at).execute(&mut self.connection).await?;
        self.clock.set(at);
        Ok(())
    }

    /// Goes back to the real time, for good.
    pub async fn stop(mut self) -> Result<(), AppError> {
        let never = None::<OffsetDateTime>;
        sqlx::query!("select demo_clock_set($1, $2)", self.workspace.0, never).execute(&mut self.connection).await?;
        self.clock.set(OffsetDateTime::now_utc());
        Ok(self.connection.close().await?)
    }
}
