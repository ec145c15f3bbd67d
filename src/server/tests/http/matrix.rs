//! Who may do what, over `/_fn`, pages and `/v1`, against lists written by hand. A cell says `yes`, or which permission
//! is missing.

use crate::harness::{Browser, Console, route};
use app::access;
use send0_core::{
    Actor,
    allowlist::Door,
    audit_log::Outcome,
    compliance::{
        self,
        documents::{self, NewDocument},
    },
    ids::{EventId, KeyId, WorkspaceId},
    permissions::{Permission, Role},
    subprocessors::notices::{answer, look},
    testing::{self, Tenant},
    zones,
};
use send0_server::rest;
use std::collections::BTreeSet;

/// What of a form, and by which function.
const FORMS: &str = "
form                            function    owner admin developer  security   billing     viewer
restricted:workspace.read       issue_key   yes   yes   yes        keys.issue keys.issue  keys.issue
restricted:keys.revoke          issue_key   yes   yes   yes        keys.issue keys.issue  keys.issue
restricted:audit.read           issue_key   yes   yes   audit.read keys.issue keys.issue  keys.issue
test                            issue_key   yes   yes   yes        keys.issue keys.issue  keys.issue
live                            issue_key   yes   yes   audit.read keys.issue keys.issue  keys.issue
-                               revoke_key  yes   yes   yes        yes        keys.revoke keys.revoke
rename                          rename_workspace yes yes workspace.update workspace.update workspace.update workspace.update
zone                            set_time_zone yes yes workspace.update workspace.update workspace.update workspace.update
policy                          change_policy yes yes policies.update policies.update policies.update policies.update
invite                          invite_members yes yes members.invite members.invite members.invite members.invite
invitation                      resend_invitation yes yes members.invite members.invite members.invite members.invite
invitation                      make_invitation_link yes yes members.invite members.invite members.invite members.invite
invitation                      revoke_invitation yes yes members.invite members.invite members.invite members.invite
member                          change_role yes   yes   members.change_role members.change_role members.change_role members.change_role
member                          end_member_sessions yes yes sessions.revoke yes sessions.revoke sessions.revoke
member                          remove_member yes yes   members.remove members.remove members.remove members.remove
new-entry                       add_entry   yes   yes   allowlist.update allowlist.update allowlist.update allowlist.update
entry                           change_entry yes  yes   allowlist.update allowlist.update allowlist.update allowlist.update
entry                           remove_entry yes  yes   allowlist.update allowlist.update allowlist.update allowlist.update
draft                           set_reporting yes yes   allowlist.update allowlist.update allowlist.update allowlist.update
draft                           discard_draft yes yes   allowlist.update allowlist.update allowlist.update allowlist.update
draft                           save_draft  yes   yes   allowlist.update allowlist.update allowlist.update allowlist.update
saved                           confirm_change yes yes  allowlist.update allowlist.update allowlist.update allowlist.update
saved                           undo_change yes   yes   allowlist.update allowlist.update allowlist.update allowlist.update
retention                       change_retention yes yes retention.update retention.update retention.update retention.update
retention-waiting               keep_retention yes yes  retention.update retention.update retention.update retention.update
new-hold                        place_hold  yes   yes   retention.hold yes    retention.hold retention.hold
hold                            release_hold yes  retention.release retention.release retention.release retention.release retention.release
notice                          answer_notice yes yes   notices.answer yes notices.answer notices.answer
new-request                     make_request yes yes    compliance.request yes yes compliance.request
request                         write_on_request yes yes compliance.request yes yes compliance.request
view                            save_view   yes   yes   audit.read yes        audit.read  audit.read
shared-view                     save_view   yes   yes   audit.read workspace.update audit.read audit.read
ours                            change_view yes   yes   audit.read workspace.update audit.read audit.read
ours                            remove_view yes   yes   audit.read workspace.update audit.read audit.read
new-stream                      create_stream yes yes   audit.stream yes audit.stream audit.stream
stream                          change_stream yes yes   audit.stream yes audit.stream audit.stream
stream                          replace_stream_secret yes yes audit.stream yes audit.stream audit.stream
stream                          pause_stream yes yes    audit.stream yes audit.stream audit.stream
paused-stream                   resume_stream yes yes   audit.stream yes audit.stream audit.stream
stream                          test_stream yes yes     audit.stream yes audit.stream audit.stream
stream                          remove_stream yes yes   audit.stream yes audit.stream audit.stream
new-contact                     add_contact yes yes     contacts.manage yes contacts.manage contacts.manage
contact                         change_contact yes yes  contacts.manage yes contacts.manage contacts.manage
contact                         test_contact yes yes    contacts.manage yes contacts.manage contacts.manage
contact                         remove_contact yes yes  contacts.manage yes contacts.manage contacts.manage
new-export                      start_export yes yes    audit.export yes       audit.export audit.export
export                          cancel_export yes yes   audit.export yes       audit.export audit.export
";

/// Anybody, or anybody signed in, may send these; what they then answer is tested elsewhere.
const PUBLIC_FORMS: [&str; 17] = [
    "ask_as_visitor",
    "send_request",
    "write_more",
    "accept_terms",
    "subscribe",
    "confirm_subscription",
    "end_subscription",
    "set_up",
    "sign_in",
    "sign_out",
    "join_workspace",
    "confirm_address",
    "confirm_contact",
    "begin_passkey_sign_in",
    "finish_passkey_sign_in",
    "request_reset",
    "reset_password",
];
/// For whoever has shown the password, and for whoever is signed in.
const HALF_FORMS: [&str; 4] =
    ["begin_passkey_proof", "finish_passkey_proof", "prove_by_code", "prove_by_recovery_code"];
const ACCOUNT_FORMS: [&str; 18] = [
    "begin_app",
    "begin_passkey",
    "confirm_app",
    "end_other_sessions",
    "end_session",
    "finish_passkey",
    "make_recovery_codes",
    "prove_by_password",
    "remove_app",
    "remove_passkey",
    "rename_passkey",
    "accept_invitation",
    "cancel_address",
    "change_password",
    "change_settings",
    "create_workspace",
    "leave_workspace",
    "request_address",
];

