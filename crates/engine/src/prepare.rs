//! From a cell to a library that can be loaded: out of the cache if it is there, else through rustc, as often as it
//! takes to learn what only the compiler knows: which variables the cell moves away, which new ones borrow or cannot be
//! named, whether it awaits inside a macro, which earlier `use` no longer holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cell::Cell;
use crate::compile::{Answer, FLAGS, Goal, Job, Stopper};
use crate::diagnostic::Diagnostic;
use crate::event::Failure;
use crate::generate::{Generated, Knowledge, generate};
use crate::learn::{
    box_opaque, is_for_good, learn, name_types, needs_async, probed, refusal, warnings,
};
use crate::libraries::Libraries;
use crate::plan::{LeftOut, Plan};
use crate::report::Files;
use crate::session::{LossReason, Session};
use crate::store::{Entry, Known, Name, Store, sure_reads};
use crate::type_name::Boxed;
use crate::{EngineError, cache};

/// Attempts after which a cell is given up; each one learns something, so real cells need two or three.
const ATTEMPTS: usize = 12;

/// Compilations of a cell whose included files change, or turn out to include others, before it is given up.
const ROUNDS: usize = 8;

/// What cells are compiled with.
pub(crate) struct Workshop<'a> {
    pub(crate) libraries: &'a Libraries,
    pub(crate) store: &'a Arc<Store>,
    pub(crate) optimization: &'a str,
    pub(crate) stopper: &'a Stopper,
}

/// A cell that is ready to run.
pub(crate) struct Prepared {
    pub(crate) crate_name: String,
    pub(crate) library: PathBuf,
    pub(crate) plan: Plan,
    pub(crate) generated: Generated,
    pub(crate) findings: Findings,
    /// Whether rustc had no part in it.
    pub(crate) from_cache: bool,
}

/// Changes with what [`Findings`] hold, so that older ones are not taken for new ones.
const FORMAT: &str = "3";

/// What the compiler found out about a cell; kept beside its library.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Findings {
    /// New variables, with types that any later cell can write.
    pub(crate) kept: Vec<Kept>,
    /// New variables that end with the cell.
    pub(crate) lost: BTreeMap<String, LossReason>,
    /// Earlier variables that the cell moves away.
    pub(crate) moved: BTreeSet<String>,
    moved_at: BTreeMap<String, BTreeSet<usize>>,
    refilled: BTreeSet<String>,
    boxed: BTreeMap<String, Boxed>,
    borrowers: BTreeSet<String>,
    awaits: bool,
    /// Earlier `use` declarations that no longer hold.
    pub(crate) uses_left_out: BTreeSet<String>,
    /// Tokens of earlier definitions that do not fit what the cell defines.
    pub(crate) definitions_left_out: BTreeSet<String>,
    /// Warnings, drawn: each time anew, because they name the cell by its number.
    #[serde(skip)]
    pub(crate) warnings: Vec<String>,
    /// What rustc said, as it said it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    said: Vec<String>,
    /// The cell does not compile.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    refused: bool,
}

/// A new variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) name: String,
    pub(crate) mutable: bool,
    pub(crate) kind: String,
}

/// rustc's names for the types of new variables.
pub(crate) type Types = BTreeMap<String, String>;

/// A cell on its way to a library.
struct Attempt<'a> {
    session: &'a Session,
    cell: &'a Cell,
    source: &'a str,
    number: usize,
    salt: usize,
    reuse: bool,
    name: &'a Name,
}

/// Why there is nothing to run.
pub(crate) enum Refusal {
    /// The cell does not compile.
    Cell(Failure),
    /// The learner stopped the compiler.
    Stopped,
    Engine(EngineError),
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Refusal {
        Refusal::Engine(error)
    }
}

