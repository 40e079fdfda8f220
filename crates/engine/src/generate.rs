//! From a cell and its plan to the files that rustc compiles.
//!
//! Every piece of the learner's text stands on the line it has in the cell: what does not belong is blanked out, what
//! must be added goes on the first line or behind the last. So panics, `line!()` and compiler messages name the
//! learner's lines, and a [`FileMap`] repairs the columns of the few lines that were added to.
//!
//! A cell becomes a crate: its items at the root (`lib.rs`), items carried from earlier cells in modules
//! (`carried_0.rs`, …), its statements in a function (`body.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use crate::cell::{Cell, Edit, Item, Static, StaticSort, Use};
use crate::plan::{Import, Plan, hidden_members, replace_path};
use crate::session::Session;
use crate::type_name::Boxed;

/// The runtime's name inside a cell.
const RUNTIME: &str = "__rt";

/// Puts printing that appears at once and in order in the place of std's. As std's own macros come, in the prelude of
/// macros: so they hold in every module, and a macro of that name that the learner defines or imports wins.
const PRINTING: &str =
    "#[allow(unused_imports)] #[macro_use(print, println, eprint, eprintln, dbg)] ";

/// Shows the last expression. The trait comes in here, so that a value which has it needs no import to show itself.
const SHOW: &str = ") { __v => { #[allow(unused_imports)] use crate::__libraries::loopbot::Rich as _; __rt::show!(__v) } }";

/// Macros that are there without being imported. A name that comes through a glob is ambiguous beside them.
const ALWAYS_THERE: [&str; 24] = [
    "print",
    "println",
    "eprint",
    "eprintln",
    "dbg",
    "format",
    "write",
    "writeln",
    "vec",
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "panic",
    "todo",
    "unimplemented",
    "unreachable",
    "matches",
    "line",
    "file",
    "concat",
    "env",
];

/// What is not in the text of the cell but was learned from a failed attempt at compiling it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Knowledge {
    /// New variables that cannot be kept.
    pub(crate) not_kept: BTreeSet<String>,
    /// Those of them that borrow from others, which cannot be kept before these end.
    pub(crate) borrowers: BTreeSet<String>,
    /// Borrowed variables that the cell moves away.
    pub(crate) moved: BTreeSet<String>,
    /// Borrowed variables that the cell moves away if it comes to these places, as byte offsets of its text.
    pub(crate) moved_at: BTreeMap<String, BTreeSet<usize>>,
    /// Borrowed variables that the cell moves away and assigns to again: they are put back from inside.
    pub(crate) refilled: BTreeSet<String>,
    /// New variables whose types have no name, and the boxes that they are kept in.
    pub(crate) boxed: BTreeMap<String, Boxed>,
    /// Those that no box can hold.
    pub(crate) unboxable: BTreeSet<String>,
    /// The cell awaits, though not in so many words.
    pub(crate) awaits: bool,
}

/// The crate of a cell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Generated {
    pub(crate) files: Vec<GeneratedFile>,
}

/// One file, and how its positions relate to the learner's text.
#[derive(Debug, Clone)]
pub(crate) struct GeneratedFile {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) map: FileMap,
}

/// Positions of a generated file in the learner's terms.
#[derive(Debug, Clone)]
pub(crate) struct FileMap {
    /// The learner's text, and the number of the cell (`None`: the one being compiled).
    pub(crate) source: Arc<str>,
    pub(crate) cell: Option<usize>,
    /// How many lines the learner's text has.
    lines: usize,
    /// Inserted text: line, column (in the generated file, both from 1), length.
    insertions: Vec<(usize, usize, usize)>,
    /// What the generated parts are there for, by where they stand.
    parts: Vec<(Spot, Part)>,
}

/// A place in a generated file: a line, and columns on it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Spot {
    line: usize,
    columns: Range<usize>,
}

/// Why a piece of generated text is there; an error in it says something about the cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Borrows this variable.
    Take(String),
    /// Puts this variable back.
    Give(String),
    /// Keeps this new variable.
    Keep(String),
    /// Asks for the type of this new variable.
    Probe(String),
    /// Brings in this earlier `use` declaration.
    Use(String),
}

/// A position in the learner's terms, or the reason why it has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mapped {
    /// Line and column, both from 1.
    Learner(usize, usize),
    Generated(Option<Part>),
}

