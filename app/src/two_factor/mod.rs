//! Second factors: enrolling them, signing in with them, proving once more that it is you.

#[cfg(feature = "ssr")]
pub mod enrolment;
#[cfg(feature = "ssr")]
pub mod proof;
#[cfg(feature = "ssr")]
pub mod security;
pub mod server_fns;
