use super::MemberView;
use crate::{
    AppError,
    database::constraint,
    ids::{MemberId, UserId, WorkspaceId},
    permissions::Role,
    policies,
};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

pub(crate) async fn insert(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    member: MemberId,
    user: UserId,
    role: Role,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let due_at = policies::operations::due_at(conn, workspace, now).await?;
    let inserted = sqlx::query!(
        "insert into members (workspace_id, member_id, user_id, role, joined_at, factor_due_at) values ($1, $2, $3, $4, $5, $6)",
        workspace.0,
        member.0,
        user.0,
        role.as_str(),
        now,
        due_at,
    )
    .execute(&mut *conn)
    .await;
    match inserted {
        Err(error) if constraint(&error) == Some("members_user_key") => {
            return Err(AppError::Conflict("This person is in the workspace already.".into()));
        }
        inserted => inserted?,
    };
    let registered = sqlx::query!("select member_register($1)", user.0).execute(conn).await;
    match registered {
        Err(error) if constraint(&error) == Some("operators_are_no_members") => {
            Err(AppError::Conflict("An account of send0's staff is nobody's member. Use another address.".into()))
        }
        registered => Ok(registered.map(|_| ())?),
    }
}

struct Row {
    member_id: Uuid,
    user_id: Uuid,
    role: String,
    joined_at: OffsetDateTime,
    last_seen_at: Option<OffsetDateTime>,
    name: String,
    email: String,
}

impl Row {
    fn view(self) -> Result<MemberView, AppError> {
        Ok(MemberView {
            id: MemberId(self.member_id),
            user_id: UserId(self.user_id),
            name: self.name,
            email: self.email,
            role: self.role.parse().map_err(|()| AppError::Internal)?,
            joined_at: self.joined_at,
            last_seen_at: self.last_seen_at,
            factors: None,
        })
    }
}

pub(super) async fn page(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    after: Option<MemberId>,
    limit: u32,
) -> Result<Vec<MemberView>, AppError> {
    let rows = sqlx::query_as!(
        Row,
        r#"select m.member_id, m.user_id, m.role, m.joined_at, m.last_seen_at, p.name as "name!", p.email as "email!"
         from members m join workspace_people() p on p.user_id = m.user_id
         where m.workspace_id = $1 and ($2::uuid is null or m.member_id < $2)
         order by m.member_id desc limit $3"#,
        workspace.0,
        after.map(|id| id.0),
        i64::from(limit),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::view).collect()
}

pub(super) async fn count(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<i64, AppError> {
    let count = sqlx::query_scalar!(r#"select count(*) as "count!" from members where workspace_id = $1"#, workspace.0);
    Ok(count.fetch_one(conn).await?)
}

pub(super) async fn find(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: MemberId,
) -> Result<Option<MemberView>, AppError> {
    let row = sqlx::query_as!(
        Row,
        r#"select m.member_id, m.user_id, m.role, m.joined_at, m.last_seen_at, p.name as "name!", p.email as "email!"
         from members m join workspace_people() p on p.user_id = m.user_id
         where m.workspace_id = $1 and m.member_id = $2"#,
        workspace.0,
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::view).transpose()
}

/// Whoever changes who is in a workspace, or with which role, waits here for whoever does so already.
pub(super) async fn lock(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<(), AppError> {
    sqlx::query!("select slug from workspaces where workspace_id = $1 for update", workspace.0).fetch_one(conn).await?;
    Ok(())
}

/// What the person is in the workspace now.
pub(super) async fn role_of(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    user: UserId,
) -> Result<Option<Role>, AppError> {
    let role =
        sqlx::query_scalar!("select role from members where workspace_id = $1 and user_id = $2", workspace.0, user.0)
            .fetch_optional(conn)
            .await?;
    role.map(|role| role.parse().map_err(|()| AppError::Internal)).transpose()
}

pub(super) async fn member_of(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    user: UserId,
) -> Result<Option<MemberId>, AppError> {
    let id = sqlx::query_scalar!(
        "select member_id from members where workspace_id = $1 and user_id = $2",
        workspace.0,
        user.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(id.map(MemberId))
}

/// The owners, with their mail addresses.
pub(crate) async fn owners(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Vec<(UserId, String)>, AppError> {
    let owners = sqlx::query!(
        r#"select m.user_id, p.email as "email!" from members m join workspace_people() p on p.user_id = m.user_id
         where m.workspace_id = $1 and m.role = 'owner'"#,
        workspace.0,
    );
    Ok(owners.fetch_all(conn).await?.into_iter().map(|row| (UserId(row.user_id), row.email)).collect())
}

pub(super) async fn set_role(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: MemberId,
    role: Role,
) -> Result<(), AppError> {
    sqlx::query!(
        "update members set role = $3 where workspace_id = $1 and member_id = $2",
        workspace.0,
        id.0,
        role.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn delete(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    member: &MemberView,
) -> Result<(), AppError> {
    sqlx::query!("delete from members where workspace_id = $1 and member_id = $2", workspace.0, member.id.0)
        .execute(&mut *conn)
        .await?;
    sqlx::query!("select member_unregister($1)", member.user_id.0).execute(conn).await?;
    Ok(())
}

/// The member of the workspace of the transaction with this mail address.
pub(crate) async fn person_by_email(conn: &mut PgConnection, email: &str) -> Result<Option<UserId>, AppError> {
    let id = sqlx::query_scalar!(r#"select user_id as "user_id!" from workspace_people() where email = $1"#, email)
        .fetch_optional(conn)
        .await?;
    Ok(id.map(UserId))
}

/// Everybody in the workspace of the transaction, with name and mail address.
pub(crate) async fn people(conn: &mut PgConnection) -> Result<Vec<(UserId, String, String)>, AppError> {
    let rows =
        sqlx::query!(r#"select user_id as "user_id!", name as "name!", email as "email!" from workspace_people()"#);
    let rows = rows.fetch_all(conn).await?.into_iter();
    Ok(rows.map(|row| (UserId(row.user_id), row.name, row.email)).collect())
}

/// Everybody in the workspace, and whether they own it.
pub(crate) async fn everybody(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
) -> Result<Vec<(UserId, String, Role)>, AppError> {
    let rows = sqlx::query!(
        r#"select m.user_id, p.name as "name!", m.role from members m join workspace_people() p on p.user_id = m.user_id
         where m.workspace_id = $1 order by p.name, m.user_id"#,
        workspace.0,
    )
    .fetch_all(conn)
    .await?;
    let member =
        |row: (Uuid, String, String)| Ok((UserId(row.0), row.1, row.2.parse().map_err(|()| AppError::Internal)?));
    rows.into_iter().map(|row| member((row.user_id, row.name, row.role))).collect()
}
