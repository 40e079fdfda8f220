//! How a session changes: when a cell has compiled, its definitions; when it has run, its variables.

use std::collections::BTreeSet;

use crate::cell::{Cell, Item, ItemKind};
use crate::plan::{hidden_members, replace_path};
use crate::prepare::Prepared;
use crate::sameness::rests_on;
use crate::session::{Definition, Loss, LossReason, Session, Variable};

impl Session {
    /// Books what a cell that compiled defines.
    pub(crate) fn define(&mut self, cell: &Cell, prepared: &Prepared, number: usize) {
        let (plan, crate_name) = (&prepared.plan, &prepared.crate_name);
        let earlier = std::mem::take(&mut self.definitions);
        let old = Session {
            definitions: earlier,
            ..self.clone()
        };
        for name in cell.items.iter().flat_map(|item| &item.names) {
            self.lost.remove(name);
        }
        for name in old.left_out(prepared).flat_map(|one| &one.item.names) {
            self.lost.insert(
                name.clone(),
                Loss {
                    cell: number,
                    reason: LossReason::NoLongerFits,
                },
            );
        }
        self.variables
            .retain(|variable| !plan.takes_name(cell, &variable.name));
        for variable in &mut self.variables {
            let here = plan.kind_here(&variable.kind);
            let here = replace_path(&here, "crate", crate_name);
            if here != variable.kind {
                variable.kind = here;
                variable.rehomed = true;
            }
        }
        let home_of = |index: usize| {
            plan.carried
                .iter()
                .position(|group| group.definitions.contains(&index))
        };
        for (index, mut definition) in old.definitions.iter().cloned().enumerate() {
            if plan.replaced.contains(&index) {
                continue;
            }
            if let Some(number) = home_of(index) {
                if !plan.same_state.contains(&index) {
                    definition.state = format!("{crate_name}::carried_{number}");
                }
                definition.uses = plan.carried[number].uses.as_slice().into();
                definition.hidden = hidden_members(cell, plan, &definition);
                definition.home = format!("{crate_name}::carried_{number}");
            }
            self.definitions.push(definition);
        }
        let uses = plan.own_uses(cell);
        let rests = rests_on(&old, cell, &uses);
        for index in plan.emitted.iter().copied() {
            let mut item = cell.items[index].clone();
            item.mentions.extend(rests[index].iter().cloned());
            self.definitions.push(Definition {
                item,
                text: cell.text.clone(),
                home: crate_name.clone(),
                state: crate_name.clone(),
                cell: number,
                hidden: Default::default(),
                uses: uses.clone(),
            });
        }
        let own_macros = self
            .definitions
            .iter()
            .filter(|one| one.item.kind == ItemKind::Macro);
        let own_macros: BTreeSet<&String> = own_macros.flat_map(|one| &one.item.names).collect();
        for (_, given) in cell
            .calls
            .iter()
            .filter(|(name, _)| own_macros.contains(name))
        {
            for name in given {
                self.lost.entry(name.clone()).or_insert(Loss {
                    cell: number,
                    reason: LossReason::MadeByMacro,
                });
            }
        }
        let left_out = &prepared.findings.uses_left_out;
        let new_names: Vec<&String> = cell.items.iter().flat_map(|item| &item.names).collect();
        self.uses.retain(|earlier| {
            !left_out.contains(&earlier.declaration)
                && !cell.uses.iter().any(|new| {
                    new.declaration == earlier.declaration
                        || (new.name.is_some() && new.name == earlier.name)
                })
                && !earlier
                    .name
                    .as_ref()
                    .is_some_and(|name| new_names.contains(&name))
        });
        self.uses.extend(cell.uses.iter().cloned());
    }

