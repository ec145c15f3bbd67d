//! Tenancy, asked of the catalogue: a new table is either protected and tried here, or a test fails.

use super::{AccountTx, Database, transactions::begin};
use crate::{
    allowlist::{self, Door, NewEntryText},
    api_keys::{NewKeyText, operations::issue},
    audit_log::{
        Action, Event, FilterText, exports, index,
        views::{self, ViewText},
    },
    compliance::{RequestText, requests},
    envelope::Place,
    invitations::operations::invite,
    permissions::Role,
    sealing::operations::seal_all,
    streams::{self, StreamText},
    subprocessors::notices::tell,
    testing::{Tenant, TestDb, abandoned, logins},
};
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::collections::BTreeSet;
use tokio::net::{UnixListener, UnixStream};
use uuid::Uuid;

/// The tables that belong to no tenant, and why. Every other one is a tenant's.
const OUTSIDE: [(&str, &str); 29] = [
    ("workspace_directory", "finds the workspace of a slug"),
    ("member_directory", "finds the workspaces of a person"),
    ("users", "a person is in several workspaces"),
    ("sessions", "belongs to a person, and is found before the tenant is known"),
    ("setup_tokens", "before there is any workspace"),
    ("throttles", "counts attempts of nobody known"),
    ("flashes", "found by a cookie before the tenant is known"),
    ("key_directory", "finds the workspace of a key"),
    ("invitation_directory", "finds the invitation of a token"),
    ("mails", "of workspaces and of accounts, sealed; no login reads it"),
    ("address_changes", "belongs to a person"),
    ("totp_factors", "belongs to a person"),
    ("recovery_codes", "belongs to a person"),
    ("passkeys", "belongs to a person, and is found before anybody is signed in"),
    ("ceremonies", "found by a cookie before anybody is signed in"),
    ("password_resets", "belongs to a person"),
    ("known_devices", "belongs to a person"),
    ("contact_directory", "finds the security contact of a token"),
    ("operators", "send0's own staff"),
    ("subscribers", "visitors"),
    ("subscriber_notices", "what visitors were told"),
    ("subprocessors", "public"),
    ("subprocessor_notices", "public, once published"),
    ("frameworks", "public"),
    ("framework_evidence", "public"),
    ("documents", "handed out one by one, sealed; no login reads what they hold"),
    ("document_grants", "who may have which document"),
    ("visitor_links", "found by a cookie; what visitors wrote and have not sent"),
    ("_sqlx_migrations", "what the migrator has done"),
];

/// What the web server and its jobs log in as.
const LOGINS: [&str; 4] = ["send0_app", "send0_auth", "send0_worker", "send0_auditor"];

async fn run(conn: &mut PgConnection, sql: &str) {
    conn.execute(AssertSqlSafe(sql)).await.expect(sql);
}

async fn texts(conn: &mut PgConnection, sql: &str) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(conn).await.expect(sql)
}

async fn truth(conn: &mut PgConnection, sql: &str) -> bool {
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(conn).await.expect(sql)
}

/// The tenants' tables, as the catalogue has them.
async fn tenant_tables(conn: &mut PgConnection) -> Vec<String> {
    texts(conn, &format!("{} select relname::text from tenant order by 1", tenant())).await
}

fn tenant() -> String {
    let outside = OUTSIDE.map(|(table, _)| format!("'{table}'")).join(", ");
    format!(
        "with tenant as (
            select * from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
                and not relispartition and relname not in ({outside}))"
    )
}

/// The policy that every login's look at a tenant table goes through.
const POLICY: &str = "(workspace_id = (NULLIF(current_setting('send0.workspace_id'::text, true), ''::text))::uuid)";