impl FileMap {
    /// Where a position of the generated file is in the learner's text.
    pub(crate) fn locate(&self, line: usize, column: usize) -> Mapped {
        let part = self
            .parts
            .iter()
            .find(|(spot, _)| spot.line == line && spot.columns.contains(&column));
        if let Some((_, part)) = part {
            return Mapped::Generated(Some(part.clone()));
        }
        if line > self.lines {
            return Mapped::Generated(None);
        }
        let mut own = column;
        for (_, at, length) in self
            .insertions
            .iter()
            .filter(|(on, at, _)| *on == line && *at <= column)
        {
            own -= (column - at).min(*length);
        }
        Mapped::Learner(line, own)
    }
}

/// The files of `cell`. With `probe`, its new variables are asked for their types instead of being kept; `libraries` is
/// what makes the lesson libraries known (as `__libraries`), `entry` the name of the function to call.
pub(crate) fn generate(
    session: &Session,
    cell: &Cell,
    plan: &Plan,
    knowledge: &Knowledge,
    libraries: &str,
    entry: &str,
    probe: bool,
) -> Generated {
    let mut files = vec![root(cell, plan, libraries, entry)];
    for (number, _) in plan.carried.iter().enumerate() {
        files.push(carried(session, cell, plan, number, entry));
    }
    files.push(body(cell, plan, knowledge, entry, probe));
    Generated { files }
}

fn root(cell: &Cell, plan: &Plan, libraries: &str, entry: &str) -> GeneratedFile {
    let items = || plan.emitted.iter().map(|index| &cell.items[*index]);
    let keep: Vec<Range<usize>> = items()
        .map(|item| item.range.clone())
        .chain(cell.use_ranges.iter().cloned())
        .chain(cell.inner_attributes.iter().cloned())
        .collect();
    let edits: Vec<Edit> = items()
        .flat_map(|item| exported(item, entry).into_iter().chain(item.edits.clone()))
        .collect();
    let mut file = Writer::new("lib.rs", &cell.text, None);
    file.learner(&keep, &edits);
    file.text += PRINTING;
    file.text += libraries;
    file.line("use __libraries::runtime as __rt;");
    file.header(&plan.imports, &plan.uses);
    for number in 0..plan.carried.len() {
        file.line(&format!(
            "#[path = \"carried_{number}.rs\"] pub mod carried_{number};"
        ));
    }
    file.line("#[path = \"body.rs\"] mod __body;");
    file.finish()
}

fn carried(
    session: &Session,
    cell: &Cell,
    plan: &Plan,
    number: usize,
    entry: &str,
) -> GeneratedFile {
    let group = &plan.carried[number];
    let (mut keep, mut edits, mut state) = (Vec::new(), Vec::new(), Vec::new());
    for (index, definition) in group
        .definitions
        .iter()
        .map(|index| (index, &session.definitions[*index]))
    {
        if plan.same_state.contains(index) {
            let statics = definition.item.statics.iter();
            state.extend(statics.map(|one| shared(one, &definition.state)));
            continue;
        }
        keep.push(definition.item.range.clone());
        edits.extend(exported(
            &definition.item,
            &format!("{entry}::carried_{number}"),
        ));
        edits.extend(definition.item.edits.iter().cloned());
        let hidden = hidden_members(cell, plan, definition);
        edits.extend(
            definition
                .item
                .members
                .iter()
                .filter(|(name, _)| hidden.contains(name))
                .map(|(_, range)| Edit::Blank(range.clone())),
        );
    }
    let mut file = Writer::new(
        &format!("carried_{number}.rs"),
        &group.text,
        Some(group.cell),
    );
    file.learner(&keep, &edits);
    file.line("use crate::__rt;");
    file.header(&group.imports, &group.uses);
    for text in state {
        file.line(&text);
    }
    file.finish()
}

/// Gives a static of the module `home` a name for the linker, so that a later crate can share its state.
fn exported(item: &Item, home: &str) -> Option<Edit> {
    let one = item.statics.first()?;
    matches!(one.sort, StaticSort::Plain | StaticSort::Mutable).then(|| Edit::Insert {
        at: item.range.start,
        text: format!("#[unsafe(export_name = \"{}\")] ", symbol(home, &one.name)).into(),
    })
}

fn symbol(home: &str, name: &str) -> String {
    format!("static_{}_{name}", home.replace("::", "_"))
}

/// A static of the crate `home`, seen with the types of the new crate. They have the same definitions (`sameness`), so
/// it is one piece of memory under two names, as a variable that moves is.
fn shared(one: &Static, home: &str) -> String {
    let Static { name, kind, sort } = one;
    match sort {
        StaticSort::ThreadLocal => format!(
            "pub const {name}: ::std::thread::LocalKey<{kind}> = unsafe {{ ::std::mem::transmute({home}::{name}) }};"
        ),
        sort => {
            let access = match sort {
                StaticSort::Mutable => "static mut",
                _ => "safe static",
            };
            let symbol = symbol(home, name);
            // The import makes rustc link the crate that holds the static.
            format!(
                "#[allow(unused_imports)] use {home}::{name} as _; unsafe extern \"Rust\" {{ #[link_name = \"{symbol}\"] pub {access} {name}: {kind}; }}"
            )
        }
    }
}

