//! What of the pages can be told without a server: words, numbers, fields. Here, and not beside the code: a crate with tests inside is
//! compiled twice, and of this one that takes minutes.

#[path = "words/audit_log.rs"]
mod audit_log;

use app::{
    audit_log::completion::{completed, offered},
    page::operator_section,
    ui::{TextArea, TextField, ago, browser, bytes, count, exact, listed, rfc3339},
    visit::is_local,
};
use leptos::prelude::*;
use time::{Duration, OffsetDateTime, macros::datetime};

fn completions() -> Vec<String> {
    ["actor:", "action:", "outcome:", "action:api_key.*", "action:api_key.issued", "outcome:denied", "actor:\"Ana Ö\""]
        .map(str::to_owned)
        .to_vec()
}

#[test]
fn first_keys_are_offered_then_values() {
    let offer = |typed: &str| offered(typed, typed.encode_utf16().count(), &completions());
    assert_eq!(offer(""), ["actor:", "action:", "outcome:"]);
    assert_eq!(offer("ana "), ["actor:", "action:", "outcome:"]);
    assert_eq!(offer("AC"), ["actor:", "action:"]);
    assert_eq!(offer("x -out"), ["outcome:"]);
    assert_eq!(offer("action:"), ["action:api_key.*", "action:api_key.issued"]);
    assert_eq!(offer("action:api_key.i"), ["action:api_key.issued"]);
    assert_eq!(offer("outcome:denied"), Vec::<String>::new(), "it is complete");
    assert_eq!(offer("nothing"), Vec::<String>::new());
}

#[test]
fn the_word_at_the_caret_is_completed_and_the_rest_stays() {
    assert_eq!(completed("", 0, "actor:"), ("actor:".into(), 6));
    assert_eq!(completed("é😀 -ac b", 7, "action:"), ("é😀 -action: b".into(), 12));
    assert_eq!(completed("outcome:d", 9, "outcome:denied"), ("outcome:denied ".into(), 15));
    assert_eq!(completed("outcome:d ana", 9, "outcome:denied"), ("outcome:denied ana".into(), 14));
    // Wherever a caret is said to be, also in the middle of a character.
    for caret in 0..20 {
        completed("a😀b \u{301}é", caret, "actor:");
        offered("a😀b \u{301}é", caret, &completions());
    }
}

#[test]
fn a_page_of_operators_belongs_to_one_entry() {
    for (address, section) in [
        ("/operator", Some("/operator")),
        ("/operator?older=7", Some("/operator")),
        ("/operator/notices/ntc_1/reply/wsp_1", Some("/operator")),
        ("/operator/workspaces", Some("/operator/workspaces")),
        ("/operator/workspaces/wsp_1", Some("/operator/workspaces")),
        ("/operator/workspacesx", Some("/operator")),
        ("/operator/log?older=7", Some("/operator/log")),
        ("/account", None),
    ] {
        assert_eq!(operator_section(address), section, "{address}");
    }
}

#[test]
fn agents_are_told_in_words() {
    for (agent, words) in [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/156.0 Safari/537.36 Edg/156.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) Version/19.1 Safari/604.1", "Safari on iPhone"),
        ("curl/8.14.1", "curl/8.14.1"),
        ("", "Unknown browser"),
    ] {
        assert_eq!(browser(agent), words);
    }
}

#[test]
fn roles_are_listed_as_one_says_them() {
    let roles = ["owner", "admin", "security"].map(String::from);
    assert_eq!(listed(&roles[..1]), "owner");
    assert_eq!(listed(&roles[..2]), "owner or admin");
    assert_eq!(listed(&roles), "owner, admin or security");
}

#[test]
fn what_was_typed_cannot_leave_the_textarea() {
    let html =
        view! { <TextArea name="note" label="Note" value="</textarea><script>alert(1)</script> & more"/> }.to_html();
    assert!(html.contains("\n&lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; more</textarea>"), "{html}");
    assert_eq!(html.matches("</textarea>").count(), 1, "{html}");
    assert!(!html.contains("<script"), "{html}");
}

#[test]
fn an_error_is_tied_to_its_field() {
    let html = view! { <TextField name="cidr" label="Range" hint="IPv4 or IPv6" error=Some("has host bits set".to_owned()) required=true/> }.to_html();
    assert!(html.contains(r#"aria-describedby="cidr-hint cidr-error""#), "{html}");
    assert!(html.contains(r#"aria-invalid="true""#), "{html}");
    assert!(html.contains(r#"id="cidr-error""#), "{html}");
}

#[test]
fn a_field_without_error_is_not_invalid() {
    let html = view! { <TextField name="name" label="Name" value="\"><script>"/> }.to_html();
    assert!(!html.contains("aria-invalid") && !html.contains("<script"), "{html}");
}

fn plain(text: &str) -> String {
    text.replace('\u{202f}', " ")
}

#[test]
fn counts_have_groups_of_three() {
    let cases = [(0, "0"), (999, "999"), (1_000, "1 000"), (10_412, "10 412"), (5_119_004, "5 119 004")];
    for (number, expected) in cases {
        assert_eq!(plain(&count(number)), expected);
    }
}

#[test]
fn bytes_have_at_most_one_decimal() {
    let cases = [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (1_549, "1.5 kB"),
        (12_900, "12 kB"),
        (9_990_000, "9.9 MB"),
        (2_000_000_000, "2 GB"),
        (4_200_000_000_000, "4 200 GB"),
    ];
    for (number, expected) in cases {
        assert_eq!(plain(&bytes(number)), expected);
    }
}

const NOW: OffsetDateTime = datetime!(2026-11-24 12:00:00 UTC);

#[test]
fn the_past_and_the_future_are_short() {
    let cases = [
        (Duration::milliseconds(400), "just now"),
        (Duration::seconds(3), "3 s ago"),
        (Duration::seconds(59), "59 s ago"),
        (Duration::seconds(60), "1 min ago"),
        (Duration::minutes(59), "59 min ago"),
        (Duration::hours(1), "1 h ago"),
        (Duration::hours(24), "1 d ago"),
        (Duration::days(29), "29 d ago"),
        (Duration::days(30), "25 Oct 2026"),
        (-Duration::hours(3), "in 3 h"),
        (-Duration::days(400), "29 Dec 2027"),
    ];
    for (before, expected) in cases {
        assert_eq!(ago(NOW - before, NOW), expected);
    }
}

#[test]
fn the_exact_instant_is_in_utc() {
    let at = datetime!(2026-03-01 04:05:06.789 +05:30);
    assert_eq!(exact(at), "28 Feb 2026, 22:35:06 UTC");
    assert_eq!(rfc3339(at), "2026-02-28T22:35:06Z");
}

#[test]
fn only_paths_of_our_own() {
    for local in ["/", "/w/acme", "/w/acme/audit-log?actor=a%40b", "/a//b"] {
        assert!(is_local(local), "{local}");
    }
    for foreign in [
        "",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "https:evil",
        "/\t/evil",
        "/\r\nx: y",
        "javascript:alert(1)",
        "/é",
        "\\/evil",
    ] {
        assert!(!is_local(foreign), "{foreign:?}");
    }
}
