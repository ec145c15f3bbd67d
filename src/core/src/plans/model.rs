use crate::ids::WorkspaceId;
use std::{fmt, str::FromStr};
use time::OffsetDateTime;

/// The longest reason of an operator.
pub const WHY_MAX: usize = 1000;

/// What a workspace is on, from the smallest to the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Plan {
    /// What every workspace begins with.
    Free,
    /// For a team.
    Growth,
    /// For a company.
    Scale,
    /// By contract.
    Enterprise,
}

/// How much of everything there is on a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// How long the content of messages is kept.
    pub content_days: u32,
    /// How long events of the audit log are kept.
    pub audit_days: u32,
    /// How many people are in the workspace.
    pub members: u32,
    /// How many API keys live at the same time.
    pub keys: u32,
}

impl Plan {
    /// Every plan, the smallest first.
    pub const ALL: [Self; 4] = [Self::Free, Self::Growth, Self::Scale, Self::Enterprise];

    /// As stored and as forms send it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Growth => "growth",
            Self::Scale => "scale",
            Self::Enterprise => "enterprise",
        }
    }

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Free => "Free",
            Self::Growth => "Growth",
            Self::Scale => "Scale",
            Self::Enterprise => "Enterprise",
        }
    }

    /// What it comes with.
    pub fn caps(self) -> Caps {
        match self {
            Self::Free => Caps { content_days: 7, audit_days: 365, members: 5, keys: 10 },
            Self::Growth => Caps { content_days: 30, audit_days: 365, members: 25, keys: 50 },
            Self::Scale => Caps { content_days: 90, audit_days: 730, members: 100, keys: 200 },
            Self::Enterprise => Caps { content_days: 365, audit_days: 2555, members: 1000, keys: 1000 },
        }
    }
}

impl FromStr for Plan {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|plan| plan.as_str() == text).ok_or(())
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A workspace as operators see it: how much there is, and no content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnPlan {
    /// Which.
    pub workspace: WorkspaceId,
    /// Its name in URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// What it is on.
    pub plan: Plan,
    /// Since when there is the workspace.
    pub created_at: OffsetDateTime,
    /// How many people are in it.
    pub members: i64,
    /// How many of its keys open anything.
    pub keys: i64,
}

#[cfg(test)]
mod model_tests {
    use super::*;

    #[test]
    fn a_plan_is_its_word() {
        for plan in Plan::ALL {
            assert_eq!(plan.to_string().parse(), Ok(plan));
            assert_eq!(plan.name().to_lowercase(), plan.as_str());
        }
        for wrong in ["", "Free", "gold"] {
            assert_eq!(wrong.parse::<Plan>(), Err(()), "{wrong}");
        }
    }

    #[test]
    fn a_larger_plan_has_no_less_and_none_forgets_within_a_year() {
        assert!(Plan::ALL.is_sorted());
        let all = Plan::ALL.map(Plan::caps).map(|caps| [caps.content_days, caps.audit_days, caps.members, caps.keys]);
        for pair in all.windows(2) {
            assert!(pair[0].iter().zip(pair[1]).all(|(less, more)| *less <= more), "{pair:?}");
        }
        assert!(Plan::ALL.iter().all(|plan| plan.caps().audit_days >= 365));
    }
}
