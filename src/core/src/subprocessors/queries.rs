use super::{Answer, Delivery, Details, Notice, OfWorkspace, Proposal, Received, Subprocessor};
use crate::{
    AppError,
    database::constraint,
    ids::{MailId, NoticeId, SubprocessorId, UserId, WorkspaceId},
};
use sqlx::{PgConnection, PgPool, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

// The list ---------------------------------------------------------------------------------------------------------

pub(super) async fn current(pool: &PgPool) -> Result<Vec<Subprocessor>, AppError> {
    let rows = sqlx::query!(
        "select subprocessor_id, vendor, purpose, data, regions, since from subprocessors where until is null
         order by lower(vendor)"
    )
    .fetch_all(pool)
    .await?;
    let view = rows.into_iter().map(|row| Subprocessor {
        id: SubprocessorId(row.subprocessor_id),
        details: Details { vendor: row.vendor, purpose: row.purpose, data: row.data, regions: row.regions },
        since: row.since,
    });
    Ok(view.collect())
}

/// What one is now, locked: whoever publishes another change of it waits.
pub(super) async fn lock(conn: &mut PgConnection, id: SubprocessorId) -> Result<Option<Details>, AppError> {
    let details = sqlx::query_as!(
        Details,
        "select vendor, purpose, data, regions from subprocessors where subprocessor_id = $1 and until is null for update",
        id.0,
    );
    Ok(details.fetch_optional(conn).await?)
}

pub(super) async fn add(conn: &mut PgConnection, notice: &Notice, now: OffsetDateTime) -> Result<(), AppError> {
    let Details { vendor, purpose, data, regions } = &notice.details;
    sqlx::query!(
        "insert into subprocessors (subprocessor_id, vendor, purpose, data, regions, since) values ($1, $2, $3, $4, $5, $6)",
        notice.subprocessor.0,
        vendor,
        purpose,
        data,
        regions,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn change(conn: &mut PgConnection, notice: &Notice) -> Result<(), AppError> {
    let Details { vendor, purpose, data, regions } = &notice.details;
    sqlx::query!(
        "update subprocessors set vendor = $2, purpose = $3, data = $4, regions = $5 where subprocessor_id = $1",
        notice.subprocessor.0,
        vendor,
        purpose,
        data,
        regions,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn remove(conn: &mut PgConnection, notice: &Notice, now: OffsetDateTime) -> Result<(), AppError> {
    sqlx::query!("update subprocessors set until = $2 where subprocessor_id = $1", notice.subprocessor.0, now)
        .execute(conn)
        .await?;
    Ok(())
}

// Notices ----------------------------------------------------------------------------------------------------------

struct Row {
    notice_id: Uuid,
    subprocessor_id: Uuid,
    kind: String,
    vendor: String,
    purpose: String,
    data: String,
    regions: Vec<String>,
    before: Option<Json<Details>>,
    why: String,
    drafted_at: OffsetDateTime,
    published_at: Option<OffsetDateTime>,
    effective_at: OffsetDateTime,
    first_effective_at: Option<OffsetDateTime>,
    postponed_at: Option<OffsetDateTime>,
    withdrawn_at: Option<OffsetDateTime>,
    withdrawal: Option<String>,
    in_effect_at: Option<OffsetDateTime>,
}

impl Row {
    fn notice(self) -> Result<Notice, AppError> {
        Ok(Notice {
            id: NoticeId(self.notice_id),
            subprocessor: SubprocessorId(self.subprocessor_id),
            kind: self.kind.parse().map_err(|()| AppError::Internal)?,
            details: Details { vendor: self.vendor, purpose: self.purpose, data: self.data, regions: self.regions },
            before: self.before.map(|before| before.0),
            why: self.why,
            drafted_at: self.drafted_at,
            published_at: self.published_at,
            effective_at: self.effective_at,
            first_effective_at: self.first_effective_at,
            postponed_at: self.postponed_at,
            withdrawn: self.withdrawn_at.zip(self.withdrawal),
            in_effect_at: self.in_effect_at,
        })
    }
}

/// Every notice, the newest draft first; without drafts, those that are public.
pub(super) async fn notices(pool: &PgPool, with_drafts: bool) -> Result<Vec<Notice>, AppError> {
    let rows = sqlx::query_as!(
        Row,
        r#"select notice_id, subprocessor_id, kind, vendor, purpose, data, regions, before as "before: Json<Details>", why, drafted_at,
            published_at, effective_at, first_effective_at, postponed_at, withdrawn_at, withdrawal, in_effect_at
         from subprocessor_notices where published_at is not null or $1 order by drafted_at desc, notice_id desc"#,
        with_drafts,
    );
    rows.fetch_all(pool).await?.into_iter().map(Row::notice).collect()
}

/// One notice, locked.
pub(super) async fn find(conn: &mut PgConnection, id: NoticeId) -> Result<Option<Notice>, AppError> {
    let row = sqlx::query_as!(
        Row,
        r#"select notice_id, subprocessor_id, kind, vendor, purpose, data, regions, before as "before: Json<Details>", why, drafted_at,
            published_at, effective_at, first_effective_at, postponed_at, withdrawn_at, withdrawal, in_effect_at
         from subprocessor_notices where notice_id = $1 for update"#,
        id.0,
    );
    row.fetch_optional(conn).await?.map(Row::notice).transpose()
}

pub(super) async fn draft(
    conn: &mut PgConnection,
    (id, subprocessor): (NoticeId, SubprocessorId),
    kind: &str,
    proposal: &Proposal,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let Details { vendor, purpose, data, regions } = &proposal.details;
    sqlx::query!(
        "insert into subprocessor_notices (notice_id, subprocessor_id, kind, vendor, purpose, data, regions, why, drafted_at, effective_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        id.0,
        subprocessor.0,
        kind,
        vendor,
        purpose,
        data,
        regions,
        proposal.why,
        now,
        proposal.effective_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn discard(conn: &mut PgConnection, id: NoticeId) -> Result<(), AppError> {
    sqlx::query!("delete from subprocessor_notices where notice_id = $1", id.0).execute(conn).await?;
    Ok(())
}

/// Whether somebody else of this name is on the list, or announced for it. Whoever publishes waits here for whoever does so
/// already: two must not announce the same name.
pub(super) async fn is_taken(
    conn: &mut PgConnection,
    subprocessor: SubprocessorId,
    vendor: &str,
) -> Result<bool, AppError> {
    sqlx::query!("select pg_advisory_xact_lock(hashtext('subprocessor_notices'))").execute(&mut *conn).await?;
    let taken = sqlx::query_scalar!(
        r#"select exists (
                select from subprocessors where until is null and lower(vendor) = lower($2) and subprocessor_id <> $1
            ) or exists (
                select from subprocessor_notices where lower(vendor) = lower($2) and subprocessor_id <> $1 and kind <> 'remove'
                    and published_at is not null and withdrawn_at is null and in_effect_at is null
            ) as "taken!""#,
        subprocessor.0,
        vendor,
    );
    Ok(taken.fetch_one(conn).await?)
}

pub(super) async fn publish(
    conn: &mut PgConnection,
    notice: &Notice,
    before: Option<&Details>,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let published = sqlx::query!(
        "update subprocessor_notices set published_at = $2, first_effective_at = effective_at, before = $3 where notice_id = $1",
        notice.id.0,
        now,
        before.map(Json) as _,
    )
    .execute(conn)
    .await;
    match published {
        Err(error) if constraint(&error) == Some("subprocessor_notices_open_key") => {
            let text = "There is a notice about this subprocessor that is still to come. Withdraw it first, or wait.";
            Err(AppError::Conflict(text.into()))
        }
        published => Ok(published.map(|_| ())?),
    }
}

pub(super) async fn postpone(
    conn: &mut PgConnection,
    id: NoticeId,
    effective_at: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "update subprocessor_notices set effective_at = $2, postponed_at = $3 where notice_id = $1",
        id.0,
        effective_at,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn withdraw(
    conn: &mut PgConnection,
    id: NoticeId,
    why: &str,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "update subprocessor_notices set withdrawn_at = $2, withdrawal = $3 where notice_id = $1",
        id.0,
        now,
        why,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Those whose day has come.
pub(super) async fn due(pool: &PgPool, now: OffsetDateTime) -> Result<Vec<NoticeId>, AppError> {
    let due = sqlx::query_scalar!(
        "select notice_id from subprocessor_notices
         where published_at is not null and withdrawn_at is null and in_effect_at is null and effective_at <= $1
         order by effective_at, notice_id",
        now,
    );
    Ok(due.fetch_all(pool).await?.into_iter().map(NoticeId).collect())
}

pub(super) async fn set_in_effect(conn: &mut PgConnection, id: NoticeId, now: OffsetDateTime) -> Result<(), AppError> {
    sqlx::query!("update subprocessor_notices set in_effect_at = $2 where notice_id = $1", id.0, now)
        .execute(conn)
        .await?;
    Ok(())
}

// What workspaces are told, and say --------------------------------------------------------------------------------

pub(super) async fn to_tell(
    pool: &PgPool,
    now: OffsetDateTime,
    limit: i32,
) -> Result<Vec<(WorkspaceId, NoticeId)>, AppError> {
    let rows = sqlx::query!(
        r#"select workspace_id as "workspace_id!", notice_id as "notice_id!" from notices_to_tell($1, $2)"#,
        now,
        limit,
    );
    let rows = rows.fetch_all(pool).await?.into_iter();
    Ok(rows.map(|row| (WorkspaceId(row.workspace_id), NoticeId(row.notice_id))).collect())
}

/// Notes what the workspace is told now, and says what that is. `None` when it has been told by somebody else meanwhile.
pub(super) async fn set_told(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: NoticeId,
    now: OffsetDateTime,
) -> Result<Option<String>, AppError> {
    let told = sqlx::query_scalar!(
        "insert into workspace_notices as received (workspace_id, notice_id, received_at, told, told_of)
            select $1, n.notice_id, $3,
                notice_stage(n.effective_at, n.postponed_at, n.withdrawn_at, n.in_effect_at, $3), n.effective_at
            from subprocessor_notices n where n.notice_id = $2
         on conflict (workspace_id, notice_id) do update set told = excluded.told, told_of = excluded.told_of
            where (received.told, received.told_of) is distinct from (excluded.told, excluded.told_of)
         returning told",
        workspace.0,
        id.0,
        now,
    );
    Ok(told.fetch_optional(conn).await?)
}

pub(super) async fn add_delivery(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    (id, mail): (NoticeId, MailId),
    (email, about): (&str, &str),
    now: OffsetDateTime,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into notice_deliveries (workspace_id, mail_id, notice_id, about, email, told_at) values ($1, $2, $3, $4, $5, $6)",
        workspace.0,
        mail.0,
        id.0,
        about,
        email,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn settle(pool: &PgPool, now: OffsetDateTime) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(r#"select notice_deliveries_settle($1) as "settled!""#, now).fetch_one(pool).await?)
}

pub(super) async fn deliveries(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: NoticeId,
) -> Result<Vec<Delivery>, AppError> {
    let deliveries = sqlx::query_as!(
        Delivery,
        "select email, about, told_at, attempts, last_error, delivered_at, failed_at from notice_deliveries
         where workspace_id = $1 and notice_id = $2 order by told_at desc, email",
        workspace.0,
        id.0,
    );
    Ok(deliveries.fetch_all(conn).await?)
}

/// What the workspace has of each notice, the newest first.
pub(super) async fn received(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Vec<Received>, AppError> {
    let rows = sqlx::query!(
        r#"select n.notice_id, n.subprocessor_id, n.kind, n.vendor, n.purpose, n.data, n.regions, n.before as "before: Json<Details>",
            n.why, n.drafted_at, n.published_at, n.effective_at, n.first_effective_at, n.postponed_at, n.withdrawn_at, n.withdrawal, n.in_effect_at,
            r.received_at, r.seen_at, r.answer, r.reason, r.answered_at, r.reply, r.replied_at, p.name as "answered_by?"
         from workspace_notices r
            join subprocessor_notices n on n.notice_id = r.notice_id
            left join workspace_people() p on p.user_id = r.answered_by
         where r.workspace_id = $1 order by n.published_at desc, n.notice_id desc"#,
        workspace.0,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let answer = answer(row.answer, row.reason);
            let notice = Row {
                notice_id: row.notice_id,
                subprocessor_id: row.subprocessor_id,
                kind: row.kind,
                vendor: row.vendor,
                purpose: row.purpose,
                data: row.data,
                regions: row.regions,
                before: row.before,
                why: row.why,
                drafted_at: row.drafted_at,
                published_at: row.published_at,
                effective_at: row.effective_at,
                first_effective_at: row.first_effective_at,
                postponed_at: row.postponed_at,
                withdrawn_at: row.withdrawn_at,
                withdrawal: row.withdrawal,
                in_effect_at: row.in_effect_at,
            };
            Ok(Received {
                notice: notice.notice()?,
                received_at: row.received_at,
                is_seen: row.seen_at.is_some(),
                answer: answer.zip(row.answered_at).map(|(answer, at)| (answer, row.answered_by, at)),
                reply: row.reply.zip(row.replied_at),
            })
        })
        .collect()
}

fn answer(word: Option<String>, reason: Option<String>) -> Option<Answer> {
    word.map(|_| reason.map_or(Answer::Acknowledged, Answer::Objected))
}

pub(super) async fn unseen(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<i64, AppError> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from workspace_notices where workspace_id = $1 and seen_at is null"#,
        workspace.0,
    );
    Ok(count.fetch_one(conn).await?)
}

/// False when somebody has looked before.
pub(super) async fn set_seen(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: NoticeId,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let seen = sqlx::query!(
        "update workspace_notices set seen_at = $3 where workspace_id = $1 and notice_id = $2 and seen_at is null",
        workspace.0,
        id.0,
        now,
    );
    Ok(seen.execute(conn).await?.rows_affected() == 1)
}

/// Makes whoever else answers wait.
pub(super) async fn lock_received(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: NoticeId,
) -> Result<bool, AppError> {
    let row = sqlx::query_scalar!(
        "select notice_id from workspace_notices where workspace_id = $1 and notice_id = $2 for update",
        workspace.0,
        id.0,
    );
    Ok(row.fetch_optional(conn).await?.is_some())
}

/// An answer anew: what was said to the one before is said no more.
pub(super) async fn set_answer(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: NoticeId,
    answer: &Answer,
    by: Option<UserId>,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let reason = match answer {
        Answer::Acknowledged => None,
        Answer::Objected(reason) => Some(reason.as_str()),
    };
    sqlx::query!(
        "update workspace_notices set answer = $3, reason = $4, answered_by = $5, answered_at = $6, reply = null, replied_at = null
         where workspace_id = $1 and notice_id = $2",
        workspace.0,
        id.0,
        answer.as_str(),
        reason,
        by.map(|by| by.0),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// False when the objection made at that time does not stand any more.
pub(super) async fn set_reply(
    conn: &mut PgConnection,
    (workspace, id): (WorkspaceId, NoticeId),
    answered_at: OffsetDateTime,
    reply: &str,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let replied = sqlx::query!(
        "update workspace_notices set reply = $3, replied_at = $4
         where workspace_id = $1 and notice_id = $2 and answer = 'objected' and answered_at = $5",
        workspace.0,
        id.0,
        reply,
        now,
        answered_at,
    );
    Ok(replied.execute(conn).await?.rows_affected() == 1)
}

/// What every workspace says, those first that wait for an answer.
pub(super) async fn answers(conn: &mut PgConnection, id: NoticeId) -> Result<Vec<OfWorkspace>, AppError> {
    let rows = sqlx::query!(
        r#"select workspace_id as "workspace_id!", workspace_name as "workspace_name!", answer, reason, answered_at, reply, replied_at,
            seen_at, mails as "mails!", delivered as "delivered!", failed as "failed!" from notice_answers($1)"#,
        id.0,
    )
    .fetch_all(conn)
    .await?;
    let view = rows.into_iter().map(|row| OfWorkspace {
        workspace: WorkspaceId(row.workspace_id),
        name: row.workspace_name,
        answer: answer(row.answer, row.reason).zip(row.answered_at),
        reply: row.reply.zip(row.replied_at),
        is_seen: row.seen_at.is_some(),
        mails: (row.mails, row.delivered, row.failed),
    });
    Ok(view.collect())
}

pub(super) async fn unanswered(conn: &mut PgConnection) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(r#"select objections_unanswered() as "count!""#).fetch_one(conn).await?)
}
