use crate::{
    FieldError,
    ids::{MemberId, SessionId, UserId, WorkspaceId},
    permissions::Role,
    policies::Demand,
};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use time::{Duration, OffsetDateTime};

/// How somebody showed that it is them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// A password, and nothing besides.
    Password,
    /// A password, and a code of an authenticator app (RFC 6238).
    Totp,
    /// A password, and a recovery code.
    RecoveryCode,
    /// A passkey, which is two factors in one (WebAuthn with user verification).
    Passkey,
}

impl Factor {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery_code",
            Self::Passkey => "passkey",
        }
    }

    /// In words for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Password => "password only",
            Self::Totp => "password and app code",
            Self::RecoveryCode => "password and recovery code",
            Self::Passkey => "passkey",
        }
    }
}

impl FromStr for Factor {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Password, Self::Totp, Self::RecoveryCode, Self::Passkey]
            .into_iter()
            .find(|factor| factor.as_str() == text)
            .ok_or(())
    }
}

/// How a session begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Begun {
    /// With the right password of somebody who has a second factor: it opens nothing but the way to that.
    Half,
    /// With everything that there is to show.
    With(Factor),
}

/// Somebody signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// The person.
    pub user: UserId,
    /// How they are called.
    pub name: String,
    /// Their mail address.
    pub email: String,
    /// With which session.
    pub session: SessionId,
    /// The IANA name of their time zone; empty: that of the browser.
    pub time_zone: String,
    /// `system`, `light` or `dark`.
    pub theme: String,
    /// Whether everything was shown that there is to show. If not, this opens nothing but the way to the second factor.
    pub is_whole: bool,
    /// How they showed last that it is them.
    pub factor: Factor,
    /// What that is enough for.
    pub proof: Proof,
}

/// How long a proof counts for what an open session alone must not be enough for.
pub const PROOF_LASTS: Duration = Duration::minutes(10);

/// What a session has shown. Signing in, a code and a password count for everything; a passkey that confirms something
/// counts for exactly that: whoever approves A cannot be made to have approved B.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// When for everything.
    #[serde(with = "time::serde::timestamp::microseconds")]
    pub at: OffsetDateTime,
    /// The digest of what a passkey confirmed last.
    pub approved: Option<[u8; 32]>,
    /// When it did.
    #[serde(with = "time::serde::timestamp::microseconds::option")]
    pub approved_at: Option<OffsetDateTime>,
}

impl Proof {
    /// A proof for everything.
    pub fn of_everything(at: OffsetDateTime) -> Self {
        Self { at, approved: None, approved_at: None }
    }

    /// Whether it is enough for everything, now.
    pub fn covers_everything(&self, now: OffsetDateTime) -> bool {
        now - self.at <= PROOF_LASTS
    }

    /// Whether the change of this digest was confirmed alone, and not long ago.
    pub fn covers(&self, digest: &[u8; 32], now: OffsetDateTime) -> bool {
        self.approved.as_ref() == Some(digest) && self.approved_at.is_some_and(|at| now - at <= PROOF_LASTS)
    }
}

/// What was shown once more in an open session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// By what.
    pub factor: Factor,
    /// For what alone: the digest of a change, and its words. `None`: for everything.
    pub only: Option<([u8; 32], String)>,
}

impl Shown {
    /// A proof of everything.
    pub fn for_everything(factor: Factor) -> Self {
        Self { factor, only: None }
    }
}

/// A session as its person sees it in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// The id, which is no secret.
    pub id: SessionId,
    /// Since when.
    pub begun_at: OffsetDateTime,
    /// When it was last used, to the minute.
    pub last_seen_at: OffsetDateTime,
    /// From where it began.
    pub address: Option<String>,
    /// With which browser.
    pub agent: Option<String>,
    /// Whether the second factor, if there is one, was shown.
    pub is_whole: bool,
    /// How its person showed last that it is them.
    pub factor: Factor,
}

/// One workspace of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Its name in URLs.
    pub slug: String,
    /// Its name.
    pub workspace_name: String,
    /// The membership.
    pub member: MemberId,
    /// The person's role in it.
    pub role: Role,
    /// When they last opened a page in it, to the minute.
    pub last_seen_at: Option<OffsetDateTime>,
    /// What it demands of them before they come in.
    pub demand: Option<Demand>,
}

/// The longest name of a person, in characters.
pub const NAME_MAX: usize = 64;

/// The themes that one can choose.
pub const THEMES: [&str; 3] = ["system", "light", "dark"];

/// One of the themes.
pub fn parse_theme(text: &str) -> Result<String, FieldError> {
    let known = THEMES.contains(&text);
    known
        .then(|| text.to_owned())
        .ok_or_else(|| FieldError::new("theme", "unknown_theme", "One of system, light, dark."))
}

/// Wrong passwords for one account before the waits begin.
pub const FREE_PER_ACCOUNT: i32 = 10;
/// Wrong passwords from one address (of IPv6: one /64) before the waits begin.
pub const FREE_PER_ADDRESS: i32 = 50;
/// Long enough to stand alone (NIST SP 800-63B-4, single factor), in characters.
pub const PASSWORD_MIN: usize = 15;
/// More than anybody types, in characters.
pub const PASSWORD_MAX: usize = 128;

/// A mail address, lower-cased: some text, one `@`, a domain with a dot or `localhost`. Whether it exists, only a mail
/// can tell.
pub fn parse_email(field: &str, text: &str) -> Result<String, FieldError> {
    let text = text.trim().to_lowercase();
    let wrong = || FieldError::new(field, "not_an_address", "A mail address such as ana@example.com.");
    let (local, domain) = text.rsplit_once('@').ok_or_else(wrong)?;
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !"<>()[]\\,;:\"@".contains(c);
    let named = domain.contains('.') || domain == "localhost";
    let whole = !domain.starts_with('.') && !domain.ends_with('.') && !domain.contains("..");
    if local.is_empty() || !named || !whole || text.len() > 254 || !text.chars().all(|c| c == '@' || plain(c)) {
        return Err(wrong());
    }
    if local.contains('@') { Err(wrong()) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_addresses() {
        for good in ["ana@example.com", "a.b+c@sub.example.co", "x@localhost", "é@example.com"] {
            assert!(parse_email("email", good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "ana",
            "ana@",
            "@example.com",
            "a@b@example.com",
            "a b@example.com",
            "a@.com",
            "a@example..com",
            "a\n@example.com",
            "a@example",
        ] {
            assert!(parse_email("email", bad).is_err(), "{bad}");
        }
        assert_eq!(parse_email("email", " Ana@Example.COM "), Ok("ana@example.com".into()));
    }
}
