//! How long a workspace keeps its audit log.

#[cfg(feature = "ssr")]
pub mod page;
pub mod server_fns;
