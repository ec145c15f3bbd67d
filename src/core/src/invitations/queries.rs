use super::{InvitationView, Offer};
use crate::{
    AppError,
    ids::{InvitationId, UserId, WorkspaceId},
    permissions::Role,
};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

pub(super) struct New<'a> {
    pub id: InvitationId,
    pub email: &'a str,
    pub role: Role,
    pub invited_by: Option<UserId>,
    pub now: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

/// Whether it was new: the address may have an invitation already.
pub(super) async fn insert(conn: &mut PgConnection, workspace: WorkspaceId, new: &New<'_>) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "insert into invitations (workspace_id, invitation_id, email, role, invited_by, created_at, sent_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $6, $7) on conflict (workspace_id, email) do nothing",
        workspace.0,
        new.id.0,
        new.email,
        new.role.as_str(),
        new.invited_by.map(|id| id.0),
        new.now,
        new.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Makes this the one token that opens the invitation.
pub(super) async fn register(conn: &mut PgConnection, id: InvitationId, hash: &[u8; 32]) -> Result<(), AppError> {
    sqlx::query!("select invitation_register($1, $2)", hash.as_slice(), id.0).execute(conn).await?;
    Ok(())
}

pub(super) async fn renew(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: InvitationId,
    now: OffsetDateTime,
    expires_at: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "update invitations set sent_at = $3, expires_at = $4 where workspace_id = $1 and invitation_id = $2",
        workspace.0,
        id.0,
        now,
        expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn count(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<i64, AppError> {
    let count =
        sqlx::query_scalar!(r#"select count(*) as "count!" from invitations where workspace_id = $1"#, workspace.0);
    Ok(count.fetch_one(conn).await?)
}

/// Those that wait, the newest first.
pub(super) async fn pending(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Vec<InvitationView>, AppError> {
    let rows = sqlx::query!(
        r#"select i.invitation_id, i.email, i.role, p.name as "inviter?", i.sent_at, i.expires_at
         from invitations i left join workspace_people() p on p.user_id = i.invited_by
         where i.workspace_id = $1 order by i.invitation_id desc"#,
        workspace.0,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(InvitationView {
                id: InvitationId(row.invitation_id),
                email: row.email,
                role: row.role.parse().map_err(|()| AppError::Internal)?,
                inviter: row.inviter,
                sent_at: row.sent_at,
                expires_at: row.expires_at,
            })
        })
        .collect()
}

/// Whom it is for and as what. Nobody else can change it before the end of the transaction.
pub(super) async fn lock(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: InvitationId,
) -> Result<Option<(String, Role)>, AppError> {
    let row = sqlx::query!(
        "select email, role from invitations where workspace_id = $1 and invitation_id = $2 for update",
        workspace.0,
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| Ok((row.email, row.role.parse().map_err(|()| AppError::Internal)?))).transpose()
}

pub(super) async fn delete(conn: &mut PgConnection, workspace: WorkspaceId, id: InvitationId) -> Result<(), AppError> {
    sqlx::query!("delete from invitations where workspace_id = $1 and invitation_id = $2", workspace.0, id.0)
        .execute(&mut *conn)
        .await?;
    sqlx::query!("select invitation_unregister($1)", id.0).execute(conn).await?;
    Ok(())
}

/// Those of somebody who may invite no more. Gives whom they were for.
pub(crate) async fn delete_by_inviter(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    inviter: UserId,
) -> Result<Vec<(InvitationId, String)>, AppError> {
    let rows = sqlx::query!(
        "delete from invitations where workspace_id = $1 and invited_by = $2 returning invitation_id, email",
        workspace.0,
        inviter.0,
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut gone = vec![];
    for row in rows {
        sqlx::query!("select invitation_unregister($1)", row.invitation_id).execute(&mut *conn).await?;
        gone.push((InvitationId(row.invitation_id), row.email));
    }
    Ok(gone)
}

/// What a token opens, if it opens anything.
pub(super) async fn find(pool: &PgPool, hash: &[u8; 32], now: OffsetDateTime) -> Result<Option<Offer>, AppError> {
    let row = sqlx::query!(
        r#"select workspace_id as "workspace_id!", slug as "slug!", workspace_name as "workspace_name!", invitation_id as "invitation_id!",
            email as "email!", role as "role!", inviter, expires_at as "expires_at!", user_id
         from invitation_find($1, $2)"#,
        hash.as_slice(),
        now,
    )
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        Ok(Offer {
            workspace: WorkspaceId(row.workspace_id),
            slug: row.slug,
            workspace_name: row.workspace_name,
            id: InvitationId(row.invitation_id),
            email: row.email,
            role: row.role.parse().map_err(|()| AppError::Internal)?,
            inviter: row.inviter,
            expires_at: row.expires_at,
            user: row.user_id.map(UserId),
        })
    })
    .transpose()
}

/// Uses up the token. Of several at once, one is told so.
pub(super) async fn take(conn: &mut PgConnection, hash: &[u8; 32]) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(r#"select invitation_take($1) as "taken!""#, hash.as_slice()).fetch_one(conn).await?)
}
