//! Streams of the audit log: the list, the form that makes one, a stream's own page, the one time its secret is shown.

#[cfg(feature = "ssr")]
mod fields;
#[cfg(feature = "ssr")]
pub mod new;
#[cfg(feature = "ssr")]
pub mod page;
pub mod server_fns;
