//! The clients: each calls as fast as it is answered, and remembers what it was answered.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    figures::{Times, grouped},
    http::{Client, Request},
};

/// Clients at once.
pub const CLIENTS: usize = 8;
/// Before another try at what does not answer.
const PAUSE: Duration = Duration::from_millis(5);

/// The keys that the clients call with.
#[derive(Debug)]
pub struct Keys {
    /// May do everything.
    pub live: String,
    /// May ask who it is.
    pub test: String,
    /// May do nothing any more.
    pub revoked: String,
}

/// A key, a method, a path, and the status that is right.
type Call = (fn(&Keys) -> &str, &'static str, &'static str, u16);

/// One of everything, and of the most common one more.
const CALLS: [Call; 10] = [
    (|keys| &keys.live, "GET", "/v1/workspace", 200),
    (|keys| &keys.live, "GET", "/v1/api-keys?limit=5", 200),
    (|keys| &keys.test, "GET", "/v1/workspace", 200),
    (|keys| &keys.live, "GET", "/v1/members", 200),
    (|keys| &keys.test, "GET", "/v1/members", 403),
    (|keys| &keys.live, "GET", "/v1/audit-events?limit=1", 200),
    (|keys| &keys.live, "GET", "/v1/workspace?unknown=1", 400),
    (|keys| &keys.live, "DELETE", "/v1/api-keys/key_00000000000000000000000000", 404),
    (|keys| &keys.live, "POST", "/v1/workspace", 405),
    (|keys| &keys.revoked, "GET", "/v1/workspace", 401),
];

/// What all clients share.
pub struct Clients<'a> {
    port: u16,
    keys: &'a Keys,
    revocable: Mutex<Vec<String>>,
    alarms: AtomicUsize,
    stop: AtomicBool,
    began: Instant,
    /// When the latest call began that went well, in microseconds from then.
    latest: AtomicU64,
}

/// What the clients were answered.
#[derive(Debug, Default)]
pub struct Tally {
    /// The request ids of what was answered: done, or refused for a reason.
    pub answered: Vec<String>,
    /// The ids of the keys that were revoked.
    pub revoked: Vec<String>,
    /// How long the answers took that were right.
    pub times: Times,
    /// How often each status was not the one that is right.
    wrong: BTreeMap<u16, usize>,
    /// Calls that got no answer, or not all of one.
    unanswered: usize,
}

impl<'a> Clients<'a> {
    /// They do not call yet.
    pub fn new(port: u16, keys: &'a Keys, revocable: Vec<String>) -> Self {
        let (alarms, stop, latest) = (AtomicUsize::new(0), AtomicBool::new(false), AtomicU64::new(0));
        Self { port, keys, revocable: Mutex::new(revocable), alarms, stop, began: Instant::now(), latest }
    }

    /// They call until the other thing is done.
    pub fn run<T>(&self, other: impl FnOnce() -> T) -> (Tally, T) {
        thread::scope(|scope| {
            let threads: Vec<_> = (0..CLIENTS).map(|number| scope.spawn(move || self.call(number))).collect();
            let done = other();
            self.stop.store(true, Ordering::Relaxed);
            let mut tally = Tally::default();
            threads.into_iter().filter_map(|thread| thread.join().ok()).for_each(|one| tally.add(one));
            (tally, done)
        })
    }

    /// Has each of them revoke a key now, so that what is killed is killed while it changes something.
    pub fn alarm(&self) {
        self.alarms.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether a call that began after this went well.
    pub fn are_served_since(&self, moment: Instant) -> bool {
        u128::from(self.latest.load(Ordering::Relaxed)) > (moment - self.began).as_micros()
    }

    fn call(&self, number: usize) -> Tally {
        let (mut client, mut tally) = (Client::new(self.port), Tally::default());
        let (mut alarms, mut to_revoke) = (0, Vec::new());
        for turn in number.. {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            if alarms < self.alarms.load(Ordering::Relaxed) {
                alarms += 1;
                to_revoke.extend(self.take_revocable());
            }
            let good = match to_revoke.last() {
                Some(key) => self.revoke(&mut client, key, &mut tally) && to_revoke.pop().is_some(),
                None => self.ask(&mut client, CALLS[turn % CALLS.len()], &mut tally),
            };
            if !good {
                thread::sleep(PAUSE);
            }
        }
        tally
    }

    fn take_revocable(&self) -> Option<String> {
        self.revocable.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn revoke(&self, client: &mut Client, key: &str, tally: &mut Tally) -> bool {
        let path = format!("/v1/api-keys/{key}");
        let revoked = self.send(client, (&self.keys.live, "DELETE", &path, 200), tally);
        if revoked {
            tally.revoked.push(key.to_owned());
        }
        revoked
    }

    fn ask(&self, client: &mut Client, (key, method, path, right): Call, tally: &mut Tally) -> bool {
        self.send(client, (key(self.keys), method, path, right), tally)
    }

    /// Whether the answer is the one that is right.
    fn send(&self, client: &mut Client, call: (&str, &str, &str, u16), tally: &mut Tally) -> bool {
        let (key, method, path, right) = call;
        let begun = Instant::now();
        let Ok(answer) = client.send(&Request { method, bearer: Some(key), ..Request::get(path) }) else {
            tally.unanswered += 1;
            return false;
        };
        if answer.status < 500 {
            tally.answered.push(answer.header("x-request-id").unwrap_or("(none)").to_owned());
        }
        if answer.status != right {
            *tally.wrong.entry(answer.status).or_default() += 1;
            return false;
        }
        tally.times.add(begun.elapsed());
        let begun = u64::try_from((begun - self.began).as_micros()).unwrap_or_default();
        self.latest.fetch_max(begun, Ordering::Relaxed);
        true
    }
}

impl Tally {
    fn add(&mut self, mut other: Self) {
        self.answered.append(&mut other.answered);
        self.revoked.append(&mut other.revoked);
        self.times.extend([other.times]);
        self.unanswered += other.unanswered;
        for (status, count) in other.wrong {
            *self.wrong.entry(status).or_default() += count;
        }
    }

    /// Whether every call got the answer that is right.
    pub fn is_undisturbed(&self) -> bool {
        self.unanswered == 0 && self.wrong.is_empty()
    }

    /// Says how it went.
    pub fn report(&self, took: Duration) {
        let (answered, seconds) = (grouped(self.answered.len()), took.as_secs_f64());
        println!(
            "{answered} calls of {CLIENTS} clients answered in {seconds:.1} s; without an answer: {}",
            self.unanswered
        );
        for (status, count) in &self.wrong {
            println!("  answered {status} instead: {}", grouped(*count));
        }
    }
}
