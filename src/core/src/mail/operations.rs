//! Sealing mail into the transaction of what it tells, sending it, and reading the local mailbox.

use super::{DeliveryError, Letter, MailView, RETRIES, Relay, queries};
use crate::{
    Actor, AppError, Ctx,
    actor::{Request, Who},
    audit_log::{Action, Event, Outcome},
    envelope::Place,
    ids::{MailId, RequestId, WorkspaceId},
};
use futures::future::join_all;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

/// How many mails the local mailbox shows.
const SHOWN: i32 = 50;
/// How many mails are sent at once.
pub(super) const BATCH: i32 = 8;
/// How long a worker has to send what it has claimed: longer than an attempt can take.
pub(super) const LEASE: Duration = Duration::minutes(3);

/// A sealed mail on its way into the database.
pub struct Sealed {
    id: MailId,
    workspace: WorkspaceId,
    text: Vec<u8>,
    at: OffsetDateTime,
    /// Whether there is a relay to wait for. Without one the local mailbox has it at once.
    relayed: bool,
}

/// Seals a mail of a workspace; of an account, under the platform's.
///
/// # Errors
/// [`AppError::Unavailable`] when the key cannot be had. Nothing is kept in the clear instead. [`AppError::Internal`] for
/// a letter that would say to a mail server what it should not: whoever writes one sees to that.
pub async fn seal(ctx: &Ctx, workspace: WorkspaceId, letter: &Letter) -> Result<Sealed, AppError> {
    seal_kept(ctx, workspace, Kept { letter: letter.clone(), unsubscribe: None }).await
}

async fn seal_kept(ctx: &Ctx, workspace: WorkspaceId, kept: Kept) -> Result<Sealed, AppError> {
    kept.letter.check().map_err(|error| {
        tracing::error!(%error, "a letter cannot be sent");
        AppError::Internal
    })?;
    let id = MailId::new();
    let text = serde_json::to_vec(&kept).map_err(|_| AppError::Internal)?;
    let text = ctx.vault.seal(workspace, &place(workspace, &id), &text).await?;
    Ok(Sealed { id, workspace, text, at: ctx.clock.now(), relayed: ctx.relay.is_some() })
}

/// A letter as it is kept: with the address by which whoever gets it ends the list it is from.
#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    letter: Letter,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unsubscribe: Option<String>,
}

/// A letter of a list, with the address that ends it by one click (RFC 8058). Of the platform.
pub(crate) async fn seal_to_list(ctx: &Ctx, letter: &Letter, unsubscribe: String) -> Result<Sealed, AppError> {
    seal_kept(ctx, WorkspaceId::PLATFORM, Kept { letter: letter.clone(), unsubscribe: Some(unsubscribe) }).await
}

impl Sealed {
    pub(crate) fn id(&self) -> MailId {
        self.id
    }

    /// Puts it into the transaction of what it tells: sent if that is committed, and only then.
    pub(crate) async fn put(&self, conn: &mut PgConnection) -> Result<(), AppError> {
        queries::put(conn, self.id, self.workspace, &self.text, self.at, self.relayed).await
    }
}

/// Sends what is due, as far as the relay takes it. Returns how many mails were tried. Any number of workers may do this:
/// a mail belongs to whoever claimed it, until the lease is over.
///
/// # Errors
/// [`AppError::Unavailable`] when the database cannot be asked. That the relay is down is no error: mail waits.
pub async fn deliver(ctx: &Ctx) -> Result<usize, AppError> {
    let Some(relay) = &ctx.relay else { return Ok(0) };
    let now = ctx.clock.now();
    // Committed before the relay is called: nobody waits on a lock for somebody else's server.
    let claimed = queries::claim(&ctx.db.worker, BATCH, now, now + LEASE).await?;
    let attempts = join_all(claimed.iter().map(|mail| attempt(ctx, relay, mail))).await;
    attempts.into_iter().collect::<Result<Vec<()>, _>>().map(|done| done.len())
}

async fn attempt(ctx: &Ctx, relay: &Relay, mail: &queries::Claimed) -> Result<(), AppError> {
    let letter = open(ctx, mail.workspace, mail.id, &mail.sealed).await;
    let sent = match &letter {
        Ok(kept) => relay.send(mail.id, &kept.letter, kept.unsubscribe.as_deref()).await,
        Err(_) => Err(DeliveryError::Sealed),
    };
    let Err(error) = sent else { return queries::sent(&ctx.db.worker, mail.id, ctx.clock.now()).await };
    tracing::warn!(mail = %mail.id, attempts = mail.attempts, %error, "a mail was not sent");
    let failed = usize::try_from(mail.attempts - 1).ok().filter(|_| !error.is_final());
    let wait = failed.and_then(|failed| RETRIES.get(failed));
    match wait {
        Some(wait) => queries::retry(&ctx.db.worker, mail, error, ctx.clock.now() + *wait).await,
        None => give_up(ctx, mail, letter.ok().map(|kept| kept.letter), error).await,
    }
}

/// For good, and in the log of the workspace: of an account's mail, in the platform's.
async fn give_up(
    ctx: &Ctx,
    mail: &queries::Claimed,
    letter: Option<Letter>,
    error: DeliveryError,
) -> Result<(), AppError> {
    let request = Request::new(RequestId::new(), "JOB", "mail", None, None);
    let actor = Actor { workspace: mail.workspace, who: Who::System("jobs"), request };
    let mut tx = ctx.db.change(&actor).await?;
    if !queries::give_up(tx.conn(), mail, error).await? {
        return Ok(());
    }
    let event = Event::new(Action::MailFailed)
        .because(Outcome::Failed, "not_delivered")
        .on("mail", mail.id, letter.as_ref().map(|letter| letter.to.as_str()))
        .change("attempts", None::<i32>, mail.attempts)
        .change("last_error", None::<String>, error.to_string());
    tx.commit(event).await
}

/// The newest mails, as nobody but whoever runs the server in its default mode may read them.
pub async fn mailbox(ctx: &Ctx) -> Result<Vec<MailView>, AppError> {
    opened(ctx, SHOWN).await
}

/// The newest mail to an address, however many there are to others.
pub async fn newest_to(ctx: &Ctx, to: &str) -> Result<Option<MailView>, AppError> {
    Ok(opened(ctx, i32::MAX).await?.into_iter().find(|mail| mail.letter.to == to))
}

async fn opened(ctx: &Ctx, limit: i32) -> Result<Vec<MailView>, AppError> {
    let mut mails = vec![];
    for row in queries::newest(&ctx.db.auth, limit).await? {
        let letter = open(ctx, row.workspace, row.id, &row.sealed).await?;
        mails.push(MailView { id: row.id, at: row.at, letter: letter.letter });
    }
    Ok(mails)
}

async fn open(ctx: &Ctx, workspace: WorkspaceId, id: MailId, sealed: &[u8]) -> Result<Kept, AppError> {
    let text = ctx.vault.open(workspace, &place(workspace, &id), sealed).await?;
    serde_json::from_slice(&text).map_err(|_| AppError::Internal)
}

fn place<'a>(workspace: WorkspaceId, id: &'a MailId) -> Place<'a> {
    Place { workspace: workspace.0, table: "mails", column: "sealed", row: id.0.as_bytes() }
}
