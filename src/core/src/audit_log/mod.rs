//! The audit log: every API call, every change, every refusal, in order and without gaps.

mod model;
mod query;
pub use {model::*, query::*};

#[cfg(feature = "server")]
pub mod export;
#[cfg(feature = "server")]
mod export_queries;
#[cfg(feature = "server")]
pub mod exports;
#[cfg(feature = "server")]
mod facets;
#[cfg(feature = "server")]
mod formats;
#[cfg(feature = "server")]
pub mod index;
#[cfg(feature = "server")]
pub mod operations;
#[cfg(feature = "server")]
mod queries;
#[cfg(feature = "server")]
mod recent;
#[cfg(feature = "server")]
mod record;
#[cfg(feature = "server")]
pub mod schema;
#[cfg(feature = "server")]
mod search;
#[cfg(feature = "server")]
pub mod views;
#[cfg(feature = "server")]
mod writer;
#[cfg(feature = "server")]
pub(crate) use formats::visible_json;
#[cfg(feature = "server")]
pub(crate) use queries::after;
#[cfg(feature = "server")]
pub(crate) use recent::Recent;
#[cfg(feature = "server")]
pub(crate) use record::Stated;
#[cfg(feature = "server")]
pub use {
    facets::{Bucket, COUNTED_MAX, Counted, Facet, Facets},
    record::Event,
    record::Record,
    writer::Writer,
};

#[cfg(all(test, feature = "testing"))]
mod export_tests;
#[cfg(all(test, feature = "testing"))]
mod exports_tests;
#[cfg(all(test, feature = "testing"))]
mod search_tests;
#[cfg(all(test, feature = "testing"))]
mod tests;
