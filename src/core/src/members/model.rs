use crate::{
    ids::{MemberId, UserId},
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
}

/// One page of members, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The members.
    pub members: Vec<MemberView>,
    /// The last one's id, if there are more.
    pub older: Option<MemberId>,
}
