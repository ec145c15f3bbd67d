//! Streams: the audit log on its way to a system of the customer's own, in order, each event at least once.
//!
//! A stream remembers the first event that its target has not yet said it has, and moves on only after it has. What fails is
//! tried again without end, an hour apart at most; nothing that is kept is left out, and what comes later waits. What was removed from
//! the log before it was sent is not counted as sent, and the log says so.

mod batch;
mod delivery;
mod model;
pub mod operations;
mod parcel;
mod queries;
mod signing;
mod syslog;
pub use {
    delivery::{deliver_due, run},
    model::*,
};

#[cfg(all(test, feature = "testing"))]
mod tests;
