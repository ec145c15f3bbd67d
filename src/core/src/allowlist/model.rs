use super::Network;
use crate::{AppError, FieldError, api_keys::line, error::Checks, ids::AllowlistEntryId};
use serde::{Deserialize, Serialize};
use std::{net::IpAddr, str::FromStr};
use time::{Duration, OffsetDateTime};

/// The most entries that one list may have.
pub const ENTRIES_MAX: usize = 1_000;
/// The longest note, in characters.
pub const NOTE_MAX: usize = 100;
/// How long an entry may hold, in days, as offered on the form.
pub const LIFETIMES: [u32; 4] = [1, 7, 30, 90];
/// For how long a list may only report, in days, as offered on the form.
pub const REPORTING: [u32; 3] = [7, 14, 30];
/// How long a saved change waits to be confirmed before it goes back.
pub const CONFIRM_WITHIN: Duration = Duration::minutes(10);

/// What is entered: each has a list of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Door {
    /// Pages and forms, by people.
    Dashboard,
    /// `/v1`, by keys.
    Api,
}

impl Door {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Dashboard, Self::Api];

    /// As stored and as in URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dashboard => "dashboard",
            Self::Api => "api",
        }
    }

    /// As people say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dashboard => "the dashboard",
            Self::Api => "the API",
        }
    }
}

impl FromStr for Door {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|door| door.as_str() == text).ok_or(())
    }
}

/// One network that is let in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Entry {
    /// The id. An entry never changes: another network is another entry.
    pub id: AllowlistEntryId,
    /// The network.
    #[serde(rename = "cidr")]
    pub network: Network,
    /// What it is: "the office".
    pub note: String,
    /// When it stops by itself.
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
    /// When it was added.
    #[serde(with = "time::serde::rfc3339")]
    pub added_at: OffsetDateTime,
}

impl Entry {
    /// Whether it lets anybody in at this time.
    pub fn holds(&self, now: OffsetDateTime) -> bool {
        self.expires_at.is_none_or(|at| at > now)
    }
}

/// How a list stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is empty: everybody gets in.
    Off,
    /// Nobody is kept out; who would be is written down.
    ReportOnly,
    /// Only those whom an entry names get in.
    Enforced,
}

/// What a list says of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The list is empty.
    Off,
    /// An entry names it.
    LetIn,
    /// No entry names it, but nobody is kept out yet.
    WouldBlock,
    /// No entry names it.
    Blocked,
}

impl Verdict {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Off, Self::LetIn, Self::WouldBlock, Self::Blocked];

    /// As the database says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::LetIn => "let_in",
            Self::WouldBlock => "would_block",
            Self::Blocked => "blocked",
        }
    }
}

impl FromStr for Verdict {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == text).ok_or(())
    }
}

/// The entries of a list, and whether they are enforced.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// Who is let in.
    pub entries: Vec<Entry>,
    /// By when to decide whether to enforce them. Until somebody does, nobody is kept out. `None`: they are enforced.
    pub decide_by: Option<OffsetDateTime>,
}

impl Rules {
    /// How they stand.
    pub fn state(&self) -> State {
        match self.decide_by {
            _ if self.entries.is_empty() => State::Off,
            Some(_) => State::ReportOnly,
            None => State::Enforced,
        }
    }

    /// The entry that lets this address in.
    pub fn naming(&self, address: IpAddr, now: OffsetDateTime) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.holds(now) && entry.network.contains(address))
    }

    /// What they say of an address; of one that is not known, what they say of one that nobody named.
    pub fn verdict(&self, address: Option<IpAddr>, now: OffsetDateTime) -> Verdict {
        let is_named = address.is_some_and(|address| self.naming(address, now).is_some());
        match self.state() {
            State::Off => Verdict::Off,
            _ if is_named => Verdict::LetIn,
            State::ReportOnly => Verdict::WouldBlock,
            State::Enforced => Verdict::Blocked,
        }
    }

    /// Those entries that do not stop by themselves.
    pub fn lasting(&self) -> Self {
        let entries = self.entries.iter().filter(|entry| entry.expires_at.is_none()).cloned().collect();
        Self { entries, decide_by: self.decide_by }
    }

    /// Whether both let in the same, in the same way.
    pub fn is_same(&self, other: &Self) -> bool {
        let ids = |rules: &Self| {
            let mut ids: Vec<AllowlistEntryId> = rules.entries.iter().map(|entry| entry.id).collect();
            ids.sort_unstable();
            ids
        };
        self.decide_by == other.decide_by && ids(self) == ids(other)
    }
}

/// The list of one door: what is in force, and what somebody is preparing.
#[derive(Clone, Debug, PartialEq)]
pub struct Allowlist {
    /// Of which door.
    pub door: Door,
    /// Counts every change. A form says which one it was made from.
    pub version: i64,
    /// What counts now.
    pub in_force: Rules,
    /// What will count once it is saved.
    pub draft: Rules,
    /// What counts now goes back to what was before at this time, unless somebody confirms it.
    pub reverts_at: Option<OffsetDateTime>,
}

