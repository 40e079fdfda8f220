//! LoopBot's kernelspec in its private folder: the kernel called `rust` that `lab` and `run --kernel` use.
//!
//! The text of the spec is the kernel's business; this file knows where it goes and which program it starts.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::jupyter;

/// The name in the lessons' metadata, which is also evcxr's.
pub(crate) const NAME: &str = "rust";

/// The program that a kernelspec starts: this one.
pub(crate) fn program() -> Result<PathBuf> {
    std::env::current_exe().context("the path of the loopbot program is not known")
}

/// Where the private kernelspecs stand.
pub(crate) fn folder(data: &Path) -> PathBuf {
    jupyter::private_folder(data).join("kernels")
}

/// Writes the private kernelspec. The folder is LoopBot's alone, so one that is there is replaced.
pub(crate) fn prepare(data: &Path) -> Result<()> {
    let folder = folder(data);
    loopbot_kernel::spec::install(&folder, NAME, &program()?, true)
        .map(drop)
        .with_context(|| {
            format!(
                "the Rust kernel cannot be registered in {}",
                folder.display()
            )
        })
}
