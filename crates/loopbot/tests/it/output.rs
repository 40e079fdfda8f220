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
