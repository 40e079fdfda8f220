//! How much room the compiled cells of all sets take, and making some.
//!
//! What was used longest ago goes first, and never what a session that lives has named in its mark. A mark whose lock
//! can be had belongs to a session that is gone.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{Guard, open_lock, record_file};
use crate::compile::library_file;

/// Most room that compiled cells take, unless somebody asks for another limit: 1 GiB.
pub(crate) const DEFAULT_LIMIT: u64 = 1 << 30;

/// The folder of the sessions' marks.
pub(super) const SESSIONS: &str = "sessions";
/// The file that kernels lock.
pub(super) const LOCK: &str = "lock";
/// How the name of a note on what a cell reads ends.
pub(super) const READS: &str = ".reads";
/// How the name of a folder in which rustc works begins.
pub(super) const STAGING: &str = "compiling-";

/// A rest of a killed kernel is one for sure when it is this old.
const REST: Duration = Duration::from_secs(60 * 60);

/// How many cells there are and what they take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) cells: usize,
    pub(crate) bytes: u64,
}

/// A cell that could go.
#[derive(Debug)]
struct Candidate {
    cells: PathBuf,
    name: String,
    bytes: u64,
    used: SystemTime,
}

/// What the compiled cells under `root` take.
pub(crate) fn measure(root: &Path) -> Room {
    let found = candidates(root);
    Room {
        cells: found.len(),
        bytes: found.iter().map(|cell| cell.bytes).sum(),
    }
}

/// Removes the rests of killed kernels, then what was used longest ago until the cells under `root` take at most `limit`
/// bytes, or only those that are needed are left; says what went of these.
pub(crate) fn shrink(root: &Path, limit: u64) -> Room {
    for cells in folders(root) {
        sweep(&cells);
    }
    let mut found = candidates(root);
    let mut bytes: u64 = found.iter().map(|cell| cell.bytes).sum();
    if bytes <= limit {
        return Room::default();
    }
    found.sort_by_key(|cell| cell.used);
    // A little more than asked for, so that the next new cell does not ask again.
    let enough = limit - limit / 10;
    let victims: Vec<Candidate> = found
        .into_iter()
        .take_while(|cell| {
            let over = bytes > enough;
            bytes -= cell.bytes.min(bytes);
            over
        })
        .collect();
    remove(victims)
}

