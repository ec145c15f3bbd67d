//! The forms for security contacts.
#![expect(missing_docs, reason = "the macro makes undocumented items beside each function")]

use crate::error::FnError;
use leptos::prelude::*;

/// Names a contact: a member by their address, or an address outside, which is asked first.
#[server]
pub async fn add_contact(
    workspace: String,
    email: String,
    #[server(default)] kinds: Vec<String>,
) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    use send0_core::contacts::operations::{self, Added};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let said = match operations::add(&visit.ctx, &actor, &email, &kinds).await? {
        Added::Member(email) => format!("{email} is a security contact now."),
        Added::Asked(email) => {
            format!("A link is on its way to {email}. Nothing else is sent there until it was opened.")
        }
    };
    forms::go_and_say(&visit.ctx, &page::path_in(&workspace, "contacts"), &said).await?;
    Ok(())
}

/// Changes what a contact is told about.
#[server]
pub async fn change_contact(
    workspace: String,
    id: String,
    #[server(default)] kinds: Vec<String>,
) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let id = page::id_param(&id)?;
    send0_core::contacts::operations::change_kinds(&visit.ctx, &actor, id, &kinds).await?;
    forms::go_and_say(&visit.ctx, &page::path_in(&workspace, &format!("contacts/{id}")), "Saved.").await?;
    Ok(())
}

/// Sends a contact a test.
#[server]
pub async fn test_contact(workspace: String, id: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let id = page::id_param(&id)?;
    let contact = send0_core::contacts::operations::test(&visit.ctx, &actor, id).await?;
    let said = format!("A test is on its way to {}.", contact.email);
    forms::go_and_say(&visit.ctx, &page::path_in(&workspace, &format!("contacts/{id}")), &said).await?;
    Ok(())
}

/// Removes a contact.
#[server]
pub async fn remove_contact(workspace: String, id: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let contact = send0_core::contacts::operations::remove(&visit.ctx, &actor, page::id_param(&id)?).await?;
    let said = format!("{} is no security contact any more.", contact.called());
    forms::go_and_say(&visit.ctx, &page::path_in(&workspace, "contacts"), &said).await?;
    Ok(())
}

/// Says yes for the address whose link was opened.
#[server]
pub async fn confirm_contact() -> Result<(), FnError> {
    use crate::{cookies, forms, visit};
    let visit = visit::Visit::now();
    let token = visit.cookie(cookies::CONTACT).unwrap_or_default();
    let offer = send0_core::contacts::operations::confirm(&visit.ctx, &visit.request(), token).await?;
    visit::set_cookie(cookies::clear(cookies::CONTACT));
    let said = format!("{} is told about the security of {} from now on.", offer.email, offer.workspace_name);
    forms::go_and_say(&visit.ctx, "/contacts", &said).await?;
    Ok(())
}
