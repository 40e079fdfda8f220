//! Lines that begin with `:`: what there is, and what each does to an engine's settings.
//!
//! One table declares them; `:help`, completion and the refusal of unknown ones are read from it. Names are evcxr's.

/// A directive that the engine knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    Dep,
    Vars,
    Type,
    Opt,
    Timing,
    Output,
    Clear,
    Undo,
    Checkpoint,
    Threads,
    Runtime,
    Cache,
    Help,
}

/// How a directive is written and what it does.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) known: Known,
    pub(crate) name: &'static str,
    /// What may follow it.
    pub(crate) argument: &'static str,
    pub(crate) does: &'static str,
}

pub(crate) const TABLE: [Entry; 13] = [
    Entry {
        known: Known::Dep,
        name: "dep",
        argument: "NAME = \"1\" | NAME = { … } | PATH",
        does: "use a crate, as in Cargo.toml",
    },
    Entry {
        known: Known::Vars,
        name: "vars",
        argument: "",
        does: "list the variables and their types",
    },
    Entry {
        known: Known::Type,
        name: "type",
        argument: "EXPRESSION",
        does: "show the type of an expression, without running it",
    },
    Entry {
        known: Known::Opt,
        name: "opt",
        argument: "[0|1|2|3]",
        does: "optimise the cells that follow (0 compiles fastest, 2 runs fast)",
    },
    Entry {
        known: Known::Timing,
        name: "timing",
        argument: "",
        does: "show, or stop showing, how long each cell took",
    },
    Entry {
        known: Known::Output,
        name: "output",
        argument: "[MIB | all]",
        does: "how much text a cell may print before the rest is left out",
    },
    Entry {
        known: Known::Clear,
        name: "clear",
        argument: "",
        does: "forget everything and begin afresh",
    },
    Entry {
        known: Known::Undo,
        name: "undo",
        argument: "[NUMBER OF CELLS]",
        does: "go back to before the last cell, or several: variables, functions, types",
    },
    Entry {
        known: Known::Checkpoint,
        name: "checkpoint",
        argument: "[on|off]",
        does: "whether each cell begins with a copy of the process, so that a crash loses nothing",
    },
    Entry {
        known: Known::Threads,
        name: "threads",
        argument: "[stop]",
        does: "list threads and tasks that still run, or stop them all",
    },
    Entry {
        known: Known::Runtime,
        name: "runtime",
        argument: "[current_thread|multi_thread [WORKERS]]",
        does: "choose the Tokio runtime that awaits",
    },
    Entry {
        known: Known::Cache,
        name: "cache",
        argument: "[clear|MB]",
        does: "show the cache of compiled cells, empty it, or give it a limit",
    },
    Entry {
        known: Known::Help,
        name: "help",
        argument: "",
        does: "show this list",
    },
];

/// Finds a directive by name, or says in one sentence that there is none, with the nearest that there is.
pub(crate) fn find(name: &str) -> Result<Known, String> {
    if let Some(entry) = TABLE.iter().find(|entry| entry.name == name) {
        return Ok(entry.known);
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
    let mut text = String::from("Lines that begin with a colon speak to the kernel:\n\n");
    for entry in &TABLE {
        let usage = format!(":{} {}", entry.name, entry.argument);
        text += &format!("  {usage:<48} {}\n", entry.does);
    }
    text + "\nEverything else is Rust. The last expression of a cell is shown; variables, functions and types live on;\n`.await` and `?` work at top level. A cell is interrupted with the stop button (■).\n"
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
