//! `cargo xtask bench audit`: every figure that is asked of the audit log, over as many events as are wanted.

use std::{
    fs::File,
    io::{BufWriter, Write},
    process::Command,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use super::{key_checks, measure, pages, seed, sign_ins};
use crate::{
    error::{Error, Result},
    figures::{Times, grouped, milliseconds, rate},
    http::Request,
    installation::{EMAIL, Installation, Key, PASSWORD, Workspace},
    json, process,
};

/// Calls a second, come what may.
const PACE: usize = 5_000;
/// Enough that a slow answer keeps no other call from being made in time.
const PACED: usize = 64;
/// Events of each export that is not of the whole log.
const EXPORTED: usize = 200_000;
/// Events of the export that is checked offline.
const VERIFIED: usize = 1_000_000;
/// Searches of each kind.
const SEARCHES: usize = 50;
/// Sealing and indexing of millions take minutes.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Calls first, while the log is short; then everything that reads.
pub fn audit(
    installation: &Installation,
    workspace: &Workspace,
    key: &Key,
    time: Duration,
    events: usize,
) -> Result<()> {
    key_checks(installation, key, time)?;
    paced(installation, key, time)?;
    let session = sign_ins(installation, EMAIL, PASSWORD, 1)?;
    seed::events(installation, workspace, key, events)?;
    follow(installation, "sealed", "select coalesce(max(size), 0) from audit_trees", events)?;
    follow(installation, "in the search", "select coalesce(max(done), 0) from audit_search_heads", events)?;
    installation.psql("vacuum analyze audit_search")?;
    pages::audit_log(installation, workspace, key, &session, events)?;
    searches(installation, key, events)?;
    exports(installation, key, events)?;
    verify(installation, key, events)
}

/// At a fixed pace; how long a call took counts from when it should have been made.
fn paced(installation: &Installation, key: &Key, time: Duration) -> Result<()> {
    let request = Request { bearer: Some(&key.key), ..Request::get("/v1/workspace") };
    let (connected, calls) = (Barrier::new(PACED), time.as_secs() as usize * PACE / PACED);
    let one = |place: usize| -> Result<(Times, Duration)> {
        let (mut client, mut times) = (installation.client(), Times::default());
        let first = client.send(&request);
        // Before anything can fail: the others wait for everybody.
        connected.wait();
        first.map_err(Error::file(request.path))?;
        let begun = Instant::now();
        for call in 0..calls {
            let due = begun + Duration::from_secs_f64((call * PACED + place) as f64 / PACE as f64);
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let answer = client.send(&request).map_err(Error::file(request.path))?;
            times.add(due.elapsed());
            super::expect(200, request.path, &answer)?;
        }
        Ok((times, begun.elapsed()))
    };
    let all: Result<Vec<_>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..PACED).map(|place| scope.spawn(move || one(place))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(Err(Error::Checks))).collect()
    });
    let (all, took): (Vec<_>, Vec<_>) = all?.into_iter().unzip();
    let mut times = Times::default();
    times.extend(all);
    let took = took.into_iter().max().unwrap_or_default();
    println!("at {} calls/s {:>8}/s  {}", grouped(PACE), rate(times.count(), took), times.summary());
    Ok(())
}

/// Waits until the workers have come that far, and says how long it took them.
fn follow(installation: &Installation, what: &str, sql: &str, events: usize) -> Result<()> {
    let begun = Instant::now();
    while installation.psql(sql)?.trim().parse::<usize>().unwrap_or_default() < events {
        thread::sleep(LOOK_AGAIN);
    }
    println!("all {what} {:.1} s after that", begun.elapsed().as_secs_f64());
    Ok(())
}

/// Each is answered with a page, whole or in part; in how many parts the search for something rare comes to its end.
fn searches(installation: &Installation, key: &Key, events: usize) -> Result<()> {
    println!("\nsearches, {SEARCHES} requests each on one connection");
    let of = |seq: usize| {
        format!(
            "select body::json -> 'targets' -> 0 ->> 'id' from audit_events where seq >= {seq} and action = 'api_key.revoked' order by seq limit 1"
        )
    };
    let rare = installation.psql(&of(events / 10))?;
    let cases = [
        ("text, rare, old", format!("%22{}%22", rare.trim())),
        ("text, nowhere", "%22no%20such%20words%22".to_owned()),
        ("text, everywhere", "%22deploy%20from%22".to_owned()),
        ("text, one in fifty", "%22lindqvist%22%20action:api_key.*".to_owned()),
        ("address", "ip:192.0.2.77".to_owned()),
        ("target", format!("target:{}", rare.trim())),
    ];
    for (name, query) in &cases {
        // What was searched for stands in the log as well.
        let path = format!("/v1/audit-events?q={query}%20-action:audit_log.searched");
        let request = Request { bearer: Some(&key.key), ..Request::get(&path) };
        let times = measure(installation, &request, |done| done < SEARCHES)?;
        let (parts, found) = walk(installation, key, &path)?;
        println!("{name:<22} {}  {found} found within {parts} pages", times.summary());
    }
    Ok(())
}

