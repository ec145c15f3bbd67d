//! The data keys: one per workspace and purpose, wrapped by the key-encryption key, unwrapped in memory when needed.

use crate::{
    AppError,
    database::Database,
    envelope::{self, DataKey, DataKeyId, KeyError, KeyProvider, Place, WrappedKey},
    ids::{UserId, WorkspaceId},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// What something is sealed with: the workspace's own data key, or that of one account, which lies with the platform's,
/// as people are in several workspaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Purpose {
    Workspace(WorkspaceId),
    Account(UserId),
}

impl Purpose {
    fn workspace(self) -> WorkspaceId {
        match self {
            Self::Workspace(workspace) => workspace,
            Self::Account(_) => WorkspaceId::PLATFORM,
        }
    }

    /// As stored.
    fn word(self) -> String {
        match self {
            Self::Workspace(_) => "workspace".to_owned(),
            Self::Account(user) => format!("account {user}"),
        }
    }
}

/// Unwrapped keys kept in memory; beyond it they are all dropped and unwrapped again.
const CACHED: usize = 1024;

type Known = (DataKeyId, Arc<DataKey>);
type Cache = HashMap<Purpose, Known>;

/// Seals and opens what belongs to a workspace.
#[derive(Clone)]
pub struct Vault {
    db: Database,
    keys: Arc<dyn KeyProvider>,
    cache: Arc<Mutex<Cache>>,
}

impl Vault {
    pub(crate) fn new(db: Database, keys: Arc<dyn KeyProvider>) -> Self {
        Self { db, keys, cache: Arc::default() }
    }

    /// Seals under the workspace's data key, bound to the place.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] when the key cannot be had. Nothing is ever kept in the clear instead.
    pub async fn seal(&self, workspace: WorkspaceId, place: &Place<'_>, plaintext: &[u8]) -> Result<Vec<u8>, AppError> {
        self.seal_for(Purpose::Workspace(workspace), place, plaintext).await
    }

    /// Seals under the account's data key, bound to the place. Errors as [`Vault::seal`].
    pub async fn seal_account(&self, user: UserId, place: &Place<'_>, plaintext: &[u8]) -> Result<Vec<u8>, AppError> {
        self.seal_for(Purpose::Account(user), place, plaintext).await
    }

    async fn seal_for(&self, purpose: Purpose, place: &Place<'_>, plaintext: &[u8]) -> Result<Vec<u8>, AppError> {
        let (id, key) = self.key(purpose).await?;
        Ok(envelope::seal(id, &key, place, plaintext))
    }

    /// Has the workspace's key at hand before a transaction begins, so that sealing inside it needs no second connection.
    pub async fn warm(&self, workspace: WorkspaceId) -> Result<(), AppError> {
        self.key(Purpose::Workspace(workspace)).await.map(|_| ())
    }

    /// Opens what was sealed at the same place.
    ///
    /// # Errors
    /// [`AppError::Internal`] for whatever does not open: changed, moved, or sealed under another key.
    pub async fn open(
        &self,
        workspace: WorkspaceId,
        place: &Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, AppError> {
        self.open_for(Purpose::Workspace(workspace), place, sealed).await
    }

    /// Opens what [`Vault::seal_account`] sealed at the same place. Errors as [`Vault::open`].
    pub async fn open_account(
        &self,
        user: UserId,
        place: &Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, AppError> {
        self.open_for(Purpose::Account(user), place, sealed).await
    }

    async fn open_for(
        &self,
        purpose: Purpose,
        place: &Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, AppError> {
        let (id, key) = self.key(purpose).await?;
        if envelope::data_key_id(sealed).map_err(unreadable)? != id {
            return Err(unreadable("sealed under another data key"));
        }
        envelope::open(&key, place, sealed).map_err(unreadable)
    }

    async fn key(&self, purpose: Purpose) -> Result<Known, AppError> {
        if let Some(known) = self.cached().get(&purpose) {
            return Ok(known.clone());
        }
        let found = match self.stored(purpose).await? {
            Some(found) => found,
            None => self.make(purpose).await?,
        };
        let mut cache = self.cached();
        if cache.len() >= CACHED {
            cache.clear();
        }
        cache.insert(purpose, found.clone());
        Ok(found)
    }

    fn cached(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn stored(&self, purpose: Purpose) -> Result<Option<Known>, AppError> {
        let workspace = purpose.workspace();
        let mut read = self.db.read(workspace).await?;
        let row = sqlx::query!(
            "select data_key_id, wrapped from data_keys where workspace_id = $1 and purpose = $2",
            workspace.0,
            purpose.word(),
        )
        .fetch_optional(read.conn())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let id = DataKeyId(row.data_key_id);
        let wrapped = WrappedKey::from_bytes(&row.wrapped).map_err(unusable)?;
        let key = self.keys.unwrap(id, workspace.0, &wrapped).await.map_err(unusable)?;
        Ok(Some((id, Arc::new(key))))
    }

    /// Two that make one at once: the first stays, the second uses it.
    async fn make(&self, purpose: Purpose) -> Result<Known, AppError> {
        let workspace = purpose.workspace();
        let (id, key) = (DataKeyId::generate(), DataKey::generate());
        let wrapped = self.keys.wrap(id, workspace.0, &key).await.map_err(unusable)?;
        self.db.insert_data_key(workspace, id, &purpose.word(), &wrapped, OffsetDateTime::now_utc()).await?;
        self.stored(purpose).await?.ok_or(AppError::Unavailable)
    }
}

fn unusable(error: KeyError) -> AppError {
    match error {
        KeyError::Unavailable(reason) => {
            tracing::warn!(%reason, "the key-encryption key cannot be had");
            AppError::Unavailable
        }
        error => unreadable(error),
    }
}

fn unreadable(error: impl std::fmt::Display) -> AppError {
    tracing::error!(%error, "an envelope does not open");
    AppError::Internal
}
