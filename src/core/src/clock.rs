//! The time, which tests and `send0 demo` set. Audit events take the database's own clock, under the lock that orders
//! them.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use time::{Duration, OffsetDateTime};

/// Tells the time in UTC. Clones share what a test sets.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead_ms: Arc<AtomicI64>,
}

impl Clock {
    /// Now, at microsecond precision, as PostgreSQL keeps it.
    pub fn now(&self) -> OffsetDateTime {
        let now = OffsetDateTime::now_utc() + Duration::milliseconds(self.ahead_ms.load(Ordering::Relaxed));
        now.replace_nanosecond(now.microsecond() * 1_000).unwrap_or(now)
    }

    /// Sets the clock; it runs on from there.
    pub fn set(&self, to: OffsetDateTime) {
        let ms = i64::try_from((to - OffsetDateTime::now_utc()).whole_milliseconds()).unwrap_or_default();
        self.ahead_ms.store(ms, Ordering::Relaxed);
    }

    /// Moves the clock forward.
    #[cfg(feature = "testing")]
    pub fn advance(&self, by: Duration) {
        let ms = i64::try_from(by.whole_milliseconds()).unwrap_or(i64::MAX);
        self.ahead_ms.fetch_add(ms, Ordering::Relaxed);
    }
}
