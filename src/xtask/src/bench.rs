//! `cargo xtask bench`: figures, not limits. The clients run on the same machine and take their share of it.

mod audit;
mod pages;
mod seed;

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    drill::Options,
    error::{Error, Result},
    figures::{Times, rate},
    http::{Answer, Request},
    installation::{EMAIL, Installation, Key, PASSWORD, Workspace},
    product::{self, Profile},
    setup::{self, Scope, setup},
};

/// Connections at once, one measurement each.
const CONNECTIONS: [usize; 4] = [1, 8, 64, 256];
/// Each measurement of key checks, after a warm-up.
const TIME: Duration = Duration::from_secs(8);
const WARM_UP: Duration = Duration::from_secs(1);
/// Argon2 makes each of them slow on purpose.
const SIGN_INS: usize = 20;
/// Events of the log that the pages are measured over.
const SOME: usize = 1_000_000;
/// Events of `bench audit` without `--events`.
const MANY: usize = 10_000_000;
/// Of each page.
const REQUESTS: usize = 200;

/// Key checks, sign-ins, the audit log with a million events, and the bytes of what is sent; or, by `audit`, the audit log alone.
pub fn bench(arguments: &[&str]) -> Result<()> {
    let usage = || Error::Usage("cargo xtask bench [audit] [--events N] [--seconds N] [--binary FILE]".to_owned());
    let (of_audit, options) = match arguments.split_first() {
        Some((&"audit", options)) => (true, options),
        _ => (false, arguments),
    };
    let Options { time, binary, events } = Options::parse(options).ok_or_else(usage)?;
    let (time, events) = (time.unwrap_or(TIME), events.unwrap_or(if of_audit { MANY } else { SOME }));
    if events > seed::MOST {
        return Err(usage());
    }
    let (project, binary) = match binary {
        Some(binary) => (setup::found(), binary),
        None => {
            let project = setup(Scope::Build)?;
            product::build_release(&project)?;
            let binary = Profile::Release.binary(&project);
            (project, binary)
        }
    };
    let cores = thread::available_parallelism().map_or(0, |cores| cores.get());
    println!("\n{} on {cores} cores, which the clients share", binary.display());
    let begun = Instant::now();
    let installation = Installation::start(&project, binary)?;
    let workspace = installation.workspace("Bench")?;
    let key = installation.key(&workspace, "bench", "live")?;
    checks_once(&installation, &key)?;
    println!("\nfrom an empty folder to the first key used: {:.1} s", begun.elapsed().as_secs_f64());
    match of_audit {
        true => audit::audit(&installation, &workspace, &key, time, events),
        false => product(&installation, &workspace, &key, time, events),
    }
}

fn product(installation: &Installation, workspace: &Workspace, key: &Key, time: Duration, events: usize) -> Result<()> {
    key_checks(installation, key, time)?;
    let session = sign_ins(installation, EMAIL, PASSWORD, SIGN_INS)?;
    demo(installation)?;
    seed::events(installation, workspace, key, events)?;
    pages::audit_log(installation, workspace, key, &session, events)?;
    pages::sizes(installation, workspace, &session)
}

/// `GET /v1/workspace`: recognises the key, reads nothing more, and commits its event before it answers.
fn key_checks(installation: &Installation, key: &Key, time: Duration) -> Result<()> {
    println!("\nkey checks, GET /v1/workspace, each with its event committed");
    checks_with(installation, key, 8, WARM_UP)?;
    for connections in CONNECTIONS {
        let times = checks_with(installation, key, connections, time)?;
        println!("{connections:>4} connections {:>8}/s  {}", rate(times.count(), time), times.summary());
    }
    Ok(())
}

fn checks_once(installation: &Installation, key: &Key) -> Result<Times> {
    let request = Request { bearer: Some(&key.key), ..Request::get("/v1/workspace") };
    measure(installation, &request, |done| done == 0)
}

fn checks_with(installation: &Installation, key: &Key, connections: usize, time: Duration) -> Result<Times> {
    let request = Request { bearer: Some(&key.key), ..Request::get("/v1/workspace") };
    let end = Instant::now() + time;
    let all: Result<Vec<_>> = thread::scope(|scope| {
        let one = || measure(installation, &request, |_| Instant::now() < end);
        let threads: Vec<_> = (0..connections).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(Err(Error::Checks))).collect()
    });
    let mut times = Times::default();
    times.extend(all?);
    Ok(times)
}

/// The same request over and over on one connection, which must be answered 200.
fn measure(installation: &Installation, request: &Request, go_on: impl Fn(usize) -> bool) -> Result<Times> {
    let (mut client, mut times) = (installation.client(), Times::default());
    while go_on(times.count()) {
        let begun = Instant::now();
        let answer = client.send(request).map_err(Error::file(request.path))?;
        times.add(begun.elapsed());
        expect(200, request.path, &answer)?;
    }
    Ok(times)
}

fn expect(status: u16, path: &str, answer: &Answer) -> Result<()> {
    if answer.status == status {
        return Ok(());
    }
    Err(Error::Failed {
        what: format!("{path} (answered {} instead of {status})", answer.status),
        output: answer.text(),
        remedy: String::new(),
    })
}

/// The pages of a workspace as people have it, not of an empty one.
fn demo(installation: &Installation) -> Result<()> {
    let begun = Instant::now();
    let demo = installation.demo()?;
    println!("\nsend0 demo took {:.1} s", begun.elapsed().as_secs_f64());
    let session = sign_ins(installation, &demo.email, &demo.password, 1)?;
    pages::demo(installation, &demo.slug, &session)
}

/// Through the form, one after the other. Returns the cookie of the last session.
fn sign_ins(installation: &Installation, email: &str, password: &str, count: usize) -> Result<String> {
    const PATH: &str = "/_fn/app/accounts/server_fns/sign_in";
    let origin = installation.origin();
    let form = format!("email={}&password={}&next=%2F", email.replace('@', "%40"), password.replace(' ', "+"));
    let headers = [("Origin", origin.as_str()), ("Accept", "text/html")];
    let request = Request { method: "POST", headers: &headers, body: &form, ..Request::get(PATH) };
    let (mut times, mut cookie) = (Times::default(), None);
    for _ in 0..count {
        let begun = Instant::now();
        let answer = installation.send(&request)?;
        times.add(begun.elapsed());
        expect(303, PATH, &answer)?;
        let set = answer.header("set-cookie").and_then(|set| set.split(';').next());
        cookie = set.map(str::to_owned);
    }
    println!("\nsign-ins, one after the other  {}", times.summary());
    cookie
        .filter(|cookie| cookie.contains("session"))
        .ok_or_else(|| installation.failure("signing in (no session came back)"))
}
