//! From what an operation says to the row that is stored.

use super::{Action, Change, Outcome, Target, Window};
use crate::{Actor, AppError, actor::Who, ids::EventId, permissions::Permission, secrets};
use send0_verify::leaf;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;

/// The version of the shape of a body.
pub(super) const SCHEMA: u32 = 1;
/// The reason that an event gives of which what is stored can no longer be read.
pub(super) const UNREADABLE: &str = "unreadable";

/// What an operation says about what it did. Never holds a secret.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub(super) action: Action,
    pub(super) outcome: Outcome,
    pub(super) reason: Option<String>,
    pub(super) permission: Option<Permission>,
    pub(super) targets: Vec<Target>,
    pub(super) changes: Vec<Change>,
    pub(super) count: Option<u32>,
    pub(super) window: Option<Window>,
}

impl Event {
    /// It was done.
    pub fn new(action: Action) -> Self {
        Self {
            action,
            outcome: Outcome::Success,
            reason: None,
            permission: None,
            targets: vec![],
            changes: vec![],
            count: None,
            window: None,
        }
    }

    /// It was not done, for this reason (a word for programs, never free text).
    pub fn because(self, outcome: Outcome, reason: &str) -> Self {
        Self { outcome, reason: Some(reason.to_owned()), ..self }
    }

    /// The permission that was used or missing.
    pub fn under(self, permission: Permission) -> Self {
        Self { permission: Some(permission), ..self }
    }

    /// What it was done to.
    pub fn on(mut self, kind: &str, id: impl ToString, name: Option<&str>) -> Self {
        self.targets.push(Target { kind: kind.to_owned(), id: id.to_string(), name: name.map(str::to_owned) });
        self
    }

    /// One field, before and after.
    pub fn change(mut self, field: &str, before: impl Into<Value>, after: impl Into<Value>) -> Self {
        self.changes.push(Change { field: field.to_owned(), before: before.into(), after: after.into() });
        self
    }

    pub(super) fn standing_for(self, count: u32, window: Window) -> Self {
        let is_many = count > 1;
        Self { count: is_many.then_some(count), window: is_many.then_some(window), ..self }
    }
}

/// Everything known before the lock, without what identifies people. Its canonical form is what will be proven: the fields of this
/// and of what it holds stand in the order of their names.
#[derive(Serialize, Deserialize)]
pub(super) struct Body {
    pub action: String,
    pub actor: BodyActor,
    pub changed: Vec<String>,
    /// SHA-256 over the salt and what identifies people: destroying both leaves the body whole.
    pub commitment: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub count: Option<u32>,
    pub id: EventId,
    pub outcome: Outcome,
    pub reason: Option<String>,
    pub request: BodyRequest,
    pub schema: u32,
    pub targets: Vec<BodyTarget>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub window: Option<Window>,
    pub workspace: crate::ids::WorkspaceId,
}

