//! The messages between the engine and the process that runs the cells, and how they cross a socket.
//!
//! A frame is a list of byte strings: a 32-bit count, then each string behind its 32-bit length, little-endian. The
//! channel is a socket pair of its own, never standard input or output, which belong to the learner. Both ends are made
//! from the same sources, so there are no versions here.

use std::io::{self, Read, Write};

/// What the engine asks of the child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Load the compiled cell at `library` and call its function `entry`.
    Run { library: String, entry: String },
    /// Drop these variables.
    Forget { names: Vec<String> },
    /// Cancel the `.await` the running cell is waiting in, if it is in one.
    Cancel,
}

/// What the child tells the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// The child is up and takes requests.
    Ready,
    /// A thread panicked; `on_cell_thread` tells whether it was the thread that runs the cells.
    Panicked {
        on_cell_thread: bool,
        thread: String,
        file: String,
        line: u32,
        column: u32,
        message: String,
    },
    /// The requested cell came to its end.
    Ended {
        ending: Ending,
        shown: Option<String>,
    },
}

/// How a cell came to its end inside the child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    Finished,
    Panicked,
    /// A top-level `?` returned this error.
    ReturnedError(String),
    Cancelled,
    /// The compiled cell could not be loaded.
    NotLoaded(String),
}

/// Longest frame accepted, in bytes: far beyond any real one, so that a broken stream cannot ask for all memory.
const LONGEST: u32 = 1 << 30;

impl Request {
    /// Writes the request as one frame.
    pub fn send(&self, to: &mut impl Write) -> io::Result<()> {
        match self {
            Request::Run { library, entry } => {
                send(to, &[b"run", library.as_bytes(), entry.as_bytes()])
            }
            Request::Forget { names } => {
                let mut fields: Vec<&[u8]> = vec![b"forget"];
                fields.extend(names.iter().map(|name| name.as_bytes()));
                send(to, &fields)
            }
            Request::Cancel => send(to, &[b"cancel"]),
        }
    }

    /// Reads the next request; `UnexpectedEof` when the engine is gone.
    pub fn receive(from: &mut impl Read) -> io::Result<Request> {
        let mut fields = receive(from)?.into_iter();
        let mut text = move || {
            fields
                .next()
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        match text().as_deref() {
            Some("run") => Ok(Request::Run {
                library: text().unwrap_or_default(),
                entry: text().unwrap_or_default(),
            }),
            Some("forget") => Ok(Request::Forget {
                names: std::iter::from_fn(text).collect(),
            }),
            Some("cancel") => Ok(Request::Cancel),
            other => Err(unknown(other)),
        }
    }
}

impl Report {
    /// Writes the report as one frame.
    pub fn send(&self, to: &mut impl Write) -> io::Result<()> {
        match self {
            Report::Ready => send(to, &[b"ready"]),
            Report::Panicked {
                on_cell_thread,
                thread,
                file,
                line,
                column,
                message,
            } => send(
                to,
                &[
                    b"panicked",
                    if *on_cell_thread { b"cell" } else { b"other" },
                    thread.as_bytes(),
                    file.as_bytes(),
                    line.to_string().as_bytes(),
                    column.to_string().as_bytes(),
                    message.as_bytes(),
                ],
            ),
            Report::Ended { ending, shown } => {
                let (kind, detail): (&[u8], &str) = match ending {
                    Ending::Finished => (b"finished", ""),
                    Ending::Panicked => (b"panicked", ""),
                    Ending::ReturnedError(error) => (b"error", error),
                    Ending::Cancelled => (b"cancelled", ""),
                    Ending::NotLoaded(reason) => (b"not loaded", reason),
                };
                let mut fields = vec![b"ended", kind, detail.as_bytes()];
                fields.extend(shown.as_deref().map(str::as_bytes));
                send(to, &fields)
            }
        }
    }

    /// Reads the next report; `UnexpectedEof` when the child is gone.
    pub fn receive(from: &mut impl Read) -> io::Result<Report> {
        let mut fields = receive(from)?.into_iter();
        let mut text = move || {
            fields
                .next()
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        let kind = text();
        let mut field = || text().unwrap_or_default();
        match kind.as_deref() {
            Some("ready") => Ok(Report::Ready),
            Some("panicked") => Ok(Report::Panicked {
                on_cell_thread: field() == "cell",
                thread: field(),
                file: field(),
                line: field().parse().unwrap_or(0),
                column: field().parse().unwrap_or(0),
                message: field(),
            }),
            Some("ended") => {
                let (kind, detail) = (field(), field());
                let ending = match kind.as_str() {
                    "finished" => Ending::Finished,
                    "panicked" => Ending::Panicked,
                    "error" => Ending::ReturnedError(detail),
                    "cancelled" => Ending::Cancelled,
                    "not loaded" => Ending::NotLoaded(detail),
                    other => return Err(unknown(Some(other))),
                };
                Ok(Report::Ended {
                    ending,
                    shown: text(),
                })
            }
            other => Err(unknown(other)),
        }
    }
}

/// One frame in one write, so that frames of several threads never mix as long as they share a lock.
fn send(to: &mut impl Write, fields: &[&[u8]]) -> io::Result<()> {
    let mut frame =
        Vec::with_capacity(16 + fields.iter().map(|field| field.len() + 4).sum::<usize>());
    frame.extend_from_slice(&(fields.len() as u32).to_le_bytes());
    for field in fields {
        frame.extend_from_slice(&(field.len() as u32).to_le_bytes());
        frame.extend_from_slice(field);
    }
    to.write_all(&frame)?;
    to.flush()
}

fn receive(from: &mut impl Read) -> io::Result<Vec<Vec<u8>>> {
    let count = length(from)?;
    (0..count)
        .map(|_| {
            let mut field = Vec::new();
            let expected = u64::from(length(from)?);
            if from.by_ref().take(expected).read_to_end(&mut field)? as u64 != expected {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            Ok(field)
        })
        .collect()
}

fn length(from: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)?;
    match u32::from_le_bytes(bytes) {
        length if length <= LONGEST => Ok(length),
        length => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a frame of {length} bytes"),
        )),
    }
}

fn unknown(kind: Option<&str>) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("a message of unknown kind {kind:?}"),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check_report(report: Report) {
        let mut bytes = Vec::new();
        report.send(&mut bytes).unwrap();
        assert_eq!(Report::receive(&mut bytes.as_slice()).unwrap(), report);
        bytes.pop();
        assert!(
            Report::receive(&mut bytes.as_slice()).is_err(),
            "a truncated frame is an error"
        );
    }

    #[test]
    fn reports_survive_the_crossing() {
        check_report(Report::Ready);
        check_report(Report::Ended {
            ending: Ending::ReturnedError("zwölf\0".into()),
            shown: Some(String::from("x")),
        });
        check_report(Report::Ended {
            ending: Ending::Cancelled,
            shown: None,
        });
        check_report(Report::Panicked {
            on_cell_thread: true,
            thread: "main".into(),
            file: "body.rs".into(),
            line: 3,
            column: 9,
            message: "boom\nboom".into(),
        });
    }

    #[test]
    fn requests_survive_the_crossing() {
        for request in [
            Request::Cancel,
            Request::Forget {
                names: vec!["a".into(), "b".into()],
            },
            Request::Run {
                library: "/tmp/ü.so".into(),
                entry: "cell".into(),
            },
        ] {
            let mut bytes = Vec::new();
            request.send(&mut bytes).unwrap();
            assert_eq!(Request::receive(&mut bytes.as_slice()).unwrap(), request);
        }
    }
}
