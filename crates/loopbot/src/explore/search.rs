//! The search: which thread makes the next step, in every way there is, depth first.
//!
//! Only steps that other threads can see are chosen between. What a thread does between two of them is done at once: no
//! other order of it could be told apart. So the number of schedules is the number of orders of the visible steps, small
//! enough to count by hand.
//!
//! Where there are too many orders, the search begins anew and leaves out orders that differ from one already seen only
//! in steps that have nothing to do with each other (sleep sets: P. Godefroid, "Partial-Order Methods for the
//! Verification of Concurrent Systems", 1996, chapter 5). It still meets every outcome.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use shuttle::scheduler::{Schedule as ShuttleSchedule, Scheduler, Task, TaskId};

use super::outcome::{Coverage, Outcome};
use super::schedule::{self, Found};
use super::state::{self, Execution, Turn};

/// The plain search gives way to the reduced one after so many schedules, or so much time.
const PLAIN_SCHEDULES: usize = 10_000;
const PLAIN_TIME: Duration = Duration::from_secs(2);
/// Details are kept of at most so many different outcomes.
const MOST_EXAMPLES: usize = 64;

/// The limits of a search.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) schedules: usize,
    pub(crate) steps: usize,
    pub(crate) time: Duration,
    /// Leave out from the start what leads to nothing new.
    pub(crate) reduced: bool,
}

/// What a search found.
pub(crate) struct Tally<T> {
    pub(crate) outcomes: BTreeMap<Outcome<T>, Counted>,
    pub(crate) examples: Vec<Found<T>>,
    pub(crate) schedules: usize,
    pub(crate) coverage: Coverage,
}

/// How often an outcome was seen, and the plainest schedule that led to it.
pub(crate) struct Counted {
    pub(crate) count: usize,
    path: Vec<usize>,
    plainness: (usize, usize),
}

/// A scheduler for shuttle that goes through all schedules, then once more through one for each outcome with details.
pub(crate) struct Search<T> {
    shared: Rc<RefCell<Shared<T>>>,
    progress: Arc<AtomicU64>,
}

struct Shared<T> {
    limits: Limits,
    started: Instant,
    phase: Phase,
    running: bool,
    /// The choices that lead to the running execution.
    path: Vec<Choice>,
    position: usize,
    /// Which thread went on wherever more than one could.
    trace: Vec<usize>,
    /// Threads whose next step was explored before with the same result.
    asleep: Vec<usize>,
    /// The running execution leads to nothing new.
    redundant: bool,
    dead_end: Option<Outcome<T>>,
    tally: Tally<T>,
}

#[derive(PartialEq, Eq)]
enum Phase {
    /// Every order.
    Plain,
    /// Only orders that can differ in what they lead to.
    Reduced,
    /// The paths to repeat with details.
    Recording(VecDeque<Vec<usize>>),
}

struct Choice {
    options: Vec<usize>,
    taken: usize,
}

/// The outcome and the tally of a search, for whoever started it.
pub(crate) struct Results<T>(Rc<RefCell<Shared<T>>>);

impl<T: Ord + Clone + 'static> Search<T> {
    pub(crate) fn new(limits: Limits, progress: Arc<AtomicU64>) -> (Search<T>, Results<T>) {
        let phase = if limits.reduced {
            Phase::Reduced
        } else {
            Phase::Plain
        };
        Search::in_phase(phase, limits, progress)
    }

    /// A search that repeats one schedule.
    pub(crate) fn repeating(
        path: Vec<usize>,
        limits: Limits,
        progress: Arc<AtomicU64>,
    ) -> (Search<T>, Results<T>) {
        Search::in_phase(Phase::Recording([path].into()), limits, progress)
    }

    fn in_phase(phase: Phase, limits: Limits, progress: Arc<AtomicU64>) -> (Search<T>, Results<T>) {
        let shared = Rc::new(RefCell::new(Shared {
            started: Instant::now(),
            limits,
            phase,
            running: false,
            path: Vec::new(),
            position: 0,
            trace: Vec::new(),
            asleep: Vec::new(),
            redundant: false,
            dead_end: None,
            tally: Tally {
                outcomes: BTreeMap::new(),
                examples: Vec::new(),
                schedules: 0,
                coverage: Coverage::All,
            },
        }));
        let search = Search {
            shared: shared.clone(),
            progress,
        };
        (search, Results(shared))
    }
}

impl<T: Ord + Clone + 'static> Results<T> {
    /// What was found. Call it when the search has ended.
    pub(crate) fn into_tally(self) -> Tally<T> {
        let mut shared = self.0.borrow_mut();
        Tally {
            outcomes: std::mem::take(&mut shared.tally.outcomes),
            examples: std::mem::take(&mut shared.tally.examples),
            schedules: shared.tally.schedules,
            coverage: shared.tally.coverage.clone(),
        }
    }
}

