//! Subprocessors: the public list, the notices of a workspace, and the operators' console.

pub mod server_fns;

#[cfg(feature = "ssr")]
pub mod notices;
#[cfg(feature = "ssr")]
pub mod operator;
#[cfg(feature = "ssr")]
pub mod parts;
#[cfg(feature = "ssr")]
pub mod public;
