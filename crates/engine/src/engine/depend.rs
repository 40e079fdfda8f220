//! `:dep`: makes sure that the crates a cell asks for can be used, in the running process if that is possible.

use std::collections::BTreeSet;

use loopbot_runtime::wire::Request;

use super::Engine;
use crate::EngineError;
use crate::cell::Directive;
use crate::event::{Event, Failure};
use crate::failure::{directive_failure, set_up_failure};
use crate::libraries::{Dependency, Libraries, More};
use crate::session::{Loss, LossReason, Session};

impl Engine {
    /// Makes sure that these crates can be used. If that fails, everything is as it was.
    pub(super) fn depend(
        &mut self,
        wanted: &[(&Directive, Dependency)],
    ) -> Result<(), Box<Failure>> {
        let libraries = self.stage()?.libraries.clone();
        let mut missing: Vec<Dependency> = Vec::new();
        for (_, wanted) in wanted
            .iter()
            .filter(|(_, wanted)| !libraries.satisfy(wanted))
        {
            missing.retain(|earlier| earlier.name != wanted.name);
            missing.push(wanted.clone());
        }
        if missing.is_empty() {
            return Ok(());
        }
        let sink = self.sink.clone();
        let more = libraries
            .and(
                &missing,
                &|step| sink(Event::Progress(step)),
                &self.control.stopper,
            )
            .map_err(|error| failure(wanted, error))?;
        match more {
            More::Layer(grown) => self.grow(grown),
            More::Instead(other) => self.replace(other, &missing)?,
        }
        for dependency in missing {
            self.extra.retain(|earlier| earlier.name != dependency.name);
            self.extra.push(dependency);
        }
        Ok(())
    }

    /// The process stays; it loads the new layer with the first cell that links it.
    fn grow(&mut self, grown: Libraries) {
        let Some(stage) = &mut self.stage else {
            return;
        };
        let earlier = std::mem::replace(&mut stage.libraries, grown);
        let other: BTreeSet<&String> = stage
            .libraries
            .externs()
            .iter()
            .filter(|(name, path)| {
                earlier
                    .externs()
                    .get(*name)
                    .is_some_and(|earlier| earlier != *path)
            })
            .map(|(name, _)| name)
            .collect();
        // The name now means another crate, so the types of these values can no longer be written.
        let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.session.variables)
            .into_iter()
            .partition(|variable| other.iter().any(|name| mentions(&variable.kind, name)));
        self.session.variables = kept;
        if gone.is_empty() {
            return;
        }
        let names: Vec<String> = gone.into_iter().map(|variable| variable.name).collect();
        let crates: Vec<String> = other.iter().map(|name| format!("`{name}`")).collect();
        for name in &names {
            let loss = Loss {
                cell: self.number,
                reason: LossReason::OtherCrate,
            };
            self.session.lost.insert(name.clone(), loss);
        }
        let text = format!(
            "{} now means another version, and values of the earlier one are gone ({}). Everything else is still there.",
            crates.join(", "),
            names.join(", ")
        );
        stage.child.line().send(&Request::Forget { names });
        self.note(&text);
    }

    /// Begins afresh with other libraries.
    fn replace(&mut self, other: Libraries, asked: &[Dependency]) -> Result<(), Box<Failure>> {
        let mut had: Vec<&str> = self
            .session
            .variables
            .iter()
            .map(|variable| variable.name.as_str())
            .collect();
        for definition in &self.session.definitions {
            had.extend(definition.item.names.iter().map(String::as_str));
        }
        let note = (!had.is_empty()).then(|| {
            let asked: Vec<String> = asked.iter().map(|one| format!("`{}`", one.name)).collect();
            format!(
                "{} changes a library that this session has already loaded, so a new process was started: what earlier \
                 cells defined is gone ({}). Run those cells again. With this `:dep` in the first cell, nothing is lost.",
                asked.join(", "),
                had.join(", ")
            )
        });
        if let Some(stage) = &mut self.stage {
            stage.libraries = other;
        }
        self.start_afresh()?;
        self.session = Session {
            lost: std::mem::take(&mut self.session.lost),
            environment: std::mem::take(&mut self.session.environment),
            ..Session::default()
        };
        if let Some(note) = note {
            self.note(&note);
        }
        Ok(())
    }
}

/// The failure of a build, at the `:dep` that is to blame for it: the one of the crate that does not work, or of a crate
/// that needs it.
fn failure(wanted: &[(&Directive, Dependency)], error: EngineError) -> Box<Failure> {
    let EngineError::Libraries(unavailable) = error else {
        return set_up_failure(error);
    };
    let name = unavailable.crate_name.as_deref().unwrap_or_default();
    let blamed = wanted
        .iter()
        .find(|(_, dependency)| [&*dependency.name, dependency.package()].contains(&name))
        .or(wanted.first());
    let Some((directive, dependency)) = blamed else {
        return set_up_failure(EngineError::Libraries(unavailable));
    };
    let mut told = directive_failure(
        directive,
        format!(
            "`{}` cannot be used: {}",
            dependency.name, unavailable.reason
        ),
    );
    told.report
        .push("  Nothing has changed: what was there before is still there.".into());
    if !unavailable.said.is_empty() {
        told.report.push("cargo says:".into());
        told.report.extend(unavailable.said);
    }
    told
}

/// Whether a type's name holds a path of this crate.
fn mentions(kind: &str, name: &str) -> bool {
    kind.match_indices(&format!("{name}::")).any(|(at, _)| {
        let before = kind[..at].strip_suffix("::").unwrap_or(&kind[..at]);
        !before.ends_with(|character: char| character.is_alphanumeric() || "_>".contains(character))
    })
}
