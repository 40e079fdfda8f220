//! `python`: runs a Python script beside the Rust cell, to compare or to prove a claim about Python. A lesson goes on
//! without it: that there is no Python is a result, not an error.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::measure::Took;
use crate::show::Bundle;

/// How long a script may run unless [`python_within`] says otherwise.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often a running script is looked at. Its time is measured to this accuracy.
const LOOK: Duration = Duration::from_millis(2);

/// How a script went. It shows its output as the last expression of a cell.
#[derive(Debug, Clone)]
pub struct PythonRun {
    /// What it printed.
    pub output: String,
    /// What it printed as errors, such as a traceback.
    pub errors: String,
    /// How long it took, with Python's start.
    pub took: Took,
    /// How it ended.
    pub ending: PythonEnding,
}

/// How a script ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PythonEnding {
    /// With exit status 0.
    Worked,
    /// With another exit status or a signal, in words.
    Failed(String),
    /// It was stopped because its time was up.
    TimeUp,
    /// There is no Python to run, and why.
    Missing(String),
}

impl PythonRun {
    /// Whether there was a Python and the script ended well.
    pub fn worked(&self) -> bool {
        self.ending == PythonEnding::Worked
    }

    /// Output and, if it did not end well, what happened.
    pub fn text(&self) -> String {
        let mut text = self.output.trim_end().to_owned();
        let mut add = |more: String| {
            if !text.is_empty() {
                text.push('\n');
            }
            text += more.trim_end();
        };
        if !self.errors.trim().is_empty() {
            add(self.errors.clone());
        }
        match &self.ending {
            PythonEnding::Worked => add(format!("(python3, {})", self.took)),
            PythonEnding::Failed(how) => {
                add(format!("(python3 ended with {how} after {})", self.took))
            }
            PythonEnding::TimeUp => add(format!("(python3 was stopped: it ran for {})", self.took)),
            PythonEnding::Missing(why) => add(format!(
                "(python3 cannot be run here: {why}. The lesson goes on without it; to see this cell's output, install \
                 Python 3 or set LOOPBOT_PYTHON to its path.)"
            )),
        }
        text
    }

    /// Shows the output now, for a cell whose last expression is something else.
    pub fn show(&self) {
        Bundle::default().with("text/plain", self.text()).show();
    }

    /// Shows the output as the result of a cell; kernels call it.
    pub fn evcxr_display(&self) {
        self.show();
    }
}

/// Runs a Python script for at most 20 s and returns what it printed and how long it took.
///
/// It runs `python3`, or what the environment variable `LOOPBOT_PYTHON` names. Indentation that all lines share is
/// removed, so the script may be indented like the Rust around it.
///
/// ```
/// use loopbot::prelude::*;
/// let run = python(r#"
///     print(sum(range(10)))
/// "#);
/// if run.worked() {
///     assert_eq!(run.output.trim(), "45");
/// }
/// ```
pub fn python(script: &str) -> PythonRun {
    python_within(PATIENCE, script)
}

/// Runs a Python script like [`python`], with another limit.
pub fn python_within(limit: Duration, script: &str) -> PythonRun {
    let start = Instant::now();
    match run(limit, &unindented(script)) {
        Ok(run) => run,
        Err(why) => PythonRun {
            output: String::new(),
            errors: String::new(),
            took: Took(start.elapsed()),
            ending: PythonEnding::Missing(why),
        },
    }
}

/// The version of the Python that [`python`] runs, such as `3.14.0`; `None` if there is none.
pub fn python_version() -> Option<String> {
    let run = python("import platform; print(platform.python_version())");
    run.worked().then(|| run.output.trim().to_owned())
}

fn run(limit: Duration, script: &str) -> Result<PythonRun, String> {
    let folder =
        ScriptFolder::new().map_err(|error| format!("the script could not be written: {error}"))?;
    let file = folder.0.join("script.py");
    std::fs::write(&file, script)
        .map_err(|error| format!("the script could not be written: {error}"))?;
    let python = std::env::var_os("LOOPBOT_PYTHON").unwrap_or_else(|| "python3".into());
    let start = Instant::now();
    let mut child = Command::new(&python)
        .arg("-u")
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", Path::new(&python).display()))?;
    let output = reader(child.stdout.take());
    let errors = reader(child.stderr.take());
    let status = wait(&mut child, start, limit);
    let took = Took(start.elapsed());
    // A grandchild may hold the pipes open for longer than the script lives; what it prints then is not waited for.
    let patience = Duration::from_secs(1);
    let read = |pipe: std::sync::mpsc::Receiver<Vec<u8>>| {
        let mut bytes = Vec::new();
        while let Ok(more) = pipe.recv_timeout(patience) {
            bytes.extend(more);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let ending = match status {
        Some(status) if status.success() => PythonEnding::Worked,
        Some(status) => PythonEnding::Failed(status.to_string()),
        None => PythonEnding::TimeUp,
    };
    let folder_name = format!("{}{}", folder.0.display(), std::path::MAIN_SEPARATOR);
    Ok(PythonRun {
        output: read(output),
        errors: read(errors).replace(&folder_name, ""),
        took,
        ending,
    })
}

/// `None` when the time was up and the child was stopped.
fn wait(child: &mut Child, start: Instant, limit: Duration) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if start.elapsed() < limit => std::thread::sleep(LOOK),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> std::sync::mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let Some(mut pipe) = pipe else { return };
        let mut buffer = [0; 8192];
        while let Ok(read @ 1..) = pipe.read(&mut buffer) {
            if sender.send(buffer[..read].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A folder of its own for the script, removed afterwards: tracebacks name `script.py` and show its lines, and
/// `multiprocessing` can import it, which it cannot do with a script from standard input.
struct ScriptFolder(PathBuf);

impl ScriptFolder {
    fn new() -> std::io::Result<ScriptFolder> {
        let mut attempt = 0_u32;
        loop {
            let name = format!("loopbot-python-{}-{attempt}", std::process::id());
            let path = std::env::temp_dir().join(name);
            match std::fs::create_dir(&path) {
                Ok(()) => return Ok(ScriptFolder(path)),
                Err(error)
                    if error.kind() == std::io::ErrorKind::AlreadyExists && attempt < 10_000 =>
                {
                    attempt += 1
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for ScriptFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The script without blank first lines and the indentation that all its lines share.
fn unindented(script: &str) -> String {
    let lines = || script.lines().skip_while(|line| line.trim().is_empty());
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let filled = lines().filter(|line| !line.trim().is_empty());
    let shared = filled.map(indent).min().unwrap_or(0);
    let mut text = String::new();
    for line in lines() {
        text += line.get(shared..).unwrap_or("");
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_indentation_is_removed() {
        let check = |script: &str, expected: &str| assert_eq!(unindented(script), expected);
        check(
            "\n    if x:\n        y()\n\n    z()\n  ",
            "if x:\n    y()\n\nz()\n\n",
        );
        check("print(1)", "print(1)\n");
    }
}
