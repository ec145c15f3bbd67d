//! Mail on its way out, written in the transaction of what it tells. Sealed: it holds links that let somebody in.

mod model;
pub use model::*;

pub mod operations;
mod queries;
