//! What a lesson imports: `use loopbot::prelude::*;`. Measure, record, draw, explore, check.
//!
//! # The problem
//!
//! Concurrency is hard to see. A program prints its lines in some order and ends; *when* each task ran, on which thread,
//! what it waited for, and what would have happened in another order, it does not tell. So one believes what one is
//! told. This library makes a notebook cell show it: every picture is computed from what the cell did, with the same
//! facts as a table beneath it and in a sentence above.
//!
//! # The approach
//!
//! Each tool returns a value. As the last expression of a cell the value shows itself; its methods give the numbers
//! behind the picture. Nothing is kept between cells but what the cell itself keeps.
//!
//! | you want to see | use |
//! |---|---|
//! | when tasks and threads ran, and what they waited for | [`Timeline`] |
//! | the exact time of something that waits a lot | [`virtual_time`] |
//! | how long one thing takes | [`measure`], [`measure_async`] |
//! | which of several ways is faster | [`compare`] |
//! | how many cores are busy | [`core_load`] |
//! | everything that can come of a race | [`explore`](explore()) |
//! | whether a solution is right | [`Exercise`] |
//! | what Python does | [`python`] |
//! | how far a long cell has come | [`Progress`] |
//! | something that changes while the cell runs | [`Live`] |
//! | a type of your own as more than text | [`Rich`] |
//!
//! ## A timeline
//!
//! ```
//! use loopbot::prelude::*;
//! use tokio::time::sleep;
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let timeline = Timeline::new("tea and toast");
//! let tea = timeline.task("tea", async { sleep(Duration::from_millis(30)).await; "tea" });
//! let marks = timeline.clone();
//! let toast = timeline.task("toast", async move {
//!     marks.note("bread is in");
//!     sleep(Duration::from_millis(20)).await;
//!     "toast"
//! });
//! let breakfast = tokio::join!(tea, toast);
//! # assert_eq!(breakfast, ("tea", "toast"));
//! # timeline.evcxr_display();
//! # });
//! // In a cell, end with `timeline` to see it.
//! ```
//!
//! `timeline.thread("name", || …)` records a thread, `timeline.run("name", || …)` ordinary code. A poll that holds its
//! thread for long is named in the verdict, with what it was: a blocking call, or computing.
//!
//! ## Virtual time
//!
//! ```
//! use loopbot::prelude::*;
//! use tokio::time::sleep;
//!
//! let timeline = Timeline::new("twenty pages, one after the other");
//! let (pages, took) = virtual_time(async {
//!     for page in 1..=20 {
//!         timeline.task(&format!("page {page}"), sleep(Duration::from_millis(1200))).await;
//!     }
//!     20
//! });
//! assert_eq!((pages, took), (20, Duration::from_secs(24)));
//! # timeline.evcxr_display();
//! ```
//!
//! ## Measuring and comparing
//!
//! ```
//! use loopbot::prelude::*;
//!
//! let (sum, took) = measure(|| (1..=100_000_u64).sum::<u64>());
//! println!("{sum} in {took}");
//!
//! let result = compare("two ways to add")
//!     .case("for loop", || { let mut sum = 0; for n in 1..=10_000_u64 { sum += n } sum })
//!     .case("formula", || { let n = std::hint::black_box(10_000_u64); n * (n + 1) / 2 })
//!     .runs(5)
//!     .run();
//! println!("{:?} times", result.ratio("for loop", "formula"));
//! # result.evcxr_display();
//! ```
//!
//! ## Load of the cores
//!
//! ```no_run
//! use loopbot::prelude::*;
//!
//! core_load(|| {
//!     let end = std::time::Instant::now() + Duration::from_millis(800);
//!     while std::time::Instant::now() < end {}
//! })
//! # ;
//! ```
//!
//! ## Every schedule of a small program
//!
//! ```
//! use loopbot::prelude::*;
//! use loopbot::explore::{thread, sync::{Arc, Mutex}};
//!
//! let found = explore(|| {
//!     let (a, b) = (Arc::new(Mutex::named("a", 0)), Arc::new(Mutex::named("b", 0)));
//!     let (a2, b2) = (a.clone(), b.clone());
//!     let other = thread::spawn_named("other", move || {
//!         let _b = b2.lock().unwrap();
//!         let _a = a2.lock().unwrap();
//!     });
//!     {
//!         let _a = a.lock().unwrap();
//!         let _b = b.lock().unwrap();
//!     }
//!     other.join().unwrap();
//! });
//! assert!(found.complete() && found.deadlocks() > 0);
//! let stuck = found.deadlocked();
//! println!("replay it with {}", stuck.token());
//! # stuck.evcxr_display(); found.evcxr_display();
//! ```
//!
//! `found` shows the outcomes with counts, `found.losing(|value| …)` one schedule as a picture. The module
//! [`explore`](mod@explore) has the rules and the limits.
//!
//! ## The verdict on an exercise
//!
//! ```
//! use loopbot::prelude::*;
//! # fn fib_under(_: u64) -> Vec<u64> { vec![1, 1, 2, 3, 5, 8] }
//!
//! Exercise::new("fib-under")
//!     .claim("starts 1, 1, 2", || fib_under(10).starts_with(&[1, 1, 2]), "the first two numbers are both 1")
//!     .claim("stops in time", || fib_under(10).iter().all(|n| *n < 10), "a number over the limit came through")
//!     .verdict()
//! # .evcxr_display();
//! ```
//!
//! A `todo!()` or any other panic in a claim is caught and counts as not met. The verdict never raises.
//!
//! ## Python beside it
//!
//! ```
//! use loopbot::prelude::*;
//!
//! python("
//!     import sys
//!     print(sys.version_info.major)
//! ")
//! # .evcxr_display();
//! ```
//!
//! ## Pictures
//!
//! `timeline.picture()`, `result.picture()`, … give a [`Picture`]: `.save("figure.svg")?` writes it, `.table()` has its
//! facts. Pictures follow the theme of the page, and no meaning hangs on colour alone. [`Words`] sets the fixed words in
//! a timeline in another language.
//!
//! ## Progress, and outputs that change
//!
//! ```
//! use loopbot::prelude::*;
//!
//! let progress = Progress::new("downloading", 100);
//! for page in 1..=100 {
//!     std::thread::sleep(Duration::from_millis(1)); // the work
//!     progress.at(page);
//! }
//! ```
//!
//! `let view = Live::new(&picture);` shows a picture, a table, or a type of yours that is [`Rich`]; `view.show(&other)`
//! puts another in its place.
//!
//! # The limits
//!
//! - A timeline sees what it is told about: a task that was not wrapped has no lane. Recording costs about a microsecond
//!   a poll; do not time nanoseconds on it.
//! - Figures are of this machine at this moment. `compare` says when a difference could be chance; a timeline of one
//!   run cannot.
//! - `explore` assumes sequential consistency and sees only its own threads and locks.
//! - The load of cores is read on Linux only; CPU time of polls on Unix.
//! - There is no state between cells: under kernels that link this library into each cell afresh, a static would start
//!   anew each time.

