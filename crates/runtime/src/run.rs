//! Running the learner's part of a cell: panics are caught, `?` may end it early, an interrupt may cancel it.
//!
//! [`run`] serves cells without a top-level `.await`; they run outside any `block_on`, so that a lesson may build a
//! runtime of its own, but inside the entered runtime, so that `tokio::spawn` works. [`run_async`] serves the others.

use std::cell::RefCell;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};

use crate::wire::Ending;

/// The one Tokio runtime of this process, and how the running cell is cancelled.
pub(crate) struct Stage {
    pub(crate) runtime: tokio::runtime::Runtime,
    /// Notified when the learner interrupts; replaced for each cell, so that a late interrupt hits no later cell.
    pub(crate) cancel: Mutex<Arc<tokio::sync::Notify>>,
}

static STAGE: OnceLock<Stage> = OnceLock::new();

thread_local! {
    /// How the cell that runs on this thread ended; read by the host.
    pub(crate) static ENDING: RefCell<Option<Ending>> = const { RefCell::new(None) };
}

/// The stage, set up at the first call.
pub(crate) fn stage() -> &'static Stage {
    STAGE.get_or_init(|| Stage {
        runtime: tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap_or_else(|error| panic!("the Tokio runtime cannot start: {error}")),
        cancel: Mutex::default(),
    })
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
    let _entered = stage().runtime.enter();
    catch_unwind(AssertUnwindSafe(body))
}

fn run_future(
    body: Pin<Box<dyn Future<Output = Ending> + '_>>,
) -> (std::thread::Result<()>, Ending) {
    let cancel = stage()
        .cancel
        .lock()
        .map(|current| current.clone())
        .unwrap_or_default();
    let mut ending = Ending::Cancelled;
    let ended = catch_unwind(AssertUnwindSafe(|| {
        stage().runtime.block_on(async {
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

impl<E: Debug + 'static> From<E> for CellError {
    fn from(error: E) -> CellError {
        CellError(words(&error).unwrap_or_else(|| format!("{error:?}")))
    }
}

/// The `Display` text of the errors one meets most; others show their `Debug` form. (Stable Rust cannot ask whether a
/// generic type has `Display`.)
fn words(error: &dyn std::any::Any) -> Option<String> {
    macro_rules! first_of {
        ($($kind:ty),* $(,)?) => {
            $(if let Some(error) = error.downcast_ref::<$kind>() { return Some(error.to_string()); })*
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
    None
}
