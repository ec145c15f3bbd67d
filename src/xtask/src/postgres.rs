//! A PostgreSQL of our own: thrown away afterwards, so it may be fast instead of safe.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio, id},
    thread,
    time::{Duration, Instant},
};

use crate::{
    error::{Error, Result},
    process, setup,
};

/// Lives in its own process group, out of reach of Ctrl-C, and waits for its input to end, which
/// happens however we end: so the server stops and its folder goes even when `xtask` is killed.
const KEEPER: &str = r#"
"$0" -D "$1/data" -k "$1" -c listen_addresses= -c max_connections=400 -c shared_buffers=256MB \
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off >"$1/log" 2>&1 &
read -r _
kill -INT $!; wait
rm -rf "$1"
"#;

const PATIENCE: Duration = Duration::from_secs(60);

/// A running throw-away server. Dropping it stops it and removes its data.
#[derive(Debug)]
pub struct Postgres {
    keeper: Child,
    folder: PathBuf,
}

impl Postgres {
    /// Starts an empty server that listens on a socket only.
    pub fn start() -> Result<Self> {
        let programs = setup::postgres_programs()
            .ok_or_else(|| Error::failed("finding PostgreSQL", "run `cargo xtask setup`, or put initdb on PATH"))?;
        // Not TMPDIR: a socket's path has room for 100 bytes, and another user must get there.
        let folder = PathBuf::from(format!("/tmp/send0-postgres-{}", id()));
        let user = User::unprivileged()?;
        user.create(&folder)?;
        user.initialise(&programs, &folder)?;
        let keeper = user
            .command("sh", &folder)
            .args(["-c", KEEPER])
            .arg(programs.join("postgres"))
            .arg(&folder)
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(Error::file("sh"))?;
        let server = Self { keeper, folder };
        server.wait_until_ready(&programs)?;
        Ok(server)
    }

    /// Where tests connect, as superuser.
    pub fn url(&self) -> String {
        format!("postgres://postgres@localhost/postgres?host={}", self.folder.display())
    }

    fn wait_until_ready(&self, programs: &Path) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let mut ready = Command::new(programs.join("pg_isready"));
            if process::output(ready.arg("-q").arg("-h").arg(&self.folder)).is_ok() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err(Error::Failed {
            what: "starting PostgreSQL".to_owned(),
            output: fs::read_to_string(self.folder.join("log")).unwrap_or_default(),
            remedy: "see what it wrote above".to_owned(),
        })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // Nobody is left to be told; the keeper cleans up by itself.
        let _ = self.keeper.wait();
    }
}

/// Who runs the server, as initdb and postgres refuse to be root.
enum User {
    Ourselves,
    Other { uid: u32, gid: u32 },
}

impl User {
    fn unprivileged() -> Result<Self> {
        if !process::is_root() {
            return Ok(Self::Ourselves);
        }
        let number = |flag: &str, name: &str| -> Option<u32> {
            process::output(Command::new("id").args([flag, name])).ok()?.parse().ok()
        };
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| {
                let (uid, gid) = (number("-u", name)?, number("-g", name)?);
                Some(Self::Other { uid, gid })
            })
            .ok_or_else(|| {
                Error::failed(
                    "finding an unprivileged user for PostgreSQL",
                    "add one with `useradd --system postgres`, or do not run this as root",
                )
            })
    }

    fn create(&self, folder: &Path) -> Result<()> {
        fs::create_dir(folder).map_err(Error::file(folder))?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(Error::file(folder))?;
        match *self {
            Self::Ourselves => Ok(()),
            Self::Other { uid, gid } => chown(folder, Some(uid), Some(gid)).map_err(Error::file(folder)),
        }
    }

    fn initialise(&self, programs: &Path, folder: &Path) -> Result<()> {
        let mut initdb = self.command(programs.join("initdb"), folder);
        initdb
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"])
            .arg("--pgdata")
            .arg(folder.join("data"));
        process::output(&mut initdb).map(drop)
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder);
        if let Self::Other { uid, gid } = *self {
            command.uid(uid).gid(gid);
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_server_leaves_nothing_behind() -> Result<()> {
        let server = Postgres::start()?;
        let folder = server.folder.clone();
        let question = "select current_user, current_setting('fsync')";
        let mut psql = Command::new("psql");
        let answer = process::output(psql.args(["-At", "-c", question, &server.url()]))?;
        assert_eq!(answer, "postgres|off");
        drop(server);
        assert!(!folder.exists());
        Ok(())
    }
}
