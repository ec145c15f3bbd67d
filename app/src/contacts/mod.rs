//! Security contacts: naming them, and saying yes to being one.

#[cfg(feature = "ssr")]
pub mod arrival;
#[cfg(feature = "ssr")]
pub mod page;
pub mod server_fns;
