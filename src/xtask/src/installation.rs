//! An installation of the product for one run: started, killed and thrown away, driven as its users drive it.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio, id},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use crate::{
    error::{Error, Result},
    http::{Answer, Client, Request},
    json, process,
    project::Project,
    setup,
};

/// The owner's mail address.
pub const EMAIL: &str = "owner@example.com";
/// The owner's password.
pub const PASSWORD: &str = "drills and benches only 7341";

const ANNOUNCEMENT: &str = "send0 console is at http://localhost:";
/// Starting includes making a database, and recovering one.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// A server with a database of its own. Dropping it stops both and removes the data.
#[derive(Debug)]
pub struct Installation {
    project: Project,
    binary: PathBuf,
    folder: PathBuf,
    server: Option<Child>,
    port: u16,
    keep: bool,
}

/// A workspace.
#[derive(Debug)]
pub struct Workspace {
    /// `wsp_…`
    pub id: String,
    /// The name in URLs.
    pub slug: String,
}

/// The made-up workspace, and how its owner signs in.
#[derive(Debug)]
pub struct Demo {
    /// The name in URLs.
    pub slug: String,
    /// The owner's mail address.
    pub email: String,
    /// The owner's password.
    pub password: String,
}

/// An API key.
#[derive(Debug)]
pub struct Key {
    /// `key_…`
    pub id: String,
    /// `sk_…`
    pub key: String,
}

impl Installation {
    /// An empty one, started on a free port.
    pub fn start(project: &Project, binary: PathBuf) -> Result<Self> {
        // Not TMPDIR: PostgreSQL runs as another user, who must get there.
        Self::start_in(project, binary, PathBuf::from(format!("/tmp/send0-installation-{}", id())))
    }

    /// Likewise, in this folder, which is not there yet.
    pub fn start_in(project: &Project, binary: PathBuf, folder: PathBuf) -> Result<Self> {
        fs::create_dir(&folder).map_err(Error::file(&folder))?;
        let project = project.clone();
        let mut installation = Self { project, binary, folder, server: None, port: 0, keep: false };
        installation.serve()?;
        Ok(installation)
    }

    /// Starts the server again after it was killed, on the same port.
    pub fn serve(&mut self) -> Result<()> {
        let log = self.log();
        let log = File::options().create(true).append(true).open(&log).map_err(Error::file(&log))?;
        let mut serve = self.command(&["serve"]);
        serve.arg("--listen").arg(format!("localhost:{}", self.port)).stdout(Stdio::piped()).stderr(log);
        let mut server = serve.spawn().map_err(Error::file(&self.binary))?;
        let written = server.stdout.take();
        self.server = Some(server);
        self.port = written.and_then(announced_port).ok_or_else(|| self.failure("starting the server"))?;
        Ok(())
    }

    /// Kills the server with SIGKILL and returns when it is gone.
    pub fn kill(&mut self) -> Result<()> {
        let Some(mut server) = self.server.take() else { return Ok(()) };
        let killed = server.kill().and_then(|()| server.wait());
        killed.map(drop).map_err(Error::file(&self.binary))
    }

    /// Kills the first process of PostgreSQL with SIGKILL; the server stays.
    pub fn kill_postgres(&self) -> Result<()> {
        let pid = self.postmaster().ok_or_else(|| self.failure("finding PostgreSQL"))?;
        process::output(Command::new("kill").args(["-KILL", &pid])).map(drop)
    }

    /// The number of PostgreSQL's first process, once it has written it down.
    pub fn postmaster(&self) -> Option<String> {
        self.pid_file(0)
    }

    /// Where it answers.
    pub fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Where it listens, also after it was killed.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A connection of its own.
    pub fn client(&self) -> Client {
        Client::new(self.port)
    }

    /// Sends one request, on a connection of its own.
    pub fn send(&self, request: &Request) -> Result<Answer> {
        self.client().send(request).map_err(Error::file(request.path))
    }

    /// Makes a workspace and its owner.
    pub fn workspace(&self, name: &str) -> Result<Workspace> {
        let password = self.folder.join("password");
        fs::write(&password, PASSWORD).map_err(Error::file(&password))?;
        let stdin = File::open(&password).map_err(Error::file(&password))?;
        let mut create = self.command(&["owner", "create"]);
        let made = process::output(create.args(["--email", EMAIL, "--workspace", name]).stdin(stdin))?;
        let field = |field| self.field(&made, field);
        Ok(Workspace { id: field("workspace_id")?, slug: field("workspace")? })
    }

