//! Second factors: codes of an authenticator app, recovery codes, passkeys.

mod model;
pub use model::*;

#[cfg(feature = "server")]
mod ceremony;
#[cfg(feature = "server")]
pub mod operations;
#[cfg(feature = "server")]
pub mod passkeys;
#[cfg(feature = "server")]
mod queries;
#[cfg(feature = "server")]
mod totp;
#[cfg(feature = "server")]
pub use ceremony::RelyingParty;

#[cfg(all(test, feature = "testing"))]
mod authenticator;
#[cfg(all(test, feature = "testing"))]
mod passkey_tests;
#[cfg(all(test, feature = "testing"))]
mod tests;
