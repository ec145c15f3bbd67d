//! Invitations: sending them, and coming in with one.

#[cfg(feature = "ssr")]
pub mod arrival;
#[cfg(feature = "ssr")]
pub mod page;
pub mod server_fns;
