//! One call of cargo: stoppable, its progress told, its complaints kept. It knows neither sets nor layers.

use std::io::{BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Toolchain;
use super::progress::{Counter, Teller};
use crate::EngineError;
use crate::compile::Stopper;

/// How cargo is called.
pub(super) struct Cargo<'a> {
    pub(super) toolchain: &'a Toolchain,
    /// The folder of the workspace.
    pub(super) workspace: &'a Path,
    pub(super) stopper: &'a Stopper,
}

/// What came of a call.
pub(super) enum Ended {
    /// It worked; holds what it printed.
    Well(String),
    /// It did not; holds its complaints.
    Badly(String),
}

impl Cargo<'_> {
    pub(super) fn run(
        &self,
        arguments: &[&str],
        teller: &mut Teller<'_>,
    ) -> Result<Ended, EngineError> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .args(arguments)
            .current_dir(self.workspace)
            // The same rustc, and flags, as for the cells; nothing that the surroundings ask for.
            .env("RUSTC", &self.toolchain.rustc)
            .env(
                "CARGO_ENCODED_RUSTFLAGS",
                "-Cprefer-dynamic\x1f--cfg\x1ftokio_unstable",
            )
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_TERM_PROGRESS_WHEN", "always")
            .env("CARGO_TERM_PROGRESS_WIDTH", "120")
            .env_remove("CARGO_TERM_QUIET")
            .env_remove("CARGO_BUILD_TARGET")
            .env_remove("RUSTC_WRAPPER")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut cargo = command.spawn().map_err(|_| EngineError::NoCargo)?;
        let group = cargo.id() as i32;
        if !self.stopper.enter(group) {
            let _ = cargo.kill();
        }
        let (Some(stdout), Some(stderr)) = (cargo.stdout.take(), cargo.stderr.take()) else {
            return Err(EngineError::NoCargo);
        };
        let counter = teller.counter();
        let printed = std::thread::spawn(move || read_counting(stdout, &counter));
        let complaints = listen(stderr, teller);
        self.stopper.leave(group);
        let status = cargo.wait().map_err(|_| EngineError::NoCargo)?;
        let printed = printed.join().unwrap_or_default();
        if self.stopper.is_stopped() {
            return Err(EngineError::Stopped);
        }
        Ok(if status.success() {
            Ended::Well(printed)
        } else {
            Ended::Badly(complaints)
        })
    }
}

/// Everything that is printed; the counter hears of it line by line.
fn read_counting(stdout: impl Read, counter: &Counter) -> String {
    let mut text = String::new();
    for line in std::io::BufRead::lines(BufReader::new(stdout)).map_while(Result::ok) {
        counter.report(&line);
        text += &line;
        text.push('\n');
    }
    text
}

/// Tells of each step and returns the rest. A step ends with a line feed, a progress bar with a carriage return.
fn listen(stderr: impl Read, teller: &mut Teller<'_>) -> String {
    let (mut complaints, mut line) = (String::new(), Vec::new());
    for byte in BufReader::new(stderr).bytes().map_while(Result::ok) {
        if byte != b'\n' && byte != b'\r' {
            line.push(byte);
            continue;
        }
        let text = String::from_utf8_lossy(&line).into_owned();
        line.clear();
        if !teller.tell(text.trim()) && (byte == b'\n' || !text.trim().is_empty()) {
            complaints += text.trim_end();
            complaints.push('\n');
        }
    }
    complaints + &String::from_utf8_lossy(&line)
}
