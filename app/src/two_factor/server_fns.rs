//! The forms for factors and proofs.
#![expect(missing_docs, reason = "the macro makes undocumented items beside each function")]

use crate::error::FnError;
use leptos::prelude::*;

// Signing in with a passkey --------------------------------------------------------------------------------------

/// The challenge for whoever wants to sign in with a passkey.
#[server]
pub async fn begin_passkey_sign_in() -> Result<String, FnError> {
    let visit = crate::visit::Visit::now();
    let begun = send0_core::two_factor::passkeys::begin_sign_in(&visit.ctx).await?;
    Ok(super::proof::challenge(begun))
}

/// Signs in with the passkey that answers.
#[server]
pub async fn finish_passkey_sign_in(answer: String, #[server(default)] next: String) -> Result<(), FnError> {
    use crate::{cookies, forms, sessions, visit};
    use send0_core::accounts::{Begun, Factor};
    let visit = visit::Visit::now();
    let (request, token) = (visit.request(), visit.cookie(cookies::CEREMONY).unwrap_or_default());
    let user = send0_core::two_factor::passkeys::finish_sign_in(&visit.ctx, &request, token, &answer).await?;
    visit::set_cookie(cookies::clear(cookies::CEREMONY));
    sessions::begin(&visit.ctx, &visit.session()?, &request, user, Begun::With(Factor::Passkey)).await?;
    forms::go(if visit::is_local(&next) { &next } else { "/" });
    Ok(())
}

// Proving --------------------------------------------------------------------------------------------------------

/// The challenge for the person's own passkeys: in an open session, for the change that is asked for.
#[server]
pub async fn begin_passkey_proof(#[server(default)] intent: String) -> Result<String, FnError> {
    let visit = crate::visit::Visit::now();
    let begun = send0_core::two_factor::passkeys::begin_proof(&visit.ctx, &visit.known()?, &intent).await?;
    Ok(super::proof::challenge(begun))
}

/// Proves with the passkey that answers.
#[server]
pub async fn finish_passkey_proof(answer: String, #[server(default)] next: String) -> Result<(), FnError> {
    use crate::{cookies, visit};
    let visit = visit::Visit::now();
    let (known, request) = (visit.known()?, visit.request());
    let token = visit.cookie(cookies::CEREMONY).unwrap_or_default();
    let shown = send0_core::two_factor::passkeys::finish_proof(&visit.ctx, &request, &known, token, &answer).await?;
    visit::set_cookie(cookies::clear(cookies::CEREMONY));
    super::proof::go_on(&visit, known, shown, &next).await?;
    Ok(())
}

/// Proves with a code of the app.
#[server]
pub async fn prove_by_code(code: String, #[server(default)] next: String) -> Result<(), FnError> {
    let visit = crate::visit::Visit::now();
    let (known, request) = (visit.known()?, visit.request());
    let shown = send0_core::two_factor::operations::check_code(&visit.ctx, &request, &known, &code).await?;
    super::proof::go_on(&visit, known, shown, &next).await?;
    Ok(())
}

/// Comes in with a recovery code, and goes to look at the factors.
#[server]
pub async fn prove_by_recovery_code(code: String) -> Result<(), FnError> {
    let visit = crate::visit::Visit::now();
    let (known, request) = (visit.known()?, visit.request());
    let shown = send0_core::two_factor::operations::use_recovery_code(&visit.ctx, &request, &known, &code).await?;
    super::proof::go_on(&visit, known, shown, "/account/security").await?;
    Ok(())
}

/// Proves with the password, for who has nothing else.
#[server]
pub async fn prove_by_password(password: String, #[server(default)] next: String) -> Result<(), FnError> {
    let visit = crate::visit::Visit::now();
    let signed_in = visit.signed_in()?;
    let request = visit.request();
    let proof = send0_core::two_factor::operations::check_password(&visit.ctx, &request, &signed_in, password.into());
    let shown = proof.await?;
    super::proof::go_on(&visit, signed_in, shown, &next).await?;
    Ok(())
}

