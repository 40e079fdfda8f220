//! The private cache: folders only the user can enter, files written beside their place and renamed, contents verified.
//!
//! What is loaded into a process from here is code, so a file is used only if its hash is the one that was noted when it
//! was written, in a folder that nobody else can write to.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use crate::EngineError;

/// Makes `folder` and its parents, for the user alone, or checks that an existing one is.
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
    let found = fs::metadata(folder).map_err(|error| refuse(error.to_string()))?;
    // SAFETY: asks for a number.
    let user = unsafe { libc::geteuid() };
    if found.uid() != user {
        return Err(refuse(
            "it belongs to another user; set LOOPBOT_CACHE to a folder of yours".into(),
        ));
    }
    if found.mode() & 0o022 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
            .map_err(|error| refuse(error.to_string()))?;
    }
    Ok(())
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
    let mut hasher = blake3::Hasher::new();
    let mut file = fs::File::open(path)?;
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

    #[test]
    fn folders_are_for_the_user_alone() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/b");
        private_folder(&folder).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        private_folder(&folder).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o022, 0);
    }

    #[test]
    fn the_parts_of_a_hash_do_not_run_together() {
        assert_ne!(
            short_hash([b"ab".as_slice(), b"c"]),
            short_hash([b"a".as_slice(), b"bc"])
        );
    }
}
