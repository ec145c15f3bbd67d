//! A new password for whoever forgot theirs, by a link in a mail. It touches no factor: whoever has a second one still
//! shows it (ASVS 6.4.3).

use super::{operations, parse_email, queries};
use crate::{
    AppError, Ctx,
    actor::Request,
    audit_log::{Action, Event, Outcome},
    ids::{UserId, WorkspaceId},
    mail::{self, Letter},
    secrets,
};
use secrecy::{ExposeSecret, SecretString};
use time::Duration;
use tokio::time::sleep;

/// How long the link opens something.
const MINUTES: i64 = 60;
/// How many mails of this kind an address gets in an hour before it has to wait.
const FREE: i32 = 5;

/// When whoever asked is answered: longer than sending takes.
const ANSWERS_AFTER: std::time::Duration = std::time::Duration::from_millis(250);

/// What whoever holds the link is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetOffer {
    /// Whose password.
    pub user: UserId,
    /// How they are called.
    pub name: String,
    /// How they sign in.
    pub email: String,
}

/// Sends the link, if there is such an account. Whoever asks is not told whether there is: the answer is the same, and
/// what takes time is done for both.
///
/// # Errors
/// [`AppError::Invalid`] for what is no address; [`AppError::Throttled`].
pub async fn request(ctx: &Ctx, request: &Request, email: &str) -> Result<(), AppError> {
    let email = parse_email("email", email)?;
    let bucket = secrets::bucket("password reset", &email);
    let wait = queries::attempt(&ctx.db.auth, &bucket, FREE, ctx.clock.now()).await?;
    if let Some(wait) = wait {
        return Err(AppError::Throttled(wait));
    }
    // Whether a link is sent shows in no time: both take as long.
    let (link, _) = tokio::join!(send_link(ctx, request, &email), sleep(ANSWERS_AFTER));
    link
}

async fn send_link(ctx: &Ctx, request: &Request, email: &str) -> Result<(), AppError> {
    let token = secrets::token();
    let letter = letter(ctx, email, &token).await?;
    let account = queries::find(&ctx.db.auth, email).await?;
    let event = Event::new(Action::PasswordResetRequested);
    let mut tx = ctx.db.change_account().await?;
    let Some(account) = account else {
        drop(tx);
        let actor = crate::Actor::anonymous(request.clone());
        return ctx.log_call(&actor, event.because(Outcome::Failed, "unknown_account")).await;
    };
    let until = ctx.clock.now() + Duration::minutes(MINUTES);
    queries::start_reset(tx.conn(), account.user, &secrets::hash(token.expose_secret()), until).await?;
    letter.put(tx.conn()).await?;
    let actors = operations::of_account(tx.conn(), account.user, request).await?;
    tx.commit(&actors, event.on("user", account.user, Some(&account.name))).await
}

async fn letter(ctx: &Ctx, email: &str, token: &SecretString) -> Result<mail::operations::Sealed, AppError> {
    let letter = Letter {
        to: email.to_owned(),
        subject: "Choose a new password".to_owned(),
        text: format!(
            "Somebody asked for a new password of your account at send0. The link opens once, within {MINUTES} minutes. A second \
             factor, if you have one, is asked for as ever. Was this not you? Do nothing: your password stays as it is."
        ),
        link: Some(format!("{}/sign-in/reset/{}", ctx.origin, token.expose_secret())),
    };
    mail::operations::seal(ctx, WorkspaceId::PLATFORM, &letter).await
}

/// What the link opens. Looking does not use it up.
///
/// # Errors
/// [`AppError::NotFound`] for one that is void.
pub async fn offer(ctx: &Ctx, token: &str) -> Result<ResetOffer, AppError> {
    queries::find_reset(&ctx.db.auth, &secrets::hash(token), ctx.clock.now()).await?.ok_or(AppError::NotFound)
}

/// Sets the new password, and ends every session of the account. Of several at once, one does.
///
/// # Errors
/// [`AppError::Refused`] for a void link, [`AppError::Invalid`] for a password that cannot be chosen.
pub async fn reset(ctx: &Ctx, request: &Request, token: &str, new: SecretString) -> Result<ResetOffer, AppError> {
    let offer = match offer(ctx, token).await {
        Err(AppError::NotFound) => return refuse_void(ctx, request).await,
        offer => offer?,
    };
    operations::check_new_password(ctx, "password", &new, offer.user, &offer.email).await?;
    let hash = ctx.passwords.hash(new).await?;
    let text = "It was set with a link that was mailed to you. All your sessions have ended.";
    let letter = super::settings::told(ctx, &offer.email, "Your password was changed", text).await?;
    let mut tx = ctx.db.change_account().await?;
    if !queries::take_reset(tx.conn(), &secrets::hash(token)).await? {
        drop(tx);
        return refuse_void(ctx, request).await;
    }
    queries::set_password(tx.conn(), offer.user, &hash).await?;
    queries::end_all(tx.conn(), offer.user).await?;
    letter.put(tx.conn()).await?;
    let actors = operations::of_account(tx.conn(), offer.user, request).await?;
    let event = Event::new(Action::PasswordReset).on("user", offer.user, Some(&offer.name));
    tx.commit(&actors, event).await.map(|()| offer)
}

async fn refuse_void<T>(ctx: &Ctx, request: &Request) -> Result<T, AppError> {
    let text = "This link is void: it was used, a newer one was sent, or it is too old. Ask for another.";
    let actor = crate::Actor::anonymous(request.clone());
    ctx.refuse(&actor, Event::new(Action::PasswordReset), "void_link", AppError::Refused(text.into())).await
}
