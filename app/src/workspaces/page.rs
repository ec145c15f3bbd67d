//! Set-up and the start page.

use super::server_fns::SetUp;
use crate::{
    accounts::page::unopened,
    cookies,
    forms::FormState,
    page::{bare_page, path_in},
    ui::{Button, ButtonKind, PasswordField, TextField},
    visit::Visit,
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    accounts::{PASSWORD_MIN, operations::memberships},
    operators::operations::is_operator,
    workspaces::operations,
};

/// `/`: on to where one belongs.
#[component]
pub fn Start() -> impl IntoView {
    bare_page("send0", |visit| async move {
        let Ok(signed_in) = visit.signed_in() else {
            leptos_axum::redirect("/sign-in");
            return Ok(().into_any());
        };
        let memberships = memberships(&visit.ctx, signed_in.user).await?;
        if is_operator(&visit.ctx, signed_in.user).await? {
            leptos_axum::redirect("/operator");
            return Ok(().into_any());
        }
        if let Some(first) = memberships.first() {
            leptos_axum::redirect(&path_in(&first.slug, ""));
        }
        Ok::<_, AppError>(
            view! { <h1>"No workspace"</h1><p>"You are in no workspace. Ask an owner to invite you."</p> }.into_any(),
        )
    })
}

/// `/setup`, reached through the one-time link, whose token is a cookie by now.
#[component]
pub fn SetUpPage() -> impl IntoView {
    bare_page("Set up", |visit| async move {
        let token = visit.cookie(cookies::SETUP).unwrap_or_default();
        if !operations::setup_needed(&visit.ctx).await? {
            leptos_axum::redirect("/sign-in");
        }
        let offered = operations::setup_offered(&visit.ctx, token).await?;
        Ok::<_, AppError>(if offered { set_up_form(&visit).into_any() } else { unopened().into_any() })
    })
}

fn set_up_form(visit: &Visit) -> impl IntoView + use<> {
    let form = FormState::of::<SetUp>(visit);
    view! {
        <div class="stack">
            <h1>"Set up send0"</h1>
            <p class="hint">"This makes your workspace and you its owner. The link you came by is void afterwards."</p>
        </div>
        {form.view(view! {
            <TextField name="workspace" label="Workspace" hint="Your company or team, such as Acme." required=true
                autocomplete="organization" value=form.value("workspace") error=form.error("workspace")/>
            <TextField name="name" label="Your name" required=true autocomplete="name" value=form.value("name") error=form.error("name")/>
            <TextField name="email" label="Mail address" kind="email" hint="You sign in with it." required=true autocomplete="username"
                value=form.value("email") error=form.error("email")/>
            <PasswordField name="password" label="Password" autocomplete="new-password" error=form.error("password")
                hint=format!("At least {PASSWORD_MIN} characters. A few words that only you would put together are best.")/>
            <Button kind=ButtonKind::Primary>"Create workspace"</Button>
        })}
    }
}
