//! The kernelspec: the small folder by which Jupyter finds this kernel. Written, recognised and removed here.
//!
//! A folder that is not ours is never touched without `force`. Ours is known by `metadata.loopbot` in its `kernel.json`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};

/// What JupyterLab's launcher shows.
const LOGO: &str = include_str!("logo.svg");

/// The content of `kernel.json`. <https://jupyter-client.readthedocs.io/en/latest/kernels.html#kernel-specs>
///
/// ```
/// use loopbot_kernel::spec::Kernelspec;
/// let spec = Kernelspec::new("/usr/bin/loopbot");
/// assert_eq!(spec.argv, ["/usr/bin/loopbot", "kernel", "run", "{connection_file}"]);
/// assert!(spec.to_json().contains("\"language\": \"rust\""));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Kernelspec {
    pub argv: Vec<String>,
    pub display_name: String,
    pub language: String,
    pub interrupt_mode: String,
    pub kernel_protocol_version: String,
    /// Environment variables of the kernel.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    pub metadata: Value,
}

/// Why a kernelspec was not written or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    #[error("`{0}` is no kernel name; use letters, digits, `-`, `_` and `.`")]
    Name(String),
    #[error("the path of the program is not valid Unicode, which kernel.json needs: {}", .0.display())]
    Program(PathBuf),
    #[error(
        "{} holds a kernel that is not LoopBot's; it stays as it is. Use another name, or --force to replace it",
        .0.display()
    )]
    Foreign(PathBuf),
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl Kernelspec {
    /// A kernelspec that starts the program `exe` (its full path).
    pub fn new(exe: &str) -> Kernelspec {
        let argv = [exe, "kernel", "run", "{connection_file}"].map(str::to_owned);
        Kernelspec {
            argv: argv.into(),
            display_name: "Rust (LoopBot)".to_owned(),
            language: "rust".to_owned(),
            interrupt_mode: "message".to_owned(),
            kernel_protocol_version: crate::wire::PROTOCOL.to_owned(),
            env: BTreeMap::new(),
            metadata: json!({
                "debugger": false,
                "loopbot": {"version": env!("CARGO_PKG_VERSION")},
            }),
        }
    }

    /// The text of `kernel.json`, with a newline at its end.
    pub fn to_json(&self) -> String {
        // Strings and objects with string keys only: it cannot fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// Writes the kernelspec `name` into `dir`, a folder of kernelspecs such as `~/.local/share/jupyter/kernels`, and
/// returns its own folder. It replaces an older one of ours; anything else only with `force`. The new folder is written
/// beside its place and renamed, so Jupyter never sees half of it.
///
/// # Errors
/// [`SpecError::Foreign`] when the name is taken, [`SpecError::Name`] for a name that Jupyter would not accept.
///
/// ```no_run
/// use std::path::Path;
/// let exe = std::env::current_exe()?;
/// loopbot_kernel::spec::install(Path::new("/home/me/.local/share/jupyter/kernels"), "rust", &exe, false)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn install(dir: &Path, name: &str, exe: &Path, force: bool) -> Result<PathBuf, SpecError> {
    install_with(dir, name, exe, BTreeMap::new(), force)
}

/// Like [`install`], for a kernel that Jupyter starts with these environment variables.
///
/// # Errors
/// Those of [`install`].
pub fn install_with(
    dir: &Path,
    name: &str,
    exe: &Path,
    env: BTreeMap<String, String>,
    force: bool,
) -> Result<PathBuf, SpecError> {
    let place = place(dir, name)?;
    let exe = std::path::absolute(exe).map_err(at(exe))?;
    let exe = exe
        .to_str()
        .ok_or_else(|| SpecError::Program(exe.clone()))?;
    if !force && is_occupied(&place)? && !is_ours(&place) {
        return Err(SpecError::Foreign(place));
    }
    std::fs::create_dir_all(dir).map_err(at(dir))?;
    let beside = tempfile::Builder::new()
        .prefix(&format!(".{name}-"))
        .permissions(readable_by_all())
        .tempdir_in(dir)
        .map_err(at(dir))?;
    let file = beside.path().join("kernel.json");
    let spec = Kernelspec {
        env,
        ..Kernelspec::new(exe)
    };
    std::fs::write(&file, spec.to_json()).map_err(at(&file))?;
    let logo = beside.path().join("logo-svg.svg");
    std::fs::write(&logo, LOGO).map_err(at(&logo))?;
    replace(beside, &place)?;
    Ok(place)
}

/// Whether `spec_dir`, the folder of one kernelspec, was written by [`install`]. A folder that cannot be read is not.
pub fn is_ours(spec_dir: &Path) -> bool {
    std::fs::read(spec_dir.join("kernel.json"))
        .ok()
        .and_then(|text| serde_json::from_slice::<Value>(&text).ok())
        .is_some_and(|spec| spec["metadata"]["loopbot"].is_object())
}

/// Removes the kernelspec `name` from `dir`. `false` when there is none.
///
/// # Errors
/// [`SpecError::Foreign`] when it is not ours.
pub fn uninstall(dir: &Path, name: &str) -> Result<bool, SpecError> {
    let place = place(dir, name)?;
    if !is_occupied(&place)? {
        return Ok(false);
    }
    if !is_ours(&place) {
        return Err(SpecError::Foreign(place));
    }
    remove(&place)?;
    Ok(true)
}

/// The names that Jupyter accepts; a path is not among them.
fn place(dir: &Path, name: &str) -> Result<PathBuf, SpecError> {
    let accepted = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let only_dots = name.chars().all(|c| c == '.');
    if only_dots || !name.chars().all(accepted) {
        return Err(SpecError::Name(name.to_owned()));
    }
    Ok(dir.join(name))
}

/// An empty folder is nobody's. A symbolic link is somebody's, wherever it leads.
fn is_occupied(place: &Path) -> Result<bool, SpecError> {
    match place.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(at(place)(error)),
        Ok(found) if !found.is_dir() => Ok(true),
        Ok(_) => Ok(std::fs::read_dir(place)
            .map_err(at(place))?
            .next()
            .is_some()),
    }
}

/// Puts `beside` in the place of `place`. A folder cannot be renamed over a full one, so the old one steps aside first
/// and comes back if the second rename fails.
fn replace(beside: tempfile::TempDir, place: &Path) -> Result<(), SpecError> {
    let old = match place.symlink_metadata() {
        Err(_) => None,
        Ok(_) => {
            let mut old = beside.path().as_os_str().to_owned();
            old.push(".old");
            let old = PathBuf::from(old);
            std::fs::rename(place, &old).map_err(at(place))?;
            Some(old)
        }
    };
    match std::fs::rename(beside.path(), place) {
        Ok(()) => {
            // Its folder has moved; there is nothing left to clean up.
            let _ = beside.keep();
            old.map_or(Ok(()), |old| remove(&old))
        }
        Err(error) => {
            if let Some(old) = old {
                std::fs::rename(&old, place).map_err(at(place))?;
            }
            Err(at(place)(error))
        }
    }
}

/// Removes a folder, or the link that stands for one.
fn remove(path: &Path) -> Result<(), SpecError> {
    let is_link = path.symlink_metadata().is_ok_and(|found| !found.is_dir());
    let removed = match is_link {
        true => std::fs::remove_file(path),
        false => std::fs::remove_dir_all(path),
    };
    removed.map_err(at(path))
}

/// A private folder would hide a kernel installed for everybody.
fn readable_by_all() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    std::fs::Permissions::from_mode(0o755)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> SpecError {
    let path = path.to_owned();
    move |source| SpecError::Io { path, source }
}
