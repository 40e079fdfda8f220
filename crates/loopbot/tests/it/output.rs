//! What is printed for the notebook: one bundle of MIME forms a value.
#![allow(clippy::print_stdout)]

use loopbot::prelude::*;

#[test]
fn a_value_prints_one_bundle() {
    let (output, errors) = crate::in_child("output::a_value_prints_one_bundle", || {
        println!("BEGIN");
        let timeline = Timeline::new("lanes");
        timeline.run("a", || ());
        timeline.evcxr_display();
        Exercise::new("x")
            .claim("yes", || true, "")
            .verdict()
            .evcxr_display();
    });
    let blocks = output.split_once("BEGIN\n").unwrap().1;
    let mut mimes = Vec::new();
    let mut inside = false;
    for line in blocks.lines() {
        if let Some(mime) = line.strip_prefix("EVCXR_BEGIN_CONTENT ") {
            assert!(!inside);
            inside = true;
            mimes.push(mime);
        } else if line == "EVCXR_END_CONTENT" {
            assert!(inside);
            inside = false;
        } else {
            assert!(inside, "between two forms stands: {line}");
        }
    }
    assert_eq!(
        mimes,
        [
            "text/html",
            "image/svg+xml",
            "text/plain",
            "text/html",
            "application/vnd.loopbot.verdict+json",
            "text/plain",
        ]
    );
    assert_eq!(errors, "");
}

/// What a cell that shows changing outputs writes, under a kernel that lets them change or one that does not.
fn changing() {
    println!("BEGIN");
    let progress = Progress::new("counting", 8);
    for n in 1..=8 {
        progress.at(n);
    }
    let mut table = Table::new(["n"]);
    let view = Live::new(&table);
    for n in 0..100 {
        table.row([n.to_string()]);
        view.show(&table);
    }
    drop(view);
}

#[test]
fn other_kernels_get_a_line_a_quarter_and_the_first_and_last_value() {
    let (output, errors) = crate::in_child(
        "output::other_kernels_get_a_line_a_quarter_and_the_first_and_last_value",
        || {
            assert!(std::env::var_os("LOOPBOT_DISPLAY_UPDATES").is_none());
            changing();
        },
    );
    let output = output.split_once("BEGIN\n").unwrap().1;
    assert!(!output.contains("loopbot-id"));
    let lines: Vec<&str> = output
        .lines()
        .filter(|line| line.starts_with("counting"))
        .map(|line| line.split(" in ").next().unwrap())
        .collect();
    let expected = ["2 of 8 (25", "4 of 8 (50", "6 of 8 (75", "8 of 8 (100"];
    assert_eq!(lines, expected.map(|done| format!("counting: {done} %)")));
    let tables = output.matches("<table>").count();
    assert_eq!(tables, 2, "the first and the last");
    assert!(output.contains("… and 40 more"));
    assert_eq!(errors, "");
}

#[test]
fn where_outputs_may_change_they_are_named_and_do_not_come_too_often() {
    let (output, errors) = crate::in_child(
        "output::where_outputs_may_change_they_are_named_and_do_not_come_too_often",
        || {
            // SAFETY: no other thread of this process reads or writes the environment meanwhile.
            unsafe { std::env::set_var("LOOPBOT_DISPLAY_UPDATES", "1") };
            changing();
        },
    );
    let output = output.split_once("BEGIN\n").unwrap().1;
    let mut ids: Vec<&str> = output
        .lines()
        .filter(|line| line.starts_with("EVCXR_BEGIN_CONTENT"))
        .map(|line| line.split_once(" loopbot-id=").unwrap().1)
        .collect();
    ids.dedup();
    assert_eq!(ids.len(), 2, "one name for the bar, one for the table");
    assert!(output.contains("8 of 8 (100 %) in"));
    assert!(output.contains("… and 40 more"), "the last one is there");
    let updates = output.matches("<table>").count();
    assert!((2..50).contains(&updates), "{updates}");
    assert_eq!(errors, "");
}
