//! Lines that begin with `:`: what there is, and what each does to an engine's settings.
//!
//! One table declares them; `:help`, completion and the refusal of unknown ones are read from it. Names and meanings are
//! evcxr's wherever evcxr has them. Its settings that mean nothing here are accepted with a word on why, so that its
//! notebooks run unchanged.

/// A directive that the engine knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    Dep,
    ShowDeps,
    Vars,
    Type,
    Doc,
    Explain,
    Opt,
    Timing,
    Output,
    Env,
    Shell,
    Clear,
    Restart,
    Version,
    LastCompileDir,
    Undo,
    Checkpoint,
    Threads,
    Runtime,
    Cache,
    Help,
    /// A setting of evcxr's without a meaning here; says why.
    Pointless(&'static str),
}

/// Where `:help` lists a directive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Look,
    Crates,
    Speed,
    Session,
}

/// How a directive is written and what it does.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) known: Known,
    pub(crate) group: Group,
    pub(crate) name: &'static str,
    /// What may follow it.
    pub(crate) argument: &'static str,
    pub(crate) does: &'static str,
}

pub(crate) const TABLE: &[Entry] = &[
    Entry {
        known: Known::Vars,
        group: Group::Look,
        name: "vars",
        argument: "",
        does: "list the variables, their types, and those that were lost",
    },
    Entry {
        known: Known::Type,
        group: Group::Look,
        name: "type",
        argument: "EXPRESSION",
        does: "show the type of an expression, without running it (short: `:t`)",
    },
    Entry {
        known: Known::Doc,
        group: Group::Look,
        name: "doc",
        argument: "NAME",
        does: "show what a name of yours is, or where its documentation stands",
    },
    Entry {
        known: Known::Explain,
        group: Group::Look,
        name: "explain",
        argument: "[E0382]",
        does: "explain an error at length; alone, that of the last cell that failed",
    },
    Entry {
        known: Known::Dep,
        group: Group::Crates,
        name: "dep",
        argument: "NAME = \"1\" | NAME = { … } | PATH",
        does: "use a crate, as in Cargo.toml",
    },
    Entry {
        known: Known::ShowDeps,
        group: Group::Crates,
        name: "show_deps",
        argument: "",
        does: "list the crates that are at hand",
    },
    Entry {
        known: Known::Opt,
        group: Group::Speed,
        name: "opt",
        argument: "[0|1|2|3]",
        does: "optimise the cells that follow (0 compiles fastest, 2 runs fast)",
    },
    Entry {
        known: Known::Timing,
        group: Group::Speed,
        name: "timing",
        argument: "",
        does: "show, or stop showing, how long each cell took",
    },
    Entry {
        known: Known::Cache,
        group: Group::Speed,
        name: "cache",
        argument: "[clear|MB]",
        does: "show the cache of compiled cells, empty it, or give it a limit",
    },
    Entry {
        known: Known::Output,
        group: Group::Session,
        name: "output",
        argument: "[MIB | all]",
        does: "how much text a cell may print before the rest is left out",
    },
    Entry {
        known: Known::Undo,
        group: Group::Session,
        name: "undo",
        argument: "[NUMBER OF CELLS]",
        does: "go back to before the last cell, or several: variables, functions, types",
    },
    Entry {
        known: Known::Checkpoint,
        group: Group::Session,
        name: "checkpoint",
        argument: "[on|off]",
        does: "whether each cell begins with a copy of the process, so that a crash loses nothing",
    },
    Entry {
        known: Known::Threads,
        group: Group::Session,
        name: "threads",
        argument: "[stop]",
        does: "list threads and tasks that still run, or stop them all",
    },
    Entry {
        known: Known::Runtime,
        group: Group::Session,
        name: "runtime",
        argument: "[current_thread|multi_thread [WORKERS]]",
        does: "choose the Tokio runtime that awaits",
    },
    Entry {
        known: Known::Shell,
        group: Group::Session,
        name: "sh",
        argument: "COMMAND",
        does: "run a command of the system's shell (short: `!COMMAND`)",
    },
    Entry {
        known: Known::Env,
        group: Group::Session,
        name: "env",
        argument: "NAME=VALUE",
        does: "set an environment variable for the cells that follow",
    },
    Entry {
        known: Known::Restart,
        group: Group::Session,
        name: "restart",
        argument: "",
        does: "begin a fresh process: variables go, functions and types stay",
    },
    Entry {
        known: Known::Clear,
        group: Group::Session,
        name: "clear",
        argument: "",
        does: "forget everything and begin afresh",
    },
    Entry {
        known: Known::Version,
        group: Group::Session,
        name: "version",
        argument: "",
        does: "show the versions of the kernel and of Rust",
    },
    Entry {
        known: Known::LastCompileDir,
        group: Group::Session,
        name: "last_compile_dir",
        argument: "",
        does: "show the folder of the compiled cells",
    },
    Entry {
        known: Known::Help,
        group: Group::Session,
        name: "help",
        argument: "",
        does: "show this list",
    },
];

/// Other names of directives.
const ALIASES: &[(&str, &str)] = &[("t", "type"), ("v", "vars"), ("h", "help")];

