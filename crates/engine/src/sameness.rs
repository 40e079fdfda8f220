//! Whether a type that moves to a newer crate still means what it meant: its values may live on only then.
//!
//! A value of `cell_1::P` is read as `cell_2::P` without a change of its bytes (`take_rehomed` of the runtime). That is
//! sound if both have one layout, so everything that could decide a layout is compared, word for word: the definition,
//! every definition it mentions by any name (types, aliases, constants, the functions that compute them, macros,
//! modules, traits), the `use` declarations that it was compiled with, and the associated types and constants of the
//! `impl`s of what it mentions. Equal texts, compiled by one compiler with one set of flags, give equal layouts: rustc
//! is a deterministic function of them. What is not in the text is refused: files (`include!`), the environment
//! (`env!`), the place of the code (`line!`, `module_path!`), what `:opt` switches (`debug_assertions`).
//!
//! Names are compared by token, not by resolution, so the comparison errs in one direction: it may call two types
//! different that are the same. Their values then stay what they were, of the older type, which later cells can use.

use std::collections::BTreeSet;

use crate::cell::{Cell, Item, ItemKind, Use};
use crate::session::Session;

/// The definitions in force at one time.
pub(crate) struct World<'a>(Vec<Entry<'a>>);

struct Entry<'a> {
    item: &'a Item,
    uses: &'a [Use],
}

/// All that decides what a name means.
#[derive(Default)]
struct Meaning {
    /// Texts of the definitions that it rests on, and of the `use`s that lead there.
    texts: BTreeSet<String>,
    /// What `impl`s say about them: associated types and constants, and the texts that those rest on.
    inside_impls: BTreeSet<String>,
}

impl<'a> World<'a> {
    /// Before a cell.
    pub(crate) fn before(session: &'a Session) -> World<'a> {
        World::after(session, &BTreeSet::new(), std::iter::empty(), &[])
    }

    /// After a cell that defines `new` and imports `uses`; `replaced` are indices into the session's definitions.
    pub(crate) fn after(
        session: &'a Session,
        replaced: &BTreeSet<usize>,
        new: impl Iterator<Item = &'a Item>,
        uses: &'a [Use],
    ) -> World<'a> {
        let earlier = session.definitions.iter().enumerate();
        let stays = earlier.filter(|(index, _)| !replaced.contains(index));
        World(
            stays
                .map(|(_, definition)| Entry {
                    item: &definition.item,
                    uses: &definition.uses,
                })
                .chain(new.map(|item| Entry { item, uses }))
                .collect(),
        )
    }

    /// Whether `name` means the same in both worlds.
    pub(crate) fn agrees(&self, later: &World<'_>, name: &str) -> bool {
        let (Some(before), Some(after)) = (self.meaning(name), later.meaning(name)) else {
            return false;
        };
        // Nothing can rest on an associated type that was not there: a new `impl` changes no layout.
        before.texts == after.texts && before.inside_impls.is_subset(&after.inside_impls)
    }

    /// `None` if the text alone does not decide it.
    fn meaning(&self, name: &str) -> Option<Meaning> {
        let mut meaning = Meaning::default();
        let (mut reached, mut mentioned) = (BTreeSet::new(), BTreeSet::new());
        meaning.texts = self.texts(name.to_owned(), &mut reached, &mut mentioned)?;
        let mut read = BTreeSet::new();
        loop {
            let found = reached.len();
            for (index, entry) in self.0.iter().enumerate() {
                let ItemKind::Impl {
                    about, inherent, ..
                } = &entry.item.kind
                else {
                    continue;
                };
                // A constant in an inherent `impl` has no part in a type that does not mention the `impl`'s own.
                let names = if *inherent { &mentioned } else { &reached };
                let Some((text, mentions)) = &entry.item.inside else {
                    continue;
                };
                if about.is_disjoint(names) || !read.insert(index) {
                    continue;
                }
                meaning.inside_impls.insert(text.clone());
                for name in mentions {
                    let texts = self.texts(name.clone(), &mut reached, &mut mentioned)?;
                    meaning.inside_impls.extend(texts);
                }
            }
            if reached.len() == found {
                return Some(meaning);
            }
        }
    }

