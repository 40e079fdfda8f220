//! What each directive does to an engine; what directives there are stands in [`crate::directive`].

use loopbot_runtime::wire::{Flavour, Request};

use super::Engine;
use crate::cell::{self, Directive};
use crate::directive::{self, Known};
use crate::event::{Event, Failure, MimeBundle};
use crate::failure::{directive_failure, refused, set_up_failure};
use crate::prepare::Workshop;
use crate::session::Session;
use crate::type_name::short;

impl Engine {
    pub(super) fn obey(&mut self, directive: &Directive) -> Result<(), Box<Failure>> {
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
            Known::Output => {
                let text = self
                    .control
                    .allowance
                    .set(&directive.argument)
                    .map_err(refuse)?;
                self.show_text(text);
            }
            Known::Clear => {
                self.session = Session::default();
                self.history.clear();
                self.running.forget();
                self.stage()?.child.restart().map_err(set_up_failure)?;
            }
            Known::Undo => {
                let text = self.undo(directive)?;
                self.show_text(text);
            }
            Known::Checkpoint => {
                let text = self.set_checkpoints(directive)?;
                self.show_text(text);
            }
            Known::Threads => {
                let text = match directive.argument.as_str() {
                    "" => self.threads_text()?,
                    "stop" => self.stop_threads()?,
                    _ => return Err(refuse("`:threads` stands alone, or with `stop`".into())),
                };
                self.show_text(text);
            }
            Known::Runtime => {
                let text = self.runtime(directive)?;
                self.show_text(text);
            }
            Known::Cache => {
                let text = self.cache(directive)?;
                self.show_text(text);
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
        let store = self.store()?;
        let libraries = self.stage()?.libraries.clone();
        let workshop = Workshop {
            libraries: &libraries,
            store: &store,
            optimization,
            stopper: &stopper,
        };
        match workshop.type_of(&session, &cell, &source, number) {
            Ok(kind) => Ok(format!("{expression}: {}", short(&kind))),
            Err(refusal) => Err(refused(refusal)),
        }
    }

    /// `:runtime current_thread`, `:runtime multi_thread 4`, `:runtime`.
    fn runtime(&mut self, directive: &Directive) -> Result<String, Box<Failure>> {
        let words: Vec<&str> = directive.argument.split_whitespace().collect();
        let wanted = match words.as_slice() {
            [] => None,
            ["current_thread"] => Some(Flavour::CurrentThread),
            ["multi_thread"] => Some(Flavour::MultiThread),
            ["multi_thread", workers] => match workers.parse() {
                Ok(workers @ 1..=512) => Some(Flavour::Workers(workers)),
                _ => {
                    return Err(directive_failure(
                        directive,
                        "the number of worker threads is a number from 1 to 512".into(),
                    ));
                }
            },
            _ => {
                return Err(directive_failure(
                    directive,
                    "`:runtime` takes `current_thread`, `multi_thread` or `multi_thread 4` (with a number of worker threads)".into(),
                ));
            }
        };
        if let Some(flavour) = wanted {
            self.stage()?
                .child
                .line()
                .send(&Request::Runtime { flavour });
            self.session.flavour = flavour;
        }
        let now = if wanted.is_some() {
            " from here on; tasks of the earlier one have ended"
        } else {
            ""
        };
        Ok(match self.session.flavour {
            Flavour::CurrentThread => format!(
                "Cells run on a Tokio runtime of one thread{now}. Tasks run only while a cell awaits."
            ),
            Flavour::MultiThread => format!(
                "Cells run on a Tokio runtime with as many worker threads as the machine has cores{now}."
            ),
            Flavour::Workers(workers) => {
                format!("Cells run on a Tokio runtime with {workers} worker threads{now}.")
            }
        })
    }
}
