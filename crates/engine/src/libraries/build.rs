//! Builds a set or a layer with cargo and notes what rustc needs to know of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::cargo::{Cargo, Ended};
use super::progress::Teller;
use super::record::{Record, hash_sources};
use super::resolve::Resolution;
use super::{Dependency, Level, Package, Toolchain, complaint, native, sources};
use crate::compile::Stopper;
use crate::error::Unavailable;
use crate::{Config, EngineError, cache};

/// A set or layer to build.
pub(super) struct Order<'a> {
    pub(super) config: &'a Config,
    /// What all sets of the toolchain share; the workspace.
    pub(super) shared: &'a Path,
    /// Its own folder.
    pub(super) folder: &'a Path,
    pub(super) name: &'a str,
    pub(super) toolchain: &'a Toolchain,
    /// What it lies on; nothing for a set.
    pub(super) below: &'a [Level],
    pub(super) asked: &'a [Dependency],
}

/// The crate that there must be only one of: tasks of one Tokio know nothing of the runtime of another.
const ONLY_ONE: &str = "tokio";

impl Order<'_> {
    /// What is there, or builds it; or says which of the levels below would have to change for it.
    pub(super) fn get(
        &self,
        progress: &dyn Fn(String),
        stopper: &Stopper,
    ) -> Result<Result<Level, usize>, EngineError> {
        let level = |record| self.level(record, true);
        cache::private_folder(self.folder)?;
        if let Some(record) = Record::read(self.folder) {
            return Ok(Ok(level(record)));
        }
        let _lock = self.lock(progress, stopper)?;
        // Another process may have built it in the meantime.
        if let Some(record) = Record::read(self.folder) {
            return Ok(Ok(level(record)));
        }
        let built = self.build(progress, stopper);
        if !matches!(built, Ok(Ok(_))) {
            // What cannot be built leaves nothing behind.
            let _ = fs::remove_dir_all(self.folder);
        }
        Ok(built?.map(level))
    }

    /// What is in the shared cache. It is asked first: cells of the shared cache were compiled against it.
    pub(super) fn shared(&self) -> Option<Level> {
        let record = Record::read_shared(self.config, self.folder)?;
        Some(self.level(record, false))
    }

    fn level(&self, record: Record, own: bool) -> Level {
        Level {
            name: self.name.to_owned(),
            folder: self.folder.to_owned(),
            record,
            own,
        }
    }

    /// One builder at a time: they share a workspace.
    fn lock(&self, progress: &dyn Fn(String), stopper: &Stopper) -> Result<fs::File, EngineError> {
        let path = self.shared.join("build.lock");
        let lock = fs::File::create(&path).map_err(|error| trouble(&path, error))?;
        let mut told = false;
        while let Err(fs::TryLockError::WouldBlock) = lock.try_lock() {
            if stopper.is_stopped() {
                return Err(EngineError::Stopped);
            }
            if !std::mem::replace(&mut told, true) {
                progress("Waiting for another LoopBot that is building libraries".into());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(lock)
    }

    fn build(
        &self,
        progress: &dyn Fn(String),
        stopper: &Stopper,
    ) -> Result<Result<Record, usize>, EngineError> {
        let names: Vec<&str> = self.asked.iter().map(|one| one.name.as_str()).collect();
        let what = match names.as_slice() {
            [] => "the lesson libraries".into(),
            names => names.join(", "),
        };
        progress(match self.asked {
            [] => "Building the lesson libraries (once; about a minute)".into(),
            _ => format!("Building {what}"),
        });
        let mut teller = Teller::new(what, progress);
        let cargo = Cargo {
            toolchain: self.toolchain,
            workspace: self.shared,
            stopper,
        };
        self.write_workspace()
            .map_err(|error| trouble(self.shared, error))?;
        let (resolution, offline) = self.resolve(&cargo, &mut teller)?;
        self.refuse_programs(&resolution)?;
        self.refuse_a_second(&resolution)?;
        self.write_library(&resolution)
            .map_err(|error| trouble(self.folder, error))?;
        let target = self.shared.join("target").to_string_lossy().into_owned();
        let mut arguments = vec!["build", "--release", "--package", self.name];
        arguments.extend(["--message-format=json-render-diagnostics", "--target-dir"]);
        arguments.push(&target);
        arguments.extend(offline);
        let mut build = || match cargo.run(&arguments, &mut teller)? {
            Ended::Well(reports) => Ok(reports),
            Ended::Badly(complaint) => Err(self.unavailable(&complaint)),
        };
        let mut reports = build()?;
        let new = self.new_packages(&resolution);
        if let Some(list) = native::exports(&reports, |package| new.contains(package)) {
            let package = package_folder(self.folder);
            let (list_file, script) = (package.join(native::LIST), package.join("build.rs"));
            let write = || {
                write_changed(&list_file, list.as_bytes())?;
                write_changed(&script, native::BUILD_SCRIPT.as_bytes())
            };
            write().map_err(|error| trouble(&package, error))?;
            reports = match build() {
                Err(EngineError::Libraries(_)) => {
                    // A linker that takes no second list. Rust functions around the C code work all the same.
                    let remove = || fs::remove_file(&script);
                    remove().map_err(|error| trouble(&package, error))?;
                    build()?
                }
                other => other?,
            };
        }
        let mut artifacts: Vec<Artifact> = reports.lines().filter_map(artifact).collect();
        // A crate may also have been built for a build script, without optimisation; what is linked comes last and stays.
        artifacts.sort_by_key(|artifact| artifact.optimized);
        if let Some(changed) = self.first_changed(&artifacts) {
            return Ok(Err(changed));
        }
        self.collect(&resolution, &artifacts)
            .and_then(|record| {
                fs::copy(self.shared.join("Cargo.lock"), lock_file(self.folder))?;
                record.write(self.folder)?;
                Ok(Ok(record))
            })
            .map_err(|error| trouble(self.folder, error))
    }

    fn write_workspace(&self) -> std::io::Result<()> {
        let own = sources::own_folder();
        for file in sources::own(&own) {
            write_changed(&self.shared.join(file.path), &file.text)?;
        }
        let package = package_folder(self.folder);
        let manifest = match self.below.last() {
            None => sources::set_manifest(self.name, self.asked),
            Some(below) => {
                let place = package_folder(&below.folder);
                sources::layer_manifest(
                    self.name,
                    (&below.name, &place.to_string_lossy()),
                    self.asked,
                )
            }
        };
        write_changed(&package.join("Cargo.toml"), manifest.as_bytes())?;
        let library = package.join("src/lib.rs");
        if !library.exists() {
            // What stands in it is known when cargo has said what the crates are called.
            write_changed(&library, b"")?;
        }
        if self.below.is_empty() {
            let program = sources::host_program(self.name);
            write_changed(&package.join("src/main.rs"), program.as_bytes())?;
        }
        let members: Vec<String> = self
            .below
            .iter()
            .map(|level| level.folder.as_path())
            .chain([self.folder])
            .map(|folder| package_folder(folder).to_string_lossy().into_owned())
            .collect();
        let root = sources::root_manifest(&own, &members);
        write_changed(&self.shared.join("Cargo.toml"), root.as_bytes())?;
        // The versions that our tests ran with, or those of what is loaded.
        let lock = match self.below {
            [] | [_] => sources::LOCK.into(),
            [.., top] => fs::read(lock_file(&top.folder))?,
        };
        write_changed(&self.shared.join("Cargo.lock"), &lock)
    }

    /// The packages, and how cargo is kept from asking the network when all of them are there. A version that is there
    /// and satisfies the request is taken even if the registry has a newer one: a class does not wait for the network.
    fn resolve(
        &self,
        cargo: &Cargo<'_>,
        teller: &mut Teller<'_>,
    ) -> Result<(Resolution, Option<&'static str>), EngineError> {
        let host = format!("--filter-platform={}", self.toolchain.host());
        let arguments = ["metadata", "--format-version=1", &host];
        let offline = "--offline";
        let mut ended = cargo.run(&[&arguments[..], &[offline]].concat(), teller)?;
        let is_there = matches!(ended, Ended::Well(_));
        if !is_there {
            ended = cargo.run(&arguments, teller)?;
        }
        let metadata = match ended {
            Ended::Well(metadata) => metadata,
            Ended::Badly(complaint) => return Err(self.unavailable(&complaint)),
        };
        let resolution = Resolution::read(&metadata, self.name).ok_or_else(|| {
            self.unavailable("error: cargo described the packages in a form that is not understood")
        })?;
        Ok((resolution, is_there.then_some(offline)))
    }

    /// Packages that are linked here and not below.
    fn new_packages<'r>(&self, resolution: &'r Resolution) -> BTreeSet<&'r str> {
        let below: Option<&str> = self.below.last().map(|level| level.name.as_str());
        let (below, here): (Vec<_>, Vec<_>) = resolution
            .direct
            .iter()
            .partition(|(name, _)| Some(name.as_str()) == below);
        let linked = |direct: &[(&String, &'r String)]| -> BTreeSet<&'r str> {
            let ids = direct.iter().flat_map(|(_, id)| resolution.linked_with(id));
            ids.collect()
        };
        &linked(&here) - &linked(&below)
    }

    fn unavailable(&self, complaint: &str) -> EngineError {
        let workspace = self.shared.to_string_lossy();
        EngineError::Libraries(complaint::read(complaint, self.name, &workspace))
    }

    /// Refuses packages without a library, which cargo would leave out without a word.
    fn refuse_programs(&self, resolution: &Resolution) -> Result<(), EngineError> {
        let has_library = |asked: &&Dependency| {
            let mut packages = resolution
                .direct
                .values()
                .filter_map(|id| resolution.package(id));
            packages.any(|found| found.name == asked.package())
        };
        match self.asked.iter().find(|asked| !has_library(asked)) {
            None => Ok(()),
            Some(asked) => Err(EngineError::Libraries(Unavailable {
                crate_name: Some(asked.name.clone()),
                reason: format!(
                    "`{}` is a program, not a library: there is nothing in it that a cell could use",
                    asked.name
                ),
                said: Vec::new(),
            })),
        }
    }

    /// Refuses crates that bring another Tokio than that of the lessons.
    fn refuse_a_second(&self, resolution: &Resolution) -> Result<(), EngineError> {
        let is_it = |id: &&str| {
            resolution
                .package(id)
                .is_some_and(|package| package.name == ONLY_ONE)
        };
        let all: BTreeSet<&str> = resolution
            .direct
            .values()
            .flat_map(|id| resolution.linked_with(id))
            .filter(is_it)
            .collect();
        let ours = resolution
            .runtime()
            .map(|runtime| resolution.linked_with(runtime))
            .unwrap_or_default();
        let version = |id: &str| {
            resolution
                .package(id)
                .map_or(String::new(), |package| package.version.clone())
        };
        let Some(other) = all.iter().find(|id| !ours.contains(**id)) else {
            return Ok(());
        };
        let brings = resolution
            .direct
            .iter()
            .find(|(_, id)| resolution.linked_with(id).contains(other))
            .map_or(ONLY_ONE, |(name, _)| name);
        let ours = ours
            .iter()
            .find(|id| is_it(id))
            .map_or(String::new(), |id| version(id));
        let theirs = version(other);
        Err(EngineError::Libraries(Unavailable {
            crate_name: Some(brings.replace('_', "-")),
            reason: format!(
                "`{brings}` needs Tokio {theirs}, but the lessons use Tokio {ours}, and two Tokios in one process do not \
                 know each other's tasks; ask for a version of `{brings}` that works with Tokio {ours}"
            ),
            said: Vec::new(),
        }))
    }

    fn write_library(&self, resolution: &Resolution) -> std::io::Result<()> {
        let below: Option<&str> = self.below.last().map(|level| level.name.as_str());
        let crates: Vec<String> = resolution
            .direct
            .keys()
            .filter(|name| Some(name.as_str()) != below && *name != "loopbot_runtime")
            .cloned()
            .collect();
        let text = match below {
            None => sources::set_library(&crates),
            Some(below) => sources::layer_library(below, &crates),
        };
        write_changed(
            &package_folder(self.folder).join("src/lib.rs"),
            text.as_bytes(),
        )
    }

    /// The lowest level that cargo has made anew, other than it was. What is loaded keeps its copy; it cannot be joined
    /// with crates that were compiled against another build of it.
    fn first_changed(&self, artifacts: &[Artifact]) -> Option<usize> {
        self.below.iter().position(|level| {
            let built = artifacts
                .iter()
                .filter(|artifact| artifact.crate_name == level.name)
                .find_map(Artifact::dylib);
            built.is_none_or(|file| {
                cache::hash_file(file).is_ok_and(|hash| hash != level.record.dylib_hash)
            })
        })
    }

    /// Copies what belongs to this set or layer alone into its folder, and notes where everything is.
    fn collect(&self, resolution: &Resolution, artifacts: &[Artifact]) -> std::io::Result<Record> {
        let missing = |what: &str| std::io::Error::other(format!("cargo built no {what}"));
        let joined = || {
            artifacts
                .iter()
                .filter(|artifact| artifact.crate_name == self.name)
        };
        let dylib = joined()
            .find_map(Artifact::dylib)
            .ok_or_else(|| missing("library"))?;
        // Beside the set, layers too: that folder is on the library path of the process from its start.
        let set = self.below.first().map_or(self.folder, |set| &set.folder);
        let dylib = copy(dylib, set)?;
        let dylib_hash = cache::hash_file(&dylib)?;
        let host = match joined().find_map(|artifact| artifact.executable.as_deref()) {
            Some(host) => {
                let host = copy(host, set)?;
                let hash = cache::hash_file(&host)?;
                Some((host, hash))
            }
            None if self.below.is_empty() => return Err(missing("program")),
            None => None,
        };
        let mut record = Record {
            dylib,
            dylib_hash,
            host,
            asked: self.asked.to_vec(),
            externs: BTreeMap::new(),
            packages: Vec::new(),
            renamed: Vec::new(),
            search: vec![self.folder.to_owned()],
            paths: BTreeMap::new(),
        };
        let is_level =
            |name: &str| name == self.name || self.below.iter().any(|level| level.name == name);
        for artifact in artifacts
            .iter()
            .filter(|artifact| !is_level(&artifact.crate_name))
        {
            let Some(file) = artifact.library() else {
                continue;
            };
            if let Some(parent) = file
                .parent()
                .filter(|parent| !record.search.iter().any(|known| known == parent))
            {
                record.search.push(parent.to_owned());
            }
            // Crates given by path may be built in place by another set; all others never change.
            let folder = resolution
                .package(&artifact.package)
                .and_then(|found| found.folder.as_deref());
            let own = folder.is_some_and(|folder| folder.starts_with(self.shared));
            let file = match folder {
                Some(_) => copy(file, self.folder)?,
                None => file.to_owned(),
            };
            if let Some(folder) = folder.filter(|_| !own) {
                record.paths.insert(folder.to_owned(), hash_sources(folder));
            }
            for (name, _) in resolution
                .direct
                .iter()
                .filter(|(name, id)| **id == artifact.package && *name != "loopbot_runtime")
            {
                record.externs.insert(name.clone(), file.clone());
                if *name != artifact.crate_name && !record.renamed.contains(name) {
                    record.renamed.push(name.clone());
                }
                record
                    .packages
                    .retain(|package| package.crate_name != *name);
                record.packages.push(Package {
                    crate_name: name.clone(),
                    version: resolution
                        .package(&artifact.package)
                        .map_or_else(String::new, |found| found.version.clone()),
                    features: artifact.features.clone(),
                    own,
                });
            }
        }
        Ok(record)
    }
}

fn trouble(path: &Path, error: std::io::Error) -> EngineError {
    EngineError::Cache {
        path: path.into(),
        reason: error.to_string(),
    }
}

/// Where the package of a set or layer stands.
fn package_folder(folder: &Path) -> PathBuf {
    folder.join("package")
}

/// The versions that a set or layer was built with.
fn lock_file(folder: &Path) -> PathBuf {
    folder.join("Cargo.lock")
}

/// Writes a file unless it says so already: cargo goes by the date.
fn write_changed(path: &Path, text: &[u8]) -> std::io::Result<()> {
    if fs::read(path).is_ok_and(|present| present == text) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

fn copy(from: &Path, folder: &Path) -> std::io::Result<PathBuf> {
    let to = folder.join(from.file_name().unwrap_or_default());
    let beside = to.with_extension("new");
    fs::copy(from, &beside)?;
    fs::rename(&beside, &to)?;
    Ok(to)
}

/// One crate that cargo compiled, by its own report.
struct Artifact {
    crate_name: String,
    package: String,
    features: Vec<String>,
    files: Vec<PathBuf>,
    executable: Option<PathBuf>,
    optimized: bool,
}

impl Artifact {
    fn dylib(&self) -> Option<&Path> {
        let dylib = |file: &&PathBuf| {
            file.extension()
                .is_some_and(|extension| extension == std::env::consts::DLL_EXTENSION)
        };
        self.files.iter().find(dylib).map(PathBuf::as_path)
    }

    /// An rlib, or a procedural macro's shared library.
    fn library(&self) -> Option<&Path> {
        let rlib = |file: &&PathBuf| {
            file.extension()
                .is_some_and(|extension| extension == "rlib")
        };
        self.files
            .iter()
            .find(rlib)
            .map(PathBuf::as_path)
            .or_else(|| self.dylib())
    }
}

fn artifact(line: &str) -> Option<Artifact> {
    let report: Value = serde_json::from_str(line).ok()?;
    if report["reason"] != "compiler-artifact" {
        return None;
    }
    let texts = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    Some(Artifact {
        crate_name: report["target"]["name"].as_str()?.replace('-', "_"),
        package: report["package_id"].as_str()?.to_owned(),
        features: texts(&report["features"]),
        files: texts(&report["filenames"])
            .into_iter()
            .map(PathBuf::from)
            .collect(),
        executable: report["executable"].as_str().map(PathBuf::from),
        optimized: report["profile"]["opt_level"] != "0",
    })
}
