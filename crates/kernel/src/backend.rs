//! The boundary: what the kernel asks of whatever runs the cells. No socket and no message type crosses it.

mod echo;
mod engine;

use std::sync::Arc;

use loopbot_engine::{Completeness, Completion, Event, Inspection, Outcome};

pub use echo::Echo;
pub(crate) use engine::EngineBackend;

/// Where a backend sends the events of its cells; callable from any thread, also between cells. It may block for a
/// moment when the reader is much slower than the writer.
pub type Sink = Arc<dyn Fn(Event) + Send + Sync>;

/// Runs cells, one at a time. Lives on a thread of its own, which is where it is made and dropped.
pub trait Backend: 'static {
    /// Runs one cell to its end. All events of the cell have reached the [`Sink`] when it returns.
    fn run(&mut self, code: &str) -> Outcome;

    /// What answers questions from other threads while a cell runs. Asked for once, right after the start.
    fn helper(&self) -> Arc<dyn Helper>;
}

/// The part of a backend that never waits for a running cell. Offsets are bytes.
pub trait Helper: Send + Sync {
    /// Stops the running cell, if there is one. Returns at once.
    fn interrupt(&self);

    /// Suggestions at byte offset `cursor` of `code`.
    fn complete(&self, code: &str, cursor: usize) -> Completion;

    /// What is known of the name at byte offset `cursor` of `code`.
    fn inspect(&self, code: &str, cursor: usize) -> Option<Inspection>;

    /// Whether `code` is a whole cell.
    fn completeness(&self, code: &str) -> Completeness;
}
