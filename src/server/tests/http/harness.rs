//! The console without a socket, and browsers and programs that call it.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Request, StatusCode, header},
};
use http_body_util::BodyExt;
use leptos::config::LeptosOptions;
use send0_core::{
    Actor,
    accounts::{self, Begun, Factor},
    allowlist::{Door, NewEntryText, operations as allowlist},
    api_keys::{NewKeyText, operations},
    audit_log::{
        Action, EventView, FilterText, exports,
        views::{self, ViewText},
    },
    compliance::{RequestText, requests},
    contacts::operations as contacts,
    egress::Egress,
    ids::{
        AllowlistEntryId, AuditViewId, ComplianceRequestId, ContactId, ExportId, InvitationId, KeyId, LegalHoldId,
        MemberId, NoticeId, StreamId, UserId, WorkspaceId,
    },
    invitations::operations as invitations,
    operators::operations::{NewOperator, create as create_operator},
    permissions::Role,
    retention::holds,
    secrets,
    streams::{self, StreamText},
    subprocessors::notices::tell,
    testing::{PASSWORD, Tenant, TestDb, request},
};
use send0_server::web::{Site, TrustedProxies, router};
use serde_json::Value;
use std::{collections::BTreeMap, net::SocketAddr};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// The origin that forms come from.
pub const ORIGIN: &str = "http://localhost:3000";

/// Where everybody is.
pub const HERE: [u8; 4] = [203, 0, 113, 7];

pub struct Console {
    pub db: TestDb,
    /// Ends what has no end of its own.
    pub stop: CancellationToken,
    router: Router,
    _site: TempDir,
}

impl Console {
    /// A console that nobody has set up.
    pub async fn new() -> Self {
        Self::with_mode(true).await
    }

    /// A console that runs under an origin that somebody has configured.
    pub async fn configured() -> Self {
        Self::with_mode(false).await
    }

    async fn with_mode(is_default: bool) -> Self {
        let mut db = TestDb::new().await;
        db.ctx = db.ctx.clone().reaching(Egress::to_public().to_loopback_too());
        let folder = tempfile::tempdir().expect("a folder for the site");
        std::fs::create_dir(folder.path().join("pkg")).expect("pkg");
        for (file, text) in [("favicon.svg", "<svg/>"), ("pkg/send0.css", "a{}")] {
            std::fs::write(folder.path().join(file), text).expect(file);
        }
        let root = folder.path().to_str().expect("a path").to_owned();
        let options = LeptosOptions::builder().output_name("send0").site_root(root).build();
        let proxies = TrustedProxies::parse("127.0.0.1, 10.0.0.0/8").expect("networks");
        let stop = CancellationToken::new();
        let site = Site { options, origin: ORIGIN.into(), is_default, proxies, stop: stop.clone() };
        Self { router: router(db.ctx.clone(), site), db, stop, _site: folder }
    }

    /// A console with the workspace Acme.
    pub async fn with_acme() -> (Self, Tenant) {
        let console = Self::new().await;
        let acme = console.db.workspace("Acme").await;
        (console, acme)
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        self.send_from(HERE, request).await
    }

