use crate::{
    AppError, FieldError,
    audit_log::{Asked, Query, Term},
    ids::{EventId, RequestId, SessionId, WorkspaceId},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use time::OffsetDateTime;

macro_rules! actions {
    ($($name:ident, $text:literal, $sentence:literal;)*) => {
        /// What was done, as `thing.past_participle`. An event of each is listed here and nowhere else.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $(#[doc = $sentence] $name,)*
        }

        impl Action {
            /// Every action there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// As stored and as filtered by.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// The verb of the sentence that the page makes: "Ana *issued API key* CI".
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence),* }
            }
        }
    };
}

actions! {
    WorkspaceCreated, "workspace.created", "created workspace";
    WorkspaceRenamed, "workspace.renamed", "renamed workspace";
    PlanChanged, "workspace.plan_changed", "changed the plan of";
    TimeZoneChanged, "workspace.time_zone_changed", "changed the time zone of";
    MemberInvited, "member.invited", "invited";
    MemberJoined, "member.joined", "added member";
    MemberRoleChanged, "member.role_changed", "changed the role of";
    MemberRemoved, "member.removed", "removed member";
    MemberLeft, "member.left", "left the workspace:";
    MemberReminded, "member.reminded", "reminded of the second factor";
    InvitationResent, "invitation.resent", "sent again the invitation of";
    InvitationLinkMade, "invitation.link_made", "made a link for the invitation of";
    InvitationRevoked, "invitation.revoked", "revoked the invitation of";
    InvitationRefused, "invitation.refused", "tried to accept an invitation";
    AccountChanged, "account.changed", "changed the account of";
    PasswordChanged, "account.password_changed", "changed the password of";
    AddressChangeRequested, "account.address_change_requested", "asked to change the mail address of";
    AddressConfirmed, "account.address_confirmed", "confirmed a new mail address of";
    AddressChangeCancelled, "account.address_change_cancelled", "called off a new mail address of";
    AddressChanged, "account.address_changed", "changed the mail address of";
    SessionStarted, "session.started", "signed in";
    SessionRefused, "session.refused", "tried to sign in";
    SessionEnded, "session.ended", "signed out";
    SecondFactorAsked, "session.second_factor_asked", "gave the right password and was asked for the second factor";
    SecondFactorRefused, "session.second_factor_refused", "did not give the second factor";
    SessionProved, "session.proved", "confirmed that it is them";
    SessionRevoked, "session.revoked", "ended a session";
    PasswordResetRequested, "account.password_reset_requested", "asked for a new password";
    PasswordReset, "account.password_reset", "set a new password by mail";
    PolicyChanged, "policy.changed", "changed what the workspace demands of its members";
    FactorAdded, "factor.added", "added a factor";
    FactorRenamed, "factor.renamed", "renamed a factor";
    FactorRemoved, "factor.removed", "removed a factor";
    FactorEnrolmentStarted, "factor.enrolment_started", "began to set up a factor";
    RecoveryCodesMade, "recovery_codes.made", "made new recovery codes";
    RecoveryCodeUsed, "recovery_code.used", "signed in with a recovery code";
    AccountUnlocked, "account.unlocked", "let codes be tried again for";
    AccountDisabled, "account.disabled", "disabled the account of";
    AccountEnabled, "account.enabled", "enabled the account of";
    AccountErased, "account.erased", "erased what identifies";
    ApiKeyIssued, "api_key.issued", "issued API key";
    ApiKeyRevoked, "api_key.revoked", "revoked API key";
    ApiKeyHandedOver, "api_key.handed_over", "handed over API key";
    AllowlistDrafted, "allowlist.drafted", "changed the draft of the allowlist of";
    AllowlistChanged, "allowlist.changed", "changed the allowlist of";
    AllowlistConfirmed, "allowlist.confirmed", "confirmed the allowlist of";
    AllowlistReverted, "allowlist.reverted", "took back the unconfirmed allowlist of";
    AllowlistDisabled, "allowlist.disabled", "switched off the allowlist of";
    AllowlistWouldBlock, "allowlist.would_block", "would have been kept out by the allowlist of";
    WorkspaceEntryRefused, "workspace.entry_refused", "tried to enter the workspace";
    ApiCalled, "api.called", "called the API";
    AuditLogSearched, "audit_log.searched", "searched the audit log";
    AuditLogExported, "audit_log.exported", "exported the audit log";
    AuditExportFinished, "audit_log.export_finished", "finished the export";
    AuditExportCancelled, "audit_log.export_cancelled", "cancelled the export";
    AuditExportDownloaded, "audit_log.export_downloaded", "downloaded the export";
    StreamCreated, "stream.created", "made the stream";
    StreamChanged, "stream.changed", "changed the stream";
    StreamPaused, "stream.paused", "paused the stream";
    StreamResumed, "stream.resumed", "let go on the stream";
    StreamRemoved, "stream.removed", "removed the stream";
    StreamSecretReplaced, "stream.secret_replaced", "replaced the secret of the stream";
    StreamTested, "stream.tested", "sent a sample to the stream";
    StreamFailing, "stream.failing", "could not send the stream";
    StreamRecovered, "stream.recovered", "could send again the stream";
    AuditLogCheckFailed, "audit_log.check_failed", "found that the audit log is not as it was sealed:";
    AuditLogPruned, "audit_log.pruned", "removed events past their retention from";
    AuditViewSaved, "audit_view.saved", "saved the view of the audit log";
    AuditViewRemoved, "audit_view.removed", "removed the view of the audit log";
    PageViewed, "page.viewed", "opened a page";
    RetentionChanged, "retention.changed", "changed how long the audit log is kept";
    RetentionKept, "retention.kept", "called off a shorter retention of the audit log";
    LegalHoldPlaced, "legal_hold.placed", "placed the legal hold";
    LegalHoldReleased, "legal_hold.released", "released the legal hold";
    ContactAdded, "contact.added", "named the security contact";
    ContactConfirmed, "contact.confirmed", "confirmed the security contact";
    ContactChanged, "contact.changed", "changed what is told to";
    ContactRemoved, "contact.removed", "removed the security contact";
    ContactTested, "contact.tested", "sent a test to";
    OperatorCreated, "operator.created", "made the operator";
    OperatorRemoved, "operator.removed", "removed the operator";
    OperatorRefused, "operator.refused", "tried to open the operators' console";
    SubprocessorProposed, "subprocessor.proposed", "drafted a change of the subprocessor";
    SubprocessorDiscarded, "subprocessor.discarded", "discarded the drafted change of the subprocessor";
    SubprocessorPublished, "subprocessor.published", "gave notice of a change of the subprocessor";
    SubprocessorPostponed, "subprocessor.postponed", "postponed the change of the subprocessor";
    SubprocessorWithdrawn, "subprocessor.withdrawn", "withdrew the change of the subprocessor";
    SubprocessorChanged, "subprocessor.changed", "put into effect the change of the subprocessor";
    NoticeReceived, "notice.received", "told the contacts of a change of the subprocessor";
    NoticeSeen, "notice.seen", "looked at the notice about";
    NoticeAcknowledged, "notice.acknowledged", "acknowledged the notice about";
    NoticeObjected, "notice.objected", "objected to the notice about";
    NoticeReplied, "notice.replied", "answered the objection to the notice about";
    ComplianceChanged, "compliance.changed", "changed what is said of";
    EvidenceAdded, "evidence.added", "added evidence:";
    EvidenceRemoved, "evidence.removed", "removed evidence:";
    ComplianceRequested, "compliance.requested", "made a request about compliance:";
    ComplianceWritten, "compliance.message_added", "wrote more on a request about compliance:";
    ComplianceAnswered, "compliance.answered", "answered a request about compliance:";
    ComplianceClosed, "compliance.closed", "closed a request about compliance:";
    DocumentAdded, "document.added", "added the document";
    DocumentRetired, "document.retired", "retired the document";
    DocumentGranted, "document.granted", "gave access to the document";
    DocumentRevoked, "document.revoked", "took away access to the document";
    DocumentTermsAccepted, "document.terms_accepted", "agreed to the terms of the document";
    DocumentDownloaded, "document.downloaded", "downloaded the document";
    SubscriptionRequested, "subscription.requested", "asked to be told of changes of subprocessors";
    SubscriptionConfirmed, "subscription.confirmed", "subscribed to changes of subprocessors:";
    SubscriptionEnded, "subscription.ended", "wants to be told no more of changes of subprocessors";
    SubscriberTold, "subscriber.told", "told of a change of subprocessors:";
    MailFailed, "mail.failed", "gave up sending a mail to";
    SetupRefused, "setup.refused", "tried to set up the console";
    RequestRefused, "request.refused", "sent a request from another site";
}

