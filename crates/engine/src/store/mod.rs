//! The compiled cells of one set of libraries: looked up, verified, put, kept from eviction while a session needs them.
//!
//! An entry is a library, `libcell_HASH.so`, and its record, `cell_HASH.json`, which holds the library's hash and what
//! the compiler found out. Only both together count, and only if the hash is right; whatever else lies there is the
//! rest of a kernel that was killed, and the next one that compiles the cell puts its own in that place.
//!
//! Many kernels share a store. A lock on the file `lock` orders them: shared while one looks, exclusive for the moment
//! in which one puts or evicts. A complete entry is never written again, so what one kernel has verified does not change
//! under it. The system gives the lock back when a kernel is killed.
//!
//! This file knows no rustc and no cell: what it keeps beside a library is the business of whoever keeps it.

mod inputs;
mod mentions;
mod retire;
mod room;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub(crate) use inputs::{Inputs, Reads};
pub(crate) use mentions::{DOOR, LINK, advice, doors, learners_file, module_files, sure_reads};
pub(crate) use room::{DEFAULT_LIMIT, Room, clear, measure, shrink};

use crate::cache::{self, Trust};
use crate::compile::library_file;
use crate::{Config, EngineError};

/// A record is marked as used at most this often: a run of a whole lesson then costs no writes.
const MARK_EVERY: Duration = Duration::from_secs(60);

/// The compiled cells of one set, for one session.
#[derive(Debug)]
pub(crate) struct Store {
    /// The root of the cache, all sets.
    root: PathBuf,
    /// The folder that is written to.
    own: PathBuf,
    /// A folder that is only read.
    shared: Option<PathBuf>,
    working_dir: PathBuf,
    held: Mutex<Held>,
    limit: AtomicU64,
    shrunk: AtomicBool,
    hits: AtomicUsize,
    misses: AtomicUsize,
}

/// What a session has open in the store.
#[derive(Debug)]
struct Held {
    lock: File,
    /// Names the entries that this session needs; locked as long as the session lives.
    mark: tempfile::NamedTempFile,
    /// The same names, and where the entries are, once they were verified.
    noted: HashMap<String, Option<PathBuf>>,
}

/// A cell's name in this working directory at this moment.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    /// Of its text and all else that is known without compiling it.
    base: String,
    /// Of its inputs, too; the name of its crate.
    pub(crate) full: String,
    reads: Reads,
    now: Inputs,
}

impl Name {
    /// Whether the cell depends on more than its text.
    pub(crate) fn has_inputs(&self) -> bool {
        !self.reads.is_empty()
    }
}

/// What is kept of a cell beside its library.
#[derive(Debug, Serialize, Deserialize)]
struct Record<T> {
    /// Nothing for a cell that has no library, because it does not compile.
    library_hash: Option<String>,
    #[serde(default, skip_serializing_if = "Inputs::is_empty")]
    inputs: Inputs,
    notes: T,
}

/// An entry that is whole and unchanged.
#[derive(Debug)]
pub(crate) struct Entry<T> {
    pub(crate) library: PathBuf,
    pub(crate) notes: T,
}

/// What there is to tell about a store.
#[derive(Debug)]
pub(crate) struct Summary {
    /// The root of the cache, which holds all sets.
    pub(crate) root: PathBuf,
    pub(crate) shared: Option<PathBuf>,
    /// What the cells of all sets take.
    pub(crate) room: Room,
    /// In bytes.
    pub(crate) limit: u64,
    /// Lookups of this session that found something, and cells that it compiled.
    pub(crate) hits: usize,
    pub(crate) misses: usize,
}

/// Whether the cell can be put under the name it was compiled as.
#[derive(Debug)]
pub(crate) enum Known {
    Yes(Inputs),
    /// It reads more than was known, or what it reads has changed meanwhile: ask for its name, and compile it, again.
    Again,
}

impl Store {
    /// Opens the store in `own`, a folder of the cache that is made if need be, and its counterpart in the shared cache,
    /// if there is one.
    pub(crate) fn open(config: &Config, own: PathBuf) -> Result<Store, EngineError> {
        let trouble = |error: io::Error| EngineError::Cache {
            path: own.clone(),
            reason: error.to_string(),
        };
        let sessions = own.join(room::SESSIONS);
        let shared = Store::places(config, &own)?
            .into_iter()
            .find(|place| *place != own);
        cache::private_folder(&sessions)?;
        let lock = open_lock(&own).map_err(trouble)?;
        let guard = Guard::shared(&lock);
        let mark = tempfile::NamedTempFile::new_in(&sessions).map_err(trouble)?;
        // Nobody else knows the file yet. On a file system without locks nothing is evicted at all.
        let _ = mark.as_file().try_lock();
        drop(guard);
        Ok(Store {
            root: config.cache.clone(),
            own,
            shared,
            working_dir: config.working_dir.clone(),
            held: Mutex::new(Held {
                lock,
                mark,
                noted: HashMap::new(),
            }),
            limit: AtomicU64::new(DEFAULT_LIMIT),
            shrunk: AtomicBool::new(false),
            hits: AtomicUsize::new(0),
            misses: AtomicUsize::new(0),
        })
    }

