//! Transactions that know their tenant, and cannot be committed without saying what was done.

use super::logins::ACQUIRE_TIMEOUT;
use crate::{
    Actor, AppError,
    audit_log::{Event, Record},
    ids::WorkspaceId,
};
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Transaction};

/// Begins and names the tenant in one round trip; separate ones cost three times as much.
pub(super) async fn begin(
    pool: &PgPool,
    workspace: WorkspaceId,
    access: &str,
) -> Result<Transaction<'static, Postgres>, AppError> {
    let begin = format!("begin {access}; set local send0.workspace_id = '{}'", workspace.0);
    let pool = pool.clone();
    // The only text that is not literal: a UUID prints as hexadecimal digits and hyphens.
    whole(async move { pool.begin_with(AssertSqlSafe(begin)).await }).await
}

/// Begins in a task of its own, which goes on when whoever waits goes away. sqlx 0.9.0 forgets a transaction whose
/// beginning is dropped half-way and gives its connection back with it open, tenant and all: whatever came next would
/// be part of it, and might never be committed (transact-rs/sqlx#4385). Nobody waits for a server that does not answer at all.
async fn whole(
    begin: impl Future<Output = sqlx::Result<Transaction<'static, Postgres>>> + Send + 'static,
) -> Result<Transaction<'static, Postgres>, AppError> {
    let begun = tokio::time::timeout(ACQUIRE_TIMEOUT, tokio::spawn(begin)).await;
    Ok(begun.map_err(|_| AppError::Unavailable)?.map_err(|_| AppError::Unavailable)??)
}

/// A change in one workspace. It ends in one of two ways: committed together with its audit event, or as if it had
/// never been. There is no commit without an event:
///
/// ```compile_fail,E0061
/// # async fn forgetful(tx: send0_core::database::WorkspaceTx) -> Result<(), send0_core::AppError> {
/// tx.commit().await
/// # }
/// ```
///
/// and the transaction inside cannot be reached:
///
/// ```compile_fail,E0616
/// # async fn sly(tx: send0_core::database::WorkspaceTx) {
/// let _ = tx.inner.commit().await;
/// # }
/// ```
///
/// With an event it compiles:
///
/// ```
/// # async fn honest(tx: send0_core::database::WorkspaceTx, event: send0_core::audit_log::Event) -> Result<(), send0_core::AppError> {
/// tx.commit(event).await
/// # }
/// ```
#[must_use = "dropped, it rolls back"]
pub struct WorkspaceTx {
    inner: Transaction<'static, Postgres>,
    actor: Actor,
}

impl WorkspaceTx {
    pub(crate) async fn begin(pool: &PgPool, actor: &Actor) -> Result<Self, AppError> {
        let inner = begin(pool, actor.workspace, "").await?;
        Ok(Self { inner, actor: actor.clone() })
    }

    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        &mut self.inner
    }

    /// Writes a further event of the same change.
    pub(crate) async fn also(&mut self, event: Event) -> Result<(), AppError> {
        Record::new(&self.actor, event)?.append(&mut self.inner).await
    }

    /// Tells the platform of the same change. Before any event of the workspace: logs are locked in the order of their ids,
    /// and the platform's comes first.
    pub(crate) async fn also_on_platform(&mut self, event: Event) -> Result<(), AppError> {
        Record::new(&self.actor.on_platform(), event)?.append_to_platform(&mut self.inner).await
    }

    /// Commits the change with its event, or nothing. The event comes last, because its order is decided under a
    /// lock that others wait for.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] when the database or the log cannot be written; then nothing happened.
    pub async fn commit(mut self, event: Event) -> Result<(), AppError> {
        self.also(event).await?;
        self.inner.commit().await?;
        self.actor.request.mark_logged();
        Ok(())
    }

    /// Commits a change that takes several events to tell, in their order.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub(crate) async fn commit_all(mut self, earlier: Vec<Event>, last: Event) -> Result<(), AppError> {
        for event in earlier {
            self.also(event).await?;
        }
        self.commit(last).await
    }
}

/// A look at one workspace. It can change nothing, and nothing is left of it.
pub struct WorkspaceRead {
    inner: Transaction<'static, Postgres>,
}

impl WorkspaceRead {
    pub(crate) async fn begin(pool: &PgPool, workspace: WorkspaceId) -> Result<Self, AppError> {
        let inner = begin(pool, workspace, "read only").await?;
        Ok(Self { inner })
    }

    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}

/// A change to accounts or sessions, which belong to no workspace. Its events go to each workspace of the person.
#[must_use = "dropped, it rolls back"]
pub struct AccountTx {
    inner: Transaction<'static, Postgres>,
}

impl AccountTx {
    pub(crate) async fn begin(pool: &PgPool) -> Result<Self, AppError> {
        let pool = pool.clone();
        Ok(Self { inner: whole(async move { pool.begin().await }).await? })
    }

    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        &mut self.inner
    }

    /// Commits the change with its event, once for each actor (the same person, seen by each workspace).
    pub async fn commit(mut self, actors: &[Actor], event: Event) -> Result<(), AppError> {
        let records = actors.iter().map(|actor| Record::new(actor, event.clone())).collect::<Result<Vec<_>, _>>()?;
        Record::append_all(&records, &mut self.inner).await?;
        self.inner.commit().await?;
        for actor in actors {
            actor.request.mark_logged();
        }
        Ok(())
    }
}
