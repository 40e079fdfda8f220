//! The Jupyter protocol on one side, the engine on the other.
//!
//! This room is the only one that knows sockets and message types. It reads a connection file, binds its five sockets,
//! checks signatures, and turns requests into calls of a [`Backend`]. It knows nothing of Rust, compilers or lessons:
//! `echo`, a backend of a hundred lines, drives the same code in the tests.
//!
//! ```no_run
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let config = loopbot_engine::Config::from_env()?;
//! loopbot_kernel::serve(std::path::Path::new("kernel-1234.json"), config).await?;
//! # Ok(())
//! # }
//! ```
//!
//! How the parts hang together:
//!
//! ```text
//! shell  ──► server ──► messages/*          answered at once, also while a cell runs
//!               └─────► execute ──► runner   one thread that owns the backend
//! control ─► server ──► interrupt, shutdown     │ events
//! iopub  ◄── iopub ◄─── outbox ◄────────────────┘ ordered, merged, bounded
//! ```
//!
//! Promises: the sockets answer before the backend has started. A message with a wrong signature is dropped without a
//! word. Everything on iopub keeps its order. The kernel ends when it is told to, on SIGTERM, or when the process that
//! started it is gone.
//!
//! Refused for now: `input_request` (a cell cannot ask for input), user expressions, comms (widgets), subshells and the
//! debugger. A request of that kind gets an answer that says so.

mod backend;
mod connection;
mod error;
mod execute;
mod iopub;
mod lifecycle;
mod messages;
mod outbox;
mod runner;
mod server;
mod session;
pub mod spec;
mod text;
mod wire;

use std::path::Path;

pub use backend::{Backend, Echo, Helper, Sink};
pub use error::KernelError;
use loopbot_engine::Failure;

/// Runs a kernel on the sockets of `connection_file` until it is told to end.
///
/// Returns when a client asked for it, on SIGTERM, or when the process named by `JPY_PARENT_PID` is gone. Needs a Tokio
/// runtime with I/O and time. SIGINT interrupts the running cell.
///
/// # Errors
/// The connection file cannot be read, or one of its addresses cannot be bound. A failing cell is no error, and neither
/// is an engine that does not start: the kernel then runs, and every cell says what is wrong.
pub async fn serve(
    connection_file: &Path,
    config: loopbot_engine::Config,
) -> Result<(), KernelError> {
    serve_backend(connection_file, move |sink| {
        backend::EngineBackend::start(config, sink)
    })
    .await
}

/// As [`serve`], with any [`Backend`]. `start` is called on the backend's own thread, after the sockets are bound.
///
/// ```no_run
/// # async fn start() -> Result<(), loopbot_kernel::KernelError> {
/// use loopbot_kernel::{Echo, serve_backend};
/// serve_backend(std::path::Path::new("kernel-1234.json"), |sink| Ok(Echo::new(sink))).await
/// # }
/// ```
///
/// # Errors
/// As for [`serve`]. A `start` that fails makes every cell fail with what it returned.
pub async fn serve_backend<B, F>(connection_file: &Path, start: F) -> Result<(), KernelError>
where
    B: Backend,
    F: FnOnce(Sink) -> Result<B, Failure> + Send + 'static,
{
    let info = connection::read(connection_file)?;
    let signals = lifecycle::Signals::listen()?;
    let sockets = connection::bind(&info).await?;
    server::run(sockets, signals, start).await;
    Ok(())
}
