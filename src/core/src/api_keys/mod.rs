//! API keys: issued once, stored as a hash, revoked at once.

mod model;
pub use model::*;

#[cfg(feature = "server")]
pub mod last_uses;
#[cfg(feature = "server")]
pub mod operations;
#[cfg(feature = "server")]
mod queries;
#[cfg(feature = "server")]
mod recogniser;
#[cfg(feature = "server")]
mod secret;
#[cfg(feature = "server")]
pub use {last_uses::LastUses, recogniser::Recogniser, secret::KeySecret};

#[cfg(feature = "server")]
pub(crate) use queries::{active, active_of, hand_over, names, revoke as revoke_row};

#[cfg(all(test, feature = "testing"))]
mod tests;
