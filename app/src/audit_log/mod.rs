//! The audit log: the list with its search, one event, views and exports; of a workspace, and of the platform.

pub mod completion;
#[cfg(feature = "ssr")]
pub mod event;
#[cfg(feature = "ssr")]
pub mod exports;
#[cfg(feature = "ssr")]
mod facets;
pub mod islands;
#[cfg(feature = "ssr")]
pub mod operator;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
mod proof;
#[cfg(feature = "ssr")]
mod search;
#[cfg(feature = "ssr")]
mod sentence;
pub mod server_fns;
#[cfg(feature = "ssr")]
mod tail;
#[cfg(feature = "ssr")]
pub mod views;