/// The tables that the catalogue does not show to be protected, and what is missing.
async fn unprotected(conn: &mut PgConnection) -> Vec<String> {
    let policy = POLICY.replace('\'', "''");
    let narrow = "array['send0_log'::regrole, 'send0_lookup'::regrole]::oid[]";
    texts(conn, &format!("{tenant}
        select relname || ': no workspace_id uuid not null' from tenant t where not exists (
            select from pg_attribute where attrelid = t.oid and attname = 'workspace_id' and attnotnull and atttypid = 'uuid'::regtype)
        union all select relname || ': row-level security is off' from tenant where not relrowsecurity
        union all select relname || ': row-level security is not forced' from tenant where not relforcerowsecurity
        union all select relname || ': no primary key' from tenant t where not exists (
            select from pg_index where indrelid = t.oid and indisprimary)
        union all select i.indexrelid::regclass || ': does not begin with workspace_id'
            from tenant t join pg_index i on i.indrelid = t.oid
            left join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]
            where a.attname is distinct from 'workspace_id'
        union all select k.conname || ': a foreign key that leaves the tenant'
            from pg_constraint k where k.contype = 'f' and exists (select from tenant t where t.oid in (k.conrelid, k.confrelid))
            and not ('workspace_id' = (select attname from pg_attribute where attrelid = k.conrelid and attnum = k.conkey[1])
                and 'workspace_id' = (select attname from pg_attribute where attrelid = k.confrelid and attnum = k.confkey[1]))
        union all select relname || ': no policy for any login' from tenant t where not exists (
            select from pg_policy p where p.polrelid = t.oid and not p.polroles <@ {narrow})
        union all select relname || '.' || polname || ': shows other rows than the workspace''s'
            from tenant t join pg_policy p on p.polrelid = t.oid
            where not p.polroles <@ {narrow} and polcmd <> 'a' and pg_get_expr(polqual, polrelid) is distinct from '{policy}'
        union all select relname || '.' || polname || ': lets other rows in than the workspace''s'
            from tenant t join pg_policy p on p.polrelid = t.oid
            where not p.polroles <@ {narrow} and polcmd in ('a', 'w', '*') and pg_get_expr(polwithcheck, polrelid) is distinct from '{policy}'
        union all select c.relname || ': a partition that is not closed' from pg_class c
            where c.relnamespace = 'public'::regnamespace and c.relispartition and c.relkind in ('r', 'p')
            and (not c.relrowsecurity or not c.relforcerowsecurity or exists (select from pg_policy where polrelid = c.oid)
                or exists (select from aclexplode(c.relacl) where grantee <> c.relowner)
                or exists (select from pg_attribute where attrelid = c.oid and attacl is not null))
        ", tenant = tenant())).await
}

/// One tenant's row of a table, as JSON.
async fn row_of(conn: &mut PgConnection, table: &str, tenant: Uuid) -> String {
    let sql = format!("select to_jsonb(t)::text from {table} t where workspace_id = '{tenant}' limit 1");
    let rows = texts(conn, &sql).await;
    rows.into_iter()
        .next()
        .unwrap_or_else(|| panic!("nothing is seeded in {table}: give both tenants a row in `seeded`"))
}

/// What is tried on one table.
struct Trial {
    table: String,
    /// Whose setting is made.
    ours: Uuid,
    /// Whose rows must stay out of reach.
    theirs: Uuid,
    our_rows: u64,
    their_row: String,
}

/// Every tenant table with the rows of two tenants. Fails when a table has none.
async fn trials(conn: &mut PgConnection, ours: Uuid, theirs: Uuid) -> Vec<Trial> {
    let mut trials = vec![];
    for table in tenant_tables(conn).await {
        let their_row = row_of(conn, &table, theirs).await;
        row_of(conn, &table, ours).await;
        let our_rows = format!("select workspace_id from {table} where workspace_id = '{ours}'");
        let our_rows = conn.execute(AssertSqlSafe(our_rows)).await.expect("count").rows_affected();
        trials.push(Trial { table, ours, theirs, our_rows, their_row });
    }
    trials
}

impl Trial {
    /// Rows touched or returned, or the state of the refusal. Nothing stays.
    async fn probe(
        &self,
        conn: &mut PgConnection,
        role: &str,
        setting: Option<&str>,
        sql: &str,
    ) -> Result<u64, String> {
        let mut tx = conn.begin().await.expect("begin");
        run(&mut tx, &format!("set local role {role}")).await;
        if let Some(setting) = setting {
            run(&mut tx, &format!("set local send0.workspace_id = '{setting}'")).await;
        }
        let done = tx.execute(AssertSqlSafe(sql)).await;
        let done = done.map(|done| done.rows_affected()).map_err(|error| {
            error.as_database_error().and_then(|error| error.code()).expect("refused by the database").into_owned()
        });
        tx.rollback().await.expect("rollback");
        done
    }

    /// Every way in which this login reaches another tenant's rows, or does not reach its own.
    async fn leaks(&self, conn: &mut PgConnection, role: &str) -> Vec<String> {
        let Self { table, ours, theirs, our_rows, their_row } = self;
        let mut holds = async |privilege: &str| {
            truth(conn, &format!("select has_table_privilege('{role}', '{table}', '{privilege}')")).await
        };
        let (reads, inserts, deletes) = (holds("select").await, holds("insert").await, holds("delete").await);
        let updatable = format!(
            "select attname::text from pg_attribute where attrelid = '{table}'::regclass and attnum > 0
                and has_column_privilege('{role}', attrelid, attnum, 'update') order by attnum desc"
        );
        let updatable = texts(conn, &updatable).await;
        let refused = || Err("42501".to_owned());
        let unless = |privilege: bool, expected: u64| if privilege { Ok(expected) } else { refused() };
        let mut leaks = vec![];

        let a = Some(ours.to_string());
        let all = format!("select workspace_id from {table}");
        let nobody = Uuid::new_v4().to_string();
        for (setting, expected) in [
            (None, unless(reads, 0)),
            (a.as_deref(), unless(reads, *our_rows)),
            (Some(nobody.as_str()), unless(reads, 0)),
            (Some(""), unless(reads, 0)),
        ] {
            let got = self.probe(conn, role, setting, &all).await;
            if got != expected {
                leaks.push(format!("{role} selects from {table} with {setting:?}: {got:?}, not {expected:?}"));
            }
        }

        // What is not a workspace is an error (for the planner already, before anybody asks for rights), never a guess.
        let garbage = self.probe(conn, role, Some("garbage"), &all).await;
        if garbage != Err("22P02".into()) && (reads || garbage != refused()) {
            leaks.push(format!("{role} selects from {table} with a garbage setting: {garbage:?}"));
        }

        let column = updatable.first().map_or("workspace_id", String::as_str);
        let of = format!("where workspace_id = '{theirs}'");
        let insert = |row: &str| {
            format!("insert into {table} select * from jsonb_populate_record(null::{table}, $row${row}$row$)")
        };
        let our_row = their_row.replace(&theirs.to_string(), &ours.to_string());
        for (what, sql, expected) in [
            ("selects theirs", format!("{all} {of}"), unless(reads, 0)),
            (
                "updates theirs",
                format!("update {table} set {column} = {column} {of}"),
                unless(!updatable.is_empty(), 0),
            ),
            (
                "updates all",
                format!("update {table} set {column} = {column}"),
                unless(!updatable.is_empty(), *our_rows),
            ),
            ("deletes theirs", format!("delete from {table} {of}"), unless(deletes, 0)),
            ("deletes all", format!("delete from {table}"), unless(deletes, *our_rows)),
            ("inserts theirs", insert(their_row), refused()),
            ("gives one away", format!("update {table} set workspace_id = '{theirs}'"), refused()),
            ("truncates", format!("truncate {table}"), refused()),
        ] {
            let got = self.probe(conn, role, a.as_deref(), &sql).await;
            if got != expected {
                leaks.push(format!("{role} {what} in {table}: {got:?}, not {expected:?}"));
            }
        }
        // That the refusal above is not about the row: as our own it goes in, or there is one like it already.
        let own = self.probe(conn, role, a.as_deref(), &insert(&our_row)).await;
        let in_order = if inserts { own == Ok(1) || own == Err("23505".into()) } else { own == refused() };
        if !in_order {
            leaks.push(format!("{role} inserts a row of its own into {table}: {own:?}"));
        }
        leaks
    }

    /// Row-level security is forced on the owner of the tables too, for whom there is no policy.
    async fn seen_by_owner(&self, conn: &mut PgConnection) -> Vec<String> {
        let Self { table, ours, their_row, .. } = self;
        let ours = ours.to_string();
        let mut seen = vec![];
        for (sql, expected) in [
            (format!("select workspace_id from {table}"), Ok(0)),
            (format!("delete from {table}"), Ok(0)),
            (format!("update {table} set workspace_id = workspace_id"), Ok(0)),
            (
                format!(
                    "insert into {table} select * from jsonb_populate_record(null::{table}, $row${their_row}$row$)"
                ),
                Err("42501".to_owned()),
            ),
        ] {
            let got = self.probe(conn, "send0_owner", Some(&ours), &sql).await;
            if got != expected {
                seen.push(format!("send0_owner: {sql}: {got:?}"));
            }
        }
        seen
    }
}

/// Two tenants with a row in every table.
async fn seeded(db: &TestDb) -> [Tenant; 2] {
    let tenants = [db.workspace("Alpha").await, db.workspace("Beta").await];
    for tenant in &tenants {
        let owner = tenant.actor(Role::Owner);
        let key = NewKeyText { name: "Key".into(), kind: "live".into(), ..NewKeyText::default() };
        issue(&db.ctx, &owner, key.parse().expect("key")).await.expect("issue");
        let place = Place { workspace: tenant.id().0, table: "test", column: "test", row: b"row" };
        db.ctx.vault.seal(tenant.id(), &place, b"text").await.expect("seal");
        invite(&db.ctx, &owner, "waits@example.com", "viewer").await.expect("invite");
        let entry = NewEntryText { cidr: "203.0.113.0/24".into(), ..NewEntryText::default() }.parse().expect("entry");
        allowlist::operations::add(&db.ctx, &owner, Door::Dashboard, "0", entry).await.expect("added");
        let asked = RequestText { kind: "dpa".into(), message: "Please".into(), ..RequestText::default() };
        requests::make(&db.ctx, &owner, "owner@example.com", &asked).await.expect("asked");
        exports::start(&db.ctx, &owner, "csv", &FilterText::default()).await.expect("begun");
        let view = ViewText { name: "Refusals".into(), query: "outcome:denied".into(), ..ViewText::default() };
        views::save(&db.ctx, &owner, &view).await.expect("saved");
        let (name, url) = ("SIEM".into(), "https://siem.example.com".into());
        let to = StreamText { kind: "https".into(), name, url, ..StreamText::default() };
        streams::operations::create(&db.ctx, &owner, &to, |_| "/secret".into()).await.expect("a stream");
    }
    db.announced("Acme Mail").await;
    tell(&db.ctx).await.expect("both are told");
    seal_all(&db.ctx).await.expect("sealed");
    for tenant in &tenants {
        sealed_long_ago(db, tenant.id().0).await;
    }
    while index::take_in(&db.ctx).await.expect("the worker") > 0 {}
    tenants
}

/// What only a log of more than a year has.
async fn sealed_long_ago(db: &TestDb, workspace: Uuid) {
    let rows = format!(
        "begin; alter table audit_floors disable trigger demand_a_seal;
         insert into audit_floors values ('{workspace}', 257);
         alter table audit_floors enable always trigger demand_a_seal;
         insert into audit_prunes values ('{workspace}', 257, 1, now(), now(), 'note');
         insert into retention values ('{workspace}', 365);
         insert into legal_holds values ('{workspace}', gen_random_uuid(), 'Matter 12', null, now());
         insert into audit_checks values ('{workspace}', 1, now(), 1);
         insert into audit_tiles values ('{workspace}', 0, 0, decode(repeat('00', 8192), 'hex')); commit"
    );
    db.superuser.execute(AssertSqlSafe(rows)).await.expect("rows");
}

// (a) The catalogue ------------------------------------------------------------------------------------------------

#[tokio::test]
async fn every_table_is_a_protected_tenants_or_excused() {
    let db = TestDb::new().await;
    let mut conn = db.connect(db.options.get_username()).await;
    assert_eq!(unprotected(&mut conn).await, Vec::<String>::new());
    let tenants = [
        "allowlist_entries",
        "allowlists",
        "api_keys",
        "audit_checks",
        "audit_events",
        "audit_exports",
        "audit_floors",
        "audit_heads",
        "audit_prunes",
        "audit_search",
        "audit_search_heads",
        "audit_streams",
        "audit_targets",
        "audit_tiles",
        "audit_trees",
        "audit_views",
        "compliance_messages",
        "compliance_requests",
        "contacts",
        "data_keys",
        "invitations",
        "legal_holds",
        "members",
        "notice_deliveries",
        "policies",
        "retention",
        "workspace_notices",
        "workspaces",
    ];
    assert_eq!(tenant_tables(&mut conn).await, tenants, "a new table: is it a tenant's?");
    for (table, reason) in OUTSIDE {
        let there = truth(&mut conn, &format!("select to_regclass('{table}') is not null")).await;
        assert!(there && !reason.is_empty(), "{table} is excused, but is not there");
    }
    let partitions =
        texts(&mut conn, "select relname::text from pg_class where relispartition and relkind = 'r'").await;
    assert_eq!(partitions.len(), 16);
    let others = "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind not in ('r', 'p', 'i', 'I')";
    assert_eq!(
        texts(&mut conn, others).await,
        Vec::<String>::new(),
        "views, sequences and foreign tables need thought of their own"
    );
}

#[tokio::test]
async fn the_owner_owns_everything_and_nobody_can_be_it_but_the_migrator() {
    let db = TestDb::new().await;
    let mut conn = db.connect(db.options.get_username()).await;
    let foreign = "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relowner <> 'send0_owner'::regrole
        union all select typname::text from pg_type where typnamespace = 'public'::regnamespace and typowner <> 'send0_owner'::regrole
        union all select proname::text from pg_proc where pronamespace = 'public'::regnamespace
            and proowner not in ('send0_owner'::regrole, 'send0_log'::regrole, 'send0_lookup'::regrole)
        union all select 'default privileges' from pg_default_acl";
    assert_eq!(texts(&mut conn, foreign).await, Vec::<String>::new());

    let roles = "select concat_ws(' ', rolname, case when rolcanlogin then 'login' end, case when rolinherit then 'inherit' end,
            case when rolsuper then 'superuser' end, case when rolbypassrls then 'bypassrls' end, case when rolcreaterole then 'createrole' end,
            case when rolcreatedb then 'createdb' end, case when rolreplication then 'replication' end)
        from pg_roles where rolname like 'send0\\_%' order by 1";
    let expected = [
        "send0_app login",
        "send0_auditor login",
        "send0_auth login",
        "send0_backup login inherit bypassrls",
        "send0_log",
        "send0_lookup",
        "send0_migrator login",
        "send0_owner",
        "send0_worker login",
    ];
    assert_eq!(texts(&mut conn, roles).await, expected);

    let memberships = "select concat_ws(' ', member::regrole, 'is in', roleid::regrole, case when admin_option then 'and may admit' end)
        from pg_auth_members where member::regrole::text like 'send0\\_%' or roleid::regrole::text like 'send0\\_%' order by 1";
    let expected = [
        "send0_backup is in pg_read_all_data",
        "send0_migrator is in send0_owner",
        "send0_owner is in send0_log",
        "send0_owner is in send0_lookup",
    ];
    assert_eq!(texts(&mut conn, memberships).await, expected);

    let schema = "select concat_ws(' ', coalesce(r.rolname, 'public'), string_agg(lower(a.privilege_type), ' ' order by a.privilege_type))
        from pg_namespace n, aclexplode(n.nspacl) a left join pg_roles r on r.oid = a.grantee
        where n.nspname = 'public' and a.grantee <> n.nspowner group by r.rolname order by 1";
    let expected = [
        "send0_app usage",
        "send0_auditor usage",
        "send0_auth usage",
        "send0_backup usage",
        "send0_log create usage",
        "send0_lookup create usage",
        "send0_migrator usage",
        "send0_worker usage",
    ];
    assert_eq!(texts(&mut conn, schema).await, expected);
}

