//! How the program ends: 0 worked, 1 a lesson failed or something is missing, 2 wrong use.
//!
//! Commands return a [`Status`] or an error; [`WrongUse`] marks errors that only other arguments can mend.

use std::fmt;
use std::process::ExitCode;

/// What a command that ran to its end has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Worked,
    Failed,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        match status {
            Status::Worked => ExitCode::SUCCESS,
            Status::Failed => ExitCode::FAILURE,
        }
    }
}

impl Status {
    /// [`Status::Worked`] if nothing failed.
    pub(crate) fn from_failures(failures: usize) -> Status {
        if failures == 0 {
            Status::Worked
        } else {
            Status::Failed
        }
    }
}

/// The arguments ask for something that is not there; the text says what to write instead.
#[derive(Debug)]
pub(crate) struct WrongUse(pub(crate) String);

impl fmt::Display for WrongUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongUse {}

/// The exit code of an error.
pub(crate) fn code(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(if error.is::<WrongUse>() { 2 } else { 1 })
}
