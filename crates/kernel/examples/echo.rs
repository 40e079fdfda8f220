//! A kernel that echoes: LoopBot's protocol side without an engine, to try any Jupyter client on.
//!
//! `echo CONNECTION_FILE`, where a kernelspec says `"argv": ["…/echo", "{connection_file}"]`.

use std::path::Path;
use std::process::ExitCode;

use loopbot_kernel::{Echo, serve_backend};

#[tokio::main]
async fn main() -> ExitCode {
    let Some(connection_file) = std::env::args_os().nth(1) else {
        return fail("usage: echo CONNECTION_FILE");
    };
    match serve_backend(Path::new(&connection_file), |sink| Ok(Echo::new(sink))).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(why: &str) -> ExitCode {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{why}");
    ExitCode::from(2)
}
