//! The audit log: the list with its filters, and one event; of a workspace, and of the platform.

pub mod operator;
pub mod page;
mod proof;
mod sentence;
