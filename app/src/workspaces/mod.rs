//! Set-up, the start page and the overview of a workspace.

#[cfg(feature = "ssr")]
pub mod page;
pub mod server_fns;
