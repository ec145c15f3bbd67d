//! Lines as other programs will read them. No database.

use super::{
    super::{
        Action, ActorView, Change, EventView, Format, Outcome, RequestView, Target, Window,
        queries::{Columns, Stored},
    },
    cef, csv, ecs, meaning, ocsf, text, write,
};
use crate::ids::{EventId, RequestId, WorkspaceId};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use time::macros::datetime;
use uuid::Uuid;

/// Everything that ends lines, colours terminals, turns text around or runs in a spreadsheet.
const HOSTILE: &str = "=cmd|' /C calc'!A0\r\nseq,2\u{1b}[31m\u{202e}\u{2028}\u{85}\u{9b}\"\\|=;,\t\u{e0041}é";

fn event(action: Action, name: &str) -> EventView {
    EventView {
        seq: 1042,
        id: EventId(Uuid::from_u128(1)),
        time: datetime!(2026-11-23 18:04:05.1234 UTC),
        schema: 1,
        workspace: WorkspaceId(Uuid::from_u128(2)),
        actor: ActorView {
            kind: "user".into(),
            id: "usr_0000000000000000000000000z".into(),
            name: Some(name.into()),
            session: Some("ses_0000000000000000000000000z".into()),
            role: Some("admin".into()),
            permission: Some("keys.issue".into()),
        },
        action: action.as_str().into(),
        outcome: Outcome::Success,
        reason: None,
        targets: vec![Target {
            kind: "api_key".into(),
            id: "key_0000000000000000000000000z".into(),
            name: Some(name.into()),
        }],
        request: RequestView {
            id: RequestId(Uuid::from_u128(3)),
            method: "POST".into(),
            path: "/_fn/issue_key".into(),
            address: Some("203.0.113.7".into()),
            agent: Some(name.into()),
        },
        request_id: RequestId(Uuid::from_u128(3)),
        changes: vec![Change { field: "scopes".into(), before: Value::Null, after: json!(["audit.read", name]) }],
        count: None,
        window: None,
    }
}

fn line(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = vec![];
    write(&mut bytes);
    String::from_utf8(bytes).expect("UTF-8")
}

fn written(format: Format, event: &EventView) -> String {
    line(|to| match format {
        Format::Csv => csv::write(to, event),
        Format::Ocsf => text::json_line(to, ocsf::record(event)),
        Format::Ecs => text::json_line(to, ecs::record(event)),
        Format::Cef => cef::write(to, event),
        Format::Ndjson => panic!("made from what is stored"),
    })
}

const MAPPED: [Format; 4] = [Format::Csv, Format::Ocsf, Format::Ecs, Format::Cef];

// Golden lines -----------------------------------------------------------------------------------------------------

