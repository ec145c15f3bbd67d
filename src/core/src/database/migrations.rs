//! The schema, brought up to date by the one login that may.

use sqlx::{Connection, Executor, PgConnection, postgres::PgConnectOptions};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");

/// Applies what is missing, as `send0_owner`. Two servers starting at once wait for each other.
///
/// # Errors
/// When the migrator cannot connect, may not become the owner, or a migration fails: it is rolled back whole.
pub async fn migrate(migrator: &PgConnectOptions) -> Result<(), sqlx::migrate::MigrateError> {
    let mut connection = PgConnection::connect_with(migrator).await?;
    connection.execute("set role send0_owner").await?;
    MIGRATIONS.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// Names the state of the migrations, for databases that are copied from a migrated one.
#[cfg(feature = "testing")]
pub fn fingerprint() -> String {
    let checksums: String = MIGRATIONS.iter().map(|migration| crate::secrets::hex(&migration.checksum)).collect();
    let all = [&checksums, super::bootstrap::ROLES, super::bootstrap::GRANTS].concat();
    crate::secrets::hex(&crate::secrets::hash(&all)[..8])
}