/// For send0's staff, with what they send. Without a second factor they get nowhere.
const OPERATOR_FORMS: [(&str, &[(&str, &str)]); 14] = [
    (
        "propose_change",
        &[
            ("of", "add"),
            ("vendor", "Other Mail"),
            ("purpose", "Delivery"),
            ("data", "Messages"),
            ("regions", "global"),
            ("why", "Needed."),
            ("effective_at", "2999-01-01"),
        ],
    ),
    ("publish_notice", &[]),
    ("postpone_notice", &[("effective_at", "2999-02-02")]),
    ("reply_to_objection", &[("reply", "We hear you.")]),
    ("withdraw_notice", &[("why", "Another way.")]),
    ("discard_notice", &[]),
    ("set_plan", &[("plan", "growth"), ("why", "They have outgrown it.")]),
    ("change_framework", &[("status", "compliant"), ("scope", "Less."), ("owner", "Ops"), ("review_on", "2999-01-01")]),
    ("add_evidence", &[("title", "More"), ("kind", "statement"), ("link", "/security")]),
    ("remove_evidence", &[]),
    ("answer_request", &[("message", "Here it is."), ("then", "answered")]),
    ("grant_document", &[("email", "buyer@globex.example"), ("days", "7")]),
    ("revoke_grant", &[]),
    ("retire_document", &[]),
];
const OPERATOR_PAGES: [&str; 16] = [
    "/operator/compliance",
    "/operator/compliance/:id",
    "/operator/requests",
    "/operator/requests/:workspace/:id",
    "/operator/documents",
    "/operator/documents/:id",
    "/operator",
    "/operator/subprocessors/new",
    "/operator/subprocessors/:id/change",
    "/operator/subprocessors/:id/remove",
    "/operator/notices/:id",
    "/operator/notices/:id/reply/:workspace",
    "/operator/workspaces",
    "/operator/workspaces/:id",
    "/operator/log",
    "/operator/log/:event",
];

const PAGES: &str = "
page                           answer owner admin developer  security   billing    viewer
/                              302    yes   yes   yes        yes        yes        yes
/setup                         302    yes   yes   yes        yes        yes        yes
/sign-in                       302    yes   yes   yes        yes        yes        yes
/invitations                   200    yes   yes   yes        yes        yes        yes
/contacts                      200    yes   yes   yes        yes        yes        yes
/account                       200    yes   yes   yes        yes        yes        yes
/account/address               200    yes   yes   yes        yes        yes        yes
/account/security              200    yes   yes   yes        yes        yes        yes
/account/security/app          200    yes   yes   yes        yes        yes        yes
/account/security/recovery-codes 200  yes   yes   yes        yes        yes        yes
/account/sessions              200    yes   yes   yes        yes        yes        yes
/account/prove                 200    yes   yes   yes        yes        yes        yes
/sign-in/second-factor         302    yes   yes   yes        yes        yes        yes
/sign-in/forgot                200    yes   yes   yes        yes        yes        yes
/sign-in/reset                 200    yes   yes   yes        yes        yes        yes
/workspaces/new                200    yes   yes   yes        yes        yes        yes
/w/:slug                       200    yes   yes   yes        yes        yes        yes
/w/:slug/members               200    yes   yes   yes        yes        yes        yes
/w/:slug/members/invite        200    yes   yes   members.invite members.invite members.invite members.invite
/w/:slug/members/:id           200    yes   yes   yes        yes        yes        yes
/w/:slug/roles                 200    yes   yes   yes        yes        yes        yes
/security                      200    yes   yes   yes        yes        yes        yes
/changelog                     200    yes   yes   yes        yes        yes        yes
/subprocessors                 200    yes   yes   yes        yes        yes        yes
/subprocessors/subscribe       200    yes   yes   yes        yes        yes        yes
/subscription                  200    yes   yes   yes        yes        yes        yes
/unsubscribe                   200    yes   yes   yes        yes        yes        yes
/w/:slug/retention             200    yes   yes   yes        yes        retention.read yes
/w/:slug/retention/holds/:id   200    yes   yes   yes        yes        retention.read yes
/w/:slug/notices               200    yes   yes   yes        yes        yes        yes
/w/:slug/notices/:id           200    yes   yes   yes        yes        yes        yes
/compliance                    200    yes   yes   yes        yes        yes        yes
/compliance/ask                200    yes   yes   yes        yes        yes        yes
/compliance/requests           200    yes   yes   yes        yes        yes        yes
/documents                     200    yes   yes   yes        yes        yes        yes
/w/:slug/compliance            200    yes   yes   compliance.request yes yes compliance.request
/w/:slug/compliance/:id        200    yes   yes   compliance.request yes yes compliance.request
/w/:slug/streams               200    yes   yes   audit.stream yes       audit.stream audit.stream
/w/:slug/streams/new           200    yes   yes   audit.stream yes       audit.stream audit.stream
/w/:slug/streams/:id           200    yes   yes   audit.stream yes       audit.stream audit.stream
/w/:slug/streams/:id/secret    200    yes   yes   audit.stream yes       audit.stream audit.stream
/w/:slug/contacts              200    yes   yes   contacts.manage yes contacts.manage contacts.manage
/w/:slug/contacts/:id          200    yes   yes   contacts.manage yes contacts.manage contacts.manage
/w/:slug/settings              200    yes   yes   workspace.update workspace.update workspace.update workspace.update
/w/:slug/api-keys              200    yes   yes   yes        yes        keys.read  keys.read
/w/:slug/api-keys/new          200    yes   yes   yes        keys.issue keys.issue keys.issue
/w/:slug/api-keys/:id          200    yes   yes   yes        yes        keys.read  keys.read
/w/:slug/api-keys/:id/secret   200    yes   yes   yes        keys.issue keys.issue keys.issue
/w/:slug/allowlist             200    yes   yes   yes        yes        allowlist.read allowlist.read
/w/:slug/allowlist/:door       200    yes   yes   allowlist.update allowlist.update allowlist.update allowlist.update
/w/:slug/allowlist/:door/review 200   yes   yes   allowlist.update allowlist.update allowlist.update allowlist.update
/w/:slug/audit-log/exports     200    yes   yes   audit.export yes      audit.export audit.export
/w/:slug/audit-log             200    yes   yes   audit.read yes        audit.read audit.read
/w/:slug/audit-log/views/:id   200    yes   yes   audit.read yes        audit.read audit.read
/w/:slug/audit-log/:event      200    yes   yes   audit.read yes        audit.read audit.read
";

