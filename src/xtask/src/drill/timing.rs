//! `cargo xtask drill timing`: whether an account exists must not show in how long an answer takes (ASVS 6.3.8).
//!
//! Both kinds of address are tried in turn, on one connection. The slowest twentieth of all is left out, where the machine did
//! something else; of the rest, Welch's t says how unlikely the difference would be by chance. Beyond 4.5 somebody could
//! tell (the bound of dudect).

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::{
    error::{Error, Result},
    figures::grouped,
    http::{Client, Request},
    installation::{EMAIL, Installation},
    project::Project,
};

const BOUND: f64 = 4.5;
const UNKNOWN: &str = "nobody@example.com";
/// Fewer than any throttle lets pass at once.
const BEFORE_A_WAIT: usize = 4;

struct Form {
    what: &'static str,
    path: &'static str,
    fields: &'static str,
}

const FORMS: [Form; 2] = [
    Form {
        what: "a wrong password",
        path: "/_fn/app/accounts/server_fns/sign_in",
        fields: "&password=wrong+words+three",
    },
    Form { what: "a forgotten one", path: "/_fn/app/accounts/server_fns/request_reset", fields: "" },
];

/// Compares both forms, each for so long.
pub fn timing(project: &Project, binary: PathBuf, time: Duration) -> Result<bool> {
    let installation = Installation::start(project, binary)?;
    installation.workspace("Timing")?;
    let mut held = true;
    for form in FORMS {
        let (known, unknown) = compare(&installation, &form, time)?;
        let t = welch(&known, &unknown);
        let [of_known, of_unknown] = [&known, &unknown].map(|times| mean(times) * 1000.0);
        println!(
            "{:<17} {} times each: {of_known:.3} ms known, {of_unknown:.3} ms unknown, t = {t:.2}",
            form.what,
            grouped(known.len().min(unknown.len()))
        );
        held &= t.abs() < BOUND;
    }
    Ok(held)
}

/// Seconds, of the known and of the unknown account.
fn compare(installation: &Installation, form: &Form, time: Duration) -> Result<(Vec<f64>, Vec<f64>)> {
    let (mut client, mut known, mut unknown) = (installation.client(), vec![], vec![]);
    let end = Instant::now() + time;
    for round in 0.. {
        if round % BEFORE_A_WAIT == 0 {
            installation.psql("delete from throttles")?;
        }
        // Who comes first changes, so that neither is always the one after the other.
        let (first, second) = if round % 2 == 0 { (EMAIL, UNKNOWN) } else { (UNKNOWN, EMAIL) };
        for email in [first, second] {
            let taken = once(installation, &mut client, form, email)?;
            if email == EMAIL { known.push(taken) } else { unknown.push(taken) }
        }
        if Instant::now() > end {
            break;
        }
    }
    let slow = slowest_twentieth(known.iter().chain(&unknown).copied().collect());
    for times in [&mut known, &mut unknown] {
        times.retain(|time| *time < slow);
    }
    Ok((known, unknown))
}

fn once(installation: &Installation, client: &mut Client, form: &Form, email: &str) -> Result<f64> {
    let origin = installation.origin();
    let body = format!("email={}{}", email.replace('@', "%40"), form.fields);
    let headers = [("Origin", origin.as_str()), ("Accept", "text/html")];
    let request = Request { method: "POST", headers: &headers, body: &body, ..Request::get(form.path) };
    let begun = Instant::now();
    let answer = client.send(&request).map_err(Error::file(form.path))?;
    let taken = begun.elapsed().as_secs_f64();
    match answer.status {
        303 => Ok(taken),
        _ => Err(installation.failure(form.what)),
    }
}

fn slowest_twentieth(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times.get(times.len() * 19 / 20).copied().unwrap_or(f64::INFINITY)
}

fn mean(times: &[f64]) -> f64 {
    times.iter().sum::<f64>() / times.len() as f64
}

fn variance_of_mean(times: &[f64]) -> f64 {
    let (mean, count) = (mean(times), times.len() as f64);
    times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0) / count
}

/// The difference of the means, in its own standard errors.
fn welch(one: &[f64], other: &[f64]) -> f64 {
    (mean(one) - mean(other)) / (variance_of_mean(one) + variance_of_mean(other)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_told_from_what_does_not() {
        let around = |middle: f64| (0..1000).map(|n| middle + f64::from(n % 10)).collect::<Vec<_>>();
        assert!(welch(&around(100.0), &around(100.0)).abs() < 0.01);
        assert!(welch(&around(101.0), &around(100.0)) > BOUND);
        assert!(welch(&around(100.0), &around(101.0)) < -BOUND);
        assert_eq!(slowest_twentieth((0..100).map(f64::from).collect()), 95.0);
    }
}
