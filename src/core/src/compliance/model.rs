use crate::{
    AppError, FieldError,
    accounts::{NAME_MAX, parse_email},
    api_keys::line,
    error::Checks,
    ids::{ComplianceRequestId, DocumentId, EvidenceId, GrantId, WorkspaceId},
    subprocessors::text,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use time::{Date, OffsetDateTime, macros::format_description};

/// The longest scope of a framework.
pub const SCOPE_MAX: usize = 500;
/// The longest message of a request.
pub const MESSAGE_MAX: usize = 4000;
const OWNER_MAX: usize = 100;
const TITLE_MAX: usize = 200;
const LINK_MAX: usize = 500;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $text:literal, $shown:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$of])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// Each of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// As stored and as sent.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// As shown to people.
            pub fn words(self) -> &'static str {
                match self { $(Self::$variant => $shown),* }
            }
        }

        impl FromStr for $name {
            type Err = ();
            fn from_str(text: &str) -> Result<Self, ()> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text).ok_or(())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

// Frameworks -------------------------------------------------------------------------------------------------------

words! {
    /// What is recorded of a framework.
    Status {
        /// It does not apply.
        NotInScope = "not_in_scope", "not in scope";
        /// It is worked on. Nothing more is claimed.
        InProgress = "in_progress", "in progress";
        /// An agreement is made with whoever asks and may.
        OnRequest = "on_request", "on request";
        /// Kept, by one's own word and evidence.
        Compliant = "compliant", "compliant";
        /// Kept, by the word of somebody independent.
        Certified = "certified", "certified";
    }
}

words! {
    /// Whose word a piece of evidence is.
    EvidenceKind {
        /// One's own.
        Statement = "statement", "own statement";
        /// That of somebody independent, for a time.
        Attestation = "attestation", "independent attestation";
    }
}

/// What shows that a framework is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Its id.
    pub id: EvidenceId,
    /// What it is.
    pub title: String,
    /// Whose word.
    pub kind: EvidenceKind,
    /// Where anybody reads it; without one it is a document, which is asked for.
    pub link: Option<String>,
    /// The document.
    pub document: Option<DocumentId>,
    /// The last day on which it counts.
    pub valid_until: Option<Date>,
}

impl Evidence {
    /// Whether it counts on this day.
    pub fn is_valid(&self, today: Date) -> bool {
        self.valid_until.is_none_or(|last| last >= today)
    }
}

/// What send0 says of one framework.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framework {
    /// `soc-2`.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What is recorded.
    pub status: Status,
    /// What of send0 it is about.
    pub scope: String,
    /// Who answers for it.
    pub owner: String,
    /// By when it is looked at again.
    pub review_on: Date,
    /// When somebody changed it last.
    pub changed_at: OffsetDateTime,
    /// What shows it.
    pub evidence: Vec<Evidence>,
}

/// What may be said of a framework on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// What is recorded.
    As(Status),
    /// What is recorded could be shown once, and cannot be shown today.
    Lapsed,
}

impl Said {
    /// As sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::As(status) => status.as_str(),
            Self::Lapsed => "evidence_lapsed",
        }
    }

    /// As shown to people.
    pub fn words(self) -> &'static str {
        match self {
            Self::As(status) => status.words(),
            Self::Lapsed => "evidence has lapsed",
        }
    }
}

impl Framework {
    /// What may be said of it today: a claim stands only as long as what shows it.
    pub fn said(&self, today: Date) -> Said {
        let valid = |kind: Option<EvidenceKind>| {
            let counts = |one: &&Evidence| one.is_valid(today) && kind.is_none_or(|kind| one.kind == kind);
            self.evidence.iter().any(|one| counts(&one))
        };
        match self.status {
            Status::Compliant if !valid(None) => Said::Lapsed,
            Status::Certified if !valid(Some(EvidenceKind::Attestation)) => Said::Lapsed,
            status => Said::As(status),
        }
    }

    /// Whether nobody has looked at it by the day by which somebody should have.
    pub fn is_overdue(&self, today: Date) -> bool {
        self.review_on < today
    }

    /// As programs read it. Where a document lies is nobody's business.
    pub fn view(&self, today: Date) -> serde_json::Value {
        let evidence = |one: &Evidence| {
            serde_json::json!({
                "title": one.title,
                "kind": one.kind,
                "link": one.link,
                "on_request": one.document.is_some(),
                "valid_until": one.valid_until.map(iso),
                "is_valid": one.is_valid(today),
            })
        };
        serde_json::json!({
            "id": self.id,
            "name": self.name,
            "status": self.said(today).as_str(),
            "scope": self.scope,
            "owner": self.owner,
            "review_on": iso(self.review_on),
            "review_is_overdue": self.is_overdue(today),
            "evidence": self.evidence.iter().map(evidence).collect::<Vec<_>>(),
        })
    }
}

