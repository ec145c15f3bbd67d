//! Codes: of an authenticator app, and for recovery. What must be refused is most of it: every code opens once, guesses are
//! counted before they are looked at, and a code is never enough without the password before it.

use super::{Enrolment, Factors, RECOVERY_CODES, normal_recovery_code, queries, totp};
use crate::{
    AppError, Ctx,
    accounts::{self, Factor, Shown, SignedIn, operations::everywhere, operations::refuse_everywhere, settings::told},
    actor::Request,
    audit_log::{Action, Event},
    envelope::Place,
    flash::{self, Flash},
    ids::{UserId, WorkspaceId},
    intent::Intent,
    operators,
    policies::operations::keep_enough,
    secrets,
};
use secrecy::SecretString;
use sqlx::{PgExecutor, PgPool};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

/// How long an authenticator app may take to be set up.
const ENROLMENT_LASTS: Duration = Duration::hours(1);
const ADD_APP: &str = "Add an authenticator app";
/// What takes several requests.
const STEPS: [&str; 2] = [ADD_APP, super::passkeys::ADD];
/// Letters and digits that nobody takes for others.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// 24 characters of 5 bits: 120 bits, enough to be stored as SHA-256 (ASVS 6.5.2).
const CODE_LENGTH: usize = 24;

pub(crate) async fn factors_of(executor: impl PgExecutor<'_>, user: UserId) -> Result<Factors, AppError> {
    queries::factors(executor, user).await
}

pub(crate) async fn purge(pool: &PgPool, now: OffsetDateTime) -> Result<i64, AppError> {
    queries::purge(pool, now).await
}

/// What the person can show besides their password.
pub async fn factors(ctx: &Ctx, signed_in: &SignedIn) -> Result<Factors, AppError> {
    queries::factors(&ctx.db.auth, signed_in.user).await
}

/// What the person must show to prove once more that it is them: never less than what their session began with, nor than
/// what they have.
pub async fn wanted(ctx: &Ctx, signed_in: &SignedIn) -> Result<Wanted, AppError> {
    let factors = factors(ctx, signed_in).await?;
    let by_passkey = factors.passkeys > 0;
    let only_passkey = by_passkey && signed_in.is_whole && signed_in.factor == Factor::Passkey;
    Ok(Wanted {
        passkey: by_passkey,
        code: factors.totp && !only_passkey,
        recovery_code: !signed_in.is_whole && factors.recovery_codes > 0,
        password: signed_in.is_whole && !factors.is_second(),
    })
}

/// The ways in which somebody may prove that it is them, now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// With one of their passkeys.
    pub passkey: bool,
    /// With a code of their app.
    pub code: bool,
    /// With a recovery code: only in place of a lost factor while signing in.
    pub recovery_code: bool,
    /// With their password: only who has nothing else.
    pub password: bool,
}

/// What an open session alone is not enough for, in words: the steps of one change share them.
pub(crate) async fn demand_proof(
    ctx: &Ctx,
    request: &Request,
    signed_in: &SignedIn,
    attempted: Event,
    words: &str,
) -> Result<(), AppError> {
    let intent = Intent::new(WorkspaceId::PLATFORM, words, signed_in.user);
    let intent = if STEPS.contains(&words) { intent.in_steps() } else { intent };
    let proof = signed_in.proof;
    if signed_in.is_whole && accounts::sessions::is_proved(ctx, signed_in.session, proof, &intent).await? {
        return Ok(());
    }
    accounts::sessions::ask(ctx, signed_in.session, &intent).await?;
    refuse_everywhere(ctx, request, signed_in, attempted, "proof_needed", AppError::ProofNeeded).await
}

pub(super) fn about(action: Action, signed_in: &SignedIn) -> Event {
    Event::new(action).on("user", signed_in.user, Some(&signed_in.name))
}

// Proving --------------------------------------------------------------------------------------------------------

