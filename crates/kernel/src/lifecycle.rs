//! How a kernel learns from the operating system that it should interrupt or end: signals, and a parent that is gone.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::KernelError;

/// How often to look whether the parent still lives.
const PARENT_CHECK: Duration = Duration::from_secs(1);

/// SIGINT and SIGTERM, from the moment of [`Signals::listen`] on.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Takes both signals over for the whole process.
    pub(crate) fn listen() -> Result<Signals, KernelError> {
        let listen = |kind| signal(kind).map_err(KernelError::Signals);
        Ok(Signals {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Calls `on_interrupt` for every SIGINT; returns on SIGTERM.
    pub(crate) async fn watch(mut self, on_interrupt: impl Fn()) {
        loop {
            tokio::select! {
                Some(()) = self.interrupt.recv() => on_interrupt(),
                Some(()) = self.terminate.recv() => return,
                else => std::future::pending().await,
            }
        }
    }
}

/// Returns when the process that started this kernel is gone. Without `JPY_PARENT_PID`, which Jupyter sets, it never
/// does: such a kernel was started by hand and is ended by hand.
pub(crate) async fn orphaned() {
    let parent = std::env::var("JPY_PARENT_PID")
        .ok()
        .and_then(|text| text.parse().ok())
        .filter(|&pid: &i32| pid > 1);
    let Some(parent) = parent else {
        return std::future::pending().await;
    };
    // Our direct parent normally; somebody else's child when a wrapper script stands between.
    let direct = parent_id() == parent;
    loop {
        if (direct && parent_id() != parent) || !is_alive(parent) {
            return;
        }
        tokio::time::sleep(PARENT_CHECK).await;
    }
}

fn parent_id() -> i32 {
    i32::try_from(std::os::unix::process::parent_id()).unwrap_or(0)
}

fn is_alive(pid: i32) -> bool {
    // SAFETY: signal 0 is never delivered; the call only says whether the process exists.
    let answer = unsafe { libc::kill(pid, 0) };
    // A process that exists but belongs to another user answers EPERM.
    answer == 0 || std::io::Error::last_os_error().raw_os_error() != Some(libc::ESRCH)
}
