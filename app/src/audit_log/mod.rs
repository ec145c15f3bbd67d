//! The audit log: the list with its filters, one event, and exports; of a workspace, and of the platform.

#[cfg(feature = "ssr")]
pub mod exports;
#[cfg(feature = "ssr")]
pub mod operator;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
mod proof;
#[cfg(feature = "ssr")]
mod sentence;
pub mod server_fns;
