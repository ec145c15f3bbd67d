//! What is shown once: sealed, read by whoever holds the cookie, on the page it was made for, and gone.

use crate::{
    AppError, Ctx,
    envelope::Place,
    ids::{InvitationId, KeyId, StreamId, WorkspaceId},
    invitations::Invited,
    secrets,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime};

/// How long it waits to be read.
const LIFETIME: Duration = Duration::minutes(5);

/// What is shown once.
#[derive(Clone, Serialize, Deserialize)]
pub enum Flash {
    /// A refused form: what was wrong, and the values that may be shown again.
    Form {
        /// The path of the server function.
        action: String,
        /// Why it was refused.
        error: AppError,
        /// The fields that the form declares as harmless.
        values: BTreeMap<String, Vec<String>>,
    },
    /// A form that was accepted: a sentence for the next page.
    Notice(String),
    /// What became of the addresses that were to be invited.
    Invited(Vec<Invited>),
    /// A link that lets somebody in.
    Link {
        /// Of which invitation.
        id: InvitationId,
        /// The whole link.
        url: String,
    },
    /// Recovery codes just made.
    RecoveryCodes(Vec<String>),
    /// A key just issued.
    Key {
        /// Which.
        id: KeyId,
        /// The whole key.
        key: String,
    },
    /// What the batches of a stream are signed with, just made.
    StreamSecret {
        /// Of which stream.
        id: StreamId,
        /// The whole secret.
        secret: String,
    },
}

/// A sealed flash on its way into the database.
pub struct Row {
    hash: [u8; 32],
    workspace: WorkspaceId,
    place: String,
    sealed: Vec<u8>,
    expires_at: OffsetDateTime,
}

/// Seals a flash for the page at `place` (a path without its query). The token goes into a cookie; what is stored is
/// its hash.
pub async fn seal(
    ctx: &Ctx,
    workspace: WorkspaceId,
    place: &str,
    flash: &Flash,
) -> Result<(SecretString, Row), AppError> {
    let token = secrets::token();
    let hash = secrets::hash(token.expose_secret());
    let text = serde_json::to_vec(flash).map_err(|_| AppError::Internal)?;
    let sealed = ctx.vault.seal(workspace, &at(workspace, &hash), &text).await?;
    let expires_at = ctx.clock.now() + LIFETIME;
    Ok((token, Row { hash, workspace, place: place.to_owned(), sealed, expires_at }))
}

impl Row {
    pub(crate) async fn put(&self, conn: &mut PgConnection) -> Result<(), AppError> {
        sqlx::query!(
            "select flash_put($1, $2, $3, $4, $5)",
            self.hash.as_slice(),
            self.workspace.0,
            self.place,
            self.sealed,
            self.expires_at
        )
        .execute(conn)
        .await?;
        Ok(())
    }
}

/// Seals and stores: for what is no part of a change.
pub async fn put(ctx: &Ctx, workspace: WorkspaceId, place: &str, flash: &Flash) -> Result<SecretString, AppError> {
    let (token, row) = seal(ctx, workspace, place, flash).await?;
    row.put(&mut *ctx.db.auth.acquire().await?).await?;
    Ok(token)
}

/// Takes the flash, if there is one for this token and this place. The next call finds nothing.
pub async fn take(ctx: &Ctx, token: &str, place: &str) -> Result<Option<Flash>, AppError> {
    let hash = secrets::hash(token);
    let row = sqlx::query!(
        r#"select workspace_id as "workspace_id!", sealed as "sealed!" from flash_take($1, $2, $3)"#,
        hash.as_slice(),
        place,
        ctx.clock.now(),
    )
    .fetch_optional(&ctx.db.auth)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let workspace = WorkspaceId(row.workspace_id);
    let text = ctx.vault.open(workspace, &at(workspace, &hash), &row.sealed).await?;
    serde_json::from_slice(&text).map(Some).map_err(|_| AppError::Internal)
}

fn at<'a>(workspace: WorkspaceId, hash: &'a [u8; 32]) -> Place<'a> {
    Place { workspace: workspace.0, table: "flashes", column: "sealed", row: hash }
}

#[cfg(all(test, feature = "testing"))]
mod tests;