const API: &str = "
method path                   live test         workspace.read members.read   keys.read      keys.revoke    audit.read     audit.export
GET    /v1/workspace          yes  yes          yes            workspace.read workspace.read workspace.read workspace.read workspace.read
GET    /v1/members            yes  members.read members.read   yes            members.read   members.read   members.read members.read
GET    /v1/api-keys           yes  keys.read    keys.read      keys.read      yes            keys.read      keys.read keys.read
GET    /v1/api-keys/{id}      yes  keys.read    keys.read      keys.read      yes            keys.read      keys.read keys.read
DELETE /v1/api-keys/{id}      yes  keys.revoke  keys.revoke    keys.revoke    keys.revoke    yes            keys.revoke keys.revoke
GET    /v1/allowlist          yes  allowlist.read allowlist.read allowlist.read allowlist.read allowlist.read allowlist.read allowlist.read
GET    /v1/notices            yes  notices.read notices.read   notices.read   notices.read   notices.read   notices.read notices.read
GET    /v1/retention          yes  retention.read retention.read retention.read retention.read retention.read retention.read retention.read
GET    /v1/audit-events       yes  audit.read   audit.read     audit.read     audit.read     audit.read     yes audit.read
GET    /v1/audit-events/{id}  yes  audit.read   audit.read     audit.read     audit.read     audit.read     yes audit.read
GET    /v1/audit-events/{id}/proof yes audit.read audit.read   audit.read     audit.read     audit.read     yes audit.read
GET    /v1/audit-log/checkpoint yes audit.read  audit.read     audit.read     audit.read     audit.read     yes audit.read
GET    /v1/audit-log/consistency yes audit.read audit.read     audit.read     audit.read     audit.read     yes audit.read
GET    /v1/audit-log/export   yes  audit.export audit.export   audit.export   audit.export   audit.export   audit.export   yes
";

fn rows(table: &'static str) -> Vec<Vec<&'static str>> {
    table.lines().map(|line| line.split_whitespace().collect()).filter(|row: &Vec<_>| !row.is_empty()).skip(1).collect()
}

fn columns(table: &'static str) -> Vec<&'static str> {
    table.trim().lines().next().expect("a head").split_whitespace().skip(2).collect()
}

#[test]
fn the_lists_leave_nothing_out() {
    let functions: BTreeSet<&str> =
        access::FUNCTIONS.iter().filter_map(|function| function.path.rsplit('/').next()).collect();
    let forms = rows(FORMS);
    let listed = forms.iter().map(|row| row[1]).chain(PUBLIC_FORMS).chain(HALF_FORMS).chain(ACCOUNT_FORMS);
    let listed: BTreeSet<&str> = listed.chain(OPERATOR_FORMS.map(|(form, _)| form)).collect();
    assert_eq!(functions, listed);
    let operators = access::PAGES.iter().filter(|(_, access)| *access == access::Access::Operator);
    assert_eq!(operators.map(|(path, _)| *path).collect::<Vec<_>>(), OPERATOR_PAGES);
    let others =
        |(_, access): &&(&str, access::Access)| !matches!(access, access::Access::Dev | access::Access::Operator);
    let pages = access::PAGES.iter().filter(others);
    let pages: BTreeSet<&str> = pages.map(|(path, _)| *path).collect();
    assert_eq!(pages, rows(PAGES).iter().map(|row| row[0]).collect());
    let routes: BTreeSet<(&str, &str)> = rest::scoped_routes().collect();
    assert_eq!(routes, rows(API).iter().map(|row| (row[0], row[1])).collect());
    let roles: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
    assert!(columns(FORMS) == roles && columns(PAGES) == roles);
}

/// What a form of the table sends.
fn fields<'a>(form: &'a str, key: &'a str) -> Vec<(&'a str, &'a str)> {
    let common = [("_back", "/w/acme"), ("workspace", "acme")];
    let own = match form.split_once(':') {
        Some((kind, scope)) => vec![("name", "Matrix"), ("kind", kind), ("scopes[]", scope)],
        None if form == "-" => vec![("id", key), ("reason", "because")],
        None if form == "rename" => vec![("name", key)],
        None if form == "zone" => vec![("time_zone", key)],
        // Another number of days each time: what changes nothing is no event.
        None if form == "policy" => vec![("demand", "two_factor"), ("grace_days", key)],
        None if form == "invite" => vec![("emails", key), ("role", "viewer")],
        None if form == "invitation" => vec![("id", key)],
        None if matches!(form, "new-entry" | "entry" | "draft" | "saved") => {
            let (version, of) = key.split_once('/').unwrap_or((key, ""));
            // A new entry brings its network, an entry its id; written anew, it is another network.
            let cidr = if form == "entry" { "198.18.0.0/15" } else { of };
            vec![("door", "api"), ("version", version), ("cidr", cidr), ("id", of), ("days", "7")]
        }
        None if form.starts_with("retention") => vec![("audit_days", "365"), ("confirm", "acme")],
        None if form == "new-hold" => vec![("name", key)],
        None if form == "hold" => vec![("id", key), ("confirm", "Matter 12")],
        None if form == "view" => vec![("name", key), ("query", "outcome:denied")],
        None if form == "shared-view" => vec![("name", key), ("query", "outcome:denied"), ("shared", "true")],
        None if form == "ours" => vec![("id", key), ("name", key)],
        None if form == "notice" => vec![("id", key), ("answer", "acknowledged")],
        None if matches!(form, "new-request" | "request") => vec![("id", key), ("kind", "dpa"), ("message", "By May.")],
        None if form == "new-export" => vec![("format", "csv")],
        None if form == "export" => vec![("id", key)],
        None if form == "new-contact" => vec![("email", key), ("kinds[]", "keys")],
        None if form == "contact" => vec![("id", key), ("kinds[]", "log")],
        None if form == "new-stream" => vec![("kind", "https"), ("name", key), ("url", "https://siem.example.com")],
        None if matches!(form, "stream" | "paused-stream") => {
            vec![("id", key), ("name", "Renamed"), ("url", "https://siem.example.com"), ("confirm", "SIEM")]
        }
        None if form == "member" => vec![("id", key), ("role", "billing")],
        None => vec![("name", "Matrix"), ("kind", form)],
    };
    common.into_iter().chain(own).collect()
}

fn action(function: &str) -> &'static str {
    match function {
        "issue_key" => "api_key.issued",
        "revoke_key" => "api_key.revoked",
        "rename_workspace" => "workspace.renamed",
        "set_time_zone" => "workspace.time_zone_changed",
        "change_policy" => "policy.changed",
        "invite_members" => "member.invited",
        "resend_invitation" => "invitation.resent",
        "make_invitation_link" => "invitation.link_made",
        "revoke_invitation" => "invitation.revoked",
        "change_role" => "member.role_changed",
        "remove_member" => "member.removed",
        "end_member_sessions" => "session.revoked",
        "add_entry" | "change_entry" | "remove_entry" | "set_reporting" | "discard_draft" => "allowlist.drafted",
        "save_draft" => "allowlist.changed",
        "confirm_change" => "allowlist.confirmed",
        "undo_change" => "allowlist.reverted",
        "change_retention" => "retention.changed",
        "keep_retention" => "retention.kept",
        "place_hold" => "legal_hold.placed",
        "release_hold" => "legal_hold.released",
        "answer_notice" => "notice.acknowledged",
        "save_view" | "change_view" => "audit_view.saved",
        "remove_view" => "audit_view.removed",
        "make_request" => "compliance.requested",
        "write_on_request" => "compliance.message_added",
        "start_export" => "audit_log.exported",
        "cancel_export" => "audit_log.export_cancelled",
        "create_stream" => "stream.created",
        "change_stream" => "stream.changed",
        "replace_stream_secret" => "stream.secret_replaced",
        "pause_stream" => "stream.paused",
        "resume_stream" => "stream.resumed",
        "test_stream" => "stream.tested",
        "remove_stream" => "stream.removed",
        "add_contact" => "contact.added",
        "change_contact" => "contact.changed",
        "test_contact" => "contact.tested",
        "remove_contact" => "contact.removed",
        other => panic!("{other} has no action"),
    }
}

