//! The forms for signing in and out.
#![expect(missing_docs, reason = "the macro makes undocumented items beside each function")]

use crate::error::FnError;
use leptos::prelude::*;

/// Signs in and goes to the page that was asked for.
#[server]
pub async fn sign_in(email: String, password: String, #[server(default)] next: String) -> Result<(), FnError> {
    use crate::{forms, sessions, visit};
    use send0_core::accounts::Begun;
    let visit = visit::Visit::now();
    let request = visit.request();
    let (user, begun) =
        send0_core::accounts::operations::sign_in(&visit.ctx, &request, &email, password.into()).await?;
    sessions::begin(&visit.ctx, &visit.session()?, &request, user, begun).await?;
    let next = if visit::is_local(&next) { next } else { "/".to_owned() };
    forms::go(&match begun {
        Begun::Half => super::page::second_factor_path(&next),
        Begun::With(_) => next,
    });
    Ok(())
}

/// Signs out. Without a session there is nothing to do, and that is no error.
#[server]
pub async fn sign_out() -> Result<(), FnError> {
    use crate::{cookies, forms, sessions, visit};
    use axum::http::{HeaderName, HeaderValue};
    let visit = visit::Visit::now();
    sessions::end(&visit.ctx, &visit.session()?, &visit.request()).await?;
    visit::set_cookie(cookies::clear(cookies::SESSION));
    let clear = HeaderValue::from_static("\"cache\", \"cookies\", \"storage\"");
    expect_context::<leptos_axum::ResponseOptions>().insert_header(HeaderName::from_static("clear-site-data"), clear);
    forms::go("/sign-in");
    Ok(())
}

/// Ends one of one's sessions.
#[server]
pub async fn end_session(id: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (signed_in, id) = (visit.signed_in()?, page::id_param(&id)?);
    send0_core::accounts::sessions::end(&visit.ctx, &visit.request(), &signed_in, id).await?;
    forms::go_and_say(&visit.ctx, "/account/sessions", "Signed out there.").await?;
    Ok(())
}

/// Ends all of one's sessions but this one.
#[server]
pub async fn end_other_sessions() -> Result<(), FnError> {
    use crate::{forms, visit};
    let visit = visit::Visit::now();
    let ended = send0_core::accounts::sessions::end_others(&visit.ctx, &visit.request(), &visit.signed_in()?).await?;
    let said = format!("Signed out of {ended} other {}.", if ended == 1 { "session" } else { "sessions" });
    forms::go_and_say(&visit.ctx, "/account/sessions", &said).await?;
    Ok(())
}

/// Sends the link for a new password, if there is such an account.
#[server]
pub async fn request_reset(email: String) -> Result<(), FnError> {
    let visit = crate::visit::Visit::now();
    send0_core::accounts::reset::request(&visit.ctx, &visit.request(), &email).await?;
    crate::forms::go("/sign-in/forgot?sent");
    Ok(())
}

/// Sets the new password.
#[server]
pub async fn reset_password(password: String) -> Result<(), FnError> {
    use crate::{cookies, forms, visit};
    let visit = visit::Visit::now();
    let token = visit.cookie(cookies::RESET).unwrap_or_default();
    send0_core::accounts::reset::reset(&visit.ctx, &visit.request(), token, password.into()).await?;
    visit::set_cookie(cookies::clear(cookies::RESET));
    forms::go("/sign-in");
    Ok(())
}

/// Changes name, time zone and theme.
#[server]
pub async fn change_settings(
    name: String,
    #[server(default)] time_zone: String,
    #[server(default)] theme: String,
) -> Result<(), FnError> {
    use crate::{forms, visit};
    use send0_core::accounts::settings::{self, SettingsText};
    let visit = visit::Visit::now();
    let new = SettingsText { name, time_zone, theme };
    settings::change(&visit.ctx, &visit.request(), &visit.signed_in()?, new).await?;
    forms::go_and_say(&visit.ctx, "/account", "Saved.").await?;
    Ok(())
}

/// Changes the password. Every other session ends.
#[server]
pub async fn change_password(present: String, new_password: String) -> Result<(), FnError> {
    use crate::{forms, visit};
    use send0_core::accounts::settings;
    let visit = visit::Visit::now();
    let (signed_in, request) = (visit.signed_in()?, visit.request());
    let change = settings::change_password(&visit.ctx, &request, &signed_in, present.into(), new_password.into());
    let said = match change.await? {
        0 => "The password is changed.".to_owned(),
        1 => "The password is changed. Your other session has ended.".to_owned(),
        ended => format!("The password is changed. Your {ended} other sessions have ended."),
    };
    forms::go_and_say(&visit.ctx, "/account", &said).await?;
    Ok(())
}

/// Begins to change the mail address.
#[server]
pub async fn request_address(password: String, email: String) -> Result<(), FnError> {
    use crate::{forms, visit};
    use send0_core::accounts::settings;
    let visit = visit::Visit::now();
    let signed_in = visit.signed_in()?;
    settings::request_address(&visit.ctx, &visit.request(), &signed_in, password.into(), &email).await?;
    forms::go_and_say(&visit.ctx, "/account", "Two mails are on their way. Open the link in each.").await?;
    Ok(())
}

/// Calls the change of the mail address off.
#[server]
pub async fn cancel_address() -> Result<(), FnError> {
    use crate::{forms, visit};
    let visit = visit::Visit::now();
    send0_core::accounts::settings::cancel_address(&visit.ctx, &visit.request(), &visit.signed_in()?).await?;
    forms::go_and_say(&visit.ctx, "/account", "Called off. The links in both mails are void.").await?;
    Ok(())
}

/// Says yes for the mail address whose link was opened.
#[server]
pub async fn confirm_address() -> Result<(), FnError> {
    use crate::{cookies, forms, visit};
    let visit = visit::Visit::now();
    let token = visit.cookie(cookies::ADDRESS).unwrap_or_default();
    let changed = send0_core::accounts::settings::confirm_address(&visit.ctx, &visit.request(), token).await?;
    if changed {
        visit::set_cookie(cookies::clear(cookies::ADDRESS));
    }
    forms::go("/account/address");
    Ok(())
}