#[test]
fn ndjson_is_what_is_stored_byte_for_byte() {
    let stored = Stored {
        seq: 1042,
        at: datetime!(2026-11-23 18:04:05.120 UTC),
        columns: Columns::default(),
        body: r#"{"action":"api_key.issued"}"#,
        personal: Some(r#"{"actor":"Ana"}"#),
        salt: Some(&[0, 0xab, 0xff]),
    };
    let workspace = WorkspaceId(Uuid::from_u128(2));
    let of = |stored: &Stored<'_>, leaf| line(|to| write(to, Format::Ndjson, workspace, stored, leaf));
    assert_eq!(
        of(&stored, Some(&[0xf0; 32])),
        "{\"seq\":1042,\"time\":\"2026-11-23T18:04:05.120000Z\",\"workspace\":\"wsp_00000000000000000000000002\",\
         \"body\":{\"action\":\"api_key.issued\"},\"personal\":{\"actor\":\"Ana\"},\"salt\":\"00abff\",\"leaf\":\"f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0\"}\n"
    );
    let erased = Stored { personal: None, salt: None, at: datetime!(0009-01-02 03:04:05 UTC), seq: i64::MAX, ..stored };
    assert_eq!(
        of(&erased, None),
        "{\"seq\":9223372036854775807,\"time\":\"0009-01-02T03:04:05.000000Z\",\"workspace\":\"wsp_00000000000000000000000002\",\
         \"body\":{\"action\":\"api_key.issued\"},\"personal\":null,\"salt\":null}\n"
    );
}

#[test]
fn csv_has_a_column_for_everything() {
    let columns = csv::HEAD.trim_end().split(',').count();
    assert_eq!(
        written(Format::Csv, &event(Action::ApiKeyIssued, "Ana")),
        "1042,2026-11-23T18:04:05.123400Z,evt_00000000000000000000000001,wsp_00000000000000000000000002,user,\
         usr_0000000000000000000000000z,Ana,ses_0000000000000000000000000z,admin,keys.issue,api_key.issued,success,,api_key,\
         key_0000000000000000000000000z,Ana,req_00000000000000000000000003,POST,/_fn/issue_key,203.0.113.7,Ana,\
         \"[{\"\"field\"\":\"\"scopes\"\",\"\"before\"\":null,\"\"after\"\":[\"\"audit.read\"\",\"\"Ana\"\"]}]\",,,\r\n"
    );
    assert_eq!(columns, 25);
}

#[test]
fn what_one_event_stands_for_is_said_in_every_format_that_is_mapped() {
    let (from, to) = (datetime!(2026-11-23 18:04:05.061 UTC), datetime!(2026-11-23 18:04:05.118 UTC));
    let window = Some(Window { from, to });
    let event = EventView { count: Some(17), window, ..event(Action::SessionRefused, "Ana") };
    let csv = written(Format::Csv, &event);
    assert!(csv.ends_with(",17,2026-11-23T18:04:05.061000Z,2026-11-23T18:04:05.118000Z\r\n"), "{csv}");
    let ocsf = ocsf::record(&event);
    assert_eq!(Schema::read().wrong(&ocsf), Vec::<String>::new(), "{ocsf}");
    let said = |value: &Value, fields: [&str; 3]| fields.map(|field| value.pointer(field).cloned().unwrap_or_default());
    let millis = [17, 1_795_457_045_061_i64, 1_795_457_045_118].map(Value::from);
    assert_eq!(said(&ocsf, ["/count", "/start_time", "/end_time"]), millis);
    let ecs = said(&ecs::record(&event), ["/send0/count", "/event/start", "/event/end"]);
    assert_eq!(ecs, [json!(17), json!("2026-11-23T18:04:05.061Z"), json!("2026-11-23T18:04:05.118Z")]);
    let cef = written(Format::Cef, &event);
    assert!(cef.contains(" cnt=17 start=1795457045061 end=1795457045118 "), "{cef}");
}

#[test]
fn ocsf_says_what_the_schema_asks_for() {
    assert_eq!(
        serde_json::from_str::<Value>(&written(Format::Ocsf, &event(Action::ApiKeyIssued, "Ana"))).expect("JSON"),
        json!({
            "category_uid": 6, "class_uid": 6003, "activity_id": 1, "type_uid": 600301, "time": 1795457045123i64,
            "severity_id": 1, "status_id": 1, "status_detail": "success", "message": "issued API key",
            "metadata": {
                "version": "1.8.0", "product": { "name": "send0 console", "vendor_name": "send0" },
                "uid": "evt_00000000000000000000000001", "sequence": 1042, "event_code": "api_key.issued",
                "log_name": "audit_log", "log_version": "1", "correlation_uid": "req_00000000000000000000000003",
                "tenant_uid": "wsp_00000000000000000000000002",
            },
            "actor": {
                "user": { "uid": "usr_0000000000000000000000000z", "name": "Ana", "type_id": 1 },
                "session": { "uid": "ses_0000000000000000000000000z" },
            },
            "src_endpoint": { "ip": "203.0.113.7" },
            "http_request": {
                "uid": "req_00000000000000000000000003", "http_method": "POST", "url": { "path": "/_fn/issue_key" },
                "user_agent": "Ana",
            },
            "unmapped": {
                "changes": [{ "field": "scopes", "before": null, "after": ["audit.read", "Ana"] }],
                "permission": "keys.issue", "role": "admin",
            },
            "api": {
                "operation": "api_key.issued", "service": { "name": "send0 console" },
                "request": { "uid": "req_00000000000000000000000003" },
            },
            "resources": [{ "type": "api_key", "uid": "key_0000000000000000000000000z", "name": "Ana" }],
        })
    );
}

#[test]
fn ecs_says_who_what_and_from_where() {
    assert_eq!(
        serde_json::from_str::<Value>(&written(Format::Ecs, &event(Action::ApiKeyIssued, "Ana"))).expect("JSON"),
        json!({
            "@timestamp": "2026-11-23T18:04:05.123400Z", "ecs": { "version": "8.17.0" }, "message": "issued API key",
            "event": {
                "kind": "event", "category": ["configuration"], "type": ["creation"], "action": "api_key.issued",
                "outcome": "success", "id": "evt_00000000000000000000000001", "sequence": 1042, "severity": 2,
                "module": "send0", "dataset": "send0.audit", "provider": "send0 console",
            },
            "organization": { "id": "wsp_00000000000000000000000002" },
            "user": { "id": "usr_0000000000000000000000000z", "name": "Ana", "roles": ["admin"] },
            "source": { "ip": "203.0.113.7", "address": "203.0.113.7" },
            "user_agent": { "original": "Ana" },
            "http": { "request": { "id": "req_00000000000000000000000003", "method": "POST" } },
            "url": { "path": "/_fn/issue_key" },
            "related": {
                "user": ["Ana", "usr_0000000000000000000000000z", "key_0000000000000000000000000z"],
                "ip": ["203.0.113.7"],
            },
            "send0": {
                "actor": { "kind": "user", "session": "ses_0000000000000000000000000z", "permission": "keys.issue" },
                "targets": [{ "kind": "api_key", "id": "key_0000000000000000000000000z", "name": "Ana" }],
                "changes": [{ "field": "scopes", "before": null, "after": ["audit.read", "Ana"] }],
                "outcome": "success", "schema": 1,
            },
        })
    );
}

#[test]
fn cef_is_a_header_and_an_extension() {
    assert_eq!(
        written(Format::Cef, &event(Action::ApiKeyIssued, "Ana")),
        format!(
            "CEF:0|send0|console|{}|api_key.issued|issued API key|2|rt=1795457045123 externalId=evt_00000000000000000000000001 \
             act=api_key.issued outcome=success suid=usr_0000000000000000000000000z requestMethod=POST request=/_fn/issue_key \
             cn1=1042 cn1Label=seq cs1=wsp_00000000000000000000000002 cs1Label=workspace cs2=req_00000000000000000000000003 \
             cs2Label=request suser=Ana spriv=admin requestClientApplication=Ana src=203.0.113.7 \
             cs3=api_key key_0000000000000000000000000z (Ana) cs3Label=targets \
             cs4=[{{\"field\":\"scopes\",\"before\":null,\"after\":[\"audit.read\",\"Ana\"]}}] cs4Label=changes \
             cs5=ses_0000000000000000000000000z cs5Label=session cs6=keys.issue cs6Label=permission\n",
            env!("CARGO_PKG_VERSION")
        )
    );
}

// What names may hold ----------------------------------------------------------------------------------------------

#[test]
fn a_record_is_one_line_whatever_a_name_holds() {
    for format in MAPPED {
        let line = written(format, &event(Action::ApiKeyIssued, HOSTILE));
        let end = if format == Format::Csv { "\r\n" } else { "\n" };
        let inside = line.strip_suffix(end).expect("an end");
        let hidden: Vec<char> = inside.chars().filter(|c| text::is_hidden(*c) && *c != '\t').collect();
        assert!(hidden.is_empty(), "{format:?}: {hidden:?}");
        assert!(inside.contains('é'), "{format:?} keeps what can be seen");
    }
    for format in [Format::Ocsf, Format::Ecs] {
        let line = written(format, &event(Action::ApiKeyIssued, HOSTILE));
        let value: Value = serde_json::from_str(&line).expect("JSON");
        let name = if format == Format::Ocsf { &value["actor"]["user"]["name"] } else { &value["user"]["name"] };
        assert_eq!(name, HOSTILE, "{format:?} loses nothing");
    }
}

#[test]
fn no_cell_is_a_formula() {
    let cell = |text: &str| line(|to| csv::cell(to, text));
    for (text, expected) in [
        ("Ana", "Ana"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "\"'\tx\""),
        ("\rx", "'\\u000dx"),
        ("\nx", "'\\u000ax"),
        ("a=1", "a=1"),
        ("", ""),
        ("a,b", "\"a,b\""),
        ("say \"hi\"", "\"say \"\"hi\"\"\""),
        ("=HYPERLINK(\"https://x\")", "\"'=HYPERLINK(\"\"https://x\"\")\""),
        ("a\r\nb", "a\\u000d\\u000ab"),
        (" x", "\" x\""),
        // A spreadsheet that splits at semicolons takes our quotes for text.
        ("a;=1", "\"a;'=1\""),
        ("a; =1", "\"a; '=1\""),
        ("a;\"=1\"", "\"a;\"\"'=1\"\"\""),
        ("a,-1\t@x", "\"a,'-1\t'@x\""),
        ("a;b=1", "\"a;b=1\""),
    ] {
        assert_eq!(cell(text), expected, "{text:?}");
    }
}

/// Reads CSV as RFC 4180 has it.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (vec![], String::new(), false);
    let mut chars = line.trim_end_matches("\r\n").chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    cells.push(cell);
    cells
}

