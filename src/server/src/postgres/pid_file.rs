//! What PostgreSQL writes about itself, and whether it is still true.

use super::PostgresError;
use rustix::process::Pid;
use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// The content of `postmaster.pid`.
pub(super) struct PidFile {
    pub pid: i32,
    pub socket_dir: PathBuf,
    /// Takes connections.
    pub ready: bool,
}

impl PidFile {
    /// `None` when the server does not run, or has not got far enough to write all of it.
    pub fn of(cluster: &Path) -> Option<Self> {
        let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
        let line = |number: usize| text.lines().nth(number);
        let ready = line(7).is_some_and(|status| status.trim() == "ready");
        Some(Self { pid: line(0)?.parse().ok()?, socket_dir: line(4)?.into(), ready })
    }
}

/// The process that serves this cluster, if `postmaster.pid` is true.
pub(super) fn postmaster_of(cluster: &Path) -> Option<Pid> {
    let pid = first_line(&cluster.join("postmaster.pid"))?;
    (identify(pid, cluster) == Identity::ThisServer).then_some(pid)
}

/// Removes a file that names a process which is something else: since a crash or the restart of a container its number
/// has gone to somebody new. PostgreSQL sees only that there is such a process, and would refuse to start.
pub(super) fn remove_if_mistaken(path: &Path, cluster: &Path) -> Result<(), PostgresError> {
    let Some(pid) = first_line(path).filter(|pid| identify(*pid, cluster) == Identity::SomethingElse) else {
        return Ok(());
    };
    tracing::warn!(path = %path.display(), pid = pid.as_raw_nonzero(), "removing a stale file: that process is not PostgreSQL");
    fs::remove_file(path).map_err(PostgresError::io("remove", path))
}

/// The process that a pid file names. (Of a server in single-user mode, the number is negative.)
fn first_line(path: &Path) -> Option<Pid> {
    let text = fs::read_to_string(path).ok()?;
    let pid: u32 = text.lines().next()?.trim().parse().ok()?;
    Pid::from_raw(pid.try_into().ok()?)
}

#[derive(PartialEq)]
enum Identity {
    ThisServer,
    SomethingElse,
    /// Ended, a server that somebody else started, or on a system that does not show it: for PostgreSQL to judge.
    Unclear,
}

fn identify(pid: Pid, cluster: &Path) -> Identity {
    let Ok(command_line) = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())) else {
        return Identity::Unclear;
    };
    let arguments: Vec<_> = command_line.split(|byte| *byte == 0).map(OsStr::from_bytes).collect();
    let program = arguments.first().and_then(|program| Path::new(program).file_name());
    match program.is_some_and(|program| program == "postgres" || program == "postmaster") {
        true if arguments.contains(&cluster.as_os_str()) => Identity::ThisServer,
        true => Identity::Unclear,
        false => Identity::SomethingElse,
    }
}
