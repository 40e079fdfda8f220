//! Builds a set with cargo and notes what rustc needs to know of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Dependency, Package, RECORD, Record, Toolchain, sources};
use crate::compile::Stopper;
use crate::{EngineError, cache};

/// A set to build.
pub(super) struct Order<'a> {
    /// What all sets of the toolchain share.
    pub(super) shared: &'a Path,
    /// The set's own folder.
    pub(super) folder: &'a Path,
    pub(super) name: &'a str,
    pub(super) toolchain: &'a Toolchain,
    pub(super) extra: &'a [Dependency],
}

impl Order<'_> {
    /// Builds the set, or waits for another process that does.
    pub(super) fn build(
        &self,
        progress: &dyn Fn(String),
        stopper: &Stopper,
    ) -> Result<Record, EngineError> {
        let Order {
            shared,
            folder,
            name,
            extra,
            ..
        } = *self;
        let trouble = |path: &Path, error: std::io::Error| EngineError::Cache {
            path: path.into(),
            reason: error.to_string(),
        };
        // One builder at a time: the workspace is rewritten for each set.
        let lock_path = shared.join("build.lock");
        let lock = fs::File::create(&lock_path).map_err(|error| trouble(&lock_path, error))?;
        if lock.try_lock().is_err() {
            progress("Waiting for another LoopBot that is building the lesson libraries".into());
            lock.lock().map_err(|error| trouble(&lock_path, error))?;
        }
        if let Some(record) = Record::read(folder) {
            return Ok(record);
        }
        progress(match extra {
            [] => "Building the lesson libraries (once; about a minute)".into(),
            extra => format!(
                "Building {}",
                extra
                    .iter()
                    .map(|one| one.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        });
        let workspace = shared.join("workspace");
        write_workspace(&workspace, name, extra).map_err(|error| trouble(&workspace, error))?;
        let artifacts = match self.run_cargo(&workspace, progress, stopper) {
            Ok(artifacts) => artifacts,
            Err(error) => {
                // A set that cannot be built leaves nothing behind.
                let _ = fs::remove_dir(folder);
                return Err(error);
            }
        };
        let record =
            collect(folder, name, extra, &artifacts).map_err(|error| trouble(folder, error))?;
        let text =
            serde_json::to_vec_pretty(&record).map_err(|error| trouble(folder, error.into()))?;
        cache::write(&folder.join(RECORD), &text).map_err(|error| trouble(folder, error))?;
        Ok(record)
    }

    fn run_cargo(
        &self,
        workspace: &Path,
        progress: &dyn Fn(String),
        stopper: &Stopper,
    ) -> Result<Vec<Artifact>, EngineError> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .args([
                "build",
                "--release",
                "--message-format=json-render-diagnostics",
                "--package",
                self.name,
                "--target-dir",
            ])
            .arg(self.shared.join("target"))
            .current_dir(workspace)
            // The same rustc, and flags, as for the cells; nothing that the surroundings ask for.
            .env("RUSTC", &self.toolchain.rustc)
            .env(
                "CARGO_ENCODED_RUSTFLAGS",
                "-Cprefer-dynamic\x1f--cfg\x1ftokio_unstable",
            )
            .env("CARGO_INCREMENTAL", "0")
            .env_remove("CARGO_BUILD_TARGET")
            .env_remove("RUSTC_WRAPPER")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut cargo = command.spawn().map_err(|_| EngineError::NoCargo)?;
        let group = cargo.id() as i32;
        if !stopper.enter(group) {
            let _ = cargo.kill();
        }
        let (Some(stdout), Some(stderr)) = (cargo.stdout.take(), cargo.stderr.take()) else {
            return Err(EngineError::NoCargo);
        };
        let reports = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = BufReader::new(stdout).read_to_string(&mut text);
            text
        });
        let mut complaints = Vec::new();
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let step = line.trim_start();
            if ["Compiling", "Downloading", "Downloaded", "Updating"]
                .iter()
                .any(|word| step.starts_with(word))
            {
                progress(step.to_owned());
            } else {
                complaints.push(line);
            }
        }
        stopper.leave(group);
        let status = cargo.wait().map_err(|_| EngineError::NoCargo)?;
        let reports = reports.join().unwrap_or_default();
        if stopper.is_stopped() {
            return Err(EngineError::Stopped);
        }
        if !status.success() {
            return Err(EngineError::Libraries {
                complaint: complaints.join("\n"),
            });
        }
        Ok(reports.lines().filter_map(artifact).collect())
    }
}

