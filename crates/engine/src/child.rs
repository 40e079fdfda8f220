//! The process that runs the learner's code: started, spoken to, listened to, ended.
//!
//! It has a process group of its own, its standard input is empty, and its commands come over a socket that is neither
//! standard input nor output. One thread listens to everything it says, so that text, rich output and reports keep the
//! order in which they were made.

use std::ffi::OsString;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};

use loopbot_runtime::host::CHANNEL;
use loopbot_runtime::wire::{Ending, Request};

use crate::EngineError;
use crate::event::Event;
use crate::libraries::Libraries;
use crate::listener::Listener;
use crate::panics::{DrawnPanic, LoadedCells};

/// Receives what happens, from several threads.
pub(crate) type Sink = Arc<dyn Fn(Event) + Send + Sync>;

/// The listener's news for whoever waits for a cell.
#[derive(Debug)]
pub(crate) enum News {
    Panicked(DrawnPanic),
    Ended {
        ending: Ending,
        shown: Option<String>,
    },
    /// The child closed its channel: it has ended, or is about to.
    Gone,
}

/// A running child.
pub(crate) struct Child {
    process: std::process::Child,
    line: Line,
    news: mpsc::Receiver<News>,
}

/// The way to speak to a child from any thread.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    socket: Arc<Mutex<UnixStream>>,
    group: i32,
}

impl Line {
    /// Sends a request; a child that is gone does not mind.
    pub(crate) fn send(&self, request: &Request) {
        if let Ok(mut socket) = self.socket.lock() {
            let _ = request.send(&mut *socket);
        }
    }

    /// Ends the child and whatever it started, at once.
    pub(crate) fn kill(&self) {
        // SAFETY: a signal to the group of a child that its owner has not waited for yet.
        unsafe { libc::kill(-self.group, libc::SIGKILL) };
    }
}

impl Child {
    pub(crate) fn start(
        libraries: &Libraries,
        working_dir: &Path,
        sink: Sink,
        cells: LoadedCells,
    ) -> Result<Child, EngineError> {
        let (ours, theirs) = UnixStream::pair().map_err(EngineError::Child)?;
        let their_end = theirs.as_raw_fd();
        let mut command = Command::new(libraries.host());
        command
            .current_dir(working_dir)
            .env(LIBRARY_PATH, library_path(libraries))
            .env("EVCXR_IS_RUNTIME", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        // SAFETY: only async-signal-safe calls between fork and exec.
        unsafe {
            command.pre_exec(move || {
                if their_end == CHANNEL {
                    libc::fcntl(CHANNEL, libc::F_SETFD, 0);
                } else if libc::dup2(their_end, CHANNEL) < 0 {
                    return Err(std::io::Error::last_os_error());
                }
                Ok(())
            });
        }
        let mut process = command.spawn().map_err(EngineError::Child)?;
        drop(theirs);
        let (Some(stdout), Some(stderr)) = (process.stdout.take(), process.stderr.take()) else {
            return Err(EngineError::Child(std::io::ErrorKind::BrokenPipe.into()));
        };
        let (to_engine, news) = mpsc::channel();
        let listener = ours.try_clone().map_err(EngineError::Child)?;
        std::thread::Builder::new()
            .name("child output".into())
            .spawn(move || Listener::new(listener, stdout, stderr, sink, cells, to_engine).listen())
            .map_err(EngineError::Child)?;
        let line = Line {
            socket: Arc::new(Mutex::new(ours)),
            group: process.id() as i32,
        };
        Ok(Child {
            process,
            line,
            news,
        })
    }

    pub(crate) fn line(&self) -> &Line {
        &self.line
    }

    pub(crate) fn news(&self) -> &mpsc::Receiver<News> {
        &self.news
    }

    /// Waits for a child that is ending, and says how it did.
    pub(crate) fn wait(&mut self) -> Option<ExitStatus> {
        self.process.wait().ok()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.line.kill();
        let _ = self.process.wait();
    }
}

/// How a process ended, in words.
pub(crate) fn in_words(status: Option<ExitStatus>) -> String {
    match status.map(|status| (status.signal(), status.code())) {
        Some((Some(libc::SIGSEGV), _)) => {
            "an invalid memory access (segmentation fault), or a stack that grew too deep".into()
        }
        Some((Some(libc::SIGABRT), _)) => {
            "an abort: a panic while panicking, a stack overflow, or std::process::abort".into()
        }
        Some((Some(libc::SIGKILL), _)) => "it was killed".into(),
        Some((Some(libc::SIGBUS), _)) => "an invalid memory access (bus error)".into(),
        Some((Some(libc::SIGILL), _)) => "an illegal instruction".into(),
        Some((Some(signal), _)) => format!("signal {signal}"),
        Some((None, Some(code))) => format!("the code asked for it, with exit status {code}"),
        _ => "unknown reason".into(),
    }
}

#[cfg(target_os = "macos")]
const LIBRARY_PATH: &str = "DYLD_LIBRARY_PATH";
#[cfg(not(target_os = "macos"))]
const LIBRARY_PATH: &str = "LD_LIBRARY_PATH";

fn library_path(libraries: &Libraries) -> OsString {
    let inherited = std::env::var_os(LIBRARY_PATH).unwrap_or_default();
    let folders = libraries
        .library_path()
        .into_iter()
        .chain(std::env::split_paths(&inherited));
    std::env::join_paths(folders.filter(|folder| !folder.as_os_str().is_empty()))
        .unwrap_or(inherited)
}
