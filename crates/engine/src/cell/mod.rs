//! One cell as the learner wrote it, taken apart: directives, items, statements, what it binds and mentions.
//!
//! Nothing here knows other cells or a compiler. Text that does not parse is still a [`Cell`] (all of it statements), so
//! that the complaint about it comes from rustc, in its own words, at the right place.

mod command;
mod items;
mod mentions;
mod parse;
mod visibility;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

pub(crate) use parse::{parse, parse_knowing};

/// A cell, taken apart. All ranges are byte ranges of `text`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    /// The learner's text with directive lines blanked, so that every position stays what it was.
    pub(crate) text: Arc<str>,
    /// Whether the text parses.
    pub(crate) is_rust: bool,
    pub(crate) directives: Vec<Directive>,
    pub(crate) items: Vec<Item>,
    /// `use` declarations, one entry for each name they bring in.
    pub(crate) uses: Vec<Use>,
    /// Where inner attributes (`#![allow(…)]`) stand in `text`; they open it.
    pub(crate) inner_attributes: Vec<Range<usize>>,
    /// Where `use` declarations stand in `text`.
    pub(crate) use_ranges: Vec<Range<usize>>,
    /// Everything that runs, in order.
    pub(crate) statements: Vec<Range<usize>>,
    /// Variables that top-level `let`s bind, each name once, in order of their last binding.
    pub(crate) bindings: Vec<Binding>,
    /// The last expression, if its value is to be shown.
    pub(crate) trailing: Option<Range<usize>>,
    /// Whether the statements await at top level.
    pub(crate) awaits: bool,
    /// Whether the statements use `?` at top level.
    pub(crate) questions: bool,
    /// Identifiers in the statements.
    pub(crate) mentions: BTreeSet<String>,
    /// Variables that the statements assign to.
    pub(crate) assigned: BTreeSet<String>,
    /// Macro calls that are statements of their own: the macro's name and the identifiers it is given.
    pub(crate) calls: Vec<(String, BTreeSet<String>)>,
    /// The outermost closures and async blocks of the statements: what moves in there, moves when they are made.
    pub(crate) captures: Vec<Range<usize>>,
}

/// A line that begins with `:` and speaks to the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directive {
    /// Counted from 1.
    pub(crate) line: usize,
    /// Without the colon: `dep`, `vars`, …
    pub(crate) name: String,
    pub(crate) argument: String,
}

/// A variable that a cell binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) name: String,
    pub(crate) mutable: bool,
}

/// One name brought in by a `use` declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Use {
    /// The first segment of the path; it may be a name of the learner's own.
    pub(crate) first: String,
    /// The name it brings in; `None` for a glob or `_`.
    pub(crate) name: Option<String>,
    /// A declaration of this name alone: `use std::fmt::Debug as D;`.
    pub(crate) declaration: String,
}

/// A definition that later cells can use.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) kind: ItemKind,
    /// The names it defines; none for an `impl`.
    pub(crate) names: Vec<String>,
    pub(crate) range: Range<usize>,
    /// Its tokens as text: equal for two versions that differ in layout and comments alone.
    pub(crate) tokens: String,
    /// Identifiers it mentions.
    pub(crate) mentions: BTreeSet<String>,
    /// Text to put in, or to blank out, so that later cells see the item and its fields.
    pub(crate) edits: Vec<Edit>,
    /// For a `static` or `thread_local!`: what it defines.
    pub(crate) statics: Vec<Static>,
    /// For `type Short = Long<u8>;`: `Long`.
    pub(crate) alias_of: Option<String>,
    /// For an `impl`: its associated types and constants, and the identifiers in them.
    pub(crate) inside: Option<(String, BTreeSet<String>)>,
    /// For an inherent `impl`: its members by name, so that single ones can be replaced by a later cell.
    pub(crate) members: Vec<(String, Range<usize>)>,
}

/// One `static`, or one key of a `thread_local!`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Static {
    pub(crate) name: String,
    /// Its type, as written.
    pub(crate) kind: String,
    pub(crate) sort: StaticSort,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StaticSort {
    Plain,
    Mutable,
    ThreadLocal,
    /// Cannot be reached from another crate but by its path: a key of `task_local!`, or a symbol that the learner named.
    Fixed,
}

/// What an item is, as far as the engine cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ItemKind {
    Function,
    Type,
    Trait,
    /// `macro_rules!`
    Macro,
    Constant,
    /// A `static` or `thread_local!`: it has a state that a new definition starts afresh.
    Static,
    Module,
    /// `header` is its text up to the brace; `about` the identifiers in it.
    Impl {
        header: String,
        about: BTreeSet<String>,
        /// The types that may make it legal by being of the same crate: what it is for and the arguments of its trait,
        /// without `&`, `Box` and `Pin`.
        heads: Vec<String>,
        /// The trait's own name; `None` for an inherent `impl`.
        of: Option<String>,
        inherent: bool,
    },
    Other,
}

/// A change to the learner's text that keeps its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    Insert { at: usize, text: Cow<'static, str> },
    Blank(Range<usize>),
}
