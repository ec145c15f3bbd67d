//! Subscribers on a real PostgreSQL: asked twice, told once, gone with one click, and nobody learns who there is.

use super::operations::{confirm, end, offer, subscribe, tell};
use crate::{
    Actor, AppError,
    audit_log::Action,
    ids::WorkspaceId,
    mail::{
        operations::deliver,
        tests::{Sink, relayed},
    },
    subprocessors::operations::{postpone, withdraw},
    testing::{TestDb, request},
};
use futures::future::join_all;
use time::Duration;

const EMAIL: &str = "reader@example.com";

async fn subscribed(db: &TestDb) -> String {
    subscribe(&db.ctx, &request(), EMAIL).await.expect("asked");
    let token = db.mailed_token(EMAIL).await;
    confirm(&db.ctx, &request(), &token).await.expect("confirmed");
    token
}

#[tokio::test]
async fn who_has_not_said_yes_is_told_nothing() {
    let db = TestDb::new().await;
    subscribe(&db.ctx, &request(), " Reader@example.com ").await.expect("asked");
    db.announced("Acme Mail").await;
    assert_eq!(tell(&db.ctx).await, Ok(0));
    let token = db.mailed_token(EMAIL).await;
    assert_eq!(offer(&db.ctx, &token).await.as_deref(), Ok(EMAIL));
    assert_eq!(db.tables_with(&token).await, Vec::<String>::new(), "only its hash is kept");
    let all = join_all((0..50).map(async |_| confirm(&db.ctx, &request(), &token).await)).await;
    assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 1, "of fifty at once one");
    assert_eq!(offer(&db.ctx, &token).await, Err(AppError::NotFound), "once");
    assert_eq!(tell(&db.ctx).await, Ok(1));
    assert_eq!(db.subjects(EMAIL).await.last().map(String::as_str), Some("send0: New subprocessor: Acme Mail"));
}

#[tokio::test]
async fn a_link_is_void_when_it_is_old_or_a_newer_one_was_sent() {
    let db = TestDb::new().await;
    subscribe(&db.ctx, &request(), EMAIL).await.expect("asked");
    let first = db.mailed_token(EMAIL).await;
    subscribe(&db.ctx, &request(), EMAIL).await.expect("asked");
    let second = db.mailed_token(EMAIL).await;
    assert_eq!(offer(&db.ctx, &first).await, Err(AppError::NotFound));
    db.ctx.clock.advance(Duration::hours(72));
    assert_eq!(offer(&db.ctx, &second).await, Err(AppError::NotFound));
    assert!(matches!(confirm(&db.ctx, &request(), &second).await, Err(AppError::Refused(_))));
    db.ctx.clock.advance(Duration::SECOND);
    tell(&db.ctx).await.expect("a round");
    assert_eq!(db.number("select count(*) from subscribers").await, 0, "and nothing is kept of who never agreed");
}

#[tokio::test]
async fn each_is_told_what_is_new_once_however_many_workers_there_are() {
    let db = TestDb::new().await;
    subscribed(&db).await;
    let id = db.announced("Acme Mail").await;
    for told in join_all((0..4).map(|_| tell(&db.ctx))).await {
        told.expect("told");
    }
    let ops = Actor::cli(WorkspaceId::PLATFORM, request());
    postpone(&db.ctx, &ops, id, "2999-02-01").await.expect("put off");
    tell(&db.ctx).await.expect("told");
    postpone(&db.ctx, &ops, id, "2999-03-01").await.expect("put off again");
    tell(&db.ctx).await.expect("told");
    withdraw(&db.ctx, &ops, id, "Another way.").await.expect("withdrawn");
    tell(&db.ctx).await.expect("told");
    assert_eq!(tell(&db.ctx).await, Ok(0));
    assert_eq!(
        db.subjects(EMAIL).await[1..],
        [
            "send0: New subprocessor: Acme Mail",
            "send0: postponed: New subprocessor: Acme Mail",
            "send0: postponed: New subprocessor: Acme Mail",
            "send0: withdrawn: New subprocessor: Acme Mail"
        ]
    );
    assert_eq!(db.count(WorkspaceId::PLATFORM, Action::SubscriberTold).await, 4);
}

#[tokio::test]
async fn one_click_ends_it_and_the_mail_says_where() {
    let db = TestDb::new().await;
    subscribed(&db).await;
    db.announced("Acme Mail").await;
    let sink = Sink::start().await;
    let ctx = relayed(&db, sink.port);
    tell(&ctx).await.expect("told");
    deliver(&ctx).await.expect("sent");
    let mail = sink.taken().pop().expect("a mail");
    let unfolded = mail.replace("\n ", " ");
    assert!(unfolded.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"), "{mail}");
    let link = unfolded.split("List-Unsubscribe: <http://localhost:3000/unsubscribe/").nth(1).expect("a link");
    let token = &link[..64];
    assert!(link[64..].starts_with(">\n"), "{mail}");
    assert_eq!(db.tables_with(token).await, Vec::<String>::new(), "only its hash is kept, and itself sealed");
    end(&ctx, &request(), "nonsense").await.expect("nobody");
    assert_eq!(db.number("select count(*) from subscribers").await, 1);
    for _ in 0..2 {
        end(&ctx, &request(), token).await.expect("gone");
    }
    assert_eq!(db.number("select count(*) from subscribers").await, 0);
    assert_eq!(db.count(WorkspaceId::PLATFORM, Action::SubscriptionEnded).await, 1);
    db.announced("Other").await;
    assert_eq!(tell(&ctx).await, Ok(0));
}

#[tokio::test]
async fn who_is_subscribed_shows_to_nobody() {
    let db = TestDb::new().await;
    subscribed(&db).await;
    let before = db.subjects(EMAIL).await.len();
    subscribe(&db.ctx, &request(), EMAIL).await.expect("the same answer");
    assert_eq!(db.subjects(EMAIL).await.len(), before, "and no mail");
    assert!(matches!(subscribe(&db.ctx, &request(), "no address").await, Err(AppError::Invalid(_))));
    let mut answers = vec![];
    for _ in 0..4 {
        answers.push(subscribe(&db.ctx, &request(), "flooded@example.com").await);
    }
    assert!(answers[..3].iter().all(Result::is_ok) && matches!(answers[3], Err(AppError::Throttled(_))), "{answers:?}");
}
