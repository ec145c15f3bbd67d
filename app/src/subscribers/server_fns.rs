//! The forms of visitors who want to be told.
#![expect(missing_docs, reason = "the macro makes undocumented items beside each function")]

use crate::error::FnError;
use leptos::prelude::*;

/// Asks an address whether it wants to be told.
#[server]
pub async fn subscribe(email: String) -> Result<(), FnError> {
    let visit = crate::visit::Visit::now();
    send0_core::subscribers::operations::subscribe(&visit.ctx, &visit.request(), &email).await?;
    crate::forms::go("/subprocessors/subscribe?sent");
    Ok(())
}

/// Says yes for the address whose link was opened.
#[server]
pub async fn confirm_subscription() -> Result<(), FnError> {
    use crate::{cookies, forms, visit};
    let visit = visit::Visit::now();
    let token = visit.cookie(cookies::SUBSCRIPTION).unwrap_or_default();
    let email = send0_core::subscribers::operations::confirm(&visit.ctx, &visit.request(), token).await?;
    visit::set_cookie(cookies::clear(cookies::SUBSCRIPTION));
    let said = format!("{email} is told of every change from now on. Each mail has a link that ends it.");
    forms::go_and_say(&visit.ctx, "/subscription", &said).await?;
    Ok(())
}

/// Ends the subscription whose link was opened.
#[server]
pub async fn end_subscription() -> Result<(), FnError> {
    use crate::{cookies, forms, visit};
    let visit = visit::Visit::now();
    let token = visit.cookie(cookies::UNSUBSCRIBE).unwrap_or_default();
    send0_core::subscribers::operations::end(&visit.ctx, &visit.request(), token).await?;
    visit::set_cookie(cookies::clear(cookies::UNSUBSCRIBE));
    forms::go_and_say(&visit.ctx, "/unsubscribe", "You are told no more.").await?;
    Ok(())
}
