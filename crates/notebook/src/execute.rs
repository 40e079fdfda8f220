//! Runs the cells of a notebook in order and stores what they printed and showed. Knows the engine, no server.
//!
//! It stops at the first cell that fails, because what comes after may lean on it, except at cells that are meant to
//! fail. It prints nothing: who wants to show progress hands in a callback.

use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use loopbot_engine::{
    Config, Engine, EngineError, Event, Failure, FailureKind, Interrupter, Outcome,
};

use crate::outputs::Collector;
use crate::{Cell, Notebook, Problem};

/// How to run a notebook.
#[derive(Clone, Default)]
pub struct Options {
    /// Working directory of the cells and start of relative `:dep` paths: the folder of the notebook. `None` for the
    /// working directory of this process.
    pub folder: Option<PathBuf>,
    /// How long one cell may take; a cell that takes longer is interrupted, and the run stops. Building
    /// libraries does not count. `None` for no limit.
    pub cell_limit: Option<Duration>,
    /// Called as the run goes on, from several threads; must return soon.
    pub on_step: Option<OnStep>,
}

/// A callback that hears how a run goes on.
pub type OnStep = Arc<dyn Fn(Step<'_>) + Send + Sync>;

/// What a run tells while it goes on. Cells are named by their index in [`Notebook::cells`].
#[non_exhaustive]
pub enum Step<'a> {
    /// The engine is there; this interrupts it, from any thread.
    Started(Interrupter),
    /// A cell begins: the `position`th (from 1) of `total` that will run.
    Cell {
        index: usize,
        position: usize,
        total: usize,
    },
    /// A cell has ended.
    CellDone(&'a CellReport),
    /// The engine is busy with something that takes long, such as building libraries.
    Progress(String),
}

/// How a run went.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The cells that ran, in order.
    pub cells: Vec<CellReport>,
    /// How many cells there were to run; more than `cells` when the run stopped early.
    pub total: usize,
}

/// How one cell went.
#[derive(Debug, Clone, PartialEq)]
pub struct CellReport {
    /// Index in [`Notebook::cells`].
    pub index: usize,
    pub took: Duration,
    pub outcome: CellOutcome,
}

/// How one cell ended.
#[derive(Debug, Clone, PartialEq)]
pub enum CellOutcome {
    /// It ran to its end.
    Ran,
    /// It failed, as it was meant to.
    FailedAsMeant(Failure),
    /// It did what it should not.
    Fault(Fault),
}

/// What a cell should not have done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    #[error("{}: {}", .0.name, .0.message)]
    Failed(Failure),
    #[error("it is meant to fail{}, but it ran to its end", with(.expected))]
    DidNotFail { expected: Vec<String> },
    #[error("it is meant to fail{}, but it failed with {}: {}", with(.expected), .failure.name, .failure.message)]
    FailedOtherwise {
        expected: Vec<String>,
        failure: Failure,
    },
    #[error("it took longer than {} s and was interrupted", .0.as_secs_f32())]
    TookTooLong(Duration),
}

fn with(codes: &[String]) -> String {
    match codes {
        [] => String::new(),
        codes => format!(" with {}", codes.join(", ")),
    }
}

impl Report {
    /// Whether every cell ran, and as it should.
    pub fn passed(&self) -> bool {
        self.cells.len() == self.total && self.faults().next().is_none()
    }

    /// What went wrong, with the index of the cell.
    pub fn faults(&self) -> impl Iterator<Item = (usize, &Fault)> {
        self.cells.iter().filter_map(|cell| match &cell.outcome {
            CellOutcome::Fault(fault) => Some((cell.index, fault)),
            _ => None,
        })
    }
}

