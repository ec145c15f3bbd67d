//! Passkeys, answered by an authenticator that tests can tell to misbehave: `security.md` §1.5, one refusal after another.

use super::{
    authenticator::{BACKED_UP, BACKUP_ELIGIBLE, Device, Manners, PRESENT, VERIFIED},
    passkeys::{self, Begun as Challenge},
};
use crate::{
    Actor, AppError,
    accounts::{Begun, Factor, Proof, Shown, SignedIn, disabling, operations, sessions},
    actor::{Request, Who},
    api_keys::{self, NewKey, NewKeyText},
    audit_log::Action,
    ids::UserId,
    mail::operations::mailbox,
    members,
    permissions::Role,
    secrets,
    testing::{Tenant, TestDb, request},
};
use futures::future::join_all;
use secrecy::ExposeSecret;
use time::Duration;

const WELL: fn() -> Manners = Manners::default;

async fn session(db: &TestDb, user: UserId, begun: Begun) -> (SignedIn, [u8; 32]) {
    let hash = secrets::hash(secrets::token().expose_secret());
    operations::start_session(&db.ctx, &request(), user, begun, &hash).await.expect("session");
    (found(db, &hash).await, hash)
}

async fn found(db: &TestDb, hash: &[u8; 32]) -> SignedIn {
    operations::find_session(&db.ctx, hash).await.expect("looked").expect("signed in")
}

async fn whole(db: &TestDb, user: UserId) -> SignedIn {
    session(db, user, Begun::With(Factor::Password)).await.0
}

async fn begin(db: &TestDb, signed_in: &SignedIn) -> Challenge {
    passkeys::begin_registration(&db.ctx, &request(), signed_in, "Laptop").await.expect("begun")
}

async fn finish(db: &TestDb, signed_in: &SignedIn, begun: &Challenge, answer: &str) -> Result<bool, AppError> {
    passkeys::finish_registration(&db.ctx, &request(), signed_in, begun.token.expose_secret(), answer).await
}

/// A device of the person's, registered as `manners` says.
async fn registered(db: &TestDb, user: UserId, manners: &Manners) -> Result<Device, AppError> {
    let (signed_in, mut device) = (whole(db, user).await, Device::new());
    let begun = begin(db, &signed_in).await;
    let answer = device.create(&begun.options, manners);
    finish(db, &signed_in, &begun, &answer).await.map(|_| device)
}

async fn owner_with_device(db: &TestDb) -> (Tenant, Device) {
    let tenant = db.workspace("Acme").await;
    let device = registered(db, tenant.made.user, &WELL()).await.expect("registered");
    (tenant, device)
}

async fn sign_in(db: &TestDb, device: &mut Device, manners: &Manners) -> Result<UserId, AppError> {
    let begun = passkeys::begin_sign_in(&db.ctx).await.expect("begun");
    let answer = device.get(&begun.options, manners);
    passkeys::finish_sign_in(&db.ctx, &request(), begun.token.expose_secret(), &answer).await
}

/// As the second factor after the password.
async fn second(db: &TestDb, user: UserId, device: &mut Device, manners: &Manners) -> Result<Shown, AppError> {
    let half = session(db, user, Begun::Half).await.0;
    let begun = passkeys::begin_proof(&db.ctx, &half, "").await.expect("begun");
    let answer = device.get(&begun.options, manners);
    passkeys::finish_proof(&db.ctx, &request(), &half, begun.token.expose_secret(), &answer).await
}

fn wrong_passkey<T>() -> Result<T, AppError> {
    Err(AppError::Unauthenticated("wrong_passkey".into()))
}

/// What no authenticator of the person's would answer.
fn ill() -> Vec<(&'static str, Manners)> {
    vec![
        ("nobody verified", Manners { flags: PRESENT, ..WELL() }),
        ("nobody present", Manners { flags: VERIFIED, ..WELL() }),
        ("another origin", Manners { origin: "http://localhost:3001", ..WELL() }),
        ("another site's origin", Manners { origin: "https://localhost.evil.example", ..WELL() }),
        ("another relying party", Manners { rp: "evil.example", ..WELL() }),
        ("from within another site", Manners { cross_origin: true, ..WELL() }),
        ("backed up but not eligible for it", Manners { flags: PRESENT | VERIFIED | BACKED_UP, ..WELL() }),
        ("an answer to something else", Manners { kind: Some("payment.get"), ..WELL() }),
    ]
}

#[tokio::test]
async fn a_passkey_that_answers_well_opens_its_account() {
    let db = TestDb::new().await;
    let (tenant, mut device) = owner_with_device(&db).await;
    assert_eq!(sign_in(&db, &mut device, &WELL()).await, Ok(tenant.made.user));
    let shown = second(&db, tenant.made.user, &mut device, &WELL()).await;
    assert_eq!(shown, Ok(Shown::for_everything(Factor::Passkey)));
}

