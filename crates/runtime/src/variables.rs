//! The learner's variables between cells: each in a heap slot of its own, under its name.
//!
//! A cell borrows a variable for the time it runs: [`take`] moves the value out of its slot, [`give`] puts it back into
//! the same slot, also after a panic, an early `?` or an interrupt, because the generated cell does so outside the
//! learner's code. A value is only ever read as the type it was kept as: a wrong type is a panic, never a
//! reinterpretation. Variables need not be `Send`: the store belongs to the thread that runs the cells.

use std::alloc::Layout;
use std::any::TypeId;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::sync::Mutex;

thread_local! {
    static VARIABLES: RefCell<HashMap<String, Slot>> = RefCell::new(HashMap::new());
    /// Names kept since [`settled`] was asked last.
    static KEPT: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Names whose value the running cell has moved away. For all threads, because a cell may do so in a thread of its own.
static MOVED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// What must be known of a type to hold its values without it.
#[derive(Clone, Copy)]
struct Kind {
    type_id: TypeId,
    type_name: fn() -> &'static str,
    layout: Layout,
    /// Drops a value of the type in place.
    drop: unsafe fn(*mut u8),
}

/// A type, to find its [`Kind`] while the cell is compiled.
struct Of<T>(PhantomData<T>);

impl<T: 'static> Of<T> {
    const KIND: Kind = Kind {
        type_id: TypeId::of::<T>(),
        type_name: std::any::type_name::<T>,
        layout: Layout::new::<T>(),
        drop: drop_in_place::<T>,
    };
}

/// # Safety
/// `value` must point to a valid `T`, which is not used afterwards.
unsafe fn drop_in_place<T>(value: *mut u8) {
    // SAFETY: by the caller's promise.
    unsafe { std::ptr::drop_in_place(value as *mut T) }
}

/// Room for a value.
union Room<T> {
    empty: (),
    value: ManuallyDrop<T>,
}

/// A value on the heap, its type erased; `full` is false while a cell has the value, or has moved it away for good.
struct Slot {
    value: *mut u8,
    kind: Kind,
    full: bool,
}

impl Slot {
    /// # Safety
    /// `value` must point to a value of this kind, which is not used afterwards.
    unsafe fn new(value: *const u8, kind: Kind) -> Slot {
        let place = match kind.layout.size() {
            0 => std::ptr::without_provenance_mut(kind.layout.align()),
            // SAFETY: the size is not zero.
            _ => unsafe { std::alloc::alloc(kind.layout) },
        };
        if place.is_null() {
            std::alloc::handle_alloc_error(kind.layout);
        }
        // SAFETY: both hold as many bytes as a value of this kind; the new place is nobody else's.
        unsafe { value.copy_to_nonoverlapping(place, kind.layout.size()) };
        Slot {
            value: place,
            kind,
            full: true,
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.full {
            // SAFETY: a full slot holds a valid value of its kind.
            unsafe { (self.kind.drop)(self.value) };
        }
        if self.kind.layout.size() > 0 {
            // SAFETY: made with this layout.
            unsafe { std::alloc::dealloc(self.value, self.kind.layout) };
        }
    }
}

// Every cell is compiled with the generic functions below, without optimisation. So each is as little as can be: casts
// instead of methods, constants instead of calls. Looking up and copying are compiled once, here.

/// Keeps `value` under `name`; an earlier variable of that name is dropped.
pub fn keep<T: 'static>(name: &str, value: T) {
    let value = ManuallyDrop::new(value);
    // SAFETY: a valid value, which nobody drops.
    unsafe { keep_bytes(name, &raw const value as *const u8, &Of::<T>::KIND) };
}

/// Moves the value of `name` out for the running cell.
///
/// # Panics
/// When there is no such value, or it is of another type; the engine's bookkeeping rules both out.
pub fn take<T: 'static>(name: &str) -> T {
    let mut room = Room::<T> { empty: () };
    // SAFETY: the room is as large as a T, and is filled with one, or this panics.
    unsafe { take_bytes(name, &raw mut room as *mut u8, &Of::<T>::KIND) };
    // SAFETY: as above.
    ManuallyDrop::into_inner(unsafe { room.value })
}

