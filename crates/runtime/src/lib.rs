//! What lives in the process that runs the learner's cells.
//!
//! The engine builds this crate, together with the lesson libraries, into one dylib. Every compiled cell links that
//! dylib, so all cells share one store of variables ([`keep`], [`take`], [`give`]), one Tokio runtime and one way to
//! show a value ([`show!`]). The generated part of a cell calls the functions re-exported here and nothing else.
//!
//! It refuses to know how cells are written or compiled (the engine's job), and it prints nothing of its own: what it
//! has to say goes over the [`wire`].

mod checkpoint;
mod fork_server;
pub mod host;
pub mod prelude;
pub mod run;
pub mod show;
mod system;
mod tasks;
pub mod variables;
pub mod wire;

pub use run::{CellError, run, run_async};
pub use variables::{give, keep, moved, take, take_rehomed};