    /// What the learner should hear when a cell that compiled runs: which values stay of an older type, which earlier
    /// items no longer fit, which statics begin afresh. To be asked before [`Session::define`].
    pub(crate) fn notes(&self, cell: &Cell, prepared: &Prepared) -> Vec<String> {
        let plan = &prepared.plan;
        let mut notes = Vec::new();
        let (mut types, mut names, mut cells) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
        let again = |name: &String| cell.bindings.iter().any(|binding| binding.name == *name);
        for variable in self.variables.iter().filter(|one| !again(&one.name)) {
            let outdated = plan.outdated(&variable.kind);
            if !outdated.is_empty() {
                types.extend(outdated);
                names.push(variable.name.as_str());
                cells.insert(variable.cell.to_string());
            }
        }
        if !names.is_empty() {
            notes.push(format!(
                "note: this cell changes {}. {} of cell {} still {} the earlier one; to have the new one, run that cell again.",
                listed(types),
                listed(names.iter().copied()),
                in_brackets(&cells),
                if names.len() == 1 { "has" } else { "have" },
            ));
        }
        for definition in self.left_out(prepared) {
            let what = match &definition.item.kind {
                ItemKind::Impl { header, .. } => header
                    .trim_end_matches(['{', '}', ' '])
                    .replace(" :: ", "::"),
                _ => definition.item.names.join("`, `"),
            };
            notes.push(format!(
                "note: `{what}` of cell [{}] does not fit what this cell defines, and is left out: change it and run its cell again.",
                definition.cell
            ));
        }
        let carried = plan.carried.iter().flat_map(|group| &group.definitions);
        let afresh = carried
            .filter(|index| !plan.same_state.contains(index))
            .flat_map(|index| &self.definitions[*index].item.statics);
        let afresh: Vec<&str> = afresh.map(|one| one.name.as_str()).collect();
        if !afresh.is_empty() {
            notes.push(format!(
                "note: {} begins afresh, because something that it rests on has changed.",
                listed(afresh)
            ));
        }
        let is_main = |item: &Item| item.kind == ItemKind::Function && item.names == ["main"];
        let defines_main = plan
            .emitted
            .iter()
            .any(|index| is_main(&cell.items[*index]));
        if defines_main && !cell.mentions.contains("main") {
            notes.push("note: `main` is defined; to run it, call it: `main()`".into());
        }
        notes
    }

    /// Definitions that do not fit what the cell defines.
    fn left_out<'a>(&'a self, prepared: &'a Prepared) -> impl Iterator<Item = &'a Definition> {
        self.definitions.iter().filter(|definition| {
            let texts = &prepared.findings.definitions_left_out;
            texts.contains(&definition.item.tokens)
        })
    }

    /// Books what became of the variables once a cell has run: `kept` and `gone` are what its process reports.
    pub(crate) fn settle(
        &mut self,
        cell: &Cell,
        prepared: &Prepared,
        settled: &Settled,
        finished: bool,
        number: usize,
    ) {
        let findings = &prepared.findings;
        for taken in &prepared.plan.taken {
            if let Some(variable) = self
                .variables
                .iter_mut()
                .find(|variable| variable.name == taken.variable.name)
            {
                variable.rehomed = false;
            }
        }
        for name in &settled.gone {
            self.lose(name, LossReason::Moved, number);
        }
        for kept in &findings.kept {
            if !settled.kept.contains(&kept.name) {
                continue;
            }
            self.variables.retain(|variable| variable.name != kept.name);
            self.lost.remove(&kept.name);
            self.variables.push(Variable {
                name: kept.name.clone(),
                mutable: kept.mutable,
                kind: kept.kind.clone(),
                rehomed: false,
                cell: number,
            });
        }
        if finished {
            for (name, reason) in &findings.lost {
                self.lose(name, reason.clone(), number);
            }
        }
        // An earlier variable of the name is still there: the new one never came to be.
        for name in cell.bindings.iter().map(|binding| &binding.name) {
            let known = self.variable(name).is_some() || settled.gone.contains(name);
            let told = finished && findings.lost.contains_key(name);
            if !known && !told {
                self.lose(name, LossReason::EndedEarly, number);
            }
        }
    }

    fn lose(&mut self, name: &str, reason: LossReason, cell: usize) {
        self.variables.retain(|variable| variable.name != name);
        self.lost.insert(name.to_owned(), Loss { cell, reason });
    }
}

/// `a`, `b` and `c`.
fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match (names.pop(), names.is_empty()) {
        (Some(last), false) => format!("{} and {last}", names.join(", ")),
        (last, _) => last.unwrap_or_default(),
    }
}

fn in_brackets(cells: &BTreeSet<String>) -> String {
    let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
    format!("[{}]", cells.join("], ["))
}

/// What the process says about the variables when a cell has ended.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// New ones that it has.
    pub(crate) kept: Vec<String>,
    /// Earlier ones that the cell moved away.
    pub(crate) gone: Vec<String>,
}
