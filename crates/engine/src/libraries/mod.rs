//! The lesson libraries: everything a cell can use, built once by cargo into dylibs that all cells link.
//!
//! At the bottom lies a *set*: what every lesson can use, and the runtime. What a learner asks for with `:dep` comes as a
//! *layer* on top: a dylib that holds the new crates and takes everything else from below, so that the running process
//! only has to load it. Where a layer would bring a second copy of something that lies below (another feature of Tokio,
//! say), there is a new set instead. Sets and layers are named by a hash of all that was asked for, so they are built
//! once; another toolchain or another version of ours has its own. Registry crates are compiled once for all of them.
//!
//! It knows neither sessions nor cells: what a new set costs a learner is the engine's business.

mod build;
mod cargo;
mod complaint;
mod dependency;
mod native;
mod progress;
mod record;
mod resolve;
mod sources;
mod toolchain;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) use dependency::{Dependency, Package};
pub(crate) use toolchain::Toolchain;

use record::Record;

use crate::compile::Stopper;
use crate::{Config, EngineError, cache};

/// How names of sets and of layers begin.
const SET: &str = "lessons_";
const LAYER: &str = "layer_";

/// What cells call them.
const SET_ALIAS: &str = "__libraries";
const LAYER_ALIAS: &str = "__layer_";

/// `text` with paths as a learner writes them: rustc reaches some crates through the libraries that join them.
pub(crate) fn without_aliases(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    let next = |rest: &str| {
        [SET_ALIAS, LAYER_ALIAS]
            .iter()
            .filter_map(|alias| Some((rest.find(alias)?, alias.len())))
            .min()
    };
    while let Some((at, length)) = next(rest) {
        out += &rest[..at];
        let behind = rest[at + length..].trim_start_matches(|digit: char| digit.is_ascii_digit());
        rest = behind.trim_start_matches("::");
    }
    out + rest
}

/// A set and the layers on it, ready to compile cells against.
#[derive(Debug, Clone)]
pub(crate) struct Libraries {
    /// The name of the set, and of the crate that joins it.
    pub(crate) name: String,
    pub(crate) toolchain: Toolchain,
    /// The set's own folder; layers and compiled cells live in it, too.
    pub(crate) folder: PathBuf,
    config: Config,
    shared: PathBuf,
    /// Tells apart two builds of the same libraries.
    identity: String,
    /// The set, then the layers, each on top of the one before. Never empty.
    levels: Vec<Level>,
    externs: BTreeMap<String, PathBuf>,
    packages: Vec<Package>,
    search: Vec<PathBuf>,
}

/// A set or a layer.
#[derive(Debug, Clone)]
struct Level {
    name: String,
    folder: PathBuf,
    record: Record,
    /// Whether it is in the private cache.
    own: bool,
}

/// What came of asking for more crates.
pub(crate) enum More {
    /// A layer holds them: what is loaded stays.
    Layer(Libraries),
    /// They change what is loaded, so they need a new process.
    Instead(Libraries),
}

impl Libraries {
    /// The set with these extra dependencies, built if it is not there; `progress` hears of each step that takes time.
    pub(crate) fn get(
        config: &Config,
        extra: &[Dependency],
        progress: &dyn Fn(String),
        stopper: &Stopper,
    ) -> Result<Libraries, EngineError> {
        let toolchain = Toolchain::find()?;
        cache::private_folder(&config.cache)?;
        Libraries::set(config, &toolchain, extra, progress, stopper)
    }

    /// Whether [`Libraries::get`] without extra dependencies would have nothing to build.
    pub(crate) fn are_ready(config: &Config) -> Result<bool, EngineError> {
        let toolchain = Toolchain::find()?;
        let name = set_name(&toolchain, &[]);
        let folder = shared_folder(config, &toolchain).join("sets").join(&name);
        Ok(Record::read_shared(config, &folder).is_some() || Record::read(&folder).is_some())
    }

    /// Whether this very crate is at hand. Our own go by their name, wherever a lesson says that they are: a notebook may be
    /// moved. Others given by path count if neither they nor what they need was edited since.
    pub(crate) fn satisfy(&self, wanted: &Dependency) -> bool {
        let asked = |level: &&Level| {
            let mut asked = level.record.asked.iter();
            asked.any(|asked| asked.name == wanted.name)
        };
        let here = self
            .levels
            .iter()
            .rfind(asked)
            .filter(|level| level.record.asked.contains(wanted));
        let packaged = |package: &Package| {
            wanted.is_satisfied_by(package) && (package.own || wanted.path().is_none())
        };
        here.is_some_and(|level| !level.record.is_stale()) || self.packages.iter().any(packaged)
    }

