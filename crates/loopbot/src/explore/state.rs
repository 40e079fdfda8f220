//! One execution of an explored program: what each thread is about to do, who holds what, and whose turn it may be.
//! Chooses nothing: `search` does.
//!
//! All threads of an explored program are coroutines on one operating-system thread, so a thread-local holds the state,
//! and code between two steps runs undisturbed. A thread announces each step with [`point`] *before* doing it. Then
//! every thread's next step is known, and with it whether that step is possible now: a lock that is held, an empty
//! channel or an unfinished thread make it wait without a try.

use std::any::Any;
use std::cell::RefCell;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::object::Object;
use super::schedule::{Event, EventKind};

thread_local! {
    static EXECUTION: RefCell<Option<Execution>> = const { RefCell::new(None) };
}

/// Where in the learner's text a step stands.
pub(crate) type Place = &'static Location<'static>;

/// One execution.
#[derive(Default)]
pub(crate) struct Execution {
    /// Distinguishes the objects of this execution from those of any other.
    pub(super) serial: u64,
    pub(crate) threads: Vec<ThreadState>,
    pub(super) locks: Vec<LockState>,
    pub(super) queues: Vec<QueueState>,
    /// Notified or not, for each wait on a condition variable.
    tickets: Vec<bool>,
    pub(super) objects: Vec<(&'static str, usize)>,
    scopes: Vec<ScopeState>,
    /// `None` while nobody wants the details: most executions are only counted.
    pub(crate) events: Option<Vec<Event>>,
    /// No step is taken any more; what still runs is being unwound.
    pub(crate) over: bool,
    pub(crate) steps: usize,
    /// How often a step was by another thread than the one before.
    pub(crate) switches: usize,
    pub(crate) last: Option<usize>,
    /// What the program returned, or how it panicked.
    pub(crate) result: Option<Result<Box<dyn Any>, String>>,
}

pub(crate) struct ThreadState {
    pub(crate) name: String,
    next: Next,
    touch: Touch,
    pub(crate) finished: bool,
}

/// What a thread will do when it gets its turn.
#[derive(Debug, Clone, Default)]
pub(crate) enum Next {
    /// Something that no other thread can see: it may be done at once.
    #[default]
    Local,
    /// A step that is always possible.
    Step,
    Lock {
        lock: usize,
        exclusive: bool,
        place: Place,
    },
    Receive {
        queue: usize,
        place: Place,
    },
    Send {
        queue: usize,
        place: Place,
    },
    /// Waits until the message with this number has been taken.
    Taken {
        queue: usize,
        number: usize,
        place: Place,
    },
    Join {
        threads: Vec<usize>,
        place: Place,
    },
    Notified {
        ticket: usize,
        place: Place,
    },
    /// Gives way: nothing to do until another thread has made a step.
    Yield {
        at: usize,
    },
}

/// What a step has to do with: two steps that have nothing to do with each other lead to the same, whichever is first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touch {
    /// Looks at the object with this number, without changing it.
    Looks(usize),
    /// May change it.
    Changes(usize),
    Anything,
}

impl Touch {
    fn concerns(self, other: Touch) -> bool {
        match (self, other) {
            (Touch::Looks(_), Touch::Looks(_)) => false,
            (
                Touch::Looks(one) | Touch::Changes(one),
                Touch::Looks(other) | Touch::Changes(other),
            ) => one == other,
            _ => true,
        }
    }
}

/// Whether a thread may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// With something invisible, before all others.
    AtOnce,
    Possible,
    /// Only if no other thread can do anything.
    GivesWay,
    Impossible,
}

#[derive(Default)]
pub(super) struct LockState {
    pub(super) label: String,
    /// Threads that hold it, and where they took it.
    pub(super) holders: Vec<(usize, Place)>,
    pub(super) exclusive: bool,
}

#[derive(Default)]
struct ScopeState {
    threads: Vec<usize>,
    /// Those that panicked and were not joined.
    panicked: Vec<usize>,
}

pub(super) struct QueueState {
    pub(super) label: String,
    pub(super) sent: usize,
    pub(super) taken: usize,
    pub(super) senders: usize,
    pub(super) receiver: bool,
    pub(super) capacity: Option<usize>,
}

