//! Running the learner's part of a cell: panics are caught, `?` may end it early, an interrupt may cancel it.
//!
//! [`run`] serves cells without a top-level `.await`; they run outside any `block_on`, so that a lesson may build a
//! runtime of its own, but inside the entered runtime, so that `tokio::spawn` works. [`run_async`] serves the others.

use std::any::TypeId;
use std::cell::{Cell, RefCell};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::os::fd::RawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

use crate::wire::{Ending, Flavour};
use crate::{prelude, system, tasks};

thread_local! {
    /// How the cell that runs on this thread ended; read by the host.
    pub(crate) static ENDING: RefCell<Option<Ending>> = const { RefCell::new(None) };
    /// The one Tokio runtime, on the thread that runs the cells.
    static RUNTIME: RefCell<Option<Rc<Runtime>>> = const { RefCell::new(None) };
    static FLAVOUR: Cell<Flavour> = const { Cell::new(Flavour::MultiThread) };
}

/// Notified when the learner interrupts; new for each cell, so that a late interrupt hits no later cell.
static CANCEL: Mutex<Option<Arc<Notify>>> = Mutex::new(None);

/// The runtime, made at the first call.
fn runtime() -> Rc<Runtime> {
    RUNTIME.with_borrow_mut(|runtime| runtime.get_or_insert_with(|| Rc::new(build())).clone())
}

fn build() -> Runtime {
    let mut builder = match FLAVOUR.get() {
        Flavour::CurrentThread => Builder::new_current_thread(),
        Flavour::MultiThread | Flavour::Workers(_) => Builder::new_multi_thread(),
    };
    if let Flavour::Workers(workers) = FLAVOUR.get() {
        builder.worker_threads(workers.max(1));
    }
    tasks::count(&mut builder);
    builder
        .enable_all()
        .build()
        .unwrap_or_else(|error| panic!("the Tokio runtime cannot start: {error}"))
}

/// The two sockets through which Tokio hears of signals. It makes them once for the process, and no runtime starts
/// without them.
static SIGNAL_PAIR: OnceLock<[RawFd; 2]> = OnceLock::new();

/// Has Tokio make its signal sockets, and notes which they are. Called while nothing else opens descriptors.
pub(crate) fn find_signal_pair() {
    let before = system::descriptors();
    drop(Builder::new_current_thread().enable_all().build());
    let after = system::descriptors().into_iter();
    let new: Vec<RawFd> = after
        .filter(|descriptor| !before.contains(descriptor))
        .collect();
    if let [one, other] = new[..] {
        let _ = SIGNAL_PAIR.set([one, other]);
    }
}

/// Lets go of all descriptors that someone could be waiting for; Tokio stays able to start a runtime.
pub(crate) fn give_up_descriptors() {
    system::give_up_descriptors(SIGNAL_PAIR.get().copied());
}

/// Has a fresh runtime from now on; the earlier one is handed to `dispose`.
pub(crate) fn renew(dispose: impl FnOnce(Rc<Runtime>)) {
    if let Some(earlier) = RUNTIME.take() {
        dispose(earlier);
    }
    tasks::forget();
    runtime();
}

/// Runs a task to see that the runtime works.
pub(crate) fn try_out() {
    let _ = runtime().block_on(async { tokio::spawn(async {}).await });
}

/// Has a fresh runtime of this flavour; tasks of the earlier one are stopped.
pub(crate) fn set_flavour(flavour: Flavour) {
    FLAVOUR.set(flavour);
    renew(|earlier| {
        if let Ok(earlier) = Rc::try_unwrap(earlier) {
            // Without waiting for blocking work that may never end.
            earlier.shutdown_background();
        }
    });
}

/// Cancels the `.await` that the running cell is waiting in, or stops it where it prints next.
pub(crate) fn cancel() {
    prelude::interrupt();
    if let Some(cancel) = &*hold_cancel() {
        cancel.notify_one();
    }
}

/// Listens for interrupts of the cell that begins, and forgets those that came too late for earlier ones.
pub(crate) fn expect_cancel() {
    prelude::begin_cell();
    *hold_cancel() = Some(Arc::default());
}

/// Keeps interrupts from being delivered until the guard is dropped.
pub(crate) fn hold_cancel() -> MutexGuard<'static, Option<Arc<Notify>>> {
    CANCEL.lock().unwrap_or_else(PoisonError::into_inner)
}

// Every cell is compiled with these two, so they hand over to code that is compiled once, here: a generic `block_on`
// alone would cost each awaiting cell a tenth of a second.

/// Runs a cell body that has no top-level `.await`.
pub fn run<R: CellResult>(body: impl FnOnce() -> R) {
    let (mut body, mut ending) = (Some(body), Ending::Finished);
    let ended = run_erased(&mut || {
        if let Some(body) = body.take() {
            ending = body().ending();
        }
    });
    finish(ended, ending);
}

