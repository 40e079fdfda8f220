//! `loopbot cache`: what the compiled cells take on disk, and emptying it.
//!
//! Cells that a running notebook needs stay, and so do the lesson libraries; the engine decides both.

use anyhow::Result;
use clap::{Args, Subcommand};
use loopbot_engine::Config;

use crate::console;
use crate::exit::Status;

/// Show what the compiled cells take on disk, or remove them
#[derive(Debug, Args)]
pub(crate) struct Cache {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Remove the compiled cells that no running notebook needs
    Clear,
}

impl Cache {
    pub(crate) fn run(self) -> Result<Status> {
        let config = Config::from_env()?;
        let (used, done) = match self.action {
            None => (loopbot_engine::cache_use(&config), "in"),
            Some(Action::Clear) => (loopbot_engine::clear_cache(&config)?, "were removed from"),
        };
        let cells = if used.cells == 1 { "cell" } else { "cells" };
        console::result(format_args!(
            "{} compiled {cells} ({:.1} MB) {done} {}.",
            used.cells,
            used.bytes as f64 / f64::from(1 << 20),
            used.folder.display()
        ));
        Ok(Status::Worked)
    }
}
