//! The shape of an event, published: JSON Schema (2020-12), made from the types that the API answers with.

use super::{Action, EventView, record::SCHEMA};
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema, openapi::RefOr};

/// Its name, which is where send0 publishes it.
const ID: &str = "https://send0.dev/v1/audit-events/schema.json";

/// What an action may look like that a later version of the console writes.
const ACTION: &str = "^[a-z_]+\\.[a-z_]+$";

/// The JSON Schema of an event as the API gives it, with samples. Fields are never taken from a version; actions and fields that
/// not every event has may be added, so whoever reads it passes over what they do not know.
pub fn schema() -> Value {
    let mut parts = vec![];
    EventView::schemas(&mut parts);
    let parts = parts.into_iter().map(|(name, part)| (name, object(&part)));
    let mut root = object(&EventView::schema());
    root["properties"]["schema"] = json!({ "const": SCHEMA, "description": "The version of this shape." });
    root["properties"]["action"] = actions();
    let fields = root.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone()));
    let head = [
        ("$schema", json!("https://json-schema.org/draft/2020-12/schema")),
        ("$id", json!(ID)),
        ("title", json!(format!("An event of send0's audit log, version {SCHEMA}"))),
        ("examples", samples()),
        ("$defs", Value::Object(parts.collect())),
    ];
    let head = head.into_iter().map(|(name, value)| (name.to_owned(), value));
    Value::Object(head.chain(fields).collect())
}

/// One event of each kind of actor and each outcome, as this console writes them.
fn samples() -> Value {
    serde_json::from_str(include_str!("samples.json")).unwrap_or_default()
}

/// Every action there is, with the words of the page; others may follow without a new version.
fn actions() -> Value {
    let known = Action::ALL.iter().map(|action| json!({ "const": action.as_str(), "title": action.sentence() }));
    let later = json!({ "type": "string", "pattern": ACTION });
    json!({ "description": "What: `thing.past_participle`.", "anyOf": known.chain([later]).collect::<Vec<_>>() })
}

/// As JSON Schema has it: what is referred to stands in `$defs`.
fn object(part: &RefOr<utoipa::openapi::Schema>) -> Value {
    let mut value = serde_json::to_value(part).unwrap_or_default();
    each_object(&mut value, &|fields| {
        if let Some(Value::String(place)) = fields.get_mut("$ref") {
            *place = place.replace("#/components/schemas/", "#/$defs/");
        }
    });
    value
}

fn each_object(value: &mut Value, change: &impl Fn(&mut Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            change(fields);
            fields.values_mut().for_each(|value| each_object(value, change));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| each_object(value, change)),
        _ => {}
    }
}

