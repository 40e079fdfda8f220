//! Where things are: the user's data folder, the lessons, the places Jupyter looks for kernels.
//!
//! It finds and names; it creates nothing.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::exit::WrongUse;

/// LoopBot's data: the private Python environment and kernelspec. `LOOPBOT_DATA`, else `loopbot` in the user's data
/// folder (`XDG_DATA_HOME`, else `~/.local/share`; on macOS `~/Library/Application Support`).
pub(crate) fn data() -> Result<PathBuf> {
    let folder = match set("LOOPBOT_DATA") {
        Some(folder) => folder,
        None => dirs::data_dir()
            .context("no folder for program data is known on this system; set LOOPBOT_DATA to a folder of yours")?
            .join("loopbot"),
    };
    std::path::absolute(&folder)
        .with_context(|| format!("{} is no usable folder", folder.display()))
}

/// The user's own kernels, where Jupyter looks for them.
pub(crate) fn user_kernels() -> Result<PathBuf> {
    if let Some(folder) = set("JUPYTER_DATA_DIR") {
        return Ok(folder.join("kernels"));
    }
    let folder = if cfg!(target_os = "macos") {
        dirs::home_dir().map(|home| home.join("Library/Jupyter"))
    } else {
        dirs::data_dir().map(|data| data.join("jupyter"))
    };
    Ok(folder
        .context("your home folder is not known; name a folder with --prefix DIR")?
        .join("kernels"))
}

/// Kernels of a Python or conda environment at `prefix`.
pub(crate) fn prefix_kernels(prefix: &Path) -> PathBuf {
    prefix.join("share/jupyter/kernels")
}

/// The folder `notebooks` of the clone: here or above, else of the clone this program was built in.
pub(crate) fn notebooks() -> Result<PathBuf> {
    let here =
        std::env::current_dir().context("the current folder cannot be read; go to another one")?;
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    here.ancestors()
        .map(Path::to_path_buf)
        .chain(
            std::path::absolute(&built_in)
                .ok()
                .and_then(|path| path.canonicalize().ok()),
        )
        .find(|folder| is_clone(folder))
        .map(|folder| folder.join("notebooks"))
        .ok_or_else(|| {
            WrongUse(format!(
                "there are no lessons in {} or above it; go to your copy of LoopBot and try again",
                here.display()
            ))
            .into()
        })
}

/// The lessons name `../../crates/loopbot`, so a folder `notebooks` alone is not enough.
fn is_clone(folder: &Path) -> bool {
    folder.join("notebooks").is_dir() && folder.join("crates/loopbot/Cargo.toml").is_file()
}

/// A variable of the environment that holds a path; an empty one counts as unset.
fn set(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}
