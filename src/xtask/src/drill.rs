//! `cargo xtask drill NAME`: clients that never stop calling, and what the audit log has to say about it afterwards.

mod clients;
mod evidence;
mod full;
mod fuzz;
mod kills;
mod proof;
mod timing;
mod writers;

use std::{
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use crate::{
    count::Count,
    error::{Error, Result},
    figures::{grouped, milliseconds, rate},
    http::Request,
    installation::{Installation, Key, Workspace, newest},
    product::Profile,
    project::Project,
    setup,
};
use clients::{Clients, Keys, Tally};
use evidence::Evidence;
use kills::Plan;

/// Of the step of `cargo xtask test`, where starting and looking come on top.
const STEP: Duration = Duration::from_secs(20);
/// Of a load without `--seconds`.
const LOAD: Duration = Duration::from_secs(60);
/// Of each comparison without `--seconds`.
const TIMING: Duration = Duration::from_secs(120);

/// `kill`, `full`, `load`, `timing`, `fuzz` or `writers`.
pub fn drill(arguments: &[&str]) -> Result<()> {
    let Some((name, options)) = arguments.split_first() else { return Err(usage()) };
    let Options { time, binary, .. } = Options::parse(options).ok_or_else(usage)?;
    let project = setup::found();
    match *name {
        "fuzz" | "writers" if !options.is_empty() => return Err(usage()),
        "fuzz" => return fuzz::fuzz(&project),
        "writers" => return writers::writers(&project),
        _ => {}
    }
    let binary = match binary {
        Some(binary) => binary,
        None => built(&project)?,
    };
    println!("drill {name}: {}", binary.display());
    let held = match *name {
        "kill" => kill(&project, binary, time)?,
        "full" => full(&project, binary)?,
        "timing" => timing::timing(&project, binary, time.unwrap_or(TIMING))?,
        "load" => load(&project, binary, time.unwrap_or(LOAD))?,
        _ => return Err(usage()),
    };
    if held { Ok(()) } else { Err(Error::Checks) }
}

/// The short one, for `cargo xtask test`.
pub fn step(project: &Project) -> Result<Count> {
    let binary = Profile::Debug.binary(project);
    Ok(Count::one(kill(project, binary, Some(STEP))?))
}

/// What may follow on the command line.
#[derive(Debug, Default)]
pub struct Options {
    /// `--seconds N`
    pub time: Option<Duration>,
    /// `--binary FILE`: this program instead of the one that was built.
    pub binary: Option<PathBuf>,
    /// `--events N`, of a benchmark.
    pub events: Option<usize>,
}

impl Options {
    /// `None` for anything else.
    pub fn parse(arguments: &[&str]) -> Option<Self> {
        let mut options = Self::default();
        for pair in arguments.chunks(2) {
            match pair {
                ["--seconds", seconds] => options.time = Some(Duration::from_secs(seconds.parse().ok()?)),
                ["--events", events] => options.events = Some(events.parse().ok()?),
                ["--binary", file] => options.binary = Some(file.into()),
                _ => return None,
            }
        }
        Some(options)
    }
}

fn usage() -> Error {
    Error::Usage(
        "cargo xtask drill kill|full|load|timing [--seconds N] [--binary FILE], or drill fuzz|writers".to_owned(),
    )
}

fn built(project: &Project) -> Result<PathBuf> {
    let binaries = [Profile::Release, Profile::Debug].map(|profile| profile.binary(project));
    let newest = newest(&binaries).map(ToOwned::to_owned);
    newest.ok_or_else(|| Error::failed("finding target/release/send0 or target/debug/send0", "run `cargo xtask build`"))
}

/// Kills server and PostgreSQL under load. Whatever was answered must be in the log, once.
fn kill(project: &Project, binary: PathBuf, time: Option<Duration>) -> Result<bool> {
    let mut installation = Installation::start(project, binary)?;
    let plan = Plan::new(time);
    let (workspace, keys) = prepare(&installation)?;
    let revocable = issue_many(&installation, &workspace, plan.revocations())?;
    let clients = Clients::new(installation.port(), &keys, revocable);
    let began = Instant::now();
    let (tally, recoveries) = clients.run(|| plan.carry_out(&mut installation, &clients));
    let recoveries = recoveries.inspect_err(|_| installation.keep())?;
    tally.report(began.elapsed());
    recoveries.report();
    judge(&mut installation, &keys, &tally)
}

/// Lets the disk run full under load. What cannot be written down is refused, and afterwards everything is as it should be.
fn full(project: &Project, binary: PathBuf) -> Result<bool> {
    let disk = full::Disk::mount()?;
    let mut installation = Installation::start_in(project, binary, disk.folder().join("installation"))?;
    let (_, keys) = prepare(&installation)?;
    let clients = Clients::new(installation.port(), &keys, Vec::new());
    let began = Instant::now();
    let (tally, recovered) = clients.run(|| full::carry_out(&installation, &disk, &clients));
    tally.report(began.elapsed());
    println!("calls went well again {} ms after there was room", milliseconds(recovered?));
    Ok(judge(&mut installation, &keys, &tally)? && !tally.is_undisturbed())
}

/// Lets the clients call, and nothing else happens.
fn load(project: &Project, binary: PathBuf, time: Duration) -> Result<bool> {
    let mut installation = Installation::start(project, binary)?;
    let (_, keys) = prepare(&installation)?;
    let clients = Clients::new(installation.port(), &keys, Vec::new());
    let began = Instant::now();
    let (tally, ()) = clients.run(|| thread::sleep(time));
    let took = began.elapsed();
    tally.report(took);
    println!("{} requests/s  {}", rate(tally.times.count(), took), tally.times.summary());
    Ok(judge(&mut installation, &keys, &tally)? && tally.is_undisturbed())
}

fn prepare(installation: &Installation) -> Result<(Workspace, Keys)> {
    let workspace = installation.workspace("Drill")?;
    let key = |name, kind| installation.key(&workspace, name, kind).map(|Key { id, key }| (id, key));
    let ((_, live), (_, test), (id, revoked)) = (key("live", "live")?, key("test", "test")?, key("revoked", "live")?);
    let path = format!("/v1/api-keys/{id}");
    installation.send(&Request { method: "DELETE", bearer: Some(&live), ..Request::get(&path) })?;
    Ok((workspace, Keys { live, test, revoked }))
}

/// Each takes a process of its own; a few at a time.
fn issue_many(installation: &Installation, workspace: &Workspace, count: usize) -> Result<Vec<String>> {
    let issue = |number| installation.key(workspace, &format!("to be revoked {number}"), "live").map(|key| key.id);
    let share = |first: usize| (first..count).step_by(4).map(issue).collect::<Result<Vec<_>>>();
    let shares: Result<Vec<_>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|first| scope.spawn(move || share(first))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(Err(Error::Checks))).collect()
    });
    Ok(shares?.concat())
}

