//! How one cell fits what came before: which of its items are new, which earlier ones must move along with them, what
//! it imports, which variables it borrows.
//!
//! Cells are crates, so two rules of Rust shape this. A crate can implement a trait only for a type or a trait of its
//! own: an `impl` for an earlier type therefore *carries* that type, with everything that mentions it, into the new
//! cell's crate. And a compiled function calls what it was compiled against: redefining `g` carries every earlier item
//! that mentions `g`. A type that was carried without a change of any definition is the same type to the learner:
//! variables of it live on.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cell::{Cell, Item, ItemKind, Use};
use crate::sameness::{rests_on, uses_of};
use crate::session::{Definition, Session, Variable, crate_of};

/// The decisions for one cell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    /// Indices into the cell's items: those that are compiled. The others are already in force, word for word.
    pub(crate) emitted: Vec<usize>,
    /// Indices into the session's definitions that a newer version takes the place of.
    pub(crate) replaced: BTreeSet<usize>,
    /// Earlier cells' items that move along, grouped by the cell they were written in.
    pub(crate) carried: Vec<Carried>,
    /// `use` declarations of earlier cells that hold in this one.
    pub(crate) uses: Vec<Use>,
    /// Carried statics (indices into the session's definitions) that keep their value, because nothing they rest on
    /// has changed.
    pub(crate) same_state: BTreeSet<usize>,
    /// Paths that the cell's own module imports.
    pub(crate) imports: Vec<Import>,
    pub(crate) taken: Vec<Taken>,
    /// Types, traits and modules that variables mention and that get a new place.
    pub(crate) moves: Vec<Move>,
    /// Those that stay in place.
    pub(crate) standing: Vec<String>,
}

/// A name that the cell defines again, or carries.
#[derive(Debug, Clone)]
pub(crate) struct Move {
    pub(crate) from: String,
    /// `None` if it does not mean the same at its new place.
    pub(crate) to: Option<String>,
}

/// Items of one earlier cell that are compiled again with this one.
#[derive(Debug, Clone)]
pub(crate) struct Carried {
    pub(crate) text: Arc<str>,
    pub(crate) cell: usize,
    pub(crate) definitions: Vec<usize>,
    pub(crate) imports: Vec<Import>,
    pub(crate) uses: Vec<Use>,
}

/// One name to bring into a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) name: String,
    /// `cell_1234::Movie`, or `crate::carried_0::Movie` for what is carried.
    pub(crate) path: String,
    /// Only for its methods.
    pub(crate) anonymous: bool,
}

/// A variable that the cell borrows while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) variable: Variable,
    /// The type as this cell must write it.
    pub(crate) kind: String,
    /// Whether the stored value must be re-read as a carried type.
    pub(crate) rehomed: bool,
}

/// What a failed attempt taught: left out of the next plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// `use` declarations that no longer hold.
    pub(crate) uses: BTreeSet<String>,
    /// Definitions (by index) that do not fit a new version of what they mention.
    pub(crate) definitions: BTreeSet<usize>,
}

impl Plan {
    /// Plans `cell`. With `reuse`, items that are already in force word for word are not compiled again.
    pub(crate) fn new(session: &Session, cell: &Cell, left_out: &LeftOut, reuse: bool) -> Plan {
        let mut plan = Plan::default();
        let uses: Vec<Use> = session.uses.iter().chain(&cell.uses).cloned().collect();
        let rests = rests_on(session, cell, &uses);
        let in_force = |item: &Item| {
            reuse
                && item.kind != ItemKind::Static
                && session.definitions.iter().any(|earlier| {
                    earlier.hidden.is_empty()
                        && !session.outdated.contains(crate_of(&earlier.home))
                        && earlier.item.tokens == item.tokens
                        && earlier.item.names == item.names
                        && uses_of(item, &earlier.uses) == uses_of(item, &uses)
                })
        };
        plan.emitted = (0..cell.items.len())
            .filter(|index| !in_force(&cell.items[*index]))
            .collect();
        let mut carried = BTreeSet::new();
        // Each round can only add; it ends because both sets are finite.
        loop {
            let before = (plan.emitted.len(), carried.len());
            plan.replaced = replaced(session, cell, &plan.emitted);
            plan.replaced.extend(&left_out.definitions);
            carried.retain(|index| !plan.replaced.contains(index));
            let stale = stale_names(session, &plan, &carried);
            for (index, rests) in rests.iter().enumerate() {
                if !plan.emitted.contains(&index) && !rests.is_disjoint(&stale) {
                    plan.emitted.push(index);
                }
            }
            for (index, definition) in session.definitions.iter().enumerate() {
                if !plan.replaced.contains(&index) && !definition.item.mentions.is_disjoint(&stale)
                {
                    carried.insert(index);
                }
            }
            for orphan in orphans(session, cell, &plan, &carried) {
                carried.insert(orphan);
            }
            if before == (plan.emitted.len(), carried.len()) {
                break;
            }
        }
        plan.emitted.sort_unstable();
        plan.uses = session
            .uses
            .iter()
            .filter(|earlier| {
                !left_out.uses.contains(&earlier.declaration) && !plan.hides(cell, earlier)
            })
            .cloned()
            .collect();
        plan.group(session, cell, &carried, left_out);
        plan.settle_places(session, cell);
        plan.import(session, cell);
        plan.take(session, cell);
        plan
    }

