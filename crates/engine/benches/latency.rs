//! How long a learner waits for a cell, beside the compiler alone on the same machine in the same run.
//!
//! ```text
//! cargo bench -p loopbot-engine --bench latency
//! cargo bench -p loopbot-engine --bench latency -- short
//! ```
//!
//! `short` leaves out what takes minutes.
//!
//! Each row is the median of several cells whose texts were never seen before, and of as many plain calls of `rustc` for
//! the same text in a function: same edition, optimisation, debug information, linker and libraries. The two take turns,
//! so that a busy moment of the machine hits both. Other kernels are measured by `crates/kernel/benches/kernels.py`.

// A benchmark's output is its purpose.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use loopbot_engine::{Config, Engine, Outcome};

/// Cells for each median.
const ROUNDS: usize = 15;

fn main() {
    let config = Config {
        cache: PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache"),
        ..Config::from_env().expect("a configuration")
    };
    loopbot_engine::prepare(&config, &|step| eprintln!("{step}")).expect("lesson libraries");
    let bench = Bench {
        folder: tempfile::tempdir().expect("a temporary folder"),
        salt: SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a clock")
            .as_micros() as u64,
        config,
    };
    println!(
        "{:<44} {:>9} {:>9} {:>7}",
        "median", "cell", "rustc", "ratio"
    );
    bench.row("an expression, nothing kept", "", "", |n| {
        format!("1 + {n}u64")
    });
    bench.row("simple", "", "", |n| format!("let x = 1 + {n}u64; x"));
    bench.row("simple, two variables kept", "", "", |n| {
        format!("let x = {n}u64; let v = vec![x, 2]; v.len()")
    });
    bench.row(
        "uses a variable of an earlier cell",
        "let mut all = vec![1u64];",
        "let mut all = vec![1u64];",
        |n| format!("all.push({n}); all.len()"),
    );
    bench.row_with(
        "moves a variable away",
        |n| format!("let s = String::from(\"{n}\");"),
        "",
        |n| {
            (
                format!("let t = s; t.len() + {}", n % 10),
                format!(
                    "let s = String::from(\"{n}\"); let t = s; t.len() + {}",
                    n % 10
                ),
            )
        },
    );
    bench.row("defines a struct and a method", "", "", |n| {
        format!("struct Movie {{ seats: u64 }}\nimpl Movie {{ fn book(&mut self, n: u64) -> bool {{ if n <= self.seats {{ self.seats -= n; true }} else {{ false }} }} }}\nlet mut movie = Movie {{ seats: {n} }};\nmovie.book(2)")
    });
    bench.row("async: two tasks, a channel, join", "", "", |n| {
        format!("let (tx, mut rx) = tokio::sync::mpsc::channel(8);\nlet sender = tokio::spawn(async move {{ for i in 0..20u64 {{ tx.send(i + {n} % 1000).await.unwrap(); }} }});\nlet receiver = tokio::spawn(async move {{ let mut sum = 0; while let Some(i) = rx.recv().await {{ sum += i; }} sum }});\nlet (a, b) = tokio::join!(sender, receiver);\na.unwrap();\nlet total: u64 = b.unwrap();\ntotal")
    });
    if std::env::args().any(|a| a == "short") {
        return;
    }
    bench.unchanged();
    bench.first_cell();
    bench.long_notebook();
    bench.loops();
}

struct Bench {
    config: Config,
    folder: tempfile::TempDir,
    /// Makes the texts of this run differ from those of all others.
    salt: u64,
}

impl Bench {
    fn engine(&self) -> Engine {
        Engine::start(self.config.clone(), |_| {}).expect("an engine")
    }

    fn number(&self, round: usize) -> u64 {
        self.salt * 1000 + round as u64
    }

    fn row(&self, title: &str, before: &str, plain_before: &str, cell: impl Fn(u64) -> String) {
        let first = before.to_owned();
        let mut engine = self.engine();
        run(&mut engine, "0");
        if !first.is_empty() {
            run(&mut engine, &first);
        }
        let mut times = Times::default();
        for round in 0..ROUNDS {
            let text = cell(self.number(round));
            times.ours.push(run(&mut engine, &text));
            times
                .plain
                .push(self.rustc(&format!("{plain_before}\n{text}"), "0"));
        }
        times.print(title);
    }

