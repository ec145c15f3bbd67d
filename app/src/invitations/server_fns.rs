//! The forms for invitations.
#![expect(missing_docs, reason = "the macro makes undocumented items beside each function")]

use crate::error::FnError;
use leptos::prelude::*;

/// Invites everybody in a pasted text.
#[server]
pub async fn invite_members(workspace: String, emails: String, #[server(default)] role: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    use send0_core::{flash::Flash, invitations::operations};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let results = operations::invite(&visit.ctx, &actor, &emails, &role).await?;
    forms::go_with(&visit.ctx, &page::path_in(&workspace, "members"), &Flash::Invited(results)).await?;
    Ok(())
}

/// Sends an invitation again, with a new link.
#[server]
pub async fn resend_invitation(workspace: String, id: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let id = page::id_param(&id)?;
    let email = send0_core::invitations::operations::resend(&visit.ctx, &actor, id).await?;
    let said = format!("Sent again to {email}. The link before is void.");
    forms::go_and_say(&visit.ctx, &page::path_in(&workspace, "members"), &said).await?;
    Ok(())
}

/// Makes a new link for an invitation and shows it once.
#[server]
pub async fn make_invitation_link(workspace: String, id: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let (id, path) = (page::id_param(&id)?, page::path_in(&workspace, "members"));
    let token = send0_core::invitations::operations::make_link(&visit.ctx, &actor, id, &path).await?;
    visit::set_cookie(forms::flash_cookie(&token));
    forms::go(&path);
    Ok(())
}

/// Revokes an invitation.
#[server]
pub async fn revoke_invitation(workspace: String, id: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let email = send0_core::invitations::operations::revoke(&visit.ctx, &actor, page::id_param(&id)?).await?;
    let said = format!("The invitation of {email} is revoked. Its link opens nothing any more.");
    forms::go_and_say(&visit.ctx, &page::path_in(&workspace, "members"), &said).await?;
    Ok(())
}

/// Comes in with the account that one is signed in with.
#[server]
pub async fn accept_invitation() -> Result<(), FnError> {
    use crate::{cookies, forms, page, visit};
    let visit = visit::Visit::now();
    let token = visit.cookie(cookies::INVITATION).unwrap_or_default();
    let (signed_in, request) = (visit.signed_in()?, visit.request());
    let slug = send0_core::invitations::operations::accept(&visit.ctx, &request, &signed_in, token).await?;
    visit::set_cookie(cookies::clear(cookies::INVITATION));
    forms::go_and_say(&visit.ctx, &page::path_in(&slug, ""), "You are in.").await?;
    Ok(())
}

/// Makes the account that the invitation is for, and comes in.
#[server]
pub async fn join_workspace(name: String, password: String) -> Result<(), FnError> {
    use crate::{cookies, forms, page, sessions, visit};
    use send0_core::accounts::{Begun, Factor};
    use send0_core::invitations::operations::{NewPerson, join};
    let visit = visit::Visit::now();
    let token = visit.cookie(cookies::INVITATION).unwrap_or_default();
    let new = NewPerson { name, password: password.into() };
    let (user, slug) = join(&visit.ctx, &visit.request(), token, new).await?;
    visit::set_cookie(cookies::clear(cookies::INVITATION));
    let begun = Begun::With(Factor::Password);
    sessions::begin(&visit.ctx, &visit.session()?, &visit.request(), user, begun).await?;
    forms::go(&page::path_in(&slug, ""));
    Ok(())
}
