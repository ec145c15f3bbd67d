//! Typed ids: a prefix that says what it is, then a UUID as 26 characters of Crockford base32 (TypeID).
//!
//! An id with another prefix is an unknown id, never an id of something else.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};
use utoipa::openapi::{
    RefOr,
    schema::{ObjectBuilder, Schema, Type},
};
use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 26;

/// The text is not an id of the expected kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a known id")]
pub struct UnknownId;

/// The 26 characters of a UUID, most significant first.
fn encode(id: Uuid) -> String {
    let bits = id.as_u128();
    (0..LENGTH).rev().map(|place| char::from(ALPHABET[(bits >> (5 * place)) as usize & 31])).collect()
}

fn decode(text: &str) -> Result<Uuid, UnknownId> {
    if text.len() != LENGTH || text.as_bytes()[0] > b'7' {
        return Err(UnknownId);
    }
    let digit = |byte: u8| ALPHABET.iter().position(|&c| c == byte).ok_or(UnknownId);
    let bits = text.bytes().try_fold(0u128, |bits, byte| Ok(bits << 5 | digit(byte)? as u128))?;
    Ok(Uuid::from_u128(bits))
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal, $new:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub Uuid);

        impl $name {
            /// What stands before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new id. Ids are made in Rust, never by the database, and are no secret.
            #[expect(clippy::new_without_default, reason = "every call gives another value")]
            pub fn new() -> Self {
                Self($new)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, encode(self.0))
            }
        }

        impl FromStr for $name {
            type Err = UnknownId;
            fn from_str(text: &str) -> Result<Self, UnknownId> {
                let rest = text.strip_prefix($prefix).and_then(|rest| rest.strip_prefix('_'));
                rest.ok_or(UnknownId).and_then(decode).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let pattern = concat!("^", $prefix, "_[0-7][0-9a-hjkmnp-tv-z]{25}$");
                ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).into()
            }
        }

        impl utoipa::ToSchema for $name {}

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A workspace: the tenant. Random, so that its id says nothing about its age.
    WorkspaceId = "wsp", Uuid::new_v4();
    /// A person, in however many workspaces.
    UserId = "usr", Uuid::now_v7();
    /// One person's membership of one workspace.
    MemberId = "mem", Uuid::now_v7();
    /// An invitation to a workspace.
    InvitationId = "inv", Uuid::now_v7();
    /// A mail that we sent.
    MailId = "mai", Uuid::now_v7();
    /// A security contact of a workspace.
    ContactId = "con", Uuid::now_v7();
    /// An API key.
    KeyId = "key", Uuid::now_v7();
    /// An entry of an allowlist.
    AllowlistEntryId = "cid", Uuid::now_v7();
    /// Somebody whom send0 gives data to.
    SubprocessorId = "sub", Uuid::now_v7();
    /// A notice of a change of subprocessors.
    NoticeId = "ntc", Uuid::now_v7();
    /// What shows that a framework is kept.
    EvidenceId = "evd", Uuid::now_v7();
    /// A document that is handed out one by one.
    DocumentId = "doc", Uuid::now_v7();
    /// Somebody's access to a document.
    GrantId = "grn", Uuid::now_v7();
    /// A stream of the audit log.
    StreamId = "str", Uuid::now_v7();
    /// A request about compliance.
    ComplianceRequestId = "crq", Uuid::now_v7();
    /// A message of such a request.
    ComplianceMessageId = "cms", Uuid::now_v7();
    /// A visitor who wants to be told.
    SubscriberId = "sbr", Uuid::now_v7();
    /// An audit event.
    EventId = "evt", Uuid::now_v7();
    /// An export of an audit log.
    ExportId = "exp", Uuid::now_v7();
    /// A search of the log that somebody wants to come back to.
    AuditViewId = "viw", Uuid::now_v7();
    /// A signed-in session.
    SessionId = "ses", Uuid::now_v7();
    /// A passkey of a person.
    PasskeyId = "pas", Uuid::now_v7();
    /// A legal hold on a workspace's audit log.
    LegalHoldId = "hol", Uuid::now_v7();
    /// One HTTP request or command.
    RequestId = "req", Uuid::now_v7();
}

impl WorkspaceId {
    /// send0's own workspace, where what belongs to no customer is logged. Made by the first migration.
    pub const PLATFORM: Self = Self(Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0000));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_id_reads_back(bits: u128) {
            let id = KeyId(Uuid::from_u128(bits));
            let text = id.to_string();
            prop_assert_eq!(text.len(), 4 + 26);
            prop_assert_eq!(text.parse(), Ok(id));
        }

        #[test]
        fn any_text_is_an_id_or_unknown(text in ".{0,40}") {
            if let Ok(id) = text.parse::<KeyId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }

    #[test]
    fn the_type_id_specification_agrees() {
        // https://github.com/jetify-com/typeid/blob/main/spec/valid.yml
        let known = [
            ("00000000000000000000000000", "00000000-0000-0000-0000-000000000000"),
            ("0000000000000000000000000g", "00000000-0000-0000-0000-000000000010"),
            ("7zzzzzzzzzzzzzzzzzzzzzzzzz", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
            ("0123456789abcdefghjkmnpqrs", "0110c853-1d09-52d8-d73e-1194e95b5f19"),
            ("01h455vb4pex5vsknk084sn02q", "01890a5d-ac96-774b-bcce-b302099a8057"),
        ];
        for (text, uuid) in known {
            let uuid: Uuid = uuid.parse().expect("uuid");
            assert_eq!(encode(uuid), text);
            assert_eq!(decode(text), Ok(uuid));
        }
    }

    #[test]
    fn another_prefix_is_an_unknown_id() {
        let key = KeyId::new().to_string();
        assert_eq!(key.parse::<UserId>(), Err(UnknownId));
        assert_eq!("key_8zzzzzzzzzzzzzzzzzzzzzzzzz".parse::<KeyId>(), Err(UnknownId));
        assert_eq!(key.to_uppercase().parse::<KeyId>(), Err(UnknownId));
    }
}
