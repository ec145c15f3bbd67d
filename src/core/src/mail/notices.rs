//! What other rooms have told: to the security contacts of a workspace, or to one person about their own account.

use super::{
    Letter,
    operations::{Sealed, seal},
};
use crate::{
    Actor, AppError, Ctx,
    contacts::{self, NoticeKind, Told},
    database::WorkspaceTx,
    ids::{MailId, WorkspaceId},
};
use sqlx::PgConnection;

/// One sealed letter for each who is told, on its way into a transaction.
pub(crate) struct Notices(Vec<Sealed>);

impl Notices {
    /// Their ids, in the order in which they were sealed.
    pub(crate) fn ids(&self) -> impl Iterator<Item = MailId> {
        self.0.iter().map(Sealed::id)
    }

    /// Puts them into the transaction of what they tell.
    pub(crate) async fn put(&self, conn: &mut PgConnection) -> Result<(), AppError> {
        for letter in &self.0 {
            letter.put(conn).await?;
        }
        Ok(())
    }
}

/// A letter to each contact of the workspace that is told this kind of thing. To be called before the transaction, which
/// the letters are then put into.
pub(crate) async fn security_notice(
    ctx: &Ctx,
    workspace: WorkspaceId,
    kind: NoticeKind,
    subject: &str,
    text: &str,
) -> Result<Notices, AppError> {
    let told = contacts::told(ctx.db.read(workspace).await?.conn(), workspace, Some(kind)).await?;
    sealed(ctx, workspace, told, subject, text).await
}

/// The same from within a transaction, for what is known only there. Warm the workspace's key before it begins
/// (`ctx.vault.warm`), so that sealing needs no second connection.
pub(crate) async fn tell_contacts(
    ctx: &Ctx,
    actor: &Actor,
    tx: &mut WorkspaceTx,
    kind: NoticeKind,
    subject: &str,
    text: &str,
) -> Result<(), AppError> {
    let told = contacts::told(tx.conn(), actor.workspace, Some(kind)).await?;
    sealed(ctx, actor.workspace, told, subject, text).await?.put(tx.conn()).await
}

/// A letter to one person about their account, sealed under the platform's key.
pub(crate) async fn account_notice(ctx: &Ctx, to: &str, subject: &str, text: &str) -> Result<Sealed, AppError> {
    account_notice_with(ctx, to, subject, text, None).await
}

/// The same, with a link.
pub(crate) async fn account_notice_with(
    ctx: &Ctx,
    to: &str,
    subject: &str,
    text: &str,
    link: Option<String>,
) -> Result<Sealed, AppError> {
    let letter = Letter { to: to.to_owned(), subject: one_line(subject), text: text.to_owned(), link };
    seal(ctx, WorkspaceId::PLATFORM, &letter).await
}

/// Who did it, for the beginning of a sentence.
pub(crate) fn who(actor: &Actor) -> &str {
    actor.name().unwrap_or("The operator of this server")
}

async fn sealed(ctx: &Ctx, workspace: WorkspaceId, told: Told, subject: &str, text: &str) -> Result<Notices, AppError> {
    let link = format!("{}/w/{}", ctx.origin, told.slug);
    sealed_with(ctx, workspace, &told, (subject, text), link).await
}

/// A letter to each of these, in the order of their addresses.
pub(crate) async fn sealed_with(
    ctx: &Ctx,
    workspace: WorkspaceId,
    told: &Told,
    (subject, text): (&str, &str),
    link: String,
) -> Result<Notices, AppError> {
    let subject = one_line(&format!("{}: {subject}", told.workspace));
    let text = format!("{text}\n\nYou are told because you are a security contact of {}.", told.workspace);
    let mut letters = vec![];
    for to in &told.addresses {
        let letter = Letter { to: to.clone(), subject: subject.clone(), text: text.clone(), link: Some(link.clone()) };
        letters.push(seal(ctx, workspace, &letter).await?);
    }
    Ok(Notices(letters))
}

/// A notice must not fail for a name that somebody has stored: what cannot stand in a subject becomes a space.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
