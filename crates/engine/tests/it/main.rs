//! Tests of the engine that read like notebooks: cells in, outputs out.
//!
//! To add one: take a [`notebook::Notebook`], `run` cells, compare the text that comes back. A failing cell comes back as
//! `Err` with the learner's report, colours removed. All tests share one set of lesson libraries and one cache of cells;
//! the first run builds them.
#![allow(clippy::unwrap_used)]

mod asynchronous;
mod boxes;
mod cache;
mod checkpoints;
mod dependencies;
mod directives;
mod display;
mod errors;
mod explain;
mod items;
mod notebook;
mod output;
mod plain_words;
mod programs;
mod redefinition;
mod shell;
mod statics;
mod variables;
