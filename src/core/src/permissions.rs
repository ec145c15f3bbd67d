//! The one table of who may do what: pages, checks, docs and key scopes are all made from it.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, Type},
    },
};

/// What a member is in a workspace. Owner stands above admin, admin above the other four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything, including what cannot be undone.
    Owner,
    /// Runs the workspace: people, keys, policies.
    Admin,
    /// Builds on the API: test and restricted keys, messages, webhooks.
    Developer,
    /// Reviews: reads the log, revokes keys and sessions, places holds.
    Security,
    /// Invoices and contracts.
    Billing,
    /// Looks, changes nothing.
    Viewer,
}

impl Role {
    /// Every role, the strongest first.
    pub const ALL: [Self; 6] = [Self::Owner, Self::Admin, Self::Developer, Self::Security, Self::Billing, Self::Viewer];

    /// As stored and as spelled on the page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::Security => "security",
            Self::Billing => "billing",
            Self::Viewer => "viewer",
        }
    }

    /// What somebody of this role is for, as a sentence for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Owner => "Everything, including what cannot be undone.",
            Self::Admin => "Runs the workspace: people, keys, policies.",
            Self::Developer => "Builds on the API: test and restricted keys.",
            Self::Security => "Reviews: reads the log, revokes keys and sessions.",
            Self::Billing => "Invoices and contracts.",
            Self::Viewer => "Looks, changes nothing.",
        }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Owner => 2,
            Self::Admin => 1,
            Self::Developer | Self::Security | Self::Billing | Self::Viewer => 0,
        }
    }

    /// Whether this role stands above the other. Owner above admin, admin above the other four, which are equal.
    pub fn is_above(self, other: Self) -> bool {
        self.rank() > other.rank()
    }

    /// Whether the table grants this permission to the role.
    pub fn may(self, permission: Permission) -> bool {
        permission.roles().contains(&self)
    }
}

impl FromStr for Role {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(())
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

use Role::{Admin, Billing, Developer, Owner, Security, Viewer};

macro_rules! permissions {
    ($($name:ident, $text:literal, $scope:literal, [$($role:ident),*], $sentence:literal;)*) => {
        /// One thing that one may do: `resource.action`. The scopes of a restricted key are the same words.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Permission {
            $(#[doc = $sentence] $name,)*
        }

        impl Permission {
            /// Every permission there is, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// As written in a scope, an event or a problem.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// What it allows, as a sentence for people.
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence),* }
            }

            /// The roles that hold it.
            pub fn roles(self) -> &'static [Role] {
                match self { $(Self::$name => &[$($role),*]),* }
            }

            /// Whether a key can have it as a scope.
            pub fn is_scope(self) -> bool {
                match self { $(Self::$name => $scope),* }
            }
        }
    };
}

permissions! {
    WorkspaceRead, "workspace.read", true, [Owner, Admin, Developer, Security, Billing, Viewer], "See the workspace's name and what the key in use may do.";
    WorkspaceUpdate, "workspace.update", false, [Owner, Admin], "Rename the workspace, and set its time zone.";
    MembersRead, "members.read", true, [Owner, Admin, Developer, Security, Billing, Viewer], "See who is in the workspace, with which role.";
    MembersInvite, "members.invite", false, [Owner, Admin], "Invite people, up to one's own role.";
    MembersRemove, "members.remove", false, [Owner, Admin], "Remove members, up to one's own role.";
    MembersChangeRole, "members.change_role", false, [Owner, Admin], "Change the roles of members, up to one's own role.";
    PoliciesRead, "policies.read", true, [Owner, Admin, Developer, Security], "See what protects the workspace: what it demands of members, their factors, when they were last seen.";
    PoliciesUpdate, "policies.update", false, [Owner, Admin], "Demand a second factor of every member.";
    SessionsRevoke, "sessions.revoke", false, [Owner, Admin, Security], "End the sessions of other members.";
    KeysRead, "keys.read", true, [Owner, Admin, Developer, Security], "See the API keys: names, scopes, last use. Never the keys themselves.";
    KeysIssue, "keys.issue", false, [Owner, Admin, Developer], "Issue API keys with scopes that one has oneself.";
    KeysRevoke, "keys.revoke", true, [Owner, Admin, Developer, Security], "Revoke API keys.";
    AllowlistRead, "allowlist.read", true, [Owner, Admin, Developer, Security], "See from which addresses people and keys get in.";
    AllowlistUpdate, "allowlist.update", false, [Owner, Admin], "Decide from which addresses people and keys get in.";
    AuditRead, "audit.read", true, [Owner, Admin, Security], "Read and search the audit log.";
    AuditExport, "audit.export", true, [Owner, Admin, Security], "Export the audit log: as a file, or over the API.";
    RetentionRead, "retention.read", true, [Owner, Admin, Developer, Security, Viewer], "See how long what is kept.";
    RetentionUpdate, "retention.update", false, [Owner, Admin], "Decide how long what is kept.";
    RetentionHold, "retention.hold", false, [Owner, Admin, Security], "Place legal holds: while there is one, nothing of the audit log is removed.";
    RetentionRelease, "retention.release", false, [Owner], "Release legal holds.";
    AuditStream, "audit.stream", false, [Owner, Admin, Security], "Send the audit log on to a system of one's own.";
    NoticesRead, "notices.read", true, [Owner, Admin, Developer, Security, Billing, Viewer], "See the notices of changes of subprocessors, and what was answered.";
    NoticesAnswer, "notices.answer", false, [Owner, Admin, Security], "Acknowledge a notice, or object to it.";
    ComplianceRequest, "compliance.request", false, [Owner, Admin, Security, Billing], "Ask send0 for agreements, questionnaires and documents, and read the answers.";
    ContactsManage, "contacts.manage", false, [Owner, Admin, Security], "Name security contacts, and what they are told about.";
}

