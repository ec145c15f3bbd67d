//! The user that PostgreSQL runs as. It refuses to run as root, so root has it run by somebody with fewer rights.

use super::PostgresError;
use rustix::process::{getegid, geteuid};
use std::{
    env,
    ffi::OsStr,
    fs::{self, Permissions},
    io,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, lchown},
        process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
};

/// Who runs PostgreSQL's programs.
#[derive(Clone, Debug)]
pub(super) struct ServerUser {
    pub uid: u32,
    gid: u32,
    /// Root starts the programs, and they run as somebody else.
    switched: bool,
    /// `setpriv` is there to end them when send0 dies.
    dies_with_us: bool,
}

/// By convention nobody's, also where no account says so.
const NOBODY: u32 = 65534;

impl ServerUser {
    /// Ourselves; for root, the owner of the cluster, or else `postgres` or `nobody`.
    pub fn of(cluster: &Path) -> Result<Self, PostgresError> {
        let mut user = if geteuid().is_root() { Self::unprivileged(cluster) } else { Self::ourselves() };
        user.may_start_programs()?;
        user.dies_with_us = user.succeeds(Command::new("setpriv").args(["--pdeathsig", "INT", "true"]));
        Ok(user)
    }

    fn ourselves() -> Self {
        Self { uid: geteuid().as_raw(), gid: getegid().as_raw(), switched: false, dies_with_us: false }
    }

    fn unprivileged(cluster: &Path) -> Self {
        let owner = fs::metadata(cluster).ok().filter(|cluster| cluster.uid() != 0);
        let (uid, gid) = match owner {
            Some(owner) => (owner.uid(), owner.gid()),
            None => account("postgres").or_else(|| account("nobody")).unwrap_or((NOBODY, NOBODY)),
        };
        Self { uid, gid, switched: true, dies_with_us: false }
    }

    fn may_start_programs(&self) -> Result<(), PostgresError> {
        let started = self.adapt(&mut Command::new("true")).status();
        started.map(drop).map_err(|source| PostgresError::CannotBecome { user: self.to_string(), source })
    }

    /// A program that runs as this user, knows nothing of our environment, does not hear the terminal's Ctrl-C, and
    /// gets SIGINT if send0 dies.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(if self.dies_with_us { OsStr::new("setpriv") } else { program.as_ref() });
        if self.dies_with_us {
            command.args(["--pdeathsig", "INT", "--"]).arg(program);
        }
        self.adapt(&mut command);
        command
    }

    fn adapt<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default()).env("LC_ALL", "C").env("TZ", "UTC");
        command.current_dir("/").process_group(0).stdin(Stdio::null());
        if self.switched {
            // As root, the standard library drops the supplementary groups along with the user.
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    fn succeeds(&self, command: &mut Command) -> bool {
        let status = self.adapt(command).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }

    /// Makes sure that this user gets to the data directory, which is ours to open; what lies around it is not.
    pub fn let_into(&self, data_dir: &Path) -> Result<(), PostgresError> {
        if self.can_enter(data_dir) {
            return Ok(());
        }
        let_others_through(data_dir).map_err(PostgresError::io("open to PostgreSQL", data_dir))?;
        let mut from_the_root: Vec<_> = data_dir.ancestors().collect();
        from_the_root.reverse();
        match from_the_root.into_iter().find(|ancestor| !self.can_enter(ancestor)) {
            Some(closed) => Err(PostgresError::OutOfReach { user: self.to_string(), closed: closed.to_owned() }),
            None => Ok(()),
        }
    }

    fn can_enter(&self, directory: &Path) -> bool {
        // The standard library switches the user before the directory.
        let entered = self.adapt(&mut Command::new("true")).current_dir(directory).status();
        entered.is_ok_and(|status| status.success())
    }

    /// Gives a file or directory to this user.
    pub fn own(&self, path: &Path) -> io::Result<()> {
        if self.switched { lchown(path, Some(self.uid), Some(self.gid)) } else { Ok(()) }
    }

    /// Gives a directory with all that is in it to this user, if it is root's: a backup that root restored.
    pub fn own_all_of_root(&self, path: &Path) -> io::Result<()> {
        let found = fs::symlink_metadata(path)?;
        if !self.switched || found.uid() != 0 {
            return Ok(());
        }
        if found.is_dir() {
            for entry in fs::read_dir(path)? {
                self.own_all_of_root(&entry?.path())?;
            }
        }
        self.own(path)
    }
}

fn let_others_through(directory: &Path) -> io::Result<()> {
    let mode = fs::metadata(directory)?.mode();
    fs::set_permissions(directory, Permissions::from_mode(mode | 0o001))
}

impl std::fmt::Display for ServerUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match accounts().into_iter().find(|account| account.uid == self.uid) {
            Some(account) => write!(f, "user {}", account.name),
            None => write!(f, "user {}", self.uid),
        }
    }
}

struct Account {
    name: String,
    uid: u32,
    gid: u32,
}

fn account(name: &str) -> Option<(u32, u32)> {
    accounts().into_iter().find(|account| account.name == name).map(|account| (account.uid, account.gid))
}

/// Anybody but root who has a name.
pub(super) fn somebody_with_a_name() -> Option<u32> {
    accounts().into_iter().map(|account| account.uid).find(|uid| *uid != 0)
}

fn accounts() -> Vec<Account> {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    passwd.lines().filter_map(parse_account).collect()
}

/// `postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash`
fn parse_account(line: &str) -> Option<Account> {
    let mut fields = line.split(':');
    let (name, _password) = (fields.next()?.to_owned(), fields.next()?);
    Some(Account { name, uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
}
