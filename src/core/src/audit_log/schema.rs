//! The shape of an event, published: JSON Schema (2020-12), made from the types that the API answers with.

use super::{Action, EventView, record::SCHEMA};
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema, openapi::RefOr};

/// Its name, which is where send0 publishes it.
const ID: &str = "https://send0.dev/v1/audit-events/schema.json";

/// What an action may look like that a later version of the console writes.
const ACTION: &str = "^[a-z_]+\\.[a-z_]+$";

/// The JSON Schema of an event as the API gives it, with samples. Fields are never added to or taken from a version; actions may be.
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

/// One event of each kind of actor and each outcome.
fn samples() -> Value {
    serde_json::from_str(include_str!("samples.json")).unwrap_or_default()
}

/// Every action there is, with the words of the page; others may follow without a new version.
fn actions() -> Value {
    let known = Action::ALL.iter().map(|action| json!({ "const": action.as_str(), "title": action.sentence() }));
    let later = json!({ "type": "string", "pattern": ACTION });
    json!({ "description": "What: `thing.past_participle`.", "anyOf": known.chain([later]).collect::<Vec<_>>() })
}

/// As JSON Schema has it: what is referred to stands in `$defs`, and an object has no other fields.
fn object(part: &RefOr<utoipa::openapi::Schema>) -> Value {
    strict(serde_json::to_value(part).unwrap_or_default())
}

fn strict(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Map<_, _> = fields.into_iter().map(|(name, value)| (name, strict(value))).collect();
            if let Some(Value::String(place)) = fields.get_mut("$ref") {
                *place = place.replace("#/components/schemas/", "#/$defs/");
            }
            if fields.contains_key("properties") {
                fields.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            Value::Object(fields)
        }
        Value::Array(values) => values.into_iter().map(strict).collect(),
        other => other,
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::audit_log::Outcome;
    use std::collections::BTreeSet;

    fn samples() -> Vec<Value> {
        schema()["examples"].as_array().expect("samples").clone()
    }

    #[test]
    fn it_is_a_schema_and_its_samples_are_events() {
        let schema = schema();
        jsonschema::meta::validate(&schema).expect("a schema of 2020-12");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
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

    #[test]
    fn it_refuses_what_no_version_1_has() {
        let validator = jsonschema::validator_for(&schema()).expect("a schema");
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
    }
}