impl Action {
    /// Whether it happens all day without anybody having to know.
    pub fn is_routine(self) -> bool {
        matches!(
            self,
            Self::ApiCalled
                | Self::PageViewed
                | Self::SessionStarted
                | Self::SessionEnded
                | Self::SecondFactorAsked
                | Self::SessionProved
                | Self::AuditLogSearched
        )
    }

    /// Every action that a filter such as `api_key.issued` or `api_key.*` names.
    pub fn matching(filter: &str) -> Vec<Self> {
        let matches = |action: &Self| match filter.strip_suffix('*') {
            Some(prefix) => action.as_str().starts_with(prefix),
            None => action.as_str() == filter,
        };
        Self::ALL.iter().copied().filter(matches).collect()
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Action {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|action| action.as_str() == text).ok_or(())
    }
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was not allowed.
    Denied,
    /// It was allowed, but could not be done.
    Failed,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Success, Self::Denied, Self::Failed];

    /// As stored and as filtered by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for Outcome {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text).ok_or(())
    }
}

/// An event as the API gives it and the page shows it: the stored body with what identifies people put back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EventView {
    /// 1, 2, 3, … in the order of commits, per workspace.
    pub seq: i64,
    /// The event's id.
    pub id: EventId,
    /// When it was committed, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// The version of this shape.
    pub schema: u32,
    /// Whose log it is in.
    pub workspace: WorkspaceId,
    /// Who did it.
    pub actor: ActorView,
    /// What: `thing.past_participle`.
    pub action: String,
    /// How it went.
    pub outcome: Outcome,
    /// Why not, as a word for programs.
    pub reason: Option<String>,
    /// To what.
    pub targets: Vec<Target>,
    /// On behalf of which request.
    pub request: RequestView,
    /// The id of that request, as in `x-request-id`.
    pub request_id: RequestId,
    /// What changed, before and after.
    pub changes: Vec<Change>,
    /// How many alike refusals of unknown callers this one event stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// When those were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

