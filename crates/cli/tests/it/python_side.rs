//! A system without a usable Python: what is missing and how to mend it, before anything is made.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::{Home, Said, run};

/// `doctor`'s line on python3 when the search path holds only `folder`.
fn doctor(home: &Home, folder: &Path) -> String {
    let Said { status, stdout, .. } = run(home.command(&["doctor"]).env("PATH", folder));
    assert_eq!(status, 1);
    stdout
        .lines()
        .find(|line| line.contains(" python3 "))
        .unwrap()
        .to_owned()
}

/// A folder with a program `python3` that answers what it is asked with `answer`.
fn stand_in(home: &Home, answer: &str) -> PathBuf {
    let folder = home.path().join("bin");
    fs::create_dir(&folder).unwrap();
    let program = folder.join("python3");
    fs::write(&program, format!("#!/bin/sh\necho '{answer}'\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[test]
fn no_python_at_all() {
    let home = Home::new();
    let line = doctor(&home, &home.path().join("empty"));
    assert!(line.starts_with("✘"), "{line}");
    assert!(line.contains("there is no python3"), "{line}");
    assert!(line.contains("install it"), "{line}");
}

#[test]
fn too_old() {
    let home = Home::new();
    let folder = stand_in(&home, "3 7 1");
    let line = doctor(&home, &folder);
    assert!(
        line.contains("is Python 3.7, too old for JupyterLab, which needs 3.9 or newer"),
        "{line}"
    );
}

#[test]
fn no_venv() {
    let home = Home::new();
    let folder = stand_in(&home, "3 12 0");
    let line = doctor(&home, &folder);
    assert!(
        line.contains("lacks the module that makes private environments"),
        "{line}"
    );
    assert!(
        cfg!(target_os = "macos") || line.contains("sudo apt install python3-venv"),
        "{line}"
    );
}

#[test]
fn a_broken_one_is_passed_over() {
    let home = Home::new();
    let folder = stand_in(&home, "3 12 1");
    let broken = home.path().join("broken");
    fs::create_dir(&broken).unwrap();
    fs::write(broken.join("python3"), "not a program").unwrap();
    let both = std::env::join_paths([&broken, &folder]).unwrap();
    let line = doctor(&home, Path::new(&both));
    assert!(line.starts_with("✔") && line.contains("3.12 at"), "{line}");
}

#[test]
fn running_on_a_kernel_stops_before_it_makes_anything() {
    let home = Home::new();
    fs::write(home.path().join("x.ipynb"), "{}").unwrap();
    let said = run(home
        .command(&["run", "x.ipynb", "--kernel", "rust"])
        .env("PATH", ""));
    assert_eq!(said.status, 1);
    assert!(
        said.stderr.starts_with("error: there is no python3"),
        "{}",
        said.stderr
    );
    assert_eq!(said.stderr.lines().count(), 1, "{}", said.stderr);
    assert!(!home.path().join("data").exists());
}
