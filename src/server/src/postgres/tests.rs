//! Against the real PostgreSQL. Run as root or as anybody else.

use super::{binaries::Binaries, user::ServerUser, *};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::{
    env, fs,
    io::{BufRead, BufReader},
    os::unix::{
        fs::{MetadataExt, PermissionsExt, symlink},
        process::CommandExt,
    },
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;
use tokio::sync::watch;

fn new_data_dir() -> TempDir {
    let private = fs::Permissions::from_mode(0o700);
    tempfile::Builder::new().prefix("send0").permissions(private).tempdir_in("/tmp").expect("a directory")
}

async fn start(data: &TempDir) -> Postgres {
    Postgres::start(data.path()).await.expect("starts")
}

async fn refusal(data: &Path) -> String {
    match Postgres::start(data).await {
        Ok(_) => panic!("started"),
        Err(error) => error.to_string(),
    }
}

async fn connect(postgres: &Postgres, login: Login) -> PgConnection {
    PgConnection::connect_with(&postgres.options(login)).await.expect("connects")
}

/// Runs this as the owner of the schema, reached the way migrations reach it.
async fn as_owner(postgres: &Postgres, sql: &'static str) {
    let mut migrator = connect(postgres, Login::Migrator).await;
    run(&mut migrator, "set role send0_owner").await.expect("becomes the owner");
    run(&mut migrator, sql).await.expect("may");
}

async fn run(connection: &mut PgConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sql).execute(connection).await.map(drop)
}

/// The SQLSTATE with which this is refused.
async fn refused(connection: &mut PgConnection, sql: &'static str) -> String {
    let error = run(connection, sql).await.expect_err(sql);
    error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned()).expect("a refusal")
}

async fn text(connection: &mut PgConnection, sql: &'static str) -> String {
    sqlx::query_scalar(sql).fetch_one(connection).await.expect(sql)
}

async fn number(connection: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(connection).await.expect(sql)
}

fn serving(postgres: &Postgres) -> Option<u32> {
    *served_by(postgres).borrow()
}

fn served_by(postgres: &Postgres) -> watch::Receiver<Option<u32>> {
    match &postgres.held {
        Held::Owned(supervisor) => supervisor.serving.clone(),
        Held::Joined(_) => panic!("joined"),
    }
}

/// SIGKILL, and then the process that took its place.
async fn kill_and_await_successor(postgres: &Postgres) -> u32 {
    let killed = serving(postgres).expect("runs");
    kill(killed);
    let mut serving = served_by(postgres);
    let successor = serving.wait_for(|pid| pid.is_some_and(|pid| pid != killed)).await.expect("starts again");
    successor.expect("a process")
}

fn kill(pid: u32) {
    let pid = Pid::from_raw(pid.try_into().expect("a process id")).expect("a process id");
    kill_process(pid, Signal::KILL).expect("is alive");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("exists").mode() & 0o777
}

// Life and death

#[tokio::test]
async fn data_survive_a_restart() {
    let data = new_data_dir();
    let postgres = start(&data).await;
    as_owner(&postgres, "create table kept (n int8); insert into kept values (42)").await;
    postgres.stop().await.expect("stops");
    assert!(!data.path().join("postgres/postmaster.pid").exists());

    let postgres = start(&data).await;
    let mut backup = connect(&postgres, Login::Backup).await;
    assert_eq!(number(&mut backup, "select n from kept").await, 42);
    postgres.stop().await.expect("stops, though somebody is connected");
}

