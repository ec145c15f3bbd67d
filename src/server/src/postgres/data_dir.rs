//! The data directory: what lies where, and who has it.

use super::{PORT, PostgresError, user::ServerUser};
use rustix::process::geteuid;
use std::{
    env,
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// Where the data lie unless the command line says otherwise: `$SEND0_DATA`; for root `/var/lib/send0`; for others
/// `$XDG_DATA_HOME/send0` or `~/.local/share/send0`, and `./send0-data` for who has no home.
pub fn default_data_dir() -> PathBuf {
    default_for(|name| env::var_os(name), geteuid().is_root())
}

fn default_for(variable: impl Fn(&str) -> Option<OsString>, root: bool) -> PathBuf {
    let path = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let shared = || path("XDG_DATA_HOME").filter(|path| path.is_absolute());
    let home = || path("HOME").map(|home| home.join(".local/share"));
    match path("SEND0_DATA") {
        Some(chosen) => chosen,
        None if root => PathBuf::from("/var/lib/send0"),
        None => shared().or_else(home).map_or_else(|| PathBuf::from("send0-data"), |base| base.join("send0")),
    }
}

/// A data directory that exists.
#[derive(Clone, Debug)]
pub(super) struct DataDir(PathBuf);

/// A claim on the directory; the kernel takes it back when the process that holds it ends.
pub(super) struct Lock(File);

/// A socket's path may have 107 bytes; a few are kept in reserve.
const LONGEST_SOCKET_PATH: usize = 100;

impl DataDir {
    /// Makes the directory if it is new, closed to everybody else.
    pub fn at(path: &Path) -> Result<Self, PostgresError> {
        let make = || {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            make_private_dir(path)?;
            path.canonicalize()
        };
        make().map(Self).map_err(PostgresError::io("make the directory", path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn cluster(&self) -> PathBuf {
        self.0.join("postgres")
    }

    pub fn logins(&self) -> PathBuf {
        self.0.join("logins.json")
    }

    pub fn log(&self) -> PathBuf {
        self.0.join("postgres.log")
    }

    fn lock_file(&self) -> PathBuf {
        self.0.join("send0.lock")
    }

    /// `run/`, or a directory under `/tmp` if PostgreSQL could not have a socket there.
    pub fn socket_dir(&self) -> PathBuf {
        let beside = self.0.join("run");
        let fits = |path: &str| socket_in(path).len() <= LONGEST_SOCKET_PATH && !path.contains([',', '"']);
        if beside.to_str().is_some_and(fits) {
            return beside;
        }
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        PathBuf::from(format!("/tmp/send0-{:016x}", hasher.finish()))
    }

    /// Makes the socket's directory, which nobody but the server's user may have made before.
    pub fn make_socket_dir(&self, user: &ServerUser) -> Result<PathBuf, PostgresError> {
        let path = self.socket_dir();
        let failed = PostgresError::io("make the directory", &path);
        let make = || {
            make_private_dir(&path)?;
            let found = fs::symlink_metadata(&path)?;
            let ours = [user.uid, geteuid().as_raw()].contains(&found.uid());
            let private = found.is_dir() && found.mode() & 0o077 == 0;
            if ours && private { user.own(&path).map(|()| true) } else { Ok(false) }
        };
        match make().map_err(failed)? {
            true => Ok(path),
            false => Err(PostgresError::SocketDirTaken { path, user: user.to_string() }),
        }
    }

    /// The major version that made the cluster; `None` if there is no cluster.
    pub fn made_by(&self) -> Result<Option<String>, PostgresError> {
        let cluster = self.cluster();
        if !cluster.exists() {
            return Ok(None);
        }
        let path = cluster.join("PG_VERSION");
        let version = fs::read_to_string(&path).map_err(PostgresError::io("read", &path))?;
        Ok(Some(version.trim().to_owned()))
    }

    /// The right to run the server; `None` if another process has it.
    pub fn try_lock(&self) -> Result<Option<Lock>, PostgresError> {
        let lock = try_lock(&self.lock_file(), File::try_lock)?;
        lock.map(|lock| self.sign(lock)).transpose()
    }

    /// The promise that the server will not be stopped; `None` if it is about to be. Many may have it.
    pub fn try_join(&self) -> Result<Option<Lock>, PostgresError> {
        try_lock(&self.0.join("guests.lock"), File::try_lock_shared)
    }

    /// The right to stop the server; `None` if somebody has joined it.
    pub fn try_close(&self) -> Result<Option<Lock>, PostgresError> {
        try_lock(&self.0.join("guests.lock"), File::try_lock)
    }

    fn sign(&self, mut lock: Lock) -> Result<Lock, PostgresError> {
        let sign = |file: &mut File| {
            file.set_len(0)?;
            writeln!(file, "{}", std::process::id())
        };
        sign(&mut lock.0).map_err(PostgresError::io("write", &self.lock_file()))?;
        Ok(lock)
    }

    pub fn in_use(&self) -> PostgresError {
        PostgresError::InUse { data_dir: self.0.clone(), by: self.holder() }
    }

    pub fn not_answering(&self, why: impl ToString) -> PostgresError {
        PostgresError::NotAnswering { data_dir: self.0.clone(), by: self.holder(), why: why.to_string() }
    }

    fn holder(&self) -> String {
        match fs::read_to_string(self.lock_file()) {
            Ok(pid) if !pid.is_empty() => format!("process {}", pid.trim()),
            _ => "another process".to_owned(),
        }
    }
}

/// The path of the socket, and, with `.lock` appended, of the file that reserves it.
pub(super) fn socket_in(directory: &str) -> String {
    format!("{directory}/.s.PGSQL.{PORT}")
}

fn try_lock(path: &Path, how: fn(&File) -> Result<(), TryLockError>) -> Result<Option<Lock>, PostgresError> {
    let failed = PostgresError::io("lock", path);
    let file = match OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path) {
        Ok(file) => file,
        Err(error) => return Err(failed(error)),
    };
    match how(&file) {
        Ok(()) => Ok(Some(Lock(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn make_private_dir(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn default_with(variables: &[(&str, &str)], root: bool) -> PathBuf {
        default_for(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| value.into()), root)
    }

    #[test]
    fn the_default_follows_the_environment() {
        let home = ("HOME", "/home/ada");
        assert_eq!(default_with(&[("SEND0_DATA", "/srv/x"), home], true), Path::new("/srv/x"));
        assert_eq!(default_with(&[home], true), Path::new("/var/lib/send0"));
        assert_eq!(default_with(&[home], false), Path::new("/home/ada/.local/share/send0"));
        assert_eq!(default_with(&[home, ("XDG_DATA_HOME", "/d")], false), Path::new("/d/send0"));
        assert_eq!(default_with(&[home, ("XDG_DATA_HOME", "d")], false), Path::new("/home/ada/.local/share/send0"));
        assert_eq!(default_with(&[], false), Path::new("send0-data"));
    }

    #[test]
    fn the_socket_lies_beside_the_data_unless_it_cannot() {
        assert_eq!(DataDir("/var/lib/send0".into()).socket_dir(), Path::new("/var/lib/send0/run"));
        for awkward in [format!("/{}", "x".repeat(90)), "/a,b".to_owned()] {
            assert!(DataDir(awkward.into()).socket_dir().starts_with("/tmp"));
        }
    }
}
