//! Runs notebooks through Jupyter on any installed kernel, with nbclient in the private Python environment.
//!
//! The Python part is `run_with_kernel.py`, embedded here; this file starts it and words what it tells.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::exit::WrongUse;
use crate::python_side::PythonSide;
use crate::{console, folders, jupyter, kernelspec};

const SCRIPT: &str = include_str!("run_with_kernel.py");

/// A kernel to run notebooks on.
pub(crate) struct KernelRunner {
    kernel: String,
    python: PythonSide,
    data: PathBuf,
}

/// What the script tells.
#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Ran {
        ran: usize,
        left_out: usize,
        faults: Vec<Fault>,
    },
    NoSuchKernel {
        no_such_kernel: String,
        kernels: Vec<String>,
    },
}

#[derive(Deserialize)]
struct Fault {
    /// From 1; nothing when the kernel never started.
    cell: Option<usize>,
    message: String,
    report: Vec<String>,
}

impl KernelRunner {
    /// Sets up the Python side if it is missing, and LoopBot's own kernel under its name.
    pub(crate) fn prepare(kernel: &str) -> Result<KernelRunner> {
        let data = folders::data()?;
        let python = PythonSide::locate(&data)?;
        python.prepare(&|step| console::step("python     ", &step))?;
        kernelspec::prepare(&data)?;
        Ok(KernelRunner {
            kernel: kernel.to_owned(),
            python,
            data,
        })
    }

    /// Runs the notebook at `path`, tells how it went and writes it to `target`. Whether it passed.
    pub(crate) fn run(&self, path: &Path, target: Option<&Path>) -> Result<bool> {
        console::passing(format_args!(
            "{}: running on the kernel {}",
            path.display(),
            self.kernel
        ));
        let started = Instant::now();
        let output = self
            .python
            .command()
            .args(["-c", SCRIPT])
            .arg(path)
            .arg(&self.kernel)
            .args(target)
            .env("JUPYTER_PATH", jupyter::search_path(&self.data)?)
            .stdin(Stdio::null())
            .output();
        console::passing("");
        let output = output
            .with_context(|| format!("{} cannot be started", self.python.program().display()))?;
        // Kernels may print to our standard output as they start; the script's line is the last.
        let said = String::from_utf8_lossy(&output.stdout);
        let told = said
            .lines()
            .rfind(|line| !line.trim().is_empty())
            .and_then(|line| serde_json::from_str(line).ok());
        match told {
            Some(Told::Ran {
                ran,
                left_out,
                faults,
            }) => {
                let left_out = match left_out {
                    0 => String::new(),
                    count => format!(", {count} left out because only LoopBot's kernel runs them"),
                };
                let seconds = started.elapsed().as_secs_f32();
                if faults.is_empty() {
                    let path = path.display();
                    console::result(format_args!(
                        "✔ {path}: {ran} cells on {}{left_out}, {seconds:.1} s",
                        self.kernel
                    ));
                }
                for fault in &faults {
                    let cell = fault
                        .cell
                        .map(|number| format!("cell {number}: "))
                        .unwrap_or_default();
                    console::result(format_args!(
                        "✘ {}: {cell}{}{left_out}",
                        path.display(),
                        fault.message
                    ));
                    console::report(&fault.report);
                }
                Ok(faults.is_empty())
            }
            Some(Told::NoSuchKernel {
                no_such_kernel,
                kernels,
            }) => bail!(WrongUse(format!(
                "there is no kernel called `{no_such_kernel}`; there are: {}",
                kernels.join(", ")
            ))),
            None => {
                let errors = String::from_utf8_lossy(&output.stderr);
                let last = errors
                    .lines()
                    .rfind(|line| !line.trim().is_empty())
                    .unwrap_or("it did not say why");
                bail!(
                    "{}: the run through Jupyter broke off: {last}",
                    path.display()
                )
            }
        }
    }
}