static SERIAL: AtomicU64 = AtomicU64::new(1);

impl Execution {
    pub(crate) fn new(recording: bool) -> Execution {
        Execution {
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
            threads: vec![ThreadState::new("main".into())],
            events: recording.then(Vec::new),
            ..Execution::default()
        }
    }

    /// Whether this thread may go on now.
    pub(crate) fn turn(&self, thread: usize) -> Turn {
        let Some(state) = self.threads.get(thread) else {
            return Turn::AtOnce;
        };
        let possible = |possible| {
            if possible {
                Turn::Possible
            } else {
                Turn::Impossible
            }
        };
        match &state.next {
            Next::Local => Turn::AtOnce,
            Next::Step => Turn::Possible,
            Next::Lock {
                lock, exclusive, ..
            } => possible(self.lock_is_free(*lock, *exclusive)),
            Next::Receive { queue, .. } => possible(
                self.queues
                    .get(*queue)
                    .is_none_or(|queue| queue.taken < queue.sent || queue.senders == 0),
            ),
            Next::Send { queue, .. } => possible(self.queues.get(*queue).is_none_or(|queue| {
                !queue.receiver
                    || queue
                        .capacity
                        .is_none_or(|most| queue.sent - queue.taken < most.max(1))
            })),
            Next::Taken { queue, number, .. } => match self.queues.get(*queue) {
                Some(queue) if queue.receiver && queue.taken <= *number => Turn::Impossible,
                _ => Turn::AtOnce,
            },
            Next::Join { threads, .. } => {
                let done = |thread: &usize| {
                    self.threads
                        .get(*thread)
                        .is_some_and(|thread| thread.finished)
                };
                if threads.iter().all(done) {
                    Turn::AtOnce
                } else {
                    Turn::Impossible
                }
            }
            Next::Notified { ticket, .. } => match self.tickets.get(*ticket) {
                Some(false) => Turn::Impossible,
                _ => Turn::AtOnce,
            },
            Next::Yield { at } if *at == self.steps => Turn::GivesWay,
            Next::Yield { .. } => Turn::Possible,
        }
    }

    pub(super) fn lock_is_free(&self, lock: usize, exclusive: bool) -> bool {
        let Some(lock) = self.locks.get(lock) else {
            return true;
        };
        lock.holders.is_empty() || !exclusive && !lock.exclusive
    }

    /// Notes that this thread makes the next step.
    pub(crate) fn step_by(&mut self, thread: usize) {
        self.steps += 1;
        if self.last.is_some_and(|last| last != thread) {
            self.switches += 1;
        }
        self.last = Some(thread);
    }

    /// Whether the order of the next steps of these two threads matters.
    pub(crate) fn order_matters(&self, one: usize, other: usize) -> bool {
        let touch = |thread: usize| {
            self.threads
                .get(thread)
                .map_or(Touch::Anything, |thread| thread.touch)
        };
        touch(one).concerns(touch(other))
    }

