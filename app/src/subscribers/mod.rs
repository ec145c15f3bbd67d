//! Visitors who want to be told of changes of subprocessors.

pub mod server_fns;

#[cfg(feature = "ssr")]
pub mod page;