    /// Adds crates: as a layer if nothing that is loaded changes, else in a set or layer of their own.
    pub(crate) fn and(
        &self,
        more: &[Dependency],
        progress: &dyn Fn(String),
        stopper: &Stopper,
    ) -> Result<More, EngineError> {
        let together = |levels: &[Level]| -> Vec<Dependency> {
            let earlier = levels.iter().flat_map(|level| &level.record.asked);
            let kept = earlier.filter(|earlier| more.iter().all(|new| new.name != earlier.name));
            kept.chain(more).cloned().collect()
        };
        // Crates that the learner edits exist once: a process cannot load a second version of them.
        let mut sound = self
            .levels
            .iter()
            .position(|level| level.record.is_stale())
            .unwrap_or(self.levels.len());
        if sound == self.levels.len() {
            match self.layer(&self.levels, more, progress, stopper)? {
                Ok(grown) => return Ok(More::Layer(grown)),
                Err(changed) => sound = changed,
            }
        }
        if sound > 0
            && let Some(set) = self.levels.first()
        {
            // A set of the shared cache cannot be built upon: its workspace is somebody else's.
            let again;
            let set = match set.own {
                true => std::slice::from_ref(set),
                false => {
                    let order = self.order(&set.name, &set.folder, &[], &set.record.asked);
                    again = order
                        .get(progress, stopper)?
                        .map_err(|_| EngineError::GaveUp)?;
                    std::slice::from_ref(&again)
                }
            };
            let more = together(&self.levels[1..]);
            if let Ok(other) = self.layer(set, &more, progress, stopper)? {
                return Ok(More::Instead(other));
            }
        }
        let all = together(&self.levels);
        Libraries::set(&self.config, &self.toolchain, &all, progress, stopper).map(More::Instead)
    }

    /// The set itself, without layers.
    fn set(
        config: &Config,
        toolchain: &Toolchain,
        extra: &[Dependency],
        progress: &dyn Fn(String),
        stopper: &Stopper,
    ) -> Result<Libraries, EngineError> {
        let name = set_name(toolchain, extra);
        let shared = shared_folder(config, toolchain);
        let folder = shared.join("sets").join(&name);
        let order = build::Order {
            config,
            shared: &shared,
            folder: &folder,
            name: &name,
            toolchain,
            below: &[],
            asked: extra,
        };
        cache::private_folder(&folder)?;
        let level = match order.shared() {
            Some(level) => level,
            // Nothing lies below a set that could change.
            None => order
                .get(progress, stopper)?
                .map_err(|_| EngineError::GaveUp)?,
        };
        Ok(Libraries::of(config, toolchain, vec![level]))
    }

    /// A layer on `below`, or the first of `below` that would have to change for it.
    fn layer(
        &self,
        below: &[Level],
        asked: &[Dependency],
        progress: &dyn Fn(String),
        stopper: &Stopper,
    ) -> Result<Result<Libraries, usize>, EngineError> {
        let name = layer_name(below, asked);
        let folder = self.folder.join(&name);
        let order = self.order(&name, &folder, below, asked);
        let level = match order.shared() {
            Some(level) => Ok(level),
            None if below.iter().any(|level| !level.own) => Err(below.len()),
            None => order.get(progress, stopper)?,
        };
        Ok(level.map(|level| {
            let levels = below.iter().cloned().chain([level]).collect();
            Libraries::of(&self.config, &self.toolchain, levels)
        }))
    }

