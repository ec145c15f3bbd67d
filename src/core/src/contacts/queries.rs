use super::{ContactOffer, ContactView, NoticeKind, Standing};
use crate::{
    AppError,
    ids::{ContactId, UserId, WorkspaceId},
};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// A member, or an address outside with the end of its time to say yes.
pub(super) enum Who<'a> {
    Member(UserId),
    Address(&'a str, OffsetDateTime),
}

pub(super) struct New<'a> {
    pub id: ContactId,
    pub who: Who<'a>,
    pub kinds: &'a [NoticeKind],
    pub added_by: Option<UserId>,
    pub now: OffsetDateTime,
}

fn words(kinds: &[NoticeKind]) -> Vec<String> {
    kinds.iter().map(ToString::to_string).collect()
}

/// Whether it was new: one contact for each member and each address.
pub(super) async fn insert(conn: &mut PgConnection, workspace: WorkspaceId, new: &New<'_>) -> Result<bool, AppError> {
    let (user, email, expires_at) = match new.who {
        Who::Member(user) => (Some(user.0), None, None),
        Who::Address(email, expires_at) => (None, Some(email), Some(expires_at)),
    };
    let done = sqlx::query!(
        "insert into contacts (workspace_id, contact_id, user_id, email, kinds, added_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
        workspace.0,
        new.id.0,
        user,
        email,
        &words(new.kinds),
        new.added_by.map(|id| id.0),
        new.now,
        expires_at,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

struct Row {
    contact_id: Uuid,
    member: bool,
    name: Option<String>,
    email: String,
    kinds: Vec<String>,
    created_at: OffsetDateTime,
    confirmed_at: Option<OffsetDateTime>,
    expires_at: Option<OffsetDateTime>,
    tested_at: Option<OffsetDateTime>,
}

impl Row {
    fn view(self) -> Result<ContactView, AppError> {
        let standing = match (self.member, self.confirmed_at, self.expires_at) {
            (true, ..) => Standing::Member,
            (false, Some(at), _) => Standing::Confirmed(at),
            (false, None, until) => Standing::Waits(until.ok_or(AppError::Internal)?),
        };
        let kinds = self.kinds.iter().map(|kind| kind.parse()).collect::<Result<_, ()>>();
        Ok(ContactView {
            id: ContactId(self.contact_id),
            name: self.name,
            email: self.email,
            kinds: kinds.map_err(|()| AppError::Internal)?,
            standing,
            created_at: self.created_at,
            tested_at: self.tested_at,
        })
    }
}

/// All of them, the oldest first; there are never many.
pub(super) async fn all(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Vec<ContactView>, AppError> {
    let rows = sqlx::query_as!(
        Row,
        r#"select c.contact_id, c.user_id is not null as "member!", p.name as "name?", coalesce(c.email, p.email) as "email!",
            c.kinds, c.created_at, c.confirmed_at, c.expires_at, c.tested_at
         from contacts c left join workspace_people() p on p.user_id = c.user_id
         where c.workspace_id = $1 and coalesce(c.email, p.email) is not null
         order by c.created_at, c.contact_id"#,
        workspace.0,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::view).collect()
}

pub(super) async fn set_kinds(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: ContactId,
    kinds: &[NoticeKind],
) -> Result<(), AppError> {
    sqlx::query!(
        "update contacts set kinds = $3 where workspace_id = $1 and contact_id = $2",
        workspace.0,
        id.0,
        &words(kinds),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives an address its full time to say yes again, and other kinds.
pub(super) async fn renew(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: ContactId,
    kinds: &[NoticeKind],
    expires_at: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "update contacts set kinds = $3, expires_at = $4 where workspace_id = $1 and contact_id = $2",
        workspace.0,
        id.0,
        &words(kinds),
        expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn set_tested(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: ContactId,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "update contacts set tested_at = $3 where workspace_id = $1 and contact_id = $2",
        workspace.0,
        id.0,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// With its token, if it has one.
pub(super) async fn delete(conn: &mut PgConnection, workspace: WorkspaceId, id: ContactId) -> Result<(), AppError> {
    sqlx::query!("select contact_unregister($1)", id.0).execute(&mut *conn).await?;
    sqlx::query!("delete from contacts where workspace_id = $1 and contact_id = $2", workspace.0, id.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes the contact that this member was, if they were one.
pub(super) async fn delete_member(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    user: UserId,
) -> Result<Option<ContactId>, AppError> {
    let id = sqlx::query_scalar!(
        "delete from contacts where workspace_id = $1 and user_id = $2 returning contact_id",
        workspace.0,
        user.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(id.map(ContactId))
}

/// Makes this the one token that confirms the contact.
pub(super) async fn register(conn: &mut PgConnection, id: ContactId, hash: &[u8; 32]) -> Result<(), AppError> {
    sqlx::query!("select contact_register($1, $2)", hash.as_slice(), id.0).execute(conn).await?;
    Ok(())
}

pub(super) async fn find(
    pool: &PgPool,
    hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<Option<ContactOffer>, AppError> {
    let row = sqlx::query!(
        r#"select workspace_id as "workspace_id!", workspace_name as "workspace_name!", contact_id as "contact_id!",
            email as "email!", added_by as "added_by?"
         from contact_find($1, $2)"#,
        hash.as_slice(),
        now,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| ContactOffer {
        workspace: WorkspaceId(row.workspace_id),
        workspace_name: row.workspace_name,
        id: ContactId(row.contact_id),
        email: row.email,
        added_by: row.added_by,
    }))
}

/// Uses the token up. Whether it was still there, and for this contact, which is confirmed then.
pub(super) async fn confirm(
    conn: &mut PgConnection,
    offer: &ContactOffer,
    hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let taken = sqlx::query_scalar!("select contact_take($1)", hash.as_slice()).fetch_one(&mut *conn).await?;
    if taken != Some(offer.id.0) {
        return Ok(false);
    }
    let done = sqlx::query!(
        "update contacts set confirmed_at = $3 where workspace_id = $1 and contact_id = $2 and expires_at > $3",
        offer.workspace.0,
        offer.id.0,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether anybody but whom the workspace began with is told.
pub(super) async fn is_named(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<bool, AppError> {
    let named = sqlx::query_scalar!(
        r#"select exists (
            select from contacts where workspace_id = $1 and (confirmed_at is not null or (user_id is not null and added_by is not null))
         ) as "named!""#,
        workspace.0,
    );
    Ok(named.fetch_one(conn).await?)
}

/// The workspace, and where to tell what happens in it.
pub(crate) struct Told {
    pub workspace: String,
    pub slug: String,
    /// In which they read a deadline. Empty: UTC.
    pub time_zone: String,
    /// Each address once.
    pub addresses: Vec<String>,
}

/// Who is told this kind of thing; of none, all of them.
pub(crate) async fn told(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    kind: Option<NoticeKind>,
) -> Result<Told, AppError> {
    let row = sqlx::query!(
        r#"select w.name, w.slug, w.time_zone, array(
            select distinct coalesce(c.email, p.email) from contacts c left join workspace_people() p on p.user_id = c.user_id
            where c.workspace_id = $1 and ($2::text is null or $2 = any(c.kinds)) and (c.confirmed_at is not null or p.email is not null)
         ) as "addresses!"
         from workspaces w where w.workspace_id = $1"#,
        workspace.0,
        kind.map(NoticeKind::as_str),
    )
    .fetch_one(conn)
    .await?;
    Ok(Told { workspace: row.name, slug: row.slug, time_zone: row.time_zone, addresses: row.addresses })
}
