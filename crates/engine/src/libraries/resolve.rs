//! Asks cargo which packages a set or layer consists of: names of crates, not guesses. It compiles nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use super::sources::COMMON_PREFIX;

/// The packages behind one package of the workspace.
#[derive(Debug, Default)]
pub(super) struct Resolution {
    /// Direct dependencies: the name that code uses (renamed, dashes gone), and the package.
    pub(super) direct: BTreeMap<String, String>,
    packages: BTreeMap<String, Found>,
}

/// A package as cargo describes it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) version: String,
    /// Its folder, if it was given by path.
    pub(super) folder: Option<PathBuf>,
    /// Packages that are linked with it.
    needs: Vec<String>,
    is_macro: bool,
}

impl Resolution {
    /// Reads what `cargo metadata` says about the package `name`.
    pub(super) fn read(text: &str, name: &str) -> Option<Resolution> {
        let metadata: Value = serde_json::from_str(text).ok()?;
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut resolution = Resolution::default();
        for package in list(&metadata["packages"]) {
            let by_path = package["source"].is_null();
            let manifest = PathBuf::from(text(&package["manifest_path"]));
            let is_macro = |target: &Value| {
                list(&target["kind"])
                    .iter()
                    .any(|kind| kind == "proc-macro")
            };
            resolution.packages.insert(
                text(&package["id"]),
                Found {
                    name: text(&package["name"]),
                    version: text(&package["version"]),
                    folder: manifest.parent().filter(|_| by_path).map(Into::into),
                    needs: Vec::new(),
                    is_macro: list(&package["targets"]).iter().any(is_macro),
                },
            );
        }
        for node in list(&metadata["resolve"]["nodes"]) {
            // Neither build scripts nor tests end up in a library.
            let linked = list(&node["deps"]).into_iter().filter(|dependency| {
                list(&dependency["dep_kinds"])
                    .iter()
                    .any(|kind| kind["kind"].is_null())
            });
            let linked: Vec<(String, String)> = linked
                .map(|dependency| (text(&dependency["name"]), text(&dependency["pkg"])))
                .collect();
            if let Some(found) = resolution.packages.get_mut(&text(&node["id"])) {
                found.needs = linked.iter().map(|(_, id)| id.clone()).collect();
                if found.name == name && found.folder.is_some() {
                    let common = COMMON_PREFIX.replace('-', "_");
                    resolution.direct = linked
                        .into_iter()
                        .filter(|(name, _)| !name.starts_with(&common))
                        .collect();
                }
            }
        }
        Some(resolution)
    }

    /// The package of the runtime that all cells use.
    pub(super) fn runtime(&self) -> Option<&str> {
        self.packages
            .iter()
            .find(|(_, found)| found.name == "loopbot-runtime" && found.folder.is_some())
            .map(|(id, _)| id.as_str())
    }

    pub(super) fn package(&self, id: &str) -> Option<&Found> {
        self.packages.get(id)
    }

    /// Everything that is linked when this package is, itself included.
    pub(super) fn linked_with(&self, id: &str) -> BTreeSet<&str> {
        let (mut seen, mut todo) = (
            BTreeSet::new(),
            Vec::from_iter(self.packages.get_key_value(id)),
        );
        while let Some((id, found)) = todo.pop() {
            if seen.insert(id.as_str()) && !found.is_macro {
                todo.extend(
                    found
                        .needs
                        .iter()
                        .filter_map(|id| self.packages.get_key_value(id)),
                );
            }
        }
        seen
    }
}
