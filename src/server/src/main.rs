//! `send0`: see `send0 --help` and docs/operating.md.

use clap::Parser;
use send0_server::command::Command;
use std::process::ExitCode;

fn main() -> ExitCode {
    Command::parse().run()
}
