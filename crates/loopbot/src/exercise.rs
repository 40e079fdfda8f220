//! `Exercise`: claims about a learner's solution, and the verdict on them. A verdict is shown, never raised.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::Rich;
use crate::picture::in_code_marks;
use crate::quiet::{self, Quiet};
use crate::show::Bundle;
use crate::svg::escape;

/// An async claim that takes longer than this is not met.
const PATIENCE: Duration = Duration::from_secs(10);

type Check<'a> = Box<dyn FnOnce() -> Result<(), String> + 'a>;

/// The claims that a solved exercise meets. They are checked in order, and the first that is not met ends the check, so
/// that the learner has one thing to do next.
///
/// ```
/// use loopbot::prelude::*;
/// fn double(n: i32) -> i32 { n + 2 }
///
/// let verdict = Exercise::new("double")
///     .claim("2 becomes 4", || double(2) == 4, "`double(2)` should be 4")
///     .claim("5 becomes 10", || double(5) == 10, "`double(5)` should be 10; look at the operator")
///     .verdict();
/// assert!(!verdict.done());
/// assert_eq!(verdict.missing(), ["`double(5)` should be 10; look at the operator"]);
/// ```
pub struct Exercise<'a> {
    id: String,
    claims: Vec<(String, Check<'a>)>,
}

impl<'a> Exercise<'a> {
    /// The exercise with this id, as in the lesson's metadata.
    pub fn new(id: &str) -> Exercise<'a> {
        Exercise {
            id: id.to_owned(),
            claims: Vec::new(),
        }
    }

    /// Something that should hold, and what is missing if it does not, in the learner's terms. A panic in it counts as
    /// not met.
    #[must_use]
    pub fn claim(
        self,
        what: &str,
        holds: impl FnOnce() -> bool + 'a,
        missing: impl Into<String>,
    ) -> Exercise<'a> {
        let missing = missing.into();
        self.claim_that(what, move || if holds() { Ok(()) } else { Err(missing) })
    }

    /// Something that should hold, checked by code that says itself what is missing.
    ///
    /// ```
    /// # use loopbot::prelude::*;
    /// # let seen = 3;
    /// let verdict = Exercise::new("count").claim_that("all 16 numbers", || match seen {
    ///     16 => Ok(()),
    ///     n => Err(format!("there should be 16 numbers, not {n}")),
    /// }).verdict();
    /// assert_eq!(verdict.missing(), ["there should be 16 numbers, not 3"]);
    /// ```
    #[must_use]
    pub fn claim_that<E: Into<String>>(
        mut self,
        what: &str,
        check: impl FnOnce() -> Result<(), E> + 'a,
    ) -> Exercise<'a> {
        let check = move || check().map_err(Into::into);
        self.claims.push((what.to_owned(), Box::new(check)));
        self
    }

    /// Something that should hold, checked by a future. It runs on a thread and a runtime of its own, so it works in
    /// any cell, and it is not met when it takes longer than 10 s.
    ///
    /// ```
    /// # use loopbot::prelude::*;
    /// let verdict = Exercise::new("answer")
    ///     .claim_async("the task returns 42", async { tokio::spawn(async { 42 }).await.is_ok_and(|n| n == 42) },
    ///         "the task should return 42")
    ///     .verdict();
    /// assert!(verdict.done());
    /// ```
    #[must_use]
    pub fn claim_async(
        self,
        what: &str,
        holds: impl Future<Output = bool> + Send + 'a,
        missing: impl Into<String>,
    ) -> Exercise<'a> {
        let missing = missing.into();
        self.claim_that(what, move || match in_own_runtime(holds)? {
            true => Ok(()),
            false => Err(missing),
        })
    }

    /// Checks the claims and says what is missing. Let it be the last expression of the check cell.
    pub fn verdict(self) -> Verdict {
        let mut verdict = Verdict {
            exercise: self.id,
            met: Vec::new(),
            missing: Vec::new(),
            unchecked: Vec::new(),
        };
        let quiet = Quiet::everywhere();
        for (what, check) in self.claims {
            if !verdict.missing.is_empty() {
                verdict.unchecked.push(what);
                continue;
            }
            match catch_unwind(AssertUnwindSafe(check)) {
                Ok(Ok(())) => verdict.met.push(what),
                Ok(Err(missing)) => verdict.missing.push(missing),
                Err(payload) => verdict
                    .missing
                    .push(panicked(&what, quiet::describe(payload))),
            }
        }
        drop(quiet);
        if verdict.met.is_empty() && verdict.missing.is_empty() {
            verdict
                .missing
                .push("this exercise claims nothing yet: add `.claim(…)` to its check".into());
        }
        verdict
    }
}