#[test]
fn a_hostile_name_moves_no_cell() {
    let read = cells(&written(Format::Csv, &event(Action::ApiKeyIssued, HOSTILE)));
    assert_eq!(read.len(), csv::HEAD.split(',').count());
    assert!(read[6].starts_with("'=cmd|"), "{}", read[6]);
    assert_eq!((read[10].as_str(), read[20].as_str()), ("api_key.issued", read[6].as_str()));
}

#[test]
fn cef_escapes_what_separates() {
    assert_eq!(cef::in_header("a|b\\c=d\n"), "a\\|b\\\\c=d\\\\u000a");
    assert_eq!(cef::in_extension("a|b\\c=d\r\ne\u{1b}"), "a|b\\\\c\\=d\\r\\ne\\\\u001b");
    let line = written(Format::Cef, &event(Action::ApiKeyIssued, "x src=10.0.0.1|"));
    assert!(line.contains("suser=x src\\=10.0.0.1|") && line.matches(" src=").count() == 1, "{line}");
    // Seven bars that are not escaped, and no more: those of the header.
    let header = line.split_once("rt=").expect("an extension").0;
    assert_eq!(header.replace("\\|", "").matches('|').count(), 7, "{header}");
}

// Every action in every format -------------------------------------------------------------------------------------

