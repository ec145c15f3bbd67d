//! What the pages of the audit log say, without a server: an event as a sentence, who it was, which events are shown, how long they are kept.

use app::audit_log::{
    event::event_page,
    page::{Shown, kept_for, kind, numbers, what, who},
};
use leptos::prelude::RenderHtml as _;
use send0_core::{
    audit_log::{Action, ActorView, Change, EventView, Outcome, RequestView, Target, Window, operations::Around},
    ids::{EventId, RequestId, WorkspaceId},
    retention::Retention,
};
use serde_json::Value;
use time::macros::datetime;

fn actor(kind: &str, id: &str, name: Option<&str>, role: Option<&str>) -> ActorView {
    let text = |text: Option<&str>| text.map(str::to_owned);
    ActorView { kind: kind.into(), id: id.into(), name: text(name), role: text(role), ..ActorView::default() }
}

/// An event of Ana's, to something that may have a name.
fn event(action: &str, target: Option<Option<&str>>) -> EventView {
    let id = RequestId::new();
    let target = target.map(|name| Target { kind: "thing".into(), id: "thi_1".into(), name: name.map(str::to_owned) });
    EventView {
        seq: 1,
        id: EventId::new(),
        time: datetime!(2026-11-24 09:00 UTC),
        schema: 1,
        workspace: WorkspaceId::new(),
        actor: actor("user", "usr_1", Some("Ana"), Some("owner")),
        action: action.to_owned(),
        outcome: Outcome::Success,
        reason: None,
        targets: target.into_iter().collect(),
        request: RequestView { id, method: "GET".into(), path: "/v1/workspace".into(), address: None, agent: None },
        request_id: id,
        changes: vec![],
        count: None,
        window: None,
    }
}

fn failed(event: &EventView, reason: &str, permission: Option<&str>) -> EventView {
    let mut event = event.clone();
    event.outcome = Outcome::Failed;
    event.reason = Some(reason.to_owned());
    event.actor.permission = permission.map(str::to_owned);
    event
}

/// No two marks in a row, no gap, and no word at the end of a part that waits for another.
fn reads_right(sentence: &str) -> bool {
    const WAITING: [&str; 12] = ["from", "to", "of", "for", "about", "with", "as", "by", "that", "the", "a", "an"];
    let torn = ["  ", ":,", ",:", "::", ",,", " ,", " :"].iter().any(|marks| sentence.contains(marks));
    let mut parts = sentence.split([',', ':', '(']).map(|part| part.trim_end_matches([')', ' ']));
    let ends = |part: &str| part.rsplit(' ').next().is_some_and(|last| !last.is_empty() && !WAITING.contains(&last));
    !torn && parts.all(ends)
}

#[test]
fn what_waits_for_a_word_is_found() {
    for wrong in [
        "removed events past their retention from",
        "left the workspace:",
        "found that the audit log is not as it was sealed:, edit",
        "changed the plan of, lacking workspace.update",
        "called  the API",
    ] {
        assert!(!reads_right(wrong), "{wrong}");
    }
}

#[test]
fn every_action_reads_right_with_and_without_a_name_and_a_reason() {
    for action in Action::ALL {
        for target in [None, Some(None), Some(Some("Acme"))] {
            let done = event(action.as_str(), target);
            let not_done = [
                failed(&done, "missing_permission", Some("keys.issue")),
                failed(&done, "missing_permission", None),
                failed(&done, "not_taken", None),
                failed(&done, "for_a_day", None),
                failed(&done, "gone_unsent", None),
                EventView { reason: None, ..failed(&done, "", None) },
                EventView { count: Some(17), ..failed(&done, "wrong_credentials", None) },
            ];
            let sentences: Vec<String> = [done].iter().chain(&not_done).map(what).collect();
            for sentence in &sentences {
                assert!(reads_right(sentence), "{action}: {sentence:?}");
                let is_call = sentence.contains("/v1/workspace");
                assert!(is_call || target.flatten().is_none_or(|name| sentence.contains(name)), "{action}: {sentence}");
            }
        }
    }
}

#[test]
fn sentences_say_what_was_done() {
    let named = |action: Action, name: &str| what(&event(action.as_str(), Some(Some(name))));
    let alone = |action: Action| what(&event(action.as_str(), None));
    for (sentence, expected) in [
        (named(Action::ApiKeyIssued, "CI deploy"), "issued API key CI deploy"),
        (alone(Action::ApiKeyIssued), "issued an API key"),
        (alone(Action::AuditLogPruned), "removed events past their retention"),
        (named(Action::MemberReminded, "Bo"), "reminded Bo of the second factor"),
        (named(Action::SessionRefused, "Bo"), "tried to sign in as Bo"),
        (named(Action::SubscriberTold, "bo@example.com"), "told bo@example.com of a change of subprocessors"),
        (named(Action::PasswordReset, "Bo"), "set a new password by mail (Bo)"),
        (alone(Action::ApiCalled), "called the API: GET /v1/workspace"),
        (what(&event("cake.eaten", Some(Some("Torte")))), "cake.eaten Torte"),
        (what(&event("cake.eaten", None)), "cake.eaten"),
    ] {
        assert_eq!(sentence, expected);
    }
    let mut own = event(Action::FactorAdded.as_str(), Some(Some("Ana")));
    own.targets[0].id = own.actor.id.clone();
    assert_eq!(format!("{} {}", who(&own), what(&own)), "Ana added a factor");
}