fn panicked(what: &str, (message, line): (String, Option<u32>)) -> String {
    if message.starts_with("not yet implemented") {
        return format!("your code still has a `todo!()` in it ({what})");
    }
    let line = line.map_or(String::new(), |line| format!(", line {line}"));
    format!("your code panicked instead{line}: {message} ({what})")
}

fn in_own_runtime(holds: impl Future<Output = bool> + Send) -> Result<bool, String> {
    let run = || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build();
        let runtime =
            runtime.map_err(|error| format!("the check could not start a runtime: {error}"))?;
        let checked = runtime.block_on(async { tokio::time::timeout(PATIENCE, holds).await });
        // A task that never ends must not keep the check from ending.
        runtime.shutdown_background();
        checked.map_err(|_| {
            format!(
                "it did not finish within {} s: something waits for ever",
                PATIENCE.as_secs()
            )
        })
    };
    std::thread::scope(|scope| {
        let checked = scope.spawn(run).join();
        checked.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// What a check found. It shows itself as the last expression of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "make the verdict the last expression of the cell, so that it is shown"]
pub struct Verdict {
    exercise: String,
    met: Vec<String>,
    missing: Vec<String>,
    unchecked: Vec<String>,
}

impl Verdict {
    /// Whether every claim is met.
    pub fn done(&self) -> bool {
        self.missing.is_empty()
    }

    /// What is missing, in the learner's terms; empty when done.
    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    /// The verdict as text, one line a claim.
    pub fn text(&self) -> String {
        let mut lines = vec![match self.missing.as_slice() {
            [] => format!("✔ {}: done", self.exercise),
            missing => format!("… {}: not yet: {}", self.exercise, missing.join("; ")),
        }];
        lines.extend(self.met.iter().map(|what| format!("  ✔ {what}")));
        lines.extend(
            self.unchecked
                .iter()
                .map(|what| format!("  · {what} (checked after that)")),
        );
        lines.join("\n")
    }

    /// The verdict as HTML.
    pub fn html(&self) -> String {
        let (sign, state, color) = match self.done() {
            true => ("✔", "done", crate::svg::GOOD),
            false => ("…", "not yet", crate::svg::TURN),
        };
        let mut html = format!(
            "<div dir=\"auto\" style=\"border-inline-start:5px solid {color};padding:0.4em 0.9em\">\
             <strong>{sign} {}: {state}</strong>",
            escape(&self.exercise)
        );
        for missing in &self.missing {
            html += &format!("<p style=\"margin:0.3em 0\">{}</p>", in_code_marks(missing));
        }
        let items = self.met.iter().map(|what| ("✔", what));
        let items: Vec<_> = items
            .chain(self.unchecked.iter().map(|what| ("·", what)))
            .collect();
        if !items.is_empty() {
            html += "<ul style=\"list-style:none;margin:0.3em 0;padding:0;opacity:0.8\">";
            for (sign, what) in items {
                html += &format!("<li>{sign} {}</li>", in_code_marks(what));
            }
            html += "</ul>";
        }
        html + "</div>"
    }

    /// The verdict as JSON: `{"exercise": …, "done": …, "missing": […]}`.
    pub fn json(&self) -> String {
        let missing: Vec<String> = self.missing.iter().map(|text| json_string(text)).collect();
        format!(
            "{{\"exercise\": {}, \"done\": {}, \"missing\": [{}]}}",
            json_string(&self.exercise),
            self.done(),
            missing.join(", ")
        )
    }

    /// Shows the verdict now, for a cell whose last expression is something else.
    pub fn show(&self) {
        Bundle::from(self.forms()).show();
    }

    /// Shows the verdict as the result of a cell; kernels call it.
    pub fn evcxr_display(&self) {
        self.show();
    }
}

fn json_string(text: &str) -> String {
    let mut json = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            c if c.is_control() => json.push_str(&format!("\\u{:04x}", c as u32)),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}
