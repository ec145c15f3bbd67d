use crate::{
    AppError,
    ids::{NoticeId, SubscriberId},
};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

/// A subscriber as asked for.
pub(super) struct New<'a> {
    pub id: SubscriberId,
    pub email: &'a str,
    pub confirm_hash: [u8; 32],
    pub expires_at: OffsetDateTime,
    pub end_hash: [u8; 32],
    pub end_sealed: &'a [u8],
}

/// False when the address has said yes already.
pub(super) async fn ask(conn: &mut PgConnection, new: &New<'_>) -> Result<bool, AppError> {
    let asked = sqlx::query_scalar!(
        r#"select subscriber_ask($1, $2, $3, $4, $5, $6) as "asked!""#,
        new.id.0,
        new.email,
        new.confirm_hash.as_slice(),
        new.expires_at,
        new.end_hash.as_slice(),
        new.end_sealed,
    );
    Ok(asked.fetch_one(conn).await?)
}

pub(super) async fn offer(pool: &PgPool, hash: &[u8; 32], now: OffsetDateTime) -> Result<Option<String>, AppError> {
    Ok(sqlx::query_scalar!("select subscriber_offer($1, $2)", hash.as_slice(), now).fetch_one(pool).await?)
}

pub(super) async fn confirm(
    conn: &mut PgConnection,
    hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<Option<(SubscriberId, String)>, AppError> {
    let row = sqlx::query!(
        r#"select subscriber_id as "subscriber_id!", email as "email!" from subscriber_confirm($1, $2)"#,
        hash.as_slice(),
        now,
    );
    Ok(row.fetch_optional(conn).await?.map(|row| (SubscriberId(row.subscriber_id), row.email)))
}

pub(super) async fn end(conn: &mut PgConnection, hash: &[u8; 32]) -> Result<Option<SubscriberId>, AppError> {
    let id = sqlx::query_scalar!("select subscriber_end($1)", hash.as_slice()).fetch_one(conn).await?;
    Ok(id.map(SubscriberId))
}

/// One mail that has still to be written.
pub(super) struct ToTell {
    pub subscriber: SubscriberId,
    pub email: String,
    pub end_sealed: Vec<u8>,
    pub notice: NoticeId,
    pub told: String,
    pub told_of: OffsetDateTime,
}

pub(super) async fn to_tell(pool: &PgPool, now: OffsetDateTime, limit: i32) -> Result<Vec<ToTell>, AppError> {
    let rows = sqlx::query!(
        r#"select subscriber_id as "subscriber_id!", email as "email!", end_sealed as "end_sealed!", notice_id as "notice_id!",
            told as "told!", told_of as "told_of!" from subscribers_to_tell($1, $2)"#,
        now,
        limit,
    );
    let rows = rows.fetch_all(pool).await?.into_iter();
    let view = rows.map(|row| ToTell {
        subscriber: SubscriberId(row.subscriber_id),
        email: row.email,
        end_sealed: row.end_sealed,
        notice: NoticeId(row.notice_id),
        told: row.told,
        told_of: row.told_of,
    });
    Ok(view.collect())
}

/// False when somebody else has told them meanwhile.
pub(super) async fn told(conn: &mut PgConnection, one: &ToTell) -> Result<bool, AppError> {
    let told = sqlx::query_scalar!(
        r#"select subscriber_told($1, $2, $3, $4) as "told!""#,
        one.subscriber.0,
        one.notice.0,
        one.told,
        one.told_of,
    );
    Ok(told.fetch_one(conn).await?)
}

pub(super) async fn purge(pool: &PgPool, now: OffsetDateTime) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(r#"select subscribers_purge($1) as "purged!""#, now).fetch_one(pool).await?)
}
