//! `/sign-in/second-factor` and `/account/prove`: showing that it is you, while signing in and once more.

use super::server_fns::{BeginPasskeyProof, FinishPasskeyProof, ProveByCode, ProveByPassword, ProveByRecoveryCode};
use crate::{
    accounts::server_fns::SignOut,
    cookies,
    forms::{FormState, go},
    page::{bare_page, sign_out},
    sessions,
    ui::{Button, ButtonKind, PasswordField, TextField},
    visit::{Visit, is_local, set_cookie},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;
use secrecy::ExposeSecret;
use send0_core::{
    AppError,
    accounts::{self, Shown, SignedIn},
    intent::Intent,
    two_factor::{
        operations::{self, Wanted},
        passkeys::Begun,
    },
};

/// A ceremony's cookie lives as long as the ceremony.
const CEREMONY_SECONDS: u32 = 300;

/// What the script is told; the rest stays with us, found by a cookie.
pub fn challenge(begun: Begun) -> String {
    set_cookie(cookies::set(cookies::CEREMONY, begun.token.expose_secret(), CEREMONY_SECONDS));
    begun.options.to_string()
}

/// The session goes on under another token, and its person to where they wanted to go.
pub async fn go_on(visit: &Visit, known: SignedIn, shown: Shown, next: &str) -> Result<(), AppError> {
    sessions::prove(&visit.session()?, &visit.request(), known, shown).await?;
    go(if is_local(next) { next } else { "/" });
    Ok(())
}

fn next() -> String {
    let next = use_query_map().with_untracked(|query| query.get("next"));
    next.filter(|next| is_local(next)).unwrap_or_default()
}

/// `/sign-in/second-factor`.
#[component]
pub fn SecondFactor() -> impl IntoView {
    let next = next();
    bare_page("Second factor", |visit| async move {
        let known = match visit.known() {
            Ok(known) if !known.is_whole => known,
            _ => {
                leptos_axum::redirect("/sign-in");
                return Ok(().into_any());
            }
        };
        let wanted = operations::wanted(&visit.ctx, &known).await?;
        let sign_out = FormState::of::<SignOut>(&visit)
            .view(view! { <Button kind=ButtonKind::Quiet>"Sign in as somebody else"</Button> });
        Ok::<_, AppError>(
            view! {
                <div class="stack">
                    <h1>"Second factor"</h1>
                    <p class="hint">{format!("The password of {} is right. Show one more thing.", known.email)}</p>
                </div>
                {ways(&visit, wanted, None, &next)}
                {sign_out}
            }
            .into_any(),
        )
    })
}

/// `/account/prove`.
#[component]
pub fn Prove() -> impl IntoView {
    let next = next();
    bare_page("Confirm that it is you", |visit| async move {
        let signed_in = visit.signed_in()?;
        let wanted = operations::wanted(&visit.ctx, &signed_in).await?;
        let asked = accounts::sessions::asked(&visit.ctx, &signed_in).await?;
        let back = if next.is_empty() { "/".to_owned() } else { next.clone() };
        Ok::<_, AppError>(view! {
            <div class="stack">
                <h1>"Confirm that it is you"</h1>
                {what(asked.as_ref())}
            </div>
            {ways(&visit, wanted, asked.as_ref(), &next)}
            <p><a href=back>"Not now"</a></p>
            {sign_out(&visit)}
        })
    })
}

/// What is to be confirmed.
fn what(asked: Option<&Intent>) -> AnyView {
    let Some(asked) = asked else {
        return view! { <p class="hint">"Nothing waits to be confirmed. Go back, and send again what you wanted to do."</p> }
            .into_any();
    };
    view! {
        <p><strong>{asked.words.clone()}</strong></p>
        <p class="hint">
            "This needs a proof of the last ten minutes. What you typed is kept: you send it again afterwards. A passkey confirms this and nothing else."
        </p>
    }
    .into_any()
}

fn ways(visit: &Visit, wanted: Wanted, asked: Option<&Intent>, next: &str) -> impl IntoView + use<> {
    let passkey = (wanted.passkey && visit.ctx.relying_party.is_there()).then(|| by_passkey(visit, asked, next));
    let code = wanted.code.then(|| by_code(visit, next));
    let password = wanted.password.then(|| by_password(visit, next));
    let recovery = wanted.recovery_code.then(|| by_recovery_code(visit));
    let without_scripts = (wanted.passkey && !wanted.code).then(|| {
        view! { <p class="hint scriptless">"Passkeys need scripts. Switch them on, or sign in with a recovery code."</p> }
    });
    view! { {passkey} {without_scripts} {code} {password} {recovery} }
}

fn by_passkey(visit: &Visit, asked: Option<&Intent>, next: &str) -> AnyView {
    let fields = view! {
        <input type="hidden" name="intent" value=asked.map(Intent::id).unwrap_or_default()/>
        <input type="hidden" name="next" value=next.to_owned()/>
        <Button kind=ButtonKind::Primary>"Use a passkey"</Button>
    };
    FormState::of::<FinishPasskeyProof>(visit).passkey(BeginPasskeyProof::PATH, "get", false, fields)
}

fn by_code(visit: &Visit, next: &str) -> AnyView {
    let form = FormState::of::<ProveByCode>(visit);
    let fields = view! {
        <input type="hidden" name="next" value=next.to_owned()/>
        <TextField name="code" label="Code of your authenticator app" autocomplete="one-time-code" inputmode="numeric" required=true mono=true
            autofocus=!form.is_refused() hint="Six digits. Each opens once."/>
        <Button kind=ButtonKind::Primary>"Confirm"</Button>
    };
    form.view(fields)
}

fn by_password(visit: &Visit, next: &str) -> AnyView {
    let form = FormState::of::<ProveByPassword>(visit);
    let fields = view! {
        <input type="hidden" name="next" value=next.to_owned()/>
        <PasswordField name="password" label="Password" error=form.error("password")/>
        <Button kind=ButtonKind::Primary>"Confirm"</Button>
    };
    form.view(fields)
}

fn by_recovery_code(visit: &Visit) -> AnyView {
    let form = FormState::of::<ProveByRecoveryCode>(visit);
    let refused = form.is_refused();
    // The page has one field of that name for each way: ids must differ.
    let fields = view! {
        <div class="field">
            <label class="label" for="recovery-code">"Recovery code"</label>
            <p class="hint" id="recovery-code-hint">"One of the ten that you saved. It is used up, and you are told by mail."</p>
            <input class="input mono" id="recovery-code" name="code" type="text" autocomplete="off" spellcheck="false" required
                aria-describedby="recovery-code-hint"/>
        </div>
        <Button>"Use a recovery code"</Button>
    };
    let form = form.view(fields);
    view! { <details class="more" open=refused><summary>"The device is lost"</summary>{form}</details> }.into_any()
}
