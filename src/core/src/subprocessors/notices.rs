//! What a workspace has of it: it is told, it looks, it acknowledges or objects.

use super::{Answer, Delivery, Notice, REASON_MAX, Received, State, operations::about, queries, text, words};
use crate::{
    Actor, AppError, Ctx,
    audit_log::Action,
    contacts,
    ids::{NoticeId, WorkspaceId},
    mail::notices as letters,
    members, operators,
    permissions::Permission,
    workspaces,
};

/// How many workspaces are told in one go.
const BATCH: i32 = 1000;

/// Every notice that the workspace was told of, the newest first.
pub async fn list(ctx: &Ctx, actor: &Actor, attempted: Action) -> Result<Vec<Received>, AppError> {
    ctx.authorise(actor, Permission::NoticesRead, attempted).await?;
    queries::received(ctx.db.read(actor.workspace).await?.conn(), actor.workspace).await
}

/// One notice, and for whoever manages contacts the mails about it. That somebody has looked is noted once, and written down.
///
/// # Errors
/// [`AppError::NotFound`] for what the workspace was never told.
pub async fn look(ctx: &Ctx, actor: &Actor, id: NoticeId) -> Result<(Received, Vec<Delivery>), AppError> {
    let received = one(list(ctx, actor, Action::PageViewed).await?, id)?;
    // Whom the workspace has for contacts is for those to see who manage them.
    let deliveries = match actor.may(Permission::ContactsManage) {
        true => queries::deliveries(ctx.db.read(actor.workspace).await?.conn(), actor.workspace, id).await?,
        false => vec![],
    };
    if !received.is_seen {
        let mut tx = ctx.db.change(actor).await?;
        if queries::set_seen(tx.conn(), actor.workspace, id, ctx.clock.now()).await? {
            let event = about(Action::NoticeSeen, &received.notice).under(Permission::NoticesRead);
            tx.commit(event).await?;
        }
    }
    Ok((received, deliveries))
}

fn one(all: Vec<Received>, id: NoticeId) -> Result<Received, AppError> {
    all.into_iter().find(|received| received.notice.id == id).ok_or(AppError::NotFound)
}

/// How many nobody has looked at.
pub async fn unseen(ctx: &Ctx, workspace: WorkspaceId) -> Result<i64, AppError> {
    queries::unseen(ctx.db.read(workspace).await?.conn(), workspace).await
}

/// Acknowledges a notice, or objects to it. As long as it has not come into effect, the answer can be another one.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Invalid`] for an objection without a reason; [`AppError::Conflict`] for what is over.
pub async fn answer(ctx: &Ctx, actor: &Actor, id: NoticeId, answer: &str, reason: &str) -> Result<Received, AppError> {
    let permission = Permission::NoticesAnswer;
    let action = if answer == "objected" { Action::NoticeObjected } else { Action::NoticeAcknowledged };
    ctx.authorise(actor, permission, action).await?;
    let answer = parse(answer, reason)?;
    let now = ctx.clock.now();
    ctx.vault.warm(WorkspaceId::PLATFORM).await?;
    let mut tx = ctx.db.change(actor).await?;
    members::operations::present_role(ctx, actor, &mut tx, permission, action).await?;
    if !queries::lock_received(tx.conn(), actor.workspace, id).await? {
        return Err(AppError::NotFound);
    }
    let received = one(queries::received(tx.conn(), actor.workspace).await?, id)?;
    if received.notice.state() != State::Announced || received.notice.effective_at <= now {
        return Err(AppError::Conflict("This is over: it has come into effect, or it was withdrawn.".into()));
    }
    let before = received.answer.as_ref().map(|(answer, ..)| answer.clone());
    if before.as_ref() == Some(&answer) {
        return Ok(received);
    }
    queries::set_answer(tx.conn(), actor.workspace, id, &answer, actor.user(), now).await?;
    let mut event = about(action, &received.notice).under(permission);
    event = event.change("answer", before.as_ref().map(Answer::as_str), answer.as_str());
    if let Answer::Objected(reason) = &answer {
        event = event.change("reason", None::<&str>, reason.as_str());
        tell_operators(ctx, &mut tx, &received.notice, reason).await?;
    }
    let workspace = workspaces::find(tx.conn(), actor.workspace).await?.ok_or(AppError::NotFound)?;
    tx.also_on_platform(event.clone().on("workspace", actor.workspace, Some(&workspace.name))).await?;
    tx.commit(event).await?;
    Ok(Received { answer: Some((answer, actor.name().map(str::to_owned), now)), reply: None, ..received })
}

