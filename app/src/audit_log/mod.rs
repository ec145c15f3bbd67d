//! The audit log: the list with its filters, and one event.

pub mod page;
mod sentence;
