use crate::{accounts::parse_email, ids::MailId};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

/// What is sent to whom. It says one thing, and gives one link; text and HTML are made of it (`render.rs`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The mail address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The text. A blank line begins a paragraph.
    pub text: String,
    /// What to do about it, if anything.
    pub link: Option<String>,
}

/// Why a letter is not sent: it would say to a mail server what it should not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LetterError {
    /// More than an address: a second header, a second recipient.
    #[error("the recipient is not one mail address")]
    Recipient,
    /// More than a line.
    #[error("the subject is not one line")]
    Subject,
    /// Not a page.
    #[error("the link leads to no page")]
    Link,
}

impl Letter {
    /// Refuses what could become a header of its own, or a link that is a program.
    ///
    /// # Errors
    /// [`LetterError`] naming the part.
    pub fn check(&self) -> Result<(), LetterError> {
        // Nothing is trimmed here: what the parser would have to repair is refused.
        if parse_email("to", &self.to).ok() != Some(self.to.to_lowercase()) {
            return Err(LetterError::Recipient);
        }
        if self.subject.trim().is_empty() || self.subject.chars().any(char::is_control) {
            return Err(LetterError::Subject);
        }
        let is_page = |link: &String| link.starts_with("https://") || link.starts_with("http://");
        if self.link.as_ref().is_some_and(|link| !is_page(link) || link.chars().any(|c| c.is_control() || c == ' ')) {
            return Err(LetterError::Link);
        }
        Ok(())
    }
}

/// How long to wait after each attempt that failed. After the last one it is given up: that is about a day.
pub const RETRIES: [Duration; 8] = [
    Duration::seconds(5),
    Duration::seconds(30),
    Duration::minutes(2),
    Duration::minutes(10),
    Duration::hours(1),
    Duration::hours(4),
    Duration::hours(8),
    Duration::hours(12),
];

/// A mail as the local mailbox shows it.
#[derive(Clone, Debug)]
pub struct MailView {
    /// The id.
    pub id: MailId,
    /// When it was written.
    pub at: OffsetDateTime,
    /// What it says.
    pub letter: Letter,
}

#[cfg(test)]
mod model_tests {
    use super::*;

    fn letter() -> Letter {
        Letter {
            to: "ana@example.com".into(),
            subject: "A subject".into(),
            text: "A text".into(),
            link: Some("https://console.example.com/w/acme".into()),
        }
    }

    #[test]
    fn nothing_becomes_a_header() {
        assert_eq!(letter().check(), Ok(()));
        for subject in ["a\r\nBcc: eve@example.com", "a\nb", "a\rb", "a\0b", "a\u{85}b", "", "  "] {
            assert_eq!(
                Letter { subject: subject.into(), ..letter() }.check(),
                Err(LetterError::Subject),
                "{subject:?}"
            );
        }
        for to in [
            "ana@example.com\r\nBcc: eve@example.com",
            "ana@example.com\n",
            " ana@example.com",
            "ana@example.com, eve@example.com",
            "Ana <ana@example.com>",
            "ana@example.com>\nRCPT TO:<eve@example.com",
            "ana",
            "",
        ] {
            assert_eq!(Letter { to: to.into(), ..letter() }.check(), Err(LetterError::Recipient), "{to:?}");
        }
    }

    #[test]
    fn a_link_leads_to_a_page() {
        for link in ["javascript:alert(1)", "//evil.example", "https://a b", "https://a\r\nb", "data:text/html,x", ""] {
            assert_eq!(Letter { link: Some(link.into()), ..letter() }.check(), Err(LetterError::Link), "{link:?}");
        }
        assert_eq!(Letter { link: None, ..letter() }.check(), Ok(()));
    }

    #[test]
    fn it_is_tried_for_about_a_day() {
        assert!(RETRIES.is_sorted());
        let hours = RETRIES.iter().sum::<Duration>().whole_hours();
        assert!((24..=30).contains(&hours), "{hours} h");
    }
}
