//! What a kernel remembers between requests: the number of the next cell and the history of this session.
//!
//! History lives in memory and ends with the process; earlier sessions are never offered.

use std::collections::HashSet;

use jupyter_protocol::{HistoryEntry, HistoryRequest};
use wildmatch::WildMatch;

/// Number of the only session there is.
const SESSION: usize = 1;

#[derive(Default)]
pub(crate) struct Session {
    history: Vec<Entry>,
    cells: usize,
}

struct Entry {
    number: usize,
    input: String,
    output: String,
}

impl Session {
    /// The number of the next cell, from 1. Only a `counted` cell uses it up.
    pub(crate) fn next_number(&mut self, counted: bool) -> usize {
        let number = self.cells + 1;
        if counted {
            self.cells = number;
        }
        number
    }

    /// How many cells were counted.
    pub(crate) fn cells(&self) -> usize {
        self.cells
    }

    /// Stores a cell under its number, before it runs.
    pub(crate) fn remember(&mut self, number: usize, input: &str) {
        let input = input.to_owned();
        let output = String::new();
        self.history.push(Entry {
            number,
            input,
            output,
        });
    }

    /// Adds what the cell showed as its result.
    pub(crate) fn remember_output(&mut self, number: usize, output: &str) {
        if let Some(entry) = self
            .history
            .iter_mut()
            .rev()
            .find(|entry| entry.number == number)
        {
            entry.output = output.to_owned();
        }
    }

    /// The entries that `request` asks for, oldest first.
    pub(crate) fn history(&self, request: &HistoryRequest) -> Vec<HistoryEntry> {
        match request {
            HistoryRequest::Tail { n, output, .. } => {
                entries(last(self.history.iter(), *n), *output)
            }
            HistoryRequest::Range {
                session,
                start,
                stop,
                output,
                ..
            } => {
                // 0 is the current session, which is also number 1; no other exists.
                if !matches!(session, None | Some(0) | Some(1)) {
                    return Vec::new();
                }
                let range = clamp(*start)..clamp(*stop);
                let chosen = self
                    .history
                    .iter()
                    .filter(|entry| range.contains(&entry.number));
                entries(chosen, *output)
            }
            HistoryRequest::Search {
                pattern,
                unique,
                output,
                n,
                ..
            } => {
                let pattern = WildMatch::new(pattern);
                let mut seen = HashSet::new();
                let mut found: Vec<&Entry> = self
                    .history
                    .iter()
                    .rev()
                    .filter(|entry| pattern.matches(&entry.input))
                    // The latest of equal cells stays.
                    .filter(|entry| !unique || seen.insert(entry.input.as_str()))
                    .collect();
                found.reverse();
                entries(last(found.into_iter(), *n), *output)
            }
        }
    }
}

fn clamp(number: i32) -> usize {
    usize::try_from(number).unwrap_or(0)
}

fn last<'a>(
    entries: impl ExactSizeIterator<Item = &'a Entry>,
    n: i32,
) -> impl Iterator<Item = &'a Entry> {
    let skip = entries.len().saturating_sub(clamp(n));
    entries.skip(skip)
}

fn entries<'a>(chosen: impl Iterator<Item = &'a Entry>, output: bool) -> Vec<HistoryEntry> {
    chosen
        .map(|entry| {
            let input = entry.input.clone();
            if output {
                let both = (input, entry.output.clone());
                HistoryEntry::InputOutput(SESSION, entry.number, both)
            } else {
                HistoryEntry::Input(SESSION, entry.number, input)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(request: Value, expected: Value) {
        let mut session = Session::default();
        for (code, output) in [
            ("let a = 1;", ""),
            ("a + 1", "2"),
            ("let b;", ""),
            ("a + 1", "2"),
        ] {
            let number = session.next_number(true);
            session.remember(number, code);
            session.remember_output(number, output);
        }
        let request: HistoryRequest =
            serde_json::from_value(request).unwrap_or_else(|error| panic!("{error}"));
        let found = serde_json::to_value(session.history(&request)).unwrap_or_default();
        assert_eq!(found, expected);
    }

    #[test]
    fn tail_gives_the_last_entries_in_order() {
        check(
            json!({"hist_access_type": "tail", "n": 2, "output": false, "raw": true}),
            json!([[1, 3, "let b;"], [1, 4, "a + 1"]]),
        );
    }

    #[test]
    fn a_range_leaves_out_its_end() {
        check(
            json!({"hist_access_type": "range", "session": 0, "start": 1, "stop": 3, "output": true, "raw": true}),
            json!([[1, 1, ["let a = 1;", ""]], [1, 2, ["a + 1", "2"]]]),
        );
        check(
            json!({"hist_access_type": "range", "session": -1, "start": 1, "stop": 3, "output": false, "raw": true}),
            json!([]),
        );
    }

    #[test]
    fn a_search_matches_patterns_and_can_drop_repeats() {
        check(
            json!({"hist_access_type": "search", "pattern": "a*", "unique": true, "n": 9, "output": false, "raw": true}),
            json!([[1, 4, "a + 1"]]),
        );
        check(
            json!({"hist_access_type": "search", "pattern": "let ?*", "unique": false, "n": 1, "output": false, "raw": true}),
            json!([[1, 3, "let b;"]]),
        );
    }

    #[test]
    fn an_uncounted_cell_leaves_the_counter_alone() {
        let mut session = Session::default();
        assert_eq!(session.next_number(false), 1);
        assert_eq!(session.next_number(true), 1);
        assert_eq!(session.next_number(true), 2);
        assert_eq!(session.cells(), 2);
    }
}
