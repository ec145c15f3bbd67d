//! Where the link of an invitation leads.

use super::server_fns::{AcceptInvitation, JoinWorkspace};
use crate::{
    accounts::server_fns::SignOut,
    cookies,
    forms::FormState,
    page::{bare_page, with_article},
    ui::{Button, ButtonKind, ButtonLink, PasswordField, TextField},
    visit::Visit,
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    accounts::{PASSWORD_MIN, SignedIn},
    invitations::{Offer, operations},
};

/// `/invitations`, reached through the link, whose token is a cookie by now.
#[component]
pub fn Arrival() -> impl IntoView {
    bare_page("Invitation", |visit| async move {
        let token = visit.cookie(cookies::INVITATION).unwrap_or_default();
        let offer = match operations::offer(&visit.ctx, token).await {
            Err(AppError::NotFound) => return Ok(void().into_any()),
            offer => offer?,
        };
        let content = match (visit.signed_in().ok(), offer.user) {
            (Some(signed_in), Some(user)) if signed_in.user == user => accept(&visit, &offer),
            (Some(signed_in), _) => another(&visit, &offer, &signed_in),
            (None, Some(_)) => known(&offer),
            (None, None) => new(&visit, &offer),
        };
        Ok::<_, AppError>(content)
    })
}

fn heading(offer: &Offer) -> impl IntoView + use<> {
    let inviter = offer.inviter.clone().unwrap_or_else(|| "An operator of this server".into());
    let text = format!("{inviter} invites {} as {}.", offer.email, with_article(offer.role));
    view! {
        <div class="stack">
            <h1>{format!("Join {}", offer.workspace_name)}</h1>
            <p>{text}</p>
            <p class="hint">{offer.role.sentence()}</p>
        </div>
    }
}

fn accept(visit: &Visit, offer: &Offer) -> AnyView {
    let form =
        FormState::of::<AcceptInvitation>(visit).view(view! { <Button kind=ButtonKind::Primary>"Accept"</Button> });
    view! { {heading(offer)} {form} }.into_any()
}

fn another(visit: &Visit, offer: &Offer, signed_in: &SignedIn) -> AnyView {
    let text = format!("You are signed in as {}. Sign out, then open the link again.", signed_in.email);
    let form = FormState::of::<SignOut>(visit).view(view! { <Button kind=ButtonKind::Primary>"Sign out"</Button> });
    view! { {heading(offer)} <p>{text}</p> {form} }.into_any()
}

fn known(offer: &Offer) -> AnyView {
    view! {
        {heading(offer)}
        <p>"You have an account already. Sign in with it, then accept."</p>
        <p><ButtonLink href="/sign-in?next=%2Finvitations" kind=ButtonKind::Primary>"Sign in"</ButtonLink></p>
    }
    .into_any()
}

fn new(visit: &Visit, offer: &Offer) -> AnyView {
    let form = FormState::of::<JoinWorkspace>(visit);
    let fields = view! {
        <TextField name="name" label="Your name" required=true autocomplete="name" value=form.value("name") error=form.error("name")/>
        <PasswordField name="password" label="Password" autocomplete="new-password" error=form.error("password")
            hint=format!("You sign in with {} and this. At least {PASSWORD_MIN} characters.", offer.email)/>
        <Button kind=ButtonKind::Primary>"Join"</Button>
    };
    let form = form.view(fields);
    view! { {heading(offer)} {form} }.into_any()
}

fn void() -> impl IntoView {
    view! {
        <div class="stack">
            <h1>"This invitation is void"</h1>
            <p>"It was used, revoked, sent again, or it is too old. Ask whoever invited you for another."</p>
            <p><a href="/">"Go to the start"</a></p>
        </div>
    }
}