/// Role, table, verbs: by hand. Whoever adds a right adds it here, and says why in the review.
const RIGHTS: &str = "
    send0_app      workspaces           select insert update
    send0_app      members              select insert update delete
    send0_app      data_keys            select insert
    send0_app      api_keys             select insert update(revoked_at) update(revoked_by) update(reason) update(responsible)
    send0_app      invitations          select insert update delete
    send0_app      allowlists           select insert update(version) update(draft_decide_by) update(decide_by) update(previous_decide_by) update(reverts_at)
    send0_app      allowlist_entries    select insert delete update(in_draft) update(in_force) update(in_previous)
    send0_app      policies             select insert update
    send0_app      retention            select insert update
    send0_app      legal_holds          select insert update(released_at)
    send0_log      legal_holds          select
    send0_lookup   legal_holds          select
    send0_app      contacts             select insert delete update(kinds) update(confirmed_at) update(expires_at) update(tested_at)
    send0_app      workspace_notices    select insert update(told) update(told_of) update(seen_at) update(answer) update(reason) update(answered_by) update(answered_at) update(reply) update(replied_at)
    send0_app      notice_deliveries    select insert
    send0_app      subprocessors        select insert update
    send0_app      subprocessor_notices select insert update delete
    send0_app      frameworks           select update
    send0_app      framework_evidence   select insert update(removed_at)
    send0_app      documents            insert select(document_id) select(retired_at) update(retired_at)
    send0_app      compliance_requests  select insert update(state) update(changed_at)
    send0_app      compliance_messages  select insert
    send0_app      audit_exports        select insert update(state) update(next_seq) update(rows) update(bytes) update(sha256) update(receipt) update(finished_at) update(expires_at)
    send0_lookup   audit_exports        select delete update(state) update(next_seq) update(rows) update(bytes) update(file_id) update(attempts) update(leased_until)
    send0_app      audit_events         select
    send0_app      audit_streams        select insert delete update(name) update(target) update(authorities) update(secret) update(state) update(next_seq) update(batch_to) update(checkpoint_size) update(lease) update(due_at) update(attempts) update(last_ok_at) update(failing_since) update(last_error) update(is_failing) update(told_at) update(tested_at)
    send0_lookup   audit_streams        select update(next_seq) update(batch_to) update(checkpoint_size) update(lease) update(due_at) update(attempts) update(last_ok_at) update(failing_since) update(last_error)
    send0_lookup   audit_trees          select
    send0_auth     frameworks           select
    send0_auth     framework_evidence   select
    send0_auth     documents            select(document_id) select(title) select(file_name) select(media_type) select(size) select(sha256) select(added_at) select(retired_at)
    send0_lookup   documents            select
    send0_lookup   document_grants      select insert update
    send0_lookup   compliance_requests  select update(name) update(email)
    send0_lookup   compliance_messages  select update(author)
    send0_lookup   visitor_links        select insert update delete
    send0_auth     subprocessors        select
    send0_auth     subprocessor_notices select
    send0_worker   subprocessors        select
    send0_worker   subprocessor_notices select
    send0_lookup   subprocessors        select
    send0_lookup   subprocessor_notices select
    send0_lookup   workspace_notices    select
    send0_lookup   notice_deliveries    select update(attempts) update(last_error) update(delivered_at) update(failed_at)
    send0_lookup   operators            select insert delete
    send0_lookup   subscribers          select insert update delete
    send0_lookup   subscriber_notices   select insert update delete
    send0_app      audit_views          select insert delete update(name) update(query) update(is_default)
    send0_auditor  audit_search         select
    send0_auditor  audit_targets        select
    send0_auditor  audit_search_heads   select
    send0_lookup   audit_search         select insert delete update(text) update(address)
    send0_lookup   audit_targets        select insert delete
    send0_lookup   audit_search_heads   select insert update(done)
    send0_lookup   audit_events         select(workspace_id) select(seq) select(personal)
    send0_lookup   audit_heads          select(workspace_id) select(next_seq)
    send0_auditor  audit_events         select
    send0_auditor  audit_heads          select
    send0_auditor  audit_checks         select
    send0_auditor  audit_floors         select
    send0_auditor  audit_prunes         select
    send0_auditor  audit_tiles          select
    send0_auditor  audit_trees          select
    send0_log      audit_checks         select insert update
    send0_log      audit_floors         select insert update
    send0_log      audit_prunes         select insert
    send0_log      audit_tiles          select insert
    send0_log      audit_trees          select insert update
    send0_log      audit_events         select insert delete update(personal) update(salt)
    send0_log      audit_heads          select insert update
    send0_lookup   workspaces           select
    send0_lookup   members              select update(last_seen_at)
    send0_lookup   invitations          select
    send0_lookup   policies             select
    send0_lookup   allowlists           select
    send0_lookup   allowlist_entries    select
    send0_lookup   api_keys             select update(last_used_at)
    send0_lookup   workspace_directory  select insert
    send0_lookup   member_directory     select insert delete
    send0_lookup   invitation_directory select insert delete
    send0_lookup   contacts             select
    send0_lookup   contact_directory    select insert delete
    send0_lookup   mails                select insert delete update(attempts) update(next_at) update(sent_at) update(last_error)
    send0_lookup   address_changes      select insert update delete
    send0_lookup   totp_factors         select insert update delete
    send0_lookup   passkeys             select insert update delete
    send0_lookup   recovery_codes       select insert delete
    send0_lookup   ceremonies           select insert delete
    send0_lookup   known_devices        select insert update delete
    send0_lookup   password_resets      select insert delete
    send0_lookup   key_directory        select insert
    send0_lookup   users                select insert delete update(name) update(email) update(password_hash) update(time_zone) update(theme) update(disabled_at)
    send0_lookup   sessions             select insert update delete
    send0_lookup   setup_tokens         select insert update delete
    send0_lookup   throttles            select insert update delete
    send0_lookup   flashes              select insert update delete
    send0_lookup   audit_views          select delete
