//! How much one cell may print before the rest is left out, so that a loop without end does not freeze the page.
//!
//! Everything the child prints is read, whatever happens here: the learner's program never waits because of it. What is
//! beyond the allowance is counted, its last lines are kept, and both are shown when the cell ends. It refuses to judge
//! what the engine itself has to say: notes and warnings do not come this way.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use loopbot_runtime::show::grouped;

use crate::child::Sink;
use crate::event::Event;

const MIB: usize = 1 << 20;
/// Text of one cell, in bytes: 200,000 ordinary lines fit, and JupyterLab still scrolls.
const USUAL: usize = 4 * MIB;
/// Text of threads that go on printing after their cell, in bytes: nobody is watching, and nothing ends it.
const BETWEEN_CELLS: usize = MIB;
/// Pictures, tables and other displays of one cell.
const DISPLAYS: usize = 500;
/// How much of the text left out is kept, in bytes, and how many lines of it are shown in the end.
const TAIL: usize = 8 << 10;
const LAST_LINES: usize = 10;

/// Counts what the cells print. Shared between the engine, which knows when a cell begins and ends, and the listener.
#[derive(Debug, Default)]
pub(crate) struct Allowance(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Bytes of text a cell may print; `None` for no limit.
    limit: Option<usize>,
    running: bool,
    /// Bytes of text shown since the cell began, or since it ended.
    shown: usize,
    /// Whether the text shown ends within a line.
    mid_line: bool,
    displays: usize,
    /// Displays that later ones take the place of; these cost nothing.
    live: BTreeSet<String>,
    left_out: Option<LeftOut>,
    displays_left_out: usize,
}

impl Default for State {
    fn default() -> State {
        State {
            limit: Some(USUAL),
            running: false,
            shown: 0,
            mid_line: false,
            displays: 0,
            live: BTreeSet::new(),
            left_out: None,
            displays_left_out: 0,
        }
    }
}

/// What was printed and not shown.
#[derive(Debug, Default)]
struct LeftOut {
    bytes: usize,
    lines: usize,
    /// The last pieces, and which of them went to standard output.
    tail: VecDeque<(bool, String)>,
    tail_bytes: usize,
}

impl Allowance {
    /// A sink for the child's output: what is within the allowance goes on to `sink`.
    pub(crate) fn limited(self: &Arc<Self>, sink: Sink) -> Sink {
        let allowance = self.clone();
        Arc::new(move |event| {
            let events = allowance.lock().take(event);
            // Not under the lock: the sink may wait for its reader.
            for event in events {
                sink(event);
            }
        })
    }

    /// A cell begins, with the whole allowance.
    pub(crate) fn begin(&self) {
        self.lock().start_anew(true);
    }

    /// The cell has ended: says what was left out.
    pub(crate) fn end(&self, sink: &Sink) {
        let events = {
            let mut state = self.lock();
            let events = state.summary();
            state.start_anew(false);
            events
        };
        for event in events {
            sink(event);
        }
    }

