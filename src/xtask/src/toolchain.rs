//! A compiler that can target WebAssembly: rustup's own where it can be had, Debian's otherwise.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    apt,
    error::{Error, Result},
    process,
    project::Project,
};

const WASM: &str = "wasm32-unknown-unknown";
/// cargo-leptos asks for this minor version of Rust 1.
const OLDEST: u32 = 96;
/// What rustup calls Debian's compiler.
const DEBIAN: &str = "debian";
const DEBIAN_LIBRARIES: &str = "/usr/lib/rustlib";
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];
const DEBIAN_CHECKERS: [&str; 2] = ["rust-web-clippy", "rustfmt-web"];
/// Beside the libraries lies the version of the compiler that built them: another cannot read them.
const MARKER: &str = "built-by";

/// Which compiler builds everything. One for all, or every crate would be built twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// The one that is active already, with the WebAssembly target.
    Active,
    /// Debian's, with a standard library for WebAssembly that we build.
    Debian,
}

impl Toolchain {
    /// The active compiler if it is new enough and has (or rustup can add) the target, else Debian's.
    pub fn choose() -> Self {
        let new_enough = version("rustc").is_some_and(|minor| minor >= OLDEST);
        if new_enough && (active_has_wasm() || rustup_adds_wasm()) { Self::Active } else { Self::Debian }
    }

    /// What `Project::toolchain` must be for it.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Active => None,
            Self::Debian => Some(DEBIAN),
        }
    }

    /// The Debian packages that it still lacks.
    pub fn missing_packages(self, with_checkers: bool) -> Vec<&'static str> {
        if self == Self::Active {
            return Vec::new();
        }
        let mut packages = DEBIAN_PACKAGES.to_vec();
        if with_checkers {
            packages.extend(DEBIAN_CHECKERS);
        }
        apt::missing(&packages)
    }

    /// Whether `finish` has nothing left to do.
    pub fn is_finished(self) -> bool {
        self == Self::Active || (is_linked() && standard_library_is_current())
    }

    /// What remains after the packages: Debian's WebAssembly library.
    pub fn finish(self, project: &Project) -> Result<()> {
        if self == Self::Active {
            return Ok(());
        }
        link()?;
        let libraries = build_standard_library(project)?;
        place_standard_library(&libraries)
    }

    /// Whether clippy and rustfmt are there; Debian's come as packages.
    pub fn has_checkers(self) -> bool {
        let answers = |name: &&str| process::output(Command::new("cargo").args([name, "--version"])).is_ok();
        self == Self::Debian || ["clippy", "fmt"].iter().all(answers)
    }

    /// Has rustup add them.
    pub fn add_checkers(self) -> Result<()> {
        let added = process::output(Command::new("rustup").args(["component", "add", "clippy", "rustfmt"]));
        added.map(drop).map_err(|_| {
            Error::failed(
                "finding clippy and rustfmt",
                "run `rustup component add clippy rustfmt` where static.rust-lang.org can be reached",
            )
        })
    }
}

fn version(rustc: &str) -> Option<u32> {
    let version = process::output(Command::new(rustc).arg("--version")).ok()?;
    version.split('.').nth(1)?.parse().ok()
}

/// What we built ourselves does not count: that is Debian's, and has to be kept up with it.
fn active_has_wasm() -> bool {
    let Ok(root) = process::output(Command::new("rustc").args(["--print", "sysroot"])) else {
        return false;
    };
    let folder = wasm_folder(Path::new(&root).join("lib/rustlib"));
    folder.exists() && !folder.join(MARKER).exists()
}

fn rustup_adds_wasm() -> bool {
    process::output(Command::new("rustup").args(["target", "add", WASM])).is_ok()
}

fn wasm_folder(libraries: impl AsRef<Path>) -> PathBuf {
    libraries.as_ref().join(WASM).join("lib")
}

fn marker() -> PathBuf {
    wasm_folder(DEBIAN_LIBRARIES).join(MARKER)
}

fn standard_library_is_current() -> bool {
    let Ok(built_by) = fs::read_to_string(marker()) else {
        return false;
    };
    debian_version().is_ok_and(|version| version == built_by)
}

fn debian_version() -> Result<String> {
    process::output(Command::new("/usr/bin/rustc").arg("--version"))
}

fn is_linked() -> bool {
    process::on_path("rustup").is_none()
        || process::output(Command::new("rustup").args(["toolchain", "list"]))
            .is_ok_and(|list| list.lines().any(|line| line.starts_with(DEBIAN)))
}

fn link() -> Result<()> {
    if is_linked() {
        return Ok(());
    }
    process::output(Command::new("rustup").args(["toolchain", "link", DEBIAN, "/usr"])).map(drop)
}

/// Builds `std` from the source in rust-web-src and returns the folder of its libraries.
fn build_standard_library(project: &Project) -> Result<PathBuf> {
    let seed = project.cache.join("stdseed");
    write(&seed.join("src/lib.rs"), "")?;
    let manifest = "[package]\nname = \"stdseed\"\nedition = \"2024\"\n[workspace]\n";
    write(&seed.join("Cargo.toml"), manifest)?;
    let mut cargo = project.command("cargo");
    cargo
        .args(["build", "--release", "--target", WASM, "--target-dir"])
        .arg(seed.join("target"))
        .arg("-Zbuild-std=std,panic_abort")
        .env("RUSTC_BOOTSTRAP", "1")
        .current_dir(&seed);
    process::logged(
        &mut cargo,
        &project.cache.join("setup.log"),
        "building the standard library for WebAssembly from rust-web-src",
        "remove that folder and try again; a rustup with wasm32-unknown-unknown makes it unnecessary",
    )?;
    Ok(seed.join("target").join(WASM).join("release/deps"))
}

/// Puts the libraries and the linker where `rustup target add` would have put them.
fn place_standard_library(built: &Path) -> Result<()> {
    let script = format!(
        "set -e\n\
         mkdir -p {DEBIAN_LIBRARIES}/x86_64-unknown-linux-gnu/bin {folder}\n\
         ln -sfn /usr/bin/lld-22 {DEBIAN_LIBRARIES}/x86_64-unknown-linux-gnu/bin/rust-lld\n\
         rm -f {folder}/*.rlib\n\
         cp {built}/*.rlib {folder}/\n\
         rm -f {folder}/libstdseed-*\n\
         /usr/bin/rustc --version | tr -d \"\\n\" > {marker}",
        folder = wasm_folder(DEBIAN_LIBRARIES).display(),
        built = built.display(),
        marker = marker().display(),
    );
    if !process::is_root() {
        return Err(Error::NeedsRoot {
            why: "Placing the standard library for WebAssembly beside Debian's compiler".to_owned(),
            command: format!("sudo sh -c '{}'", script.replace('\n', "; ")),
        });
    }
    process::output(Command::new("sh").args(["-c", &script])).map(drop)
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Error::file(folder))?;
    }
    fs::write(path, text).map_err(Error::file(path))
}
