//! Notices on a real PostgreSQL, with a clock that is set: 30 full days, nothing sooner, and every workspace heard.

use super::{
    Answer, Kind, Notice, ProposalText, State,
    notices::{answer, list, look, tell, unseen},
    operations::{
        discard, notices_of_all_states, postpone, propose, public, publish, reply, show, take_effect, withdraw,
    },
};
use crate::{
    Actor, AppError,
    audit_log::Action,
    contacts::{NoticeKind, operations as contacts},
    ids::{NoticeId, SubprocessorId, WorkspaceId},
    mail::{
        RETRIES,
        operations::{deliver, mailbox},
        tests::{Sink, relayed},
    },
    permissions::Role,
    subscribers::operations::{confirm, subscribe, tell as tell_subscribers},
    testing::{OPERATOR, Tenant, TestDb, request},
    workspaces::operations::set_time_zone,
};
use futures::future::join_all;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339, macros::datetime};

/// Seconds that a test may take between two looks at the clock.
const MOMENT: Duration = Duration::minutes(2);

/// As a form has it.
fn typed(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).expect("a time")[..16].to_owned()
}

fn text(vendor: &str, at: OffsetDateTime) -> ProposalText {
    ProposalText {
        vendor: vendor.into(),
        purpose: "Delivery of mail".into(),
        data: "Messages in transit".into(),
        regions: "eu-west-1".into(),
        why: "A second way out.".into(),
        effective_at: typed(at),
    }
}

async fn id_of(db: &TestDb, vendor: &str) -> SubprocessorId {
    let all = public(&db.ctx).await.expect("the list").current;
    all.into_iter().find(|one| one.details.vendor == vendor).expect(vendor).id
}

async fn vendors(db: &TestDb) -> Vec<String> {
    public(&db.ctx).await.expect("the list").current.into_iter().map(|one| one.details.vendor).collect()
}

/// A new one, published, in effect in so many days.
async fn announced(db: &TestDb, ops: &Actor, vendor: &str, days: i64) -> NoticeId {
    let at = db.ctx.clock.now() + Duration::days(days) + MOMENT;
    let id = propose(&db.ctx, ops, Kind::Add, None, &text(vendor, at)).await.expect("drafted");
    publish(&db.ctx, ops, id).await.expect("published");
    id
}

async fn notice(db: &TestDb, ops: &Actor, id: NoticeId) -> Notice {
    show(&db.ctx, ops, id).await.expect("a notice").0
}

/// What the jobs of the server do.
async fn jobs(db: &TestDb) {
    take_effect(&db.ctx).await.expect("in effect");
    tell(&db.ctx).await.expect("told");
}

async fn acme(db: &TestDb) -> (Tenant, Actor) {
    let tenant = db.workspace("Acme").await;
    let owner = tenant.actor(Role::Owner);
    (tenant, owner)
}

#[tokio::test]
async fn the_list_begins_with_the_six_that_are_promised() {
    let db = TestDb::new().await;
    assert_eq!(vendors(&db).await, ["Amazon SES", "AWS", "Cloudflare", "Sentry", "Stripe", "Upstash"]);
    let all = public(&db.ctx).await.expect("the list");
    assert!(all.announced.is_empty() && all.history.is_empty());
    assert_eq!(all.current[1].details.regions, ["us-east-1", "eu-west-1"]);
}