#[tokio::test]
async fn it_is_set_up_for_real_data_and_for_nobody_else() {
    let data = new_data_dir();
    let postgres = start(&data).await;
    let mut superuser = connect(&postgres, Login::Superuser).await;
    for (setting, value) in [
        ("show fsync", "on"),
        ("show full_page_writes", "on"),
        ("show data_checksums", "on"),
        ("show listen_addresses", ""),
        ("show max_wal_size", "2GB"),
        ("show backend_flush_after", "256kB"),
        // Of all methods the one that each build has.
        ("show wal_compression", "pglz"),
        ("show wal_init_zero", "on"),
        ("show unix_socket_permissions", "0700"),
        ("show password_encryption", "scram-sha-256"),
        ("show server_encoding", "UTF8"),
        ("show timezone", "UTC"),
        ("select datcollate from pg_database where datname = 'send0'", "C.UTF-8"),
        ("select string_agg(distinct auth_method, ' ') from pg_hba_file_rules where type = 'local'", "scram-sha-256"),
        ("select string_agg(distinct auth_method, ' ') from pg_hba_file_rules where type <> 'local'", "reject"),
    ] {
        assert_eq!(text(&mut superuser, setting).await, value, "{setting}");
    }
    assert_eq!(mode(&data.path().join("logins.json")), 0o600);
    assert_eq!(mode(&data.path().join("postgres.log")), 0o600);
    assert_eq!(mode(&data.path().join("run")), 0o700);
    assert_eq!(mode(&data.path().join("postgres")), 0o700);
    assert!(!data.path().join("superuser.password").exists());
    let stranger = postgres.options(Login::App).password("wrong");
    PgConnection::connect_with(&stranger).await.expect_err("a wrong password");
    postgres.stop().await.expect("stops");
}

#[tokio::test]
async fn only_one_may_serve_a_directory() {
    let data = new_data_dir();
    let postgres = start(&data).await;
    let refusal = refusal(data.path()).await;
    assert!(refusal.contains(&format!("in use by process {}", std::process::id())), "{refusal}");
    postgres.stop().await.expect("stops");
}

#[tokio::test]
async fn a_command_joins_the_running_server() {
    let data = new_data_dir();
    let postgres = start(&data).await;
    let joined = Postgres::start_or_join(data.path()).await.expect("joins");
    assert!(matches!(joined.held, Held::Joined(_)));
    connect(&joined, Login::App).await;
    joined.stop().await.expect("nothing to do");
    connect(&postgres, Login::App).await;
    postgres.stop().await.expect("stops");
}

#[tokio::test]
async fn a_command_starts_the_server_when_none_runs_and_stops_it() {
    let data = new_data_dir();
    let postgres = Postgres::start_or_join(data.path()).await.expect("starts");
    connect(&postgres, Login::App).await.close().await.expect("closes");
    postgres.stop().await.expect("stops");
    assert!(!data.path().join("postgres/postmaster.pid").exists());
}

#[tokio::test]
async fn commands_at_the_same_time_share_one_server() {
    let data = new_data_dir();
    let command = async || {
        let postgres = Postgres::start_or_join(data.path()).await.expect("starts or joins");
        for _ in 0..20 {
            connect(&postgres, Login::App).await.close().await.expect("closes");
        }
        postgres.stop().await.expect("stops");
    };
    tokio::join!(command(), command(), command());
}

#[tokio::test]
async fn dropped_it_stops() {
    let data = new_data_dir();
    drop(start(&data).await);
    let postgres = Postgres::start_or_join(data.path()).await.expect("starts when the other has stopped");
    postgres.stop().await.expect("stops");
}

#[tokio::test]
async fn killed_it_starts_again_and_pools_reconnect() {
    let data = new_data_dir();
    let postgres = start(&data).await;
    let pool: PgPool = PgPoolOptions::new().connect_with(postgres.options(Login::App)).await.expect("connects");
    kill_and_await_successor(&postgres).await;
    kill_and_await_successor(&postgres).await;
    sqlx::query("select 1").execute(&pool).await.expect("the pool connects again");
    pool.close().await;
    postgres.stop().await.expect("stops");
}

#[tokio::test]
async fn killed_in_the_middle_of_work_it_waits_for_what_is_left() {
    let data = new_data_dir();
    let postgres = start(&data).await;
    let mut app = connect(&postgres, Login::App).await;
    let busy = "do $$ declare began timestamptz := clock_timestamp(); begin
        while clock_timestamp() < began + '2 s' loop end loop; end $$";
    let killed = async {
        until_busy(&postgres).await;
        kill_and_await_successor(&postgres).await
    };
    // Whether the work still gets its answer is up to chance.
    let _ = tokio::join!(run(&mut app, busy), killed);
    let log = fs::read_to_string(data.path().join("postgres.log")).expect("a log");
    assert!(log.contains("pre-existing shared memory block"), "{log}");
    postgres.stop().await.expect("stops");
}