/// Follows the cursor until something was found, or to the end: how many pages that took, and how many events they had.
fn walk(installation: &Installation, key: &Key, path: &str) -> Result<(usize, usize)> {
    let mut cursor = String::new();
    for pages in 1.. {
        let path = format!("{path}{cursor}");
        let answer = installation.send(&Request { bearer: Some(&key.key), ..Request::get(&path) })?.text();
        let found = json::all(&answer, "seq").count();
        match json::first(&answer, "next_cursor") {
            Some(next) if found == 0 => cursor = format!("&cursor={next}"),
            _ => return Ok((pages, found)),
        }
    }
    Ok((0, 0))
}

/// Of the whole log as it is stored, and of its end in every format.
fn exports(installation: &Installation, key: &Key, events: usize) -> Result<()> {
    println!("\nexports, each on one connection");
    let tail = events.saturating_sub(EXPORTED);
    let all = ("ndjson", 0);
    for (format, after) in [all].into_iter().chain(["ndjson", "csv", "ocsf", "ecs", "cef"].map(|format| (format, tail)))
    {
        let path = format!("/v1/audit-log/export?format={format}&cursor={after}");
        let request = Request { bearer: Some(&key.key), ..Request::get(&path) };
        installation.most_memory();
        let (begun, mut first, mut lines, mut bytes) = (Instant::now(), None, 0, 0);
        let received = installation.client().receive(&request, |chunk| {
            first.get_or_insert_with(|| begun.elapsed());
            lines += lines_in(chunk);
            bytes += chunk.len();
        });
        received.map_err(Error::file(&path))?;
        let (first, memory) = (milliseconds(first.unwrap_or_default()), installation.most_memory().unwrap_or_default());
        println!(
            "{format:<8} {:>10} lines {:>8}/s  first byte {first:>5} ms  {:>6} MB  server's memory at most {} MB",
            grouped(lines),
            rate(lines, begun.elapsed()),
            bytes / 1_000_000,
            memory / 1_000
        );
    }
    Ok(())
}

fn lines_in(chunk: &[u8]) -> usize {
    chunk.iter().filter(|byte| **byte == b'\n').count()
}

/// The end of the log, by `send0-verify`.
fn verify(installation: &Installation, key: &Key, events: usize) -> Result<()> {
    let folder = installation.folder();
    let [checkpoint, keys, export] = ["checkpoint", "keys", "export.ndjson"].map(|name| folder.join(name));
    for (path, file) in [("/v1/audit-log/checkpoint", &checkpoint), ("/v1/audit-log/public-key", &keys)] {
        let answer = installation.send(&Request { bearer: Some(&key.key), ..Request::get(path) })?;
        std::fs::write(file, answer.body).map_err(Error::file(file))?;
    }
    let mut file = BufWriter::new(File::create(&export).map_err(Error::file(&export))?);
    let path = format!("/v1/audit-log/export?cursor={}", events.saturating_sub(VERIFIED));
    let request = Request { bearer: Some(&key.key), ..Request::get(&path) };
    let (mut lines, mut written) = (0, Ok(()));
    let received = installation.client().receive(&request, |chunk| {
        lines += lines_in(chunk);
        written = std::mem::replace(&mut written, Ok(())).and_then(|()| file.write_all(chunk));
    });
    received.and(written).and_then(|()| file.flush()).map_err(Error::file(&export))?;
    let begun = Instant::now();
    let mut verify = Command::new(installation.beside("send0-verify"));
    print!("\nsend0-verify: ");
    let (holds, _) =
        process::tee(verify.arg(&export).arg("--checkpoint").arg(&checkpoint).arg("--public-key").arg(&keys))?;
    println!("{}/s", rate(lines, begun.elapsed()));
    if holds { Ok(()) } else { Err(Error::Checks) }
}
