//! An installation: a key file and a PostgreSQL, ours or somebody else's.

use crate::{
    config::{Config, Foreign, Where},
    postgres::{Login, Postgres},
};
use send0_core::{
    Ctx,
    clock::Clock,
    database::{Logins, migrate},
    envelope::KeyFile,
    mail::RelayAddress,
};
use sqlx::postgres::PgConnectOptions;
use std::{error::Error, path::PathBuf, sync::Arc};

type Failure = Box<dyn Error + Send + Sync>;

enum Database {
    Ours(Postgres),
    Theirs(Box<Foreign>),
}

/// A key file and a database that answers.
pub struct Installation {
    database: Database,
    data: PathBuf,
    key_file: PathBuf,
    origin: Option<String>,
    relay: Option<RelayAddress>,
}

impl Installation {
    /// For the server: PostgreSQL is started, and nobody else may serve the same data.
    pub async fn begin(config: &Config) -> Result<Self, Failure> {
        let database = match &config.database {
            Where::Embedded => Database::Ours(Postgres::start(&config.data).await?),
            Where::Foreign(foreign) => Database::Theirs(foreign.clone()),
        };
        Ok(Self::of(config, database))
    }

    /// For a command: the running PostgreSQL is used, or one is started for as long as the command takes.
    pub async fn join(config: &Config) -> Result<Self, Failure> {
        let database = match &config.database {
            Where::Embedded => Database::Ours(Postgres::start_or_join(&config.data).await?),
            Where::Foreign(foreign) => Database::Theirs(foreign.clone()),
        };
        Ok(Self::of(config, database))
    }

    fn of(config: &Config, database: Database) -> Self {
        Self {
            database,
            data: config.data.clone(),
            key_file: config.key_file(),
            origin: config.origin.clone(),
            relay: config.relay.clone(),
        }
    }

    /// Brings the schema up to date. On a foreign server without a migrator there is nothing to do it with.
    pub async fn migrate(&self) -> Result<(), Failure> {
        let Some(migrator) = self.migrator() else { return Ok(()) };
        Ok(migrate(&migrator).await?)
    }

    /// How to connect as the migrator, if that is known.
    pub fn migrator(&self) -> Option<PgConnectOptions> {
        match &self.database {
            Database::Ours(postgres) => Some(postgres.options(Login::Migrator)),
            Database::Theirs(foreign) => foreign.migrator.clone(),
        }
    }

    /// What operations are given. Makes the key file if there is none.
    pub fn open(&self) -> Result<Ctx, Failure> {
        let keys = KeyFile::create_if_missing(&self.key_file)?;
        let ctx =
            Ctx::new(self.logins(), Arc::new(keys), Clock::default()).keeping(&self.data).relaying(self.relay.as_ref());
        // A command sends mail with links too.
        Ok(match &self.origin {
            Some(origin) => ctx.at(origin),
            None => ctx,
        })
    }

    fn logins(&self) -> Logins {
        match &self.database {
            Database::Ours(postgres) => Logins {
                app: postgres.options(Login::App),
                auth: postgres.options(Login::Auth),
                worker: postgres.options(Login::Worker),
                auditor: postgres.options(Login::Auditor),
            },
            Database::Theirs(foreign) => foreign.logins.clone(),
        }
    }

    /// Resolves when our own PostgreSQL cannot be kept running. Never for somebody else's: that may come back.
    pub async fn broken(&mut self) -> Failure {
        match &mut self.database {
            Database::Ours(postgres) => postgres.died().await.into(),
            Database::Theirs(_) => std::future::pending().await,
        }
    }

    /// Stops what was started for this.
    pub async fn leave(self) -> Result<(), Failure> {
        match self.database {
            Database::Ours(postgres) => Ok(postgres.stop().await?),
            Database::Theirs(_) => Ok(()),
        }
    }
}