async fn until_busy(postgres: &Postgres) {
    let mut superuser = connect(postgres, Login::Superuser).await;
    let busy = "select count(*) from pg_stat_activity where usename = 'send0_app' and state = 'active'";
    while number(&mut superuser, busy).await == 0 {}
}

#[tokio::test]
async fn when_it_cannot_start_again_it_says_why() {
    let data = new_data_dir();
    let mut postgres = start(&data).await;
    fs::remove_file(data.path().join("postgres/global/pg_control")).expect("removed");
    kill(serving(&postgres).expect("runs"));
    let reason = postgres.died().await.to_string();
    assert!(reason.contains("PostgreSQL does not start") && reason.contains("pg_control"), "{reason}");
    postgres.stop().await.expect("it is down already");
}

// What an earlier run left behind

const SERVED: &str = "TEST_SERVED_DATA_DIR";

#[tokio::test]
#[ignore = "the other process of other tests"]
async fn serve_until_killed() {
    let Some(data) = env::var_os(SERVED) else { return };
    let _postgres = Postgres::start(Path::new(&data)).await.expect("starts");
    println!("serving");
    std::future::pending().await
}

/// Another process that serves this directory.
fn another_process(data: &TempDir) -> Command {
    let (_, module) = module_path!().split_once("::").expect("a module of a crate");
    let mut command = Command::new(env::current_exe().expect("this program"));
    command.args([&format!("{module}::serve_until_killed"), "--exact", "--ignored", "--nocapture"]);
    command.env(SERVED, data.path());
    command
}

fn serve_in(mut command: Command) -> Result<Child, String> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let said: Vec<_> = lines.map_while(Result::ok).take_while(|line| !line.contains("serving")).collect();
    match child.try_wait().expect("a child") {
        None if !said.iter().any(|line| line.contains("FAILED")) => Ok(child),
        _ => {
            let output = child.wait_with_output().expect("ended");
            Err(format!("{}\n{}", said.join("\n"), String::from_utf8_lossy(&output.stderr)))
        }
    }
}

async fn makes_room_when_killed(data: &TempDir, process: Command) {
    let mut parent = serve_in(process).expect("serves");
    assert!(refusal(data.path()).await.contains(&format!("process {}", parent.id())));
    parent.kill().expect("killed");
    parent.wait().expect("ended");
    let postgres = start(data).await;
    connect(&postgres, Login::App).await;
    postgres.stop().await.expect("stops");
}

#[tokio::test]
async fn the_server_of_a_killed_process_makes_room() {
    let data = new_data_dir();
    makes_room_when_killed(&data, another_process(&data)).await;
}

/// Nobody tells that server that its parent has died.
#[tokio::test]
async fn the_server_of_a_killed_process_makes_room_without_setpriv() {
    let (data, programs) = (new_data_dir(), new_data_dir());
    fs::set_permissions(programs.path(), fs::Permissions::from_mode(0o755)).expect("open");
    for program in ["true", "sh", "locale", "unshare"] {
        symlink(format!("/usr/bin/{program}"), programs.path().join(program)).expect("linked");
    }
    let installed = Binaries::installed(&ServerUser::of(Path::new("/nowhere")).expect("a user"));
    let path = env::join_paths([programs.path(), &installed[0].directory]).expect("a path");
    let mut process = another_process(&data);
    process.env("PATH", path);
    makes_room_when_killed(&data, process).await;
}

#[tokio::test]
async fn a_pid_file_that_names_somebody_else_is_no_obstacle() {
    let data = new_data_dir();
    start(&data).await.stop().await.expect("stops");
    let stranger = PrivateChild::new();
    for name in ["postgres/postmaster.pid", "run/.s.PGSQL.5432.lock"] {
        let path = data.path().join(name);
        fs::write(&path, format!("{}\n/elsewhere\n0\n5432\n", stranger.0.id())).expect("written");
        let owner = fs::metadata(path.parent().expect("a parent")).expect("exists");
        std::os::unix::fs::chown(&path, Some(owner.uid()), Some(owner.gid())).expect("theirs");
    }
    start(&data).await.stop().await.expect("stops");
}

/// A process that runs as the same user as PostgreSQL, so that PostgreSQL takes it seriously.
struct PrivateChild(Child);

