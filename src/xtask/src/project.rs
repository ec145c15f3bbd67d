//! The checkout, and the environment that every sub-command gets.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

/// Debian's usual linker takes a minute for what lld does in seconds. Set by us rather than in `.cargo/config.toml`: we are
/// linked before lld is installed.
const LINKER: (&str, &str) = (
    if cfg!(target_arch = "aarch64") {
        "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS"
    } else {
        "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS"
    },
    "-Clink-arg=-fuse-ld=lld",
);

/// Where things are. Cheap to make; nothing is looked up on disk.
#[derive(Clone, Debug)]
pub struct Project {
    /// The top folder of the checkout.
    pub root: PathBuf,
    /// Where our own tools live, shared by all checkouts of this user.
    pub cache: PathBuf,
    /// The rustup toolchain to use instead of the active one.
    pub toolchain: Option<&'static str>,
}

impl Project {
    /// The checkout that this `xtask` was compiled from.
    pub fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Self { root: root.canonicalize().unwrap_or(root), cache: cache(), toolchain: None }
    }

    /// A command in the top folder, with our tools first on PATH and the chosen compiler.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        for (name, _) in env::vars_os().filter(|(name, _)| is_leftover(name)) {
            command.env_remove(name);
        }
        for (name, value) in self.variables() {
            command.env(name, value);
        }
        command
    }

    /// What `command` sets, for people who call cargo themselves (`cargo xtask env`).
    pub fn variables(&self) -> Vec<(&'static str, OsString)> {
        let mut variables = vec![("PATH", self.path()), (LINKER.0, LINKER.1.into())];
        if let Some(libraries) = own_libraries() {
            variables.push(("LD_LIBRARY_PATH", libraries));
        }
        if let Some(toolchain) = self.toolchain {
            variables.push(("RUSTUP_TOOLCHAIN", toolchain.into()));
        }
        variables
    }

    /// The folder of the tools that cargo installs for us.
    pub fn tools(&self) -> PathBuf {
        self.cache.join("tools/bin")
    }

    fn path(&self) -> OsString {
        let mut folders = vec![self.tools(), self.root.join("style/node_modules/.bin")];
        if self.toolchain.is_some() && crate::process::on_path("rustup").is_none() {
            folders.push("/usr/bin".into());
        }
        let inherited = env::var_os("PATH").unwrap_or_default();
        let inherited = env::split_paths(&inherited).filter(|folder| !folders.contains(folder));
        let all: Vec<_> = folders.iter().cloned().chain(inherited).collect();
        env::join_paths(all).unwrap_or_default()
    }
}

fn cache() -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_else(|| "/tmp".into()));
    env::var_os("XDG_CACHE_HOME")
        .filter(|folder| !folder.is_empty())
        .map_or_else(|| home().join(".cache"), PathBuf::from)
        .join("send0")
}

/// What the cargo that started us says about us, and what would mislead the cargo that we start.
fn is_leftover(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    let about_us = [
        "CARGO",
        "CARGO_BIN_NAME",
        "CARGO_CRATE_NAME",
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_LINKS",
        "CARGO_MANIFEST_PATH",
        "CARGO_PRIMARY_PACKAGE",
        "LD_LIBRARY_PATH",
        "RUST_RECURSION_COUNT",
        "RUSTUP_TOOLCHAIN_SOURCE",
    ];
    about_us.contains(&name.as_ref()) || name.starts_with("CARGO_PKG_")
}

/// LD_LIBRARY_PATH without what `cargo run` and rustup put there for us.
fn own_libraries() -> Option<OsString> {
    let value = env::var_os("LD_LIBRARY_PATH")?;
    let foreign = |folder: &PathBuf| {
        let folder = folder.to_string_lossy();
        folder.contains("/target/xtask/") || folder.contains("/.rustup/toolchains/")
    };
    let own: Vec<_> = env::split_paths(&value).filter(|f| !foreign(f)).collect();
    if own.is_empty() {
        return None;
    }
    env::join_paths(own).ok()
}