";

#[tokio::test]
async fn each_role_has_the_rights_of_the_list_and_no_other() {
    let db = TestDb::new().await;
    let mut conn = db.connect(db.options.get_username()).await;
    let granted = "
        select concat_ws(' ', coalesce(r.rolname, 'public'), c.relname, lower(a.privilege_type) || case when a.is_grantable then ' and may grant it' else '' end)
            from pg_class c, aclexplode(c.relacl) a left join pg_roles r on r.oid = a.grantee
            where c.relnamespace = 'public'::regnamespace and a.grantee <> c.relowner
        union all
        select concat_ws(' ', coalesce(r.rolname, 'public'), c.relname, lower(a.privilege_type) || '(' || t.attname || ')' || case when a.is_grantable then ' and may grant it' else '' end)
            from pg_attribute t join pg_class c on c.oid = t.attrelid, aclexplode(t.attacl) a left join pg_roles r on r.oid = a.grantee
            where c.relnamespace = 'public'::regnamespace and a.grantee <> c.relowner";
    let granted: BTreeSet<String> = texts(&mut conn, granted).await.into_iter().collect();
    let agreed: BTreeSet<String> = RIGHTS
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?, words))
        })
        .flat_map(|(role, table, verbs)| verbs.map(move |verb| format!("{role} {table} {verb}")))
        .collect();
    assert_eq!(granted, agreed);
}

