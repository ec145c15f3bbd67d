//! The local mailbox: where mail ends up as long as no relay is configured.

pub mod page;