impl Permission {
    /// Every permission that a key can have as a scope.
    pub fn scopes() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|permission| permission.is_scope())
    }
}

impl FromStr for Permission {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|permission| permission.as_str() == text).ok_or(())
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Permission {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|()| serde::de::Error::custom("unknown permission"))
    }
}

impl PartialSchema for Permission {
    fn schema() -> RefOr<Schema> {
        let words = Permission::ALL.iter().map(|permission| permission.as_str());
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).into()
    }
}

impl ToSchema for Permission {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by hand from the agreed list of roles and permissions, not from the table above.
    const AGREED: &str = "
        permission      owner admin developer security billing viewer scope
        workspace.read  yes   yes   yes       yes      yes     yes    yes
        workspace.update yes  yes   no        no       no      no     no
        members.read    yes   yes   yes       yes      yes     yes    yes
        members.invite  yes   yes   no        no       no      no     no
        members.remove  yes   yes   no        no       no      no     no
        members.change_role yes yes no        no       no      no     no
        policies.read   yes   yes   yes       yes      no      no     yes
        policies.update yes   yes   no        no       no      no     no
        sessions.revoke yes   yes   no        yes      no      no     no
        keys.read       yes   yes   yes       yes      no      no     yes
        keys.issue      yes   yes   yes       no       no      no     no
        keys.revoke     yes   yes   yes       yes      no      no     yes
        allowlist.read  yes   yes   yes       yes      no      no     yes
        allowlist.update yes  yes   no        no       no      no     no
        audit.read      yes   yes   no        yes      no      no     yes
        audit.export    yes   yes   no        yes      no      no     yes
        retention.read  yes   yes   yes       yes      no      yes    yes
        retention.update yes  yes   no        no       no      no     no
        retention.hold  yes   yes   no        yes      no      no     no
        retention.release yes no    no        no       no      no     no
        audit.stream    yes   yes   no        yes      no      no     no
        notices.read    yes   yes   yes       yes      yes     yes    yes
        notices.answer  yes   yes   no        yes      no      no     no
        compliance.request yes yes  no        yes      yes     no     no
        contacts.manage yes   yes   no        yes      no      no     no
    ";

    #[test]
    fn the_table_is_what_was_agreed() {
        let rows: Vec<Vec<&str>> =
            AGREED.lines().map(|l| l.split_whitespace().collect()).filter(|r: &Vec<_>| !r.is_empty()).collect();
        assert_eq!(rows.len() - 1, Permission::ALL.len(), "every permission is in the agreed list");
        for row in &rows[1..] {
            let permission: Permission = row[0].parse().expect(row[0]);
            for (column, role) in Role::ALL.into_iter().enumerate() {
                assert_eq!(rows[0][column + 1], role.as_str());
                assert_eq!(role.may(permission), row[column + 1] == "yes", "{role} {permission}");
            }
            assert_eq!(permission.is_scope(), row[7] == "yes", "{permission} as a scope");
        }
    }
}
