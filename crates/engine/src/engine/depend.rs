//! `:dep`: makes sure that the crates a cell asks for can be used, in the running process if that is possible.

use super::{Engine, start_stage};
use crate::cell::Directive;
use crate::event::{Event, Failure};
use crate::failure::{dependency_failure, set_up_failure};
use crate::libraries::{Dependency, Libraries};
use crate::session::Session;

impl Engine {
    /// Makes sure that these crates can be used.
    pub(super) fn depend(
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
}
