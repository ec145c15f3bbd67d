//! What is said of each framework, and what shows it. Operators change it; the database, too, keeps it from saying more than
//! its evidence.

use super::{EvidenceText, Framework, FrameworkText, iso, queries};
use crate::{
    Actor, AppError, Ctx,
    audit_log::{Action, Event},
    ids::EvidenceId,
    intent::Intent,
};

/// What anybody may see.
pub async fn public(ctx: &Ctx) -> Result<Vec<Framework>, AppError> {
    queries::frameworks(&ctx.db.auth).await
}

/// One of them, for operators.
///
/// # Errors
/// [`AppError::NotFound`].
pub async fn show(ctx: &Ctx, actor: &Actor, id: &str) -> Result<Framework, AppError> {
    ctx.authorise_operator(actor, Action::PageViewed).await?;
    public(ctx).await?.into_iter().find(|one| one.id == id).ok_or(AppError::NotFound)
}

/// Records something else of a framework.
///
/// # Errors
/// [`AppError::Invalid`] with every field that is wrong, also for a status that its evidence does not show and for a review
/// that should have been already; [`AppError::NotFound`]; [`AppError::ProofNeeded`].
pub async fn change(ctx: &Ctx, actor: &Actor, id: &str, typed: &FrameworkText) -> Result<Framework, AppError> {
    let action = Action::ComplianceChanged;
    ctx.authorise_operator(actor, action).await?;
    let before = show(ctx, actor, id).await?;
    let (new, now) = (typed.parse()?, ctx.clock.now());
    if new.review_on < now.date() {
        return Err(AppError::field("review_on", "past", "A day to come: by when it is looked at again."));
    }
    let words = format!("Say of {}: {}", before.name, new.status.words());
    let asked = (id, new.status, &new.scope, &new.owner, iso(new.review_on));
    ctx.demand_proof(actor, about(action, &before), Intent::new(actor.workspace, words, asked)).await?;
    let mut tx = ctx.db.change(actor).await?;
    queries::lock_framework(tx.conn(), id).await?;
    queries::set_framework(tx.conn(), id, &new, now).await?;
    queries::check_evidence(tx.conn()).await?;
    let fields = [
        ("status", before.status.to_string(), new.status.to_string()),
        ("scope", before.scope.clone(), new.scope.clone()),
        ("owner", before.owner.clone(), new.owner.clone()),
        ("review_on", iso(before.review_on), iso(new.review_on)),
    ];
    let mut event = about(action, &before);
    for (field, was, is) in fields {
        if was != is {
            event = event.change(field, was, is);
        }
    }
    tx.commit(event).await?;
    Ok(Framework {
        status: new.status,
        scope: new.scope,
        owner: new.owner,
        review_on: new.review_on,
        changed_at: now,
        ..before
    })
}

/// Adds what shows that a framework is kept.
///
/// # Errors
/// [`AppError::Invalid`] with every field that is wrong; [`AppError::NotFound`]; [`AppError::ProofNeeded`].
pub async fn add_evidence(ctx: &Ctx, actor: &Actor, id: &str, typed: &EvidenceText) -> Result<EvidenceId, AppError> {
    let action = Action::EvidenceAdded;
    ctx.authorise_operator(actor, action).await?;
    let framework = show(ctx, actor, id).await?;
    let new = typed.parse()?;
    if let Some(document) = new.document {
        let all = queries::documents(&ctx.db.auth).await?;
        if !all.iter().any(|one| one.id == document && one.retired_at.is_none()) {
            return Err(AppError::field("document", "unknown_document", "Choose one of them."));
        }
    }
    let words = format!("Show for {}: {}", framework.name, new.title);
    let asked = (id, new.kind, &new.title, &new.link, new.document, new.valid_until.map(iso));
    ctx.demand_proof(actor, about(action, &framework), Intent::new(actor.workspace, words, asked)).await?;
    let mut tx = ctx.db.change(actor).await?;
    queries::lock_framework(tx.conn(), id).await?;
    queries::add_evidence(tx.conn(), id, &new, ctx.clock.now()).await?;
    let event = about(action, &framework)
        .on("evidence", new.id, Some(&new.title))
        .change("kind", None::<&str>, new.kind.as_str())
        .change("link", None::<&str>, new.link)
        .change("valid_until", None::<&str>, new.valid_until.map(iso));
    tx.commit(event).await?;
    Ok(new.id)
}

/// Removes a piece of evidence.
///
/// # Errors
/// [`AppError::Conflict`] for the last that shows what is recorded; [`AppError::NotFound`]; [`AppError::ProofNeeded`].
pub async fn remove_evidence(ctx: &Ctx, actor: &Actor, id: &str, evidence: EvidenceId) -> Result<(), AppError> {
    let action = Action::EvidenceRemoved;
    ctx.authorise_operator(actor, action).await?;
    let framework = show(ctx, actor, id).await?;
    let one = framework.evidence.iter().find(|one| one.id == evidence).ok_or(AppError::NotFound)?;
    let words = format!("Show no more for {}: {}", framework.name, one.title);
    ctx.demand_proof(actor, about(action, &framework), Intent::new(actor.workspace, words, evidence)).await?;
    let mut tx = ctx.db.change(actor).await?;
    queries::lock_framework(tx.conn(), id).await?;
    if !queries::remove_evidence(tx.conn(), evidence, ctx.clock.now()).await? {
        return Err(AppError::NotFound);
    }
    match queries::check_evidence(tx.conn()).await {
        Err(error) if error.of_field("status").is_some() => {
            let said = framework.status.words();
            let text = format!("{} would say “{said}” with nothing to show for it. Record less first.", framework.name);
            return Err(AppError::Conflict(text));
        }
        checked => checked?,
    }
    tx.commit(about(action, &framework).on("evidence", evidence, Some(&one.title))).await
}

fn about(action: Action, framework: &Framework) -> Event {
    Event::new(action).on("framework", &framework.id, Some(&framework.name))
}
