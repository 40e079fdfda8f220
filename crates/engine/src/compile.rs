//! One call of rustc: a generated crate in, a shared library or diagnostics out. Knows flags, not cells.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::child::kill_group;
use crate::diagnostic::Diagnostic;
use crate::directive::is_release;
use crate::generate::Generated;
use crate::libraries::Libraries;
use crate::store::{DOOR, LINK, Reads, module_files};
use crate::{Config, EngineError};

/// What a release build does without.
const RELEASE: &[&str] = &["-Cdebug-assertions=off", "-Coverflow-checks=off"];

/// What every cell is compiled with; part of each cell's name.
pub(crate) const FLAGS: [&str; 12] = [
    "--edition=2024",
    "--crate-type=dylib",
    "-Cprefer-dynamic",
    "-Cdebuginfo=0",
    "-Cdebug-assertions=on",
    "-Coverflow-checks=on",
    // Style is not the lesson; a forgotten `.await` or an ignored `Result` is.
    "-Aunused",
    "-Anonstandard_style",
    "-Aprivate_interfaces",
    "-Aprivate_bounds",
    // What a cell defines is public only because later cells are other crates.
    "-Aasync_fn_in_trait",
    "-Wunused_must_use",
];

/// What rustc is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// A shared library that can be loaded.
    Library,
    /// Only the complaints, with types written as full paths.
    Types,
}

/// A compilation to run.
pub(crate) struct Job<'a> {
    pub(crate) libraries: &'a Libraries,
    pub(crate) crate_name: &'a str,
    pub(crate) generated: &'a Generated,
    /// Compiled cells that this one refers to, and their libraries.
    pub(crate) cells: &'a BTreeMap<String, PathBuf>,
    /// Folders with the cells behind those.
    pub(crate) search: &'a [PathBuf],
    /// Where relative paths that the cell includes start.
    pub(crate) working_dir: &'a Path,
    /// `0` to `3`, `s` or `z`.
    pub(crate) optimization: &'a str,
    /// An existing folder of this job's own, without links in its path.
    pub(crate) folder: &'a Path,
}

/// What rustc answered.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The same as rustc wrote them, a line each.
    pub(crate) lines: Vec<String>,
    /// The library, if it was asked for and there were no errors.
    pub(crate) library: Option<PathBuf>,
    /// What was read besides the text, if rustc got so far that it knew.
    pub(crate) reads: Option<Reads>,
    /// What rustc printed that is not a diagnostic, for when it crashes.
    pub(crate) complaint: String,
    /// Somebody stopped it.
    pub(crate) stopped: bool,
}

/// Stops the compilers that run under it, from any thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stopper(Arc<Mutex<Stopping>>);

#[derive(Debug, Default)]
struct Stopping {
    stopped: bool,
    groups: Vec<i32>,
}

impl Stopper {
    /// Ends all running compilers and lets none start until [`Stopper::reset`].
    pub(crate) fn stop(&self) {
        if let Ok(mut state) = self.0.lock() {
            state.stopped = true;
            for group in &state.groups {
                // It has not been waited for, so the number is still its own.
                kill_group(*group);
            }
        }
    }

    pub(crate) fn reset(&self) {
        if let Ok(mut state) = self.0.lock() {
            state.stopped = false;
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.0.lock().is_ok_and(|state| state.stopped)
    }

    /// Notes a group; `false` if it must not run.
    pub(crate) fn enter(&self, group: i32) -> bool {
        self.0.lock().is_ok_and(|mut state| {
            state.groups.push(group);
            !state.stopped
        })
    }

    pub(crate) fn leave(&self, group: i32) {
        if let Ok(mut state) = self.0.lock() {
            state.groups.retain(|known| *known != group);
        }
    }
}

impl Job<'_> {
    /// Writes the files and runs rustc to its end.
    pub(crate) fn run(&self, goal: Goal, stopper: &Stopper) -> Result<Answer, EngineError> {
        let trouble = |error: std::io::Error| EngineError::Cache {
            path: self.folder.into(),
            reason: error.to_string(),
        };
        let sources = self.folder.join(self.crate_name);
        fs::create_dir_all(&sources).map_err(trouble)?;
        for file in &self.generated.files {
            fs::write(sources.join(&file.name), &file.text).map_err(trouble)?;
        }
        for file in &self.generated.files {
            if file.text.contains(DOOR) {
                link(self.working_dir, &self.folder.join(LINK)).map_err(trouble)?;
            }
            for name in module_files(&file.text) {
                let own = self.working_dir.join(&name);
                if own.exists() {
                    link(&own, &sources.join(name)).map_err(trouble)?;
                }
            }
        }
        let library = self.folder.join(library_file(self.crate_name));
        let dep_info = self.folder.join("reads.d");
        // That of an earlier attempt says nothing about this one.
        let _ = fs::remove_file(&dep_info);
        let mut rustc = self
            .command(goal, &library, &dep_info)
            .spawn()
            .map_err(|_| EngineError::NoCompiler)?;
        let group = rustc.id() as i32;
        if !stopper.enter(group) {
            let _ = rustc.kill();
        }
        let mut answer = Answer::default();
        if let Some(stderr) = rustc.stderr.take() {
            for line in BufReader::new(stderr)
                .take(64 << 20)
                .lines()
                .map_while(Result::ok)
            {
                match Diagnostic::parse(&line) {
                    Some(diagnostic) => {
                        answer.diagnostics.push(diagnostic);
                        answer.lines.push(line);
                    }
                    None => answer.complaint += &(line + "\n"),
                }
            }
        }
        // Off the list before the wait: after it, the number may belong to another process.
        stopper.leave(group);
        let status = rustc.wait().map_err(|_| EngineError::NoCompiler)?;
        answer.stopped = stopper.is_stopped();
        answer.library = (goal == Goal::Library && status.success()).then_some(library);
        answer.reads = fs::read(&dep_info)
            .ok()
            .map(|list| Reads::from_dep_info(&String::from_utf8_lossy(&list), self.crate_name));
        Ok(answer)
    }