    /// Where the compiler and the loader find the cells whose own folder is `own`; nothing in it is there yet.
    pub(crate) fn places(config: &Config, own: &Path) -> Result<Vec<PathBuf>, EngineError> {
        cache::private_folder(own)?;
        let shared = config.shared_cache.as_ref().and_then(|shared| {
            let place = shared.join(own.strip_prefix(&config.cache).ok()?);
            cache::shared_below(shared, &place).then_some(place)
        });
        Ok(shared.into_iter().chain([own.to_owned()]).collect())
    }

    /// Whether new cells go to the folder `own`.
    pub(crate) fn is_in(&self, own: &Path) -> bool {
        self.own == own
    }

    /// Folders in which the compiler and the loader find cells.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        let folders = self.shared.iter().chain([&self.own]);
        folders.cloned().collect()
    }

    pub(crate) fn working_dir(&self) -> &Path {
        &self.working_dir
    }

    /// Where the library of a cell of this session is.
    pub(crate) fn library(&self, name: &str) -> PathBuf {
        let noted = self.held().noted.get(name).cloned().flatten();
        noted.unwrap_or_else(|| self.own.join(library_file(name)))
    }

    /// A folder in which to compile; it goes away with its handle.
    pub(crate) fn staging(&self) -> Result<tempfile::TempDir, EngineError> {
        let staging = tempfile::Builder::new()
            .prefix(room::STAGING)
            .tempdir_in(self.own.canonicalize().as_ref().unwrap_or(&self.own));
        staging.map_err(|error| self.trouble(&error))
    }

    /// The name of the cell whose text and surroundings have the hash `base`, and whose text alone says that it
    /// reads `sure`.
    pub(crate) fn name(&self, base: &str, sure: Reads) -> Name {
        let mut reads = sure;
        let files = self
            .folders()
            .into_iter()
            .map(|folder| folder.join(reads_file(base)));
        for noted in files.filter_map(|file| fs::read(file).ok()) {
            if let Ok(more) = serde_json::from_slice(&noted) {
                reads.add(&more);
                break;
            }
        }
        let (mut full, mut now) = (base.to_owned(), Inputs::default());
        if !reads.is_empty() {
            now = reads.look(&self.working_dir);
            let hash = cache::short_hash([base.as_bytes(), now.text().as_bytes()]);
            full = format!("cell_{hash}");
        }
        Name {
            base: base.to_owned(),
            full,
            reads,
            now,
        }
    }

    /// Compares what the compiler read with what the name was made of.
    pub(crate) fn check(&self, name: &Name, read: &Reads) -> Result<Known, EngineError> {
        if !name.reads.contains(read) {
            let mut reads = name.reads.clone();
            reads.add(read);
            serde_json::to_vec(&reads)
                .map_err(io::Error::from)
                .and_then(|text| cache::write(&self.own.join(reads_file(&name.base)), &text))
                .map_err(|error| self.trouble(&error))?;
            return Ok(Known::Again);
        }
        if name.reads.look(&self.working_dir) != name.now {
            return Ok(Known::Again);
        }
        Ok(Known::Yes(name.now.clone().only(read)))
    }

    /// The entry of that name, if there is one and it is what was put. From now on it is not evicted.
    pub(crate) fn find<T: DeserializeOwned>(&self, name: &Name) -> Option<Entry<T>> {
        let mut held = self.held();
        held.note(&name.full);
        let guard = Guard::shared(&held.lock);
        let shared = self
            .shared
            .as_ref()
            .and_then(|shared| read(shared, &name.full, &name.now, Trust::Shared));
        let found = shared.or_else(|| {
            let own = read(&self.own, &name.full, &name.now, Trust::Own);
            own.inspect(|_| mark_used(&self.own, &name.full))
        });
        drop(guard);
        if let Some(found) = &found {
            held.verified(&name.full, &found.library);
            self.hits.fetch_add(1, Ordering::Relaxed);
        }
        found
    }

    /// Puts a cell: its library, which is moved, if it has one, and `notes`. If another kernel was first, what that one put is kept
    /// and returned.
    pub(crate) fn put<T: Serialize + DeserializeOwned>(
        self: &Arc<Self>,
        name: &Name,
        inputs: Inputs,
        library: Option<&Path>,
        notes: T,
    ) -> Result<Entry<T>, EngineError> {
        self.misses.fetch_add(1, Ordering::Relaxed);
        let put = || {
            let hash = |library| {
                cache::only_owner_writes(library)?;
                cache::hash_file(library)
            };
            let library_hash = library.map(hash).transpose()?;
            let record = Record {
                library_hash,
                inputs,
                notes,
            };
            let text = serde_json::to_vec(&record)?;
            let mut held = self.held();
            held.note(&name.full);
            let guard = Guard::exclusive(&held.lock);
            if let Some(first) = read(&self.own, &name.full, &name.now, Trust::Own) {
                drop(guard);
                held.verified(&name.full, &first.library);
                return Ok(first);
            }
            let place = self.own.join(library_file(&name.full));
            // Without its record a library does not count, so a kill between these two lines leaves no entry.
            if let Some(library) = library {
                fs::rename(library, &place)?;
            }
            cache::write(&self.own.join(record_file(&name.full)), &text)?;
            drop(guard);
            held.verified(&name.full, &place);
            Ok(Entry {
                library: place,
                notes: record.notes,
            })
        };
        let entry = put().map_err(|error| self.trouble(&error))?;
        self.shrink_once();
        Ok(entry)
    }

    pub(crate) fn summary(&self) -> Summary {
        Summary {
            root: self.root.clone(),
            shared: self.shared.clone(),
            room: measure(&self.root),
            limit: self.limit.load(Ordering::Relaxed),
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
        }
    }

    /// Removes every cell of every set that no session needs; says what went.
    pub(crate) fn clear(&self) -> Room {
        clear(&self.root)
    }

    /// Sets the limit, in bytes, that this session keeps, and makes room at once; says what went.
    pub(crate) fn limit_to(&self, limit: u64) -> Room {
        self.limit.store(limit, Ordering::Relaxed);
        shrink(&self.root, limit)
    }

    /// Makes room in the background, once for each session: only what is new can be too much.
    fn shrink_once(self: &Arc<Self>) {
        if !self.shrunk.swap(true, Ordering::Relaxed) {
            let (root, limit) = (self.root.clone(), self.limit.load(Ordering::Relaxed));
            let _ = std::thread::Builder::new()
                .name("cache room".into())
                .spawn(move || {
                    shrink(&root, limit);
                    retire::retire(&root);
                });
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn trouble(&self, error: &io::Error) -> EngineError {
        EngineError::Cache {
            path: self.own.clone(),
            reason: error.to_string(),
        }
    }
}

impl Held {
    /// Notes that the session needs an entry.
    fn note(&mut self, name: &str) {
        if !self.noted.contains_key(name) {
            let guard = Guard::shared(&self.lock);
            let _ = writeln!(self.mark, "{name}");
            drop(guard);
            self.noted.insert(name.to_owned(), None);
        }
    }

    fn verified(&mut self, name: &str, library: &Path) {
        self.noted.insert(name.to_owned(), Some(library.to_owned()));
    }
}

/// The store's lock, while it is held. Where the file system has no locks, work goes on without: entries are verified
/// whenever they are used.
struct Guard<'a>(&'a File);