fn body(
    cell: &Cell,
    plan: &Plan,
    knowledge: &Knowledge,
    entry: &str,
    probe: bool,
) -> GeneratedFile {
    let awaits = cell.awaits || knowledge.awaits;
    let mut file = Writer::new("body.rs", &cell.text, None);
    file.add("use super::*; ");
    let imports = plan.imports.iter().filter(|import| !import.anonymous);
    let named = imports.map(|import| &import.name).chain(
        cell.uses
            .iter()
            .chain(&plan.uses)
            .filter_map(|one| one.name.as_ref()),
    );
    for name in named.filter(|name| ALWAYS_THERE.contains(&name.as_str())) {
        file.add(&format!("#[allow(unused_imports)] use super::{name}; "));
    }
    if probe {
        file.add("trait __Keepable {} fn __probe<T: ?Sized + __Keepable>(_: &T) {} ");
    }
    file.add(&format!("#[unsafe(no_mangle)] pub fn {entry}() {{ "));
    for taken in &plan.taken {
        let (name, kind) = (&taken.variable.name, &taken.kind);
        let mutable = if taken.variable.mutable { "mut " } else { "" };
        let take = if taken.rehomed {
            "unsafe { __rt::take_rehomed"
        } else {
            "{ __rt::take"
        };
        file.part(
            &format!("let {mutable}{name}: {kind} = {take}(\"{name}\") }}; "),
            Part::Take(name.clone()),
        );
    }
    let result = "::std::result::Result";
    // The type is spelled out because a body that never ends (`loop`, `panic!`) would not say it.
    let returned = if cell.questions {
        format!("{result}<(), {RUNTIME}::CellError>")
    } else {
        "()".into()
    };
    file.add(&if awaits {
        format!("{RUNTIME}::run_async::<{returned}>(async {{ ")
    } else {
        format!("{RUNTIME}::run(|| -> {returned} {{ ")
    });
    // Items and `use` declarations stand in the root; everything else, comments included, stays.
    let elsewhere: Vec<Edit> = cell
        .items
        .iter()
        .map(|item| item.range.clone())
        .chain(cell.use_ranges.iter().cloned())
        .chain(cell.inner_attributes.iter().cloned())
        .map(Edit::Blank)
        .chain(cell.trailing.iter().map(|last| Edit::Insert {
            at: last.start,
            text: "match &(".into(),
        }))
        .chain(moves(cell, knowledge))
        .chain(cell.trailing.iter().map(|last| Edit::Insert {
            at: last.end,
            text: SHOW.into(),
        }))
        .collect();
    file.learner(std::slice::from_ref(&(0..cell.text.len())), &elsewhere);
    file.line(";");
    for binding in cell.bindings.iter().rev() {
        let name = &binding.name;
        if knowledge.borrowers.contains(name) {
            file.part(
                &format!("::std::mem::drop({name});"),
                Part::Keep(name.clone()),
            );
            file.line("");
        }
    }
    for name in cell
        .bindings
        .iter()
        .map(|binding| &binding.name)
        .filter(|name| !knowledge.not_kept.contains(*name))
    {
        if probe {
            file.part(&format!("__probe(&{name});"), Part::Probe(name.clone()));
        } else {
            let kept = match knowledge.boxed.get(name) {
                None => format!("{RUNTIME}::keep(\"{name}\", {name});"),
                Some(Boxed { kind, wrap }) => {
                    let kind = replace_path(kind, entry, "crate");
                    format!("{RUNTIME}::keep::<{kind}>(\"{name}\", {wrap}({name}));")
                }
            };
            file.part(&kept, Part::Keep(name.clone()));
        }
        file.line("");
    }
    for name in &knowledge.refilled {
        file.part(
            &format!("{RUNTIME}::give(\"{name}\", {name});"),
            Part::Give(name.clone()),
        );
        file.line("");
    }
    if cell.questions {
        file.line(&format!("{result}::Ok::<(), {RUNTIME}::CellError>(())"));
    }
    file.line("});");
    for name in plan
        .taken
        .iter()
        .map(|taken| &taken.variable.name)
        .filter(|name| !knowledge.moved.contains(*name) && !knowledge.refilled.contains(*name))
    {
        file.part(
            &format!("{RUNTIME}::give(\"{name}\", {name});"),
            Part::Give(name.clone()),
        );
        file.line("");
    }
    file.line("}");
    file.finish()
}

