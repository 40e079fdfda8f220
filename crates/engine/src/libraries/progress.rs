//! cargo's progress in a learner's words: `Building rand: 3 of 7 (rand_core)`. It only reads what cargo prints.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Tells what cargo is doing.
pub(super) struct Teller<'a> {
    /// What the learner is waiting for.
    what: String,
    progress: &'a dyn Fn(String),
    counter: Counter,
    last: String,
}

/// Counts the steps that were done long ago: cargo counts them in, a learner does not wait for them.
#[derive(Debug, Clone, Default)]
pub(super) struct Counter {
    done_before: Arc<AtomicUsize>,
    works: Arc<AtomicBool>,
}

impl Counter {
    /// Hears one of cargo's reports.
    pub(super) fn report(&self, line: &str) {
        if line.contains("\"fresh\":false") {
            self.works.store(true, Ordering::Relaxed);
        }
        // Of a build script's run cargo does not say whether it was needed; those that come first were not.
        let ran = line.contains("\"reason\":\"build-script-executed\"");
        if line.contains("\"fresh\":true") || ran && !self.works.load(Ordering::Relaxed) {
            self.done_before.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<'a> Teller<'a> {
    pub(super) fn new(what: String, progress: &'a dyn Fn(String)) -> Teller<'a> {
        Teller {
            what,
            progress,
            counter: Counter::default(),
            last: String::new(),
        }
    }

    pub(super) fn counter(&self) -> Counter {
        self.counter.clone()
    }

    /// Tells of a line of cargo's; `false` if the line is no news of its work.
    pub(super) fn tell(&mut self, line: &str) -> bool {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let step = match word {
            "Building" => match bar(rest, self.counter.done_before.load(Ordering::Relaxed)) {
                Some(step) => format!("Building {}: {step}", self.what),
                None => return false,
            },
            "Compiling" | "Finished" | "Locking" | "Adding" | "Fetch" => return true,
            "Updating" => format!("Looking for {} in the registry", self.what),
            "Downloaded" => match rest.split_once(" v") {
                Some((name, _)) => format!("Downloading {} ({name})", self.what),
                None => return true,
            },
            "Downloading" => return true,
            "Blocking" => format!("Waiting for another cargo, to build {}", self.what),
            _ => return false,
        };
        if step != self.last {
            (self.progress)(step.clone());
            self.last = step;
        }
        true
    }
}

/// Whether a crate is a set or a layer.
fn is_ours(name: &str) -> bool {
    [super::SET, super::LAYER]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// `[====>   ] 12/34: one, other` as `3 of 25 (one, other)` when 10 were done before.
fn bar(text: &str, done_before: usize) -> Option<String> {
    let (_, text) = text.split_once(']')?;
    let (count, names) = text.trim().split_once(": ").unwrap_or((text.trim(), ""));
    let (done, all) = count.split_once('/')?;
    let (done, all): (usize, usize) = (done.trim().parse().ok()?, all.trim().parse().ok()?);
    let before = done_before.min(done);
    let (done, all) = ((done - before + 1).min(all - before), all - before);
    // The last step joins everything; its name would tell a learner nothing.
    let names: Vec<&str> = names
        .split(", ")
        .filter(|name| !name.is_empty() && !is_ours(name))
        .collect();
    Some(match names.as_slice() {
        [] => format!("{done} of {all}"),
        names => format!("{done} of {all} ({})", names.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn steps_that_were_done_before_are_not_counted() {
        let told = RefCell::new(Vec::new());
        let progress = |step| told.borrow_mut().push(step);
        let mut teller = Teller::new("rand".into(), &progress);
        let counter = teller.counter();
        counter.report(r#"{"reason":"compiler-artifact","fresh":true}"#);
        counter.report(r#"{"reason":"build-script-executed"}"#);
        counter.report(r#"{"reason":"compiler-artifact","fresh":false}"#);
        // The run of a script that was built just now.
        counter.report(r#"{"reason":"build-script-executed"}"#);
        for line in [
            "Updating crates.io index",
            "Downloaded rand v0.9.5",
            "Compiling rand_core v0.9.5",
            "Building [===>   ] 2/5: rand_core, libc(build)",
            "Building [===>   ] 2/5: rand_core, libc(build)",
            "Building [====>  ] 3/5: rand",
            "Building [=====> ] 4/5: layer_12",
            "Building [======>] 5/5",
        ] {
            assert!(teller.tell(line), "{line}");
        }
        assert!(!teller.tell("error: could not compile `rand`"));
        assert_eq!(
            told.into_inner(),
            [
                "Looking for rand in the registry",
                "Downloading rand (rand)",
                "Building rand: 1 of 3 (rand_core, libc(build))",
                "Building rand: 2 of 3 (rand)",
                "Building rand: 3 of 3",
            ]
        );
    }
}