#[tokio::test]
async fn forms_by_role() {
    let (console, acme) = Console::with_acme().await;
    let mut cases = 0;
    for (column, role) in Role::ALL.into_iter().enumerate() {
        let mut browser = Browser::member(&console, &acme, role).await;
        for row in rows(FORMS) {
            let target = target(&console, &acme, row[0], cases).await;
            let what = format!("{role} {} {}", row[1], row[0]);
            let fields =
                fields(row[0], &target).into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect::<Vec<_>>();
            let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            match row[column + 2] {
                "yes" => form_is_accepted(&console, &acme, &mut browser, row[1], &fields, &what).await,
                missing => form_is_refused(&console, &acme, &mut browser, row[1], &fields, (missing, &what)).await,
            }
            cases += 1;
        }
    }
    assert_eq!(cases, 288);
}

/// Something of its own for each case: a key, an invitation, a member, a name.
async fn target(console: &Console, acme: &Tenant, form: &str, case: usize) -> String {
    match form {
        "rename" => format!("Acme {case}"),
        "view" | "shared-view" => format!("View {case}"),
        "ours" => console.view(acme, &format!("View {case}")).await.to_string(),
        // Another one each time, as well.
        "zone" => zones::all().swap_remove(case),
        "policy" => (case % 28 + 2).to_string(),
        "invite" => format!("invited{case}@example.com"),
        "invitation" => console.invitation(acme, &format!("waits{case}@example.com"), "viewer").await.0.to_string(),
        // On a plan with a choice, at the longest time, with a shorter one that waits or without.
        "retention" | "retention-waiting" => {
            let waits = if form == "retention" { "null, null" } else { "365, now() + interval '1 day'" };
            let set = format!(
                "update workspaces set plan = 'scale' where slug = 'acme';
                 insert into retention select workspace_id, 730, {waits} from workspaces where slug = 'acme' on conflict (workspace_id)
                    do update set audit_days = 730, waiting_days = excluded.waiting_days, waiting_until = excluded.waiting_until"
            );
            sqlx::raw_sql(sqlx::AssertSqlSafe(set)).execute(&console.db.superuser).await.expect("set");
            String::new()
        }
        "new-hold" => format!("Matter {case}"),
        "hold" => {
            console.run("update legal_holds set released_at = now()").await;
            console.legal_hold(acme, "Matter 12").await.to_string()
        }
        "notice" => console.notice(&format!("Vendor {case}")).await.to_string(),
        "request" => console.compliance_request(acme).await.to_string(),
        "new-entry" | "entry" | "draft" | "saved" => list(console, acme, form, case).await,
        "new-export" => {
            // One at a time: what an earlier case has begun is in the way.
            console.cancel_exports(acme).await;
            String::new()
        }
        "export" => console.export(acme).await.to_string(),
        "new-stream" => {
            console.run("delete from audit_streams").await;
            format!("Stream {case}")
        }
        "stream" => console.stream(acme).await.to_string(),
        "paused-stream" => {
            let id = console.stream(acme).await.to_string();
            console.run("update audit_streams set state = 'paused'").await;
            id
        }
        "new-contact" => format!("outside{case}@example.com"),
        "contact" => {
            console.db.member_named(acme, Role::Viewer, &format!("told{case}")).await;
            console.contact(acme, &format!("told{case}@acme.example")).await.to_string()
        }
        "member" => {
            let user = console.db.member_named(acme, Role::Viewer, &format!("target{case}")).await;
            console.member_of(acme, user).await.to_string()
        }
        _ => console.key(acme.id(), "test").await.0.to_string(),
    }
}

