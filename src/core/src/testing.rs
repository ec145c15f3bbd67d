//! A database for each test: migrated once, copied for each, entered as the real roles with row-level security on.

use crate::{
    Actor, Ctx,
    accounts::{self, Factor, Proof, SignedIn},
    actor::{Request, Who},
    audit_log::{self, Action, EventView, Filter, Place},
    clock::Clock,
    compliance::documents::{self, NewDocument},
    database::{self, Logins, bootstrap},
    envelope::KeyFile,
    ids::{DocumentId, MemberId, NoticeId, RequestId, SessionId, UserId, WorkspaceId},
    mail::operations::mailbox,
    members,
    operators::operations::{NewOperator, create as create_operator},
    permissions::Role,
    subprocessors::{Kind, ProposalText, operations as subprocessors},
    workspaces::operations::{Established, NewOwner, create_owner},
};
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{
    future::poll_fn,
    pin::pin,
    str::FromStr,
    sync::{Arc, LazyLock},
    task::Poll,
};
use time::macros::datetime;
use uuid::Uuid;

/// The password of everybody in tests.
pub const PASSWORD: &str = "three small words";

/// The address of the operator in tests.
pub const OPERATOR: &str = "ops@send0.dev";

/// A proof that never grows old, for tests that are not about proofs.
pub const PROVEN: Proof = Proof { at: datetime!(2999-01-01 00:00 UTC), approved: None, approved_at: None };

/// A database of its own, and the means of a server on it.
pub struct TestDb {
    /// What operations are given.
    pub ctx: Ctx,
    /// Connects as the superuser, to look at what no login may see and to break things.
    pub superuser: PgPool,
    /// How to connect to this database; set another user to be somebody else.
    pub options: PgConnectOptions,
    _keys: tempfile_key::KeyDir,
}

impl TestDb {
    /// A new database on the server of `SEND0_TEST_POSTGRES`, a superuser's address.
    pub async fn new() -> Self {
        let server = server();
        let template = template(&server).await;
        let name = format!("t_{}", Uuid::new_v4().simple());
        let mut admin = PgConnection::connect_with(&server).await.expect("SEND0_TEST_POSTGRES answers");
        run(&mut admin, &format!("create database {name} template {template}")).await;
        let options = server.clone().database(&name);
        let keys = tempfile_key::KeyDir::new();
        let provider = KeyFile::create_if_missing(keys.path()).expect("key file");
        let ctx = Ctx::new(logins(&options), Arc::new(provider), Clock::default()).keeping(keys.folder());
        let superuser = PgPoolOptions::new().max_connections(4).connect_lazy_with(options.clone());
        Self { ctx, superuser, options, _keys: keys }
    }

    /// As one of the logins, in a connection of its own.
    pub async fn connect(&self, role: &str) -> PgConnection {
        PgConnection::connect_with(&self.options.clone().username(role)).await.expect("connect")
    }

    /// A workspace with an owner, whose address is `owner@<slug>.example`.
    pub async fn workspace(&self, name: &str) -> Tenant {
        let email = format!("owner@{}.example", crate::workspaces::slug_of(name));
        let new =
            NewOwner { workspace: name.into(), name: format!("Owner of {name}"), email, password: PASSWORD.into() };
        let made = create_owner(&self.ctx, &request(), new).await.expect("workspace");
        Tenant { made }
    }

    /// Somebody of send0's staff, with a session that is only claimed.
    pub async fn operator(&self) -> Actor {
        let new = NewOperator { name: "Ops".into(), email: OPERATOR.into(), password: PASSWORD.into() };
        let id = create_operator(&self.ctx, &request(), new).await.expect("operator");
        let who = Who::Operator { id, name: "Ops".into(), session: SessionId::new(), proof: PROVEN };
        Actor { workspace: WorkspaceId::PLATFORM, who, request: request() }
    }

    /// A document about compliance that can be handed out.
    pub async fn document(&self, content: &[u8]) -> DocumentId {
        let new = NewDocument {
            title: "SOC 2 report".into(),
            file_name: "soc2-2026.pdf".into(),
            terms: "Keep it to yourself.".into(),
            content: content.into(),
        };
        documents::add(&self.ctx, &Request::command("document add"), new).await.expect("added")
    }

    /// Subjects of the mails to an address, the oldest first.
    pub async fn subjects(&self, to: &str) -> Vec<String> {
        let all = mailbox(&self.ctx).await.expect("mailbox").into_iter();
        let mut subjects: Vec<String> =
            all.filter(|mail| mail.letter.to == to).map(|mail| mail.letter.subject).collect();
        subjects.reverse();
        subjects
    }

    /// The text of the newest mail to an address.
    pub async fn newest_letter(&self, to: &str) -> String {
        let all = mailbox(&self.ctx).await.expect("mailbox").into_iter();
        all.map(|mail| mail.letter).find(|letter| letter.to == to).expect("a mail").text
    }

