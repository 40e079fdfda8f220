//! Where an engine keeps its files and runs its cells.

use std::path::PathBuf;
use std::time::Duration;

use crate::EngineError;

/// Settings of one engine. [`Config::from_env`] is right for nearly everyone.
#[derive(Debug, Clone)]
pub struct Config {
    /// Root of the private cache: lesson libraries and compiled cells. Created with mode 0700.
    pub cache: PathBuf,
    /// Working directory of the learner's code; relative `:dep` paths start here.
    pub working_dir: PathBuf,
    /// How long an interrupted cell may take to end by itself before its process is replaced.
    pub interrupt_grace: Duration,
    /// Bytes that copies of the process from before earlier cells may hold, for `:undo`. The newest is always kept.
    pub checkpoint_memory: u64,
}

impl Config {
    /// Cache in `LOOPBOT_CACHE`, else in the user's cache folder (`XDG_CACHE_HOME`, else `~/.cache`) under `loopbot`;
    /// working directory of this process.
    pub fn from_env() -> Result<Config, EngineError> {
        let cache = match std::env::var_os("LOOPBOT_CACHE").filter(|value| !value.is_empty()) {
            Some(path) => PathBuf::from(path),
            None => dirs::cache_dir()
                .ok_or(EngineError::NoCacheFolder)?
                .join("loopbot"),
        };
        let working_dir = std::env::current_dir().map_err(EngineError::WorkingDir)?;
        Ok(Config {
            cache: std::path::absolute(&cache).unwrap_or(cache),
            working_dir,
            interrupt_grace: Duration::from_millis(500),
            checkpoint_memory: 512 << 20,
        })
    }
}