/// What an operator's form about compliance is for.
struct OfCompliance {
    request: String,
    document: String,
    grant: String,
    evidence: String,
}

impl OfCompliance {
    async fn new(console: &Console, acme: &Tenant) -> Self {
        let (ctx, ops) = (&console.db.ctx, Actor::cli(WorkspaceId::PLATFORM, testing::request()));
        let new = NewDocument {
            title: "Report".into(),
            file_name: "report.pdf".into(),
            terms: "Keep it.".into(),
            content: vec![1],
        };
        let document = documents::add(ctx, &testing::request(), new).await.expect("a document");
        documents::grant(ctx, &ops, document, "first@globex.example", "7").await.expect("access");
        let (_, grants) = documents::show(ctx, &ops, document).await.expect("the access list");
        let frameworks = compliance::operations::public(ctx).await.expect("public");
        let gdpr = frameworks.iter().find(|one| one.id == "gdpr").expect("gdpr");
        Self {
            request: console.compliance_request(acme).await.to_string(),
            document: document.to_string(),
            grant: grants[0].id.to_string(),
            evidence: gdpr.evidence[0].id.to_string(),
        }
    }

    /// The id in the path of a page.
    fn of_page(&self, page: &str) -> Option<&str> {
        [("compliance", "gdpr"), ("requests", &self.request), ("documents", &self.document)]
            .into_iter()
            .find(|(part, _)| page.contains(part))
            .map(|(_, id)| id)
    }

    /// The id that a form sends, and where it leads.
    fn of_form(&self, form: &str) -> Option<(&str, &'static str)> {
        match form {
            "change_framework" | "add_evidence" | "remove_evidence" => Some(("gdpr", "/operator/compliance/gdpr")),
            "answer_request" => Some((&self.request, "/operator/requests/wsp_")),
            "grant_document" | "retire_document" => Some((&self.document, "/operator/documents/doc_")),
            "revoke_grant" => Some((&self.grant, "/operator/documents/doc_")),
            _ => None,
        }
    }
}

/// A list of the API in the state that the form is for: its version, and the entry.
async fn list(console: &Console, acme: &Tenant, form: &str, case: usize) -> String {
    let (door, new) = (Door::Api, format!("10.0.{}.{}", case / 250, case % 250));
    let of = match form {
        "new-entry" => new,
        _ => console.entry(acme, door, &new).await.to_string(),
    };
    if form == "saved" {
        console.save(acme, door).await;
    }
    format!("{}/{of}", console.version(acme, door).await)
}

async fn form_is_accepted(
    console: &Console,
    acme: &Tenant,
    browser: &mut Browser,
    function: &str,
    fields: &[(&str, &str)],
    what: &str,
) {
    let mark = console.mark(acme.id()).await;
    let answer = browser.post(console, function, fields).await;
    let result = if function.contains("key") { "/w/acme/api-keys/key_" } else { "/w/acme/" };
    assert!(answer.location().starts_with(result), "{what}: {}", answer.location());
    // What a workspace answers, the platform's log has too.
    let event = match function {
        "answer_notice" | "make_request" | "write_on_request" => console.since(&mark).await.remove(0),
        _ => console.the_one_event(&mark, what).await,
    };
    assert_eq!((event.action.as_str(), event.outcome), (action(function), Outcome::Success), "{what}");
    assert_eq!(event.request_id.to_string(), answer.header("x-request-id"));
}

async fn form_is_refused(
    console: &Console,
    acme: &Tenant,
    browser: &mut Browser,
    function: &str,
    fields: &[(&str, &str)],
    (missing, what): (&str, &str),
) {
    for html in [true, false] {
        let mark = console.mark(acme.id()).await;
        let answer = if html {
            browser.post(console, function, fields).await
        } else {
            browser.post_json(console, function, fields).await
        };
        if html {
            assert_eq!(answer.location(), "/w/acme", "{what}");
            assert!(answer.cookie("__Host-flash").is_some(), "{what}: a flash says why");
        } else {
            assert_eq!(answer.status, 403, "{what}");
            assert_eq!(answer.json(), serde_json::json!({ "code": "forbidden", "detail": missing }), "{what}");
        }
        let event = console.the_one_event(&mark, what).await;
        assert_eq!((event.action.as_str(), event.outcome), (action(function), Outcome::Denied), "{what}");
        assert_eq!(event.actor.permission.as_deref(), Some(missing), "{what}");
        assert_eq!(event.request_id.to_string(), answer.header("x-request-id"));
        console.nothing_changed(&mark, what).await;
    }
}

