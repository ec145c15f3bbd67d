use super::{
    EXPIRY_DAYS, IDLE_DAYS, KeyView, Kind, Mode, NewKey, Status, Summary, operations::Issued, recogniser::Asked,
};
use crate::{
    Actor, AppError,
    allowlist::Verdict,
    database::WorkspaceTx,
    ids::{KeyId, UserId, WorkspaceId},
    permissions::Permission,
};
use sqlx::{PgConnection, PgPool};
use std::str::FromStr;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

pub(super) async fn insert(
    tx: &mut WorkspaceTx,
    actor: &Actor,
    issued: &Issued,
    new: &NewKey,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let scopes: Vec<String> = new.scopes.iter().map(ToString::to_string).collect();
    let created_by = actor.user().map(|id| id.0);
    sqlx::query!(
        "insert into api_keys (workspace_id, key_id, name, kind, mode, last4, scopes, created_by, responsible, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10)",
        actor.workspace.0,
        issued.id.0,
        new.name,
        new.kind.as_str(),
        new.mode.as_str(),
        issued.secret.last4(),
        &scopes,
        created_by,
        now,
        new.lifetime.map(|days| now + Duration::days(days.into())),
    )
    .execute(tx.conn())
    .await?;
    let hash = issued.secret.hash();
    sqlx::query!("select key_register($1, $2)", hash.as_slice(), issued.id.0).execute(tx.conn()).await?;
    Ok(())
}

pub(super) async fn page(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    after: Option<KeyId>,
    limit: u32,
    now: OffsetDateTime,
) -> Result<Vec<KeyView>, AppError> {
    let rows = sqlx::query_as!(
        Row,
        r#"select k.key_id as "key_id!", k.name as "name!", k.kind as "kind!", k.mode as "mode!", k.last4 as "last4!",
            k.scopes as "scopes!", k.created_by, p.name as "creator?", r.name as "responsible?", k.created_at as "created_at!", k.last_used_at,
            k.expires_at, k.revoked_at, k.reason
         from api_keys k left join workspace_people() p on p.user_id = k.created_by left join workspace_people() r on r.user_id = k.responsible
         where k.workspace_id = $1 and ($2::uuid is null or k.key_id < $2)
         order by k.key_id desc limit $3"#,
        workspace.0,
        after.map(|id| id.0),
        i64::from(limit),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| row.view(now)).collect()
}

pub(super) async fn find(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: KeyId,
    now: OffsetDateTime,
) -> Result<Option<KeyView>, AppError> {
    let row = sqlx::query_as!(
        Row,
        r#"select k.key_id as "key_id!", k.name as "name!", k.kind as "kind!", k.mode as "mode!", k.last4 as "last4!",
            k.scopes as "scopes!", k.created_by, p.name as "creator?", r.name as "responsible?", k.created_at as "created_at!", k.last_used_at,
            k.expires_at, k.revoked_at, k.reason
         from api_keys k left join workspace_people() p on p.user_id = k.created_by left join workspace_people() r on r.user_id = k.responsible
         where k.workspace_id = $1 and k.key_id = $2"#,
        workspace.0,
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| row.view(now)).transpose()
}

/// How many questionable keys the overview shows.
const QUESTIONABLE: i64 = 5;

pub(super) async fn summary(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    now: OffsetDateTime,
) -> Result<Summary, AppError> {
    let counts = sqlx::query!(
        r#"select count(*) as "ever!",
            count(*) filter (where revoked_at is null and (expires_at is null or expires_at > $2)) as "active!"
         from api_keys where workspace_id = $1"#,
        workspace.0,
        now,
    )
    .fetch_one(&mut *conn)
    .await?;
    let rows = sqlx::query_as!(
        Row,
        r#"select k.key_id as "key_id!", k.name as "name!", k.kind as "kind!", k.mode as "mode!", k.last4 as "last4!",
            k.scopes as "scopes!", k.created_by, p.name as "creator?", r.name as "responsible?", k.created_at as "created_at!", k.last_used_at,
            k.expires_at, k.revoked_at, k.reason
         from api_keys k left join workspace_people() p on p.user_id = k.created_by left join workspace_people() r on r.user_id = k.responsible
         where k.workspace_id = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2)
            and (k.expires_at < $3 or coalesce(k.last_used_at, k.created_at) < $4)
         order by k.expires_at nulls last, k.key_id limit $5"#,
        workspace.0,
        now,
        now + Duration::days(EXPIRY_DAYS),
        now - Duration::days(IDLE_DAYS),
        QUESTIONABLE,
    )
    .fetch_all(conn)
    .await?;
    let questionable = rows.into_iter().map(|row| row.view(now)).collect::<Result<_, _>>()?;
    Ok(Summary { ever: counts.ever, active: counts.active, questionable })
}

/// Whether this call revoked it. The row lock lets only one of several do so.
pub(crate) async fn revoke(
    conn: &mut PgConnection,
    actor: &Actor,
    id: KeyId,
    reason: Option<&str>,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update api_keys set revoked_at = $3, revoked_by = $4, reason = $5
         where workspace_id = $1 and key_id = $2 and revoked_at is null",
        actor.workspace.0,
        id.0,
        now,
        actor.id(),
        reason,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The keys that open something and that this person answers for, the newest first.
pub(crate) async fn active_of(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    user: UserId,
    now: OffsetDateTime,
) -> Result<Vec<(KeyId, String)>, AppError> {
    let rows = sqlx::query!(
        "select key_id, name from api_keys
         where workspace_id = $1 and responsible = $2 and revoked_at is null and (expires_at is null or expires_at > $3)
         order by key_id desc",
        workspace.0,
        user.0,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (KeyId(row.key_id), row.name)).collect())
}

