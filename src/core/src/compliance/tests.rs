//! Compliance on a real PostgreSQL: no claim without evidence, every request answered where it was asked, no document without
//! its terms.

use super::{
    EvidenceText, Framework, FrameworkText, RequestState, RequestText, Said, Status,
    documents::{self, NewDocument, accept, download, grant, handed_out, offer, retire, revoke},
    operations::{add_evidence, change, public, remove_evidence},
    requests::{self, Visitors, answer, ask, look, make, of_all, of_anybody, send, write, write_more},
};
use crate::{
    AppError,
    accounts::Proof,
    actor::Who,
    audit_log::Action,
    ids::{ComplianceRequestId, DocumentId, EvidenceId, WorkspaceId},
    mail::operations::mailbox,
    permissions::{Permission, Role},
    testing::{OPERATOR, PROVEN, TestDb, request},
};
use futures::future::join_all;
use time::{Duration, macros::datetime};

const VISITOR: &str = "buyer@globex.example";

async fn one(db: &TestDb, id: &str) -> Framework {
    public(&db.ctx).await.expect("all").into_iter().find(|one| one.id == id).expect(id)
}

fn record(status: &str) -> FrameworkText {
    FrameworkText {
        status: status.into(),
        scope: "Console and API".into(),
        owner: "Security team".into(),
        review_on: "2030-01-31".into(),
    }
}

fn report(kind: &str, valid_until: &str) -> EvidenceText {
    EvidenceText {
        title: "Report of the auditor".into(),
        kind: kind.into(),
        link: "https://example.com/report".into(),
        valid_until: valid_until.into(),
        ..EvidenceText::default()
    }
}

/// The newest mail to an address: what it says, and where it leads.
async fn mailed(db: &TestDb, to: &str) -> String {
    let all = mailbox(&db.ctx).await.expect("mailbox").into_iter().map(|mail| mail.letter);
    let newest = all.filter(|letter| letter.to == to).map(|letter| format!("{} {:?}", letter.text, letter.link)).next();
    newest.expect(to)
}

fn field<T: std::fmt::Debug>(refused: Result<T, AppError>) -> String {
    match refused.expect_err("refused") {
        AppError::Invalid(errors) => errors.into_iter().map(|error| error.field).collect::<Vec<_>>().join(" "),
        other => panic!("{other:?}"),
    }
}

// Frameworks -------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn the_four_rows_say_what_was_promised() {
    let db = TestDb::new().await;
    let today = datetime!(2026-11-27 0:00 UTC).date();
    let said: Vec<(String, &str)> =
        public(&db.ctx).await.expect("all").iter().map(|one| (one.name.clone(), one.said(today).words())).collect();
    let expected = [
        ("SOC 2 Type II", "in progress"),
        ("GDPR", "compliant"),
        ("HIPAA BAA", "on request"),
        ("PCI DSS", "not in scope"),
    ];
    assert_eq!(said, expected.map(|(name, words)| (name.to_owned(), words)));
}

#[tokio::test]
async fn nothing_is_claimed_without_evidence_not_even_by_hand() {
    let db = TestDb::new().await;
    let ops = db.operator().await;
    assert_eq!(field(change(&db.ctx, &ops, "soc-2", &record("certified")).await), "status");
    assert_eq!(field(change(&db.ctx, &ops, "soc-2", &record("compliant")).await), "status");
    add_evidence(&db.ctx, &ops, "soc-2", &report("statement", "")).await.expect("our own word");
    change(&db.ctx, &ops, "soc-2", &record("compliant")).await.expect("shown by our own word");
    assert_eq!(field(change(&db.ctx, &ops, "soc-2", &record("certified")).await), "status");
    let attested = add_evidence(&db.ctx, &ops, "soc-2", &report("attestation", "2027-12-31")).await.expect("attested");
    change(&db.ctx, &ops, "soc-2", &record("certified")).await.expect("certified");
    let last = remove_evidence(&db.ctx, &ops, "soc-2", attested).await;
    assert!(matches!(last, Err(AppError::Conflict(_))), "{last:?}");
    let soc = one(&db, "soc-2").await;
    assert_eq!(soc.said(datetime!(2027-12-31 0:00 UTC).date()), Said::As(Status::Certified));
    assert_eq!(soc.said(datetime!(2028-01-01 0:00 UTC).date()), Said::Lapsed);
    let past = sqlx::query("update frameworks set status = 'certified' where framework_id = 'gdpr'");
    let past = past.execute(&db.superuser).await.expect_err("refused by the database");
    assert!(past.to_string().contains("no more than its evidence"), "{past}");
    assert_eq!(db.count(WorkspaceId::PLATFORM, Action::ComplianceChanged).await, 2);
    assert_eq!(db.count(WorkspaceId::PLATFORM, Action::EvidenceAdded).await, 2);
    assert_eq!(db.count(WorkspaceId::PLATFORM, Action::EvidenceRemoved).await, 0);
}

