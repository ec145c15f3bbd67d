//! Second factors on a real PostgreSQL: what opens, and above all what does not.

use super::{
    Factors,
    operations::{
        begin_app, check_code, check_password, confirm_app, enrolment, factors, make_recovery_codes, remove_app,
        unlock, use_recovery_code, wanted,
    },
    passkeys,
};
use crate::{
    AppError,
    accounts::{Begun, Factor, Shown, SignedIn, operations, reset, sessions},
    actor::Request,
    audit_log::{Action, Outcome},
    flash::{self, Flash},
    ids::{PasskeyId, RequestId, UserId},
    mail::operations::mailbox,
    permissions::Role,
    policies::{self, PolicyText},
    secrets,
    testing::{PASSWORD, Tenant, TestDb, request},
};
use futures::future::join_all;
use secrecy::ExposeSecret;
use time::Duration;
use totp_rs::{Algorithm, Builder, Secret, Totp};

const PLACE: &str = "/account/security/recovery-codes";

/// Somebody signed in, half or whole, and the hash of their session's token.
async fn session(db: &TestDb, user: UserId, begun: Begun) -> (SignedIn, [u8; 32]) {
    let hash = secrets::hash(secrets::token().expose_secret());
    operations::start_session(&db.ctx, &request(), user, begun, &hash).await.expect("session");
    (found(db, &hash).await.expect("signed in"), hash)
}

async fn found(db: &TestDb, hash: &[u8; 32]) -> Option<SignedIn> {
    operations::find_session(&db.ctx, hash).await.expect("looked")
}

async fn whole(db: &TestDb, tenant: &Tenant) -> SignedIn {
    session(db, tenant.made.user, Begun::With(Factor::Password)).await.0
}

async fn half(db: &TestDb, tenant: &Tenant) -> SignedIn {
    session(db, tenant.made.user, Begun::Half).await.0
}

/// The app, as another library has it.
fn app(typed: &str) -> Totp {
    let secret = Secret::try_from_base32(typed.replace(' ', "")).expect("base32");
    Builder::new().with_algorithm(Algorithm::SHA1).with_secret(secret).build_noncompliant()
}

fn code(db: &TestDb, app: &Totp) -> String {
    app.generate(db.ctx.clock.now().unix_timestamp().unsigned_abs()).to_string()
}

async fn codes(db: &TestDb, signed_in: &SignedIn) -> Vec<String> {
    let token = make_recovery_codes(&db.ctx, &request(), signed_in, PLACE).await.expect("codes");
    match flash::take(&db.ctx, token.expose_secret(), PLACE).await.expect("flash") {
        Some(Flash::RecoveryCodes(codes)) => codes,
        _ => panic!("no codes"),
    }
}

/// Enrols an app, as the pages do, and lets its first step pass.
async fn enrolled(db: &TestDb, tenant: &Tenant) -> (Totp, Vec<String>) {
    let signed_in = whole(db, tenant).await;
    begin_app(&db.ctx, &request(), &signed_in).await.expect("begun");
    let told = enrolment(&db.ctx, &request(), &signed_in).await.expect("enrolment").expect("on its way");
    let (app, codes) = (app(&told.typed), codes(db, &signed_in).await);
    confirm_app(&db.ctx, &request(), &signed_in, &code(db, &app)).await.expect("confirmed");
    db.ctx.clock.advance(Duration::seconds(30));
    (app, codes)
}

fn wrong_code<T>() -> Result<T, AppError> {
    Err(AppError::Unauthenticated("wrong_code".into()))
}

