//! The one tool of this repository: `cargo xtask` sets up a bare machine, builds, runs and checks.

mod advisories;
mod apt;
mod bench;
mod checks;
mod count;
mod drill;
mod error;
mod figures;
mod http;
mod installation;
mod json;
mod postgres;
mod prepare;
mod process;
mod product;
mod project;
mod screenshots;
mod setup;
mod test;
mod toolchain;

use std::process::ExitCode;

use error::{Error, Result};
use setup::{Scope, setup};

/// One sub-command. Another is one more line in `COMMANDS`.
struct Command {
    name: &'static str,
    arguments: &'static str,
    what: &'static str,
    run: fn(&[&str]) -> Result<()>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "setup",
        arguments: "[--test]",
        what: "everything needed to build (with --test: to check, too)",
        run: set_up,
    },
    Command { name: "run", arguments: "[-- ARGUMENTS]", what: "set up, build what has changed, start the server", run },
    Command {
        name: "build",
        arguments: "",
        what: "set up, release build: target/release/send0 and target/site",
        run: build,
    },
    Command {
        name: "dev",
        arguments: "",
        what: "set up, then build and start again whenever a file changes",
        run: dev,
    },
    Command {
        name: "test",
        arguments: "[--only STEP]…",
        what: "set up, then every check that CI runs",
        run: test::test,
    },
    Command {
        name: "drill",
        arguments: "kill|load [--seconds N]",
        what: "calls that never stop, kills in between; is everything in the audit log?",
        run: drill::drill,
    },
    Command {
        name: "bench",
        arguments: "",
        what: "release build, then figures: key checks, the audit log with a million events, bytes",
        run: bench::bench,
    },
    Command {
        name: "screenshots",
        arguments: "",
        what: "set up, build, then every page into docs/screenshots",
        run: screenshots::screenshots,
    },
    Command {
        name: "prepare",
        arguments: "",
        what: "after a change to SQL: asks a migrated PostgreSQL about every query, for .sqlx",
        run: prepare::prepare,
    },
    Command {
        name: "env",
        arguments: "",
        what: "for eval \"$(cargo xtask env)\": the environment to call cargo oneself",
        run: env,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::Checks) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[&str]) -> Result<()> {
    let Some((name, rest)) = arguments.split_first() else {
        return Err(Error::Usage(usage()));
    };
    match COMMANDS.iter().find(|command| command.name == *name) {
        Some(command) => (command.run)(rest),
        None => Err(Error::Usage(format!("there is no {name}\n{}", usage()))),
    }
}

fn usage() -> String {
    let line = |command: &Command| {
        let call = format!("{} {}", command.name, command.arguments);
        format!("\n  cargo xtask {call:22} {}", command.what)
    };
    COMMANDS.iter().map(line).collect()
}

fn set_up(arguments: &[&str]) -> Result<()> {
    match arguments {
        [] => setup(Scope::Build).map(drop),
        ["--test"] => setup(Scope::Tests).map(drop),
        _ => Err(Error::Usage(usage())),
    }
}

fn run(arguments: &[&str]) -> Result<()> {
    let project = setup(Scope::Build)?;
    product::build_release(&project)?;
    product::serve(&project, arguments.strip_prefix(&["--"]).unwrap_or(arguments))
}

fn build(_: &[&str]) -> Result<()> {
    product::build_release(&setup(Scope::Build)?)
}

fn dev(_: &[&str]) -> Result<()> {
    product::watch(&setup(Scope::Build)?)
}

fn env(_: &[&str]) -> Result<()> {
    for (name, value) in setup::found().variables() {
        println!("export {name}='{}'", value.to_string_lossy().replace('\'', r"'\''"));
    }
    Ok(())
}