/// The keys that open something, by name.
pub(crate) async fn active(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    now: OffsetDateTime,
) -> Result<Vec<(KeyId, String)>, AppError> {
    let rows = sqlx::query!(
        "select key_id, name from api_keys
         where workspace_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2) order by name, key_id",
        workspace.0,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (KeyId(row.key_id), row.name)).collect())
}

/// Lets somebody else answer for a key; nobody: the owners of the workspace.
pub(crate) async fn hand_over(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: KeyId,
    to: Option<UserId>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update api_keys set responsible = $3 where workspace_id = $1 and key_id = $2",
        workspace.0,
        id.0,
        to.map(|id| id.0),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A key found by its hash, before the tenant is known.
#[derive(Clone)]
pub(super) struct Known {
    pub workspace: WorkspaceId,
    pub slug: String,
    pub workspace_name: String,
    pub id: KeyId,
    pub name: String,
    pub kind: Kind,
    pub mode: Mode,
    pub scopes: Vec<Permission>,
    pub expires_at: Option<OffsetDateTime>,
    pub revoked_at: Option<OffsetDateTime>,
    /// What the allowlist of the API says of the address.
    pub verdict: Verdict,
}

/// The keys and the allowlist's verdicts in one round trip, in the order they were asked for.
pub(super) async fn recognise(
    pool: &PgPool,
    asked: &[Asked],
    at: OffsetDateTime,
) -> Result<Vec<Option<Known>>, AppError> {
    let rows = sqlx::query!(
        r#"select place as "place!", workspace_id as "workspace_id!", slug as "slug!", workspace_name as "workspace_name!",
            key_id as "key_id!", name as "name!", kind as "kind!", mode as "mode!", scopes as "scopes!", expires_at, revoked_at,
            verdict as "verdict!"
         from keys_find($1, $2, $3)"#,
        &asked.iter().map(|one| one.hash.to_vec()).collect::<Vec<_>>(),
        &asked.iter().map(|one| one.address.clone()).collect::<Vec<_>>() as &[Option<String>],
        &vec![at; asked.len()],
    )
    .fetch_all(pool)
    .await?;
    let mut found: Vec<Option<Known>> = asked.iter().map(|_| None).collect();
    for row in rows {
        let place = usize::try_from(row.place - 1).ok().and_then(|place| found.get_mut(place));
        *place.ok_or(AppError::Internal)? = Some(Known {
            workspace: WorkspaceId(row.workspace_id),
            slug: row.slug,
            workspace_name: row.workspace_name,
            id: KeyId(row.key_id),
            name: row.name,
            kind: stored(&row.kind)?,
            mode: stored(&row.mode)?,
            scopes: scopes(&row.scopes),
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            verdict: stored(&row.verdict)?,
        });
    }
    Ok(found)
}

struct Row {
    key_id: Uuid,
    name: String,
    kind: String,
    mode: String,
    last4: String,
    scopes: Vec<String>,
    created_by: Option<Uuid>,
    creator: Option<String>,
    responsible: Option<String>,
    created_at: OffsetDateTime,
    last_used_at: Option<OffsetDateTime>,
    expires_at: Option<OffsetDateTime>,
    revoked_at: Option<OffsetDateTime>,
    reason: Option<String>,
}

impl Row {
    fn view(self, now: OffsetDateTime) -> Result<KeyView, AppError> {
        let kind: Kind = stored(&self.kind)?;
        Ok(KeyView {
            id: KeyId(self.key_id),
            name: self.name,
            kind,
            mode: stored(&self.mode)?,
            prefix: kind.prefix().to_owned(),
            last4: self.last4,
            scopes: scopes(&self.scopes),
            created_by: self.created_by.map_or_else(|| "cli".to_owned(), |id| UserId(id).to_string()),
            creator: self.creator,
            responsible: self.responsible,
            created_at: self.created_at,
            last_used_at: self.last_used_at,
            status: Status::at(now, self.expires_at, self.revoked_at),
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
            reason: self.reason,
        })
    }
}

/// The names of the newest keys, at most so many.
pub(crate) async fn names(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    limit: i64,
) -> Result<Vec<(KeyId, String)>, AppError> {
    let rows = sqlx::query!(
        "select key_id, name from api_keys where workspace_id = $1 order by key_id desc limit $2",
        workspace.0,
        limit,
    );
    let rows = rows.fetch_all(conn).await?.into_iter();
    Ok(rows.map(|row| (KeyId(row.key_id), row.name)).collect())
}

/// A scope that this version does not know opens nothing.
fn scopes(stored: &[String]) -> Vec<Permission> {
    stored.iter().filter_map(|scope| scope.parse().ok()).collect()
}

fn stored<T: FromStr>(text: &str) -> Result<T, AppError> {
    text.parse().map_err(|_| {
        tracing::error!(text, "a stored word is unknown");
        AppError::Internal
    })
}