    /// An answer whose body comes bit by bit.
    pub async fn begin(&self, mut request: Request<Body>) -> (StatusCode, Body) {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((HERE, 4242))));
        let answer = self.router.clone().oneshot(request).await.expect("a router does not fail");
        (answer.status(), answer.into_body())
    }

    /// As from another address.
    pub async fn send_from(&self, peer: [u8; 4], mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((peer, 4242))));
        let (parts, body) = self.router.clone().oneshot(request).await.expect("a router does not fail").into_parts();
        let body = body.collect().await.expect("the body").to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// A call of the API, with or without a key.
    pub async fn call(&self, method: &str, path: &str, key: Option<&str>) -> Answer {
        self.send(call(method, path, key).body(Body::empty()).expect("request")).await
    }

    /// A key with its id and its secret. `kind` is `live`, `test` or the scope of a restricted key.
    pub async fn key(&self, workspace: WorkspaceId, kind: &str) -> (KeyId, String) {
        self.key_for(workspace, kind, "").await
    }

    /// A key that lives so many days.
    pub async fn key_for(&self, workspace: WorkspaceId, kind: &str, days: &str) -> (KeyId, String) {
        let scopes = if kind.contains('.') { vec![kind.to_owned()] } else { vec![] };
        let kind = if kind.contains('.') { "restricted" } else { kind };
        let text = NewKeyText {
            name: format!("A {kind} key"),
            kind: kind.into(),
            scopes,
            lifetime: days.into(),
            ..NewKeyText::default()
        };
        let new = text.parse().expect("a valid key");
        let issued = operations::issue(&self.db.ctx, &Actor::cli(workspace, request()), new).await.expect("a key");
        (issued.id, issued.secret.expose().to_owned())
    }

    /// A notice of a new subprocessor, which every workspace has been told.
    pub async fn notice(&self, vendor: &str) -> NoticeId {
        let id = self.db.announced(vendor).await;
        tell(&self.db.ctx).await.expect("told");
        id
    }

    /// A view of the log for everybody in the workspace.
    pub async fn view(&self, tenant: &Tenant, name: &str) -> AuditViewId {
        let typed = ViewText { name: name.into(), query: "outcome:denied".into(), shared: true, ..ViewText::default() };
        views::save(&self.db.ctx, &Actor::cli(tenant.id(), request()), &typed).await.expect("a view").id
    }

    /// A legal hold, placed by the owner of the workspace.
    pub async fn legal_hold(&self, tenant: &Tenant, name: &str) -> LegalHoldId {
        holds::place(&self.db.ctx, &tenant.actor(Role::Owner), name).await.expect("a hold").id
    }

    /// A request about compliance, by the owner of the workspace.
    pub async fn compliance_request(&self, tenant: &Tenant) -> ComplianceRequestId {
        let typed = RequestText { kind: "dpa".into(), message: "By May.".into(), ..RequestText::default() };
        let owner = tenant.actor(Role::Owner);
        requests::make(&self.db.ctx, &owner, "owner@acme.example", &typed).await.expect("a request")
    }

    /// An entry in the draft of a list, added by the command line.
    pub async fn entry(&self, tenant: &Tenant, door: Door, cidr: &str) -> AllowlistEntryId {
        let text = NewEntryText { cidr: cidr.into(), ..NewEntryText::default() };
        let (cli, version) = (Actor::cli(tenant.id(), request()), self.version(tenant, door).await);
        let new = text.parse().expect("an entry");
        allowlist::add(&self.db.ctx, &cli, door, &version, new).await.expect("added")
    }

    /// Makes the draft of a list count, without a confirmation.
    pub async fn save(&self, tenant: &Tenant, door: Door) {
        let (cli, version) = (Actor::cli(tenant.id(), request()), self.version(tenant, door).await);
        allowlist::save(&self.db.ctx, &cli, door, &version).await.expect("saved");
    }

    /// The version of a list.
    pub async fn version(&self, tenant: &Tenant, door: Door) -> String {
        let cli = Actor::cli(tenant.id(), request());
        let list = allowlist::draft(&self.db.ctx, &cli, door, Action::PageViewed).await;
        list.expect("a list").version.to_string()
    }

    /// The membership of the first member with this role.
    pub async fn member_id(&self, tenant: &Tenant, role: Role) -> MemberId {
        let owner = Actor::cli(tenant.id(), request());
        let page = send0_core::members::operations::list(&self.db.ctx, &owner, None, 100, Action::PageViewed).await;
        let member = page.expect("members").members.into_iter().rev().find(|member| member.role == role);
        member.expect("a member of this role").id
    }

    /// The membership of a person.
    pub async fn member_of(&self, tenant: &Tenant, user: UserId) -> MemberId {
        let owner = Actor::cli(tenant.id(), request());
        let page = send0_core::members::operations::list(&self.db.ctx, &owner, None, 100, Action::PageViewed).await;
        page.expect("members").members.into_iter().find(|member| member.user_id == user).expect("a member").id
    }

    /// The contact with this address; named by the command line if there is none.
    pub async fn contact(&self, tenant: &Tenant, email: &str) -> ContactId {
        let cli = Actor::cli(tenant.id(), request());
        loop {
            let all = contacts::list(&self.db.ctx, &cli, Action::PageViewed).await.expect("contacts");
            if let Some(known) = all.into_iter().find(|contact| contact.email == email) {
                return known.id;
            }
            contacts::add(&self.db.ctx, &cli, email, &["keys".to_owned()]).await.expect("added");
        }
    }

    /// A stream called SIEM, the only one of the workspace, to a server on this machine that takes everything.
    pub async fn stream(&self, tenant: &Tenant) -> StreamId {
        self.run("delete from audit_streams").await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(|| async { "taken" })).await });
        let text = StreamText { kind: "https".into(), name: "SIEM".into(), url, ..StreamText::default() };
        let cli = Actor::cli(tenant.id(), request());
        streams::operations::create(&self.db.ctx, &cli, &text, |id| format!("/{id}")).await.expect("a stream").0
    }

    /// An export that waits to be written, begun by the owner of the workspace.
    pub async fn export(&self, tenant: &Tenant) -> ExportId {
        self.cancel_exports(tenant).await;
        let owner = tenant.actor(Role::Owner);
        exports::start(&self.db.ctx, &owner, "csv", &FilterText::default()).await.expect("an export")
    }

    /// Cancels what waits to be written: there is one at a time.
    pub async fn cancel_exports(&self, tenant: &Tenant) {
        let owner = tenant.actor(Role::Owner);
        let all = exports::list(&self.db.ctx, &owner).await.expect("exports");
        for one in all.into_iter().filter(|one| one.state.is_open()) {
            exports::cancel(&self.db.ctx, &owner, one.id).await.expect("cancelled");
        }
    }

    /// An answer whose body has still to be read.
    pub async fn open(&self, mut request: Request<Body>) -> axum::response::Response {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((HERE, 4242))));
        self.router.clone().oneshot(request).await.expect("a router does not fail")
    }

    /// An invitation that waits, made by the command line, with the token in its mail.
    pub async fn invitation(&self, tenant: &Tenant, email: &str, role: &str) -> (InvitationId, String) {
        let cli = Actor::cli(tenant.id(), request());
        invitations::invite(&self.db.ctx, &cli, email, role).await.expect("invited");
        let waiting = invitations::pending(&self.db.ctx, &cli, Action::PageViewed).await.expect("pending");
        let id = waiting.into_iter().find(|one| one.email == email).expect("it waits").id;
        (id, self.mailed_token(email).await)
    }

    /// The token in the link of the newest mail to an address.
    pub async fn mailed_token(&self, to: &str) -> String {
        let mails = send0_core::mail::operations::mailbox(&self.db.ctx).await.expect("mailbox");
        let link = mails.into_iter().find(|mail| mail.letter.to == to).and_then(|mail| mail.letter.link);
        link.expect("a link").rsplit('/').next().expect("a token").to_owned()
    }

    /// Where the logs and the data stand.
    pub async fn mark(&self, workspace: WorkspaceId) -> Mark {
        Mark {
            workspace,
            seq: self.db.seq(workspace).await,
            everywhere: self.events_everywhere().await,
            data: self.data().await,
        }
    }

    /// What was added to the log of the workspace since.
    pub async fn since(&self, mark: &Mark) -> Vec<EventView> {
        self.db.events_after(mark.workspace, mark.seq).await
    }

    /// Fails unless one event, and no other in any workspace, was added since. Gives it.
    pub async fn the_one_event(&self, mark: &Mark, what: &str) -> EventView {
        let mut events = self.since(mark).await;
        assert_eq!(events.len(), 1, "{what}: {events:#?}");
        assert_eq!(self.events_everywhere().await, mark.everywhere + 1, "{what}: an event somewhere else");
        events.remove(0)
    }

    /// Fails if anything but sessions, throttles and flashes has changed since.
    pub async fn nothing_changed(&self, mark: &Mark, what: &str) {
        assert_eq!(self.data().await, mark.data, "{what} changed something");
    }

    pub async fn events_everywhere(&self) -> i64 {
        self.db.number("select count(*) from audit_events").await
    }

    async fn data(&self) -> Option<String> {
        let all = "select string_agg(line, e'\n' order by line) from (
            select w::text as line from workspaces w union all select u::text from users u
            union all select a::text from (select workspace_id, member_id, user_id, role from members) a
            union all select i::text from invitations i union all select l::text from mails l union all select c::text from address_changes c
            union all select a::text from allowlists a union all select e::text from allowlist_entries e
            union all select n::text from subprocessor_notices n
            union all select r::text from (select workspace_id, notice_id, answer, reason, reply from workspace_notices) r
            union all select f::text from frameworks f union all select e::text from framework_evidence e
            union all select r::text from compliance_requests r union all select m::text from compliance_messages m
            union all select x::text from (select workspace_id, export_id, state from audit_exports) x
            union all select g::text from document_grants g union all select v::text from visitor_links v
            union all select s::text from (select workspace_id, stream_id, name, target, secret, state from audit_streams) s
            union all select o::text from contacts o union all select f::text from contact_directory f
            union all select d::text from key_directory d union all select t::text from setup_tokens t
            union all select k::text from (select key_id, name, kind, mode, scopes, created_at, expires_at, revoked_at, revoked_by from api_keys) k
        ) everything";
        sqlx::query_scalar(all).fetch_one(&self.db.superuser).await.expect("the data")
    }

    pub async fn run(&self, sql: &'static str) {
        sqlx::query(sql).execute(&self.db.superuser).await.expect(sql);
    }
}

