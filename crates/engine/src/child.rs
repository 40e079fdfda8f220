//! The processes that run the learner's code: started, spoken to, ended, replaced by a checkpoint.
//!
//! There is a *fork server*, which runs nothing of the learner's; a *runner*, which it starts and which runs the cells;
//! and *checkpoints*, copies of the runner as it was before a cell, which wait. Each connects to a socket in a private
//! folder, so commands never cross standard input or output, and what one of them leaves half-written disturbs no other.
//! When the runner ends, whatever the reason, a checkpoint can take its place with all variables and statics.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use loopbot_runtime::wire::{Death, Ending, Request, Role, TaskPlace};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::EngineError;
use crate::event::Event;
use crate::libraries::Libraries;
use crate::listener::Listener;
use crate::panics::{DrawnPanic, LoadedCells};

/// Receives what happens, from several threads.
pub(crate) type Sink = Arc<dyn Fn(Event) + Send + Sync>;

/// How long a process may take to answer that has nothing else to do. Far beyond what a busy machine needs; after it,
/// something is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a checkpoint may take to become the runner, which is a matter of milliseconds.
const ANSWER_OF_COPY: Duration = Duration::from_secs(5);

/// The listener's news.
#[derive(Debug)]
pub(crate) enum News {
    /// A process has connected, or a checkpoint has become the runner (then without a stream).
    Hello {
        pid: u32,
        role: Role,
        stream: Option<UnixStream>,
    },
    Checkpointed {
        micros: u64,
        refused: Option<String>,
    },
    Panicked(DrawnPanic),
    Settled {
        kept: Vec<String>,
        gone: Vec<String>,
    },
    Ended {
        ending: Ending,
        shown: Option<String>,
        tasks: usize,
    },
    Tasks(Vec<TaskPlace>),
    /// A process of the family ended; with the end of what was written to standard error.
    Died {
        pid: u32,
        death: Death,
        last_words: String,
    },
    /// The fork server is gone, and nobody can tell any more what became of the others.
    Orphaned,
}

/// A family of processes.
pub(crate) struct Child {
    server: std::process::Child,
    to_server: UnixStream,
    line: Line,
    news: mpsc::Receiver<News>,
    parked: BTreeMap<u64, Parked>,
    checkpoints: u64,
    /// Holds the socket.
    _door: tempfile::TempDir,
}

/// A checkpoint that waits.
struct Parked {
    pid: u32,
    stream: UnixStream,
}

/// The way to speak to the runner from any thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line(Arc<Mutex<Option<Runner>>>);

#[derive(Debug)]
struct Runner {
    pid: u32,
    stream: UnixStream,
}

impl Line {
    /// Sends a request; a runner that is gone does not mind.
    pub(crate) fn send(&self, request: &Request) {
        if let Ok(runner) = self.0.lock()
            && let Some(Runner { stream, .. }) = &*runner
        {
            let _ = request.send(&mut &*stream);
        }
    }

    /// Ends the runner and whatever it started, at once.
    pub(crate) fn kill(&self) {
        if let Some(pid) = self.pid() {
            kill_group(pid as i32);
        }
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        Some(self.0.lock().ok()?.as_ref()?.pid)
    }

    fn set(&self, new: Option<Runner>) {
        if let Ok(mut runner) = self.0.lock() {
            *runner = new;
        }
    }
}