mod amount;
mod chart;
mod compare;
mod core_load;
mod exercise;
pub mod explore;
mod live;
mod measure;
mod picture;
mod progress;
mod python;
mod quiet;
mod rich;
mod show;
mod svg;
mod table;
pub mod timeline;
mod virtual_time;
mod words;

pub use compare::{Compare, Comparison, compare};
pub use core_load::{CoreLoad, core_load, core_load_async};
pub use exercise::{Exercise, Verdict};
#[doc(inline)]
pub use explore::explore;
pub use explore::{Exploration, Explorer, Outcome, Schedule, replay, step};
pub use live::Live;
pub use measure::{Took, measure, measure_async};
pub use picture::{Picture, SaveError};
pub use progress::Progress;
pub use python::{PythonEnding, PythonRun, python, python_version, python_within};
pub use rich::Rich;
pub use table::Table;
pub use timeline::Timeline;
pub use virtual_time::virtual_time;
pub use words::Words;

pub mod prelude {
    //! Everything a cell needs: `use loopbot::prelude::*;`.
    pub use crate::explore::{self, explore, replay, step};
    pub use crate::{
        Comparison, CoreLoad, Exercise, Exploration, Explorer, Live, Outcome, Picture, Progress,
        PythonRun, Rich, Schedule, Table, Timeline, Took, Verdict, Words, compare, core_load,
        core_load_async, measure, measure_async, python, python_version, python_within,
        virtual_time,
    };
    pub use std::time::Duration;
}
