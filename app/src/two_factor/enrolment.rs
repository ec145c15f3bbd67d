//! `/account/security/app`: three steps to an authenticator app. And `/account/security/recovery-codes`, where codes are
//! shown once.

use super::server_fns::{BeginApp, ConfirmApp, MakeRecoveryCodes};
use crate::{
    cookies,
    forms::FormState,
    islands::CopyButton,
    page::account_page,
    ui::{Banner, Button, ButtonKind, ButtonLink, PageHeader, Qr, Stepper, TextField, Tone},
    visit::{Visit, set_cookie},
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    flash::Flash,
    two_factor::{Enrolment, operations},
};

/// Where recovery codes are shown.
pub const CODES: &str = "/account/security/recovery-codes";
const STEPS: [&str; 3] = ["Recovery codes", "Scan", "Confirm"];
const SHOWN_SECONDS: u32 = 3600;

/// `/account/security/app`.
#[component]
pub fn App() -> impl IntoView {
    account_page("Authenticator app", |visit, signed_in| async move {
        let factors = operations::factors(&visit.ctx, &signed_in).await?;
        let content = match operations::enrolment(&visit.ctx, &visit.request(), &signed_in).await? {
            _ if factors.totp => active().into_any(),
            None => begin(&visit).into_any(),
            Some(_) if factors.recovery_codes == 0 => codes_first(&visit).into_any(),
            Some(told) => scan_and_confirm(&visit, told).into_any(),
        };
        Ok::<_, AppError>(
            view! { <PageHeader title="Authenticator app" subtitle="A code from it is asked for after your password."/> {content} },
        )
    })
}

fn active() -> impl IntoView {
    view! {
        <Banner tone=Tone::Ok title="The app is a factor."/>
        <p><ButtonLink href="/account/security">"Back to security"</ButtonLink></p>
    }
}

fn begin(visit: &Visit) -> impl IntoView + use<> {
    let form =
        FormState::of::<BeginApp>(visit).view(view! { <Button kind=ButtonKind::Primary>"Set up an app"</Button> });
    view! { <p>"No app is on its way. Begin, and scan what is shown."</p> {form} }
}

fn codes_first(visit: &Visit) -> impl IntoView + use<> {
    let form = FormState::of::<MakeRecoveryCodes>(visit);
    let form = form.view(view! { <Button kind=ButtonKind::Primary>"Show my recovery codes"</Button> });
    view! {
        <Stepper label="Setting up an app" steps=STEPS.to_vec() current=0/>
        <p>"First the way back in: ten codes for the day on which the device is lost. They are shown once. Have a place for them, apart from the device."</p>
        {form}
    }
}

fn scan_and_confirm(visit: &Visit, told: Enrolment) -> impl IntoView + use<> {
    let form = FormState::of::<ConfirmApp>(visit);
    let fields = view! {
        <TextField name="code" label="Code that the app shows" autocomplete="one-time-code" inputmode="numeric" required=true mono=true
            error=form.error("code") hint="Six digits. It shows that the app works; until then it is no factor."/>
        <div class="actions">
            <Button kind=ButtonKind::Primary>"Confirm"</Button>
            <ButtonLink href="/account/security" kind=ButtonKind::Quiet>"Not now"</ButtonLink>
        </div>
    };
    let form = form.view(fields);
    let copy = view! { <CopyButton text=told.typed.replace(' ', "") label="Copy key".to_owned()/> };
    view! {
        <Stepper label="Setting up an app" steps=STEPS.to_vec() current=1/>
        <div class="enrol">
            <Qr text=told.link.clone() label="QR code for the authenticator app"/>
            <div class="stack">
                <p>"Scan it with the app: 1Password, Aegis, Google Authenticator, or any other."</p>
                <p>"On this device already? " <a href=told.link>"Open it in the app"</a></p>
                <p>"Or type this key:"</p>
                <p class="mono enrol-key">{told.typed}</p>
                <div class="actions">{copy}</div>
            </div>
        </div>
        {form}
    }
}

/// `/account/security/recovery-codes`.
#[component]
pub fn RecoveryCodes() -> impl IntoView {
    account_page("Recovery codes", |visit, signed_in| async move {
        let waits = operations::enrolment(&visit.ctx, &visit.request(), &signed_in).await.unwrap_or_default().is_some();
        let goal = if waits { "/account/security/app" } else { "/account/security" };
        let content = match visit.flash().as_deref() {
            Some(Flash::RecoveryCodes(codes)) => shown(codes, goal).into_any(),
            _ => gone(goal).into_any(),
        };
        Ok::<_, AppError>(
            view! { <PageHeader title="Recovery codes" subtitle="Each opens once, after your password, in place of a factor that is lost."/> {content} },
        )
    })
}

fn shown(codes: &[String], goal: &'static str) -> impl IntoView + use<> {
    set_cookie(cookies::set(cookies::SHOWN, "1", SHOWN_SECONDS));
    let text = codes.join("\n");
    let file = format!("data:text/plain;charset=utf-8,{}", text.replace('\n', "%0A"));
    let items = codes.iter().cloned().map(|code| view! { <li><code>{code}</code></li> }).collect_view();
    view! {
        <section class="secret" aria-label="Recovery codes">
            <p class="error">"Save them now: you will not see them again. We keep only their hashes. Those before open nothing any more."</p>
            <ol class="codes">{items}</ol>
            <div class="actions">
                <CopyButton text label="Copy all".to_owned()/>
                <a class="btn" href=file download="send0-recovery-codes.txt">"Download"</a>
            </div>
        </section>
        <p><ButtonLink href=goal kind=ButtonKind::Primary>"I have saved them"</ButtonLink></p>
    }
}

fn gone(goal: &'static str) -> impl IntoView {
    view! {
        <Banner tone=Tone::Info title="These codes were shown once and cannot be shown again">
            <p>"We keep only their hashes. If they were not saved, make new ones."</p>
        </Banner>
        <p><ButtonLink href=goal>"Go on"</ButtonLink></p>
    }
}
