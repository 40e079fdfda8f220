//! Tests of the lesson library from outside, one module a feature. Pictures are drawn from fixed data and kept as
//! snapshots; nothing here asserts how long something took.
#![allow(clippy::unwrap_used)]

mod compare;
mod exercise;
mod explore;
mod explore_sync;
mod figures;
mod output;
mod picture;
mod python;
mod timeline;
mod virtual_time;

/// Runs one test of this binary again in a process of its own and returns what it wrote: stdout, stderr.
///
/// In the child, `code` runs instead, and the function does not return.
fn in_child(test: &str, code: impl FnOnce()) -> (String, String) {
    const CHILD: &str = "LOOPBOT_TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        code();
        std::process::exit(0);
    }
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--quiet"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    (
        String::from_utf8(child.stdout).unwrap(),
        String::from_utf8(child.stderr).unwrap(),
    )
}
