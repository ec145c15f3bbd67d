//! One pool for each login, so that no part of the program has more rights than it needs.

use super::transactions::{AccountTx, WorkspaceRead, WorkspaceTx};
use crate::{Actor, AppError, api_keys::Recogniser, audit_log::Writer, ids::WorkspaceId};
use sqlx::{
    Connection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::time::Duration;

/// The logins of the running server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// Tenant rows, under row-level security.
    App,
    /// What must be known before the tenant is: accounts, sessions, keys by their hash.
    Auth,
    /// Housekeeping.
    Worker,
    /// Reads the audit log.
    Auditor,
}

/// How to connect as each login.
#[derive(Clone, Debug)]
pub struct Logins {
    /// As `send0_app`.
    pub app: PgConnectOptions,
    /// As `send0_auth`.
    pub auth: PgConnectOptions,
    /// As `send0_worker`.
    pub worker: PgConnectOptions,
    /// As `send0_auditor`.
    pub auditor: PgConnectOptions,
}

/// Longest wait for a free connection; after it the caller is told that the service is not available.
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection is asked whether it still stands when it comes back to its pool, and when it is taken again after so long. Asked each time it
/// is taken, a page would wait for ten answers more. So when PostgreSQL goes down and comes back within this time, each connection that was free
/// then fails whoever takes it next, once, with 503.
const FRESH: Duration = Duration::from_secs(1);

/// The pools, one for each login. They are private: rows are reached through transactions that know their tenant.
#[derive(Clone, Debug)]
pub struct Database {
    pub(super) app: PgPool,
    pub(crate) auth: PgPool,
    pub(crate) worker: PgPool,
    auditor: PgPool,
}

impl Database {
    /// Pools that connect when first used.
    pub fn new(logins: Logins) -> Self {
        let pool = |options, size| {
            let pool = PgPoolOptions::new().max_connections(size).acquire_timeout(ACQUIRE_TIMEOUT);
            let pool = pool.test_before_acquire(false).before_acquire(|conn, was| {
                Box::pin(async move {
                    if was.idle_for > FRESH {
                        conn.ping().await?;
                    }
                    Ok(true)
                })
            });
            pool.connect_lazy_with(options)
        };
        Self {
            app: pool(logins.app, 16),
            auth: pool(logins.auth, 16),
            worker: pool(logins.worker, 2),
            auditor: pool(logins.auditor, 8),
        }
    }

    fn pools(&self) -> [&PgPool; 4] {
        [&self.app, &self.auth, &self.worker, &self.auditor]
    }

    /// `Err` unless every login can be used and the schema is there.
    pub async fn ready(&self) -> Result<(), AppError> {
        for pool in self.pools() {
            sqlx::query("select 1").execute(pool).await?;
        }
        Ok(())
    }

    /// `Err` naming the login that has more rights than it should have: such a server must not start.
    pub async fn refuse_excess_rights(&self) -> Result<(), String> {
        for (name, pool) in
            [("app", &self.app), ("auth", &self.auth), ("worker", &self.worker), ("auditor", &self.auditor)]
        {
            let excess: Vec<String> =
                sqlx::query_scalar(EXCESS_RIGHTS).fetch_all(pool).await.map_err(|error| error.to_string())?;
            if !excess.is_empty() {
                return Err(format!("the login for {name} has more rights than it should have: {}", excess.join(", ")));
            }
        }
        Ok(())
    }

    /// Whether every connection has come back to its pool, as those of cancelled work do a little later.
    #[cfg(feature = "testing")]
    pub(crate) fn is_idle(&self) -> bool {
        self.pools().into_iter().all(|pool| pool.num_idle() == pool.size() as usize)
    }

    /// Ends every connection.
    pub async fn close(&self) {
        for pool in self.pools() {
            pool.close().await;
        }
    }

    /// A change in the actor's workspace. Dropped without its commit, nothing happened.
    pub(crate) async fn change(&self, actor: &Actor) -> Result<WorkspaceTx, AppError> {
        WorkspaceTx::begin(&self.app, actor).await
    }

    /// A look at one workspace.
    pub(crate) async fn read(&self, workspace: WorkspaceId) -> Result<WorkspaceRead, AppError> {
        WorkspaceRead::begin(&self.app, workspace).await
    }

    /// A look at one workspace's audit log.
    pub(crate) async fn read_log(&self, workspace: WorkspaceId) -> Result<WorkspaceRead, AppError> {
        WorkspaceRead::begin(&self.auditor, workspace).await
    }

    /// A change to what lies outside workspaces: accounts and sessions.
    pub(crate) async fn change_account(&self) -> Result<AccountTx, AppError> {
        AccountTx::begin(&self.auth).await
    }

    pub(crate) fn writer(&self) -> Writer {
        Writer::start(self.auth.clone())
    }

    pub(crate) fn recogniser(&self) -> Recogniser {
        Recogniser::start(self.auth.clone())
    }
}

const EXCESS_RIGHTS: &str = "
    select 'is a superuser' from pg_roles where rolname = current_user and rolsuper
    union all select 'bypasses row-level security' from pg_roles where rolname = current_user and rolbypassrls
    union all select 'may create roles' from pg_roles where rolname = current_user and rolcreaterole
    union all select 'owns ' || c.relname from pg_class c
        where pg_has_role(current_user, c.relowner, 'member') and c.relnamespace = 'public'::regnamespace
    union all select 'may change audit_events' from pg_class
        where relname = 'audit_events' and has_table_privilege(oid, 'insert, update, delete, truncate')";