impl Child {
    /// Starts a fork server and its first runner.
    pub(crate) fn start(
        libraries: &Libraries,
        cells_in: &[PathBuf],
        working_dir: &Path,
        sink: Sink,
        cells: LoadedCells,
    ) -> Result<Child, EngineError> {
        let door = tempfile::Builder::new()
            .prefix("loopbot-")
            .tempdir()
            .map_err(EngineError::Child)?;
        let path = door.path().join("door");
        let listener = UnixListener::bind(&path).map_err(EngineError::Child)?;
        let mut server = Command::new(libraries.host())
            .arg(&path)
            .current_dir(working_dir)
            .env(LIBRARY_PATH, library_path(libraries, cells_in))
            .env("EVCXR_IS_RUNTIME", "1")
            // Backtraces speak of what stands around the learner's code; panics are told by the engine, with the line.
            .env_remove("RUST_BACKTRACE")
            .env_remove("RUST_LIB_BACKTRACE")
            // The lesson library asks for this before it names a display that it will show again in place.
            .env("LOOPBOT_DISPLAY_UPDATES", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(EngineError::Child)?;
        let (Some(stdout), Some(stderr)) = (server.stdout.take(), server.stderr.take()) else {
            return Err(EngineError::Child(std::io::ErrorKind::BrokenPipe.into()));
        };
        let (to_engine, news) = mpsc::channel();
        std::thread::Builder::new()
            .name("child output".into())
            .spawn(move || Listener::new(listener, stdout, stderr, sink, cells, to_engine).listen())
            .map_err(EngineError::Child)?;
        let (mut to_server, mut runner) = (None, None);
        let started = Instant::now();
        while to_server.is_none() || runner.is_none() {
            match news.recv_timeout(Duration::from_millis(20)) {
                Ok(News::Hello {
                    role: Role::ForkServer,
                    stream,
                    ..
                }) => to_server = stream,
                Ok(News::Hello { pid, stream, .. }) => {
                    runner = stream.map(|stream| Runner { pid, stream })
                }
                Ok(_) => {}
                Err(_) => {
                    let ended = server.try_wait().map_err(EngineError::Child)?;
                    if ended.is_some() || started.elapsed() > PATIENCE {
                        let _ = server.kill();
                        let _ = server.wait();
                        return Err(unanswered("it ended before it was ready"));
                    }
                }
            }
        }
        let Some(to_server) = to_server else {
            return Err(unanswered("it did not say hello"));
        };
        let line = Line::default();
        line.set(runner);
        Ok(Child {
            server,
            to_server,
            line,
            news,
            parked: BTreeMap::new(),
            checkpoints: 0,
            _door: door,
        })
    }

    pub(crate) fn line(&self) -> &Line {
        &self.line
    }

    /// A number for the next checkpoint.
    pub(crate) fn number_checkpoint(&mut self) -> u64 {
        self.checkpoints += 1;
        self.checkpoints
    }

    /// The next news of the runner or of the family's end; `None` after `patience`. News of checkpoints are dealt with
    /// here.
    pub(crate) fn next(&mut self, patience: Duration) -> Option<News> {
        let until = Instant::now() + patience;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.news.recv_timeout(left) {
                Ok(News::Hello {
                    pid,
                    role: Role::Checkpoint(number),
                    stream: Some(stream),
                }) => {
                    self.parked.insert(number, Parked { pid, stream });
                }
                Ok(News::Died { pid, .. }) if self.line.pid() != Some(pid) => {
                    self.parked.retain(|_, parked| parked.pid != pid);
                }
                Ok(news) => {
                    if let News::Died { .. } = news {
                        self.line.set(None);
                    }
                    return Some(news);
                }
                Err(mpsc::RecvTimeoutError::Timeout) => return None,
                Err(mpsc::RecvTimeoutError::Disconnected) => return Some(News::Orphaned),
            }
        }
    }

    /// Lets a checkpoint take the place of the runner. `false` when it is gone.
    pub(crate) fn resume(&mut self, number: u64) -> bool {
        self.end_runner();
        if !self.await_checkpoint(number) {
            return false;
        }
        let Some(Parked { pid, stream }) = self.parked.remove(&number) else {
            return false;
        };
        if Request::Resume.send(&mut &stream).is_err() {
            return false;
        }
        self.line.set(Some(Runner { pid, stream }));
        // A copy in which a lock is stuck, because a thread held it when the copy was made, never answers.
        let until = Instant::now() + ANSWER_OF_COPY;
        self.await_runner(until).is_some()
    }

    /// Waits for a checkpoint that has just been made and may still be on its way to the door.
    pub(crate) fn await_checkpoint(&mut self, number: u64) -> bool {
        let until = Instant::now() + ANSWER_OF_COPY;
        while !self.parked.contains_key(&number) {
            match self.next(Duration::from_millis(100)) {
                Some(News::Orphaned) => return false,
                None if Instant::now() > until => return false,
                _ => {}
            }
        }
        true
    }

    /// Starts a runner with nothing in it in the place of the present one.
    pub(crate) fn restart(&mut self) -> Result<(), EngineError> {
        self.end_runner();
        self.drop_up_to(u64::MAX);
        Request::Spawn
            .send(&mut self.to_server)
            .map_err(EngineError::Child)?;
        let (pid, stream) = self
            .await_runner(Instant::now() + PATIENCE)
            .ok_or_else(|| unanswered("a new one did not come up"))?;
        self.line.set(stream.map(|stream| Runner { pid, stream }));
        Ok(())
    }

