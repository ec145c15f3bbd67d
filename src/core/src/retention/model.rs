use serde::Serialize;
use time::{Duration, OffsetDateTime};

/// What may be chosen, in days, as far as the plan allows. A year is the least on every plan.
pub const CHOICES: [u32; 5] = [365, 730, 1095, 1825, 2555];

/// How long a shorter time waits before anything is removed.
pub const GRACE: Duration = Duration::days(7);

/// How long the audit log is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Retention {
    /// Days, at least 365.
    pub audit_days: u32,
    /// What the plan comes with at most.
    pub max_days: u32,
    /// A shorter time that waits, if one does.
    pub waiting: Option<Waiting>,
}

/// A shorter time that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Waiting {
    /// Days.
    pub audit_days: u32,
    /// From when it counts.
    #[serde(with = "time::serde::rfc3339")]
    pub until: OffsetDateTime,
}

impl Retention {
    /// The choices that the plan leaves.
    pub fn choices(&self) -> impl Iterator<Item = u32> + use<> {
        let max = self.max_days;
        CHOICES.into_iter().filter(move |days| *days <= max)
    }
}

/// What a choice would mean today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The choice, in days.
    pub days: u32,
    /// How many events are past it and would go.
    pub events: i64,
}

/// What was removed once, with what is left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// The first event that went.
    pub from: i64,
    /// The last event that went.
    pub to: i64,
    /// When.
    pub at: OffsetDateTime,
    /// The last moment of what went.
    pub last_at: OffsetDateTime,
    /// The receipt: a signed checkpoint of exactly what went and all before it.
    pub note: String,
}