/// `2027-01-15`.
pub fn iso(date: Date) -> String {
    let (year, month, day) = date.to_calendar_date();
    format!("{year:04}-{:02}-{day:02}", u8::from(month))
}

fn day(field: &str, text: &str) -> Result<Date, FieldError> {
    Date::parse(text.trim(), &format_description!("[year]-[month]-[day]"))
        .map_err(|_| FieldError::new(field, "no_date", "A day such as 2027-01-15."))
}

/// A change of a framework, as typed.
#[derive(Clone, Debug, Default)]
pub struct FrameworkText {
    /// One of [`Status`].
    pub status: String,
    /// What of send0 it is about.
    pub scope: String,
    /// Who answers for it.
    pub owner: String,
    /// By when it is looked at again.
    pub review_on: String,
}

/// The same, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFramework {
    /// What is to be recorded.
    pub status: Status,
    /// What of send0 it is about.
    pub scope: String,
    /// Who answers for it.
    pub owner: String,
    /// By when it is looked at again.
    pub review_on: Date,
}

impl FrameworkText {
    /// Understands it.
    ///
    /// # Errors
    /// [`AppError::Invalid`] with every field that is wrong.
    pub fn parse(&self) -> Result<NewFramework, AppError> {
        let mut checks = Checks::default();
        let unknown = |()| FieldError::new("status", "unknown_status", "Choose one of them.");
        let status = checks.keep(self.status.parse::<Status>().map_err(unknown));
        let scope = checks.keep(text("scope", &self.scope, SCOPE_MAX));
        let owner = checks.keep(line("owner", &self.owner, OWNER_MAX));
        let review_on = checks.keep(day("review_on", &self.review_on));
        checks.finish()?;
        let (Some(status), Some(scope), Some(owner), Some(review_on)) = (status, scope, owner, review_on) else {
            return Err(AppError::Internal);
        };
        Ok(NewFramework { status, scope, owner, review_on })
    }
}

/// New evidence, as typed.
#[derive(Clone, Debug, Default)]
pub struct EvidenceText {
    /// What it is.
    pub title: String,
    /// One of [`EvidenceKind`].
    pub kind: String,
    /// Where anybody reads it; empty for a document.
    pub link: String,
    /// The document; empty for a link.
    pub document: String,
    /// The last day on which it counts; may be empty for one's own word.
    pub valid_until: String,
}

impl EvidenceText {
    /// Understands it.
    ///
    /// # Errors
    /// [`AppError::Invalid`] with every field that is wrong.
    pub fn parse(&self) -> Result<Evidence, AppError> {
        let mut checks = Checks::default();
        let title = checks.keep(line("title", &self.title, TITLE_MAX));
        let unknown = |()| FieldError::new("kind", "unknown_kind", "Choose one of them.");
        let kind = checks.keep(self.kind.parse::<EvidenceKind>().map_err(unknown));
        let place = checks.keep(self.place());
        let valid_until = match (self.valid_until.trim(), kind) {
            ("", Some(EvidenceKind::Attestation)) => {
                let text = "The word of somebody independent counts for a time: until when?";
                checks.keep(Err(FieldError::new("valid_until", "required", text)))
            }
            ("", _) => None,
            (typed, _) => checks.keep(day("valid_until", typed)),
        };
        checks.finish()?;
        let (Some(title), Some(kind), Some((link, document))) = (title, kind, place) else {
            return Err(AppError::Internal);
        };
        Ok(Evidence { id: EvidenceId::new(), title, kind, link, document, valid_until })
    }

    fn place(&self) -> Result<(Option<String>, Option<DocumentId>), FieldError> {
        match (self.link.trim(), self.document.trim()) {
            ("", "") => Err(FieldError::new("link", "required", "A link, or a document.")),
            ("", document) => match document.parse() {
                Ok(id) => Ok((None, Some(id))),
                Err(_) => Err(FieldError::new("document", "unknown_document", "Choose one of them.")),
            },
            (link, "") => address(link).map(|link| (Some(link), None)),
            _ => Err(FieldError::new("document", "two_places", "A link or a document, not both.")),
        }
    }
}

