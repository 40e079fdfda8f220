//! One cell through the child: sent, waited for, its ending put in words, a child that is gone replaced.

use std::sync::mpsc;
use std::time::Duration;

use loopbot_runtime::wire::{Ending, Request};

use super::{Engine, start_stage};
use crate::EngineError;
use crate::cell::{Cell, ItemKind};
use crate::child::{News, in_words};
use crate::event::{Failure, FailureKind, MimeBundle};
use crate::failure::{interrupted, panic_failure, refused, set_up_failure, unexplained};
use crate::prepare::{Prepared, Workshop};

impl Engine {
    pub(super) fn prepare(&mut self, cell: &Cell, code: &str) -> Result<Prepared, Box<Failure>> {
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