impl<'a> Guard<'a> {
    fn shared(lock: &'a File) -> Guard<'a> {
        let _ = lock.lock_shared();
        Guard(lock)
    }

    fn exclusive(lock: &'a File) -> Guard<'a> {
        let _ = lock.lock();
        Guard(lock)
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

fn open_lock(cells: &Path) -> io::Result<File> {
    File::options()
        .create(true)
        .append(true)
        .open(cells.join(room::LOCK))
}

fn record_file(name: &str) -> String {
    format!("{name}.json")
}

fn reads_file(base: &str) -> String {
    format!("{base}{}", room::READS)
}

/// The entry `name` of the folder `cells`, if it is whole and unchanged and nobody else could have made it.
fn read<T: DeserializeOwned>(
    cells: &Path,
    name: &str,
    now: &Inputs,
    trust: Trust,
) -> Option<Entry<T>> {
    let record: Record<T> =
        serde_json::from_slice(&trust.read(&cells.join(record_file(name))).ok()?).ok()?;
    let library = cells.join(library_file(name));
    let unchanged = match &record.library_hash {
        Some(hash) => trust.hash(&library).ok()? == *hash,
        None => true,
    };
    (unchanged && now.agree_with(&record.inputs)).then_some(Entry {
        library,
        notes: record.notes,
    })
}

/// The time of the last use is the time of the record's last change.
fn mark_used(cells: &Path, name: &str) {
    let Ok(record) = File::options()
        .append(true)
        .open(cells.join(record_file(name)))
    else {
        return;
    };
    let age = record
        .metadata()
        .and_then(|facts| facts.modified())
        .map(|modified| modified.elapsed().unwrap_or_default());
    if age.is_ok_and(|age| age > MARK_EVERY) {
        let _ = record.set_modified(SystemTime::now());
    }
}
