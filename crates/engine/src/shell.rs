//! Runs a command of the learner's in the system's shell: output as it happens, nothing to read, interruptible.
//!
//! Knows no session; what counts as a command is decided in `cell/command`.

use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::child::Sink;
use crate::compile::Stopper;
use crate::event::Event;
use crate::output::Decoder;

/// How a command ended, unless it ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Somebody interrupted it.
    Stopped,
    /// Says what happened, in the learner's words.
    Badly(String),
}

/// Runs `command` with `sh -c` in `folder` to its end. Standard output and standard error go to `sink` as they come; its
/// standard input is empty.
pub(crate) fn run(
    command: &str,
    folder: &Path,
    environment: &[(String, String)],
    sink: &Sink,
    stopper: &Stopper,
) -> Result<(), Ended> {
    if only_changes_folder(command) {
        return Err(Ended::Badly(
            "a `cd` ends with the line that it stands in: write `!cd folder && command`, or move the cells with `std::env::set_current_dir(\"folder\")?`".into(),
        ));
    }
    let trouble =
        |error: std::io::Error| Ended::Badly(format!("the shell could not be started: {error}"));
    let mut shell = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .envs(environment.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(trouble)?;
    let group = shell.id() as i32;
    if !stopper.enter(group) {
        let _ = shell.kill();
    }
    let (stdout, stderr) = (shell.stdout.take(), shell.stderr.take());
    std::thread::scope(|scope| {
        if let Some(stderr) = stderr {
            scope.spawn(|| pass_on(stderr, &|text| sink(Event::Stderr(text))));
        }
        if let Some(stdout) = stdout {
            pass_on(stdout, &|text| sink(Event::Stdout(text)));
        }
    });
    // Off the list before the wait: after it, the number may belong to another process.
    stopper.leave(group);
    let status = shell.wait().map_err(trouble)?;
    if stopper.is_stopped() {
        return Err(Ended::Stopped);
    }
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => Err(Ended::Badly(format!(
            "the command ended with status {code}"
        ))),
        (None, signal) => Err(Ended::Badly(format!(
            "the command was ended by signal {}",
            signal.unwrap_or_default()
        ))),
    }
}

/// Sends what comes out of a pipe on, as text, until the pipe ends.
fn pass_on(mut pipe: impl Read, emit: &dyn Fn(String)) {
    let (mut decoder, mut buffer) = (Decoder::default(), vec![0; 1 << 16]);
    loop {
        let text = match pipe.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => decoder.decode(&buffer[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        if !text.is_empty() {
            emit(text);
        }
    }
    let rest = decoder.finish();
    if !rest.is_empty() {
        emit(rest);
    }
}

fn only_changes_folder(command: &str) -> bool {
    command.split_whitespace().next() == Some("cd") && !command.contains(['&', ';', '|'])
}