/// Function, owner, who may call it: by hand.
const FUNCTIONS: &str = "
    account_addresses            send0_lookup
    account_create               send0_lookup  send0_app
    account_disable              send0_lookup  send0_auth
    account_enable               send0_lookup  send0_auth
    account_erase                send0_lookup  send0_auth
    account_erasure_awaits       send0_lookup  send0_auth
    account_find                 send0_lookup  send0_auth
    account_is_disabled          send0_lookup  send0_auth
    account_lock                 send0_lookup  send0_auth
    account_memberships          send0_lookup  send0_auth
    account_password             send0_lookup  send0_auth
    account_set                  send0_lookup  send0_auth
    account_set_password         send0_lookup  send0_auth
    address_change_cancel        send0_lookup  send0_auth
    address_change_confirm       send0_lookup  send0_auth
    address_change_find          send0_lookup  send0_auth
    address_change_pending       send0_lookup  send0_auth
    address_change_start         send0_lookup  send0_auth
    allowlist_verdict            send0_lookup  send0_auth
    allowlists_overdue           send0_lookup  send0_worker
    append_event                 send0_log     send0_app
    append_events                send0_log     send0_auth
    append_platform_event        send0_log     send0_app
    audit_addresses              send0_log     send0_lookup
    audit_checked                send0_log     send0_worker
    audit_erase                  send0_log     send0_lookup
    audit_events_are_append_only send0_owner
    audit_export_claim           send0_lookup  send0_worker
    audit_export_progress        send0_lookup  send0_worker
    audit_exports_sweep          send0_lookup  send0_worker
    audit_floors_demand_a_seal   send0_owner
    audit_floors_demand_no_hold  send0_owner
    audit_logs                   send0_log     send0_worker
    audit_prune                  send0_log     send0_app
    audit_seal                   send0_log     send0_worker
    audit_search_due             send0_lookup  send0_worker
    audit_search_find            send0_lookup  send0_auditor
    audit_search_keeps_up        send0_lookup
    audit_search_put             send0_lookup  send0_worker
    audit_search_tidy            send0_owner  send0_worker
    audit_seq_at                 send0_owner  send0_app send0_auditor
    audit_stream_failed          send0_lookup  send0_worker
    audit_stream_sent            send0_lookup  send0_worker
    audit_streams_claim          send0_lookup  send0_worker
    audit_sweep                  send0_log     send0_worker
    audit_tiles_never_change     send0_owner
    audit_trees_only_grow        send0_owner
    audit_unsealed               send0_log     send0_worker
    ceremony_put                 send0_lookup  send0_auth
    ceremony_take                send0_lookup  send0_auth
    compliance_requests_all      send0_lookup  send0_app
    contact_find                 send0_lookup  send0_auth
    contact_register             send0_lookup  send0_app
    contact_take                 send0_lookup  send0_app
    contact_unregister           send0_lookup  send0_app
    demo_clock_begin             send0_log    send0_migrator
    demo_clock_set               send0_log    send0_migrator
    device_seen                  send0_lookup  send0_auth
    document_grant_accept        send0_lookup  send0_app
    document_grant_add           send0_lookup  send0_app
    document_grant_find          send0_lookup  send0_auth
    document_grant_open          send0_lookup  send0_app
    document_grant_revoke        send0_lookup  send0_app
    document_grants_of           send0_lookup  send0_app
    erasure_awaits               send0_lookup
    expired_purge                send0_lookup  send0_worker
    factors_of                   send0_lookup  send0_auth
    factors_purge                send0_lookup  send0_worker
    flash_put                    send0_lookup  send0_app send0_auth
    flash_take                   send0_lookup  send0_auth
    frameworks_can_show_it       send0_owner
    hand_over_functions          send0_owner
    invitation_find              send0_lookup  send0_auth
    invitation_register          send0_lookup  send0_app
    invitation_take              send0_lookup  send0_app
    invitation_unregister        send0_lookup  send0_app
    is_reminder_due              send0_owner  send0_app send0_lookup
    key_register                 send0_lookup  send0_app
    keys_find                    send0_lookup  send0_auth
    keys_used                    send0_lookup  send0_worker
    legal_holds_in               send0_lookup  send0_auth
    legal_holds_wait             send0_owner
    mail_claim                   send0_lookup  send0_worker
    mail_give_up                 send0_lookup  send0_app
    mail_list                    send0_lookup  send0_auth
    mail_put                     send0_lookup  send0_app send0_auth
    mail_retry                   send0_lookup  send0_worker
    mail_sent                    send0_lookup  send0_worker
    member_register              send0_lookup  send0_app
    member_seen                  send0_lookup  send0_auth
    member_unregister            send0_lookup  send0_app
    notice_answers               send0_lookup  send0_app
    notice_deliveries_settle     send0_lookup  send0_worker
    notice_stage                 send0_owner  send0_app send0_lookup
    notices_to_tell              send0_lookup  send0_worker
    objections_unanswered        send0_lookup  send0_app
    operator_add                 send0_lookup  send0_app
    operator_is                  send0_lookup  send0_auth
    operator_remove              send0_lookup  send0_app
    operators_all                send0_lookup  send0_app
    operators_exist              send0_lookup  send0_auth
    operators_stay_apart         send0_owner
    passkey_add                  send0_lookup  send0_auth
    passkey_find                 send0_lookup  send0_auth
    passkey_handle               send0_lookup  send0_auth
    passkey_remove               send0_lookup  send0_auth
    passkey_rename               send0_lookup  send0_auth
    passkey_used                 send0_lookup  send0_auth
    passkeys_of                  send0_lookup  send0_auth
    policy_reminders_due         send0_lookup  send0_worker
    protect_tenant_tables        send0_owner
    recovery_code_use            send0_lookup  send0_auth
    recovery_codes_put           send0_lookup  send0_auth
    reset_find                   send0_lookup  send0_auth
    reset_start                  send0_lookup  send0_auth
    reset_take                   send0_lookup  send0_auth
    session_ask                  send0_lookup  send0_auth
    session_asked                send0_lookup  send0_auth
    session_end                  send0_lookup  send0_auth
    session_end_one              send0_lookup  send0_auth
    session_find                 send0_lookup  send0_auth
    session_prove                send0_lookup  send0_auth
    session_spend                send0_lookup  send0_auth
    session_start                send0_lookup  send0_auth
    sessions_end_all             send0_lookup  send0_auth
    sessions_end_others          send0_lookup  send0_auth
    sessions_of                  send0_lookup  send0_auth
    setup_consume                send0_lookup  send0_app
    setup_needed                 send0_lookup  send0_auth
    setup_offer                  send0_lookup  send0_auth
    setup_offered                send0_lookup  send0_auth
    subprocessor_notices_keep_their_word send0_owner
    subscriber_ask               send0_lookup  send0_app
    subscriber_confirm           send0_lookup  send0_app
    subscriber_end               send0_lookup  send0_app
    subscriber_offer             send0_lookup  send0_auth
    subscriber_told              send0_lookup  send0_app
    subscribers_purge            send0_lookup  send0_worker
    subscribers_to_tell          send0_lookup  send0_worker
    throttle_attempt             send0_lookup  send0_auth
    throttle_code                send0_lookup  send0_auth
    throttle_forget              send0_lookup  send0_auth
    throttle_uncount             send0_lookup  send0_auth
    totp_confirm                 send0_lookup  send0_auth
    totp_find                    send0_lookup  send0_auth
    totp_put                     send0_lookup  send0_auth
    totp_remove                  send0_lookup  send0_auth
    totp_use                     send0_lookup  send0_auth
    visitor_link_find            send0_lookup  send0_auth
    visitor_link_put             send0_lookup  send0_app
    visitor_link_renew           send0_lookup  send0_app
    visitor_link_take            send0_lookup  send0_app
    visitor_links_purge          send0_lookup  send0_worker
    workspace_claim_slug         send0_lookup  send0_app
    workspace_factors            send0_lookup  send0_app
    workspace_find               send0_lookup  send0_app
    workspace_people             send0_lookup  send0_app
    workspaces_on_plans          send0_lookup  send0_app
