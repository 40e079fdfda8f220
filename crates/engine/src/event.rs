//! What a running cell tells its front end: output as it happens, and how the cell ended.
//!
//! Plain data, no behaviour beyond small accessors; how it is sent over a wire is the front end's business.

use std::collections::BTreeMap;

/// One value in several forms, by MIME type. Binary types (`image/png`) hold base64 text, JSON types hold JSON text.
pub type MimeBundle = BTreeMap<String, String>;

/// Something that happened while a cell ran, or after it ended (a thread that outlives its cell still prints).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Text the learner's code wrote to standard output; any size, not necessarily whole lines.
    Stdout(String),
    /// Text the learner's code wrote to standard error, warnings of the compiler, and notes of the engine.
    Stderr(String),
    /// A picture, table or other rich output shown by the cell, in all forms it was given in.
    Display(MimeBundle),
    /// Rich output that changes in place (a progress bar): shown like `Display` when `id` is new, else in the place of
    /// what was shown under `id`, also when that was in an earlier cell. Ids are unique among all processes.
    Live { id: String, forms: MimeBundle },
    /// What the engine is doing when that takes long (building libraries); for a status line, not for the notebook.
    Progress(String),
}

/// How a cell ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The cell ran to its end; `result` is its last expression, unless that is `()` or there is none.
    Done { result: Option<MimeBundle> },
    /// The cell did not compile, or stopped before its end. Later cells of a Run All should not run.
    Failed(Failure),
}

/// Why a cell failed, in the learner's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    /// A short name: `E0308`, `syntax error`, `panic`, `error`, `interrupted`, `crash`, `unknown directive`.
    pub name: String,
    /// One line that says what happened.
    pub message: String,
    /// The full report, line by line, with ANSI colours: the learner's own lines and what to do.
    pub report: Vec<String>,
    /// Where in the cell, when that is known.
    pub position: Option<Position>,
}

/// What stopped a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureKind {
    /// rustc refused the cell; its error codes in order of appearance (`E0308`; empty for a syntax error).
    Compile { codes: Vec<String> },
    /// The cell panicked; variables stay.
    Panic,
    /// A top-level `?` returned an error; variables stay.
    ErrorReturned,
    /// A directive was unknown or wrongly used.
    Directive,
    /// The learner interrupted the cell.
    Interrupted,
    /// The process that ran the cell ended (segmentation fault, exit, abort).
    Crashed,
    /// The machine lacks something: no rustc, disk full, libraries that do not build.
    SetUp,
}

/// A place in the learner's cell, both counted from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}
