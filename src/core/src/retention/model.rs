use crate::ids::LegalHoldId;
use serde::Serialize;
use time::{Duration, OffsetDateTime};

/// What may be chosen, in days, as far as the plan allows. A year is the least on every plan.
pub const CHOICES: [u32; 5] = [365, 730, 1095, 1825, 2555];

/// The most legal holds at once.
pub const HOLDS_MAX: usize = 50;

/// The longest name of a legal hold, in characters.
pub const HOLD_NAME_MAX: usize = 120;

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
    /// What keeps everything for now, however old it is: nothing is removed while there is one.
    pub legal_holds: Vec<LegalHold>,
}

/// A legal hold: everything that is in the log, or comes into it, stays until it is released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LegalHold {
    /// The id.
    pub id: LegalHoldId,
    /// What it is for.
    pub name: String,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub placed_at: OffsetDateTime,
    /// Until when, if it is over.
    #[serde(with = "time::serde::rfc3339::option")]
    pub released_at: Option<OffsetDateTime>,
    /// Who placed it, if they are still a member. For people only: a key that reads this may not read the members.
    #[serde(skip)]
    pub placed_by: Option<String>,
}

impl LegalHold {
    /// Whether it still holds.
    pub fn is_active(&self) -> bool {
        self.released_at.is_none()
    }
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

    /// Whether the time that counts is of an earlier plan, and a shorter one waits.
    pub fn is_beyond_plan(&self) -> bool {
        self.audit_days > self.max_days
    }

    /// Whether what waits is what the plan comes with, so that nobody can call it off.
    pub fn is_bound(&self) -> bool {
        self.is_beyond_plan() && self.waiting.is_some_and(|waiting| waiting.audit_days == self.max_days)
    }

    /// What counts once nothing waits any more, in days.
    pub fn coming_days(&self) -> u32 {
        self.waiting.map_or(self.audit_days, |waiting| waiting.audit_days)
    }

    /// What is stored of it.
    pub fn times(&self) -> (u32, Option<Waiting>) {
        (self.audit_days, self.waiting)
    }

    /// The same under a plan that comes with so many days.
    pub fn under(&self, max_days: u32, now: OffsetDateTime) -> Self {
        let bound = self.waiting.filter(|_| self.is_bound());
        let chosen = self.waiting.filter(|_| !self.is_bound());
        let waiting = match (bound, chosen) {
            _ if self.audit_days <= max_days => chosen,
            // More than was told, on the day that was told.
            (Some(bound), _) if bound.audit_days <= max_days => Some(Waiting { audit_days: max_days, ..bound }),
            (_, Some(chosen)) if chosen.audit_days <= max_days => Some(chosen),
            _ => Some(Waiting { audit_days: max_days, until: now + GRACE }),
        };
        let has_all = self.audit_days == self.max_days && max_days > self.max_days;
        let audit_days = if has_all { max_days } else { self.audit_days };
        Self { audit_days, max_days, waiting, legal_holds: self.legal_holds.clone() }
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
