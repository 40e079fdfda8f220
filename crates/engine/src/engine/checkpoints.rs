//! Going back: what a session was before each cell, and how it becomes that again, after a crash or by `:undo`.
//!
//! A *moment* is a parked copy of the process (see [`crate::child`]) together with the engine's own books of that time.
//! Moments are kept as long as the memory that they alone hold stays within a budget.

use std::collections::VecDeque;

use loopbot_runtime::wire::{Death, Flavour, Request};

use super::{Engine, start_stage};
use crate::cell::Directive;
use crate::child::{Child, News, in_words};
use crate::event::{Failure, FailureKind};
use crate::failure::{directive_failure, interrupted, set_up_failure};
use crate::session::Session;

/// Moments kept, whatever their size: each is a process.
const MOST: usize = 16;

/// A session as it was before a cell.
struct Moment {
    checkpoint: u64,
    /// The number of the cell.
    cell: usize,
    session: Session,
}

/// The moments to which an engine can go back, oldest first.
pub(super) struct History {
    moments: VecDeque<Moment>,
    /// Whether cells get a checkpoint.
    pub(super) on: bool,
    /// Bytes that all moments but the newest may hold.
    budget: u64,
}

impl History {
    pub(super) fn new(budget: u64) -> History {
        History {
            moments: VecDeque::new(),
            on: true,
            budget,
        }
    }

    pub(super) fn clear(&mut self) {
        self.moments.clear();
    }

    /// Lets go of the oldest moments until the rest is within bounds.
    fn trim(&mut self, child: &mut Child) {
        while self.moments.len() > MOST
            || (self.moments.len() > 1 && self.held(child) > self.budget)
        {
            if let Some(oldest) = self.moments.pop_front() {
                child.drop_up_to(oldest.checkpoint);
            }
        }
    }

    /// Bytes that the parked processes hold.
    fn held(&self, child: &Child) -> u64 {
        // A process of few pages needs no closer look: what all of them could hold at most is soon added up.
        let pids = || {
            self.moments
                .iter()
                .filter_map(|moment| child.parked_pid(moment.checkpoint))
        };
        let at_most: u64 = pids().map(resident).sum();
        if at_most <= self.budget {
            return at_most;
        }
        pids().map(proportional).sum()
    }
}

/// The resident memory of a process in bytes, what it shares included; 0 where the system does not tell.
fn resident(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    let pages: u64 = text
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .unwrap_or(0);
    pages * 4096
}

/// The memory of a process in bytes, what it shares divided by the number of those who share it.
fn proportional(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let kilobytes = text.lines().find_map(|line| {
        line.strip_prefix("Pss:")?
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    });
    kilobytes.map_or(0, |kilobytes: u64| kilobytes * 1024)
}

impl Engine {
    /// `:checkpoint on`, `off`, or nothing to ask.
    pub(super) fn set_checkpoints(
        &mut self,
        directive: &Directive,
    ) -> Result<String, Box<Failure>> {
        match directive.argument.as_str() {
            "on" => self.history.on = true,
            "off" => {
                self.history.on = false;
                self.history.clear();
                self.stage()?.child.drop_up_to(u64::MAX);
            }
            "" => {}
            _ => {
                return Err(directive_failure(
                    directive,
                    "`:checkpoint` takes `on` or `off`".into(),
                ));
            }
        }
        Ok(if self.history.on {
            "Each cell begins with a checkpoint: a crash or a hard stop loses nothing of earlier cells."
        } else {
            "Cells begin without a checkpoint: a crash or a hard stop loses the variables."
        }
        .into())
    }
}

/// How a runner was brought back.
enum Back {
    /// To the moment before this cell.
    Before(usize),
    /// With nothing: variables are gone.
    Empty,
}

impl Engine {
    /// Notes the moment before the present cell; the number of the checkpoint to make.
    pub(super) fn mark(&mut self) -> Option<u64> {
        let stage = self.stage.as_mut().filter(|_| self.history.on)?;
        let checkpoint = stage.child.number_checkpoint();
        self.history.moments.push_back(Moment {
            checkpoint,
            cell: self.number,
            session: self.session.clone(),
        });
        self.history.trim(&mut stage.child);
        Some(checkpoint)
    }

    /// Forgets the moment before the present cell, of which there is no copy.
    pub(super) fn unmark(&mut self) {
        self.history.moments.pop_back();
    }

