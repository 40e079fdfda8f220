//! The messages between the engine and the processes that run the cells, and how they cross a socket.
//!
//! A frame is a list of byte strings: a 32-bit count, then each string behind its 32-bit length, little-endian. Each
//! process has a connection of its own, never standard input or output, which belong to the learner. Both ends are made
//! from the same sources, so there are no versions here.

use std::io::{self, Read, Write};

/// What the engine asks of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Of the fork server: start a runner with nothing in it.
    Spawn,
    /// Park a copy of the process as checkpoint `checkpoint`, unless that is `None`; then load the compiled cell at
    /// `library` and call its function `entry`.
    Run {
        library: String,
        entry: String,
        checkpoint: Option<u64>,
    },
    /// Park a copy of the process under this number.
    Checkpoint { number: u64 },
    /// Of a parked copy: be the runner from now on.
    Resume,
    /// Drop these variables.
    Forget { names: Vec<String> },
    /// Replace the Tokio runtime. Tasks of the old one are stopped.
    Runtime { flavour: Flavour },
    /// Set an environment variable.
    Environment { name: String, value: String },
    /// Tell which tasks there are.
    Tasks,
    /// Cancel the `.await` the running cell is waiting in, if it is in one.
    Cancel,
}

/// Which Tokio runtime awaits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flavour {
    /// As `#[tokio::main]`: as many worker threads as the machine has cores.
    #[default]
    MultiThread,
    /// As `#[tokio::main(worker_threads = …)]`.
    Workers(usize),
    /// As `#[tokio::main(flavor = "current_thread")]`: tasks run only while a cell awaits.
    CurrentThread,
}

/// What a process tells the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// The first frame of each connection.
    Hello { pid: u32, role: Role },
    /// Of the fork server: a process of the family has ended.
    Reaped { pid: u32, death: Death },
    /// The runner has tried to park a copy of itself.
    Checkpointed {
        number: u64,
        /// Time the runner spent on it, in microseconds.
        micros: u64,
        /// Why there is no copy.
        refused: Option<String>,
    },
    /// A thread panicked; `on_cell_thread` tells whether it was the thread that runs the cells.
    Panicked {
        on_cell_thread: bool,
        thread: String,
        file: String,
        line: u32,
        column: u32,
        message: String,
    },
    /// Comes before `Ended`: the variables that the cell kept, and those that it moved away.
    Settled {
        kept: Vec<String>,
        gone: Vec<String>,
    },
    /// The requested cell came to its end.
    Ended {
        ending: Ending,
        shown: Option<String>,
        /// How many Tokio tasks are alive.
        tasks: usize,
    },
    /// Answer to [`Request::Tasks`].
    Tasks { places: Vec<TaskPlace> },
}

/// What a process is in the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Starts runners and reports deaths.
    ForkServer,
    /// Runs cells.
    Runner,
    /// A copy of a runner as it was before a cell, which waits to take its place.
    Checkpoint(u64),
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// With this exit status.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}

/// A line of code and how many of the Tokio tasks that were spawned there still live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPlace {
    pub file: String,
    pub line: u32,
    pub alive: usize,
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
        let fields: Vec<String> = match self {
            Request::Spawn => vec!["spawn".into()],
            Request::Run {
                library,
                entry,
                checkpoint,
            } => vec![
                "run".into(),
                library.clone(),
                entry.clone(),
                optional(*checkpoint),
            ],
            Request::Checkpoint { number } => vec!["checkpoint".into(), number.to_string()],
            Request::Resume => vec!["resume".into()],
            Request::Forget { names } => [vec!["forget".into()], names.clone()].concat(),
            Request::Runtime { flavour } => {
                let (kind, workers) = match flavour {
                    Flavour::MultiThread => ("multi", 0),
                    Flavour::Workers(workers) => ("workers", *workers),
                    Flavour::CurrentThread => ("current", 0),
                };
                vec!["runtime".into(), kind.into(), workers.to_string()]
            }
            Request::Environment { name, value } => {
                vec!["environment".into(), name.clone(), value.clone()]
            }
            Request::Tasks => vec!["tasks".into()],
            Request::Cancel => vec!["cancel".into()],
        };
        send(to, &fields)
    }

    /// Reads the next request; `UnexpectedEof` when the engine is gone.
    pub fn receive(from: &mut impl Read) -> io::Result<Request> {
        let mut fields = Fields(receive(from)?.into_iter());
        match fields.text()?.as_str() {
            "spawn" => Ok(Request::Spawn),
            "run" => Ok(Request::Run {
                library: fields.text()?,
                entry: fields.text()?,
                checkpoint: fields.optional()?,
            }),
            "checkpoint" => Ok(Request::Checkpoint {
                number: fields.number()?,
            }),
            "resume" => Ok(Request::Resume),
            "forget" => Ok(Request::Forget {
                names: fields.rest(),
            }),
            "runtime" => {
                let (kind, workers) = (fields.text()?, fields.number()?);
                Ok(Request::Runtime {
                    flavour: match kind.as_str() {
                        "multi" => Flavour::MultiThread,
                        "workers" => Flavour::Workers(workers),
                        "current" => Flavour::CurrentThread,
                        other => return Err(unknown(other)),
                    },
                })
            }
            "environment" => Ok(Request::Environment {
                name: fields.text()?,
                value: fields.text()?,
            }),
            "tasks" => Ok(Request::Tasks),
            "cancel" => Ok(Request::Cancel),
            other => Err(unknown(other)),
        }
    }
}

