//! The server over HTTP: through its real router, on a real database, as the real roles.

mod allowlist;
mod api;
mod audit_log;
mod contacts;
mod csrf;
mod documents;
mod exports;
mod forms;
mod harness;
mod headers;
mod inventory;
mod matrix;
mod program;
mod proofs;
mod public;
mod second_factor;
mod setup;
mod team;
