use super::{Factors, PasskeyView};
use crate::{
    AppError,
    database::constraint,
    ids::{PasskeyId, UserId},
};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;
use webauthn_rs::prelude::Passkey;

pub(super) async fn factors(executor: impl PgExecutor<'_>, user: UserId) -> Result<Factors, AppError> {
    let row = sqlx::query!(
        r#"select totp as "totp!", passkeys as "passkeys!", recovery_codes as "recovery_codes!" from factors_of($1)"#,
        user.0,
    );
    let row = row.fetch_one(executor).await?;
    Ok(Factors { totp: row.totp, passkeys: row.passkeys, recovery_codes: row.recovery_codes })
}

/// Nobody else changes the factors of the person until the end of the transaction.
pub(super) async fn lock(conn: &mut PgConnection, user: UserId) -> Result<(), AppError> {
    sqlx::query!("select account_lock($1)", user.0).execute(conn).await?;
    Ok(())
}

pub(super) async fn purge(pool: &PgPool, now: OffsetDateTime) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(r#"select factors_purge($1) as "removed!""#, now).fetch_one(pool).await?)
}

// Authenticator app ----------------------------------------------------------------------------------------------

pub(super) struct Seed {
    pub sealed: Vec<u8>,
    pub is_active: bool,
    pub made_at: OffsetDateTime,
}

pub(super) async fn find_seed(executor: impl PgExecutor<'_>, user: UserId) -> Result<Option<Seed>, AppError> {
    let row = sqlx::query!(
        r#"select sealed as "sealed!", confirmed_at, created_at as "created_at!" from totp_find($1)"#,
        user.0
    );
    let row = row.fetch_optional(executor).await?;
    Ok(row.map(|row| Seed { sealed: row.sealed, is_active: row.confirmed_at.is_some(), made_at: row.created_at }))
}