#[tokio::test]
async fn no_passkey_is_added_by_an_ill_answer() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let mut of_another_kind = ill();
    of_another_kind.push(("an answer to a sign-in", Manners { kind: Some("webauthn.get"), ..WELL() }));
    for (what, manners) in of_another_kind {
        let added = registered(&db, tenant.made.user, &manners).await;
        assert!(matches!(added, Err(AppError::Refused(_))), "{what}");
    }
    assert_eq!(db.number("select count(*) from passkeys").await, 0);
}

#[tokio::test]
async fn no_account_is_opened_by_an_ill_answer() {
    let db = TestDb::new().await;
    let (tenant, mut device) = owner_with_device(&db).await;
    let mut answers = ill();
    // With it comes the public key that would fit: what the client says of keys is nobody's business.
    answers.push(("another key", Manners { forges: true, ..WELL() }));
    answers.push(("an answer to a registration", Manners { kind: Some("webauthn.create"), ..WELL() }));
    answers.push((
        "eligible for backup, which it was not",
        Manners { flags: PRESENT | VERIFIED | BACKUP_ELIGIBLE, ..WELL() },
    ));
    for (what, manners) in &answers {
        assert_eq!(sign_in(&db, &mut device, manners).await, wrong_passkey(), "{what}, alone");
        let shown = second(&db, tenant.made.user, &mut device, manners).await;
        assert_eq!(shown, wrong_passkey(), "{what}, after the password");
    }
    assert_eq!(db.count(tenant.id(), Action::SecondFactorRefused).await, answers.len());
    assert_eq!(sign_in(&db, &mut device, &WELL()).await, Ok(tenant.made.user), "nothing was locked by that");
}

#[tokio::test]
async fn a_challenge_is_answered_once_however_many_do_so_at_once() {
    let db = TestDb::new().await;
    let (tenant, mut device) = owner_with_device(&db).await;
    let begun = passkeys::begin_sign_in(&db.ctx).await.expect("begun");
    let answer = device.get(&begun.options, &WELL());
    let tries = (0..50)
        .map(|_| async { passkeys::finish_sign_in(&db.ctx, &request(), begun.token.expose_secret(), &answer).await });
    let opened = join_all(tries).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(opened, 1, "one sign-in");
    let half = session(&db, tenant.made.user, Begun::Half).await.0;
    let begun = passkeys::begin_proof(&db.ctx, &half, "").await.expect("begun");
    let answer = device.get(&begun.options, &WELL());
    let tries = (0..50).map(|_| async {
        passkeys::finish_proof(&db.ctx, &request(), &half, begun.token.expose_secret(), &answer).await
    });
    let proved = join_all(tries).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(proved, 1, "one proof");
    // The same answer to a newer challenge.
    let newer = passkeys::begin_sign_in(&db.ctx).await.expect("begun");
    let replayed = passkeys::finish_sign_in(&db.ctx, &request(), newer.token.expose_secret(), &answer).await;
    assert_eq!(replayed, wrong_passkey());
}

#[tokio::test]
async fn a_challenge_is_young_and_for_its_session() {
    let db = TestDb::new().await;
    let (tenant, mut device) = owner_with_device(&db).await;
    let begun = passkeys::begin_sign_in(&db.ctx).await.expect("begun");
    let answer = device.get(&begun.options, &WELL());
    db.ctx.clock.advance(Duration::minutes(5) + Duration::SECOND);
    let old = passkeys::finish_sign_in(&db.ctx, &request(), begun.token.expose_secret(), &answer).await;
    assert_eq!(old, wrong_passkey(), "older than five minutes");

    let (mine, other) =
        (session(&db, tenant.made.user, Begun::Half).await.0, session(&db, tenant.made.user, Begun::Half).await.0);
    let begun = passkeys::begin_proof(&db.ctx, &mine, "").await.expect("begun");
    let answer = device.get(&begun.options, &WELL());
    let elsewhere = passkeys::finish_proof(&db.ctx, &request(), &other, begun.token.expose_secret(), &answer).await;
    assert_eq!(elsewhere, wrong_passkey(), "another session of the same person");

    let begun = passkeys::begin_sign_in(&db.ctx).await.expect("begun");
    let answer = device.get(&begun.options, &WELL());
    let crossed = passkeys::finish_proof(&db.ctx, &request(), &mine, begun.token.expose_secret(), &answer).await;
    assert_eq!(crossed, wrong_passkey(), "a challenge for signing in proves nothing");
}