#[tokio::test]
async fn less_than_thirty_full_days_is_refused_by_us_and_by_the_database() {
    let db = TestDb::new().await;
    let ops = db.operator().await;
    // Across the end of summer time in Europe and in America: a day there has 25 hours, thirty full ones here have 720.
    db.ctx.clock.set(datetime!(2026-10-10 12:00 UTC));
    let too_soon = datetime!(2026-11-09 11:00 UTC);
    let refused =
        propose(&db.ctx, &ops, Kind::Add, None, &text("Acme Mail", too_soon)).await.expect_err("29 days 23 h");
    let said = refused.of_field("effective_at").expect("the field").to_owned();
    assert!(said.starts_with("At least 30 full days ahead: not before 9 November 2026, 12:00 UTC"), "{said}");
    let id = propose(&db.ctx, &ops, Kind::Add, None, &text("Acme Mail", datetime!(2026-11-09 12:01 UTC))).await;
    let id = id.expect("30 days and the time that the test takes");
    // A draft that has waited too long.
    db.ctx.clock.set(datetime!(2026-10-10 12:02 UTC));
    let refused = publish(&db.ctx, &ops, id).await.expect_err("29 days 23 h 59 min");
    assert!(refused.of_field("effective_at").is_some(), "{refused:?}");
    assert_eq!(notice(&db, &ops, id).await.state(), State::Draft);
    let past = sqlx::query("update subprocessor_notices set published_at = '2026-10-10 12:02Z'").execute(&db.superuser);
    let past = past.await.expect_err("not even by hand");
    assert!(past.to_string().contains("subprocessor_notices_30_days"), "{past}");
    db.ctx.clock.set(datetime!(2026-10-10 12:01 UTC));
    sqlx::query("update subprocessor_notices set effective_at = '2026-11-09 12:01:30Z'")
        .execute(&db.superuser)
        .await
        .expect("a draft may be changed");
    publish(&db.ctx, &ops, id).await.expect("30 full days");
    assert_eq!(db.count(WorkspaceId::PLATFORM, Action::SubprocessorPublished).await, 1);
}

#[tokio::test]
async fn what_is_public_stays_as_it_is_and_is_never_brought_forward() {
    let db = TestDb::new().await;
    let ops = db.operator().await;
    let id = announced(&db, &ops, "Acme Mail", 40).await;
    let at = notice(&db, &ops, id).await.effective_at;
    for earlier in [at - Duration::days(1), at] {
        let refused = postpone(&db.ctx, &ops, id, &typed(earlier)).await.expect_err("not later");
        assert!(refused.of_field("effective_at").is_some(), "{refused:?}");
    }
    assert!(matches!(discard(&db.ctx, &ops, id).await, Err(AppError::Conflict(_))));
    assert!(matches!(publish(&db.ctx, &ops, id).await, Err(AppError::Conflict(_))));
    for sql in [
        "update subprocessor_notices set effective_at = effective_at - interval '1 hour'",
        "update subprocessor_notices set data = 'everything'",
        "update subprocessor_notices set published_at = null",
        "update subprocessor_notices set in_effect_at = effective_at - interval '1 second'",
        "delete from subprocessor_notices",
    ] {
        assert!(sqlx::query(sql).execute(&db.superuser).await.is_err(), "{sql}");
    }
    postpone(&db.ctx, &ops, id, &typed(at + Duration::days(10))).await.expect("put off");
    let now = notice(&db, &ops, id).await;
    assert!(now.is_postponed() && now.first_effective_at == Some(at));
    assert!(matches!(withdraw(&db.ctx, &ops, id, " ").await, Err(AppError::Invalid(_))));
    withdraw(&db.ctx, &ops, id, "We found another way.").await.expect("withdrawn");
    assert!(matches!(postpone(&db.ctx, &ops, id, "2030-01-01").await, Err(AppError::Conflict(_))));
    assert_eq!(public(&db.ctx).await.expect("public").history[0].state(), State::Withdrawn);
}