    fn await_runner(&mut self, until: Instant) -> Option<(u32, Option<UnixStream>)> {
        loop {
            match self.next(Duration::from_millis(100)) {
                Some(News::Hello {
                    pid,
                    role: Role::Runner,
                    stream,
                }) => return Some((pid, stream)),
                Some(News::Died { .. } | News::Orphaned) => return None,
                None if Instant::now() > until => return None,
                _ => {}
            }
        }
    }

    /// Ends the present runner, if there is one, and waits until it is gone.
    fn end_runner(&mut self) {
        let until = Instant::now() + PATIENCE;
        self.line.kill();
        while self.line.pid().is_some() && Instant::now() < until {
            if let Some(News::Orphaned) = self.next(Duration::from_millis(100)) {
                return;
            }
        }
    }

    /// Drops checkpoints with numbers up to `number`.
    pub(crate) fn drop_up_to(&mut self, number: u64) {
        let later = number
            .checked_add(1)
            .map(|next| self.parked.split_off(&next));
        for parked in std::mem::replace(&mut self.parked, later.unwrap_or_default()).into_values() {
            parked.end();
        }
    }

    /// Drops checkpoints with numbers above `number`.
    pub(crate) fn drop_after(&mut self, number: u64) {
        for parked in self.parked.split_off(&(number + 1)).into_values() {
            parked.end();
        }
    }

    /// The process of a checkpoint.
    pub(crate) fn parked_pid(&self, number: u64) -> Option<u32> {
        Some(self.parked.get(&number)?.pid)
    }
}

impl Parked {
    /// Tells the process that it is not needed.
    fn end(self) {
        // Not merely closed: the listener has the other half of it.
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.line.kill();
        self.drop_up_to(u64::MAX);
        let _ = self.to_server.shutdown(std::net::Shutdown::Both);
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn unanswered(what: &str) -> EngineError {
    EngineError::Child(std::io::Error::other(what.to_owned()))
}

/// Ends a process and whatever is in the group that it leads; one that is gone does not mind.
pub(crate) fn kill_group(leader: i32) {
    if let Some(leader) = Pid::from_raw(leader) {
        let _ = kill_process_group(leader, Signal::KILL);
    }
}

/// How a process ended, in words.
pub(crate) fn in_words(death: Death, last_words: &str) -> String {
    if last_words.contains("has overflowed its stack") {
        return "its stack overflowed: calls went too deep, as in a function that calls itself without end".into();
    }
    if let Some((_, rest)) = last_words.split_once("memory allocation of ")
        && let Some((bytes, _)) = rest.split_once(" bytes failed")
    {
        return format!("memory ran out: {bytes} bytes more could not be had");
    }
    let signal = match death {
        Death::Exited(code) => return format!("the code asked for it, with exit status {code}"),
        Death::Killed(signal) => signal,
    };
    match Signal::from_named_raw(signal) {
        Some(Signal::SEGV) => "an invalid memory access (segmentation fault)".into(),
        Some(Signal::BUS) => "an invalid memory access (bus error)".into(),
        Some(Signal::ABORT) => {
            "an abort: a panic while panicking, a panic that may not unwind, or std::process::abort"
                .into()
        }
        Some(Signal::KILL) => "it was killed, perhaps by the system because memory ran out".into(),
        Some(Signal::ILL) => "an illegal instruction".into(),
        Some(Signal::FPE) => "an arithmetic fault of the processor".into(),
        _ => format!("signal {signal}"),
    }
}

#[cfg(target_os = "macos")]
const LIBRARY_PATH: &str = "DYLD_LIBRARY_PATH";
#[cfg(not(target_os = "macos"))]
const LIBRARY_PATH: &str = "LD_LIBRARY_PATH";

fn library_path(libraries: &Libraries, cells_in: &[PathBuf]) -> OsString {
    let inherited = std::env::var_os(LIBRARY_PATH).unwrap_or_default();
    let folders = libraries
        .library_path()
        .into_iter()
        .chain(cells_in.iter().cloned())
        .chain(std::env::split_paths(&inherited));
    std::env::join_paths(folders.filter(|folder| !folder.as_os_str().is_empty()))
        .unwrap_or(inherited)
}
