use crate::{
    AppError, FieldError,
    api_keys::line,
    error::Checks,
    ids::{NoticeId, SubprocessorId, WorkspaceId},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use time::{Date, Duration, OffsetDateTime, PrimitiveDateTime, macros::format_description};

/// How long ahead a change is made known: 30 full days, counted on instants. The database holds it as well.
pub const AHEAD: Duration = Duration::hours(30 * 24);
/// The longest reason of an operator.
pub const WHY_MAX: usize = 1000;
/// The longest objection, and the longest answer to one.
pub const REASON_MAX: usize = 2000;
const TEXT_MAX: usize = 300;
const VENDOR_MAX: usize = 100;
const REGIONS_MAX: usize = 20;

/// What one needs to know of a subprocessor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Details {
    /// Who it is.
    pub vendor: String,
    /// What for.
    pub purpose: String,
    /// Which data it gets.
    pub data: String,
    /// Where.
    pub regions: Vec<String>,
}

impl Details {
    /// Field by field, with a name for people.
    pub fn fields(&self) -> [(&'static str, String); 4] {
        [
            ("Vendor", self.vendor.clone()),
            ("Purpose", self.purpose.clone()),
            ("Data", self.data.clone()),
            ("Regions", self.regions.join(", ")),
        ]
    }
}

/// A subprocessor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subprocessor {
    /// The id.
    pub id: SubprocessorId,
    /// Who, what for, which data, where.
    #[serde(flatten)]
    pub details: Details,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

/// What is to happen to a subprocessor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It becomes one.
    Add,
    /// It gets other data, for another purpose, or elsewhere.
    Change,
    /// It is one no more.
    Remove,
}

impl Kind {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Change => "change",
            Self::Remove => "remove",
        }
    }

    /// `New subprocessor`, as the beginning of a title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Add => "New subprocessor",
            Self::Change => "Changed subprocessor",
            Self::Remove => "Subprocessor to be removed",
        }
    }
}

impl FromStr for Kind {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Add, Self::Change, Self::Remove].into_iter().find(|kind| kind.as_str() == text).ok_or(())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a notice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody but operators sees it.
    Draft,
    /// Public, and still to come.
    Announced,
    /// It has happened.
    InEffect,
    /// It will not happen.
    Withdrawn,
}

/// A change of subprocessors, made known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The id.
    pub id: NoticeId,
    /// Whom it is about.
    pub subprocessor: SubprocessorId,
    /// What happens.
    pub kind: Kind,
    /// What it is to be; of a removal, what it was.
    pub details: Details,
    /// What it was when this was published. Of an addition, nothing.
    pub before: Option<Details>,
    /// Why, for customers.
    pub why: String,
    /// When an operator wrote it.
    pub drafted_at: OffsetDateTime,
    /// When it was made public.
    pub published_at: Option<OffsetDateTime>,
    /// When it happens.
    pub effective_at: OffsetDateTime,
    /// When it was to happen, as it was first published.
    pub first_effective_at: Option<OffsetDateTime>,
    /// When it was put off last.
    pub postponed_at: Option<OffsetDateTime>,
    /// When it was withdrawn, and why.
    pub withdrawn: Option<(OffsetDateTime, String)>,
    /// When it happened.
    pub in_effect_at: Option<OffsetDateTime>,
}

impl Notice {
    /// Where it stands.
    pub fn state(&self) -> State {
        match (self.published_at, &self.withdrawn, self.in_effect_at) {
            (None, ..) => State::Draft,
            (_, Some(_), _) => State::Withdrawn,
            (_, _, Some(_)) => State::InEffect,
            _ => State::Announced,
        }
    }

    /// When it was over: it happened, or was withdrawn.
    pub fn ended_at(&self) -> Option<OffsetDateTime> {
        self.withdrawn.as_ref().map(|(at, _)| *at).or(self.in_effect_at)
    }

    /// When there was last something new about it, for anybody.
    pub fn changed_at(&self) -> Option<OffsetDateTime> {
        self.ended_at().or(self.postponed_at).or(self.published_at)
    }