/// Like [`take`], for a variable whose type now lives in a newer cell with an unchanged definition.
///
/// # Safety
/// `T` must have the same definition as the type that the value was kept as, down to every type it contains.
///
/// # Panics
/// When there is no such value, or the layouts differ.
pub unsafe fn take_rehomed<T: 'static>(name: &str) -> T {
    retype(name, &Of::<T>::KIND);
    take(name)
}

/// Moves the value of `name` away, for good, at the place where the cell does so; [`give`] then leaves it alone. So a
/// variable is gone only if the cell came to that place.
///
/// # Safety
/// `value` must be the variable that was taken as `name`, and nothing may use it or assign to it afterwards: the
/// engine has compiled the cell with the move itself first, and found nothing that does.
pub unsafe fn moved<T>(name: &str, value: &T) -> T {
    let mut room = Room::<T> { empty: () };
    let (from, to) = (value as *const T as *const u8, &raw mut room as *mut u8);
    // SAFETY: both are as large as a T; by the caller's promise this is the last use of the value.
    unsafe { move_bytes(name, from, to, size_of::<T>()) };
    // SAFETY: filled with a T.
    ManuallyDrop::into_inner(unsafe { room.value })
}

/// Puts the value of `name` back after the cell, unless the cell has [`moved`] it.
///
/// # Panics
/// When `name` was not taken as a `T`.
pub fn give<T: 'static>(name: &str, value: T) {
    let mut value = ManuallyDrop::new(value);
    // SAFETY: a valid value, which nobody else drops.
    unsafe { give_bytes(name, &raw mut value as *mut u8, &Of::<T>::KIND) };
}

/// # Safety
/// As for [`Slot::new`].
unsafe fn keep_bytes(name: &str, value: *const u8, kind: &Kind) {
    KEPT.with_borrow_mut(|kept| kept.push(name.to_owned()));
    // SAFETY: by the caller's promise.
    let slot = unsafe { Slot::new(value, *kind) };
    let earlier = VARIABLES.with_borrow_mut(|variables| variables.insert(name.to_owned(), slot));
    // Outside the borrow: the value's own `drop` may run anything.
    drop(earlier);
}

/// # Safety
/// `to` must have room for a value of this kind; afterwards it holds one.
unsafe fn take_bytes(name: &str, to: *mut u8, kind: &Kind) {
    VARIABLES.with_borrow_mut(|variables| {
        let slot = lookup(variables, name, true);
        assert!(
            slot.kind.type_id == kind.type_id,
            "`{name}` is not of type {}",
            (kind.type_name)()
        );
        slot.full = false;
        // SAFETY: the slot was full and of this kind; it is marked empty, so the value is owned once.
        unsafe { slot.value.copy_to_nonoverlapping(to, kind.layout.size()) };
    });
}

/// # Safety
/// `from` must hold a value of `size` bytes, which is not used afterwards, and `to` must have room for it.
unsafe fn move_bytes(name: &str, from: *const u8, to: *mut u8, size: usize) {
    with_moved(|names| names.insert(name.to_owned()));
    // SAFETY: by the caller's promise.
    unsafe { from.copy_to_nonoverlapping(to, size) };
}

/// # Safety
/// `value` must point to a value of this kind, which is not used afterwards, unless it is marked as moved.
unsafe fn give_bytes(name: &str, value: *mut u8, kind: &Kind) {
    if with_moved(|names| names.remove(name)) {
        // Its owner is another by now.
        return;
    }
    match place_for(name, kind) {
        // SAFETY: the slot was empty and was made for this kind; it is marked full.
        Some(place) => unsafe { value.copy_to_nonoverlapping(place, kind.layout.size()) },
        // SAFETY: by the caller's promise.
        None => unsafe { (kind.drop)(value) },
    }
}

fn with_moved(change: impl FnOnce(&mut BTreeSet<String>) -> bool) -> bool {
    // The set is whole whatever a panicking thread was doing.
    change(
        &mut MOVED
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner()),
    )
}

