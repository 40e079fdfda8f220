//! Where lanes write while they run: one list behind one lock. Turns what it holds into a [`Recording`].

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use super::clock::{self, Moment};
use super::recording::{End, Kind, Lane, Note, Recording, Span, Wake};

/// Notes, wakes and polls of one lane beyond this number are not kept, so that an endless loop cannot fill the memory.
const MOST_ENTRIES: usize = 200_000;

#[derive(Debug)]
pub(crate) struct Store {
    title: String,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    lanes: Vec<RawLane>,
    /// Short names of the threads seen, in order of appearance.
    threads: Vec<(ThreadId, String)>,
    virtual_time: bool,
}

#[derive(Debug)]
struct RawLane {
    name: String,
    kind: Kind,
    begun: usize,
    spans: Vec<RawSpan>,
    wakes: Vec<RawWake>,
    notes: Vec<(Moment, String)>,
    end: End,
    ended: Option<Moment>,
}

#[derive(Debug)]
struct RawWake {
    at: Moment,
    by: String,
    polls: usize,
}

#[derive(Debug)]
struct RawSpan {
    start: Moment,
    end: Moment,
    thread: usize,
    real: Duration,
    cpu: Option<Duration>,
}

thread_local! {
    /// The lanes that are running on this thread, innermost last.
    static RUNNING: RefCell<Vec<(Arc<Store>, usize)>> = const { RefCell::new(Vec::new()) };
}

