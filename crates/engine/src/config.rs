//! Where an engine keeps its files and runs its cells.

use std::path::PathBuf;
use std::time::Duration;

use crate::EngineError;

/// The environment variable that names a shared cache.
pub const SHARED_CACHE: &str = "LOOPBOT_SHARED_CACHE";

/// Settings of one engine. [`Config::from_env`] is right for nearly everyone.
#[derive(Debug, Clone)]
pub struct Config {
    /// Root of the private cache: lesson libraries and compiled cells. Created with mode 0700.
    pub cache: PathBuf,
    /// Root of a cache that is only read, in front of the private one: a class shares its libraries and cells. It is
    /// used if only the user, the administrator and whoever installed this program can write to it.
    pub shared_cache: Option<PathBuf>,
    /// Working directory of the learner's code; relative `:dep` paths start here.
    pub working_dir: PathBuf,
    /// How long an interrupted cell may take to end by itself before its process is replaced.
    pub interrupt_grace: Duration,
    /// Bytes that copies of the process from before earlier cells may hold, for `:undo`. The newest is always kept.
    pub checkpoint_memory: u64,
}

impl Config {
    /// Drops a shared cache that cannot be trusted, with a note for the learner: work goes on without it.
    pub(crate) fn check_shared_cache(&mut self) -> Result<(), String> {
        let Some(folder) = self.shared_cache.take() else {
            return Ok(());
        };
        match crate::cache::shared_folder(&folder) {
            Ok(folder) => {
                self.shared_cache = Some(folder);
                Ok(())
            }
            Err(reason) => Err(format!(
                "note: the shared cache {} is not used: {reason}\nYour own cache is used instead; only the first runs take longer.",
                folder.display()
            )),
        }
    }

    /// Cache in `LOOPBOT_CACHE`, else in the user's cache folder (`XDG_CACHE_HOME`, else `~/.cache`) under `loopbot`;
    /// shared cache in `LOOPBOT_SHARED_CACHE`, else none; working directory of this process.
    pub fn from_env() -> Result<Config, EngineError> {
        let named = |variable: &str| {
            let value = std::env::var_os(variable).filter(|value| !value.is_empty())?;
            Some(PathBuf::from(value))
        };
        let cache = match named("LOOPBOT_CACHE") {
            Some(path) => path,
            None => dirs::cache_dir()
                .ok_or(EngineError::NoCacheFolder)?
                .join("loopbot"),
        };
        let working_dir = std::env::current_dir().map_err(EngineError::WorkingDir)?;
        Ok(Config {
            cache: std::path::absolute(&cache).unwrap_or(cache),
            shared_cache: named(SHARED_CACHE),
            working_dir,
            interrupt_grace: Duration::from_millis(500),
            checkpoint_memory: 512 << 20,
        })
    }
}
