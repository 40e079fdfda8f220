//! `Timeline`: when every task and thread ran, recorded in a cell and shown as a picture.
//!
//! Recording (`store`, `task`), the model (`recording`), the sentences (`verdict`) and the drawing (`draw`) are apart:
//! recording does no output, drawing is pure.

pub(crate) mod clock;
mod draw;
mod recording;
mod store;
mod task;
mod verdict;

use std::sync::Arc;
use std::thread::JoinHandle;

pub use recording::{End, Kind, Lane, Note, Phase, Recording, Span, State, Wake};
pub use task::Recorded;

use crate::picture::Picture;
use crate::words::Words;
use store::{Running, Store};

/// A record of what ran when, on which thread, and what woke it.
///
/// Cloning it is cheap, and all clones write to the same record: move a clone into each task. Times are real, except
/// inside [`virtual_time`](crate::virtual_time), where they are those of the paused clock.
///
/// ```
/// use loopbot::prelude::*;
/// use tokio::time::sleep;
///
/// let timeline = Timeline::new("two sleepers");
/// let (_, took) = virtual_time(async {
///     let tea = timeline.task("tea", sleep(Duration::from_secs(3)));
///     let egg = timeline.task("egg", sleep(Duration::from_secs(5)));
///     tokio::join!(tea, egg)
/// });
/// assert_eq!(took, Duration::from_secs(5));
/// assert_eq!(timeline.total(), Duration::from_secs(5));
/// assert_eq!(timeline.recording().lane("tea").map(|lane| lane.polls()), Some(2));
/// ```
///
/// In a cell, end with `timeline` to see the picture.
#[derive(Clone)]
pub struct Timeline {
    store: Arc<Store>,
    words: Arc<Words>,
}

impl Timeline {
    /// An empty timeline.
    pub fn new(title: &str) -> Timeline {
        Timeline {
            store: Arc::new(Store::new(title)),
            words: Arc::default(),
        }
    }

    /// The same timeline with its picture in other words.
    #[must_use]
    pub fn with_words(mut self, words: Words) -> Timeline {
        self.words = Arc::new(words);
        self
    }

    /// Wraps a future so that every poll of it is recorded on a lane of its own. The lane begins at the first poll: a
    /// future that nobody awaits never runs.
    ///
    /// ```
    /// # use loopbot::prelude::*;
    /// # let timeline = Timeline::new("t");
    /// # let runtime = tokio::runtime::Runtime::new().unwrap();
    /// # runtime.block_on(async {
    /// let answer = tokio::spawn(timeline.task("answer", async { 42 })).await;
    /// # assert_eq!(answer.unwrap(), 42); });
    /// ```
    pub fn task<F: Future>(&self, name: &str, future: F) -> Recorded<F> {
        let lane = self.store.add_lane(name, Kind::Task);
        Recorded::new(self.store.clone(), lane, future)
    }

    /// Starts a thread of that name and records its run. Inside [`virtual_time`](crate::virtual_time) the thread reads
    /// the paused clock too.
    ///
    /// # Panics
    /// Like [`std::thread::spawn`], when the system can start no more threads.
    ///
    /// ```
    /// # use loopbot::prelude::*;
    /// # let timeline = Timeline::new("t");
    /// let handle = timeline.thread("sum", || (1..=10).sum::<i32>());
    /// assert_eq!(handle.join().unwrap(), 55);
    /// ```
    pub fn thread<T, F>(&self, name: &str, body: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let lane = self.store.add_lane(name, Kind::Thread);
        let store = self.store.clone();
        let paused = clock::is_virtual()
            .then(tokio::runtime::Handle::try_current)
            .and_then(Result::ok);
        let run = move || {
            let _entered = paused.as_ref().map(|runtime| {
                clock::this_thread_is_virtual();
                runtime.enter()
            });
            record(&store, lane, body)
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
        thread
            .unwrap_or_else(|error| panic!("the system cannot start the thread `{name}`: {error}"))
    }

    /// Runs ordinary code here and now, recorded on a lane of its own. Use it inside threads you start yourself.
    ///
    /// ```
    /// # use loopbot::prelude::*;
    /// # let timeline = Timeline::new("t");
    /// let total = timeline.run("add", || 2 + 2);
    /// assert_eq!(total, 4);
    /// ```
    pub fn run<T>(&self, name: &str, body: impl FnOnce() -> T) -> T {
        record(&self.store, self.store.add_lane(name, Kind::Stretch), body)
    }

    /// Marks this moment on the lane that is running here; outside any lane, on a lane called `notes`.
    ///
    /// ```
    /// # use loopbot::prelude::*;
    /// # let timeline = Timeline::new("t");
    /// timeline.run("send", || timeline.note("page 3 sent"));
    /// assert_eq!(timeline.recording().lanes[0].notes[0].text, "page 3 sent");
    /// ```
    pub fn note(&self, text: &str) {
        let lane = store::current_lane(&self.store);
        self.store
            .note(lane.unwrap_or_else(|| self.store.lane_named("notes")), text);
    }

    /// Marks this moment on the lane with that name, which is added if there is none.
    pub fn note_on(&self, lane: &str, text: &str) {
        self.store.note(self.store.lane_named(lane), text);
    }

    /// What has been recorded so far, as data.
    pub fn recording(&self) -> Recording {
        self.store.recording()
    }

    /// From the first start to the last end.
    pub fn total(&self) -> std::time::Duration {
        self.recording().total()
    }

    /// The lifetimes of all lanes added up: the time they would take one after the other.
    pub fn sum(&self) -> std::time::Duration {
        self.recording().sum()
    }

    /// What the measurements say, in sentences.
    pub fn verdict(&self) -> Vec<String> {
        verdict::verdict(&self.recording())
    }

    /// The picture of what has been recorded so far.
    pub fn picture(&self) -> Picture {
        self.recording().picture(&self.words)
    }

    /// Shows the picture now, for a cell whose last expression is something else.
    pub fn show(&self) {
        self.picture().show();
    }

    /// Shows the picture as the result of a cell; kernels call it.
    pub fn evcxr_display(&self) {
        self.show();
    }
}

impl Recording {
    /// The picture of this recording.
    pub fn picture(&self, words: &Words) -> Picture {
        draw::draw(self, words)
    }

    /// What the measurements say, in sentences.
    pub fn verdict(&self) -> Vec<String> {
        verdict::verdict(self)
    }
}

fn record<T>(store: &Arc<Store>, lane: usize, body: impl FnOnce() -> T) -> T {
    let running = Running::begin(store, lane);
    let result = body();
    drop(running);
    store.finish(lane, End::Done);
    result
}
