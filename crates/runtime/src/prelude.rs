//! What a cell sees in the place of std's own: `print!`, `println!`, `eprint!`, `eprintln!` and `dbg!`, which appear at
//! once and in the order in which they were called.
//!
//! Standard output and standard error are two pipes, and whoever reads two pipes cannot tell which was written first. So
//! before text goes into one pipe, [`print`] and [`eprint`] wait until the engine has emptied the other. They ask the
//! pipe itself (`FIONREAD`), which also counts what other code wrote to it. Nobody waits for long: a reader that
//! is stuck costs 100 ms and the order, nothing else.
//!
//! Printing is also where an interrupted cell stops: most loops that never end print, and here they can end without
//! losing anything.
//!
//! It refuses to order what goes past these macros: `write!(std::io::stderr(), …)`, `std::println!` and programs that a
//! cell starts keep the order only roughly. So does macOS, where a pipe does not tell its writer what is still in it.

use std::cell::Cell;
use std::fmt::Arguments;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Like [`std::print!`], but the text appears at once, not with the next newline.
#[macro_export]
macro_rules! print {
    ($($text:tt)*) => { $crate::prelude::print(::std::format_args!($($text)*), false) };
}

/// Like [`std::println!`], in order with what goes to standard error.
#[macro_export]
macro_rules! println {
    () => { $crate::prelude::print(::std::format_args!(""), true) };
    ($($text:tt)*) => { $crate::prelude::print(::std::format_args!($($text)*), true) };
}

/// Like [`std::eprint!`], in order with what goes to standard output.
#[macro_export]
macro_rules! eprint {
    ($($text:tt)*) => { $crate::prelude::eprint(::std::format_args!($($text)*), false) };
}

/// Like [`std::eprintln!`], in order with what goes to standard output.
#[macro_export]
macro_rules! eprintln {
    () => { $crate::prelude::eprint(::std::format_args!(""), true) };
    ($($text:tt)*) => { $crate::prelude::eprint(::std::format_args!($($text)*), true) };
}

/// Like [`std::dbg!`]: shows an expression with its value on standard error and passes the value on. It names the line
/// of the cell; a file name would say nothing in a notebook.
#[macro_export]
macro_rules! dbg {
    () => { $crate::prelude::eprint(::std::format_args!("[line {}]", ::std::line!()), true) };
    ($value:expr $(,)?) => {
        // `match` keeps temporaries of the expression alive, as std's does.
        match $value {
            value => {
                $crate::prelude::eprint(
                    ::std::format_args!("[line {}] {} = {:#?}", ::std::line!(), ::std::stringify!($value), &value),
                    true,
                );
                value
            }
        }
    };
    ($($value:expr),+ $(,)?) => { ($($crate::dbg!($value)),+,) };
}

/// Longest wait for the reader.
const PATIENCE: Duration = Duration::from_millis(100);
/// So many times a writer only lets others run, which takes microseconds, before it sleeps.
const YIELDS: u32 = 50;

/// Writes to standard output, at once, after everything that was printed before.
pub fn print(text: Arguments<'_>, line: bool) {
    stop_if_interrupted();
    wait_until_read(libc::STDERR_FILENO);
    let mut stdout = std::io::stdout().lock();
    // A closed standard output is the learner's doing and no reason to stop.
    let _ = stdout.write_fmt(text);
    if line {
        // Sends the line on its way, too.
        let _ = stdout.write_all(b"\n");
    } else {
        let _ = stdout.flush();
    }
}

/// Writes to standard error, in one piece, after everything that was printed before.
pub fn eprint(text: Arguments<'_>, line: bool) {
    stop_if_interrupted();
    let mut whole = text.to_string();
    if line {
        whole.push('\n');
    }
    // What std still holds of standard output (`write!` without a flush) is not sent: its lock may be held by a thread
    // that waits for this one.
    wait_until_read(libc::STDOUT_FILENO);
    let _ = std::io::stderr().lock().write_all(whole.as_bytes());
}

/// Sends what standard output holds back on its way.
pub fn flush() {
    let _ = std::io::stdout().flush();
}

/// What an interrupted cell unwinds with. Not a panic: nothing is reported.
pub(crate) struct Interrupted;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Only the thread that runs the cells is stopped: a thread that the learner has started may have work to finish.
    static RUNS_CELLS: Cell<bool> = const { Cell::new(false) };
}