#[tokio::test]
async fn a_change_takes_effect_by_itself_on_its_day_and_once() {
    let db = TestDb::new().await;
    let ops = db.operator().await;
    let added = announced(&db, &ops, "Acme Mail", 31).await;
    let (stripe, sentry) = (id_of(&db, "Stripe").await, id_of(&db, "Sentry").await);
    let at = db.ctx.clock.now() + Duration::days(31) + MOMENT;
    let moved = ProposalText { purpose: "Billing, payments and tax".into(), ..text("Stripe", at) };
    let changed = propose(&db.ctx, &ops, Kind::Change, Some(stripe), &moved).await.expect("drafted");
    let gone = ProposalText { why: "We do it ourselves.".into(), effective_at: typed(at), ..ProposalText::default() };
    let removed = propose(&db.ctx, &ops, Kind::Remove, Some(sentry), &gone).await.expect("drafted");
    for id in [changed, removed] {
        publish(&db.ctx, &ops, id).await.expect("published");
    }
    let purposes: Vec<_> =
        notice(&db, &ops, changed).await.differences().into_iter().map(|(field, ..)| field).collect();
    assert_eq!(purposes, ["Purpose", "Data", "Regions"]);
    db.ctx.clock.advance(Duration::days(31) - MOMENT);
    take_effect(&db.ctx).await.expect("nothing yet");
    assert_eq!(vendors(&db).await.len(), 6);
    db.ctx.clock.advance(MOMENT * 2);
    for done in join_all((0..4).map(|_| take_effect(&db.ctx))).await {
        done.expect("in effect");
    }
    assert_eq!(vendors(&db).await, ["Acme Mail", "Amazon SES", "AWS", "Cloudflare", "Stripe", "Upstash"]);
    assert_eq!(db.count(WorkspaceId::PLATFORM, Action::SubprocessorChanged).await, 3, "each once");
    let all = public(&db.ctx).await.expect("public");
    let stripe = all.current.iter().find(|one| one.details.vendor == "Stripe").expect("Stripe");
    assert_eq!(stripe.details.purpose, "Billing, payments and tax");
    assert_eq!(all.history.len(), 3);
    assert_eq!(notice(&db, &ops, added).await.state(), State::InEffect);
}

#[tokio::test]
async fn one_change_of_a_subprocessor_at_a_time_and_none_that_changes_nothing() {
    let db = TestDb::new().await;
    let ops = db.operator().await;
    let (stripe, at) = (id_of(&db, "Stripe").await, db.ctx.clock.now() + Duration::days(40));
    let change = async |purpose: &str| {
        let typed = ProposalText { purpose: purpose.into(), ..text("Stripe", at) };
        propose(&db.ctx, &ops, Kind::Change, Some(stripe), &typed).await
    };
    let (one, two) = (change("Tax").await.expect("drafted"), change("Taxes").await.expect("drafted"));
    let (first, second) = tokio::join!(publish(&db.ctx, &ops, one), publish(&db.ctx, &ops, two));
    let conflict = [first.err(), second.err()].into_iter().flatten().collect::<Vec<_>>();
    assert!(matches!(conflict.as_slice(), [AppError::Conflict(_)]), "{conflict:?}");
    let same = ProposalText {
        vendor: "Stripe".into(),
        purpose: "Billing and payments".into(),
        data: "Billing contacts and means of payment".into(),
        regions: "global".into(),
        ..text("", at)
    };
    let nothing = propose(&db.ctx, &ops, Kind::Change, Some(stripe), &same).await.expect_err("nothing");
    assert_eq!(nothing.of_field("purpose"), Some("Nothing would change."));
    let taken = propose(&db.ctx, &ops, Kind::Add, None, &text("stripe", at)).await.expect_err("taken");
    assert!(taken.of_field("vendor").is_some());
    let nobody = propose(&db.ctx, &ops, Kind::Change, Some(SubprocessorId::new()), &text("Nobody", at)).await;
    assert_eq!(nobody, Err(AppError::NotFound));
    let draft = notices_of_all_states(&db.ctx, &ops).await.expect("all");
    let draft = draft.iter().find(|notice| notice.state() == State::Draft).expect("the other draft").id;
    discard(&db.ctx, &ops, draft).await.expect("discarded");
    assert_eq!(show(&db.ctx, &ops, draft).await.map(drop), Err(AppError::NotFound));
}