/// A page of ours, or one elsewhere under HTTPS.
fn address(link: &str) -> Result<String, FieldError> {
    let refuse = |text: &str| Err(FieldError::new("link", "no_link", text.to_owned()));
    if link.len() > LINK_MAX {
        return refuse("At most 500 characters.");
    }
    let ours = link.starts_with('/') && !link.starts_with("//") && !link.contains('\\');
    let host = link.strip_prefix("https://").unwrap_or_default();
    let elsewhere = host.starts_with(|c: char| c.is_ascii_alphanumeric());
    if (ours || elsewhere) && !link.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Ok(link.to_owned());
    }
    refuse("A page of ours such as /security, or an address that begins with https://.")
}

// Requests ---------------------------------------------------------------------------------------------------------

words! {
    /// What is asked for.
    RequestKind {
        /// A business associate agreement (HIPAA), with a workspace on the Scale plan or above.
        Baa = "baa", "Business associate agreement (BAA)";
        /// A data processing agreement (GDPR, Art. 28).
        Dpa = "dpa", "Data processing agreement (DPA)";
        /// Answers to a questionnaire about security.
        Questionnaire = "questionnaire", "Security questionnaire";
        /// Something that has to be so.
        Control = "control", "A particular control";
        /// A document that is handed out.
        Document = "document", "A document";
    }
}

words! {
    /// Where a request stands.
    RequestState {
        /// send0 has to say something.
        Open = "open", "waits for send0";
        /// send0 has said something.
        Answered = "answered", "answered";
        /// Done.
        Closed = "closed", "closed";
        /// send0 will not.
        Declined = "declined", "declined";
    }
}

impl RequestState {
    /// Whether nothing more can be written.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::Declined)
    }
}

/// A request, without what was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComplianceRequest {
    /// Its id.
    pub id: ComplianceRequestId,
    /// Whose it is: the platform's for a visitor's.
    pub workspace: WorkspaceId,
    /// How that workspace is called; nothing for a visitor.
    pub workspace_name: Option<String>,
    /// What is asked for.
    pub kind: RequestKind,
    /// Of a document: which.
    pub document: Option<DocumentId>,
    /// Where it stands.
    pub state: RequestState,
    /// Who asked.
    pub name: String,
    /// Where the answer goes.
    pub email: String,
    /// For whom.
    pub company: String,
    /// When.
    pub created_at: OffsetDateTime,
    /// When something was said last.
    pub changed_at: OffsetDateTime,
}

/// What one side said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Whether send0 said it.
    pub is_ours: bool,
    /// Who said it.
    pub author: String,
    /// What.
    pub body: String,
    /// When.
    pub at: OffsetDateTime,
}

/// A request as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestText {
    /// One of [`RequestKind`].
    pub kind: String,
    /// Of a document: which.
    pub document: String,
    /// What exactly.
    pub message: String,
    /// Of a visitor: who asks.
    pub name: String,
    /// Of a visitor: where the answer goes.
    pub email: String,
    /// Of a visitor: for whom.
    pub company: String,
}

/// The same, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRequest {
    /// What is asked for.
    pub kind: RequestKind,
    /// Of a document: which.
    pub document: Option<DocumentId>,
    /// What exactly.
    pub message: String,
    /// Who asks.
    pub name: String,
    /// Where the answer goes.
    pub email: String,
    /// For whom.
    pub company: String,
}

impl RequestText {
    /// Understands it.
    ///
    /// # Errors
    /// [`AppError::Invalid`] with every field that is wrong.
    pub fn parse(&self) -> Result<NewRequest, AppError> {
        let mut checks = Checks::default();
        let unknown = |()| FieldError::new("kind", "unknown_kind", "Choose one of them.");
        let kind = checks.keep(self.kind.parse::<RequestKind>().map_err(unknown));
        let document = match kind {
            Some(RequestKind::Document) => {
                let which = |_| FieldError::new("document", "required", "Choose which document.");
                checks.keep(self.document.trim().parse::<DocumentId>().map_err(which))
            }
            _ => None,
        };
        let message = checks.keep(text("message", &self.message, MESSAGE_MAX));
        let name = checks.keep(line("name", &self.name, NAME_MAX));
        let email = checks.keep(parse_email("email", &self.email));
        let company = checks.keep(line("company", &self.company, 100));
        checks.finish()?;
        let (Some(kind), Some(message), Some(name), Some(email), Some(company)) = (kind, message, name, email, company)
        else {
            return Err(AppError::Internal);
        };
        Ok(NewRequest { kind, document, message, name, email, company })
    }
}

// Documents --------------------------------------------------------------------------------------------------------

/// A document that is handed out, without what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its id.
    pub id: DocumentId,
    /// What it is.
    pub title: String,
    /// What its file is called.
    pub file_name: String,
    /// What its file is.
    pub media_type: String,
    /// In bytes.
    pub size: i32,
    /// SHA-256, in hexadecimal.
    pub sha256: String,
    /// Since when.
    pub added_at: OffsetDateTime,
    /// Since when it is handed out no more.
    pub retired_at: Option<OffsetDateTime>,
}