#[tokio::test]
async fn a_passkey_belongs_to_one_person() {
    let db = TestDb::new().await;
    let (tenant, mut device) = owner_with_device(&db).await;
    let other = db.member(&tenant, Role::Developer).await;
    let mut others = registered(&db, other, &WELL()).await.expect("registered");
    assert_eq!(second(&db, tenant.made.user, &mut others, &WELL()).await, wrong_passkey(), "somebody else's passkey");
    let handle = std::mem::replace(&mut device.handle, others.handle.clone());
    assert_eq!(sign_in(&db, &mut device, &WELL()).await, wrong_passkey(), "claims to be somebody else's");
    device.handle = handle;

    let (signed_in, mut copy) = (whole(&db, other).await, device.clone());
    let begun = begin(&db, &signed_in).await;
    let answer = copy.create(&begun.options, &WELL());
    let added = finish(&db, &signed_in, &begun, &answer).await;
    assert!(matches!(added, Err(AppError::Conflict(_) | AppError::Refused(_))), "bound to somebody already: {added:?}");
    assert_eq!(sign_in(&db, &mut device, &WELL()).await, Ok(tenant.made.user), "it still opens the account it did");
}

#[tokio::test]
async fn a_copied_passkey_shows_by_its_counter() {
    let db = TestDb::new().await;
    let (tenant, mut device) = owner_with_device(&db).await;
    let mut copy = device.clone();
    assert_eq!(sign_in(&db, &mut device, &WELL()).await, Ok(tenant.made.user));
    assert_eq!(sign_in(&db, &mut copy, &WELL()).await, wrong_passkey(), "the same count again, alone");
    assert_eq!(sign_in(&db, &mut device, &WELL()).await, Ok(tenant.made.user));
    copy.counter = 1;
    assert_eq!(second(&db, tenant.made.user, &mut copy, &WELL()).await, wrong_passkey(), "after the password");
}

#[tokio::test]
async fn a_removed_passkey_opens_nothing_and_neither_does_that_of_a_removed_member() {
    let db = TestDb::new().await;
    let (tenant, mut device) = owner_with_device(&db).await;
    let mut spare = registered(&db, tenant.made.user, &WELL()).await.expect("registered");
    let signed_in = whole(&db, tenant.made.user).await;
    let begun = passkeys::begin_sign_in(&db.ctx).await.expect("begun");
    let pending = device.get(&begun.options, &WELL());
    let laptop = passkeys::list(&db.ctx, &signed_in).await.expect("list").remove(0).id;
    passkeys::remove(&db.ctx, &request(), &signed_in, laptop).await.expect("removed");
    let late = passkeys::finish_sign_in(&db.ctx, &request(), begun.token.expose_secret(), &pending).await;
    assert_eq!(late, wrong_passkey(), "removed while the challenge was out");
    assert_eq!(sign_in(&db, &mut device, &WELL()).await, wrong_passkey());
    assert_eq!(sign_in(&db, &mut spare, &WELL()).await, Ok(tenant.made.user));
    let mails = mailbox(&db.ctx).await.expect("mailbox");
    let told: Vec<&str> = mails.iter().map(|mail| mail.letter.subject.as_str()).collect();
    assert!(told.contains(&"A passkey was added") && told.contains(&"A passkey was removed"), "{told:?}");

    let gone = db.member(&tenant, Role::Developer).await;
    let mut theirs = registered(&db, gone, &WELL()).await.expect("registered");
    let owner = tenant.actor(Role::Owner);
    let page = members::operations::list(&db.ctx, &owner, None, 100, Action::PageViewed).await.expect("members");
    let member = page.members.iter().find(|member| member.user_id == gone).expect("a member").id;
    members::operations::remove(&db.ctx, &owner, member, &[]).await.expect("removed");
    let user = sign_in(&db, &mut theirs, &WELL()).await.expect("an account without a workspace");
    let (signed_in, _) = session(&db, user, Begun::With(Factor::Passkey)).await;
    let entered = operations::enter(&db.ctx, &signed_in, &request(), "acme").await.map(|_| ());
    assert_eq!(entered, Err(AppError::NotFound));
}

#[tokio::test]
async fn a_passkey_opens_no_disabled_account() {
    let db = TestDb::new().await;
    let (tenant, mut device) = owner_with_device(&db).await;
    let command = Request::command("account disable");
    disabling::disable(&db.ctx, &command, "owner@acme.example").await.expect("disabled");
    let refused = sign_in(&db, &mut device, &WELL()).await;
    assert!(matches!(&refused, Err(AppError::Refused(text)) if text.contains("disabled")), "{refused:?}");
    disabling::enable(&db.ctx, &command, "owner@acme.example").await.expect("enabled");
    assert_eq!(sign_in(&db, &mut device, &WELL()).await, Ok(tenant.made.user));
}

