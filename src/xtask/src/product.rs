//! Building and starting the product.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use crate::{
    error::{Error, Result},
    process,
    project::Project,
};

/// What a build reads. Anything newer than the last build means another one.
const SOURCES: [&str; 9] =
    ["Cargo.toml", "Cargo.lock", ".cargo", ".sqlx", "app", "migrations", "public", "src", "style"];

/// Folders inside them that no build reads, or that builds write.
const NOT_SOURCES: [&str; 2] = ["node_modules", "xtask"];

/// The two profiles that cargo-leptos builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// What tests, Playwright and `dev` share.
    Debug,
    /// What is shipped.
    Release,
}

impl Profile {
    /// The finished program.
    pub fn binary(self, project: &Project) -> PathBuf {
        let folder = match self {
            Self::Debug => "target/debug/send0",
            Self::Release => "target/release/send0",
        };
        project.root.join(folder)
    }

    /// One call of cargo each: the server with its other half, and the program that customers check an export with.
    ///
    /// What tests use is built as a part of the workspace and beside one of its tests, the smallest: every library then has the features
    /// that the tests of all want of it, and what takes longest, `core` and the app, is compiled once for the product and for them.
    fn arguments(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Debug => &[&[
                "leptos",
                "build",
                "--bin-cargo-args=--workspace",
                "--bin-cargo-args=--bins",
                "--bin-cargo-args=--test=note",
            ]],
            Self::Release => &[&["leptos", "build", "--release"], &["build", "-p", "send0-verify", "--release"]],
        }
    }
}

/// Builds server, WebAssembly, styles and `send0-verify`. No database is needed: queries are checked against `.sqlx`.
pub fn build(project: &Project, profile: Profile) -> Result<()> {
    for arguments in profile.arguments() {
        let cargo = project.command("cargo");
        let mut cargo = if profile == Profile::Debug { linted(cargo) } else { cargo };
        process::run(cargo.args(*arguments).env("SQLX_OFFLINE", "true"))?;
    }
    // cargo-leptos has reported success without a program before.
    let binary = profile.binary(project);
    fs::metadata(&binary).map_err(Error::file(binary))?;
    Ok(())
}

/// Has our own crates compiled by clippy, which compiles as rustc does and says what `cargo clippy -- -D warnings` would. The same
/// for every step of the tests: compiled by another, they would be compiled once more.
pub fn linted(mut cargo: Command) -> Command {
    cargo.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver").env("CLIPPY_ARGS", "-Dwarnings__CLIPPY_HACKERY__");
    cargo
}

/// A release build, unless the last one has seen everything there is.
pub fn build_release(project: &Project) -> Result<()> {
    let stamp = project.root.join("target/release/.send0-built");
    if is_current(project, &stamp) {
        println!("build  nothing has changed since the last release build");
        return Ok(());
    }
    // Taken before: what changes while it builds makes the next build necessary.
    let started = SystemTime::now();
    build(project, Profile::Release)?;
    let file = fs::File::create(&stamp).map_err(Error::file(&stamp))?;
    file.set_modified(started).map_err(Error::file(&stamp))
}

/// Replaces this process by the server.
pub fn serve(project: &Project, arguments: &[&str]) -> Result<()> {
    let binary = Profile::Release.binary(project);
    let mut server = project.command(&binary.to_string_lossy());
    let source = server.arg("serve").args(arguments).exec();
    Err(Error::Start { program: binary.display().to_string(), source })
}

/// Builds, starts, and does both again whenever a file changes.
pub fn watch(project: &Project) -> Result<()> {
    process::run(project.command("cargo").args(["leptos", "watch", "--", "serve"]))
}

fn is_current(project: &Project, stamp: &Path) -> bool {
    let Ok(built) = fs::metadata(stamp).and_then(|data| data.modified()) else {
        return false;
    };
    Profile::Release.binary(project).exists()
        && has_its_site(project)
        && SOURCES.iter().all(|source| !has_newer(&project.root.join(source), built))
}

/// Both profiles build into one site: a later build of the other takes these files away.
fn has_its_site(project: &Project) -> bool {
    let hashes = fs::read_to_string(project.root.join("target/release/hash.txt")).unwrap_or_default();
    let wasm = hashes.lines().find_map(|line| line.strip_prefix("wasm: "));
    wasm.is_some_and(|hash| project.root.join(format!("target/site/pkg/send0.{hash}.wasm")).exists())
}

/// Whether a file or folder, or anything in it, was written after `built`.
/// Folders count themselves, so that a removed file is noticed.
fn has_newer(path: &Path, built: SystemTime) -> bool {
    let Ok(data) = fs::symlink_metadata(path) else {
        return false;
    };
    if data.modified().is_ok_and(|time| time > built) {
        return true;
    }
    let Ok(entries) = fs::read_dir(path) else {
        return false;
    };
    entries
        .flatten()
        .filter(|entry| !NOT_SOURCES.iter().any(|name| entry.file_name() == *name))
        .any(|entry| has_newer(&entry.path(), built))
}
