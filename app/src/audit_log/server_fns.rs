//! The forms for views of the log.
#![expect(missing_docs, reason = "the macro makes undocumented items beside each function")]

use crate::error::FnError;
use leptos::prelude::*;

/// Saves a search as a view of one's own, or of the workspace.
#[server]
pub async fn save_view(
    workspace: String,
    name: String,
    query: String,
    #[server(default)] shared: String,
    #[server(default)] opens: String,
) -> Result<(), FnError> {
    use crate::{forms, visit};
    use send0_core::audit_log::views::{self, ViewText};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let typed = ViewText { name, query, shared: !shared.is_empty(), default: !opens.is_empty() };
    let view = views::save(&visit.ctx, &actor, &typed).await?;
    let path = super::views::path_of(&workspace, &view);
    forms::go_and_say(&visit.ctx, &path, &format!("The view {} is saved.", view.name)).await?;
    Ok(())
}

/// Renames a view, and says whether the log opens with it.
#[server]
pub async fn change_view(
    workspace: String,
    id: String,
    name: String,
    #[server(default)] opens: String,
) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let (id, opens) = (page::id_param(&id)?, !opens.is_empty());
    send0_core::audit_log::views::change(&visit.ctx, &actor, id, &name, opens).await?;
    let path = page::path_in(&workspace, &format!("audit-log/views/{id}"));
    forms::go_and_say(&visit.ctx, &path, "Saved.").await?;
    Ok(())
}

/// Removes a view.
#[server]
pub async fn remove_view(workspace: String, id: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let view = send0_core::audit_log::views::remove(&visit.ctx, &actor, page::id_param(&id)?).await?;
    let path = page::path_in(&workspace, "audit-log?q=");
    forms::go_and_say(&visit.ctx, &path, &format!("The view {} is removed.", view.name)).await?;
    Ok(())
}
