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
use std::mem::MaybeUninit;
use std::sync::Mutex;

thread_local! {
    static VARIABLES: RefCell<HashMap<String, Slot>> = RefCell::new(HashMap::new());
    /// Names kept since [`settled`] was asked last.
    static KEPT: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Names whose value the running cell has moved away. For all threads, because a cell may do so in a thread of its own.
static MOVED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// A value on the heap, its type erased; `full` is false while a cell has the value, or has moved it away for good.
struct Slot {
    value: *mut u8,
    type_id: TypeId,
    layout: Layout,
    full: bool,
    /// Drops the value if asked to, then frees the memory.
    release: unsafe fn(*mut u8, bool),
}

impl Slot {
    fn new<T: 'static>(value: T) -> Slot {
        Slot {
            value: Box::into_raw(Box::new(MaybeUninit::new(value))).cast(),
            type_id: TypeId::of::<T>(),
            layout: Layout::new::<T>(),
            full: true,
            release: release::<T>,
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // SAFETY: called once, with the memory and the type it was made for.
        unsafe { (self.release)(self.value, self.full) }
    }
}

// Cells are compiled with the generic functions below, so each does little itself: the look-ups are compiled once, here.

/// Keeps `value` under `name`; an earlier variable of that name is dropped.
pub fn keep<T: 'static>(name: &str, value: T) {
    KEPT.with_borrow_mut(|kept| kept.push(name.to_owned()));
    insert(name, Slot::new(value));
}

/// Moves the value of `name` out for the running cell.
///
/// # Panics
/// When there is no such value, or it is of another type; the engine's bookkeeping rules both out.
pub fn take<T: 'static>(name: &str) -> T {
    let place = take_out(name, TypeId::of::<T>(), std::any::type_name::<T>());
    // SAFETY: the slot was full and of type T; it is marked empty, so the value is owned once.
    unsafe { place.cast::<T>().read() }
}

/// Like [`take`], for a variable whose type now lives in a newer cell with an unchanged definition.
///
/// # Safety
/// `T` must have the same definition as the type that the value was kept as, down to every type it contains.
///
/// # Panics
/// When there is no such value, or the layouts differ.
pub unsafe fn take_rehomed<T: 'static>(name: &str) -> T {
    retype(name, TypeId::of::<T>(), Layout::new::<T>(), release::<T>);
    take(name)
}

/// Moves the value of `name` away, for good, at the place where the cell does so; [`give`] then leaves it alone. So a
/// variable is gone only if the cell came to that place.
///
/// # Safety
/// `value` must be the variable that was taken as `name`, and nothing may use it or assign to it afterwards: the
/// engine has compiled the cell with the move itself first, and found nothing that does.
pub unsafe fn moved<T>(name: &str, value: &T) -> T {
    with_moved(|names| names.insert(name.to_owned()));
    // SAFETY: by the caller's promise this is the last use of the value.
    unsafe { std::ptr::read(value) }
}

/// Puts the value of `name` back after the cell, unless the cell has [`moved`] it.
///
/// # Panics
/// When `name` was not taken as a `T`.
pub fn give<T: 'static>(name: &str, value: T) {
    if with_moved(|names| names.remove(name)) {
        // Its owner is another by now.
        std::mem::forget(value);
        return;
    }
    match place_for(name, TypeId::of::<T>()) {
        // SAFETY: the slot was empty and was made for a T; it is marked full.
        Some(place) => unsafe { place.cast::<T>().write(value) },
        None => drop(value),
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

fn insert(name: &str, slot: Slot) {
    let earlier = VARIABLES.with_borrow_mut(|variables| variables.insert(name.to_owned(), slot));
    // Outside the borrow: the value's own `drop` may run anything.
    drop(earlier);
}

fn take_out(name: &str, type_id: TypeId, type_name: &str) -> *mut u8 {
    VARIABLES.with_borrow_mut(|variables| {
        let slot = lookup(variables, name, true);
        assert!(
            slot.type_id == type_id,
            "`{name}` is not of type {type_name}"
        );
        slot.full = false;
        slot.value
    })
}

fn retype(name: &str, type_id: TypeId, layout: Layout, release: unsafe fn(*mut u8, bool)) {
    VARIABLES.with_borrow_mut(|variables| {
        let slot = lookup(variables, name, true);
        assert!(slot.layout == layout, "`{name}` changed its layout");
        // From here on the slot checks and drops as the new type; the memory fits, the layouts are equal.
        slot.type_id = type_id;
        slot.release = release;
    });
}

/// Where the value goes back to; nowhere if the cell itself has kept a new variable of that name (`let x = x + 1;`).
fn place_for(name: &str, type_id: TypeId) -> Option<*mut u8> {
    VARIABLES.with_borrow_mut(|variables| {
        if variables.get(name).is_some_and(|slot| slot.full) {
            return None;
        }
        let slot = lookup(variables, name, false);
        assert!(
            slot.type_id == type_id,
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

/// Frees the memory of a slot; with `full`, drops the value in it first.
///
/// # Safety
/// `value` was boxed as a `MaybeUninit<T>` or a type of the same layout, and holds a valid `T` if `full`.
unsafe fn release<T>(value: *mut u8, full: bool) {
    // SAFETY: by the caller's promise.
    let mut boxed = unsafe { Box::from_raw(value.cast::<MaybeUninit<T>>()) };
    if full {
        // SAFETY: by the caller's promise.
        unsafe { boxed.assume_init_drop() };
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