/// The schema of what this version writes, which has no other fields: what our own events are held against.
#[cfg(feature = "testing")]
pub(crate) fn closed() -> Value {
    let mut schema = schema();
    each_object(&mut schema, &|fields| {
        if fields.contains_key("properties") {
            fields.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
    });
    schema
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::{
        accounts::{erasing::erase, operations::sign_in},
        actor::{Actor, Request, Who},
        api_keys::{Kind, Mode, NewKeyText, operations as keys},
        audit_log::Outcome,
        egress::servers::{Reply, Server, to_here},
        ids::{KeyId, UserId, WorkspaceId},
        members::operations as members,
        permissions::{Permission, Role},
        plans::operations as plans,
        streams::{self, StreamText},
        testing::{Tenant, TestDb, request},
    };
    use std::collections::{BTreeMap, BTreeSet};

    fn samples() -> Vec<Value> {
        schema()["examples"].as_array().expect("samples").clone()
    }

    #[test]
    fn it_is_a_schema_and_its_samples_are_events() {
        jsonschema::meta::validate(&schema()).expect("a schema of 2020-12");
        let validator = jsonschema::validator_for(&closed()).expect("a schema");
        for sample in samples() {
            let errors: Vec<String> = validator.iter_errors(&sample).map(|error| error.to_string()).collect();
            assert_eq!(errors, [""; 0], "{sample}");
            let event: EventView = serde_json::from_value(sample.clone()).expect("an event");
            assert!(event.action.parse::<Action>().is_ok(), "an action that there is: {}", event.action);
            assert_eq!(serde_json::to_value(&event).expect("JSON"), sample, "nothing is lost");
        }
    }

    #[test]
    fn every_action_has_a_sentence() {
        for action in Action::ALL {
            assert!(action.sentence().len() > 5 && !action.sentence().contains('.'), "{action}");
        }
    }

    #[test]
    fn there_is_a_sample_of_every_kind() {
        let events = samples();
        let all = |field: &str| -> BTreeSet<String> {
            events.iter().filter_map(|event| event.pointer(field)).map(ToString::to_string).collect()
        };
        let kinds = all("/actor/kind");
        assert_eq!(kinds.len(), 5, "{kinds:?}");
        let outcomes = all("/outcome");
        assert_eq!(outcomes.len(), Outcome::ALL.len(), "{outcomes:?}");
        assert!(events.iter().any(|event| event["count"].is_u64()), "one that stands for many");
        let erased = |event: &&Value| event["actor"]["kind"] == "user" && event["actor"]["name"].is_null();
        assert!(events.iter().any(|event| erased(&event)), "one of somebody who was erased");
    }

    /// What is the same whenever something happens again: not ids, numbers and times, and not the form or the route, which a
    /// test of the server looks at.
    fn shape(event: &Value) -> Value {
        let is_there = |of: &Value, field: &str| !of[field].is_null();
        let (actor, asked) = (&event["actor"], &event["request"]);
        let targets = event["targets"].as_array().expect("targets").iter();
        let targets: Vec<Value> = targets.map(|target| json!([target["kind"], is_there(target, "name")])).collect();
        json!({
            "actor": [actor["kind"], actor["role"], actor["permission"], is_there(actor, "name"), is_there(actor, "session")],
            "outcome": [event["outcome"], event["reason"]],
            "targets": targets,
            "changes": event["changes"],
            "of the platform": event["workspace"] == json!(WorkspaceId::PLATFORM),
            "from somewhere": is_there(asked, "address"),
            "job": if asked["method"] == "JOB" { asked["path"].clone() } else { Value::Null },
        })
    }

    async fn newest(db: &TestDb, workspace: WorkspaceId, action: Action) -> (String, Value) {
        let event = db.events(workspace).await.into_iter().rfind(|event| event.action == action.as_str());
        (action.to_string(), shape(&serde_json::to_value(event.expect("an event")).expect("JSON")))
    }

    /// Somebody changes a role, and is erased.
    async fn erased(db: &TestDb, tenant: &Tenant) {
        let (ctx, owner) = (&db.ctx, tenant.actor(Role::Owner));
        let ana = db.member_named(tenant, Role::Admin, "ana").await;
        let bob = db.member_named(tenant, Role::Viewer, "bob").await;
        let all = members::list(ctx, &owner, None, 100, Action::PageViewed).await.expect("members").members;
        let member = |user: UserId| all.iter().find(|member| member.user_id == user).expect("a member").id;
        members::change_role(ctx, &tenant.acting(ana, Role::Admin), member(bob), "developer").await.expect("changed");
        members::remove(ctx, &owner, member(ana), &[]).await.expect("removed");
        erase(ctx, &Request::command("account erase"), "ana@acme.example", true).await.expect("erased");
    }

    async fn key(db: &TestDb, tenant: &Tenant) {
        let name = "CI deploy".to_owned();
        let text = NewKeyText {
            name: name.clone(),
            kind: "restricted".into(),
            scopes: vec!["audit.read".into()],
            lifetime: "90".into(),
            ..NewKeyText::default()
        };
        keys::issue(&db.ctx, &tenant.actor(Role::Admin), text.parse().expect("a key")).await.expect("issued");
        let scopes = vec![Permission::AuditRead];
        let who = Who::ApiKey { id: KeyId::new(), name, kind: Kind::Restricted, mode: Mode::Live, scopes };
        let actor = Actor { workspace: tenant.id(), who, request: request() };
        keys::revoke(&db.ctx, &actor, KeyId::new(), "").await.expect_err("refused");
    }

    /// A stream whose target refuses what is sent.
    async fn failing(db: &TestDb, tenant: &Tenant) {
        let server = Server::accepting(None).await;
        server.answer(|_| Reply::With(403, "wrong token".into()));
        let url = server.url("http", "127.0.0.1", "/");
        let (kind, name, from) = ("https".into(), "SIEM".into(), "1".into());
        let text = StreamText { kind, name, url, from, ..StreamText::default() };
        let owner = tenant.actor(Role::Owner);
        streams::operations::create(&db.ctx, &owner, &text, |id| format!("/{id}")).await.expect("a stream");
        assert_eq!(streams::deliver_due(&db.ctx).await, Ok(1));
    }

    /// A call of the API is made by a test of the server, too.
    #[tokio::test]
    async fn its_samples_are_what_happens() {
        let mut db = TestDb::new().await;
        db.ctx = db.ctx.clone().reaching(to_here());
        let tenant = db.workspace("Acme").await;
        erased(&db, &tenant).await;
        key(&db, &tenant).await;
        failing(&db, &tenant).await;
        let ops = db.operator().await;
        for (plan, why) in [("growth", "They begin."), ("scale", "They have outgrown it.")] {
            plans::set(&db.ctx, &ops, tenant.id(), plan, why).await.expect("on another plan");
        }
        sign_in(&db.ctx, &request(), "nobody@acme.example", "wrong".into()).await.expect_err("refused");
        let mut happened = BTreeMap::from([newest(&db, WorkspaceId::PLATFORM, Action::SessionRefused).await]);
        for action in [
            Action::MemberRoleChanged,
            Action::ApiKeyIssued,
            Action::ApiKeyRevoked,
            Action::StreamFailing,
            Action::PlanChanged,
        ] {
            happened.extend([newest(&db, tenant.id(), action).await]);
        }
        let of_core = |sample: &&Value| sample["action"] != Action::ApiCalled.as_str();
        let published: BTreeMap<String, Value> = samples()
            .iter()
            .filter(of_core)
            .map(|sample| (sample["action"].as_str().expect("an action").to_owned(), shape(sample)))
            .collect();
        assert_eq!(happened, published);
    }

    #[test]
    fn it_refuses_what_no_version_1_has() {
        let validator = jsonschema::validator_for(&closed()).expect("a schema");
        let sample = samples().swap_remove(0);
        let with = |place: &str, value: Value| {
            let mut event = sample.clone();
            *event.pointer_mut(place).expect(place) = value;
            validator.is_valid(&event)
        };
        assert!(with("/action", "webhook.created".into()), "an action that comes later");
        assert!(!with("/action", "Deleted everything".into()));
        assert!(!with("/schema", 2.into()));
        assert!(!with("/outcome", "maybe".into()));
        assert!(!with("/time", Value::Null));
        assert!(!with("/actor", json!({ "kind": "user", "id": "usr_1", "password": "hunter2" })), "an unknown field");
        let mut more = sample.clone();
        more["secret"] = "x".into();
        assert!(!validator.is_valid(&more));
        let published = jsonschema::validator_for(&schema()).expect("a schema");
        assert!(published.is_valid(&more) && published.is_valid(&sample), "whoever reads it passes over what is new");
        more["outcome"] = "maybe".into();
        assert!(!published.is_valid(&more));
    }
}