    fn order<'a>(
        &'a self,
        name: &'a str,
        folder: &'a Path,
        below: &'a [Level],
        asked: &'a [Dependency],
    ) -> build::Order<'a> {
        build::Order {
            config: &self.config,
            shared: &self.shared,
            folder,
            name,
            toolchain: &self.toolchain,
            below,
            asked,
        }
    }

    fn of(config: &Config, toolchain: &Toolchain, levels: Vec<Level>) -> Libraries {
        let (mut externs, mut packages, mut search) = (BTreeMap::new(), Vec::new(), Vec::new());
        for Level { record, .. } in &levels {
            externs.extend(record.externs.clone());
            // A crate that is asked for again hides the earlier one.
            packages.retain(|earlier: &Package| !record.externs.contains_key(&earlier.crate_name));
            packages.extend(record.packages.iter().cloned());
            for folder in &record.search {
                if !search.contains(folder) {
                    search.push(folder.clone());
                }
            }
        }
        let (name, folder) = levels
            .first()
            .map(|set| (set.name.clone(), set.folder.clone()))
            .unwrap_or_default();
        let hashes = levels
            .iter()
            .map(|level| level.record.dylib_hash.as_bytes());
        let identity = cache::short_hash(hashes);
        Libraries {
            name,
            toolchain: toolchain.clone(),
            folder,
            shared: shared_folder(config, toolchain),
            config: config.clone(),
            identity,
            levels,
            externs,
            packages,
            search,
        }
    }

    /// The crates that code may name.
    pub(crate) fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// What the root of each cell begins with, in one line: the set as `__libraries`, and all layers.
    pub(crate) fn extern_crates(&self) -> String {
        let mut text = format!("extern crate {} as {SET_ALIAS}; ", self.name);
        for (number, layer) in self.levels.iter().enumerate().skip(1) {
            text += &format!("extern crate {} as {LAYER_ALIAS}{number}; ", layer.name);
        }
        // Named in full, so that rustc, too, calls their types by the name that cells know.
        for name in self.levels.iter().flat_map(|level| &level.record.renamed) {
            text += &format!("extern crate {name}; ");
        }
        text
    }

    /// Tells apart two builds of the same libraries: what is compiled against one does not fit the other.
    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }

    /// The shared libraries to link, with the names of their crates.
    pub(crate) fn dylibs(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.levels
            .iter()
            .map(|level| (level.name.as_str(), level.record.dylib.as_path()))
    }

    /// The program that the child process runs.
    pub(crate) fn host(&self) -> &Path {
        self.levels
            .first()
            .and_then(|set| set.record.host.as_ref())
            .map_or(Path::new(""), |(path, _)| path)
    }

    /// Where rustc finds each crate that code may name.
    pub(crate) fn externs(&self) -> &BTreeMap<String, PathBuf> {
        &self.externs
    }

    /// Folders with the crates behind those.
    pub(crate) fn search(&self) -> &[PathBuf] {
        &self.search
    }

    /// The folder of compiled cells.
    pub(crate) fn cells(&self) -> PathBuf {
        self.folder.join("cells")
    }

    /// Folders in which the child finds shared libraries, those of later layers included and those of cells aside.
    pub(crate) fn library_path(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.toolchain.library_folder.clone()];
        let set = self.levels.first();
        folders.extend(set.and_then(|set| Some(set.record.dylib.parent()?.to_owned())));
        folders
    }
}

/// What all sets of a toolchain share.
fn shared_folder(config: &Config, toolchain: &Toolchain) -> PathBuf {
    config.cache.join(cache::short_hash([
        toolchain.version.as_bytes(),
        sources::LOCK.as_bytes(),
    ]))
}

fn set_name(toolchain: &Toolchain, extra: &[Dependency]) -> String {
    let own = sources::own_folder();
    let texts = [
        toolchain.version.clone(),
        sources::LOCK.to_owned(),
        sources::root_manifest(&own, &[]),
        own,
        sources::set_manifest("set", extra),
        sources::set_library(&[]),
        sources::host_program("set"),
    ];
    format!("{SET}{}", hash_with_sources(&texts, extra))
}

fn layer_name(below: &[Level], asked: &[Dependency]) -> String {
    let mut texts: Vec<String> = below
        .iter()
        .flat_map(|level| [level.name.clone(), level.record.dylib_hash.clone()])
        .collect();
    texts.push(sources::layer_manifest("layer", ("below", ""), asked));
    format!("{LAYER}{}", hash_with_sources(&texts, asked))
}

/// A hash of texts and of the crates that a learner may be editing, so that a change to those makes something new.
fn hash_with_sources(texts: &[String], asked: &[Dependency]) -> String {
    let sources: Vec<String> = asked
        .iter()
        .filter_map(Dependency::path)
        .map(record::hash_sources)
        .collect();
    cache::short_hash(texts.iter().chain(&sources).map(String::as_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_that_a_learner_writes() {
        assert_eq!(
            without_aliases(
                "Vec<__libraries::tokio::sync::Notify, __layer_12::rand::Rng>, tokio::x"
            ),
            "Vec<tokio::sync::Notify, rand::Rng>, tokio::x"
        );
    }
}
