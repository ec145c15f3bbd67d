//! Compliance: the public page, requests and their answers, documents, and the operators' side of it.

#[cfg(feature = "ssr")]
pub mod documents;
#[cfg(feature = "ssr")]
pub mod operator;
#[cfg(feature = "ssr")]
mod parts;
#[cfg(feature = "ssr")]
pub mod public;
#[cfg(feature = "ssr")]
pub mod requests;
pub mod server_fns;
#[cfg(feature = "ssr")]
pub mod visitor;
