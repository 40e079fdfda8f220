//! Verdicts: what counts as met, in which order, and in which forms they are shown.

use loopbot::prelude::*;

/// Compares whether a verdict is done, what is missing, and that its JSON says the same.
fn check(exercise: Exercise<'_>, missing: &[&str]) -> String {
    let verdict = exercise.verdict();
    assert_eq!(verdict.missing(), missing);
    assert_eq!(verdict.done(), missing.is_empty());
    let json: serde_json::Value = serde_json::from_str(&verdict.json()).unwrap();
    assert_eq!(json["done"], verdict.done());
    assert_eq!(json["missing"], serde_json::json!(missing));
    verdict.text()
}

#[test]
fn the_first_unmet_claim_is_what_is_missing() {
    let mut later = false;
    let exercise = Exercise::new("fib-under")
        .claim("starts well", || true, "start with 1")
        .claim("ends well", || false, "say \"stop\" \\ at\n the limit")
        .claim(
            "is fast",
            || {
                later = true;
                later
            },
            "too slow",
        );
    let text = check(exercise, &["say \"stop\" \\ at\n the limit"]);
    insta::assert_snapshot!("verdict", text);
    assert!(!later, "a claim behind the first unmet one must not run");
}

#[test]
fn a_panic_is_not_met_and_a_todo_says_so() {
    #[allow(clippy::todo)]
    fn shipped() -> bool {
        todo!()
    }
    check(
        Exercise::new("a").claim("it is written", shipped, "write it"),
        &["your code still has a `todo!()` in it (it is written)"],
    );
    let verdict = Exercise::new("a")
        .claim(
            "no overflow",
            || [0][..].is_empty() || panic!("index 7"),
            "",
        )
        .verdict();
    assert!(
        verdict.missing()[0].starts_with("your code panicked instead, line "),
        "{verdict:?}"
    );
    assert!(
        verdict.missing()[0].ends_with(": index 7 (no overflow)"),
        "{verdict:?}"
    );
}

#[test]
fn claims_can_compute_advice_await_and_borrow() {
    let numbers = [1, 1, 2];
    let exercise = Exercise::new("count")
        .claim_async(
            "a task answers",
            async { tokio::spawn(async { true }).await.is_ok_and(|yes| yes) },
            "no answer",
        )
        .claim_that("16 numbers", || match numbers.len() {
            16 => Ok(()),
            n => Err(format!("there should be 16 numbers, not {n}")),
        });
    check(exercise, &["there should be 16 numbers, not 3"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        check(
            Exercise::new("nested").claim_async("inside a runtime", async { true }, ""),
            &[],
        );
        let clumsy = async { panic!("tray") };
        let verdict = Exercise::new("nested")
            .claim_async("no panic", clumsy, "")
            .verdict();
        assert!(verdict.missing()[0].contains("tray"), "{verdict:?}");
    });
}

#[test]
fn done_is_said_in_one_line_and_no_claims_is_not_done() {
    let text = check(
        Exercise::new("fib-under").claim("all numbers", || true, ""),
        &[],
    );
    assert_eq!(text.lines().next(), Some("✔ fib-under: done"));
    check(
        Exercise::new("empty"),
        &["this exercise claims nothing yet: add `.claim(…)` to its check"],
    );
}

#[test]
fn the_html_of_a_verdict() {
    let verdict = |met| {
        Exercise::new("a<b").claim("`x` holds", || true, "").claim(
            "so does y",
            move || met,
            "look at `y`",
        )
    };
    let html = format!(
        "{}\n{}",
        verdict(false).verdict().html(),
        verdict(true).verdict().html()
    );
    insta::assert_snapshot!("verdict_html", html);
}

#[test]
fn expected_panics_are_not_printed() {
    let (_, errors) = crate::in_child("exercise::expected_panics_are_not_printed", || {
        let in_thread = || {
            std::thread::spawn(|| panic!("hidden in a thread"))
                .join()
                .is_ok()
        };
        let exercise = Exercise::new("quiet").claim_that("first", || -> Result<(), String> {
            let _ = in_thread();
            panic!("hidden");
        });
        assert!(!exercise.verdict().done());
        let _ = std::panic::catch_unwind(|| panic!("seen again"));
    });
    assert!(
        errors.contains("seen again") && !errors.contains("hidden"),
        "{errors}"
    );
}