/// Settings of evcxr's that mean nothing here, and why.
const POINTLESS: &[(&str, &str)] = &[
    (
        "allow_static_linking",
        "crates are always linked dynamically, once for all cells",
    ),
    (
        "clear_cache",
        "compiled cells are found by their text, so nothing stale is ever used",
    ),
    (
        "efmt",
        "errors that a `?` returns are always shown with `{:?}`",
    ),
    (
        "fmt",
        "values are shown with `{:?}`; for another form, `println!(\"{x:#?}\")`",
    ),
    (
        "internal_debug",
        "it speaks to the inside of another kernel",
    ),
    ("last_error_json", "`:explain` tells more about an error"),
    ("linker", "the linker is that of the Rust toolchain"),
    ("load_config", "there is no start-up file"),
    (
        "offline",
        "the network is used only where `:dep` asks for a crate that is not there yet",
    ),
    ("preserve_vars_on_panic", "variables always survive a panic"),
    (
        "quit",
        "close the notebook, or stop its kernel from the menu",
    ),
    ("sccache", "compiled cells and crates are always kept"),
    (
        "time_passes",
        "`:timing` shows how long a cell took to compile and to run",
    ),
    (
        "toolchain",
        "the kernel uses the `rustc` that it found when it started",
    ),
    (
        "types",
        "`:type EXPRESSION` shows the type of one expression",
    ),
];

/// Finds a directive by name, or says in one sentence that there is none, with the nearest that there is.
pub(crate) fn find(name: &str) -> Result<Known, String> {
    let full = ALIASES
        .iter()
        .find(|(alias, _)| *alias == name)
        .map_or(name, |(_, full)| full);
    if let Some(entry) = TABLE.iter().find(|entry| entry.name == full) {
        return Ok(entry.known);
    }
    if let Some((_, why)) = POINTLESS.iter().find(|(known, _)| *known == name) {
        return Ok(Known::Pointless(why));
    }
    let near = TABLE.iter().find(|entry| {
        name.len() > 1 && (entry.name.starts_with(name) || name.starts_with(entry.name))
    });
    let guess = near
        .map(|entry| format!("; did you mean `:{}`?", entry.name))
        .unwrap_or_default();
    Err(format!(
        "there is no directive `:{name}`{guess} (`:help` lists them all)"
    ))
}

/// The text of `:help`.
pub(crate) fn help() -> String {
    let mut text = String::from("Lines that begin with a colon speak to the kernel.\n");
    for (group, title) in [
        (Group::Look, "Look"),
        (Group::Crates, "Crates"),
        (Group::Speed, "Speed"),
        (Group::Session, "Session"),
    ] {
        text += &format!("\n{title}\n");
        for entry in TABLE.iter().filter(|entry| entry.group == group) {
            let usage = format!(":{} {}", entry.name, entry.argument);
            text += &format!("  {usage:<40} {}\n", entry.does);
        }
    }
    text + "\nEverything else is Rust. The last expression of a cell is shown; variables, functions and types live on;\n\
            `.await` and `?` work at top level. A cell is interrupted with the stop button (■).\n\
            A line such as `!ls -l` runs a command if `ls` is a program and no name of yours; anything that is Rust,\n\
            such as `!done`, stays Rust.\n"
}

/// Reads the argument of `:opt`.
pub(crate) fn optimization(argument: &str, present: &str) -> Result<&'static str, String> {
    match argument {
        "0" => Ok("0"),
        "1" => Ok("1"),
        "2" => Ok("2"),
        "3" => Ok("3"),
        "" if present == "0" => Ok("2"),
        "" => Ok("0"),
        other => Err(format!("`:opt` takes 0, 1, 2 or 3, not `{other}`")),
    }
}

/// What `:opt` answers.
pub(crate) fn optimization_text(level: &str) -> String {
    let overflow = if is_release(level) {
        ", as `cargo run --release` does: arithmetic overflow wraps silently"
    } else {
        "; arithmetic overflow panics"
    };
    format!("Cells that follow are compiled with optimisation {level}{overflow}.")
}

/// Whether cells are compiled without the checks of a debug build.
pub(crate) fn is_release(level: &str) -> bool {
    matches!(level, "2" | "3")
}

/// Reads the argument of `:env`.
pub(crate) fn variable(argument: &str) -> Result<(String, String), String> {
    match argument.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() && !argument.contains('\0') => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("`:env` needs a name and a value, for example `:env GREETING=hello`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_directive_of_evcxr_is_known_or_refused_for_a_reason() {
        // `:help` of evcxr 0.22. Another compiler, or other flags for it, cannot be had: a wrong promise would be worse.
        let refused = ["build_env", "codegen_backend"];
        for name in [
            "allow_static_linking",
            "clear",
            "clear_cache",
            "dep",
            "doc",
            "efmt",
            "env",
            "explain",
            "fmt",
            "help",
            "internal_debug",
            "last_compile_dir",
            "last_error_json",
            "linker",
            "load_config",
            "offline",
            "opt",
            "preserve_vars_on_panic",
            "quit",
            "restart",
            "sccache",
            "show_deps",
            "t",
            "time_passes",
            "timing",
            "toolchain",
            "type",
            "types",
            "vars",
            "version",
        ] {
            assert!(find(name).is_ok(), "{name}");
        }
        for name in refused {
            assert!(find(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_name_has_one_meaning() {
        let names: Vec<&str> = TABLE
            .iter()
            .map(|entry| entry.name)
            .chain(ALIASES.iter().map(|(alias, _)| *alias))
            .chain(POINTLESS.iter().map(|(name, _)| *name))
            .collect();
        let distinct: std::collections::BTreeSet<&&str> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
        assert!(ALIASES.iter().all(|(_, name)| find(name).is_ok()));
    }
}
