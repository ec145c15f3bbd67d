use super::{
    ComplianceRequest, Document, DocumentOffer, Evidence, Framework, Grant, Message, NewFramework, NewRequest,
    RequestState,
};
use crate::{
    AppError,
    database::constraint,
    ids::{ComplianceMessageId, ComplianceRequestId, DocumentId, EvidenceId, GrantId, UserId, WorkspaceId},
    secrets,
};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

// Frameworks -------------------------------------------------------------------------------------------------------

pub(super) async fn frameworks(pool: &PgPool) -> Result<Vec<Framework>, AppError> {
    let rows = sqlx::query!(
        "select framework_id, name, status, scope, owner, review_on, changed_at from frameworks order by position"
    )
    .fetch_all(pool)
    .await?;
    let mut evidence = all_evidence(pool).await?;
    rows.into_iter()
        .map(|row| {
            let of_this = evidence.extract_if(.., |(framework, _)| *framework == row.framework_id);
            Ok(Framework {
                evidence: of_this.map(|(_, one)| one).collect(),
                id: row.framework_id,
                name: row.name,
                status: row.status.parse().map_err(|()| AppError::Internal)?,
                scope: row.scope,
                owner: row.owner,
                review_on: row.review_on,
                changed_at: row.changed_at,
            })
        })
        .collect()
}

async fn all_evidence(pool: &PgPool) -> Result<Vec<(String, Evidence)>, AppError> {
    let rows = sqlx::query!(
        "select framework_id, evidence_id, title, kind, link, document_id, valid_until from framework_evidence
         where removed_at is null order by added_at, evidence_id"
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let evidence = Evidence {
                id: EvidenceId(row.evidence_id),
                title: row.title,
                kind: row.kind.parse().map_err(|()| AppError::Internal)?,
                link: row.link,
                document: row.document_id.map(DocumentId),
                valid_until: row.valid_until,
            };
            Ok((row.framework_id, evidence))
        })
        .collect()
}

