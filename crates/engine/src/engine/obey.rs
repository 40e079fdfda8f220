//! What each directive does to an engine; what directives there are stands in [`crate::directive`].

use loopbot_runtime::wire::{Flavour, Request};

use super::Engine;
use crate::advice::explain_loss;
use crate::cell::{self, Directive};
use crate::directive::{self, Known};
use crate::event::{Event, Failure, FailureKind, MimeBundle};
use crate::failure::{command_failure, directive_failure, interrupted, refused, set_up_failure};
use crate::prepare::Workshop;
use crate::session::Session;
use crate::shell::Ended;
use crate::type_name::short;
use crate::{explain, shell};

impl Engine {
    pub(super) fn obey(&mut self, directive: &Directive) -> Result<(), Box<Failure>> {
        let refuse = |message: String| directive_failure(directive, message);
        match directive::find(&directive.name).map_err(refuse)? {
            Known::Dep => {}
            Known::ShowDeps => {
                let text = self.crates_text()?;
                self.show_text(text);
            }
            Known::Vars => self.show_text(self.variables_text()),
            Known::Type => {
                let text = self.type_of(directive)?;
                self.show_text(text);
            }
            Known::Doc => {
                let text = self.doc(&directive.argument).map_err(refuse)?;
                self.show_markdown(text);
            }
            Known::Explain => self.explain(directive)?,
            Known::Opt => {
                let level = directive::optimization(&directive.argument, self.optimization)
                    .map_err(refuse)?;
                let mut text = directive::optimization_text(level);
                if level != self.optimization && !self.session.definitions.is_empty() {
                    self.session.outdate();
                    text += " Functions of earlier cells change when their cell is run again.";
                }
                self.optimization = level;
                self.show_text(text);
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
            Known::Env => {
                let (name, value) = directive::variable(&directive.argument).map_err(refuse)?;
                self.set_environment(name, value)?;
            }
            Known::Shell => self.shell(directive)?,
            Known::Clear => {
                self.session = Session::default();
                self.fresh_process()?;
            }
            Known::Restart => {
                self.session.lose_variables(self.number);
                self.fresh_process()?;
                self.show_text(
                    "The cells that follow run in a fresh process, without variables.".into(),
                );
            }
            Known::Version => {
                let rustc = self.stage()?.libraries.toolchain.version.clone();
                let rustc = rustc.lines().next().unwrap_or_default();
                self.show_text(format!("LoopBot {}, {rustc}", env!("CARGO_PKG_VERSION")));
            }
            Known::LastCompileDir => {
                let folder = self.stage()?.libraries.cells();
                self.show_text(folder.display().to_string());
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
            Known::Pointless(why) => self.note(&format!(
                "`:{}` changes nothing here: {why}.",
                directive.name
            )),
        }
        Ok(())
    }

    /// Notes what a failed cell would have explained.
    pub(super) fn note_failure(&mut self, failure: &Failure) {
        if let FailureKind::Compile { codes } = &failure.kind {
            self.explainable = codes.first().cloned();
        }
    }

    /// Replaces the process that runs the cells by an empty one.
    fn fresh_process(&mut self) -> Result<(), Box<Failure>> {
        self.history.clear();
        self.running.forget();
        self.session.runs_with_statics.clear();
        self.stage()?.child.restart().map_err(set_up_failure)?;
        self.set_flavour();
        Ok(())
    }

    fn show_text(&self, text: String) {
        self.emit(Event::Display(MimeBundle::from([(
            "text/plain".to_owned(),
            text.trim_end().to_owned(),
        )])));
    }

    fn show_markdown(&self, text: String) {
        self.emit(Event::Display(MimeBundle::from([
            ("text/plain".to_owned(), text.clone()),
            ("text/markdown".to_owned(), text),
        ])));
    }

    fn variables_text(&self) -> String {
        let lines: Vec<(String, usize)> = self
            .session
            .variables
            .iter()
            .map(|variable| {
                let mutable = if variable.mutable { "mut " } else { "" };
                let kind = short(&variable.kind);
                (format!("{mutable}{}: {kind}", variable.name), variable.cell)
            })
            .collect();
        let width = lines
            .iter()
            .map(|(line, _)| line.chars().count())
            .max()
            .unwrap_or(0)
            .min(60);
        let mut text: String = lines
            .iter()
            .map(|(line, cell)| format!("{line:<width$}  cell [{cell}]\n"))
            .collect();
        if lines.is_empty() {
            text += "No variables yet.\n";
        }
        // People look here for what is no longer there.
        let mut lost: Vec<_> = self.session.lost.iter().collect();
        lost.sort_by_key(|(name, loss)| (loss.cell, name.as_str()));
        if !lost.is_empty() {
            text += "\nNo longer there:\n";
        }
        for (name, loss) in lost {
            text += &format!("  {}\n", explain_loss(name, loss.cell, &loss.reason));
        }
        text
    }

    fn crates_text(&mut self) -> Result<String, Box<Failure>> {
        let asked: Vec<String> = self.extra.iter().map(|extra| extra.name.clone()).collect();
        let packages = self.stage()?.libraries.packages();
        let mut lines: Vec<String> = packages
            .iter()
            .map(|package| {
                let asked = asked
                    .iter()
                    .any(|name| name.replace('-', "_") == package.crate_name);
                let origin = if asked { "  asked for with `:dep`" } else { "" };
                format!("{} {}{origin}", package.crate_name, package.version)
            })
            .collect();
        lines.sort();
        Ok(lines.join("\n"))
    }

    fn doc(&self, argument: &str) -> Result<String, String> {
        let name = argument.trim_end_matches(['!', ';']);
        if name.is_empty()
            || !name
                .chars()
                .all(|c| c.is_alphanumeric() || "_:".contains(c))
        {
            return Err("`:doc` needs a name, for example `:doc Vec`".into());
        }
        let own = self
            .session
            .definitions
            .iter()
            .rev()
            .find(|definition| definition.item.names.iter().any(|known| known == name));
        if let Some(definition) = own {
            let text = &definition.text[definition.item.range.clone()];
            let (docs, code): (Vec<&str>, Vec<&str>) = text
                .lines()
                .partition(|line| line.trim_start().starts_with("///"));
            let docs: Vec<&str> = docs
                .iter()
                .map(|line| line.trim_start().trim_start_matches("///").trim_start())
                .collect();
            return Ok(format!(
                "```rust\n{}\n```\n\n{}\n\ndefined in cell [{}]",
                code.join("\n"),
                docs.join("\n"),
                definition.cell
            ));
        }
        if let Some(variable) = self.session.variable(name) {
            return Ok(format!(
                "```rust\n{name}: {}\n```\n\ndefined in cell [{}]",
                short(&variable.kind),
                variable.cell
            ));
        }
        let first = name.split("::").next().unwrap_or(name);
        Ok(
            if matches!(first, "tokio" | "futures" | "rayon" | "tokio_util") {
                let krate = first.replace('_', "-");
                format!("`{name}`: <https://docs.rs/{krate}/latest/{first}/?search={name}>")
            } else {
                format!("`{name}`: <https://doc.rust-lang.org/std/?search={name}>")
            },
        )
    }

    fn explain(&mut self, directive: &Directive) -> Result<(), Box<Failure>> {
        let refuse = |message: String| directive_failure(directive, message);
        let code = match (directive.argument.as_str(), &self.explainable) {
            ("", Some(code)) => code.clone(),
            ("", None) => {
                return Err(refuse(
                    "no cell has failed with an error code so far; name one, for example `:explain E0382`".into(),
                ));
            }
            (argument, _) => explain::code(argument).map_err(refuse)?,
        };
        let rustc = self.stage()?.libraries.toolchain.rustc.clone();
        let text = explain::explain(&rustc, &code).map_err(refuse)?;
        self.show_markdown(text);
        Ok(())
    }

    fn shell(&mut self, directive: &Directive) -> Result<(), Box<Failure>> {
        if directive.argument.is_empty() {
            return Err(directive_failure(
                directive,
                "`:sh` needs a command, for example `:sh ls`".into(),
            ));
        }
        shell::run(
            &directive.argument,
            &self.config.working_dir,
            &self.session.environment,
            &self.sink,
            &self.control.stopper,
        )
        .map_err(|ended| match ended {
            Ended::Stopped => interrupted("The command was interrupted; nothing after it ran."),
            Ended::Badly(message) => command_failure(directive, message),
        })
    }

    /// Sets a variable of the process that runs the cells, and of those that will follow it.
    fn set_environment(&mut self, name: String, value: String) -> Result<(), Box<Failure>> {
        self.stage()?;
        self.send_environment(&name, &value);
        let environment = &mut self.session.environment;
        environment.retain(|(known, _)| *known != name);
        environment.push((name, value));
        Ok(())
    }

    pub(super) fn send_environment(&self, name: &str, value: &str) {
        if let Some(stage) = &self.stage {
            let (name, value) = (name.to_owned(), value.to_owned());
            let request = Request::Environment { name, value };
            stage.child.line().send(&request);
        }
    }

    fn type_of(&mut self, directive: &Directive) -> Result<String, Box<Failure>> {
        let expression = directive.argument.trim_end_matches(';');
        if expression.is_empty() {
            return Err(directive_failure(
                directive,
                "`:type` needs an expression, for example `:type 1 + 2`".into(),
            ));
        }
        // On the line, and in the columns, that it has in the cell, so that complaints point to what was written.
        let above = "\n".repeat(directive.line - 1);
        let source = format!("{above}:type {expression}");
        let cell = cell::parse(&format!("{above}let i={expression};"));
        if !cell.is_rust
            && let Some(failure) = crate::report::unbalanced(&source, &cell.text, self.number)
        {
            return Err(Box::new(failure));
        }
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
