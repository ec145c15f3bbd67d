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
    let mut deny = cargo_deny(project, "check", &["licenses", "bans", "sources"]);
    Ok(Count::one(process::succeeds(&mut deny)?))
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
    let mut deny = cargo_deny(project, "check", &["--disable-fetch", "advisories"]);
    let clean = process::succeeds(deny.env("ADVISORY_DB", &database.path))?;
    Ok(Count { note: format!("database: {}", database.origin), ..Count::one(clean) })
}

/// A folder that cargo-deny can read, and where it is from, with its date.
struct Database {
    path: PathBuf,
    origin: String,
}

fn fetch(project: &Project) -> Result<Database> {
    let path = project.cache.join("advisory-db");
    let mut deny = cargo_deny(project, "fetch", &["db"]);
    process::output(deny.env("ADVISORY_DB", &path))?;
    let mut git = Command::new("git");
    git.arg("-C").arg(path.join(FOLDER)).args(["log", "-1", "--format=%cs"]);
    let date = process::output(&mut git)?;
    Ok(Database { path, origin: format!("fetched now, of {date}") })
}

/// The newest `advisory-db-DATE.tar.gz` beside the checkout, unpacked.
fn handed_over(project: &Project) -> Result<Option<Database>> {
    let Some(archive) = newest_archive(&project.root.join(HANDED)) else {
        return Ok(None);
    };
    let path = project.root.join("target/advisory-db");
    let folder = path.join(FOLDER);
    fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
    process::output(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(&folder))?;
    // cargo-deny takes the age of the database from this file.
    let fetched = folder.join("FETCH_HEAD");
    fs::write(&fetched, "").map_err(Error::file(&fetched))?;
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    let date = name.trim_start_matches("advisory-db-").trim_end_matches(".tar.gz");
    Ok(Some(Database { path, origin: format!("handed over ({}), of {date}", archive.display()) }))
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

fn cargo_deny(project: &Project, subcommand: &str, arguments: &[&str]) -> Command {
    let mut cargo = project.command("cargo");
    cargo.args(["deny", subcommand, "--config", ".config/deny.toml"]).args(arguments);
    cargo
}
