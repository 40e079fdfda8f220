//! `loopbot kernel`: registers LoopBot's Rust kernel with Jupyter, takes it out again, and is that kernel.
//!
//! Only `run` speaks to Jupyter; the kernel's protocol is in the crate `loopbot-kernel`. It never replaces or removes a
//! kernel that is not LoopBot's unless told to.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use loopbot_kernel::spec::{self, SpecError};

use crate::exit::{Status, WrongUse};
use crate::{console, folders, kernelspec};

/// Register LoopBot's Rust kernel with a Jupyter of yours
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Kernel {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make the kernel known to Jupyter
    Install {
        #[command(flatten)]
        place: Place,
        /// Replace a kernel of that name that is not LoopBot's
        #[arg(long)]
        force: bool,
    },
    /// Take LoopBot's kernel out again
    Uninstall {
        #[command(flatten)]
        place: Place,
    },
    /// Run the kernel; Jupyter calls this
    Run {
        #[arg(value_name = "CONNECTION_FILE")]
        connection_file: PathBuf,
    },
}

/// Which Jupyter, and under which name.
#[derive(Debug, Args)]
struct Place {
    /// For every Jupyter of yours [the default]
    #[arg(long, conflicts_with = "prefix")]
    user: bool,
    /// For the Python or conda environment in DIR
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
    /// Name of the kernel in Jupyter
    #[arg(long, default_value = kernelspec::NAME)]
    name: String,
}

impl Place {
    fn folder(&self) -> Result<PathBuf> {
        match &self.prefix {
            Some(prefix) if prefix.is_dir() => Ok(folders::prefix_kernels(prefix)),
            Some(prefix) => bail!(WrongUse(format!(
                "{} is not a folder; name an environment after --prefix",
                prefix.display()
            ))),
            None => folders::user_kernels(),
        }
    }
}

impl Kernel {
    pub(crate) fn run(self) -> Result<Status> {
        match self.action {
            Action::Install { place, force } => {
                let folder = place.folder()?;
                let installed = spec::install(&folder, &place.name, &kernelspec::program()?, force)
                    .map_err(wrong_use)?;
                console::result(format_args!(
                    "The kernel `{}` is in {}.",
                    place.name,
                    installed.display()
                ));
            }
            Action::Uninstall { place } => {
                let folder = place.folder()?;
                let found = spec::uninstall(&folder, &place.name).map_err(wrong_use)?;
                let what = if found { "is gone from" } else { "was not in" };
                console::result(format_args!(
                    "The kernel `{}` {what} {}.",
                    place.name,
                    folder.display()
                ));
            }
            Action::Run { connection_file } => {
                let config = loopbot_engine::Config::from_env()?;
                tokio::runtime::Builder::new_multi_thread()
                    .enable_all()
                    .build()
                    .context("the kernel's threads cannot be started")?
                    .block_on(loopbot_kernel::serve(&connection_file, config))?;
            }
        }
        Ok(Status::Worked)
    }
}

/// A bad name or one that is taken: other arguments mend it.
fn wrong_use(error: SpecError) -> anyhow::Error {
    match error {
        SpecError::Name(_) | SpecError::Foreign(_) => WrongUse(error.to_string()).into(),
        other => other.into(),
    }
}
