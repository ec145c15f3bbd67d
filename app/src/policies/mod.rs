//! What a workspace demands of its members.

#[cfg(feature = "ssr")]
pub mod section;
pub mod server_fns;