#[test]
fn what_a_check_found_is_named() {
    let check = event(Action::AuditLogCheckFailed.as_str(), None);
    let said = |reason: &str, seq: Option<i64>| {
        let changes = seq.map(|seq| Change { field: "seq".into(), before: Value::Null, after: seq.into() });
        what(&EventView { changes: changes.into_iter().collect(), ..failed(&check, reason, None) })
    };
    let found = "found that the audit log is not as it was sealed";
    assert_eq!(said("edit", Some(7)), format!("{found}: event #7 was changed"));
    assert_eq!(said("delete", Some(7)), format!("{found}: event #7 is missing"));
    assert_eq!(said("delete", None), format!("{found}: an event is missing"));
    assert_eq!(said("something_new", Some(7)), format!("{found}: something new"));
    for reason in ["edit", "delete", "insert", "tree", "checkpoint", "register"] {
        assert!(reads_right(&said(reason, Some(7))) && reads_right(&said(reason, None)), "{reason}");
    }
}

#[test]
fn every_kind_of_actor_has_a_word_of_its_own() {
    for (actor, word) in [
        (actor("user", "usr_1", Some("Ana"), Some("owner")), "member"),
        (actor("user", "usr_1", None, Some("owner")), "member"),
        (actor("user", "usr_1", Some("Ana"), None), "no member"),
        (actor("api_key", "key_1", Some("CI"), None), "API key"),
        (actor("operator", "usr_2", Some("Ops"), None), "send0 staff"),
        (actor("system", "cli", None, None), "command line"),
        (actor("system", "jobs", None, None), "job"),
        (actor("anonymous", "anonymous", None, None), "nobody known"),
    ] {
        assert_eq!(kind(&actor), word);
    }
}

#[test]
fn without_a_gap_is_said_only_where_there_is_none() {
    let of = |seqs: &[i64]| -> Vec<EventView> {
        seqs.iter().map(|seq| EventView { seq: *seq, ..event("page.viewed", None) }).collect()
    };
    let (all, gap, gaps) = (of(&[4, 3, 2, 1]), of(&[4, 2, 1]), of(&[10, 8, 7, 5]));
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(numbers(&[], false, true), None);
    assert_eq!(numbers(&all, false, true), text("4 events, without a gap from #1 to #4."));
    assert_eq!(numbers(&all, false, false), text("#4 to #1, the newest first."));
    let missing = "#4 to #1, the newest first. Events are missing: the first of them is #3.";
    assert_eq!((numbers(&gap, false, true), numbers(&gap, false, false)), (text(missing), text(missing)));
    assert_eq!(
        numbers(&gaps, false, true),
        text("#10 to #5, the newest first. Events are missing: the first of them is #6.")
    );
    assert_eq!(
        numbers(&gap, true, true),
        text("#4 to #1, the newest first."),
        "what a filter leaves out is not missing"
    );
}

#[test]
fn how_long_is_the_workspaces_own_time() {
    let retention = Retention { audit_days: 730, max_days: 730, waiting: None, legal_holds: vec![] };
    let oldest = Some((513, datetime!(2025-11-24 09:00 UTC)));
    assert_eq!(kept_for(&retention, oldest), "Kept 730 days. The oldest event is #513, of 24 Nov 2025");
    assert_eq!(kept_for(&retention, None), "Kept 730 days");
}

#[test]
fn the_page_of_an_event_says_how_many_it_stands_for_and_when_they_were() {
    let window = Window { from: datetime!(2026-11-24 08:59:58 UTC), to: datetime!(2026-11-24 08:59:59 UTC) };
    let many = EventView { count: Some(17), window: Some(window), ..event("session.refused", None) };
    let page = |event: EventView| {
        let (base, now) = ("/operator/audit-log".to_owned(), event.time);
        let log = Shown { title: "", about: "", raw: "", all: base.clone(), base, tail: None, keys: None, now };
        let around = Around::default();
        event_page(&log, event, around).expect("a page").to_html()
    };
    let before = page(EventView { window: None, ..many.clone() });
    let (html, one) = (page(many), page(event("session.refused", None)));
    assert!(before.contains("17 alike calls<"), "{before}");
    assert!(html.contains("17 alike calls") && html.contains(", from "), "{html}");
    assert!(html.contains("2026-11-24T08:59:58Z") && html.contains("2026-11-24T08:59:59Z"), "{html}");
    assert!(!one.contains("Stands for"), "{one}");
}
