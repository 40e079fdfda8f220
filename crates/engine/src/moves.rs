//! What becomes of the values that are there when types and statics get a new place: which follow, which stay of the older
//! type, because it means something else now.

use crate::cell::{Cell, Item, ItemKind, Static, StaticSort};
use crate::plan::{Move, Plan, replace_path};
use crate::sameness::World;
use crate::session::Session;

impl Plan {
    /// Where the names go that the types of variables mention.
    pub(crate) fn settle_places(&mut self, session: &Session, cell: &Cell) {
        let own_uses = self.own_uses(cell);
        let own = || self.emitted.iter().map(|index| &cell.items[*index]);
        let before = World::before(session);
        let after = World::after(session, &self.replaced, own(), &own_uses);
        let place_of = |index: usize, name: &String| {
            let again = own().any(|item| is_in_types(item) && item.names.contains(name));
            let group = self
                .carried
                .iter()
                .position(|group| group.definitions.contains(&index));
            match group {
                Some(number) => Some(format!("crate::carried_{number}::{name}")),
                None => again.then(|| format!("crate::{name}")),
            }
        };
        let (mut moves, mut standing) = (Vec::new(), Vec::new());
        for (index, definition) in session.definitions.iter().enumerate() {
            for name in definition
                .item
                .names
                .iter()
                .filter(|_| is_in_types(&definition.item))
            {
                let from = definition.path(name);
                let leaves = self.replaced.contains(&index) || place_of(index, name).is_some();
                let of_interest = || {
                    let mut variables = session.variables.iter();
                    variables.any(|one| replace_path(&one.kind, &from, "") != one.kind)
                };
                if leaves && of_interest() {
                    let to = place_of(index, name).filter(|_| before.agrees(&after, name));
                    moves.push(Move { from, to });
                } else if !leaves {
                    standing.push(from);
                }
            }
        }
        let carried = self.carried.iter().flat_map(|group| &group.definitions);
        self.same_state = carried
            .copied()
            .filter(|index| {
                let item = &session.definitions[*index].item;
                let can_move = |one: &Static| one.sort != StaticSort::Fixed;
                !item.statics.is_empty()
                    && item.statics.iter().all(can_move)
                    && item.names.iter().all(|name| before.agrees(&after, name))
            })
            .collect();
        (self.moves, self.standing) = (moves, standing);
    }

    /// Whether the cell defines an item that takes a variable's name, as a later `let` would.
    pub(crate) fn takes_name(&self, cell: &Cell, name: &String) -> bool {
        let mut new = self.emitted.iter().map(|index| &cell.items[*index]);
        new.any(|item| {
            matches!(
                item.kind,
                ItemKind::Function | ItemKind::Constant | ItemKind::Static
            ) && item.names.contains(name)
        })
    }

    /// The names in a variable's type that no longer mean what they meant.
    pub(crate) fn outdated(&self, kind: &str) -> Vec<&str> {
        let outdated = self.moves.iter().filter(|one| one.to.is_none());
        outdated
            .filter(|one| replace_path(kind, &one.from, "") != kind)
            .filter_map(|one| one.from.rsplit("::").next())
            .collect()
    }

    /// A variable's type as the new cell must write it. A type moves as a whole or not at all: if a single name in it
    /// means something else now, it stays the older type.
    pub(crate) fn kind_here(&self, kind: &str) -> String {
        let mut here = kind.to_owned();
        for Move { from, to } in &self.moves {
            let moved = replace_path(&here, from, to.as_deref().unwrap_or_default());
            if moved != here && to.is_none() {
                return kind.to_owned();
            }
            here = moved;
        }
        // What is left of an older version would not fit the bounds of the new ones.
        let left = self
            .standing
            .iter()
            .fold(here.clone(), |left, path| replace_path(&left, path, ""));
        if left.contains("cell_") {
            return kind.to_owned();
        }
        here
    }
}

/// Whether a type may be written with the item's name.
fn is_in_types(item: &Item) -> bool {
    matches!(
        item.kind,
        ItemKind::Type | ItemKind::Trait | ItemKind::Module
    )
}
