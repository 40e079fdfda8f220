//! `loopbot run`: runs notebooks without a Jupyter server, through LoopBot's engine or through any Jupyter kernel.
//!
//! It writes nothing unless told where to.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use loopbot_notebook::Notebook;

use crate::exit::Status;
use crate::through_kernel::KernelRunner;
use crate::{console, execution, lessons};

/// Run notebooks and say how each went
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Notebooks; a lesson may be named without folder and ending
    #[arg(required = true, value_name = "NOTEBOOK")]
    notebooks: Vec<PathBuf>,
    /// Write the notebooks with their outputs into DIR
    #[arg(long, value_name = "DIR", conflicts_with = "in_place")]
    output: Option<PathBuf>,
    /// Write the outputs into the notebooks themselves
    #[arg(long)]
    in_place: bool,
    /// Run through Jupyter on this installed kernel: its name, or the folder of its kernel.json
    #[arg(long, value_name = "NAME")]
    kernel: Option<String>,
}

impl Run {
    pub(crate) fn run(self) -> Result<Status> {
        let notebooks = lessons::named(&self.notebooks)?;
        if let Some(folder) = &self.output {
            lessons::refuse_same_names(&notebooks)?;
            std::fs::create_dir_all(folder)
                .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
        }
        let through_kernel = self
            .kernel
            .as_deref()
            .map(KernelRunner::prepare)
            .transpose()?;
        let mut failures = 0;
        for path in &notebooks {
            let target = self.target(path);
            let passed = match &through_kernel {
                Some(kernel) => kernel.run(path, target.as_deref()),
                None => through_engine(path, target.as_deref()),
            };
            // One notebook that cannot be read must not keep the others from running.
            let passed = passed.unwrap_or_else(|error| {
                console::error(console::sentence(&error));
                false
            });
            failures += usize::from(!passed);
        }
        Ok(Status::from_failures(failures))
    }

    /// Where the executed notebook goes.
    fn target(&self, notebook: &Path) -> Option<PathBuf> {
        match &self.output {
            Some(folder) => Some(folder.join(lessons::file_name(notebook))),
            None => self.in_place.then(|| notebook.to_owned()),
        }
    }
}

fn through_engine(path: &Path, target: Option<&Path>) -> Result<bool> {
    let mut notebook = Notebook::read(path)?;
    let run = execution::run(&mut notebook, path)?;
    execution::tell(path, &run);
    // Also when a cell failed: the outputs up to there show why.
    if let Some(target) = target {
        notebook.write(target)?;
    }
    Ok(run.report.passed())
}
