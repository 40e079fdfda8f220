//! Keeps the panic hook quiet while a panic is expected and caught. It catches nothing itself.
//!
//! Our hook is in place only while someone asks for quiet; then the hook that was there is put back, because it belongs
//! to the kernel.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

#[derive(Default)]
struct Installed {
    users: usize,
    original: Option<Arc<Hook>>,
}

static INSTALLED: Mutex<Installed> = Mutex::new(Installed {
    users: 0,
    original: None,
});
/// How many ask for quiet on every thread.
static EVERYWHERE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static HERE: Cell<usize> = const { Cell::new(0) };
    static LAST_LINE: RefCell<Option<u32>> = const { RefCell::new(None) };
}

/// Quiet until it is dropped.
pub(crate) struct Quiet {
    everywhere: bool,
}

impl Quiet {
    /// No panic of this thread reaches the hook.
    pub(crate) fn here() -> Quiet {
        HERE.set(HERE.get() + 1);
        Quiet::install(false)
    }

    /// No panic of any thread reaches the hook: for code that may start threads of its own.
    pub(crate) fn everywhere() -> Quiet {
        EVERYWHERE.fetch_add(1, Ordering::SeqCst);
        Quiet::install(true)
    }

    fn install(everywhere: bool) -> Quiet {
        let mut installed = lock();
        installed.users += 1;
        if installed.original.is_none() && !std::thread::panicking() {
            let original: Arc<Hook> = Arc::new(take_hook());
            installed.original = Some(original.clone());
            set_hook(Box::new(move |info| {
                if HERE.get() > 0 || EVERYWHERE.load(Ordering::SeqCst) > 0 {
                    LAST_LINE.set(info.location().map(|location| location.line()));
                } else {
                    original(info);
                }
            }));
        }
        Quiet { everywhere }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if self.everywhere {
            EVERYWHERE.fetch_sub(1, Ordering::SeqCst);
        } else {
            HERE.set(HERE.get().saturating_sub(1));
        }
        let mut installed = lock();
        installed.users -= 1;
        // The hook cannot be changed during a panic; then ours stays, passes on, and the next user reuses it.
        if installed.users == 0
            && !std::thread::panicking()
            && let Some(original) = installed.original.take()
        {
            drop(take_hook());
            match Arc::try_unwrap(original) {
                Ok(original) => set_hook(original),
                Err(shared) => set_hook(Box::new(move |info| shared(info))),
            }
        }
    }
}

/// Runs code that sets a hook of its own, then puts the hook back that was there.
pub(crate) fn keeping_the_hook(code: impl FnOnce()) {
    let _one_at_a_time = lock();
    if std::thread::panicking() {
        return;
    }
    let hook = take_hook();
    code();
    drop(take_hook());
    set_hook(hook);
}

/// What a caught panic said, and the line it came from if it was caught under [`Quiet`].
pub(crate) fn describe(payload: Box<dyn std::any::Any + Send>) -> (String, Option<u32>) {
    let message = payload
        .downcast_ref::<&'static str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is no text".into());
    // A payload may panic again when dropped.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    (message, LAST_LINE.take())
}

fn lock() -> MutexGuard<'static, Installed> {
    INSTALLED.lock().unwrap_or_else(PoisonError::into_inner)
}
