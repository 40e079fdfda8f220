//! `measure`: one run, one time. For comparing alternatives there is `compare`, which runs each several times.

use std::fmt;
use std::ops::Deref;
use std::time::{Duration, Instant};

use crate::amount;

/// A measured duration. It shows itself with the unit that fits (`0.60 s`, `13 ms`, `340 µs`) and otherwise is a
/// [`Duration`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Took(pub Duration);

impl Took {
    /// The time in seconds.
    pub fn seconds(self) -> f64 {
        self.0.as_secs_f64()
    }
}

impl Deref for Took {
    type Target = Duration;

    fn deref(&self) -> &Duration {
        &self.0
    }
}

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&amount::duration(self.0))
    }
}

/// The same as `Display`: a notebook shows the `Debug` form of a result.
impl fmt::Debug for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Runs the code once and returns its value and the time it took.
///
/// ```
/// use loopbot::prelude::*;
/// let (sum, took) = measure(|| (1..=1000_u64).sum::<u64>());
/// println!("{sum} in {took}");
/// # assert_eq!(sum, 500500);
/// ```
pub fn measure<T>(code: impl FnOnce() -> T) -> (T, Took) {
    let start = Instant::now();
    // Without the black box the compiler may work the value out beforehand.
    let value = std::hint::black_box(code());
    (value, Took(start.elapsed()))
}

/// Awaits the future and returns its value and the time it took. Inside [`virtual_time`](crate::virtual_time) that is
/// virtual time.
///
/// ```
/// use loopbot::prelude::*;
/// # virtual_time(async {
/// let (_, took) = measure_async(tokio::time::sleep(Duration::from_millis(600))).await;
/// assert_eq!(took.to_string(), "0.60 s");
/// # });
/// ```
pub async fn measure_async<F: Future>(future: F) -> (F::Output, Took) {
    let start = tokio::time::Instant::now();
    let value = future.await;
    (value, Took(start.elapsed()))
}
