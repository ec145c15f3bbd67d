//! `send0-verify`: see `send0-verify --help` and docs/operating.md.

use clap::Parser;
use send0_verify::{Checkpoints, Finding, NotCheckpoints, Report, note::Verifier};
use serde::Serialize;
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Large enough for few calls, small enough to stay in the cache of a core.
const BUFFER: usize = 1 << 17;

/// Checks an export of an audit log offline: that it is complete and unchanged, or what is wrong first.
///
/// Exit 0: it is. Exit 1: it is not. Exit 2: wrong usage, or a file that cannot be read.
#[derive(Parser)]
#[command(name = "send0-verify", version)]
struct Arguments {
    /// The export, lines of JSON; `-` for standard input
    export: PathBuf,
    /// A signed checkpoint, or the server's file of checkpoints
    #[arg(long, value_name = "FILE")]
    checkpoint: PathBuf,
    /// Public keys, one a line
    #[arg(long, value_name = "FILE")]
    public_key: PathBuf,
    /// Leave out checkpoints of more events than this, for an export that is older than they are
    #[arg(long, value_name = "SIZE")]
    until: Option<u64>,
    /// One line of JSON
    #[arg(long)]
    json: bool,
}

/// What was handed over cannot be used.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("{0:?}: {1}")]
    File(PathBuf, io::Error),
    #[error("{0:?}: {1}")]
    Checkpoints(PathBuf, NotCheckpoints),
    #[error("{0:?}: line {1} is not a public key")]
    Key(PathBuf, usize),
    #[error("{0:?}: no public key")]
    NoKey(PathBuf),
    #[error("the answer could not be written: {0}")]
    Output(#[from] io::Error),
}

/// For programs.
#[derive(Serialize)]
struct Answer<T> {
    ok: bool,
    #[serde(flatten)]
    what: T,
}

fn main() -> ExitCode {
    run(&Arguments::parse()).unwrap_or_else(|error| {
        eprintln!("send0-verify: {error}");
        ExitCode::from(2)
    })
}

fn run(arguments: &Arguments) -> Result<ExitCode, Unusable> {
    let verifiers = keys(&arguments.public_key)?;
    let path = &arguments.checkpoint;
    let checkpoints = Checkpoints::read(BufReader::new(open(path)?));
    let checkpoints = checkpoints.map_err(|error| Unusable::Checkpoints(path.clone(), error))?;
    let checkpoints = arguments.until.iter().fold(checkpoints, |checkpoints, size| checkpoints.until(*size));
    let export: Box<dyn BufRead> = match arguments.export.as_os_str() == "-" {
        true => Box::new(BufReader::with_capacity(BUFFER, io::stdin())),
        false => Box::new(BufReader::with_capacity(BUFFER, open(&arguments.export)?)),
    };
    Ok(answer(send0_verify::verify(export, &checkpoints, &verifiers), arguments.json)?)
}

fn answer(result: Result<Report, Finding>, json: bool) -> io::Result<ExitCode> {
    let line = match (&result, json) {
        (Ok(report), false) => report.to_string(),
        (Err(finding), false) => finding.to_string(),
        (Ok(report), true) => serde_json::to_string(&Answer { ok: true, what: report })?,
        (Err(finding), true) => serde_json::to_string(&Answer { ok: false, what: finding })?,
    };
    writeln!(io::stdout(), "{line}")?;
    Ok(match result {
        Ok(_) => ExitCode::SUCCESS,
        Err(finding) if finding.kind.is_judgement() => ExitCode::from(1),
        Err(_) => ExitCode::from(2),
    })
}

fn open(path: &Path) -> Result<File, Unusable> {
    File::open(path).map_err(|error| Unusable::File(path.to_owned(), error))
}

/// One key a line; empty lines and those that begin with `#` say nothing.
fn keys(path: &Path) -> Result<Vec<Verifier>, Unusable> {
    let text = fs::read_to_string(path).map_err(|error| Unusable::File(path.to_owned(), error))?;
    let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let keys: Vec<Verifier> = lines
        .map(|(at, line)| line.parse().map_err(|_| Unusable::Key(path.to_owned(), at + 1)))
        .collect::<Result<_, _>>()?;
    if keys.is_empty() { Err(Unusable::NoKey(path.to_owned())) } else { Ok(keys) }
}
