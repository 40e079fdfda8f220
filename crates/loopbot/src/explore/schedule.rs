//! One schedule of an explored program: who did what in which order. Data and its sentences; `draw` makes the picture.

use std::fmt;

use super::outcome::Outcome;
use crate::picture::Picture;
use crate::table::Table;

/// One thing that happened in a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) thread: usize,
    pub(crate) kind: EventKind,
    pub(crate) text: String,
    pub(crate) line: u32,
    /// The kind, number and name of the object it was done to.
    pub(crate) object: Option<(&'static str, usize, Option<String>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// A step that other threads can see.
    Step,
    /// From here on the thread waits.
    Wait,
    /// The learner's own label.
    Mark,
    /// The thread panicked.
    Panic,
}

/// A row of a schedule, ready to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) thread: usize,
    pub(crate) kind: EventKind,
    pub(crate) text: String,
    pub(crate) line: u32,
}

/// One order of the steps of an explored program, with what it led to.
///
/// Get one from [`Exploration::losing`](super::Exploration::losing) or [`replay`](super::replay()). As the last
/// expression of a cell it shows who did what in which order.
#[derive(Debug, Clone)]
pub struct Schedule<T> {
    pub(crate) found: Option<Found<T>>,
    /// Why there is none.
    pub(crate) why_not: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Found<T> {
    pub(crate) outcome: Outcome<T>,
    pub(crate) token: String,
    pub(crate) threads: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

impl<T: fmt::Debug> Schedule<T> {
    pub(crate) fn none(why_not: impl Into<String>) -> Schedule<T> {
        Schedule {
            found: None,
            why_not: why_not.into(),
        }
    }

    /// Whether there is such a schedule.
    pub fn is_some(&self) -> bool {
        self.found.is_some()
    }

    /// What it led to; `None` if there is no such schedule.
    pub fn outcome(&self) -> Option<&Outcome<T>> {
        self.found.as_ref().map(|found| &found.outcome)
    }

    /// The text that [`replay`](super::replay()) repeats this schedule from; empty if there is none.
    pub fn token(&self) -> &str {
        self.found.as_ref().map_or("", |found| &found.token)
    }

    /// What each step did, in order: thread, text, line.
    pub fn steps(&self) -> Vec<(&str, &str, u32)> {
        let Some(found) = &self.found else {
            return Vec::new();
        };
        let rows = found.rows.iter();
        let name = |row: &Row| found.threads.get(row.thread).map_or("?", String::as_str);
        rows.map(|row| (name(row), row.text.as_str(), row.line))
            .collect()
    }

    /// What is to be seen, in sentences.
    pub fn verdict(&self) -> Vec<String> {
        let Some(found) = &self.found else {
            return vec![self.why_not.clone()];
        };
        let mut sentences = vec![match &found.outcome {
            Outcome::Value(value) => format!("This order of the steps leads to `{value:?}`."),
            Outcome::Panicked(message) => {
                format!("This order of the steps ends in a panic: {message}.")
            }
            Outcome::Deadlock(why) => format!("This order of the steps ends in a deadlock: {why}."),
            Outcome::Endless => {
                "This order of the steps does not end: a loop goes round for ever.".into()
            }
        }];
        sentences.push(format!(
            "To run it again: `replay(\"{}\", …)` with the same program.",
            found.token
        ));
        sentences
    }

    /// The picture of the schedule.
    pub fn picture(&self) -> Picture {
        super::draw::schedule(self)
    }

    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new(["step", "thread", "does", "line"]);
        for (number, (thread, text, line)) in self.steps().into_iter().enumerate() {
            table.row([
                (number + 1).to_string(),
                thread.into(),
                text.into(),
                // A lock that opens at the end of its scope has no line of its own.
                if line == 0 {
                    String::new()
                } else {
                    line.to_string()
                },
            ]);
        }
        table
    }

    /// Shows the schedule now, for a cell whose last expression is something else.
    pub fn show(&self) {
        match &self.found {
            Some(_) => self.picture().show(),
            None => crate::show::Bundle::default()
                .with("text/plain", self.why_not.clone())
                .show(),
        }
    }

    /// Shows the schedule as the result of a cell; kernels call it.
    pub fn evcxr_display(&self) {
        self.show();
    }
}

/// Events with the objects named: by their own name, or by kind and number where there are several of a kind.
pub(crate) fn rows(events: Vec<Event>) -> Vec<Row> {
    let several = |kind: &str| {
        let numbers = events.iter().filter_map(|event| event.object.as_ref());
        let mut numbers = numbers
            .filter(|(other, ..)| *other == kind)
            .map(|(_, number, _)| *number);
        numbers
            .next()
            .is_some_and(|first| numbers.any(|other| other != first))
    };
    let rows = events.iter().map(|event| {
        let text = match &event.object {
            Some((_, _, Some(name))) => format!("{name}.{}", event.text),
            Some((kind, number, None)) if several(kind) => {
                format!("{kind} {number}: {}", event.text)
            }
            _ => event.text.clone(),
        };
        Row {
            thread: event.thread,
            kind: event.kind,
            text,
            line: event.line,
        }
    });
    rows.collect()
}