fn write_workspace(workspace: &Path, name: &str, extra: &[Dependency]) -> std::io::Result<()> {
    for folder in ["crates", "sets"] {
        match fs::remove_dir_all(workspace.join(folder)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    for file in sources::workspace(name, extra) {
        let path = workspace.join(file.path);
        fs::create_dir_all(path.parent().unwrap_or(workspace))?;
        fs::write(path, file.text)?;
    }
    fs::write(workspace.join("Cargo.lock"), sources::LOCK)
}

/// One crate that cargo compiled, by its own report.
struct Artifact {
    crate_name: String,
    package: String,
    features: Vec<String>,
    files: Vec<PathBuf>,
    executable: Option<PathBuf>,
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
    })
}

/// Copies what belongs to this set alone into its folder, and notes where everything is.
fn collect(
    folder: &Path,
    name: &str,
    extra: &[Dependency],
    artifacts: &[Artifact],
) -> std::io::Result<Record> {
    let missing = |what: &str| std::io::Error::other(format!("cargo built no {what}"));
    let copy = |from: &Path| -> std::io::Result<PathBuf> {
        let to = folder.join(from.file_name().unwrap_or_default());
        let beside = to.with_extension("new");
        fs::copy(from, &beside)?;
        fs::rename(&beside, &to)?;
        Ok(to)
    };
    let joined = || {
        artifacts
            .iter()
            .filter(|artifact| artifact.crate_name == name)
    };
    let dylib = joined()
        .flat_map(|artifact| &artifact.files)
        .find(|file| {
            file.extension()
                .is_some_and(|extension| extension == std::env::consts::DLL_EXTENSION)
        })
        .ok_or_else(|| missing("library"))?;
    let host = joined()
        .find_map(|artifact| artifact.executable.as_deref())
        .ok_or_else(|| missing("program"))?;
    let (dylib, host) = (copy(dylib)?, copy(host)?);
    let (mut externs, mut packages, mut search) =
        (BTreeMap::new(), Vec::new(), vec![folder.to_owned()]);
    let named: Vec<String> = sources::always()
        .into_iter()
        .chain(extra.iter().map(|dependency| dependency.name.clone()))
        .map(|name| name.replace('-', "_"))
        .collect();
    for artifact in artifacts
        .iter()
        .filter(|artifact| artifact.crate_name != name)
    {
        let Some(file) = artifact.files.iter().find(|file| is_library(file)) else {
            continue;
        };
        if let Some(parent) = file
            .parent()
            .filter(|parent| !search.iter().any(|known| known == parent))
        {
            search.push(parent.to_owned());
        }
        // Crates given by path may be rebuilt in place by another set; registry crates never change.
        let by_path = artifact.package.starts_with("path+");
        let file = if by_path { copy(file)? } else { file.clone() };
        // A renamed dependency (`package = "…"`) is found under the name of its package.
        let renamed = extra.iter().find(|dependency| {
            let package = dependency
                .specification
                .get("package")
                .and_then(toml::Value::as_str);
            package.is_some_and(|package| package.replace('-', "_") == artifact.crate_name)
        });
        let crate_name = renamed.map_or_else(
            || artifact.crate_name.clone(),
            |dependency| dependency.name.replace('-', "_"),
        );
        if named.contains(&crate_name) {
            packages.push(Package {
                crate_name: crate_name.clone(),
                version: artifact
                    .package
                    .rsplit(['@', '#'])
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
                features: artifact.features.clone(),
                own: by_path && artifact.package.contains("/workspace/crates/"),
            });
            externs.insert(crate_name, file);
        }
    }
    Ok(Record {
        dylib_hash: cache::hash_file(&dylib)?,
        host_hash: cache::hash_file(&host)?,
        dylib,
        host,
        externs,
        packages,
        search,
    })
}

/// An rlib, or a procedural macro's shared library.
fn is_library(file: &Path) -> bool {
    file.extension().is_some_and(|extension| {
        extension == "rlib" || extension == std::env::consts::DLL_EXTENSION
    })
}