pub(super) async fn put_seed(
    conn: &mut PgConnection,
    user: UserId,
    sealed: &[u8],
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let put = sqlx::query_scalar!(r#"select totp_put($1, $2, $3) as "put!""#, user.0, sealed, now);
    Ok(put.fetch_one(conn).await?)
}

/// True once for each step.
pub(super) async fn use_step(executor: impl PgExecutor<'_>, user: UserId, step: i64) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(r#"select totp_use($1, $2) as "used!""#, user.0, step).fetch_one(executor).await?)
}

pub(super) async fn confirm_seed(
    conn: &mut PgConnection,
    user: UserId,
    step: i64,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let confirmed = sqlx::query_scalar!(r#"select totp_confirm($1, $2, $3) as "confirmed!""#, user.0, step, now);
    Ok(confirmed.fetch_one(conn).await?)
}

pub(super) async fn remove_seed(conn: &mut PgConnection, user: UserId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(r#"select totp_remove($1) as "removed!""#, user.0).fetch_one(conn).await?)
}

// Recovery codes -------------------------------------------------------------------------------------------------

pub(super) async fn put_codes(conn: &mut PgConnection, user: UserId, hashes: &[Vec<u8>]) -> Result<(), AppError> {
    sqlx::query!("select recovery_codes_put($1, $2)", user.0, hashes).execute(conn).await?;
    Ok(())
}

pub(super) async fn use_code(conn: &mut PgConnection, user: UserId, hash: &[u8; 32]) -> Result<bool, AppError> {
    let used = sqlx::query_scalar!(r#"select recovery_code_use($1, $2) as "used!""#, user.0, hash.as_slice());
    Ok(used.fetch_one(conn).await?)
}

// Passkeys -------------------------------------------------------------------------------------------------------

pub(super) struct Stored {
    pub view: PasskeyView,
    pub passkey: Passkey,
}

pub(super) async fn passkeys(executor: impl PgExecutor<'_>, user: UserId) -> Result<Vec<Stored>, AppError> {
    let rows = sqlx::query!(
        r#"select passkey_id as "id!", credential as "credential!", name as "name!", created_at as "created_at!", last_used_at
         from passkeys_of($1)"#,
        user.0,
    );
    let rows = rows.fetch_all(executor).await?;
    rows.into_iter()
        .map(|row| {
            let (id, name) = (PasskeyId(row.id), row.name);
            let view = PasskeyView { id, name, created_at: row.created_at, last_used_at: row.last_used_at };
            Ok(Stored { view, passkey: serde_json::from_value(row.credential).map_err(|_| AppError::Internal)? })
        })
        .collect()
}

pub(super) async fn handle(executor: impl PgExecutor<'_>, user: UserId) -> Result<Uuid, AppError> {
    Ok(sqlx::query_scalar!(r#"select passkey_handle($1) as "handle!""#, user.0).fetch_one(executor).await?)
}

pub(super) async fn add_passkey(
    conn: &mut PgConnection,
    user: UserId,
    id: PasskeyId,
    passkey: &Passkey,
    name: &str,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let credential = serde_json::to_value(passkey).map_err(|_| AppError::Internal)?;
    let credential_id: &[u8] = passkey.cred_id();
    let added =
        sqlx::query!("select passkey_add($1, $2, $3, $4, $5, $6)", id.0, user.0, credential_id, credential, name, now)
            .execute(conn)
            .await;
    match added {
        Err(error) if constraint(&error) == Some("passkeys_credential_key") => {
            Err(AppError::Conflict("This passkey belongs to an account already.".into()))
        }
        added => Ok(added.map(|_| ())?),
    }
}

/// Whose a credential is.
pub(super) struct Found {
    pub id: PasskeyId,
    pub user: UserId,
    pub handle: Uuid,
    pub passkey: Passkey,
    pub before: serde_json::Value,
}

pub(super) async fn find_passkey(pool: &PgPool, credential_id: &[u8]) -> Result<Option<Found>, AppError> {
    let row = sqlx::query!(
        r#"select passkey_id as "id!", user_id as "user_id!", handle as "handle!", credential as "credential!" from passkey_find($1)"#,
        credential_id,
    );
    let Some(row) = row.fetch_optional(pool).await? else { return Ok(None) };
    let passkey = serde_json::from_value(row.credential.clone()).map_err(|_| AppError::Internal)?;
    Ok(Some(Found {
        id: PasskeyId(row.id),
        user: UserId(row.user_id),
        handle: row.handle,
        passkey,
        before: row.credential,
    }))
}

/// False when the passkey is gone, or was used meanwhile.
pub(super) async fn passkey_used(
    pool: &PgPool,
    found: &Found,
    after: &Passkey,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let after = serde_json::to_value(after).map_err(|_| AppError::Internal)?;
    let used =
        sqlx::query_scalar!(r#"select passkey_used($1, $2, $3, $4) as "used!""#, found.id.0, found.before, after, now);
    Ok(used.fetch_one(pool).await?)
}

/// The name before.
pub(super) async fn rename_passkey(
    conn: &mut PgConnection,
    user: UserId,
    id: PasskeyId,
    name: &str,
) -> Result<Option<String>, AppError> {
    Ok(sqlx::query_scalar!("select passkey_rename($1, $2, $3)", user.0, id.0, name).fetch_one(conn).await?)
}

/// The name that it had.
pub(super) async fn remove_passkey(
    conn: &mut PgConnection,
    user: UserId,
    id: PasskeyId,
) -> Result<Option<String>, AppError> {
    Ok(sqlx::query_scalar!("select passkey_remove($1, $2)", user.0, id.0).fetch_one(conn).await?)
}

// Ceremonies -----------------------------------------------------------------------------------------------------

pub(super) async fn put_ceremony(
    pool: &PgPool,
    hash: &[u8; 32],
    sealed: &[u8],
    until: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!("select ceremony_put($1, $2, $3)", hash.as_slice(), sealed, until).execute(pool).await?;
    Ok(())
}

pub(super) async fn take_ceremony(
    pool: &PgPool,
    hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<Option<Vec<u8>>, AppError> {
    Ok(sqlx::query_scalar!("select ceremony_take($1, $2)", hash.as_slice(), now).fetch_one(pool).await?)
}
