//! Plans: what a workspace reads of its own, and where operators change it.

#[cfg(feature = "ssr")]
pub mod operator;
#[cfg(feature = "ssr")]
pub mod section;
pub mod server_fns;
