use super::MemberView;
use crate::{
    AppError,
    ids::{MemberId, UserId, WorkspaceId},
    permissions::Role,
};
use sqlx::PgConnection;
use time::OffsetDateTime;

pub(crate) async fn insert(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    member: MemberId,
    user: UserId,
    role: Role,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into members (workspace_id, member_id, user_id, role, joined_at) values ($1, $2, $3, $4, $5)",
        workspace.0,
        member.0,
        user.0,
        role.as_str(),
        now,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("select member_register($1)", user.0).execute(conn).await?;
    Ok(())
}

pub(super) async fn page(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    after: Option<MemberId>,
    limit: u32,
) -> Result<Vec<MemberView>, AppError> {
    let rows = sqlx::query!(
        r#"select m.member_id, m.user_id, m.role, m.joined_at, p.name as "name!", p.email as "email!"
         from members m join workspace_people() p on p.user_id = m.user_id
         where m.workspace_id = $1 and ($2::uuid is null or m.member_id < $2)
         order by m.member_id desc limit $3"#,
        workspace.0,
        after.map(|id| id.0),
        i64::from(limit),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(MemberView {
                id: MemberId(row.member_id),
                user_id: UserId(row.user_id),
                name: row.name,
                email: row.email,
                role: row.role.parse().map_err(|()| AppError::Internal)?,
                joined_at: row.joined_at,
            })
        })
        .collect()
}

/// The member of the workspace of the transaction with this mail address.
pub(crate) async fn person_by_email(conn: &mut PgConnection, email: &str) -> Result<Option<UserId>, AppError> {
    let id = sqlx::query_scalar!(r#"select user_id as "user_id!" from workspace_people() where email = $1"#, email)
        .fetch_optional(conn)
        .await?;
    Ok(id.map(UserId))
}