// Approving ------------------------------------------------------------------------------------------------------

fn key(name: &str) -> NewKey {
    let text = NewKeyText { name: name.into(), kind: "test".into(), ..NewKeyText::default() };
    text.parse().expect("a key")
}

fn acting(tenant: &Tenant, signed_in: &SignedIn) -> Actor {
    let who = Who::User {
        id: signed_in.user,
        name: signed_in.name.clone(),
        role: Role::Owner,
        session: Some(signed_in.session),
        proof: signed_in.proof,
    };
    Actor { workspace: tenant.id(), who, request: request() }
}

async fn issue(db: &TestDb, tenant: &Tenant, signed_in: &SignedIn, name: &str) -> Result<(), AppError> {
    api_keys::operations::issue(&db.ctx, &acting(tenant, signed_in), key(name)).await.map(|_| ())
}

/// A session whose proof for everything is too old, with its hash.
async fn stale(db: &TestDb, tenant: &Tenant) -> (SignedIn, [u8; 32]) {
    let session = session(db, tenant.made.user, Begun::With(Factor::Passkey)).await;
    db.ctx.clock.advance(Duration::minutes(11));
    session
}

#[tokio::test]
async fn approving_one_change_applies_no_other() {
    let db = TestDb::new().await;
    let (tenant, mut device) = owner_with_device(&db).await;
    let (signed_in, hash) = stale(&db, &tenant).await;
    assert_eq!(issue(&db, &tenant, &signed_in, "A").await, Err(AppError::ProofNeeded));
    let asked = sessions::asked(&db.ctx, &signed_in).await.expect("asked").expect("something");
    assert_eq!(asked.words, "Issue the test API key A for test messages: workspace.read; never expires");
    let begun = passkeys::begin_proof(&db.ctx, &signed_in, &asked.id()).await.expect("begun");
    let answer = device.get(&begun.options, &WELL());
    let shown = passkeys::finish_proof(&db.ctx, &request(), &signed_in, begun.token.expose_secret(), &answer).await;
    let new = secrets::hash("the token after the proof");
    sessions::prove(&db.ctx, &request(), &signed_in, shown.expect("shown"), &hash, &new).await.expect("proved");
    let approved = found(&db, &new).await;

    assert_eq!(issue(&db, &tenant, &approved, "B").await, Err(AppError::ProofNeeded), "B was not approved");
    let elsewhere = passkeys::begin_registration(&db.ctx, &request(), &approved, "Laptop").await.map(|_| ());
    assert_eq!(elsewhere, Err(AppError::ProofNeeded), "nor was anything about the account");
    let twice = join_all((0..8).map(|_| issue(&db, &tenant, &approved, "A"))).await;
    assert_eq!(twice.iter().filter(|one| one.is_ok()).count(), 1, "once, however many try: {twice:?}");
    let event = db.events(tenant.id()).await.into_iter().find(|event| event.action == "session.proved").expect("event");
    let said = event.changes.iter().find(|change| change.field == "approved").expect("what was approved");
    assert_eq!(said.after, "Issue the test API key A for test messages: workspace.read; never expires");
    let stale = SignedIn { proof: Proof { at: approved.proof.at, ..approved.proof }, ..approved };
    db.ctx.clock.advance(Duration::minutes(11));
    assert_eq!(issue(&db, &tenant, &stale, "A").await, Err(AppError::ProofNeeded), "an approval grows old");
}

#[tokio::test]
async fn a_challenge_is_for_what_the_page_said() {
    let db = TestDb::new().await;
    let (tenant, _) = owner_with_device(&db).await;
    let (signed_in, _) = stale(&db, &tenant).await;
    let begin = async |intent: &str| passkeys::begin_proof(&db.ctx, &signed_in, intent).await.map(|_| ());
    assert!(matches!(begin("").await, Err(AppError::Conflict(_))), "nothing was asked for");
    assert_eq!(issue(&db, &tenant, &signed_in, "A").await, Err(AppError::ProofNeeded));
    let of_a = sessions::asked(&db.ctx, &signed_in).await.expect("asked").expect("A").id();
    // Somebody else who holds the session asks for B while the page of A is open.
    assert_eq!(issue(&db, &tenant, &signed_in, "B").await, Err(AppError::ProofNeeded));
    assert!(matches!(begin(&of_a).await, Err(AppError::Conflict(_))), "the page of A approves no B");
    assert!(matches!(begin("").await, Err(AppError::Conflict(_))));
    let of_b = sessions::asked(&db.ctx, &signed_in).await.expect("asked").expect("B").id();
    assert_eq!(begin(&of_b).await, Ok(()));
}
