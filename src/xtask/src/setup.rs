//! From a bare machine to one that can build, and with `Scope::Tests` check, the product.
//!
//! Every step looks first and does nothing when its result is there.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use crate::{
    apt,
    error::{Error, Result},
    process,
    project::Project,
    toolchain::Toolchain,
};

const CARGO_LEPTOS: &str = "0.3.11";
const CARGO_NEXTEST: &str = "0.9.143";
const CARGO_DENY: &str = "0.20.2";
/// Until there is a Cargo.lock that says which.
const WASM_BINDGEN: &str = "0.2.130";

/// How much is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// To build and run.
    Build,
    /// To check everything as well.
    Tests,
}

/// Does whatever is missing and returns the project with the compiler to use.
pub fn setup(scope: Scope) -> Result<Project> {
    let mut project = Project::new();
    fs::create_dir_all(&project.cache).map_err(Error::file(&project.cache))?;
    let toolchain = Toolchain::choose();
    project.toolchain = toolchain.name();
    packages(&project, toolchain, scope)?;
    compiler(&project, toolchain)?;
    wasm_bindgen(&project)?;
    cargo_leptos(&project)?;
    styles(&project)?;
    if scope == Scope::Tests {
        checkers(toolchain)?;
        cargo_nextest(&project)?;
        cargo_deny(&project)?;
        browser_tests(&project)?;
    }
    Ok(project)
}

/// The project with the compiler to use, when everything is set up already.
pub fn found() -> Project {
    let mut project = Project::new();
    project.toolchain = Toolchain::choose().name();
    project
}

fn packages(project: &Project, toolchain: Toolchain, scope: Scope) -> Result<()> {
    let mut packages = toolchain.missing_packages(scope == Scope::Tests);
    if process::on_path("cc").is_none() {
        packages.extend(["gcc", "libc6-dev"]);
    }
    if process::on_path("ld.lld").is_none() {
        packages.push("lld");
    }
    if process::on_path("npm").is_none() {
        packages.extend(["nodejs", "npm"]);
    }
    if postgres_programs().is_none() {
        packages.push("postgresql");
    }
    if scope == Scope::Tests && !Path::new("/usr/bin/chromium-headless-shell").exists() {
        packages.extend(["chromium-headless-shell", "fonts-dejavu-core"]);
    }
    let why = match packages.len() {
        0 => "compiler parts, Node.js, PostgreSQL from Debian".to_owned(),
        _ => format!("not on this machine yet: {}", packages.join(" ")),
    };
    step("packages", &why, packages.is_empty(), || apt::install(&packages, &project.cache.join("setup.log")))
}

fn compiler(project: &Project, toolchain: Toolchain) -> Result<()> {
    let why = match toolchain {
        Toolchain::Active => "the active Rust, which can target WebAssembly",
        Toolchain::Debian => "Debian's Rust; its standard library for WebAssembly is built once",
    };
    step("compiler", why, toolchain.is_finished(), || toolchain.finish(project))
}

fn wasm_bindgen(project: &Project) -> Result<()> {
    let version = locked_version(project, "wasm-bindgen").unwrap_or_else(|| WASM_BINDGEN.into());
    let tool = Tool {
        package: "wasm-bindgen-cli",
        program: "wasm-bindgen",
        version: &version,
        why: "glue between WebAssembly and JavaScript, of exactly the version in Cargo.lock",
        // Its lock file names versions that a registry may not carry.
        arguments: &[],
    };
    tool.install(project)
}

fn cargo_leptos(project: &Project) -> Result<()> {
    let tool = Tool {
        package: "cargo-leptos",
        program: "cargo-leptos",
        version: CARGO_LEPTOS,
        why: "builds server, WebAssembly and styles together",
        arguments: &["--locked", "--features", "no_downloads"],
    };
    tool.install(project)
}

fn cargo_nextest(project: &Project) -> Result<()> {
    let version = process::output(project.command("cargo-nextest").arg("--version"));
    if version.is_ok() {
        return step("cargo-nextest", "runs the tests", true, || Ok(()));
    }
    let tool = Tool {
        package: "cargo-nextest",
        program: "cargo-nextest",
        version: CARGO_NEXTEST,
        why: "runs the tests",
        arguments: &["--locked"],
    };
    tool.install(project)
}

fn cargo_deny(project: &Project) -> Result<()> {
    let tool = Tool {
        package: "cargo-deny",
        program: "cargo-deny",
        version: CARGO_DENY,
        why: "checks advisories, licences and sources of all dependencies",
        arguments: &["--locked"],
    };
    tool.install(project)
}

