//! The engine: takes cells in order, makes each ready, runs it in the child, and keeps the books.
//!
//! Here stands what an engine is made of and the way of a cell through it; [`depend`], [`obey`], [`run`], [`running`] and
//! [`checkpoints`] hold the single steps.

mod cache;
mod checkpoints;
mod depend;
mod obey;
mod run;
mod running;

use checkpoints::History;
use running::Running;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use loopbot_runtime::wire::Request;

use crate::allowance::Allowance;
use crate::cell;
use crate::child::{Child, Line, Sink};
use crate::compile::Stopper;
use crate::directive::{self, Known};
use crate::event::{Event, Failure, MimeBundle, Outcome};
use crate::failure::{directive_failure, set_up_failure};
use crate::libraries::{Dependency, Libraries};
use crate::panics::LoadedCells;
use crate::session::Session;
use crate::store::Store;
use crate::{Config, EngineError, ScopeHandle};

/// Runs the cells of one notebook.
pub struct Engine {
    config: Config,
    sink: Sink,
    scope: ScopeHandle,
    session: Session,
    extra: Vec<Dependency>,
    optimization: &'static str,
    timing: bool,
    /// Why a shared cache is not used, until it was said.
    refused: Option<String>,
    /// How many cells have been run.
    number: usize,
    history: History,
    running: Running,
    /// What the checkpoint before the last cell took.
    checkpoint_time: Duration,
    cells: LoadedCells,
    stage: Option<Stage>,
    store: Option<Arc<Store>>,
    /// The error code of the last cell that did not compile.
    explainable: Option<String>,
    preparing: Option<std::thread::JoinHandle<Result<Stage, EngineError>>>,
    control: Arc<Control>,
}

/// What a cell needs to run.
struct Stage {
    libraries: Libraries,
    child: Child,
}

/// What an [`Interrupter`] reaches from other threads.
#[derive(Debug, Default)]
struct Control {
    /// Whether a cell is being compiled or run.
    busy: AtomicBool,
    interrupted: Mutex<Option<Instant>>,
    stopper: Stopper,
    line: Mutex<Option<Line>>,
    allowance: Arc<Allowance>,
}

/// Interrupts whatever the engine is doing, from any thread.
#[derive(Debug, Clone)]
pub struct Interrupter(Arc<Control>);

impl Interrupter {
    /// Cancels the running cell: an `.await` is cancelled, a compile is stopped, anything else is ended after the grace
    /// time of [`Config`]. Does nothing between cells.
    pub fn interrupt(&self) {
        if !self.0.busy.load(Ordering::SeqCst) {
            return;
        }
        if let Ok(mut interrupted) = self.0.interrupted.lock() {
            interrupted.get_or_insert_with(Instant::now);
        }
        self.0.stopper.stop();
        if let Ok(line) = self.0.line.lock()
            && let Some(line) = &*line
        {
            line.send(&Request::Cancel);
        }
    }
}

/// Builds the lesson libraries unless they are there; `progress` hears of each step. Takes a minute or two the first
/// time, milliseconds afterwards.
pub fn prepare(config: &Config, progress: &dyn Fn(String)) -> Result<(), EngineError> {
    let mut config = config.clone();
    let _ = config.check_shared_cache();
    Libraries::get(&config, &[], progress, &Stopper::default()).map(drop)
}

/// Whether [`prepare`] would have nothing to do.
pub fn is_prepared(config: &Config) -> Result<bool, EngineError> {
    let mut config = config.clone();
    let _ = config.check_shared_cache();
    Libraries::are_ready(&config)
}

impl Engine {
    /// Starts an engine. Returns at once: libraries are built, if need be, and the child process started in the
    /// background. `sink` receives events from several threads, in order, also between cells.
    pub fn start(
        mut config: Config,
        sink: impl Fn(Event) + Send + Sync + 'static,
    ) -> Result<Engine, EngineError> {
        let history = History::new(config.checkpoint_memory);
        let refused = config.check_shared_cache().err();
        let mut engine = Engine {
            config,
            sink: Arc::new(sink),
            scope: ScopeHandle::default(),
            session: Session::default(),
            extra: Vec::new(),
            optimization: "0",
            timing: false,
            refused,
            number: 0,
            history,
            running: Running::default(),
            checkpoint_time: Duration::ZERO,
            cells: LoadedCells::default(),
            stage: None,
            store: None,
            explainable: None,
            preparing: None,
            control: Arc::default(),
        };
        engine.prepare_in_background();
        Ok(engine)
    }

