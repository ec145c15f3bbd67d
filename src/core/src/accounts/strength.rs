//! Whether a password may be chosen. No rules of composition; what counts is length, and that nobody guesses it first: zxcvbn
//! knows the lists of leaked passwords, names, words, keyboard rows, dates and repetitions, and we give it what is known
//! about the person and us. All of it is offline.

use super::{PASSWORD_MAX, PASSWORD_MIN};
use crate::FieldError;
use zxcvbn::zxcvbn;

/// As a power of ten. Below it, somebody who tries the likeliest first is there within a day in spite of the throttles.
const GUESSES_LOG10: f64 = 7.0;

/// What others are known for, as it stands without its spaces, and our own words.
const KNOWN: [&str; 9] = [
    "correcthorsebatterystaple",
    "mynameisinigomontoya",
    "thisismypassword",
    "iloveyouforever",
    "letmeinletmein",
    "administrator",
    "send0",
    "console",
    "send0console",
];

/// Says why a password cannot be chosen, if it cannot.
pub fn check_password(field: &str, password: &str, email: &str) -> Result<(), FieldError> {
    let refuse = |code: &str, message: String| Err(FieldError::new(field, code, message));
    let length = password.chars().count();
    if length < PASSWORD_MIN {
        let text = format!("At least {PASSWORD_MIN} characters; this has {length}. A few words make a good one.");
        return refuse("too_short", text);
    }
    if length > PASSWORD_MAX {
        return refuse("too_long", format!("At most {PASSWORD_MAX} characters."));
    }
    match guessable(password, email) {
        Some(why) => {
            refuse("guessable", format!("{why} It is one of the first that somebody would try. Choose another."))
        }
        None => Ok(()),
    }
}

/// Why somebody would guess it soon. As it is, and without whatever stands between its letters.
fn guessable(password: &str, email: &str) -> Option<String> {
    let bare: String = password.chars().filter(|c| c.is_alphanumeric()).collect();
    let local = email.split('@').next().unwrap_or_default();
    let joined = email.replace(['@', '.'], "");
    let known: Vec<&str> = KNOWN.into_iter().chain([email, local, &joined]).filter(|word| word.len() > 3).collect();
    let weak =
        [password, &bare].into_iter().map(|text| zxcvbn(text, &known)).find(|of| of.guesses_log10() < GUESSES_LOG10)?;
    let warning = weak.feedback().and_then(|feedback| feedback.warning()).map(|warning| warning.to_string());
    Some(warning.unwrap_or_else(|| "It follows a pattern that is easy to guess.".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(password: &str) -> Result<(), String> {
        check_password("password", password, "someone@example.com").map_err(|error| error.code)
    }

    #[test]
    fn length_is_what_is_asked_for() {
        assert_eq!(code("fourteen chars"), Err("too_short".into()));
        assert_eq!(code("ein Käsebrot ü ✓"), Ok(()), "characters are counted, not bytes");
        assert_eq!(code("a quiet fifteen"), Ok(()));
        assert_eq!(code("three small words"), Ok(()));
        assert_eq!(code(&format!("a long one {}", "é".repeat(118))), Err("too_long".into()));
        let longest = "a set of words that goes on and on, about nothing at all, until it has got one hundred and twenty-eight characters: here now.. .";
        assert_eq!((longest.chars().count(), code(longest)), (128, Ok(())));
    }

    #[test]
    fn what_others_try_first_is_refused_and_why_is_told() {
        for guessable in [
            "123456789012345",
            "abcdefghijklmnop",
            "aaaaaaaaaaaaaaaaaa",
            "PasswordPassword",
            "passw0rdpassw0rd",
            "qwertyuiopasdfgh",
            "someone@example.com",
            "someone123someone",
            "send0consolesend0",
            "correct horse battery staple",
            "Correct-Horse-Battery-Staple",
            "my name is inigo montoya",
        ] {
            assert_eq!(code(guessable), Err("guessable".into()), "{guessable}");
        }
        let told = check_password("password", "passwordpassword", "someone@example.com").expect_err("refused").message;
        assert!(told.len() > 60, "{told}");
    }
}
