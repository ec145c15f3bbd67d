use crate::{
    FieldError,
    ids::{KeyId, MemberId, UserId},
    permissions::Role,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A member as the API gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MemberView {
    /// The membership.
    pub id: MemberId,
    /// The person.
    pub user_id: UserId,
    /// How they are called.
    pub name: String,
    /// Their mail address.
    pub email: String,
    /// What they are here.
    pub role: Role,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub joined_at: OffsetDateTime,
    /// When they last opened a page here, to the minute. Only for those with `policies.read`.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none", default)]
    pub last_seen_at: Option<OffsetDateTime>,
    /// What they can show besides a password. Only for those with `policies.read`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub factors: Option<MemberFactors>,
}

/// What a member can show besides a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MemberFactors {
    /// Codes of an authenticator app.
    pub totp: bool,
    /// How many passkeys.
    pub passkeys: i64,
}

/// One page of members, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The members.
    pub members: Vec<MemberView>,
    /// The last one's id, if there are more.
    pub older: Option<MemberId>,
}

/// What becomes of a key whose responsible member is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFate {
    /// It goes on working; whoever removes the member answers for it.
    HandOver,
    /// It opens nothing any more.
    Revoke,
}

/// The fates of keys as a form has them: `hand_over:key_…`, `revoke:key_…`. What cannot be read decides nothing.
pub fn parse_fates(texts: &[String]) -> Vec<(KeyId, KeyFate)> {
    let read = |text: &String| {
        let (fate, id) = text.split_once(':')?;
        let fate = match fate {
            "hand_over" => KeyFate::HandOver,
            "revoke" => KeyFate::Revoke,
            _ => return None,
        };
        Some((id.parse().ok()?, fate))
    };
    texts.iter().filter_map(read).collect()
}

/// A role as a form has it.
pub fn parse_role(text: &str) -> Result<Role, FieldError> {
    text.parse().map_err(|()| FieldError::new("role", "unknown_role", "Choose a role."))
}
