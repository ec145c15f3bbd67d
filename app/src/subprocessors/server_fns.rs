//! The forms about subprocessors: of operators, and the answer of a workspace.
#![expect(missing_docs, reason = "the macro makes undocumented items beside each function")]

use crate::error::FnError;
use leptos::prelude::*;

/// Drafts a change. `of`: `add`, or `change:sub_…`, or `remove:sub_…`.
#[server]
pub async fn propose_change(
    #[server(default)] of: String,
    #[server(default)] vendor: String,
    #[server(default)] purpose: String,
    #[server(default)] data: String,
    #[server(default)] regions: String,
    #[server(default)] why: String,
    #[server(default)] effective_at: String,
) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    use send0_core::{
        AppError,
        subprocessors::{ProposalText, operations},
    };
    let visit = visit::Visit::now();
    let actor = visit.operator().await?;
    let (kind, of) = match of.split_once(':') {
        Some((kind, id)) => (kind, Some(page::id_param(id)?)),
        None => (of.as_str(), None),
    };
    let kind = kind.parse().map_err(|()| AppError::NotFound)?;
    let typed = ProposalText { vendor, purpose, data, regions, why, effective_at };
    let id = operations::propose(&visit.ctx, &actor, kind, of, &typed).await?;
    let said = "Drafted. Nobody but operators sees it before it is published.";
    forms::go_and_say(&visit.ctx, &format!("/operator/notices/{id}"), said).await?;
    Ok(())
}

/// Discards a draft.
#[server]
pub async fn discard_notice(id: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, id) = (visit.operator().await?, page::id_param(&id)?);
    send0_core::subprocessors::operations::discard(&visit.ctx, &actor, id).await?;
    forms::go_and_say(&visit.ctx, "/operator", "The draft is gone.").await?;
    Ok(())
}

/// Makes a draft public.
#[server]
pub async fn publish_notice(id: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, id) = (visit.operator().await?, page::id_param(&id)?);
    send0_core::subprocessors::operations::publish(&visit.ctx, &actor, id).await?;
    let said = "Published. Every workspace is told now.";
    forms::go_and_say(&visit.ctx, &format!("/operator/notices/{id}"), said).await?;
    Ok(())
}

/// Puts off what is announced.
#[server]
pub async fn postpone_notice(id: String, #[server(default)] effective_at: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, id) = (visit.operator().await?, page::id_param(&id)?);
    send0_core::subprocessors::operations::postpone(&visit.ctx, &actor, id, &effective_at).await?;
    let said = "Postponed. Every workspace is told now.";
    forms::go_and_say(&visit.ctx, &format!("/operator/notices/{id}"), said).await?;
    Ok(())
}

/// Withdraws what is announced.
#[server]
pub async fn withdraw_notice(id: String, #[server(default)] why: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, id) = (visit.operator().await?, page::id_param(&id)?);
    send0_core::subprocessors::operations::withdraw(&visit.ctx, &actor, id, &why).await?;
    let said = "Withdrawn. Every workspace that was told is told so.";
    forms::go_and_say(&visit.ctx, &format!("/operator/notices/{id}"), said).await?;
    Ok(())
}

/// Answers the objection of a workspace.
#[server]
pub async fn reply_to_objection(
    id: String,
    #[server(default)] workspace_id: String,
    #[server(default)] answered_at: String,
    #[server(default)] reply: String,
) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    use send0_core::AppError;
    use time::{OffsetDateTime, format_description::well_known::Rfc3339};
    let visit = visit::Visit::now();
    let (actor, id, workspace) = (visit.operator().await?, page::id_param(&id)?, page::id_param(&workspace_id)?);
    let at = OffsetDateTime::parse(&answered_at, &Rfc3339).map_err(|_| AppError::NotFound)?;
    send0_core::subprocessors::operations::reply(&visit.ctx, &actor, (workspace, id), at, &reply).await?;
    let said = "Answered. The contacts of the workspace are told.";
    forms::go_and_say(&visit.ctx, &format!("/operator/notices/{id}"), said).await?;
    Ok(())
}

/// Acknowledges a notice, or objects to it.
#[server]
pub async fn answer_notice(
    workspace: String,
    id: String,
    #[server(default)] answer: String,
    #[server(default)] reason: String,
) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    use send0_core::subprocessors::{Answer, notices};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let id = page::id_param(&id)?;
    let received = notices::answer(&visit.ctx, &actor, id, &answer, &reason).await?;
    let said = match received.answer {
        Some((Answer::Objected(_), ..)) => {
            "Your objection is with send0. The answer is mailed to your contacts, and stands here."
        }
        _ => "Acknowledged.",
    };
    forms::go_and_say(&visit.ctx, &page::path_in(&workspace, &format!("notices/{id}")), said).await?;
    Ok(())
}
