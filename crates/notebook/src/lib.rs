//! Jupyter notebooks: the model of a `.ipynb` file, reading, writing, running, and what a lesson promises.
//!
//! Knows no Jupyter server and no sockets. Running goes through [`loopbot_engine`] and can be left out of a build
//! (feature `execute`), because whoever only turns notebooks into pages needs the model alone.
//!
//! ```
//! use loopbot_notebook::Notebook;
//! let mut notebook = Notebook::parse(r##"{
//!     "nbformat": 4, "nbformat_minor": 5, "metadata": {},
//!     "cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# Hello\n", "you"]}]
//! }"##)?;
//! assert_eq!(notebook.cells[0].source, "# Hello\nyou");
//! notebook.strip_outputs();
//! assert!(notebook.to_text().ends_with("}\n"));
//! # Ok::<(), loopbot_notebook::NotebookError>(())
//! ```

mod canonical;
mod error;
#[cfg(feature = "execute")]
mod execute;
mod exercises;
mod lesson;
mod model;
#[cfg(feature = "execute")]
mod outputs;
mod read;
mod solution;
mod stream;
mod verdict;
mod write;

pub use error::{NotebookError, Problem};
#[cfg(feature = "execute")]
pub use execute::{
    CellOutcome, CellReport, ExecuteError, Fault, OnStep, Options, Report, Runner, Step, execute,
    execute_with,
};
pub use exercises::{Exercise, exercises, with_solution, with_solutions};
pub use lesson::{Finding, Lesson, findings};
pub use model::{Cell, CellKind, Notebook, Output, OutputKind, StreamName};
pub use solution::{SolutionError, solution_code};
pub use stream::as_seen;
pub use verdict::{VERDICT_MIME, Verdict, verdict_findings, verdicts};
