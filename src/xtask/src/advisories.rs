//! cargo-deny: licences and sources always, known vulnerabilities against the newest database to be had.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    count::Count,
    error::{Error, Result},
    process,
    project::Project,
};

/// The folder name that cargo-deny derives from the database's address.
const FOLDER: &str = "advisory-db-3157b0e258782691";
/// Where a database may lie that was handed over, beside the checkout.
const HANDED: &str = "../shared";

/// Licences, bans and sources of all dependencies.
pub fn deny(project: &Project) -> Result<Count> {
    let mut deny = cargo_deny(project, &project.cache);
    let clean = process::succeeds(deny.args(["check", "licenses", "bans", "sources"]))?;
    Ok(Count::one(clean))
}

/// Known vulnerabilities. Without any database nothing was checked, and nothing is counted.
pub fn advisories(project: &Project) -> Result<Count> {
    let database = match fetch(project) {
        Ok(database) => database,
        Err(why) => match handed_over(project)? {
            Some(database) => database,
            None => return Ok(not_run(&why)),
        },
    };
    println!("advisory database: {}", database.origin);
    let mut deny = cargo_deny(project, &database.path);
    let clean = process::succeeds(deny.args(database.options).args(["check", "advisories"]))?;
    Ok(Count { note: format!("database: {}", database.origin), ..Count::one(clean) })
}

/// A folder that cargo-deny can read, and where it is from, with its date.
struct Database {
    path: PathBuf,
    origin: String,
    options: &'static [&'static str],
}

fn fetch(project: &Project) -> Result<Database> {
    let path = project.cache.join("advisory-db");
    process::output(cargo_deny(project, &path).args(["fetch", "db"]))?;
    let mut git = Command::new("git");
    git.arg("-C").arg(path.join(FOLDER)).args(["log", "-1", "--format=%cs"]);
    let date = process::output(&mut git)?;
    Ok(Database { path, origin: format!("fetched now, of {date}"), options: &[] })
}

/// The newest `advisory-db-DATE.tar.gz` beside the checkout, unpacked.
fn handed_over(project: &Project) -> Result<Option<Database>> {
    let Some(archive) = newest_archive(&project.root.join(HANDED)) else {
        return Ok(None);
    };
    let path = project.cache.join("advisory-db-handed-over");
    let folder = path.join(FOLDER);
    let git = folder.join(".git");
    fs::create_dir_all(&git).map_err(Error::file(&git))?;
    process::output(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(&folder))?;
    // cargo-deny wants to know when it was fetched, and refuses one of 90 days ago; we print its date instead.
    let fetched = git.join("FETCH_HEAD");
    fs::write(&fetched, "").map_err(Error::file(&fetched))?;
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    let date = name.trim_start_matches("advisory-db-").trim_end_matches(".tar.gz");
    let origin = format!("handed over, of {date}");
    Ok(Some(Database { path, origin, options: &["--offline"] }))
}

fn newest_archive(folder: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    files.filter(|path| name(path).starts_with("advisory-db-") && name(path).ends_with(".tar.gz")).max_by_key(name)
}

fn not_run(why: &Error) -> Count {
    let why = why.to_string();
    let why = why.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    println!("deny advisories: NOT RUN ({why})");
    Count { note: "NOT RUN".to_owned(), ..Count::default() }
}

/// cargo-deny resets the database with git. It must never take a folder that is none for a part of
/// the repository around it and reset that: hence the ceiling, and a place outside the checkout.
fn cargo_deny(project: &Project, database: &Path) -> Command {
    let mut cargo = project.command("cargo");
    cargo
        .args(["deny", "--config", ".config/deny.toml"])
        .env("ADVISORY_DB", database)
        .env("GIT_CEILING_DIRECTORIES", database)
        .env("GIT_TERMINAL_PROMPT", "0");
    cargo
}