    /// Deals with a process that ended since the last cell.
    pub(super) fn notice_death(&mut self) -> Result<(), Box<Failure>> {
        while let Some(stage) = &mut self.stage {
            match stage.child.next(std::time::Duration::ZERO) {
                None => return Ok(()),
                Some(News::Died {
                    death, last_words, ..
                }) => {
                    let cause = in_words(death, &last_words);
                    let losses = self.losses();
                    let loss = match self.bring_back()? {
                        Back::Before(cell) => {
                            format!("Variables are as they were before cell [{cell}].{losses}")
                        }
                        Back::Empty => {
                            "Its variables are gone; functions and types are still there.".into()
                        }
                    };
                    self.note(&format!(
                        "The process that runs the cells ended between two cells: {cause}. {loss}"
                    ));
                }
                Some(News::Orphaned) => {
                    self.start_afresh()?;
                    self.note("The processes that run the cells were ended from outside. Variables are gone; functions and types are still there.");
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Replaces a runner that ended in the present cell and explains what that means. `killed`: by an interrupt.
    pub(super) fn child_ended(
        &mut self,
        death: Option<(Death, String)>,
        killed: bool,
    ) -> Box<Failure> {
        let had = !self.session.variables.is_empty();
        let losses = self.losses();
        let back = match &death {
            Some(_) => self.bring_back(),
            None => self.start_afresh().map(|()| Back::Empty),
        };
        let loss = match back {
            Err(failure) => return failure,
            Ok(Back::Before(cell)) if cell == self.number => {
                format!(" Everything is as it was before this cell.{losses}")
            }
            Ok(Back::Before(cell)) => {
                format!(" Everything is as it was before cell [{cell}].{losses}")
            }
            Ok(Back::Empty) if had => {
                " Its variables are gone; functions and types are still there. Run the cells that you need again.".into()
            }
            Ok(Back::Empty) => String::new(),
        };
        if killed {
            return interrupted(&format!(
                "The cell did not stop by itself, so its process was ended.{loss}"
            ));
        }
        let cause = death.map_or_else(
            || "it was ended from outside".into(),
            |(death, last_words)| in_words(death, &last_words),
        );
        let message = format!("the process that ran the cell ended: {cause}");
        Box::new(Failure {
            kind: FailureKind::Crashed,
            name: "crash".into(),
            report: vec![format!("\u{1b}[1;31mcrash\u{1b}[0m: {message}.{loss}")],
            message,
            position: None,
        })
    }

    /// Has a runner again: a copy of the newest moment, else an empty one.
    fn bring_back(&mut self) -> Result<Back, Box<Failure>> {
        self.running.forget();
        while let Some(moment) = self.history.moments.pop_back() {
            if self.go_to(&moment) {
                self.session = moment.session;
                return Ok(Back::Before(moment.cell));
            }
        }
        self.lose_variables();
        let restarted = self
            .stage
            .as_mut()
            .is_none_or(|stage| stage.child.restart().is_ok());
        if restarted {
            self.set_flavour();
        } else {
            self.start_afresh()?;
        }
        Ok(Back::Empty)
    }

    /// Gives an empty runner the Tokio runtime and the environment that the learner chose.
    pub(super) fn set_flavour(&self) {
        for (name, value) in &self.session.environment {
            self.send_environment(name, value);
        }
        let flavour = self.session.flavour;
        if let Some(stage) = self
            .stage
            .as_ref()
            .filter(|_| flavour != Flavour::default())
        {
            stage.child.line().send(&Request::Runtime { flavour });
        }
    }

    fn go_to(&mut self, moment: &Moment) -> bool {
        self.stage.as_mut().is_some_and(|stage| {
            stage.child.drop_after(moment.checkpoint);
            stage.child.resume(moment.checkpoint)
        })
    }

    /// Starts all processes anew.
    pub(super) fn start_afresh(&mut self) -> Result<(), Box<Failure>> {
        self.history.clear();
        self.running.forget();
        self.lose_variables();
        let Some(stage) = self.stage.take() else {
            return Ok(());
        };
        let libraries = stage.libraries.clone();
        drop(stage);
        let (sink, cells) = (self.sink.clone(), self.cells.clone());
        let stage = start_stage(libraries, &self.config, sink, cells, &self.control)
            .map_err(set_up_failure)?;
        self.stage = Some(stage);
        self.set_flavour();
        Ok(())
    }

    fn lose_variables(&mut self) {
        self.session.lose_variables(self.number);
    }

    /// `:undo`, `:undo 2`: back to before the last cells that ran.
    pub(super) fn undo(&mut self, directive: &Directive) -> Result<String, Box<Failure>> {
        let refuse = |message: &str| Err(directive_failure(directive, message.into()));
        let steps = match directive.argument.as_str() {
            "" => 1,
            argument => match argument.parse() {
                Ok(steps) if steps > 0 => steps,
                _ => {
                    return refuse(
                        "`:undo` takes the number of cells to go back, for example `:undo 2`",
                    );
                }
            },
        };
        self.stage()?;
        let kept = self.history.moments.len();
        if kept == 0 {
            return refuse("there is nothing to undo: no cell has run since the session began");
        }
        if steps > kept {
            return refuse(&format!(
                "only the last {kept} can be undone: older copies of the session were dropped to save memory"
            ));
        }
        let losses = self.losses();
        let undone: Vec<String> = self
            .history
            .moments
            .iter()
            .skip(kept - steps)
            .map(|moment| format!("[{}]", moment.cell))
            .collect();
        let mut moment = None;
        for _ in 0..steps {
            moment = self.history.moments.pop_back();
        }
        match moment {
            Some(moment) if self.go_to(&moment) => {
                self.running.forget();
                self.session = moment.session;
                let cells = if steps == 1 { "cell" } else { "cells" };
                Ok(format!(
                    "Undone: {cells} {}. Variables, functions and types are as they were before.{losses}",
                    undone.join(", ")
                ))
            }
            _ => {
                self.bring_back()?;
                refuse("the copy of the session from before that cell is gone; variables were lost")
            }
        }
    }

    /// `:threads stop`: goes on in a copy of the process, which has no other threads.
    pub(super) fn stop_threads(&mut self) -> Result<String, Box<Failure>> {
        let losses = self.losses();
        let child = &mut self.stage()?.child;
        let number = child.number_checkpoint();
        child.line().send(&Request::Checkpoint { number });
        if child.await_checkpoint(number) && child.resume(number) {
            self.running.forget();
            return Ok(format!("Stopped. Variables are as they were.{losses}"));
        }
        self.bring_back()?;
        Ok(
            "The process could not be copied. Variables are as they were before the last cell."
                .into(),
        )
    }
}
