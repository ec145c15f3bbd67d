//! Every page and server function, with who may use it. One that is not declared here fails a test.

use crate::{
    accounts::server_fns::{SignIn, SignOut},
    api_keys::server_fns::{IssueKey, RevokeKey},
    workspaces::server_fns::SetUp,
};
use leptos::server_fn::ServerFn;
use send0_core::permissions::Permission;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Whoever is signed in.
    Account,
    /// A member, or key, with this permission.
    Permission(Permission),
}

/// A server function.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Where it is posted to.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    /// The fields that may be shown again when the form is refused. Everything else is forgotten.
    pub echo: &'static [&'static str],
}

/// Every server function.
pub const FUNCTIONS: &[Function] = &[
    Function { path: SetUp::PATH, access: Access::Public, echo: &["workspace", "name", "email"] },
    Function { path: SignIn::PATH, access: Access::Public, echo: &["email"] },
    Function { path: SignOut::PATH, access: Access::Public, echo: &[] },
    Function {
        path: IssueKey::PATH,
        access: Access::Permission(Permission::KeysIssue),
        echo: &["name", "kind", "mode", "scopes[]", "lifetime"],
    },
    Function { path: RevokeKey::PATH, access: Access::Permission(Permission::KeysRevoke), echo: &["reason"] },
];

/// Every page.
pub const PAGES: &[(&str, Access)] = &[
    ("/", Access::Public),
    ("/setup", Access::Public),
    ("/sign-in", Access::Public),
    ("/w/:slug", Access::Permission(Permission::WorkspaceRead)),
    ("/w/:slug/api-keys", Access::Permission(Permission::KeysRead)),
    ("/w/:slug/api-keys/new", Access::Permission(Permission::KeysIssue)),
    ("/w/:slug/api-keys/:id", Access::Permission(Permission::KeysRead)),
    ("/w/:slug/api-keys/:id/secret", Access::Permission(Permission::KeysIssue)),
    ("/w/:slug/audit-log", Access::Permission(Permission::AuditRead)),
    ("/w/:slug/audit-log/:event", Access::Permission(Permission::AuditRead)),
];
