//! From a cell to a library that can be loaded: out of the cache if it is there, else through rustc, as often as it
//! takes to learn what only the compiler knows: which variables the cell moves away, which new ones borrow or cannot be
//! named, whether it awaits inside a macro, which earlier `use` no longer holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::cell::Cell;
use crate::compile::{Answer, Goal, Job, Stopper, library_file};
use crate::diagnostic::Diagnostic;
use crate::event::Failure;
use crate::generate::{Generated, Knowledge, generate};
use crate::learn::{learn, needs_async, probed, refusal};
use crate::libraries::Libraries;
use crate::plan::{LeftOut, Plan};
use crate::report::Files;
use crate::session::{LossReason, Session};
use crate::type_name::{self, Named};
use crate::{EngineError, cache};

/// Attempts after which a cell is given up; each one learns something, so real cells need two or three.
const ATTEMPTS: usize = 12;

/// What cells are compiled with.
pub(crate) struct Workshop<'a> {
    pub(crate) libraries: &'a Libraries,
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

/// What the compiler found out about a cell; kept beside its library.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Findings {
    library_hash: String,
    /// New variables, with types that any later cell can write.
    pub(crate) kept: Vec<Kept>,
    /// New variables that end with the cell.
    pub(crate) lost: BTreeMap<String, LossReason>,
    /// Earlier variables that the cell moves away.
    pub(crate) moved: BTreeSet<String>,
    awaits: bool,
    /// Earlier `use` declarations that no longer hold.
    pub(crate) uses_left_out: BTreeSet<String>,
    /// Tokens of earlier definitions that do not fit what the cell defines.
    definitions_left_out: BTreeSet<String>,
    /// Warnings, drawn.
    pub(crate) warnings: Vec<String>,
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
    crate_name: &'a str,
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
        let mut crate_name = self.name(session, cell, &plan, salt);
        let in_force = |crate_name: &str| {
            session
                .definitions
                .iter()
                .any(|earlier| earlier.home == crate_name)
        };
        if !cell.items.is_empty() && !in_force(&crate_name) {
            // Not a plain second run: leave alone what is in force word for word.
            reuse = true;
            plan = Plan::new(session, cell, &LeftOut::default(), reuse);
            crate_name = self.name(session, cell, &plan, salt);
        }
        if let Some(findings) = self.cached(&crate_name) {
            let left_out = findings.left_out(session);
            if left_out != LeftOut::default() {
                plan = Plan::new(session, cell, &left_out, reuse);
            }
            let generated = self.generated(
                session,
                cell,
                &plan,
                &findings.knowledge(),
                &crate_name,
                salt,
                false,
            );
            let library = self.library(&crate_name);
            return Ok(Prepared {
                crate_name,
                library,
                plan,
                generated,
                findings,
                from_cache: true,
            });
        }
        self.compile(&Attempt {
            session,
            cell,
            source,
            number,
            salt,
            reuse,
            crate_name: &crate_name,
        })
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
        let crate_name = &self.name(session, cell, &plan, 0);
        let (salt, reuse) = (0, true);
        let attempt = Attempt {
            session,
            cell,
            source,
            number,
            salt,
            reuse,
            crate_name,
        };
        let mut knowledge = Knowledge::default();
        loop {
            let (generated, answer) = self.probe(&attempt, &knowledge, &left_out, self.stopper)?;
            if answer.stopped {
                return Err(Refusal::Stopped);
            }
            let files = Files::new(crate_name, &generated, source, number, !cell.is_rust);
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

    /// Compiles until it works, or until there is nothing left to learn.
    fn compile(&self, attempt: &Attempt<'_>) -> Result<Prepared, Refusal> {
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

    fn attempts<'scope, F>(&self, attempt: &Attempt<'_>, ask: F) -> Result<Prepared, Refusal>
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
            crate_name,
            ..
        } = attempt;
        let folder = self.staging()?;
        let (mut knowledge, mut left_out, mut lost) =
            (Knowledge::default(), LeftOut::default(), BTreeMap::new());
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
            let cells = cells_in(&generated, crate_name);
            let files = Files::new(crate_name, &generated, source, *number, !cell.is_rust);
            let answer = self
                .job(crate_name, &generated, &cells, folder.path())
                .run(Goal::Library, self.stopper)?;
            if answer.stopped {
                return Err(Refusal::Stopped);
            }
            if let Some(library) = &answer.library {
                let joined =
                    |thread: std::thread::ScopedJoinHandle<'scope, Result<Types, EngineError>>| {
                        thread.join().unwrap_or_else(|_| Ok(Types::new()))
                    };
                let mut types = asked.take().map(joined).transpose()?.unwrap_or_default();
                if types.is_empty()
                    && !cell.bindings.is_empty()
                    && (knowledge.awaits || left_out != LeftOut::default())
                {
                    // The question was asked before it was known how the cell compiles.
                    types = joined(ask(&knowledge, &left_out))?;
                }
                let about_cell = |warning: &&Diagnostic| {
                    warning.primary().is_some() && files.concerns_learner(warning)
                };
                let mut findings = Findings {
                    library_hash: cache::hash_file(library)
                        .map_err(|error| self.trouble(&error))?,
                    warnings: answer
                        .diagnostics
                        .iter()
                        .filter(about_cell)
                        .map(|warning| files.draw(warning, session))
                        .collect(),
                    moved: knowledge.moved.clone(),
                    awaits: knowledge.awaits,
                    uses_left_out: left_out.uses.clone(),
                    definitions_left_out: left_out
                        .definitions
                        .iter()
                        .map(|index| session.definitions[*index].item.tokens.clone())
                        .collect(),
                    lost,
                    ..Findings::default()
                };
                name_types(cell, &plan, &knowledge, crate_name, types, &mut findings);
                self.store(crate_name, library, &findings)
                    .map_err(|error| self.trouble(&error))?;
                let library = self.library(crate_name);
                return Ok(Prepared {
                    crate_name: (*crate_name).to_owned(),
                    library,
                    plan,
                    generated,
                    findings,
                    from_cache: false,
                });
            }
            let before = (knowledge.clone(), left_out.clone());
            learn(
                session,
                &plan,
                &files,
                &answer,
                &mut knowledge,
                &mut left_out,
                &mut lost,
            );
            if before == (knowledge.clone(), left_out.clone()) {
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
            crate_name,
            ..
        } = attempt;
        let (generated, answer) = self.probe(attempt, knowledge, left_out, stopper)?;
        let files = Files::new(crate_name, &generated, source, *number, !cell.is_rust);
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
            crate_name,
            ..
        } = attempt;
        let folder = self.staging()?;
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
        let cells = cells_in(&generated, crate_name);
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
            &self.libraries.name,
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

    /// The name of the cell's crate: a hash of everything that decides what it does.
    fn name(&self, session: &Session, cell: &Cell, plan: &Plan, salt: usize) -> String {
        let generated = self.generated(
            session,
            cell,
            plan,
            &Knowledge::default(),
            "entry",
            salt,
            false,
        );
        let mut parts: Vec<&[u8]> = vec![
            self.optimization.as_bytes(),
            env!("CARGO_PKG_VERSION").as_bytes(),
        ];
        for file in &generated.files {
            parts.extend([file.name.as_bytes(), file.text.as_bytes()]);
        }
        format!("cell_{}", cache::short_hash(parts))
    }

    fn job<'a>(
        &'a self,
        crate_name: &'a str,
        generated: &'a Generated,
        cells: &'a BTreeSet<String>,
        folder: &'a std::path::Path,
    ) -> Job<'a> {
        Job {
            libraries: self.libraries,
            crate_name,
            generated,
            cells,
            optimization: self.optimization,
            folder,
        }
    }

    fn staging(&self) -> Result<tempfile::TempDir, EngineError> {
        let cells = self.libraries.cells();
        cache::private_folder(&cells)?;
        tempfile::Builder::new()
            .prefix("compiling-")
            .tempdir_in(&cells)
            .map_err(|error| self.trouble(&error))
    }

    fn trouble(&self, error: &std::io::Error) -> EngineError {
        EngineError::Cache {
            path: self.libraries.cells(),
            reason: error.to_string(),
        }
    }

    fn library(&self, crate_name: &str) -> PathBuf {
        self.libraries.cells().join(library_file(crate_name))
    }

    fn record(&self, crate_name: &str) -> PathBuf {
        self.libraries.cells().join(format!("{crate_name}.json"))
    }

    fn store(
        &self,
        crate_name: &str,
        library: &std::path::Path,
        findings: &Findings,
    ) -> std::io::Result<()> {
        std::fs::rename(library, self.library(crate_name))?;
        cache::write(&self.record(crate_name), &serde_json::to_vec(findings)?)
    }

    /// What is in the cache, if it is whole and unchanged.
    fn cached(&self, crate_name: &str) -> Option<Findings> {
        let findings: Findings =
            serde_json::from_slice(&std::fs::read(self.record(crate_name)).ok()?).ok()?;
        (cache::hash_file(&self.library(crate_name)).ok()? == findings.library_hash)
            .then_some(findings)
    }
}

