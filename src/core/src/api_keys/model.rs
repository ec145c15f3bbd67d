use crate::{FieldError, error::AppError, error::Checks, ids::KeyId, permissions::Permission};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use time::OffsetDateTime;

/// What kind of key: what it may do is decided by its kind or, if restricted, by its scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Every scope there is, on live messages.
    Live,
    /// Test messages only; nothing leaves the machine.
    Test,
    /// The scopes that were chosen.
    Restricted,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Live, Self::Test, Self::Restricted];

    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
            Self::Restricted => "restricted",
        }
    }

    /// What every key of this kind begins with. Never change one: scanners know them.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Live => "sk_live_",
            Self::Test => "sk_test_",
            Self::Restricted => "sk_restr_",
        }
    }
}

impl FromStr for Kind {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(())
    }
}

/// Which messages a key sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The real ones.
    Live,
    /// Those that never leave the machine.
    Test,
}

impl Mode {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

impl FromStr for Mode {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "live" => Ok(Self::Live),
            "test" => Ok(Self::Test),
            _ => Err(()),
        }
    }
}

/// Whether a key opens anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It does.
    Active,
    /// Its time is over.
    Expired,
    /// Somebody revoked it.
    Revoked,
}

impl Status {
    /// At this time. A revoked key stays revoked when it would have expired.
    pub fn at(now: OffsetDateTime, expires_at: Option<OffsetDateTime>, revoked_at: Option<OffsetDateTime>) -> Self {
        match (revoked_at, expires_at) {
            (Some(_), _) => Self::Revoked,
            (None, Some(expires_at)) if expires_at <= now => Self::Expired,
            _ => Self::Active,
        }
    }

    /// As shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// A key as the API gives it and the page shows it. The key itself is nowhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeyView {
    /// The id, which is no secret.
    pub id: KeyId,
    /// What people call it.
    pub name: String,
    /// Live, test or restricted.
    pub kind: Kind,
    /// Which messages it sees.
    pub mode: Mode,
    /// What it begins with.
    pub prefix: String,
    /// What it ends with.
    pub last4: String,
    /// What it may do.
    pub scopes: Vec<Permission>,
    /// The id of who issued it (`usr_…`, or `cli`).
    pub created_by: String,
    /// Their name today, for the page.
    #[serde(skip)]
    #[schema(ignore)]
    pub creator: Option<String>,
    /// Who answers for it, for the page; `None`: the owners of the workspace.
    #[serde(skip)]
    #[schema(ignore)]
    pub responsible: Option<String>,
    /// When it was issued.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it last opened anything; a few seconds behind.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_used_at: Option<OffsetDateTime>,
    /// Whether it opens anything.
    pub status: Status,
    /// When it stops by itself.
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
    /// When it was revoked.
    #[serde(with = "time::serde::rfc3339::option")]
    pub revoked_at: Option<OffsetDateTime>,
    /// Why it was revoked.
    pub reason: Option<String>,
}

/// One page of keys, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The keys.
    pub keys: Vec<KeyView>,
    /// The last one's id, if there are more.
    pub older: Option<KeyId>,
}

/// Days without use after which a key is worth a question.
pub const IDLE_DAYS: i64 = 90;
/// Days before its expiry when a key is worth a question.
pub const EXPIRY_DAYS: i64 = 14;

/// What the overview says of the keys.
#[derive(Clone, Debug)]
pub struct Summary {
    /// How many there have ever been.
    pub ever: i64,
    /// How many open something.
    pub active: i64,
    /// Some of those that are unused for [`IDLE_DAYS`] or expire within [`EXPIRY_DAYS`].
    pub questionable: Vec<KeyView>,
}

/// The longest name and reason, in characters.
pub const NAME_MAX: usize = 64;
/// The longest reason, in characters.
pub const REASON_MAX: usize = 200;
/// How long a key may live, in days, as offered on the form.
pub const LIFETIMES: [u32; 3] = [30, 90, 365];

/// What somebody asks for when issuing a key, as a form has it.
#[derive(Clone, Debug, Default)]
pub struct NewKeyText {
    /// What to call it.
    pub name: String,
    /// `live`, `test` or `restricted`.
    pub kind: String,
    /// Of a restricted key: `live` (also when empty) or `test`.
    pub mode: String,
    /// Of a restricted key: what it may do.
    pub scopes: Vec<String>,
    /// Days until it expires; empty: never.
    pub lifetime: String,
}

/// A key that may be issued, if whoever asks holds its scopes.
#[derive(Clone, Debug, PartialEq)]
pub struct NewKey {
    /// What to call it.
    pub name: String,
    /// Live, test or restricted.
    pub kind: Kind,
    /// Which messages it sees.
    pub mode: Mode,
    /// What it may do.
    pub scopes: Vec<Permission>,
    /// Days until it expires.
    pub lifetime: Option<u32>,
}

