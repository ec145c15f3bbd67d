//! That the log still proves itself: by the server's own check, and by an export that is checked without the server.

use std::{fs, process::Command};

use super::evidence::get;
use crate::{
    error::{Error, Result},
    installation::Installation,
    process,
};

/// Whether both find every event as it was sealed, once everything up to this one is.
pub fn holds(installation: &Installation, key: &str, events: usize) -> Result<bool> {
    installation.wait_for("sealing the log", || {
        let note = get(&mut installation.client(), key, "/v1/audit-log/checkpoint").ok()?;
        let size: usize = note.lines().nth(1)?.parse().ok()?;
        (size >= events).then_some(())
    })?;
    let checked = process::tee(&mut installation.command(&["audit", "check"]))?.0;
    // The register first: an export that is older than a checkpoint lacks its end.
    let register = installation.data().join("checkpoints.ndjson");
    let [checkpoints, keys, export] =
        ["checkpoints", "keys", "export.ndjson"].map(|name| installation.folder().join(name));
    fs::copy(&register, &checkpoints).map_err(Error::file(&register))?;
    for (path, file) in [("/v1/audit-log/public-key", &keys), ("/v1/audit-log/export", &export)] {
        fs::write(file, get(&mut installation.client(), key, path)?).map_err(Error::file(file))?;
    }
    let mut verify = Command::new(installation.beside("send0-verify"));
    verify.arg(&export).arg("--checkpoint").arg(&checkpoints).arg("--public-key").arg(&keys);
    Ok(process::tee(&mut verify)?.0 && checked)
}
