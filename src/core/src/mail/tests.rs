//! The outbox, against an SMTP server that does as it is told.

use super::{
    DeliveryError, Letter, RETRIES, Relay, RelayAddress,
    operations::{BATCH, LEASE, deliver, mailbox, seal},
    queries,
};
use crate::{
    AppError, Ctx,
    audit_log::{Action, Outcome},
    ids::WorkspaceId,
    testing::TestDb,
};
use futures::future::join_all;
use std::{
    collections::BTreeSet,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
};
use time::Duration;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// Somebody's mail server.
pub(crate) struct Sink {
    pub port: u16,
    /// Whole mails, with their headers.
    taken: Arc<Mutex<Vec<String>>>,
    /// How it answers to a recipient.
    answer: Arc<AtomicU16>,
}

impl Sink {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (taken, answer) = (Arc::<Mutex<Vec<String>>>::default(), Arc::new(AtomicU16::new(250)));
        let (inside, told) = (taken.clone(), answer.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, inside.clone(), told.clone()));
            }
        });
        Self { port, taken, answer }
    }

    pub fn answer(&self, code: u16) {
        self.answer.store(code, Ordering::Relaxed);
    }

    /// What it took, with the line breaks and signs of quoted-printable undone.
    pub fn taken(&self) -> Vec<String> {
        let taken = self.taken.lock().expect("mails");
        taken.iter().map(|mail| mail.replace("=\n", "").replace("=3D", "=")).collect()
    }
}

/// As much of RFC 5321 as a client needs.
async fn converse(stream: TcpStream, taken: Arc<Mutex<Vec<String>>>, answer: Arc<AtomicU16>) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 sink\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let reply = match line.split([' ', ':']).next().unwrap_or_default().to_uppercase().as_str() {
            "RCPT" => format!("{} as told", answer.load(Ordering::Relaxed)),
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let mut mail = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    mail += &format!("{line}\n");
                }
                taken.lock().expect("mails").push(mail);
                "250 taken".to_owned()
            }
            "QUIT" => return write.write_all(b"221 bye\r\n").await,
            _ => "250 ok".to_owned(),
        };
        write.write_all(format!("{reply}\r\n").as_bytes()).await?;
    }
    Ok(())
}

fn address(port: u16) -> RelayAddress {
    RelayAddress::parse(&format!("smtp://127.0.0.1:{port}"), "send0 <security@send0.dev>").expect("an address")
}

/// The same database with a relay at this port.
pub(crate) fn relayed(db: &TestDb, port: u16) -> Ctx {
    db.ctx.clone().relaying(Some(&address(port)))
}

/// A port at which nobody listens any more.
async fn gone() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address").port()
}

fn letter(to: &str) -> Letter {
    Letter {
        to: to.into(),
        subject: "Ana invites you to Äcme".into(),
        text: "One thing.\n\nAnd <another> & more.".into(),
        link: Some("http://localhost:3000/invitations/abc".into()),
    }
}

async fn put(ctx: &Ctx, workspace: WorkspaceId, to: &str) {
    let sealed = seal(ctx, workspace, &letter(to)).await.expect("sealed");
    sealed.put(&mut ctx.db.auth.acquire().await.expect("a connection")).await.expect("put");
}

/// Attempts, state, and the last error of the one mail there is.
async fn state(db: &TestDb) -> (i32, &'static str, Option<String>) {
    let row: (i32, bool, bool, Option<String>) =
        sqlx::query_as("select attempts, sent_at is not null, next_at is not null, last_error from mails")
            .fetch_one(&db.superuser)
            .await
            .expect("one mail");
    let state = match (row.1, row.2) {
        (true, false) => "sent",
        (false, true) => "waits",
        (false, false) => "given up",
        (true, true) => "confused",
    };
    (row.0, state, row.3)
}

#[tokio::test]
async fn without_a_relay_the_local_mailbox_has_it_at_once() {
    let db = TestDb::new().await;
    put(&db.ctx, WorkspaceId::PLATFORM, "ana@example.com").await;
    assert_eq!(state(&db).await, (0, "sent", None));
    assert_eq!(mailbox(&db.ctx).await.expect("mailbox")[0].letter, letter("ana@example.com"));
    // A relay that is configured later does not send what was for the mailbox.
    let sink = Sink::start().await;
    assert_eq!(deliver(&relayed(&db, sink.port)).await, Ok(0));
    assert!(sink.taken().is_empty());
}

