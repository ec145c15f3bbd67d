//! `/account`: what people set for themselves. And `/account/address`, where the two links of a new address lead.

use super::server_fns::{CancelAddress, ChangePassword, ChangeSettings, ConfirmAddress, RequestAddress};
use crate::{
    cookies,
    forms::FormState,
    page::{account_page, bare_page},
    ui::{
        Badge, Banner, Button, ButtonKind, Choice, Fact, Facts, PageHeader, PasswordField, RadioCards, Section, Select,
        Status as Look, TextField, TimeAgo, Times, Tone, time_zones,
    },
    visit::Visit,
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    accounts::{
        PASSWORD_MIN, SignedIn,
        settings::{self, PendingAddress},
    },
};

/// `/account`.
#[component]
pub fn Account() -> impl IntoView {
    account_page("Account", |visit, signed_in| async move {
        let pending = settings::pending_address(&visit.ctx, &signed_in).await?;
        let address = match pending {
            Some(pending) => waiting(&visit, pending),
            None => new_address(&visit),
        };
        Ok::<_, AppError>(view! {
            <PageHeader title="Account" subtitle=format!("Yours alone, the same in every workspace. You sign in with {}.", signed_in.email)/>
            {settings_form(&visit, &signed_in)}
            <Section id="mail-address" title="Mail address">{address}</Section>
            <Section id="change-password" title="Password" text="Every other session of yours ends when you change it.">{password_form(&visit)}</Section>
            <Times/>
        })
    })
}

fn settings_form(visit: &Visit, signed_in: &SignedIn) -> AnyView {
    let form = FormState::of::<ChangeSettings>(visit);
    let chosen = |field: &str, saved: &str| if form.is_refused() { form.value(field) } else { saved.to_owned() };
    let fields = view! {
        <TextField name="name" label="Name" required=true autocomplete="name" value=chosen("name", &signed_in.name) error=form.error("name")/>
        <Select name="time_zone" label="Time zone" choices=time_zones("That of the browser") value=chosen("time_zone", &signed_in.time_zone)
            error=form.error("time_zone") hint="Times on pages are shown in it. The audit log keeps UTC."/>
        <RadioCards name="theme" legend="Theme" choices=themes() value=chosen("theme", &signed_in.theme) error=form.error("theme")/>
        <div class="actions"><Button kind=ButtonKind::Primary>"Save"</Button></div>
    };
    form.view(fields)
}

fn themes() -> Vec<Choice> {
    vec![
        Choice::new("system", "System").hint("As the device is set."),
        Choice::new("light", "Light"),
        Choice::new("dark", "Dark"),
    ]
}

fn new_address(visit: &Visit) -> AnyView {
    let form = FormState::of::<RequestAddress>(visit);
    let fields = view! {
        <TextField name="email" label="New mail address" kind="email" required=true autocomplete="email" value=form.value("email")
            error=form.error("email") hint="A link goes to the present address and one to the new one. It changes when both were opened."/>
        <PasswordField name="password" label="Present password" error=form.error("password")/>
        <div class="actions"><Button>"Send both links"</Button></div>
    };
    form.view(fields)
}

fn waiting(visit: &Visit, pending: PendingAddress) -> AnyView {
    let now = visit.ctx.clock.now();
    let answer = |yes| if yes { (Look::Ok, "confirmed") } else { (Look::Pending, "waits for its link to be opened") };
    let ((old, old_word), (new, new_word)) = (answer(pending.old_confirmed), answer(pending.new_confirmed));
    let cancel = FormState::of::<CancelAddress>(visit).view(view! { <Button>"Call it off"</Button> });
    view! {
        <Facts>
            <Fact label="New address">{pending.email}</Fact>
            <Fact label="Present address"><Badge status=old word=old_word/></Fact>
            <Fact label="New address says"><Badge status=new word=new_word/></Fact>
            <Fact label="Both by"><TimeAgo at=pending.expires_at now/></Fact>
        </Facts>
        {cancel}
    }
    .into_any()
}

fn password_form(visit: &Visit) -> AnyView {
    let form = FormState::of::<ChangePassword>(visit);
    let fields = view! {
        <PasswordField name="present" label="Present password" error=form.error("present")/>
        <PasswordField name="new_password" label="New password" autocomplete="new-password" error=form.error("new_password")
            hint=format!("At least {PASSWORD_MIN} characters. A few words that only you would put together are best.")/>
        <div class="actions"><Button>"Change password"</Button></div>
    };
    form.view(fields)
}

/// `/account/address`, reached through one of the two links, whose token is a cookie by now.
#[component]
pub fn Address() -> impl IntoView {
    bare_page("Confirm a mail address", |visit| async move {
        let token = visit.cookie(cookies::ADDRESS).unwrap_or_default();
        let offer = match settings::address_offer(&visit.ctx, token).await {
            Err(AppError::NotFound) => return Ok(nothing_waits().into_any()),
            offer => offer?,
        };
        let text = format!(
            "{} signs in with {} and asks to sign in with {} from now on.",
            offer.name, offer.old_email, offer.email
        );
        let answer = if offer.confirmed {
            view! { <Banner tone=Tone::Ok title="Confirmed. The other address has still to say yes."/> }.into_any()
        } else {
            FormState::of::<ConfirmAddress>(&visit)
                .view(view! { <Button kind=ButtonKind::Primary>"Yes, change it"</Button> })
        };
        Ok::<_, AppError>(
            view! { <div class="stack"><h1>"Confirm a mail address"</h1><p>{text}</p></div> {answer} }.into_any(),
        )
    })
}

fn nothing_waits() -> impl IntoView {
    view! {
        <div class="stack">
            <h1>"Nothing waits to be confirmed"</h1>
            <p>"Either both addresses have said yes, and the new one is the one to sign in with; or the change was called off, or it is too old."</p>
            <p><a href="/account">"Go to your account"</a></p>
        </div>
    }
}
