//! `cargo xtask prepare`: what `.sqlx` says about each query, asked anew of a migrated PostgreSQL. After every change to
//! SQL; builds without a database depend on it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use crate::{
    error::{Error, Result},
    postgres::Postgres,
    process,
    project::Project,
    setup::{self, Scope, setup},
};

/// Compiles the queries of `core` against a database and keeps what it answers.
pub fn prepare(arguments: &[&str]) -> Result<()> {
    if !arguments.is_empty() {
        return Err(Error::Usage("cargo xtask prepare takes no arguments".to_owned()));
    }
    let project = setup(Scope::Build)?;
    let server = Postgres::start()?;
    migrate(&project, &server.url())?;
    let answers = project.root.join(".sqlx");
    for old in json_files(&answers)? {
        fs::remove_file(&old).map_err(Error::file(&old))?;
    }
    // A query that is compiled already would not be asked about again.
    let touched = project.root.join("src/core/src/lib.rs");
    let file = fs::File::options().append(true).open(&touched).map_err(Error::file(&touched))?;
    file.set_modified(SystemTime::now()).map_err(Error::file(&touched))?;
    let mut check = project.command("cargo");
    check
        .args(["check", "-p", "send0-core", "--features", "testing"])
        .env("DATABASE_URL", server.url())
        .env("SQLX_OFFLINE_DIR", &answers);
    process::run(&mut check)?;
    println!("{} queries are described in .sqlx", json_files(&answers)?.len());
    Ok(())
}

/// Roles and rights as on a server of one's own, then every migration, each whole.
fn migrate(project: &Project, url: &str) -> Result<()> {
    let sql = project.root.join("src/core/src/database");
    psql(url, &["-f".into(), sql.join("roles.sql"), "-f".into(), sql.join("grants.sql")])?;
    let folder = project.root.join("migrations");
    let mut migrations = files(&folder, "sql")?;
    migrations.sort();
    for migration in migrations {
        psql(url, &["-1".into(), "-c".into(), "set role send0_owner".into(), "-f".into(), migration])?;
    }
    Ok(())
}

fn psql(url: &str, arguments: &[PathBuf]) -> Result<()> {
    let programs = setup::postgres_programs().ok_or_else(|| {
        Error::failed("finding psql", "run `cargo xtask setup`, or put PostgreSQL's programs on PATH")
    })?;
    let mut psql = Command::new(programs.join("psql"));
    psql.args(["-q", "-X", "-v", "ON_ERROR_STOP=1"]).args(arguments).arg(url);
    process::output(&mut psql).map(drop)
}

fn json_files(folder: &Path) -> Result<Vec<PathBuf>> {
    files(folder, "json")
}

fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(Error::file(folder))?;
    let paths = entries.flatten().map(|entry| entry.path());
    Ok(paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect())
}
