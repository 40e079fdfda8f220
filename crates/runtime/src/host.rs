//! The main loop of a runner: requests in, cells run, reports out.
//!
//! The main thread runs every cell, one after the other, so thread-locals keep their values. A second thread reads the
//! requests, so that an interrupt arrives while a cell runs, and ends the process when the engine is gone.

use std::fs::File;
use std::io::BufReader;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};

use crate::run::ENDING;
use crate::show::SHOWN;
use crate::wire::{Ending, Report, Request, Role};
use crate::{checkpoint, fork_server, prelude, run, system, tasks, variables};

/// The connection to the engine; `None` until there is one.
static REPORTS: Mutex<Option<File>> = Mutex::new(None);

/// Runs a family of processes until the engine is gone. Called by the generated `main`; the first argument is the path
/// of the socket on which the engine waits for them.
pub fn main() {
    prelude::note_pipes();
    let Some(door) = std::env::args_os().nth(1).map(PathBuf::from) else {
        return;
    };
    fork_server::serve(&door);
    system::lead_group();
    let Ok(engine) = UnixStream::connect(&door) else {
        return;
    };
    report_panics();
    serve(engine, &door);
}

/// Takes requests until the engine is gone, and again after each time this process turned from a copy into the runner.
fn serve(engine: UnixStream, door: &Path) {
    let mut jobs = attend(engine);
    say_hello();
    run::renew(drop);
    while let Ok(job) = jobs.recv() {
        let copy = match job {
            Request::Run {
                library,
                entry,
                checkpoint,
            } => {
                let copy = checkpoint.and_then(|number| checkpoint::park_copy(number, door));
                if copy.is_none() {
                    run_cell(&library, &entry);
                }
                copy
            }
            Request::Checkpoint { number } => checkpoint::park_copy(number, door),
            Request::Forget { names } => {
                variables::forget(names.iter().map(String::as_str));
                None
            }
            Request::Runtime { flavour } => {
                run::set_flavour(flavour);
                None
            }
            Request::Environment { name, value } => {
                // SAFETY: no cell runs, and what a learner's threads read of the environment goes through std's lock.
                unsafe { std::env::set_var(name, value) };
                None
            }
            Request::Tasks => {
                // A thread that has only just begun has no name yet.
                system::let_others_rest();
                report(&Report::Tasks {
                    places: tasks::alive(),
                });
                None
            }
            Request::Cancel | Request::Resume | Request::Spawn => None,
        };
        if let Some(engine) = copy {
            // From here on this process is the runner. What is left of the original's Tokio runtime has lost its
            // threads: dropping it would wait for them for ever.
            jobs = attend(engine);
            run::renew(std::mem::forget);
            // Only now: a copy in which a lock is stuck does not get here.
            run::try_out();
            say_hello();
        }
    }
}

/// Has the requests of a connection read, and reports sent over it.
fn attend(engine: UnixStream) -> mpsc::Receiver<Request> {
    let requests = File::from(OwnedFd::from(engine));
    let Ok(reports) = requests.try_clone() else {
        system::leave();
    };
    *hold_reports() = Some(reports);
    let (to_main, jobs) = mpsc::channel();
    let reader = std::thread::Builder::new()
        .name("requests".into())
        .spawn(move || read_requests(requests, &to_main));
    if reader.is_err() {
        system::leave();
    }
    jobs
}

/// Tells the engine that this process is the runner.
fn say_hello() {
    report(&Report::Hello {
        pid: std::process::id(),
        role: Role::Runner,
    });
}

fn read_requests(requests: File, to_main: &mpsc::Sender<Request>) {
    let mut requests = BufReader::new(requests);
    loop {
        match Request::receive(&mut requests) {
            Ok(Request::Cancel) => run::cancel(),
            Ok(request) => {
                if to_main.send(request).is_err() {
                    return;
                }
            }
            // The engine is gone: nobody is left to show anything to.
            Err(_) => system::leave_with_group(),
        }
    }
}

fn run_cell(library: &str, entry: &str) {
    run::expect_cancel();
    SHOWN.set(None);
    ENDING.set(None);
    let ending = match system::load(library, entry) {
        Ok(function) => {
            function();
            ENDING.take().unwrap_or(Ending::Finished)
        }
        Err(reason) => Ending::NotLoaded(reason),
    };
    prelude::flush();
    let (kept, gone) = variables::settled();
    report(&Report::Settled { kept, gone });
    report(&Report::Ended {
        ending,
        shown: SHOWN.take(),
        tasks: tasks::alive().iter().map(|place| place.alive).sum(),
    });
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
        // What this thread prints next comes after the report.
        let channel = hold_reports().as_ref().map(AsRawFd::as_raw_fd);
        channel.into_iter().for_each(prelude::wait_until_taken);
    }));
}

/// Sends a report, if there is anyone to send it to.
pub(crate) fn report(report: &Report) {
    if let Some(channel) = &mut *hold_reports() {
        // When the engine is gone, the reading thread ends the process.
        let _ = report.send(channel);
    }
}

/// Keeps reports from being sent until the guard is dropped.
pub(crate) fn hold_reports() -> MutexGuard<'static, Option<File>> {
    REPORTS.lock().unwrap_or_else(PoisonError::into_inner)
}