    fn hides(&self, cell: &Cell, earlier: &Use) -> bool {
        earlier.name.as_ref().is_some_and(|name| {
            cell.uses.iter().any(|own| own.name.as_ref() == Some(name))
                || self
                    .emitted
                    .iter()
                    .any(|index| cell.items[*index].names.contains(name))
        }) || cell
            .uses
            .iter()
            .any(|own| own.declaration == earlier.declaration)
    }

    /// The `use` declarations that the cell's own items are compiled with.
    pub(crate) fn own_uses(&self, cell: &Cell) -> Arc<[Use]> {
        self.uses.iter().chain(&cell.uses).cloned().collect()
    }

    fn group(
        &mut self,
        session: &Session,
        cell: &Cell,
        carried: &BTreeSet<usize>,
        left_out: &LeftOut,
    ) {
        for &index in carried {
            let definition = &session.definitions[index];
            match self
                .carried
                .iter_mut()
                .find(|group| Arc::ptr_eq(&group.text, &definition.text))
            {
                Some(group) => group.definitions.push(index),
                None => self.carried.push(Carried {
                    text: definition.text.clone(),
                    cell: definition.cell,
                    definitions: vec![index],
                    imports: Vec::new(),
                    uses: definition.uses.to_vec(),
                }),
            }
        }
        // A name means what it meant where it was written. Only what is no longer there is looked for among the `use`s
        // of today: a definition may have given way to one of them.
        let today = self.own_uses(cell);
        for group in &mut self.carried {
            let wanted: BTreeSet<&String> = group
                .definitions
                .iter()
                .flat_map(|index| &session.definitions[*index].item.mentions)
                .collect();
            let missing: Vec<Use> = today
                .iter()
                .filter(|used| {
                    used.name.as_ref().is_some_and(|name| {
                        wanted.contains(name)
                            && !group.uses.iter().any(|own| own.name.as_ref() == Some(name))
                    })
                })
                .cloned()
                .collect();
            group.uses.extend(missing);
            group
                .uses
                .retain(|used| !left_out.uses.contains(&used.declaration));
        }
    }

    /// Where each name in force is, seen from inside the new crate.
    fn places(&self, session: &Session, cell: &Cell) -> Vec<Place> {
        let mut places = Vec::new();
        for &index in &self.emitted {
            places.extend(Place::all(&cell.items[index], |name| {
                format!("crate::{name}")
            }));
        }
        for (number, group) in self.carried.iter().enumerate() {
            for &index in &group.definitions {
                let item = &session.definitions[index].item;
                places.extend(Place::all(item, |name| match item.kind {
                    ItemKind::Macro => format!("crate::{name}"),
                    _ => format!("crate::carried_{number}::{name}"),
                }));
            }
        }
        let moved: BTreeSet<usize> = self
            .carried
            .iter()
            .flat_map(|group| group.definitions.iter().copied())
            .collect();
        for (index, definition) in session.definitions.iter().enumerate() {
            if !moved.contains(&index) && !self.replaced.contains(&index) {
                places.extend(Place::all(&definition.item, |name| definition.path(name)));
            }
        }
        places
    }

