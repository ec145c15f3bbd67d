//! From which addresses people and keys get in: the lists, their drafts, and the dry run before one is saved.

#[cfg(feature = "ssr")]
pub mod draft;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
pub mod review;
pub mod server_fns;