    /// A draft of a notice of a new subprocessor.
    pub async fn drafted(&self, vendor: &str) -> NoticeId {
        let typed = ProposalText {
            vendor: vendor.into(),
            purpose: "Delivery".into(),
            data: "Messages".into(),
            regions: "global".into(),
            why: "Needed.".into(),
            effective_at: "2999-01-01".into(),
        };
        let ops = Actor::cli(WorkspaceId::PLATFORM, request());
        subprocessors::propose(&self.ctx, &ops, Kind::Add, None, &typed).await.expect("drafted")
    }

    /// A notice of a new subprocessor, which is public, and which nobody has been told yet.
    pub async fn announced(&self, vendor: &str) -> NoticeId {
        let id = self.drafted(vendor).await;
        let ops = Actor::cli(WorkspaceId::PLATFORM, request());
        subprocessors::publish(&self.ctx, &ops, id).await.expect("published");
        id
    }

    /// Everything in the log of a workspace, the oldest first.
    pub async fn events(&self, workspace: WorkspaceId) -> Vec<EventView> {
        self.events_after(workspace, 0).await
    }

    /// How many events are in the log of a workspace.
    pub async fn seq(&self, workspace: WorkspaceId) -> i64 {
        let seq = sqlx::query_scalar("select coalesce(max(seq), 0) from audit_events where workspace_id = $1");
        seq.bind(workspace.0).fetch_one(&self.superuser).await.expect("a number")
    }

    /// What is in the log of a workspace after this event, the oldest first.
    pub async fn events_after(&self, workspace: WorkspaceId, seq: i64) -> Vec<EventView> {
        let reader = Actor::cli(workspace, request());
        let (all, mut events, mut place) = (Filter::default(), vec![], Some(Place::Newer(seq)));
        while let Some(from) = place {
            let page = audit_log::operations::list(&self.ctx, &reader, &all, from, 100, Action::PageViewed);
            let page = page.await.expect("the log");
            page.events.iter().for_each(is_as_published);
            events.extend(page.events.into_iter().rev());
            place = page.newer.map(Place::Newer);
        }
        events
    }

    /// How many events of this action are in the log of a workspace.
    pub async fn count(&self, workspace: WorkspaceId, action: Action) -> usize {
        self.events(workspace).await.iter().filter(|event| event.action == action.as_str()).count()
    }

    /// The tables that hold this text anywhere: as it is, or as bytes, or in hexadecimal or base64.
    pub async fn tables_with(&self, text: &str) -> Vec<String> {
        let tables = "select oid::regclass::text from pg_class where relkind in ('r', 'p') and not relispartition
            and relnamespace = 'public'::regnamespace";
        let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&self.superuser).await.expect("tables");
        let mut found = vec![];
        for table in tables {
            let look = format!(
                "select exists (select from {table} t where t::text like '%' || $1 || '%'
                    or t::text ilike '%' || encode(convert_to($1, 'utf8'), 'hex') || '%'
                    or t::text like '%' || rtrim(encode(convert_to($1, 'utf8'), 'base64'), '=') || '%')"
            );
            let look = sqlx::query_scalar::<_, bool>(AssertSqlSafe(look)).bind(text);
            if look.fetch_one(&self.superuser).await.expect("look") {
                found.push(table);
            }
        }
        found
    }

    /// The token in the link of the newest mail to an address.
    pub async fn mailed_token(&self, to: &str) -> String {
        let mails = mailbox(&self.ctx).await.expect("mailbox");
        let link =
            mails.into_iter().find(|mail| mail.letter.to == to).and_then(|mail| mail.letter.link).expect("a link");
        assert!(link.starts_with("http://localhost:3000/"), "from the configured origin: {link}");
        link.rsplit('/').next().expect("a token").to_owned()
    }

    /// One number, asked as the superuser.
    pub async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.superuser).await.expect("number")
    }

    /// Waits until the statements of cancelled work are through, which the server carries on with for a while.
    pub async fn quiet(&self) {
        let busy = "select count(*) from pg_stat_activity where datname = current_database()
            and backend_type = 'client backend' and state <> 'idle' and pid <> pg_backend_pid()";
        while !self.ctx.db.is_idle() || self.number(busy).await > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Another member of the workspace, with a role.
    pub async fn member(&self, tenant: &Tenant, role: Role) -> UserId {
        self.member_named(tenant, role, role.as_str()).await
    }

    /// Somebody with a session that is only claimed.
    pub fn signed_in(&self, user: UserId, email: &str) -> SignedIn {
        SignedIn {
            user,
            name: "Somebody".into(),
            email: email.into(),
            session: SessionId::new(),
            time_zone: String::new(),
            theme: "system".into(),
            is_whole: true,
            factor: Factor::Password,
            proof: PROVEN,
        }
    }

    /// Another member of the workspace, with a role and what stands before the `@`.
    pub async fn member_named(&self, tenant: &Tenant, role: Role, local: &str) -> UserId {
        let (user, member) = (UserId::new(), MemberId::new());
        let email = format!("{local}@{}.example", tenant.made.slug);
        let hash = self.ctx.passwords.hash(PASSWORD.into()).await.expect("hash");
        let actor = Actor::cli(tenant.made.workspace, request());
        let mut tx = self.ctx.db.change(&actor).await.expect("begin");
        let now = self.ctx.clock.now();
        accounts::create_account(tx.conn(), user, &email, &format!("The {role}"), &hash, now).await.expect("account");
        members::insert(tx.conn(), tenant.made.workspace, member, user, role, now).await.expect("member");
        let event = crate::audit_log::Event::new(crate::audit_log::Action::MemberJoined).on("member", member, None);
        tx.commit(event).await.expect("commit");
        user
    }
}

