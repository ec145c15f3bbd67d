//! The forms of the page.
#![expect(missing_docs, reason = "the macro makes undocumented items beside each function")]

use crate::error::FnError;
use leptos::prelude::*;

/// Keeps the audit log for another time.
#[server]
pub async fn change_retention(
    workspace: String,
    #[server(default)] audit_days: String,
    #[server(default)] confirm: String,
) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let new = send0_core::retention::operations::change(&visit.ctx, &actor, &workspace, &audit_days, &confirm).await?;
    let said = match new.waiting {
        Some(_) => "Saved. Nothing is removed for a week; until then it can be called off here.",
        None => "Saved. It counts from now on.",
    };
    forms::go_and_say(&visit.ctx, &page::path_in(&workspace, "retention"), said).await?;
    Ok(())
}

/// Calls off a shorter time that waits.
#[server]
pub async fn keep_retention(workspace: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let kept = send0_core::retention::operations::keep(&visit.ctx, &actor).await?;
    let said = format!("Called off. The log is kept for {} days.", kept.audit_days);
    forms::go_and_say(&visit.ctx, &page::path_in(&workspace, "retention"), &said).await?;
    Ok(())
}

/// Places a legal hold.
#[server]
pub async fn place_hold(workspace: String, #[server(default)] name: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let hold = send0_core::retention::holds::place(&visit.ctx, &actor, &name).await?;
    let said = format!("{} holds. Nothing of the audit log is removed until it is released.", hold.name);
    forms::go_and_say(&visit.ctx, &page::path_in(&workspace, "retention"), &said).await?;
    Ok(())
}

/// Releases a legal hold.
#[server]
pub async fn release_hold(workspace: String, id: String, #[server(default)] confirm: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let hold = send0_core::retention::holds::release(&visit.ctx, &actor, page::id_param(&id)?, &confirm).await?;
    let said = format!("{} is released.", hold.name);
    forms::go_and_say(&visit.ctx, &page::path_in(&workspace, "retention"), &said).await?;
    Ok(())
}