    /// `New subprocessor: Acme Mail`.
    pub fn title(&self) -> String {
        format!("{}: {}", self.kind.title(), self.details.vendor)
    }

    /// Whether it happens later than it was first said.
    pub fn is_postponed(&self) -> bool {
        self.first_effective_at.is_some_and(|first| first != self.effective_at)
    }

    /// As anybody may have it.
    pub fn view(&self) -> NoticeView {
        let (withdrawn_at, withdrawal) = self.withdrawn.clone().unzip();
        NoticeView {
            id: self.id,
            subprocessor: self.subprocessor,
            kind: self.kind,
            state: self.state(),
            before: self.before.clone(),
            after: (self.kind != Kind::Remove).then(|| self.details.clone()),
            why: self.why.clone(),
            published_at: self.published_at,
            effective_at: self.effective_at,
            first_effective_at: self.first_effective_at,
            postponed_at: self.postponed_at,
            withdrawn_at,
            withdrawal,
            in_effect_at: self.in_effect_at,
        }
    }

    /// The fields in which it differs from what there was, before and after.
    pub fn differences(&self) -> Vec<(&'static str, Option<String>, Option<String>)> {
        let after = self.details.fields();
        match (self.kind, &self.before) {
            (Kind::Remove, _) => after.into_iter().map(|(field, value)| (field, Some(value), None)).collect(),
            (_, None) => after.into_iter().map(|(field, value)| (field, None, Some(value))).collect(),
            (_, Some(before)) => {
                let both = before.fields().into_iter().zip(after);
                let changed = both.filter(|((_, before), (_, after))| before != after);
                changed.map(|((field, before), (_, after))| (field, Some(before), Some(after))).collect()
            }
        }
    }
}

/// A notice as anybody may have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct NoticeView {
    /// The id.
    pub id: NoticeId,
    /// Whom it is about.
    pub subprocessor: SubprocessorId,
    /// What happens.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// What it was; `null` for an addition.
    pub before: Option<Details>,
    /// What it is to be; `null` for a removal.
    pub after: Option<Details>,
    /// Why.
    pub why: String,
    /// When it was made public.
    #[serde(with = "time::serde::rfc3339::option")]
    pub published_at: Option<OffsetDateTime>,
    /// When it happens.
    #[serde(with = "time::serde::rfc3339")]
    pub effective_at: OffsetDateTime,
    /// When it was to happen, as it was first published.
    #[serde(with = "time::serde::rfc3339::option")]
    pub first_effective_at: Option<OffsetDateTime>,
    /// When it was put off last.
    #[serde(with = "time::serde::rfc3339::option")]
    pub postponed_at: Option<OffsetDateTime>,
    /// When it was withdrawn.
    #[serde(with = "time::serde::rfc3339::option")]
    pub withdrawn_at: Option<OffsetDateTime>,
    /// Why it was withdrawn.
    pub withdrawal: Option<String>,
    /// When it happened.
    #[serde(with = "time::serde::rfc3339::option")]
    pub in_effect_at: Option<OffsetDateTime>,
}

/// The same, and what the workspace has to do with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReceivedView {
    /// What is announced.
    #[serde(flatten)]
    pub notice: NoticeView,
    /// When the contacts of the workspace were told first.
    #[serde(with = "time::serde::rfc3339")]
    pub received_at: OffsetDateTime,
    /// `acknowledged` or `objected`.
    pub answer: Option<String>,
    /// Of an objection.
    pub reason: Option<String>,
    /// When it was answered.
    #[serde(with = "time::serde::rfc3339::option")]
    pub answered_at: Option<OffsetDateTime>,
    /// What send0 says to the objection.
    pub reply: Option<String>,
    /// When it did.
    #[serde(with = "time::serde::rfc3339::option")]
    pub replied_at: Option<OffsetDateTime>,
}

/// What is public: the list, what is to come, and what was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Public {
    /// Those of now, by name.
    pub current: Vec<Subprocessor>,
    /// What is announced, the next first.
    pub announced: Vec<Notice>,
    /// What has happened or was withdrawn, the newest first.
    pub history: Vec<Notice>,
}

