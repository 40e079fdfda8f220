//! Checkpoints: a copy of the process as it is before a cell, parked until it is needed.
//!
//! The copy shares its memory with the original until one of them writes. It has every variable and every static, on the
//! one thread that runs cells. It does not have the other threads, and it lets go of whatever it could keep someone
//! waiting for: a port stays bound, and a pipe open, for as long as any process has it. The copy waits for a word from
//! the engine on a connection of its own and ends when that is closed.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::host::{self, report};
use crate::system::{self, Forked};
use crate::wire::{Report, Request, Role};
use crate::{run, tasks};

/// How long a copy may take to let go of descriptors; a fraction of a millisecond is normal.
const PATIENCE: Duration = Duration::from_secs(1);

/// Parks a copy of this process. Returns `None` in the original, at once; in the copy, the connection to go on with,
/// when (and if) the engine resumes it.
pub(crate) fn park_copy(number: u64, door: &Path) -> Option<UnixStream> {
    let started = Instant::now();
    let Ok((ready, unready)) = UnixStream::pair() else {
        report(&Report::Checkpointed {
            number,
            micros: 0,
            refused: Some("no descriptors are left".into()),
        });
        return None;
    };
    let forked = {
        system::let_others_rest();
        // What is not flushed now would be printed by both.
        let mut stdout = std::io::stdout().lock();
        let _ = stdout.flush();
        let _stderr = std::io::stderr().lock();
        let _reports = host::hold_reports();
        let _cancel = run::hold_cancel();
        let _tasks = tasks::hold();
        // SAFETY: the locks that the copy needs are held above: output, reports, cancelling, counts of tasks. Tokio's
        // belong to a runtime that the copy never uses. A lock of a library, or of the learner, that another thread
        // holds after all stays locked in the copy; it then waits, and the engine or the learner gives it up.
        unsafe { system::fork() }
    };
    match forked {
        Ok(Forked::Copy) => Some(park(number, door)),
        outcome => {
            if outcome.is_ok() {
                // Until the copy has let go of sockets and pipes, the cell must not run: it might close one and expect
                // the other side to notice. The copy's end of this pair goes with the rest.
                drop(unready);
                let _ = ready.set_read_timeout(Some(PATIENCE));
                let _ = (&ready).read(&mut [0]);
            }
            report(&Report::Checkpointed {
                number,
                micros: started.elapsed().as_micros() as u64,
                refused: outcome.err().map(|error| error.to_string()),
            });
            None
        }
    }
}

/// Waits in the copy; returns if it is to be the runner.
fn park(number: u64, door: &Path) -> UnixStream {
    system::lead_group();
    run::give_up_descriptors();
    let Ok(mut engine) = UnixStream::connect(door) else {
        system::leave();
    };
    let hello = Report::Hello {
        pid: std::process::id(),
        role: Role::Checkpoint(number),
    };
    if hello.send(&mut engine).is_err() {
        system::leave();
    }
    match Request::receive(&mut engine) {
        Ok(Request::Resume) => engine,
        _ => system::leave(),
    }
}
