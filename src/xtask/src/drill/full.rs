//! The disk runs full under load, and has room again.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, id},
    thread,
    time::{Duration, Instant},
};

use super::clients::Clients;
use crate::{
    error::{Error, Result},
    installation::Installation,
    process,
};

/// Room for PostgreSQL and a minute of calls.
const SIZE: &str = "size=700m,mode=755";
/// Before the disk runs full, and after it has room again.
const WELL: Duration = Duration::from_secs(3);
const FULL: Duration = Duration::from_secs(10);

/// A disk in memory that only this run uses. Dropping it takes it away.
#[derive(Debug)]
pub struct Disk(PathBuf);

impl Disk {
    /// Needs root, as mounting does.
    pub fn mount() -> Result<Self> {
        let folder = PathBuf::from(format!("/tmp/send0-disk-{}", id()));
        fs::create_dir(&folder).map_err(Error::file(&folder))?;
        process::output(Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(&folder))?;
        Ok(Self(folder))
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Takes all the room that is left, down to the last block.
    fn fill(&self) -> Result<()> {
        let path = self.filler();
        let mut file = File::create(&path).map_err(Error::file(&path))?;
        while file.write_all(&[0; 4096]).is_ok() {}
        Ok(())
    }

    fn free(&self) -> Result<()> {
        let path = self.filler();
        fs::remove_file(&path).map_err(Error::file(&path))
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: PostgreSQL may need a moment to let go of it.
        let _ = process::output(Command::new("umount").arg("--lazy").arg(&self.0));
        let _ = fs::remove_dir(&self.0);
    }
}

/// Says how long calls did not go well, beyond the time that the disk was full.
pub fn carry_out(installation: &Installation, disk: &Disk, clients: &Clients) -> Result<Duration> {
    thread::sleep(WELL);
    disk.fill()?;
    thread::sleep(FULL);
    disk.free()?;
    let freed = Instant::now();
    installation.wait_for("answering again", || clients.are_served_since(freed).then_some(()))?;
    let recovered = freed.elapsed();
    thread::sleep(WELL);
    Ok(recovered)
}