#[tokio::test]
async fn pages_by_role() {
    let (console, acme) = Console::with_acme().await;
    let (key, _) = console.key(acme.id(), "live").await;
    let event = console.db.events(acme.id()).await.remove(0).id;
    let member = console.member_id(&acme, Role::Owner).await.to_string();
    let contact = console.contact(&acme, "owner@acme.example").await.to_string();
    let notice = console.notice("Acme Mail").await;
    let request = console.compliance_request(&acme).await;
    let view = console.view(&acme, "Refusals").await;
    let stream = console.stream(&acme).await;
    let hold = console.legal_hold(&acme, "Matter 12").await;
    // Whoever looks first writes an event.
    look(&console.db.ctx, &acme.actor(Role::Owner), notice).await.expect("looked");
    for (column, role) in Role::ALL.into_iter().enumerate() {
        let mut browser = Browser::member(&console, &acme, role).await;
        browser.get(&console, "/w/acme").await;
        for row in rows(PAGES) {
            let id = match row[0] {
                path if path.contains("members") => member.clone(),
                path if path.contains("contacts") => contact.clone(),
                path if path.contains("views") => view.to_string(),
                path if path.contains("notices") => notice.to_string(),
                path if path.contains("compliance") => request.to_string(),
                path if path.contains("streams") => stream.to_string(),
                path if path.contains("holds") => hold.to_string(),
                _ => key.to_string(),
            };
            let path = row[0].replace(":slug", "acme").replace(":id", &id).replace(":event", &event.to_string());
            let path = path.replace(":door", "dashboard");
            let what = format!("{role} {path}");
            let mark = console.mark(acme.id()).await;
            let answer = browser.get(&console, &path).await;
            if row[column + 2] == "yes" {
                assert_eq!(answer.status.as_str(), row[1], "{what}");
                assert_eq!(
                    console.events_everywhere().await,
                    console_events(&console, &mark, &what).await,
                    "{what}: a view is no event"
                );
            } else {
                assert_eq!(answer.status, 403, "{what}");
                assert!(
                    answer.text().contains(row[column + 2]) && answer.text().contains(answer.header("x-request-id")),
                    "{what} says why"
                );
                let event = console.the_one_event(&mark, &what).await;
                assert_eq!((event.action.as_str(), event.outcome), ("page.viewed", Outcome::Denied), "{what}");
                assert_eq!(event.actor.permission.as_deref(), Some(row[column + 2]), "{what}");
                assert_eq!(event.request_id.to_string(), answer.header("x-request-id"));
            }
            console.nothing_changed(&mark, &what).await;
        }
    }
}

/// The number of events if none was added to the workspace since.
async fn console_events(console: &Console, mark: &crate::harness::Mark, what: &str) -> i64 {
    let new = console.since(mark).await;
    assert!(new.is_empty(), "{what}: {new:#?}");
    mark.everywhere()
}

#[tokio::test]
async fn nobody_gets_nowhere_and_strangers_find_nothing() {
    let (console, acme) = Console::with_acme().await;
    console.db.workspace("Globex").await;
    let (key, _) = console.key(acme.id(), "live").await;
    let event = console.db.events(acme.id()).await.remove(0).id;
    let (mut nobody, mut stranger) = (Browser::default(), Browser::signed_in(&console, "owner@globex.example").await);
    let mark = console.mark(acme.id()).await;
    for row in rows(PAGES).iter().filter(|row| row[0].starts_with("/w/")) {
        let path =
            row[0].replace(":slug", "acme").replace(":id", &key.to_string()).replace(":event", &event.to_string());
        let path = path.replace(":door", "dashboard");
        let next = nobody.get(&console, &path).await.location().to_owned();
        assert_eq!(next, format!("/sign-in?next={}", escaped(&path)));
        let foreign = stranger.get(&console, &path).await;
        let unknown = stranger.get(&console, &path.replace("/w/acme", "/w/nowhere")).await;
        assert_eq!((foreign.status.as_u16(), unknown.status.as_u16()), (404, 404), "{path}");
        let elsewhere = path.replace("/w/acme", "/w/nowhere");
        // Each page names only what was asked for: the request, and, to come back to, its own address.
        assert_eq!(
            without_id(&foreign.text(), foreign.header("x-request-id")).replace(&path, ""),
            without_id(&unknown.text(), unknown.header("x-request-id")).replace(&elsewhere, ""),
            "{path}"
        );
    }
    // Inside their own workspace, what belongs to another is as good as nothing.
    for path in [format!("api-keys/{key}"), format!("api-keys/{key}/secret"), format!("audit-log/{event}")] {
        assert_eq!(stranger.get(&console, &format!("/w/globex/{path}")).await.status, 404, "{path}");
    }
    let id = key.to_string();
    for row in rows(FORMS) {
        let fields = fields(row[0], &id);
        assert_eq!(nobody.post_json(&console, row[1], &fields).await.status, 401, "{}", row[0]);
        assert_eq!(nobody.post(&console, row[1], &fields).await.location(), "/w/acme");
        assert_eq!(stranger.post_json(&console, row[1], &fields).await.status, 404, "{}", row[0]);
    }
    let own = [("workspace", "globex"), ("id", id.as_str()), ("reason", "")];
    assert_eq!(
        stranger.post_json(&console, "revoke_key", &own).await.status,
        404,
        "a foreign key by way of one's own workspace"
    );
    assert!(console.since(&mark).await.is_empty(), "the log of a workspace is not for strangers to write");
    console.nothing_changed(&mark, "nobody and strangers").await;
}