/// From the first to the last of the calls that one event stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Window {
    /// When the first of them came, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub from: OffsetDateTime,
    /// When the last of them came, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub to: OffsetDateTime,
}

/// Who did it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ActorView {
    /// `user`, `api_key`, `system`, `operator` or `anonymous`.
    pub kind: String,
    /// The id to filter by.
    pub id: String,
    /// The name at that time; `null` once the person is erased.
    pub name: Option<String>,
    /// The session, of a user.
    pub session: Option<String>,
    /// The role at that time, of a user.
    pub role: Option<String>,
    /// The permission that was used or missing.
    pub permission: Option<String>,
}

/// What it was done to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Target {
    /// `api_key`, `member`, `workspace`, …
    pub kind: String,
    /// The id.
    pub id: String,
    /// The name at that time.
    pub name: Option<String>,
}

/// The request on whose behalf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RequestView {
    /// As in `x-request-id`.
    pub id: RequestId,
    /// The HTTP method, or `CLI`.
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The client's address.
    pub address: Option<String>,
    /// The user agent.
    pub agent: Option<String>,
}

/// One field, before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Change {
    /// The field's name, as everywhere else.
    pub field: String,
    /// `null` when it was made.
    pub before: serde_json::Value,
    /// `null` when it was removed.
    pub after: serde_json::Value,
}

