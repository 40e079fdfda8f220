//! Runs one notebook through the engine and tells how it goes: the part that `run`, `export` and `check` share.
//!
//! It writes no notebook; what to do with the outputs is the command's business.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use loopbot_notebook::{Fault, Notebook, Options, Report, Step, execute};

use crate::{console, lessons};

/// Longer than any lesson's cell and shorter than a reader's patience: a first `:dep` may have to build crates.
const CELL_LIMIT: Duration = Duration::from_secs(600);

/// How a run ended.
pub(crate) struct Run {
    pub(crate) report: Report,
    pub(crate) took: Duration,
}

/// Runs all cells of `notebook`, which came from `path`, and stores their outputs in it.
pub(crate) fn run(notebook: &mut Notebook, path: &Path) -> Result<Run> {
    let name = path.display().to_string();
    let options = Options {
        folder: Some(lessons::folder_of(path)),
        cell_limit: Some(CELL_LIMIT),
        on_step: Some(Arc::new(move |step| match step {
            Step::Cell {
                position, total, ..
            } => console::passing(format_args!("{name}: cell {position} of {total}")),
            Step::Progress(text) => console::step("", &text),
            _ => {}
        })),
    };
    let started = Instant::now();
    let report = execute(notebook, options).with_context(|| path.display().to_string());
    console::passing("");
    Ok(Run {
        report: report?,
        took: started.elapsed(),
    })
}

/// The one line that says how a lesson went, and for each fault where it is and the learner's error report.
pub(crate) fn tell(path: &Path, run: &Run) {
    let (ran, total) = (run.report.cells.len(), run.report.total);
    let seconds = run.took.as_secs_f32();
    if run.report.passed() {
        console::result(format_args!(
            "✔ {}: {ran} cells, {seconds:.1} s",
            path.display()
        ));
        return;
    }
    let rest = match total - ran {
        0 => "",
        1 => "; the cell after it did not run",
        _ => "; the cells after it did not run",
    };
    for (index, fault) in run.report.faults() {
        let cell = number(&run.report, index);
        console::result(format_args!("✘ {}: {cell}: {fault}{rest}", path.display()));
        if let Fault::Failed(failure) | Fault::FailedOtherwise { failure, .. } = fault {
            console::report(&failure.report);
        }
    }
}

/// A cell as Jupyter shows it: counted among all cells, and the number beside it after a run.
fn number(report: &Report, index: usize) -> String {
    match report.cells.iter().position(|cell| cell.index == index) {
        Some(position) => format!("cell {} (In [{}])", index + 1, position + 1),
        None => format!("cell {}", index + 1),
    }
}
