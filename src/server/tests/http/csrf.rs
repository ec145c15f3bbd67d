//! What another site's page sends in somebody's name changes nothing.

use crate::harness::{Browser, Console, form};
use app::access;
use axum::{body::Body, http::Request};
use send0_core::{allowlist::Door, audit_log::Outcome, ids::WorkspaceId, permissions::Role, testing::PASSWORD};

const FORM: &str = "application/x-www-form-urlencoded";
const OURS: &str = crate::harness::ORIGIN;

/// Content type, `Sec-Fetch-Site`, `Origin`; what comes of it.
const VARIANTS: [(&str, &str, &str, u16); 18] = [
    (FORM, "cross-site", "https://evil.example", 403),
    (FORM, "cross-site", OURS, 403),
    (FORM, "cross-site", "", 403),
    (FORM, "same-site", "http://sub.localhost:3000", 403),
    (FORM, "same-site", OURS, 403),
    (FORM, "none", "", 403),
    (FORM, "none", OURS, 403),
    (FORM, "", "null", 403),
    (FORM, "same-origin", "null", 403),
    (FORM, "", "http://sub.localhost:3000", 403),
    (FORM, "", "http://localhost:3001", 403),
    (FORM, "", "http://localhost", 403),
    (FORM, "", "https://localhost:3000", 403),
    (FORM, "", "http://localhost:3000.evil.example", 403),
    (FORM, "", "", 403),
    ("multipart/form-data; boundary=x", "same-origin", OURS, 415),
    ("text/plain", "same-origin", OURS, 415),
    ("", "same-origin", OURS, 415),
];

