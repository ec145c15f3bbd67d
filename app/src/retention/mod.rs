//! How long a workspace keeps its audit log, and what holds it for longer.

#[cfg(feature = "ssr")]
pub mod holds;
#[cfg(feature = "ssr")]
pub mod page;
pub mod server_fns;
