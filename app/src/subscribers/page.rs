//! `/subprocessors/subscribe`, and the two pages to which links in mails lead.

use super::server_fns::{ConfirmSubscription, EndSubscription, Subscribe as SubscribeForm};
use crate::{
    cookies,
    forms::FormState,
    page::bare_page,
    ui::{Banner, Button, ButtonKind, TextField, Tone},
    visit::Visit,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use send0_core::{AppError, flash::Flash, subscribers::operations};

/// `/subprocessors/subscribe`.
#[component]
pub fn Subscribe() -> impl IntoView {
    let sent = use_query_map().with_untracked(|query| query.get("sent").is_some());
    bare_page("Be told of changes", move |visit| async move {
        let form = FormState::of::<SubscribeForm>(&visit);
        let said = sent.then(|| {
            view! {
                <Banner tone=Tone::Info title="Unless it is subscribed already, a mail is on its way">
                    <p>"Open its link within 72 hours to agree. Nothing else is sent before that."</p>
                </Banner>
            }
        });
        Ok::<_, AppError>(view! {
            <div class="stack">
                <h1>"Be told of changes"</h1>
                <p class="hint">
                    "A mail for every change of subprocessors that is announced, postponed, withdrawn or comes into effect. Customers need not: their \
                     security contacts are told anyway."
                </p>
            </div>
            {said}
            {form.view(view! {
                <TextField name="email" label="Mail address" kind="email" autocomplete="email" required=true
                    value=form.value("email") error=form.error("email")/>
                <Button kind=ButtonKind::Primary>"Subscribe"</Button>
            })}
            <p><a href="/subprocessors">"The list of subprocessors"</a></p>
        })
    })
}

/// `/subscription`, reached through the link, whose token is a cookie by now.
#[component]
pub fn Subscription() -> impl IntoView {
    bare_page("Subscription", |visit| async move {
        if let Some(said) = said(&visit) {
            return Ok::<_, AppError>(done("Subscribed", said));
        }
        let token = visit.cookie(cookies::SUBSCRIPTION).unwrap_or_default();
        let email = match operations::offer(&visit.ctx, token).await {
            Err(AppError::NotFound) => return Ok(void()),
            email => email?,
        };
        let form = FormState::of::<ConfirmSubscription>(&visit)
            .view(view! { <Button kind=ButtonKind::Primary>"Yes, tell me"</Button> });
        Ok(view! {
            <div class="stack">
                <h1>"Be told of changes"</h1>
                <p>{format!("{email} is to be told of every change of the subprocessors of send0.")}</p>
            </div>
            {form}
        }
        .into_any())
    })
}

/// `/unsubscribe`, reached through the link in every mail, whose token is a cookie by now.
#[component]
pub fn Unsubscribe() -> impl IntoView {
    bare_page("Unsubscribe", |visit| async move {
        if let Some(said) = said(&visit) {
            return Ok::<_, AppError>(done("Unsubscribed", said));
        }
        if visit.cookie(cookies::UNSUBSCRIBE).is_none() {
            return Ok(void());
        }
        let form = FormState::of::<EndSubscription>(&visit)
            .view(view! { <Button kind=ButtonKind::Primary>"Tell me no more"</Button> });
        Ok(view! {
            <div class="stack">
                <h1>"Unsubscribe"</h1>
                <p>"You are told no more of changes of the subprocessors of send0. You can subscribe again at any time."</p>
            </div>
            {form}
        }
        .into_any())
    })
}

fn said(visit: &Visit) -> Option<String> {
    match visit.flash().as_deref() {
        Some(Flash::Notice(said)) => Some(said.clone()),
        _ => None,
    }
}

fn done(title: &'static str, said: String) -> AnyView {
    view! {
        <div class="stack">
            <h1>{title}</h1>
            <p>{said}</p>
            <p><a href="/subprocessors">"The list of subprocessors"</a></p>
        </div>
    }
    .into_any()
}

fn void() -> AnyView {
    view! {
        <div class="stack">
            <h1>"This link is void"</h1>
            <p>"It was used, sent again, or it is too old."</p>
            <p><a href="/subprocessors/subscribe">"Subscribe once more"</a></p>
        </div>
    }
    .into_any()
}