#[tokio::test]
async fn an_app_is_a_factor_once_its_code_was_shown() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let signed_in = whole(&db, &tenant).await;
    assert!(
        matches!(confirm_app(&db.ctx, &request(), &signed_in, "000000").await, Err(AppError::Conflict(_))),
        "none begun"
    );
    begin_app(&db.ctx, &request(), &signed_in).await.expect("begun");
    let told = enrolment(&db.ctx, &request(), &signed_in).await.expect("enrolment").expect("on its way");
    let app = app(&told.typed);
    assert_eq!(factors(&db.ctx, &signed_in).await, Ok(Factors::default()), "not a factor yet");
    let early = confirm_app(&db.ctx, &request(), &signed_in, &code(&db, &app)).await;
    assert!(matches!(early, Err(AppError::Conflict(_))), "recovery codes come first: {early:?}");
    codes(&db, &signed_in).await;
    let wrong = confirm_app(&db.ctx, &request(), &signed_in, "000000").await;
    assert!(matches!(wrong, Err(AppError::Invalid(_))), "{wrong:?}");
    let (other, other_hash) = session(&db, tenant.made.user, Begun::With(Factor::Password)).await;
    confirm_app(&db.ctx, &request(), &signed_in, &code(&db, &app)).await.expect("confirmed");
    assert_eq!(factors(&db.ctx, &signed_in).await, Ok(Factors { totp: true, passkeys: 0, recovery_codes: 10 }));
    assert_eq!(found(&db, &other_hash).await, None, "every other session has ended: {other:?}");
    assert_eq!(
        enrolment(&db.ctx, &request(), &signed_in).await.expect("enrolment").map(|told| told.link),
        None,
        "the seed is shown no more"
    );
    assert!(
        matches!(begin_app(&db.ctx, &request(), &signed_in).await, Err(AppError::Conflict(_))),
        "and not overwritten"
    );
    assert_eq!(db.count(tenant.id(), Action::FactorAdded).await, 1);
    let seed = told.typed.replace(' ', "");
    assert_eq!(db.tables_with(&seed).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_password_alone_gets_whoever_has_a_factor_half_in() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let sign_in = async || operations::sign_in(&db.ctx, &request(), "owner@acme.example", PASSWORD.into()).await;
    assert_eq!(sign_in().await, Ok((tenant.made.user, Begun::With(Factor::Password))));
    let (app, _) = enrolled(&db, &tenant).await;
    assert_eq!(sign_in().await, Ok((tenant.made.user, Begun::Half)));
    let (signed_in, hash) = session(&db, tenant.made.user, Begun::Half).await;
    let refused = operations::enter(&db.ctx, &signed_in, &request(), "acme").await.map(|_| ());
    assert_eq!(refused, Err(AppError::Unauthenticated("second_factor".into())));
    let factor = check_code(&db.ctx, &request(), &signed_in, &code(&db, &app)).await.expect("the code");
    let new = secrets::hash("the token after the proof");
    sessions::prove(&db.ctx, &request(), &signed_in, factor.clone(), &hash, &new).await.expect("proved");
    assert_eq!(found(&db, &hash).await, None, "the token before opens nothing");
    let now = found(&db, &new).await.expect("signed in");
    assert!(now.is_whole && now.factor == Factor::Totp && now.session == signed_in.session);
    operations::enter(&db.ctx, &now, &request(), "acme").await.expect("in");
    let again = sessions::prove(&db.ctx, &request(), &signed_in, factor, &hash, &secrets::hash("another")).await;
    assert_eq!(again, Err(AppError::Unauthenticated("session".into())));
}

/// A hundred requests around a proof: there is never more than one token that opens the session.
#[tokio::test]
async fn one_session_has_one_token_however_many_prove_at_once() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let (signed_in, hash) = session(&db, tenant.made.user, Begun::With(Factor::Password)).await;
    let tokens: Vec<[u8; 32]> = (0..100).map(|n| secrets::hash(&format!("token {n}"))).collect();
    let (signed_in, old) = (&signed_in, &hash);
    let proved = tokens.iter().map(async |new| {
        sessions::prove(&db.ctx, &request(), signed_in, Shown::for_everything(Factor::Password), old, new).await.is_ok()
    });
    let proved = join_all(proved).await;
    assert_eq!(proved.iter().filter(|proved| **proved).count(), 1);
    assert_eq!(db.number("select count(*) from sessions").await, 1);
}

#[tokio::test]
async fn one_code_opens_once_however_many_send_it() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let (app, codes) = enrolled(&db, &tenant).await;
    let signed_in = half(&db, &tenant).await;
    let (signed_in, this) = (&signed_in, code(&db, &app));
    let opened = join_all((0..50).map(async |_| check_code(&db.ctx, &request(), signed_in, &this).await.is_ok())).await;
    assert_eq!(opened.iter().filter(|opened| **opened).count(), 1, "a code of the app");
    sqlx::query("delete from throttles").execute(&db.superuser).await.expect("forgotten");
    let used =
        join_all((0..50).map(async |_| use_recovery_code(&db.ctx, &request(), signed_in, &codes[0]).await.is_ok()))
            .await;
    assert_eq!(used.iter().filter(|used| **used).count(), 1, "a recovery code");
    assert_eq!(db.count(tenant.id(), Action::RecoveryCodeUsed).await, 1);
    assert_eq!(factors(&db.ctx, signed_in).await.expect("factors").recovery_codes, 9);
    let told = mailbox(&db.ctx).await.expect("mailbox");
    assert!(told.iter().any(|mail| mail.letter.subject == "A recovery code of yours was used"));
}

