//! `cargo xtask test`: every check that CI runs, each to its end, then one table.

use std::time::{Duration, Instant};

use crate::{
    advisories, checks,
    count::Count,
    drill,
    error::{Error, Result},
    project::Project,
    setup::{Scope, setup},
};

/// One row of the summary.
struct Step {
    name: &'static str,
    run: fn(&Project) -> Result<Count>,
}

/// In this order: the quick and the blaming ones first, what needs the build after it.
const STEPS: &[Step] = &[
    Step { name: "fmt", run: checks::formatting },
    Step { name: "build", run: checks::build },
    Step { name: "clippy", run: checks::clippy },
    Step { name: "wasm-guard", run: checks::wasm_guard },
    Step { name: "lock-guard", run: checks::lock_guard },
    Step { name: "deny", run: advisories::deny },
    Step { name: "advisories", run: advisories::advisories },
    Step { name: "xtask", run: checks::xtask_tests },
    Step { name: "nextest", run: checks::nextest },
    Step { name: "doctest", run: checks::doc_tests },
    Step { name: "e2e", run: checks::end_to_end },
    Step { name: "drill", run: drill::step },
];

/// Runs all steps, or those named by `--only`; the very last line is `N passed, N failed`.
pub fn test(arguments: &[&str]) -> Result<()> {
    let steps = chosen(arguments)?;
    let project = setup(Scope::Tests).inspect_err(|error| {
        println!("setup: {error}\n0 passed, 1 failed");
    });
    let project = project.map_err(|_| Error::Checks)?;
    let rows: Vec<_> = steps.iter().map(|step| perform(step, &project)).collect();
    summarise(&rows)
}

fn chosen(arguments: &[&str]) -> Result<Vec<&'static Step>> {
    let mut names = Vec::new();
    for pair in arguments.chunks(2) {
        match pair {
            ["--only", name] => names.push(*name),
            _ => return Err(Error::Usage(format!("--only takes one of {}", all_names()))),
        }
    }
    if let Some(unknown) = names.iter().find(|name| !STEPS.iter().any(|s| s.name == **name)) {
        return Err(Error::Usage(format!("no step {unknown}; there are {}", all_names())));
    }
    let wanted = |step: &&Step| names.is_empty() || names.contains(&step.name);
    Ok(STEPS.iter().filter(wanted).collect())
}

fn all_names() -> String {
    STEPS.iter().map(|step| step.name).collect::<Vec<_>>().join(", ")
}

/// What became of a step.
struct Row {
    name: &'static str,
    count: Count,
    time: Duration,
}

fn perform(step: &Step, project: &Project) -> Row {
    println!("\n── {} ──", step.name);
    let start = Instant::now();
    let count = (step.run)(project).unwrap_or_else(|error| {
        println!("{}: {error}", step.name);
        Count::one(false)
    });
    Row { name: step.name, count, time: start.elapsed() }
}

fn summarise(rows: &[Row]) -> Result<()> {
    println!("\n{:12} {:>7} {:>7} {:>9}", "step", "passed", "failed", "time");
    for Row { name, count, time } in rows {
        let (Count { passed, failed, note }, time) = (count, time.as_secs_f64());
        println!("{}", format!("{name:12} {passed:>7} {failed:>7} {time:>7.1} s  {note}").trim_end());
    }
    let passed: usize = rows.iter().map(|row| row.count.passed).sum();
    let failed: usize = rows.iter().map(|row| row.count.failed).sum();
    println!("{passed} passed, {failed} failed");
    if failed == 0 { Ok(()) } else { Err(Error::Checks) }
}
