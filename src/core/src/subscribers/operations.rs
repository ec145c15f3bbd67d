//! Subscribing, saying yes, being told, and going.

use super::queries::{self, New, ToTell};
use crate::{
    Actor, AppError, Ctx,
    accounts::{self, parse_email},
    actor::Request,
    audit_log::{Action, Event},
    envelope::Place,
    ids::{SubscriberId, WorkspaceId},
    mail::{self, Letter},
    secrets,
    subprocessors::{Notice, operations as subprocessors, words},
};
use secrecy::ExposeSecret;
use time::Duration;
use tokio::time::sleep;

/// How long the link by which one says yes may wait.
const HOURS: i64 = 72;
/// Mails to one address, and requests from one, in an hour.
const FREE_PER_EMAIL: i32 = 3;
const FREE_PER_ADDRESS: i32 = 20;
const BATCH: i32 = 100;
/// When whoever asked is answered: longer than it takes, whether the address is known or not.
const ANSWERS_AFTER: std::time::Duration = std::time::Duration::from_millis(250);

/// Asks the address whether it wants to be told. Whoever asks for it hears the same whether it is told already or not.
///
/// # Errors
/// [`AppError::Invalid`] for what is no address; [`AppError::Throttled`].
pub async fn subscribe(ctx: &Ctx, request: &Request, email: &str) -> Result<(), AppError> {
    let email = parse_email("email", email)?;
    let from = request.address.as_deref().unwrap_or("local");
    for (what, whose, free) in
        [("subscribe to mail", email.as_str(), FREE_PER_EMAIL), ("subscribe from", from, FREE_PER_ADDRESS)]
    {
        let wait = accounts::attempt(&ctx.db.auth, &secrets::bucket(what, whose), free, ctx.clock.now()).await?;
        if let Some(wait) = wait {
            return Err(AppError::Throttled(wait));
        }
    }
    let (asked, ()) = tokio::join!(ask(ctx, request, &email), sleep(ANSWERS_AFTER));
    asked
}

async fn ask(ctx: &Ctx, request: &Request, email: &str) -> Result<(), AppError> {
    let (id, confirm, end) = (SubscriberId::new(), secrets::token(), secrets::token());
    let end_sealed = ctx.vault.seal(WorkspaceId::PLATFORM, &place(&id), end.expose_secret().as_bytes()).await?;
    let letter = Letter {
        to: email.to_owned(),
        subject: "Notices about subprocessors of send0".into(),
        text: format!(
            "Somebody wants this address to be told when send0 announces a change of its subprocessors.\n\nOpen the link within {HOURS} \
             hours to agree. If that was not you, do nothing, and nothing more is sent."
        ),
        link: Some(format!("{}/subscription/{}", ctx.origin, confirm.expose_secret())),
    };
    let letter = mail::operations::seal(ctx, WorkspaceId::PLATFORM, &letter).await?;
    let new = New {
        id,
        email,
        confirm_hash: secrets::hash(confirm.expose_secret()),
        expires_at: ctx.clock.now() + Duration::hours(HOURS),
        end_hash: secrets::hash(end.expose_secret()),
        end_sealed: &end_sealed,
    };
    let mut tx = ctx.db.change(&Actor::anonymous(request.clone())).await?;
    if queries::ask(tx.conn(), &new).await? {
        letter.put(tx.conn()).await?;
    }
    tx.commit(Event::new(Action::SubscriptionRequested)).await
}

fn place(id: &SubscriberId) -> Place<'_> {
    Place { workspace: WorkspaceId::PLATFORM.0, table: "subscribers", column: "end_sealed", row: id.0.as_bytes() }
}

/// Whose link this is. Looking confirms nothing.
///
/// # Errors
/// [`AppError::NotFound`] for one that is void.
pub async fn offer(ctx: &Ctx, token: &str) -> Result<String, AppError> {
    queries::offer(&ctx.db.auth, &secrets::hash(token), ctx.clock.now()).await?.ok_or(AppError::NotFound)
}

/// Says yes, once. Gives the address.
///
/// # Errors
/// [`AppError::Refused`] for a void link.
pub async fn confirm(ctx: &Ctx, request: &Request, token: &str) -> Result<String, AppError> {
    let actor = Actor::anonymous(request.clone());
    let mut tx = ctx.db.change(&actor).await?;
    let Some((id, email)) = queries::confirm(tx.conn(), &secrets::hash(token), ctx.clock.now()).await? else {
        drop(tx);
        let text = "This link is void: it was used, sent again, or it is too old. Subscribe once more.";
        let event = Event::new(Action::SubscriptionConfirmed);
        return ctx.refuse(&actor, event, "void_link", AppError::Refused(text.into())).await;
    };
    tx.commit(Event::new(Action::SubscriptionConfirmed).on("subscriber", id, Some(&email))).await.map(|()| email)
}

/// Ends it, for whoever holds the link of any mail. May be repeated: gone is gone.
pub async fn end(ctx: &Ctx, request: &Request, token: &str) -> Result<(), AppError> {
    let mut tx = ctx.db.change(&Actor::anonymous(request.clone())).await?;
    match queries::end(tx.conn(), &secrets::hash(token)).await? {
        Some(id) => tx.commit(Event::new(Action::SubscriptionEnded).on("subscriber", id, None)).await,
        None => Ok(()),
    }
}

/// Tells subscribers what is new. Returns how many mails were written.
pub async fn tell(ctx: &Ctx) -> Result<usize, AppError> {
    let now = ctx.clock.now();
    queries::purge(&ctx.db.worker, now).await?;
    let due = queries::to_tell(&ctx.db.worker, now, BATCH).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let public = subprocessors::public(ctx).await?;
    let mut told = 0;
    for one in due {
        let notice = public.announced.iter().chain(&public.history).find(|notice| notice.id == one.notice);
        let Some(notice) = notice else { continue };
        told += usize::from(tell_one(ctx, &one, notice).await?);
    }
    Ok(told)
}

async fn tell_one(ctx: &Ctx, one: &ToTell, notice: &Notice) -> Result<bool, AppError> {
    let end = ctx.vault.open(WorkspaceId::PLATFORM, &place(&one.subscriber), &one.end_sealed).await?;
    let end = std::str::from_utf8(&end).map_err(|_| AppError::Internal)?;
    let unsubscribe = format!("{}/unsubscribe/{end}", ctx.origin);
    let (subject, text) = words(&one.told, notice, ctx.clock.now(), "");
    let letter = Letter {
        to: one.email.clone(),
        subject: format!("send0: {subject}"),
        text: format!("{text}\n\nYou are told because you subscribed. To end it: {unsubscribe}"),
        link: Some(format!("{}/subprocessors#{}", ctx.origin, notice.id)),
    };
    let letter = mail::operations::seal_to_list(ctx, &letter, unsubscribe).await?;
    let mut tx = ctx.db.change(&Actor::jobs(WorkspaceId::PLATFORM, "subscribers")).await?;
    if !queries::told(tx.conn(), one).await? {
        return Ok(false);
    }
    letter.put(tx.conn()).await?;
    let event = Event::new(Action::SubscriberTold).on("subscriber", one.subscriber, Some(&one.email));
    tx.commit(event.on("notice", notice.id, Some(&notice.details.vendor)).change(
        "about",
        None::<&str>,
        one.told.as_str(),
    ))
    .await
    .map(|()| true)
}