fn escaped(path: &str) -> String {
    path.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn without_id(text: &str, id: &str) -> String {
    assert!(text.contains(id), "the page names the request");
    text.replace(id, "")
}

#[tokio::test]
async fn routes_by_scope() {
    let (console, acme) = Console::with_acme().await;
    let event = console.db.events(acme.id()).await.remove(0).id;
    let mut cases = 0;
    for (column, kind) in columns(API).into_iter().enumerate() {
        let (_, secret) = console.key(acme.id(), kind).await;
        for row in rows(API) {
            let (target, _) = console.key(acme.id(), "test").await;
            let id = if row[1].contains("audit") { event.to_string() } else { target.to_string() };
            let what = format!("{kind} {} {}", row[0], row[1]);
            let mark = console.mark(acme.id()).await;
            let answer = console.call(row[0], &route(row[1], &id), Some(&secret)).await;
            let event = console.the_one_event(&mark, &what).await;
            let attempted = match (row[0], row[1]) {
                ("DELETE", _) => "api_key.revoked",
                (_, "/v1/audit-log/export") => "audit_log.exported",
                _ => "api.called",
            };
            assert_eq!(event.request_id.to_string(), answer.header("x-request-id"), "{what}");
            if row[column + 2] == "yes" {
                assert_eq!(answer.status, 200, "{what}: {}", answer.text());
                assert_eq!((event.action.as_str(), event.outcome), (attempted, Outcome::Success), "{what}");
                let needed = row[2..].iter().find(|cell| **cell != "yes").expect("what others lack");
                assert_eq!(event.actor.permission.as_deref(), Some(*needed), "{what}");
            } else {
                assert_eq!(
                    (answer.status.as_u16(), &answer.json()["required_scope"]),
                    (403, &row[column + 2].into()),
                    "{what}"
                );
                assert_eq!(answer.json()["code"], "missing_scope", "{what}");
                assert_eq!((event.action.as_str(), event.outcome), (attempted, Outcome::Denied), "{what}");
                assert_eq!(event.actor.permission.as_deref(), Some(row[column + 2]), "{what}");
                console.nothing_changed(&mark, &what).await;
            }
            cases += 1;
        }
    }
    assert_eq!(cases, 112);
}

/// What somebody needs for the route or the form.
fn demanded(method: &str, path: &str) -> Option<Permission> {
    let declared: Vec<&str> =
        path.split('/').map(|part| if part.starts_with("key_") { "{id}" } else { part }).collect();
    let declared = declared.join("/");
    let route = rest::ROUTES.iter().find(|(of, route, _)| (*of, *route) == (method, declared.as_str()));
    let function = access::FUNCTIONS.iter().find(|function| (method, path) == ("POST", function.path));
    match (route.map(|(.., access)| *access), function.map(|function| function.access)) {
        (Some(rest::Access::Scope(permission)), None) | (None, Some(access::Access::Permission(permission))) => {
            Some(permission)
        }
        (None, Some(_)) => None,
        _ => panic!("{method} {path} is no route that takes a key, and no form"),
    }
}

/// What is published as a sample comes by a route or a form that there is, with the permission that is needed there.
#[tokio::test]
async fn published_samples_are_calls_that_there_are() {
    let schema = send0_core::audit_log::schema::schema();
    let samples = schema["examples"].as_array().expect("samples");
    for sample in samples.iter().filter(|sample| sample["request"]["method"] != "JOB") {
        let [method, path] = ["method", "path"].map(|field| sample["request"][field].as_str().expect("text"));
        let needed = demanded(method, path).map(Permission::as_str);
        assert_eq!(sample["actor"]["permission"].as_str(), needed, "{method} {path}");
    }
    let (console, acme) = Console::with_acme().await;
    let (_, key) = console.key(acme.id(), "audit.read").await;
    let sample = samples.iter().find(|sample| sample["action"] == "api.called").expect("a call");
    let mark = console.mark(acme.id()).await;
    console.call("GET", sample["request"]["path"].as_str().expect("a path"), Some(&key)).await;
    let event = serde_json::to_value(console.the_one_event(&mark, "a call").await).expect("JSON");
    for field in ["/action", "/outcome", "/reason", "/targets", "/changes", "/request/method", "/request/path"] {
        assert_eq!(event.pointer(field), sample.pointer(field), "{field}");
    }
    for field in ["/actor/kind", "/actor/role", "/actor/session", "/actor/permission"] {
        assert_eq!(event.pointer(field), sample.pointer(field), "{field}");
    }
}

#[tokio::test]
async fn keys_that_open_nothing() {
    let (console, acme) = Console::with_acme().await;
    let (revoked_id, revoked) = console.key(acme.id(), "live").await;
    let (_, expired) = console.key_for(acme.id(), "live", "30").await;
    let (_, live) = console.key(acme.id(), "live").await;
    let known = console.call("DELETE", &format!("/v1/api-keys/{revoked_id}"), Some(&live)).await;
    assert_eq!(known.json()["status"], "revoked");
    console.db.ctx.clock.advance(time::Duration::days(30));
    let unknown = send0_core::api_keys::KeySecret::generate(send0_core::api_keys::Kind::Live);
    let last = if live.ends_with('x') { 'y' } else { 'x' };
    let mistyped = format!("{}{last}", &live[..live.len() - 1]);
    let cases = [
        (None, "missing_key", WorkspaceId::PLATFORM),
        (Some("nonsense"), "malformed_key", WorkspaceId::PLATFORM),
        (Some(mistyped.as_str()), "malformed_key", WorkspaceId::PLATFORM),
        (Some(unknown.expose()), "unknown_key", WorkspaceId::PLATFORM),
        (Some(revoked.as_str()), "revoked_key", acme.id()),
        (Some(expired.as_str()), "expired_key", acme.id()),
    ];
    for (key, code, log) in cases {
        for (method, path) in rest::scoped_routes() {
            let what = format!("{code} {method} {path}");
            let mark = console.mark(log).await;
            let answer = console.call(method, &route(path, revoked_id), key).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (401, &code.into()), "{what}");
            assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"send0\"", "{what}");
            let event = console.the_one_event(&mark, &what).await;
            assert_eq!(
                (event.action.as_str(), event.outcome, event.reason.as_deref()),
                ("api.called", Outcome::Denied, Some(code)),
                "{what}"
            );
            assert_eq!(event.request_id.to_string(), answer.header("x-request-id"), "{what}");
            console.nothing_changed(&mark, &what).await;
        }
    }
}

#[tokio::test]
async fn a_cookie_opens_no_api_and_a_key_no_page() {
    let (console, acme) = Console::with_acme().await;
    let (_, live) = console.key(acme.id(), "live").await;
    let owner = Browser::signed_in(&console, "owner@acme.example").await;
    let request = crate::harness::call("GET", "/v1/workspace", None).header("cookie", owner.cookie_header());
    assert_eq!(console.send(request.body(axum::body::Body::empty()).expect("request")).await.status, 401);
    let bearer = format!("Bearer {live}");
    let page = Browser::default().get_with(&console, "/w/acme", &[("authorization", &bearer)]).await;
    assert_eq!(page.location(), "/sign-in?next=%2Fw%2Facme");
}

