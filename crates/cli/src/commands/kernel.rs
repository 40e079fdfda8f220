//! `loopbot kernel`: registers LoopBot's Rust kernel with Jupyter, takes it out again, and is that kernel.
//!
//! Only `run` speaks to Jupyter; the kernel's protocol is in the crate `loopbot-kernel`. It never replaces or removes a
//! kernel that is not LoopBot's unless told to.

use std::path::{Path, PathBuf};

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
        /// Have the kernel use the libraries and compiled cells in DIR, too, without ever writing to it
        ///
        /// A class shares such a folder. It is the cache of somebody who ran the lessons with LOOPBOT_CACHE=DIR and
        /// then made it readable for all with `chmod -R go+rX DIR`. It must stay where it was made, and nobody but its
        /// owner, who must be you, the administrator, or whoever installed loopbot, may be able to write to it.
        #[arg(long, value_name = "DIR")]
        shared_cache: Option<PathBuf>,
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
            Action::Install {
                place,
                force,
                shared_cache,
            } => {
                let folder = place.folder()?;
                let env = shared_cache.as_deref().map(shared_cache_variable);
                let installed = spec::install_with(
                    &folder,
                    &place.name,
                    &kernelspec::program()?,
                    env.transpose()?.into_iter().collect(),
                    force,
                )
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

/// The environment variable by which the kernel knows a shared cache that it may trust.
fn shared_cache_variable(folder: &Path) -> Result<(String, String)> {
    let whole = loopbot_engine::check_shared_cache(folder)
        .map_err(|error| WrongUse(error.to_string()))?
        .into_os_string()
        .into_string()
        .map_err(|path| {
            let path = path.display();
            WrongUse(format!(
                "{path} is not valid Unicode, which kernel.json needs"
            ))
        })?;
    Ok((loopbot_engine::SHARED_CACHE.to_owned(), whole))
}

/// A bad name or one that is taken: other arguments mend it.
fn wrong_use(error: SpecError) -> anyhow::Error {
    match error {
        SpecError::Name(_) | SpecError::Foreign(_) => WrongUse(error.to_string()).into(),
        other => other.into(),
    }
}
