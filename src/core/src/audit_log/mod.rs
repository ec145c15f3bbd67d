//! The audit log: every API call, every change, every refusal, in order and without gaps.

mod model;
pub use model::*;

#[cfg(feature = "server")]
pub mod operations;
#[cfg(feature = "server")]
mod queries;
#[cfg(feature = "server")]
mod record;
#[cfg(feature = "server")]
mod writer;
#[cfg(feature = "server")]
pub(crate) use queries::after;
#[cfg(feature = "server")]
pub(crate) use record::Stated;
#[cfg(feature = "server")]
pub use {record::Event, record::Record, writer::Writer};

#[cfg(all(test, feature = "testing"))]
mod tests;
