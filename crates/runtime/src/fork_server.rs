//! The process that starts runners and hears of their end.
//!
//! It has loaded the lesson libraries and does nothing else, so a new runner is a fork of it and costs a fraction of a
//! millisecond. Copies that a runner parks become its children when the runner ends (on Linux), so their end is noticed
//! here, too, with its cause. It runs no code of the learner.

use std::io::BufReader;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc;

use crate::run;
use crate::system::{self, Forked};
use crate::wire::{Report, Request, Role};

/// Serves until the engine is gone. Returns in each runner, never in the server itself.
pub(crate) fn serve(door: &Path) {
    let Ok(mut engine) = UnixStream::connect(door) else {
        system::leave();
    };
    run::find_signal_pair();
    system::adopt_orphans();
    let hello = Report::Hello {
        pid: std::process::id(),
        role: Role::ForkServer,
    };
    let (Ok(()), Ok(reports)) = (hello.send(&mut engine), engine.try_clone()) else {
        system::leave();
    };
    let (to_reaper, spawned) = mpsc::channel();
    let mut reaper = Some((reports, spawned));
    let mut requests = BufReader::new(engine);
    loop {
        // SAFETY: the only other thread waits for children, or for this one, and holds no lock.
        match unsafe { system::fork() } {
            Ok(Forked::Copy) => {
                run::give_up_descriptors();
                return;
            }
            Ok(Forked::Original) => {}
            // The engine sees that no runner comes.
            Err(_) => system::leave(),
        }
        // Only now: the first runner is forked before there is a second thread.
        if let Some((reports, spawned)) = reaper.take()
            && std::thread::Builder::new()
                .name("reaper".into())
                .spawn(move || reap(reports, &spawned))
                .is_err()
        {
            system::leave();
        }
        let _ = to_reaper.send(());
        loop {
            match Request::receive(&mut requests) {
                Ok(Request::Spawn) => break,
                Ok(_) => {}
                // Runners and copies have connections of their own and notice by themselves.
                Err(_) => system::leave(),
            }
        }
    }
}

/// Reports every end of a child, for as long as there are children, after each start of one.
fn reap(mut reports: UnixStream, spawned: &mpsc::Receiver<()>) {
    for () in spawned {
        while let Ok((pid, death)) = system::wait_for_any() {
            let _ = Report::Reaped { pid, death }.send(&mut reports);
        }
    }
}
