//! Comparisons and core loads from fixed figures, and that measuring runs what it says it runs.

use std::cell::Cell;

use loopbot::prelude::*;

fn ms(times: &[u64]) -> Vec<Duration> {
    times.iter().copied().map(Duration::from_millis).collect()
}

fn fixed() -> Comparison {
    Comparison::new(
        "Squares of 1…50,000,000",
        [
            ("one thread", ms(&[810, 800, 805, 812, 799])),
            ("four threads & more", ms(&[210, 208, 215, 400, 209])),
            ("two threads", ms(&[420, 415, 430, 411, 422])),
            ("one async task", ms(&[790, 815, 802, 809, 806])),
        ],
    )
}

#[test]
fn ratios_come_from_medians_and_overlap_is_no_difference() {
    let result = fixed();
    assert_eq!(
        result.median("two threads"),
        Some(Duration::from_millis(420))
    );
    assert_eq!(result.median("nine threads"), None);
    assert!(
        result
            .ratio("one thread", "two threads")
            .is_some_and(|ratio| (ratio - 805.0 / 420.0).abs() < 1e-9)
    );
    assert!(
        result.differ("one thread", "two threads")
            && !result.differ("one thread", "one async task")
    );
    assert_eq!(
        result.verdict(),
        [
            "`four threads & more` is 3.8 times as fast as `one async task`.",
            "`two threads` is 1.9 times as fast as `one async task`.",
            "No difference seen between `one thread` and `one async task`: the middle halves of their times overlap.",
        ]
    );
    let check = |cases: Vec<(&str, Vec<Duration>)>, expected: &str| {
        assert_eq!(Comparison::new("few", cases).to_string(), expected);
    };
    check(
        vec![],
        "Nothing was compared: add alternatives with `.case(…)`.",
    );
    check(
        vec![("a", ms(&[1]))],
        "Only `a` was measured; add another `.case(…)` to compare it with.",
    );
}

#[test]
fn the_picture_of_a_comparison() {
    let picture = fixed().picture();
    insta::assert_snapshot!("comparison", picture.text());
    insta::assert_snapshot!("comparison_svg", picture.svg());
}

#[test]
fn every_case_runs_once_to_warm_up_and_then_in_turn() {
    let order = std::sync::Mutex::new(String::new());
    let note = |letter| order.lock().unwrap().push(letter);
    let result = compare("order")
        .case("a", || note('a'))
        .case_async("b", || async { note('b') })
        .runs(3)
        .run();
    assert_eq!(result.medians().len(), 2);
    assert_eq!(*order.lock().unwrap(), "abababab");
}

#[test]
fn an_async_case_runs_inside_a_runtime_too() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let result = compare("nested")
            .case_async("spawn", || async {
                tokio::spawn(async { 1 }).await.unwrap()
            })
            .runs(1)
            .run();
        assert!(result.median("spawn").is_some());
    });
}

#[test]
fn measure_runs_once_and_returns_the_value() {
    let runs = Cell::new(0);
    let (value, took) = measure(|| {
        runs.set(runs.get() + 1);
        "value"
    });
    assert_eq!((value, runs.get()), ("value", 1));
    assert!(took.as_nanos() < u128::MAX && format!("{took:?}") == took.to_string());
}

#[test]
fn the_picture_of_a_core_load() {
    let one_of_fourteen = (0..14).map(|core| (0.02, if core == 5 { 1.0 } else { 0.03 }));
    let load = CoreLoad::of(one_of_fourteen, Duration::from_secs(2));
    assert_eq!(load.busy(), 1);
    insta::assert_snapshot!("core_load", load.picture().text());
    insta::assert_snapshot!("core_load_svg", load.picture().svg());
}

#[test]
fn a_real_core_load_has_a_core_for_each_of_the_machine() {
    let load = core_load(|| 1 + 1);
    if cfg!(target_os = "linux") {
        assert!(!load.cores().is_empty());
        assert!(
            load.cores().iter().all(
                |(before, during)| (0.0..=1.0).contains(before) && (0.0..=1.0).contains(during)
            )
        );
    } else {
        assert!(load.verdict()[0].starts_with("Not measured"));
    }
}