    /// As [`Bench::row`], with an untimed cell before each; `cell` gives ours and the plain one.
    fn row_with(
        &self,
        title: &str,
        before: impl Fn(u64) -> String,
        plain_before: &str,
        cell: impl Fn(u64) -> (String, String),
    ) {
        let mut engine = self.engine();
        run(&mut engine, "0");
        let mut times = Times::default();
        for round in 0..ROUNDS {
            let number = self.number(round);
            run(&mut engine, &before(number));
            let (ours, plain) = cell(number);
            // A comment makes the text new without making it another cell.
            times
                .ours
                .push(run(&mut engine, &format!("{ours} // {number}")));
            times
                .plain
                .push(self.rustc(&format!("{plain_before}\n{plain}"), "0"));
        }
        times.print(title);
    }

    /// The same cell again and again.
    fn unchanged(&self) {
        let mut engine = self.engine();
        let text = format!("let x = {}u64; x", self.salt);
        run(&mut engine, &text);
        let times: Vec<Duration> = (0..50).map(|_| run(&mut engine, &text)).collect();
        println!(
            "{:<44} {:>7.2} ms",
            "unchanged cell",
            median(times).as_secs_f64() * 1e3
        );
    }

    /// From nothing to the result of a first cell.
    fn first_cell(&self) {
        let text = |n: u64| {
            format!(
                ":dep loopbot = {{ path = \"../../crates/loopbot\" }}\n:dep tokio = {{ version = \"1\", features = [\"full\"] }}\nuse loopbot::prelude::*;\ntokio::time::sleep(std::time::Duration::from_millis(0)).await;\nlet x = {n}u64;"
            )
        };
        for (title, same) in [
            ("first cell of a session, compiled", false),
            ("first cell of a session, from the cache", true),
        ] {
            let times = (0..7)
                .map(|round| {
                    let started = Instant::now();
                    let mut engine = self.engine();
                    run(&mut engine, &text(self.salt + if same { 0 } else { round }));
                    started.elapsed()
                })
                .collect();
            println!("{title:<44} {:>7.0} ms", median(times).as_secs_f64() * 1e3);
        }
    }

    /// Cells that all define functions and variables and use the last ones.
    fn long_notebook(&self) {
        let mut engine = self.engine();
        let salt = self.salt;
        let mut times = Vec::new();
        for n in 0..510u64 {
            let earlier = n.saturating_sub(1);
            let text = if n == 0 {
                format!("fn f0() -> u64 {{ {salt} }}\nlet v0 = vec![f0()];")
            } else {
                format!(
                    "fn f{n}() -> u64 {{ f{earlier}() % 7 + {salt} }}\nlet v{n} = vec![f{n}(), v{earlier}[0] % 3];\nv{n}.len()"
                )
            };
            times.push(run(&mut engine, &text));
        }
        let around = |at: usize| median(times[at - 4..at + 5].to_vec()).as_secs_f64() * 1e3;
        for at in [5, 100, 500] {
            println!(
                "{:<44} {:>7.0} ms {:>17.2} x the 5th",
                format!("cell {at} of a long notebook"),
                around(at),
                around(at) / around(5)
            );
        }
    }

