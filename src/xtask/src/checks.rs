//! The steps of `cargo xtask test`, one function each.

use std::{fs, process::Command};

use crate::{
    count::{self, Count},
    error::{Error, Result},
    postgres::Postgres,
    process,
    product::{self, Profile, linted},
    project::Project,
};

/// This tool, which is a workspace of its own.
const XTASK: [&str; 4] = ["--manifest-path", "src/xtask/Cargo.toml", "--target-dir", "target/xtask"];
/// The half of the app that runs in the browser.
const BROWSER: [&str; 4] = ["-p", "send0-browser", "--target", "wasm32-unknown-unknown"];
/// What must never reach the browser: it would not work there, or it would be most of the download.
const NOT_IN_BROWSER: [&str; 5] = ["tokio", "hyper", "leptos_router", "sqlx*", "axum*"];
/// One TLS and one cryptography library, written in Rust or vetted: not these as well.
const NOT_IN_LOCK: [&str; 3] = ["openssl-sys", "native-tls", "aws-lc-sys"];

/// rustfmt has nothing to change.
pub fn formatting(project: &Project) -> Result<Count> {
    let product = process::succeeds(cargo(project, "fmt").args(["--all", "--check"]))?;
    let xtask = process::succeeds(cargo(project, "fmt").args(["--check", XTASK[0], XTASK[1]]))?;
    Ok(Count::one(product && xtask))
}

/// The build that all later steps share. clippy compiles it, the half for the browser as well.
pub fn build(project: &Project) -> Result<Count> {
    product::build(project, Profile::Debug)?;
    Ok(Count::one(true))
}

/// clippy has nothing to say about the tests, nor about this tool. What the tests need is compiled by it at the same time, as the
/// product was: `cargo clippy` itself would go through every dependency once more.
pub fn clippy(project: &Project) -> Result<Count> {
    let tests = process::succeeds(linted(cargo(project, "test")).args(["--workspace", "--no-run"]))?;
    let mut tool = cargo(project, "clippy");
    let tool = process::succeeds(tool.args(XTASK).args(["--all-targets", "--", "-D", "warnings"]))?;
    Ok(Count::one(tests && tool))
}

/// Nothing of the server is compiled into the WebAssembly.
pub fn wasm_guard(project: &Project) -> Result<Count> {
    let mut tree = cargo(project, "tree");
    let tree = process::output(tree.args(BROWSER).args(["-e", "normal", "--prefix", "none"]))?;
    let mut found: Vec<_> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| NOT_IN_BROWSER.iter().any(|pattern| matches(name, pattern)))
        .collect();
    found.sort_unstable();
    found.dedup();
    Ok(none("compiled into the WebAssembly", &found))
}

/// None of the libraries that we decided against came in through a dependency.
pub fn lock_guard(project: &Project) -> Result<Count> {
    let path = project.root.join("Cargo.lock");
    let lock = fs::read_to_string(&path).map_err(Error::file(path))?;
    let locked = |name: &&&str| lock.lines().any(|line| line == format!("name = \"{name}\""));
    let found: Vec<_> = NOT_IN_LOCK.iter().filter(locked).copied().collect();
    Ok(none("in Cargo.lock", &found))
}

/// This tool's own tests.
pub fn xtask_tests(project: &Project) -> Result<Count> {
    let mut tests = cargo(project, "nextest");
    let (succeeded, written) = process::tee(tests.arg("run").args(XTASK))?;
    Ok(count::nextest(&written).unless(succeeded))
}

/// Unit and integration tests, against a PostgreSQL of their own.
pub fn nextest(project: &Project) -> Result<Count> {
    let server = Postgres::start()?;
    let mut tests = linted(cargo(project, "nextest"));
    tests.args(["run", "--workspace", "--no-fail-fast", "--color", "never"]).env("SEND0_TEST_POSTGRES", server.url());
    let (succeeded, written) = process::tee(&mut tests)?;
    Ok(count::nextest(&written).unless(succeeded))
}

/// Examples in the documentation, and what must not compile.
pub fn doc_tests(project: &Project) -> Result<Count> {
    let mut tests = linted(cargo(project, "test"));
    let (succeeded, written) = process::tee(tests.args(["--doc", "--workspace", "--no-fail-fast"]))?;
    Ok(count::cargo_test(&written).unless(succeeded))
}

/// Playwright drives Chromium through the product.
pub fn end_to_end(project: &Project) -> Result<Count> {
    let binary = Profile::Debug.binary(project);
    fs::metadata(&binary).map_err(Error::file(&binary))?;
    let report = project.root.join("target/playwright.json");
    // A report of an earlier run must not be counted.
    let _ = fs::remove_file(&report);
    let mut playwright = project.command("npx");
    playwright
        .args(["playwright", "test", "--reporter=list,json"])
        .env("PLAYWRIGHT_JSON_OUTPUT_FILE", &report)
        .env("SEND0_BINARY", &binary)
        .current_dir(project.root.join("end2end"));
    let succeeded = process::succeeds(&mut playwright)?;
    let report = fs::read_to_string(&report).unwrap_or_default();
    Ok(count::playwright(&report).unless(succeeded))
}

fn cargo(project: &Project, subcommand: &str) -> Command {
    let mut cargo = project.command("cargo");
    cargo.arg(subcommand).env("SQLX_OFFLINE", "true");
    cargo
}

fn matches(name: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

fn none(place: &str, found: &[&str]) -> Count {
    let list = found.join(", ");
    match found {
        [] => println!("nothing forbidden is {place}"),
        _ => println!("{place}, and must not be: {list}"),
    }
    Count { note: list, ..Count::one(found.is_empty()) }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_ending() {
        assert!(matches("sqlx-core", "sqlx*"));
        assert!(matches("tokio", "tokio"));
        assert!(!matches("tokio-stream", "tokio"));
    }
}