impl PrivateChild {
    fn new() -> Self {
        let user = ServerUser::of(Path::new("/nowhere")).expect("a user");
        Self(user.command("tail").args(["-f", "/dev/null"]).spawn().expect("starts"))
    }
}

impl Drop for PrivateChild {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_cluster_cut_short_is_made_anew() {
    let data = new_data_dir();
    fs::create_dir_all(data.path().join("postgres.new/base")).expect("made");
    fs::write(data.path().join("superuser.password"), "old").expect("written");
    start(&data).await.stop().await.expect("stops");
    assert!(!data.path().join("postgres.new").exists());
    assert!(!data.path().join("superuser.password").exists());
}

#[tokio::test]
async fn a_long_log_starts_anew() {
    let data = new_data_dir();
    fs::File::create(data.path().join("postgres.log")).and_then(|log| log.set_len(11 << 20)).expect("written");
    start(&data).await.stop().await.expect("stops");
    assert!(fs::metadata(data.path().join("postgres.log.1")).expect("kept").len() > 10 << 20);
    assert!(fs::metadata(data.path().join("postgres.log")).expect("new").len() < 10 << 20);
}

// Directories

#[tokio::test]
async fn another_major_version_is_named() {
    let data = new_data_dir();
    fs::create_dir(data.path().join("postgres")).expect("made");
    fs::write(data.path().join("postgres/PG_VERSION"), "9\n").expect("written");
    let refusal = refusal(data.path()).await;
    assert!(refusal.contains("made by PostgreSQL 9, and what is installed here is PostgreSQL "), "{refusal}");
    assert!(refusal.contains("install PostgreSQL 9"), "{refusal}");
}

#[tokio::test]
async fn lost_passwords_are_not_replaced() {
    let data = new_data_dir();
    start(&data).await.stop().await.expect("stops");
    fs::remove_file(data.path().join("logins.json")).expect("removed");
    let missing = refusal(data.path()).await;
    assert!(missing.contains("logins.json is missing"), "{missing}");
    fs::write(data.path().join("logins.json"), "{").expect("written");
    let damaged = refusal(data.path()).await;
    assert!(damaged.contains("logins.json is damaged"), "{damaged}");
    fs::write(data.path().join("logins.json"), "{}").expect("written");
    let foreign = refusal(data.path()).await;
    assert!(foreign.contains("restore both from the same backup"), "{foreign}");
}

#[tokio::test]
async fn a_path_may_be_long_or_odd() {
    for name in ["x".repeat(120), "a, \"b\" ü".to_owned()] {
        let data = new_data_dir();
        let path = data.path().join(name);
        fs::set_permissions(data.path(), fs::Permissions::from_mode(0o755)).expect("open");
        let postgres = Postgres::start(&path).await.expect("starts");
        assert!(postgres.socket_dir.starts_with("/tmp") && !postgres.socket_dir.starts_with(data.path()));
        let joined = Postgres::start_or_join(&path).await.expect("joins");
        assert_eq!(joined.socket_dir, postgres.socket_dir);
        let socket_dir = postgres.socket_dir.clone();
        postgres.stop().await.expect("stops");

        fs::remove_dir(&socket_dir).expect("empty");
        symlink("/tmp", &socket_dir).expect("linked");
        let refusal = refusal(&path).await;
        assert!(refusal.contains("must be a directory that only"), "{refusal}");
        fs::remove_file(&socket_dir).expect("removed");
    }
}

#[tokio::test]
async fn root_is_told_which_directory_is_closed() {
    if !geteuid().is_root() {
        return;
    }
    let closed = new_data_dir();
    let refusal = refusal(&closed.path().join("a/b")).await;
    let told = format!("who may not enter {}:", closed.path().canonicalize().expect("exists").display());
    assert!(refusal.contains(&told), "{refusal}");
    assert!(refusal.contains("/var/lib/send0"), "{refusal}");
}

#[tokio::test]
async fn what_root_restored_from_a_backup_is_handed_over() {
    if !geteuid().is_root() {
        return;
    }
    let (data, restored) = (new_data_dir(), new_data_dir());
    start(&data).await.stop().await.expect("stops");
    let copied = Command::new("cp").arg("-r").arg(data.path().join(".")).arg(restored.path()).status().expect("copies");
    assert!(copied.success());
    start(&restored).await.stop().await.expect("stops");
}

/// Containers run programs under numbers that no account has.
#[tokio::test]
async fn a_user_without_a_name_will_do() {
    if !geteuid().is_root() {
        return;
    }
    let data = new_data_dir();
    std::os::unix::fs::chown(data.path(), Some(54_321), Some(54_321)).expect("theirs");
    let mut process = another_process(&data);
    process.uid(54_321).gid(54_321);
    match serve_in(process) {
        Ok(mut child) => {
            child.kill().expect("killed");
            child.wait().expect("ended");
            start(&data).await.stop().await.expect("root takes over, as the same user");
        }
        // Where namespaces are forbidden there is nothing to be done about it.
        Err(said) => assert!(said.contains("has no name"), "{said}"),
    }
}

// Roles

#[tokio::test]
async fn roles_are_as_listed_and_nothing_more() {
    let data = new_data_dir();
    let postgres = start(&data).await;
    let mut superuser = connect(&postgres, Login::Superuser).await;
    let roles: Vec<String> = sqlx::query_scalar(
        "select concat_ws(' ', rolname, case when rolcanlogin then 'login' end, case when rolinherit then 'inherit' end,
             case when rolbypassrls then 'bypassrls' end, case when rolsuper then 'superuser' end,
             case when rolcreatedb or rolcreaterole or rolreplication then 'more' end)
         from pg_roles where rolname !~ '^pg_' order by rolname",
    )
    .fetch_all(&mut superuser)
    .await
    .expect("roles");
    assert_eq!(
        roles,
        [
            "postgres login inherit bypassrls superuser more",
            "send0_app login",
            "send0_auditor login",
            "send0_auth login",
            "send0_backup login inherit bypassrls",
            "send0_log",
            "send0_lookup",
            "send0_migrator login",
            "send0_owner",
            "send0_worker login",
        ]
    );
    let memberships: Vec<String> = sqlx::query_scalar(
        "select format('%s in %s', member::regrole, roleid::regrole) from pg_auth_members
         where member::regrole::text !~ '^pg_' order by 1",
    )
    .fetch_all(&mut superuser)
    .await
    .expect("memberships");
    assert_eq!(
        memberships,
        [
            "send0_backup in pg_read_all_data",
            "send0_migrator in send0_owner",
            "send0_owner in send0_log",
            "send0_owner in send0_lookup",
        ]
    );
    let may_create: Vec<String> = sqlx::query_scalar(
        "select rolname from pg_roles where has_schema_privilege(oid, 'public', 'create') and not rolsuper order by 1",
    )
    .fetch_all(&mut superuser)
    .await
    .expect("roles");
    assert_eq!(may_create, ["send0_log", "send0_lookup", "send0_owner"]);
    postgres.stop().await.expect("stops");
}

