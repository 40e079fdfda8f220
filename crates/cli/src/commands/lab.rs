//! `loopbot lab`: sets up what is missing, then becomes JupyterLab on the lessons.
//!
//! It replaces itself with JupyterLab instead of watching over it: Ctrl-C, the terminal and the exit status are then
//! Jupyter's own, with nothing in between to lose them. It refuses to change the user's Jupyter settings.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;

use crate::exit::{Status, WrongUse};
use crate::python_side::{PythonSide, State};
use crate::{console, folders, jupyter, kernelspec};

/// Open the lessons in JupyterLab; sets up what is missing first
#[derive(Debug, Args)]
pub(crate) struct Lab {
    /// Port of the Jupyter server [default: the first free one from 8888]
    #[arg(long)]
    port: Option<u16>,
    /// Open no browser; the address is printed
    #[arg(long)]
    no_browser: bool,
    /// Folder with the notebooks [default: the lessons]
    #[arg(long, value_name = "DIR")]
    notebooks: Option<PathBuf>,
    /// Further arguments for JupyterLab
    #[arg(last = true, value_name = "JUPYTER ARGS")]
    jupyter: Vec<String>,
}

impl Lab {
    pub(crate) fn run(self) -> Result<Status> {
        let notebooks = self.folder()?;
        if let Some(port) = self.port {
            probe(port)?;
        }
        let data = folders::data()?;
        let python = PythonSide::locate(&data)?;
        set_up(&data, &python)?;
        jupyter::write_defaults(python.folder())?;
        self.start(&python, &data, &notebooks)
    }

    fn folder(&self) -> Result<PathBuf> {
        match &self.notebooks {
            None => folders::notebooks(),
            Some(folder) if folder.is_dir() => Ok(std::path::absolute(folder)?),
            Some(folder) => bail!(WrongUse(format!(
                "{} is not a folder; name one after --notebooks",
                folder.display()
            ))),
        }
    }

    /// Becomes JupyterLab; returns only if that cannot be started.
    fn start(&self, python: &PythonSide, data: &Path, notebooks: &Path) -> Result<Status> {
        let mut command = python.command();
        command
            .args([
                "-m",
                "jupyterlab",
                "--LabApp.log_level=WARN",
                "--ServerApp.log_level=WARN",
            ])
            .arg(format!("--ServerApp.root_dir={}", notebooks.display()))
            .args(jupyter::QUIET_OPTIONS)
            .env("JUPYTER_PATH", jupyter::search_path(data)?);
        if let Some(first) = first_page(notebooks) {
            command.arg(format!("--LabApp.default_url={first}"));
        }
        if let Some(port) = self.port {
            // The next free port would be a surprise to someone who named one.
            command
                .arg(format!("--ServerApp.port={port}"))
                .arg("--ServerApp.port_retries=0");
        }
        if self.no_browser {
            command.arg("--no-browser");
        }
        // SAFETY: asks for a number; cannot fail.
        if unsafe { libc::geteuid() } == 0 {
            console::progress(
                "You are root: JupyterLab is told to run all the same (--allow-root).",
            );
            command.arg("--allow-root");
        }
        command.args(&self.jupyter);
        console::progress(format_args!(
            "JupyterLab starts on {}.",
            notebooks.display()
        ));
        console::progress(if self.no_browser {
            "Open the address that starts with http:// below. To stop: press Ctrl-C here twice."
        } else {
            "Your browser opens; if not, copy the address that starts with http://. To stop: press Ctrl-C here twice."
        });
        Err(anyhow!(command.exec()).context(format!(
            "JupyterLab cannot be started from {}",
            python.folder().display()
        )))
    }
}

/// The page that JupyterLab opens with.
fn first_page(notebooks: &Path) -> Option<String> {
    let first = "en/00-start-here.ipynb";
    notebooks
        .join(first)
        .is_file()
        .then(|| format!("/lab/tree/{first}"))
}

/// Says so before the long set-up, not after it, when the port is taken.
fn probe(port: u16) -> Result<()> {
    match TcpListener::bind(("127.0.0.1", port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(WrongUse(format!(
            "port {port} is taken by another program; name another port, or leave --port out to get a free one"
        ))),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => bail!(WrongUse(format!(
            "port {port} needs rights that you do not have; name one above 1023, or leave --port out"
        ))),
        Err(error) => Err(error).with_context(|| format!("port {port} cannot be opened")),
    }
}

/// The Python side and the lesson libraries, beside each other: one waits for the network, the other for the processor.
fn set_up(data: &Path, python: &PythonSide) -> Result<()> {
    kernelspec::prepare(data)?;
    if python.state() != State::Ready {
        console::progress(
            "The first start sets things up: a private Python environment with JupyterLab, and the lesson libraries. \
             That takes a few minutes, once.",
        );
    }
    let config = loopbot_engine::Config::from_env()?;
    std::thread::scope(|scope| {
        let libraries = scope.spawn(|| {
            loopbot_engine::prepare(&config, &|step| console::step("libraries  ", &step))
                .context("the lesson libraries could not be built")
        });
        let python = python.prepare(&|step| console::step("python     ", &step));
        let libraries = libraries
            .join()
            .unwrap_or_else(|_| Err(anyhow!("building the lesson libraries broke off")));
        match (python, libraries) {
            (Err(python), Err(libraries)) => {
                console::error(console::sentence(&libraries));
                Err(python)
            }
            (Err(error), Ok(())) | (Ok(()), Err(error)) => Err(error),
            (Ok(()), Ok(())) => Ok(()),
        }
    })
}