impl Findings {
    fn knowledge(&self) -> Knowledge {
        let not_kept = self
            .lost
            .iter()
            .filter(|(_, reason)| !matches!(reason, LossReason::Unnameable(_)));
        Knowledge {
            not_kept: not_kept.map(|(name, _)| name.clone()).collect(),
            moved: self.moved.clone(),
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

/// Turns rustc's names for the types of the new variables into paths for later cells.
fn name_types(
    cell: &Cell,
    plan: &Plan,
    knowledge: &Knowledge,
    crate_name: &str,
    mut types: Types,
    findings: &mut Findings,
) {
    let own: BTreeSet<&str> = plan
        .emitted
        .iter()
        .flat_map(|index| &cell.items[*index].names)
        .map(String::as_str)
        .collect();
    for binding in cell
        .bindings
        .iter()
        .filter(|binding| !knowledge.not_kept.contains(&binding.name))
    {
        let name = binding.name.clone();
        let kind = types.remove(&name).unwrap_or_else(|| "?".into());
        match type_name::for_later_cells(&kind, crate_name, &own) {
            Named::Path(kind) => findings.kept.push(Kept {
                name,
                mutable: binding.mutable,
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

/// The earlier cells whose crates the generated text names.
fn cells_in(generated: &Generated, own: &str) -> BTreeSet<String> {
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
