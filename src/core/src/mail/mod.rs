//! Mail on its way out, written in the transaction of what it tells. Sealed: it holds links that let somebody in.
//!
//! With a relay, a row waits until the relay has taken it; without one, the local mailbox has it at once.

mod model;
pub use model::*;

pub(crate) mod notices;
pub mod operations;
mod queries;
mod relay;
mod render;
pub use relay::{DeliveryError, Relay, RelayAddress, RelayError};
pub use render::{BUTTON, FOOT};

#[cfg(all(test, feature = "testing"))]
pub(crate) mod tests;