#[tokio::test]
async fn a_mail_arrives_once_as_text_and_as_html() {
    let db = TestDb::new().await;
    let sink = Sink::start().await;
    let ctx = relayed(&db, sink.port);
    put(&ctx, WorkspaceId::PLATFORM, "ana@example.com").await;
    assert_eq!(state(&db).await, (0, "waits", None));
    assert_eq!(deliver(&ctx).await, Ok(1));
    assert_eq!(deliver(&ctx).await, Ok(0));
    assert_eq!(state(&db).await, (1, "sent", None));
    let mails = sink.taken();
    assert_eq!(mails.len(), 1);
    for part in [
        "From: send0 <security@send0.dev>\n",
        "To: ana@example.com\n",
        "Subject: Ana invites you to =?utf-8?b?",
        "Auto-Submitted: auto-generated\n",
        "Content-Type: multipart/alternative;",
        "Content-Type: text/plain; charset=utf-8\n",
        "Content-Type: text/html; charset=utf-8\n",
        "And <another> & more.",
        "And &lt;another&gt; &amp; more.",
        "<a href=\"http://localhost:3000/invitations/abc\"",
    ] {
        assert!(mails[0].contains(part), "{part} is missing in {}", mails[0]);
    }
    let id = mails[0].split(['<', '>']).find(|part| part.starts_with("mai_")).expect("an id of the mail");
    assert!(id.ends_with("@send0.dev"), "{id}");
}

#[tokio::test]
async fn what_could_become_a_header_is_not_even_stored() {
    let db = TestDb::new().await;
    for evil in [
        Letter { subject: "Hello\r\nBcc: eve@example.com".into(), ..letter("ana@example.com") },
        letter("ana@example.com\r\nBcc: eve@example.com"),
        Letter { link: Some("javascript:alert(1)".into()), ..letter("ana@example.com") },
    ] {
        assert_eq!(seal(&db.ctx, WorkspaceId::PLATFORM, &evil).await.map(|_| ()), Err(AppError::Internal));
    }
    assert_eq!(db.number("select count(*) from mails").await, 0);
}

/// What passes before the next attempt is due, less this: time goes on while the test runs.
const MARGIN: Duration = Duration::seconds(3);

#[tokio::test]
async fn it_is_tried_again_and_again_then_given_up_and_written_down() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let sink = Sink::start().await;
    sink.answer(451);
    let ctx = relayed(&db, sink.port);
    put(&ctx, tenant.id(), "ana@example.com").await;
    for (failed, wait) in RETRIES.into_iter().enumerate() {
        assert_eq!(deliver(&ctx).await, Ok(1), "attempt {}", failed + 1);
        assert_eq!(deliver(&ctx).await, Ok(0), "not at once");
        let attempts = i32::try_from(failed).expect("few") + 1;
        assert_eq!(state(&db).await, (attempts, "waits", Some("refused with 451".into())));
        ctx.clock.advance(wait - MARGIN);
        assert_eq!(deliver(&ctx).await, Ok(0), "not before its time: {wait}");
        ctx.clock.advance(MARGIN);
    }
    assert_eq!(db.count(tenant.id(), Action::MailFailed).await, 0);
    assert_eq!(deliver(&ctx).await, Ok(1), "the last attempt");
    assert_eq!(state(&db).await, (9, "given up", Some("refused with 451".into())));
    let event = db.events(tenant.id()).await.pop().expect("an event");
    assert_eq!((event.action.as_str(), event.outcome), ("mail.failed", Outcome::Failed));
    assert_eq!((event.actor.kind.as_str(), event.actor.id.as_str()), ("system", "jobs"));
    assert_eq!(event.targets[0].name.as_deref(), Some("ana@example.com"));
    sink.answer(250);
    ctx.clock.advance(Duration::days(2));
    assert_eq!(deliver(&ctx).await, Ok(0), "for good");
    assert_eq!(db.count(tenant.id(), Action::MailFailed).await, 1);
}

#[tokio::test]
async fn what_is_given_up_of_an_account_is_in_the_platforms_log() {
    let db = TestDb::new().await;
    let sink = Sink::start().await;
    sink.answer(550);
    let ctx = relayed(&db, sink.port);
    put(&ctx, WorkspaceId::PLATFORM, "ana@example.com").await;
    assert_eq!(deliver(&ctx).await, Ok(1));
    assert_eq!(state(&db).await, (1, "given up", Some("refused with 550".into())), "it would be refused again");
    assert_eq!(db.count(WorkspaceId::PLATFORM, Action::MailFailed).await, 1);
    // That the relay does not let us in is not the letter's fault.
    sink.answer(535);
    put(&ctx, WorkspaceId::PLATFORM, "ana@example.com").await;
    for _ in 0..=RETRIES.len() {
        assert_eq!(deliver(&ctx).await, Ok(1));
        ctx.clock.advance(Duration::hours(13));
    }
    assert_eq!(db.count(WorkspaceId::PLATFORM, Action::MailFailed).await, 2);
}