fn parse(answer: &str, reason: &str) -> Result<Answer, AppError> {
    match answer {
        "acknowledged" => Ok(Answer::Acknowledged),
        "objected" => Ok(Answer::Objected(text("reason", reason, REASON_MAX)?)),
        _ => Err(AppError::field("answer", "unknown_answer", "Acknowledge it, or object to it.")),
    }
}

async fn tell_operators(
    ctx: &Ctx,
    tx: &mut crate::database::WorkspaceTx,
    notice: &Notice,
    reason: &str,
) -> Result<(), AppError> {
    let subject = format!("An objection to {}", notice.details.vendor);
    let link = format!("{}/operator/notices/{}", ctx.origin, notice.id);
    for operator in operators::operations::all(tx.conn()).await? {
        let letter = letters::account_notice_with(ctx, &operator.email, &subject, reason, Some(link.clone())).await?;
        letter.put(tx.conn()).await?;
    }
    Ok(())
}

// Telling ----------------------------------------------------------------------------------------------------------

/// Tells every workspace what it has still to be told, and notes what became of the mails. Returns how many were told.
pub async fn tell(ctx: &Ctx) -> Result<usize, AppError> {
    let now = ctx.clock.now();
    let settled = queries::settle(&ctx.db.worker, now).await;
    let mut told = 0;
    for (workspace, id) in queries::to_tell(&ctx.db.worker, now, BATCH).await? {
        // One workspace that cannot be told keeps no other from it; it is tried again with the next round.
        match tell_one(ctx, workspace, id).await {
            Ok(done) => told += usize::from(done),
            Err(error) => tracing::error!(%workspace, notice = %id, %error, "a workspace could not be told"),
        }
    }
    settled.map(|_| told)
}

/// All contacts of the workspace, whatever else they want to know: it is a matter of the contract.
async fn tell_one(ctx: &Ctx, workspace: WorkspaceId, id: NoticeId) -> Result<bool, AppError> {
    let (actor, now) = (Actor::jobs(workspace, "notices"), ctx.clock.now());
    ctx.vault.warm(workspace).await?;
    let mut tx = ctx.db.change(&actor).await?;
    let Some(told) = queries::set_told(tx.conn(), workspace, id, now).await? else { return Ok(false) };
    let received = one(queries::received(tx.conn(), workspace).await?, id)?;
    let contacts = contacts::told(tx.conn(), workspace, None).await?;
    let (subject, text) = words(&told, &received.notice, now, &contacts.time_zone);
    let text = format!("{text}{}", last_words(&told, &received));
    let link = format!("{}/w/{}/notices/{id}", ctx.origin, contacts.slug);
    let letters = letters::sealed_with(ctx, workspace, &contacts, (&subject, &text), link).await?;
    letters.put(tx.conn()).await?;
    for (email, mail) in contacts.addresses.iter().zip(letters.ids()) {
        queries::add_delivery(tx.conn(), workspace, (id, mail), (email, &told), now).await?;
    }
    let event = about(Action::NoticeReceived, &received.notice).change("about", None::<&str>, told).change(
        "contacts",
        None::<usize>,
        contacts.addresses.len(),
    );
    tx.commit(event).await.map(|()| true)
}

/// What customers alone are told.
fn last_words(told: &str, received: &Received) -> &'static str {
    match (told, received.is_unanswered()) {
        ("withdrawn", _) => "",
        (_, true) => "\n\nYour objection has had no answer yet.",
        ("in_effect", _) => "",
        _ => "\n\nYou can acknowledge it, or object to it, until then.",
    }
}
