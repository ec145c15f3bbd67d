//! Open Cybersecurity Schema Framework 1.8.0: Authentication (3002), Account Change (3001), and API Activity (6003) for the rest.

use super::{
    super::{EventView, Outcome, Target},
    meaning::{Change, Deed, deed_of, sentence, severity},
    text::millis,
};
use serde_json::{Value, json};
use std::net::IpAddr;

/// The version of the schema that is spoken.
pub(super) const VERSION: &str = "1.8.0";
const PRODUCT: &str = "send0 console";
/// The activity that a class has no number for.
const OTHER: u32 = 99;

/// One event.
pub(super) fn record(event: &EventView) -> Value {
    let deed = deed_of(event);
    let (class, activity) = class(deed);
    let category = class / 1000;
    let mut record = json!({
        "category_uid": category,
        "class_uid": class,
        "activity_id": activity,
        "activity_name": (activity == OTHER).then(|| event.action.clone()),
        "type_uid": class * 100 + activity,
        "time": millis(event.time),
        "severity_id": severity_id(event),
        "status_id": if event.outcome == Outcome::Success { 1 } else { 2 },
        "status_code": event.reason,
        "status_detail": event.outcome.as_str(),
        "message": sentence(event),
        "count": event.count,
        "start_time": event.window.map(|window| millis(window.from)),
        "end_time": event.window.map(|window| millis(window.to)),
        "metadata": metadata(event),
        "actor": actor(event),
        "src_endpoint": src_endpoint(event),
        "http_request": http_request(event),
        "unmapped": { "changes": changes(event), "permission": event.actor.permission, "role": event.actor.role },
    });
    let own = match deed {
        Deed::SignIn | Deed::HalfSignIn | Deed::SignOut | Deed::Proof => {
            json!({ "user": subject(event), "service": { "name": PRODUCT }, "session": session(event), "is_remote": true })
        }
        Deed::Account(_) => json!({ "user": subject(event) }),
        _ => json!({ "api": api(event), "resources": resources(event) }),
    };
    if let (Value::Object(record), Value::Object(own)) = (&mut record, own) {
        record.extend(own);
    }
    record
}

/// The class and the activity, by number.
fn class(deed: Deed) -> (u32, u32) {
    match deed {
        Deed::SignIn => (3002, 1),
        Deed::SignOut => (3002, 2),
        Deed::HalfSignIn => (3002, 6),
        Deed::Proof => (3002, OTHER),
        Deed::Account(change) => (3001, account_activity(change)),
        Deed::Create => (6003, 1),
        Deed::Read => (6003, 2),
        Deed::Update => (6003, 3),
        Deed::Delete => (6003, 4),
        Deed::Call => (6003, OTHER),
    }
}

fn account_activity(change: Change) -> u32 {
    match change {
        Change::Create => 1,
        Change::Enable => 2,
        Change::Password => 3,
        Change::Reset => 4,
        Change::Disable => 5,
        Change::Delete => 6,
        Change::FactorAdded => 10,
        Change::FactorRemoved => 11,
        Change::Unlock => 12,
        Change::Other => OTHER,
    }
}

/// Informational, low or medium.
fn severity_id(event: &EventView) -> u32 {
    match severity(event) {
        0..=3 => 1,
        4..=5 => 2,
        _ => 3,
    }
}

fn metadata(event: &EventView) -> Value {
    json!({
        "version": VERSION,
        "product": { "name": PRODUCT, "vendor_name": "send0" },
        "uid": event.id,
        "sequence": event.seq,
        "event_code": event.action,
        "log_name": "audit_log",
        "log_version": event.schema.to_string(),
        "correlation_uid": event.request_id,
        "tenant_uid": event.workspace,
    })
}

fn actor(event: &EventView) -> Value {
    let actor = &event.actor;
    match actor.kind.as_str() {
        "system" => json!({ "app_name": PRODUCT, "app_uid": actor.id }),
        _ => json!({ "user": acting_user(event), "session": session(event) }),
    }
}

fn acting_user(event: &EventView) -> Value {
    let (kind, name) = match event.actor.kind.as_str() {
        "user" => (1, event.actor.name.clone()),
        "operator" => (2, event.actor.name.clone()),
        "system" => (3, event.actor.name.clone()),
        "api_key" => (4, event.actor.name.clone()),
        _ => (0, None),
    };
    json!({ "uid": event.actor.id, "name": name, "type_id": kind })
}

fn session(event: &EventView) -> Value {
    event.actor.session.as_ref().map_or(Value::Null, |session| json!({ "uid": session }))
}

/// Whose account or session it is: the first person that it was done to, else whoever did it.
fn subject(event: &EventView) -> Value {
    let person = event.targets.iter().find(|target| matches!(target.kind.as_str(), "user" | "member" | "operator"));
    match person {
        Some(person) => json!({ "uid": person.id, "name": person.name, "type_id": 1 }),
        None => acting_user(event),
    }
}

/// Every event came from somewhere; of some there is no address, because they are of the server itself, or were erased.
fn src_endpoint(event: &EventView) -> Value {
    let address = event.request.address.as_deref();
    match address.filter(|text| text.parse::<IpAddr>().is_ok()) {
        Some(ip) => json!({ "ip": ip }),
        None => json!({ "name": address.unwrap_or(if is_http(event) { "unknown" } else { "local" }) }),
    }
}

/// The command line and jobs have no method of HTTP.
fn is_http(event: &EventView) -> bool {
    matches!(event.request.method.as_str(), "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS")
}

fn http_request(event: &EventView) -> Value {
    let request = &event.request;
    match is_http(event) {
        true => json!({
            "uid": request.id,
            "http_method": request.method,
            "url": { "path": request.path },
            "user_agent": request.agent,
        }),
        false => Value::Null,
    }
}

fn api(event: &EventView) -> Value {
    json!({
        "operation": event.action,
        "service": { "name": PRODUCT },
        "request": { "uid": event.request_id },
    })
}

fn resources(event: &EventView) -> Value {
    let resource = |target: &Target| {
        let mut resource = json!({ "type": target.kind, "uid": target.id });
        if let Some(name) = &target.name {
            resource["name"] = json!(name);
        }
        resource
    };
    if event.targets.is_empty() { Value::Null } else { event.targets.iter().map(resource).collect() }
}

fn changes(event: &EventView) -> Value {
    if event.changes.is_empty() { Value::Null } else { json!(event.changes) }
}