#[tokio::test]
async fn what_cannot_be_recorded_names_its_fields_and_changes_nothing() {
    let db = TestDb::new().await;
    let ops = db.operator().await;
    let before = one(&db, "gdpr").await;
    assert_eq!(field(change(&db.ctx, &ops, "gdpr", &FrameworkText::default()).await), "status scope owner review_on");
    let late = FrameworkText { review_on: "2026-01-01".into(), ..record("compliant") };
    assert_eq!(field(change(&db.ctx, &ops, "gdpr", &late).await), "review_on");
    assert_eq!(change(&db.ctx, &ops, "iso-27001", &record("compliant")).await, Err(AppError::NotFound));
    assert_eq!(remove_evidence(&db.ctx, &ops, "gdpr", EvidenceId::new()).await, Err(AppError::NotFound));
    let nowhere =
        EvidenceText { link: String::new(), document: DocumentId::new().to_string(), ..report("statement", "") };
    assert_eq!(field(add_evidence(&db.ctx, &ops, "gdpr", &nowhere).await), "document");
    assert_eq!(one(&db, "gdpr").await, before);
}

#[tokio::test]
async fn only_operators_change_it_and_with_a_fresh_proof() {
    let db = TestDb::new().await;
    let ops = db.operator().await;
    let tenant = db.workspace("Acme").await;
    for role in Role::ALL {
        let actor = tenant.actor(role);
        assert_eq!(change(&db.ctx, &actor, "gdpr", &record("in_progress")).await, Err(AppError::NotFound), "{role}");
        assert_eq!(of_all(&db.ctx, &actor).await, Err(AppError::NotFound), "{role}");
        assert_eq!(documents::list(&db.ctx, &actor).await, Err(AppError::NotFound), "{role}");
    }
    let mut stale = ops.clone();
    let Who::Operator { proof, .. } = &mut stale.who else { panic!("no operator") };
    *proof = Proof { at: db.ctx.clock.now() - Duration::minutes(11), ..PROVEN };
    assert_eq!(change(&db.ctx, &stale, "gdpr", &record("in_progress")).await, Err(AppError::ProofNeeded));
    let added = add_evidence(&db.ctx, &stale, "gdpr", &report("statement", "")).await;
    assert_eq!(added, Err(AppError::ProofNeeded));
    assert_eq!(one(&db, "gdpr").await.status, Status::Compliant);
}

// Requests ---------------------------------------------------------------------------------------------------------

fn wants(kind: &str) -> RequestText {
    RequestText { kind: kind.into(), message: "We need it by May.".into(), ..RequestText::default() }
}

