//! What rustc's answers teach about a cell: the types of its variables, and what the next attempt must do differently.

use std::collections::{BTreeMap, BTreeSet};

use crate::EngineError;
use crate::cell::{Cell, ItemKind};
use crate::compile::Answer;
use crate::diagnostic::Diagnostic;
use crate::event::FailureKind;
use crate::generate::{Knowledge, Part};
use crate::libraries::without_aliases;
use crate::plan::{LeftOut, Plan};
use crate::prepare::{Findings, Kept, Refusal, Types};
use crate::report::Files;
use crate::session::{LossReason, Session};
use crate::type_name::{self, Boxed, Named};

/// rustc's names for the types of the probed variables.
pub(crate) fn probed(files: &Files, answer: &Answer) -> Types {
    answer
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.code.as_deref() == Some("E0277"))
        .filter_map(|diagnostic| {
            let Some(Part::Probe(name)) = files.part(diagnostic.primary()?) else {
                return None;
            };
            let bound = diagnostic
                .message
                .strip_prefix("the trait bound `")?
                .split("__Keepable` is not")
                .next()?;
            let (kind, _) = bound.rsplit_once(": ")?;
            Some((
                name,
                without_aliases(kind)
                    .replace("{integer}", "i32")
                    .replace("{float}", "f64"),
            ))
        })
        .collect()
}

pub(crate) fn needs_async(error: &Diagnostic) -> bool {
    error.code.as_deref() == Some("E0728")
}

/// Reads from the errors what the next attempt must do differently.
#[allow(clippy::too_many_arguments)]
pub(crate) fn learn(
    session: &Session,
    cell: &Cell,
    plan: &Plan,
    files: &Files,
    answer: &Answer,
    knowledge: &mut Knowledge,
    left_out: &mut LeftOut,
    lost: &mut BTreeMap<String, LossReason>,
) {
    let borrowers = answer
        .diagnostics
        .iter()
        .any(|error| error.is_error() && borrower_of(files, error).is_some());
    let mut errors = answer
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error());
    let blameless = !errors.any(|error| files.concerns_learner(error));
    if !blameless && !knowledge.moved_at.is_empty() {
        // The cell was all right before its moves were replaced: they are better left as they are.
        let names = std::mem::take(&mut knowledge.moved_at).into_keys();
        knowledge.moved.extend(names);
        return;
    }
    for error in answer
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
    {
        if needs_async(error) {
            knowledge.awaits = true;
        }
        let Some(primary) = error.primary() else {
            continue;
        };
        let code = error.code.as_deref().unwrap_or_default();
        let borrower = borrower_of(files, error);
        match files.part(primary) {
            Some(Part::Give(name)) if code == "E0382" => {
                learn_move(cell, files, error, name, blameless, knowledge);
            }
            Some(Part::Keep(name)) if code == "E0381" => {
                knowledge.not_kept.insert(name.clone());
                lost.insert(name, LossReason::Unassigned);
            }
            Some(Part::Keep(name)) if matches!(code, "E0382" | "E0425") => {
                knowledge.borrowers.remove(&name);
                knowledge.not_kept.insert(name.clone());
                lost.insert(name, LossReason::Moved);
            }
            Some(Part::Use(declaration)) => {
                left_out.uses.insert(declaration);
            }
            Some(Part::Keep(name)) if knowledge.boxed.contains_key(&name) => {
                let here = knowledge
                    .boxed
                    .remove(&name)
                    .and_then(|boxed| boxed.unsendable());
                match here {
                    Some(here) => drop(knowledge.boxed.insert(name, here)),
                    None => drop(knowledge.unboxable.insert(name)),
                }
            }
            _ if borrower.is_some() => {
                if let Some(name) = borrower {
                    knowledge.borrowers.insert(name.clone());
                    knowledge.not_kept.insert(name.clone());
                    lost.insert(name, LossReason::Borrows);
                }
            }
            // Kept while it is borrowed: the borrower, if it is known, has to go, and then this one can stay.
            Some(Part::Keep(_)) if borrowers => {}
            Some(Part::Keep(name)) => {
                knowledge.borrowers.insert(name.clone());
                knowledge.not_kept.insert(name.clone());
                lost.insert(name, LossReason::Borrows);
            }
            _ => {
                let Some((map, span, file)) = files.locate(primary) else {
                    continue;
                };
                if map.cell.is_some() {
                    let number = file
                        .trim_start_matches("carried_")
                        .trim_end_matches(".rs")
                        .parse()
                        .unwrap_or(usize::MAX);
                    let group = plan
                        .carried
                        .get(number)
                        .into_iter()
                        .flat_map(|group| &group.definitions);
                    left_out.definitions.extend(group.filter(|index| {
                        let definition = &session.definitions[**index];
                        let line = |at: usize| definition.text[..at].matches('\n').count() + 1;
                        (line(definition.item.range.start)..=line(definition.item.range.end))
                            .contains(&span.line_start)
                            && matches!(
                                definition.item.kind,
                                ItemKind::Impl { .. }
                                    | ItemKind::Function
                                    | ItemKind::Constant
                                    | ItemKind::Static
                                    | ItemKind::Type
                                    | ItemKind::Trait
                                    | ItemKind::Module
                            )
                    }));
                }
            }
        }
    }
}

