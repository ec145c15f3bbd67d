//! What people set for themselves: name, zone and theme, password, mail address.

use super::{FREE_PER_ACCOUNT, SignedIn, operations, parse_email, queries};
use crate::{
    AppError, Ctx,
    actor::Request,
    api_keys::line,
    audit_log::{Action, Event},
    error::Checks,
    ids::{UserId, WorkspaceId},
    mail::{self, Letter},
    secrets, two_factor, zones,
};
use secrecy::{ExposeSecret, SecretString};
use time::{Duration, OffsetDateTime};

use super::NAME_MAX;

/// How long a new mail address may wait to be confirmed.
const ADDRESS_HOURS: i64 = 24;

/// Name, zone and theme, as typed.
#[derive(Clone, Debug, Default)]
pub struct SettingsText {
    /// How one is called.
    pub name: String,
    /// An IANA name; empty: that of the browser.
    pub time_zone: String,
    /// `system`, `light` or `dark`.
    pub theme: String,
}

/// Changes name, zone and theme.
///
/// # Errors
/// [`AppError::Invalid`] with every field that is wrong.
pub async fn change(ctx: &Ctx, request: &Request, signed_in: &SignedIn, new: SettingsText) -> Result<(), AppError> {
    let mut checks = Checks::default();
    let name = checks.keep(line("name", &new.name, NAME_MAX));
    let time_zone = checks.keep(zones::parse("time_zone", &new.time_zone));
    let theme = checks.keep(super::parse_theme(&new.theme));
    checks.finish()?;
    let (Some(name), Some(time_zone), Some(theme)) = (name, time_zone, theme) else { return Err(AppError::Internal) };
    let mut event = about(Action::AccountChanged, signed_in);
    for (field, before, after) in [
        ("name", &signed_in.name, &name),
        ("time_zone", &signed_in.time_zone, &time_zone),
        ("theme", &signed_in.theme, &theme),
    ] {
        if before != after {
            event = event.change(field, before.clone(), after.clone());
        }
    }
    let mut tx = ctx.db.change_account().await?;
    queries::set(tx.conn(), signed_in.user, &name, &time_zone, &theme).await?;
    let actors = operations::everywhere(tx.conn(), signed_in, request).await?;
    tx.commit(&actors, event).await
}

/// Changes the password. Every other session of the person ends. Returns how many that were.
///
/// # Errors
/// [`AppError::Invalid`] for a wrong present password and for a new one that cannot be chosen; [`AppError::Throttled`].
pub async fn change_password(
    ctx: &Ctx,
    request: &Request,
    signed_in: &SignedIn,
    present: SecretString,
    new: SecretString,
) -> Result<i64, AppError> {
    prove(ctx, request, signed_in, ("present", present), Action::PasswordChanged).await?;
    operations::check_new_password(ctx, "new_password", &new, signed_in.user, &signed_in.email).await?;
    let hash = ctx.passwords.hash(new).await?;
    let letter =
        told(ctx, &signed_in.email, "Your password was changed", "All your other sessions have ended.").await?;
    let mut tx = ctx.db.change_account().await?;
    queries::set_password(tx.conn(), signed_in.user, &hash).await?;
    let ended = queries::end_other_sessions(tx.conn(), signed_in.user, signed_in.session).await?;
    letter.put(tx.conn()).await?;
    let event = about(Action::PasswordChanged, signed_in).change("other_sessions_ended", None::<i64>, ended);
    let actors = operations::everywhere(tx.conn(), signed_in, request).await?;
    tx.commit(&actors, event).await.map(|()| ended)
}

/// Whoever changes what opens the account shows that they know the password: a session left open is not enough.
pub(crate) async fn prove(
    ctx: &Ctx,
    request: &Request,
    signed_in: &SignedIn,
    (field, password): (&str, SecretString),
    attempted: Action,
) -> Result<(), AppError> {
    let bucket = secrets::bucket("password of the account", &signed_in.user.to_string());
    let wait = queries::attempt(&ctx.db.auth, &bucket, FREE_PER_ACCOUNT, ctx.clock.now()).await?;
    if let Some(wait) = wait {
        return operations::refuse_everywhere(
            ctx,
            request,
            signed_in,
            about(attempted, signed_in),
            "throttled",
            AppError::Throttled(wait),
        )
        .await;
    }
    let stored = queries::password_hash(&ctx.db.auth, signed_in.user).await?;
    if !ctx.passwords.verify(super::operations::sane(password), stored).await? {
        let wrong = AppError::field(field, "wrong_password", "This is not your present password.");
        return operations::refuse_everywhere(
            ctx,
            request,
            signed_in,
            about(attempted, signed_in),
            "wrong_password",
            wrong,
        )
        .await;
    }
    queries::forget_failures(&ctx.db.auth, &bucket).await
}

fn about(action: Action, signed_in: &SignedIn) -> Event {
    Event::new(action).on("user", signed_in.user, Some(&signed_in.name))
}

pub(crate) async fn told(ctx: &Ctx, to: &str, subject: &str, text: &str) -> Result<mail::operations::Sealed, AppError> {
    let text = format!("{text}\n\nWas this not you? Write to an owner of your workspace now.");
    mail::notices::account_notice(ctx, to, subject, &text).await
}

/// A new mail address that waits.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingAddress {
    /// The new one.
    pub email: String,
    /// Whether the present one has said yes.
    pub old_confirmed: bool,
    /// Whether the new one has.
    pub new_confirmed: bool,
    /// Until when both must have.
    pub expires_at: OffsetDateTime,
}

