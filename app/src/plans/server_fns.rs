//! The form that puts a workspace on another plan.
#![expect(missing_docs, reason = "the macro makes undocumented items beside each function")]

use crate::error::FnError;
use leptos::prelude::*;

/// Puts a workspace on another plan.
#[server]
pub async fn set_plan(
    #[server(default)] workspace_id: String,
    #[server(default)] plan: String,
    #[server(default)] why: String,
) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, workspace) = (visit.operator().await?, page::id_param(&workspace_id)?);
    let of = send0_core::plans::operations::set(&visit.ctx, &actor, workspace, &plan, &why).await?;
    let said = format!("On {} from now on. The contacts of the workspace are told.", of.plan.name());
    forms::go_and_say(&visit.ctx, &format!("/operator/workspaces/{workspace}"), &said).await?;
    Ok(())
}
