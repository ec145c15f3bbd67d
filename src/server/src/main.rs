//! `send0`: see `send0 --help` and docs/operating.md.

use clap::Parser;
use send0_server::command::Command;
use std::process::ExitCode;

/// The C library's took a quarter of the time of a call to the API.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    Command::parse().run()
}