impl Allowlist {
    /// Whether saving the draft would change anything.
    pub fn is_drafted(&self) -> bool {
        !self.draft.is_same(&self.in_force)
    }

    /// As the API gives it.
    pub fn view(self) -> AllowlistView {
        AllowlistView {
            state: self.in_force.state(),
            decide_by: self.in_force.decide_by,
            reverts_at: self.reverts_at,
            entries: self.in_force.entries,
        }
    }
}

/// What is in force at one door, as the API gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AllowlistView {
    /// How it stands.
    pub state: State,
    /// By when to decide whether to enforce it, while it only reports.
    #[serde(with = "time::serde::rfc3339::option")]
    pub decide_by: Option<OffsetDateTime>,
    /// When it goes back to what was before, unless somebody confirms it.
    #[serde(with = "time::serde::rfc3339::option")]
    pub reverts_at: Option<OffsetDateTime>,
    /// Who gets in. Empty: everybody.
    pub entries: Vec<Entry>,
}

/// An entry as a form has it.
#[derive(Clone, Debug, Default)]
pub struct NewEntryText {
    /// An address or a network.
    pub cidr: String,
    /// What it is.
    pub note: String,
    /// Days until it stops; empty: never.
    pub lifetime: String,
}

/// An entry that may be added.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEntry {
    /// The network.
    pub network: Network,
    /// What it is.
    pub note: String,
    /// Days until it stops.
    pub lifetime: Option<u32>,
}

impl NewEntryText {
    /// Parses every field.
    ///
    /// # Errors
    /// [`AppError::Invalid`] with every field that is wrong.
    pub fn parse(&self) -> Result<NewEntry, AppError> {
        let mut checks = Checks::default();
        let network = checks.keep(Network::parse(&self.cidr));
        let note = checks.keep(match self.note.trim() {
            "" => Ok(String::new()),
            note => line("note", note, NOTE_MAX),
        });
        let lifetime = checks.keep(parse_days("lifetime", &self.lifetime));
        checks.finish()?;
        let (Some(network), Some(note), Some(lifetime)) = (network, note, lifetime) else {
            return Err(AppError::Internal);
        };
        Ok(NewEntry { network, note, lifetime })
    }
}

impl NewEntry {
    /// When it stops, entered now.
    pub fn expires_at(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        self.lifetime.map(|days| now + Duration::days(days.into()))
    }
}

/// A number of days, at most a year; empty: none.
pub fn parse_days(field: &str, text: &str) -> Result<Option<u32>, FieldError> {
    match text.trim() {
        "" => Ok(None),
        days => match days.parse() {
            Ok(days @ 1..=365) => Ok(Some(days)),
            _ => Err(FieldError::new(field, "out_of_range", "Between 1 and 365 days, or nothing.")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn entry(cidr: &str, expires_at: Option<OffsetDateTime>) -> Entry {
        let added_at = OffsetDateTime::UNIX_EPOCH;
        let network = Network::parse(cidr).expect("network");
        Entry { id: AllowlistEntryId::new(), network, note: String::new(), expires_at, added_at }
    }

    #[test]
    fn an_empty_list_keeps_nobody_out_and_an_unknown_address_is_named_by_nothing() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let (inside, outside) = ("10.1.2.3".parse().ok(), "11.1.2.3".parse().ok());
        let mut rules = Rules::default();
        assert_eq!(rules.verdict(outside, now), Verdict::Off);
        rules.entries.push(entry("10.0.0.0/8", None));
        for (address, verdict) in [(inside, Verdict::LetIn), (outside, Verdict::Blocked), (None, Verdict::Blocked)] {
            assert_eq!(rules.verdict(address, now), verdict);
        }
        assert_eq!(rules.verdict("::ffff:10.1.2.3".parse().ok(), now), Verdict::LetIn);
        rules.decide_by = Some(now);
        assert_eq!(rules.verdict(outside, now), Verdict::WouldBlock);
    }

    #[test]
    fn an_entry_stops_by_itself() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let rules = Rules { entries: vec![entry("10.0.0.0/8", Some(now))], decide_by: None };
        let inside = "10.1.2.3".parse().ok();
        assert_eq!(rules.verdict(inside, now - Duration::SECOND), Verdict::LetIn);
        assert_eq!(rules.verdict(inside, now), Verdict::Blocked);
        assert!(rules.lasting().entries.is_empty());
    }

    #[test]
    fn every_wrong_field_is_named() {
        let text = NewEntryText { cidr: "10.0.0.1/8".into(), note: "x".repeat(101), lifetime: "0".into() };
        let Err(AppError::Invalid(errors)) = text.parse() else { panic!("accepted") };
        let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["cidr", "note", "lifetime"]);
    }
}