#[tokio::test]
async fn one_name_is_announced_once_and_one_notice_that_fails_holds_up_no_other() {
    let db = TestDb::new().await;
    let ops = db.operator().await;
    let at = db.ctx.clock.now() + Duration::days(40);
    let drafts = [
        propose(&db.ctx, &ops, Kind::Add, None, &text("Acme Mail", at)).await.expect("drafted"),
        propose(&db.ctx, &ops, Kind::Add, None, &text("ACME mail", at)).await.expect("drafted"),
    ];
    let published = join_all(drafts.iter().map(|id| publish(&db.ctx, &ops, *id))).await;
    assert_eq!(published.iter().filter(|one| one.is_ok()).count(), 1, "{published:?}");
    let other = propose(&db.ctx, &ops, Kind::Add, None, &text("Other", at + Duration::days(1))).await.expect("drafted");
    publish(&db.ctx, &ops, other).await.expect("published");
    // By hand, past every check: the first one cannot take effect.
    sqlx::query("insert into subprocessors select gen_random_uuid(), 'Acme Mail', 'x', 'x', '{x}', now(), null")
        .execute(&db.superuser)
        .await
        .expect("somebody of that name");
    db.ctx.clock.advance(Duration::days(42));
    take_effect(&db.ctx).await.expect("a round");
    assert_eq!(notice(&db, &ops, other).await.state(), State::InEffect);
}

#[tokio::test]
async fn a_workspace_that_cannot_be_told_keeps_no_other_from_it() {
    let db = TestDb::new().await;
    let ops = db.operator().await;
    let (broken, whole) = (db.workspace("Broken").await, db.workspace("Whole").await);
    announced(&db, &ops, "Acme Mail", 40).await;
    let sql = "update data_keys set wrapped = '\\x00' where workspace_id = $1";
    sqlx::query(sql).bind(broken.id().0).execute(&db.superuser).await.expect("broken");
    let lost = "insert into data_keys (workspace_id, data_key_id, purpose, wrapped, created_at)
        values ($1, gen_random_uuid(), 'workspace', '\\x00', now()) on conflict do nothing";
    sqlx::query(lost).bind(broken.id().0).execute(&db.superuser).await.expect("broken");
    assert_eq!(tell(&db.ctx).await, Ok(1));
    assert_eq!((unseen(&db.ctx, broken.id()).await, unseen(&db.ctx, whole.id()).await), (Ok(0), Ok(1)));
}

#[tokio::test]
async fn every_workspace_is_told_and_reminded() {
    let db = TestDb::new().await;
    let ops = db.operator().await;
    let (tenant, owner) = acme(&db).await;
    let other = db.workspace("Other").await;
    // Whatever else they want to know.
    contacts::add(&db.ctx, &owner, "soc@example.com", &[NoticeKind::Log.to_string()]).await.expect("asked");
    let token = db.mailed_token("soc@example.com").await;
    contacts::confirm(&db.ctx, &request(), &token).await.expect("agreed");
    let id = announced(&db, &ops, "Acme Mail", 40).await;
    for told in join_all((0..4).map(|_| tell(&db.ctx))).await {
        told.expect("told");
    }
    let first = "Acme: New subprocessor: Acme Mail".to_owned();
    assert_eq!(db.subjects("owner@acme.example").await, ["Acme: New subprocessor: Acme Mail"]);
    assert_eq!(db.subjects("soc@example.com").await.last(), Some(&first));
    assert_eq!(db.subjects("owner@other.example").await, ["Other: New subprocessor: Acme Mail"]);
    assert_eq!(unseen(&db.ctx, other.id()).await, Ok(1));
    assert_eq!(db.count(tenant.id(), Action::NoticeReceived).await, 1);

    db.ctx.clock.advance(Duration::days(26) + MOMENT);
    jobs(&db).await;
    db.ctx.clock.advance(Duration::days(11));
    jobs(&db).await;
    jobs(&db).await;
    db.ctx.clock.advance(Duration::days(3));
    jobs(&db).await;
    // What became of the last mails is noted with the next round.
    jobs(&db).await;
    let all = db.subjects("owner@acme.example").await;
    let rest: Vec<&str> = all[1..].iter().map(String::as_str).collect();
    assert_eq!(
        rest,
        [
            "Acme: in 14 days: New subprocessor: Acme Mail",
            "Acme: in 3 days: New subprocessor: Acme Mail",
            "Acme: in effect: New subprocessor: Acme Mail"
        ]
    );
    let (received, deliveries) = look(&db.ctx, &owner, id).await.expect("looked");
    assert_eq!((received.notice.state(), deliveries.len()), (State::InEffect, 8), "four mails to each of two");
    assert!(deliveries.iter().all(|delivery| delivery.delivered_at.is_some()), "{deliveries:?}");
    // Who comes later has nothing to do with it.
    db.workspace("Late").await;
    assert_eq!(tell(&db.ctx).await, Ok(0));
}

