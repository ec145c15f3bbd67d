//! Signing in and out.

#[cfg(feature = "ssr")]
pub mod page;
pub mod server_fns;
