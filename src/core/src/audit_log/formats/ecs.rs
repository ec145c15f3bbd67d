//! Elastic Common Schema 8.17. What it has no field for stands under `send0`.

use super::{
    super::{EventView, Outcome},
    meaning::{Change, Deed, deed_of, sentence, severity},
    ndjson::time_text,
};
use serde_json::{Value, json};
use std::net::IpAddr;
use time::format_description::well_known::Rfc3339;

/// The version of the schema that is spoken.
pub(super) const VERSION: &str = "8.17.0";

/// One event.
pub(super) fn record(event: &EventView) -> Value {
    let address = event.request.address.as_deref();
    let ip = address.filter(|text| text.parse::<IpAddr>().is_ok());
    let is_person = matches!(event.actor.kind.as_str(), "user" | "operator");
    let names: Vec<&str> = event.actor.name.as_deref().filter(|_| is_person).into_iter().collect();
    let ids = std::iter::once(event.actor.id.as_str()).chain(event.targets.iter().map(|target| target.id.as_str()));
    json!({
        "@timestamp": time_text(event.time),
        "ecs": { "version": VERSION },
        "message": sentence(event),
        "event": of_event(event),
        "organization": { "id": event.workspace },
        "user": {
            "id": event.actor.id,
            "name": event.actor.name,
            "roles": event.actor.role.as_ref().map(|role| [role]),
        },
        "source": { "ip": ip, "address": address },
        "user_agent": { "original": event.request.agent },
        "http": { "request": { "id": event.request_id, "method": event.request.method } },
        "url": { "path": event.request.path },
        "related": {
            "user": names.into_iter().chain(ids).collect::<Vec<_>>(),
            "ip": ip.map(|ip| [ip]),
        },
        "send0": {
            "actor": { "kind": event.actor.kind, "session": event.actor.session, "permission": event.actor.permission },
            "targets": if event.targets.is_empty() { Value::Null } else { json!(event.targets) },
            "changes": if event.changes.is_empty() { Value::Null } else { json!(event.changes) },
            "outcome": event.outcome.as_str(),
            "count": event.count,
            "schema": event.schema,
        },
    })
}

fn of_event(event: &EventView) -> Value {
    let (category, kind) = category(deed_of(event));
    json!({
        "kind": "event",
        "category": [category],
        "type": [kind],
        "action": event.action,
        "outcome": if event.outcome == Outcome::Success { "success" } else { "failure" },
        "reason": event.reason,
        "id": event.id,
        "sequence": event.seq,
        "start": event.window.and_then(|window| window.from.format(&Rfc3339).ok()),
        "end": event.window.and_then(|window| window.to.format(&Rfc3339).ok()),
        "severity": severity(event),
        "module": "send0",
        "dataset": "send0.audit",
        "provider": "send0 console",
    })
}

/// One of the categories of the schema, and one of the types that it allows in it.
fn category(deed: Deed) -> (&'static str, &'static str) {
    match deed {
        Deed::SignIn => ("authentication", "start"),
        Deed::HalfSignIn | Deed::Proof => ("authentication", "info"),
        Deed::SignOut => ("session", "end"),
        Deed::Account(Change::Create) => ("iam", "creation"),
        Deed::Account(Change::Delete) => ("iam", "deletion"),
        Deed::Account(_) => ("iam", "change"),
        Deed::Create => ("configuration", "creation"),
        Deed::Read => ("web", "access"),
        Deed::Update => ("configuration", "change"),
        Deed::Delete => ("configuration", "deletion"),
        Deed::Call => ("api", "access"),
    }
}