#[tokio::test]
async fn no_function_obeys_another_site() {
    let (console, acme) = Console::with_acme().await;
    let (key, _) = console.key(acme.id(), "live").await;
    let key = key.to_string();
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    console.db.member(&acme, Role::Admin).await;
    console.db.member(&acme, Role::Viewer).await;
    let admin = console.member_id(&acme, Role::Admin).await.to_string();
    let (invitation, token) = console.invitation(&acme, "waits@example.com", "viewer").await;
    let invitation = invitation.to_string();
    owner.get(&console, &format!("/invitations/{token}")).await;
    let contact = console.contact(&acme, "soc@example.com").await.to_string();
    let token = console.mailed_token("soc@example.com").await;
    owner.get(&console, &format!("/contacts/{token}")).await;
    let entry = console.entry(&acme, Door::Api, "203.0.113.0/24").await.to_string();
    console.save(&acme, Door::Api).await;
    let version = console.version(&acme, Door::Api).await;
    let notice = console.notice("Acme Mail").await.to_string();
    let hold = console.legal_hold(&acme, "Matter 12").await.to_string();
    let workspace = acme.id().to_string();
    let mut refusals = 0;
    for function in access::FUNCTIONS {
        let fields: &[(&str, &str)] = match function.path.rsplit('/').next().expect("a name") {
            "propose_change" => &[("of", "add"), ("vendor", "Evil")],
            "publish_notice" | "discard_notice" | "postpone_notice" | "withdraw_notice" | "reply_to_objection" => &[
                ("id", &notice),
                ("workspace_id", "x"),
                ("effective_at", "2999-02-02"),
                ("why", "Evil"),
                ("reply", "Evil"),
            ],
            "answer_notice" => &[("workspace", "acme"), ("id", &notice), ("answer", "acknowledged")],
            "change_framework" | "add_evidence" | "remove_evidence" => &[
                ("id", "gdpr"),
                ("status", "in_progress"),
                ("scope", "Evil"),
                ("owner", "Evil"),
                ("review_on", "2999-01-01"),
                ("title", "Evil"),
                ("kind", "statement"),
                ("link", "https://evil.example"),
            ],
            "answer_request" | "grant_document" | "revoke_grant" | "retire_document" => {
                &[("id", "x"), ("workspace_id", "x"), ("message", "Evil"), ("then", "closed"), ("days", "1")]
            }
            "make_request" | "write_on_request" => {
                &[("workspace", "acme"), ("id", "x"), ("kind", "dpa"), ("message", "Evil")]
            }
            "ask_as_visitor" => &[
                ("kind", "dpa"),
                ("message", "Evil"),
                ("name", "Evil"),
                ("company", "Evil"),
                ("email", "evil@example.com"),
            ],
            "send_request" => &[],
            "write_more" => &[("message", "Evil")],
            "accept_terms" => &[("name", "Evil"), ("agreed", "on")],
            "subscribe" => &[("email", "evil@example.com")],
            "confirm_subscription" | "end_subscription" => &[],
            "set_up" => {
                &[("workspace", "Evil"), ("name", "E"), ("email", "e@evil.example"), ("password", "an evil password")]
            }
            "sign_in" => &[("email", "admin@acme.example"), ("password", PASSWORD)],
            "sign_out" => &[],
            "issue_key" => &[("workspace", "acme"), ("name", "Evil"), ("kind", "live")],
            "revoke_key" => &[("workspace", "acme"), ("id", &key)],
            "set_plan" => &[("workspace_id", &workspace), ("plan", "enterprise"), ("why", "Evil")],
            "set_time_zone" => &[("workspace", "acme"), ("time_zone", "Asia/Pyongyang")],
            "rename_workspace" => &[("workspace", "acme"), ("name", "Evil")],
            "change_policy" => &[("workspace", "acme"), ("demand", "off"), ("grace_days", "1")],
            "change_retention" | "keep_retention" => {
                &[("workspace", "acme"), ("audit_days", "365"), ("confirm", "acme")]
            }
            "place_hold" | "release_hold" => {
                &[("workspace", "acme"), ("id", &hold), ("name", "Evil"), ("confirm", "Matter 12")]
            }
            "start_export" | "cancel_export" => &[("workspace", "acme"), ("id", "x"), ("format", "csv")],
            "save_view" | "change_view" | "remove_view" => {
                &[("workspace", "acme"), ("id", "x"), ("name", "Evil"), ("query", "outcome:denied"), ("shared", "true")]
            }
            "create_stream"
            | "change_stream"
            | "pause_stream"
            | "resume_stream"
            | "remove_stream"
            | "replace_stream_secret"
            | "test_stream" => &[
                ("workspace", "acme"),
                ("id", "x"),
                ("kind", "https"),
                ("name", "Evil"),
                ("url", "https://evil.example"),
                ("confirm", "Evil"),
            ],
            "create_workspace" => &[("name", "Evil")],
            "invite_members" => &[("workspace", "acme"), ("emails", "evil@example.com"), ("role", "owner")],
            "resend_invitation" | "make_invitation_link" | "revoke_invitation" => {
                &[("workspace", "acme"), ("id", &invitation)]
            }
            "change_role" => &[("workspace", "acme"), ("id", &admin), ("role", "viewer")],
            "remove_member" | "end_member_sessions" => &[("workspace", "acme"), ("id", &admin)],
            "leave_workspace" => &[("workspace", "acme")],
            "add_contact" => &[("workspace", "acme"), ("email", "evil@example.com"), ("kinds[]", "log")],
            "change_contact" | "test_contact" | "remove_contact" => {
                &[("workspace", "acme"), ("id", &contact), ("kinds[]", "log")]
            }
            "confirm_contact" => &[],
            "accept_invitation" | "cancel_address" | "confirm_address" => &[],
            "join_workspace" => &[("name", "Evil"), ("password", "an evil password")],
            "change_settings" => &[("name", "Evil"), ("theme", "dark")],
            "change_password" => &[("present", PASSWORD), ("new_password", "an evil password")],
            "request_address" => &[("password", PASSWORD), ("email", "evil@example.com")],
            "add_entry" | "change_entry" | "remove_entry" | "set_reporting" | "discard_draft" | "save_draft"
            | "confirm_change" | "undo_change" => &[
                ("workspace", "acme"),
                ("door", "api"),
                ("version", &version),
                ("id", &entry),
                ("cidr", "192.0.2.0/24"),
            ],
            "begin_passkey_sign_in"
            | "begin_passkey_proof"
            | "begin_app"
            | "remove_app"
            | "make_recovery_codes"
            | "end_other_sessions" => &[],
            "finish_passkey_sign_in" | "finish_passkey_proof" | "finish_passkey" => &[("answer", "{}")],
            "prove_by_code" | "prove_by_recovery_code" | "confirm_app" => &[("code", "000000")],
            "prove_by_password" => &[("password", PASSWORD)],
            "begin_passkey" => &[("name", "Evil")],
            "rename_passkey" | "remove_passkey" | "end_session" => &[("id", "x"), ("name", "Evil")],
            "request_reset" => &[("email", "owner@acme.example")],
            "reset_password" => &[("password", "an evil password")],
            other => panic!("{other} is not tested here"),
        };
        for (kind, site, origin, status) in VARIANTS {
            for accept in ["text/html", "application/json"] {
                let what = format!("{} {kind:?} {site:?} {origin:?} {accept}", function.path);
                let mark = console.mark(WorkspaceId::PLATFORM).await;
                let mut request =
                    Request::post(function.path).header("cookie", owner.cookie_header()).header("accept", accept);
                for (name, value) in [("content-type", kind), ("sec-fetch-site", site), ("origin", origin)] {
                    if !value.is_empty() {
                        request = request.header(name, value);
                    }
                }
                let answer = console.send(request.body(form(fields)).expect("request")).await;
                assert_eq!(answer.status, status, "{what}");
                assert!(answer.headers.get("set-cookie").is_none(), "{what}");
                if status == 403 {
                    let event = console.the_one_event(&mark, &what).await;
                    assert_eq!(
                        (event.action.as_str(), event.outcome, event.reason.as_deref()),
                        ("request.refused", Outcome::Denied, Some("cross_site"))
                    );
                    assert_eq!(event.request_id.to_string(), answer.header("x-request-id"));
                    refusals += 1;
                }
                console.nothing_changed(&mark, &what).await;
            }
        }
        assert!(owner.is_signed_in(&console).await, "{} by another site", function.path);
    }
    assert_eq!(refusals, access::FUNCTIONS.len() * 15 * 2);
    assert_eq!(console.db.number("select count(*) from sessions").await, 1);
}