// Authenticator app and recovery codes ---------------------------------------------------------------------------

/// Begins to set up an authenticator app.
#[server]
pub async fn begin_app() -> Result<(), FnError> {
    let visit = crate::visit::Visit::now();
    send0_core::two_factor::operations::begin_app(&visit.ctx, &visit.request(), &visit.signed_in()?).await?;
    crate::forms::go("/account/security/app");
    Ok(())
}

/// Makes the app a factor.
#[server]
pub async fn confirm_app(code: String) -> Result<(), FnError> {
    let visit = crate::visit::Visit::now();
    send0_core::two_factor::operations::confirm_app(&visit.ctx, &visit.request(), &visit.signed_in()?, &code).await?;
    let said = "The app is a factor now. Your other sessions have ended.";
    crate::forms::go_and_say(&visit.ctx, "/account/security", said).await?;
    Ok(())
}

/// Removes the app.
#[server]
pub async fn remove_app() -> Result<(), FnError> {
    let visit = crate::visit::Visit::now();
    send0_core::two_factor::operations::remove_app(&visit.ctx, &visit.request(), &visit.signed_in()?).await?;
    let said = "The app is removed. Your other sessions have ended.";
    crate::forms::go_and_say(&visit.ctx, "/account/security", said).await?;
    Ok(())
}

/// Makes new recovery codes and shows them once.
#[server]
pub async fn make_recovery_codes() -> Result<(), FnError> {
    use crate::{forms, visit};
    let visit = visit::Visit::now();
    let (signed_in, request, place) = (visit.signed_in()?, visit.request(), super::enrolment::CODES);
    let made = send0_core::two_factor::operations::make_recovery_codes(&visit.ctx, &request, &signed_in, place);
    visit::set_cookie(forms::flash_cookie(&made.await?));
    forms::go(place);
    Ok(())
}

// Passkeys -------------------------------------------------------------------------------------------------------

/// The challenge for a new passkey.
#[server]
pub async fn begin_passkey(#[server(default)] name: String) -> Result<String, FnError> {
    let visit = crate::visit::Visit::now();
    let (signed_in, request) = (visit.signed_in()?, visit.request());
    let begun = send0_core::two_factor::passkeys::begin_registration(&visit.ctx, &request, &signed_in, &name).await?;
    Ok(super::proof::challenge(begun))
}

/// Adds the passkey that answers. The name came with the challenge.
#[server]
pub async fn finish_passkey(answer: String) -> Result<(), FnError> {
    use crate::{cookies, forms, visit};
    let visit = visit::Visit::now();
    let (signed_in, request) = (visit.signed_in()?, visit.request());
    let token = visit.cookie(cookies::CEREMONY).unwrap_or_default();
    let added = send0_core::two_factor::passkeys::finish_registration(&visit.ctx, &request, &signed_in, token, &answer);
    let wants_codes = added.await?;
    visit::set_cookie(cookies::clear(cookies::CEREMONY));
    let said = match wants_codes {
        true => "The passkey is added. Now make recovery codes, for the day on which it is lost.",
        false => "The passkey is added. Your other sessions have ended.",
    };
    forms::go_and_say(&visit.ctx, "/account/security", said).await?;
    Ok(())
}

/// Gives a passkey another name.
#[server]
pub async fn rename_passkey(id: String, name: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (signed_in, id) = (visit.signed_in()?, page::id_param(&id)?);
    send0_core::two_factor::passkeys::rename(&visit.ctx, &visit.request(), &signed_in, id, &name).await?;
    forms::go_and_say(&visit.ctx, "/account/security", "Renamed.").await?;
    Ok(())
}

/// Removes a passkey.
#[server]
pub async fn remove_passkey(id: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (signed_in, id) = (visit.signed_in()?, page::id_param(&id)?);
    let name = send0_core::two_factor::passkeys::remove(&visit.ctx, &visit.request(), &signed_in, id).await?;
    let said = format!("The passkey {name} is removed. Your other sessions have ended.");
    forms::go_and_say(&visit.ctx, "/account/security", &said).await?;
    Ok(())
}
