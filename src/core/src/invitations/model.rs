use crate::{
    FieldError,
    ids::{InvitationId, UserId, WorkspaceId},
    permissions::Role,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Hours until an invitation, or a new link for it, is void.
pub const HOURS: i64 = 72;
/// The most addresses that are invited at once.
pub const AT_ONCE: usize = 50;
/// The most invitations that wait in a workspace.
pub const PENDING_MAX: i64 = 200;

/// An invitation that waits to be accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct InvitationView {
    /// The id.
    pub id: InvitationId,
    /// Who is invited.
    pub email: String,
    /// What they will be.
    pub role: Role,
    /// Who invited them; `None` for the command line and for people who have left.
    pub inviter: Option<String>,
    /// When the last mail or link was made.
    pub sent_at: OffsetDateTime,
    /// Until when its link opens something.
    pub expires_at: OffsetDateTime,
}

/// What whoever holds the link is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Its name in URLs.
    pub slug: String,
    /// Its name.
    pub workspace_name: String,
    /// The invitation.
    pub id: InvitationId,
    /// Whom it is for.
    pub email: String,
    /// What they will be.
    pub role: Role,
    /// Who invited them.
    pub inviter: Option<String>,
    /// Until when.
    pub expires_at: OffsetDateTime,
    /// The person with this address, if they have an account.
    pub user: Option<UserId>,
}

/// How it went with one address of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    /// The address, as typed.
    pub email: String,
    /// What became of it.
    pub result: InviteResult,
}

/// What became of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InviteResult {
    /// The invitation is on its way.
    Sent,
    /// Not a mail address.
    NotAnAddress,
    /// They are in the workspace already.
    Member,
    /// They have an invitation already.
    Invited,
}

impl InviteResult {
    /// As a sentence for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Sent => "Invitation sent.",
            Self::NotAnAddress => "Not a mail address. It would look like ana@example.com.",
            Self::Member => "Is a member already.",
            Self::Invited => "Has an invitation already. It can be sent again from the list.",
        }
    }
}

/// The addresses in a pasted text, each once: separated by spaces, lines, commas or semicolons. `Ana <ana@example.com>`
/// counts as the address in it.
///
/// # Errors
/// For none and for too many.
pub fn addresses(text: &str) -> Result<Vec<String>, FieldError> {
    let parts = text.split(|c: char| c.is_whitespace() || c == ',' || c == ';').filter(|part| !part.is_empty());
    let has_brackets = text.contains('<');
    let mut found: Vec<String> = vec![];
    for part in parts.filter(|part| !has_brackets || part.contains('@')) {
        let address = part.trim_matches(['<', '>', '"']).to_lowercase();
        if !found.contains(&address) {
            found.push(address);
        }
    }
    let refused = |code, message: String| Err(FieldError::new("emails", code, message));
    match found.len() {
        0 => refused("required", "At least one mail address is needed.".into()),
        1..=AT_ONCE => Ok(found),
        count => refused("too_many", format!("At most {AT_ONCE} addresses at once; these are {count}.")),
    }
}

#[cfg(test)]
mod model_tests {
    use super::*;

    #[test]
    fn a_pasted_list_is_read_as_people_paste_it() {
        let of = |text: &str| addresses(text).expect("addresses");
        assert_eq!(
            of("a@b.example, c@d.example;e@f.example\n g@h.example"),
            ["a@b.example", "c@d.example", "e@f.example", "g@h.example"]
        );
        assert_eq!(of("Ana Lee <ana@b.example>, \"Bo\" <bo@b.example>"), ["ana@b.example", "bo@b.example"]);
        assert_eq!(of("A@b.example a@B.example"), ["a@b.example"]);
        assert_eq!(of("nonsense a@b.example"), ["nonsense", "a@b.example"]);
    }

    #[test]
    fn none_and_too_many_are_refused() {
        assert!(addresses(" ,; \n").is_err());
        let many: Vec<String> = (0..=AT_ONCE).map(|n| format!("p{n}@b.example")).collect();
        assert!(addresses(&many.join(" ")).is_err());
        assert!(addresses(&many[1..].join(" ")).is_ok());
    }
}