";

#[tokio::test]
async fn each_function_is_called_by_whom_the_list_names_and_looks_nowhere_else() {
    let db = TestDb::new().await;
    let mut conn = db.connect(db.options.get_username()).await;
    let functions = "
        select concat_ws(' ', p.proname, p.proowner::regrole, (
            select string_agg(coalesce(r.rolname, 'public'), ' ' order by r.rolname)
            from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a left join pg_roles r on r.oid = a.grantee
            where a.grantee <> p.proowner))
        from pg_proc p where p.pronamespace = 'public'::regnamespace order by 1";
    let agreed: Vec<String> = FUNCTIONS
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(texts(&mut conn, functions).await, agreed);

    let wandering = "select proname::text from pg_proc where pronamespace = 'public'::regnamespace
        and not coalesce(proconfig, '{}') && array['search_path=pg_catalog, pg_temp', 'search_path=pg_catalog, public, pg_temp']";
    assert_eq!(texts(&mut conn, wandering).await, [""; 0], "without a fixed search_path");
    let invokers =
        "select proname::text from pg_proc where pronamespace = 'public'::regnamespace and not prosecdef order by 1";
    let known = [
        "audit_events_are_append_only",
        "audit_floors_demand_a_seal",
        "audit_floors_demand_no_hold",
        "audit_seq_at",
        "audit_tiles_never_change",
        "audit_trees_only_grow",
        "frameworks_can_show_it",
        "hand_over_functions",
        "is_reminder_due",
        "legal_holds_wait",
        "notice_stage",
        "operators_stay_apart",
        "protect_tenant_tables",
        "subprocessor_notices_keep_their_word",
    ];
    assert_eq!(texts(&mut conn, invokers).await, known);
}

