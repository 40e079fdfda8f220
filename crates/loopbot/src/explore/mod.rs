//! `explore`: runs a small program under every schedule and says what can come of it.
//!
//! A race shows itself in one run out of a thousand, and a test that runs the program once is passed by luck. Here the
//! program's threads are paused before each step that other threads can see (a load, a store, a lock, a message), and
//! every order of these steps is run.
//!
//! ```
//! use loopbot::prelude::*;
//! use loopbot::explore::sync::{Arc, atomic::{AtomicI32, Ordering::SeqCst}};
//! use loopbot::explore::thread;
//!
//! let cinema = explore(|| {
//!     let seats = Arc::new(AtomicI32::named("seats", 2));
//!     let buyers: Vec<_> = ["Anna", "Ben"].map(|name| {
//!         let seats = seats.clone();
//!         thread::spawn_named(name, move || {
//!             if seats.load(SeqCst) >= 2 {
//!                 seats.fetch_sub(2, SeqCst);
//!             }
//!         })
//!     }).into();
//!     for buyer in buyers {
//!         buyer.join().unwrap();
//!     }
//!     seats.load(SeqCst)
//! });
//! assert_eq!(cinema.values(), [(&-2, 4), (&0, 2)]);
//! assert!(!cinema.always(|seats| *seats >= 0));
//! let lost = cinema.losing(|seats| *seats < 0);
//! assert_eq!(lost.outcome(), Some(&Outcome::Value(-2)));
//! ```
//!
//! # Limits
//!
//! - **Sequential consistency.** Every step is seen by all threads at once, in one order. What weaker `Ordering`s allow
//!   beyond that is not explored.
//! - **Small programs.** Two threads with three steps each have 20 schedules, three threads 1,680, four 369,600. Beyond
//!   10,000 the search begins anew and leaves out orders that cannot differ in what they lead to. It stops at 100,000
//!   schedules or 10 s and then says "not all"; [`Explorer`] sets other limits.
//! - **Only what is in [`thread`] and [`sync`] is a step.** A lock, an atomic or a sleep of std's own is not seen. If one
//!   blocks for 5 s, the search gives up and says so.
//! - **The program does the same each time.** No random numbers, no clock, nothing shared between runs.
//! - Time is not modelled: a `sleep` is a step that may take any time.
//! - A condition variable never wakes without a reason.

mod draw;
mod object;
mod outcome;
mod schedule;
mod search;
mod state;
pub mod sync;
pub mod thread;

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

pub use outcome::{Exploration, Outcome};
pub use schedule::Schedule;

use crate::quiet::{self, Quiet};
use outcome::{Coverage, Explored};
use schedule::EventKind;
use search::{Limits, Results, Search, Tally};

/// A program may stay in one step for so long before the search gives up.
const PATIENCE: Duration = Duration::from_secs(5);
/// Stack of an explored thread, in bytes. Only what is used of it takes memory.
const STACK: usize = 512 * 1024;

/// Runs the program under every schedule, up to 100,000 of them, and returns what came of it.
///
/// The program is a closure that does the same each time, uses [`thread`] and [`sync`] from here instead of std's, makes
/// its shared values inside, and returns what is to be looked at. A panic or a deadlock is an outcome too: nothing is
/// raised, nothing hangs. See the [module](self) for an example and the limits.
pub fn explore<T, F>(program: F) -> Exploration<T>
where
    T: Debug + Clone + Ord + Send + 'static,
    F: Fn() -> T + Send + Sync + 'static,
{
    Explorer::new("All outcomes").run(program)
}

/// Runs the program once, under the schedule that the token stands for, and returns what happened.
///
/// ```
/// use loopbot::prelude::*;
/// let program = || explore::thread::spawn(|| 7).join().unwrap();
/// let token = explore(program).losing(|n| *n == 7).token().to_owned();
/// assert_eq!(replay(&token, program).outcome(), Some(&Outcome::Value(7)));
/// ```
pub fn replay<T, F>(token: &str, program: F) -> Schedule<T>
where
    T: Debug + Clone + Ord + Send + 'static,
    F: Fn() -> T + Send + Sync + 'static,
{
    Explorer::new("Replay").replay(token, program)
}