    /// Why nobody can go on, one clause a thread. Threads that only wait for another thread's end come last.
    pub(crate) fn deadlock(&self) -> String {
        let mut first = Vec::new();
        let mut joining = Vec::new();
        for (number, thread) in self
            .threads
            .iter()
            .enumerate()
            .filter(|(_, thread)| !thread.finished)
        {
            let name = &thread.name;
            match &thread.next {
                Next::Lock { lock, place, .. } => {
                    let Some(lock) = self.locks.get(*lock) else {
                        continue;
                    };
                    let holders =
                        lock.holders
                            .iter()
                            .map(|(holder, since)| match *holder == number {
                                true => format!("it holds itself since line {}", since.line()),
                                false => {
                                    let holder = self
                                        .threads
                                        .get(*holder)
                                        .map_or("?", |holder| &holder.name);
                                    format!("`{holder}` holds since line {}", since.line())
                                }
                            });
                    let holders: Vec<String> = holders.collect();
                    let holders = crate::amount::list(&holders);
                    first.push(format!(
                        "`{name}` waits for {} (line {}), which {holders}",
                        lock.label,
                        place.line()
                    ));
                }
                Next::Receive { queue, place } => {
                    let label = self
                        .queues
                        .get(*queue)
                        .map_or("a channel", |queue| &queue.label);
                    first.push(format!(
                        "`{name}` waits for a message on {label} (line {}) that nobody sends: a sender is still alive",
                        place.line()
                    ));
                }
                Next::Send { queue, place } | Next::Taken { queue, place, .. } => {
                    let label = self
                        .queues
                        .get(*queue)
                        .map_or("a channel", |queue| &queue.label);
                    first.push(format!(
                        "`{name}` waits for room on {label} (line {}), but nobody receives",
                        place.line()
                    ));
                }
                Next::Notified { place, .. } => {
                    first.push(format!(
                        "`{name}` waits to be notified (line {}), but nobody does",
                        place.line()
                    ));
                }
                Next::Join { threads, place } => {
                    let waits_for = threads
                        .iter()
                        .filter_map(|thread| self.threads.get(*thread));
                    let waits_for = waits_for
                        .filter(|thread| !thread.finished)
                        .map(|thread| format!("`{}`", thread.name));
                    let waits_for: Vec<String> = waits_for.collect();
                    joining.push(format!(
                        "`{name}` waits for {} to end (line {})",
                        crate::amount::list(&waits_for),
                        place.line()
                    ));
                }
                Next::Local | Next::Step | Next::Yield { .. } => {}
            }
        }
        first.extend(joining);
        first.join("; ")
    }

    /// Adds a thread; returns its number, which is also the one that shuttle gives it.
    fn add_thread(&mut self, name: Option<String>) -> usize {
        let number = self.threads.len();
        self.threads.push(ThreadState::new(
            name.unwrap_or_else(|| format!("thread {number}")),
        ));
        number
    }

    /// Records that a thread starts to wait, unless that is the last thing recorded of it.
    fn record_wait(&mut self, thread: usize) {
        let Some(events) = &mut self.events else {
            return;
        };
        let last = events.iter().rev().find(|event| event.thread == thread);
        if last.is_some_and(|event| event.kind == EventKind::Wait) {
            return;
        }
        let (text, place) = match self.threads.get(thread).map(|thread| &thread.next) {
            Some(Next::Lock { lock, place, .. }) => {
                let label = self
                    .locks
                    .get(*lock)
                    .map_or("a lock", |lock| lock.label.trim_matches('`'));
                (format!("waits for {label}"), place)
            }
            Some(Next::Receive { place, .. }) => ("waits for a message".into(), place),
            Some(Next::Send { place, .. } | Next::Taken { place, .. }) => {
                ("waits for the receiver".into(), place)
            }
            Some(Next::Notified { place, .. }) => ("waits to be notified".into(), place),
            _ => return,
        };
        events.push(Event {
            thread,
            kind: EventKind::Wait,
            text,
            line: place.line(),
            object: None,
        });
    }

    /// Records for a deadlock who waits for what at the end.
    pub(crate) fn record_waits(&mut self) {
        for thread in 0..self.threads.len() {
            if !self.threads[thread].finished {
                self.record_wait(thread);
            }
        }
    }

    fn record(&mut self, event: Event) {
        if let Some(events) = &mut self.events {
            events.push(event);
        }
    }
}

impl ThreadState {
    fn new(name: String) -> ThreadState {
        ThreadState {
            name,
            next: Next::Local,
            touch: Touch::Anything,
            finished: false,
        }
    }
}

/// Puts an execution in place, or takes it away.
pub(crate) fn replace(execution: Option<Execution>) -> Option<Execution> {
    EXECUTION.replace(execution)
}

/// Does something with the running execution; `None` outside of one.
pub(crate) fn with<T>(action: impl FnOnce(&mut Execution) -> T) -> Option<T> {
    // A destructor may run while this thread ends; it has nothing to announce.
    let done =
        EXECUTION.try_with(|execution| execution.try_borrow_mut().ok()?.as_mut().map(action));
    done.ok().flatten()
}

pub(super) fn me() -> Option<usize> {
    shuttle::current::try_get_current_task().map(usize::from)
}

/// Whether steps are scheduled: inside an execution that is not over.
pub(super) fn scheduled() -> Option<usize> {
    if std::thread::panicking() || !with(|execution| !execution.over)? {
        return None;
    }
    me()
}