    /// Makes the made-up workspace of `send0 demo`.
    pub fn demo(&self) -> Result<Demo> {
        let made = process::output(&mut self.command(&["demo"]))?;
        let field = |field| self.field(&made, field);
        Ok(Demo { slug: field("workspace")?, email: field("email")?, password: field("password")? })
    }

    /// Issues a key, `live` or `test`.
    pub fn key(&self, workspace: &Workspace, name: &str, kind: &str) -> Result<Key> {
        let mut issue = self.command(&["keys", "issue"]);
        let issued = process::output(issue.args(["--workspace", &workspace.slug, "--name", name, "--kind", kind]))?;
        Ok(Key { id: self.field(&issued, "id")?, key: self.field(&issued, "key")? })
    }

    /// Runs SQL as superuser.
    pub fn psql(&self, sql: &str) -> Result<String> {
        let logins = self.data().join("logins.json");
        let passwords = fs::read_to_string(&logins).map_err(Error::file(&logins))?;
        let socket = self.pid_file(4).ok_or_else(|| self.failure("finding PostgreSQL's socket"))?;
        let program = setup::postgres_programs().map_or_else(|| "psql".into(), |programs| programs.join("psql"));
        let mut psql = Command::new(program);
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", &socket, "-U", "postgres", "-d", "send0"]);
        process::output(psql.args(["-c", sql]).env("PGPASSWORD", self.field(&passwords, "superuser")?))
    }

    /// Leaves the data where they are, for whoever looks into what went wrong.
    pub fn keep(&mut self) {
        self.keep = true;
        println!("everything is kept in {}", self.folder.display());
    }

    /// Tries until there is something, or for a minute.
    pub fn wait_for<T>(&self, what: &str, mut attempt: impl FnMut() -> Option<T>) -> Result<T> {
        let start = Instant::now();
        loop {
            match attempt() {
                Some(found) => return Ok(found),
                None if start.elapsed() > PATIENCE => return Err(self.failure(what)),
                None => thread::sleep(LOOK_AGAIN),
            }
        }
    }

    /// A failure with the server's last words.
    pub fn failure(&self, what: &str) -> Error {
        let output = process::last_lines(&self.log(), 10);
        Error::Failed { what: what.to_owned(), output, remedy: String::new() }
    }

    fn field(&self, text: &str, field: &str) -> Result<String> {
        json::first(text, field).map(str::to_owned).ok_or_else(|| self.failure(&format!("reading the field {field}")))
    }

    fn pid_file(&self, line: usize) -> Option<String> {
        let text = fs::read_to_string(self.data().join("postgres/postmaster.pid")).ok()?;
        text.lines().nth(line).map(str::to_owned).filter(|line| !line.is_empty())
    }

    /// The most memory that the server has had since this was last asked, in kB.
    pub fn most_memory(&self) -> Option<usize> {
        let folder = PathBuf::from(format!("/proc/{}", self.server.as_ref()?.id()));
        let status = fs::read_to_string(folder.join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        // Begins anew (proc(5), clear_refs).
        fs::write(folder.join("clear_refs"), "5").ok()?;
        line.trim().trim_end_matches(" kB").parse().ok()
    }

    /// The program of this name that was built with the server.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.binary.with_file_name(name)
    }

    /// A folder for whatever belongs to this run; it holds the data, too.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command of the product. What the shell says about another installation must not reach this one.
    pub fn command(&self, what: &[&str]) -> Command {
        let mut command = self.project.command(&self.binary.to_string_lossy());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SEND0_")) {
            command.env_remove(name);
        }
        command.args(what).arg("--data").arg(self.data());
        command
    }

    /// Where the server keeps its files.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        // Whatever cannot be stopped or removed any more is nobody's concern here.
        if let Some(mut server) = self.server.take() {
            let _ = process::output(Command::new("kill").args(["-TERM", &server.id().to_string()]));
            let _ = server.wait();
        }
        if !self.keep {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Reads on for as long as the server writes, or it would have to wait.
fn announced_port(written: ChildStdout) -> Option<u16> {
    let (found, announced) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(written).lines().map_while(|line| line.ok()) {
            if let Some(port) = line.strip_prefix(ANNOUNCEMENT) {
                // Nobody waits for it any more after a minute.
                let _ = found.send(port.parse().ok());
            }
        }
    });
    announced.recv_timeout(PATIENCE).ok().flatten()
}

/// The program that was built last.
pub fn newest(binaries: &[PathBuf]) -> Option<&Path> {
    let built = |binary: &&PathBuf| fs::metadata(binary).and_then(|data| data.modified()).ok();
    binaries.iter().filter(|binary| built(binary).is_some()).max_by_key(built).map(PathBuf::as_path)
}