pub struct Mark {
    workspace: WorkspaceId,
    seq: i64,
    everywhere: i64,
    data: Option<String>,
}

impl Mark {
    /// How many events there were, in all workspaces.
    pub fn everywhere(&self) -> i64 {
        self.everywhere
    }
}

/// A request of a program.
pub fn call(method: &str, path: &str, key: Option<&str>) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(path).header("user-agent", "tests");
    match key {
        Some(key) => request.header("authorization", format!("Bearer {key}")),
        None => request,
    }
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).expect("text")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The value of a header, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("readable"))
    }

    pub fn location(&self) -> &str {
        assert!(self.status == 303 || self.status == 302, "{} {}", self.status, self.text());
        self.header("location")
    }

    /// The whole `Set-Cookie` of a cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().expect("readable"));
        all.rfind(|value| value.split('=').next() == Some(name))
    }
}

/// Somebody's browser: keeps cookies, sends forms as browsers do.
#[derive(Clone, Default)]
pub struct Browser {
    pub cookies: BTreeMap<String, String>,
    /// Where it is, when it is not where everybody is.
    pub peer: Option<[u8; 4]>,
}

impl Browser {
    /// One of send0's staff, who has shown a second factor.
    pub async fn operator(console: &Console) -> Self {
        let new = NewOperator { name: "Ops".into(), email: "ops@send0.dev".into(), password: PASSWORD.into() };
        let user = create_operator(&console.db.ctx, &request(), new).await.expect("operator");
        let id = tower_sessions::session::Id::default().to_string();
        let begun = Begun::With(Factor::Totp);
        let hash = secrets::hash(&id);
        accounts::operations::start_session(&console.db.ctx, &request(), user, begun, &hash).await.expect("session");
        Self { cookies: [("__Host-session".to_owned(), id)].into(), peer: None }
    }