    /// The texts that `name` rests on, without those that were reached before.
    fn texts(
        &self,
        name: String,
        reached: &mut BTreeSet<String>,
        mentioned: &mut BTreeSet<String>,
    ) -> Option<BTreeSet<String>> {
        let (mut texts, mut open) = (BTreeSet::new(), vec![name]);
        while let Some(name) = open.pop() {
            if !reached.insert(name.clone()) {
                continue;
            }
            for Entry { item, uses } in self
                .0
                .iter()
                .filter(|entry| entry.item.names.contains(&name))
            {
                if is_undecided(&item.tokens) {
                    return None;
                }
                texts.insert(item.tokens.clone());
                if mentions_itself(item) {
                    mentioned.extend(item.names.iter().cloned());
                }
                for used in uses_of(item, uses) {
                    texts.insert(used.declaration.clone());
                    open.push(used.first.clone());
                }
                mentioned.extend(item.mentions.iter().cloned());
                open.extend(item.mentions.iter().cloned());
            }
        }
        Some(texts)
    }
}

/// The `use` declarations that a definition may rest on: those of names that it mentions, and globs, unless they are of
/// crates that are the same for all cells and whose names the prelude does not have.
pub(crate) fn uses_of<'a>(item: &Item, uses: &'a [Use]) -> Vec<&'a Use> {
    const FIXED: [&str; 6] = ["std", "core", "alloc", "tokio", "futures", "loopbot"];
    let leads = |used: &Use, names: &dyn Fn(&String) -> bool| match &used.name {
        Some(name) => names(name),
        None => used.declaration.ends_with("*;") && !FIXED.contains(&used.first.as_str()),
    };
    let mut found: Vec<&Use> = uses
        .iter()
        .filter(|used| leads(used, &|name| item.mentions.contains(name)))
        .collect();
    // A path may begin with a name that another `use` brings in.
    let mut next = 0;
    while let Some(used) = found.get(next).copied() {
        next += 1;
        let more = uses
            .iter()
            .filter(|one| one.name.as_ref() == Some(&used.first));
        for one in more {
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
    found
}

/// Whether something beside the text of the session has a say in what the definition is.
fn is_undecided(tokens: &str) -> bool {
    const OUTSIDE: [&str; 9] = [
        "include",
        "include_str",
        "include_bytes",
        "env",
        "option_env",
        "line",
        "column",
        "file",
        "module_path",
    ];
    let calls = |name: &str| {
        tokens.match_indices(name).any(|(at, _)| {
            let before = tokens[..at].chars().next_back();
            let rest = tokens[at + name.len()..].trim_start();
            !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
                && rest.starts_with('!')
                && !rest.starts_with("!=")
        })
    };
    tokens.contains("debug_assertions") || OUTSIDE.iter().any(|name| calls(name))
}

fn mentions_itself(item: &Item) -> bool {
    item.names.iter().any(|name| {
        let whole_words = item
            .tokens
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .filter(|word| word == name);
        whole_words.count() > 1
    })
}

/// What each of the cell's items rests on: what it mentions, and where the `use`s of those names lead.
pub(crate) fn rests_on(session: &Session, cell: &Cell, uses: &[Use]) -> Vec<BTreeSet<String>> {
    let items = || cell.items.iter();
    let earlier = || session.definitions.iter().map(|one| &one.item);
    items()
        .map(|item| {
            let mut rests = item.mentions.clone();
            for used in uses_of(item, uses) {
                // Of a glob's names only those count that the module or the enum itself has.
                let leads = used.name.is_some()
                    || items().chain(earlier()).any(|source| {
                        source.names.contains(&used.first)
                            && !source.mentions.is_disjoint(&item.mentions)
                    });
                if leads {
                    rests.insert(used.first.clone());
                }
            }
            rests
        })
        .collect()
}