#[tokio::test]
async fn a_workspace_asks_send0_answers_and_both_logs_have_it() {
    let db = TestDb::new().await;
    let ops = db.operator().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    let id = make(&db.ctx, &owner, "owner@acme.example", &wants("dpa")).await.expect("asked");
    let place = (tenant.id(), id);
    let (asked, said) = of_anybody(&db.ctx, &ops, place).await.expect("seen by operators");
    assert_eq!((asked.state, asked.workspace_name.as_deref()), (RequestState::Open, Some("Acme")));
    assert_eq!(said[0].body, "We need it by May.");
    assert!(mailed(&db, OPERATOR).await.contains(&id.to_string()), "operators are told");

    let state = answer(&db.ctx, &ops, place, "Here it is.", "answered").await.expect("answered");
    assert_eq!(state, RequestState::Answered);
    assert!(mailed(&db, "owner@acme.example").await.contains(&format!("/w/acme/compliance/{id}")));
    write(&db.ctx, &owner, id, "One more thing.").await.expect("more");
    answer(&db.ctx, &ops, place, "That as well. Done.", "closed").await.expect("closed");
    let (over, said) = requests::show(&db.ctx, &owner, id).await.expect("seen");
    let sides: Vec<bool> = said.iter().map(|message| message.is_ours).collect();
    assert_eq!((over.state, sides), (RequestState::Closed, vec![false, true, false, true]));
    for late in [
        write(&db.ctx, &owner, id, "And?").await.map(|()| over.state),
        answer(&db.ctx, &ops, place, "And?", "answered").await,
    ] {
        assert!(matches!(late, Err(AppError::Conflict(_))), "{late:?}");
    }
    for action in
        [Action::ComplianceRequested, Action::ComplianceAnswered, Action::ComplianceWritten, Action::ComplianceClosed]
    {
        let both = (db.count(tenant.id(), action).await, db.count(WorkspaceId::PLATFORM, action).await);
        assert_eq!(both, (1, 1), "{}", action.as_str());
    }
}

#[tokio::test]
async fn a_baa_comes_with_the_scale_plan() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    for (plan, has) in [("free", false), ("growth", false), ("scale", true), ("enterprise", true)] {
        sqlx::query("update workspaces set plan = $1").bind(plan).execute(&db.superuser).await.expect("a plan");
        let asked = make(&db.ctx, &owner, "owner@acme.example", &wants("baa")).await;
        assert_eq!(asked.is_ok(), has, "{plan}: {asked:?}");
    }
    let visitor = RequestText { email: VISITOR.into(), name: "Gil".into(), company: "Globex".into(), ..wants("baa") };
    assert_eq!(field(ask(&db.ctx, &request(), &visitor).await), "kind");
}

#[tokio::test]
async fn who_may_ask_sees_what_was_asked_and_nobody_else_does() {
    let db = TestDb::new().await;
    let (acme, other) = (db.workspace("Acme").await, db.workspace("Other").await);
    let id = make(&db.ctx, &acme.actor(Role::Owner), "owner@acme.example", &wants("dpa")).await.expect("asked");
    for role in Role::ALL {
        let may = role.may(Permission::ComplianceRequest);
        let actor = match role {
            Role::Owner => acme.actor(role),
            role => acme.acting(db.member(&acme, role).await, role),
        };
        assert_eq!(requests::show(&db.ctx, &actor, id).await.is_ok(), may, "{role}");
        assert_eq!(make(&db.ctx, &actor, "x@acme.example", &wants("control")).await.is_ok(), may, "{role}");
        assert_eq!(write(&db.ctx, &actor, id, "More.").await.is_ok(), may, "{role}");
        let foreign = requests::show(&db.ctx, &other.actor(role), id).await;
        assert!(foreign.is_err(), "{role}");
    }
    let foreign = requests::show(&db.ctx, &other.actor(Role::Owner), id).await;
    assert_eq!(foreign, Err(AppError::NotFound));
    assert_eq!(write(&db.ctx, &other.actor(Role::Owner), id, "Mine?").await, Err(AppError::NotFound));
}

#[tokio::test]
async fn too_many_at_once_are_refused() {
    let db = TestDb::new().await;
    let owner = db.workspace("Acme").await.actor(Role::Owner);
    for _ in 0..20 {
        make(&db.ctx, &owner, "owner@acme.example", &wants("control")).await.expect("asked");
    }
    let refused = make(&db.ctx, &owner, "owner@acme.example", &wants("control")).await;
    assert!(matches!(refused, Err(AppError::Conflict(_))), "{refused:?}");
    let empty = RequestText { message: " ".into(), ..wants("nothing") };
    assert_eq!(field(make(&db.ctx, &owner, "owner@acme.example", &empty).await), "kind message");
}

