//! Who may log in, and with which password.

use super::PostgresError;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions, rename},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};
use uuid::Uuid;

/// A login of the private PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Login {
    /// May do everything. For bootstrap only.
    Superuser,
    /// Changes the schema, after `set role send0_owner`.
    Migrator,
    /// The web and the API, under row-level security.
    App,
    /// What must be known before the tenant is.
    Auth,
    /// Jobs.
    Worker,
    /// Reads the audit log.
    Auditor,
    /// Reads everything, for `pg_dump`.
    Backup,
}

impl Login {
    const ALL: [Self; 7] =
        [Self::Superuser, Self::Migrator, Self::App, Self::Auth, Self::Worker, Self::Auditor, Self::Backup];

    /// All but the superuser.
    pub(super) fn limited() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|login| *login != Self::Superuser)
    }

    /// The role's name in PostgreSQL.
    pub fn role(self) -> &'static str {
        match self {
            Self::Superuser => "postgres",
            Self::Migrator => "send0_migrator",
            Self::App => "send0_app",
            Self::Auth => "send0_auth",
            Self::Worker => "send0_worker",
            Self::Auditor => "send0_auditor",
            Self::Backup => "send0_backup",
        }
    }
}

/// A password for each login. Not `Debug`: passwords belong in no log.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Passwords(BTreeMap<Login, String>);

impl Passwords {
    pub fn of(&self, login: Login) -> &str {
        self.0.get(&login).map_or("", String::as_str)
    }

    /// Reads the file; a login that is new since it was written gets a password.
    pub fn read(path: &Path) -> Result<Self, PostgresError> {
        let text = std::fs::read(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => PostgresError::PasswordsLost { path: path.to_owned() },
            _ => PostgresError::Io { action: "read", path: path.to_owned(), source },
        })?;
        serde_json::from_slice(&text)
            .map_err(|source| PostgresError::PasswordsDamaged { path: path.to_owned(), source })
    }

    /// Makes the passwords that are missing and writes the file, readable by its owner only, whole or not at all.
    pub fn complete(&mut self, path: &Path) -> Result<(), PostgresError> {
        let before = self.0.len();
        for login in Login::ALL {
            self.0.entry(login).or_insert_with(random_password);
        }
        if self.0.len() == before {
            return Ok(());
        }
        self.write(path).map_err(PostgresError::io("write", path))
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let unfinished = path.with_extension("new");
        let mut file = create_private(&unfinished)?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        rename(&unfinished, path)
    }
}

/// An empty file that only its owner may read.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    if path.exists() {
        std::fs::remove_file(path)?;
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// 122 bits from the operating system, as hexadecimal digits.
fn random_password() -> String {
    Uuid::new_v4().simple().to_string()
}
