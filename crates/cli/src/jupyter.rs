//! Commands of the private Jupyter: which kernels it finds, and that it stays quiet.
//!
//! Jupyter looks for kernels in JUPYTER_PATH before anywhere else, so LoopBot's `rust` goes there and wins over a
//! kernel of that name in the user's folder or in the environment. It refuses to write to the user's Jupyter folders.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::files;

/// The folder that goes first in JUPYTER_PATH; kernelspecs stand in `kernels` under it.
pub(crate) fn private_folder(data: &Path) -> PathBuf {
    data.join("jupyter")
}

/// JUPYTER_PATH with LoopBot's folder first, then what the user has there.
pub(crate) fn search_path(data: &Path) -> Result<OsString> {
    let theirs = std::env::var_os("JUPYTER_PATH").unwrap_or_default();
    let theirs = std::env::split_paths(&theirs).filter(|folder| !folder.as_os_str().is_empty());
    std::env::join_paths(std::iter::once(private_folder(data)).chain(theirs)).context(
        "the path of LoopBot's data folder holds a `:`; set LOOPBOT_DATA to another folder",
    )
}

/// No news, no update checks: nothing leaves the machine, and no pop-up covers the lesson.
const QUIET: &str = r#"{
  "@jupyterlab/apputils-extension:notification": {
    "fetchNews": "false",
    "checkForUpdates": false
  }
}
"#;

/// Options that keep JupyterLab from asking anything of the network.
pub(crate) const QUIET_OPTIONS: [&str; 3] = [
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
];

/// Writes JupyterLab's defaults for this environment; the user's own settings still come first.
pub(crate) fn write_defaults(environment: &Path) -> Result<()> {
    let file = environment.join("share/jupyter/lab/settings/overrides.json");
    if fs::read_to_string(&file).is_ok_and(|text| text == QUIET) {
        return Ok(());
    }
    files::write(&file, QUIET)
}