/// A cell begins on this thread; earlier interrupts are over.
pub(crate) fn begin_cell() {
    RUNS_CELLS.set(true);
    INTERRUPTED.store(false, Ordering::Relaxed);
}

/// The running cell is to stop when it prints next.
pub(crate) fn interrupt() {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

fn stop_if_interrupted() {
    if INTERRUPTED.load(Ordering::Relaxed) && RUNS_CELLS.get() && !std::thread::panicking() {
        std::panic::resume_unwind(Box::new(Interrupted));
    }
}

/// The pipes that the engine reads. Another file in their place is the learner's own, and nobody waits for its reader.
static PIPES: OnceLock<[Option<FileId>; 2]> = OnceLock::new();

type FileId = (libc::dev_t, libc::ino_t);

/// Notes which pipes standard output and standard error are. Called before any code of the learner runs.
pub(crate) fn note_pipes() {
    let _ = PIPES.set([pipe(libc::STDOUT_FILENO), pipe(libc::STDERR_FILENO)]);
    // Begins the clock while there is one thread: a copy made in the middle of that would wait for it for ever.
    now();
}

/// Until when (in nanoseconds of [`now`]) a writer may be waiting for a pipe to be read. The others hold back as long,
/// else one that prints without end would keep its pipe full for ever. A time, not a lock, because a copy of the
/// process may be made at any moment: what no thread is left to unlock runs out by itself.
static HELD_UNTIL: AtomicU64 = AtomicU64::new(0);

/// Waits until the engine has read what is in the pipe `descriptor`, [`PATIENCE`] at most.
fn wait_until_read(descriptor: i32) {
    if HELD_UNTIL.load(Ordering::Relaxed) != 0 {
        let mut tries = 0;
        while now() < HELD_UNTIL.load(Ordering::Relaxed) {
            pause(&mut tries);
        }
    }
    let number = (descriptor - libc::STDOUT_FILENO) as usize;
    let is_ours = || {
        let ours = PIPES.get().and_then(|pipes| pipes[number]);
        ours.is_some() && pipe(descriptor) == ours
    };
    // Asked last: it is only worth a call when there is something to wait for.
    if unread(descriptor) > 0 && is_ours() {
        wait_while(|| unread(descriptor) > 0);
    }
}

/// Waits until the engine has taken what was sent over the socket `descriptor`, so that what is printed next comes after.
pub(crate) fn wait_until_taken(descriptor: i32) {
    wait_while(|| unsent(descriptor) > 0);
}

fn wait_while(mut goes_on: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    let mut tries = 0;
    while goes_on() && Instant::now() < end {
        HELD_UNTIL.store(now() + PATIENCE.as_nanos() as u64, Ordering::Relaxed);
        pause(&mut tries);
    }
    HELD_UNTIL.store(0, Ordering::Relaxed);
}

fn pause(tries: &mut u32) {
    *tries += 1;
    if *tries < YIELDS {
        std::thread::yield_now();
    } else {
        std::thread::sleep(Duration::from_micros(50));
    }
}

/// Nanoseconds since the first call.
fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    // One more, because zero means "nobody waits".
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64 + 1
}

/// Bytes in a pipe that nobody has read yet; zero if it does not tell.
fn unread(descriptor: i32) -> i32 {
    let mut count: libc::c_int = 0;
    // SAFETY: the call writes one int, on any descriptor, open or not.
    match unsafe { libc::ioctl(descriptor, libc::FIONREAD, &mut count) } {
        0 => count,
        _ => 0,
    }
}

/// Bytes sent over a socket that the other side has not taken yet; zero if it does not tell.
fn unsent(descriptor: i32) -> i32 {
    if !cfg!(target_os = "linux") {
        return 0;
    }
    let mut count: libc::c_int = 0;
    // SAFETY: the call writes one int, on any descriptor, open or not.
    match unsafe { libc::ioctl(descriptor, libc::TIOCOUTQ, &mut count) } {
        0 => count,
        _ => 0,
    }
}

/// Which pipe a descriptor is; `None` if it is none.
fn pipe(descriptor: i32) -> Option<FileId> {
    // SAFETY: all zeros is a valid `stat`; the call fills it in.
    let mut status: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: a live buffer of the right type.
    let worked = unsafe { libc::fstat(descriptor, &mut status) } == 0;
    (worked && status.st_mode & libc::S_IFMT == libc::S_IFIFO)
        .then_some((status.st_dev, status.st_ino))
}
