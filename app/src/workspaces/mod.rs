//! Set-up, the start page, the overview of a workspace, its settings, and making another one.

#[cfg(feature = "ssr")]
pub mod overview;
#[cfg(feature = "ssr")]
pub mod page;
pub mod server_fns;
#[cfg(feature = "ssr")]
pub mod settings;