fn from_visitor() -> RequestText {
    RequestText { email: VISITOR.into(), name: "Gil".into(), company: "Globex".into(), ..wants("questionnaire") }
}

#[tokio::test]
async fn a_visitors_request_is_sent_by_whoever_reads_their_mail() {
    let db = TestDb::new().await;
    let ops = db.operator().await;
    ask(&db.ctx, &request(), &from_visitor()).await.expect("kept");
    assert!(of_all(&db.ctx, &ops).await.expect("all").is_empty(), "nobody sees it before");
    let token = db.mailed_token(VISITOR).await;
    assert_eq!(look(&db.ctx, &token).await, Ok(Visitors::Waiting(from_visitor())));
    let early = write_more(&db.ctx, &request(), &token, "More.").await;
    assert!(matches!(early, Err(AppError::Refused(_))), "{early:?}");

    let (first, second) = (request(), request());
    let sent = join_all([send(&db.ctx, &first, &token), send(&db.ctx, &second, &token)]).await;
    assert_eq!(sent.iter().filter(|sent| sent.is_ok()).count(), 1, "{sent:?}");
    let all = of_all(&db.ctx, &ops).await.expect("all");
    assert_eq!((all.len(), all[0].workspace_name.clone(), all[0].company.as_str()), (1, None, "Globex"));
    let place = (WorkspaceId::PLATFORM, all[0].id);
    answer(&db.ctx, &ops, place, "Filled in.", "answered").await.expect("answered");

    assert_eq!(look(&db.ctx, &token).await, Err(AppError::NotFound), "the link before is void");
    let newest = db.mailed_token(VISITOR).await;
    write_more(&db.ctx, &request(), &newest, "Thank you.").await.expect("more");
    let Ok(Visitors::Sent(one, said)) = look(&db.ctx, &newest).await else { panic!("not sent") };
    assert_eq!((one.state, said.len(), said[1].is_ours), (RequestState::Open, 3, true));
    db.ctx.clock.set(db.ctx.clock.now() + Duration::days(31));
    assert_eq!(look(&db.ctx, &newest).await, Err(AppError::NotFound));
    assert_eq!(requests::purge(&db.ctx).await, Ok(1));
}

#[tokio::test]
async fn a_visitor_who_asks_again_and_again_has_to_wait() {
    let db = TestDb::new().await;
    for _ in 0..3 {
        ask(&db.ctx, &request(), &from_visitor()).await.expect("kept");
    }
    assert!(matches!(ask(&db.ctx, &request(), &from_visitor()).await, Err(AppError::Throttled(_))));
    let nobody = RequestText { email: "nobody".into(), name: String::new(), ..from_visitor() };
    assert_eq!(field(ask(&db.ctx, &request(), &nobody).await), "name email");
}

// Documents --------------------------------------------------------------------------------------------------------

const CONTENT: &[u8] = b"the marked content of a report";

#[tokio::test]
async fn a_document_is_handed_out_once_its_terms_are_agreed_to() {
    let db = TestDb::new().await;
    let (ops, id) = (db.operator().await, db.document(CONTENT).await);
    assert_eq!(db.tables_with("the marked content").await, Vec::<String>::new(), "it lies sealed");
    grant(&db.ctx, &ops, id, VISITOR, "14").await.expect("granted");
    let token = db.mailed_token(VISITOR).await;
    assert!(!offer(&db.ctx, &token).await.expect("offered").is_accepted);
    let early = download(&db.ctx, &request(), &token).await;
    assert!(matches!(early, Err(AppError::Refused(_))), "{early:?}");
    assert_eq!(field(accept(&db.ctx, &request(), &token, "", false).await), "name agreed");
    accept(&db.ctx, &request(), &token, "Gil Buyer", true).await.expect("agreed");
    accept(&db.ctx, &request(), &token, "Somebody Else", true).await.expect("again");
    let (of, content) = download(&db.ctx, &request(), &token).await.expect("handed out");
    assert_eq!((of.file_name.as_str(), content.as_slice()), ("soc2-2026.pdf", CONTENT));
    let (_, grants) = documents::show(&db.ctx, &ops, id).await.expect("the list");
    let accepted = grants[0].accepted.clone().expect("agreed");
    assert_eq!((grants[0].downloads, accepted.1.as_str()), (1, "Gil Buyer"));
    for (action, count) in [
        (Action::DocumentGranted, 1),
        (Action::DocumentTermsAccepted, 1),
        // One refused, one done.
        (Action::DocumentDownloaded, 2),
    ] {
        assert_eq!(db.count(WorkspaceId::PLATFORM, action).await, count, "{}", action.as_str());
    }
    assert_eq!(db.tables_with(&token).await, Vec::<String>::new(), "only its hash is kept");
}