#[derive(Deserialize)]
struct Shape {
    required: Vec<String>,
    at_least_one: Vec<String>,
    known: Vec<String>,
    enums: BTreeMap<String, Vec<i64>>,
}

#[derive(Deserialize)]
struct Schema {
    classes: BTreeMap<String, Shape>,
    objects: BTreeMap<String, Shape>,
}

impl Schema {
    fn read() -> Self {
        serde_json::from_str(include_str!("ocsf_schema.json")).expect("the schema")
    }

    /// Everything that the schema has against it.
    fn wrong(&self, value: &Value) -> Vec<String> {
        let mut wrong = vec![];
        let class = &self.classes[&value["class_uid"].to_string()];
        check(class, value, "event", &mut wrong);
        for (name, object) in [
            ("metadata", "metadata"),
            ("actor", "actor"),
            ("user", "user"),
            ("api", "api"),
            ("src_endpoint", "network_endpoint"),
            ("service", "service"),
            ("session", "session"),
            ("http_request", "http_request"),
        ] {
            if let Some(inner) = value.get(name) {
                check(&self.objects[object], inner, name, &mut wrong);
            }
        }
        for (path, object) in [
            ("/metadata/product", "product"),
            ("/actor/user", "user"),
            ("/actor/session", "session"),
            ("/api/service", "service"),
            ("/api/request", "request"),
            ("/http_request/url", "url"),
        ] {
            if let Some(inner) = value.pointer(path) {
                check(&self.objects[object], inner, path, &mut wrong);
            }
        }
        for resource in value["resources"].as_array().into_iter().flatten() {
            check(&self.objects["resource_details"], resource, "resources", &mut wrong);
        }
        wrong
    }
}

fn check(shape: &Shape, value: &Value, place: &str, wrong: &mut Vec<String>) {
    let fields = value.as_object().expect(place);
    wrong.extend(
        shape.required.iter().filter(|name| !fields.contains_key(*name)).map(|name| format!("{place} lacks {name}")),
    );
    if !shape.at_least_one.is_empty() && !shape.at_least_one.iter().any(|name| fields.contains_key(name)) {
        wrong.push(format!("{place} has none of {:?}", shape.at_least_one));
    }
    wrong.extend(
        fields.keys().filter(|name| !shape.known.contains(name)).map(|name| format!("{place} knows no {name}")),
    );
    for (name, allowed) in &shape.enums {
        let number = fields.get(name).and_then(Value::as_i64);
        wrong.extend(
            number.filter(|number| !allowed.contains(number)).map(|number| format!("{place}.{name} is {number}")),
        );
    }
}