    fn import(&mut self, session: &Session, cell: &Cell) {
        let places = self.places(session, cell);
        let first_of_uses = || {
            self.uses
                .iter()
                .chain(&cell.uses)
                .map(|one| one.first.clone())
        };
        let mut wanted: BTreeSet<String> = cell.mentions.clone();
        wanted.extend(
            self.emitted
                .iter()
                .flat_map(|index| cell.items[*index].mentions.iter().cloned()),
        );
        wanted.extend(first_of_uses());
        let mut own: BTreeSet<String> = self
            .emitted
            .iter()
            .flat_map(|index| cell.items[*index].names.clone())
            .collect();
        own.extend(cell.uses.iter().filter_map(|one| one.name.clone()));
        self.imports = choose(&places, &wanted, &own);
        let groups: Vec<Vec<Import>> = self
            .carried
            .iter()
            .map(|group| {
                let items = || {
                    group
                        .definitions
                        .iter()
                        .map(|index| &session.definitions[*index].item)
                };
                let mut wanted: BTreeSet<String> = items()
                    .flat_map(|item| item.mentions.iter().cloned())
                    .collect();
                wanted.extend(group.uses.iter().map(|one| one.first.clone()));
                let own = items()
                    .filter(|item| item.kind != ItemKind::Macro)
                    .flat_map(|item| item.names.clone())
                    .chain(group.uses.iter().filter_map(|one| one.name.clone()))
                    .collect();
                choose(&places, &wanted, &own)
            })
            .collect();
        for (group, imports) in self.carried.iter_mut().zip(groups) {
            group.imports = imports;
        }
    }

    fn take(&mut self, session: &Session, cell: &Cell) {
        for variable in &session.variables {
            let name = &variable.name;
            if !cell.mentions.contains(name) || self.takes_name(cell, name) {
                continue;
            }
            let kind = self.kind_here(&variable.kind);
            let rehomed = variable.rehomed || kind != variable.kind;
            self.taken.push(Taken {
                variable: variable.clone(),
                kind,
                rehomed,
            });
        }
    }
}

struct Place {
    name: String,
    path: String,
    is_trait: bool,
    macro_mentions: Option<BTreeSet<String>>,
}

impl Place {
    fn all(item: &Item, path: impl Fn(&str) -> String) -> impl Iterator<Item = Place> {
        item.names.iter().map(move |name| Place {
            name: name.clone(),
            path: path(name),
            is_trait: item.kind == ItemKind::Trait,
            macro_mentions: (item.kind == ItemKind::Macro).then(|| item.mentions.clone()),
        })
    }
}

/// The imports for a module that mentions `wanted` and defines `own`: what it mentions, what macros it mentions will
/// mention there, and every trait for its methods.
fn choose(places: &[Place], wanted: &BTreeSet<String>, own: &BTreeSet<String>) -> Vec<Import> {
    let mut wanted = wanted.clone();
    loop {
        let more: BTreeSet<String> = places
            .iter()
            .filter(|place| wanted.contains(&place.name))
            .filter_map(|place| place.macro_mentions.as_ref())
            .flatten()
            .filter(|name| !wanted.contains(*name))
            .cloned()
            .collect();
        if more.is_empty() {
            break;
        }
        wanted.extend(more);
    }
    places
        .iter()
        .filter(|place| !own.contains(&place.name))
        .filter(|place| place.is_trait || wanted.contains(&place.name))
        .map(|place| Import {
            name: place.name.clone(),
            path: place.path.clone(),
            anonymous: !wanted.contains(&place.name),
        })
        .collect()
}

/// Definitions that the emitted items take the place of.
fn replaced(session: &Session, cell: &Cell, emitted: &[usize]) -> BTreeSet<usize> {
    let new_items = || emitted.iter().map(|index| &cell.items[*index]);
    let is_macro = |item: &Item| item.kind == ItemKind::Macro;
    let mut gone: BTreeSet<usize> = BTreeSet::new();
    for (index, earlier) in session.definitions.iter().enumerate() {
        let by_name = new_items().any(|new| {
            is_macro(new) == is_macro(&earlier.item)
                && new
                    .names
                    .iter()
                    .any(|name| earlier.item.names.contains(name))
        }) || cell.uses.iter().any(|own| {
            own.name
                .as_ref()
                .is_some_and(|name| earlier.item.names.contains(name))
        });
        if by_name {
            gone.insert(index);
        }
    }
    // A type that is written anew takes along the impls that were written in the same cell as the old one.
    let cells_of_old: Vec<(&Arc<str>, &Item)> = gone
        .iter()
        .map(|index| &session.definitions[*index])
        .filter(|old| matches!(old.item.kind, ItemKind::Type))
        .map(|old| (&old.text, &old.item))
        .collect();
    for (index, earlier) in session.definitions.iter().enumerate() {
        let ItemKind::Impl {
            header,
            about,
            inherent,
            ..
        } = &earlier.item.kind
        else {
            continue;
        };
        let with_its_type = cells_of_old.iter().any(|(text, old)| {
            Arc::ptr_eq(text, &earlier.text) && old.names.iter().any(|name| about.contains(name))
        });
        let same = new_items().any(|new| match &new.kind {
            ItemKind::Impl {
                header: new_header, ..
            } if new_header == header => {
                !*inherent
                    || earlier
                        .item
                        .members
                        .iter()
                        .all(|(member, _)| replaces_member(new, member))
            }
            _ => false,
        });
        if with_its_type || same {
            gone.insert(index);
        }
    }
    gone
}

