//! A reader-writer lock whose locking and unlocking are steps. Poisoning is std's: a std lock is inside.

use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

use crate::explore::object::{self, Keeps, Object};
use crate::explore::schedule::EventKind;
use crate::explore::state::{self};

/// [`std::sync::RwLock`] for explored programs. A waiting writer does not keep new readers out.
pub struct RwLock<T: ?Sized> {
    object: Object,
    inner: std::sync::RwLock<T>,
}

impl<T> RwLock<T> {
    /// A lock around this value.
    pub fn new(value: T) -> RwLock<T> {
        RwLock {
            object: Object::new("RwLock", None, Keeps::Lock),
            inner: std::sync::RwLock::new(value),
        }
    }

    /// A lock that pictures and deadlock messages call by this name.
    pub fn named(name: &str, value: T) -> RwLock<T> {
        RwLock {
            object: Object::new("RwLock", Some(name), Keeps::Lock),
            inner: std::sync::RwLock::new(value),
        }
    }

    /// The value, when no other thread can have it.
    ///
    /// # Errors
    /// When a thread panicked while it wrote.
    pub fn into_inner(self) -> LockResult<T> {
        self.inner.into_inner()
    }
}

/// The locking methods of one kind of guard.
macro_rules! locking {
    ($lock:ident, $try_lock:ident, $guard:ident, $std:ident, $exclusive:literal, $who:literal) => {
        impl<T: ?Sized> RwLock<T> {
            #[doc = concat!("Waits until ", $who, " holds the lock and takes it.")]
            ///
            /// # Errors
            /// When a thread panicked while it wrote.
            #[track_caller]
            pub fn $lock(&self) -> LockResult<$guard<'_, T>> {
                let place = Location::caller();
                object::take_lock(&self.object, $exclusive, true, place);
                let result = match self.inner.$lock() {
                    Ok(inner) => Ok($guard::new(self, inner)),
                    Err(error) => Err(PoisonError::new($guard::new(self, error.into_inner()))),
                };
                self.object.did(place, || match result {
                    Ok(_) => stringify!($lock).into(),
                    Err(_) => concat!(stringify!($lock), " → poisoned").into(),
                });
                result
            }

            #[doc = concat!("Takes the lock if ", $who, " holds it.")]
            ///
            /// # Errors
            /// When it cannot be taken, or a thread panicked while it wrote.
            #[track_caller]
            pub fn $try_lock(&self) -> TryLockResult<$guard<'_, T>> {
                let place = Location::caller();
                if !object::take_lock(&self.object, $exclusive, false, place) {
                    self.object.did(place, || concat!(stringify!($try_lock), " → it is held").into());
                    return Err(TryLockError::WouldBlock);
                }
                self.object.did(place, || concat!(stringify!($try_lock), " → taken").into());
                match self.inner.$try_lock() {
                    Ok(inner) => Ok($guard::new(self, inner)),
                    Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
                    Err(TryLockError::Poisoned(error)) => {
                        Err(PoisonError::new($guard::new(self, error.into_inner())).into())
                    }
                }
            }
        }

        #[doc = concat!("The right that [`RwLock::", stringify!($lock), "`] gives; dropping it unlocks, which is a step.")]
        pub struct $guard<'a, T: ?Sized> {
            lock: &'a RwLock<T>,
            inner: ManuallyDrop<std::sync::$std<'a, T>>,
        }

        impl<'a, T: ?Sized> $guard<'a, T> {
            fn new(lock: &'a RwLock<T>, inner: std::sync::$std<'a, T>) -> $guard<'a, T> {
                $guard { lock, inner: ManuallyDrop::new(inner) }
            }
        }

        impl<T: ?Sized> Deref for $guard<'_, T> {
            type Target = T;

            fn deref(&self) -> &T {
                &self.inner
            }
        }

        impl<T: ?Sized> Drop for $guard<'_, T> {
            fn drop(&mut self) {
                object::release_lock(&self.lock.object);
                // SAFETY: nothing else drops it.
                unsafe { ManuallyDrop::drop(&mut self.inner) };
                state::record_at(0, Some(&self.lock.object), EventKind::Step, || concat!("unlock (", stringify!($lock), ")").into());
            }
        }

        impl<T: ?Sized + fmt::Debug> fmt::Debug for $guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&**self, f)
            }
        }
    };
}

locking!(
    read,
    try_read,
    RwLockReadGuard,
    RwLockReadGuard,
    false,
    "no writer"
);
locking!(
    write,
    try_write,
    RwLockWriteGuard,
    RwLockWriteGuard,
    true,
    "no other thread"
);

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Whether a thread panicked while it wrote.
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned()
    }

    /// The value, when no other thread can have it.
    ///
    /// # Errors
    /// When a thread panicked while it wrote.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> RwLock<T> {
        RwLock::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}
