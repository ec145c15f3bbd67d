//! The cookies beside the session's. All are `__Host-`: from this origin, over a trusted connection, out of scripts' reach.

use axum::http::{HeaderMap, HeaderValue, header};

/// Holds the token of a flash.
pub const FLASH: &str = "__Host-flash";
/// Marks a browser that was shown a key. Taking it away again makes Chromium forget the page, which it would otherwise
/// bring back with Back in spite of `no-store`.
pub const SHOWN: &str = "__Host-shown";
/// Holds the token of the set-up link, once it was opened.
pub const SETUP: &str = "__Host-setup";
/// Holds the token of an invitation, once its link was opened.
pub const INVITATION: &str = "__Host-invitation";
/// Holds the token that confirms a mail address, once its link was opened.
pub const ADDRESS: &str = "__Host-address";
/// Holds the token that sets a new password, once its link was opened.
pub const RESET: &str = "__Host-reset";
/// Holds the token of a ceremony with a passkey.
pub const CEREMONY: &str = "__Host-ceremony";
/// Holds the token of a form that waits for its sender to prove that it is them.
pub const HELD: &str = "__Host-held";
/// Holds the token that confirms a security contact, once its link was opened.
pub const CONTACT: &str = "__Host-contact";
/// Holds the token that confirms a subscription, once its link was opened.
pub const SUBSCRIPTION: &str = "__Host-subscription";
/// Holds the token that ends a subscription, once its link was opened.
pub const UNSUBSCRIBE: &str = "__Host-unsubscribe";
/// Holds the token of a visitor's request about compliance, once its link was opened.
pub const REQUEST: &str = "__Host-request";
/// Holds the token of somebody's access to a document, once its link was opened.
pub const DOCUMENT: &str = "__Host-document";
/// Holds the token of the session.
pub const SESSION: &str = "__Host-session";

/// The value of a cookie, if it was sent and is not empty.
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
        .filter(|value| !value.is_empty())
}

/// Sets a cookie for some seconds. The value is one of our own tokens, which are plain hexadecimal; anything else is not
/// set at all.
pub fn set(name: &str, value: &str, seconds: u32) -> HeaderValue {
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// Removes a cookie.
pub fn clear(name: &str) -> HeaderValue {
    set(name, "", 0)
}
