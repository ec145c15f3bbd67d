//! The team: who is in the workspace, and who may do what.

#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
pub mod roles;
pub mod server_fns;