#[tokio::test]
async fn a_mail_that_fails_is_tried_again_and_that_is_shown() {
    let db = TestDb::new().await;
    let ops = db.operator().await;
    let (_, owner) = acme(&db).await;
    let sink = Sink::start().await;
    sink.answer(451);
    let ctx = relayed(&db, sink.port);
    let id = announced(&db, &ops, "Acme Mail", 40).await;
    tell(&ctx).await.expect("told");
    deliver(&ctx).await.expect("tried");
    tell(&ctx).await.expect("settled");
    let delivery = look(&ctx, &owner, id).await.expect("looked").1.remove(0);
    assert_eq!((delivery.attempts, delivery.last_error.as_deref()), (1, Some("refused with 451")));
    assert_eq!((delivery.delivered_at, delivery.failed_at), (None, None), "still tried");
    sink.answer(250);
    ctx.clock.advance(RETRIES[0]);
    deliver(&ctx).await.expect("tried again");
    tell(&ctx).await.expect("settled");
    let delivery = look(&ctx, &owner, id).await.expect("looked").1.remove(0);
    assert!(delivery.attempts == 2 && delivery.delivered_at.is_some(), "{delivery:?}");
    assert_eq!(show(&ctx, &ops, id).await.expect("shown").1[0].mails, (1, 1, 0));
    let mail = sink.taken().pop().expect("a mail");
    assert!(mail.contains("Subject: Acme: New subprocessor: Acme Mail"), "{mail}");

    // For good: the operators see that as well.
    sink.answer(550);
    withdraw(&ctx, &ops, id, "We found another way.").await.expect("withdrawn");
    tell(&ctx).await.expect("told");
    deliver(&ctx).await.expect("refused");
    tell(&ctx).await.expect("settled");
    assert_eq!(show(&ctx, &ops, id).await.expect("shown").1[0].mails, (2, 1, 1));
}

#[tokio::test]
async fn what_is_postponed_or_withdrawn_is_told_too() {
    let db = TestDb::new().await;
    let ops = db.operator().await;
    acme(&db).await;
    let id = announced(&db, &ops, "Acme Mail", 40).await;
    jobs(&db).await;
    let at = notice(&db, &ops, id).await.effective_at;
    postpone(&db.ctx, &ops, id, &typed(at + Duration::days(30))).await.expect("put off");
    jobs(&db).await;
    withdraw(&db.ctx, &ops, id, "We found another way.").await.expect("withdrawn");
    jobs(&db).await;
    db.ctx.clock.advance(Duration::days(100));
    jobs(&db).await;
    let all = db.subjects("owner@acme.example").await;
    assert_eq!(
        all,
        [
            "Acme: New subprocessor: Acme Mail",
            "Acme: postponed: New subprocessor: Acme Mail",
            "Acme: withdrawn: New subprocessor: Acme Mail"
        ]
    );
    assert_eq!(vendors(&db).await.len(), 6, "it never happens");
}

