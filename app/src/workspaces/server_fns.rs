//! The form that sets the console up.
#![expect(missing_docs, reason = "the macro makes undocumented items beside each function")]

use crate::error::FnError;
use leptos::prelude::*;

/// Makes the first workspace and its owner, and signs them in.
#[server]
pub async fn set_up(workspace: String, name: String, email: String, password: String) -> Result<(), FnError> {
    use crate::{cookies, forms, page, sessions, visit};
    use send0_core::{
        accounts::{Begun, Factor},
        workspaces::operations::{self, NewOwner},
    };
    let visit = visit::Visit::now();
    let request = visit.request();
    let token = visit.cookie(cookies::SETUP).unwrap_or_default();
    let new = NewOwner { workspace, name, email, password: password.into() };
    let made = operations::set_up(&visit.ctx, &request, token, new).await?;
    visit::set_cookie(cookies::clear(cookies::SETUP));
    sessions::begin(&visit.ctx, &visit.session()?, &request, made.user, Begun::With(Factor::Password)).await?;
    forms::go(&page::path_in(&made.slug, ""));
    Ok(())
}

/// Makes a further workspace, owned by whoever makes it.
#[server]
pub async fn create_workspace(name: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let signed_in = visit.signed_in()?;
    let made = send0_core::workspaces::operations::create(&visit.ctx, &visit.request(), &signed_in, &name).await?;
    forms::go(&page::path_in(&made.slug, ""));
    Ok(())
}

/// Gives the workspace another name.
#[server]
pub async fn rename_workspace(workspace: String, name: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    send0_core::workspaces::operations::rename(&visit.ctx, &actor, &name).await?;
    forms::go_and_say(&visit.ctx, &page::path_in(&workspace, "settings"), "Saved.").await?;
    Ok(())
}

/// Sets the time zone in which everybody in the workspace reads a deadline.
#[server]
pub async fn set_time_zone(workspace: String, #[server(default)] time_zone: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    send0_core::workspaces::operations::set_time_zone(&visit.ctx, &actor, &time_zone).await?;
    forms::go_and_say(&visit.ctx, &page::path_in(&workspace, "settings"), "Saved.").await?;
    Ok(())
}
