//! Signing in and out, and what people set for themselves.

#[cfg(feature = "ssr")]
pub mod account;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
pub mod reset;
pub mod server_fns;
