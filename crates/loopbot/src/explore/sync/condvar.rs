//! A condition variable for explored programs. Waking without a reason is not explored; time is not modelled.

use std::panic::Location;
use std::sync::{LockResult, Mutex, PoisonError};

use super::mutex::MutexGuard;
use crate::explore::object::{self, Keeps, Object};
use crate::explore::state::{self, Next, Touch};

/// [`std::sync::Condvar`] for explored programs. Use it inside an exploration only.
#[derive(Debug)]
pub struct Condvar {
    object: Object,
    /// The tickets of those who wait, oldest first.
    waiting: Mutex<Vec<usize>>,
}

impl Condvar {
    /// A condition variable that nobody waits for.
    pub fn new() -> Condvar {
        Condvar {
            object: Object::new("Condvar", None, Keeps::Nothing),
            waiting: Mutex::default(),
        }
    }

    /// Unlocks and waits in one step; when notified, locks again.
    ///
    /// # Errors
    /// When a thread panicked while it held the lock.
    ///
    /// # Panics
    /// Outside an exploration.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let place = Location::caller();
        self.object.is_explored();
        // It unlocks too, so it concerns two objects.
        state::point(Next::Step, Touch::Anything);
        let Some(ticket) = state::new_ticket() else {
            panic!(
                "`explore::sync::Condvar` waits only inside a program given to `explore`; outside, use std's"
            );
        };
        self.waiting().push(ticket);
        let mutex = guard.release_silently();
        self.object.did(place, || "wait: unlocks".into());
        state::point(Next::Notified { ticket, place }, Touch::Anything);
        object::take_lock(mutex.object(), true, true, place);
        let result = mutex.guard();
        self.object.did(place, || "notified: locks again".into());
        result
    }

    /// Waits as long as the condition holds.
    ///
    /// # Errors
    /// When a thread panicked while it held the lock.
    #[track_caller]
    pub fn wait_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Wakes the thread that has waited longest.
    #[track_caller]
    pub fn notify_one(&self) {
        self.object.step();
        let mut waiting = self.waiting();
        let woken = if waiting.is_empty() {
            None
        } else {
            Some(waiting.remove(0))
        };
        woken.into_iter().for_each(state::notify_ticket);
        drop(waiting);
        self.object.did(Location::caller(), || match woken {
            Some(_) => "notify_one".into(),
            None => "notify_one: nobody waits".into(),
        });
    }

    /// Wakes all threads that wait.
    #[track_caller]
    pub fn notify_all(&self) {
        self.object.step();
        let woken = std::mem::take(&mut *self.waiting());
        woken.iter().copied().for_each(state::notify_ticket);
        self.object.did(Location::caller(), || {
            format!("notify_all: {} wait", woken.len())
        });
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<usize>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Condvar {
    fn default() -> Condvar {
        Condvar::new()
    }
}
