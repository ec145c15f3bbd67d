use crate::ids::PasskeyId;
use time::OffsetDateTime;

/// How many recovery codes there are at a time.
pub const RECOVERY_CODES: usize = 10;
/// The longest name of a passkey, in characters.
pub const PASSKEY_NAME_MAX: usize = 64;
/// The most passkeys of one person.
pub const PASSKEYS_MAX: usize = 20;

/// What somebody can show besides a password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Factors {
    /// An authenticator app that has shown that it works.
    pub totp: bool,
    /// How many passkeys.
    pub passkeys: i64,
    /// How many recovery codes are left. By themselves they are no factor: they stand in for one that is lost.
    pub recovery_codes: i64,
}

impl Factors {
    /// Whether there is a second factor.
    pub fn is_second(self) -> bool {
        self.totp || self.passkeys > 0
    }

    /// In words for people.
    pub fn words(self) -> &'static str {
        match (self.passkeys > 0, self.totp) {
            (true, true) => "passkey and app",
            (true, false) => "passkey",
            (false, true) => "app",
            (false, false) => "password only",
        }
    }
}

/// A passkey as its person sees it in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyView {
    /// The id, which is no secret.
    pub id: PasskeyId,
    /// How its person calls it.
    pub name: String,
    /// Since when.
    pub created_at: OffsetDateTime,
    /// When it last opened something.
    pub last_used_at: Option<OffsetDateTime>,
}

/// An authenticator app on its way to being a factor: what the app is to be told.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// For scanning: `otpauth://totp/…`.
    pub link: String,
    /// For typing: base32 in groups of four.
    pub typed: String,
}

/// A recovery code as it was typed, without what people put between its parts.
pub fn normal_recovery_code(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod model_tests {
    use super::*;

    #[test]
    fn a_recovery_code_is_read_however_it_is_typed() {
        for typed in ["abcd-efgh-2345", " ABCD EFGH 2345 ", "abcdefgh2345", "abcd–efgh–2345"] {
            assert_eq!(normal_recovery_code(typed), "abcdefgh2345");
        }
    }

    #[test]
    fn recovery_codes_alone_are_no_factor() {
        assert!(!Factors { recovery_codes: 10, ..Factors::default() }.is_second());
        assert!(Factors { totp: true, ..Factors::default() }.is_second());
        assert!(Factors { passkeys: 1, ..Factors::default() }.is_second());
    }
}