impl Report {
    /// Writes the report as one frame.
    pub fn send(&self, to: &mut impl Write) -> io::Result<()> {
        let fields: Vec<String> = match self {
            Report::Hello { pid, role } => {
                let (kind, number) = match role {
                    Role::ForkServer => ("fork server", None),
                    Role::Runner => ("runner", None),
                    Role::Checkpoint(number) => ("checkpoint", Some(*number)),
                };
                vec![
                    "hello".into(),
                    pid.to_string(),
                    kind.into(),
                    optional(number),
                ]
            }
            Report::Reaped { pid, death } => {
                let (kind, number) = match death {
                    Death::Exited(status) => ("exited", status),
                    Death::Killed(signal) => ("killed", signal),
                };
                vec![
                    "reaped".into(),
                    pid.to_string(),
                    kind.into(),
                    number.to_string(),
                ]
            }
            Report::Checkpointed {
                number,
                micros,
                refused,
            } => {
                let mut fields = vec![
                    "checkpointed".into(),
                    number.to_string(),
                    micros.to_string(),
                ];
                fields.extend(refused.clone());
                fields
            }
            Report::Panicked {
                on_cell_thread,
                thread,
                file,
                line,
                column,
                message,
            } => vec![
                "panicked".into(),
                if *on_cell_thread { "cell" } else { "other" }.into(),
                thread.clone(),
                file.clone(),
                line.to_string(),
                column.to_string(),
                message.clone(),
            ],
            Report::Settled { kept, gone } => {
                let mut fields = vec!["settled".into(), kept.len().to_string()];
                fields.extend(kept.iter().chain(gone).cloned());
                fields
            }
            Report::Ended {
                ending,
                shown,
                tasks,
            } => {
                let (kind, detail) = match ending {
                    Ending::Finished => ("finished", ""),
                    Ending::Panicked => ("panicked", ""),
                    Ending::ReturnedError(error) => ("error", error.as_str()),
                    Ending::Cancelled => ("cancelled", ""),
                    Ending::NotLoaded(reason) => ("not loaded", reason.as_str()),
                };
                let mut fields = vec![
                    "ended".into(),
                    kind.into(),
                    detail.into(),
                    tasks.to_string(),
                ];
                fields.extend(shown.clone());
                fields
            }
            Report::Tasks { places } => {
                let mut fields = vec!["tasks".into()];
                for place in places {
                    fields.extend([
                        place.file.clone(),
                        place.line.to_string(),
                        place.alive.to_string(),
                    ]);
                }
                fields
            }
        };
        send(to, &fields)
    }

    /// Reads the next report; `UnexpectedEof` when the process is gone.
    pub fn receive(from: &mut impl Read) -> io::Result<Report> {
        let mut fields = Fields(receive(from)?.into_iter());
        match fields.text()?.as_str() {
            "hello" => {
                let pid = fields.number()?;
                let (kind, number) = (fields.text()?, fields.optional()?);
                let role = match (kind.as_str(), number) {
                    ("fork server", _) => Role::ForkServer,
                    ("runner", _) => Role::Runner,
                    ("checkpoint", Some(number)) => Role::Checkpoint(number),
                    (other, _) => return Err(unknown(other)),
                };
                Ok(Report::Hello { pid, role })
            }
            "reaped" => {
                let pid = fields.number()?;
                let (kind, number) = (fields.text()?, fields.number()?);
                let death = match kind.as_str() {
                    "exited" => Death::Exited(number),
                    "killed" => Death::Killed(number),
                    other => return Err(unknown(other)),
                };
                Ok(Report::Reaped { pid, death })
            }
            "checkpointed" => Ok(Report::Checkpointed {
                number: fields.number()?,
                micros: fields.number()?,
                refused: fields.text().ok(),
            }),
            "panicked" => Ok(Report::Panicked {
                on_cell_thread: fields.text()? == "cell",
                thread: fields.text()?,
                file: fields.text()?,
                line: fields.number()?,
                column: fields.number()?,
                message: fields.text()?,
            }),
            "settled" => {
                let count = fields.number()?;
                let mut names = std::iter::from_fn(|| fields.text().ok());
                let kept: Vec<String> = names.by_ref().take(count).collect();
                if kept.len() < count {
                    return Err(unknown("settled"));
                }
                Ok(Report::Settled {
                    kept,
                    gone: names.collect(),
                })
            }
            "ended" => {
                let (kind, detail) = (fields.text()?, fields.text()?);
                let ending = match kind.as_str() {
                    "finished" => Ending::Finished,
                    "panicked" => Ending::Panicked,
                    "error" => Ending::ReturnedError(detail),
                    "cancelled" => Ending::Cancelled,
                    "not loaded" => Ending::NotLoaded(detail),
                    other => return Err(unknown(other)),
                };
                Ok(Report::Ended {
                    ending,
                    tasks: fields.number()?,
                    shown: fields.text().ok(),
                })
            }
            "tasks" => {
                let mut places = Vec::new();
                while let Ok(file) = fields.text() {
                    places.push(TaskPlace {
                        file,
                        line: fields.number()?,
                        alive: fields.number()?,
                    });
                }
                Ok(Report::Tasks { places })
            }
            other => Err(unknown(other)),
        }
    }
}

