//! Writes a file in one step: beside its place, then renamed, so that nobody ever reads half of it.
//!
//! Notebooks are written by their own crate, in the same way.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};

/// Writes `text` to `path`; folders on the way are made.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().context("a file needs a folder")?;
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(folder)?;
        // Left to itself a temporary file is for its owner alone; the user's umask still applies to this one.
        let mut beside = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(folder)?;
        beside.write_all(text.as_bytes())?;
        beside.persist(path)?;
        Ok(())
    };
    write().with_context(|| {
        format!(
            "{} cannot be written; is there room, and may you write there?",
            path.display()
        )
    })
}