#[tokio::test]
async fn an_objection_reaches_the_operators_who_answer_and_both_logs_have_it() {
    let db = TestDb::new().await;
    let ops = db.operator().await;
    let (tenant, owner) = acme(&db).await;
    let id = announced(&db, &ops, "Acme Mail", 40).await;
    jobs(&db).await;
    let empty = answer(&db.ctx, &owner, id, "objected", " ").await.expect_err("a reason");
    assert!(empty.of_field("reason").is_some());
    answer(&db.ctx, &owner, id, "acknowledged", "").await.expect("acknowledged");
    answer(&db.ctx, &owner, id, "acknowledged", "").await.expect("again: nothing happens");
    answer(&db.ctx, &owner, id, "objected", "Not in that region.").await.expect("objected");
    assert_eq!(db.subjects(OPERATOR).await, ["An objection to Acme Mail"]);
    let of = show(&db.ctx, &ops, id).await.expect("shown").1;
    let (said, _) = of[0].answer.clone().expect("an answer");
    assert_eq!((of[0].name.as_str(), said), ("Acme", Answer::Objected("Not in that region.".into())));

    // The day comes without an answer: both sides see it.
    let received = list(&db.ctx, &owner, Action::PageViewed).await.expect("list").remove(0);
    assert!(received.is_unanswered());
    let at = of[0].answer.as_ref().expect("an answer").1;
    let other = reply(&db.ctx, &ops, (tenant.id(), id), at - Duration::SECOND, "To another.").await;
    assert!(matches!(other, Err(AppError::Conflict(_))), "an answer is to the objection that was read: {other:?}");
    reply(&db.ctx, &ops, (tenant.id(), id), at, "It stays in yours.").await.expect("replied");
    let received = list(&db.ctx, &owner, Action::PageViewed).await.expect("list").remove(0);
    assert_eq!(received.reply.as_ref().map(|(said, _)| said.as_str()), Some("It stays in yours."));
    assert!(!received.is_unanswered());
    assert_eq!(
        db.subjects("owner@acme.example").await.last().map(String::as_str),
        Some("Acme: send0 answers your objection: Acme Mail")
    );
    for place in [tenant.id(), WorkspaceId::PLATFORM] {
        for (action, times) in
            [(Action::NoticeAcknowledged, 1), (Action::NoticeObjected, 1), (Action::NoticeReplied, 1)]
        {
            assert_eq!(db.count(place, action).await, times, "{action} in {place}");
        }
    }
    let event = db.events(tenant.id()).await.pop().expect("an event");
    assert_eq!((event.actor.kind.as_str(), event.action.as_str()), ("operator", "notice.replied"));

    answer(&db.ctx, &owner, id, "acknowledged", "").await.expect("agreed after all");
    let nothing = reply(&db.ctx, &ops, (tenant.id(), id), at, "Still.").await;
    assert!(matches!(nothing, Err(AppError::Conflict(_))), "{nothing:?}");
    db.ctx.clock.advance(Duration::days(41));
    let late = answer(&db.ctx, &owner, id, "objected", "Too late").await;
    assert!(matches!(late, Err(AppError::Conflict(_))), "over by the clock, whatever the job has done: {late:?}");
}

#[tokio::test]
async fn an_unanswered_objection_is_said_on_the_day() {
    let db = TestDb::new().await;
    let ops = db.operator().await;
    let (_, owner) = acme(&db).await;
    let id = announced(&db, &ops, "Acme Mail", 31).await;
    jobs(&db).await;
    answer(&db.ctx, &owner, id, "objected", "Not in that region.").await.expect("objected");
    db.ctx.clock.advance(Duration::days(31) + MOMENT);
    jobs(&db).await;
    let mail = mailbox(&db.ctx).await.expect("mailbox").remove(0).letter;
    assert!(mail.text.contains("Your objection has had no answer yet."), "{}", mail.text);
    let of = show(&db.ctx, &ops, id).await.expect("shown").1.remove(0);
    assert!(matches!(of.answer, Some((Answer::Objected(_), _))) && of.reply.is_none());
    assert_eq!(super::operations::unanswered(&db.ctx, &ops).await, Ok(1));
}