/// Runs a cell body that awaits.
pub fn run_async<R: CellResult>(body: impl Future<Output = R>) {
    let (ended, ending) = run_future(Box::pin(async { body.await.ending() }));
    finish(ended, ending);
}

fn run_erased(body: &mut dyn FnMut()) -> std::thread::Result<()> {
    let runtime = runtime();
    let _entered = runtime.enter();
    catch_unwind(AssertUnwindSafe(body))
}

fn run_future(
    body: Pin<Box<dyn Future<Output = Ending> + '_>>,
) -> (std::thread::Result<()>, Ending) {
    let cancel = hold_cancel().get_or_insert_default().clone();
    let mut ending = Ending::Cancelled;
    let ended = catch_unwind(AssertUnwindSafe(|| {
        runtime().block_on(async {
            tokio::select! {
                biased;
                () = cancel.notified() => {}
                ended = body => ending = ended,
            }
        });
    }));
    (ended, ending)
}

fn finish(ended: std::thread::Result<()>, ending: Ending) {
    ENDING.set(Some(match ended {
        Ok(()) => ending,
        Err(payload) if payload.is::<prelude::Interrupted>() => Ending::Cancelled,
        Err(payload) => {
            // The hook has reported the panic. A payload may panic again when dropped; the process must outlive that.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
            Ending::Panicked
        }
    }));
}

/// What a cell body may return: nothing, or a `Result` when it uses `?`.
pub trait CellResult {
    #[doc(hidden)]
    fn ending(self) -> Ending;
}

impl CellResult for () {
    fn ending(self) -> Ending {
        Ending::Finished
    }
}

impl CellResult for Result<(), CellError> {
    fn ending(self) -> Ending {
        match self {
            Ok(()) => Ending::Finished,
            Err(CellError(text)) => Ending::ReturnedError(text),
        }
    }
}

/// An error that a top-level `?` returned, already put in words. Any error that can be shown for debugging converts
/// into it; for that reason it has no `Debug` of its own.
pub struct CellError(String);

impl<E: Debug> From<E> for CellError {
    fn from(error: E) -> CellError {
        // SAFETY: the pointer is to an error of this type.
        CellError(unsafe { words(id_of::<E>(), &raw const error as *const (), &error) })
    }
}

/// The id of a type whose lifetimes, if it has any, are taken for `'static`. An error may well borrow: that of
/// `mutex.lock()?` holds the guard.
fn id_of<E>() -> TypeId {
    trait Identified {
        fn id(&self) -> TypeId
        where
            Self: 'static;
    }
    impl<T> Identified for PhantomData<T> {
        fn id(&self) -> TypeId
        where
            Self: 'static,
        {
            TypeId::of::<T>()
        }
    }
    let marker: &dyn Identified = &PhantomData::<E>;
    // SAFETY: the marker holds nothing that could end, and the method reads nothing of it.
    unsafe { std::mem::transmute::<&dyn Identified, &(dyn Identified + 'static)>(marker) }.id()
}

/// The `Display` text of the errors one meets most; others show their `Debug` form. (Stable Rust cannot ask whether a
/// generic type has `Display`.) Not generic: compiled once, here, not in every cell with a `?`.
///
/// # Safety
/// `error` must point to a value of the type that `id` stands for, but for lifetimes.
unsafe fn words(id: TypeId, error: *const (), debug: &dyn Debug) -> String {
    macro_rules! first_of {
        ($($kind:ty),* $(,)?) => {
            $(if id == TypeId::of::<$kind>() {
                // SAFETY: by the caller's promise; nothing of the error is kept.
                return unsafe { &*error.cast::<$kind>() }.to_string();
            })*
        };
    }
    first_of!(
        String,
        &'static str,
        Box<dyn std::error::Error>,
        Box<dyn std::error::Error + Send>,
        Box<dyn std::error::Error + Send + Sync>,
        std::io::Error,
        std::fmt::Error,
        std::num::ParseIntError,
        std::num::ParseFloatError,
        std::num::TryFromIntError,
        std::str::ParseBoolError,
        std::str::Utf8Error,
        std::string::FromUtf8Error,
        std::env::VarError,
        std::time::SystemTimeError,
        std::sync::mpsc::RecvError,
        std::sync::mpsc::TryRecvError,
        std::sync::mpsc::RecvTimeoutError,
        tokio::task::JoinError,
        tokio::time::error::Elapsed,
        tokio::sync::AcquireError,
        tokio::sync::TryLockError,
        tokio::sync::oneshot::error::RecvError,
        tokio::sync::mpsc::error::TryRecvError,
        tokio::sync::broadcast::error::RecvError,
    );
    format!("{debug:?}")
}