    /// CPU-bound code beside the same code in a program of its own, compiled with `-O`.
    fn loops(&self) {
        let n = self.salt;
        let body = "let mut sum = 0u64;\nlet mut x = 1u64;\nfor i in 0..400_000_000u64 { x = x.wrapping_mul(6364136223846793005).wrapping_add(i); sum ^= x >> 33; }\n";
        let hot = "fn step(x: u64, i: u64) -> u64 { let y = x.wrapping_mul(6364136223846793005).wrapping_add(i); y ^ (y >> 29) }";
        let calls = "let mut x = 1u64;\nfor i in 0..300_000_000u64 { x = step(x, i); }\n";
        // What lives on in the notebook must be needed in the program, too, or the two loops are not the same.
        for (title, earlier, body, shown) in [
            (":opt 2, loop within one cell", "", body, "(sum, x)"),
            (":opt 2, hot function of an earlier cell", hot, calls, "x"),
        ] {
            let mut engine = self.engine();
            run(&mut engine, &format!(":opt 2\n0 // {n}"));
            if !earlier.is_empty() {
                run(&mut engine, earlier);
            }
            let program = self.program(&format!("{earlier}\nfn main() {{ let t = std::time::Instant::now(); {body} println!(\"{{}}\", t.elapsed().as_nanos()); std::hint::black_box({shown}); }}"));
            let mut times = Times::default();
            for _ in 0..5 {
                times.ours.push(shown_nanos(&mut engine, &format!("let t = std::time::Instant::now();\n{body}let took = t.elapsed().as_nanos() as u64;\nstd::hint::black_box({shown});\ntook")));
                let output = Command::new(&program).output().expect("the program");
                let nanos = String::from_utf8_lossy(&output.stdout)
                    .trim()
                    .parse()
                    .expect("a number");
                times.plain.push(Duration::from_nanos(nanos));
            }
            times.print(title);
        }
    }

    /// One plain call of rustc for a cell in a function.
    fn rustc(&self, cell: &str, optimization: &str) -> Duration {
        let file = self.folder.path().join("plain.rs");
        let waits = cell.contains(".await") || cell.contains("join!");
        let text = if waits {
            format!(
                "#[tokio::main]\npub async fn cell() {{ let shown = {{ {cell} }}; println!(\"{{shown:?}}\"); }}\n"
            )
        } else {
            format!("pub fn cell() {{ {} }}\n", with_shown(cell))
        };
        std::fs::write(&file, text).expect("a file");
        let mut rustc = loopbot_engine::plain_rustc(&self.config).expect("a compiler");
        rustc
            .args([
                "--crate-type=dylib",
                "-Cprefer-dynamic",
                "-Aunused",
                "--crate-name=plain",
            ])
            .arg(format!("-Copt-level={optimization}"))
            .arg("-o")
            .arg(self.folder.path().join("libplain.so"));
        timed(rustc.arg(&file))
    }

    fn program(&self, text: &str) -> PathBuf {
        let (file, program) = (
            self.folder.path().join("program.rs"),
            self.folder.path().join("program"),
        );
        std::fs::write(&file, text).expect("a file");
        let mut rustc = loopbot_engine::plain_rustc(&self.config).expect("a compiler");
        timed(
            rustc
                .args(["--crate-type=bin", "-Copt-level=3"])
                .arg("-o")
                .arg(&program)
                .arg(&file),
        );
        program
    }
}

/// The cell with its last expression printed.
fn with_shown(cell: &str) -> String {
    match cell.rsplit_once(';') {
        Some((rest, last)) if !last.trim().is_empty() => {
            format!("{rest}; println!(\"{{:?}}\", {{ {last} }});")
        }
        Some(_) => cell.to_owned(),
        None => format!("println!(\"{{:?}}\", {{ {cell} }});"),
    }
}

fn timed(command: &mut Command) -> Duration {
    let started = Instant::now();
    let output = command.stdin(Stdio::null()).output().expect("rustc");
    let took = started.elapsed();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    took
}

fn run(engine: &mut Engine, text: &str) -> Duration {
    let started = Instant::now();
    match engine.run_cell(text) {
        Outcome::Done { .. } => started.elapsed(),
        Outcome::Failed(failure) => panic!("{text}\n{}", failure.report.join("\n")),
    }
}

/// Runs a cell that shows a number of nanoseconds.
fn shown_nanos(engine: &mut Engine, text: &str) -> Duration {
    match engine.run_cell(text) {
        Outcome::Done {
            result: Some(shown),
        } => Duration::from_nanos(shown["text/plain"].parse().expect("a number")),
        _ => panic!("{text} showed no number"),
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[derive(Default)]
struct Times {
    ours: Vec<Duration>,
    plain: Vec<Duration>,
}

impl Times {
    fn print(self, title: &str) {
        let (ours, plain) = (
            median(self.ours).as_secs_f64(),
            median(self.plain).as_secs_f64(),
        );
        println!(
            "{title:<44} {:>6.0} ms {:>6.0} ms {:>7.2}",
            ours * 1e3,
            plain * 1e3,
            ours / plain
        );
    }
}