/// Whether this is the present code of the person's app, which it is once.
///
/// # Errors
/// [`AppError::Unauthenticated`] when it is not, [`AppError::Throttled`] after too many guesses: both are written down.
pub async fn check_code(ctx: &Ctx, request: &Request, signed_in: &SignedIn, code: &str) -> Result<Shown, AppError> {
    if !wanted(ctx, signed_in).await?.code {
        return refuse_code(ctx, request, signed_in, "not_wanted").await;
    }
    count_guess(ctx, request, signed_in).await?;
    let Some(seed) = queries::find_seed(&ctx.db.auth, signed_in.user).await?.filter(|seed| seed.is_active) else {
        return refuse_code(ctx, request, signed_in, "no_app").await;
    };
    let seed = open(ctx, signed_in.user, &seed.sealed).await?;
    let fresh = match totp::step_of(&seed, code, ctx.clock.now())? {
        Some(step) => queries::use_step(&ctx.db.auth, signed_in.user, step).await?,
        None => false,
    };
    if !fresh {
        return refuse_code(ctx, request, signed_in, "wrong_code").await;
    }
    forget_guesses(ctx, signed_in.user).await?;
    Ok(Shown::for_everything(Factor::Totp))
}

/// Whether this is one of the person's recovery codes. It is used up by this, and they are told.
///
/// # Errors
/// As [`check_code`]. Also when the session is whole already: recovery is for coming in, not for anything else.
pub async fn use_recovery_code(
    ctx: &Ctx,
    request: &Request,
    signed_in: &SignedIn,
    code: &str,
) -> Result<Shown, AppError> {
    if !wanted(ctx, signed_in).await?.recovery_code {
        return refuse_code(ctx, request, signed_in, "not_wanted").await;
    }
    count_guess(ctx, request, signed_in).await?;
    let text = "If a device is lost, remove it from your account, set up another one, and make new recovery codes.";
    let letter = told(ctx, &signed_in.email, "A recovery code of yours was used", text).await?;
    let mut tx = ctx.db.change_account().await?;
    if !queries::use_code(tx.conn(), signed_in.user, &code_hash(signed_in.user, code)).await? {
        drop(tx);
        return refuse_code(ctx, request, signed_in, "wrong_code").await;
    }
    letter.put(tx.conn()).await?;
    let actors = everywhere(tx.conn(), signed_in, request).await?;
    tx.commit(&actors, about(Action::RecoveryCodeUsed, signed_in)).await?;
    forget_guesses(ctx, signed_in.user).await?;
    Ok(Shown::for_everything(Factor::RecoveryCode))
}

/// Whether this is the person's password, for who has nothing else to show.
///
/// # Errors
/// [`AppError::Invalid`] for a wrong one, [`AppError::Throttled`].
pub async fn check_password(
    ctx: &Ctx,
    request: &Request,
    signed_in: &SignedIn,
    password: SecretString,
) -> Result<Shown, AppError> {
    if !wanted(ctx, signed_in).await?.password {
        return refuse_code(ctx, request, signed_in, "not_wanted").await;
    }
    accounts::settings::prove(ctx, request, signed_in, ("password", password), Action::SessionProved).await?;
    Ok(Shown::for_everything(Factor::Password))
}

fn bucket(user: UserId) -> [u8; 32] {
    secrets::bucket("second factor of the account", &user.to_string())
}

/// One count for all codes of a person, whatever they are for and whichever session they come from.
async fn count_guess(ctx: &Ctx, request: &Request, signed_in: &SignedIn) -> Result<(), AppError> {
    let wait = accounts::code_attempt(&ctx.db.auth, &bucket(signed_in.user), ctx.clock.now()).await?;
    let Some(wait) = wait else { return Ok(()) };
    let refused = about(Action::SecondFactorRefused, signed_in);
    refuse_everywhere(ctx, request, signed_in, refused, "throttled", AppError::Throttled(wait)).await
}

pub(super) async fn forget_guesses(ctx: &Ctx, user: UserId) -> Result<(), AppError> {
    accounts::forget_failures(&ctx.db.auth, &bucket(user)).await
}

/// Lets codes be looked at again, for whoever runs the server. Tells the person, and each of their workspaces.
///
/// # Errors
/// [`AppError::NotFound`] for an address that nobody has.
pub async fn unlock(ctx: &Ctx, request: &Request, email: &str) -> Result<(), AppError> {
    let email = email.trim().to_lowercase();
    let account = accounts::find_account(&ctx.db.auth, &email).await?.ok_or(AppError::NotFound)?;
    let text = "Whoever runs the server lets your codes be tried again. Your password and factors are what they were.";
    let letter = told(ctx, &email, "Codes can be tried again", text).await?;
    let mut tx = ctx.db.change_account().await?;
    accounts::forget_failures(tx.conn(), &bucket(account.user)).await?;
    letter.put(tx.conn()).await?;
    let actors = accounts::operations::cli_of_account(tx.conn(), account.user, request).await?;
    let event = Event::new(Action::AccountUnlocked).on("user", account.user, Some(&account.name));
    tx.commit(&actors, event).await
}

