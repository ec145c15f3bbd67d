//! Where one signs in.

use super::server_fns::SignIn;
use crate::{
    forms::FormState,
    page::bare_page,
    public,
    two_factor::server_fns::{BeginPasskeySignIn, FinishPasskeySignIn},
    ui::{Button, ButtonKind, PasswordField, TextField},
    visit::{Visit, is_local},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use send0_core::{AppError, operators, workspaces::operations};

/// `/sign-in`.
#[component]
pub fn SignInPage() -> impl IntoView {
    let next =
        use_query_map().with_untracked(|query| query.get("next")).filter(|next| is_local(next)).unwrap_or_default();
    bare_page("Sign in", |visit| async move {
        match visit.known() {
            Ok(known) if known.is_whole => leptos_axum::redirect(if next.is_empty() { "/" } else { &next }),
            Ok(_) => leptos_axum::redirect(&second_factor_path(&next)),
            Err(_) => {}
        }
        let nobody = operations::setup_needed(&visit.ctx).await? && !operators::operations::exist(&visit.ctx).await?;
        let content = if nobody { unopened().into_any() } else { form(&visit, next).into_any() };
        Ok::<_, AppError>(view! { {content} {public::links()} })
    })
}

/// Where the second factor is asked for.
pub fn second_factor_path(next: &str) -> String {
    format!("/sign-in/second-factor?next={}", utf8_percent_encode(next, NON_ALPHANUMERIC))
}

fn form(visit: &Visit, next: String) -> impl IntoView + use<> {
    let form = FormState::of::<SignIn>(visit);
    view! {
        <h1>"Sign in"</h1>
        {form.view(view! {
            <input type="hidden" name="next" value=next.clone()/>
            <TextField name="email" label="Mail address" kind="email" autocomplete="username webauthn" required=true
                value=form.value("email") error=form.error("email")/>
            <PasswordField name="password" label="Password" error=form.error("password")/>
            <Button kind=ButtonKind::Primary>"Sign in"</Button>
        })}
        {visit.ctx.relying_party.is_there().then(|| by_passkey(visit, next))}
        <p><a href="/sign-in/forgot">"Forgot your password?"</a></p>
    }
}

fn by_passkey(visit: &Visit, next: String) -> AnyView {
    let fields = view! {
        <input type="hidden" name="next" value=next/>
        <Button>"Sign in with a passkey"</Button>
    };
    FormState::of::<FinishPasskeySignIn>(visit).passkey(BeginPasskeySignIn::PATH, "get", true, fields)
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
