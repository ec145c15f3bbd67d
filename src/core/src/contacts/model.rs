use crate::{
    FieldError,
    ids::{ContactId, WorkspaceId},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use time::OffsetDateTime;

/// Hours until the link that confirms an address is void.
pub const HOURS: i64 = 72;
/// The most contacts of a workspace.
pub const CONTACTS_MAX: i64 = 20;
/// Seconds between two test mails to one contact.
pub const TEST_SECONDS: i64 = 60;

/// What a contact can be told about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// Owners and admins come, go, or change.
    Members,
    /// Live keys are issued and revoked.
    Keys,
    /// What protects the workspace is changed.
    Policies,
    /// Sign-ins that somebody should know of.
    SignIns,
    /// The audit log itself.
    Log,
}

impl NoticeKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Members, Self::Keys, Self::Policies, Self::SignIns, Self::Log];

    /// As stored and as forms send it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Keys => "keys",
            Self::Policies => "policies",
            Self::SignIns => "sign_ins",
            Self::Log => "log",
        }
    }

    /// As people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Members => "Team",
            Self::Keys => "API keys",
            Self::Policies => "Policies",
            Self::SignIns => "Sign-ins",
            Self::Log => "Audit log",
        }
    }

    /// What it is about, as a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Members => "An owner or admin is invited, made or unmade, or a member is removed.",
            Self::Keys => "A key for live messages is issued or revoked.",
            Self::Policies => "What protects the workspace is changed.",
            Self::SignIns => "A sign-in that somebody should know of.",
            Self::Log => "The audit log is exported, or something is wrong with it.",
        }
    }
}

impl FromStr for NoticeKind {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(())
    }
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The kinds as a form has them, each once and in their order. A contact that is told nothing would be none.
pub fn parse_kinds(texts: &[String]) -> Result<Vec<NoticeKind>, FieldError> {
    let refused = |code, message| Err(FieldError::new("kinds", code, message));
    if texts.iter().any(|text| text.parse::<NoticeKind>().is_err()) {
        return refused("unknown_kind", "Choose from the list.");
    }
    let chosen = |kind: &NoticeKind| texts.iter().any(|text| text == kind.as_str());
    let kinds: Vec<NoticeKind> = NoticeKind::ALL.into_iter().filter(chosen).collect();
    if kinds.is_empty() {
        return refused("required", "Choose at least one. Who should be told nothing is no contact.");
    }
    Ok(kinds)
}

/// Whether a contact is told anything yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A member of the workspace: told at the address they sign in with.
    Member,
    /// An address outside that has said yes.
    Confirmed(OffsetDateTime),
    /// An address outside that can say yes until then.
    Waits(OffsetDateTime),
}

/// A contact.
#[derive(Clone, Debug, PartialEq)]
pub struct ContactView {
    /// The id.
    pub id: ContactId,
    /// How they are called; of an address outside, nothing is known but the address.
    pub name: Option<String>,
    /// Where they are told.
    pub email: String,
    /// About what.
    pub kinds: Vec<NoticeKind>,
    /// Whether they are told yet.
    pub standing: Standing,
    /// Since when.
    pub created_at: OffsetDateTime,
    /// When somebody last sent them a test.
    pub tested_at: Option<OffsetDateTime>,
}

impl ContactView {
    /// Whether notices go to them.
    pub fn is_told(&self) -> bool {
        !matches!(self.standing, Standing::Waits(_))
    }

    /// How the page and the log call them.
    pub fn called(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.email)
    }
}

/// What whoever holds the link of an address is told.
#[derive(Clone, Debug, PartialEq)]
pub struct ContactOffer {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Its name.
    pub workspace_name: String,
    /// The contact.
    pub id: ContactId,
    /// The address.
    pub email: String,
    /// Who named it; `None` for the command line and for accounts that are gone.
    pub added_by: Option<String>,
}

#[cfg(test)]
mod model_tests {
    use super::*;

    #[test]
    fn kinds_are_read_once_each_and_never_none() {
        let of = |texts: &[&str]| parse_kinds(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["log", "members", "log"]), Ok(vec![NoticeKind::Members, NoticeKind::Log]));
        assert_eq!(of(&[]).map_err(|error| error.code), Err("required".into()));
        assert_eq!(of(&["keys", "weather"]).map_err(|error| error.code), Err("unknown_kind".into()));
        for kind in NoticeKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
    }
}