/// What the cell that has ended did: the names it kept, and those of variables that it moved away.
pub(crate) fn settled() -> (Vec<String>, Vec<String>) {
    let gone = VARIABLES.with_borrow_mut(|variables| {
        let gone: Vec<String> = variables
            .iter()
            .filter(|(_, slot)| !slot.full)
            .map(|(name, _)| name.clone())
            .collect();
        // Only memory is freed here: there is no value to drop.
        variables.retain(|_, slot| slot.full);
        gone
    });
    (KEPT.take(), gone)
}

fn retype(name: &str, kind: &Kind) {
    VARIABLES.with_borrow_mut(|variables| {
        let slot = lookup(variables, name, true);
        assert!(
            slot.kind.layout == kind.layout,
            "`{name}` changed its layout"
        );
        // From here on the slot checks and drops as the new type; the memory fits, the layouts are equal.
        slot.kind = *kind;
    });
}

/// Where the value goes back to; nowhere if the cell itself has kept a new variable of that name (`let x = x + 1;`).
fn place_for(name: &str, kind: &Kind) -> Option<*mut u8> {
    VARIABLES.with_borrow_mut(|variables| {
        if variables.get(name).is_some_and(|slot| slot.full) {
            return None;
        }
        let slot = lookup(variables, name, false);
        assert!(
            slot.kind.type_id == kind.type_id,
            "`{name}` came back as another type"
        );
        slot.full = true;
        Some(slot.value)
    })
}

/// Drops the variables of these names, where they exist.
pub fn forget<'a>(names: impl IntoIterator<Item = &'a str>) {
    for name in names {
        let gone = VARIABLES.with_borrow_mut(|variables| variables.remove(name));
        drop(gone);
    }
}

fn lookup<'a>(variables: &'a mut HashMap<String, Slot>, name: &str, full: bool) -> &'a mut Slot {
    match variables.get_mut(name) {
        Some(slot) if slot.full == full => slot,
        Some(_) => panic!("`{name}` is in use"),
        None => panic!("there is no variable `{name}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn a_taken_value_comes_back_changed_and_is_dropped_once() {
        let counted = Rc::new(());
        keep("v", vec![counted.clone()]);
        let mut v: Vec<Rc<()>> = take("v");
        v.push(counted.clone());
        give("v", v);
        assert_eq!(Rc::strong_count(&counted), 3);
        forget(["v", "never there"]);
        assert_eq!(Rc::strong_count(&counted), 1);
    }

    #[test]
    fn a_moved_value_is_gone_only_if_it_was_moved() {
        let counted = Rc::new(());
        keep("v", counted.clone());
        keep("w", counted.clone());
        let (v, w): (Rc<()>, Rc<()>) = (take("v"), take("w"));
        // SAFETY: nothing uses `v` afterwards.
        drop(unsafe { moved("v", &v) });
        give("v", v);
        give("w", w);
        assert_eq!(Rc::strong_count(&counted), 2);
        assert_eq!(settled(), (vec!["v".into(), "w".into()], vec!["v".into()]));
        forget(["w"]);
        assert_eq!(Rc::strong_count(&counted), 1);
    }

    #[test]
    fn a_shadowed_value_gives_way_to_the_new_one() {
        keep("x", 1_i32);
        let old: i32 = take("x");
        keep("x", format!("{old}"));
        give("x", old);
        assert_eq!(take::<String>("x"), "1");
    }

    #[test]
    fn a_value_is_never_read_as_another_type() {
        keep("n", 7_u32);
        assert!(std::panic::catch_unwind(|| take::<i32>("n")).is_err());
        assert_eq!(take::<u32>("n"), 7);
    }

    #[test]
    fn a_rehomed_type_reads_the_same_bytes() {
        mod old {
            #[allow(dead_code)] // read as the other Movie
            pub(super) struct Movie(pub(super) String);
        }
        struct Movie(String);
        keep("m", old::Movie("Metropolis".into()));
        // SAFETY: both structs have the same definition.
        let movie: Movie = unsafe { take_rehomed("m") };
        assert_eq!(movie.0, "Metropolis");
        give("m", movie);
        assert_eq!(take::<Movie>("m").0, "Metropolis");
    }
}