impl Workshop<'_> {
    /// Makes `cell` ready. `source` is its text as written, `number` its number, `salt` differs for each run that must
    /// not share its statics with an earlier one.
    pub(crate) fn prepare(
        &self,
        session: &Session,
        cell: &Cell,
        source: &str,
        number: usize,
        salt: usize,
    ) -> Result<Prepared, Refusal> {
        let mut reuse = false;
        let mut plan = Plan::new(session, cell, &LeftOut::default(), reuse);
        let mut name = self.name(session, cell, &plan, salt);
        let in_force = |crate_name: &str| {
            session
                .definitions
                .iter()
                .any(|earlier| earlier.home == crate_name)
        };
        // An item that includes a file may be another one though its words are the same.
        if !cell.items.is_empty() && !name.has_inputs() && !in_force(&name.full) {
            // Not a plain second run: leave alone what is in force word for word.
            reuse = true;
            plan = Plan::new(session, cell, &LeftOut::default(), reuse);
            name = self.name(session, cell, &plan, salt);
        }
        let store = self.store;
        if let Some(Entry {
            library,
            notes: mut findings,
        }) = store.find::<Findings>(&name)
        {
            let left_out = findings.left_out(session);
            if left_out != LeftOut::default() {
                plan = Plan::new(session, cell, &left_out, reuse);
            }
            let generated = self.generated(
                session,
                cell,
                &plan,
                &findings.knowledge(),
                &name.full,
                salt,
                false,
            );
            if !findings.said.is_empty() {
                let said = findings.said.iter();
                let answer = Answer {
                    diagnostics: said.filter_map(|line| Diagnostic::parse(line)).collect(),
                    ..Answer::default()
                };
                let files = Files::new(&name.full, &generated, source, number, !cell.is_rust);
                if findings.refused {
                    return Err(refusal(session, &files, &answer));
                }
                findings.warnings = warnings(session, &files, &answer);
            }
            return Ok(Prepared {
                crate_name: name.full,
                library,
                plan,
                generated,
                findings,
                from_cache: true,
            });
        }
        for _ in 0..ROUNDS {
            let compiled = self.compile(&Attempt {
                session,
                cell,
                source,
                number,
                salt,
                reuse,
                name: &name,
            })?;
            match compiled {
                Some(prepared) => return Ok(prepared),
                None => name = self.name(session, cell, &plan, salt),
            }
        }
        Err(Refusal::Engine(EngineError::InputsChange))
    }

    /// The type of an expression, given as the cell `let NAME = EXPRESSION;`.
    pub(crate) fn type_of(
        &self,
        session: &Session,
        cell: &Cell,
        source: &str,
        number: usize,
    ) -> Result<String, Refusal> {
        let left_out = LeftOut::default();
        let plan = Plan::new(session, cell, &left_out, true);
        let name = &self.name(session, cell, &plan, 0);
        let (salt, reuse) = (0, true);
        let attempt = Attempt {
            session,
            cell,
            source,
            number,
            salt,
            reuse,
            name,
        };
        let mut knowledge = Knowledge::default();
        loop {
            let (generated, answer) = self.probe(&attempt, &knowledge, &left_out, self.stopper)?;
            if answer.stopped {
                return Err(Refusal::Stopped);
            }
            let files = Files::new(&name.full, &generated, source, number, !cell.is_rust);
            if let Some(kind) = probed(&files, &answer).into_values().next() {
                return Ok(crate::report::clean(&kind));
            }
            if !knowledge.awaits && answer.diagnostics.iter().any(needs_async) {
                knowledge.awaits = true;
                continue;
            }
            return Err(refusal(session, &files, &answer));
        }
    }

    /// Compiles until it works, or until there is nothing left to learn; nothing if the cell needs another name.
    fn compile(&self, attempt: &Attempt<'_>) -> Result<Option<Prepared>, Refusal> {
        // The types of new variables are asked for beside the attempts, which do not depend on them.
        let asking = Stopper::default();
        std::thread::scope(|scope| {
            let ask = |knowledge: &Knowledge, left_out: &LeftOut| {
                let (knowledge, left_out, asking) = (knowledge.clone(), left_out.clone(), &asking);
                scope.spawn(move || self.ask_types(attempt, &knowledge, &left_out, asking))
            };
            let compiled = self.attempts(attempt, ask);
            asking.stop();
            compiled
        })
    }

    fn attempts<'scope, F>(
        &self,
        attempt: &Attempt<'_>,
        ask: F,
    ) -> Result<Option<Prepared>, Refusal>
    where
        F: Fn(
            &Knowledge,
            &LeftOut,
        ) -> std::thread::ScopedJoinHandle<'scope, Result<Types, EngineError>>,
    {
        let Attempt {
            session,
            cell,
            source,
            number,
            name,
            ..
        } = attempt;
        let crate_name = &*name.full;
        let store = self.store;
        let folder = store.staging()?;
        let (mut knowledge, mut left_out, mut lost) =
            (Knowledge::default(), LeftOut::default(), BTreeMap::new());
        let mut types = Types::new();
        let mut asked = (!cell.bindings.is_empty()).then(|| ask(&knowledge, &left_out));
        for _ in 0..ATTEMPTS {
            let plan = Plan::new(session, cell, &left_out, attempt.reuse);
            let generated = self.generated(
                session,
                cell,
                &plan,
                &knowledge,
                crate_name,
                attempt.salt,
                false,
            );
            let cells = self.cells_in(&generated, crate_name);
            let files = Files::new(crate_name, &generated, source, *number, !cell.is_rust);
            let answer = self
                .job(crate_name, &generated, &cells, folder.path())
                .run(Goal::Library, self.stopper)?;
            if answer.stopped {
                return Err(Refusal::Stopped);
            }
            if let Some(library) = &answer.library {
                let reads = answer.reads.clone().unwrap_or_default();
                let Known::Yes(inputs) = store.check(name, &reads)? else {
                    return Ok(None);
                };
                let joined =
                    |thread: std::thread::ScopedJoinHandle<'scope, Result<Types, EngineError>>| {
                        thread.join().unwrap_or_else(|_| Ok(Types::new()))
                    };
                if let Some(asked) = asked.take() {
                    types = joined(asked)?;
                }
                if types.is_empty()
                    && !cell.bindings.is_empty()
                    && (knowledge.awaits || left_out != LeftOut::default())
                {
                    // The question was asked before it was known how the cell compiles.
                    types = joined(ask(&knowledge, &left_out))?;
                }
                if box_opaque(cell, &plan, &mut knowledge, crate_name, &types) {
                    continue;
                }
                let mut findings = Findings::learned(session, &knowledge, &left_out, lost);
                findings.said = answer.lines.clone();
                name_types(cell, &plan, &knowledge, crate_name, types, &mut findings);
                let mut put = store.put(name, inputs, Some(library), findings)?;
                put.notes.warnings = warnings(session, &files, &answer);
                return Ok(Some(Prepared {
                    crate_name: crate_name.to_owned(),
                    library: put.library,
                    plan,
                    generated,
                    findings: put.notes,
                    from_cache: false,
                }));
            }
            let before = (knowledge.clone(), left_out.clone());
            learn(
                session,
                cell,
                &plan,
                &files,
                &answer,
                &mut knowledge,
                &mut left_out,
                &mut lost,
            );
            if before == (knowledge.clone(), left_out.clone()) {
                if let Some(reads) = answer.reads.as_ref().filter(|_| is_for_good(&answer)) {
                    let Known::Yes(inputs) = store.check(name, reads)? else {
                        return Ok(None);
                    };
                    let mut findings = Findings::learned(session, &knowledge, &left_out, lost);
                    findings.said = answer.lines.clone();
                    findings.refused = true;
                    store.put(name, inputs, None, findings)?;
                }
                return Err(refusal(session, &files, &answer));
            }
        }
        Err(Refusal::Engine(EngineError::GaveUp))
    }

    fn ask_types(
        &self,
        attempt: &Attempt<'_>,
        knowledge: &Knowledge,
        left_out: &LeftOut,
        stopper: &Stopper,
    ) -> Result<Types, EngineError> {
        let Attempt {
            cell,
            source,
            number,
            name,
            ..
        } = attempt;
        let (generated, answer) = self.probe(attempt, knowledge, left_out, stopper)?;
        let files = Files::new(&name.full, &generated, source, *number, !cell.is_rust);
        Ok(probed(&files, &answer))
    }

    /// Has rustc complain about the types of the new variables.
    fn probe(
        &self,
        attempt: &Attempt<'_>,
        knowledge: &Knowledge,
        left_out: &LeftOut,
        stopper: &Stopper,
    ) -> Result<(Generated, Answer), EngineError> {
        let Attempt {
            session,
            cell,
            name,
            ..
        } = attempt;
        let crate_name = &name.full;
        let folder = self.store.staging()?;
        let plan = Plan::new(session, cell, left_out, attempt.reuse);
        let generated = self.generated(
            session,
            cell,
            &plan,
            knowledge,
            crate_name,
            attempt.salt,
            true,
        );
        let cells = self.cells_in(&generated, crate_name);
        let answer = self
            .job(crate_name, &generated, &cells, folder.path())
            .run(Goal::Types, stopper)?;
        Ok((generated, answer))
    }

    #[allow(clippy::too_many_arguments)]
    fn generated(
        &self,
        session: &Session,
        cell: &Cell,
        plan: &Plan,
        knowledge: &Knowledge,
        entry: &str,
        salt: usize,
        probe: bool,
    ) -> Generated {
        let mut generated = generate(
            session,
            cell,
            plan,
            knowledge,
            &self.libraries.extern_crates(),
            entry,
            probe,
        );
        if salt > 0
            && let Some(root) = generated.files.first_mut()
        {
            root.text += &format!("// run {salt}\n");
        }
        generated
    }

    /// The name of the cell's crate: a hash of everything that decides what the cell does.
    ///
    /// In it: the generated text, and with it the earlier cells and the set of libraries that it names (whose names are
    /// hashes of the same kind; the set's knows the toolchain, too); the very build of the set; the optimisation; the
    /// flags; this crate's version; `RUSTC_BOOTSTRAP`, which lets rustc accept more; the content of files that the cell
    /// includes and of variables that it asks for with `env!`.
    ///
    /// Not in it: the linker and the C library of this machine, and what a procedural macro reads without telling rustc.
    fn name(&self, session: &Session, cell: &Cell, plan: &Plan, salt: usize) -> Name {
        let generated = self.generated(
            session,
            cell,
            plan,
            &Knowledge::default(),
            "entry",
            salt,
            false,
        );
        let bootstrap = std::env::var_os("RUSTC_BOOTSTRAP").unwrap_or_default();
        let mut parts: Vec<&[u8]> = vec![
            self.optimization.as_bytes(),
            env!("CARGO_PKG_VERSION").as_bytes(),
            FORMAT.as_bytes(),
            self.libraries.identity().as_bytes(),
            bootstrap.as_encoded_bytes(),
        ];
        parts.extend(FLAGS.map(str::as_bytes));
        for file in &generated.files {
            parts.extend([file.name.as_bytes(), file.text.as_bytes()]);
        }
        let base = format!("cell_{}", cache::short_hash(parts));
        let texts = generated.files.iter().map(|file| &*file.text);
        self.store.name(&base, sure_reads(texts))
    }

    fn job<'a>(
        &'a self,
        crate_name: &'a str,
        generated: &'a Generated,
        cells: &'a Cells,
        folder: &'a Path,
    ) -> Job<'a> {
        Job {
            libraries: self.libraries,
            crate_name,
            generated,
            cells: &cells.named,
            search: &cells.search,
            working_dir: self.store.working_dir(),
            optimization: self.optimization,
            folder,
        }
    }

    /// The earlier cells whose crates the generated text names, and where they are.
    fn cells_in(&self, generated: &Generated, own: &str) -> Cells {
        let store = self.store;
        let named = names_in(generated, own);
        Cells {
            named: named
                .into_iter()
                .map(|name| {
                    let library = store.library(&name);
                    (name, library)
                })
                .collect(),
            search: store.folders(),
        }
    }
}