/// What a workspace says to a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has been read, and nothing is against it.
    Acknowledged,
    /// It must not be, and why.
    Objected(String),
}

impl Answer {
    /// As stored.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Objected(_) => "objected",
        }
    }
}

/// A notice as a workspace has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// What is announced.
    pub notice: Notice,
    /// When its contacts were told first.
    pub received_at: OffsetDateTime,
    /// Whether somebody has looked.
    pub is_seen: bool,
    /// What was answered, by whom, and when.
    pub answer: Option<(Answer, Option<String>, OffsetDateTime)>,
    /// What send0 says to the objection.
    pub reply: Option<(String, OffsetDateTime)>,
}

impl Received {
    /// As the API has it.
    pub fn view(&self) -> ReceivedView {
        let reason = match &self.answer {
            Some((Answer::Objected(reason), ..)) => Some(reason.clone()),
            _ => None,
        };
        let (reply, replied_at) = self.reply.clone().unzip();
        ReceivedView {
            notice: self.notice.view(),
            received_at: self.received_at,
            answer: self.answer.as_ref().map(|(answer, ..)| answer.as_str().to_owned()),
            reason,
            answered_at: self.answer.as_ref().map(|(.., at)| *at),
            reply,
            replied_at,
        }
    }

    /// Whether an objection has had no answer. On the day of the change that is said to both sides.
    pub fn is_unanswered(&self) -> bool {
        matches!(self.answer, Some((Answer::Objected(_), ..))) && self.reply.is_none()
    }
}

/// What one workspace says, as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfWorkspace {
    /// Which.
    pub workspace: WorkspaceId,
    /// Its name.
    pub name: String,
    /// What it says.
    pub answer: Option<(Answer, OffsetDateTime)>,
    /// What was replied.
    pub reply: Option<(String, OffsetDateTime)>,
    /// Whether somebody has looked.
    pub is_seen: bool,
    /// How many mails it was sent, how many of them arrived at a relay, and how many were given up.
    pub mails: (i64, i64, i64),
}

/// A mail about a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// To whom.
    pub email: String,
    /// What it tells: `published`, `in_3_days`, …
    pub about: String,
    /// When it was written.
    pub told_at: OffsetDateTime,
    /// How often it was tried.
    pub attempts: i32,
    /// Why it was not taken, the last time.
    pub last_error: Option<String>,
    /// When a relay took it.
    pub delivered_at: Option<OffsetDateTime>,
    /// When it was given up.
    pub failed_at: Option<OffsetDateTime>,
}

/// A change as an operator types it.
#[derive(Clone, Debug, Default)]
pub struct ProposalText {
    /// Who.
    pub vendor: String,
    /// What for.
    pub purpose: String,
    /// Which data.
    pub data: String,
    /// Where: one in each line, or with commas.
    pub regions: String,
    /// Why.
    pub why: String,
    /// `2027-01-15`, or `2027-01-15T09:00`; UTC.
    pub effective_at: String,
}

/// A change that may be drafted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What it is to be.
    pub details: Details,
    /// Why.
    pub why: String,
    /// When.
    pub effective_at: OffsetDateTime,
}

impl ProposalText {
    /// Parses every field.
    ///
    /// # Errors
    /// [`AppError::Invalid`] with every field that is wrong.
    pub fn parse(&self) -> Result<Proposal, AppError> {
        let mut checks = Checks::default();
        let vendor = checks.keep(line("vendor", &self.vendor, VENDOR_MAX));
        let purpose = checks.keep(line("purpose", &self.purpose, TEXT_MAX));
        let data = checks.keep(line("data", &self.data, TEXT_MAX));
        let regions = checks.keep(regions(&self.regions));
        let why = checks.keep(text("why", &self.why, WHY_MAX));
        let effective_at = checks.keep(instant("effective_at", &self.effective_at));
        checks.finish()?;
        let (Some(vendor), Some(purpose), Some(data), Some(regions), Some(why), Some(effective_at)) =
            (vendor, purpose, data, regions, why, effective_at)
        else {
            return Err(AppError::Internal);
        };
        Ok(Proposal { details: Details { vendor, purpose, data, regions }, why, effective_at })
    }
}