#[tokio::test]
async fn of_five_hundred_guesses_at_once_ten_are_looked_at() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let (app, codes) = enrolled(&db, &tenant).await;
    let signed_in = half(&db, &tenant).await;
    let guesses = join_all((0..500).map(|n| {
        let (db, signed_in) = (&db, &signed_in);
        async move { check_code(&db.ctx, &request(), signed_in, &format!("{n:06}")).await }
    }));
    let guesses = guesses.await;
    let looked_at = guesses.iter().filter(|guess| **guess == wrong_code()).count();
    let throttled = guesses.iter().filter(|guess| matches!(guess, Err(AppError::Throttled(_)))).count();
    assert_eq!((looked_at, throttled), (10, 490));
    // From any session, with the right code, and with a recovery code: one count for all.
    let elsewhere = half(&db, &tenant).await;
    for refused in [
        check_code(&db.ctx, &request(), &elsewhere, &code(&db, &app)).await,
        use_recovery_code(&db.ctx, &request(), &elsewhere, &codes[0]).await,
    ] {
        assert!(matches!(refused, Err(AppError::Throttled(_))), "{refused:?}");
    }
    db.ctx.clock.advance(Duration::seconds(31));
    assert_eq!(
        check_code(&db.ctx, &request(), &elsewhere, &code(&db, &app)).await,
        Ok(Shown::for_everything(Factor::Totp))
    );
}

#[tokio::test]
async fn after_a_hundred_guesses_in_a_row_nothing_is_looked_at() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let (app, _) = enrolled(&db, &tenant).await;
    let signed_in = half(&db, &tenant).await;
    let mut looked_at = 0;
    for _ in 0..300 {
        if check_code(&db.ctx, &request(), &signed_in, "000000").await == wrong_code() {
            looked_at += 1;
        }
        db.ctx.clock.advance(Duration::minutes(16));
    }
    assert_eq!(looked_at, 100);
    let right = check_code(&db.ctx, &request(), &signed_in, &code(&db, &app)).await;
    assert!(matches!(right, Err(AppError::Throttled(_))), "{right:?}");
    unlock(&db.ctx, &Request::command("account unlock"), " Owner@acme.example").await.expect("unlocked");
    let right = check_code(&db.ctx, &request(), &signed_in, &code(&db, &app)).await;
    assert_eq!(right, Ok(Shown::for_everything(Factor::Totp)));
    assert_eq!(db.count(tenant.id(), Action::AccountUnlocked).await, 1);
    let mail = mailbox(&db.ctx).await.expect("mailbox");
    assert!(mail.iter().any(|mail| mail.letter.subject == "Codes can be tried again"), "the person is told");
    let nobody = unlock(&db.ctx, &Request::command("account unlock"), "nobody@acme.example").await;
    assert_eq!(nobody, Err(AppError::NotFound));
}

#[tokio::test]
async fn a_clock_that_is_a_day_off_lets_no_old_code_in() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let (app, _) = enrolled(&db, &tenant).await;
    let signed_in = half(&db, &tenant).await;
    let of_now = code(&db, &app);
    assert_eq!(check_code(&db.ctx, &request(), &signed_in, &of_now).await, Ok(Shown::for_everything(Factor::Totp)));
    let now = db.ctx.clock.now();
    for days in [1, -1] {
        db.ctx.clock.set(now + Duration::days(days));
        assert_eq!(check_code(&db.ctx, &request(), &signed_in, &of_now).await, wrong_code());
    }
    db.ctx.clock.set(now - Duration::days(1));
    let of_yesterday = code(&db, &app);
    assert_eq!(check_code(&db.ctx, &request(), &signed_in, &of_yesterday).await, wrong_code(), "steps never go back");
}

