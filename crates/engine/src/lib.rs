//! Cell text to compiled cell, run in a child process.
//!
//! This room knows rustc and the child; it knows no Jupyter and no lesson. A front end (the kernel, `loopbot run`)
//! starts one [`Engine`] per notebook, hands it cells in order and receives [`Event`]s while they run.
//!
//! ```no_run
//! use loopbot_engine::{Config, Engine, Event, Outcome};
//! let mut engine = Engine::start(Config::from_env()?, |event| {
//!     if let Event::Stdout(text) = event { eprint!("{text}") }
//! })?;
//! let outcome = engine.run_cell("let x = 20; x + 1");
//! let Outcome::Done { result: Some(shown) } = outcome else { panic!("the cell failed") };
//! assert_eq!(shown["text/plain"], "21");
//! # Ok::<(), loopbot_engine::EngineError>(())
//! ```

mod allowance;
mod bookkeeping;
mod brackets;
mod cache;
mod cell;
mod child;
mod compile;
mod completeness;
mod config;
mod diagnostic;
mod directive;
mod engine;
mod error;
mod event;
mod failure;
mod generate;
mod learn;
mod libraries;
mod listener;
mod output;
mod panics;
mod plan;
mod prepare;
mod report;
mod scope;
mod session;
mod type_name;

pub use completeness::{Completeness, completeness};
pub use config::Config;
pub use engine::{Engine, Interrupter, is_prepared, prepare};
pub use error::EngineError;
pub use event::{Event, Failure, FailureKind, MimeBundle, Outcome, Position};
pub use scope::{Completion, CompletionKind, Inspection, Match, ScopeHandle};
