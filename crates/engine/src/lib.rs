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

#![forbid(unsafe_code)]

mod advice;
mod allowance;
mod bookkeeping;
mod brackets;
mod cache;
mod cell;
mod cell_cache;
mod child;
mod clean;
mod compile;
mod completeness;
mod config;
mod diagnostic;
mod directive;
mod draw;
mod engine;
mod error;
mod event;
mod explain;
mod failure;
mod generate;
mod habits;
mod learn;
mod libraries;
mod listener;
mod moves;
mod output;
mod panics;
mod plain_words;
mod plan;
mod prepare;
mod report;
mod sameness;
mod scope;
mod session;
mod shell;
mod store;
mod type_name;

pub use cell_cache::{CacheUse, cache_use, check_shared_cache, clear_cache};
#[doc(hidden)]
pub use compile::plain_rustc;
pub use completeness::{Completeness, completeness};
pub use config::{Config, SHARED_CACHE};
pub use engine::{Engine, Interrupter, is_prepared, prepare};
pub use error::{EngineError, Unavailable};
pub use event::{Event, Failure, FailureKind, MimeBundle, Outcome, Position};
pub use scope::{Completion, CompletionKind, Inspection, Match, ScopeHandle};