#[tokio::test]
async fn a_link_calls_no_function() {
    let (console, _) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    for function in access::FUNCTIONS {
        let path = format!("{}?workspace=acme&name=Evil&kind=live", function.path);
        let crossing = owner.get_with(&console, &path, &[("sec-fetch-site", "cross-site")]).await;
        assert_eq!(crossing.status, 403, "{path}");
        let ours = [("sec-fetch-site", "same-origin"), ("content-type", FORM)];
        assert_eq!(owner.get_with(&console, &path, &ours).await.status, 405, "{path}");
    }
    assert!(owner.is_signed_in(&console).await);
    assert_eq!(console.db.number("select count(*) from api_keys").await, 0);
}

#[tokio::test]
async fn pages_take_no_posts_and_links_from_elsewhere_open_them() {
    let (console, _) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    let foreign =
        Request::post("/w/acme/api-keys").header("sec-fetch-site", "cross-site").body(Body::empty()).expect("request");
    assert_eq!(console.send(foreign).await.status, 403);
    let ours =
        Request::post("/w/acme/api-keys").header("sec-fetch-site", "same-origin").body(Body::empty()).expect("request");
    assert_eq!(console.send(ours).await.status, 405);
    let link = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    assert_eq!(owner.get_with(&console, "/w/acme", &link).await.status, 200);
}

#[tokio::test]
async fn a_form_has_a_limit() {
    let (console, _) = Console::with_acme().await;
    let mark = console.mark(WorkspaceId::PLATFORM).await;
    let long = "a".repeat(64 * 1024);
    for accept in ["text/html", "application/json"] {
        let request = Request::post(crate::harness::function("sign_in"))
            .header("accept", accept)
            .header("content-type", FORM)
            .header("origin", OURS);
        let answer = console.send(request.body(form(&[("email", &long), ("password", "x")])).expect("request")).await;
        assert_eq!(answer.status, 413, "{accept}");
    }
    console.nothing_changed(&mark, "a large form").await;
}