/// An entry of the access list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// Who.
    pub email: String,
    /// Since when.
    pub granted_at: OffsetDateTime,
    /// Until when.
    pub expires_at: OffsetDateTime,
    /// When it was taken away.
    pub revoked_at: Option<OffsetDateTime>,
    /// When the terms were agreed to, and by whom.
    pub accepted: Option<(OffsetDateTime, String)>,
    /// How often it was downloaded, and when last.
    pub downloads: i32,
    /// When last.
    pub last_download_at: Option<OffsetDateTime>,
}

/// What a link to a document opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentOffer {
    /// The entry of the access list.
    pub grant: GrantId,
    /// Which document.
    pub document: DocumentId,
    /// To whom it was sent.
    pub email: String,
    /// What it is.
    pub title: String,
    /// What its file is called.
    pub file_name: String,
    /// What its file is.
    pub media_type: String,
    /// In bytes.
    pub size: i32,
    /// What one agrees to first.
    pub terms: String,
    /// Until when.
    pub expires_at: OffsetDateTime,
    /// Whether the terms were agreed to.
    pub is_accepted: bool,
}

#[cfg(test)]
mod model_tests {
    use super::*;
    use time::macros::{date, datetime};

    fn framework(status: Status, evidence: Vec<Evidence>) -> Framework {
        Framework {
            id: "soc-2".into(),
            name: "SOC 2".into(),
            status,
            scope: "All".into(),
            owner: "Security team".into(),
            review_on: date!(2027 - 01 - 31),
            changed_at: datetime!(2026-11-27 0:00 UTC),
            evidence,
        }
    }

    fn evidence(kind: EvidenceKind, valid_until: Option<Date>) -> Evidence {
        let link = Some("https://example.com/report".into());
        Evidence { id: EvidenceId::new(), title: "Report".into(), kind, link, document: None, valid_until }
    }

    #[test]
    fn a_claim_stands_as_long_as_what_shows_it() {
        let (last, after) = (date!(2027 - 01 - 31), date!(2027 - 02 - 01));
        let own = || vec![evidence(EvidenceKind::Statement, Some(last))];
        let independent = || vec![evidence(EvidenceKind::Attestation, Some(last))];
        for (status, evidence, on_the_day, day_after) in [
            (Status::InProgress, vec![], "in_progress", "in_progress"),
            (Status::InProgress, independent(), "in_progress", "in_progress"),
            (Status::NotInScope, vec![], "not_in_scope", "not_in_scope"),
            (Status::Compliant, own(), "compliant", "evidence_lapsed"),
            (Status::Compliant, vec![], "evidence_lapsed", "evidence_lapsed"),
            (Status::Certified, own(), "evidence_lapsed", "evidence_lapsed"),
            (Status::Certified, independent(), "certified", "evidence_lapsed"),
        ] {
            let one = framework(status, evidence);
            assert_eq!((one.said(last).as_str(), one.said(after).as_str()), (on_the_day, day_after), "{status}");
        }
        let one = framework(Status::Compliant, vec![evidence(EvidenceKind::Statement, None)]);
        assert_eq!((one.is_overdue(last), one.is_overdue(after)), (false, true));
        assert_eq!(one.view(after)["review_is_overdue"], true);
    }

    #[test]
    fn evidence_lies_in_one_place_and_an_attestation_ends() {
        let fields = |typed: &EvidenceText| match typed.parse() {
            Err(AppError::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        let typed = EvidenceText {
            title: "Report".into(),
            kind: "statement".into(),
            link: "/security".into(),
            ..EvidenceText::default()
        };
        assert!(typed.parse().is_ok());
        for link in
            ["", "http://example.com", "//evil.example", "/\\evil", "javascript:alert(1)", "https://", "https:// x"]
        {
            assert_eq!(fields(&EvidenceText { link: link.into(), ..typed.clone() }), ["link"], "{link}");
        }
        let document = DocumentId::new().to_string();
        assert_eq!(fields(&EvidenceText { document: document.clone(), ..typed.clone() }), ["document"]);
        assert!(EvidenceText { document, link: String::new(), ..typed.clone() }.parse().is_ok());
        assert_eq!(fields(&EvidenceText { kind: "attestation".into(), ..typed.clone() }), ["valid_until"]);
        assert_eq!(fields(&EvidenceText { valid_until: "2027-02-30".into(), ..typed }), ["valid_until"]);
        assert_eq!(fields(&EvidenceText::default()), ["title", "kind", "link"]);
    }
}
