//! The rules of the repository that a machine can check: what lies at its top, who depends on whom, how files open.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use loopbot_notebook::Notebook;

use crate::repository;

/// What lies at the top, and nothing else.
const TOP: [&str; 11] = [
    ".ci",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "crates",
    "environment.yml",
    "images",
    "notebooks",
];

#[test]
fn the_top_of_the_repository() {
    let ignored = fs::read_to_string(repository().join(".gitignore")).unwrap();
    let ignored: BTreeSet<&str> = ignored
        .lines()
        .map(|line| line.trim_matches('/'))
        .chain([".git"])
        .collect();
    let found: BTreeSet<String> = fs::read_dir(repository())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !ignored.contains(name.as_str()))
        .collect();
    assert_eq!(found, TOP.iter().map(ToString::to_string).collect());
}

#[test]
fn the_arrows_between_rooms() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(repository())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let names = |list: &serde_json::Value| -> BTreeSet<String> {
        let names = list.as_array().unwrap().iter();
        names
            .filter_map(|entry| entry["name"].as_str())
            .filter(|name| name.starts_with("loopbot"))
            .map(str::to_owned)
            .collect()
    };
    let found: BTreeMap<String, BTreeSet<String>> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            (
                package["name"].as_str().unwrap().to_owned(),
                names(&package["dependencies"]),
            )
        })
        .collect();
    let expected: BTreeMap<String, BTreeSet<String>> =
        fs::read_to_string(repository().join("crates/ARCHITECTURE.md"))
            .unwrap()
            .lines()
            .filter_map(|line| line.strip_prefix("    ")?.split_once(" -> "))
            .filter(|(room, _)| room.chars().all(|c| c.is_ascii_lowercase()))
            .map(|(room, uses)| {
                let uses = uses.split(", ").filter(|name| *name != "(none)");
                (package(room), uses.map(package).collect())
            })
            .collect();
    assert_eq!(found, expected);
}

/// The package of a room of ARCHITECTURE.md; the lesson library is called like the project.
fn package(room: &str) -> String {
    if room == "loopbot" {
        room.to_owned()
    } else {
        format!("loopbot-{room}")
    }
}

#[test]
fn every_file_says_what_it_holds() {
    let mut files = Vec::new();
    for room in fs::read_dir(repository().join("crates")).unwrap() {
        rust_files(&room.unwrap().path().join("src"), &mut files);
    }
    assert!(files.len() > 50, "only {} files found", files.len());
    let silent: Vec<&PathBuf> = files
        .iter()
        .filter(|file| !fs::read_to_string(file).unwrap().starts_with("//! "))
        .collect();
    assert!(
        silent.is_empty(),
        "these files do not open with `//!` and what they hold: {silent:#?}"
    );
}

#[test]
fn lessons_are_stripped() {
    for entry in fs::read_dir(repository().join("notebooks/en")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "ipynb") {
            let lesson = Notebook::read(&path).unwrap();
            let name = path.display();
            assert!(
                lesson.is_stripped(),
                "{name} carries outputs; run `jupyter nbconvert --clear-output --inplace {name}`"
            );
        }
    }
}

#[test]
fn readme_names_the_two_commands() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    for command in ["cargo run --release -- lab", "cargo test --workspace"] {
        assert!(
            readme.lines().any(|line| line == command),
            "README.md lacks `{command}` on a line of its own"
        );
    }
    // The picture and the documents that it points to are there.
    for link in readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
    {
        assert!(
            link.starts_with("https://") || repository().join(link).exists(),
            "README.md points to {link}, which is not there"
        );
    }
}

#[test]
fn one_oldest_rust() {
    let version = env!("CARGO_PKG_RUST_VERSION");
    for (file, expected) in [
        (
            "README.md",
            format!("[Rust](https://rustup.rs) {version} or newer"),
        ),
        ("environment.yml", format!("  - rust >={version}\n")),
    ] {
        let text = fs::read_to_string(repository().join(file)).unwrap();
        assert!(
            text.contains(&expected),
            "{file} does not ask for Rust {version}, as Cargo.toml does"
        );
    }
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}