    /// Signed in through the form.
    pub async fn signed_in(console: &Console, email: &str) -> Self {
        let mut browser = Self::default();
        let answer = browser.sign_in(console, email, PASSWORD).await;
        assert_eq!(answer.location(), "/", "{email} signs in");
        browser
    }

    /// A member of this role, signed in.
    pub async fn member(console: &Console, tenant: &Tenant, role: Role) -> Self {
        if role != Role::Owner {
            console.db.member(tenant, role).await;
        }
        Self::signed_in(console, &format!("{role}@{}.example", tenant.made.slug)).await
    }

    pub async fn sign_in(&mut self, console: &Console, email: &str, password: &str) -> Answer {
        self.post(console, "sign_in", &[("_back", "/sign-in"), ("email", email), ("password", password), ("next", "")])
            .await
    }

    pub async fn get(&mut self, console: &Console, path: &str) -> Answer {
        self.get_with(console, path, &[]).await
    }

    pub async fn get_with(&mut self, console: &Console, path: &str, headers: &[(&str, &str)]) -> Answer {
        let accept = headers.iter().any(|(name, _)| *name == "accept");
        let mut request = Request::builder().uri(path).header("cookie", self.cookie_header());
        if !accept {
            request = request.header("accept", "text/html,application/xhtml+xml");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.sent(console, request.body(Body::empty()).expect("request")).await
    }

    /// Posts a form to the server function whose path ends with `/name`.
    pub async fn post(&mut self, console: &Console, name: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_as(console, name, fields, "text/html").await
    }

    /// As an island does: asks for JSON.
    pub async fn post_json(&mut self, console: &Console, name: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_as(console, name, fields, "application/json").await
    }

    async fn post_as(&mut self, console: &Console, name: &str, fields: &[(&str, &str)], accept: &str) -> Answer {
        let request = Request::builder()
            .method("POST")
            .uri(function(name))
            .header("accept", accept)
            .header("cookie", self.cookie_header())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", ORIGIN)
            .header("sec-fetch-site", "same-origin");
        let answer = self.sent(console, request.body(form(fields)).expect("request")).await;
        assert_ne!(answer.status, 302, "a form is answered by 303");
        answer
    }

    async fn sent(&mut self, console: &Console, request: Request<Body>) -> Answer {
        let answer = console.send_from(self.peer.unwrap_or(HERE), request).await;
        for value in answer.headers.get_all(header::SET_COOKIE) {
            let value = value.to_str().expect("readable");
            let (name, rest) = value.split_once('=').expect("a cookie");
            let content = rest.split(';').next().unwrap_or_default();
            if content.is_empty() || value.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), content.to_owned());
            }
        }
        answer
    }

    pub fn cookie_header(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub fn session(&self) -> &str {
        self.cookies.get("__Host-session").map_or("", String::as_str)
    }

    /// Whether the server takes this browser for somebody.
    pub async fn is_signed_in(&mut self, console: &Console) -> bool {
        let answer = self.get(console, "/").await;
        answer.location() != "/sign-in"
    }
}

pub fn form(fields: &[(&str, &str)]) -> Body {
    Body::from(form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
}

/// The path of the server function of this name.
pub fn function(name: &str) -> &'static str {
    let mut paths = app::access::FUNCTIONS.iter().map(|function| function.path);
    paths.find(|path| path.rsplit('/').next() == Some(name)).expect(name)
}

/// A route of the API with what it cannot do without.
pub fn route(path: &str, id: impl ToString) -> String {
    let query = if path.ends_with("/consistency") { "?from=1" } else { "" };
    path.replace("{id}", &id.to_string()) + query
}