#[tokio::test]
async fn backup_reads_everything_and_writes_nothing() {
    let db = TestDb::new().await;
    seeded(&db).await;
    let mut superuser = db.connect(db.options.get_username()).await;
    let mut conn = db.connect("send0_backup").await;
    let tables = texts(
        &mut superuser,
        "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')",
    )
    .await;
    for table in tables {
        let count = format!("select (select count(*) from {table})::text");
        assert_eq!(texts(&mut conn, &count).await, texts(&mut superuser, &count).await, "{table}");
        let column = texts(
            &mut superuser,
            &format!("select attname::text from pg_attribute where attrelid = '{table}'::regclass and attnum = 1"),
        )
        .await
        .remove(0);
        for write in [
            format!("insert into {table} default values"),
            format!("update {table} set {column} = {column}"),
            format!("delete from {table}"),
            format!("truncate {table}"),
        ] {
            let refused = conn.execute(AssertSqlSafe(write.as_str())).await.expect_err(&write);
            assert_eq!(refused.as_database_error().and_then(|error| error.code()).as_deref(), Some("42501"), "{write}");
        }
    }
}

// (b) Behaviour ----------------------------------------------------------------------------------------------------

#[tokio::test]
async fn no_login_reaches_another_tenants_rows() {
    let db = TestDb::new().await;
    let [a, b] = seeded(&db).await;
    let mut superuser = db.connect(db.options.get_username()).await;
    for (ours, theirs) in [(a.id().0, b.id().0), (b.id().0, a.id().0)] {
        let trials = trials(&mut superuser, ours, theirs).await;
        for login in LOGINS {
            for trial in &trials {
                // Each in a connection of its own, so that the first look is one in which nothing was ever set.
                let mut conn = db.connect(login).await;
                assert_eq!(trial.leaks(&mut conn, login).await, Vec::<String>::new());
            }
        }
        let mut migrator = db.connect("send0_migrator").await;
        for trial in &trials {
            assert_eq!(trial.seen_by_owner(&mut migrator).await, Vec::<String>::new());
        }
    }
}

#[tokio::test]
async fn partitions_are_reached_through_their_parent_only() {
    let db = TestDb::new().await;
    let [a, _] = seeded(&db).await;
    let parts = texts(
        &mut db.connect(db.options.get_username()).await,
        "select relname::text from pg_class where relispartition and relkind = 'r'",
    )
    .await;
    assert!(!parts.is_empty());
    for login in LOGINS {
        let mut conn = db.connect(login).await;
        for part in &parts {
            let look = format!("begin; set local send0.workspace_id = '{}'; select * from {part}", a.id().0);
            let refused = conn.execute(AssertSqlSafe(look)).await.expect_err(part);
            assert_eq!(refused.as_database_error().and_then(|error| error.code()).as_deref(), Some("42501"), "{part}");
            run(&mut conn, "rollback").await;
        }
    }
}

/// A way to PostgreSQL in which every answer has to be waited for, so that a future can be dropped at every wait. Without
/// it the server is often faster than the test.
async fn slowly(options: PgConnectOptions) -> (PgConnectOptions, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("folder");
    let name = format!(".s.PGSQL.{}", options.get_port());
    let server = options.get_socket().expect("the tests' server is on a socket").join(&name);
    let listener = UnixListener::bind(dir.path().join(name)).expect("socket");
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = UnixStream::connect(&server).await.expect("server");
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        }
    });
    (options.socket(dir.path()), dir)
}

/// The rows seen on the pool's one connection when nothing is set.
async fn seen_without_a_tenant(pool: &PgPool, tables: &[String]) -> i64 {
    let mut seen = 0;
    for table in tables {
        let count = AssertSqlSafe(format!("select count(*) from {table}"));
        seen += sqlx::query_scalar::<_, i64>(count).fetch_one(pool).await.expect("count");
    }
    seen
}

#[tokio::test]
async fn a_pooled_connection_forgets_its_tenant() {
    let db = TestDb::new().await;
    let [a, _] = seeded(&db).await;
    let mut superuser = db.connect(db.options.get_username()).await;
    for (login, options) in [("send0_app", logins(&db.options).app), ("send0_auditor", logins(&db.options).auditor)] {
        let mut readable = vec![];
        for table in tenant_tables(&mut superuser).await {
            if truth(&mut superuser, &format!("select has_table_privilege('{login}', '{table}', 'select')")).await {
                readable.push(table);
            }
        }
        let (options, _dir) = slowly(options).await;
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
        let look = async |access: &str, commit: bool| {
            let mut tx = begin(&pool, a.id(), access).await.expect("begin");
            let mut seen = 0;
            for table in &readable {
                let count = AssertSqlSafe(format!("select count(*) from {table}"));
                seen += sqlx::query_scalar::<_, i64>(count).fetch_one(&mut *tx).await.expect("count");
            }
            if commit {
                tx.commit().await.expect("commit");
            }
            seen
        };
        assert_eq!(seen_without_a_tenant(&pool, &readable).await, 0, "never set");
        for access in ["", "read only"] {
            for commit in [true, false] {
                assert!(look(access, commit).await > 0);
                assert_eq!(seen_without_a_tenant(&pool, &readable).await, 0, "committed: {commit}");
                // Dropped wherever it has to wait, one place after the other, until it is through.
                let mut cancelled = 0;
                while abandoned(look(access, commit), cancelled).await.is_none() {
                    assert_eq!(seen_without_a_tenant(&pool, &readable).await, 0, "cancelled at wait {cancelled}");
                    cancelled += 1;
                }
                assert!(cancelled > readable.len(), "it was cancelled {cancelled} times only");
                assert_eq!(seen_without_a_tenant(&pool, &readable).await, 0);
            }
        }
    }
}

#[tokio::test]
async fn what_comes_after_a_cancelled_transaction_is_not_part_of_it() {
    let db = TestDb::new().await;
    let [a, _] = seeded(&db).await;
    let (options, _dir) = slowly(logins(&db.options).auth).await;
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
    let end = async || {
        let mut tx = AccountTx::begin(&pool).await.expect("begin");
        sqlx::query("select throttle_attempt('of a cancelled change', 9, now())")
            .execute(tx.conn())
            .await
            .expect("attempt");
        tx.commit(&[a.actor(Role::Owner)], Event::new(Action::SessionEnded)).await.expect("commit");
    };
    let counted = "select coalesce(sum(failures), 0) from throttles where bucket = 'counted'";
    let mut cancelled = 0;
    while abandoned(end(), cancelled).await.is_none() {
        cancelled += 1;
        // Said to be done, so it must be there for everybody: the acknowledgement of an event is no more than this.
        sqlx::query("select throttle_attempt('counted', 1000, now())").execute(&pool).await.expect("attempt");
        assert_eq!(db.number(counted).await, cancelled as i64, "cancelled at wait {cancelled}");
    }
    assert!(cancelled >= 4, "it was cancelled {cancelled} times only");
}

