//! A mutex whose locking and unlocking are steps. Poisoning is std's: a std mutex is inside.

use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

use crate::explore::object::{self, Keeps, Object};
use crate::explore::schedule::EventKind;
use crate::explore::state::{self};

/// [`std::sync::Mutex`] for explored programs. Locking twice from one thread is found as a deadlock, not waited for.
pub struct Mutex<T: ?Sized> {
    object: Object,
    inner: std::sync::Mutex<T>,
}

impl<T> Mutex<T> {
    /// A mutex around this value.
    pub fn new(value: T) -> Mutex<T> {
        Mutex {
            object: Object::new("Mutex", None, Keeps::Lock),
            inner: std::sync::Mutex::new(value),
        }
    }

    /// A mutex that pictures and deadlock messages call by this name.
    pub fn named(name: &str, value: T) -> Mutex<T> {
        Mutex {
            object: Object::new("Mutex", Some(name), Keeps::Lock),
            inner: std::sync::Mutex::new(value),
        }
    }

    /// The value, when no other thread can have it.
    ///
    /// # Errors
    /// When a thread panicked while it held the lock.
    pub fn into_inner(self) -> LockResult<T> {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until no other thread holds the lock and takes it.
    ///
    /// # Errors
    /// When a thread panicked while it held the lock.
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let place = Location::caller();
        object::take_lock(&self.object, true, true, place);
        let result = self.guard();
        self.object.did(place, || match result {
            Ok(_) => "lock".into(),
            Err(_) => "lock → poisoned".into(),
        });
        result
    }

    /// Takes the lock if no thread holds it.
    ///
    /// # Errors
    /// When it is held, or a thread panicked while it held it.
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let place = Location::caller();
        if !object::take_lock(&self.object, true, false, place) {
            self.object.did(place, || "try_lock → it is held".into());
            return Err(TryLockError::WouldBlock);
        }
        self.object.did(place, || "try_lock → taken".into());
        if !self.object.is_explored() {
            let guard = self.inner.try_lock();
            return match guard {
                Ok(inner) => Ok(MutexGuard::new(self, inner)),
                Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
                Err(TryLockError::Poisoned(error)) => {
                    Err(PoisonError::new(MutexGuard::new(self, error.into_inner())).into())
                }
            };
        }
        Ok(self.guard()?)
    }

    /// The inner lock, which the books of the execution say is free.
    pub(super) fn guard(&self) -> LockResult<MutexGuard<'_, T>> {
        match self.inner.lock() {
            Ok(inner) => Ok(MutexGuard::new(self, inner)),
            Err(error) => Err(PoisonError::new(MutexGuard::new(self, error.into_inner()))),
        }
    }

    pub(super) fn object(&self) -> &Object {
        &self.object
    }

    /// Whether a thread panicked while it held the lock.
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned()
    }

    /// Says that the value is in order again.
    pub fn clear_poison(&self) {
        self.inner.clear_poison();
    }

    /// The value, when no other thread can have it.
    ///
    /// # Errors
    /// When a thread panicked while it held the lock.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

/// The right to use what a [`Mutex`] protects; dropping it unlocks, which is a step.
pub struct MutexGuard<'a, T: ?Sized> {
    pub(super) mutex: &'a Mutex<T>,
    inner: ManuallyDrop<std::sync::MutexGuard<'a, T>>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    fn new(mutex: &'a Mutex<T>, inner: std::sync::MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        MutexGuard {
            mutex,
            inner: ManuallyDrop::new(inner),
        }
    }

    /// Unlocks as part of another step.
    pub(super) fn release_silently(self) -> &'a Mutex<T> {
        let mut this = ManuallyDrop::new(self);
        object::forget_lock(&this.mutex.object);
        // SAFETY: `this` is never used or dropped again, so the guard is dropped once.
        unsafe { ManuallyDrop::drop(&mut this.inner) };
        this.mutex
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        object::release_lock(&self.mutex.object);
        // SAFETY: this is the only place that drops it, but for `release_silently`, which forgets the guard.
        unsafe { ManuallyDrop::drop(&mut self.inner) };
        state::record_at(0, Some(&self.mutex.object), EventKind::Step, || {
            "unlock".into()
        });
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}