    fn command(&self, goal: Goal, library: &Path, dep_info: &Path) -> Command {
        let mut rustc = Command::new(&self.libraries.toolchain.rustc);
        rustc
            .current_dir(self.folder)
            .args(["--error-format=json", "--diagnostic-width=100000"])
            .args(FLAGS)
            .arg(format!("--crate-name={}", self.crate_name))
            .arg(format!("-Copt-level={}", self.optimization))
            // The last one counts: honest timing is that of a release build.
            .args(if is_release(self.optimization) {
                RELEASE
            } else {
                &[]
            })
            // The same cell gives the same bytes wherever it is compiled, and what it includes has the name that it has
            // in the working directory.
            .arg(format!("--remap-path-prefix={}=", self.folder.display()))
            .arg(format!(
                "--remap-path-prefix={}/{}=.",
                self.crate_name,
                DOOR.trim_end_matches('/')
            ));
        for (name, path) in self.libraries.dylibs() {
            rustc.arg(format!("--extern={name}={}", path.display()));
        }
        for folder in self.search.iter().chain(self.libraries.search()) {
            rustc.arg(format!("-Ldependency={}", folder.display()));
        }
        for (name, path) in self.libraries.externs() {
            rustc.arg(format!("--extern={name}={}", path.display()));
        }
        for (name, path) in self.cells {
            rustc.arg(format!("--extern={name}={}", path.display()));
        }
        match goal {
            Goal::Library => rustc
                .arg(format!("--emit=link={}", library.display()))
                .arg(format!("--emit=dep-info={}", dep_info.display())),
            // The flag that keeps rustc from shortening paths has no stable form; nothing compiled this way is kept.
            Goal::Types => rustc
                .env("RUSTC_BOOTSTRAP", "1")
                .args(["-Ztrim-diagnostic-paths=no", "--emit=metadata", "-o"])
                .arg(self.folder.join("types.rmeta")),
        };
        rustc
            .arg(format!("{}/lib.rs", self.crate_name))
            // rustc walks through the cells that a cell rests on, one inside the other; hundreds overflow its usual stack.
            .env("RUST_MIN_STACK", (256 << 20).to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0);
        rustc
    }
}

/// A call of the compiler that cells are compiled with, able to see the lesson libraries, and nothing more: what cells are
/// measured against.
pub fn plain_rustc(config: &Config) -> Result<Command, EngineError> {
    let libraries = Libraries::get(config, &[], &|_| {}, &Stopper::default())?;
    let mut rustc = Command::new(&libraries.toolchain.rustc);
    rustc.args(["--edition=2024", "-Cdebuginfo=0"]);
    for (name, path) in libraries.dylibs() {
        rustc.arg(format!("--extern={name}={}", path.display()));
    }
    for folder in libraries.search() {
        rustc.arg(format!("-Ldependency={}", folder.display()));
    }
    for (name, path) in libraries.externs() {
        rustc.arg(format!("--extern={name}={}", path.display()));
    }
    Ok(rustc)
}

/// Makes a link, unless something of that name is there: an earlier attempt's link, or a generated file.
fn link(to: &Path, place: &Path) -> std::io::Result<()> {
    match std::os::unix::fs::symlink(to, place) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// The file name of a compiled cell.
pub(crate) fn library_file(crate_name: &str) -> String {
    format!(
        "{}{crate_name}.{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_EXTENSION
    )
}
