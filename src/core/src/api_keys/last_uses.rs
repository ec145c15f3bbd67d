//! When keys were last used: gathered in memory and written every second, so that no call waits for it.

use crate::{
    AppError, Ctx,
    ids::{KeyId, WorkspaceId},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use time::OffsetDateTime;

type Uses = HashMap<(WorkspaceId, KeyId), OffsetDateTime>;

/// The uses not yet written. Those of the last second are lost when the process is killed; the log has them all.
#[derive(Clone, Default)]
pub struct LastUses(Arc<Mutex<Uses>>);

impl LastUses {
    pub(super) fn note(&self, workspace: WorkspaceId, key: KeyId, at: OffsetDateTime) {
        self.take_lock().entry((workspace, key)).and_modify(|last| *last = at.max(*last)).or_insert(at);
    }

    fn take_lock(&self) -> std::sync::MutexGuard<'_, Uses> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what was gathered.
pub async fn flush(ctx: &Ctx) -> Result<(), AppError> {
    let uses = std::mem::take(&mut *ctx.last_uses.take_lock());
    if uses.is_empty() {
        return Ok(());
    }
    let (mut workspaces, mut keys, mut times) = (vec![], vec![], vec![]);
    for ((workspace, key), at) in uses {
        workspaces.push(workspace.0);
        keys.push(key.0);
        times.push(at);
    }
    sqlx::query!("select keys_used($1, $2, $3)", &workspaces, &keys, &times).execute(&ctx.db.worker).await?;
    Ok(())
}