#[tokio::test]
async fn a_recovery_code_is_for_coming_in_and_nothing_else() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let (app, codes) = enrolled(&db, &tenant).await;
    let signed_in = whole(&db, &tenant).await;
    assert_eq!(
        use_recovery_code(&db.ctx, &request(), &signed_in, &codes[0]).await,
        wrong_code(),
        "no proof for a whole session"
    );
    assert_eq!(
        check_password(&db.ctx, &request(), &signed_in, PASSWORD.into()).await,
        wrong_code(),
        "nor is the password"
    );
    let half = half(&db, &tenant).await;
    let typed = codes[0].to_uppercase().replace('-', " ");
    assert_eq!(
        use_recovery_code(&db.ctx, &request(), &half, &typed).await,
        Ok(Shown::for_everything(Factor::RecoveryCode))
    );
    // New codes void those before; without a factor there are none.
    assert!(use_recovery_code(&db.ctx, &request(), &half, &codes[0]).await.is_err());
    let newer = self::codes(&db, &whole(&db, &tenant).await).await;
    assert!(use_recovery_code(&db.ctx, &request(), &half, &codes[1]).await.is_err());
    assert_eq!(
        use_recovery_code(&db.ctx, &request(), &half, &newer[1]).await,
        Ok(Shown::for_everything(Factor::RecoveryCode))
    );
    for code in &newer {
        assert_eq!(db.tables_with(code).await, Vec::<String>::new());
    }
    db.ctx.clock.advance(Duration::seconds(30));
    assert_eq!(check_code(&db.ctx, &request(), &half, &code(&db, &app)).await, Ok(Shown::for_everything(Factor::Totp)));
}

#[tokio::test]
async fn somebody_elses_codes_open_nothing() {
    let db = TestDb::new().await;
    let (acme, globex) = (db.workspace("Acme").await, db.workspace("Globex").await);
    let (app, codes) = enrolled(&db, &acme).await;
    enrolled(&db, &globex).await;
    let signed_in = half(&db, &globex).await;
    assert_eq!(check_code(&db.ctx, &request(), &signed_in, &code(&db, &app)).await, wrong_code());
    assert_eq!(use_recovery_code(&db.ctx, &request(), &signed_in, &codes[0]).await, wrong_code());
    assert_eq!(db.count(globex.id(), Action::SecondFactorRefused).await, 2);
    assert_eq!(db.count(acme.id(), Action::SecondFactorRefused).await, 0);
}

#[tokio::test]
async fn an_old_proof_changes_no_factor_and_half_a_session_none_at_all() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    enrolled(&db, &tenant).await;
    let old = whole(&db, &tenant).await;
    db.ctx.clock.advance(Duration::minutes(11));
    for signed_in in [old, half(&db, &tenant).await] {
        let (ctx, request) = (&db.ctx, request());
        let before = db.count(tenant.id(), Action::FactorRemoved).await;
        let refused = [
            remove_app(ctx, &request, &signed_in).await,
            begin_app(ctx, &request, &signed_in).await,
            confirm_app(ctx, &request, &signed_in, "000000").await,
            make_recovery_codes(ctx, &request, &signed_in, PLACE).await.map(|_| ()),
            passkeys::begin_registration(ctx, &request, &signed_in, "Key").await.map(|_| ()),
            passkeys::finish_registration(ctx, &request, &signed_in, "token", "{}").await.map(|_| ()),
            passkeys::remove(ctx, &request, &signed_in, PasskeyId::new()).await.map(|_| ()),
        ];
        assert_eq!(refused, [const { Err::<(), _>(AppError::ProofNeeded) }; 7]);
        assert_eq!(db.count(tenant.id(), Action::FactorRemoved).await, before + 2, "the refusals are in the log");
    }
    let event = db.events(tenant.id()).await.pop().expect("an event");
    assert_eq!((event.outcome, event.reason.as_deref()), (Outcome::Denied, Some("proof_needed")));
}

#[tokio::test]
async fn without_a_second_factor_there_is_nothing_to_recover() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let off = PolicyText { demand: "off".into(), grace_days: "7".into() };
    policies::operations::change(&db.ctx, &tenant.actor(Role::Owner), &off).await.expect("nothing is demanded");
    enrolled(&db, &tenant).await;
    let signed_in = whole(&db, &tenant).await;
    let (_, elsewhere) = session(&db, tenant.made.user, Begun::With(Factor::Totp)).await;
    remove_app(&db.ctx, &request(), &signed_in).await.expect("removed");
    assert_eq!(factors(&db.ctx, &signed_in).await, Ok(Factors::default()));
    assert_eq!(found(&db, &elsewhere).await, None);
    assert_eq!(remove_app(&db.ctx, &request(), &signed_in).await, Err(AppError::NotFound));
    let wanted = wanted(&db.ctx, &signed_in).await.expect("wanted");
    assert!(wanted.password && !wanted.code && !wanted.passkey && !wanted.recovery_code);
    assert_eq!(
        check_password(&db.ctx, &request(), &signed_in, PASSWORD.into()).await,
        Ok(Shown::for_everything(Factor::Password))
    );
}