    /// Reads the argument of `:output` and sets the limit. What holds from now on, in a sentence.
    ///
    /// # Errors
    /// When the argument is neither a number of MiB nor `all`; a sentence that says so.
    pub(crate) fn set(&self, argument: &str) -> Result<String, String> {
        let mut state = self.lock();
        match argument {
            "" => {}
            "all" => state.limit = None,
            other => match other.trim_end_matches("MiB").trim_end().parse::<usize>() {
                Ok(mib @ 1..=1_000_000) => state.limit = Some(mib.saturating_mul(MIB)),
                _ => {
                    return Err(format!(
                        "`:output` takes a number of MiB (`:output 50`) or `all`, not `{other}`"
                    ));
                }
            },
        }
        Ok(match state.limit {
            None => "Everything a cell prints is shown. A loop that prints without end can now freeze the page; `:output 4` protects it again.".into(),
            Some(limit) => format!(
                "A cell may print {} MiB of text; the rest is left out, but for its last lines. `:output 50` allows 50 MiB, `:output all` everything.",
                limit / MIB
            ),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn start_anew(&mut self, running: bool) {
        *self = State {
            limit: self.limit,
            running,
            ..State::default()
        };
    }

    /// What of an event is shown.
    fn take(&mut self, event: Event) -> Vec<Event> {
        match event {
            Event::Stdout(text) => self.text(true, text),
            Event::Stderr(text) => self.text(false, text),
            Event::Live { ref id, .. } if self.live.contains(id) => vec![event],
            Event::Display(_) | Event::Live { .. } => self.display(event),
            Event::Progress(_) => vec![event],
        }
    }

    fn text(&mut self, to_stdout: bool, mut text: String) -> Vec<Event> {
        if let Some(left_out) = &mut self.left_out {
            left_out.take(to_stdout, &text);
            return Vec::new();
        }
        let limit = match self.limit {
            Some(limit) if self.running => limit,
            Some(limit) => limit.min(BETWEEN_CELLS),
            None => usize::MAX,
        };
        let room = limit - self.shown.min(limit);
        if text.len() <= room {
            self.shown += text.len();
            self.mid_line = !text.ends_with('\n');
            return vec![stream(to_stdout, text)];
        }
        let room = text.floor_char_boundary(room);
        let cut = match text[..room].rfind('\n') {
            Some(newline) => newline + 1,
            // A line is shown whole or not at all, unless it is a very long one.
            None if !self.mid_line && room < TAIL => 0,
            None => room,
        };
        let mut left_out = LeftOut::default();
        left_out.take(to_stdout, &text[cut..]);
        self.left_out = Some(left_out);
        text.truncate(cut);
        let mut events = Vec::new();
        if !text.is_empty() {
            self.mid_line = !text.ends_with('\n');
            events.push(stream(to_stdout, text));
        }
        let new_line = if self.mid_line { "\n" } else { "" };
        events.push(Event::Stderr(format!("{new_line}{}", self.note(limit))));
        events
    }

    fn note(&self, limit: usize) -> String {
        let mib = limit / MIB;
        if self.running {
            format!(
                "… This cell has printed {mib} MiB; much more would make the page slow, so what follows is left out. The \
                 cell runs on, and its last lines are shown when it ends. The stop button (■) stops it. To see more, put \
                 `:output 50` (MiB) or `:output all` above the cell and run it again.\n"
            )
        } else {
            format!(
                "… A thread of an earlier cell goes on printing. It has printed {mib} MiB since that cell ended, so what \
                 follows is left out, until the next cell runs.\n"
            )
        }
    }

    fn display(&mut self, event: Event) -> Vec<Event> {
        self.displays += 1;
        if self.limit.is_none() || self.displays <= DISPLAYS {
            if let Event::Live { id, .. } = &event {
                self.live.insert(id.clone());
            }
            self.mid_line = false;
            return vec![event];
        }
        self.displays_left_out += 1;
        if self.displays_left_out > 1 {
            return Vec::new();
        }
        let new_line = if self.mid_line { "\n" } else { "" };
        vec![Event::Stderr(format!(
            "{new_line}… {DISPLAYS} pictures and tables have been shown; the page would become slow with many more, so \
             what follows is left out. To see all, put `:output all` above the cell and run it again.\n"
        ))]
    }

    /// What was left out, and its last lines.
    fn summary(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        if self.displays_left_out > 0 {
            let count = grouped(self.displays_left_out);
            events.push(Event::Stderr(format!(
                "… {count} pictures and tables left out …\n"
            )));
        }
        if let Some(mut left_out) = self.left_out.take() {
            let last = left_out.last_lines();
            let shown = last.iter().map(|(_, text)| lines(text)).sum::<usize>();
            let lines = left_out.lines.saturating_sub(shown);
            let megabytes = left_out.bytes as f64 / 1e6;
            events.push(Event::Stderr(match lines {
                0 => format!("… {megabytes:.1} MB left out …\n"),
                lines => format!(
                    "… {} lines ({megabytes:.1} MB) left out …\n",
                    grouped(lines)
                ),
            }));
            events.extend(
                last.into_iter()
                    .map(|(to_stdout, text)| stream(to_stdout, text)),
            );
        }
        events
    }
}

impl LeftOut {
    fn take(&mut self, to_stdout: bool, text: &str) {
        self.bytes += text.len();
        self.lines += lines(text);
        let piece = &text[text.ceil_char_boundary(text.len().saturating_sub(TAIL))..];
        self.tail_bytes += piece.len();
        match self.tail.back_mut() {
            Some((same, last)) if *same == to_stdout && last.len() < TAIL => last.push_str(piece),
            _ => self.tail.push_back((to_stdout, piece.to_owned())),
        }
        while let Some((_, first)) = self.tail.front()
            && self.tail_bytes - first.len() >= TAIL
        {
            self.tail_bytes -= first.len();
            self.tail.pop_front();
        }
    }

    fn last_lines(&mut self) -> Vec<(bool, String)> {
        let mut pieces = Vec::new();
        let (mut begun, mut bytes) = (0, 0);
        for (to_stdout, mut piece) in std::mem::take(&mut self.tail).into_iter().rev() {
            let is_last = pieces.is_empty();
            let ends: Vec<usize> = piece.match_indices('\n').map(|(at, _)| at).rev().collect();
            let mut start = piece.ceil_char_boundary((piece.len() + bytes).saturating_sub(TAIL));
            let mut enough = start > 0;
            for at in ends {
                // The newline that ends the very last line begins no other.
                if is_last && at + 1 == piece.len() {
                    continue;
                }
                begun += 1;
                if begun == LAST_LINES {
                    start = start.max(at + 1);
                    enough = true;
                    break;
                }
            }
            let piece = piece.split_off(start.min(piece.len()));
            bytes += piece.len();
            if !piece.is_empty() {
                pieces.push((to_stdout, piece));
            }
            if enough || bytes >= TAIL {
                break;
            }
        }
        pieces.reverse();
        pieces
    }
}

fn stream(to_stdout: bool, text: String) -> Event {
    if to_stdout {
        Event::Stdout(text)
    } else {
        Event::Stderr(text)
    }
}

fn lines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::MimeBundle;

    /// Everything shown of `events` in a cell, then what its end adds.
    fn shown(
        allowance: &Arc<Allowance>,
        events: impl IntoIterator<Item = Event>,
    ) -> (Vec<Event>, Vec<Event>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let place = seen.clone();
        let sink: Sink = Arc::new(move |event| place.lock().unwrap().push(event));
        allowance.begin();
        let limited = allowance.limited(sink.clone());
        events.into_iter().for_each(|event| limited(event));
        let before = std::mem::take(&mut *seen.lock().unwrap());
        allowance.end(&sink);
        let after = std::mem::take(&mut *seen.lock().unwrap());
        (before, after)
    }

    fn line(number: usize) -> Event {
        Event::Stdout(format!("line {number}\n"))
    }

    #[test]
    fn two_hundred_thousand_lines_are_shown() {
        let (before, after) = shown(&Arc::default(), (0..200_000).map(line));
        assert_eq!((before.len(), after.len()), (200_000, 0));
    }

    #[test]
    fn more_is_left_out_but_for_the_last_lines() {
        let allowance = Arc::default();
        let (mut before, after) = shown(&allowance, (0..1_000_000).map(line));
        let Some(Event::Stderr(note)) = before.pop() else {
            panic!("no note");
        };
        assert!(
            note.contains("4 MiB") && note.contains(":output all"),
            "{note}"
        );
        let last: String = (999_990..1_000_000)
            .map(|n| format!("line {n}\n"))
            .collect();
        let left = 1_000_000 - before.len() - 10;
        let [Event::Stderr(summary), Event::Stdout(tail)] = after.as_slice() else {
            panic!("{after:?}");
        };
        assert!(
            summary.starts_with(&format!("… {} lines (", grouped(left))),
            "{summary}"
        );
        assert_eq!(*tail, last);
        let (before, after) = shown(&allowance, [line(1)]);
        assert_eq!(
            (before, after),
            (vec![line(1)], Vec::new()),
            "the next cell has its own"
        );
    }

    #[test]
    fn a_line_without_end_is_cut_at_a_character() {
        let (before, after) = shown(
            &Arc::default(),
            (0..3).map(|_| Event::Stdout("ä".repeat(1_048_577))),
        );
        let text: String = before
            .iter()
            .filter_map(|event| match event {
                Event::Stdout(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(text.len(), 4 * MIB);
        assert!(matches!(before.last(), Some(Event::Stderr(note)) if note.starts_with('\n')));
        let [Event::Stderr(summary), Event::Stdout(tail)] = after.as_slice() else {
            panic!("{after:?}");
        };
        assert_eq!(summary, "… 2.1 MB left out …\n");
        assert_eq!(tail.len(), TAIL);
    }

    #[test]
    fn the_last_lines_keep_their_streams_and_their_order() {
        let allowance = Arc::<Allowance>::default();
        allowance.set("1").unwrap();
        let flood = Event::Stdout("x".repeat(MIB + 1) + "\n");
        let ends = (0..20).map(|n| match n % 2 {
            0 => Event::Stdout(format!("out {n}\n")),
            _ => Event::Stderr(format!("err {n}\n")),
        });
        let (_, after) = shown(&allowance, [flood].into_iter().chain(ends.clone()));
        let last: Vec<Event> = ends.skip(10).collect();
        assert_eq!(after[1..], last);
    }

    #[test]
    fn many_pictures_are_left_out_and_updates_are_not() {
        let picture = || Event::Display(MimeBundle::default());
        let live = |_| Event::Live {
            id: "one".into(),
            forms: MimeBundle::default(),
        };
        let (before, _) = shown(&Arc::default(), (0..10_000).map(live));
        assert_eq!(before.len(), 10_000);
        let (before, after) = shown(&Arc::default(), (0..2_000).map(|_| picture()));
        assert_eq!(before.len(), DISPLAYS + 1);
        let [Event::Stderr(summary)] = after.as_slice() else {
            panic!("{after:?}");
        };
        assert_eq!(summary, "… 1,500 pictures and tables left out …\n");
    }

    #[test]
    fn the_directive_takes_mebibytes_or_all() {
        let allowance = Arc::<Allowance>::default();
        assert!(allowance.set("").unwrap().contains("4 MiB"));
        assert!(allowance.set("50").unwrap().contains("50 MiB"));
        assert!(allowance.set("0").unwrap_err().contains(":output 50"));
        assert!(allowance.set("much").unwrap_err().contains("`much`"));
        assert!(allowance.set("all").unwrap().contains("Everything"));
        let (before, after) = shown(&allowance, (0..1_000_000).map(line));
        assert_eq!((before.len(), after.len()), (1_000_000, 0));
    }
}