/// Text that somebody typed: not empty, not too long, nothing in it that is not to be seen but line breaks.
pub(crate) fn text(field: &str, text: &str, max: usize) -> Result<String, FieldError> {
    let text = text.trim().replace("\r\n", "\n");
    if text.is_empty() {
        return Err(FieldError::new(field, "required", "This cannot be empty."));
    }
    if text.chars().count() > max {
        return Err(FieldError::new(field, "too_long", format!("At most {max} characters.")));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(FieldError::new(field, "control_character", "There is a character in it that cannot be seen."));
    }
    Ok(text)
}

fn regions(typed: &str) -> Result<Vec<String>, FieldError> {
    let regions: Vec<&str> = typed.split([',', '\n']).map(str::trim).filter(|region| !region.is_empty()).collect();
    if regions.is_empty() || regions.len() > REGIONS_MAX {
        return Err(FieldError::new("regions", "out_of_range", format!("Name 1 to {REGIONS_MAX}, one in each line.")));
    }
    regions.into_iter().map(|region| line("regions", region, 50)).collect()
}

/// A date, which begins at midnight UTC, or a date and a time in UTC.
pub fn instant(field: &str, text: &str) -> Result<OffsetDateTime, FieldError> {
    let text = text.trim().trim_end_matches('Z');
    let day = format_description!("[year]-[month]-[day]");
    let minute = format_description!("[year]-[month]-[day]T[hour]:[minute]");
    let date = Date::parse(text, &day).map(|date| date.midnight());
    let at = date.or_else(|_| PrimitiveDateTime::parse(text, &minute));
    at.map(PrimitiveDateTime::assume_utc)
        .map_err(|_| FieldError::new(field, "no_date", "A day such as 2027-01-15, or 2027-01-15T09:00, in UTC."))
}

#[cfg(test)]
mod model_tests {
    use super::*;
    use time::macros::datetime;

    fn typed() -> ProposalText {
        ProposalText {
            vendor: " Acme Mail ".into(),
            purpose: "Delivery of mail".into(),
            data: "Messages in transit".into(),
            regions: "eu-west-1\r\n us-east-1, ".into(),
            why: "A second way out.".into(),
            effective_at: "2027-01-15".into(),
        }
    }

    #[test]
    fn a_proposal_is_read_from_its_form() {
        let proposal = typed().parse().expect("a proposal");
        assert_eq!(proposal.details.vendor, "Acme Mail");
        assert_eq!(proposal.details.regions, ["eu-west-1", "us-east-1"]);
        assert_eq!(proposal.effective_at, datetime!(2027-01-15 00:00 UTC));
        let noon = ProposalText { effective_at: "2027-01-15T12:00".into(), ..typed() };
        assert_eq!(noon.parse().expect("a proposal").effective_at, datetime!(2027-01-15 12:00 UTC));
    }

    #[test]
    fn each_wrong_field_is_named() {
        let fields = |text: ProposalText| match text.parse() {
            Err(AppError::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        let all = ["vendor", "purpose", "data", "regions", "why", "effective_at"];
        assert_eq!(fields(ProposalText::default()), all);
        for wrong in ["2027-02-30", "tomorrow", "15.01.2027", "2027-01-15T25:00", ""] {
            assert_eq!(fields(ProposalText { effective_at: wrong.into(), ..typed() }), ["effective_at"], "{wrong}");
        }
        assert_eq!(fields(ProposalText { vendor: "a\u{202e}\u{7}".into(), ..typed() }), ["vendor"]);
        assert_eq!(fields(ProposalText { why: "x".repeat(WHY_MAX + 1), ..typed() }), ["why"]);
        assert_eq!(fields(ProposalText { regions: "a,".repeat(21), ..typed() }), ["regions"]);
    }
}
