//! What a notebook has built up so far: definitions in force, `use` declarations, variables, and what was lost and why.
//!
//! Plain data. How a new cell changes it is decided in `plan`; it is changed only after a cell compiled (definitions) or
//! ran (variables).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use loopbot_runtime::wire::Flavour;

use crate::cell::{Item, Use};

/// The state of one notebook.
#[derive(Debug, Clone, Default)]
pub(crate) struct Session {
    pub(crate) definitions: Vec<Definition>,
    pub(crate) uses: Vec<Use>,
    /// In order of their definition.
    pub(crate) variables: Vec<Variable>,
    /// Names that a learner may expect to be variables, and why they are not.
    pub(crate) lost: HashMap<String, Loss>,
    /// Cells with statics that have run before, and how often: another run starts their statics afresh.
    pub(crate) runs_with_statics: Vec<(String, usize)>,
    /// The Tokio runtime that cells run on.
    pub(crate) flavour: Flavour,
    /// Environment variables that the learner has set.
    pub(crate) environment: Vec<(String, String)>,
    /// Crates compiled with another optimisation than what comes now: a second run of their cells compiles them anew.
    pub(crate) outdated: BTreeSet<String>,
}

/// An item in force.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    pub(crate) item: Item,
    /// The text of the cell it was written in; `item.range` points into it.
    pub(crate) text: Arc<str>,
    /// The module that holds its compiled form: `cell_1234` or `cell_1234::carried_0`.
    pub(crate) home: String,
    /// The module that holds its state, if it is a static: it stays there when the definition is carried.
    pub(crate) state: String,
    /// The number of the cell it was written in.
    pub(crate) cell: usize,
    /// Members of an inherent `impl` that a later cell replaced.
    pub(crate) hidden: BTreeSet<String>,
    /// The `use` declarations that it was compiled with, and is whenever it is carried.
    pub(crate) uses: Arc<[Use]>,
}

impl Definition {
    /// The path under which other crates reach `name`. Exported macros live at the root of their crate.
    pub(crate) fn path(&self, name: &str) -> String {
        match self.item.kind {
            crate::cell::ItemKind::Macro => format!("{}::{name}", crate_of(&self.home)),
            _ => format!("{}::{name}", self.home),
        }
    }
}

/// The crate of a module path.
pub(crate) fn crate_of(home: &str) -> &str {
    home.split("::").next().unwrap_or(home)
}

/// A variable that lives on between cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) mutable: bool,
    /// Its type, with paths that any cell can use.
    pub(crate) kind: String,
    /// Whether the type moved to a newer cell, its definition unchanged, since the value was last touched.
    pub(crate) rehomed: bool,
    /// The number of the cell that defined it.
    pub(crate) cell: usize,
}

/// Why a name is not a variable (any more).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loss {
    /// The number of the cell in which it happened.
    pub(crate) cell: usize,
    pub(crate) reason: LossReason,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum LossReason {
    /// A cell moved the value away.
    Moved,
    /// It borrows from another variable.
    Borrows,
    /// Its type has no name that a later cell could write; holds what rustc calls it.
    Unnameable(String),
    /// A macro of the learner's defined it, inside its cell.
    MadeByMacro,
    /// It was declared, but never given a value.
    Unassigned,
    /// Its cell ended before its end: by an error, a panic, a `return` or an interrupt.
    EndedEarly,
    /// An item that does not fit the new version of what it mentions.
    NoLongerFits,
    /// The process that held it ended.
    ProcessEnded,
    /// `:dep` put another crate in the place of the one that its type comes from.
    OtherCrate,
}

impl Session {
    pub(crate) fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|variable| variable.name == name)
    }

    /// Notes that what is there was compiled with another optimisation.
    pub(crate) fn outdate(&mut self) {
        let homes = self.definitions.iter();
        self.outdated = homes
            .map(|definition| crate_of(&definition.home).to_owned())
            .collect();
    }

    /// Whether a name means something in this notebook.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.variable(name).is_some()
            || self.lost.contains_key(name)
            || self
                .definitions
                .iter()
                .any(|definition| definition.item.names.iter().any(|known| known == name))
            || self
                .uses
                .iter()
                .any(|declared| declared.name.as_deref() == Some(name))
    }

    /// Forgets every variable because their process is gone.
    pub(crate) fn lose_variables(&mut self, cell: usize) {
        for variable in std::mem::take(&mut self.variables) {
            self.lost.insert(
                variable.name,
                Loss {
                    cell,
                    reason: LossReason::ProcessEnded,
                },
            );
        }
    }
}
