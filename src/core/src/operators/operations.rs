//! Making operators, and letting them in.

use super::{OperatorView, queries};
use crate::{
    Actor, AppError, Ctx,
    accounts::{self, Factor, NAME_MAX, SignedIn, check_password, parse_email},
    actor::{Request, Who},
    api_keys::line,
    audit_log::{Action, Event},
    error::Checks,
    ids::{UserId, WorkspaceId},
    two_factor::operations::factors_of,
};
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgConnection;

/// Somebody new, as given to the command line.
pub struct NewOperator {
    /// How they are called.
    pub name: String,
    /// Their mail address, which no customer has.
    pub email: String,
    /// Their password.
    pub password: SecretString,
}

/// Makes an operator's account. Only whoever runs the server does.
///
/// # Errors
/// [`AppError::Invalid`] with every field that is wrong, also when there is an account with the address.
pub async fn create(ctx: &Ctx, request: &Request, new: NewOperator) -> Result<UserId, AppError> {
    let mut checks = Checks::default();
    let name = checks.keep(line("name", &new.name, NAME_MAX));
    let email = checks.keep(parse_email("email", &new.email));
    checks.keep(check_password("password", new.password.expose_secret(), &new.email, &[]));
    checks.finish()?;
    let (Some(name), Some(email)) = (name, email) else { return Err(AppError::Internal) };
    let hash = ctx.passwords.hash(new.password).await?;
    let (user, now) = (UserId::new(), ctx.clock.now());
    let actor = Actor::cli(WorkspaceId::PLATFORM, request.clone());
    let mut tx = ctx.db.change(&actor).await?;
    accounts::create_account(tx.conn(), user, &email, &name, &hash, now).await?;
    queries::add(tx.conn(), user, now).await?;
    tx.commit(Event::new(Action::OperatorCreated).on("operator", user, Some(&name))).await?;
    Ok(user)
}

/// Whether the person is one of send0's staff.
pub async fn is_operator(ctx: &Ctx, user: UserId) -> Result<bool, AppError> {
    queries::is_operator(&ctx.db.auth, user).await
}

pub(crate) async fn is_operator_now(conn: &mut PgConnection, user: UserId) -> Result<bool, AppError> {
    queries::is_operator(conn, user).await
}

/// Takes the console away from somebody, with every session of theirs. Only whoever runs the server does.
///
/// # Errors
/// [`AppError::NotFound`] for who is no operator.
pub async fn remove(ctx: &Ctx, request: &Request, email: &str) -> Result<(), AppError> {
    let account =
        accounts::find_account(&ctx.db.auth, &email.trim().to_lowercase()).await?.ok_or(AppError::NotFound)?;
    let actor = Actor::cli(WorkspaceId::PLATFORM, request.clone());
    let mut tx = ctx.db.change(&actor).await?;
    if !queries::remove(tx.conn(), account.user).await? {
        return Err(AppError::NotFound);
    }
    tx.commit(Event::new(Action::OperatorRemoved).on("operator", account.user, Some(&account.name))).await
}

/// Whether anybody is: then there is somebody who signs in, also before the first workspace.
pub async fn exist(ctx: &Ctx) -> Result<bool, AppError> {
    queries::exist(&ctx.db.auth).await
}

/// The operator who is signed in.
///
/// # Errors
/// [`AppError::NotFound`] for everybody else: what is only for operators is not there. [`AppError::FactorNeeded`] without a
/// second factor, from the first minute on.
pub async fn enter(ctx: &Ctx, signed_in: &SignedIn, request: &Request) -> Result<Actor, AppError> {
    if !signed_in.is_whole {
        return Err(AppError::Unauthenticated("second_factor".into()));
    }
    let who = Who::Operator {
        id: signed_in.user,
        name: signed_in.name.clone(),
        session: signed_in.session,
        proof: signed_in.proof,
    };
    let actor = Actor { workspace: WorkspaceId::PLATFORM, who, request: request.clone() };
    if !is_operator(ctx, signed_in.user).await? {
        let stranger =
            Who::Stranger { id: signed_in.user, name: signed_in.name.clone(), session: Some(signed_in.session) };
        let event = Event::new(Action::OperatorRefused);
        return ctx.refuse(&Actor { who: stranger, ..actor }, event, "no_operator", AppError::NotFound).await;
    }
    let has_second = match signed_in.factor {
        Factor::Password => factors_of(&ctx.db.auth, signed_in.user).await?.is_second(),
        Factor::Totp | Factor::RecoveryCode | Factor::Passkey => true,
    };
    if !has_second {
        let refusal = AppError::FactorNeeded { passkey: false };
        return ctx.refuse(&actor, Event::new(Action::OperatorRefused), "second_factor_missing", refusal).await;
    }
    Ok(actor)
}

/// Everybody of send0's staff, the first one first.
pub async fn list(ctx: &Ctx, actor: &Actor) -> Result<Vec<OperatorView>, AppError> {
    ctx.authorise_operator(actor, Action::PageViewed).await?;
    all(ctx.db.read(actor.workspace).await?.conn()).await
}

pub(crate) async fn all(conn: &mut PgConnection) -> Result<Vec<OperatorView>, AppError> {
    queries::all(conn).await
}
