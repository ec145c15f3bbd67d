//! People: how they sign in, and the sessions that keep them signed in.

mod model;
pub use model::*;

#[cfg(feature = "server")]
mod devices;
#[cfg(feature = "server")]
pub mod disabling;
#[cfg(feature = "server")]
pub mod erasing;
#[cfg(feature = "server")]
pub mod operations;
#[cfg(feature = "server")]
mod passwords;
#[cfg(feature = "server")]
mod queries;
#[cfg(feature = "server")]
pub mod reset;
#[cfg(feature = "server")]
pub mod sessions;
#[cfg(feature = "server")]
pub mod settings;
#[cfg(feature = "server")]
mod strength;
#[cfg(feature = "server")]
pub(crate) use passwords::Passwords;
#[cfg(feature = "server")]
pub(crate) use queries::{
    attempt, code_attempt, create as create_account, end_all as end_all_sessions, find as find_account,
    forget_failures, memberships_of,
};
#[cfg(feature = "server")]
pub use strength::check_password;

#[cfg(all(test, feature = "testing"))]
mod tests;
