//! Which Tokio tasks are alive, by the line that spawned them.
//!
//! Counted by hooks of the runtime, two atomic additions a task; the hooks exist only where Tokio is compiled with
//! `--cfg tokio_unstable`, as the lesson libraries are. Elsewhere there is nothing to tell.

use std::collections::HashMap;
use std::panic::Location;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use crate::wire::TaskPlace;

/// By the address of the place: each call of `spawn` has one for good, because cells are never unloaded.
type Places = HashMap<usize, (&'static Location<'static>, AtomicUsize)>;

static PLACES: RwLock<Option<Places>> = RwLock::new(None);

/// Has a runtime that is being built count its tasks.
pub(crate) fn count(runtime: &mut tokio::runtime::Builder) {
    #[cfg(tokio_unstable)]
    runtime
        .on_task_spawn(|task| born(task.spawned_at()))
        .on_task_terminate(|task| ended(task.spawned_at()));
    #[cfg(not(tokio_unstable))]
    let _ = (runtime, born as fn(_), ended as fn(_));
}

fn born(place: &'static Location<'static>) {
    let key = std::ptr::from_ref(place).addr();
    if let Ok(places) = PLACES.read()
        && let Some((_, alive)) = places.as_ref().and_then(|places| places.get(&key))
    {
        alive.fetch_add(1, Ordering::Relaxed);
        return;
    }
    hold()
        .get_or_insert_default()
        .entry(key)
        .or_insert((place, AtomicUsize::new(0)))
        .1
        .fetch_add(1, Ordering::Relaxed);
}

fn ended(place: &'static Location<'static>) {
    let key = std::ptr::from_ref(place).addr();
    if let Ok(places) = PLACES.read()
        && let Some((_, alive)) = places.as_ref().and_then(|places| places.get(&key))
    {
        // A task of a runtime that was left behind may end late, after the counts were set back.
        let _ = alive.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |alive| {
            alive.checked_sub(1)
        });
    }
}

/// The tasks that are alive.
pub(crate) fn alive() -> Vec<TaskPlace> {
    let places = PLACES.read().unwrap_or_else(PoisonError::into_inner);
    let mut alive: Vec<TaskPlace> = places
        .iter()
        .flat_map(HashMap::values)
        .map(|(place, alive)| TaskPlace {
            file: place.file().to_owned(),
            line: place.line(),
            alive: alive.load(Ordering::Relaxed),
        })
        .filter(|place| place.alive > 0)
        .collect();
    alive.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    alive
}

/// Forgets all counts: the tasks are gone with their runtime.
pub(crate) fn forget() {
    *hold() = None;
}

/// Keeps the counts as they are until the guard is dropped.
pub(crate) fn hold() -> RwLockWriteGuard<'static, Option<Places>> {
    PLACES.write().unwrap_or_else(PoisonError::into_inner)
}
