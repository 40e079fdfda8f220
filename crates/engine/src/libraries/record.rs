//! What is noted of a built set or layer, and whether it still holds. It builds nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Dependency, Package};
use crate::{Config, cache};

/// What is noted of a built set or layer.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Record {
    pub(super) dylib: PathBuf,
    pub(super) dylib_hash: String,
    /// The program that the child process runs, and its hash; layers have none.
    pub(super) host: Option<(PathBuf, String)>,
    /// What a learner asked for.
    pub(super) asked: Vec<Dependency>,
    /// Where rustc finds each crate that code may name.
    pub(super) externs: BTreeMap<String, PathBuf>,
    pub(super) packages: Vec<Package>,
    /// Those that code reaches by another name than they give themselves.
    pub(super) renamed: Vec<String>,
    /// Folders with the crates behind those.
    pub(super) search: Vec<PathBuf>,
    /// Crates given by path, also by those crates themselves, and hashes of their sources.
    pub(super) paths: BTreeMap<PathBuf, String>,
}

/// The file in a folder that says that what it holds is complete.
const RECORD: &str = "set.json";

impl Record {
    /// The record of something complete whose files, and sources by path, are what they were.
    pub(super) fn read(folder: &Path) -> Option<Record> {
        let record: Record = serde_json::from_slice(&fs::read(folder.join(RECORD)).ok()?).ok()?;
        record.is_intact().then_some(record)
    }

    /// The record in the shared cache that is the same as the one in `folder` of the private cache.
    pub(super) fn read_shared(config: &Config, folder: &Path) -> Option<Record> {
        let root = config.shared_cache.as_ref()?;
        let record = root
            .join(folder.strip_prefix(&config.cache).ok()?)
            .join(RECORD);
        let record: Record = cache::shared_below(root, &record)
            .then(|| fs::read(&record))
            .and_then(|text| serde_json::from_slice(&text.ok()?).ok())?;
        (record.is_in(root) && record.is_intact()).then_some(record)
    }

    /// Whether all that the record names is in this trusted folder: it can name any place.
    fn is_in(&self, root: &Path) -> bool {
        let mut places = [&self.dylib]
            .into_iter()
            .chain(self.host.as_ref().map(|(host, _)| host))
            .chain(self.externs.values())
            .chain(&self.search);
        places.all(|place| cache::shared_below(root, place))
    }

    fn is_intact(&self) -> bool {
        let unchanged =
            |path: &Path, hash: &str| cache::hash_file(path).is_ok_and(|found| found == *hash);
        unchanged(&self.dylib, &self.dylib_hash)
            && self
                .host
                .as_ref()
                .is_none_or(|(path, hash)| unchanged(path, hash))
            && self.externs.values().all(|path| path.is_file())
            && !self.is_stale()
    }

    pub(super) fn write(&self, folder: &Path) -> std::io::Result<()> {
        cache::write(&folder.join(RECORD), &serde_json::to_vec_pretty(self)?)
    }

    /// Whether sources that it was built from have been edited since.
    pub(super) fn is_stale(&self) -> bool {
        self.paths
            .iter()
            .any(|(path, hash)| *hash != hash_sources(path))
    }
}

/// Files larger than this count by their size and date: data beside a crate, not its text.
const LARGE: u64 = 1 << 20;

/// A hash of the crate in a folder: everything but hidden files and what cargo put there.
pub(super) fn hash_sources(folder: &Path) -> String {
    let mut parts = Vec::new();
    gather(folder, &mut parts);
    cache::short_hash(parts.iter().map(Vec::as_slice))
}

fn gather(folder: &Path, parts: &mut Vec<Vec<u8>>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Ok(found) = fs::symlink_metadata(&path) else {
            continue;
        };
        if name.starts_with('.') || name == "target" || name == "Cargo.lock" {
            continue;
        }
        parts.push(name.as_bytes().to_vec());
        if found.is_dir() {
            gather(&path, parts);
            parts.push(b"..".to_vec());
        } else if found.is_file() && found.len() > LARGE {
            parts.push(format!("{} {:?}", found.len(), found.modified().ok()).into_bytes());
        } else if found.is_file() {
            parts.push(fs::read(&path).unwrap_or_default());
        }
    }
}