/// The new variable that cannot be kept because it borrows from another.
fn borrower_of(files: &Files, error: &Diagnostic) -> Option<String> {
    let spans = error.spans.iter().filter(|span| !span.is_primary);
    spans.into_iter().find_map(|span| match files.part(span) {
        Some(Part::Keep(name)) => Some(name),
        _ => None,
    })
}

/// What to do about a borrowed variable that the cell moves away.
fn learn_move(
    cell: &Cell,
    files: &Files,
    error: &Diagnostic,
    name: String,
    blameless: bool,
    knowledge: &mut Knowledge,
) {
    if cell.assigned.contains(&name) {
        // It may have a value again when the cell ends.
        let shadowed = cell.bindings.iter().any(|binding| binding.name == name);
        if shadowed || !knowledge.refilled.insert(name.clone()) {
            knowledge.refilled.remove(&name);
            knowledge.moved.insert(name);
        }
        return;
    }
    let places = knowledge.moved_at.entry(name.clone()).or_default();
    let new = error
        .spans
        .iter()
        .filter(|span| !span.is_primary)
        .filter_map(|span| files.offset_in_cell(span))
        .find(|range| {
            cell.text.get(range.clone()) == Some(&name) && !places.contains(&range.start)
        });
    match new {
        // The runtime reads the value where the compiler saw a move, so the compiler must have seen the whole cell and
        // found nothing wrong: it will not see a second use of the value any more.
        Some(range) if blameless => drop(places.insert(range.start)),
        _ => {
            knowledge.moved_at.remove(&name);
            knowledge.moved.insert(name);
        }
    }
}

/// The failure to show when nothing more can be learned.
pub(crate) fn refusal(session: &Session, files: &Files, answer: &Answer) -> Refusal {
    let errors = || {
        answer
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.is_error())
    };
    let of_learner: Vec<&Diagnostic> = errors()
        .filter(|error| files.concerns_learner(error))
        .collect();
    if !of_learner.is_empty() {
        return Refusal::Cell(files.failure(&of_learner, session));
    }
    let all: Vec<&Diagnostic> = errors().collect();
    if all.is_empty() {
        return Refusal::Engine(EngineError::CompilerCrashed {
            complaint: answer.complaint.trim().to_owned(),
        });
    }
    let mut failure = files.failure(&all, session);
    failure.kind = FailureKind::Compile {
        codes: all.iter().filter_map(|error| error.code.clone()).collect(),
    };
    Refusal::Cell(failure)
}

/// Finds boxes for the new variables whose types have no name but a trait. Whether there is something new to try.
pub(crate) fn box_opaque(
    cell: &Cell,
    plan: &Plan,
    knowledge: &mut Knowledge,
    crate_name: &str,
    types: &Types,
) -> bool {
    let own = own_names(cell, plan);
    let before = knowledge.boxed.len();
    for (name, kind) in types {
        let known = knowledge.not_kept.contains(name)
            || knowledge.unboxable.contains(name)
            || knowledge.boxed.contains_key(name);
        if !known
            && kind.contains("impl ")
            && let Some(boxed) = Boxed::new(kind, crate_name, &own)
        {
            knowledge.boxed.insert(name.clone(), boxed);
        }
    }
    knowledge.boxed.len() > before
}

fn own_names<'a>(cell: &'a Cell, plan: &Plan) -> BTreeSet<&'a str> {
    plan.emitted
        .iter()
        .flat_map(|index| &cell.items[*index].names)
        .map(String::as_str)
        .collect()
}

/// Turns rustc's names for the types of the new variables into paths for later cells.
pub(crate) fn name_types(
    cell: &Cell,
    plan: &Plan,
    knowledge: &Knowledge,
    crate_name: &str,
    mut types: Types,
    findings: &mut Findings,
) {
    let own = own_names(cell, plan);
    for binding in cell
        .bindings
        .iter()
        .filter(|binding| !knowledge.not_kept.contains(&binding.name))
    {
        let (name, mutable) = (binding.name.clone(), binding.mutable);
        if let Some(Boxed { kind, .. }) = knowledge.boxed.get(&name) {
            let kind = kind.clone();
            findings.kept.push(Kept {
                name,
                mutable,
                kind,
            });
            continue;
        }
        let kind = types.remove(&name).unwrap_or_else(|| "?".into());
        match type_name::for_later_cells(&kind, crate_name, &own) {
            Named::Path(kind) => findings.kept.push(Kept {
                name,
                mutable,
                kind,
            }),
            Named::Unnameable => drop(
                findings
                    .lost
                    .insert(name, LossReason::Unnameable(crate::report::clean(&kind))),
            ),
        }
    }
}

/// What the compiler has to say of a cell that works.
pub(crate) fn warnings(session: &Session, files: &Files, answer: &Answer) -> Vec<String> {
    files.warnings(&answer.diagnostics, session)
}

/// Whether the same text is sure to be refused again: every error is about a place in it, and none about a file that
/// may come to be. A full disk or a linker that was killed has no place.
pub(crate) fn is_for_good(answer: &Answer) -> bool {
    let mut errors = answer.diagnostics.iter().filter(|found| found.is_error());
    errors.all(|error| error.primary().is_some() && !error.message.starts_with("couldn't read"))
}
