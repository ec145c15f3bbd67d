//! What send0 console does: types, rules and SQL. No web framework, no Leptos.
//!
//! Without the feature `server` only the pure types compile (ids, roles, permissions, view types): that is what
//! reaches the browser. With it come the operations, the only place with rules, and everything they stand on.

pub mod accounts;
pub mod allowlist;
pub mod api_keys;
pub mod audit_log;
pub mod compliance;
pub mod contacts;
pub mod error;
pub mod ids;
pub mod invitations;
pub mod members;
pub mod operators;
pub mod permissions;
pub mod plans;
pub mod policies;
pub mod practices;
pub mod retention;
pub mod sealing;
pub mod subprocessors;
pub mod two_factor;
pub mod workspaces;

#[cfg(feature = "server")]
pub mod actor;
#[cfg(feature = "server")]
mod batches;
#[cfg(feature = "server")]
pub mod changelog;
#[cfg(feature = "server")]
pub mod clock;
#[cfg(feature = "server")]
pub mod context;
#[cfg(feature = "server")]
pub mod database;
#[cfg(feature = "server")]
pub mod egress;
#[cfg(feature = "server")]
pub mod envelope;
#[cfg(feature = "server")]
pub mod flash;
#[cfg(feature = "server")]
pub mod intent;
#[cfg(feature = "server")]
pub mod mail;
#[cfg(feature = "server")]
pub mod private_file;
#[cfg(feature = "server")]
pub mod secrets;
#[cfg(feature = "server")]
pub mod streams;
#[cfg(feature = "server")]
pub mod subscribers;
#[cfg(feature = "server")]
pub mod vault;
#[cfg(feature = "server")]
pub mod zones;

#[cfg(feature = "testing")]
pub mod testing;

pub use error::{AppError, FieldError};

#[cfg(feature = "server")]
pub use {actor::Actor, context::Ctx};