/// Why a run could not begin. What goes wrong in cells is in the [`Report`].
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    #[error(transparent)]
    Notebook(#[from] Problem),
    #[error("the cells cannot be run: {0}")]
    Engine(#[from] EngineError),
}

/// What runs cells: the engine, or a stand-in of a test.
pub trait Runner {
    /// Runs one cell to its end; its events reach the sink first.
    fn run_cell(&mut self, code: &str) -> Outcome;
    /// What interrupts the running cell; `None` when nothing does.
    fn interrupter(&self) -> Option<Interrupter>;
}

impl Runner for Engine {
    fn run_cell(&mut self, code: &str) -> Outcome {
        Engine::run_cell(self, code)
    }

    fn interrupter(&self) -> Option<Interrupter> {
        Some(Engine::interrupter(self))
    }
}

/// Runs all code cells of `notebook` in order through an engine of its own and stores their outputs in it. Outputs of
/// earlier runs are gone, also those of cells that this run did not reach.
///
/// ```no_run
/// use std::path::Path;
/// use loopbot_notebook::{Notebook, Options, execute};
/// let path = Path::new("notebooks/en/00-start-here.ipynb");
/// let mut notebook = Notebook::read(path)?;
/// let folder = path.parent().map(Path::to_owned);
/// let report = execute(&mut notebook, Options { folder, ..Options::default() })?;
/// assert!(report.passed());
/// notebook.write(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// When the notebook is for another language, or the engine cannot be set up. A cell that fails is not an error here.
pub fn execute(notebook: &mut Notebook, options: Options) -> Result<Report, ExecuteError> {
    let mut config = Config::from_env()?;
    if let Some(folder) = options
        .folder
        .as_ref()
        .filter(|f| !f.as_os_str().is_empty())
    {
        config.working_dir = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
    }
    execute_with(notebook, options, |sink| {
        Engine::start(config, sink).map_err(ExecuteError::from)
    })
}

/// As [`execute`], with whatever runner `start` makes from the sink that takes the events.
///
/// # Errors
///
/// As [`execute`].
pub fn execute_with<R: Runner>(
    notebook: &mut Notebook,
    options: Options,
    start: impl FnOnce(Box<dyn Fn(Event) + Send + Sync>) -> Result<R, ExecuteError>,
) -> Result<Report, ExecuteError> {
    notebook.require_rust()?;
    let sink = Sink::default();
    let building = Building::default();
    let on_step = options.on_step.unwrap_or_else(|| Arc::new(|_| {}));
    let mut runner = start(Box::new({
        let (sink, on_step, building) = (sink.clone(), on_step.clone(), building.clone());
        move |event| match event {
            Event::Progress(text) => {
                building.note();
                on_step(Step::Progress(text));
            }
            event => sink.take(event),
        }
    }))?;
    if let Some(interrupter) = runner.interrupter() {
        on_step(Step::Started(interrupter));
    }
    notebook.strip_outputs();
    name_language(notebook);

    let runnable = notebook.cells.iter().enumerate();
    let runnable = runnable.filter(|(_, cell)| cell.is_runnable());
    let runnable: Vec<usize> = runnable.map(|(index, _)| index).collect();
    let mut report = Report {
        cells: Vec::new(),
        total: runnable.len(),
    };
    for (earlier, &index) in runnable.iter().enumerate() {
        let position = earlier + 1;
        let total = runnable.len();
        on_step(Step::Cell {
            index,
            position,
            total,
        });
        let cell = &notebook.cells[index];
        sink.begin(index);
        let started = Instant::now();
        let (outcome, over_time) =
            run_limited(&mut runner, &cell.source, options.cell_limit, &building);
        let took = started.elapsed();
        let count = i64::try_from(position).unwrap_or(i64::MAX);
        sink.with(|collected| {
            if let Some((_, collector)) = collected.last_mut() {
                collector.outcome(&outcome, count);
            }
        });
        notebook.cells[index].execution_count = Some(count);

        let outcome = match (over_time, outcome) {
            (Some(limit), Outcome::Failed(_)) => CellOutcome::Fault(Fault::TookTooLong(limit)),
            (_, outcome) => judge(&notebook.cells[index], outcome),
        };
        let done = CellReport {
            index,
            took,
            outcome,
        };
        on_step(Step::CellDone(&done));
        let stop = matches!(
            done.outcome,
            CellOutcome::Fault(Fault::Failed(_) | Fault::TookTooLong(_))
        );
        report.cells.push(done);
        if stop {
            break;
        }
    }
    // Ending the engine first lets the last words of threads that outlive their cell arrive.
    drop(runner);
    for (index, collector) in sink.with(std::mem::take) {
        notebook.cells[index].outputs = collector.into_outputs();
    }
    Ok(report)
}

/// The outputs of the cells so far. What arrives between cells belongs to the one that ran last.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<(usize, Collector)>>>);

impl Sink {
    fn with<T>(&self, act: impl FnOnce(&mut Vec<(usize, Collector)>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn begin(&self, index: usize) {
        self.with(|collected| collected.push((index, Collector::default())));
    }

    fn take(&self, event: Event) {
        self.with(|collected| {
            // What changes in place may stand in the output of an earlier cell.
            if let Event::Live { id, forms } = &event
                && collected
                    .iter_mut()
                    .any(|(_, collector)| collector.update(id, forms))
            {
                return;
            }
            if let Some((_, collector)) = collected.last_mut() {
                collector.event(event);
            }
        });
    }
}

/// Runs a cell and interrupts it when its time is over; the second value is the limit when that happened.
fn run_limited(
    runner: &mut impl Runner,
    code: &str,
    limit: Option<Duration>,
    building: &Building,
) -> (Outcome, Option<Duration>) {
    let (Some(limit), Some(interrupter)) = (limit, runner.interrupter()) else {
        return (runner.run_cell(code), None);
    };
    std::thread::scope(|scope| {
        let (done, ended) = mpsc::channel::<()>();
        let started = Instant::now();
        let watch = scope.spawn(move || {
            loop {
                let since = building.last().map_or(started, |last| last.max(started));
                let left = limit.saturating_sub(since.elapsed());
                if left.is_zero() {
                    interrupter.interrupt();
                    return Some(limit);
                }
                if ended.recv_timeout(left) != Err(RecvTimeoutError::Timeout) {
                    return None;
                }
            }
        });
        let outcome = runner.run_cell(code);
        drop(done);
        (outcome, watch.join().unwrap_or_default())
    })
}

/// When the engine last said that it is building something. The time of a cell starts anew then: building libraries
/// takes minutes on a new machine, and is not the cell's doing.
#[derive(Clone, Default)]
struct Building(Arc<Mutex<Option<Instant>>>);

impl Building {
    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn last(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn judge(cell: &Cell, outcome: Outcome) -> CellOutcome {
    let expected = || {
        cell.expected_codes()
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    match outcome {
        // Nobody means these: the learner stopped the cell, or the machine lacks something.
        Outcome::Failed(
            failure @ Failure {
                kind: FailureKind::Interrupted | FailureKind::SetUp,
                ..
            },
        ) => CellOutcome::Fault(Fault::Failed(failure)),
        Outcome::Done { .. } if cell.expects_error() => CellOutcome::Fault(Fault::DidNotFail {
            expected: expected(),
        }),
        Outcome::Done { .. } => CellOutcome::Ran,
        Outcome::Failed(failure) if !cell.expects_error() => {
            CellOutcome::Fault(Fault::Failed(failure))
        }
        Outcome::Failed(failure) => {
            let found = |code: &str| {
                let own = match &failure.kind {
                    FailureKind::Compile { codes } => codes.as_slice(),
                    _ => &[],
                };
                failure.name == code || own.iter().any(|own| own == code)
            };
            match cell.expected_codes().into_iter().all(found) {
                true => CellOutcome::FailedAsMeant(failure),
                false => CellOutcome::Fault(Fault::FailedOtherwise {
                    expected: expected(),
                    failure,
                }),
            }
        }
    }
}

/// Notes the language as a kernel does, so that viewers colour the code.
fn name_language(notebook: &mut Notebook) {
    let entry = notebook.metadata.entry("language_info");
    entry.or_insert_with(|| {
        serde_json::json!({
            "codemirror_mode": "rust",
            "file_extension": ".rs",
            "mimetype": "text/x-rust",
            "name": "rust",
            "pygments_lexer": "rust",
            "version": "2024",
        })
    });
}
