//! The forms for allowlists. Each says from which version of the list it was made.
#![expect(missing_docs, reason = "the macro makes undocumented items beside each function")]

use crate::error::FnError;
use leptos::prelude::*;

/// Adds an entry to a draft.
#[server]
pub async fn add_entry(
    workspace: String,
    #[server(default)] door: String,
    #[server(default)] version: String,
    #[server(default)] cidr: String,
    #[server(default)] note: String,
    #[server(default)] lifetime: String,
) -> Result<(), FnError> {
    use crate::{allowlist::page, forms, visit};
    use send0_core::allowlist::{NewEntryText, operations};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let door = page::door(&door)?;
    let new = NewEntryText { cidr, note, lifetime }.parse()?;
    let said = format!("{} is in the draft.", new.network);
    operations::add(&visit.ctx, &actor, door, &version, new).await?;
    forms::go_and_say(&visit.ctx, &page::draft_path(&workspace, door), &said).await?;
    Ok(())
}

/// Writes an entry of a draft anew.
#[server]
pub async fn change_entry(
    workspace: String,
    #[server(default)] door: String,
    #[server(default)] version: String,
    #[server(default)] id: String,
    #[server(default)] cidr: String,
    #[server(default)] note: String,
    #[server(default)] lifetime: String,
) -> Result<(), FnError> {
    use crate::{allowlist::page, forms, page::id_param, visit};
    use send0_core::allowlist::{NewEntryText, operations};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let (door, id) = (page::door(&door)?, id_param(&id)?);
    let keeps_expiry = lifetime == page::KEEP;
    let lifetime = if keeps_expiry { String::new() } else { lifetime };
    let new = NewEntryText { cidr, note, lifetime }.parse()?;
    let said = format!("{} is in the draft.", new.network);
    operations::change(&visit.ctx, &actor, door, &version, id, new, keeps_expiry).await?;
    forms::go_and_say(&visit.ctx, &page::draft_path(&workspace, door), &said).await?;
    Ok(())
}

/// Takes an entry out of a draft.
#[server]
pub async fn remove_entry(
    workspace: String,
    #[server(default)] door: String,
    #[server(default)] version: String,
    #[server(default)] id: String,
) -> Result<(), FnError> {
    use crate::{allowlist::page, forms, page::id_param, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let door = page::door(&door)?;
    send0_core::allowlist::operations::remove(&visit.ctx, &actor, door, &version, id_param(&id)?).await?;
    forms::go_and_say(&visit.ctx, &page::draft_path(&workspace, door), "The entry is out of the draft.").await?;
    Ok(())
}

/// Lets a draft only report, or be enforced.
#[server]
pub async fn set_reporting(
    workspace: String,
    #[server(default)] door: String,
    #[server(default)] version: String,
    #[server(default)] days: String,
) -> Result<(), FnError> {
    use crate::{allowlist::page, forms, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let door = page::door(&door)?;
    send0_core::allowlist::operations::set_reporting(&visit.ctx, &actor, door, &version, &days).await?;
    forms::go_and_say(&visit.ctx, &page::draft_path(&workspace, door), "The draft is changed.").await?;
    Ok(())
}

/// Forgets a draft.
#[server]
pub async fn discard_draft(
    workspace: String,
    #[server(default)] door: String,
    #[server(default)] version: String,
) -> Result<(), FnError> {
    use crate::{allowlist::page, forms, page::path_in, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    send0_core::allowlist::operations::discard(&visit.ctx, &actor, page::door(&door)?, &version).await?;
    forms::go_and_say(&visit.ctx, &path_in(&workspace, "allowlist"), "The draft is gone. Nothing else changed.")
        .await?;
    Ok(())
}

/// Makes a draft count.
#[server]
pub async fn save_draft(
    workspace: String,
    #[server(default)] door: String,
    #[server(default)] version: String,
) -> Result<(), FnError> {
    use crate::{allowlist::page, forms, page::path_in, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let door = page::door(&door)?;
    send0_core::allowlist::operations::save(&visit.ctx, &actor, door, &version).await?;
    let said = format!("The list of {} counts from now on. Confirm it, so that it stays.", door.name());
    forms::go_and_say(&visit.ctx, &path_in(&workspace, "allowlist"), &said).await?;
    Ok(())
}

/// Lets a saved change stay.
#[server]
pub async fn confirm_change(
    workspace: String,
    #[server(default)] door: String,
    #[server(default)] version: String,
) -> Result<(), FnError> {
    use crate::{allowlist::page, forms, page::path_in, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let door = page::door(&door)?;
    send0_core::allowlist::operations::confirm(&visit.ctx, &actor, door, &version).await?;
    let said = format!("The list of {} stays.", door.name());
    forms::go_and_say(&visit.ctx, &path_in(&workspace, "allowlist"), &said).await?;
    Ok(())
}

/// Takes a saved change back.
#[server]
pub async fn undo_change(
    workspace: String,
    #[server(default)] door: String,
    #[server(default)] version: String,
) -> Result<(), FnError> {
    use crate::{allowlist::page, forms, page::path_in, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let door = page::door(&door)?;
    send0_core::allowlist::operations::undo(&visit.ctx, &actor, door, &version).await?;
    let said = format!("The list of {} is what it was before.", door.name());
    forms::go_and_say(&visit.ctx, &path_in(&workspace, "allowlist"), &said).await?;
    Ok(())
}
