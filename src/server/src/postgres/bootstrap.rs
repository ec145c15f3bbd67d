//! Roles, the database and its grants: what belongs to the cluster, and so is no migration's business.

use super::{DATABASE, Login, Postgres};
use send0_core::database::bootstrap::{GRANTS, ROLES};
use sqlx::{Connection, Executor, PgConnection};
use std::fmt::Write;

const DATABASE_EXISTS: &str = "select exists (select from pg_database where datname = 'send0')";
const CREATE_DATABASE: &str = "create database send0 owner send0_owner";
/// The cluster is all ours, so nobody needs the databases that come with it.
const CLOSE_OTHER_DATABASES: &str = "revoke all on database postgres, template1 from public";
/// `alter role` takes no parameters, and this program makes no SQL out of values.
const REMEMBER_PASSWORD: &str = "select set_config('send0.role', $1, true), set_config('send0.password', $2, true)";
const SET_PASSWORD: &str = "do $$ begin
    execute format('alter role %I password %L', current_setting('send0.role'), current_setting('send0.password'));
end $$";

/// Makes what is missing. The passwords come last and all at once: who can log in finds everything done.
pub(super) async fn bootstrap(postgres: &Postgres) -> Result<(), sqlx::Error> {
    let superuser = postgres.options(Login::Superuser);
    let mut cluster = PgConnection::connect_with(&superuser.clone().database("postgres")).await?;
    cluster.execute(sqlx::raw_sql(ROLES)).await?;
    if !sqlx::query_scalar(DATABASE_EXISTS).fetch_one(&mut cluster).await? {
        cluster.execute(CREATE_DATABASE).await?;
    }
    cluster.execute(CLOSE_OTHER_DATABASES).await?;
    let mut database = PgConnection::connect_with(&superuser).await?;
    database.execute(sqlx::raw_sql(GRANTS)).await?;
    database.close().await?;
    set_passwords(&mut cluster, postgres).await?;
    cluster.close().await
}

async fn set_passwords(cluster: &mut PgConnection, postgres: &Postgres) -> Result<(), sqlx::Error> {
    let mut tx = cluster.begin().await?;
    for login in Login::limited() {
        let password = postgres.passwords.of(login);
        sqlx::query(REMEMBER_PASSWORD).bind(login.role()).bind(password).execute(&mut *tx).await?;
        tx.execute(sqlx::raw_sql(SET_PASSWORD)).await?;
    }
    tx.commit().await
}

/// What the superuser of another PostgreSQL runs with `psql` before send0 can use it. The passwords are variables.
pub fn bootstrap_sql() -> String {
    let variables: Vec<_> = Login::limited().map(password_variable).collect();
    let mut script = format!(
        "-- For psql 15 or newer, as a superuser; may be run again. First set a password for each login:\n\
         --   \\set {} 'long and random'\n\
         -- and so on for {}.\n\n\
         \\set ON_ERROR_STOP on\n\n\
         {ROLES}\n",
        variables[0],
        variables[1..].join(", "),
    );
    for (login, variable) in Login::limited().zip(&variables) {
        let _ = writeln!(script, "alter role {} password :'{variable}';", login.role());
    }
    let _ = write!(
        script,
        "\nselect '{CREATE_DATABASE}' where not exists (select from pg_database where datname = '{DATABASE}') \\gexec\n\
         \\connect {DATABASE}\n\n\
         {GRANTS}"
    );
    script
}

/// `send0_app` → `app_password`
fn password_variable(login: Login) -> String {
    format!("{}_password", login.role().trim_start_matches("send0_"))
}
