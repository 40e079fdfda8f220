//! Wrong use: exit status 2 and one sentence that says what to write instead.

use std::net::TcpListener;

use crate::{Home, run};

/// Runs `arguments` in an empty home, where it must fail with `status` and say `expected` in one line.
#[track_caller]
fn check(arguments: &[&str], status: i32, expected: &str) {
    let said = Home::new().loopbot(arguments);
    assert_eq!(
        said.stderr.trim_end(),
        format!("error: {expected}"),
        "{arguments:?}"
    );
    assert_eq!(
        (said.status, said.stdout.as_str()),
        (status, ""),
        "{arguments:?}"
    );
}

#[test]
fn help_names_every_command() {
    let said = Home::new().loopbot(&["--help"]);
    assert_eq!(said.status, 0);
    for command in ["lab", "run", "export", "check", "cache", "doctor", "kernel"] {
        assert!(
            said.stdout.contains(&format!("  {command} ")),
            "{command} is missing:\n{}",
            said.stdout
        );
    }
}

#[test]
fn unknown_commands_and_options_are_wrong_use() {
    for arguments in [
        &["fly"][..],
        &["run"],
        &["lab", "--speed"],
        &["kernel"],
        &["run", "a", "--output", "b", "--in-place"],
        &[],
    ] {
        assert_eq!(Home::new().loopbot(arguments).status, 2, "{arguments:?}");
    }
}

#[test]
fn files_that_are_not_there() {
    check(
        &["run", "nope.ipynb"],
        2,
        "nope.ipynb: there is no such file; check the name and the folder",
    );
    check(
        &["check", "a/b.ipynb"],
        2,
        "a/b.ipynb: there is no such file; check the name and the folder",
    );
    check(
        &["export", "nope.ipynb", "--out", "pages"],
        2,
        "nope.ipynb: there is no such file; check the name and the folder",
    );
    check(&["run", "."], 2, ". is a folder; name a notebook in it");
    check(
        &["lab", "--notebooks", "nowhere"],
        2,
        "nowhere is not a folder; name one after --notebooks",
    );
    check(
        &["kernel", "install", "--prefix", "nowhere"],
        2,
        "nowhere is not a folder; name an environment after --prefix",
    );
}

#[test]
fn files_that_hold_no_lesson() {
    let home = Home::new();
    std::fs::write(home.path().join("cut.ipynb"), "{\"cells\": [").unwrap();
    let python = r#"{"nbformat": 4, "nbformat_minor": 5, "cells": [],
        "metadata": {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python"}}}"#;
    std::fs::write(home.path().join("python.ipynb"), python).unwrap();
    let said = home.loopbot(&["run", "cut.ipynb", "python.ipynb"]);
    assert_eq!(said.status, 1);
    let lines: Vec<&str> = said.stderr.lines().collect();
    assert!(
        lines[0].starts_with("error: cut.ipynb: the file stops in the middle"),
        "{lines:?}"
    );
    // The first one did not keep the second from its turn.
    assert!(
        lines[1].starts_with("error: python.ipynb: this notebook is written for python"),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 2, "{lines:?}");
}

#[test]
fn copies_that_would_overwrite_each_other() {
    let home = Home::new();
    for folder in ["a", "b"] {
        std::fs::create_dir(home.path().join(folder)).unwrap();
        std::fs::write(home.path().join(folder).join("x.ipynb"), "{}").unwrap();
    }
    let said = home.loopbot(&["run", "a/x.ipynb", "b/x.ipynb", "--output", "out"]);
    assert_eq!(said.status, 2);
    assert_eq!(
        said.stderr,
        "error: a/x.ipynb and b/x.ipynb would be written to the same file; name one of them at a time\n"
    );
    assert!(!home.path().join("out").exists());
}

#[test]
fn a_port_that_is_taken() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let said = run(&mut home.command(&["lab", "--notebooks", ".", "--port", &port.to_string()]));
    assert_eq!(said.status, 2);
    assert_eq!(
        said.stderr,
        format!(
            "error: port {port} is taken by another program; name another port, or leave --port out to get a free one\n"
        )
    );
    assert!(
        !home.path().join("data").exists(),
        "the set-up began although the port was taken"
    );
}

#[test]
fn the_cache_is_shown_and_emptied() {
    let home = Home::new();
    let cells = home.path().join("cache/toolchain/sets/set/cells");
    std::fs::create_dir_all(&cells).unwrap();
    for cell in ["cell_1", "cell_2"] {
        std::fs::write(cells.join(format!("{cell}.json")), "{}").unwrap();
        std::fs::write(cells.join(format!("lib{cell}.so")), vec![0; 1 << 20]).unwrap();
    }
    let place = home.path().join("cache");
    for (arguments, expected) in [
        (&["cache"][..], "2 compiled cells (2.0 MB) in"),
        (
            &["cache", "clear"],
            "2 compiled cells (2.0 MB) were removed from",
        ),
        (&["cache"], "0 compiled cells (0.0 MB) in"),
    ] {
        let said = home.loopbot(arguments);
        let expected = format!("{expected} {}.\n", place.display());
        assert_eq!((said.status, said.stdout), (0, expected), "{}", said.stderr);
    }
}