/// Removes every cell under `root` that no session needs; says what went. Also the rests of killed kernels, and the notes
/// on what cells read, which the next compilation writes again.
pub(crate) fn clear(root: &Path) -> Room {
    for cells in folders(root) {
        sweep(&cells);
        for entry in fs::read_dir(&cells).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().ends_with(READS) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
    remove(candidates(root))
}

/// The folders of compiled cells: one for each set of each toolchain.
fn folders(root: &Path) -> Vec<PathBuf> {
    let inside = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten();
    inside(root.to_owned())
        .flat_map(|toolchain| inside(toolchain.path().join("sets")))
        .map(|set| set.path().join("cells"))
        .filter(|cells| cells.is_dir())
        .collect()
}

fn candidates(root: &Path) -> Vec<Candidate> {
    let mut found = Vec::new();
    for cells in folders(root) {
        for entry in fs::read_dir(&cells).into_iter().flatten().flatten() {
            let file = entry.file_name();
            let Some(name) = file.to_str().and_then(|file| file.strip_suffix(".json")) else {
                continue;
            };
            let Ok(record) = entry.metadata() else {
                continue;
            };
            let library = fs::metadata(cells.join(library_file(name)));
            found.push(Candidate {
                name: name.to_owned(),
                bytes: record.len() + library.map_or(0, |library| library.len()),
                used: record.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                cells: cells.clone(),
            });
        }
    }
    found
}

/// Removes cells that no session needs and that were not used since they were looked at.
fn remove(victims: Vec<Candidate>) -> Room {
    let mut gone = Room::default();
    let mut by_folder: Vec<(PathBuf, Vec<Candidate>)> = Vec::new();
    for victim in victims {
        match by_folder
            .iter_mut()
            .find(|(cells, _)| *cells == victim.cells)
        {
            Some((_, some)) => some.push(victim),
            None => by_folder.push((victim.cells.clone(), vec![victim])),
        }
    }
    for (cells, victims) in by_folder {
        let Ok(lock) = open_lock(&cells) else {
            continue;
        };
        // A few at a time: a cell that runs meanwhile waits for this lock.
        for some in victims.chunks(64) {
            let _guard = Guard::exclusive(&lock);
            let needed = needed(&cells);
            for victim in some {
                let record = cells.join(record_file(&victim.name));
                let used = fs::metadata(&record).and_then(|record| record.modified());
                if needed.contains(&victim.name) || used.is_ok_and(|used| used > victim.used) {
                    continue;
                }
                // The record first: a library without one does not count.
                if fs::remove_file(&record).is_ok() {
                    let _ = fs::remove_file(cells.join(library_file(&victim.name)));
                    gone.cells += 1;
                    gone.bytes += victim.bytes;
                }
            }
        }
    }
    gone
}

/// What living sessions need. The lock must be held.
fn needed(cells: &Path) -> HashSet<String> {
    let marks = living(cells).into_iter();
    let names = marks.map(|mark| fs::read_to_string(mark).unwrap_or_default());
    names
        .flat_map(|names| names.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// The marks of living sessions. Those of sessions that are gone are removed. The lock must be held.
pub(super) fn living(cells: &Path) -> Vec<PathBuf> {
    let mut living = Vec::new();
    for entry in fs::read_dir(cells.join(SESSIONS))
        .into_iter()
        .flatten()
        .flatten()
    {
        let path = entry.path();
        let Ok(mark) = File::open(&path) else {
            continue;
        };
        if mark.try_lock().is_ok() {
            let _ = fs::remove_file(&path);
        } else {
            living.push(path);
        }
    }
    living
}

/// Removes what a killed kernel left: libraries without a record, folders in which rustc worked, half-written files, its
/// mark.
fn sweep(cells: &Path) {
    let Ok(lock) = open_lock(cells) else {
        return;
    };
    let _guard = Guard::exclusive(&lock);
    living(cells);
    for entry in fs::read_dir(cells).into_iter().flatten().flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        let old = entry
            .metadata()
            .and_then(|facts| facts.modified())
            .is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > REST));
        let prefix = library_file("");
        let (start, end) = prefix.split_once('.').unwrap_or((&prefix, ""));
        let orphan = file
            .strip_prefix(start)
            .and_then(|name| name.strip_suffix(&format!(".{end}")))
            .is_some_and(|name| !cells.join(record_file(name)).exists());
        if orphan {
            let _ = fs::remove_file(path);
        } else if old && file.starts_with(STAGING) {
            let _ = fs::remove_dir_all(path);
        } else if old && file.starts_with(".tmp") {
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A cache with these cells in one set, a thousand bytes and a little each, the first used longest ago.
    fn cache(names: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let cells = root.path().join("toolchain/sets/set/cells");
        fs::create_dir_all(cells.join(SESSIONS)).unwrap();
        for (age, name) in names.iter().rev().enumerate() {
            fs::write(cells.join(library_file(name)), [0; 1000]).unwrap();
            let record = File::create(cells.join(record_file(name))).unwrap();
            let minutes = Duration::from_secs(60 * (age as u64 + 1));
            record.set_modified(SystemTime::now() - minutes).unwrap();
        }
        (root, cells)
    }

    fn left(cells: &Path) -> Vec<String> {
        let mut left: Vec<String> = fs::read_dir(cells)
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
            .filter(|name| name.starts_with("lib") || name.ends_with(".json"))
            .collect();
        left.sort();
        left
    }

    fn files(names: &[&str]) -> Vec<String> {
        let mut files: Vec<String> = names
            .iter()
            .flat_map(|name| [library_file(name), record_file(name)])
            .collect();
        files.sort();
        files
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let (root, cells) = cache(&["cell_a", "cell_b", "cell_c", "cell_d"]);
        assert_eq!(shrink(root.path(), 4000), Room::default());
        assert_eq!(
            shrink(root.path(), 2500),
            Room {
                cells: 2,
                bytes: 2000
            }
        );
        assert_eq!(left(&cells), files(&["cell_c", "cell_d"]));
    }

    #[test]
    fn what_a_living_session_names_stays_and_marks_of_the_dead_go() {
        let (root, cells) = cache(&["cell_a", "cell_b", "cell_c"]);
        let (living, dead) = (cells.join("sessions/living"), cells.join("sessions/dead"));
        fs::write(&living, "cell_a\n").unwrap();
        fs::write(&dead, "cell_b\n").unwrap();
        let held = File::open(&living).unwrap();
        held.lock().unwrap();
        assert_eq!(shrink(root.path(), 0).cells, 2);
        assert_eq!(left(&cells), files(&["cell_a"]));
        assert_eq!((living.exists(), dead.exists()), (true, false));
        drop(held);
        assert_eq!(clear(root.path()).cells, 1);
    }

    #[test]
    fn clearing_sweeps_up_what_killed_kernels_left() {
        let (root, cells) = cache(&["cell_a"]);
        fs::write(cells.join(library_file("cell_b")), "half").unwrap();
        fs::write(cells.join("cell_c.reads"), "{}").unwrap();
        let (old, new) = (cells.join("compiling-old"), cells.join("compiling-new"));
        fs::create_dir(&old).unwrap();
        fs::create_dir(&new).unwrap();
        let long_ago = SystemTime::now() - 2 * REST;
        File::open(&old).unwrap().set_modified(long_ago).unwrap();
        assert_eq!(clear(root.path()).cells, 1);
        assert!(left(&cells).is_empty());
        assert_eq!((old.exists(), new.exists()), (false, true));
    }
}
