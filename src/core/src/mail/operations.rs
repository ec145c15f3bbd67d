//! Sealing mail into the transaction of what it tells, and reading the local mailbox.

use super::{Letter, MailView, queries};
use crate::{
    AppError, Ctx,
    envelope::Place,
    ids::{MailId, WorkspaceId},
};
use sqlx::PgConnection;
use time::OffsetDateTime;

/// How many mails the local mailbox shows.
const SHOWN: i32 = 50;

/// A sealed mail on its way into the database.
pub struct Sealed {
    id: MailId,
    workspace: WorkspaceId,
    text: Vec<u8>,
    at: OffsetDateTime,
}

/// Seals a mail of a workspace; of an account, under the platform's.
///
/// # Errors
/// [`AppError::Unavailable`] when the key cannot be had. Nothing is kept in the clear instead.
pub async fn seal(ctx: &Ctx, workspace: WorkspaceId, letter: &Letter) -> Result<Sealed, AppError> {
    let id = MailId::new();
    let text = serde_json::to_vec(letter).map_err(|_| AppError::Internal)?;
    let text = ctx.vault.seal(workspace, &place(workspace, &id), &text).await?;
    Ok(Sealed { id, workspace, text, at: ctx.clock.now() })
}

impl Sealed {
    /// Puts it into the transaction of what it tells: sent if that is committed, and only then.
    pub(crate) async fn put(&self, conn: &mut PgConnection) -> Result<(), AppError> {
        queries::put(conn, self.id, self.workspace, &self.text, self.at).await
    }
}

/// The newest mails, as nobody but whoever runs the server in its default mode may read them.
pub async fn mailbox(ctx: &Ctx) -> Result<Vec<MailView>, AppError> {
    let mut mails = vec![];
    for row in queries::newest(&ctx.db.auth, SHOWN).await? {
        let text = ctx.vault.open(row.workspace, &place(row.workspace, &row.id), &row.sealed).await?;
        let letter = serde_json::from_slice(&text).map_err(|_| AppError::Internal)?;
        mails.push(MailView { id: row.id, at: row.at, letter });
    }
    Ok(mails)
}

fn place<'a>(workspace: WorkspaceId, id: &'a MailId) -> Place<'a> {
    Place { workspace: workspace.0, table: "mails", column: "sealed", row: id.0.as_bytes() }
}
