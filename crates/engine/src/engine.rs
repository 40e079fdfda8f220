//! The engine: takes cells in order, makes each ready, runs it in the child, and keeps the books.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use loopbot_runtime::wire::{Ending, Request};

use crate::cell::{self, Cell, Directive, ItemKind};
use crate::child::{Child, Line, News, Sink, in_words};
use crate::compile::Stopper;
use crate::directive::{self, Known};
use crate::event::{Event, Failure, FailureKind, MimeBundle, Outcome};
use crate::failure::{
    dependency_failure, directive_failure, interrupted, panic_failure, refused, set_up_failure,
    unexplained,
};
use crate::libraries::{Dependency, Libraries};
use crate::panics::LoadedCells;
use crate::prepare::{Prepared, Workshop};
use crate::session::Session;
use crate::type_name::short;
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
    /// How many cells have been run.
    number: usize,
    /// Cells with statics that have run before, and how often: another run starts their statics afresh.
    runs_with_statics: Vec<(String, usize)>,
    cells: LoadedCells,
    stage: Option<Stage>,
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
    Libraries::get(config, &[], progress, &Stopper::default()).map(drop)
}

/// Whether [`prepare`] would have nothing to do.
pub fn is_prepared(config: &Config) -> Result<bool, EngineError> {
    Libraries::are_ready(config)
}

