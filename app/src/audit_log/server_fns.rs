//! The forms for exports of the log.
#![expect(missing_docs, reason = "the macro makes undocumented items beside each function")]

use crate::error::FnError;
use leptos::prelude::*;

/// Begins an export of what the filter names.
#[server]
pub async fn start_export(
    workspace: String,
    #[server(default)] format: String,
    #[server(default)] actor: String,
    #[server(default)] action: String,
    #[server(default)] outcome: String,
    #[server(default)] from: String,
    #[server(default)] to: String,
) -> Result<(), FnError> {
    use crate::{forms, page::path_in, visit};
    use send0_core::audit_log::{FilterText, exports};
    let visit = visit::Visit::now();
    let (who, _) = visit.enter(&workspace).await?;
    let text = FilterText { actor, action, outcome, from, to };
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
