//! `std::thread` for explored programs: the same names, but the search decides whose turn it is. Time is not modelled.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use std::thread::{Result, panicking};

use super::schedule::EventKind;
use super::state::{self, Next, Place, Touch};
use crate::quiet;

type Slot<T> = Arc<Mutex<Option<Result<T>>>>;

/// Starts a thread, as [`std::thread::spawn`] does. Outside an exploration it panics.
#[track_caller]
pub fn spawn<F, T>(body: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    start(None, body)
}

/// Starts a thread that pictures call by this name.
#[track_caller]
pub fn spawn_named<F, T>(name: &str, body: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    start(Some(name.to_owned()), body)
}

#[track_caller]
fn start<F, T>(name: Option<String>, body: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let (number, name) = state::new_thread(name).unwrap_or_else(outside);
    let slot: Slot<T> = Arc::default();
    let result = slot.clone();
    shuttle::thread::spawn(move || run(&result, body));
    JoinHandle { number, name, slot }
}

fn outside<T>() -> T {
    panic!(
        "`explore::thread` starts threads only inside a program given to `explore`; outside, use `std::thread`"
    )
}

/// Runs the body of a thread. A panic is its result, as in std, and ends no other thread.
fn run<T>(slot: &Slot<T>, body: impl FnOnce() -> T) {
    let result = catch_unwind(AssertUnwindSafe(body));
    let result = match result {
        // Not a panic: the execution is over and this stack is being cleared.
        Err(payload) if state::is_over() => resume_unwind(payload),
        Err(payload) => {
            let (message, line) = quiet::describe(payload);
            note_panic(&message, line);
            Err(Box::new(message) as Box<dyn std::any::Any + Send>)
        }
        Ok(value) => Ok(value),
    };
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    state::thread_finished();
}

/// Runs the closure of the program itself.
pub(super) fn run_main<T: 'static>(program: &impl Fn() -> T) {
    let result = match catch_unwind(AssertUnwindSafe(program)) {
        Err(payload) if state::is_over() => resume_unwind(payload),
        Err(payload) => {
            let (message, line) = quiet::describe(payload);
            note_panic(&message, line);
            Err(match line {
                Some(line) => format!("{message} (line {line})"),
                None => message,
            })
        }
        Ok(value) => Ok(Box::new(value) as Box<dyn std::any::Any>),
    };
    state::with(|execution| execution.result = Some(result));
    state::thread_finished();
}

fn note_panic(message: &str, line: Option<u32>) {
    state::record_at(line.unwrap_or(0), None, EventKind::Panic, || {
        format!("panics: {message}")
    });
}

/// The right to wait for a thread's end, as [`std::thread::JoinHandle`].
#[derive(Debug)]
pub struct JoinHandle<T> {
    number: usize,
    name: String,
    slot: Slot<T>,
}

impl<T> JoinHandle<T> {
    /// Waits until the thread has ended and returns its value, or its panic message (a `String`) as the error.
    ///
    /// # Errors
    /// When the thread panicked.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        join(self.number, &self.slot, Location::caller())
    }

    /// Whether the thread has ended; asking is a step.
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        state::point(Next::Step, Touch::Anything);
        let finished = self
            .slot
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some();
        let text = || format!("`{}` finished? {finished}", self.name);
        state::record(Location::caller(), None, EventKind::Step, text);
        finished
    }
}

fn join<T>(number: usize, slot: &Slot<T>, place: Place) -> Result<T> {
    state::point(
        Next::Join {
            threads: vec![number],
            place,
        },
        Touch::Anything,
    );
    let result = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    result.unwrap_or_else(|| Err(Box::new("the thread was stopped before its end".to_owned())))
}

/// Names a thread before it starts, as [`std::thread::Builder`].
#[derive(Debug, Default)]
pub struct Builder {
    name: Option<String>,
}

impl Builder {
    /// A thread without a name.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// The thread's name.
    #[must_use]
    pub fn name(mut self, name: String) -> Builder {
        self.name = Some(name);
        self
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// Never; the type is that of std.
    #[track_caller]
    pub fn spawn<F, T>(self, body: F) -> std::io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Ok(start(self.name, body))
    }
}

/// Threads that may borrow from the function that starts them, as [`std::thread::scope`]. The closure receives the scope
/// by value; it can be copied into the threads.
///
/// # Panics
/// When a thread that nobody joined panicked, as std does.
#[track_caller]
pub fn scope<'env, F, T>(body: F) -> T
where
    F: for<'scope> FnOnce(Scope<'scope, 'env>) -> T,
{
    let place = Location::caller();
    let number = state::new_scope().unwrap_or_else(outside);
    let value = shuttle::thread::scope(|scope| {
        // A panic must not leave before the threads that borrow from this stack have ended.
        let value = catch_unwind(AssertUnwindSafe(|| body(Scope { scope, number })));
        state::point(
            Next::Join {
                threads: state::scope_threads(number),
                place,
            },
            Touch::Anything,
        );
        value
    });
    match value {
        Err(payload) => resume_unwind(payload),
        Ok(_) if state::scope_panicked(number) => panic!("a scoped thread panicked"),
        Ok(value) => value,
    }
}

/// Where scoped threads are started.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'scope, 'env: 'scope> {
    scope: &'scope shuttle::thread::Scope<'scope, 'env>,
    number: usize,
}

impl<'scope> Scope<'scope, '_> {
    /// Starts a thread that may borrow what outlives the scope.
    #[track_caller]
    pub fn spawn<F, T>(&self, body: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        self.start(None, body)
    }

    /// Starts a thread that pictures call by this name.
    #[track_caller]
    pub fn spawn_named<F, T>(&self, name: &str, body: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        self.start(Some(name.to_owned()), body)
    }

    #[track_caller]
    fn start<F, T>(&self, name: Option<String>, body: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let (number, _) = state::new_thread(name).unwrap_or_else(outside);
        state::add_to_scope(self.number, number);
        let slot: Slot<T> = Arc::default();
        let result = slot.clone();
        let scope = self.number;
        self.scope.spawn(move || {
            run(&result, body);
            if matches!(
                *result.lock().unwrap_or_else(PoisonError::into_inner),
                Some(Err(_))
            ) {
                state::set_scope_panicked(scope, number, true);
            }
        });
        ScopedJoinHandle {
            number,
            scope,
            slot,
            life: PhantomData,
        }
    }
}

/// The right to wait for a scoped thread's end, as [`std::thread::ScopedJoinHandle`].
#[derive(Debug)]
pub struct ScopedJoinHandle<'scope, T> {
    number: usize,
    scope: usize,
    slot: Slot<T>,
    life: PhantomData<&'scope ()>,
}

impl<T> ScopedJoinHandle<'_, T> {
    /// Waits until the thread has ended and returns its value, or its panic message (a `String`) as the error.
    ///
    /// # Errors
    /// When the thread panicked.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        let result = join(self.number, &self.slot, Location::caller());
        state::set_scope_panicked(self.scope, self.number, false);
        result
    }
}

/// Gives way: this thread goes on when another one has made a step, or when no other can. Put it into loops that wait.
#[track_caller]
pub fn yield_now() {
    state::give_way(Location::caller(), "gives way");
}

/// A step that does nothing: time is not modelled, so any other thread may do any number of steps meanwhile.
#[track_caller]
pub fn sleep(_time: Duration) {
    state::point(Next::Step, Touch::Anything);
    state::record(Location::caller(), None, EventKind::Step, || {
        "sleeps (for any time)".into()
    });
}