/// Labels this moment of the running thread: the picture of a schedule shows it. It is no step of its own. Outside an
/// exploration it does nothing.
///
/// ```
/// loopbot::explore::step("checks: 2 left");
/// ```
#[track_caller]
pub fn step(label: &str) {
    state::record(Location::caller(), None, EventKind::Mark, || {
        label.to_owned()
    });
}

/// A hint for loops that wait: the same as [`thread::yield_now`].
pub mod hint {
    /// Gives way to the other threads.
    #[track_caller]
    pub fn spin_loop() {
        super::state::give_way(std::panic::Location::caller(), "spins");
    }
}

/// An exploration with a title and limits of your own.
///
/// ```
/// use loopbot::prelude::*;
/// let found = Explorer::new("one thread").schedules(1_000).steps(100).run(|| 1 + 1);
/// assert_eq!(found.values(), [(&2, 1)]);
/// ```
#[derive(Debug, Clone)]
pub struct Explorer {
    title: String,
    limits: Limits,
}

impl Explorer {
    /// An exploration of at most 100,000 schedules of at most 1,000 steps each, in at most 10 s.
    pub fn new(title: &str) -> Explorer {
        Explorer {
            title: title.to_owned(),
            limits: Limits {
                schedules: 100_000,
                steps: 1_000,
                time: Duration::from_secs(10),
                reduced: false,
            },
        }
    }

    /// Explore at most so many schedules.
    #[must_use]
    pub fn schedules(mut self, most: usize) -> Explorer {
        self.limits.schedules = most.max(1);
        self
    }

    /// A schedule with more steps than this counts as one without end.
    #[must_use]
    pub fn steps(mut self, most: usize) -> Explorer {
        self.limits.steps = most;
        self
    }

    /// Explore for at most so long.
    #[must_use]
    pub fn time(mut self, most: Duration) -> Explorer {
        self.limits.time = most;
        self
    }

    /// Leave out, from the start, orders that differ from another only in steps that have nothing to do with each other.
    /// No outcome is lost, but the counts are no longer those of all orders. Without this, the search begins anew in
    /// this way when there are more than 10,000 orders.
    #[must_use]
    pub fn reduced(mut self) -> Explorer {
        self.limits.reduced = true;
        self
    }

    /// Explores the program; see [`explore`](explore()).
    pub fn run<T, F>(self, program: F) -> Exploration<T>
    where
        T: Debug + Clone + Ord + Send + 'static,
        F: Fn() -> T + Send + Sync + 'static,
    {
        let limits = self.limits;
        let tally = on_own_thread(move |progress| Search::new(limits, progress), program);
        let mut examples = tally.examples.into_iter();
        let outcomes = tally.outcomes.into_iter().map(|(outcome, counted)| {
            let found = examples.next().filter(|found| found.outcome == outcome);
            Explored {
                outcome,
                count: counted.count,
                example: match found {
                    Some(found) => Schedule {
                        found: Some(found),
                        why_not: String::new(),
                    },
                    None => {
                        Schedule::none("There are too many outcomes to keep a schedule for each.")
                    }
                },
            }
        });
        Exploration {
            title: self.title,
            outcomes: outcomes.collect(),
            schedules: tally.schedules,
            coverage: tally.coverage,
        }
    }