pub(super) async fn set_framework(
    conn: &mut PgConnection,
    id: &str,
    new: &NewFramework,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "update frameworks set status = $2, scope = $3, owner = $4, review_on = $5, changed_at = $6 where framework_id = $1",
        id,
        new.status.as_str(),
        new.scope,
        new.owner,
        new.review_on,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Waits for whoever changes the same one, so that what is compared is what is replaced.
pub(super) async fn lock_framework(conn: &mut PgConnection, id: &str) -> Result<(), AppError> {
    sqlx::query!("select 1 as one from frameworks where framework_id = $1 for update", id).fetch_optional(conn).await?;
    Ok(())
}

pub(super) async fn add_evidence(
    conn: &mut PgConnection,
    framework: &str,
    one: &Evidence,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into framework_evidence (evidence_id, framework_id, title, kind, link, document_id, valid_until, added_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        one.id.0,
        framework,
        one.title,
        one.kind.as_str(),
        one.link,
        one.document.map(|id| id.0),
        one.valid_until,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// False when somebody else has removed it.
pub(super) async fn remove_evidence(
    conn: &mut PgConnection,
    id: EvidenceId,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let sql = sqlx::query!(
        "update framework_evidence set removed_at = $2 where evidence_id = $1 and removed_at is null",
        id.0,
        now
    );
    Ok(sql.execute(conn).await?.rows_affected() == 1)
}

/// What the database holds as well: a framework says no more than its evidence. Checked at once instead of at the end.
pub(super) async fn check_evidence(conn: &mut PgConnection) -> Result<(), AppError> {
    let checked = sqlx::query!("set constraints all immediate").execute(conn).await;
    match checked {
        Err(error) if constraint(&error) == Some("frameworks_say_no_more_than_their_evidence") => {
            let text = "That would say more than its evidence shows: add evidence first, or record less.";
            Err(AppError::field("status", "no_evidence", text))
        }
        checked => Ok(checked.map(|_| ())?),
    }
}

// Documents --------------------------------------------------------------------------------------------------------

pub(super) async fn documents(pool: &PgPool) -> Result<Vec<Document>, AppError> {
    let rows = sqlx::query!(
        "select document_id, title, file_name, media_type, size, sha256, added_at, retired_at from documents
         order by (retired_at is not null), lower(title), document_id"
    )
    .fetch_all(pool)
    .await?;
    let view = rows.into_iter().map(|row| Document {
        id: DocumentId(row.document_id),
        title: row.title,
        file_name: row.file_name,
        media_type: row.media_type,
        size: row.size,
        sha256: secrets::hex(&row.sha256),
        added_at: row.added_at,
        retired_at: row.retired_at,
    });
    Ok(view.collect())
}

/// A document on its way in.
pub(super) struct NewRow<'a> {
    pub id: DocumentId,
    pub title: &'a str,
    pub file_name: &'a str,
    pub media_type: &'a str,
    pub size: i32,
    pub sha256: [u8; 32],
    pub terms: &'a str,
    pub sealed: &'a [u8],
}

pub(super) async fn add_document(
    conn: &mut PgConnection,
    new: &NewRow<'_>,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into documents (document_id, title, file_name, media_type, size, sha256, terms, sealed, added_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        new.id.0,
        new.title,
        new.file_name,
        new.media_type,
        new.size,
        new.sha256.as_slice(),
        new.terms,
        new.sealed,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// False when it was retired already.
pub(super) async fn retire_document(
    conn: &mut PgConnection,
    id: DocumentId,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let sql =
        sqlx::query!("update documents set retired_at = $2 where document_id = $1 and retired_at is null", id.0, now);
    Ok(sql.execute(conn).await?.rows_affected() == 1)
}

pub(super) async fn grants(conn: &mut PgConnection, document: DocumentId) -> Result<Vec<Grant>, AppError> {
    let rows = sqlx::query!(
        r#"select grant_id as "grant_id!", email as "email!", granted_at as "granted_at!", expires_at as "expires_at!", revoked_at,
            accepted_at, accepted_by, downloads as "downloads!", last_download_at from document_grants_of($1)"#,
        document.0,
    );
    let rows = rows.fetch_all(conn).await?.into_iter();
    let view = rows.map(|row| Grant {
        id: GrantId(row.grant_id),
        email: row.email,
        granted_at: row.granted_at,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        accepted: row.accepted_at.zip(row.accepted_by),
        downloads: row.downloads,
        last_download_at: row.last_download_at,
    });
    Ok(view.collect())
}

pub(super) async fn add_grant(
    conn: &mut PgConnection,
    (id, document): (GrantId, DocumentId),
    email: &str,
    hash: &[u8; 32],
    (now, expires_at): (OffsetDateTime, OffsetDateTime),
) -> Result<(), AppError> {
    sqlx::query!(
        "select document_grant_add($1, $2, $3, $4, $5, $6)",
        id.0,
        document.0,
        email,
        hash.as_slice(),
        now,
        expires_at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// To whom it opened what; nothing when it was over already.
pub(super) async fn revoke_grant(
    conn: &mut PgConnection,
    id: GrantId,
    now: OffsetDateTime,
) -> Result<Option<(DocumentId, String)>, AppError> {
    let row = sqlx::query!(
        r#"select document_id as "document_id!", email as "email!" from document_grant_revoke($1, $2)"#,
        id.0,
        now
    );
    Ok(row.fetch_optional(conn).await?.map(|row| (DocumentId(row.document_id), row.email)))
}

pub(super) async fn find_grant(
    executor: impl PgExecutor<'_>,
    hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<Option<DocumentOffer>, AppError> {
    let row = sqlx::query!(
        r#"select grant_id as "grant_id!", document_id as "document_id!", email as "email!", title as "title!",
            file_name as "file_name!", media_type as "media_type!", size as "size!", terms as "terms!",
            expires_at as "expires_at!", accepted_at from document_grant_find($1, $2)"#,
        hash.as_slice(),
        now,
    );
    Ok(row.fetch_optional(executor).await?.map(|row| DocumentOffer {
        grant: GrantId(row.grant_id),
        document: DocumentId(row.document_id),
        email: row.email,
        title: row.title,
        file_name: row.file_name,
        media_type: row.media_type,
        size: row.size,
        terms: row.terms,
        expires_at: row.expires_at,
        is_accepted: row.accepted_at.is_some(),
    }))
}

/// Of several at once, one agrees.
pub(super) async fn accept_terms(
    conn: &mut PgConnection,
    hash: &[u8; 32],
    by: &str,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let accepted =
        sqlx::query_scalar!(r#"select document_grant_accept($1, $2, $3) as "accepted!""#, hash.as_slice(), by, now);
    Ok(accepted.fetch_one(conn).await?)
}

/// What is handed out, sealed, and counted.
pub(super) async fn open_document(
    conn: &mut PgConnection,
    hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<Option<Vec<u8>>, AppError> {
    Ok(sqlx::query_scalar!("select document_grant_open($1, $2)", hash.as_slice(), now).fetch_one(conn).await?)
}

// Requests ---------------------------------------------------------------------------------------------------------

pub(super) async fn add_request(
    conn: &mut PgConnection,
    (workspace, id): (WorkspaceId, ComplianceRequestId),
    new: &NewRequest,
    by: Option<UserId>,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into compliance_requests
            (workspace_id, request_id, kind, document_id, state, name, email, company, requested_by, created_at, changed_at)
         values ($1, $2, $3, $4, 'open', $5, $6, $7, $8, $9, $9)",
        workspace.0,
        id.0,
        new.kind.as_str(),
        new.document.map(|id| id.0),
        new.name,
        new.email,
        new.company,
        by.map(|id| id.0),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn add_message(
    conn: &mut PgConnection,
    (workspace, request): (WorkspaceId, ComplianceRequestId),
    message: &Message,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into compliance_messages (workspace_id, request_id, message_id, side, author, body, at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        workspace.0,
        request.0,
        ComplianceMessageId::new().0,
        if message.is_ours { "send0" } else { "requester" },
        message.author,
        message.body,
        message.at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn set_state(
    conn: &mut PgConnection,
    (workspace, request): (WorkspaceId, ComplianceRequestId),
    state: RequestState,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "update compliance_requests set state = $3, changed_at = $4 where workspace_id = $1 and request_id = $2",
        workspace.0,
        request.0,
        state.as_str(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct Row {
    workspace_id: Uuid,
    workspace_name: String,
    request_id: Uuid,
    kind: String,
    document_id: Option<Uuid>,
    state: String,
    name: String,
    email: String,
    company: String,
    created_at: OffsetDateTime,
    changed_at: OffsetDateTime,
}

impl Row {
    fn request(self) -> Result<ComplianceRequest, AppError> {
        let workspace = WorkspaceId(self.workspace_id);
        Ok(ComplianceRequest {
            id: ComplianceRequestId(self.request_id),
            workspace,
            workspace_name: (workspace != WorkspaceId::PLATFORM).then_some(self.workspace_name),
            kind: self.kind.parse().map_err(|()| AppError::Internal)?,
            document: self.document_id.map(DocumentId),
            state: self.state.parse().map_err(|()| AppError::Internal)?,
            name: self.name,
            email: self.email,
            company: self.company,
            created_at: self.created_at,
            changed_at: self.changed_at,
        })
    }
}

/// Those of one workspace, the newest first; of one id, that one if it is there.
pub(super) async fn requests(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    only: Option<ComplianceRequestId>,
) -> Result<Vec<ComplianceRequest>, AppError> {
    let rows = sqlx::query_as!(
        Row,
        "select r.workspace_id, w.name as workspace_name, r.request_id, r.kind, r.document_id, r.state, r.name, r.email, r.company,
            r.created_at, r.changed_at
         from compliance_requests r join workspaces w on w.workspace_id = r.workspace_id
         where r.workspace_id = $1 and ($2::uuid is null or r.request_id = $2) order by r.created_at desc, r.request_id desc",
        workspace.0,
        only.map(|id| id.0) as Option<Uuid>,
    );
    rows.fetch_all(conn).await?.into_iter().map(Row::request).collect()
}

/// One of them, locked: whoever writes to it waits.
pub(super) async fn lock_request(
    conn: &mut PgConnection,
    (workspace, id): (WorkspaceId, ComplianceRequestId),
) -> Result<Option<ComplianceRequest>, AppError> {
    let row = sqlx::query_as!(
        Row,
        "select r.workspace_id, w.name as workspace_name, r.request_id, r.kind, r.document_id, r.state, r.name, r.email, r.company,
            r.created_at, r.changed_at
         from compliance_requests r join workspaces w on w.workspace_id = r.workspace_id
         where r.workspace_id = $1 and r.request_id = $2 for update of r",
        workspace.0,
        id.0,
    );
    row.fetch_optional(conn).await?.map(Row::request).transpose()
}

/// Those of everybody, for operators.
pub(super) async fn requests_of_all(conn: &mut PgConnection) -> Result<Vec<ComplianceRequest>, AppError> {
    let rows = sqlx::query_as!(
        Row,
        r#"select workspace_id as "workspace_id!", workspace_name as "workspace_name!", request_id as "request_id!", kind as "kind!",
            document_id, state as "state!", name as "name!", email as "email!", company as "company!", created_at as "created_at!",
            changed_at as "changed_at!" from compliance_requests_all()"#,
    );
    rows.fetch_all(conn).await?.into_iter().map(Row::request).collect()
}

pub(super) async fn messages(
    conn: &mut PgConnection,
    (workspace, request): (WorkspaceId, ComplianceRequestId),
) -> Result<Vec<Message>, AppError> {
    let rows = sqlx::query!(
        "select side, author, body, at from compliance_messages where workspace_id = $1 and request_id = $2 order by at, message_id",
        workspace.0,
        request.0,
    );
    let rows = rows.fetch_all(conn).await?.into_iter();
    let view = rows.map(|row| Message { is_ours: row.side == "send0", author: row.author, body: row.body, at: row.at });
    Ok(view.collect())
}

// Visitors ---------------------------------------------------------------------------------------------------------

/// Keeps what a visitor wrote until they have opened the link.
pub(super) async fn put_link(
    conn: &mut PgConnection,
    hash: &[u8; 32],
    id: ComplianceRequestId,
    until: OffsetDateTime,
    waiting: &serde_json::Value,
) -> Result<(), AppError> {
    sqlx::query!("select visitor_link_put($1, $2, $3, $4)", hash.as_slice(), id.0, until, waiting)
        .execute(conn)
        .await?;
    Ok(())
}

/// Whose link it is, and what waits.
pub(super) async fn find_link(
    pool: &PgPool,
    hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<Option<(ComplianceRequestId, Option<serde_json::Value>)>, AppError> {
    let row = sqlx::query!(
        r#"select request_id as "request_id!", waiting from visitor_link_find($1, $2)"#,
        hash.as_slice(),
        now
    );
    Ok(row.fetch_optional(pool).await?.map(|row| (ComplianceRequestId(row.request_id), row.waiting)))
}

/// What waits, once: of several at once, one gets it.
pub(super) async fn take_waiting(
    conn: &mut PgConnection,
    hash: &[u8; 32],
    (now, until): (OffsetDateTime, OffsetDateTime),
) -> Result<Option<(ComplianceRequestId, serde_json::Value)>, AppError> {
    let row = sqlx::query!(
        r#"select request_id as "request_id!", waiting as "waiting!" from visitor_link_take($1, $2, $3)"#,
        hash.as_slice(),
        now,
        until,
    );
    Ok(row.fetch_optional(conn).await?.map(|row| (ComplianceRequestId(row.request_id), row.waiting)))
}

pub(super) async fn renew_link(
    conn: &mut PgConnection,
    id: ComplianceRequestId,
    hash: &[u8; 32],
    until: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!("select visitor_link_renew($1, $2, $3)", id.0, hash.as_slice(), until).execute(conn).await?;
    Ok(())
}

/// How many links went.
pub(super) async fn purge_links(pool: &PgPool, now: OffsetDateTime) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(r#"select visitor_links_purge($1) as "gone!""#, now).fetch_one(pool).await?)
}
