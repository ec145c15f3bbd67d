//! Who acts, from where, and what that lets them do.

use crate::{
    AppError,
    accounts::Proof,
    api_keys::{Kind, Mode},
    ids::{KeyId, RequestId, SessionId, UserId, WorkspaceId},
    permissions::{Permission, Role},
};
use serde::{Deserialize, Serialize};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// The request or command on whose behalf something is done. Goes into every event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// Shown to the caller as `x-request-id`.
    pub id: RequestId,
    /// The HTTP method, or `CLI`.
    pub method: String,
    /// The path without its query and with anything that looks like a secret blotted out.
    pub path: String,
    /// The client's address.
    pub address: Option<String>,
    /// The user agent, at most 256 characters.
    pub agent: Option<String>,
    #[serde(skip)]
    logged: Arc<AtomicBool>,
}

const METHOD_LENGTH: usize = 16;
const AGENT_LENGTH: usize = 256;
const PATH_LENGTH: usize = 200;

impl Request {
    /// A request as it came in.
    pub fn new(id: RequestId, method: &str, path: &str, address: Option<String>, agent: Option<&str>) -> Self {
        Self {
            id,
            method: beginning(method, METHOD_LENGTH),
            path: without_secrets(path),
            address,
            agent: agent.map(|agent| beginning(agent, AGENT_LENGTH)),
            logged: Arc::default(),
        }
    }

    /// A command given on the server itself.
    pub fn command(name: &str) -> Self {
        Self::new(RequestId::new(), "CLI", name, None, None)
    }

    /// The same request, for an event beside the one that it has itself.
    pub(crate) fn apart(&self) -> Self {
        Self { logged: Arc::default(), ..self.clone() }
    }

    /// Whether an event of this request is committed. An API call has exactly one.
    pub fn is_logged(&self) -> bool {
        self.logged.load(Ordering::Acquire)
    }

    pub(crate) fn mark_logged(&self) {
        self.logged.store(true, Ordering::Release);
    }
}

/// As many characters as are kept.
fn beginning(text: &str, characters: usize) -> String {
    let end = text.char_indices().nth(characters).map_or(text.len(), |(end, _)| end);
    text[..end].to_owned()
}

/// People paste keys and tokens into addresses; the log is no place for them.
fn without_secrets(path: &str) -> String {
    let blot = |segment| if is_secret(segment) { "…" } else { segment };
    beginning(&path.split('/').map(blot).collect::<Vec<_>>().join("/"), PATH_LENGTH)
}

