//! The forms for keys.
#![expect(missing_docs, reason = "the macro makes undocumented items beside each function")]

use crate::error::FnError;
use leptos::prelude::*;

/// Issues a key and goes to the page that shows it once.
#[server]
pub async fn issue_key(
    workspace: String,
    name: String,
    #[server(default)] kind: String,
    #[server(default)] mode: String,
    #[server(default)] scopes: Vec<String>,
    #[server(default)] lifetime: String,
) -> Result<(), FnError> {
    use crate::{forms, page::path_in, visit};
    use send0_core::api_keys::{NewKeyText, operations};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let new = NewKeyText { name, kind, mode, scopes, lifetime }.parse()?;
    let shown_at = |id| path_in(&workspace, &format!("api-keys/{id}/secret"));
    let (id, token) = operations::issue_for_page(&visit.ctx, &actor, new, shown_at).await?;
    visit::set_cookie(forms::flash_cookie(&token));
    forms::go(&shown_at(id));
    Ok(())
}

/// Revokes a key and goes back to it.
#[server]
pub async fn revoke_key(workspace: String, id: String, #[server(default)] reason: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    use send0_core::api_keys::operations;
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let key = operations::revoke(&visit.ctx, &actor, page::id_param(&id)?, &reason).await?;
    let path = page::path_in(&workspace, &format!("api-keys/{}", key.id));
    forms::go_and_say(&visit.ctx, &path, "The key is revoked. The next call with it is refused.").await?;
    Ok(())
}
