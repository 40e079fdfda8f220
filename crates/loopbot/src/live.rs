//! `Live`: an output that changes in place. It draws nothing; what it shows are the forms of [`Rich`] values.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::Rich;
use crate::show::{self, Bundle};

/// Shortest time between two updates: smooth to the eye, and no flood for the page.
const PACE: Duration = Duration::from_millis(50);

/// An output that is shown once and then replaced in place.
///
/// ```
/// use loopbot::prelude::*;
///
/// let mut score = Table::new(["round", "winner"]);
/// let view = Live::new(&score);
/// for round in 1..=3 {
///     score.row([round.to_string(), "LoopBot".to_owned()]);
///     view.show(&score);
///     std::thread::sleep(Duration::from_millis(60));
/// }
/// ```
///
/// The output stays where it is, also when a later cell calls [`show`](Live::show). Threads and tasks may share the
/// view; put it in an `Arc`. Updates that follow each other within 50 ms are not all shown, but the last one always is,
/// unless the process ends first.
///
/// Kernels that cannot change an output show the first value, and the last one when the view is dropped.
#[derive(Debug)]
pub struct Live {
    /// `None` where outputs cannot be changed.
    id: Option<String>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    shown: Instant,
    /// Came too soon after what is shown.
    waiting: Option<Bundle>,
}

impl Live {
    /// Shows `first` where the cell's output is.
    pub fn new(first: &(impl Rich + ?Sized)) -> Live {
        Live::with_forms(first.forms())
    }

    pub(crate) fn with_forms(forms: Vec<(&'static str, String)>) -> Live {
        let id = show::updates_are_understood().then(new_id);
        Bundle::from(forms).show_in_place(id.as_deref());
        Live {
            id,
            state: Arc::new(Mutex::new(State {
                shown: Instant::now(),
                waiting: None,
            })),
        }
    }

    /// Shows `next` in the place of what is there.
    pub fn show(&self, next: &(impl Rich + ?Sized)) {
        self.show_forms(next.forms());
    }

    pub(crate) fn show_forms(&self, forms: Vec<(&'static str, String)>) {
        let mut state = lock(&self.state);
        let nobody_shows_it_later = state.waiting.is_none();
        state.waiting = Some(Bundle::from(forms));
        let Some(id) = &self.id else { return };
        let wait = PACE.saturating_sub(state.shown.elapsed());
        drop(state);
        if wait.is_zero() {
            self.flush();
        } else if nobody_shows_it_later {
            let (shared, id) = (self.state.clone(), id.clone());
            // Without a thread the next update, or the end of the view, shows it.
            let _ = std::thread::Builder::new()
                .name("live output".into())
                .spawn(move || {
                    std::thread::sleep(wait);
                    flush(&shared, Some(&id));
                });
        }
    }

    /// Whether the output changes in place; else it is better to print now and then.
    pub(crate) fn changes_in_place(&self) -> bool {
        self.id.is_some()
    }

    /// Shows what waits for its turn now.
    pub fn flush(&self) {
        flush(&self.state, self.id.as_deref());
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Shows what waits. Not under the lock: printing may wait for a thread that holds standard output and calls `show`.
fn flush(state: &Mutex<State>, id: Option<&str>) {
    let waiting = {
        let mut state = lock(state);
        state.shown = Instant::now();
        state.waiting.take()
    };
    if let Some(bundle) = waiting {
        bundle.show_in_place(id);
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name that no other output has, of this process or another. Not a counter: statics may start anew in each cell.
fn new_id() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    // Two made within one tick of the clock differ in their place in memory.
    let place = Box::new(0_u8);
    format!(
        "{:x}-{:x}-{:x}",
        std::process::id(),
        now.as_nanos(),
        std::ptr::from_ref(&*place).addr()
    )
}