    /// Repeats one schedule; see [`replay`](replay()).
    pub fn replay<T, F>(self, token: &str, program: F) -> Schedule<T>
    where
        T: Debug + Clone + Ord + Send + 'static,
        F: Fn() -> T + Send + Sync + 'static,
    {
        let Some(path) = search::parse_token(token) else {
            return Schedule::none(format!(
                "`{token}` is no token of a schedule. Copy it as it stands under the picture, for instance \"1-2-2-1\"."
            ));
        };
        let limits = self.limits;
        let tally = on_own_thread(
            move |progress| Search::repeating(path, limits, progress),
            program,
        );
        match (tally.examples.into_iter().next(), tally.coverage) {
            (Some(found), Coverage::All) => Schedule {
                found: Some(found),
                why_not: String::new(),
            },
            (_, Coverage::Broken(why)) => {
                Schedule::none(format!("The schedule could not be repeated: {why}"))
            }
            _ => Schedule::none("The schedule could not be repeated."),
        }
    }
}

/// Runs a search on a fresh thread. If the program blocks that thread, the search is given up and the thread left behind.
fn on_own_thread<T, F, S>(search: S, program: F) -> Tally<T>
where
    T: Debug + Clone + Ord + Send + 'static,
    F: Fn() -> T + Send + Sync + 'static,
    S: FnOnce(Arc<AtomicU64>) -> (Search<T>, Results<T>) + Send + 'static,
{
    let progress = Arc::new(AtomicU64::new(0));
    let (sender, receiver) = channel();
    let shared_progress = progress.clone();
    let run = move || {
        let _ = sender.send(run_search(search(shared_progress), program));
    };
    let started = std::thread::Builder::new()
        .name("explore".into())
        .spawn(run);
    match started {
        Ok(_) => wait(&receiver, &progress),
        Err(error) => broken(format!("the system cannot start a thread: {error}")),
    }
}

fn run_search<T, F>((search, results): (Search<T>, Results<T>), program: F) -> Tally<T>
where
    T: Debug + Clone + Ord + Send + 'static,
    F: Fn() -> T + Send + Sync + 'static,
{
    // Shuttle replaces the panic hook with one that prints when it runs for the first time.
    quiet::keeping_the_hook(|| {
        shuttle::Runner::new(
            shuttle::scheduler::RoundRobinScheduler::new(1),
            shuttle_config(),
        )
        .run(|| ());
    });
    let quiet = Quiet::here();
    let runner = shuttle::Runner::new(search, shuttle_config());
    let ran = catch_unwind(AssertUnwindSafe(|| {
        runner.run(move || thread::run_main(&program))
    }));
    state::replace(None);
    let mut tally = results.into_tally();
    if let Err(payload) = ran {
        let (message, _) = quiet::describe(payload);
        tally.coverage = Coverage::Broken(format!("the search itself failed: {message}"));
    }
    drop(quiet);
    tally
}

fn shuttle_config() -> shuttle::Config {
    let mut config = shuttle::Config::new();
    config.stack_size = STACK;
    config.failure_persistence = shuttle::FailurePersistence::None;
    config.max_steps = shuttle::MaxSteps::None;
    config.silence_warnings = true;
    config
}

fn wait<T>(results: &Receiver<Tally<T>>, progress: &AtomicU64) -> Tally<T> {
    let mut seen = progress.load(Ordering::Relaxed);
    loop {
        match results.recv_timeout(PATIENCE) {
            Ok(tally) => return tally,
            Err(RecvTimeoutError::Disconnected) => {
                return broken("the search itself failed".into());
            }
            Err(RecvTimeoutError::Timeout) => {
                let now = progress.load(Ordering::Relaxed);
                if now == seen {
                    return broken(format!(
                        "one step took longer than {} s. Does the program use a lock, a channel or a sleep of std's own, \
                         or a loop without a step? Take those of `loopbot::explore` instead",
                        PATIENCE.as_secs()
                    ));
                }
                seen = now;
            }
        }
    }
}

fn broken<T>(why: String) -> Tally<T> {
    Tally {
        outcomes: std::collections::BTreeMap::new(),
        examples: Vec::new(),
        schedules: 0,
        coverage: Coverage::Broken(why),
    }
}