fn replaces_member(new: &Item, member: &str) -> bool {
    new.members.iter().any(|(name, _)| name == member)
}

/// Members of an earlier inherent impl that the cell's items replace.
pub(crate) fn hidden_members(cell: &Cell, plan: &Plan, earlier: &Definition) -> BTreeSet<String> {
    let ItemKind::Impl {
        header,
        inherent: true,
        ..
    } = &earlier.item.kind
    else {
        return earlier.hidden.clone();
    };
    let mut hidden = earlier.hidden.clone();
    for new in plan.emitted.iter().map(|index| &cell.items[*index]) {
        if matches!(&new.kind, ItemKind::Impl { header: new_header, .. } if new_header == header) {
            hidden.extend(
                earlier
                    .item
                    .members
                    .iter()
                    .map(|(name, _)| name)
                    .filter(|name| replaces_member(new, name))
                    .cloned(),
            );
        }
    }
    hidden
}

/// Names that earlier code still connects with an older compiled form.
fn stale_names(session: &Session, plan: &Plan, carried: &BTreeSet<usize>) -> BTreeSet<String> {
    let mut stale: BTreeSet<String> = plan
        .replaced
        .iter()
        .flat_map(|index| session.definitions[*index].item.names.clone())
        .collect();
    stale.extend(
        carried
            .iter()
            .flat_map(|index| session.definitions[*index].item.names.clone()),
    );
    stale
}

/// Types (or, failing those, traits) that must move so that an `impl` in the new crate is allowed.
fn orphans(session: &Session, cell: &Cell, plan: &Plan, carried: &BTreeSet<usize>) -> Vec<usize> {
    let here: BTreeSet<&String> = plan
        .emitted
        .iter()
        .map(|index| &cell.items[*index])
        .chain(
            carried
                .iter()
                .map(|index| &session.definitions[*index].item),
        )
        .filter(|item| matches!(item.kind, ItemKind::Type | ItemKind::Trait))
        .flat_map(|item| &item.names)
        .collect();
    let impls = plan.emitted.iter().map(|index| &cell.items[*index]).chain(
        carried
            .iter()
            .map(|index| &session.definitions[*index].item),
    );
    let mut moving = Vec::new();
    for item in impls {
        let ItemKind::Impl { heads, of, .. } = &item.kind else {
            continue;
        };
        let heads: Vec<&String> = heads
            .iter()
            .map(|head| behind_aliases(session, cell, head))
            .collect();
        if heads
            .iter()
            .copied()
            .chain(of)
            .any(|name| here.contains(name))
        {
            continue;
        }
        let earlier = |name: &String, wanted: ItemKind| {
            session
                .definitions
                .iter()
                .enumerate()
                .position(|(index, definition)| {
                    !plan.replaced.contains(&index)
                        && definition.item.kind == wanted
                        && definition.item.names.contains(name)
                })
        };
        let of_type = heads.iter().find_map(|head| {
            earlier(head, ItemKind::Type).or_else(|| earlier(head, ItemKind::Trait))
        });
        moving.extend(of_type.or_else(|| earlier(of.as_ref()?, ItemKind::Trait)));
    }
    moving
}

/// The type that a chain of `type` aliases leads to.
fn behind_aliases<'a>(session: &'a Session, cell: &'a Cell, name: &'a String) -> &'a String {
    let (mut name, mut steps) = (name, 0);
    let aliased = |name: &String| {
        let earlier = session.definitions.iter().rev().map(|one| &one.item);
        cell.items
            .iter()
            .chain(earlier)
            .find(|item| item.kind == ItemKind::Type && item.names.contains(name))
            .and_then(|item| item.alias_of.as_ref())
    };
    // An alias of itself does not compile, but must not hang either.
    while let (Some(next), true) = (aliased(name), steps < 20) {
        (name, steps) = (next, steps + 1);
    }
    name
}

/// Replaces the path `from` by `to` where it stands as a whole path (or as the beginning of one).
pub(crate) fn replace_path(text: &str, from: &str, to: &str) -> String {
    let part_of_name =
        |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(from) {
        let before = rest[..at].chars().next_back();
        let after = rest[at + from.len()..].chars().next();
        out.push_str(&rest[..at]);
        let whole = !part_of_name(before) && before != Some(':') && !part_of_name(after);
        out.push_str(if whole { to } else { from });
        rest = &rest[at + from.len()..];
    }
    out + rest
}