impl<T: Ord + Clone + 'static> Scheduler for Search<T> {
    fn new_execution(&mut self) -> Option<ShuttleSchedule> {
        let mut shared = self.shared.borrow_mut();
        if std::mem::take(&mut shared.running) {
            if let Some(execution) = state::replace(None) {
                shared.finish(execution);
            }
            shared.advance();
        }
        let recording = match &shared.phase {
            Phase::Plain | Phase::Reduced => false,
            Phase::Recording(paths) if paths.is_empty() => return None,
            Phase::Recording(_) => true,
        };
        shared.running = true;
        shared.position = 0;
        shared.trace.clear();
        shared.asleep.clear();
        shared.redundant = false;
        shared.dead_end = None;
        state::replace(Some(Execution::new(recording)));
        Some(ShuttleSchedule::new(0))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        _yielding: bool,
    ) -> Option<TaskId> {
        self.progress.fetch_add(1, Ordering::Relaxed);
        let runnable: Vec<usize> = runnable.iter().map(|task| usize::from(task.id())).collect();
        let mut shared = self.shared.borrow_mut();
        let current = current.map(usize::from);
        let chosen = state::with(|execution| {
            if execution.over {
                return None;
            }
            let chosen = shared.choose(execution, &runnable, current);
            execution.over = chosen.is_none();
            chosen
        });
        chosen.flatten().map(TaskId::from)
    }

    /// Only asked for by shuttle's own random numbers, which explored programs do not have.
    fn next_u64(&mut self) -> u64 {
        0
    }
}