    /// Compiles (or takes from the cache) and runs one cell; all events of the cell reached the sink before it returns.
    pub fn run_cell(&mut self, code: &str) -> Outcome {
        self.number += 1;
        if let Ok(mut interrupted) = self.control.interrupted.lock() {
            *interrupted = None;
        }
        self.control.stopper.reset();
        self.control.busy.store(true, Ordering::SeqCst);
        if let Some(refused) = self.refused.take() {
            self.note(&refused);
        }
        self.control.allowance.begin();
        let outcome = self.run_directives_and_code(code);
        self.control.allowance.end(&self.sink);
        self.control.busy.store(false, Ordering::SeqCst);
        self.scope.update(&self.session);
        match outcome {
            Ok(result) => Outcome::Done { result },
            Err(failure) => {
                self.note_failure(&failure);
                Outcome::Failed(*failure)
            }
        }
    }

    /// A handle to interrupt with.
    pub fn interrupter(&self) -> Interrupter {
        Interrupter(self.control.clone())
    }

    /// The names in scope, for completion and inspection.
    pub fn scope(&self) -> ScopeHandle {
        self.scope.clone()
    }

    fn emit(&self, event: Event) {
        (self.sink)(event);
    }

    fn note(&self, text: &str) {
        self.emit(Event::Stderr(format!("{text}\n")));
    }

    fn prepare_in_background(&mut self) {
        let (config, extra) = (self.config.clone(), self.extra.clone());
        let (sink, cells, control) = (self.sink.clone(), self.cells.clone(), self.control.clone());
        self.preparing = Some(std::thread::spawn(move || {
            let libraries = Libraries::get(
                &config,
                &extra,
                &|step| sink(Event::Progress(step)),
                &control.stopper,
            )?;
            start_stage(libraries, &config, sink, cells, &control)
        }));
    }

    /// Waits until there are libraries and a child.
    fn stage(&mut self) -> Result<&mut Stage, Box<Failure>> {
        if self.stage.is_none() && self.preparing.is_none() {
            self.prepare_in_background();
        }
        if let Some(preparing) = self.preparing.take() {
            let lost = || EngineError::Child(std::io::Error::other("its starter stopped"));
            self.stage = Some(
                preparing
                    .join()
                    .map_err(|_| lost())
                    .flatten()
                    .map_err(set_up_failure)?,
            );
        }
        self.stage
            .as_mut()
            .ok_or_else(|| set_up_failure(EngineError::GaveUp))
    }

    /// The compiled cells of the set in use.
    fn store(&mut self) -> Result<Arc<Store>, Box<Failure>> {
        let own = self.stage()?.libraries.cells();
        if let Some(store) = self.store.as_ref().filter(|store| store.is_in(&own)) {
            return Ok(store.clone());
        }
        let store = Arc::new(Store::open(&self.config, own).map_err(set_up_failure)?);
        Ok(self.store.insert(store).clone())
    }

    fn run_directives_and_code(&mut self, code: &str) -> Result<Option<MimeBundle>, Box<Failure>> {
        let started = Instant::now();
        self.notice_death()?;
        let cell = cell::parse_knowing(code, &|name| self.session.knows(name));
        let mut wanted = Vec::new();
        for directive in &cell.directives {
            let known = directive::find(&directive.name)
                .map_err(|message| directive_failure(directive, message))?;
            if known == Known::Dep {
                let dependency = Dependency::parse(&directive.argument, &self.config.working_dir);
                let dependency =
                    dependency.map_err(|message| directive_failure(directive, message));
                wanted.push((directive, dependency?));
            }
        }
        if !wanted.is_empty() {
            self.depend(&wanted)?;
        }
        for directive in &cell.directives {
            self.obey(directive)?;
        }
        if cell.statements.is_empty() && cell.items.is_empty() && cell.uses.is_empty() {
            return Ok(None);
        }
        if !cell.is_rust
            && let Some(failure) = crate::report::unbalanced(code, &cell.text, self.number)
        {
            return Err(Box::new(failure));
        }
        let prepared = self.prepare(&cell, code)?;
        let compiled = started.elapsed();
        let how = if prepared.from_cache {
            "taken from the cache"
        } else {
            "compiled"
        };
        let result = self.run(&cell, prepared);
        if self.timing {
            let (compiled, all) = (compiled.as_secs_f64(), started.elapsed().as_secs_f64());
            let checkpoint = self.checkpoint_time.as_secs_f64();
            self.note(&format!(
                "took {all:.3} s: {how} in {compiled:.3} s, ran for {:.3} s; the checkpoint before it took {checkpoint:.4} s",
                all - compiled - checkpoint
            ));
        }
        result
    }
}

fn start_stage(
    libraries: Libraries,
    config: &Config,
    sink: Sink,
    cells: LoadedCells,
    control: &Control,
) -> Result<Stage, EngineError> {
    let folders = Store::places(config, &libraries.cells())?;
    let sink = control.allowance.limited(sink);
    let child = Child::start(&libraries, &folders, &config.working_dir, sink, cells)?;
    if let Ok(mut line) = control.line.lock() {
        *line = Some(child.line().clone());
    }
    Ok(Stage { libraries, child })
}
