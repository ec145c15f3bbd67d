//! The form for the policy.
#![expect(missing_docs, reason = "the macro makes undocumented items beside each function")]

use crate::error::FnError;
use leptos::prelude::*;

/// Changes what is demanded of the members.
#[server]
pub async fn change_policy(
    workspace: String,
    #[server(default)] demand: String,
    #[server(default)] grace_days: String,
) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    use send0_core::policies::{PolicyText, operations};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    operations::change(&visit.ctx, &actor, &PolicyText { demand, grace_days }).await?;
    let said = "Saved. It applies from everybody's next request on, and from each date below.";
    forms::go_and_say(&visit.ctx, &page::path_in(&workspace, "settings"), said).await?;
    Ok(())
}
