//! What each directive does to an engine; what directives there are stands in [`crate::directive`].

use super::{Engine, start_stage};
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
}
