//! The forms about compliance: of operators, of workspaces and of visitors.
#![expect(missing_docs, reason = "the macro makes undocumented items beside each function")]

use crate::error::FnError;
use leptos::prelude::*;

/// Records something else of a framework.
#[server]
pub async fn change_framework(
    id: String,
    #[server(default)] status: String,
    #[server(default)] scope: String,
    #[server(default)] owner: String,
    #[server(default)] review_on: String,
) -> Result<(), FnError> {
    use crate::{forms, visit};
    use send0_core::compliance::{FrameworkText, operations};
    let visit = visit::Visit::now();
    let actor = visit.operator().await?;
    let typed = FrameworkText { status, scope, owner, review_on };
    let changed = operations::change(&visit.ctx, &actor, &id, &typed).await?;
    let said =
        format!("Recorded. The page says of {}: {}.", changed.name, changed.said(visit.ctx.clock.now().date()).words());
    forms::go_and_say(&visit.ctx, &format!("/operator/compliance/{id}"), &said).await?;
    Ok(())
}

/// Adds what shows that a framework is kept.
#[server]
pub async fn add_evidence(
    id: String,
    #[server(default)] title: String,
    #[server(default)] kind: String,
    #[server(default)] link: String,
    #[server(default)] document: String,
    #[server(default)] valid_until: String,
) -> Result<(), FnError> {
    use crate::{forms, visit};
    use send0_core::compliance::{EvidenceText, operations};
    let visit = visit::Visit::now();
    let actor = visit.operator().await?;
    let typed = EvidenceText { title, kind, link, document, valid_until };
    operations::add_evidence(&visit.ctx, &actor, &id, &typed).await?;
    forms::go_and_say(&visit.ctx, &format!("/operator/compliance/{id}"), "The evidence is added.").await?;
    Ok(())
}

/// Removes a piece of evidence.
#[server]
pub async fn remove_evidence(id: String, #[server(default)] evidence: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, evidence) = (visit.operator().await?, page::id_param(&evidence)?);
    send0_core::compliance::operations::remove_evidence(&visit.ctx, &actor, &id, evidence).await?;
    forms::go_and_say(&visit.ctx, &format!("/operator/compliance/{id}"), "The evidence is gone.").await?;
    Ok(())
}

/// Answers a request. `then`: what becomes of it.
#[server]
pub async fn answer_request(
    id: String,
    #[server(default)] workspace_id: String,
    #[server(default)] message: String,
    #[server(default)] then: String,
) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let actor = visit.operator().await?;
    let place = (page::id_param(&workspace_id)?, page::id_param(&id)?);
    send0_core::compliance::requests::answer(&visit.ctx, &actor, place, &message, &then).await?;
    let path = format!("/operator/requests/{workspace_id}/{id}");
    forms::go_and_say(&visit.ctx, &path, "Answered. Whoever asked is told by mail.").await?;
    Ok(())
}

/// Puts somebody on the access list of a document.
#[server]
pub async fn grant_document(
    id: String,
    #[server(default)] email: String,
    #[server(default)] days: String,
) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, document) = (visit.operator().await?, page::id_param(&id)?);
    let email = send0_core::compliance::documents::grant(&visit.ctx, &actor, document, &email, &days).await?;
    let said = format!("The link is on its way to {email}.");
    forms::go_and_say(&visit.ctx, &format!("/operator/documents/{id}"), &said).await?;
    Ok(())
}

/// Takes somebody's access away.
#[server]
pub async fn revoke_grant(id: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, id) = (visit.operator().await?, page::id_param(&id)?);
    let document = send0_core::compliance::documents::revoke(&visit.ctx, &actor, id).await?;
    forms::go_and_say(&visit.ctx, &format!("/operator/documents/{document}"), "The link opens nothing any more.")
        .await?;
    Ok(())
}

/// Hands a document out no more.
#[server]
pub async fn retire_document(id: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, document) = (visit.operator().await?, page::id_param(&id)?);
    send0_core::compliance::documents::retire(&visit.ctx, &actor, document).await?;
    let said = "Retired. No link to it opens anything any more.";
    forms::go_and_say(&visit.ctx, &format!("/operator/documents/{id}"), said).await?;
    Ok(())
}

/// Asks for something as a workspace.
#[server]
pub async fn make_request(
    workspace: String,
    #[server(default)] kind: String,
    #[server(default)] document: String,
    #[server(default)] message: String,
) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    use send0_core::compliance::{RequestText, requests};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let typed = RequestText { kind, document, message, ..RequestText::default() };
    let id = requests::make(&visit.ctx, &actor, &visit.signed_in()?.email, &typed).await?;
    let path = page::path_in(&workspace, &format!("compliance/{id}"));
    forms::go_and_say(&visit.ctx, &path, "Your request is with send0. The answer is mailed to you, and stands here.")
        .await?;
    Ok(())
}

/// Says more on a request of a workspace.
#[server]
pub async fn write_on_request(
    workspace: String,
    id: String,
    #[server(default)] message: String,
) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let request = page::id_param(&id)?;
    send0_core::compliance::requests::write(&visit.ctx, &actor, request, &message).await?;
    forms::go_and_say(&visit.ctx, &page::path_in(&workspace, &format!("compliance/{id}")), "Sent.").await?;
    Ok(())
}

/// Keeps what a visitor asks for until they have opened the link in the mail.
#[server]
pub async fn ask_as_visitor(
    #[server(default)] kind: String,
    #[server(default)] document: String,
    #[server(default)] message: String,
    #[server(default)] name: String,
    #[server(default)] email: String,
    #[server(default)] company: String,
) -> Result<(), FnError> {
    use send0_core::compliance::{RequestText, requests};
    let visit = crate::visit::Visit::now();
    let typed = RequestText { kind, document, message, name, email, company };
    requests::ask(&visit.ctx, &visit.request(), &typed).await?;
    crate::forms::go("/compliance/ask?sent");
    Ok(())
}

/// Sends what waits, for whoever opened the link.
#[server]
pub async fn send_request() -> Result<(), FnError> {
    use crate::{cookies, forms, visit};
    let visit = visit::Visit::now();
    let token = visit.cookie(cookies::REQUEST).unwrap_or_default();
    send0_core::compliance::requests::send(&visit.ctx, &visit.request(), token).await?;
    forms::go_and_say(&visit.ctx, "/compliance/requests", "Sent. The answer is mailed to you, with a link back here.")
        .await?;
    Ok(())
}

/// Says more, for whoever opened the link.
#[server]
pub async fn write_more(#[server(default)] message: String) -> Result<(), FnError> {
    use crate::{cookies, forms, visit};
    let visit = visit::Visit::now();
    let token = visit.cookie(cookies::REQUEST).unwrap_or_default();
    send0_core::compliance::requests::write_more(&visit.ctx, &visit.request(), token, &message).await?;
    forms::go_and_say(&visit.ctx, "/compliance/requests", "Sent.").await?;
    Ok(())
}

/// Agrees to the terms of the document whose link was opened.
#[server]
pub async fn accept_terms(#[server(default)] name: String, #[server(default)] agreed: String) -> Result<(), FnError> {
    use crate::{cookies, forms, visit};
    let visit = visit::Visit::now();
    let token = visit.cookie(cookies::DOCUMENT).unwrap_or_default();
    let agreed = !agreed.is_empty();
    send0_core::compliance::documents::accept(&visit.ctx, &visit.request(), token, &name, agreed).await?;
    forms::go("/documents");
    Ok(())
}
