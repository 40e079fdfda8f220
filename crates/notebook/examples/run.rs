//! Runs one notebook and says how it went: `cargo run -p loopbot-notebook --example run -- IN.ipynb OUT.ipynb`.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use loopbot_notebook::{Notebook, Options, Step, execute};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(from), Some(to)) = (arguments.next(), arguments.next()) else {
        return Err("name a notebook and the file to write".into());
    };
    let from = Path::new(&from);
    let mut notebook = Notebook::read(from)?;
    let options = Options {
        folder: from.parent().map(Path::to_owned),
        cell_limit: Some(Duration::from_secs(20)),
        on_step: Some(Arc::new(|step| match step {
            Step::Cell {
                position, total, ..
            } => println!("cell {position} of {total}"),
            Step::CellDone(report) => println!("  {:?}: {:?}", report.took, report.outcome),
            Step::Progress(text) => println!("  {text}"),
            _ => {}
        })),
    };
    let report = execute(&mut notebook, options)?;
    println!("passed: {}", report.passed());
    notebook.write(Path::new(&to))?;
    Ok(())
}