#[tokio::test]
async fn by_role_and_by_workspace() {
    let db = TestDb::new().await;
    let ops = db.operator().await;
    let (tenant, owner) = acme(&db).await;
    let id = announced(&db, &ops, "Acme Mail", 40).await;
    let before = list(&db.ctx, &owner, Action::PageViewed).await;
    assert_eq!(before, Ok(vec![]), "nothing before it is told");
    jobs(&db).await;
    let other = db.workspace("Other").await;
    assert_eq!(look(&db.ctx, &other.actor(Role::Owner), id).await.map(drop), Err(AppError::NotFound));
    for role in Role::ALL {
        let actor = tenant.actor(role);
        assert_eq!(list(&db.ctx, &actor, Action::PageViewed).await.map(|all| all.len()), Ok(1), "{role}");
        let refused = publish(&db.ctx, &actor, id).await.map(drop);
        assert_eq!(refused, Err(AppError::NotFound), "{role}: what is for operators is not there");
    }
    for role in Role::ALL {
        let user = db.member_named(&tenant, role, &format!("again-{role}")).await;
        let answered = answer(&db.ctx, &tenant.acting(user, role), id, "acknowledged", "").await.map(drop);
        let may = matches!(role, Role::Owner | Role::Admin | Role::Security);
        assert_eq!(answered, if may { Ok(()) } else { Err(AppError::Forbidden("notices.answer".into())) }, "{role}");
    }
    assert_eq!(unseen(&db.ctx, tenant.id()).await, Ok(1));
    for _ in 0..2 {
        look(&db.ctx, &owner, id).await.expect("looked");
    }
    assert_eq!(unseen(&db.ctx, tenant.id()).await, Ok(0));
    assert_eq!(db.count(tenant.id(), Action::NoticeSeen).await, 1, "noted once");
    assert!(matches!(
        propose(&db.ctx, &owner, Kind::Add, None, &ProposalText::default()).await,
        Err(AppError::NotFound)
    ));
}

#[tokio::test]
async fn a_deadline_is_told_in_the_zone_of_the_workspace_across_summer_time() {
    let db = TestDb::new().await;
    let ops = db.operator().await;
    let (acme, other) = (db.workspace("Acme").await, db.workspace("Other").await);
    set_time_zone(&db.ctx, &acme.actor(Role::Owner), "Europe/Berlin").await.expect("set");
    subscribe(&db.ctx, &request(), "reader@example.com").await.expect("asked");
    let token = db.mailed_token("reader@example.com").await;
    confirm(&db.ctx, &request(), &token).await.expect("agreed");
    db.ctx.clock.set(datetime!(2027-02-20 12:00 UTC));
    // In Berlin the hour after 01:59 is the one that begins at 03:00.
    let days = [
        (datetime!(2027-03-28 00:59 UTC), "28 March 2027, 01:59 CET", "28 March 2027, 00:59 UTC"),
        (datetime!(2027-03-28 01:00 UTC), "28 March 2027, 03:00 CEST", "28 March 2027, 01:00 UTC"),
    ];
    for (at, there, utc) in days {
        let vendor = format!("Vendor {}", at.minute());
        let id = propose(&db.ctx, &ops, Kind::Add, None, &text(&vendor, at)).await.expect("drafted");
        publish(&db.ctx, &ops, id).await.expect("published");
        tell(&db.ctx).await.expect("told");
        tell_subscribers(&db.ctx).await.expect("told");
        for (to, said) in [("owner@acme.example", there), ("owner@other.example", utc), ("reader@example.com", utc)] {
            let told = db.newest_letter(to).await;
            assert!(told.contains(&format!("It happens on {said}, in 36 days.")), "{to}: {told}");
        }
    }
    set_time_zone(&db.ctx, &acme.actor(Role::Owner), "").await.expect("set");
    set_time_zone(&db.ctx, &other.actor(Role::Owner), "America/New_York").await.expect("set");
    let id = public(&db.ctx).await.expect("public").announced[0].id;
    postpone(&db.ctx, &ops, id, "2027-11-07T06:30").await.expect("put off");
    tell(&db.ctx).await.expect("told");
    // The hour after 01:59 EDT begins at 01:00 again; and what it was announced for is told in the same zone.
    let told = db.newest_letter("owner@other.example").await;
    assert!(told.contains("happens on 7 November 2027, 01:30 EST"), "{told}");
    assert!(told.contains("announced for 27 March 2027, 20:59 EDT first"), "{told}");
    let told = db.newest_letter("owner@acme.example").await;
    assert!(told.contains("happens on 7 November 2027, 06:30 UTC"), "{told}");
}
