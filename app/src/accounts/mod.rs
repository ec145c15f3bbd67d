//! Signing in and out, and what people set for themselves.

#[cfg(feature = "ssr")]
pub mod account;
#[cfg(feature = "ssr")]
pub mod page;
pub mod server_fns;