/// Turns moves of borrowed variables into moves that the runtime hears of. Without them the variable would count as
/// gone even if the cell never came to the place.
fn moves(cell: &Cell, knowledge: &Knowledge) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (name, places) in &knowledge.moved_at {
        let take = format!("unsafe {{ {RUNTIME}::moved(\"{name}\", &{name}) }}");
        let mut captures = BTreeSet::new();
        for &at in places {
            let capture = cell.captures.iter().find(|range| range.contains(&at));
            let (start, end, before, after) = match capture {
                // Moved when the closure is made, not when it runs.
                Some(range) if !captures.insert(range.start) => continue,
                Some(range) => (
                    range.start,
                    range.end,
                    format!("{{ let mut {name} = {take}; "),
                    " }".to_owned(),
                ),
                None => {
                    let range = at..at + name.len();
                    edits.push(Edit::Blank(range.clone()));
                    (range.start, range.end, take.clone(), String::new())
                }
            };
            edits.push(Edit::Insert {
                at: start,
                text: before.into(),
            });
            edits.push(Edit::Insert {
                at: end,
                text: after.into(),
            });
        }
    }
    edits
}

/// Builds one file, keeping count of where things are.
struct Writer {
    name: String,
    text: String,
    map: FileMap,
}

impl Writer {
    fn new(name: &str, source: &Arc<str>, cell: Option<usize>) -> Writer {
        let lines = source.split('\n').count();
        let map = FileMap {
            source: source.clone(),
            cell,
            lines,
            insertions: Vec::new(),
            parts: Vec::new(),
        };
        Writer {
            name: name.into(),
            text: String::new(),
            map,
        }
    }

    /// The line and column (from 1) of what is written next.
    fn here(&self) -> (usize, usize) {
        let last = self.text.rfind('\n').map_or(0, |newline| newline + 1);
        (
            self.text.matches('\n').count() + 1,
            self.text[last..].chars().count() + 1,
        )
    }

    /// Adds generated text, on the line that is being written.
    fn add(&mut self, text: &str) {
        let (line, column) = self.here();
        self.map
            .insertions
            .push((line, column, text.chars().count()));
        self.text.push_str(text);
    }

    /// Adds generated text that an error may be blamed on.
    fn part(&mut self, text: &str, part: Part) {
        let (line, column) = self.here();
        self.map.parts.push((
            Spot {
                line,
                columns: column..column + text.chars().count(),
            },
            part,
        ));
        self.add(text);
    }

    /// Adds generated text behind the learner's, and ends the line.
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// Adds the learner's text, blank but for the ranges in `keep`, with `edits` made, and ends its last line.
    fn learner(&mut self, keep: &[Range<usize>], edits: &[Edit]) {
        let source = self.map.source.clone();
        let kept = |at: usize| {
            keep.iter().any(|range| range.contains(&at))
                && !edits
                    .iter()
                    .any(|edit| matches!(edit, Edit::Blank(range) if range.contains(&at)))
        };
        let inserted = |at: usize| {
            edits.iter().filter_map(move |edit| match edit {
                Edit::Insert { at: place, text } if *place == at => Some(&**text),
                _ => None,
            })
        };
        let doors = crate::store::doors(&source);
        let (mut line, mut column) = self.here();
        for (at, character) in source.char_indices().chain([(source.len(), '\n')]) {
            let door = (doors.contains(&at) && kept(at)).then_some(crate::store::DOOR);
            for text in inserted(at).chain(door) {
                self.map
                    .insertions
                    .push((line, column, text.chars().count()));
                self.text.push_str(text);
                column += text.chars().count();
            }
            match character {
                '\n' => {
                    self.text.push('\n');
                    (line, column) = (line + 1, 1);
                }
                character => {
                    self.text.push(if kept(at) { character } else { ' ' });
                    column += 1;
                }
            }
        }
    }

    /// What every module begins with: names of earlier cells.
    fn header(&mut self, imports: &[Import], uses: &[Use]) {
        for import in imports {
            let alias = if import.anonymous { " as _" } else { "" };
            self.line(&format!(
                "#[allow(unused_imports)] pub(crate) use {}{alias};",
                import.path
            ));
        }
        for earlier in uses {
            self.part(
                &format!("#[allow(unused_imports)] {}", earlier.declaration),
                Part::Use(earlier.declaration.clone()),
            );
            self.line("");
        }
    }

    fn finish(self) -> GeneratedFile {
        GeneratedFile {
            name: self.name,
            text: self.text,
            map: self.map,
        }
    }
}
