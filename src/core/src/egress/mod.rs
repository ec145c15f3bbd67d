//! The one door out. Whatever leaves for an address that a customer typed leaves through here: over TLS, to addresses on the
//! public internet only, at the address that was looked at, within limits of time and size.
//!
//! A name is resolved once for each connection, and every address it has must be allowed. The connection is made to one of
//! these addresses, so that a name that leads elsewhere a moment later (DNS rebinding) leads nowhere. No redirect is followed,
//! no proxy is asked, no connection is used twice (ASVS 1.3.6 and 15.3.2).

mod address;
mod connection;
mod destination;
mod exchange;
pub use {
    address::is_public,
    connection::{Egress, EgressError, Resolve, TlsFault, Trust, TrustError, Wire},
    destination::{Destination, DestinationError, WebAddress},
    exchange::{Answer, EXCERPT_MAX, Outgoing},
};

#[cfg(test)]
pub(crate) mod servers;
#[cfg(test)]
mod tests;