fn is_secret(segment: &str) -> bool {
    let known = ["sk_live", "sk_test", "sk_restr", "whsec_"].iter().any(|prefix| segment.contains(prefix));
    known || (segment.len() >= 40 && segment.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// A signed-in member of the workspace.
    User {
        /// The person.
        id: UserId,
        /// How they are called.
        name: String,
        /// Their role in this workspace.
        role: Role,
        /// The session they are signed in with; none while the workspace is being made.
        session: Option<SessionId>,
        /// What they have shown, and when.
        proof: Proof,
    },
    /// Somebody signed in, where they are no member: another workspace, or none at all. May nothing.
    Stranger {
        /// The person.
        id: UserId,
        /// How they are called.
        name: String,
        /// The session they are signed in with; none for who holds a link.
        session: Option<SessionId>,
    },
    /// One of send0's staff. May nothing of a workspace.
    Operator {
        /// The person.
        id: UserId,
        /// How they are called.
        name: String,
        /// The session they are signed in with.
        session: SessionId,
        /// What they have shown, and when.
        proof: Proof,
    },
    /// A program with an API key.
    ApiKey {
        /// The key.
        id: KeyId,
        /// Its name.
        name: String,
        /// Live, test or restricted.
        kind: Kind,
        /// Which messages it sees.
        mode: Mode,
        /// What it may do.
        scopes: Vec<Permission>,
    },
    /// The software or whoever runs it: `cli`, `jobs`.
    System(&'static str),
    /// Somebody unknown.
    Anonymous,
}

/// Who acts, in which workspace, on behalf of which request.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The workspace acted in; `platform` for what belongs to none.
    pub workspace: WorkspaceId,
    /// Who it is.
    pub who: Who,
    /// On behalf of which request.
    pub request: Request,
}

impl Actor {
    /// The command line of the server, in one workspace.
    pub fn cli(workspace: WorkspaceId, request: Request) -> Self {
        Self { workspace, who: Who::System("cli"), request }
    }

    /// What the server does by itself, in one workspace.
    pub(crate) fn jobs(workspace: WorkspaceId, job: &str) -> Self {
        let request = Request::new(RequestId::new(), "JOB", job, None, None);
        Self { workspace, who: Who::System("jobs"), request }
    }

    /// The same, for an event that the platform is told.
    pub(crate) fn on_platform(&self) -> Self {
        Self { workspace: WorkspaceId::PLATFORM, ..self.clone() }
    }

    /// Nobody known, seen by the platform.
    pub fn anonymous(request: Request) -> Self {
        Self { workspace: WorkspaceId::PLATFORM, who: Who::Anonymous, request }
    }

    /// The same person with the role that they have by now.
    pub(crate) fn with_role(mut self, now: Role) -> Self {
        if let Who::User { role, .. } = &mut self.who {
            *role = now;
        }
        self
    }

    /// Whether the one table, or the key's scopes, allow this.
    pub fn may(&self, permission: Permission) -> bool {
        match &self.who {
            Who::User { role, .. } => role.may(permission),
            Who::ApiKey { scopes, .. } => permission.is_scope() && scopes.contains(&permission),
            Who::System(_) => true,
            Who::Stranger { .. } | Who::Operator { .. } | Who::Anonymous => false,
        }
    }

    /// `Err` naming the missing permission. Operations call `Ctx::authorise`, which also writes the refusal down.
    pub(crate) fn require(&self, permission: Permission) -> Result<(), AppError> {
        if self.may(permission) { Ok(()) } else { Err(AppError::Forbidden(permission.to_string())) }
    }

    /// The person, if it is one.
    pub fn user(&self) -> Option<UserId> {
        match self.who {
            Who::User { id, .. } | Who::Stranger { id, .. } | Who::Operator { id, .. } => Some(id),
            _ => None,
        }
    }

    /// `user`, `operator`, `api_key`, `system` or `anonymous`.
    pub fn kind(&self) -> &'static str {
        match self.who {
            Who::User { .. } | Who::Stranger { .. } => "user",
            Who::Operator { .. } => "operator",
            Who::ApiKey { .. } => "api_key",
            Who::System(_) => "system",
            Who::Anonymous => "anonymous",
        }
    }

    /// The id by which the log finds everything somebody did.
    pub fn id(&self) -> String {
        match &self.who {
            Who::User { id, .. } | Who::Stranger { id, .. } | Who::Operator { id, .. } => id.to_string(),
            Who::ApiKey { id, .. } => id.to_string(),
            Who::System(part) => (*part).to_owned(),
            Who::Anonymous => "anonymous".to_owned(),
        }
    }

    /// How the actor is called on the page.
    pub fn name(&self) -> Option<&str> {
        match &self.who {
            Who::User { name, .. }
            | Who::Stranger { name, .. }
            | Who::Operator { name, .. }
            | Who::ApiKey { name, .. } => Some(name),
            Who::System(_) | Who::Anonymous => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_keeps_no_secret() {
        let path = |p: &str| Request::new(RequestId::new(), "GET", p, None, None).path;
        assert_eq!(path("/v1/api-keys/key_01h455vb4pex5vsknk084sn02q"), "/v1/api-keys/key_01h455vb4pex5vsknk084sn02q");
        assert_eq!(path("/v1/api-keys/sk_live_abc"), "/v1/api-keys/…");
        assert_eq!(path(&format!("/setup/{}", "a1".repeat(32))), "/setup/…");
        assert_eq!(path(&"/é".repeat(150)), "/é".repeat(100));
        assert_eq!(path("/é"), "/é");
    }
}