const NOT_PERMITTED: &str = "42501";

#[tokio::test]
async fn logins_may_connect_and_look_and_no_more() {
    let data = new_data_dir();
    let postgres = start(&data).await;
    as_owner(&postgres, "create table secret (n int8)").await;
    for login in Login::limited() {
        let mut connection = connect(&postgres, login).await;
        for forbidden in [
            "create table t (n int8)",
            "create temporary table t (n int8)",
            "create schema s",
            "create role r",
            "create database d",
            "insert into secret values (1)",
            "drop table secret",
            "set role postgres",
            "alter role send0_app bypassrls",
            "select pg_read_file('/etc/passwd')",
            "copy (select 1) to program 'true'",
        ] {
            assert_eq!(refused(&mut connection, forbidden).await, NOT_PERMITTED, "{login:?}: {forbidden}");
        }
        if login != Login::Backup {
            assert_eq!(refused(&mut connection, "select n from secret").await, NOT_PERMITTED, "{login:?}");
        }
        if login != Login::Migrator {
            for role in ["set role send0_owner", "set role send0_log", "set role send0_lookup"] {
                assert_eq!(refused(&mut connection, role).await, NOT_PERMITTED, "{login:?}: {role}");
            }
        }
        let elsewhere = postgres.options(login).database("postgres");
        PgConnection::connect_with(&elsewhere).await.expect_err("another database");
    }
    postgres.stop().await.expect("stops");
}

