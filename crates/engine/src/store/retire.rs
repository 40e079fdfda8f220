//! Libraries that nobody has used for long: sets first, then what all sets of a toolchain share.
//!
//! A new version of Rust or of LoopBot builds libraries of its own, and the old ones, some hundred megabytes, would stay
//! for ever. Every session leaves the date in the set's folder of marks, every build in the lock of builds.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::room::{LOCK, SESSIONS, living};
use super::{Guard, open_lock};

/// What was not used for this long goes: 30 days.
const LONG: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What builds of a toolchain's sets lock.
const BUILD_LOCK: &str = "build.lock";

/// Removes the libraries under `root` that nobody has used for long.
pub(super) fn retire(root: &Path) {
    for toolchain in folders(root) {
        let sets = toolchain.join("sets");
        for set in folders(&sets) {
            retire_set(&set);
        }
        // The name is a hash: nothing else that somebody may have put into the cache is taken for a toolchain's folder.
        let name = toolchain.file_name().unwrap_or_default().to_string_lossy();
        let ours = name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        let empty = fs::read_dir(&sets).is_ok_and(|mut inside| inside.next().is_none());
        if ours && empty && is_old(&[toolchain.join(BUILD_LOCK)]) {
            remove(&toolchain);
        }
    }
}

fn retire_set(set: &Path) {
    let cells = set.join("cells");
    let dates = [set.join("set.json"), cells.join(SESSIONS), cells.join(LOCK)];
    if !is_old(&dates) {
        return;
    }
    let lock = open_lock(&cells).ok();
    let _guard = lock.as_ref().map(Guard::exclusive);
    // Somebody may have left a notebook open all that time.
    if living(&cells).is_empty() {
        remove(set);
    }
}

/// Whether at least one of the files is there, and none was touched lately.
fn is_old(files: &[PathBuf]) -> bool {
    let dates: Vec<SystemTime> = files
        .iter()
        .filter_map(|file| fs::metadata(file).and_then(|facts| facts.modified()).ok())
        .collect();
    let old = |date: &SystemTime| date.elapsed().is_ok_and(|age| age > LONG);
    !dates.is_empty() && dates.iter().all(old)
}

/// Removes a folder. It is renamed first: nobody who comes meanwhile sees half of it.
fn remove(folder: &Path) {
    let aside = folder.with_extension("removed");
    if fs::rename(folder, &aside).is_ok() {
        let _ = fs::remove_dir_all(aside);
    }
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs::File;

    use super::*;

    const TOOLCHAIN: &str = "0123456789abcdef";

    fn date(file: &Path, days: u64) {
        let date = SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60);
        File::open(file).unwrap().set_modified(date).unwrap();
    }

    /// A set that was last used this many days ago.
    fn set(root: &Path, name: &str, days: u64) -> PathBuf {
        let set = root.join(TOOLCHAIN).join("sets").join(name);
        fs::create_dir_all(set.join("cells").join(SESSIONS)).unwrap();
        for file in ["set.json", "cells/lock"] {
            fs::write(set.join(file), "").unwrap();
            date(&set.join(file), 100);
        }
        date(&set.join("cells").join(SESSIONS), days);
        let lock = root.join(TOOLCHAIN).join(BUILD_LOCK);
        fs::write(&lock, "").unwrap();
        date(&lock, 100);
        set
    }

    #[test]
    fn sets_go_when_nobody_used_them_for_a_month() {
        let root = tempfile::tempdir().unwrap();
        let (old, new) = (set(root.path(), "old", 40), set(root.path(), "new", 20));
        let open = set(root.path(), "open", 40);
        let mark = open.join("cells/sessions/mark");
        fs::write(&mark, "").unwrap();
        date(&open.join("cells/sessions"), 40);
        let held = File::open(&mark).unwrap();
        held.lock().unwrap();
        retire(root.path());
        assert_eq!(
            (old.exists(), new.exists(), open.exists()),
            (false, true, true)
        );
    }

    #[test]
    fn a_toolchain_goes_with_its_last_set_and_nothing_else_does() {
        let root = tempfile::tempdir().unwrap();
        set(root.path(), "old", 40);
        let other = root.path().join("mine");
        fs::create_dir_all(other.join("sets")).unwrap();
        fs::write(other.join(BUILD_LOCK), "").unwrap();
        date(&other.join(BUILD_LOCK), 100);
        retire(root.path());
        assert!(!root.path().join(TOOLCHAIN).exists());
        assert!(other.exists());
        assert_eq!(folders(root.path()), [other]);
    }
}