// (c) Sabotage -----------------------------------------------------------------------------------------------------

#[tokio::test]
async fn sabotage_is_noticed() {
    let db = TestDb::new().await;
    let [a, b] = seeded(&db).await;
    let mut conn = db.connect(db.options.get_username()).await;
    let trials = trials(&mut conn, a.id().0, b.id().0).await;
    let mut noticed = 0;
    for trial in &trials {
        let table = &trial.table;
        let mut sabotages = vec![
            format!("alter table {table} disable row level security"),
            format!("alter table {table} no force row level security"),
            format!("create policy open on {table} using (true) with check (true)"),
            format!("create policy open on {table} for select to send0_app, send0_auditor using (true)"),
        ];
        let policies = "select polname::text || ' on ' || polrelid::regclass from pg_policy where not polroles <@ array['send0_log'::regrole, 'send0_lookup'::regrole]::oid[]";
        for policy in texts(&mut conn, &format!("{policies} and polrelid = '{table}'::regclass")).await {
            sabotages.push(format!("alter policy {policy} using (true)"));
            sabotages.push(format!("drop policy {policy}"));
        }
        for policy in
            texts(&mut conn, &format!("{policies} and polrelid = '{table}'::regclass and polwithcheck is not null"))
                .await
        {
            sabotages.push(format!("alter policy {policy} with check (true)"));
        }
        for sabotage in sabotages {
            let mut tx = conn.begin().await.expect("begin");
            run(&mut tx, &sabotage).await;
            assert!(!unprotected(&mut tx).await.is_empty(), "the catalogue does not show: {sabotage}");
            let mut leaks = trial.seen_by_owner(&mut tx).await;
            for login in LOGINS {
                leaks.extend(trial.leaks(&mut tx, login).await);
            }
            assert!(!leaks.is_empty(), "nothing leaks, it seems, after: {sabotage}");
            tx.rollback().await.expect("rollback");
            noticed += 1;
        }
        // With all put back, nothing is reported: what was noticed was the sabotage.
        assert_eq!(trial.leaks(&mut conn, "send0_app").await, Vec::<String>::new());
    }
    assert_eq!(unprotected(&mut conn).await, Vec::<String>::new());
    assert!(noticed >= 6 * trials.len());
}

#[tokio::test]
async fn a_table_without_protection_is_noticed() {
    let db = TestDb::new().await;
    let mut conn = db.connect(db.options.get_username()).await;
    for new in [
        "create table invoices (workspace_id uuid not null, invoice_id uuid not null, primary key (workspace_id, invoice_id))",
        "create table invoices (workspace_id uuid primary key); alter table invoices enable row level security, force row level security",
        "create unique index invoices on members (user_id)",
        "alter table members drop constraint members_pkey; alter table members alter workspace_id drop not null",
        "alter table members add foreign key (user_id) references users",
        "grant select on audit_events_3 to send0_app",
        "alter table audit_events_3 disable row level security",
    ] {
        let mut tx = conn.begin().await.expect("begin");
        let done = tx.execute(AssertSqlSafe(new)).await;
        assert!(done.is_ok(), "{new}: {done:?}");
        assert!(!unprotected(&mut tx).await.is_empty(), "{new}");
        tx.rollback().await.expect("rollback");
    }
}

// (d) Under load ---------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_tasks_on_one_pool_see_their_own_rows_only() {
    let db = TestDb::new().await;
    let tenants = seeded(&db).await.map(|tenant| tenant.id());
    let read = async |db: Database, task: usize, n: usize| {
        let tenant = tenants[(task + n) % 2];
        let mut read = db.read(tenant).await.expect("begin");
        let rows = "select workspace_id from members union all select workspace_id from workspaces
            union all select workspace_id from api_keys union all select workspace_id from audit_events";
        let rows: Vec<Uuid> = sqlx::query_scalar(rows).fetch_all(read.conn()).await.expect("rows");
        (rows.len(), rows.iter().filter(|workspace| **workspace != tenant.0).count())
    };
    let tasks = (0..50).map(|task| {
        let db = db.ctx.db.clone();
        async move {
            let (mut own, mut foreign, mut cancelled) = (0, 0, 0);
            for n in 0..40 {
                // A tenth is dropped mid-way, each a little later than the one before.
                let patience = if (task + n) % 10 == 0 { n / 10 } else { usize::MAX };
                match abandoned(read(db.clone(), task, n), patience).await {
                    None => cancelled += 1,
                    Some((rows, others)) => {
                        assert!(rows >= 4, "a tenant sees its rows");
                        own += rows - others;
                        foreign += others;
                    }
                }
            }
            (own, foreign, cancelled)
        }
    });
    let seen = futures::future::join_all(tasks).await;
    let sum = |of: fn(&(usize, usize, usize)) -> usize| seen.iter().map(of).sum::<usize>();
    assert_eq!(sum(|seen| seen.1), 0, "foreign rows");
    assert!(sum(|seen| seen.0) >= 4 * 50 * 36);
    assert!(sum(|seen| seen.2) > 20, "too few were cancelled: {}", sum(|seen| seen.2));
}

// (e) The server's own look at its logins --------------------------------------------------------------------------

#[tokio::test]
async fn a_server_with_more_rights_than_it_should_have_does_not_start() {
    let db = TestDb::new().await;
    db.ctx.db.ready().await.expect("ready");
    assert_eq!(db.ctx.db.refuse_excess_rights().await, Ok(()));
    for strong in [db.options.get_username(), "send0_migrator", "send0_backup"] {
        for place in ["app", "auth", "worker", "auditor"] {
            let mut logins = logins(&db.options);
            let login = match place {
                "app" => &mut logins.app,
                "auth" => &mut logins.auth,
                "worker" => &mut logins.worker,
                _ => &mut logins.auditor,
            };
            *login = db.options.clone().username(strong);
            let refused = Database::new(logins).refuse_excess_rights().await.expect_err(strong);
            assert!(refused.contains(place), "{strong} in place of {place}: {refused}");
        }
    }
}
