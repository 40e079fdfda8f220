//! `Progress`: how far a long cell has come, as a bar that grows in place. It measures nothing but its own time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::measure::Took;
use crate::svg::escape;
use crate::{Live, show};

/// A progress bar.
///
/// ```
/// use loopbot::prelude::*;
///
/// let progress = Progress::new("downloading", 100);
/// for page in 1..=100 {
///     std::thread::sleep(Duration::from_millis(1)); // the work
///     progress.at(page);
/// }
/// ```
///
/// Threads and tasks may share it; put it in an `Arc` and call [`step`](Progress::step) as each piece of work is done.
/// Kernels that cannot change an output get a line for each quarter.
#[derive(Debug)]
pub struct Progress {
    what: String,
    total: u64,
    done: AtomicU64,
    started: Instant,
    view: Live,
}

impl Progress {
    /// Shows a bar for `total` pieces of work, none of them done.
    pub fn new(what: impl Into<String>, total: u64) -> Progress {
        let what = what.into();
        let view = Live::with_forms(forms(&what, 0, total, None));
        Progress {
            what,
            total,
            done: AtomicU64::new(0),
            started: Instant::now(),
            view,
        }
    }

    /// Says that `done` pieces are done. The bar shows it, at most 20 times a second, and when all are done at once.
    pub fn at(&self, done: u64) {
        let before = self.done.swap(done, Ordering::Relaxed);
        self.show(before, done);
    }

    /// Says that one more piece is done.
    pub fn step(&self) {
        let before = self.done.fetch_add(1, Ordering::Relaxed);
        self.show(before, before + 1);
    }

    fn show(&self, before: u64, done: u64) {
        let took = (done >= self.total).then(|| Took(self.started.elapsed()));
        if self.view.changes_in_place() {
            self.view
                .show_forms(forms(&self.what, done, self.total, took));
            if took.is_some() {
                self.view.flush();
            }
        } else if quarter(done, self.total) > quarter(before, self.total) {
            show::line(&text(&self.what, done, self.total, took));
        }
    }
}

fn percent(done: u64, total: u64) -> u64 {
    match total {
        0 => 100,
        total => (u128::from(done.min(total)) * 100 / u128::from(total)) as u64,
    }
}

fn quarter(done: u64, total: u64) -> u64 {
    percent(done, total) / 25
}

fn text(what: &str, done: u64, total: u64, took: Option<Took>) -> String {
    let percent = percent(done, total);
    let took = took.map(|took| format!(" in {took}")).unwrap_or_default();
    format!("{what}: {done} of {total} ({percent} %){took}")
}

fn forms(what: &str, done: u64, total: u64, took: Option<Took>) -> Vec<(&'static str, String)> {
    let text = text(what, done, total, took);
    let percent = percent(done, total);
    let bar = format!(
        "<div dir=\"auto\"><progress max=\"100\" value=\"{percent}\" style=\"width:320px;max-width:100%\"></progress> {}</div>",
        escape(&text)
    );
    let filled = (percent / 5) as usize;
    let drawn = format!("{}{} {text}", "█".repeat(filled), "░".repeat(20 - filled));
    vec![("text/html", bar), ("text/plain", drawn)]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bar_says_how_far_and_at_the_end_how_long() {
        let plain = |done, total, took| forms("a <b>", done, total, took)[1].1.clone();
        assert_eq!(
            plain(0, 40, None),
            "░░░░░░░░░░░░░░░░░░░░ a <b>: 0 of 40 (0 %)"
        );
        assert_eq!(
            plain(10, 40, None),
            "█████░░░░░░░░░░░░░░░ a <b>: 10 of 40 (25 %)"
        );
        assert_eq!(
            plain(40, 40, Some(Took(Duration::from_millis(1200)))),
            "████████████████████ a <b>: 40 of 40 (100 %) in 1.20 s"
        );
        assert!(forms("a <b>", 1, 2, None)[0].1.contains("a &lt;b&gt;"));
    }

    #[test]
    fn more_than_all_and_nothing_at_all_are_all() {
        assert_eq!(percent(7, 5), 100);
        assert_eq!(percent(0, 0), 100);
        assert_eq!(percent(u64::MAX - 1, u64::MAX), 99);
    }
}
