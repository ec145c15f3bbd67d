//! The forms for members.
#![expect(missing_docs, reason = "the macro makes undocumented items beside each function")]

use crate::error::FnError;
use leptos::prelude::*;

/// Changes what a member is.
#[server]
pub async fn change_role(workspace: String, id: String, #[server(default)] role: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let id = page::id_param(&id)?;
    let member = send0_core::members::operations::change_role(&visit.ctx, &actor, id, &role).await?;
    let path = page::path_in(&workspace, &format!("members/{id}"));
    forms::go_and_say(&visit.ctx, &path, &format!("{} is {} now.", member.name, page::with_article(member.role)))
        .await?;
    Ok(())
}

/// Ends the sessions of a member.
#[server]
pub async fn end_member_sessions(workspace: String, id: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let id = page::id_param(&id)?;
    let member = send0_core::members::operations::end_sessions(&visit.ctx, &actor, id).await?;
    let path = page::path_in(&workspace, &format!("members/{id}"));
    forms::go_and_say(&visit.ctx, &path, &format!("All sessions of {} have ended.", member.name)).await?;
    Ok(())
}

/// Removes a member, with what becomes of each of their keys.
#[server]
pub async fn remove_member(
    workspace: String,
    id: String,
    #[server(default)] fates: Vec<String>,
) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    use send0_core::members::{operations, parse_fates};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let fates = parse_fates(&fates);
    let member = operations::remove(&visit.ctx, &actor, page::id_param(&id)?, &fates).await?;
    let path = page::path_in(&workspace, "members");
    forms::go_and_say(&visit.ctx, &path, &format!("{} is no member any more.", member.name)).await?;
    Ok(())
}

/// Leaves the workspace.
#[server]
pub async fn leave_workspace(workspace: String) -> Result<(), FnError> {
    use crate::{forms, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    send0_core::members::operations::leave(&visit.ctx, &actor).await?;
    forms::go_and_say(&visit.ctx, "/account", "You have left the workspace.").await?;
    Ok(())
}