async fn refuse_code<T>(ctx: &Ctx, request: &Request, signed_in: &SignedIn, reason: &str) -> Result<T, AppError> {
    let refusal = AppError::Unauthenticated("wrong_code".into());
    refuse_everywhere(ctx, request, signed_in, about(Action::SecondFactorRefused, signed_in), reason, refusal).await
}

// Authenticator app ----------------------------------------------------------------------------------------------

fn place(user: &UserId) -> Place<'_> {
    Place { workspace: WorkspaceId::PLATFORM.0, table: "totp_factors", column: "sealed", row: user.0.as_bytes() }
}

async fn open(ctx: &Ctx, user: UserId, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, AppError> {
    ctx.vault.open_account(user, &place(&user), sealed).await
}

/// Makes a seed for a new app. It is no factor before a code of it was shown; one that is active stays as it is.
///
/// # Errors
/// [`AppError::Conflict`] when there is an app already; [`AppError::ProofNeeded`].
pub async fn begin_app(ctx: &Ctx, request: &Request, signed_in: &SignedIn) -> Result<(), AppError> {
    let event = about(Action::FactorEnrolmentStarted, signed_in).change("factor", None::<&str>, "totp");
    demand_proof(ctx, request, signed_in, event.clone(), ADD_APP).await?;
    let sealed = ctx.vault.seal_account(signed_in.user, &place(&signed_in.user), totp::seed().as_slice()).await?;
    let mut tx = ctx.db.change_account().await?;
    if !queries::put_seed(tx.conn(), signed_in.user, &sealed, ctx.clock.now()).await? {
        let text = "There is an authenticator app already. Remove it first, then set up the other one.";
        return Err(AppError::Conflict(text.into()));
    }
    let actors = everywhere(tx.conn(), signed_in, request).await?;
    tx.commit(&actors, event).await
}

/// What the app on its way is to be told; `None` when none is.
///
/// # Errors
/// [`AppError::ProofNeeded`]: the seed is for nobody who finds a session open.
pub async fn enrolment(ctx: &Ctx, request: &Request, signed_in: &SignedIn) -> Result<Option<Enrolment>, AppError> {
    let Some(seed) = unfinished(ctx, signed_in.user).await? else { return Ok(None) };
    let looked = about(Action::FactorEnrolmentStarted, signed_in).change("factor", None::<&str>, "totp");
    demand_proof(ctx, request, signed_in, looked, ADD_APP).await?;
    totp::enrolment(&seed, &signed_in.email).map(Some)
}

async fn unfinished(ctx: &Ctx, user: UserId) -> Result<Option<Zeroizing<Vec<u8>>>, AppError> {
    let seed = queries::find_seed(&ctx.db.auth, user).await?;
    let seed = seed.filter(|seed| !seed.is_active && ctx.clock.now() - seed.made_at <= ENROLMENT_LASTS);
    match seed {
        Some(seed) => open(ctx, user, &seed.sealed).await.map(Some),
        None => Ok(None),
    }
}

/// Makes the app a factor: its code shows that it works. Every other session ends. Recovery codes come first, so that
/// nobody locks themselves out.
///
/// # Errors
/// [`AppError::Invalid`] for a wrong code, [`AppError::Conflict`] when no app is on its way or there are no recovery codes.
pub async fn confirm_app(ctx: &Ctx, request: &Request, signed_in: &SignedIn, code: &str) -> Result<(), AppError> {
    let event = about(Action::FactorAdded, signed_in).change("factor", None::<&str>, "totp");
    demand_proof(ctx, request, signed_in, event.clone(), ADD_APP).await?;
    let gone = || AppError::Conflict("No authenticator app is on its way. Begin again.".into());
    let seed = unfinished(ctx, signed_in.user).await?.ok_or_else(gone)?;
    count_guess(ctx, request, signed_in).await?;
    let step = totp::step_of(&seed, code, ctx.clock.now())?;
    let wrong =
        || AppError::field("code", "wrong_code", "This is not the present code of the app. Does its clock run right?");
    let step = step.ok_or_else(wrong)?;
    let letter =
        told(ctx, &signed_in.email, "An authenticator app was added", "It is asked for when you sign in.").await?;
    let mut tx = ctx.db.change_account().await?;
    queries::lock(tx.conn(), signed_in.user).await?;
    if queries::factors(&mut *tx.conn(), signed_in.user).await?.recovery_codes == 0 {
        return Err(AppError::Conflict("Save your recovery codes first.".into()));
    }
    if !queries::confirm_seed(tx.conn(), signed_in.user, step, ctx.clock.now()).await? {
        return Err(gone());
    }
    accounts::operations::end_others(tx.conn(), signed_in).await?;
    letter.put(tx.conn()).await?;
    let actors = everywhere(tx.conn(), signed_in, request).await?;
    tx.commit(&actors, event).await?;
    forget_guesses(ctx, signed_in.user).await
}

/// Removes the app. Every other session ends.
///
/// # Errors
/// [`AppError::NotFound`] when there is none, [`AppError::ProofNeeded`], [`AppError::Conflict`] when a workspace demands it.
pub async fn remove_app(ctx: &Ctx, request: &Request, signed_in: &SignedIn) -> Result<(), AppError> {
    let event = about(Action::FactorRemoved, signed_in).change("factor", "totp", None::<&str>);
    demand_proof(ctx, request, signed_in, event.clone(), "Remove the authenticator app").await?;
    let letter = told(ctx, &signed_in.email, "An authenticator app was removed", "It is asked for no more.").await?;
    let mut tx = ctx.db.change_account().await?;
    queries::lock(tx.conn(), signed_in.user).await?;
    if !queries::remove_seed(tx.conn(), signed_in.user).await? {
        return Err(AppError::NotFound);
    }
    after_removal(tx.conn(), signed_in).await?;
    letter.put(tx.conn()).await?;
    let actors = everywhere(tx.conn(), signed_in, request).await?;
    tx.commit(&actors, event).await
}

/// Without a second factor there is nothing to recover. Sessions that began with the factor end.
pub(super) async fn after_removal(conn: &mut sqlx::PgConnection, signed_in: &SignedIn) -> Result<(), AppError> {
    let left = queries::factors(&mut *conn, signed_in.user).await?;
    keep_enough(left, &accounts::memberships_of(conn, signed_in.user).await?)?;
    if !left.is_second() && operators::operations::is_operator_now(conn, signed_in.user).await? {
        return Err(AppError::Conflict("An operator keeps a second factor. Add another one first.".into()));
    }
    if !left.is_second() {
        queries::put_codes(conn, signed_in.user, &[]).await?;
    }
    accounts::operations::end_others(conn, signed_in).await
}

// Recovery codes -------------------------------------------------------------------------------------------------

/// Makes ten new codes, which void those before, and leaves them, sealed, for the one page that shows them once. Returns the
/// token that opens the page's flash.
///
/// # Errors
/// [`AppError::ProofNeeded`].
pub async fn make_recovery_codes(
    ctx: &Ctx,
    request: &Request,
    signed_in: &SignedIn,
    place: &str,
) -> Result<SecretString, AppError> {
    let event = about(Action::RecoveryCodesMade, signed_in);
    demand_proof(ctx, request, signed_in, event.clone(), "Make new recovery codes").await?;
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| recovery_code()).collect();
    let hashes: Vec<Vec<u8>> = codes.iter().map(|code| code_hash(signed_in.user, code).to_vec()).collect();
    let (token, row) = flash::seal(ctx, WorkspaceId::PLATFORM, place, &Flash::RecoveryCodes(codes)).await?;
    let text = "Those from before open nothing any more.";
    let letter = told(ctx, &signed_in.email, "New recovery codes were made", text).await?;
    let mut tx = ctx.db.change_account().await?;
    queries::lock(tx.conn(), signed_in.user).await?;
    queries::put_codes(tx.conn(), signed_in.user, &hashes).await?;
    letter.put(tx.conn()).await?;
    row.put(tx.conn()).await?;
    let actors = everywhere(tx.conn(), signed_in, request).await?;
    tx.commit(&actors, event).await.map(|()| token)
}

/// Four groups of six, which are easy to read out and to type.
fn recovery_code() -> String {
    let random = secrets::random::<CODE_LENGTH>();
    let letters: Vec<char> = random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    letters.chunks(6).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

fn code_hash(user: UserId, code: &str) -> [u8; 32] {
    secrets::hash(&format!("recovery code\0{user}\0{}", normal_recovery_code(code)))
}