/// What to look for. The same words on the page and on the API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// An id (`usr_…`, `key_…`, `cli`) or, of a member, the mail address.
    pub actor: Option<String>,
    /// The actions that count; none: all.
    pub actions: Vec<Action>,
    /// How it went.
    pub outcome: Option<Outcome>,
    /// Inclusive.
    pub from: Option<OffsetDateTime>,
    /// Exclusive.
    pub to: Option<OffsetDateTime>,
    /// In the language of queries. Narrows the rest.
    pub query: Query,
    /// Leaves out what this session itself has searched the log for: to look is an event too, but no news to whoever looks.
    pub but_searches_of: Option<SessionId>,
}

impl Filter {
    /// Whether anything is asked for. Looking at the newest events is no search.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The filter as it stands in a URL, where everything is text and an empty field asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FilterText {
    /// An id or a mail address.
    pub actor: String,
    /// An action, or a family of them: `api_key.*`.
    pub action: String,
    /// `success`, `denied` or `failed`.
    pub outcome: String,
    /// RFC 3339, or a date, or a date and a time in UTC. Inclusive.
    pub from: String,
    /// Likewise. Exclusive.
    pub to: String,
    /// In the language of queries: `actor:ana -source:api "free text"`.
    pub q: String,
}

impl FilterText {
    /// What is asked for.
    ///
    /// # Errors
    /// [`AppError::Malformed`] naming every parameter that cannot be read.
    pub fn parse(&self) -> Result<Filter, AppError> {
        let (filter, wrong) = self.read();
        if wrong.is_empty() { Ok(filter) } else { Err(AppError::Malformed(wrong)) }
    }

    /// What can be read of it, and what cannot, which asks for nothing: of a query each term by itself.
    pub fn read(&self) -> (Filter, Vec<FieldError>) {
        let mut wrong = Vec::new();
        let actions = Action::matching(self.action.trim());
        if !self.action.trim().is_empty() && actions.is_empty() {
            wrong.push(FieldError::new(
                "action",
                "unknown_action",
                "There is no such action. api_key.issued or api_key.* would be one.",
            ));
        }
        let actor = given(&self.actor).filter(|text| !text.chars().any(char::is_control));
        if actor.is_none() && given(&self.actor).is_some() {
            wrong.push(FieldError::new(
                "actor",
                "control_characters",
                "An id or a mail address, without control characters.",
            ));
        }
        let outcome = given(&self.outcome).and_then(|text| match text.parse() {
            Ok(outcome) => Some(outcome),
            Err(()) => {
                wrong.push(FieldError::new("outcome", "unknown_outcome", "One of success, denied, failed."));
                None
            }
        });
        let [from, to] = [("from", &self.from), ("to", &self.to)].map(|(field, text)| {
            let time = given(text).map(parse_time);
            if time == Some(None) {
                wrong.push(FieldError::new(
                    field,
                    "not_a_time",
                    "A time such as 2026-11-24, 2026-11-24T18:00 (UTC) or 2026-11-24T18:00:00Z.",
                ));
            }
            time.flatten()
        });
        let (query, errors) = Query::read(&self.q);
        wrong.extend(errors.iter().map(|error| FieldError::new("q", "unreadable", error.to_string())));
        let actor = actor.map(str::to_owned);
        (Filter { query, actor, actions, outcome, from, to, but_searches_of: None }, wrong)
    }

