//! `virtual_time`: runs a future with the clock paused, so that long waits take no time and give exact figures.

use std::time::Duration;

use crate::timeline::clock;

/// Runs a future to its end on a clock of its own and returns its value and the exact time it took on that clock.
///
/// The clock stands still while anything can run, and jumps to the next timer when everything waits. So twenty pages of
/// 0.6 s each take exactly 12 s here, and a few milliseconds of yours. The future runs on a fresh thread with a runtime
/// of its own, so it works in any cell; `tokio::spawn` inside it runs on that same thread.
///
/// What does not use Tokio's clock does not see it: `std::thread::sleep`, sockets and child processes take real time
/// and count as none. While a `spawn_blocking` job runs, the clock does not jump.
///
/// # Panics
/// When the future panics.
///
/// ```
/// use loopbot::prelude::*;
/// use tokio::time::sleep;
///
/// let (value, took) = virtual_time(async {
///     sleep(Duration::from_secs(3600)).await;
///     "an hour later"
/// });
/// assert_eq!((value, took), ("an hour later", Duration::from_secs(3600)));
/// ```
pub fn virtual_time<F>(future: F) -> (F::Output, Duration)
where
    F: Future + Send,
    F::Output: Send,
{
    let run = || {
        clock::this_thread_is_virtual();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap_or_else(|error| panic!("the system cannot start a runtime: {error}"));
        runtime.block_on(async {
            let start = tokio::time::Instant::now();
            let value = future.await;
            (value, start.elapsed())
        })
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("virtual".into())
            .spawn_scoped(scope, run);
        let thread =
            thread.unwrap_or_else(|error| panic!("the system cannot start a thread: {error}"));
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
