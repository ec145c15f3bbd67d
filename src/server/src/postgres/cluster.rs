//! A cluster that is ready to be started.

use super::{
    Login, PORT, PostgresError,
    binaries::Binaries,
    data_dir::{DataDir, Lock, socket_in},
    logins::{Passwords, create_private},
    pid_file::{postmaster_of, remove_if_mistaken},
    user::{ServerUser, somebody_with_a_name},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// All that it takes to start the server.
pub(super) struct Cluster {
    data: DataDir,
    user: ServerUser,
    binaries: Binaries,
    pub passwords: Passwords,
    pub socket_dir: PathBuf,
}

/// The log starts anew, and the one before is kept, when the server starts and finds it this long.
const LONGEST_LOG: u64 = 10 << 20;
/// How much of the log goes into an error message.
const LAST_WORDS: usize = 2_000;

impl Cluster {
    /// Finds the binaries and makes whatever is missing. Blocks.
    pub fn prepare(data: DataDir) -> Result<Self, PostgresError> {
        let (directory, made_by) = (data.cluster(), data.made_by()?);
        let user = ServerUser::of(&directory)?;
        user.let_into(data.path())?;
        let binaries = Binaries::choose(Binaries::installed(&user), made_by.clone(), &directory)?;
        let mut cluster = Self { passwords: Passwords::default(), socket_dir: PathBuf::new(), data, user, binaries };
        cluster.passwords = cluster.read_or_make_passwords(made_by.is_none())?;
        match made_by {
            None => cluster.make()?,
            Some(_) => cluster.user.own_all_of_root(&directory).map_err(PostgresError::io("hand over", &directory))?,
        }
        cluster.socket_dir = cluster.data.make_socket_dir(&cluster.user)?;
        cluster.rotate_log()?;
        Ok(cluster)
    }

    fn read_or_make_passwords(&self, is_new: bool) -> Result<Passwords, PostgresError> {
        let path = self.data.logins();
        let mut passwords = match Passwords::read(&path) {
            Err(PostgresError::PasswordsLost { .. }) if is_new => Passwords::default(),
            read => read?,
        };
        passwords.complete(&path)?;
        Ok(passwords)
    }

    /// Makes the cluster under another name first, so that one cut short is never taken for a whole one.
    fn make(&self) -> Result<(), PostgresError> {
        tracing::info!(version = self.binaries.major, directory = %self.data.path().display(), "making a new database");
        let (cluster, unfinished) = (self.data.cluster(), self.data.path().join("postgres.new"));
        let password_file = self.data.path().join("superuser.password");
        self.clear_room(&unfinished, &password_file).map_err(PostgresError::io("prepare", &unfinished))?;
        let made = self.initdb(&unfinished, &password_file);
        fs::remove_file(&password_file).map_err(PostgresError::io("remove", &password_file))?;
        made?;
        let settle = || {
            fs::rename(&unfinished, &cluster)?;
            File::open(self.data.path())?.sync_all()
        };
        settle().map_err(PostgresError::io("make", &cluster))
    }

    fn clear_room(&self, unfinished: &Path, password_file: &Path) -> io::Result<()> {
        if unfinished.exists() {
            fs::remove_dir_all(unfinished)?;
        }
        fs::create_dir(unfinished)?;
        self.user.own(unfinished)?;
        writeln!(create_private(password_file)?, "{}", self.passwords.of(Login::Superuser))?;
        self.user.own(password_file)
    }

    fn initdb(&self, directory: &Path, password_file: &Path) -> Result<(), PostgresError> {
        let arguments = [
            option("--pgdata=", directory),
            option("--pwfile=", password_file),
            option("--username=", Login::Superuser.role()),
        ];
        let program = self.binaries.initdb();
        let run = |command: &mut Command| command.args(&arguments).args(INITDB).output();
        let mut done = run(&mut self.user.command(&program)).map_err(PostgresError::io("run", &program))?;
        if says(&done, "could not look up effective user ID") {
            done = run(&mut self.under_a_name(&program)?).map_err(|_| self.nameless())?;
        }
        match done.status.success() {
            true => Ok(()),
            false if says(&done, "unshare:") => Err(self.nameless()),
            false => Err(PostgresError::NotMade { cluster: self.data.cluster(), said: said(&done) }),
        }
    }

    fn nameless(&self) -> PostgresError {
        PostgresError::NoUserName { uid: self.user.uid }
    }

    /// A program that thinks its user has a name, which `initdb` insists on, though it does not matter afterwards.
    fn under_a_name(&self, program: &Path) -> Result<Command, PostgresError> {
        let name = somebody_with_a_name().ok_or_else(|| self.nameless())?;
        let mut command = self.user.command("unshare");
        command.args(["--user", &format!("--map-user={name}")]).arg(program);
        Ok(command)
    }

    /// The command that serves this cluster in the foreground.
    pub fn server(&self) -> Result<Command, PostgresError> {
        let path = self.data.log();
        let open = || {
            let log = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
            Ok((log.try_clone()?, log))
        };
        let (stdout, stderr) = open().map_err(PostgresError::io("open", &path))?;
        let mut command = self.user.command(self.binaries.postgres());
        command.arg("-D").arg(self.data.cluster()).stdout(stdout).stderr(stderr);
        let socket_dir = option("unix_socket_directories=", &self.socket_dir);
        for setting in [socket_dir, format!("port={PORT}").into()].into_iter().chain(SETTINGS.map(OsString::from)) {
            command.arg("-c").arg(setting);
        }
        Ok(command)
    }

    pub fn directory(&self) -> PathBuf {
        self.data.cluster()
    }

    pub fn log(&self) -> PathBuf {
        self.data.log()
    }

    /// As [`DataDir::try_close`].
    pub fn try_close(&self) -> Result<Option<Lock>, PostgresError> {
        self.data.try_close()
    }

    /// Tells a server that an earlier run left behind to stop. `None` when there is none.
    pub fn interrupt_orphan(&self) -> Option<Pid> {
        let orphan = postmaster_of(&self.data.cluster())?;
        // It may just have ended by itself.
        let _ = kill_process(orphan, Signal::INT);
        Some(orphan)
    }

    /// Removes the files of an earlier run that name processes which have nothing to do with it.
    pub fn remove_mistaken_pid_files(&self) -> Result<(), PostgresError> {
        let cluster = self.data.cluster();
        remove_if_mistaken(&cluster.join("postmaster.pid"), &cluster)?;
        remove_if_mistaken(Path::new(&format!("{}.lock", socket_in(&self.socket_dir.to_string_lossy()))), &cluster)
    }

    /// Where the log ends now.
    pub fn log_end(&self) -> u64 {
        fs::metadata(self.data.log()).map_or(0, |log| log.len())
    }

    /// What the server has said since then: the end of it, if it is much.
    pub fn said_since(&self, start: u64) -> String {
        let read = || {
            let mut log = File::open(self.data.log())?;
            log.seek(SeekFrom::Start(start))?;
            let mut text = Vec::new();
            log.take(1 << 20).read_to_end(&mut text)?;
            io::Result::Ok(text)
        };
        let text = read().unwrap_or_default();
        let end = text.get(text.len().saturating_sub(LAST_WORDS)..).unwrap_or_default();
        String::from_utf8_lossy(end).trim().to_owned()
    }

    fn rotate_log(&self) -> Result<(), PostgresError> {
        let log = self.data.log();
        if self.log_end() < LONGEST_LOG {
            return Ok(());
        }
        fs::rename(&log, log.with_extension("log.1")).map_err(PostgresError::io("rename", &log))
    }
}

const INITDB: [&str; 6] = [
    "--auth-local=scram-sha-256",
    "--auth-host=reject",
    "--data-checksums",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--no-instructions",
];

/// Given on the command line, so that no file of the cluster can say otherwise. The log keeps neither statements nor
/// the values in them: they may be personal data. The last three keep the disk even: whatever is written in bursts, be it by a
/// checkpoint or by the kernel half a minute later, is what a call waits for until its event is durable. A new file of the write-ahead
/// log is still filled before it is used (`wal_init_zero`): without that, PostgreSQL did not come back from a full disk.
const SETTINGS: [&str; 7] = [
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
    "max_wal_size=2GB",
    "wal_compression=on",
    "backend_flush_after=256kB",
];

fn option(name: &str, value: impl Into<OsString>) -> OsString {
    let mut option = OsString::from(name);
    option.push(value.into());
    option
}

fn says(done: &Output, words: &str) -> bool {
    said(done).contains(words)
}

fn said(done: &Output) -> String {
    String::from_utf8_lossy(&done.stderr).trim().to_owned()
}
