//! Hears everything that a family of processes says, on one thread, so that text, rich output and reports keep the order
//! in which they were made.

use std::collections::HashMap;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{ChildStderr, ChildStdout};
use std::sync::mpsc;
use std::time::Duration;

use loopbot_runtime::wire::{Report, Role};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::child::{News, Sink};
use crate::event::Event;
use crate::output::{Decoder, Stdout};
use crate::panics::LoadedCells;

/// How long the rest of a report may take: it is sent in one piece, so only a broken sender needs more.
const REST_OF_REPORT: Duration = Duration::from_secs(10);

/// What a pipe holds at most. Whatever was written before a report is among the first so many bytes, so reading on
/// would only put the report behind text that came after it, for ever if a thread prints without end.
const PIPE: usize = 1 << 16;

/// How long a complete display waits for further forms of itself.
const A_MOMENT: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 20_000_000,
};

/// Hears everything that a family of processes says.
pub(crate) struct Listener {
    /// Where processes connect.
    door: UnixListener,
    connections: Vec<Connection>,
    stdout: ChildStdout,
    stderr: ChildStderr,
    sink: Sink,
    cells: LoadedCells,
    to_engine: mpsc::Sender<News>,
    text: Stdout,
    decoders: HashMap<RawFd, Decoder>,
    closed: Vec<RawFd>,
    buffer: Vec<u8>,
    /// The end of what came over standard error, where the system's last words on a process stand.
    last_words: String,
}

/// A process that has said hello.
struct Connection {
    pid: u32,
    role: Role,
    stream: UnixStream,
}

impl Listener {
    pub(crate) fn new(
        door: UnixListener,
        stdout: ChildStdout,
        stderr: ChildStderr,
        sink: Sink,
        cells: LoadedCells,
        to_engine: mpsc::Sender<News>,
    ) -> Listener {
        for pipe in [stdout.as_fd(), stderr.as_fd()] {
            // Without it the listener would wait for text while a report waits for it.
            let _ = rustix::io::ioctl_fionbio(pipe, true);
        }
        Listener {
            door,
            connections: Vec::new(),
            stdout,
            stderr,
            sink,
            cells,
            to_engine,
            text: Stdout::default(),
            decoders: HashMap::new(),
            closed: Vec::new(),
            buffer: vec![0; PIPE],
            last_words: String::new(),
        }
    }