#[tokio::test]
async fn while_the_relay_is_down_mail_waits() {
    let db = TestDb::new().await;
    let ctx = relayed(&db, gone().await);
    put(&ctx, WorkspaceId::PLATFORM, "ana@example.com").await;
    assert_eq!(deliver(&ctx).await, Ok(1));
    assert_eq!(state(&db).await, (1, "waits", Some("not reached".into())));
    let sink = Sink::start().await;
    ctx.clock.advance(RETRIES[0]);
    assert_eq!(deliver(&relayed(&db, sink.port)).await, Ok(1));
    assert_eq!((state(&db).await, sink.taken().len()), ((2, "sent", None), 1));
}

#[tokio::test]
async fn whether_the_relay_answers_is_found_out_without_a_mail() {
    let sink = Sink::start().await;
    assert_eq!(Relay::new(&address(sink.port)).answers().await, Ok(()));
    assert_eq!(Relay::new(&address(gone().await)).answers().await, Err(DeliveryError::Unreachable));
    assert!(sink.taken().is_empty());
}

/// Each worker is a server of its own, on the same database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_workers_send_each_mail_once() {
    const MAILS: usize = 60;
    let db = TestDb::new().await;
    let sink = Sink::start().await;
    let workers: Vec<Ctx> = (0..4).map(|_| relayed(&db, sink.port)).collect();
    for n in 0..MAILS {
        put(&workers[0], WorkspaceId::PLATFORM, &format!("p{n}@example.com")).await;
    }
    let until_nothing_is_left = |ctx: Ctx| async move {
        let mut sent = 0;
        loop {
            match deliver(&ctx).await.expect("delivered") {
                0 => return sent,
                more => sent += more,
            }
        }
    };
    let sent: usize = join_all(workers.into_iter().map(until_nothing_is_left)).await.into_iter().sum();
    let recipients: Vec<String> = sink
        .taken()
        .iter()
        .filter_map(|mail| mail.lines().find_map(|line| line.strip_prefix("To: ")).map(str::to_owned))
        .collect();
    assert_eq!((sent, recipients.len(), recipients.iter().collect::<BTreeSet<_>>().len()), (MAILS, MAILS, MAILS));
    assert_eq!(db.number("select count(*) from mails where sent_at is null or attempts <> 1").await, 0);
}

#[tokio::test]
async fn what_a_worker_left_behind_is_taken_over_when_its_lease_is_over() {
    let db = TestDb::new().await;
    let sink = Sink::start().await;
    let ctx = relayed(&db, sink.port);
    put(&ctx, WorkspaceId::PLATFORM, "ana@example.com").await;
    let now = ctx.clock.now();
    let lost = queries::claim(&ctx.db.worker, BATCH, now, now + LEASE).await.expect("claimed");
    assert_eq!(lost.len(), 1);
    assert_eq!(deliver(&ctx).await, Ok(0), "somebody has it");
    ctx.clock.advance(LEASE);
    assert_eq!(deliver(&ctx).await, Ok(1));
    // The first worker comes back late and thinks that it failed: the mail is sent all the same.
    queries::retry(&ctx.db.worker, &lost[0], DeliveryError::Timeout, ctx.clock.now()).await.expect("too late");
    assert_eq!(state(&db).await, (2, "sent", None));
    assert_eq!((deliver(&ctx).await, sink.taken().len()), (Ok(0), 1));
}

#[tokio::test]
async fn what_does_not_open_is_given_up_in_the_end_and_stops_nobody_else() {
    let db = TestDb::new().await;
    let sink = Sink::start().await;
    let ctx = relayed(&db, sink.port);
    put(&ctx, WorkspaceId::PLATFORM, "ana@example.com").await;
    sqlx::query("update mails set sealed = overlay(sealed placing '\\x00' from octet_length(sealed))")
        .execute(&db.superuser)
        .await
        .expect("spoilt");
    put(&ctx, WorkspaceId::PLATFORM, "bo@example.com").await;
    assert_eq!(deliver(&ctx).await, Ok(2));
    assert_eq!(sink.taken().len(), 1);
    assert_eq!(db.number("select count(*) from mails where last_error = 'does not open'").await, 1);
}
