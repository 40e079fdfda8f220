//! The clocks a timeline reads: its own, the CPU's and the thread's name. Records nothing.

use std::cell::Cell;
use std::time::Duration;

/// A moment on the timeline's clock. Tokio's `Instant` is the real clock everywhere but inside a runtime whose clock is
/// paused; there it is virtual.
pub(crate) type Moment = tokio::time::Instant;

thread_local! {
    static VIRTUAL: Cell<bool> = const { Cell::new(false) };
}

/// Marks this thread as one whose runtime has a paused clock; `virtual_time` and the threads started in it do so.
pub(crate) fn this_thread_is_virtual() {
    VIRTUAL.set(true);
}

pub(crate) fn is_virtual() -> bool {
    VIRTUAL.get()
}

/// CPU time of the calling thread; `None` where the system does not tell.
#[cfg(unix)]
pub(crate) fn thread_cpu() -> Option<Duration> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call only writes to the struct it is given.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let nanos = u32::try_from(time.tv_nsec).ok()?;
    (status == 0).then(|| Duration::new(seconds, nanos))
}

/// CPU time of the calling thread; `None` where the system does not tell.
#[cfg(not(unix))]
pub(crate) fn thread_cpu() -> Option<Duration> {
    None
}

/// The name of the calling thread, `""` if it has none; threads of Tokio's pool are called `worker`.
pub(crate) fn thread_name() -> String {
    let thread = std::thread::current();
    match thread.name() {
        Some(name) if name.starts_with("tokio-r") => "worker".into(),
        Some(name) => name.into(),
        None => String::new(),
    }
}
