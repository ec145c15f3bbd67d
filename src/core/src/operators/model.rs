use crate::ids::UserId;
use time::OffsetDateTime;

/// One of send0's staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorView {
    /// The person.
    pub user: UserId,
    /// How they are called.
    pub name: String,
    /// Their mail address.
    pub email: String,
    /// Since when.
    pub created_at: OffsetDateTime,
}
