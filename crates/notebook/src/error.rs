//! What can be wrong with a notebook file, in words that say what to do next. Faults of cells are not errors but reports.

use std::path::{Path, PathBuf};

/// A notebook that could not be read or written: which file, and what is the matter with it.
#[derive(Debug, thiserror::Error)]
pub struct NotebookError {
    /// The file, when the notebook came from one.
    pub path: Option<PathBuf>,
    /// What is the matter.
    #[source]
    pub problem: Problem,
}

impl std::fmt::Display for NotebookError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}: {}", path.display(), self.problem),
            None => self.problem.fmt(f),
        }
    }
}

/// What is the matter with a notebook.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    #[error("there is no such file; check the name and the folder")]
    Missing,
    #[error("this is a folder; name a notebook in it")]
    Folder,
    #[error("the file is empty; it holds no notebook")]
    Empty,
    #[error(
        "the file stops in the middle (after line {line}); it was not saved to its end, take an earlier copy"
    )]
    Truncated { line: usize },
    #[error("this is not a notebook: it is not JSON (line {line}, column {column}: {reason})")]
    NotJson {
        line: usize,
        column: usize,
        reason: String,
    },
    #[error("this is not a notebook: {reason}")]
    NotANotebook { reason: String },
    #[error(
        "this notebook is in the old format {major}; convert it with `jupyter nbconvert --to notebook {name}`"
    )]
    OldFormat { major: i64, name: String },
    #[error(
        "this notebook is in format {major}, newer than this program knows (4); look for a newer LoopBot"
    )]
    NewFormat { major: i64 },
    #[error("cell {cell}: {reason}")]
    Cell {
        /// Counted from 1, as people count cells.
        cell: usize,
        reason: String,
    },
    #[error(
        "this notebook is written for {language}, and only Rust notebooks can be run here; open it in Jupyter"
    )]
    OtherLanguage { language: String },
    #[error("the file cannot be read: {0}")]
    Read(#[source] std::io::Error),
    #[error(
        "the notebook cannot be written: {0}; is there room, and may you write in this folder?"
    )]
    Write(#[source] std::io::Error),
}

impl Problem {
    /// The same problem, with the file it is about.
    pub(crate) fn at(self, path: &Path) -> NotebookError {
        NotebookError {
            path: Some(path.to_owned()),
            problem: self,
        }
    }
}

impl From<Problem> for NotebookError {
    fn from(problem: Problem) -> NotebookError {
        NotebookError {
            path: None,
            problem,
        }
    }
}
