use super::OperatorView;
use crate::{AppError, ids::UserId};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;

pub(super) async fn add(conn: &mut PgConnection, user: UserId, now: OffsetDateTime) -> Result<(), AppError> {
    sqlx::query!("select operator_add($1, $2)", user.0, now).execute(conn).await?;
    Ok(())
}

pub(super) async fn is_operator(executor: impl PgExecutor<'_>, user: UserId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(r#"select operator_is($1) as "is!""#, user.0).fetch_one(executor).await?)
}

/// False when they were none.
pub(super) async fn remove(conn: &mut PgConnection, user: UserId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(r#"select operator_remove($1) as "removed!""#, user.0).fetch_one(conn).await?)
}

pub(super) async fn exist(pool: &PgPool) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(r#"select operators_exist() as "exist!""#).fetch_one(pool).await?)
}

pub(super) async fn all(conn: &mut PgConnection) -> Result<Vec<OperatorView>, AppError> {
    let rows = sqlx::query!(
        r#"select user_id as "user_id!", name as "name!", email as "email!", created_at as "created_at!" from operators_all()"#
    );
    let rows = rows.fetch_all(conn).await?.into_iter();
    let view = rows.map(|row| OperatorView {
        user: UserId(row.user_id),
        name: row.name,
        email: row.email,
        created_at: row.created_at,
    });
    Ok(view.collect())
}