/// Announces the next step of this thread and returns when it is its turn. Outside an exploration it returns at once.
pub(crate) fn point(next: Next, touch: Touch) {
    let Some(me) = scheduled() else { return };
    let waits = with(|execution| {
        if let Some(thread) = execution.threads.get_mut(me) {
            thread.next = next;
            thread.touch = touch;
        }
        execution.turn(me) == Turn::Impossible
    });
    if waits == Some(true) {
        with(|execution| execution.record_wait(me));
    }
    // Shuttle's `sleep` is a bare switch to the scheduler.
    shuttle::thread::sleep(Duration::ZERO);
    with(|execution| {
        if let Some(thread) = execution.threads.get_mut(me) {
            thread.next = Next::Local;
        }
    });
}

/// Gives way to the other threads.
pub(crate) fn give_way(place: Place, text: &str) {
    let at = with(|execution| execution.steps).unwrap_or(0);
    point(Next::Yield { at }, Touch::Anything);
    record(place, None, EventKind::Step, || text.to_owned());
}

/// Records what this thread just did, if details are wanted.
pub(crate) fn record(
    place: Place,
    object: Option<&Object>,
    kind: EventKind,
    text: impl FnOnce() -> String,
) {
    record_at(place.line(), object, kind, text);
}

/// The same with a line that is no caller's.
pub(crate) fn record_at(
    line: u32,
    object: Option<&Object>,
    kind: EventKind,
    text: impl FnOnce() -> String,
) {
    if with(|execution| execution.events.is_some() && !execution.over) != Some(true) {
        return;
    }
    let Some(thread) = me() else { return };
    let event = Event {
        thread,
        kind,
        text: text(),
        line,
        object: object.map(Object::label),
    };
    with(|execution| execution.record(event));
}

/// A ticket for a wait on a condition variable.
pub(crate) fn new_ticket() -> Option<usize> {
    with(|execution| {
        execution.tickets.push(false);
        execution.tickets.len() - 1
    })
}

pub(crate) fn notify_ticket(ticket: usize) {
    with(|execution| {
        if let Some(notified) = execution.tickets.get_mut(ticket) {
            *notified = true;
        }
    });
}

/// Registers a thread that is about to be started.
pub(crate) fn new_thread(name: Option<String>) -> Option<(usize, String)> {
    with(|execution| {
        let number = execution.add_thread(name);
        (
            number,
            execution
                .threads
                .get(number)
                .map_or_else(String::new, |thread| thread.name.clone()),
        )
    })
}

/// A scope that threads can be added to.
pub(crate) fn new_scope() -> Option<usize> {
    with(|execution| {
        execution.scopes.push(ScopeState::default());
        execution.scopes.len() - 1
    })
}

pub(crate) fn add_to_scope(scope: usize, thread: usize) {
    with(|execution| {
        execution
            .scopes
            .get_mut(scope)
            .map(|scope| scope.threads.push(thread))
    });
}

pub(crate) fn scope_threads(scope: usize) -> Vec<usize> {
    let threads = with(|execution| {
        execution
            .scopes
            .get(scope)
            .map(|scope| scope.threads.clone())
    });
    threads.flatten().unwrap_or_default()
}

pub(crate) fn set_scope_panicked(scope: usize, thread: usize, panicked: bool) {
    with(|execution| {
        if let Some(scope) = execution.scopes.get_mut(scope) {
            scope.panicked.retain(|other| *other != thread);
            scope.panicked.extend(panicked.then_some(thread));
        }
    });
}

pub(crate) fn scope_panicked(scope: usize) -> bool {
    with(|execution| {
        execution
            .scopes
            .get(scope)
            .is_some_and(|scope| !scope.panicked.is_empty())
    })
    .unwrap_or(false)
}

/// Notes that this thread has done all it will do.
pub(crate) fn thread_finished() {
    let me = me();
    with(|execution| {
        if let Some(thread) = me.and_then(|me| execution.threads.get_mut(me)) {
            thread.finished = true;
        }
    });
}

/// Whether what is unwinding this thread is the end of the execution rather than a panic of the program.
pub(crate) fn is_over() -> bool {
    with(|execution| execution.over).unwrap_or(true)
}
