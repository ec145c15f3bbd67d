//! Visitors who want to be told of changes of subprocessors, by mail: asked twice, and gone with one click (RFC 8058).

pub mod operations;
mod queries;

#[cfg(all(test, feature = "testing"))]
mod tests;
