//! The forms for signing in and out.
#![expect(missing_docs, reason = "the macro makes undocumented items beside each function")]

use crate::error::FnError;
use leptos::prelude::*;

/// Signs in and goes to the page that was asked for.
#[server]
pub async fn sign_in(email: String, password: String, #[server(default)] next: String) -> Result<(), FnError> {
    use crate::{forms, sessions, visit};
    let visit = visit::Visit::now();
    let request = visit.request();
    let user = send0_core::accounts::operations::sign_in(&visit.ctx, &request, &email, password.into()).await?;
    sessions::begin(&visit.ctx, &visit.session()?, &request, user).await?;
    forms::go(if visit::is_local(&next) { &next } else { "/" });
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
