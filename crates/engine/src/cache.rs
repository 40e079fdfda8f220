//! The private cache: folders only the user can enter, files written beside their place and renamed, contents verified.
//!
//! What is loaded into a process from here is code, so a file is used only if its hash is the one that was noted when it
//! was written, in a folder that nobody else can write to. A folder that others could write to is refused, not mended:
//! what already lies in it may be theirs.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::EngineError;

/// Permission bits with which others could write.
const OTHERS_WRITE: u32 = 0o022;
/// The bit of folders such as `/tmp`, in which nobody can move or remove what belongs to another.
const STICKY: u32 = 0o1000;

/// Whose files are good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The user's own.
    Own,
    /// Those of the user, of the administrator, or of whoever installed the program that runs.
    Shared,
}

impl Trust {
    /// Why a file or folder is not good enough, and what mends it.
    fn objection(self, path: &Path, facts: &Metadata) -> Option<String> {
        let user = rustix::process::geteuid().as_raw();
        let path = path.display();
        let trusted = match self {
            Trust::Own => facts.uid() == user,
            Trust::Shared => {
                [0, user].contains(&facts.uid()) || program_owner() == Some(facts.uid())
            }
        };
        if !trusted {
            return Some(match self {
                Trust::Own => format!(
                    "{path} belongs to another user; set LOOPBOT_CACHE to a folder of yours"
                ),
                Trust::Shared => format!(
                    "{path} belongs neither to you, nor to the administrator, nor to whoever installed LoopBot"
                ),
            });
        }
        // What is in a sticky folder can be changed by nobody but its owner.
        let sticky = facts.is_dir() && facts.mode() & STICKY != 0 && self == Trust::Shared;
        (facts.mode() & OTHERS_WRITE != 0 && !sticky).then(|| {
            format!("others can write to {path}; make sure that what is in it is yours, then run: chmod go-w {path}")
        })
    }

    fn open(self, path: &Path) -> io::Result<File> {
        let file = File::open(path)?;
        match self.objection(path, &file.metadata()?) {
            Some(objection) => Err(io::Error::other(objection)),
            None => Ok(file),
        }
    }

    /// The content of a file that is good enough.
    pub(crate) fn read(self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(path)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The hash of a file that is good enough.
    pub(crate) fn hash(self, path: &Path) -> io::Result<String> {
        hash(self.open(path)?)
    }
}

/// The owner of the program that runs.
fn program_owner() -> Option<u32> {
    let program = std::env::current_exe().ok()?;
    Some(fs::metadata(program).ok()?.uid())
}

/// Makes `folder` and its parents, for the user alone, or checks that nobody else can write to an existing one.
pub(crate) fn private_folder(folder: &Path) -> Result<(), EngineError> {
    let refuse = |reason: String| EngineError::Cache {
        path: folder.to_owned(),
        reason,
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| refuse(error.to_string()))?;
    check(folder, Trust::Own)
}

/// Checks the owner and the mode of a folder.
pub(crate) fn check(folder: &Path, trust: Trust) -> Result<(), EngineError> {
    let refuse = |reason: String| EngineError::Cache {
        path: folder.to_owned(),
        reason,
    };
    let found = fs::metadata(folder).map_err(|error| refuse(error.to_string()))?;
    match trust.objection(folder, &found) {
        Some(objection) => Err(refuse(objection)),
        None => Ok(()),
    }
}

/// Checks that only the user, the administrator and whoever installed LoopBot can write to `folder` or put another in
/// its place; its path without links.
pub(crate) fn shared_folder(folder: &Path) -> Result<PathBuf, String> {
    let whole = folder
        .canonicalize()
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    if !whole.is_dir() {
        return Err(format!("{} is not a folder", whole.display()));
    }
    for (height, above) in whole.ancestors().enumerate() {
        let facts = fs::metadata(above).map_err(|error| format!("{}: {error}", above.display()))?;
        let objection = Trust::Shared.objection(above, &facts);
        // Anyone may add to a sticky folder, so it does as a place above, not as the cache itself.
        let open = height == 0 && facts.mode() & OTHERS_WRITE != 0;
        if let Some(objection) =
            objection.or_else(|| open.then(|| format!("others can write to {}", above.display())))
        {
            return Err(objection);
        }
    }
    Ok(whole)
}

/// Whether `place` is in the trusted folder `root`, is there, and no folder between them is anybody else's.
pub(crate) fn shared_below(root: &Path, place: &Path) -> bool {
    place.starts_with(root)
        && place
            .ancestors()
            .take_while(|above| *above != root)
            .all(|above| {
                fs::symlink_metadata(above).is_ok_and(|facts| {
                    !facts.is_symlink() && Trust::Shared.objection(above, &facts).is_none()
                })
            })
}

/// Takes from others the right to write to a file.
pub(crate) fn only_owner_writes(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

/// Writes `bytes` to `path` as a whole or not at all.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The hash of a file's content, in hexadecimal.
pub(crate) fn hash_file(path: &Path) -> io::Result<String> {
    hash(File::open(path)?)
}

fn hash(mut file: File) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().to_hex().to_string()),
            read => hasher.update(&buffer[..read]),
        };
    }
}

/// A short name for a list of texts: equal lists, equal names.
pub(crate) fn short_hash<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn folders_are_for_the_user_alone() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/b");
        private_folder(&folder).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_refused_with_the_command_that_mends_it() {
        let root = tempfile::tempdir().unwrap();
        for mode in [0o777, 0o770, 0o702] {
            set_mode(root.path(), mode);
            let refused = private_folder(root.path()).unwrap_err().to_string();
            assert!(refused.contains("chmod go-w /"), "{refused}");
            let refused = shared_folder(root.path()).unwrap_err();
            assert!(refused.contains("chmod go-w /"), "{refused}");
        }
        set_mode(root.path(), 0o755);
        private_folder(root.path()).unwrap();
        shared_folder(root.path()).unwrap();
    }

    #[test]
    fn a_shared_folder_stands_in_folders_that_others_cannot_write_to() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("cache");
        private_folder(&folder).unwrap();
        shared_folder(&folder).unwrap();
        set_mode(root.path(), 0o777);
        assert!(shared_folder(&folder).is_err());
        // As in /tmp: others can add, but not touch what is there.
        set_mode(root.path(), 0o1777);
        shared_folder(&folder).unwrap();
        assert!(shared_folder(root.path()).is_err());
        assert!(shared_folder(&root.path().join("missing")).is_err());
    }

    #[test]
    fn files_of_others_are_not_read() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "text").unwrap();
        set_mode(&file, 0o600);
        assert_eq!(Trust::Own.read(&file).unwrap(), b"text");
        set_mode(&file, 0o666);
        assert!(Trust::Own.read(&file).is_err());
        assert!(Trust::Shared.hash(&file).is_err());
    }

    /// Only an administrator can give a folder away.
    #[test]
    fn folders_of_another_user_are_refused() {
        let root = tempfile::tempdir().unwrap();
        if std::os::unix::fs::chown(root.path(), Some(12345), None).is_err() {
            return;
        }
        let refused = private_folder(root.path()).unwrap_err().to_string();
        assert!(refused.contains("LOOPBOT_CACHE"), "{refused}");
        let refused = shared_folder(root.path()).unwrap_err();
        assert!(refused.contains("belongs neither to you"), "{refused}");
    }

    #[test]
    fn the_parts_of_a_hash_do_not_run_together() {
        assert_ne!(
            short_hash([b"ab".as_slice(), b"c"]),
            short_hash([b"a".as_slice(), b"bc"])
        );
    }
}