/// What whoever holds one of the two links is told.
#[derive(Clone, Debug, PartialEq)]
pub struct AddressOffer {
    /// Whose address.
    pub user: UserId,
    /// How they are called.
    pub name: String,
    /// The address until now.
    pub old_email: String,
    /// The one to come.
    pub email: String,
    /// Whether this link went to the new one.
    pub by_new: bool,
    /// Whether this link has said yes already.
    pub confirmed: bool,
}

/// Begins to change the mail address: a link goes to the present one and one to the new one, and both must be opened.
/// Whether the new one belongs to another account is not told here: only to whoever reads its mail.
///
/// # Errors
/// [`AppError::Invalid`] for a wrong password or what is no address; [`AppError::Throttled`]; [`AppError::ProofNeeded`].
pub async fn request_address(
    ctx: &Ctx,
    request: &Request,
    signed_in: &SignedIn,
    password: SecretString,
    email: &str,
) -> Result<String, AppError> {
    let action = Action::AddressChangeRequested;
    let email = parse_email("email", email)?;
    if email == signed_in.email {
        return Err(AppError::field("email", "unchanged", "This is your address already."));
    }
    // The password alone is one factor, and a mail address is what brings a new one.
    let words = format!("Change the mail address to {email}");
    two_factor::operations::demand_proof(ctx, request, signed_in, about(action, signed_in), &words).await?;
    prove(ctx, request, signed_in, ("password", password), action).await?;
    let (old_token, new_token) = (secrets::token(), secrets::token());
    let old_letter = asked(ctx, &signed_in.email, signed_in, &email, &old_token).await?;
    let new_letter = asked(ctx, &email, signed_in, &email, &new_token).await?;
    let mut tx = ctx.db.change_account().await?;
    let hashes = [&old_token, &new_token].map(|token| secrets::hash(token.expose_secret()));
    let until = ctx.clock.now() + Duration::hours(ADDRESS_HOURS);
    queries::start_address_change(tx.conn(), signed_in.user, &email, &hashes, until).await?;
    old_letter.put(tx.conn()).await?;
    new_letter.put(tx.conn()).await?;
    let event = about(action, signed_in).change("email", signed_in.email.clone(), email.clone());
    let actors = operations::everywhere(tx.conn(), signed_in, request).await?;
    tx.commit(&actors, event).await.map(|()| email)
}

async fn asked(
    ctx: &Ctx,
    to: &str,
    signed_in: &SignedIn,
    email: &str,
    token: &SecretString,
) -> Result<mail::operations::Sealed, AppError> {
    let letter = Letter {
        to: to.to_owned(),
        subject: "Confirm a new mail address".to_owned(),
        text: format!(
            "{} asked to sign in to send0 with {email} instead of {}. Both addresses must say yes within {ADDRESS_HOURS} hours. \
             Was this not you? Do nothing, and change your password.",
            signed_in.name, signed_in.email
        ),
        link: Some(format!("{}/account/address/{}", ctx.origin, token.expose_secret())),
    };
    mail::operations::seal(ctx, WorkspaceId::PLATFORM, &letter).await
}

/// The new address that waits, if there is one.
pub async fn pending_address(ctx: &Ctx, signed_in: &SignedIn) -> Result<Option<PendingAddress>, AppError> {
    queries::pending_address(&ctx.db.auth, signed_in.user, ctx.clock.now()).await
}

/// Calls the change off: both links are void. None that waits is no error.
pub async fn cancel_address(ctx: &Ctx, request: &Request, signed_in: &SignedIn) -> Result<(), AppError> {
    let mut tx = ctx.db.change_account().await?;
    if !queries::cancel_address_change(tx.conn(), signed_in.user).await? {
        return Ok(());
    }
    let actors = operations::everywhere(tx.conn(), signed_in, request).await?;
    tx.commit(&actors, about(Action::AddressChangeCancelled, signed_in)).await
}

/// What the link is for. Looking confirms nothing.
///
/// # Errors
/// [`AppError::NotFound`] for one that is void.
pub async fn address_offer(ctx: &Ctx, token: &str) -> Result<AddressOffer, AppError> {
    queries::find_address_change(&ctx.db.auth, &secrets::hash(token), ctx.clock.now()).await?.ok_or(AppError::NotFound)
}

/// Says yes for one of the two addresses; with the second yes the address changes. Whoever holds the link reads that
/// address's mail: no session is needed. Returns whether it has changed.
///
/// # Errors
/// [`AppError::Refused`] for a void link; [`AppError::Conflict`] when the new address belongs to another account by now.
pub async fn confirm_address(ctx: &Ctx, request: &Request, token: &str) -> Result<bool, AppError> {
    let void = || AppError::Refused("This link is void: it is too old, or the change was called off.".into());
    let offer = match address_offer(ctx, token).await {
        Err(AppError::NotFound) => return Err(void()),
        offer => offer?,
    };
    let letter = told(
        ctx,
        &offer.old_email,
        "Your mail address was changed",
        &format!("You sign in with {} from now on.", offer.email),
    )
    .await?;
    let mut tx = ctx.db.change_account().await?;
    let changed = queries::confirm_address_change(tx.conn(), &secrets::hash(token), ctx.clock.now()).await?;
    let event = match changed {
        true => Event::new(Action::AddressChanged).change("email", offer.old_email.clone(), offer.email.clone()),
        false => {
            Event::new(Action::AddressConfirmed).change("by", None::<String>, if offer.by_new { "new" } else { "old" })
        }
    };
    if changed {
        letter.put(tx.conn()).await?;
    }
    let actors = operations::of_account(tx.conn(), offer.user, request).await?;
    tx.commit(&actors, event.on("user", offer.user, Some(&offer.name))).await.map(|()| changed)
}
