//! The main loop of the child process: requests in, cells run, reports out.
//!
//! The main thread runs every cell, one after the other, so thread-locals keep their values. A second thread reads the
//! requests, so that an interrupt arrives while a cell runs, and ends the process when the engine is gone.

use std::ffi::{CString, c_void};
use std::fs::File;
use std::io::BufReader;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::{Mutex, OnceLock, mpsc};

use crate::run::{ENDING, stage};
use crate::show::SHOWN;
use crate::wire::{Ending, Report, Request};
use crate::{prelude, variables};

/// The descriptor on which the engine hands the child its end of the socket.
pub const CHANNEL: i32 = 3;

static REPORTS: OnceLock<Mutex<File>> = OnceLock::new();

/// Runs the child until the engine closes the channel. Called by the generated `main`.
pub fn main() {
    // SAFETY: the engine opened this descriptor for us and nobody else has taken it yet.
    let channel = unsafe { OwnedFd::from_raw_fd(CHANNEL) };
    // SAFETY: a plain flag on a descriptor we own. Programs that the learner starts must not hold the channel open.
    unsafe { libc::fcntl(channel.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) };
    let requests = File::from(channel);
    let Ok(reports) = requests.try_clone() else {
        return;
    };
    let _ = REPORTS.set(Mutex::new(reports));
    report_panics();
    let (to_main, jobs) = mpsc::channel();
    std::thread::Builder::new()
        .name("requests".into())
        .spawn(move || read_requests(requests, &to_main))
        .map(drop)
        .unwrap_or_else(|_| std::process::exit(1));
    report(&Report::Ready);
    stage();
    for job in jobs {
        match job {
            Request::Run { library, entry } => run_cell(&library, &entry),
            Request::Forget { names } => variables::forget(names.iter().map(String::as_str)),
            Request::Cancel => {}
        }
    }
}

fn read_requests(requests: File, to_main: &mpsc::Sender<Request>) {
    let mut requests = BufReader::new(requests);
    loop {
        match Request::receive(&mut requests) {
            Ok(Request::Cancel) => {
                if let Ok(cancel) = stage().cancel.lock() {
                    cancel.notify_one();
                }
            }
            Ok(request) => {
                if to_main.send(request).is_err() {
                    return;
                }
            }
            // The engine is gone: nobody is left to show anything to. Not `exit`, which would run the learner's
            // destructors beside threads that still run.
            // SAFETY: ends the process at once.
            Err(_) => unsafe { libc::_exit(0) },
        }
    }
}

fn run_cell(library: &str, entry: &str) {
    if let Ok(mut cancel) = stage().cancel.lock() {
        *cancel = Default::default();
    }
    SHOWN.set(None);
    ENDING.set(None);
    let ending = match load(library, entry) {
        Ok(function) => {
            function();
            ENDING.take().unwrap_or(Ending::Finished)
        }
        Err(reason) => Ending::NotLoaded(reason),
    };
    prelude::flush();
    report(&Report::Ended {
        ending,
        shown: SHOWN.take(),
    });
}

/// Loads a compiled cell (once; the system keeps count) and finds its entry. Cells are never unloaded: later cells,
/// threads and values refer to them.
fn load(library: &str, entry: &str) -> Result<fn(), String> {
    let path = CString::new(library).map_err(|error| error.to_string())?;
    let name = CString::new(entry).map_err(|error| error.to_string())?;
    // SAFETY: the library is a cell compiled by this engine against this very runtime; it has no start-up code.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if handle.is_null() {
        return Err(loader_error());
    }
    // SAFETY: a live handle and a terminated name.
    let symbol = unsafe { libc::dlsym(handle, name.as_ptr()) };
    if symbol.is_null() {
        return Err(loader_error());
    }
    // SAFETY: the engine generates the entry with this very signature, with the same compiler.
    Ok(unsafe { std::mem::transmute::<*mut c_void, fn()>(symbol) })
}

fn loader_error() -> String {
    // SAFETY: the text, if any, stays valid until the next dl call of this thread.
    let text = unsafe { libc::dlerror() };
    if text.is_null() {
        return "unknown error of the loader".into();
    }
    // SAFETY: as above; a terminated string.
    unsafe { std::ffi::CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

/// Replaces std's message on standard error: the engine knows the learner's lines and words the message itself.
fn report_panics() {
    let cell_thread = std::thread::current().id();
    std::panic::set_hook(Box::new(move |panic| {
        let thread = std::thread::current();
        let message = panic
            .payload_as_str()
            .unwrap_or("a panic without a text")
            .to_owned();
        let (file, line, column) = panic.location().map_or_else(Default::default, |at| {
            (at.file().to_owned(), at.line(), at.column())
        });
        let on_cell_thread = thread.id() == cell_thread;
        if on_cell_thread {
            // Another thread must not wait here for a lock on the output that the learner's code may hold.
            prelude::flush();
        }
        report(&Report::Panicked {
            on_cell_thread,
            thread: thread.name().unwrap_or_default().to_owned(),
            file,
            line,
            column,
            message,
        });
    }));
}

fn report(report: &Report) {
    if let Some(Ok(mut channel)) = REPORTS.get().map(Mutex::lock) {
        // When the engine is gone, the reading thread ends the process.
        let _ = report.send(&mut *channel);
    }
}
