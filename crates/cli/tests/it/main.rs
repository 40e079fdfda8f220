//! Tests through the real program: arguments, exit statuses, messages, and the rules of this repository.
//!
//! A new test runs [`loopbot`] in a [`Home`] of its own and compares what a reader would see. Nothing here uses the
//! network or takes minutes; set-ups that do are in `.ci/run`.
#![allow(clippy::unwrap_used)]

mod arguments;
mod kernels;
mod python_side;
mod rules;

use std::path::{Path, PathBuf};
use std::process::Command;

/// What the program said and how it ended.
struct Said {
    status: i32,
    stdout: String,
    stderr: String,
}

/// A user's home with nothing in it.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Home {
        Home(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// The program, started in this home; none of the caller's own settings reach it.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loopbot"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env("HOME", self.path());
        for variable in [
            "XDG_DATA_HOME",
            "XDG_CACHE_HOME",
            "JUPYTER_PATH",
            "JUPYTER_DATA_DIR",
        ] {
            command.env_remove(variable);
        }
        command
            .env("LOOPBOT_DATA", self.path().join("data"))
            .env("LOOPBOT_CACHE", self.path().join("cache"));
        command
    }

    fn loopbot(&self, arguments: &[&str]) -> Said {
        run(&mut self.command(arguments))
    }
}

fn run(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The top of the repository.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}
