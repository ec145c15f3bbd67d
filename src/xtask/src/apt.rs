//! Debian packages, for what cargo and npm cannot bring.

use std::{path::Path, process::Command};

use crate::{
    error::{Error, Result},
    process,
};

/// The packages among these that are not installed.
pub fn missing(packages: &[&'static str]) -> Vec<&'static str> {
    let known = Command::new("dpkg-query")
        .args(["--show", "--showformat", "${Package} ${db:Status-Status}\n"])
        .args(packages)
        .output();
    let known = known.map(|known| known.stdout).unwrap_or_default();
    let known = String::from_utf8_lossy(&known);
    let installed = |package: &str| {
        let wanted = format!("{package} installed");
        known.lines().any(|line| line == wanted)
    };
    let mut missing = packages.to_vec();
    missing.retain(|package| !installed(package));
    missing
}

/// Installs packages; someone who is not root is told the one line that does it.
pub fn install(packages: &[&str], log: &Path) -> Result<()> {
    let names = packages.join(" ");
    if process::on_path("apt-get").is_none() {
        return Err(Error::failed(
            format!("finding the Debian packages {names}, as there is no apt-get here,"),
            "install their equivalents (a Rust from 1.96 on with `rustup update stable`), then try again",
        ));
    }
    let install = format!("apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends {names}");
    if !process::is_root() {
        return Err(Error::NeedsRoot {
            why: format!("Installing {names}"),
            command: format!("sudo sh -c 'apt-get update && {install}'"),
        });
    }
    // RUNLEVEL=1: Debian would otherwise start services (a PostgreSQL cluster) that nobody asked for.
    let mut apt = Command::new("sh");
    apt.args(["-c", &format!("apt-get update && {install}")])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("RUNLEVEL", "1");
    process::logged(
        &mut apt,
        log,
        &format!("installing the Debian packages {names}"),
        "check that the Debian mirror answers (`apt-get update`) and carries them: rustc-web and its like \
         are in Debian 12's security updates; elsewhere `rustup update stable` makes them unnecessary",
    )
}