#[derive(Serialize, Deserialize)]
pub(super) struct BodyActor {
    pub id: String,
    pub kind: String,
    pub permission: Option<String>,
    pub role: Option<String>,
    pub session: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct BodyTarget {
    pub id: String,
    pub kind: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct BodyRequest {
    pub id: crate::ids::RequestId,
    pub method: String,
    pub path: String,
}

/// What identifies people: names, addresses, agents, the values of changed fields. In the order of their names as well.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Personal {
    pub actor: Option<String>,
    pub address: Option<String>,
    pub agent: Option<String>,
    pub changes: Vec<PersonalChange>,
    pub targets: Vec<Option<String>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct PersonalChange {
    pub after: Value,
    pub before: Value,
}

/// An event ready to be appended.
#[derive(Clone, Debug)]
pub struct Record {
    workspace: uuid::Uuid,
    id: EventId,
    action: &'static str,
    outcome: &'static str,
    actor_kind: &'static str,
    actor_id: String,
    body: String,
    personal: String,
    salt: Vec<u8>,
}

impl Record {
    /// Puts together what the actor did.
    ///
    /// # Errors
    /// [`AppError::Internal`] when a value has no canonical form, which none of ours lacks.
    pub fn new(actor: &Actor, event: Event) -> Result<Self, AppError> {
        let id = EventId::new();
        let salt = secrets::random::<32>().to_vec();
        let personal = personal(actor, &event);
        let personal = if event.changes.is_empty() { canonical_as_declared(&personal) } else { canonical(&personal) }?;
        let body = body(actor, &event, id, leaf::commitment(&salt, personal.as_bytes()));
        Ok(Self {
            workspace: actor.workspace.0,
            id,
            action: event.action.as_str(),
            outcome: event.outcome.as_str(),
            actor_kind: actor.kind(),
            actor_id: actor.id(),
            body: canonical_as_declared(&body)?,
            personal,
            salt,
        })
    }

    pub(super) fn workspace(&self) -> uuid::Uuid {
        self.workspace
    }

    #[cfg(test)]
    pub(super) fn body(&self) -> &str {
        &self.body
    }

    /// Appends to the workspace of the transaction.
    pub(crate) async fn append(&self, conn: &mut PgConnection) -> Result<(), AppError> {
        sqlx::query!(
            "select append_event($1, $2, $3, $4, $5, $6, $7, $8)",
            self.id.0,
            self.action,
            self.outcome,
            self.actor_kind,
            self.actor_id,
            self.body,
            self.personal,
            self.salt,
        )
        .execute(conn)
        .await
        .map_err(unwritten)?;
        Ok(())
    }

    /// Appends to the platform, from within the transaction of a workspace.
    pub(crate) async fn append_to_platform(&self, conn: &mut PgConnection) -> Result<(), AppError> {
        sqlx::query!(
            "select append_platform_event($1, $2, $3, $4, $5, $6, $7, $8)",
            self.id.0,
            self.action,
            self.outcome,
            self.actor_kind,
            self.actor_id,
            self.body,
            self.personal,
            self.salt,
        )
        .execute(conn)
        .await
        .map_err(unwritten)?;
        Ok(())
    }

    /// Appends each to its own workspace, in one round trip.
    pub(crate) async fn append_all(records: &[Self], conn: &mut PgConnection) -> Result<(), AppError> {
        Self::try_append_all(records, conn).await.map_err(unwritten)
    }

    /// The same; the error says whether the database has refused it.
    pub(super) async fn try_append_all(records: &[Self], conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        let column =
            |of: fn(&Self) -> &str| records.iter().map(|record| of(record).to_owned()).collect::<Vec<String>>();
        sqlx::query!(
            "select append_events($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            &records.iter().map(|record| record.workspace).collect::<Vec<_>>(),
            &records.iter().map(|record| record.id.0).collect::<Vec<_>>(),
            &column(|record| record.action),
            &column(|record| record.outcome),
            &column(|record| record.actor_kind),
            &column(|record| &record.actor_id),
            &column(|record| &record.body),
            &column(|record| &record.personal),
            &records.iter().map(|record| record.salt.clone()).collect::<Vec<_>>(),
        )
        .execute(conn)
        .await?;
        Ok(())
    }
}

/// Whatever kept the event from being written: what it tells of cannot be done now.
pub(super) fn unwritten(error: sqlx::Error) -> AppError {
    tracing::error!(%error, "an event could not be written");
    AppError::Unavailable
}

/// RFC 8785.
fn canonical(value: &impl Serialize) -> Result<String, AppError> {
    serde_jcs::to_string(value).map_err(without_form)
}

/// The same of a value whose fields stand in the order of their names, and which has no number but small whole ones: what serde_json
/// writes of it is canonical as it is, without sorting anything. Every call has such an event.
fn canonical_as_declared(value: &impl Serialize) -> Result<String, AppError> {
    serde_json::to_string(value).map_err(without_form)
}

fn without_form(error: serde_json::Error) -> AppError {
    tracing::error!(%error, "an event has no canonical form");
    AppError::Internal
}

/// What of a stored body stands in columns as well, and the commitment that it holds.
#[derive(Deserialize)]
pub(crate) struct Stated {
    pub id: EventId,
    pub workspace: crate::ids::WorkspaceId,
    pub action: String,
    pub outcome: Outcome,
    pub actor: StatedActor,
    pub commitment: String,
}

/// Of whom.
#[derive(Deserialize)]
pub(crate) struct StatedActor {
    pub kind: String,
    pub id: String,
}

impl Stated {
    /// `None` for what is no body.
    pub fn in_body(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }
}

fn personal(actor: &Actor, event: &Event) -> Personal {
    Personal {
        actor: actor.name().map(str::to_owned),
        targets: event.targets.iter().map(|target| target.name.clone()).collect(),
        address: actor.request.address.clone(),
        agent: actor.request.agent.clone(),
        changes: event
            .changes
            .iter()
            .map(|change| PersonalChange { before: change.before.clone(), after: change.after.clone() })
            .collect(),
    }
}

fn body(actor: &Actor, event: &Event, id: EventId, commitment: String) -> Body {
    let (session, role) = match &actor.who {
        Who::User { session, role, .. } => (session.map(|id| id.to_string()), Some(role.to_string())),
        Who::Stranger { session, .. } => (session.map(|id| id.to_string()), None),
        Who::Operator { session, .. } => (Some(session.to_string()), None),
        _ => (None, None),
    };
    Body {
        action: event.action.to_string(),
        actor: BodyActor {
            id: actor.id(),
            kind: actor.kind().to_owned(),
            permission: event.permission.map(|permission| permission.to_string()),
            role,
            session,
        },
        changed: event.changes.iter().map(|change| change.field.clone()).collect(),
        commitment,
        count: event.count,
        id,
        outcome: event.outcome,
        reason: event.reason.clone(),
        request: BodyRequest {
            id: actor.request.id,
            method: actor.request.method.clone(),
            path: actor.request.path.clone(),
        },
        schema: SCHEMA,
        targets: event.targets.iter().map(|t| BodyTarget { id: t.id.clone(), kind: t.kind.clone() }).collect(),
        window: event.window,
        workspace: actor.workspace,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        actor,
        ids::{RequestId, SessionId, UserId, WorkspaceId},
        permissions::Role,
    };
    use proptest::prelude::*;

    fn recanonised(text: &str) -> String {
        serde_jcs::to_string(&serde_json::from_str::<Value>(text).expect("JSON")).expect("canonical")
    }

    proptest! {
        /// Whatever stands in the fields: also what RFC 8785 escapes, and what it does not.
        #[test]
        fn what_is_written_as_declared_is_canonical(
            text in any::<String>(), other in "[\\x00-\\x20\"\\\\/\\x7f\u{80}\u{2028}\u{feff}\u{1f600}]*", count in any::<u32>(), changed in any::<bool>(),
        ) {
            let request = actor::Request::new(RequestId::new(), "GET", &text, Some(other.clone()), Some(&text));
            let proof = crate::testing::PROVEN;
            let who = Who::User { id: UserId::new(), name: other.clone(), role: Role::Owner, session: Some(SessionId::new()), proof };
            let actor = Actor { workspace: WorkspaceId::new(), who, request };
            let from = time::OffsetDateTime::UNIX_EPOCH;
            let window = Window { from, to: from + time::Duration::microseconds(count.into()) };
            let event = Event::new(Action::ApiCalled).because(Outcome::Denied, &text).under(Permission::KeysRead);
            let event = event.on(&other, &text, Some(&other)).on(&text, &other, None).standing_for(count, window);
            let event = if changed { event.change(&text, other.clone(), f64::from(count) / 3.0) } else { event };
            let record = Record::new(&actor, event).expect("record");
            prop_assert_eq!(recanonised(&record.body), record.body);
            prop_assert_eq!(recanonised(&record.personal), record.personal);
        }
    }
}
