//! What people see: pages, forms and islands.
//!
//! Only islands, the stubs of server functions and the error type reach the browser. Everything else is rendered on the
//! server as plain HTML.

#![recursion_limit = "256"]

pub mod accounts;
pub mod allowlist;
pub mod api_keys;
pub mod audit_log;
pub mod compliance;
pub mod contacts;
pub mod error;
pub mod invitations;
pub mod islands;
pub mod members;
pub mod palette;
pub mod plans;
pub mod policies;
pub mod retention;
pub mod streams;
pub mod subprocessors;
pub mod subscribers;
pub mod two_factor;
pub mod workspaces;

#[cfg(feature = "ssr")]
pub mod access;
#[cfg(feature = "ssr")]
pub mod cookies;
#[cfg(feature = "ssr")]
pub mod forms;
#[cfg(feature = "ssr")]
pub mod html;
#[cfg(feature = "ssr")]
pub mod kit;
#[cfg(feature = "ssr")]
pub mod mail;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
pub mod public;
#[cfg(feature = "ssr")]
pub mod sessions;
#[cfg(feature = "ssr")]
pub mod shell;
#[cfg(feature = "ssr")]
pub mod ui;
#[cfg(feature = "ssr")]
pub mod visit;
