//! A table for spreadsheets: RFC 4180, and nothing that a spreadsheet would run.

use super::{super::EventView, ndjson::time_text, text::visible};

/// The names of the columns.
pub(super) const HEAD: &str = "seq,time,id,workspace,actor_kind,actor_id,actor_name,session,role,permission,action,outcome,reason,\
    target_kinds,target_ids,target_names,request_id,method,path,address,agent,changes,count,window_from,window_to\r\n";

/// One event.
pub(super) fn write(to: &mut Vec<u8>, event: &EventView) {
    let targets = |of: fn(&super::super::Target) -> &str| event.targets.iter().map(of).collect::<Vec<_>>().join("; ");
    let changes = if event.changes.is_empty() { None } else { serde_json::to_string(&event.changes).ok() };
    let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
    let cells = [
        event.seq.to_string(),
        time_text(event.time),
        event.id.to_string(),
        event.workspace.to_string(),
        event.actor.kind.clone(),
        event.actor.id.clone(),
        or_empty(&event.actor.name),
        or_empty(&event.actor.session),
        or_empty(&event.actor.role),
        or_empty(&event.actor.permission),
        event.action.clone(),
        event.outcome.as_str().to_owned(),
        or_empty(&event.reason),
        targets(|target| &target.kind),
        targets(|target| &target.id),
        targets(|target| target.name.as_deref().unwrap_or_default()),
        event.request_id.to_string(),
        event.request.method.clone(),
        event.request.path.clone(),
        or_empty(&event.request.address),
        or_empty(&event.request.agent),
        changes.unwrap_or_default(),
        event.count.map(|count| count.to_string()).unwrap_or_default(),
        event.window.map(|window| time_text(window.from)).unwrap_or_default(),
        event.window.map(|window| time_text(window.to)).unwrap_or_default(),
    ];
    for (place, text) in cells.iter().enumerate() {
        if place > 0 {
            to.push(b',');
        }
        cell(to, text);
    }
    to.extend_from_slice(b"\r\n");
}

/// What a spreadsheet takes for the beginning of a formula.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// What a spreadsheet would take for a formula gets an apostrophe, which makes it text (OWASP, CSV Injection): at the beginning, and behind
/// whatever else it may take for the end of a cell; where that is a semicolon, our quotes are text like any other. A quoted cell may hold the
/// end of a line; ours do not, because programs read this line by line.
pub(super) fn cell(to: &mut Vec<u8>, text: &str) {
    let (mut safe, mut is_begin) = (String::with_capacity(text.len()), true);
    for c in text.chars() {
        if is_begin && FORMULA.contains(&c) {
            safe.push('\'');
        }
        // Quotes and spaces in front of it are none to some.
        is_begin = matches!(c, ',' | ';' | '\t') || is_begin && matches!(c, '"' | ' ');
        safe.push(c);
    }
    let shown = visible(&safe, &['\t']);
    if shown.contains([',', '"', ';', '\t']) || shown.starts_with(' ') || shown.ends_with(' ') {
        to.push(b'"');
        to.extend_from_slice(shown.replace('"', "\"\"").as_bytes());
        to.push(b'"');
    } else {
        to.extend_from_slice(shown.as_bytes());
    }
}