impl Store {
    pub(crate) fn new(title: &str) -> Store {
        Store {
            title: title.to_owned(),
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add_lane(&self, name: &str, kind: Kind) -> usize {
        let mut inner = self.lock();
        inner.virtual_time |= clock::is_virtual();
        inner.lanes.push(RawLane {
            name: name.to_owned(),
            kind,
            begun: 0,
            spans: Vec::new(),
            wakes: Vec::new(),
            notes: Vec::new(),
            end: End::Open,
            ended: None,
        });
        inner.lanes.len() - 1
    }

    /// The lane with this name, added if there is none.
    pub(crate) fn lane_named(&self, name: &str) -> usize {
        let found = self.lock().lanes.iter().position(|lane| lane.name == name);
        found.unwrap_or_else(|| self.add_lane(name, Kind::Stretch))
    }

    pub(crate) fn wake(&self, lane: usize) {
        let (at, by) = (Moment::now(), who());
        let mut inner = self.lock();
        if let Some(lane) = inner.lanes.get_mut(lane)
            && lane.wakes.len() < MOST_ENTRIES
        {
            let polls = lane.begun;
            lane.wakes.push(RawWake { at, by, polls });
        }
    }

    pub(crate) fn note(&self, lane: usize, text: &str) {
        let at = Moment::now();
        let mut inner = self.lock();
        inner.virtual_time |= clock::is_virtual();
        if let Some(lane) = inner.lanes.get_mut(lane)
            && lane.notes.len() < MOST_ENTRIES
        {
            lane.notes.push((at, text.to_owned()));
        }
    }

    pub(crate) fn finish(&self, lane: usize, end: End) {
        let at = Moment::now();
        let mut inner = self.lock();
        if let Some(lane) = inner.lanes.get_mut(lane) {
            lane.end = end;
            lane.ended = Some(at);
        }
    }

    fn add_span(&self, lane: usize, start: Moment, real: Duration, cpu: Option<Duration>) {
        let end = Moment::now();
        let mut inner = self.lock();
        inner.virtual_time |= clock::is_virtual();
        let thread = inner.thread();
        if let Some(lane) = inner.lanes.get_mut(lane)
            && lane.spans.len() < MOST_ENTRIES
        {
            lane.spans.push(RawSpan {
                start,
                end,
                thread,
                real,
                cpu,
            });
        }
    }

    /// What has been recorded so far, with times from the first of it.
    pub(crate) fn recording(&self) -> Recording {
        let inner = self.lock();
        let first = inner.lanes.iter().flat_map(|lane| {
            let spans = lane.spans.iter().map(|span| span.start);
            spans.chain(lane.notes.iter().map(|(at, _)| *at))
        });
        let first = first.min();
        let since = |moment: Moment| {
            first.map_or(Duration::ZERO, |first| {
                moment.saturating_duration_since(first)
            })
        };
        let lanes = inner.lanes.iter().map(|lane| Lane {
            name: lane.name.clone(),
            kind: lane.kind,
            spans: lane
                .spans
                .iter()
                .map(|span| Span {
                    start: since(span.start),
                    end: since(span.end),
                    thread: inner
                        .threads
                        .get(span.thread)
                        .map_or_else(String::new, |(_, name)| name.clone()),
                    real: span.real,
                    cpu: span.cpu,
                })
                .collect(),
            wakes: lane
                .wakes
                .iter()
                .map(|wake| Wake {
                    at: since(wake.at),
                    by: wake.by.clone(),
                    polls: wake.polls,
                })
                .collect(),
            notes: lane
                .notes
                .iter()
                .map(|(at, text)| Note {
                    at: since(*at),
                    text: text.clone(),
                })
                .collect(),
            end: lane.end,
            ended: lane.ended.map(since),
        });
        Recording {
            title: self.title.clone(),
            virtual_time: inner.virtual_time,
            lanes: lanes.collect(),
        }
    }
}

impl Inner {
    /// The number of the calling thread; it gets a short name when it is first seen.
    fn thread(&mut self) -> usize {
        let id = std::thread::current().id();
        if let Some(known) = self.threads.iter().position(|(known, _)| *known == id) {
            return known;
        }
        let name = match clock::thread_name().as_str() {
            kind @ ("" | "worker") => {
                let kind = if kind.is_empty() { "thread" } else { kind };
                let others = self
                    .threads
                    .iter()
                    .filter(|(_, name)| name.starts_with(kind))
                    .count();
                format!("{kind} {}", others + 1)
            }
            name => name.to_owned(),
        };
        self.threads.push((id, name));
        self.threads.len() - 1
    }
}

/// A lane that runs on this thread from now until this is dropped.
pub(crate) struct Running {
    store: Arc<Store>,
    lane: usize,
    start: Moment,
    real: Instant,
    cpu: Option<Duration>,
}

impl Running {
    pub(crate) fn begin(store: &Arc<Store>, lane: usize) -> Running {
        if let Some(lane) = store.lock().lanes.get_mut(lane) {
            lane.begun += 1;
        }
        RUNNING.with_borrow_mut(|running| running.push((store.clone(), lane)));
        Running {
            store: store.clone(),
            lane,
            start: Moment::now(),
            real: Instant::now(),
            cpu: clock::thread_cpu(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let real = self.real.elapsed();
        let cpu = clock::thread_cpu().zip(self.cpu);
        let cpu = cpu.map(|(now, then)| now.saturating_sub(then));
        self.store.add_span(self.lane, self.start, real, cpu);
        if std::thread::panicking() {
            self.store.finish(self.lane, End::Panicked);
        }
        RUNNING.with_borrow_mut(|running| running.pop());
    }
}

/// The lane of this store that runs on this thread.
pub(crate) fn current_lane(store: &Arc<Store>) -> Option<usize> {
    RUNNING.with_borrow(|running| {
        let mine = running
            .iter()
            .rev()
            .find(|(other, _)| Arc::ptr_eq(other, store));
        mine.map(|(_, lane)| *lane)
    })
}

/// Who is running on this thread: the innermost lane, else the thread.
fn who() -> String {
    // During the thread's last moments there is no list to ask any more.
    let lane = RUNNING.try_with(|running| {
        let running = running.try_borrow().ok()?;
        let (store, lane) = running.last()?;
        // Another lane's store may be locked further up this thread; not finding the name is better than waiting for it.
        let inner = store.inner.try_lock().ok()?;
        inner.lanes.get(*lane).map(|lane| lane.name.clone())
    });
    match lane.ok().flatten() {
        Some(name) => name,
        None => match clock::thread_name() {
            name if name.is_empty() => "a thread without a name".into(),
            name => name,
        },
    }
}
