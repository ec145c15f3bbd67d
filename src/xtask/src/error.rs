//! What can go wrong, told with what to do about it.

use std::{fmt, io};

/// A failure of an `xtask` step. Every message names the package or file, and the remedy where there is one.
#[derive(Debug)]
pub enum Error {
    /// The command line made no sense.
    Usage(String),
    /// A program could not be started at all.
    Start {
        /// The program.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// A program ran and reported failure.
    Failed {
        /// What was attempted, naming the package.
        what: String,
        /// The last lines it wrote, empty if they were already on the screen.
        output: String,
        /// What to do about it, empty if the output says so itself.
        remedy: String,
    },
    /// Only root may do the next step, and we are not root.
    NeedsRoot {
        /// What for.
        why: String,
        /// The complete line to run.
        command: String,
    },
    /// A file or folder could not be read or written.
    File {
        /// Its path.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// Checks failed; the summary has already said which.
    Checks,
}

/// The result of an `xtask` step.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// For `map_err` on file operations.
    pub fn file(path: impl AsRef<std::path::Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().display().to_string();
        move |source| Self::File { path, source }
    }

    /// A failure whose output is already on the screen.
    pub fn failed(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Failed { what: what.into(), output: String::new(), remedy: remedy.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) => write!(f, "{message}"),
            Self::Start { program, source } => {
                write!(f, "{program} could not be started: {source}")
            }
            Self::Failed { what, output, remedy } => {
                if !output.is_empty() {
                    writeln!(f, "{output}")?;
                }
                write!(f, "{what} failed")?;
                if remedy.is_empty() { Ok(()) } else { write!(f, "\n  remedy: {remedy}") }
            }
            Self::NeedsRoot { why, command } => {
                write!(f, "{why} needs root, once. Run this, then try again:\n\n  {command}\n")
            }
            Self::File { path, source } => write!(f, "{path}: {source}"),
            Self::Checks => write!(f, "checks failed"),
        }
    }
}

impl std::error::Error for Error {}