fn checkers(toolchain: Toolchain) -> Result<()> {
    step("clippy, rustfmt", "check the code", toolchain.has_checkers(), || toolchain.add_checkers())
}

fn styles(project: &Project) -> Result<()> {
    npm(project, "style", "Tailwind for the styles, wasm-opt to shrink the WebAssembly")
}

fn browser_tests(project: &Project) -> Result<()> {
    npm(project, "end2end", "Playwright, which drives Chromium (without its windows) through the product")
}

/// What the lock file of a folder asks for, unless it is there. Not `npm ci`: that refuses a lock
/// file without the other platforms' optional packages, which not every registry carries.
fn npm(project: &Project, folder: &str, why: &str) -> Result<()> {
    let at = project.root.join(folder);
    let stamp = at.join("node_modules/.package-lock.json");
    let fresh = newer(&stamp, &at.join("package-lock.json"));
    step(folder, why, fresh, || {
        let mut npm = project.command("npm");
        npm.args(["install", "--no-save", "--no-audit", "--no-fund"])
            .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
            .current_dir(&at);
        process::logged(
            &mut npm,
            &project.cache.join("setup.log"),
            &format!("installing the npm packages of {folder}/package.json"),
            "check that the npm registry answers (`npm ping`)",
        )
    })
}

/// A program that cargo installs into our own folder.
struct Tool<'a> {
    package: &'a str,
    program: &'a str,
    version: &'a str,
    why: &'a str,
    arguments: &'a [&'a str],
}

impl Tool<'_> {
    fn install(&self, project: &Project) -> Result<()> {
        let name = format!("{} {}", self.package, self.version);
        step(&name, self.why, self.is_there(project), || {
            process::logged(
                &mut self.command(project),
                &project.cache.join("setup.log"),
                &format!("installing the crate {name}"),
                "check that crates.io answers, then try again: what is compiled already stays",
            )
        })
    }

    fn is_there(&self, project: &Project) -> bool {
        let program = project.tools().join(self.program);
        process::output(Command::new(program).arg("--version"))
            .is_ok_and(|line| line.split_whitespace().any(|word| word == self.version))
    }

    /// These tools run for seconds: a fast build of them is worth more than fast code,
    /// and one target folder compiles what they share only once.
    fn command(&self, project: &Project) -> Command {
        let mut cargo = project.command("cargo");
        cargo
            .args(["install", "--force", self.package, "--version", self.version])
            .args(self.arguments)
            .arg("--root")
            .arg(project.cache.join("tools"))
            .env("CARGO_TARGET_DIR", project.cache.join("target"))
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_STRIP", "true");
        cargo
    }
}

/// The folder of PostgreSQL's programs: where PATH leads (a link to one of them is not a folder
/// of all), or where Debian hides them.
pub fn postgres_programs() -> Option<PathBuf> {
    if let Some(initdb) = process::on_path("initdb") {
        let initdb = initdb.canonicalize().unwrap_or(initdb);
        return initdb.parent().map(Path::to_owned);
    }
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut folders: Vec<_> = versions.flatten().map(|v| v.path().join("bin")).collect();
    folders.retain(|folder| folder.join("initdb").exists());
    folders.sort();
    folders.pop()
}

/// The version of a package in Cargo.lock.
fn locked_version(project: &Project, package: &str) -> Option<String> {
    let lock = fs::read_to_string(project.root.join("Cargo.lock")).ok()?;
    let mut lines = lock.lines();
    lines.find(|line| *line == format!("name = \"{package}\""))?;
    let version = lines.next()?.strip_prefix("version = \"")?;
    Some(version.trim_end_matches('"').to_owned())
}

fn newer(one: &Path, other: &Path) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|data| data.modified());
    matches!((time(one), time(other)), (Ok(one), Ok(other)) if one >= other)
}

/// Says in one line what a step does and why, and how long it took.
fn step(name: &str, why: &str, done: bool, work: impl FnOnce() -> Result<()>) -> Result<()> {
    if done {
        println!("setup  {name:<26} there  ({why})");
        return Ok(());
    }
    print!("setup  {name:<26} {why} … ");
    io::stdout().flush().map_err(Error::file("standard output"))?;
    let start = Instant::now();
    let result = work();
    let outcome = if result.is_ok() { "done" } else { "FAILED" };
    println!("{outcome} in {:.1} s", start.elapsed().as_secs_f64());
    result
}
