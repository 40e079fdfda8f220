//! The subcommands, one a file. Each parses its own arguments and returns how it ended.

use clap::Subcommand;

use crate::exit::Status;

mod cache;
mod check;
mod doctor;
mod export;
mod kernel;
mod lab;
mod run;

/// What `loopbot` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Lab(lab::Lab),
    Run(run::Run),
    Export(export::Export),
    Check(check::Check),
    Cache(cache::Cache),
    Doctor(doctor::Doctor),
    Kernel(kernel::Kernel),
}

/// Runs one subcommand.
pub(crate) fn run(command: Command) -> anyhow::Result<Status> {
    match command {
        Command::Lab(lab) => lab.run(),
        Command::Run(run) => run.run(),
        Command::Export(export) => export.run(),
        Command::Check(check) => check.run(),
        Command::Cache(cache) => cache.run(),
        Command::Doctor(doctor) => doctor.run(),
        Command::Kernel(kernel) => kernel.run(),
    }
}
