//! Hears everything one child says, on one thread, so that text, rich output and reports keep the order in which they
//! were made.

use std::collections::HashMap;
use std::io::Read;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::process::{ChildStderr, ChildStdout};
use std::sync::mpsc;

use loopbot_runtime::wire::Report;

use crate::child::{News, Sink};
use crate::event::Event;
use crate::output::{Decoder, Stdout};
use crate::panics::LoadedCells;

/// Hears everything one child says.
pub(crate) struct Listener {
    socket: UnixStream,
    stdout: ChildStdout,
    stderr: ChildStderr,
    sink: Sink,
    cells: LoadedCells,
    to_engine: mpsc::Sender<News>,
    text: Stdout,
    decoders: HashMap<RawFd, Decoder>,
    closed: Vec<RawFd>,
    buffer: Vec<u8>,
}

impl Listener {
    pub(crate) fn new(
        socket: UnixStream,
        stdout: ChildStdout,
        stderr: ChildStderr,
        sink: Sink,
        cells: LoadedCells,
        to_engine: mpsc::Sender<News>,
    ) -> Listener {
        for descriptor in [stdout.as_raw_fd(), stderr.as_raw_fd()] {
            // SAFETY: plain flags on descriptors we own.
            unsafe { libc::fcntl(descriptor, libc::F_SETFL, libc::O_NONBLOCK) };
        }
        Listener {
            socket,
            stdout,
            stderr,
            sink,
            cells,
            to_engine,
            text: Stdout::default(),
            decoders: HashMap::new(),
            closed: Vec::new(),
            buffer: vec![0; 1 << 16],
        }
    }

    pub(crate) fn listen(mut self) {
        let sources = [
            self.socket.as_raw_fd(),
            self.stdout.as_raw_fd(),
            self.stderr.as_raw_fd(),
        ];
        loop {
            let mut waiting = sources.map(|descriptor| libc::pollfd {
                fd: if self.closed.contains(&descriptor) {
                    -1
                } else {
                    descriptor
                },
                events: libc::POLLIN,
                revents: 0,
            });
            // A complete display waits a moment for further forms of itself, no longer.
            // SAFETY: an array of three live entries.
            let ready = unsafe { libc::poll(waiting.as_mut_ptr(), 3, 20) };
            if ready == 0 {
                self.text.flush(&mut |event| (self.sink)(event));
                if waiting.iter().all(|source| source.fd < 0) {
                    return;
                }
                continue;
            }
            // First the report is noticed, then the text read: what was written before the report is there by now.
            let reported = waiting[0].revents != 0;
            self.drain();
            if reported && !self.hear() {
                return;
            }
        }
    }

    /// Reads all text that is there.
    fn drain(&mut self) {
        loop {
            let out = self.read(true);
            let err = self.read(false);
            if !out && !err {
                return;
            }
        }
    }

    fn read(&mut self, from_stdout: bool) -> bool {
        let descriptor = if from_stdout {
            self.stdout.as_raw_fd()
        } else {
            self.stderr.as_raw_fd()
        };
        let read = if from_stdout {
            self.stdout.read(&mut self.buffer)
        } else {
            self.stderr.read(&mut self.buffer)
        };
        match read {
            Ok(0) => {
                if !self.closed.contains(&descriptor) {
                    self.closed.push(descriptor);
                }
                false
            }
            Ok(length) => {
                let text = self
                    .decoders
                    .entry(descriptor)
                    .or_default()
                    .decode(&self.buffer[..length]);
                self.emit(from_stdout, &text);
                true
            }
            Err(_) => false,
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
        }
    }

    /// Takes one report; `false` when the child is gone.
    fn hear(&mut self) -> bool {
        let report = Report::receive(&mut self.socket);
        // The report may have been on its way while text was still being written.
        self.drain();
        match report {
            Ok(Report::Ready) => {}
            Ok(report @ Report::Panicked { on_cell_thread, .. }) => {
                let drawn = self.cells.draw(&report);
                if on_cell_thread {
                    let _ = self.to_engine.send(News::Panicked(drawn));
                } else {
                    self.emit(false, &(drawn.report + "\n"));
                }
            }
            Ok(Report::Ended { ending, shown }) => {
                self.finish();
                let _ = self.to_engine.send(News::Ended { ending, shown });
            }
            Err(_) => {
                self.finish();
                let _ = self.to_engine.send(News::Gone);
                return false;
            }
        }
        true
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
