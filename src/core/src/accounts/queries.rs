use super::{
    Begun, Factor, Membership, Proof, SessionView, Shown, SignedIn,
    reset::ResetOffer,
    settings::{AddressOffer, PendingAddress},
};
use crate::{
    AppError,
    actor::Request,
    ids::{MemberId, SessionId, UserId, WorkspaceId},
    intent::Intent,
    policies::Demand,
};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;

/// The level of a session that opens what its person may.
const FULL: &str = "full";

pub(crate) struct Account {
    pub user: UserId,
    pub name: String,
    pub password_hash: String,
}

pub(crate) async fn find(pool: &PgPool, email: &str) -> Result<Option<Account>, AppError> {
    let row = sqlx::query!(
        r#"select user_id as "user_id!", name as "name!", password_hash as "password_hash!" from account_find($1)"#,
        email,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Account { user: UserId(row.user_id), name: row.name, password_hash: row.password_hash }))
}

pub(crate) async fn create(
    conn: &mut PgConnection,
    user: UserId,
    email: &str,
    name: &str,
    password_hash: &str,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let created = sqlx::query!("select account_create($1, $2, $3, $4, $5)", user.0, email, name, password_hash, now)
        .execute(conn)
        .await;
    match created {
        Err(error) if crate::database::constraint(&error) == Some("users_email_key") => {
            Err(AppError::field("email", "taken", "There is an account with this address already."))
        }
        created => Ok(created.map(|_| ())?),
    }
}

pub(super) async fn memberships(executor: impl PgExecutor<'_>, user: UserId) -> Result<Vec<Membership>, AppError> {
    let rows = sqlx::query!(
        r#"select workspace_id as "workspace_id!", slug as "slug!", workspace_name as "workspace_name!",
            member_id as "member_id!", role as "role!", last_seen_at, require_two_factor as "require_two_factor!",
            require_passkey as "require_passkey!", factor_due_at from account_memberships($1)"#,
        user.0,
    )
    .fetch_all(executor)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Membership {
                workspace: WorkspaceId(row.workspace_id),
                slug: row.slug,
                workspace_name: row.workspace_name,
                member: MemberId(row.member_id),
                role: row.role.parse().map_err(|()| AppError::Internal)?,
                last_seen_at: row.last_seen_at,
                demand: row
                    .factor_due_at
                    .filter(|_| row.require_two_factor)
                    .map(|due_at| Demand { passkey: row.require_passkey, due_at }),
            })
        })
        .collect()
}

/// Likewise, within a transaction.
pub(crate) async fn memberships_of(conn: &mut PgConnection, user: UserId) -> Result<Vec<Membership>, AppError> {
    memberships(conn, user).await
}