/// A workspace made for a test.
pub struct Tenant {
    /// Its ids and its slug.
    pub made: Established,
}

impl Tenant {
    /// The first owner in this role, with a session that is only claimed.
    pub fn actor(&self, role: Role) -> Actor {
        self.acting(self.made.user, role)
    }

    /// This person in this role, with a session that is only claimed.
    pub fn acting(&self, user: UserId, role: Role) -> Actor {
        let who =
            Who::User { id: user, name: format!("The {role}"), role, session: Some(SessionId::new()), proof: PROVEN };
        Actor { workspace: self.made.workspace, who, request: request() }
    }

    /// The workspace.
    pub fn id(&self) -> WorkspaceId {
        self.made.workspace
    }
}

/// A request from nowhere in particular.
pub fn request() -> Request {
    Request::new(RequestId::new(), "POST", "/test", Some("203.0.113.7".into()), Some("test"))
}

/// Does the work until it had to wait so many times, then drops it, as a server does whose client went away. `None`
/// when it was dropped.
pub async fn abandoned<T>(work: impl Future<Output = T>, after: usize) -> Option<T> {
    let mut work = pin!(work);
    let mut left = after;
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// How to connect as each login, without passwords: the tests' server trusts its socket.
pub fn logins(options: &PgConnectOptions) -> Logins {
    let login = |role: &str| options.clone().username(role);
    Logins {
        app: login("send0_app"),
        auth: login("send0_auth"),
        worker: login("send0_worker"),
        auditor: login("send0_auditor"),
    }
}

fn server() -> PgConnectOptions {
    let url = std::env::var("SEND0_TEST_POSTGRES")
        .expect("SEND0_TEST_POSTGRES names a PostgreSQL superuser; `cargo xtask test` starts one");
    PgConnectOptions::from_str(&url).expect("SEND0_TEST_POSTGRES")
}

/// The migrated database that others are copied from. Tests run in many processes: the first makes it, the others wait.
async fn template(server: &PgConnectOptions) -> String {
    let name = format!("template_{}", database::fingerprint());
    let mut admin = PgConnection::connect_with(server).await.expect("SEND0_TEST_POSTGRES answers");
    run(&mut admin, "select pg_advisory_lock(7310)").await;
    let there: Option<i32> = sqlx::query_scalar("select 1 from pg_database where datname = $1")
        .bind(&name)
        .fetch_optional(&mut admin)
        .await
        .expect("look for the template");
    if there.is_none() {
        make_template(server, &mut admin, &name).await;
    }
    run(&mut admin, "select pg_advisory_unlock(7310)").await;
    name
}

async fn make_template(server: &PgConnectOptions, admin: &mut PgConnection, name: &str) {
    let unfinished = format!("{name}_unfinished");
    run(admin, bootstrap::ROLES).await;
    run(admin, &format!("drop database if exists {unfinished}")).await;
    run(admin, &format!("create database {unfinished} owner send0_owner")).await;
    let options = server.clone().database(&unfinished);
    let mut inside = PgConnection::connect_with(&options).await.expect("template");
    run(&mut inside, bootstrap::GRANTS).await;
    inside.close().await.expect("close");
    database::migrate(&options.username("send0_migrator")).await.expect("migrations");
    run(admin, &format!("alter database {unfinished} rename to {name}")).await;
}

/// Every event that a test reads is held against the schema that customers read.
fn is_as_published(event: &EventView) {
    static SCHEMA: LazyLock<jsonschema::Validator> =
        LazyLock::new(|| jsonschema::validator_for(&audit_log::schema::closed()).expect("a schema"));
    let event = serde_json::to_value(event).expect("JSON");
    let errors: Vec<String> = SCHEMA.iter_errors(&event).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{event} is not as published: {errors:?}");
}

async fn run(connection: &mut PgConnection, sql: &str) {
    connection.execute(AssertSqlSafe(sql)).await.expect("statement");
}

mod tempfile_key {
    use std::path::PathBuf;

    /// A folder for a key file, gone at the end.
    pub struct KeyDir(PathBuf);

    impl KeyDir {
        pub fn new() -> Self {
            let dir = std::env::temp_dir().join(format!("send0-keys-{}", uuid::Uuid::new_v4().simple()));
            std::fs::create_dir(&dir).expect("folder for keys");
            Self(dir)
        }

        pub fn folder(&self) -> &std::path::Path {
            &self.0
        }

        pub fn path(&self) -> PathBuf {
            self.0.join("keys")
        }
    }

    impl Drop for KeyDir {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
