//! The cache of compiled cells, for programs that look after it without running a cell.

use std::path::{Path, PathBuf};

use crate::cache::{self, Trust};
use crate::store::{self, Room};
use crate::{Config, EngineError};

/// How many compiled cells there are, or were removed, and what they take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheUse {
    /// The root of the cache; lesson libraries are in it, too.
    pub folder: PathBuf,
    pub cells: usize,
    pub bytes: u64,
}

/// What the compiled cells of all sets of libraries take. Nothing at all is no error.
///
/// ```no_run
/// let config = loopbot_engine::Config::from_env()?;
/// let used = loopbot_engine::cache_use(&config);
/// eprintln!("{} cells in {}", used.cells, used.folder.display());
/// # Ok::<(), loopbot_engine::EngineError>(())
/// ```
pub fn cache_use(config: &Config) -> CacheUse {
    told(config, store::measure(&config.cache))
}

/// Removes every compiled cell that no running notebook needs, and says what went. Lesson libraries stay.
///
/// # Errors
/// [`EngineError::Cache`] when the folder is another user's or others can write to it.
pub fn clear_cache(config: &Config) -> Result<CacheUse, EngineError> {
    if config.cache.exists() {
        cache::check(&config.cache, Trust::Own)?;
    }
    Ok(told(config, store::clear(&config.cache)))
}

/// Checks that `folder` can be a shared cache; its path without links.
///
/// # Errors
/// [`EngineError::Cache`] when it is not there, or when somebody else than the user, the administrator and whoever
/// installed this program can write to it or to a folder above it.
pub fn check_shared_cache(folder: &Path) -> Result<PathBuf, EngineError> {
    cache::shared_folder(folder).map_err(|reason| EngineError::Cache {
        path: folder.to_owned(),
        reason,
    })
}

fn told(config: &Config, room: Room) -> CacheUse {
    CacheUse {
        folder: config.cache.clone(),
        cells: room.cells,
        bytes: room.bytes,
    }
}
