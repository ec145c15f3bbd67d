//! Common Event Format, version 0 (Micro Focus, "ArcSight Common Event Format", version 25).

use super::{
    super::{EventView, Target, Window},
    meaning::{sentence, severity},
    text::{millis, visible},
};
use std::{fmt::Write, net::IpAddr};

/// One event.
pub(super) fn write(to: &mut Vec<u8>, event: &EventView) {
    let mut line = String::with_capacity(512);
    let header = ["CEF:0", "send0", "console", env!("CARGO_PKG_VERSION"), &event.action, &sentence(event)];
    for (place, text) in header.into_iter().enumerate() {
        if place > 0 {
            line.push('|');
        }
        line.push_str(&in_header(text));
    }
    let _ = write!(line, "|{}|", severity(event));
    for (place, (key, value)) in extension(event).into_iter().enumerate() {
        if place > 0 {
            line.push(' ');
        }
        let _ = write!(line, "{key}={}", in_extension(&value));
    }
    line.push('\n');
    to.extend_from_slice(line.as_bytes());
}

/// The fields after the header; the ones that are not known are left out.
fn extension(event: &EventView) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("rt", millis(event.time).to_string()),
        ("externalId", event.id.to_string()),
        ("act", event.action.clone()),
        ("outcome", event.outcome.as_str().to_owned()),
        ("suid", event.actor.id.clone()),
        ("requestMethod", event.request.method.clone()),
        ("request", event.request.path.clone()),
        ("cn1", event.seq.to_string()),
        ("cn1Label", "seq".to_owned()),
        ("cs1", event.workspace.to_string()),
        ("cs1Label", "workspace".to_owned()),
        ("cs2", event.request_id.to_string()),
        ("cs2Label", "request".to_owned()),
    ];
    let or_none = |name, value: &Option<String>| value.clone().map(|value| (name, value));
    fields.extend(or_none("reason", &event.reason));
    fields.extend(or_none("suser", &event.actor.name));
    fields.extend(or_none("spriv", &event.actor.role));
    fields.extend(or_none("requestClientApplication", &event.request.agent));
    fields.extend(event.count.map(|count| ("cnt", count.to_string())));
    if let Some(Window { from, to }) = event.window {
        fields.extend([("start", millis(from).to_string()), ("end", millis(to).to_string())]);
    }
    match event.request.address.as_deref().map(|text| (text, text.parse::<IpAddr>())) {
        Some((ip, Ok(IpAddr::V4(_)))) => fields.push(("src", ip.to_owned())),
        Some((ip, Ok(IpAddr::V6(_)))) => fields.extend(labelled(["c6a2", "c6a2Label"], ip, "Source IPv6 Address")),
        Some((name, Err(_))) => fields.push(("shost", name.to_owned())),
        None => {}
    }
    if !event.targets.is_empty() {
        let targets: Vec<String> = event.targets.iter().map(target).collect();
        fields.extend(labelled(["cs3", "cs3Label"], &targets.join("; "), "targets"));
    }
    if let (false, Ok(changes)) = (event.changes.is_empty(), serde_json::to_string(&event.changes)) {
        fields.extend(labelled(["cs4", "cs4Label"], &changes, "changes"));
    }
    if let Some(session) = &event.actor.session {
        fields.extend(labelled(["cs5", "cs5Label"], session, "session"));
    }
    if let Some(permission) = &event.actor.permission {
        fields.extend(labelled(["cs6", "cs6Label"], permission, "permission"));
    }
    fields
}

fn labelled(keys: [&'static str; 2], value: &str, label: &str) -> [(&'static str, String); 2] {
    [(keys[0], value.to_owned()), (keys[1], label.to_owned())]
}

fn target(target: &Target) -> String {
    match &target.name {
        Some(name) => format!("{} {} ({name})", target.kind, target.id),
        None => format!("{} {}", target.kind, target.id),
    }
}

/// A header may hold neither a bar nor the end of a line.
pub(super) fn in_header(text: &str) -> String {
    visible(text, &[]).replace('\\', "\\\\").replace('|', "\\|")
}

/// A value may hold no equals sign, and ends of lines as `\n` and `\r`.
pub(super) fn in_extension(text: &str) -> String {
    let shown = visible(text, &['\n', '\r']).replace('\\', "\\\\").replace('=', "\\=");
    shown.replace('\n', "\\n").replace('\r', "\\r")
}
