//! The kernel from outside: real sockets, a real client, and the `echo` backend in place of the engine.
//!
//! To add a test: `Client::start().await` gives a kernel and a client connected to it; `check` runs a cell and compares
//! everything the kernel published for it, one line per message (`Client::transcript` says how). Nothing here sleeps to
//! wait for something: a client waits for a message, and a test that waits too long fails.
#![allow(clippy::unwrap_used)]

mod client;
mod execute;
mod lifecycle;
mod process;
mod requests;
mod running;
mod security;
mod spec;