#[tokio::test]
async fn a_ceremony_belongs_to_one_session_and_is_young() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let (mine, other) = (whole(&db, &tenant).await, whole(&db, &tenant).await);
    let refused = |result: Result<bool, AppError>| assert!(matches!(result, Err(AppError::Refused(_))), "{result:?}");
    let finish = async |signed_in: &SignedIn, token: &str| {
        passkeys::finish_registration(&db.ctx, &request(), signed_in, token, "{}").await
    };
    let begun = passkeys::begin_registration(&db.ctx, &request(), &mine, "Laptop").await.expect("begun");
    assert_eq!(begun.options["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(begun.options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(begun.options["rp"]["id"], "localhost");
    assert!(begun.options["challenge"].as_str().is_some_and(|challenge| challenge.len() >= 22), "128 bits or more");
    assert_ne!(begun.options["user"]["id"], tenant.made.user.to_string());
    refused(finish(&other, begun.token.expose_secret()).await);
    refused(finish(&mine, begun.token.expose_secret()).await);
    refused(finish(&mine, "nonsense").await);
    assert_eq!(db.number("select count(*) from ceremonies").await, 0, "each is taken by being tried");
    passkeys::begin_registration(&db.ctx, &request(), &mine, "Laptop").await.expect("begun");
    db.ctx.clock.advance(Duration::minutes(6));
    operations::purge_expired(&db.ctx).await.expect("purged");
    assert_eq!(db.number("select count(*) from ceremonies").await, 0, "and none is kept for long");
    let nobody = passkeys::begin_sign_in(&db.ctx).await.expect("begun");
    assert_eq!(nobody.options["userVerification"], "required");
    assert!(nobody.options["allowCredentials"].as_array().is_none_or(Vec::is_empty), "it names nobody");
    let sign_in = passkeys::finish_sign_in(&db.ctx, &request(), nobody.token.expose_secret(), "{}").await;
    assert_eq!(sign_in, Err(AppError::Unauthenticated("wrong_passkey".into())));
    assert_eq!(
        passkeys::begin_proof(&db.ctx, &half(&db, &tenant).await, "").await.map(|_| ()),
        Err(AppError::NotFound),
        "none to prove with"
    );
}

#[tokio::test]
async fn who_signs_in_from_elsewhere_is_told() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let from = async |address: &str, agent: &str| {
        let request = Request::new(RequestId::new(), "POST", "/", Some(address.into()), Some(agent));
        let hash = secrets::hash(secrets::token().expose_secret());
        let begun = Begun::With(Factor::Password);
        operations::start_session(&db.ctx, &request, tenant.made.user, begun, &hash).await.expect("session");
        mailbox(&db.ctx).await.expect("mailbox").len()
    };
    assert_eq!(from("203.0.113.7", "Firefox/145").await, 0, "the first time there is nowhere else");
    assert_eq!(from("203.0.113.8", "Firefox/146").await, 0);
    assert_eq!(from("198.51.100.8", "Firefox/146").await, 1);
    assert_eq!(from("198.51.100.8", "Firefox/146").await, 1);
    assert_eq!(from("203.0.113.7", "Chrome/156").await, 2);
    let told = mailbox(&db.ctx).await.expect("mailbox");
    assert!(
        told[0].letter.text.contains("203.0.113.7") && told[0].letter.text.contains("Chrome/156"),
        "{:?}",
        told[0].letter
    );
}

// Forgotten passwords --------------------------------------------------------------------------------------------

const ASKED: &str = "owner@acme.example";

async fn reset_token(db: &TestDb) -> String {
    let mails = mailbox(&db.ctx).await.expect("mailbox");
    let link = mails.iter().find_map(|mail| mail.letter.link.clone()).expect("a link");
    assert!(link.starts_with("http://localhost:3000/sign-in/reset/"), "{link}");
    link.rsplit('/').next().expect("a token").to_owned()
}

