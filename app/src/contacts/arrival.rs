//! Where the link to an address outside leads.

use super::server_fns::ConfirmContact;
use crate::{
    cookies,
    forms::FormState,
    page::bare_page,
    ui::{Button, ButtonKind},
    visit::Visit,
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    contacts::{ContactOffer, operations},
    flash::Flash,
};

/// `/contacts`, reached through the link, whose token is a cookie by now.
#[component]
pub fn ContactArrival() -> impl IntoView {
    bare_page("Security contact", |visit| async move {
        if let Some(Flash::Notice(said)) = visit.flash().as_deref() {
            return Ok(confirmed(said.clone()).into_any());
        }
        let token = visit.cookie(cookies::CONTACT).unwrap_or_default();
        Ok::<_, AppError>(match operations::offer(&visit.ctx, token).await {
            Err(AppError::NotFound) => void().into_any(),
            offer => question(&visit, &offer?),
        })
    })
}

fn question(visit: &Visit, offer: &ContactOffer) -> AnyView {
    let by = offer.added_by.clone().unwrap_or_else(|| "An operator of this server".into());
    let text = format!("{by} names {} as a security contact of {}.", offer.email, offer.workspace_name);
    let form = FormState::of::<ConfirmContact>(visit).view(view! { <Button kind=ButtonKind::Primary>"Agree"</Button> });
    view! {
        <div class="stack">
            <h1>"Security contact"</h1>
            <p>{text}</p>
            <p class="hint">"You would get mail when keys, people or policies change. It needs no account. Whoever named you can end it."</p>
        </div>
        {form}
    }
    .into_any()
}

fn confirmed(said: String) -> impl IntoView {
    view! {
        <div class="stack">
            <h1>"Confirmed"</h1>
            <p>{said}</p>
        </div>
    }
}

fn void() -> impl IntoView {
    view! {
        <div class="stack">
            <h1>"This link is void"</h1>
            <p>"It was used, sent again, called off, or it is too old. Ask whoever named you for another."</p>
            <p><a href="/">"Go to the start"</a></p>
        </div>
    }
}