#[tokio::test]
async fn foreign_ids_are_unknown_ids() {
    let (console, acme) = Console::with_acme().await;
    let globex = console.db.workspace("Globex").await;
    let (theirs, _) = console.key(acme.id(), "live").await;
    let their_event = console.db.events(acme.id()).await.remove(0).id;
    let (_, key) = console.key(globex.id(), "live").await;
    let mark = console.mark(acme.id()).await;
    let cases = [
        ("GET", "/v1/api-keys/", theirs.to_string(), KeyId::new().to_string()),
        ("DELETE", "/v1/api-keys/", theirs.to_string(), KeyId::new().to_string()),
        ("GET", "/v1/audit-events/", their_event.to_string(), EventId::new().to_string()),
    ];
    for (method, path, foreign, unknown) in cases {
        let [foreign, unknown] = [foreign, unknown].map(|id| format!("{path}{id}"));
        let mut answers = vec![];
        for path in [foreign, unknown] {
            let answer = console.call(method, &path, Some(&key)).await;
            assert_eq!(answer.status, 404, "{method} {path}");
            let text = answer.text().replace(&path, "").replace(answer.header("x-request-id"), "");
            assert!(text.contains("\"instance\":\"\"") && text.contains("\"request_id\":\"\""), "{text}");
            let mut headers: Vec<_> = answer
                .headers
                .iter()
                .filter(|(name, _)| *name != "x-request-id")
                .map(|(n, v)| format!("{n}: {v:?}"))
                .collect();
            headers.sort();
            answers.push((text, headers));
        }
        assert_eq!(answers[0], answers[1], "{method} {path}");
    }
    assert!(console.since(&mark).await.is_empty(), "nothing of it is in the other workspace's log");
    console.nothing_changed(&mark, "a foreign key").await;
}

#[tokio::test]
async fn what_is_for_operators_is_not_there_for_anybody_else() {
    let (console, acme) = Console::with_acme().await;
    let (mut operator, mut owner) =
        (Browser::operator(&console).await, Browser::signed_in(&console, "owner@acme.example").await);
    let mut nobody = Browser::default();
    let notice = console.notice("Acme Mail").await;
    let owners = acme.actor(Role::Owner);
    answer(&console.db.ctx, &owners, notice, "objected", "Not there.").await.expect("objected");
    let aws = send0_core::subprocessors::operations::public(&console.db.ctx).await.expect("public").current[1].id;
    let ops = Actor::cli(WorkspaceId::PLATFORM, testing::request());
    let of = send0_core::subprocessors::operations::show(&console.db.ctx, &ops, notice).await.expect("shown").1;
    let answered_at = of[0].answer.as_ref().expect("an objection").1;
    let answered_at = answered_at.format(&time::format_description::well_known::Rfc3339).expect("a time");
    let (aws, notice, workspace) = (aws.to_string(), notice.to_string(), acme.id().to_string());
    let event = console.db.events(WorkspaceId::PLATFORM).await.remove(0).id.to_string();
    let compliance = OfCompliance::new(&console, &acme).await;
    let mut members = vec![owner.clone()];
    for role in Role::ALL.into_iter().filter(|role| *role != Role::Owner) {
        members.push(Browser::member(&console, &acme, role).await);
    }
    for page in OPERATOR_PAGES {
        let id = match page {
            page if page.contains("notices") => &notice,
            page if page.contains("workspaces") => &workspace,
            page => compliance.of_page(page).unwrap_or(&aws),
        };
        let page = page.replace(":id", id).replace(":workspace", &workspace).replace(":event", &event);
        assert_eq!(operator.get(&console, &page).await.status, 200, "{page}");
        for member in &mut members {
            let mark = console.mark(WorkspaceId::PLATFORM).await;
            assert_eq!(member.get(&console, &page).await.status, 404, "{page}");
            let event = console.the_one_event(&mark, &page).await;
            assert_eq!((event.action.as_str(), event.outcome), ("operator.refused", Outcome::Denied), "{page}");
        }
        assert!(nobody.get(&console, &page).await.location().starts_with("/sign-in"), "{page}");
    }
    assert_eq!(operator.get(&console, "/w/acme").await.status, 404, "and a workspace is nothing for operators");
    assert_eq!(operator.get(&console, "/").await.location(), "/operator");
    let mut draft = String::new();
    for (form, fields) in OPERATOR_FORMS {
        let (id, result) = match form {
            "publish_notice" => (draft.as_str(), "/operator/notices/ntc_"),
            "set_plan" => (notice.as_str(), "/operator/workspaces/wsp_"),
            form => compliance.of_form(form).unwrap_or((&notice, "/operator/notices/ntc_")),
        };
        let common = [
            ("_back", "/operator"),
            ("id", id),
            ("workspace_id", &workspace),
            ("answered_at", &answered_at),
            ("evidence", &compliance.evidence),
        ];
        let fields: Vec<(&str, &str)> = common.iter().chain(fields).copied().collect();
        for (browser, status) in [(&mut nobody, 401), (&mut owner, 404)] {
            let mark = console.mark(WorkspaceId::PLATFORM).await;
            assert_eq!(browser.post_json(&console, form, &fields).await.status, status, "{form}");
            console.nothing_changed(&mark, form).await;
        }
        let mark = console.mark(WorkspaceId::PLATFORM).await;
        let answer = operator.post(&console, form, &fields).await;
        let event = console.since(&mark).await;
        if form == "discard_notice" {
            assert_eq!(answer.location(), "/operator", "what is public is not discarded");
            continue;
        }
        assert!(answer.location().starts_with(result), "{form}: {}", answer.location());
        assert_eq!((event.len(), event[0].actor.kind.as_str()), (1, "operator"), "{form}: the platform's log has it");
        if form == "propose_change" {
            draft = answer.location().rsplit('/').next().expect("an id").to_owned();
        }
    }
}
