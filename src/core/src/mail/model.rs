use crate::ids::MailId;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// What is sent to whom. Plain text: it says one thing, and gives one link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The mail address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// What to do about it, if anything.
    pub link: Option<String>,
}

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
