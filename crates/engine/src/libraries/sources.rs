//! The cargo workspace from which lesson libraries are built: our own crates, which travel inside this one, and one
//! generated package that joins them with everything a lesson may use.

use include_dir::{Dir, include_dir};
use toml::{Table, Value};

use super::Dependency;

static LOOPBOT: Dir = include_dir!("$CARGO_MANIFEST_DIR/../loopbot/src");
static RUNTIME: Dir = include_dir!("$CARGO_MANIFEST_DIR/../runtime/src");
const LOOPBOT_MANIFEST: &str = include_str!("../../../loopbot/Cargo.toml");
const RUNTIME_MANIFEST: &str = include_str!("../../../runtime/Cargo.toml");
const WORKSPACE_MANIFEST: &str = include_str!("../../../../Cargo.toml");
/// Pins the versions that our tests ran with.
pub(super) const LOCK: &str = include_str!("../../../../Cargo.lock");

/// What every lesson can use without asking, as cargo dependencies (`workspace` entries come from the workspace).
const ALWAYS: &str = r#"
    loopbot = { workspace = true }
    tokio = { workspace = true, features = ["test-util"] }
    futures = { workspace = true }
    plotters = { workspace = true }
"#;

/// Tokio's `full` without `parking_lot`, which keeps a table for all threads of the process: a copy of a process made
/// while a thread is changing that table could never start a runtime again. The feature changes no API.
pub(super) const FULL_TOKIO: [&str; 11] = [
    "fs",
    "io-util",
    "io-std",
    "macros",
    "net",
    "process",
    "rt",
    "rt-multi-thread",
    "signal",
    "sync",
    "time",
];

/// A file of the workspace: its path and its text.
pub(super) struct SourceFile {
    pub(super) path: String,
    pub(super) text: Vec<u8>,
}

/// All files of the workspace for the package `name` with the learner's own `extra` dependencies.
pub(super) fn workspace(name: &str, extra: &[Dependency]) -> Vec<SourceFile> {
    let mut files = vec![
        file("Cargo.toml", root_manifest(name)),
        file("crates/loopbot/Cargo.toml", trimmed(LOOPBOT_MANIFEST)),
        file("crates/runtime/Cargo.toml", trimmed(RUNTIME_MANIFEST)),
        file(
            &format!("sets/{name}/Cargo.toml"),
            package_manifest(name, extra),
        ),
        file(&format!("sets/{name}/src/lib.rs"), library(extra)),
        file(
            &format!("sets/{name}/src/main.rs"),
            format!("fn main() {{\n    {name}::runtime::host::main();\n}}\n"),
        ),
    ];
    embedded(&LOOPBOT, "crates/loopbot/src", &mut files);
    embedded(&RUNTIME, "crates/runtime/src", &mut files);
    files
}

/// Names of the crates that a cell may use without `:dep`.
pub(super) fn always() -> Vec<String> {
    ALWAYS
        .parse::<Table>()
        .map(|table| table.keys().cloned().collect())
        .unwrap_or_default()
}

fn file(path: &str, text: impl Into<Vec<u8>>) -> SourceFile {
    SourceFile {
        path: path.into(),
        text: text.into(),
    }
}

fn embedded(folder: &Dir, prefix: &str, files: &mut Vec<SourceFile>) {
    for entry in folder.files() {
        files.push(file(
            &format!("{prefix}/{}", entry.path().display()),
            entry.contents(),
        ));
    }
    for inner in folder.dirs() {
        embedded(inner, prefix, files);
    }
}

fn root_manifest(name: &str) -> String {
    let mut root: Table = WORKSPACE_MANIFEST.parse().unwrap_or_default();
    if let Some(Value::Table(workspace)) = root.get_mut("workspace") {
        workspace.remove("default-members");
        let members = [
            "crates/loopbot".to_owned(),
            "crates/runtime".to_owned(),
            format!("sets/{name}"),
        ];
        workspace.insert("members".into(), members.map(Value::from).to_vec().into());
        if let Some(tokio) = workspace
            .get_mut("dependencies")
            .and_then(|dependencies| dependencies.get_mut("tokio"))
            .and_then(Value::as_table_mut)
        {
            let features = FULL_TOKIO.map(Value::from).to_vec();
            tokio.insert("features".into(), features.into());
        }
    }
    // Optimised, because lessons measure; without debug information, because nobody steps through it and it is slow.
    let profile: Table = toml::toml! { [release]
    debug = false };
    root.insert("profile".into(), Value::Table(profile));
    root.to_string()
}

/// A manifest without what only our own tests need.
fn trimmed(manifest: &str) -> String {
    let mut manifest: Table = manifest.parse().unwrap_or_default();
    for section in ["dev-dependencies", "bench", "test", "example"] {
        manifest.remove(section);
    }
    manifest.to_string()
}

fn package_manifest(name: &str, extra: &[Dependency]) -> String {
    let mut dependencies: Table = ALWAYS.parse().unwrap_or_default();
    let runtime: Table = toml::toml! { workspace = true };
    dependencies.insert("loopbot-runtime".into(), Value::Table(runtime));
    for dependency in extra {
        dependencies.insert(dependency.name.clone(), dependency.specification.clone());
    }
    let mut manifest: Table = toml::toml! {
        [package]
        version = "0.0.0"
        edition = "2024"
        publish = false
        [lib]
        crate-type = ["dylib"]
    };
    if let Some(Value::Table(package)) = manifest.get_mut("package") {
        package.insert("name".into(), name.into());
    }
    manifest.insert("dependencies".into(), Value::Table(dependencies));
    manifest.to_string()
}

fn library(extra: &[Dependency]) -> String {
    let mut text = String::from(
        "pub use loopbot_runtime as runtime;\npub use loopbot_runtime::{dbg, eprint, eprintln, print, println};\n",
    );
    for name in always()
        .into_iter()
        .chain(extra.iter().map(|dependency| dependency.name.clone()))
    {
        text += &format!("pub use {};\n", name.replace('-', "_"));
    }
    text
}