/// Who can act, from where: each with every action and outcome.
fn actors() -> Vec<EventView> {
    let of = |kind: &str, id: &str, name: Option<&str>, method: &str, address: Option<&str>| {
        let mut event = event(Action::ApiCalled, "Ana");
        event.actor =
            ActorView { kind: kind.into(), id: id.into(), name: name.map(str::to_owned), ..ActorView::default() };
        event.request.method = method.into();
        event.request.address = address.map(str::to_owned);
        event
    };
    let mut bare = of("anonymous", "anonymous", None, "POST", Some("2001:db8::1"));
    bare.targets.clear();
    bare.changes.clear();
    bare.request.agent = None;
    let mut person = event(Action::ApiCalled, "Ana");
    person.targets.push(Target { kind: "user".into(), id: "usr_1".into(), name: None });
    vec![
        person,
        of("api_key", "key_1", Some("CI"), "GET", Some("203.0.113.7")),
        of("system", "cli", None, "CLI", None),
        of("system", "jobs", None, "JOB", None),
        of("operator", "usr_2", None, "POST", Some("203.0.113.7")),
        // Erased: neither name nor address.
        of("user", "usr_3", None, "POST", None),
        bare,
    ]
}

#[test]
fn every_action_maps_in_every_format() {
    let schema = Schema::read();
    let mut classes = BTreeSet::new();
    for action in Action::ALL.iter().copied() {
        for (mut event, outcome) in
            actors().into_iter().flat_map(|event| Outcome::ALL.map(|outcome| (event.clone(), outcome)))
        {
            event.action = action.to_string();
            event.outcome = outcome;
            event.reason = (outcome != Outcome::Success).then(|| "missing_permission".into());
            let value = ocsf::record(&event);
            let mut line = vec![];
            text::json_line(&mut line, value);
            let value: Value = serde_json::from_slice(&line).expect("JSON");
            assert_eq!(schema.wrong(&value), Vec::<String>::new(), "{action} by {}: {value}", event.actor.kind);
            assert_eq!(
                value["type_uid"],
                json!(
                    value["class_uid"].as_i64().expect("a class") * 100
                        + value["activity_id"].as_i64().expect("an activity")
                )
            );
            assert_eq!(
                value["activity_id"] == 99,
                value.get("activity_name").is_some(),
                "{action}: another activity has a name"
            );
            assert_eq!(value["status_id"] == 1, outcome == Outcome::Success);
            classes.insert(value["class_uid"].as_i64().expect("a class"));
            for format in MAPPED {
                let line = written(format, &event);
                assert!(line.contains(action.as_str()) && line.matches('\n').count() == 1, "{format:?} {action}");
            }
        }
    }
    assert_eq!(classes, BTreeSet::from([3001, 3002, 6003]));
}

/// Field values of ECS 8.17: what types there are in which category.
const ECS_TYPES: [(&str, &[&str]); 5] = [
    ("authentication", &["start", "end", "info"]),
    ("session", &["start", "end", "info"]),
    ("iam", &["admin", "change", "creation", "deletion", "group", "info", "user"]),
    ("configuration", &["access", "change", "creation", "deletion", "info"]),
    ("web", &["access", "error", "info"]),
];
const ECS_API: [&str; 12] =
    ["access", "admin", "allowed", "change", "creation", "deletion", "denied", "end", "error", "info", "start", "user"];

#[test]
fn every_category_of_ecs_allows_its_type() {
    for action in Action::ALL.iter().copied() {
        let value = ecs::record(&event(action, "Ana"));
        let (category, kind) = (&value["event"]["category"][0], value["event"]["type"][0].as_str().expect("a type"));
        let allowed = ECS_TYPES.iter().find(|(name, _)| category == name).map_or(&ECS_API[..], |(_, types)| types);
        assert!(allowed.contains(&kind), "{action}: {category} {kind}");
        assert!(matches!(value["event"]["outcome"].as_str(), Some("success" | "failure" | "unknown")));
        assert!(category == "api" || ECS_TYPES.iter().any(|(name, _)| category == name), "{category}");
    }
}

#[test]
fn an_action_of_a_later_version_is_a_call() {
    let mut later = event(Action::ApiCalled, "Ana");
    later.action = "moon.landed".into();
    assert_eq!(meaning::deed_of(&later), meaning::Deed::Call);
    assert!(MAPPED.iter().all(|format| written(*format, &later).contains("moon.landed")));
}
