//! The texts of the cargo workspace from which lesson libraries are built: our own crates, which travel inside this one,
//! and generated packages that join them with everything a lesson may use. It writes nothing to disk.

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

/// Features of crates inside the set that many other crates ask for. cargo builds each crate once, with all features that
/// anyone asks for: one more, and it is another crate, and so is Tokio on top of it, and `:dep tokio-util` would cost a
/// learner the session. Nearly all of these add no code. Cells do not see these crates.
const COMMON: &str = r#"
    futures-channel = { version = "0.3", features = ["sink"] }
    futures-core = { version = "0.3" }
    futures-executor = { version = "0.3" }
    futures-io = { version = "0.3" }
    futures-sink = { version = "0.3" }
    futures-task = { version = "0.3" }
    futures-util = { version = "0.3", features = ["channel", "io", "sink"] }
    log = { version = "0.4", features = ["std"] }
    num-traits = { version = "0.2", features = ["i128"] }
    slab = { version = "0.4" }
    tracing = { version = "0.1", default-features = false, features = ["log", "std"] }
    tracing-core = { version = "0.1" }
"#;

/// The same for what only procedural macros use; as build dependencies, because those are built apart.
const COMMON_IN_MACROS: &str = r#"
    syn = { version = "3", features = ["extra-traits", "fold", "full", "visit", "visit-mut"] }
"#;

/// How the names begin under which a set depends on those.
pub(super) const COMMON_PREFIX: &str = "common-";

/// A file of the workspace: its path and its text.
pub(super) struct SourceFile {
    pub(super) path: String,
    pub(super) text: Vec<u8>,
}

/// The folder of our own crates in the workspace. It is named by what is in it, so cargo never finds other sources in a
/// place that it has already compiled.
pub(super) fn own_folder() -> String {
    let files = own("");
    let parts = files
        .iter()
        .flat_map(|file| [file.path.as_bytes(), &file.text]);
    format!("own_{}", crate::cache::short_hash(parts))
}

/// All files of our own crates, below `folder`.
pub(super) fn own(folder: &str) -> Vec<SourceFile> {
    let mut files = vec![
        file(
            &format!("{folder}/loopbot/Cargo.toml"),
            trimmed(LOOPBOT_MANIFEST),
        ),
        file(
            &format!("{folder}/runtime/Cargo.toml"),
            trimmed(RUNTIME_MANIFEST),
        ),
    ];
    embedded(&LOOPBOT, &format!("{folder}/loopbot/src"), &mut files);
    embedded(&RUNTIME, &format!("{folder}/runtime/src"), &mut files);
    files
}

/// The manifest of the workspace: our own crates below `own`, and the packages at `members`.
pub(super) fn root_manifest(own: &str, members: &[String]) -> String {
    let mut root: Table = WORKSPACE_MANIFEST.parse().unwrap_or_default();
    if let Some(Value::Table(workspace)) = root.get_mut("workspace") {
        workspace.remove("default-members");
        let places = [format!("{own}/loopbot"), format!("{own}/runtime")];
        if let Some(Value::Table(dependencies)) = workspace.get_mut("dependencies") {
            // Our other rooms do not travel along.
            dependencies.retain(|_, specification| specification.get("path").is_none());
            for (name, place) in ["loopbot", "loopbot-runtime"].into_iter().zip(&places) {
                dependencies.insert(name.into(), path_dependency(place));
            }
        }
        if let Some(tokio) = workspace
            .get_mut("dependencies")
            .and_then(|dependencies| dependencies.get_mut("tokio"))
            .and_then(Value::as_table_mut)
        {
            let features = FULL_TOKIO.map(Value::from).to_vec();
            tokio.insert("features".into(), features.into());
        }
        let members = places.iter().chain(members).cloned().map(Value::from);
        workspace.insert("members".into(), members.collect::<Vec<_>>().into());
    }
    // Optimised, because lessons measure; without debug information, because nobody steps through it and it is slow.
    let profile: Table = toml::toml! { [release]
    debug = false };
    root.insert("profile".into(), Value::Table(profile));
    root.to_string()
}

