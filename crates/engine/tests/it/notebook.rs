//! A notebook for tests.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use loopbot_engine::{Config, Engine, Event, Failure, FailureKind, Interrupter, Outcome};

/// A text to look out for, and whom to tell when it is printed.
type Watched = Arc<Mutex<Option<(String, mpsc::Sender<()>)>>>;

pub(crate) struct Notebook {
    engine: Engine,
    events: Arc<Mutex<Vec<Event>>>,
    watched: Watched,
    progress: Vec<String>,
}

impl Notebook {
    pub(crate) fn new() -> Notebook {
        Notebook::with(config())
    }

    pub(crate) fn with(config: Config) -> Notebook {
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = events.clone();
        let watched = Watched::default();
        let watching = watched.clone();
        let engine = Engine::start(config, move |event| {
            if let (Event::Stdout(text), Some((wanted, heard))) =
                (&event, &*watching.lock().unwrap())
                && text.contains(wanted.as_str())
            {
                let _ = heard.send(());
            }
            seen.lock().unwrap().push(event);
        })
        .unwrap();
        Notebook {
            engine,
            events,
            watched,
            progress: Vec::new(),
        }
    }

    pub(crate) fn interrupter(&self) -> Interrupter {
        self.engine.interrupter()
    }

    /// Hears when a cell prints a piece of text that contains `text`.
    pub(crate) fn printed(&self, text: &str) -> mpsc::Receiver<()> {
        let (heard, hear) = mpsc::channel();
        *self.watched.lock().unwrap() = Some((text.to_owned(), heard));
        hear
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What has been shown and not been asked for yet, without progress messages.
    pub(crate) fn events(&mut self) -> Vec<Event> {
        let mut events = std::mem::take(&mut *self.events.lock().unwrap());
        events.retain(|event| match event {
            Event::Progress(step) => {
                self.progress.push(step.clone());
                false
            }
            _ => true,
        });
        events
    }

    /// Runs a cell, whatever comes of it; what it shows is left for [`Notebook::events`].
    pub(crate) fn run(&mut self, code: &str) -> Outcome {
        self.engine.run_cell(code)
    }

    /// The last expression of a cell that must work, without what it printed.
    #[track_caller]
    pub(crate) fn result(&mut self, code: &str) -> String {
        match self.engine.run_cell(code) {
            Outcome::Done { result } => result
                .and_then(|forms| forms.get("text/plain").cloned())
                .unwrap_or_default(),
            Outcome::Failed(failure) => panic!("{code}\nfailed:\n{}", failure.report.join("\n")),
        }
    }

    /// The progress messages that have not been asked for yet.
    pub(crate) fn progress(&mut self) -> Vec<String> {
        std::mem::take(&mut self.progress)
    }

    /// Runs a cell: everything it showed, its result last.
    pub(crate) fn try_run(&mut self, code: &str) -> Result<String, Failure> {
        self.events();
        match self.engine.run_cell(code) {
            Outcome::Done { result } => {
                let mut text = String::new();
                for event in self.events() {
                    match event {
                        Event::Stdout(piece) | Event::Stderr(piece) => text += &piece,
                        Event::Display(forms) | Event::Live { forms, .. } => {
                            text += &format!(
                                "{}\n",
                                forms
                                    .get("text/plain")
                                    .cloned()
                                    .unwrap_or_else(|| format!("{forms:?}"))
                            )
                        }
                        Event::Progress(_) => {}
                    }
                }
                text += result
                    .iter()
                    .filter_map(|forms| forms.get("text/plain"))
                    .next()
                    .map_or("", String::as_str);
                Ok(plain(&text).trim_end().to_owned())
            }
            Outcome::Failed(failure) => Err(failure),
        }
    }

    /// Runs a cell that must work and compares what it shows.
    #[track_caller]
    pub(crate) fn check(&mut self, code: &str, shown: &str) {
        match self.try_run(code) {
            Ok(text) => assert_eq!(text, shown, "shown by: {code}"),
            Err(failure) => panic!("{code}\nfailed:\n{}", plain(&failure.report.join("\n"))),
        }
    }

    /// Runs a cell that must fail; its name, position and report.
    #[track_caller]
    pub(crate) fn fail(&mut self, code: &str) -> Failed {
        match self.try_run(code) {
            Ok(text) => panic!("{code}\nshould have failed, but showed: {text}"),
            Err(failure) => Failed {
                report: plain(&failure.report.join("\n")),
                place: failure
                    .position
                    .map(|position| (position.line, position.column)),
                failure,
            },
        }
    }
}

/// What all notebooks of the tests have in common.
pub(crate) fn config() -> Config {
    Config {
        cache: PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache"),
        shared_cache: None,
        working_dir: PathBuf::from(env!("CARGO_MANIFEST_DIR")),
        interrupt_grace: Duration::from_millis(300),
        checkpoint_memory: 512 << 20,
    }
}

pub(crate) struct Failed {
    pub(crate) failure: Failure,
    pub(crate) report: String,
    pub(crate) place: Option<(usize, usize)>,
}

impl Failed {
    #[track_caller]
    pub(crate) fn says(&self, parts: &[&str]) -> &Failed {
        for part in parts {
            assert!(
                self.report.contains(part),
                "no {part:?} in:\n{}",
                self.report
            );
        }
        self.leaks_nothing();
        self
    }

    /// What was generated around the learner's text, and where it is kept, is not for the learner.
    #[track_caller]
    pub(crate) fn leaks_nothing(&self) -> &Failed {
        // Places in the machine are the compiler's to hide; a directive may speak of them.
        let places: &[&str] = match self.failure.kind {
            FailureKind::Compile { .. } => &[
                ".cargo",
                "rustlib",
                "/rustc/",
                ".rs:",
                env!("CARGO_TARGET_TMPDIR"),
            ],
            _ => &[],
        };
        let names = [
            "__rt",
            "lib.rs",
            "body.rs",
            "cell_",
            "carried_",
            "__v",
            "__probe",
            "__libraries",
            "__Keepable",
            "run_async",
            "CellError",
            "lessons_",
            "compiling-",
        ];
        for leak in names.iter().chain(places) {
            assert!(
                !self.report.contains(leak),
                "{leak:?} leaks into:\n{}",
                self.report
            );
        }
        self
    }
}

/// Text without ANSI colours.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        out += &rest[..at];
        rest = &rest[at + 2..];
        rest = &rest[rest
            .find(|character: char| character.is_ascii_alphabetic())
            .map_or(rest.len(), |end| end + 1)..];
    }
    out + rest
}
