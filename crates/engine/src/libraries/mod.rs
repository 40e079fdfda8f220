//! The lesson libraries: everything a cell can use, built once by cargo into one dylib that all cells link.
//!
//! A *set* is a choice of dependencies: those of every lesson plus what a learner asked for with `:dep`. Its name is a
//! hash of all that goes into it, so a set never changes; another toolchain or another version of ours has sets of its
//! own. Registry crates are compiled once for all sets of a toolchain.

mod build;
mod dependency;
mod sources;
mod toolchain;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) use dependency::{Dependency, Package};
pub(crate) use toolchain::Toolchain;

use crate::compile::Stopper;
use crate::{Config, EngineError, cache};

/// A built set, ready to compile cells against.
#[derive(Debug, Clone)]
pub(crate) struct Libraries {
    /// The name of the set, and of the crate that joins it.
    pub(crate) name: String,
    pub(crate) toolchain: Toolchain,
    /// The set's own folder; compiled cells live in it, too.
    pub(crate) folder: PathBuf,
    record: Record,
}

/// What is noted of a built set.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Record {
    dylib: PathBuf,
    dylib_hash: String,
    /// The program that the child process runs.
    host: PathBuf,
    host_hash: String,
    /// Where rustc finds each crate that code may name.
    externs: BTreeMap<String, PathBuf>,
    packages: Vec<Package>,
    /// Folders with the crates behind those.
    search: Vec<PathBuf>,
}

/// The file in a set's folder that says it is complete.
const RECORD: &str = "set.json";

impl Libraries {
    /// The set with these extra dependencies, built if it is not there; `progress` hears of each step that takes time.
    pub(crate) fn get(
        config: &Config,
        extra: &[Dependency],
        progress: &dyn Fn(String),
        stopper: &Stopper,
    ) -> Result<Libraries, EngineError> {
        let toolchain = Toolchain::find()?;
        let name = set_name(&toolchain, extra);
        let shared = config.cache.join(cache::short_hash([
            toolchain.version.as_bytes(),
            sources::LOCK.as_bytes(),
        ]));
        let folder = shared.join("sets").join(&name);
        cache::private_folder(&config.cache)?;
        cache::private_folder(&folder)?;
        let of_class = || Record::read_shared(config, &folder);
        if let Some(record) = of_class().or_else(|| Record::read(&folder)) {
            return Ok(Libraries {
                name,
                toolchain,
                folder,
                record,
            });
        }
        let order = build::Order {
            shared: &shared,
            folder: &folder,
            name: &name,
            toolchain: &toolchain,
            extra,
        };
        let record = order.build(progress, stopper)?;
        Ok(Libraries {
            name,
            toolchain,
            folder,
            record,
        })
    }

    /// Whether [`Libraries::get`] without extra dependencies would have nothing to build.
    pub(crate) fn are_ready(config: &Config) -> Result<bool, EngineError> {
        let toolchain = Toolchain::find()?;
        let shared = config.cache.join(cache::short_hash([
            toolchain.version.as_bytes(),
            sources::LOCK.as_bytes(),
        ]));
        let folder = shared.join("sets").join(set_name(&toolchain, &[]));
        Ok(Record::read_shared(config, &folder).is_some() || Record::read(&folder).is_some())
    }

    pub(crate) fn dylib(&self) -> &Path {
        &self.record.dylib
    }

    pub(crate) fn host(&self) -> &Path {
        &self.record.host
    }

    pub(crate) fn externs(&self) -> &BTreeMap<String, PathBuf> {
        &self.record.externs
    }

    pub(crate) fn search(&self) -> &[PathBuf] {
        &self.record.search
    }

    pub(crate) fn packages(&self) -> &[Package] {
        &self.record.packages
    }

    /// Tells apart two builds of the same set: what is compiled against one does not fit the other.
    pub(crate) fn identity(&self) -> &str {
        &self.record.dylib_hash
    }

    /// The folder of compiled cells.
    pub(crate) fn cells(&self) -> PathBuf {
        self.folder.join("cells")
    }

    /// Folders in which the child finds shared libraries, those of cells aside.
    pub(crate) fn library_path(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.toolchain.library_folder.clone()];
        folders.extend(self.record.dylib.parent().map(Path::to_owned));
        folders
    }
}

impl Record {
    /// The record of the set in the shared cache that is the same as the one in `folder` of the private cache. It is
    /// asked first: cells of the shared cache were compiled against it.
    fn read_shared(config: &Config, folder: &Path) -> Option<Record> {
        let root = config.shared_cache.as_ref()?;
        let record = root
            .join(folder.strip_prefix(&config.cache).ok()?)
            .join(RECORD);
        let record: Record = cache::shared_below(root, &record)
            .then(|| std::fs::read(&record))
            .and_then(|text| serde_json::from_slice(&text.ok()?).ok())?;
        (record.is_in(root) && record.is_intact()).then_some(record)
    }

    /// Whether all that the record names is in this trusted folder: it can name any place.
    fn is_in(&self, root: &Path) -> bool {
        let mut places = [&self.dylib, &self.host]
            .into_iter()
            .chain(self.externs.values())
            .chain(&self.search);
        places.all(|place| cache::shared_below(root, place))
    }

    /// The record of a complete set whose files are what they were.
    fn read(folder: &Path) -> Option<Record> {
        let record: Record =
            serde_json::from_slice(&std::fs::read(folder.join(RECORD)).ok()?).ok()?;
        record.is_intact().then_some(record)
    }

    fn is_intact(&self) -> bool {
        let unchanged =
            |path: &Path, hash: &str| cache::hash_file(path).is_ok_and(|found| found == *hash);
        unchanged(&self.dylib, &self.dylib_hash)
            && unchanged(&self.host, &self.host_hash)
            && self.externs.values().all(|path| path.is_file())
    }
}

fn set_name(toolchain: &Toolchain, extra: &[Dependency]) -> String {
    let mut parts: Vec<Vec<u8>> =
        vec![toolchain.version.clone().into_bytes(), sources::LOCK.into()];
    for file in sources::workspace("set", extra) {
        parts.push(file.path.into_bytes());
        parts.push(file.text);
    }
    for path in extra.iter().filter_map(Dependency::path) {
        parts.extend(sources_below(path));
    }
    format!(
        "lessons_{}",
        cache::short_hash(parts.iter().map(Vec::as_slice))
    )
}

/// The texts of a crate that a learner may be editing, so that a change makes a new set.
fn sources_below(folder: &Path) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                texts.extend(sources_below(&path));
            }
        } else if name.ends_with(".rs") || name.ends_with(".toml") {
            texts.push(name.into_bytes());
            texts.push(std::fs::read(&path).unwrap_or_default());
        }
    }
    texts
}