#[tokio::test]
async fn a_link_sets_a_new_password_once_and_touches_no_factor() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    enrolled(&db, &tenant).await;
    let (_, open) = session(&db, tenant.made.user, Begun::With(Factor::Totp)).await;
    reset::request(&db.ctx, &request(), " Owner@Acme.Example ").await.expect("asked");
    let token = reset_token(&db).await;
    assert_eq!(db.tables_with(&token).await, Vec::<String>::new());
    assert_eq!(reset::offer(&db.ctx, &token).await.expect("an offer").email, ASKED);
    let short = reset::reset(&db.ctx, &request(), &token, "short".into()).await;
    assert!(matches!(short, Err(AppError::Invalid(_))), "{short:?}");
    let new = "quite another set of words";
    let tried =
        join_all((0..50).map(async |_| reset::reset(&db.ctx, &request(), &token, new.into()).await.is_ok())).await;
    assert_eq!(tried.iter().filter(|done| **done).count(), 1);
    assert_eq!(db.count(tenant.id(), Action::PasswordReset).await, 1);
    assert_eq!(found(&db, &open).await, None, "every session has ended");
    let old = operations::sign_in(&db.ctx, &request(), ASKED, PASSWORD.into()).await;
    assert_eq!(old, Err(AppError::Unauthenticated("wrong_credentials".into())));
    let in_again = operations::sign_in(&db.ctx, &request(), ASKED, new.into()).await;
    assert_eq!(in_again, Ok((tenant.made.user, Begun::Half)), "the second factor is still asked for");
}

#[tokio::test]
async fn a_link_is_void_after_an_hour_and_after_a_newer_one() {
    let db = TestDb::new().await;
    db.workspace("Acme").await;
    reset::request(&db.ctx, &request(), ASKED).await.expect("asked");
    let first = reset_token(&db).await;
    db.ctx.clock.advance(Duration::seconds(1));
    reset::request(&db.ctx, &request(), ASKED).await.expect("asked again");
    let second = reset_token(&db).await;
    assert_eq!(reset::offer(&db.ctx, &first).await, Err(AppError::NotFound));
    reset::offer(&db.ctx, &second).await.expect("the newer one");
    db.ctx.clock.advance(Duration::minutes(60));
    assert_eq!(reset::offer(&db.ctx, &second).await, Err(AppError::NotFound));
    let late = reset::reset(&db.ctx, &request(), &second, "quite another set of words".into()).await;
    assert!(matches!(late, Err(AppError::Refused(_))), "{late:?}");
}

#[tokio::test]
async fn who_asks_for_an_unknown_account_is_answered_alike() {
    let db = TestDb::new().await;
    db.workspace("Acme").await;
    for email in [ASKED, "nobody@acme.example"] {
        for n in 0..7 {
            let asked = reset::request(&db.ctx, &request(), email).await;
            assert_eq!(asked.is_ok(), n < 5, "{email} {n}: {asked:?}");
        }
    }
    let mails = mailbox(&db.ctx).await.expect("mailbox");
    assert!(mails.iter().all(|mail| mail.letter.to == ASKED), "and nobody is written to who did not sign up");
}

#[tokio::test]
async fn who_has_another_factor_is_told() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let off = PolicyText { demand: "off".into(), grace_days: "7".into() };
    policies::operations::change(&db.ctx, &tenant.actor(Role::Owner), &off).await.expect("nothing is demanded");
    enrolled(&db, &tenant).await;
    remove_app(&db.ctx, &request(), &whole(&db, &tenant).await).await.expect("removed");
    let mails = mailbox(&db.ctx).await.expect("mailbox");
    let told: Vec<&str> = mails.iter().map(|mail| mail.letter.subject.as_str()).collect();
    for subject in ["An authenticator app was added", "An authenticator app was removed"] {
        assert!(told.contains(&subject), "{subject}: {told:?}");
    }
}

#[tokio::test]
async fn recovery_codes_are_long_random_and_told_of() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let made = codes(&db, &whole(&db, &tenant).await).await;
    let all: std::collections::BTreeSet<&String> = made.iter().collect();
    assert_eq!(all.len(), 10, "all differ");
    for code in &made {
        let letters: Vec<char> = code.chars().filter(|c| *c != '-').collect();
        assert_eq!(letters.len(), 24, "24 letters of 5 bits are 120 bits: {code}");
        assert!(letters.iter().all(|c| "abcdefghijkmnpqrstuvwxyz23456789".contains(*c)), "{code}");
    }
    let mail = mailbox(&db.ctx).await.expect("mailbox").remove(0).letter;
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("owner@acme.example", "New recovery codes were made"));
    assert!(made.iter().all(|code| !mail.text.contains(code.as_str())));
}
