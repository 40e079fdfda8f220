//! One cell through the runner: sent, waited for, its ending put in words.

use std::time::Duration;

use loopbot_runtime::wire::{Death, Ending, Request};

use super::{Control, Engine};
use crate::EngineError;
use crate::bookkeeping::Settled;
use crate::cell::{Cell, ItemKind};
use crate::child::News;
use crate::event::{Failure, FailureKind, MimeBundle};
use crate::failure::{interrupted, panic_failure, refused, set_up_failure, unexplained};
use crate::panics::DrawnPanic;
use crate::prepare::{Prepared, Workshop};

impl Engine {
    pub(super) fn prepare(&mut self, cell: &Cell, code: &str) -> Result<Prepared, Box<Failure>> {
        let salt = self.salt(cell, code);
        let store = self.store()?;
        let libraries = self.stage()?.libraries.clone();
        let workshop = Workshop {
            libraries: &libraries,
            store: &store,
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
            .session
            .runs_with_statics
            .iter_mut()
            .find(|(text, _)| text == code)
        {
            Some((_, runs)) => {
                *runs += 1;
                *runs
            }
            None => {
                self.session.runs_with_statics.push((code.to_owned(), 0));
                0
            }
        }
    }

    pub(super) fn run(
        &mut self,
        cell: &Cell,
        prepared: Prepared,
    ) -> Result<Option<MimeBundle>, Box<Failure>> {
        if !prepared.findings.warnings.is_empty() {
            self.note(&prepared.findings.warnings.join("\n"));
        }
        self.cells
            .register(&prepared.crate_name, &prepared.generated, self.number);
        for note in self.session.notes(cell, &prepared) {
            self.note(&note);
        }
        let checkpoint = self.mark();
        self.session.define(cell, &prepared, self.number);
        let control = self.control.clone();
        let library = prepared.library.to_string_lossy().into_owned();
        self.stage()?.child.line().send(&Request::Run {
            library,
            entry: prepared.crate_name.clone(),
            checkpoint,
        });
        let end = self.wait_for_end(&control)?;
        if let Some(refused) = end.refused {
            self.unmark();
            self.note(&format!("This cell has no checkpoint: the process could not be copied ({refused}). A crash would lose the variables."));
        }
        self.checkpoint_time = end.checkpoint_time;
        let (ending, shown) = match end.how {
            How::Ended {
                ending,
                shown,
                tasks,
            } => {
                if let Some(pid) = self
                    .stage
                    .as_ref()
                    .and_then(|stage| stage.child.line().pid())
                {
                    self.running.look(pid, self.number, tasks);
                }
                (ending, shown)
            }
            How::Died(death, last_words) => {
                return Err(self.child_ended(Some((death, last_words)), end.killed));
            }
            How::Orphaned => return Err(self.child_ended(None, end.killed)),
        };
        let finished = ending == Ending::Finished;
        if !matches!(ending, Ending::NotLoaded(_)) {
            self.session
                .settle(cell, &prepared, &end.settled, finished, self.number);
        }
        let lost = &prepared.findings.lost;
        if let (true, false, Some(stage)) = (finished, lost.is_empty(), &self.stage) {
            let names = lost.keys().cloned().collect();
            stage.child.line().send(&Request::Forget { names });
        }
        match ending {
            Ending::Finished => {
                Ok(shown.map(|text| MimeBundle::from([("text/plain".to_owned(), text)])))
            }
            Ending::Panicked => Err(Box::new(panic_failure(
                end.panic.unwrap_or_else(unexplained),
                self.number,
            ))),
            Ending::ReturnedError(text) => Err(Box::new(Failure {
                kind: FailureKind::ErrorReturned,
                name: "error".into(),
                report: vec![format!(
                    "\u{1b}[1;31merror\u{1b}[0m: a `?` at the top of the cell returned an error: {text}"
                )],
                message: text,
                position: None,
            })),
            Ending::Cancelled => Err(interrupted(
                "The cell was interrupted where it waited (`.await`) or printed. Variables of earlier cells are as the cell left them.",
            )),
            Ending::NotLoaded(reason) => Err(set_up_failure(EngineError::Child(
                std::io::Error::other(reason),
            ))),
        }
    }

    /// Waits until the running cell ends, one way or another; ends it if it does not follow an interrupt.
    fn wait_for_end(&mut self, control: &Control) -> Result<End, Box<Failure>> {
        let grace = self.config.interrupt_grace;
        let child = &mut self.stage()?.child;
        let (mut panic, mut killed, mut refused, mut checkpoint_time) =
            (None, false, None, Duration::ZERO);
        let mut settled = Settled::default();
        let how = loop {
            match child.next(Duration::from_millis(50)) {
                Some(News::Panicked(drawn)) => panic = Some(drawn),
                Some(News::Checkpointed {
                    micros,
                    refused: why,
                }) => {
                    checkpoint_time = Duration::from_micros(micros);
                    refused = why;
                }
                Some(News::Settled { kept, gone }) => settled = Settled { kept, gone },
                Some(News::Ended {
                    ending,
                    shown,
                    tasks,
                }) => {
                    break How::Ended {
                        ending,
                        shown,
                        tasks,
                    };
                }
                Some(News::Died {
                    death, last_words, ..
                }) => break How::Died(death, last_words),
                Some(News::Orphaned) => break How::Orphaned,
                Some(News::Hello { .. } | News::Tasks(_)) => {}
                None => {
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
        Ok(End {
            how,
            settled,
            panic,
            killed,
            refused,
            checkpoint_time,
        })
    }
}

/// How the run of a cell ended.
struct End {
    how: How,
    settled: Settled,
    panic: Option<DrawnPanic>,
    /// It did not follow an interrupt.
    killed: bool,
    /// Why there is no checkpoint from before it.
    refused: Option<String>,
    checkpoint_time: Duration,
}

enum How {
    /// The cell came to its end.
    Ended {
        ending: Ending,
        shown: Option<String>,
        tasks: usize,
    },
    /// Its process ended, with these last words.
    Died(Death, String),
    /// All processes are gone.
    Orphaned,
}
