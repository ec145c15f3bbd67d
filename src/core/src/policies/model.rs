use crate::{FieldError, two_factor::Factors};
use time::OffsetDateTime;

/// The shortest and the longest time that members get, in days.
pub const GRACE_DAYS: std::ops::RangeInclusive<i32> = 1..=30;

/// What is demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// A second factor.
    pub require_two_factor: bool,
    /// And that one signs in with a passkey.
    pub require_passkey: bool,
    /// How long members get until it is demanded of them.
    pub grace_days: i32,
}

impl Policy {
    /// Of a new workspace.
    pub const NEW: Self = Self { require_two_factor: true, require_passkey: false, grace_days: 7 };
    /// Of a workspace that never said anything.
    pub const NONE: Self = Self { require_two_factor: false, ..Self::NEW };
}

/// A policy as typed.
#[derive(Clone, Debug, Default)]
pub struct PolicyText {
    /// `off`, `two_factor` or `passkey`.
    pub demand: String,
    /// A number of days.
    pub grace_days: String,
}

/// What can be demanded, as forms have it.
pub const DEMANDS: [&str; 3] = ["off", "two_factor", "passkey"];

impl PolicyText {
    /// # Errors
    /// With every field that is wrong.
    pub fn parse(&self) -> Result<Policy, Vec<FieldError>> {
        let mut errors = vec![];
        if !DEMANDS.contains(&self.demand.as_str()) {
            errors.push(FieldError::new("demand", "unknown_demand", "Choose what is demanded."));
        }
        let days = self.grace_days.trim().parse().ok().filter(|days| GRACE_DAYS.contains(days));
        if days.is_none() {
            errors.push(FieldError::new("grace_days", "out_of_range", "A number of days from 1 to 30."));
        }
        match days {
            Some(grace_days) if errors.is_empty() => Ok(Policy {
                require_two_factor: self.demand != "off",
                require_passkey: self.demand == "passkey",
                grace_days,
            }),
            _ => Err(errors),
        }
    }
}

/// Somebody who cannot show what is demanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    /// How they are called.
    pub name: String,
    /// Their mail address.
    pub email: String,
    /// What they can show.
    pub factors: Factors,
    /// Until when they may come in without.
    pub due_at: Option<OffsetDateTime>,
}

/// What a workspace demands of one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// That they sign in with a passkey, not only that they have a second factor.
    pub passkey: bool,
    /// Until when they may come in without.
    pub due_at: OffsetDateTime,
}

impl Demand {
    /// Whether these factors are enough, however one has signed in.
    pub fn is_met_by(self, factors: Factors) -> bool {
        if self.passkey { factors.passkeys > 0 } else { factors.is_second() }
    }
}

#[cfg(test)]
mod model_tests {
    use super::*;

    #[test]
    fn a_policy_is_read_from_its_form() {
        let parse = |demand: &str, days: &str| {
            PolicyText { demand: demand.into(), grace_days: days.into() }
                .parse()
                .map_err(|errors| errors.into_iter().map(|error| error.field).collect::<Vec<_>>())
        };
        assert_eq!(parse("two_factor", "7"), Ok(Policy::NEW));
        assert_eq!(parse("passkey", " 30 "), Ok(Policy { require_passkey: true, grace_days: 30, ..Policy::NEW }));
        assert_eq!(parse("off", "7"), Ok(Policy::NONE));
        assert_eq!(parse("", "0"), Err(vec!["demand".into(), "grace_days".into()]));
        for days in ["31", "-1", "", "x", "1.5"] {
            assert_eq!(parse("off", days), Err(vec!["grace_days".into()]), "{days}");
        }
    }
}
