//! Which notebooks a command is about, and how they are named to the reader.
//!
//! It reads no notebook; it only finds the files.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::exit::WrongUse;
use crate::folders;

/// The notebooks named on the command line. A lesson may be named without folder and ending: `s05-generators`.
pub(crate) fn named(names: &[PathBuf]) -> Result<Vec<PathBuf>> {
    names.iter().map(|name| find(name)).collect()
}

/// The notebooks named, or all lessons when none is.
pub(crate) fn named_or_all(names: &[PathBuf]) -> Result<Vec<PathBuf>> {
    if names.is_empty() {
        all()
    } else {
        named(names)
    }
}

/// The English lessons, in the order of the course, which is that of their names.
pub(crate) fn all() -> Result<Vec<PathBuf>> {
    let folder = folder()?;
    let entries = std::fs::read_dir(&folder)
        .with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut lessons: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "ipynb"))
        .map(|path| shown(&path))
        .collect();
    if lessons.is_empty() {
        bail!(WrongUse(format!("{} holds no notebooks", folder.display())));
    }
    lessons.sort();
    Ok(lessons)
}

fn folder() -> Result<PathBuf> {
    Ok(folders::notebooks()?.join("en"))
}

fn find(name: &Path) -> Result<PathBuf> {
    if name.is_file() {
        return Ok(name.to_owned());
    }
    if name.is_dir() {
        bail!(WrongUse(format!(
            "{} is a folder; name a notebook in it",
            name.display()
        )));
    }
    let is_bare = name.components().count() == 1;
    if is_bare && let Ok(folder) = folder() {
        let mut lesson = folder.join(name);
        if lesson.extension().is_none() {
            lesson.set_extension("ipynb");
        }
        if lesson.is_file() {
            return Ok(shown(&lesson));
        }
    }
    bail!(WrongUse(format!(
        "{}: there is no such file; check the name and the folder",
        name.display()
    )))
}

/// The path as the reader would write it: from the current folder where that is shorter.
fn shown(path: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned))
        .unwrap_or_else(|| path.to_owned())
}

/// The folder a notebook stands in; its cells run there.
pub(crate) fn folder_of(notebook: &Path) -> PathBuf {
    match notebook.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The name of the notebook's file, for a copy of it elsewhere.
pub(crate) fn file_name(notebook: &Path) -> PathBuf {
    notebook
        .file_name()
        .map_or_else(|| notebook.to_owned(), PathBuf::from)
}

/// Refuses notebooks whose copies in one folder would overwrite each other.
pub(crate) fn refuse_same_names(notebooks: &[PathBuf]) -> Result<()> {
    for (index, notebook) in notebooks.iter().enumerate() {
        let stem = notebook.file_stem();
        if let Some(other) = notebooks[..index]
            .iter()
            .find(|other| other.file_stem() == stem)
        {
            bail!(WrongUse(format!(
                "{} and {} would be written to the same file; name one of them at a time",
                other.display(),
                notebook.display()
            )));
        }
    }
    Ok(())
}