const TENANT_TABLE: &str = "
    create table events (workspace int8, note text);
    alter table events enable row level security;
    alter table events force row level security;
    create policy log on events to send0_log using (true) with check (true);
    grant select, insert on events to send0_log;
    create function append(note text) returns void language sql security definer set search_path = public
        as 'insert into events values (1, note)';
    revoke all on function append from public;
    alter function append owner to send0_log;
    create function lookup() returns int language sql security definer set search_path = public as 'select 1';
    alter function lookup owner to send0_lookup";

/// Functions are handed to roles that see everything, and yet the owner, who may become those roles, sees nothing.
#[tokio::test]
async fn the_owner_hands_functions_over_and_stays_under_row_level_security() {
    let data = new_data_dir();
    let postgres = start(&data).await;
    as_owner(&postgres, TENANT_TABLE).await;

    let mut migrator = connect(&postgres, Login::Migrator).await;
    run(&mut migrator, "set role send0_owner").await.expect("may");
    assert_eq!(refused(&mut migrator, "insert into events values (2, 'by the owner')").await, NOT_PERMITTED);
    assert_eq!(refused(&mut migrator, "select append('by the owner')").await, NOT_PERMITTED);
    run(&mut migrator, "set role send0_log; grant execute on function append to send0_app").await.expect("may");
    run(&mut migrator, "set role send0_owner").await.expect("may");

    run(&mut connect(&postgres, Login::App).await, "select append('through the function')").await.expect("may");
    assert_eq!(number(&mut migrator, "select count(*) from events").await, 0);
    assert_eq!(number(&mut connect(&postgres, Login::Backup).await, "select count(*) from events").await, 1);

    run(&mut migrator, "drop function append; drop function lookup; drop table events").await.expect("its schema");
    postgres.stop().await.expect("stops");
}

#[tokio::test]
async fn bootstrap_may_be_run_again_and_mends() {
    let data = new_data_dir();
    let postgres = start(&data).await;
    let mut superuser = connect(&postgres, Login::Superuser).await;
    run(
        &mut superuser,
        "alter role send0_owner inherit; alter role send0_app password 'x'; grant create on schema public to public",
    )
    .await
    .expect("may");
    bootstrap::bootstrap(&postgres).await.expect("again");
    let mended =
        "select concat_ws(' ', rolinherit, has_schema_privilege('send0_app', 'public', 'create')) from pg_roles
        where rolname = 'send0_owner'";
    assert_eq!(text(&mut superuser, mended).await, "f f");
    connect(&postgres, Login::App).await;
    postgres.stop().await.expect("stops");
}

/// On another server, as `psql` runs it.
#[tokio::test]
async fn the_printed_script_does_the_same() {
    let data = new_data_dir();
    let postgres = start(&data).await;
    let mut superuser =
        PgConnection::connect_with(&postgres.options(Login::Superuser).database("postgres")).await.expect("connects");
    for undo in ["drop database send0 with (force)", "drop role send0_app", "drop role send0_migrator"] {
        run(&mut superuser, undo).await.expect(undo);
    }
    let script = data.path().join("bootstrap.sql");
    fs::write(&script, bootstrap_sql()).expect("written");
    let psql = |variables: &[&str]| {
        let mut command = Command::new("psql");
        command.args(["-XqU", "postgres", "-d", "postgres", "-h"]).arg(&postgres.socket_dir).arg("-f").arg(&script);
        command.env("PGPASSWORD", postgres.passwords.of(Login::Superuser));
        command.args(variables.iter().flat_map(|variable| ["-v", variable]));
        command.output()
    };
    let Ok(without_passwords) = psql(&[]) else { return };
    assert!(!without_passwords.status.success(), "a role without its password");
    let names = ["migrator", "app", "auth", "worker", "auditor", "backup"];
    let variables: Vec<_> = names.map(|name| format!("{name}_password=it's {name}")).to_vec();
    let variables: Vec<_> = variables.iter().map(String::as_str).collect();
    for _ in 0..2 {
        let done = psql(&variables).expect("runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    PgConnection::connect_with(&postgres.options(Login::App).password("it's app")).await.expect("connects");
    postgres.stop().await.expect("stops");
}
