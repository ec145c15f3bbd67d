//! Where one signs in.

use super::server_fns::SignIn;
use crate::{
    forms::FormState,
    page::bare_page,
    ui::{Button, ButtonKind, PasswordField, TextField},
    visit::{Visit, is_local},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use send0_core::{AppError, workspaces::operations};

/// `/sign-in`.
#[component]
pub fn SignInPage() -> impl IntoView {
    let next =
        use_query_map().with_untracked(|query| query.get("next")).filter(|next| is_local(next)).unwrap_or_default();
    bare_page("Sign in", |visit| async move {
        if visit.signed_in().is_ok() {
            leptos_axum::redirect(if next.is_empty() { "/" } else { &next });
        }
        let setup_needed = operations::setup_needed(&visit.ctx).await?;
        Ok::<_, AppError>(if setup_needed { unopened().into_any() } else { form(&visit, next).into_any() })
    })
}

fn form(visit: &Visit, next: String) -> impl IntoView + use<> {
    let form = FormState::of::<SignIn>(visit);
    view! {
        <h1>"Sign in"</h1>
        {form.view(view! {
            <input type="hidden" name="next" value=next/>
            <TextField name="email" label="Mail address" kind="email" autocomplete="username" required=true
                value=form.value("email") error=form.error("email")/>
            <PasswordField name="password" label="Password" error=form.error("password")/>
            <Button kind=ButtonKind::Primary>"Sign in"</Button>
        })}
    }
}

/// Before anybody owns anything there is nobody to sign in.
pub fn unopened() -> impl IntoView {
    view! {
        <div class="stack">
            <h1>"Not set up yet"</h1>
            <p>
                "Whoever started this server finds a set-up link in its terminal. It opens once, makes the first workspace "
                "and its owner, and is void from then on."
            </p>
            <p class="hint">"The link is lost? Start the server again: it prints a new one."</p>
        </div>
    }
}
