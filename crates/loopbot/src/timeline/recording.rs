//! What a timeline recorded, as plain data, and what follows from it. Measures nothing and draws nothing.

use std::time::Duration;

/// Everything a [`Timeline`](crate::Timeline) has recorded so far. All times count from the first thing recorded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// The title given to the timeline.
    pub title: String,
    /// Whether the times are those of a paused clock.
    pub virtual_time: bool,
    /// In the order in which they were added.
    pub lanes: Vec<Lane>,
}

/// What kind of thing a lane is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A future: it runs only while it is polled.
    Task,
    /// An operating-system thread.
    Thread,
    /// A stretch of ordinary code on the thread that called [`Timeline::run`](crate::Timeline::run).
    Stretch,
}

/// How a lane came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// It has not ended yet.
    Open,
    /// It returned.
    Done,
    /// It was dropped before it was done: cancelled.
    Dropped,
    /// It panicked.
    Panicked,
}

/// One task, thread or stretch.
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    /// The name it was given.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Each time it ran, in order; for a task, each poll.
    pub spans: Vec<Span>,
    /// Each time its waker was called, in order.
    pub wakes: Vec<Wake>,
    /// Marks set with [`Timeline::note`](crate::Timeline::note).
    pub notes: Vec<Note>,
    /// How it ended.
    pub end: End,
    /// When it ended; `None` while it is open.
    pub ended: Option<Duration>,
}

/// One uninterrupted run on one thread.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// When it began.
    pub start: Duration,
    /// When it ended.
    pub end: Duration,
    /// The thread's short name.
    pub thread: String,
    /// Real time it took, also when the clock was paused.
    pub real: Duration,
    /// Time a core spent on it; `None` where the system does not tell.
    pub cpu: Option<Duration>,
}

/// One call of a task's waker.
#[derive(Debug, Clone, PartialEq)]
pub struct Wake {
    /// When.
    pub at: Duration,
    /// The lane or thread that called it.
    pub by: String,
    /// How many polls of the woken lane had begun by then. On a paused clock a wake and the poll it leads to have the
    /// same time; this tells them apart.
    pub polls: usize,
}

/// A mark on a lane.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// When.
    pub at: Duration,
    /// What.
    pub text: String,
}

/// What a lane is doing during a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// It runs on a thread; a task is being polled.
    Running,
    /// It was woken and waits to be polled.
    Ready,
    /// It waits for something to wake it.
    Waiting,
}

/// A stretch of a lane's life in one state.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// What it was doing.
    pub state: State,
    /// From when.
    pub start: Duration,
    /// Until when.
    pub end: Duration,
    /// On which thread, if it ran.
    pub thread: Option<String>,
}

impl Lane {
    /// When it first ran.
    pub fn start(&self) -> Option<Duration> {
        self.spans.first().map(|span| span.start)
    }

    /// When it was last seen: its end, or the end of its last run.
    pub fn last(&self) -> Option<Duration> {
        let last_run = self.spans.last().map(|span| span.end);
        self.start()?;
        self.ended.max(last_run)
    }

    /// From first start to end.
    pub fn lifetime(&self) -> Duration {
        match (self.start(), self.last()) {
            (Some(start), Some(last)) => last.saturating_sub(start),
            _ => Duration::ZERO,
        }
    }

    /// How often it ran; for a task, how often it was polled.
    pub fn polls(&self) -> usize {
        self.spans.len()
    }

    /// Time it ran.
    pub fn running(&self) -> Duration {
        self.spans
            .iter()
            .map(|span| span.end.saturating_sub(span.start))
            .sum()
    }

    /// Time between its runs: ready and waiting together.
    pub fn waiting(&self) -> Duration {
        self.lifetime().saturating_sub(self.running())
    }

    /// Time a core spent on it; `None` where the system does not tell.
    pub fn cpu(&self) -> Option<Duration> {
        self.spans.iter().map(|span| span.cpu).sum()
    }

    /// The threads it ran on, each once, in order of appearance.
    pub fn threads(&self) -> Vec<&str> {
        let mut threads: Vec<&str> = Vec::new();
        for span in &self.spans {
            if !threads.contains(&span.thread.as_str()) {
                threads.push(&span.thread);
            }
        }
        threads
    }

    /// Its life from first run to end, cut where its state changes.
    pub fn phases(&self) -> Vec<Phase> {
        let mut phases = Vec::new();
        let mut add = |state, start: Duration, end: Duration, thread: Option<&str>| {
            if end > start || state == State::Running {
                let thread = thread.map(str::to_owned);
                phases.push(Phase {
                    state,
                    start,
                    end,
                    thread,
                });
            }
        };
        let mut wakes = self.wakes.iter().peekable();
        for (index, span) in self.spans.iter().enumerate() {
            add(State::Running, span.start, span.end, Some(&span.thread));
            let next = self.spans.get(index + 1).map(|next| next.start);
            let Some(until) = next.or(self.last()).filter(|until| *until >= span.end) else {
                continue;
            };
            // Earlier wakes caused this poll or one before it; a wake during the poll counts for the time after it.
            while wakes.next_if(|wake| wake.polls <= index).is_some() {}
            let woken = wakes.peek().filter(|wake| wake.polls == index + 1);
            let woken = woken.map_or(until, |wake| wake.at.clamp(span.end, until));
            add(State::Waiting, span.end, woken, None);
            add(State::Ready, woken, until, None);
        }
        phases
    }
}

impl Recording {
    /// The lane with this name; the first, if several have it.
    pub fn lane(&self, name: &str) -> Option<&Lane> {
        self.lanes.iter().find(|lane| lane.name == name)
    }

    /// From the first start to the last end.
    pub fn total(&self) -> Duration {
        let first = self.lanes.iter().filter_map(Lane::start).min();
        let last = self.lanes.iter().filter_map(Lane::last).max();
        last.unwrap_or_default()
            .saturating_sub(first.unwrap_or_default())
    }

    /// The lifetimes of all lanes added up: the time they would take one after the other.
    pub fn sum(&self) -> Duration {
        self.lanes.iter().map(Lane::lifetime).sum()
    }

    /// The threads of all lanes, each once, in order of appearance.
    pub fn threads(&self) -> Vec<&str> {
        let mut threads: Vec<&str> = Vec::new();
        for name in self.lanes.iter().flat_map(Lane::threads) {
            if !threads.contains(&name) {
                threads.push(name);
            }
        }
        threads
    }

    /// The most lanes that were alive (started, not ended) at one moment.
    pub fn most_at_once(&self) -> usize {
        most_at_once(
            self.lanes
                .iter()
                .filter_map(|lane| Some((lane.start()?, lane.last()?))),
        )
    }

    /// The most lanes that ran at one moment.
    pub fn most_running(&self) -> usize {
        let spans = self.lanes.iter().flat_map(|lane| &lane.spans);
        most_at_once(spans.map(|span| (span.start, span.end)))
    }
}

fn most_at_once(stretches: impl Iterator<Item = (Duration, Duration)>) -> usize {
    // Ends sort before starts, so that stretches which only touch do not overlap.
    let mut turns: Vec<(Duration, i8)> = stretches
        .filter(|(start, end)| end > start)
        .flat_map(|(start, end)| [(start, 1), (end, -1)])
        .collect();
    turns.sort_unstable();
    let (mut now, mut most) = (0_i64, 0);
    for (_, turn) in turns {
        now += i64::from(turn);
        most = most.max(now);
    }
    usize::try_from(most).unwrap_or(0)
}