#[tokio::test]
async fn a_link_to_a_document_ends_when_it_is_too_old_revoked_or_retired() {
    let db = TestDb::new().await;
    let (ops, id) = (db.operator().await, db.document(CONTENT).await);
    let void = async |token: &str| {
        assert_eq!(offer(&db.ctx, token).await, Err(AppError::NotFound));
        let refused = download(&db.ctx, &request(), token).await;
        assert!(matches!(refused, Err(AppError::Refused(_))), "{refused:?}");
    };
    let linked = async |email: &str| {
        grant(&db.ctx, &ops, id, email, "2").await.expect("granted");
        let token = db.mailed_token(email).await;
        accept(&db.ctx, &request(), &token, "Gil", true).await.expect("agreed");
        token
    };
    let old = linked("a@globex.example").await;
    let now = db.ctx.clock.now();
    db.ctx.clock.set(now + Duration::days(2));
    void(&old).await;
    db.ctx.clock.set(now);

    let revoked = linked("b@globex.example").await;
    let (_, grants) = documents::show(&db.ctx, &ops, id).await.expect("the list");
    let entry = grants.iter().find(|grant| grant.email == "b@globex.example").expect("there");
    assert_eq!(revoke(&db.ctx, &ops, entry.id).await, Ok(id));
    assert_eq!(revoke(&db.ctx, &ops, entry.id).await, Err(AppError::NotFound));
    void(&revoked).await;

    let retired = linked("c@globex.example").await;
    retire(&db.ctx, &ops, id).await.expect("retired");
    void(&retired).await;
    assert!(handed_out(&db.ctx).await.expect("none").is_empty());
    assert_eq!(grant(&db.ctx, &ops, id, VISITOR, "2").await, Err(AppError::NotFound));
    void("nonsense").await;
}

#[tokio::test]
async fn what_cannot_be_a_document_or_an_access_is_refused() {
    let db = TestDb::new().await;
    let (ops, id) = (db.operator().await, db.document(CONTENT).await);
    for (email, days, fields) in
        [("", "14", "email"), (VISITOR, "0", "days"), (VISITOR, "91", "days"), ("x", "x", "email days")]
    {
        assert_eq!(field(grant(&db.ctx, &ops, id, email, days).await), fields);
    }
    for file_name in ["report", "report.exe", "../report.pdf", "r\u{e9}port.pdf", ""] {
        let new =
            NewDocument { title: "Report".into(), file_name: file_name.into(), terms: "Yes".into(), content: vec![1] };
        assert_eq!(field(documents::add(&db.ctx, &request(), new).await), "file", "{file_name}");
    }
    let empty = NewDocument { title: " ".into(), file_name: "a.pdf".into(), terms: " ".into(), content: vec![] };
    assert_eq!(field(documents::add(&db.ctx, &request(), empty).await), "title terms file");
    assert_eq!(
        requests::show(&db.ctx, &db.workspace("Acme").await.actor(Role::Owner), ComplianceRequestId::new()).await,
        Err(AppError::NotFound)
    );
    let wanted = |document: DocumentId| RequestText {
        document: document.to_string(),
        ..RequestText { kind: "document".into(), ..from_visitor() }
    };
    assert_eq!(field(ask(&db.ctx, &request(), &wanted(DocumentId::new())).await), "document");
    ask(&db.ctx, &request(), &wanted(id)).await.expect("kept");
}