impl<T: Ord + Clone + 'static> Shared<T> {
    /// The thread that goes on; `None` ends the execution.
    fn choose(
        &mut self,
        execution: &mut Execution,
        runnable: &[usize],
        current: Option<usize>,
    ) -> Option<usize> {
        // The favoured thread comes first.
        let with_turn = |turn: Turn, favoured: Option<usize>| -> Vec<usize> {
            let mut threads: Vec<usize> = favoured
                .into_iter()
                .filter(|thread| runnable.contains(thread))
                .collect();
            threads.extend(
                runnable
                    .iter()
                    .copied()
                    .filter(|thread| Some(*thread) != favoured),
            );
            threads.retain(|thread| execution.turn(*thread) == turn);
            threads
        };
        if let Some(thread) = with_turn(Turn::AtOnce, current).first() {
            return Some(*thread);
        }
        // Who made the last step goes on: then the first schedule is the one without interruptions.
        let mut options = with_turn(Turn::Possible, execution.last);
        if options.is_empty() {
            options = with_turn(Turn::GivesWay, execution.last);
        }
        if options.is_empty() {
            self.dead_end = Some(Outcome::Deadlock(execution.deadlock()));
            execution.record_waits();
            return None;
        }
        if execution.steps >= self.limits.steps {
            self.dead_end = Some(Outcome::Endless);
            return None;
        }
        let several = options.len() > 1;
        let thread = match &self.phase {
            Phase::Plain if several => self.branch(options)?,
            Phase::Reduced => self.awake(execution, options)?,
            Phase::Recording(paths) if several => {
                let path = paths.front().map_or(&[][..], Vec::as_slice);
                let wanted = path.get(self.trace.len()).copied();
                match wanted.filter(|wanted| options.contains(wanted)) {
                    Some(thread) => thread,
                    None => {
                        self.tally.coverage = strays(self.trace.len());
                        return None;
                    }
                }
            }
            Phase::Plain | Phase::Recording(_) => *options.first()?,
        };
        if several {
            self.trace.push(thread);
        }
        execution.step_by(thread);
        Some(thread)
    }

    /// The next of several threads, as the path says or, beyond its end, the first.
    fn branch(&mut self, options: Vec<usize>) -> Option<usize> {
        let position = self.position;
        self.position += 1;
        match self.path.get(position) {
            None => {
                let first = options.first().copied();
                self.path.push(Choice { options, taken: 0 });
                first
            }
            Some(choice) if choice.options == options => choice.options.get(choice.taken).copied(),
            Some(_) => {
                self.tally.coverage = differs();
                None
            }
        }
    }

    /// The next of the threads that are not asleep. A thread falls asleep when its step was explored in place of the one
    /// taken now, and wakes up at a step after which its own could lead to something else.
    fn awake(&mut self, execution: &Execution, mut options: Vec<usize>) -> Option<usize> {
        options.retain(|thread| !self.asleep.contains(thread));
        let thread = match options.as_slice() {
            [] => {
                self.redundant = true;
                return None;
            }
            [only] => *only,
            _ => {
                let thread = self.branch(options.clone())?;
                self.asleep
                    .extend(options.iter().take_while(|option| **option != thread));
                thread
            }
        };
        self.asleep
            .retain(|asleep| !execution.order_matters(*asleep, thread));
        Some(thread)
    }

    /// Takes down what an execution led to.
    fn finish(&mut self, execution: Execution) {
        let exploring = matches!(self.phase, Phase::Plain | Phase::Reduced);
        let ended_early = exploring && self.position < self.path.len();
        if ended_early && !matches!(self.tally.coverage, Coverage::Broken(_)) {
            self.tally.coverage = differs();
        }
        if self.redundant || matches!(self.tally.coverage, Coverage::Broken(_)) {
            return;
        }
        let outcome = self
            .dead_end
            .take()
            .unwrap_or_else(|| match execution.result {
                Some(Ok(value)) => match value.downcast::<T>() {
                    Ok(value) => Outcome::Value(*value),
                    Err(_) => {
                        Outcome::Panicked("the program returned a value of another type".into())
                    }
                },
                Some(Err(message)) => Outcome::Panicked(message),
                None => Outcome::Deadlock("the program never returned".into()),
            });
        match &self.phase {
            Phase::Plain | Phase::Reduced => {
                self.tally.schedules += 1;
                let plainness = (execution.switches, execution.steps);
                match self.tally.outcomes.get_mut(&outcome) {
                    Some(counted) => {
                        counted.count += 1;
                        if plainness < counted.plainness {
                            counted.plainness = plainness;
                            counted.path = self.trace.clone();
                        }
                    }
                    None => {
                        let counted = Counted {
                            count: 1,
                            path: self.trace.clone(),
                            plainness,
                        };
                        self.tally.outcomes.insert(outcome, counted);
                    }
                }
            }
            Phase::Recording(paths) => {
                let token = token(paths.front().map_or(&[], Vec::as_slice));
                self.tally.examples.push(Found {
                    outcome,
                    token,
                    threads: execution
                        .threads
                        .into_iter()
                        .map(|thread| thread.name)
                        .collect(),
                    rows: schedule::rows(execution.events.unwrap_or_default()),
                });
            }
        }
    }

    /// Goes to the next schedule, or from exploring to recording.
    fn advance(&mut self) {
        if let Phase::Recording(paths) = &mut self.phase {
            paths.pop_front();
            return;
        }
        while self
            .path
            .last()
            .is_some_and(|choice| choice.taken + 1 == choice.options.len())
        {
            self.path.pop();
        }
        let more = match self.path.last_mut() {
            Some(choice) => {
                choice.taken += 1;
                true
            }
            None => false,
        };
        let time = self.started.elapsed();
        if self.phase == Phase::Plain && self.tally.coverage == Coverage::All && more {
            let most = PLAIN_SCHEDULES.min(self.limits.schedules);
            if self.tally.schedules >= most || time >= PLAIN_TIME.min(self.limits.time) {
                self.phase = Phase::Reduced;
                self.path.clear();
                self.tally.outcomes.clear();
                self.tally.schedules = 0;
                return;
            }
        }
        if self.phase == Phase::Reduced && self.tally.coverage == Coverage::All {
            if !more {
                self.tally.coverage = Coverage::Reduced;
            } else if self.tally.schedules >= self.limits.schedules {
                self.tally.coverage = Coverage::Bound;
            } else if time >= self.limits.time {
                self.tally.coverage = Coverage::Time(self.limits.time);
            }
        }
        if !more || !matches!(self.tally.coverage, Coverage::All) {
            let paths = self
                .tally
                .outcomes
                .values()
                .take(MOST_EXAMPLES)
                .map(|counted| counted.path.clone());
            self.phase = Phase::Recording(paths.collect());
        }
    }
}

fn strays(choice: usize) -> Coverage {
    Coverage::Broken(format!(
        "at choice {} the program is not where it was when the token was made. Is it the same program, and does it do the \
         same each time?",
        choice + 1
    ))
}

fn differs() -> Coverage {
    let why = "the program did something else although its threads took turns as before. It must do the same each \
               time: no random numbers, no clock, nothing kept from one run to the next";
    Coverage::Broken(why.into())
}

/// The choices of a schedule as text: the number of the thread at each point where there was a choice.
pub(crate) fn token(path: &[usize]) -> String {
    if path.is_empty() {
        return "straight".into();
    }
    path.iter()
        .map(usize::to_string)
        .collect::<Vec<_>>()
        .join("-")
}

/// The choices that a token stands for; `None` if it is no token.
pub(crate) fn parse_token(token: &str) -> Option<Vec<usize>> {
    match token.trim() {
        "straight" => Some(Vec::new()),
        token => token
            .split('-')
            .map(|thread| thread.trim().parse().ok())
            .collect(),
    }
}