impl Engine {
    /// Starts an engine. Returns at once: libraries are built, if need be, and the child process started in the
    /// background. `sink` receives events from several threads, in order, also between cells.
    pub fn start(
        config: Config,
        sink: impl Fn(Event) + Send + Sync + 'static,
    ) -> Result<Engine, EngineError> {
        let mut engine = Engine {
            config,
            sink: Arc::new(sink),
            scope: ScopeHandle::default(),
            session: Session::default(),
            extra: Vec::new(),
            optimization: "0",
            timing: false,
            number: 0,
            runs_with_statics: Vec::new(),
            cells: LoadedCells::default(),
            stage: None,
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
        let outcome = self.run_directives_and_code(code);
        self.control.busy.store(false, Ordering::SeqCst);
        self.scope.update(&self.session);
        match outcome {
            Ok(result) => Outcome::Done { result },
            Err(failure) => Outcome::Failed(*failure),
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

    fn run_directives_and_code(&mut self, code: &str) -> Result<Option<MimeBundle>, Box<Failure>> {
        let started = Instant::now();
        let cell = cell::parse(code);
        let mut wanted = Vec::new();
        for directive in &cell.directives {
            let known = directive::find(&directive.name)
                .map_err(|message| directive_failure(directive, message))?;
            if known == Known::Dep {
                let dependency = Dependency::parse(&directive.argument, &self.config.working_dir);
                wanted.push(dependency.map_err(|message| directive_failure(directive, message))?);
            }
        }
        if !wanted.is_empty() {
            self.depend(
                wanted,
                cell.directives
                    .iter()
                    .find(|directive| directive.name == "dep"),
            )?;
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
            self.note(&format!(
                "took {all:.3} s: {how} in {compiled:.3} s, ran for {:.3} s",
                all - compiled
            ));
        }
        result
    }

    /// Makes sure that these crates can be used.
    fn depend(
        &mut self,
        wanted: Vec<Dependency>,
        directive: Option<&Directive>,
    ) -> Result<(), Box<Failure>> {
        let packages = self.stage()?.libraries.packages().to_vec();
        let missing: Vec<Dependency> = wanted
            .into_iter()
            .filter(|wanted| !self.extra.contains(wanted) || wanted.path().is_some())
            .filter(|wanted| {
                !packages.iter().any(|package| {
                    wanted.path().is_none_or(|_| package.own) && wanted.is_satisfied_by(package)
                })
            })
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let mut extra = self.extra.clone();
        for dependency in missing {
            extra.retain(|earlier| earlier.name != dependency.name);
            extra.push(dependency);
        }
        let sink = self.sink.clone();
        let libraries = Libraries::get(
            &self.config,
            &extra,
            &|step| sink(Event::Progress(step)),
            &self.control.stopper,
        )
        .map_err(|error| {
            let failure = set_up_failure(error);
            match directive {
                Some(directive) if failure.message.contains("could not be built") => {
                    dependency_failure(directive, &failure)
                }
                _ => failure,
            }
        })?;
        self.extra = extra;
        if self
            .stage
            .as_ref()
            .is_some_and(|stage| stage.libraries.name == libraries.name)
        {
            return Ok(());
        }
        let had: Vec<String> = self
            .session
            .variables
            .iter()
            .map(|variable| variable.name.clone())
            .collect();
        self.stage = None;
        self.session = Session::default();
        self.stage = Some(
            start_stage(
                libraries,
                &self.config,
                self.sink.clone(),
                self.cells.clone(),
                &self.control,
            )
            .map_err(set_up_failure)?,
        );
        if !had.is_empty() {
            self.note(&format!("New libraries need a new process: what earlier cells defined is gone ({}). Put `:dep` into the first cell.", had.join(", ")));
        }
        Ok(())
    }

    fn obey(&mut self, directive: &Directive) -> Result<(), Box<Failure>> {
        let refuse = |message: String| directive_failure(directive, message);
        match directive::find(&directive.name).map_err(refuse)? {
            Known::Dep => {}
            Known::Vars => self.show_text(self.variables_text()),
            Known::Type => {
                let text = self.type_of(directive)?;
                self.show_text(text);
            }
            Known::Opt => {
                self.optimization = directive::optimization(&directive.argument, self.optimization)
                    .map_err(refuse)?;
                self.show_text(format!(
                    "Cells that follow are compiled with optimisation {}.",
                    self.optimization
                ));
            }
            Known::Timing => {
                self.timing = !self.timing;
                self.show_text(format!(
                    "Timing is {}.",
                    if self.timing { "on" } else { "off" }
                ));
            }
            Known::Clear => {
                self.session = Session::default();
                self.runs_with_statics.clear();
                if let Some(stage) = self.stage.take() {
                    let libraries = stage.libraries.clone();
                    drop(stage);
                    let fresh = start_stage(
                        libraries,
                        &self.config,
                        self.sink.clone(),
                        self.cells.clone(),
                        &self.control,
                    );
                    self.stage = Some(fresh.map_err(set_up_failure)?);
                }
            }
            Known::Help => self.show_text(directive::help()),
        }
        Ok(())
    }

    fn show_text(&self, text: String) {
        self.emit(Event::Display(MimeBundle::from([(
            "text/plain".to_owned(),
            text.trim_end().to_owned(),
        )])));
    }

    fn variables_text(&self) -> String {
        if self.session.variables.is_empty() {
            return "No variables yet.".into();
        }
        let lines = self.session.variables.iter().map(|variable| {
            let mutable = if variable.mutable { "mut " } else { "" };
            format!("{mutable}{}: {}\n", variable.name, short(&variable.kind))
        });
        lines.collect()
    }

    fn type_of(&mut self, directive: &Directive) -> Result<String, Box<Failure>> {
        let expression = directive.argument.trim_end_matches(';');
        if expression.is_empty() {
            return Err(directive_failure(
                directive,
                "`:type` needs an expression, for example `:type 1 + 2`".into(),
            ));
        }
        let source = format!("let it = {expression};");
        let cell = cell::parse(&source);
        let (session, number, optimization) =
            (self.session.clone(), self.number, self.optimization);
        let stopper = self.control.stopper.clone();
        let libraries = self.stage()?.libraries.clone();
        let workshop = Workshop {
            libraries: &libraries,
            optimization,
            stopper: &stopper,
        };
        match workshop.type_of(&session, &cell, &source, number) {
            Ok(kind) => Ok(format!("{expression}: {}", short(&kind))),
            Err(refusal) => Err(refused(refusal)),
        }
    }

    fn prepare(&mut self, cell: &Cell, code: &str) -> Result<Prepared, Box<Failure>> {
        let salt = self.salt(cell, code);
        let libraries = self.stage()?.libraries.clone();
        let workshop = Workshop {
            libraries: &libraries,
            optimization: self.optimization,
            stopper: &self.control.stopper,
        };
        workshop
            .prepare(&self.session, cell, code, self.number, salt)
            .map_err(refused)
    }

    /// Distinguishes the runs of a cell that defines statics.
    fn salt(&mut self, cell: &Cell, code: &str) -> usize {
        if !cell.items.iter().any(|item| item.kind == ItemKind::Static) {
            return 0;
        }
        match self
            .runs_with_statics
            .iter_mut()
            .find(|(text, _)| text == code)
        {
            Some((_, runs)) => {
                *runs += 1;
                *runs
            }
            None => {
                self.runs_with_statics.push((code.to_owned(), 0));
                0
            }
        }
    }

    fn run(&mut self, cell: &Cell, prepared: Prepared) -> Result<Option<MimeBundle>, Box<Failure>> {
        if !prepared.findings.warnings.is_empty() {
            self.note(&prepared.findings.warnings.join("\n"));
        }
        self.cells
            .register(&prepared.crate_name, &prepared.generated, self.number);
        self.session.define(cell, &prepared, self.number);
        let grace = self.config.interrupt_grace;
        let control = self.control.clone();
        let library = prepared.library.to_string_lossy().into_owned();
        let child = &self.stage()?.child;
        child.line().send(&Request::Run {
            library,
            entry: prepared.crate_name.clone(),
        });
        let (mut panic, mut killed) = (None, false);
        let (ending, shown) = loop {
            match child.news().recv_timeout(Duration::from_millis(50)) {
                Ok(News::Panicked(drawn)) => panic = Some(drawn),
                Ok(News::Ended { ending, shown }) => break (Some(ending), shown),
                Ok(News::Gone) | Err(mpsc::RecvTimeoutError::Disconnected) => break (None, None),
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    let since = control
                        .interrupted
                        .lock()
                        .ok()
                        .and_then(|interrupted| *interrupted);
                    if !killed && since.is_some_and(|since| since.elapsed() >= grace) {
                        killed = true;
                        child.line().kill();
                    }
                }
            }
        };
        let finished = ending == Some(Ending::Finished);
        self.session.settle(&prepared, finished, self.number);
        let lost = &prepared.findings.lost;
        if let (true, false, Some(stage)) = (finished, lost.is_empty(), &self.stage) {
            let names = lost.keys().cloned().collect();
            stage.child.line().send(&Request::Forget { names });
        }
        match ending {
            Some(Ending::Finished) => {
                Ok(shown.map(|text| MimeBundle::from([("text/plain".to_owned(), text)])))
            }
            Some(Ending::Panicked) => Err(Box::new(panic_failure(
                panic.unwrap_or_else(unexplained),
                self.number,
            ))),
            Some(Ending::ReturnedError(text)) => Err(Box::new(Failure {
                kind: FailureKind::ErrorReturned,
                name: "error".into(),
                report: vec![format!(
                    "\u{1b}[1;31merror\u{1b}[0m: a `?` at the top of the cell returned an error: {text}"
                )],
                message: text,
                position: None,
            })),
            Some(Ending::Cancelled) => Err(interrupted(
                "The cell was interrupted at an `.await`. Variables of earlier cells are as the cell left them.",
            )),
            Some(Ending::NotLoaded(reason)) => Err(set_up_failure(EngineError::Child(
                std::io::Error::other(reason),
            ))),
            None => Err(self.child_ended(killed)),
        }
    }

    /// Replaces a child that is gone and explains what that means.
    fn child_ended(&mut self, killed: bool) -> Box<Failure> {
        let status = self.stage.as_mut().and_then(|stage| stage.child.wait());
        let had = self.session.variables.len();
        self.session.lose_variables(self.number);
        self.runs_with_statics.clear();
        if let Some(stage) = self.stage.take() {
            let libraries = stage.libraries.clone();
            drop(stage);
            match start_stage(
                libraries,
                &self.config,
                self.sink.clone(),
                self.cells.clone(),
                &self.control,
            ) {
                Ok(stage) => self.stage = Some(stage),
                Err(error) => return set_up_failure(error),
            }
        }
        let loss = if had > 0 {
            " Its variables are gone; functions and types are still there."
        } else {
            ""
        };
        if killed {
            return interrupted(&format!(
                "The cell did not stop by itself, so its process was ended.{loss}"
            ));
        }
        let message = format!("the process that ran the cell ended: {}", in_words(status));
        Box::new(Failure {
            kind: FailureKind::Crashed,
            name: "crash".into(),
            report: vec![format!(
                "\u{1b}[1;31mcrash\u{1b}[0m: {message}.{loss} Run the cells that you need again."
            )],
            message,
            position: None,
        })
    }
}

fn start_stage(
    libraries: Libraries,
    config: &Config,
    sink: Sink,
    cells: LoadedCells,
    control: &Control,
) -> Result<Stage, EngineError> {
    crate::cache::private_folder(&libraries.cells())?;
    let child = Child::start(&libraries, &config.working_dir, sink, cells)?;
    if let Ok(mut line) = control.line.lock() {
        *line = Some(child.line().clone());
    }
    Ok(Stage { libraries, child })
}
