//! `loopbot`: opens, runs, checks and exports the lessons.
//!
//! This file parses the command line and turns the ending into an exit status; the work is in `commands`.

mod commands;
mod console;
mod execution;
mod exit;
mod files;
mod folders;
mod invocation;
mod jupyter;
mod kernelspec;
mod lessons;
mod python_side;
mod through_kernel;

use std::process::ExitCode;

use clap::Parser;

/// LoopBot: a workbook on concurrency in Rust, as Jupyter notebooks.
///
/// Exit status: 0 worked, 1 a lesson failed or something is missing, 2 wrong use.
#[derive(Debug, Parser)]
#[command(
    name = "loopbot",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
struct Arguments {
    #[command(subcommand)]
    command: commands::Command,
}

fn main() -> ExitCode {
    match commands::run(Arguments::parse().command) {
        Ok(status) => status.into(),
        Err(error) => {
            console::error(console::sentence(&error));
            exit::code(&error)
        }
    }
}
