//! The public list, and how operators change it: drafted, published 30 full days ahead, put off or withdrawn, and in effect by
//! itself on its day.

use super::{
    AHEAD, Details, Kind, Notice, OfWorkspace, ProposalText, Public, REASON_MAX, State, WHY_MAX, queries, text,
};
use crate::{
    Actor, AppError, Ctx,
    audit_log::{Action, Event},
    contacts,
    database::WorkspaceTx,
    ids::{NoticeId, SubprocessorId, WorkspaceId},
    intent::Intent,
    mail::notices,
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// What anybody may see.
pub async fn public(ctx: &Ctx) -> Result<Public, AppError> {
    let current = queries::current(&ctx.db.auth).await?;
    let notices = queries::notices(&ctx.db.auth, false).await?;
    let (mut announced, mut history): (Vec<_>, Vec<_>) =
        notices.into_iter().partition(|notice| notice.state() == State::Announced);
    announced.sort_by_key(|notice| notice.effective_at);
    history.sort_by_key(|notice| std::cmp::Reverse(notice.ended_at()));
    Ok(Public { current, announced, history })
}

/// Every notice, drafts as well, the newest first.
pub async fn notices_of_all_states(ctx: &Ctx, actor: &Actor) -> Result<Vec<Notice>, AppError> {
    ctx.authorise_operator(actor, Action::PageViewed).await?;
    queries::notices(&ctx.db.auth, true).await
}

/// How many objections wait for an answer.
pub async fn unanswered(ctx: &Ctx, actor: &Actor) -> Result<i64, AppError> {
    ctx.authorise_operator(actor, Action::PageViewed).await?;
    queries::unanswered(ctx.db.read(actor.workspace).await?.conn()).await
}

/// One notice, and what every workspace says to it.
///
/// # Errors
/// [`AppError::NotFound`].
pub async fn show(ctx: &Ctx, actor: &Actor, id: NoticeId) -> Result<(Notice, Vec<OfWorkspace>), AppError> {
    let mut notice = of_any_state(ctx, actor, id).await?;
    if notice.state() == State::Draft {
        // What it would be compared with, were it published now.
        let current = queries::current(&ctx.db.auth).await?;
        notice.before = current.into_iter().find(|one| one.id == notice.subprocessor).map(|one| one.details);
    }
    let answers = queries::answers(ctx.db.read(actor.workspace).await?.conn(), id).await?;
    Ok((notice, answers))
}

async fn of_any_state(ctx: &Ctx, actor: &Actor, id: NoticeId) -> Result<Notice, AppError> {
    let all = notices_of_all_states(ctx, actor).await?;
    all.into_iter().find(|notice| notice.id == id).ok_or(AppError::NotFound)
}

/// Drafts a change of one that there is, or of a new one. Nobody but operators sees it.
///
/// # Errors
/// [`AppError::Invalid`] with every field that is wrong, also for a date that is not 30 full days ahead, and for a change that
/// changes nothing; [`AppError::NotFound`] for whom there is not.
pub async fn propose(
    ctx: &Ctx,
    actor: &Actor,
    kind: Kind,
    subprocessor: Option<SubprocessorId>,
    typed: &ProposalText,
) -> Result<NoticeId, AppError> {
    ctx.authorise_operator(actor, Action::SubprocessorProposed).await?;
    let (now, id) = (ctx.clock.now(), NoticeId::new());
    let current = queries::current(&ctx.db.auth).await?;
    let before =
        subprocessor.map(|id| current.iter().find(|one| one.id == id).ok_or(AppError::NotFound)).transpose()?;
    let before = before.map(|one| one.details.clone());
    let mut typed = typed.clone();
    if let (Kind::Remove, Some(before)) = (kind, &before) {
        // Of a removal only its date and its reason are typed.
        let Details { vendor, purpose, data, regions } = before.clone();
        typed = ProposalText { vendor, purpose, data, regions: regions.join("\n"), ..typed };
    }
    let proposal = typed.parse()?;
    check_ahead(proposal.effective_at, now)?;
    if kind == Kind::Change && before.as_ref() == Some(&proposal.details) {
        return Err(AppError::field("purpose", "unchanged", "Nothing would change."));
    }
    let same = |name: &str| name.to_lowercase() == proposal.details.vendor.to_lowercase();
    if current.iter().any(|one| same(&one.details.vendor) && Some(one.id) != subprocessor) {
        return Err(AppError::field("vendor", "taken", format!("{} is on the list already.", proposal.details.vendor)));
    }
    let subprocessor = match (kind, subprocessor) {
        (Kind::Add, _) => SubprocessorId::new(),
        (_, Some(id)) => id,
        (_, None) => return Err(AppError::NotFound),
    };
    let mut tx = ctx.db.change(actor).await?;
    queries::draft(tx.conn(), (id, subprocessor), kind.as_str(), &proposal, now).await?;
    let event = Event::new(Action::SubprocessorProposed)
        .on("subprocessor", subprocessor, Some(&proposal.details.vendor))
        .on("notice", id, None)
        .change("effective_at", None::<&str>, rfc3339(proposal.effective_at));
    tx.commit(compared(event, before.as_ref(), (kind != Kind::Remove).then_some(&proposal.details))).await?;
    Ok(id)
}

/// At least 30 full days from now.
fn check_ahead(effective_at: OffsetDateTime, now: OffsetDateTime) -> Result<(), AppError> {
    if effective_at - now >= AHEAD {
        return Ok(());
    }
    let text = format!("At least 30 full days ahead: not before {}.", crate::zones::words("", now + AHEAD));
    Err(AppError::field("effective_at", "too_soon", text))
}

/// Discards a draft.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Conflict`] for what is public.
pub async fn discard(ctx: &Ctx, actor: &Actor, id: NoticeId) -> Result<(), AppError> {
    let (mut tx, notice) = open(ctx, actor, id, Action::SubprocessorDiscarded, &[State::Draft]).await?;
    queries::discard(tx.conn(), id).await?;
    tx.commit(about(Action::SubprocessorDiscarded, &notice)).await
}

/// Makes a draft public. Workspaces are told from this moment on, and it happens on its day.
///
/// # Errors
/// [`AppError::Invalid`] when its day is not 30 full days ahead any more; [`AppError::Conflict`] for what is public already,
/// when another change of the same one is still to come, and when it is gone; [`AppError::ProofNeeded`].
pub async fn publish(ctx: &Ctx, actor: &Actor, id: NoticeId) -> Result<Notice, AppError> {
    let action = Action::SubprocessorPublished;
    let notice = of_any_state(ctx, actor, id).await?;
    let intent = intent(actor, "Publish", &notice);
    ctx.demand_proof(actor, about(action, &notice), intent).await?;
    let (mut tx, notice) = open(ctx, actor, id, action, &[State::Draft]).await?;
    let now = ctx.clock.now();
    check_ahead(notice.effective_at, now)?;
    let vendor = &notice.details.vendor;
    if notice.kind != Kind::Remove && queries::is_taken(tx.conn(), notice.subprocessor, vendor).await? {
        let text =
            format!("{vendor} is on the list already, or announced for it. Withdraw that, or discard this draft.");
        return Err(AppError::Conflict(text));
    }
    let before = queries::lock(tx.conn(), notice.subprocessor).await?;
    if before.is_none() && notice.kind != Kind::Add {
        return Err(AppError::Conflict(format!("{} is no subprocessor any more.", notice.details.vendor)));
    }
    queries::publish(tx.conn(), &notice, before.as_ref(), now).await?;
    let event = about(action, &notice).change("effective_at", None::<&str>, rfc3339(notice.effective_at));
    let after = (notice.kind != Kind::Remove).then_some(&notice.details);
    tx.commit(compared(event, before.as_ref(), after)).await?;
    Ok(notice)
}

/// Puts off what is announced. It cannot be brought forward.
///
/// # Errors
/// [`AppError::Invalid`] for what is no date, and for one that is not later.
pub async fn postpone(ctx: &Ctx, actor: &Actor, id: NoticeId, effective_at: &str) -> Result<Notice, AppError> {
    let action = Action::SubprocessorPostponed;
    let notice = of_any_state(ctx, actor, id).await?;
    let later = super::instant("effective_at", effective_at)?;
    let words = format!("Postpone “{}” to {}", notice.title(), crate::zones::words("", later));
    ctx.demand_proof(actor, about(action, &notice), Intent::new(actor.workspace, words, id)).await?;
    let (mut tx, notice) = open(ctx, actor, id, action, &[State::Announced]).await?;
    if later <= notice.effective_at {
        let text = format!(
            "Later than {}: what is announced can be put off, and never brought forward.",
            crate::zones::words("", notice.effective_at)
        );
        return Err(AppError::field("effective_at", "not_later", text));
    }
    queries::postpone(tx.conn(), id, later, ctx.clock.now()).await?;
    let event = about(action, &notice).change("effective_at", rfc3339(notice.effective_at), rfc3339(later));
    tx.commit(event).await?;
    Ok(Notice { effective_at: later, ..notice })
}

/// Withdraws what is announced. Everybody who was told is told so.
///
/// # Errors
/// [`AppError::Invalid`] without a reason.
pub async fn withdraw(ctx: &Ctx, actor: &Actor, id: NoticeId, why: &str) -> Result<Notice, AppError> {
    let action = Action::SubprocessorWithdrawn;
    let notice = of_any_state(ctx, actor, id).await?;
    let why = text("why", why, WHY_MAX)?;
    let words = format!("Withdraw “{}”, and tell everybody: {why}", notice.title());
    ctx.demand_proof(actor, about(action, &notice), Intent::new(actor.workspace, words, id)).await?;
    let (mut tx, notice) = open(ctx, actor, id, action, &[State::Announced]).await?;
    queries::withdraw(tx.conn(), id, &why, ctx.clock.now()).await?;
    tx.commit(about(action, &notice).change("withdrawal", None::<&str>, why)).await?;
    Ok(notice)
}

/// Answers the objection that was made at `answered_at`. The workspace is told, and both logs have it.
///
/// # Errors
/// [`AppError::Invalid`] for an empty answer; [`AppError::Conflict`] when that objection does not stand any more;
/// [`AppError::NotFound`]; [`AppError::ProofNeeded`].
pub async fn reply(
    ctx: &Ctx,
    actor: &Actor,
    (workspace, id): (WorkspaceId, NoticeId),
    answered_at: OffsetDateTime,
    said: &str,
) -> Result<(), AppError> {
    let action = Action::NoticeReplied;
    let (notice, answers) = show(ctx, actor, id).await?;
    let of = answers.into_iter().find(|of| of.workspace == workspace).ok_or(AppError::NotFound)?;
    let said = text("reply", said, REASON_MAX)?;
    let words = format!("Answer the objection of {} to {}: {said}", of.name, notice.details.vendor);
    ctx.demand_proof(actor, about(action, &notice), Intent::new(actor.workspace, words, (workspace, id))).await?;
    ctx.vault.warm(workspace).await?;
    let there = Actor { workspace, ..actor.clone() };
    let mut tx = ctx.db.change(&there).await?;
    if !queries::set_reply(tx.conn(), (workspace, id), answered_at, &said, ctx.clock.now()).await? {
        let text = "The workspace says something else by now. Look again, then answer that.";
        return Err(AppError::Conflict(text.into()));
    }
    let subject = format!("send0 answers your objection: {}", notice.details.vendor);
    let told = contacts::told(tx.conn(), workspace, None).await?;
    let link = format!("{}/w/{}/notices/{id}", ctx.origin, told.slug);
    notices::sealed_with(ctx, workspace, &told, (&subject, &said), link).await?.put(tx.conn()).await?;
    let event = about(action, &notice).change("reply", of.reply.map(|(before, _)| before), said);
    tx.also_on_platform(event.clone().on("workspace", workspace, None)).await?;
    tx.commit(event).await
}

/// Puts into effect what is due. One that cannot be holds up no other.
pub async fn take_effect(ctx: &Ctx) -> Result<(), AppError> {
    for id in queries::due(&ctx.db.worker, ctx.clock.now()).await? {
        if let Err(error) = take_one_effect(ctx, id).await {
            tracing::error!(notice = %id, %error, "a change of subprocessors could not take effect");
        }
    }
    Ok(())
}

async fn take_one_effect(ctx: &Ctx, id: NoticeId) -> Result<(), AppError> {
    let actor = Actor::jobs(WorkspaceId::PLATFORM, "subprocessors");
    let mut tx = ctx.db.change(&actor).await?;
    let (notice, now) = (queries::find(tx.conn(), id).await?, ctx.clock.now());
    // Withdrawn, put off, or done by somebody else meanwhile.
    let is_due = |one: &Notice| one.state() == State::Announced && one.effective_at <= now;
    let Some(notice) = notice.filter(is_due) else { return Ok(()) };
    match notice.kind {
        Kind::Add => queries::add(tx.conn(), &notice, now).await?,
        Kind::Change => queries::change(tx.conn(), &notice).await?,
        Kind::Remove => queries::remove(tx.conn(), &notice, now).await?,
    }
    queries::set_in_effect(tx.conn(), id, now).await?;
    let after = (notice.kind != Kind::Remove).then_some(&notice.details);
    let event = about(Action::SubprocessorChanged, &notice);
    tx.commit(compared(event, notice.before.as_ref(), after)).await
}

/// The notice under its lock, in one of these states.
async fn open(
    ctx: &Ctx,
    actor: &Actor,
    id: NoticeId,
    action: Action,
    states: &[State],
) -> Result<(WorkspaceTx, Notice), AppError> {
    ctx.authorise_operator(actor, action).await?;
    let mut tx = ctx.db.change(actor).await?;
    let notice = queries::find(tx.conn(), id).await?.ok_or(AppError::NotFound)?;
    if states.contains(&notice.state()) {
        return Ok((tx, notice));
    }
    Err(AppError::Conflict(
        match notice.state() {
            State::Draft => "This is a draft: publish it first.",
            State::Announced => "This is public already. It can be put off or withdrawn.",
            State::InEffect => "This has come into effect already.",
            State::Withdrawn => "This was withdrawn.",
        }
        .into(),
    ))
}

fn intent(actor: &Actor, verb: &str, notice: &Notice) -> Intent {
    let day = crate::zones::words("", notice.effective_at);
    let words = format!("{verb} “{}”, in effect on {day}", notice.title());
    Intent::new(actor.workspace, words, (notice.id, &notice.details, &notice.why))
}

pub(super) fn about(action: Action, notice: &Notice) -> Event {
    Event::new(action).on("notice", notice.id, Some(&notice.details.vendor)).on(
        "subprocessor",
        notice.subprocessor,
        Some(&notice.details.vendor),
    )
}

fn compared(event: Event, before: Option<&Details>, after: Option<&Details>) -> Event {
    let field = |of: Option<&Details>, field: &str| {
        let all = of.and_then(|details| serde_json::to_value(details).ok());
        all.and_then(|all| all.get(field).cloned()).unwrap_or_default()
    };
    ["vendor", "purpose", "data", "regions"].into_iter().fold(event, |event, name| {
        let (before, after) = (field(before, name), field(after, name));
        if before == after { event } else { event.change(name, before, after) }
    })
}

fn rfc3339(at: OffsetDateTime) -> Option<String> {
    at.format(&Rfc3339).ok()
}
