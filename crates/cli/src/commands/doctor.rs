//! `loopbot doctor`: what is installed, what is missing, and the command that mends it.
//!
//! It looks and reports; it changes nothing.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;
use clap::Args;

use crate::exit::Status;
use crate::python_side::{self, PythonSide, State};
use crate::{console, folders, invocation, kernelspec};

/// Say what is installed, what is missing, and how to mend it
#[derive(Debug, Args)]
pub(crate) struct Doctor {}

/// One line of the table.
struct Finding {
    what: &'static str,
    /// What was found, or what is wrong.
    state: Result<String, String>,
    /// What to do when it is wrong.
    mend: String,
}

impl Doctor {
    pub(crate) fn run(self) -> Result<Status> {
        let data = folders::data()?;
        let python = PythonSide::locate(&data)?;
        let config = loopbot_engine::Config::from_env()?;
        let lab = invocation::command("lab");
        let mut findings = vec![
            tool("rustc"),
            tool("cargo"),
            linker(),
            Finding {
                what: "python3",
                state: python_side::find()
                    .map(|found| {
                        format!(
                            "{}.{} at {}, with venv",
                            found.version.0,
                            found.version.1,
                            found.program.display()
                        )
                    })
                    .map_err(|why| why.to_string()),
                mend: String::new(),
            },
            Finding {
                what: "JupyterLab",
                state: match python.state() {
                    State::Ready => Ok(format!("ready in {}", python.folder().display())),
                    State::Missing => Err("not set up yet".into()),
                    State::Unfinished => Err("its set-up was interrupted".into()),
                    State::Stale => Err("the Python it was made from has changed".into()),
                },
                mend: format!("`{lab}` sets it up"),
            },
            private_kernelspec(&data, &lab),
            libraries(&config, &lab),
        ];
        findings.extend(shared_cache(&config));
        let mut missing = 0;
        for finding in &findings {
            match &finding.state {
                Ok(state) => console::result(format_args!("✔ {:<17} {state}", finding.what)),
                Err(why) => {
                    missing += 1;
                    let mend = if finding.mend.is_empty() {
                        String::new()
                    } else {
                        format!("; {}", finding.mend)
                    };
                    console::result(format_args!("✘ {:<17} {why}{mend}", finding.what));
                }
            }
        }
        let size = size(&config.cache).div_ceil(1 << 20);
        console::result(format_args!(
            "  {:<17} {size} MB in {} (safe to remove)",
            "cache",
            config.cache.display()
        ));
        console::result(match missing {
            0 => "Everything is there.".to_owned(),
            1 => "One thing is missing.".to_owned(),
            many => format!("{many} things are missing."),
        });
        Ok(Status::from_failures(missing))
    }
}

/// A program of the Rust toolchain, new enough for the lessons.
fn tool(name: &'static str) -> Finding {
    let needed = env!("CARGO_PKG_RUST_VERSION");
    let state = match first_line(Command::new(name).arg("--version")) {
        None => Err("not found".to_owned()),
        Some(said) => {
            let version = said
                .split_whitespace()
                .nth(1)
                .unwrap_or_default()
                .to_owned();
            if numbers(&version) >= numbers(needed) {
                Ok(version)
            } else {
                Err(format!("{version} is older than {needed}"))
            }
        }
    };
    let mend = if name_is_known("rustup") {
        "run `rustup update stable`"
    } else {
        "install Rust with rustup, see rustup.rs"
    };
    Finding {
        what: name,
        state,
        mend: mend.into(),
    }
}

/// rustc calls the C compiler to link; without it every cell fails.
fn linker() -> Finding {
    let state = first_line(Command::new("cc").arg("--version"))
        .ok_or_else(|| "no `cc` found, which rustc links with".to_owned());
    let mend = if cfg!(target_os = "macos") {
        "run `xcode-select --install`"
    } else {
        "run `sudo apt install gcc libc6-dev`"
    };
    Finding {
        what: "linker",
        state,
        mend: mend.into(),
    }
}

fn private_kernelspec(data: &Path, lab: &str) -> Finding {
    let folder = kernelspec::folder(data).join(kernelspec::NAME);
    let state = if loopbot_kernel::spec::is_ours(&folder) {
        Ok(format!("`{}` in {}", kernelspec::NAME, folder.display()))
    } else {
        Err("not registered yet".to_owned())
    };
    Finding {
        what: "Rust kernel",
        state,
        mend: format!("`{lab}` registers it"),
    }
}

fn libraries(config: &loopbot_engine::Config, lab: &str) -> Finding {
    let state = match loopbot_engine::is_prepared(config) {
        Ok(true) => Ok("built".to_owned()),
        Ok(false) => Err("not built yet".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    Finding {
        what: "lesson libraries",
        state,
        mend: format!("`{lab}` builds them"),
    }
}

/// Only somebody who has named a shared cache hears of it.
fn shared_cache(config: &loopbot_engine::Config) -> Option<Finding> {
    let folder = config.shared_cache.as_deref()?;
    Some(Finding {
        what: "shared cache",
        state: loopbot_engine::check_shared_cache(folder)
            .map(|folder| format!("{} (only read)", folder.display()))
            .map_err(|error| error.to_string()),
        mend: format!(
            "until then, or without {}, LoopBot uses your own",
            loopbot_engine::SHARED_CACHE
        ),
    })
}

fn name_is_known(program: &str) -> bool {
    first_line(Command::new(program).arg("--version")).is_some()
}

/// The first line a program prints, if it can be started and succeeds.
fn first_line(command: &mut Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output
        .status
        .success()
        .then(|| text.lines().next().map(str::to_owned))
        .flatten()
}

/// `1.95.0-nightly` as numbers that compare.
fn numbers(version: &str) -> Vec<u32> {
    version
        .split('-')
        .next()
        .unwrap_or_default()
        .split('.')
        .map_while(|part| part.parse().ok())
        .collect()
}

/// Bytes of the files under `folder`. What cannot be read counts as nothing; links are not followed.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let facts = entry.metadata().ok()?;
            Some(if facts.is_dir() {
                size(&entry.path())
            } else {
                facts.len()
            })
        })
        .sum()
}

#[cfg(test)]
mod tests {
    #[test]
    fn versions_compare_as_numbers() {
        assert!(super::numbers("1.100.0") > super::numbers("1.90"));
        assert!(super::numbers("1.89.0-nightly") < super::numbers("1.90"));
        assert!(super::numbers("1.90.0") >= super::numbers("1.90"));
    }
}