/// The manifest of a set: what every lesson can use, and `asked`.
pub(super) fn set_manifest(name: &str, asked: &[Dependency]) -> String {
    let mut dependencies: Table = ALWAYS.parse().unwrap_or_default();
    let runtime: Table = toml::toml! { workspace = true };
    dependencies.insert("loopbot-runtime".into(), Value::Table(runtime));
    dependencies.extend(common(COMMON, asked));
    let mut manifest = manifest(name, dependencies, asked);
    let in_macros = common(COMMON_IN_MACROS, asked).collect();
    manifest.insert("build-dependencies".into(), Value::Table(in_macros));
    manifest.to_string()
}

/// The manifest of a layer: the package at `below`, and `asked`.
pub(super) fn layer_manifest(name: &str, below: (&str, &str), asked: &[Dependency]) -> String {
    let (below, place) = below;
    let dependencies = Table::from_iter([(below.to_owned(), path_dependency(place))]);
    manifest(name, dependencies, asked).to_string()
}

/// The library that makes a set one: it names all crates that cells may name.
pub(super) fn set_library(crates: &[String]) -> String {
    format!(
        "pub use ::loopbot_runtime as runtime;\n\
         pub use ::loopbot_runtime::{{dbg, eprint, eprintln, print, println}};\n{}",
        joined(crates)
    )
}

/// The library of a layer. It names the one below, so that rustc takes from there what is there.
pub(super) fn layer_library(below: &str, crates: &[String]) -> String {
    format!("extern crate {below} as _;\n{}", joined(crates))
}

/// The program that runs the cells.
pub(super) fn host_program(name: &str) -> String {
    format!("fn main() {{\n    {name}::runtime::host::main();\n}}\n")
}

fn joined(crates: &[String]) -> String {
    crates
        .iter()
        .map(|name| format!("pub use ::{name};\n"))
        .collect()
}

fn path_dependency(path: &str) -> Value {
    Value::Table(Table::from_iter([("path".to_owned(), Value::from(path))]))
}

/// Dependencies under names of their own, without those that are asked for by their real name: cargo wants each package
/// once.
fn common(list: &str, asked: &[Dependency]) -> impl Iterator<Item = (String, Value)> {
    let list: Table = list.parse().unwrap_or_default();
    list.into_iter()
        .filter(|(package, _)| asked.iter().all(|asked| asked.package() != package))
        .map(|(package, mut specification)| {
            let name = format!("{COMMON_PREFIX}{package}");
            if let Value::Table(specification) = &mut specification {
                specification.insert("package".into(), package.into());
            }
            (name, specification)
        })
}

fn manifest(name: &str, mut dependencies: Table, asked: &[Dependency]) -> Table {
    for dependency in asked {
        let mut specification = dependency.specification.clone();
        if let (true, Value::Table(specification)) = (
            dependencies.contains_key(&dependency.name),
            &mut specification,
        ) {
            // What every lesson can use must not become less.
            specification.remove("default-features");
        }
        dependencies.insert(dependency.name.clone(), specification);
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
    manifest
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

/// A manifest without what only our own tests need.
fn trimmed(manifest: &str) -> String {
    let mut manifest: Table = manifest.parse().unwrap_or_default();
    for section in ["dev-dependencies", "bench", "test", "example"] {
        manifest.remove(section);
    }
    manifest.to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Else a set would hold a second, older version, and nothing would be gained.
    #[test]
    fn features_are_asked_of_the_versions_that_are_locked() {
        let lock: Table = LOCK.parse().unwrap();
        for list in [COMMON, COMMON_IN_MACROS] {
            for (package, specification) in list.parse::<Table>().unwrap() {
                let wanted = specification["version"].as_str().unwrap();
                let wanted = semver::VersionReq::parse(wanted).unwrap();
                let versions = lock["package"].as_array().unwrap().iter();
                let versions = versions.filter(|locked| locked["name"].as_str() == Some(&package));
                let newest = versions
                    .map(|locked| semver::Version::parse(locked["version"].as_str().unwrap()))
                    .map(Result::unwrap)
                    .max();
                assert!(
                    newest.as_ref().is_some_and(|newest| wanted.matches(newest)),
                    "{package} {wanted}, locked: {newest:?}"
                );
            }
        }
    }
}
