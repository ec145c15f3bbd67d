//! The one row that is written outside a change: a wrapped data key is made when it is first needed, by whatever
//! needs it, and says nothing about anybody. It is the reason why this is not in a room.

use super::{Database, transactions};
use crate::{
    AppError,
    envelope::{DataKeyId, WrappedKey},
    ids::WorkspaceId,
};
use time::OffsetDateTime;

impl Database {
    pub(crate) async fn insert_data_key(
        &self,
        workspace: WorkspaceId,
        id: DataKeyId,
        purpose: &str,
        wrapped: &WrappedKey,
        now: OffsetDateTime,
    ) -> Result<(), AppError> {
        let mut tx = transactions::begin(&self.app, workspace, "").await?;
        sqlx::query!(
            "insert into data_keys (workspace_id, data_key_id, purpose, wrapped, created_at) values ($1, $2, $3, $4, $5)
             on conflict (workspace_id, purpose) do nothing",
            workspace.0, id.0, purpose, wrapped.to_bytes(), now,
        )
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }
}