/// What the log says about it. Everything must be 0, and the log must prove itself.
fn judge(installation: &mut Installation, keys: &Keys, tally: &Tally) -> Result<bool> {
    let evidence = Evidence::read(installation, &keys.live)?;
    let (missing, repeated) = (evidence.missing(&tally.answered), evidence.repeated(&tally.answered));
    let (gaps, unrevoked) = (evidence.gaps(), evidence::unrevoked(installation, &keys.live, &tally.revoked)?);
    println!("{} events read, of {} answered calls:", grouped(evidence.count()), grouped(tally.answered.len()));
    println!("  without an event: {}, with more than one: {}", missing.len(), repeated.len());
    println!("  gaps in the sequence: {gaps}, keys revoked but open: {} of {}", unrevoked.len(), tally.revoked.len());
    let wrong = [missing, repeated, unrevoked].concat();
    let proven = proof::holds(installation, &keys.live, evidence.count())?;
    println!("  the proof of the log holds: {}", if proven { "yes" } else { "no" });
    let held = wrong.is_empty() && gaps == 0 && proven;
    if !held {
        println!("  {}", wrong.join(" "));
        installation.keep();
    }
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn options_are_read_or_refused() {
        let options = Options::parse(&["--seconds", "30", "--binary", "x"]).unwrap_or_default();
        assert_eq!((options.time.map(|time| time.as_secs()), options.binary), (Some(30), Some("x".into())));
        assert!(Options::parse(&[]).is_some());
        for wrong in [&["--seconds"][..], &["--seconds", "x"], &["--second", "1"]] {
            assert!(Options::parse(wrong).is_none(), "{wrong:?}");
        }
    }
}
