//! What is killed when, and how long it takes until calls go well again.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::clients::{CLIENTS, Clients};
use crate::{
    error::Result,
    figures::{Times, milliseconds},
    installation::Installation,
};

/// Of a full run: PostgreSQL 20 times and the server 50 times.
const KILLS: usize = 70;
/// Of so many, two are PostgreSQL's.
const ROUND: usize = 7;
/// A run has at least one of PostgreSQL between two of the server.
const FEWEST: usize = 3;
/// Keys to revoke in a run that is not a full one.
const FEW: usize = 40;
/// How long a kill, its recovery and the calls before it take, when there is a limit.
const EACH: Duration = Duration::from_secs(3);

/// How many kills, in how much time.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    kills: usize,
    time: Duration,
}

/// How long it took each time, from the kill to a good answer.
#[derive(Debug, Default)]
pub struct Recoveries {
    server: Times,
    postgres: Times,
}

impl Plan {
    /// Without a time, a full run.
    pub fn new(time: Option<Duration>) -> Self {
        let fit = |time: Duration| (time.as_secs() / EACH.as_secs()) as usize;
        Self { kills: time.map_or(KILLS, fit).clamp(FEWEST, KILLS), time: time.unwrap_or(Duration::MAX) }
    }

    /// How many keys the clients can revoke. To issue one takes a moment, and a short run has no time for many.
    pub fn revocations(self) -> usize {
        let wanted = self.kills * CLIENTS;
        if self.kills < KILLS { wanted.min(FEW) } else { wanted }
    }

    /// Kills one after the other, each when everything goes well again and has for a moment.
    pub fn carry_out(self, installation: &mut Installation, clients: &Clients) -> Result<Recoveries> {
        let (began, mut recoveries) = (Instant::now(), Recoveries::default());
        for number in 0..self.kills {
            if number >= FEWEST && began.elapsed() + EACH > self.time {
                break;
            }
            thread::sleep(pause(number));
            clients.alarm();
            thread::sleep(moment(number));
            match is_of_postgres(number) {
                true => recoveries.postgres.add(kill_postgres(installation, clients)?),
                false => recoveries.server.add(kill_server(installation, clients)?),
            }
        }
        Ok(recoveries)
    }
}

fn is_of_postgres(number: usize) -> bool {
    matches!(number % ROUND, 1 | 4)
}

/// From 0.4 to 1.6 s, never twice the same.
fn pause(number: usize) -> Duration {
    Duration::from_millis(400 + (number as u64 * 467) % 1200)
}

/// Between the alarm and the kill: the calls that it sets off take a few milliseconds.
fn moment(number: usize) -> Duration {
    Duration::from_micros(500 + (number as u64 * 3_700) % 19_000)
}

fn kill_server(installation: &mut Installation, clients: &Clients) -> Result<Duration> {
    let killed = Instant::now();
    installation.kill()?;
    let gone = Instant::now();
    installation.serve()?;
    wait_for_service(installation, clients, gone)?;
    Ok(killed.elapsed())
}

fn kill_postgres(installation: &Installation, clients: &Clients) -> Result<Duration> {
    let before = installation.postmaster();
    let killed = Instant::now();
    installation.kill_postgres()?;
    installation.wait_for("starting PostgreSQL again", || {
        installation.postmaster().filter(|now| before.as_ref() != Some(now))
    })?;
    wait_for_service(installation, clients, Instant::now())?;
    Ok(killed.elapsed())
}

fn wait_for_service(installation: &Installation, clients: &Clients, since: Instant) -> Result<()> {
    installation.wait_for("answering again", || clients.are_served_since(since).then_some(()))
}

impl Recoveries {
    /// Says how it went.
    pub fn report(&self) {
        for (name, times) in [("the server", &self.server), ("PostgreSQL", &self.postgres)] {
            let [half, all] = [0.5, 1.0].map(|share| milliseconds(times.quantile(share)));
            println!(
                "{name} killed {} times; calls went well again after {half} ms (median), {all} ms (at most)",
                times.count()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_run_kills_50_and_20() {
        let postgres = (0..Plan::new(None).kills).filter(|number| is_of_postgres(*number)).count();
        assert_eq!((Plan::new(None).kills - postgres, postgres), (50, 20));
    }

    #[test]
    fn a_short_run_kills_what_fits_but_both() {
        assert_eq!([0, 30, 600].map(|seconds| Plan::new(Some(Duration::from_secs(seconds))).kills), [3, 10, 70]);
    }
}