pub(super) async fn start_session(
    conn: &mut PgConnection,
    hash: &[u8; 32],
    session: SessionId,
    user: UserId,
    request: &Request,
    begun: Begun,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let (level, factor) = match begun {
        Begun::Half => ("password", Factor::Password),
        Begun::With(factor) => (FULL, factor),
    };
    sqlx::query!(
        "select session_start($1, $2, $3, $4, $5, $6, $7, $8)",
        hash.as_slice(),
        session.0,
        user.0,
        now,
        request.address,
        request.agent,
        level,
        factor.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn find_session(
    conn: &mut PgConnection,
    hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<Option<SignedIn>, AppError> {
    let row = sqlx::query!(
        r#"select session_id as "session_id!", user_id as "user_id!", name as "name!", email as "email!", time_zone as "time_zone!",
            theme as "theme!", level as "level!", factor as "factor!", proved_at as "proved_at!", approved_digest, approved_at
            from session_find($1, $2)"#,
        hash.as_slice(),
        now,
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(SignedIn {
        user: UserId(row.user_id),
        name: row.name,
        email: row.email,
        session: SessionId(row.session_id),
        time_zone: row.time_zone,
        theme: row.theme,
        is_whole: row.level == FULL,
        factor: row.factor.parse().map_err(|()| AppError::Internal)?,
        proof: Proof {
            at: row.proved_at,
            approved: row.approved_digest.and_then(|digest| digest.try_into().ok()),
            approved_at: row.approved_at,
        },
    }))
}

/// The session goes on under another token. False when it is over, or another proof was faster.
pub(super) async fn prove_session(
    conn: &mut PgConnection,
    old: &[u8; 32],
    new: &[u8; 32],
    shown: &Shown,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let proved = sqlx::query_scalar!(
        r#"select session_prove($1, $2, $3, $4, $5) as "proved!""#,
        old.as_slice(),
        new.as_slice(),
        shown.factor.as_str(),
        shown.only.as_ref().map(|(digest, _)| digest.as_slice()),
        now,
    );
    Ok(proved.fetch_one(conn).await?)
}

/// Keeps what the session is asked to confirm; what it was asked before is forgotten.
pub(super) async fn ask(pool: &PgPool, session: SessionId, intent: &Intent) -> Result<(), AppError> {
    sqlx::query!("select session_ask($1, $2, $3)", session.0, intent.digest.as_slice(), intent.words)
        .execute(pool)
        .await?;
    Ok(())
}

/// Uses up what a passkey has confirmed. Of several at once, one does.
pub(super) async fn spend(pool: &PgPool, session: SessionId, digest: &[u8; 32]) -> Result<bool, AppError> {
    let spent = sqlx::query_scalar!(r#"select session_spend($1, $2) as "spent!""#, session.0, digest.as_slice());
    Ok(spent.fetch_one(pool).await?)
}

/// What the session is asked to confirm, if anything.
pub(super) async fn asked(pool: &PgPool, session: SessionId) -> Result<Option<Intent>, AppError> {
    let row = sqlx::query!(r#"select digest as "digest!", words as "words!" from session_asked($1)"#, session.0)
        .fetch_optional(pool)
        .await?;
    row.map(|row| {
        Ok(Intent { digest: row.digest.try_into().map_err(|_| AppError::Internal)?, words: row.words, in_steps: false })
    })
    .transpose()
}

pub(super) async fn sessions(pool: &PgPool, user: UserId, now: OffsetDateTime) -> Result<Vec<SessionView>, AppError> {
    let rows = sqlx::query!(
        r#"select session_id as "session_id!", created_at as "created_at!", last_seen_at as "last_seen_at!", address, agent,
            level as "level!", factor as "factor!" from sessions_of($1, $2)"#,
        user.0,
        now,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(SessionView {
                id: SessionId(row.session_id),
                begun_at: row.created_at,
                last_seen_at: row.last_seen_at,
                address: row.address,
                agent: row.agent,
                is_whole: row.level == FULL,
                factor: row.factor.parse().map_err(|()| AppError::Internal)?,
            })
        })
        .collect()
}

pub(super) async fn end_one(conn: &mut PgConnection, user: UserId, session: SessionId) -> Result<bool, AppError> {
    let ended = sqlx::query_scalar!(r#"select session_end_one($1, $2) as "ended!""#, user.0, session.0);
    Ok(ended.fetch_one(conn).await?)
}

pub(crate) async fn end_all(conn: &mut PgConnection, user: UserId) -> Result<(), AppError> {
    sqlx::query!("select sessions_end_all($1)", user.0).execute(conn).await?;
    Ok(())
}

/// Seconds to wait before this code is looked at, if it is not looked at now.
pub(crate) async fn code_attempt(
    pool: &PgPool,
    bucket: &[u8; 32],
    now: OffsetDateTime,
) -> Result<Option<u32>, AppError> {
    let wait = sqlx::query_scalar!(r#"select throttle_code($1, $2) as "wait!""#, bucket.as_slice(), now);
    Ok(some_wait(wait.fetch_one(pool).await?))
}

/// `first`, `known` or `new`.
pub(super) async fn device_seen(
    conn: &mut PgConnection,
    user: UserId,
    device: &[u8; 32],
    now: OffsetDateTime,
) -> Result<String, AppError> {
    let seen = sqlx::query_scalar!(r#"select device_seen($1, $2, $3) as "seen!""#, user.0, device.as_slice(), now);
    Ok(seen.fetch_one(conn).await?)
}

pub(super) async fn start_reset(
    conn: &mut PgConnection,
    user: UserId,
    hash: &[u8; 32],
    until: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!("select reset_start($1, $2, $3)", user.0, hash.as_slice(), until).execute(conn).await?;
    Ok(())
}

pub(super) async fn find_reset(
    pool: &PgPool,
    hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<Option<ResetOffer>, AppError> {
    let row = sqlx::query!(
        r#"select user_id as "user_id!", name as "name!", email as "email!" from reset_find($1, $2)"#,
        hash.as_slice(),
        now,
    );
    let row = row.fetch_optional(pool).await?;
    Ok(row.map(|row| ResetOffer { user: UserId(row.user_id), name: row.name, email: row.email }))
}

pub(super) async fn take_reset(conn: &mut PgConnection, hash: &[u8; 32]) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(r#"select reset_take($1) as "taken!""#, hash.as_slice()).fetch_one(conn).await?)
}

pub(super) async fn end_session(conn: &mut PgConnection, hash: &[u8; 32]) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(r#"select session_end($1) as "ended!""#, hash.as_slice()).fetch_one(conn).await?)
}

/// Seconds to wait before this attempt may be made, if it may not be made now.
pub(crate) async fn attempt(
    pool: &PgPool,
    bucket: &[u8; 32],
    free: i32,
    now: OffsetDateTime,
) -> Result<Option<u32>, AppError> {
    let wait = sqlx::query_scalar!(r#"select throttle_attempt($1, $2, $3) as "wait!""#, bucket.as_slice(), free, now);
    Ok(some_wait(wait.fetch_one(pool).await?))
}

/// The database says 0 for none.
fn some_wait(seconds: i32) -> Option<u32> {
    u32::try_from(seconds).ok().filter(|seconds| *seconds > 0)
}

pub(crate) async fn forget_failures(executor: impl PgExecutor<'_>, bucket: &[u8; 32]) -> Result<(), AppError> {
    sqlx::query!("select throttle_forget($1)", bucket.as_slice()).execute(executor).await?;
    Ok(())
}

/// Takes back the one attempt that turned out to be right: people who share an address must not lock each other out, and
/// somebody with an account must not make room for guesses at others.
pub(super) async fn uncount_attempt(pool: &PgPool, bucket: &[u8; 32]) -> Result<(), AppError> {
    sqlx::query!("select throttle_uncount($1)", bucket.as_slice()).execute(pool).await?;
    Ok(())
}

/// How many rows went.
pub(super) async fn purge(pool: &PgPool, now: OffsetDateTime) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(r#"select expired_purge($1) as "removed!""#, now).fetch_one(pool).await?)
}

/// Notes that somebody opened a page in a workspace.
pub(super) async fn seen(
    pool: &PgPool,
    workspace: WorkspaceId,
    user: UserId,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!("select member_seen($1, $2, $3)", workspace.0, user.0, now).execute(pool).await?;
    Ok(())
}

pub(super) async fn set(
    conn: &mut PgConnection,
    user: UserId,
    name: &str,
    time_zone: &str,
    theme: &str,
) -> Result<(), AppError> {
    sqlx::query!("select account_set($1, $2, $3, $4)", user.0, name, time_zone, theme).execute(conn).await?;
    Ok(())
}

pub(super) async fn password_hash(pool: &PgPool, user: UserId) -> Result<Option<String>, AppError> {
    Ok(sqlx::query_scalar!("select account_password($1)", user.0).fetch_one(pool).await?)
}

pub(super) async fn is_disabled(pool: &PgPool, user: UserId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(r#"select account_is_disabled($1) as "disabled!""#, user.0).fetch_one(pool).await?)
}

/// Where somebody still is, in words.
pub(super) async fn erasure_awaits(
    conn: &mut PgConnection,
    user: UserId,
    now: OffsetDateTime,
) -> Result<Vec<String>, AppError> {
    let places =
        sqlx::query_scalar!(r#"select account_erasure_awaits($1, $2, $3) as "place!""#, user.0, user.to_string(), now);
    Ok(places.fetch_all(conn).await?)
}

/// How many events of which log no longer say who somebody is.
pub(super) async fn erase(
    conn: &mut PgConnection,
    user: UserId,
    now: OffsetDateTime,
) -> Result<Vec<(WorkspaceId, i64)>, AppError> {
    let rows = sqlx::query!(
        r#"select workspace_id as "workspace_id!", events as "events!" from account_erase($1, $2, $3)"#,
        user.0,
        user.to_string(),
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (WorkspaceId(row.workspace_id), row.events)).collect())
}

/// The names of those of these workspaces that are under a legal hold.
pub(super) async fn held(conn: &mut PgConnection, places: &[(WorkspaceId, i64)]) -> Result<Vec<String>, AppError> {
    let places: Vec<_> = places.iter().map(|(place, _)| place.0).collect();
    Ok(sqlx::query_scalar!(r#"select name as "name!" from legal_holds_in($1) as name"#, &places)
        .fetch_all(conn)
        .await?)
}

/// With every session. False when it was disabled already.
pub(super) async fn disable(conn: &mut PgConnection, user: UserId, now: OffsetDateTime) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(r#"select account_disable($1, $2) as "done!""#, user.0, now).fetch_one(conn).await?)
}

pub(super) async fn enable(conn: &mut PgConnection, user: UserId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(r#"select account_enable($1) as "done!""#, user.0).fetch_one(conn).await?)
}

pub(super) async fn set_password(conn: &mut PgConnection, user: UserId, hash: &str) -> Result<(), AppError> {
    sqlx::query!("select account_set_password($1, $2)", user.0, hash).execute(conn).await?;
    Ok(())
}

/// How many ended.
pub(super) async fn end_other_sessions(
    conn: &mut PgConnection,
    user: UserId,
    session: SessionId,
) -> Result<i64, AppError> {
    let ended = sqlx::query_scalar!(r#"select sessions_end_others($1, $2) as "ended!""#, user.0, session.0);
    Ok(ended.fetch_one(conn).await?)
}

/// The hashes of the tokens for the present and for the new address.
pub(super) async fn start_address_change(
    conn: &mut PgConnection,
    user: UserId,
    email: &str,
    [old, new]: &[[u8; 32]; 2],
    until: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "select address_change_start($1, $2, $3, $4, $5)",
        user.0,
        email,
        old.as_slice(),
        new.as_slice(),
        until
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn cancel_address_change(conn: &mut PgConnection, user: UserId) -> Result<bool, AppError> {
    let cancelled = sqlx::query_scalar!(r#"select address_change_cancel($1) as "cancelled!""#, user.0);
    Ok(cancelled.fetch_one(conn).await?)
}

pub(super) async fn pending_address(
    pool: &PgPool,
    user: UserId,
    now: OffsetDateTime,
) -> Result<Option<PendingAddress>, AppError> {
    let row = sqlx::query_as!(
        PendingAddress,
        r#"select email as "email!", old_confirmed as "old_confirmed!", new_confirmed as "new_confirmed!", expires_at as "expires_at!"
         from address_change_pending($1, $2)"#,
        user.0,
        now,
    );
    Ok(row.fetch_optional(pool).await?)
}

pub(super) async fn find_address_change(
    pool: &PgPool,
    hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<Option<AddressOffer>, AppError> {
    let row = sqlx::query!(
        r#"select user_id as "user_id!", name as "name!", old_email as "old_email!", email as "email!", by_new as "by_new!",
            confirmed as "confirmed!" from address_change_find($1, $2)"#,
        hash.as_slice(),
        now,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| AddressOffer {
        user: UserId(row.user_id),
        name: row.name,
        old_email: row.old_email,
        email: row.email,
        by_new: row.by_new,
        confirmed: row.confirmed,
    }))
}

/// Whether that was the second yes, and the address has changed.
pub(super) async fn confirm_address_change(
    conn: &mut PgConnection,
    hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let changed = sqlx::query_scalar!(r#"select address_change_confirm($1, $2) as "changed!""#, hash.as_slice(), now);
    match changed.fetch_one(conn).await {
        Err(error) if crate::database::constraint(&error) == Some("users_email_key") => {
            Err(AppError::Conflict("Another account has the new address by now. Choose a different one.".into()))
        }
        changed => Ok(changed?),
    }
}
