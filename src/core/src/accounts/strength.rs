//! Whether a password may be chosen. No rules of composition; what counts is length, and that nobody guesses it first: a list
//! of what was leaked and is long enough, zxcvbn, which knows names, words, keyboard rows, dates and repetitions, and what is
//! known about the person, their workspaces and us. All of it is offline (ASVS 6.2.4, 6.2.11, 6.2.12).

use super::{PASSWORD_MAX, PASSWORD_MIN};
use crate::FieldError;
use std::{collections::HashSet, sync::LazyLock};
use zxcvbn::zxcvbn;

/// What has [`PASSWORD_MIN`] characters or more among the million most frequent passwords of known leaks, in lower case.
/// Where it comes from: `docs/dependencies.md`.
static BREACHED: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("breached.txt").lines().collect());

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

/// Says why a password cannot be chosen, if it cannot. `workspaces` are the names of those that the person is in.
///
/// # Errors
/// One of `too_short`, `too_long`, `breached` and `guessable`.
pub fn check_password(field: &str, password: &str, email: &str, workspaces: &[&str]) -> Result<(), FieldError> {
    let refuse = |code: &str, message: String| Err(FieldError::new(field, code, message));
    let length = password.chars().count();
    if length < PASSWORD_MIN {
        let text = format!("At least {PASSWORD_MIN} characters; this has {length}. A few words make a good one.");
        return refuse("too_short", text);
    }
    if length > PASSWORD_MAX {
        return refuse("too_long", format!("At most {PASSWORD_MAX} characters."));
    }
    let bare = bare(password);
    if [password.to_lowercase(), bare.clone()].iter().any(|text| BREACHED.contains(text.as_str())) {
        let text = "This is in lists of leaked passwords, and among the first that somebody would try. Choose another.";
        return refuse("breached", text.to_owned());
    }
    match guessable(password, &bare, email, workspaces) {
        Some(why) => {
            refuse("guessable", format!("{why} It is one of the first that somebody would try. Choose another."))
        }
        None => Ok(()),
    }
}

/// Letters and digits alone, in lower case: what stands between them keeps nobody from guessing.
fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
}

/// Why somebody would guess it soon. As it is, and without whatever stands between its letters.
fn guessable(password: &str, bare: &str, email: &str, workspaces: &[&str]) -> Option<String> {
    let local = email.split('@').next().unwrap_or_default();
    let own = [email, local].into_iter().chain(workspaces.iter().copied()).map(self::bare);
    let known: Vec<String> = KNOWN.into_iter().map(str::to_owned).chain(own).filter(|word| word.len() > 3).collect();
    let letters_beside = |word: &String| bare.replace(word, "").chars().filter(|c| c.is_alphabetic()).count();
    if known.iter().any(|word| letters_beside(word) < 4) {
        return Some(
            "It is little more than your address, your workspace, our name, or a well-known phrase.".to_owned(),
        );
    }
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let weak =
        [password, bare].into_iter().map(|text| zxcvbn(text, &known)).find(|of| of.guesses_log10() < GUESSES_LOG10)?;
    let warning = weak.feedback().and_then(|feedback| feedback.warning()).map(|warning| warning.to_string());
    Some(warning.unwrap_or_else(|| "It follows a pattern that is easy to guess.".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(password: &str) -> Result<(), String> {
        check_password("password", password, "someone@example.com", &["Blue Heron Post"]).map_err(|error| error.code)
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
            let refused = code(guessable).expect_err(guessable);
            assert!(["guessable", "breached"].contains(&refused.as_str()), "{guessable}: {refused}");
        }
        let told =
            check_password("password", "passwordpassword", "someone@example.com", &[]).expect_err("refused").message;
        assert!(told.len() > 60, "{told}");
    }

    #[test]
    fn the_name_of_a_workspace_is_no_password() {
        for named in ["Blue Heron Post", "blue-heron-post-2026", "BlueHeronPost!!!"] {
            assert_eq!(code(named), Err("guessable".into()), "{named}");
        }
        assert_eq!(code("a heron ate my lunch"), Ok(()));
    }

    #[test]
    fn whatever_was_leaked_is_refused_however_it_is_written() {
        assert!(BREACHED.len() > 3_000, "{} are known", BREACHED.len());
        for leaked in BREACHED.iter() {
            for text in [(*leaked).to_owned(), leaked.to_uppercase()] {
                assert_eq!(code(&text), Err("breached".into()), "{text}");
            }
        }
        assert_eq!(code("1qaz 2wsx 3edc 4rfv"), Err("breached".into()), "what stands between changes nothing");
    }
}
