//! The versions of PostgreSQL that are installed here.

use super::{PostgresError, user::ServerUser};
use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

/// The oldest major version that knows all that the schema uses.
pub(super) const OLDEST: u32 = 15;

/// Where Debian keeps them, outside PATH.
const DEBIAN: &str = "/usr/lib/postgresql";

/// One installed version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binaries {
    pub directory: PathBuf,
    pub major: u32,
}

impl Binaries {
    pub fn postgres(&self) -> PathBuf {
        self.directory.join("postgres")
    }

    pub fn initdb(&self) -> PathBuf {
        self.directory.join("initdb")
    }

    /// All that this user can run.
    pub fn installed(user: &ServerUser) -> Vec<Self> {
        let directories: BTreeSet<_> = candidates().filter_map(|directory| real_home(&directory)).collect();
        directories.into_iter().filter_map(|directory| Self::at(directory, user)).collect()
    }

    fn at(directory: PathBuf, user: &ServerUser) -> Option<Self> {
        let answer = user.command(directory.join("postgres")).arg("--version").output().ok()?;
        let major = major_version(&String::from_utf8_lossy(&answer.stdout))?;
        Some(Self { directory, major })
    }

    /// The newest for a new cluster; for an existing one, the version that made it.
    pub fn choose(installed: Vec<Self>, made_by: Option<String>, cluster: &Path) -> Result<Self, PostgresError> {
        let Some(made_by) = made_by else {
            let usable = installed.into_iter().filter(|binaries| binaries.major >= OLDEST);
            return usable.max_by_key(|binaries| binaries.major).ok_or(PostgresError::NotInstalled);
        };
        let versions = list(&installed);
        let same = installed.into_iter().find(|binaries| binaries.major.to_string() == made_by);
        same.ok_or_else(|| PostgresError::OtherVersion { cluster: cluster.to_owned(), made_by, installed: versions })
    }
}

fn candidates() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<_> = env::split_paths(&path).collect();
    let debian = fs::read_dir(DEBIAN).into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    on_path.into_iter().chain(debian)
}

/// The directory in which `postgres` really lies, with `initdb` beside it.
fn real_home(directory: &Path) -> Option<PathBuf> {
    let postgres = directory.join("postgres").canonicalize().ok()?;
    let home = postgres.parent()?;
    home.join("initdb").is_file().then(|| home.to_owned())
}

/// `postgres (PostgreSQL) 15.18 (Debian …)` → 15
fn major_version(answer: &str) -> Option<u32> {
    let version = answer.strip_prefix("postgres (PostgreSQL) ")?;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn list(installed: &[Binaries]) -> String {
    let versions: BTreeSet<_> = installed.iter().map(|binaries| binaries.major).collect();
    let versions: Vec<_> = versions.into_iter().map(|major| format!("PostgreSQL {major}")).collect();
    if versions.is_empty() { "none".to_owned() } else { versions.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(majors: &[u32]) -> Vec<Binaries> {
        majors.iter().map(|&major| Binaries { directory: PathBuf::new(), major }).collect()
    }

    fn choose(majors: &[u32], made_by: Option<&str>) -> Result<u32, String> {
        let chosen = Binaries::choose(installed(majors), made_by.map(str::to_owned), Path::new("/data/postgres"));
        chosen.map(|binaries| binaries.major).map_err(|error| error.to_string())
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(major_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major_version("postgres (PostgreSQL) 19beta1\n"), Some(19));
        assert_eq!(major_version("something else"), None);
    }

    #[test]
    fn a_new_cluster_takes_the_newest() {
        assert_eq!(choose(&[15, 18, 17], None), Ok(18));
        assert!(choose(&[14], None).expect_err("too old").contains("PostgreSQL 15 or newer"));
    }

    #[test]
    fn a_cluster_takes_the_version_that_made_it() {
        assert_eq!(choose(&[15, 18], Some("15")), Ok(15));
        let refusal = choose(&[15, 18], Some("14")).expect_err("not there");
        assert!(refusal.contains("made by PostgreSQL 14"), "{refusal}");
        assert!(refusal.contains("PostgreSQL 15, PostgreSQL 18"), "{refusal}");
    }
}
