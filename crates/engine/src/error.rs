//! What goes wrong outside the learner's code. Every text says what happened and what to do.

use std::path::PathBuf;

/// Why crates cannot be used, in cargo's words and in ours.
#[derive(Debug)]
pub struct Unavailable {
    /// The crate that is to blame, if that is known.
    pub(crate) crate_name: Option<String>,
    /// One sentence, without its end.
    pub(crate) reason: String,
    /// What cargo said, line by line.
    pub(crate) said: Vec<String>,
}

impl std::fmt::Display for Unavailable {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}; cargo says:\n{}", self.reason, self.said.join("\n"))
    }
}

/// A fault of the machine or of the set-up, never of a cell.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("no folder for caches is known on this system; set LOOPBOT_CACHE to a folder of yours")]
    NoCacheFolder,
    #[error("the working directory cannot be read: {0}")]
    WorkingDir(#[source] std::io::Error),
    #[error(
        "rustc was not found or does not run; install Rust (rustup), or put its bin folder on the PATH"
    )]
    NoCompiler,
    #[error(
        "cargo was not found or does not run; install Rust (rustup), or put its bin folder on the PATH"
    )]
    NoCargo,
    #[error("the cache folder {path} cannot be used: {reason}")]
    Cache { path: PathBuf, reason: String },
    #[error("the libraries could not be built: {0}")]
    Libraries(Unavailable),
    #[error("the process that runs the cells could not be started: {0}")]
    Child(#[source] std::io::Error),
    #[error("the compiler itself stopped without a message about the cell:\n{complaint}")]
    CompilerCrashed { complaint: String },
    #[error(
        "the engine could not find a form of this cell that compiles; please report the cell as a fault of the engine"
    )]
    GaveUp,
    #[error(
        "a file that the cell includes changed each time it was being compiled; run the cell when the file is at rest"
    )]
    InputsChange,
    #[error(
        "interrupted while libraries were being built; what is finished stays, the rest is built when it is needed"
    )]
    Stopped,
}