/// Earlier cells, for the compiler.
struct Cells {
    named: BTreeMap<String, PathBuf>,
    search: Vec<PathBuf>,
}

impl Findings {
    /// What is known after the last attempt.
    fn learned(
        session: &Session,
        knowledge: &Knowledge,
        left_out: &LeftOut,
        lost: BTreeMap<String, LossReason>,
    ) -> Findings {
        let definitions = left_out.definitions.iter();
        Findings {
            moved: knowledge.moved.clone(),
            moved_at: knowledge.moved_at.clone(),
            refilled: knowledge.refilled.clone(),
            boxed: knowledge.boxed.clone(),
            borrowers: knowledge.borrowers.clone(),
            awaits: knowledge.awaits,
            uses_left_out: left_out.uses.clone(),
            definitions_left_out: definitions
                .map(|index| session.definitions[*index].item.tokens.clone())
                .collect(),
            lost,
            ..Findings::default()
        }
    }

    fn knowledge(&self) -> Knowledge {
        let not_kept = self
            .lost
            .iter()
            .filter(|(_, reason)| !matches!(reason, LossReason::Unnameable(_)));
        Knowledge {
            not_kept: not_kept.map(|(name, _)| name.clone()).collect(),
            moved: self.moved.clone(),
            moved_at: self.moved_at.clone(),
            refilled: self.refilled.clone(),
            boxed: self.boxed.clone(),
            borrowers: self.borrowers.clone(),
            unboxable: BTreeSet::new(),
            awaits: self.awaits,
        }
    }

    fn left_out(&self, session: &Session) -> LeftOut {
        let definitions = session.definitions.iter().enumerate();
        LeftOut {
            uses: self.uses_left_out.clone(),
            definitions: definitions
                .filter(|(_, definition)| {
                    self.definitions_left_out.contains(&definition.item.tokens)
                })
                .map(|(index, _)| index)
                .collect(),
        }
    }
}

/// The earlier cells whose crates the generated text names.
fn names_in(generated: &Generated, own: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in &generated.files {
        for (at, _) in file.text.match_indices("cell_") {
            let name: String = file.text[at..].chars().take(21).collect();
            let hash = name.strip_prefix("cell_").unwrap_or_default();
            let path = file.text[at..].get(21..23) == Some("::");
            if path
                && hash.len() == 16
                && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
                && name != own
            {
                found.insert(name);
            }
        }
    }
    found
}
