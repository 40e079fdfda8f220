//! The Python side: a private environment with JupyterLab, made once from the project's list.
//!
//! Its folder is named after the list, so that a changed list makes a new environment. A stamp is written last: a folder
//! without it is an interrupted set-up and is made again. A lock lets one set-up run at a time. It refuses to touch any
//! other Python environment.

mod find;
mod list;
mod pip;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

pub(crate) use find::{NoPython, Python, find};

/// What a new version of LoopBot changes when environments made by older ones must not be used.
const RECIPE: &str = "1";

/// The private environment, ready for use or not.
#[derive(Debug, Clone)]
pub(crate) struct PythonSide {
    folder: PathBuf,
    requirements: Vec<String>,
}

/// What stands in the environment's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Ready,
    Missing,
    /// A set-up was stopped before its end.
    Unfinished,
    /// The Python it was made from is gone or has changed.
    Stale,
}

impl PythonSide {
    /// The environment for this version's list, under `data`. Creates nothing.
    pub(crate) fn locate(data: &Path) -> Result<PythonSide> {
        let requirements = list::requirements()?;
        let digest =
            blake3::hash(format!("{RECIPE}\n{}", requirements.join("\n")).as_bytes()).to_hex();
        Ok(PythonSide {
            folder: data.join(format!("python-{}", &digest[..12])),
            requirements,
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The environment's own Python.
    pub(crate) fn program(&self) -> PathBuf {
        self.folder.join("bin/python3")
    }

    /// A command of the environment's Python: `-m jupyterlab …`, a script.
    pub(crate) fn command(&self) -> Command {
        find::isolated(&self.program())
    }

    pub(crate) fn state(&self) -> State {
        if !self.folder.exists() {
            return State::Missing;
        }
        let Ok(stamp) = fs::read_to_string(self.stamp()) else {
            return State::Unfinished;
        };
        // An upgraded system Python leaves an environment behind that starts and then finds no packages.
        match find::version(&self.program()) {
            Some(version) if stamp.trim() == stamp_text(version) => State::Ready,
            _ => State::Stale,
        }
    }

    /// Makes the environment unless it is there; `progress` gets a line for each step. Waits while another LoopBot makes
    /// it.
    pub(crate) fn prepare(&self, progress: &(dyn Fn(String) + Sync)) -> Result<()> {
        if self.state() == State::Ready {
            return Ok(());
        }
        let python = find()?;
        let parent = self
            .folder
            .parent()
            .context("the data folder has no parent")?;
        fs::create_dir_all(parent)
            .with_context(|| format!("the folder {} cannot be made", parent.display()))?;
        let lock = lock(&self.folder.with_extension("lock"), progress)?;
        match self.state() {
            // Another LoopBot made it while this one waited.
            State::Ready => return Ok(()),
            State::Missing => {}
            State::Unfinished => {
                progress("an earlier set-up was interrupted; starting it again".into());
                self.clear()?;
            }
            State::Stale => {
                progress("the Python it was made from has changed; making it again".into());
                self.clear()?;
            }
        }
        progress(format!(
            "making a private environment from {} (Python {}.{})",
            python.program.display(),
            python.version.0,
            python.version.1
        ));
        self.make_environment(&python, &lock)?;
        progress("downloading JupyterLab, once; this can take some minutes".into());
        let log = self.folder.join("set-up.log");
        pip::install(self.command(), &self.requirements, &log, &lock, progress)?;
        fs::write(self.stamp(), stamp_text(python.version))
            .with_context(|| format!("{} cannot be written", self.stamp().display()))?;
        progress("ready".into());
        Ok(())
    }

    fn make_environment(&self, python: &Python, lock: &fs::File) -> Result<()> {
        let output = find::isolated(&python.program)
            .args(["-m", "venv"])
            .arg(&self.folder)
            .stdin(lock.try_clone()?)
            .output()
            .with_context(|| format!("{} cannot be started", python.program.display()))?;
        if output.status.success() {
            return Ok(());
        }
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        if said.contains("ensurepip") && !said.contains(pip::DISK_FULL) {
            bail!(NoPython::NoVenv(python.clone()));
        }
        Err(pip::explain(&said).unwrap_or_else(|| {
            let last = said
                .lines()
                .rfind(|line| !line.trim().is_empty())
                .unwrap_or("it did not say why")
                .trim();
            anyhow!(
                "{} could not make an environment in {}: {last}",
                python.program.display(),
                self.folder.display()
            )
        }))
    }

    fn clear(&self) -> Result<()> {
        fs::remove_dir_all(&self.folder).with_context(|| {
            format!(
                "{} cannot be removed; remove it by hand and try again",
                self.folder.display()
            )
        })
    }

    fn stamp(&self) -> PathBuf {
        self.folder.join("ready")
    }
}

fn stamp_text((major, minor): (u32, u32)) -> String {
    format!("made with Python {major}.{minor}")
}

/// Held until dropped; the system lets go of it also when the process is killed. The programs that do the work get it as
/// their standard input, so that it stays locked while one of them outlives a LoopBot that was killed.
fn lock(path: &Path, progress: &(dyn Fn(String) + Sync)) -> Result<fs::File> {
    let why = || format!("{} cannot be locked", path.display());
    let file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(why)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => {
            progress("another LoopBot is setting it up; waiting for it".into());
            file.lock().with_context(why)?;
        }
        Err(fs::TryLockError::Error(error)) => return Err(error).with_context(why),
    }
    Ok(file)
}
