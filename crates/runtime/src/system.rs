//! What this crate asks of the operating system: processes, descriptors, loading code.
//!
//! Besides the typed slots of [`crate::variables`], all unsafe code of the crate stands here, each piece with the reason
//! why it is sound. Nothing here knows cells or the engine.

use std::ffi::{CString, OsStr, c_void};
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::wire::Death;

/// What [`fork`] returns, twice.
pub(crate) enum Forked {
    /// In the process that called it.
    Original,
    /// In the new process.
    Copy,
}

/// Makes a copy of this process. Only the calling thread exists in the copy.
///
/// # Safety
/// Locks that other threads hold at this moment stay locked in the copy for ever. The caller must hold every lock that
/// the copy is going to need. (The allocator's and the loader's are seen to by the C library.)
pub(crate) unsafe fn fork() -> io::Result<Forked> {
    // SAFETY: by the caller's promise; the call itself takes and touches nothing.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::Copy),
        _ => Ok(Forked::Original),
    }
}

/// Waits a moment, five milliseconds at most, until the other threads of this process rest in the kernel. A thread that
/// rests holds none of the short locks inside libraries (a mutex's queue, an allocator's bin), which nobody can ask for.
/// Where the system does not tell (macOS), and for threads that never rest, this promises nothing.
pub(crate) fn let_others_rest() {
    for _ in 0..50 {
        if others_rest() {
            return;
        }
        std::thread::sleep(Duration::from_micros(100));
    }
}

fn others_rest() -> bool {
    let tasks = std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let own = std::process::id().to_string();
    tasks
        .filter(|task| task.file_name().to_str() != Some(own.as_str()))
        .filter_map(|task| std::fs::read_to_string(task.path().join("stat")).ok())
        // The state stands behind the name, which may itself hold a parenthesis.
        .all(|stat| {
            !stat
                .rsplit(") ")
                .next()
                .unwrap_or_default()
                .starts_with('R')
        })
}

/// Makes processes whose parent ends children of this one, so that it hears of their end. Only Linux can.
pub(crate) fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    // SAFETY: sets a flag of this process.
    unsafe {
        libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1)
    };
}

/// Waits until a child of this process ends, and ends what it started, if it led a group; an error when there is no
/// child.
pub(crate) fn wait_for_any() -> io::Result<(u32, Death)> {
    // SAFETY: all bytes zero are a valid `siginfo_t`.
    let mut ended: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let flags = libc::WEXITED | libc::WNOWAIT;
    // SAFETY: writes into a live `siginfo_t`.
    while unsafe { libc::waitid(libc::P_ALL, 0, &raw mut ended, flags) } != 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    // SAFETY: after a successful `waitid` the field is set.
    let pid = unsafe { ended.si_pid() };
    // SAFETY: the process is still a zombie, so that its number means it and nobody else; a group that it did not lead
    // does not exist.
    unsafe { libc::kill(-pid, libc::SIGKILL) };
    let mut status = 0;
    // SAFETY: writes the status into a live integer.
    if unsafe { libc::waitpid(pid, &raw mut status, 0) } < 0 {
        return Err(io::Error::last_os_error());
    }
    let death = if libc::WIFSIGNALED(status) {
        Death::Killed(libc::WTERMSIG(status))
    } else {
        Death::Exited(libc::WEXITSTATUS(status))
    };
    Ok((pid as u32, death))
}

/// Gives this process a process group of its own, so that it can be ended together with what it starts.
pub(crate) fn lead_group() {
    // SAFETY: changes a property of this process; cannot fail for one that leads no session.
    unsafe { libc::setpgid(0, 0) };
}

/// Ends this process at once. Not `exit`, which would run the learner's destructors beside threads that still run.
pub(crate) fn leave() -> ! {
    // SAFETY: does not return.
    unsafe { libc::_exit(0) }
}

/// Ends this process, which leads its group, and all programs that it started.
pub(crate) fn leave_with_group() -> ! {
    // SAFETY: a signal to the own group; this process is in it.
    unsafe { libc::kill(0, libc::SIGKILL) };
    leave()
}

/// Lets go of every descriptor above standard error that someone else could be waiting for: sockets, pipes, event
/// queues, locked files. In their place stands the null device, so that a value that still holds such a number meets an
/// error, never somebody else's file. `pair`, two connected sockets through which this process speaks to itself, becomes
/// a fresh pair.
pub(crate) fn give_up_descriptors(pair: Option<[RawFd; 2]>) {
    let Ok(null) = OpenOptions::new().read(true).write(true).open("/dev/null") else {
        return;
    };
    for descriptor in descriptors() {
        if descriptor != null.as_raw_fd() && keeps_someone_waiting(descriptor) {
            replace(descriptor, &null);
        }
    }
    if let (Some([one, other]), Ok((a, b))) = (pair, UnixStream::pair()) {
        let _ = (a.set_nonblocking(true), b.set_nonblocking(true));
        replace(one, &a);
        replace(other, &b);
    }
}

/// The open descriptors above standard error.
pub(crate) fn descriptors() -> Vec<RawFd> {
    let listed = std::fs::read_dir("/dev/fd").into_iter().flatten().flatten();
    listed
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|descriptor| *descriptor > libc::STDERR_FILENO)
        .collect()
}

fn keeps_someone_waiting(descriptor: RawFd) -> bool {
    // SAFETY: all bytes zero are a valid `stat`.
    let mut found: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: writes into a live `stat`; a descriptor that is not open is an error.
    if unsafe { libc::fstat(descriptor, &raw mut found) } != 0 {
        return false;
    }
    match found.st_mode & libc::S_IFMT {
        libc::S_IFDIR | libc::S_IFCHR => false,
        // A copy of an open file keeps its lock.
        libc::S_IFREG => std::fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}"))
            .is_ok_and(|about| about.contains("lock:")),
        _ => true,
    }
}

fn replace(descriptor: RawFd, by: &impl AsRawFd) {
    // SAFETY: both numbers are open; whoever owns `descriptor` goes on owning a valid one.
    unsafe {
        libc::dup2(by.as_raw_fd(), descriptor);
        libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC);
    }
}

/// Loads a compiled cell (once; the system keeps count) and finds its entry. Cells are never unloaded: later cells,
/// threads and values refer to them.
pub(crate) fn load(library: &str, entry: &str) -> Result<fn(), String> {
    let path = CString::new(OsStr::new(library).as_bytes()).map_err(|error| error.to_string())?;
    let name = CString::new(entry).map_err(|error| error.to_string())?;
    // SAFETY: the library is a cell compiled by this engine against this very runtime; it has no start-up code.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if handle.is_null() {
        return Err(loader_error());
    }
    // SAFETY: a live handle and a terminated name.
    let symbol = unsafe { libc::dlsym(handle, name.as_ptr()) };
    if symbol.is_null() {
        return Err(loader_error());
    }
    // SAFETY: the engine generates the entry with this very signature, with the same compiler.
    Ok(unsafe { std::mem::transmute::<*mut c_void, fn()>(symbol) })
}

fn loader_error() -> String {
    // SAFETY: the text, if any, stays valid until the next dl call of this thread.
    let text = unsafe { libc::dlerror() };
    if text.is_null() {
        return "unknown error of the loader".into();
    }
    // SAFETY: as above; a terminated string.
    unsafe { std::ffi::CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}
