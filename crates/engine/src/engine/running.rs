//! What runs on when a cell has ended: threads, and tasks of Tokio; where each was started; what goes with a process.
//!
//! Threads are read from the system after each cell, so a new one is known by the cell that started it. Where the system
//! does not tell (macOS), there are none to see.

use std::time::Duration;

use loopbot_runtime::wire::{Request, TaskPlace};

use super::Engine;
use crate::child::News;
use crate::event::Failure;
use crate::session::Variable;
use crate::type_name::short;

/// Types whose values belong to a thread, a task, a connection or a program of the process that made them.
const BOUND: [&str; 17] = [
    "JoinHandle",
    "AbortHandle",
    "JoinSet",
    "TaskTracker",
    "Runtime",
    "Handle",
    "TcpListener",
    "TcpStream",
    "UdpSocket",
    "UnixListener",
    "UnixStream",
    "Child",
    "Sleep",
    "Interval",
    "Receiver",
    "UnboundedReceiver",
    "ThreadPool",
];

/// The threads and tasks that were there when the last cell ended.
#[derive(Debug, Default)]
pub(super) struct Running {
    threads: Vec<Thread>,
    tasks: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Thread {
    id: u32,
    /// `None` if the learner gave it no name.
    name: Option<String>,
    /// The number of the cell that started it.
    cell: usize,
}

impl Running {
    /// Looks again, at the end of cell `number`.
    pub(super) fn look(&mut self, pid: u32, number: usize, tasks: usize) {
        self.tasks = tasks;
        let present = threads_of(pid);
        self.threads
            .retain(|thread| present.iter().any(|(id, _)| *id == thread.id));
        for (id, name) in present {
            match self.threads.iter_mut().find(|known| known.id == id) {
                // A thread gives itself its name, a moment after it began.
                Some(known) => known.name = name,
                None => self.threads.push(Thread {
                    id,
                    name,
                    cell: number,
                }),
            }
        }
    }

    /// Nothing runs any more.
    pub(super) fn forget(&mut self) {
        *self = Running::default();
    }
}

/// The learner's threads in a process, with their names.
fn threads_of(pid: u32) -> Vec<(u32, Option<String>)> {
    let name = |id: u32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/task/{id}/comm"));
        text.unwrap_or_default().trim_end().to_owned()
    };
    let ids = std::fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let ids: Vec<u32> = ids
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|id| *id != pid)
        .collect();
    // A thread without a name has the name of the one that started it.
    let main = name(pid);
    ids.into_iter()
        .map(|id| (id, name(id)))
        .filter(|(_, name)| name != "requests" && !name.starts_with("tokio-r"))
        .map(|(id, name)| (id, (name != main).then_some(name)))
        .collect()
}

impl Engine {
    /// What ends with the present process, as a sentence (with a space before it); empty if that is nothing.
    pub(super) fn losses(&self) -> String {
        let count = |number: usize, what: &str| match number {
            0 => None,
            1 => Some(format!("one {what}")),
            more => Some(format!("{more} {what}s")),
        };
        let gone: Vec<String> = count(self.running.threads.len(), "thread")
            .into_iter()
            .chain(count(self.running.tasks, "Tokio task"))
            .collect();
        let bound = |variable: &&Variable| {
            let kind = short(&variable.kind);
            let words = kind.split(|character: char| !character.is_alphanumeric());
            words.into_iter().any(|word| {
                BOUND.contains(&word) && (!word.ends_with("Receiver") || !gone.is_empty())
            })
        };
        let bound: Vec<String> = self
            .session
            .variables
            .iter()
            .filter(bound)
            .map(|variable| format!("`{}`", variable.name))
            .collect();
        let mut text = String::new();
        if !gone.is_empty() {
            text += &format!(
                " Gone with the old process: {}; a lock that one of them held stays locked.",
                gone.join(" and ")
            );
        }
        if !bound.is_empty() {
            text += &format!(
                " Threads, tasks, connections and programs are not brought back; what {} stood for is gone, so run the cell that makes it again.",
                bound.join(", ")
            );
        }
        text
    }

    /// The text of `:threads`.
    pub(super) fn threads_text(&mut self) -> Result<String, Box<Failure>> {
        let number = self.number;
        let child = &mut self.stage()?.child;
        child.line().send(&Request::Tasks);
        let mut places = Vec::new();
        while let Some(news) = child.next(Duration::from_secs(5)) {
            match news {
                News::Tasks(found) => {
                    places = found;
                    break;
                }
                News::Died { .. } | News::Orphaned => break,
                _ => {}
            }
        }
        let tasks = places.iter().map(|place| place.alive).sum();
        if let Some(pid) = child.line().pid() {
            self.running.look(pid, number, tasks);
        }
        if self.running.threads.is_empty() && places.is_empty() {
            return Ok("Nothing runs besides the cells.".into());
        }
        let mut text = String::new();
        if !self.running.threads.is_empty() {
            text += "Threads that run:\n";
            for thread in &self.running.threads {
                let name = match &thread.name {
                    Some(name) => format!("`{name}`"),
                    None => "without a name".into(),
                };
                text += &format!("  {name}, started in cell [{}]\n", thread.cell);
            }
        }
        if !places.is_empty() {
            text += "Tokio tasks that have not ended:\n";
            for place in &places {
                text += &format!("  {}\n", self.task_text(place));
            }
        }
        Ok(text + "`:threads stop` ends them all and keeps the variables.")
    }

    fn task_text(&self, place: &TaskPlace) -> String {
        let place_text = match self.cells.line(&place.file, place.line as usize) {
            Some((cell, line)) => format!("cell [{cell}], line {line}"),
            None => format!(
                "{}, line {}",
                crate::panics::short_path(&place.file),
                place.line
            ),
        };
        format!("{}, spawned at {place_text}", place.alive)
    }
}