/// The strings of a received frame, taken one by one.
struct Fields(std::vec::IntoIter<Vec<u8>>);

impl Fields {
    fn text(&mut self) -> io::Result<String> {
        let bytes = self.0.next().ok_or_else(|| broken("a field is missing"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn number<N: std::str::FromStr>(&mut self) -> io::Result<N> {
        self.text()?.parse().map_err(|_| broken("not a number"))
    }

    /// The counterpart of [`optional`].
    fn optional(&mut self) -> io::Result<Option<u64>> {
        match self.text()?.as_str() {
            "" => Ok(None),
            number => number.parse().map(Some).map_err(|_| broken("not a number")),
        }
    }

    fn rest(self) -> Vec<String> {
        self.0
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect()
    }
}

fn optional(number: Option<u64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// One frame in one write, so that frames of several threads never mix as long as they share a lock.
fn send(to: &mut impl Write, fields: &[String]) -> io::Result<()> {
    let mut frame =
        Vec::with_capacity(16 + fields.iter().map(|field| field.len() + 4).sum::<usize>());
    frame.extend_from_slice(&(fields.len() as u32).to_le_bytes());
    for field in fields {
        frame.extend_from_slice(&(field.len() as u32).to_le_bytes());
        frame.extend_from_slice(field.as_bytes());
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
        length => Err(broken(&format!("a frame of {length} bytes"))),
    }
}

fn unknown(kind: &str) -> io::Error {
    broken(&format!("a message of unknown kind {kind:?}"))
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
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
        for role in [Role::ForkServer, Role::Runner, Role::Checkpoint(7)] {
            check_report(Report::Hello { pid: 12, role });
        }
        for death in [Death::Exited(3), Death::Killed(11)] {
            check_report(Report::Reaped { pid: 12, death });
        }
        for refused in [None, Some("no memory".to_owned())] {
            check_report(Report::Checkpointed {
                number: 4,
                micros: 130,
                refused,
            });
        }
        check_report(Report::Ended {
            ending: Ending::ReturnedError("zwölf\0".into()),
            shown: Some(String::from("x")),
            tasks: 3,
        });
        check_report(Report::Settled {
            kept: vec!["a".into()],
            gone: vec!["b".into(), "变量".into()],
        });
        check_report(Report::Ended {
            ending: Ending::Cancelled,
            shown: None,
            tasks: 0,
        });
        check_report(Report::Panicked {
            on_cell_thread: true,
            thread: "main".into(),
            file: "body.rs".into(),
            line: 3,
            column: 9,
            message: "boom\nboom".into(),
        });
        check_report(Report::Tasks {
            places: vec![TaskPlace {
                file: "body.rs".into(),
                line: 2,
                alive: 40,
            }],
        });
    }

    #[test]
    fn requests_survive_the_crossing() {
        let runtime = |flavour| Request::Runtime { flavour };
        for request in [
            Request::Spawn,
            Request::Resume,
            Request::Tasks,
            Request::Cancel,
            Request::Checkpoint { number: 3 },
            Request::Environment {
                name: "A".into(),
                value: "ä=b c".into(),
            },
            runtime(Flavour::CurrentThread),
            runtime(Flavour::MultiThread),
            runtime(Flavour::Workers(3)),
            Request::Forget {
                names: vec!["a".into(), "b".into()],
            },
            Request::Run {
                library: "/tmp/ü.so".into(),
                entry: "cell".into(),
                checkpoint: Some(8),
            },
            Request::Run {
                library: "a".into(),
                entry: "b".into(),
                checkpoint: None,
            },
        ] {
            let mut bytes = Vec::new();
            request.send(&mut bytes).unwrap();
            assert_eq!(Request::receive(&mut bytes.as_slice()).unwrap(), request);
        }
    }
}
