//! API keys: the list, the form, the one time a key is shown, revocation.

#[cfg(feature = "ssr")]
pub mod page;
pub mod server_fns;