    /// Listens until the fork server is gone.
    pub(crate) fn listen(mut self) {
        loop {
            // A pipe that has ended would be ready for ever.
            let pipe = |pipe: &dyn AsFd| !self.closed.contains(&pipe.as_fd().as_raw_fd());
            let pipes = [&self.stdout as &dyn AsFd, &self.stderr];
            let streams = self.connections.iter().map(|one| one.stream.as_fd());
            let mut waiting: Vec<PollFd<'_>> = std::iter::once(self.door.as_fd())
                .chain(streams)
                .chain(
                    pipes
                        .into_iter()
                        .filter(|one| pipe(*one))
                        .map(|one| one.as_fd()),
                )
                .map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN))
                .collect();
            // A complete display waits a moment for further forms of itself, no longer.
            let ready = poll(&mut waiting, Some(&A_MOMENT)).unwrap_or(0);
            if ready == 0 {
                self.text.flush(&mut |event| (self.sink)(event));
                continue;
            }
            // First a report is noticed, then the text read: what was written before the report is there by now.
            let ready = |index: usize| !waiting[index].revents().is_empty();
            let reporting = (0..self.connections.len())
                .filter(|index| ready(index + 1))
                // The last word of a process comes before the news of its end.
                .min_by_key(|index| self.connections[*index].role == Role::ForkServer);
            let knocking = ready(0);
            self.drain();
            if knocking {
                self.let_in();
            }
            if let Some(index) = reporting
                && !self.hear(index)
            {
                return;
            }
        }
    }

    /// Takes in a process that has connected.
    fn let_in(&mut self) {
        let Ok((mut stream, _)) = self.door.accept() else {
            return;
        };
        let _ = stream.set_read_timeout(Some(REST_OF_REPORT));
        if let Ok(Report::Hello { pid, role }) = Report::receive(&mut stream)
            && let Ok(to_process) = stream.try_clone()
        {
            self.connections.push(Connection { pid, role, stream });
            self.tell(News::Hello {
                pid,
                role,
                stream: Some(to_process),
            });
        }
    }

    /// Tells whoever waits for news, if anyone does.
    fn tell(&self, news: News) {
        let _ = self.to_engine.send(news);
    }

    /// Reads all text that is there, but not what comes meanwhile without end.
    fn drain(&mut self) {
        let (mut out, mut err) = (0, 0);
        let (mut more_out, mut more_err) = (true, true);
        while more_out || more_err {
            if more_out {
                let length = self.read(true);
                out += length;
                more_out = length > 0 && out < PIPE;
            }
            if more_err {
                let length = self.read(false);
                err += length;
                more_err = length > 0 && err < PIPE;
            }
        }
    }

    /// Reads once; how many bytes it got.
    fn read(&mut self, from_stdout: bool) -> usize {
        let (descriptor, read) = if from_stdout {
            (self.stdout.as_raw_fd(), self.stdout.read(&mut self.buffer))
        } else {
            (self.stderr.as_raw_fd(), self.stderr.read(&mut self.buffer))
        };
        match read {
            Ok(0) => {
                if !self.closed.contains(&descriptor) {
                    self.closed.push(descriptor);
                }
                0
            }
            Ok(length) => {
                let text = self
                    .decoders
                    .entry(descriptor)
                    .or_default()
                    .decode(&self.buffer[..length]);
                self.emit(from_stdout, &text);
                length
            }
            Err(_) => 0,
        }
    }

    fn emit(&mut self, from_stdout: bool, text: &str) {
        let mut emit = |event| (self.sink)(event);
        if text.is_empty() {
        } else if from_stdout {
            self.text.push(text, &mut emit);
        } else {
            self.text.flush(&mut emit);
            emit(Event::Stderr(text.to_owned()));
            self.remember(text);
        }
    }

    /// Takes one report of a connection; `false` when there will be no more of any.
    fn hear(&mut self, index: usize) -> bool {
        let connection = &mut self.connections[index];
        let (pid, role) = (connection.pid, connection.role);
        let report = Report::receive(&mut connection.stream);
        match report {
            // A checkpoint has become the runner.
            Ok(Report::Hello { pid, role }) => {
                self.connections[index].role = role;
                let stream = None;
                self.tell(News::Hello { pid, role, stream });
            }
            Ok(Report::Checkpointed {
                micros, refused, ..
            }) => self.tell(News::Checkpointed { micros, refused }),
            Ok(report @ Report::Panicked { on_cell_thread, .. }) => {
                let drawn = self.cells.draw(&report);
                if on_cell_thread {
                    self.tell(News::Panicked(drawn));
                } else {
                    self.emit(false, &(drawn.report + "\n"));
                }
            }
            Ok(Report::Settled { kept, gone }) => self.tell(News::Settled { kept, gone }),
            Ok(Report::Ended {
                ending,
                shown,
                tasks,
            }) => {
                self.finish();
                self.tell(News::Ended {
                    ending,
                    shown,
                    tasks,
                });
            }
            Ok(Report::Tasks { places }) => self.tell(News::Tasks(places)),
            Ok(Report::Reaped { pid, death }) => {
                if self
                    .connections
                    .iter()
                    .any(|one| one.pid == pid && one.role == Role::Runner)
                {
                    self.finish();
                }
                self.connections.retain(|one| one.pid != pid);
                let last_words = std::mem::take(&mut self.last_words);
                self.tell(News::Died {
                    pid,
                    death,
                    last_words,
                });
            }
            Err(_) => {
                self.connections.retain(|one| one.pid != pid);
                if role == Role::ForkServer {
                    self.finish();
                    self.tell(News::Orphaned);
                    return false;
                }
            }
        }
        true
    }

    fn remember(&mut self, text: &str) {
        const ENOUGH: usize = 4000;
        self.last_words.push_str(text);
        let surplus = self.last_words.len().saturating_sub(ENOUGH);
        let cut = self.last_words.ceil_char_boundary(surplus);
        self.last_words.drain(..cut);
    }

    fn finish(&mut self) {
        let stdout = self.stdout.as_raw_fd();
        let ends: Vec<(bool, String)> = self
            .decoders
            .iter_mut()
            .map(|(descriptor, decoder)| (*descriptor == stdout, decoder.finish()))
            .collect();
        for (from_stdout, text) in ends {
            self.emit(from_stdout, &text);
        }
        self.text.finish(&mut |event| (self.sink)(event));
    }
}
