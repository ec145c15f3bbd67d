use crate::{
    FieldError,
    ids::{MemberId, SessionId, UserId, WorkspaceId},
    permissions::Role,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

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

/// Whether a password may be chosen. No rules of composition; what counts is length and that nobody guesses it first.
pub fn check_password(field: &str, password: &str, email: &str) -> Result<(), FieldError> {
    let length = password.chars().count();
    if length < PASSWORD_MIN {
        return Err(FieldError::new(
            field,
            "too_short",
            format!("At least {PASSWORD_MIN} characters; this has {length}. A few words make a good one."),
        ));
    }
    if length > PASSWORD_MAX {
        return Err(FieldError::new(field, "too_long", format!("At most {PASSWORD_MAX} characters.")));
    }
    if is_guessable(&password.to_lowercase(), email) {
        return Err(FieldError::new(
            field,
            "guessable",
            "This is one of the first that anybody would try: a known password, a repetition, or your address. Choose another.",
        ));
    }
    Ok(())
}

fn is_guessable(password: &str, email: &str) -> bool {
    let local = email.split('@').next().unwrap_or_default();
    let distinct = password.chars().collect::<std::collections::BTreeSet<_>>().len();
    let bare: String = password.chars().filter(|c| c.is_alphanumeric()).collect();
    distinct < 5
        || is_repetition(password)
        || is_run(password)
        || bare == email.replace(['@', '.'], "")
        || (local.len() > 3 && is_repetition_of(&bare, local))
        || COMMON.contains(&bare.as_str())
}

/// `abcabcabc…`: a word of at most half the length, over and over.
fn is_repetition(password: &str) -> bool {
    let letters: Vec<char> = password.chars().collect();
    (1..=letters.len() / 2).any(|period| letters.iter().enumerate().all(|(n, letter)| *letter == letters[n % period]))
}

fn is_repetition_of(password: &str, word: &str) -> bool {
    password.replace(word, "").chars().filter(|c| c.is_alphabetic()).count() == 0
}

/// `123456789012345`, `abcdefghijklmno`.
fn is_run(password: &str) -> bool {
    let letters: Vec<u32> = password.chars().map(u32::from).collect();
    let steps = letters
        .windows(2)
        .filter(|pair| pair[1] == pair[0] + 1 || pair[0] == pair[1] + 1 || (pair[0] == 57 && pair[1] == 48))
        .count();
    steps + 2 >= letters.len()
}

/// Those of the well-known lists that are long enough, and the product's own words.
const COMMON: [&str; 14] = [
    "passwordpassword",
    "qwertyuiopasdfgh",
    "qwertyuiopasdfghjkl",
    "1qaz2wsx3edc4rfv",
    "correcthorsebatterystaple",
    "thisismypassword",
    "iloveyouforever",
    "letmeinletmeinletmein",
    "passw0rdpassw0rd",
    "administrator123",
    "send0consolesend0",
    "send0send0send0",
    "mynameisinigomontoya",
    "1q2w3e4r5t6y7u8i",
];

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

    #[test]
    fn passwords() {
        let code =
            |password: &str| check_password("password", password, "someone@example.com").map_err(|error| error.code);
        assert_eq!(code("fourteen chars"), Err("too_short".into()));
        assert_eq!(code("a quiet fifteen"), Ok(()));
        assert_eq!(code(&"x1".repeat(64)), Err("guessable".into()));
        assert_eq!(code(&format!("a long one {}", "é".repeat(118))), Err("too_long".into()));
        for guessable in [
            "123456789012345",
            "abcdefghijklmnop",
            "aaaaaaaaaaaaaaaaaa",
            "PasswordPassword",
            "someone@example.com",
            "someone123someone",
            "correct horse battery staple",
        ] {
            assert_eq!(code(guessable), Err("guessable".into()), "{guessable}");
        }
    }
}