impl NewKeyText {
    /// Parses every field.
    ///
    /// # Errors
    /// [`AppError::Invalid`] with every field that is wrong.
    pub fn parse(&self) -> Result<NewKey, AppError> {
        let mut checks = Checks::default();
        let name = checks.keep(line("name", &self.name, NAME_MAX));
        let kind = checks.keep(
            self.kind
                .parse::<Kind>()
                .map_err(|()| FieldError::new("kind", "unknown_kind", "Choose live, test or restricted.")),
        );
        let mode = checks.keep(self.mode(kind));
        let scopes = checks.keep(self.scopes(kind));
        let lifetime = checks.keep(self.lifetime());
        checks.finish()?;
        let (Some(name), Some(kind), Some(mode), Some(scopes), Some(lifetime)) = (name, kind, mode, scopes, lifetime)
        else {
            return Err(AppError::Internal);
        };
        Ok(NewKey { name, kind, mode, scopes, lifetime })
    }

    fn mode(&self, kind: Option<Kind>) -> Result<Mode, FieldError> {
        match (kind, self.mode.as_str()) {
            (Some(Kind::Live), _) => Ok(Mode::Live),
            (Some(Kind::Test), _) => Ok(Mode::Test),
            (_, "") => Ok(Mode::Live),
            (_, mode) => mode.parse().map_err(|()| FieldError::new("mode", "unknown_mode", "Choose live or test.")),
        }
    }

    fn scopes(&self, kind: Option<Kind>) -> Result<Vec<Permission>, FieldError> {
        match kind {
            Some(Kind::Live) => return Ok(Permission::scopes().collect()),
            Some(Kind::Test) => return Ok(vec![Permission::WorkspaceRead]),
            _ => {}
        }
        let parse = |scope: &String| {
            scope.parse::<Permission>().ok().filter(|scope| scope.is_scope()).ok_or_else(|| {
                FieldError::new("scopes", "unknown_scope", format!("{scope} is not a scope that a key can have."))
            })
        };
        let mut scopes = self.scopes.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.is_empty() && kind.is_some() {
            return Err(FieldError::new(
                "scopes",
                "required",
                "Choose at least one scope: a key without any opens nothing.",
            ));
        }
        Ok(scopes)
    }

    fn lifetime(&self) -> Result<Option<u32>, FieldError> {
        match self.lifetime.trim() {
            "" => Ok(None),
            days => match days.parse() {
                Ok(days @ 1..=3650) => Ok(Some(days)),
                _ => Err(FieldError::new("lifetime", "out_of_range", "Between 1 and 3650 days, or never.")),
            },
        }
    }
}

/// One line of text for people: trimmed, not empty, not too long, no control characters.
pub fn line(field: &str, text: &str, longest: usize) -> Result<String, FieldError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(FieldError::new(field, "required", format!("{} is needed.", capitalised(field))));
    }
    if text.chars().count() > longest {
        return Err(FieldError::new(field, "too_long", format!("At most {longest} characters.")));
    }
    if text.chars().any(char::is_control) {
        return Err(FieldError::new(field, "control_characters", "One line of text, without control characters."));
    }
    Ok(text.to_owned())
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restricted() -> NewKeyText {
        NewKeyText {
            name: "CI".into(),
            kind: "restricted".into(),
            scopes: vec!["audit.read".into()],
            ..NewKeyText::default()
        }
    }

    #[test]
    fn a_restricted_key_has_the_scopes_that_were_chosen() {
        let key = restricted().parse().expect("valid");
        assert_eq!((key.mode, key.scopes), (Mode::Live, vec![Permission::AuditRead]));
    }

    #[test]
    fn live_and_test_keys_have_those_of_their_kind() {
        let of = |kind: &str| NewKeyText { kind: kind.into(), ..restricted() }.parse().expect("valid");
        assert_eq!(of("live").scopes, Permission::scopes().collect::<Vec<_>>());
        assert_eq!(of("test").scopes, vec![Permission::WorkspaceRead]);
        assert_eq!(of("test").mode, Mode::Test);
    }

    #[test]
    fn every_wrong_field_is_named() {
        let wrong = NewKeyText {
            name: " ".into(),
            kind: "restricted".into(),
            mode: "x".into(),
            scopes: vec!["keys.issue".into()],
            lifetime: "0".into(),
        };
        let Err(AppError::Invalid(errors)) = wrong.parse() else { panic!("accepted") };
        let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["name", "mode", "scopes", "lifetime"]);
    }

    #[test]
    fn names_are_one_line_of_at_most_64_characters() {
        let code = |name: &str| line("name", name, NAME_MAX).map_err(|error| error.code);
        assert_eq!(code(&"é".repeat(64)), Ok("é".repeat(64)));
        assert_eq!(code(&"é".repeat(65)), Err("too_long".into()));
        assert_eq!(code("a\nb"), Err("control_characters".into()));
        assert_eq!(code(" CI "), Ok("CI".into()));
    }

    #[test]
    fn a_revoked_key_stays_revoked() {
        let now = OffsetDateTime::UNIX_EPOCH;
        assert_eq!(Status::at(now, Some(now), None), Status::Expired);
        assert_eq!(Status::at(now, Some(now), Some(now)), Status::Revoked);
        assert_eq!(Status::at(now, Some(now + time::Duration::SECOND), None), Status::Active);
    }
}
