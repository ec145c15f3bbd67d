//! Running other programs: quietly, on the screen, or both.

use std::{
    env,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use crate::error::{Error, Result};

/// Runs a command on the screen.
pub fn run(command: &mut Command) -> Result<()> {
    if succeeds(command)? { Ok(()) } else { Err(Error::failed(line(command), "")) }
}

/// Runs a check on the screen: it may fail, but it must start.
pub fn succeeds(command: &mut Command) -> Result<bool> {
    let status = command.status().map_err(start(command))?;
    Ok(status.success())
}

/// Runs a command out of sight and returns its standard output, trimmed.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(start(command))?;
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(Error::Failed { what: line(command), output: text(&output.stderr), remedy: String::new() })
    }
}

/// Runs a command with everything it writes going to `log`; a failure shows the end of that
/// and says which package it was and what to do.
pub fn logged(command: &mut Command, log: &Path, what: &str, remedy: &str) -> Result<()> {
    let file = File::create(log).map_err(Error::file(log))?;
    let errors = file.try_clone().map_err(Error::file(log))?;
    let status = command.stdin(Stdio::null()).stdout(file).stderr(errors).status().map_err(start(command))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Failed {
        what: format!("{what} (all of it: {})", log.display()),
        output: last_lines(log, 20),
        remedy: remedy.to_owned(),
    })
}

/// Runs a command on the screen and keeps what it wrote, for counting afterwards.
pub fn tee(command: &mut Command) -> Result<(bool, String)> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(start(command))?;
    let errors = child.stderr.take();
    let errors = thread::spawn(move || echo(errors));
    let mut written = echo(child.stdout.take());
    written.push_str(&errors.join().unwrap_or_default());
    let status = child.wait().map_err(start(command))?;
    Ok((status.success(), written))
}

/// Where PATH finds a program.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}

/// Whether this process is root, who alone can install Debian packages.
pub fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id == "0")
}

fn echo(stream: Option<impl std::io::Read>) -> String {
    let mut written = String::new();
    let Some(stream) = stream else { return written };
    for line in BufReader::new(stream).lines().map_while(|line| line.ok()) {
        println!("{line}");
        written.push_str(&line);
        written.push('\n');
    }
    written
}

fn start(command: &Command) -> impl FnOnce(std::io::Error) -> Error + use<> {
    let program = command.get_program().to_string_lossy().into_owned();
    move |source| Error::Start { program, source }
}

fn line(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

/// The end of a file, as far as there is one.
pub fn last_lines(path: &Path, count: usize) -> String {
    let written = fs::read(path).map(|bytes| text(&bytes)).unwrap_or_default();
    let lines: Vec<_> = written.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}
