//! `std::sync` for explored programs: the same names and types, each operation a step that the search can put in any
//! place. Outside an exploration they behave like std's.
//!
//! Not here, because no lesson needs them: `Barrier`, `Once`, `LazyLock`. `Arc` is std's own: counting references is no
//! step.

pub mod atomic;
mod condvar;
pub mod mpsc;
mod mutex;
mod rwlock;

pub use condvar::Condvar;
pub use mutex::{Mutex, MutexGuard};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use std::sync::{Arc, LockResult, PoisonError, TryLockError, TryLockResult, Weak};
