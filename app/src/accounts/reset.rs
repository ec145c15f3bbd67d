//! `/sign-in/forgot`, and `/sign-in/reset`, where the link leads.

use super::server_fns::{RequestReset, ResetPassword};
use crate::{
    cookies,
    forms::FormState,
    page::bare_page,
    ui::{Banner, Button, ButtonKind, PasswordField, TextField, Tone},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use send0_core::{
    AppError,
    accounts::{PASSWORD_MIN, reset},
};

/// `/sign-in/forgot`.
#[component]
pub fn Forgot() -> impl IntoView {
    let sent = use_query_map().with_untracked(|query| query.get("sent").is_some());
    bare_page("New password", move |visit| async move {
        let form = FormState::of::<RequestReset>(&visit);
        let said = sent.then(|| {
            view! {
                <Banner tone=Tone::Info title="If there is such an account, a mail is on its way">
                    <p>"Its link opens once, within an hour. Nothing came? Look whether it is the address that you sign in with."</p>
                </Banner>
            }
        });
        Ok::<_, AppError>(view! {
            <div class="stack">
                <h1>"Choose a new password"</h1>
                <p class="hint">"We mail you a link. A second factor, if you have one, is asked for as ever."</p>
            </div>
            {said}
            {form.view(view! {
                <TextField name="email" label="Mail address" kind="email" autocomplete="username" required=true
                    value=form.value("email") error=form.error("email")/>
                <Button kind=ButtonKind::Primary>"Send the link"</Button>
            })}
            <p><a href="/sign-in">"Back to sign in"</a></p>
        })
    })
}

/// `/sign-in/reset`, reached through the link, whose token is a cookie by now.
#[component]
pub fn Reset() -> impl IntoView {
    bare_page("New password", |visit| async move {
        let token = visit.cookie(cookies::RESET).unwrap_or_default();
        let offer = match reset::offer(&visit.ctx, token).await {
            Err(AppError::NotFound) => return Ok(void().into_any()),
            offer => offer?,
        };
        let form = FormState::of::<ResetPassword>(&visit);
        let form = form.view(view! {
            <input class="sr-only" type="email" autocomplete="username" value=offer.email.clone() readonly tabindex="-1" aria-hidden="true"/>
            <PasswordField name="password" label="New password" autocomplete="new-password" error=form.error("password")
                hint=format!("At least {PASSWORD_MIN} characters. A few words that only you would put together are best.")/>
            <Button kind=ButtonKind::Primary>"Set the password"</Button>
        });
        let text = format!("For {}. Every session of yours ends; then you sign in with it.", offer.email);
        Ok::<_, AppError>(
            view! { <div class="stack"><h1>"Choose a new password"</h1><p class="hint">{text}</p></div> {form} }
                .into_any(),
        )
    })
}

fn void() -> impl IntoView {
    view! {
        <div class="stack">
            <h1>"This link is void"</h1>
            <p>"It was used, a newer one was sent, or it is older than an hour."</p>
            <p><a href="/sign-in/forgot">"Send another"</a></p>
        </div>
    }
}
