//! The forms for views and exports of the log.
#![expect(missing_docs, reason = "the macro makes undocumented items beside each function")]

use crate::error::FnError;
use leptos::prelude::*;

/// Begins an export of what the filter names.
#[server]
pub async fn start_export(
    workspace: String,
    #[server(default)] format: String,
    #[server(default)] q: String,
    #[server(default)] from: String,
    #[server(default)] to: String,
) -> Result<(), FnError> {
    use crate::{forms, page::path_in, visit};
    use send0_core::audit_log::{FilterText, exports};
    let visit = visit::Visit::now();
    let (who, _) = visit.enter(&workspace).await?;
    let text = FilterText { q, from, to, ..FilterText::default() };
    exports::start(&visit.ctx, &who, &format, &text).await?;
    let said = "The export is being written. You can leave this page.";
    forms::go_and_say(&visit.ctx, &path_in(&workspace, "audit-log/exports"), said).await?;
    Ok(())
}

/// Stops an export that is being written.
#[server]
pub async fn cancel_export(workspace: String, #[server(default)] id: String) -> Result<(), FnError> {
    use crate::{
        forms,
        page::{id_param, path_in},
        visit,
    };
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    send0_core::audit_log::exports::cancel(&visit.ctx, &actor, id_param(&id)?).await?;
    let said = "The export is cancelled. Nothing of it is kept.";
    forms::go_and_say(&visit.ctx, &path_in(&workspace, "audit-log/exports"), said).await?;
    Ok(())
}

/// Saves a search as a view of one's own, or of the workspace.
#[server]
pub async fn save_view(
    workspace: String,
    #[server(default)] name: String,
    #[server(default)] query: String,
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