    /// The same with everything but the times in the language of queries. What cannot be read stays where it is.
    pub fn folded(self) -> Self {
        let (read, _) = self.read();
        let left = |text: &str, is_read: bool| if is_read { "" } else { text.trim() }.to_owned();
        let rest = Self {
            actor: left(&self.actor, read.actor.is_some()),
            action: left(&self.action, !read.actions.is_empty()),
            outcome: left(&self.outcome, read.outcome.is_some()),
            ..self.clone()
        };
        let actor = read.actor.map(Asked::Actor);
        let action = (!read.actions.is_empty()).then(|| Asked::Action(self.action.trim().to_owned()));
        let outcome = read.outcome.map(Asked::Outcome);
        let asked = [actor, action, outcome].into_iter().flatten();
        let more: Vec<Term> = asked.map(|asked| Term { negated: false, asked }).collect();
        if more.is_empty() {
            return rest;
        }
        let q = match Query::parse(&self.q) {
            Ok(query) => Query { terms: query.terms.into_iter().chain(more).collect() }.to_string(),
            // In front: a quote that is never closed takes whatever follows it.
            Err(_) => format!("{} {}", Query { terms: more }, self.q),
        };
        Self { q, ..rest }
    }
}

fn given(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

pub(super) fn parse_time(text: &str) -> Option<OffsetDateTime> {
    use time::{
        Date, PrimitiveDateTime, UtcOffset, format_description::well_known::Rfc3339, macros::format_description,
    };
    // What names no zone is in UTC, as a field for times writes it.
    let read = OffsetDateTime::parse(text, &Rfc3339).or_else(|_| OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339));
    if let Ok(time) = read {
        // In UTC it may lie outside all years that there are, and outside those that can be written.
        return time.checked_to_offset(UtcOffset::UTC).filter(|time| (0..=9999).contains(&time.year()));
    }
    if let Ok(time) = PrimitiveDateTime::parse(text, format_description!("[year]-[month]-[day]T[hour]:[minute]")) {
        return Some(time.assume_utc());
    }
    let date = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
    Some(date.midnight().assume_utc())
}

/// Which part of a long list, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// From the newest.
    Top,
    /// Those before this sequence number.
    Older(i64),
    /// Those after it.
    Newer(i64),
}

/// One page of events, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The events.
    pub events: Vec<EventView>,
    /// Where older ones begin, if there are any.
    pub older: Option<i64>,
    /// Where newer ones begin, if there are any.
    pub newer: Option<i64>,
    /// The search ran out of time at this event: what lies behind it was not looked at, and is where the next page begins.
    pub searched_to: Option<i64>,
}

/// What an export of the log is written in. Each record is one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON lines with the events as they are stored and sealed: what can be verified.
    Ndjson,
    /// A table for spreadsheets (RFC 4180).
    Csv,
    /// Open Cybersecurity Schema Framework, as JSON lines.
    Ocsf,
    /// Elastic Common Schema, as JSON lines.
    Ecs,
    /// Common Event Format.
    Cef,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Ndjson, Self::Csv, Self::Ocsf, Self::Ecs, Self::Cef];

    /// As asked for in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Ocsf => "ocsf",
            Self::Ecs => "ecs",
            Self::Cef => "cef",
        }
    }

    /// What it is for, as a sentence for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Ndjson => "Every event as it is stored, with what proves that nothing is missing or changed.",
            Self::Csv => "A table that spreadsheets open.",
            Self::Ocsf => "Open Cybersecurity Schema Framework, for security lakes.",
            Self::Ecs => "Elastic Common Schema, for Elasticsearch and OpenSearch.",
            Self::Cef => "Common Event Format, for ArcSight, QRadar and other SIEMs.",
        }
    }

    /// The media type (RFC 9110) of a file of it.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson | Self::Ocsf | Self::Ecs => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Cef => "text/plain; charset=utf-8",
        }
    }

    /// What the name of a file of it ends in.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Ocsf => "ocsf.ndjson",
            Self::Ecs => "ecs.ndjson",
            Self::Cef => "cef",
        }
    }
}

impl FromStr for Format {
    type Err = FieldError;
    fn from_str(text: &str) -> Result<Self, FieldError> {
        let known = Self::ALL.into_iter().find(|format| format.as_str() == text.trim());
        known.ok_or_else(|| FieldError::new("format", "unknown_format", "One of ndjson, csv, ocsf, ecs, cef."))
    }
}
