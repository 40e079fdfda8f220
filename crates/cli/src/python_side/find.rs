//! Finds a Python that a private environment can be made from.
//!
//! Every `python3` on the search path is asked, not just the first: a version manager's shim may be broken, or lack the
//! modules, while the system's Python behind it is fine. It installs nothing.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The oldest Python that JupyterLab 4 runs on.
pub(crate) const OLDEST: (u32, u32) = (3, 9);

/// A Python that can make environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Python {
    pub(crate) program: PathBuf,
    pub(crate) version: (u32, u32),
}

/// Why no Python will do. The text says what to install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoPython {
    /// None on the search path.
    None,
    /// The newest one found is too old.
    TooOld(Python),
    /// It lacks the modules that make an environment, as Debian's does without `python3-venv`.
    NoVenv(Python),
}

impl fmt::Display for NoPython {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = OLDEST;
        match self {
            NoPython::None => write!(
                f,
                "there is no python3 on this system's search path; JupyterLab needs Python {major}.{minor} or newer: {}",
                install("python3 python3-venv", "python")
            ),
            NoPython::TooOld(python) => write!(
                f,
                "{} is Python {}.{}, too old for JupyterLab, which needs {major}.{minor} or newer: {}",
                python.program.display(),
                python.version.0,
                python.version.1,
                install("python3 python3-venv", "python")
            ),
            NoPython::NoVenv(python) => write!(
                f,
                "{} lacks the module that makes private environments (venv with ensurepip): {}",
                python.program.display(),
                install("python3-venv", "python")
            ),
        }
    }
}

impl std::error::Error for NoPython {}

fn install(debian: &str, brew: &str) -> String {
    if cfg!(target_os = "macos") {
        format!("install it with `brew install {brew}` and try again")
    } else {
        format!("install it (Debian, Ubuntu: `sudo apt install {debian}`) and try again")
    }
}

/// The first Python on the search path that will do, else what comes closest.
pub(crate) fn find() -> Result<Python, NoPython> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut closest = NoPython::None;
    for folder in std::env::split_paths(&path) {
        for name in ["python3", "python"] {
            let program = folder.join(name);
            let Some((python, has_venv)) = program.is_file().then(|| ask(&program)).flatten()
            else {
                continue;
            };
            if python.version < OLDEST {
                if closest == NoPython::None {
                    closest = NoPython::TooOld(python);
                }
            } else if has_venv {
                return Ok(python);
            } else if !matches!(closest, NoPython::NoVenv(_)) {
                closest = NoPython::NoVenv(python);
            }
        }
    }
    Err(closest)
}

/// Runs on Python 2 as well, so that an old one can be named.
const QUESTION: &str = "
import sys
def has(name):
    try:
        __import__(name)
        return 1
    except ImportError:
        return 0
print('%d %d %d' % (sys.version_info[0], sys.version_info[1], has('venv') and has('ensurepip')))
";

fn ask(program: &Path) -> Option<(Python, bool)> {
    let output = isolated(program)
        .args(["-c", QUESTION])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut numbers = text.split_whitespace().map(str::parse::<u32>);
    let mut next = || numbers.next()?.ok();
    let version = (next()?, next()?);
    let has_venv = next()? == 1;
    Some((
        Python {
            program: program.to_owned(),
            version,
        },
        has_venv,
    ))
}

/// The version of the Python at `program`, if it runs at all.
pub(crate) fn version(program: &Path) -> Option<(u32, u32)> {
    ask(program).map(|(python, _)| python.version)
}

/// A Python command that the user's own Python settings cannot lead astray.
pub(crate) fn isolated(program: &Path) -> Command {
    let mut command = Command::new(program);
    for variable in [
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONSTARTUP",
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_USER",
        "PIP_ROOT",
    ] {
        command.env_remove(variable);
    }
    command
}
