//! Runs cells from a file, separated by lines of `---`, and prints what happens: the engine without any front end.
//!
//! `cargo run -p loopbot-engine --example cells -- FILE`
#![allow(clippy::print_stdout, clippy::print_stderr)]

use loopbot_engine::{Config, Engine, Event, Outcome};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("name a file of cells")?;
    let cells = std::fs::read_to_string(path)?;
    let mut engine = Engine::start(Config::from_env()?, |event| match event {
        Event::Stdout(text) => print!("{text}"),
        Event::Stderr(text) => eprint!("{text}"),
        Event::Display(forms) => println!("{forms:?}"),
        Event::Live { id, forms } => println!("[{id}] {forms:?}"),
        Event::Progress(step) => eprintln!("… {step}"),
    })?;
    for cell in cells.split("\n---\n") {
        let started = std::time::Instant::now();
        match engine.run_cell(cell) {
            Outcome::Done { result } => {
                if let Some(text) = result.as_ref().and_then(|forms| forms.get("text/plain")) {
                    println!("{text}");
                }
            }
            Outcome::Failed(failure) => println!("{}", failure.report.join("\n")),
        }
        println!("[{:.3} s]", started.elapsed().as_secs_f64());
    }
    Ok(())
}
