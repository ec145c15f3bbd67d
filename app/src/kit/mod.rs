//! `/dev/kit`: every part of the component kit in every state, for whoever works on it.

mod data;
mod feedback;
mod fields;
pub mod page;
