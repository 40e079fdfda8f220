//! `loopbot check`: what a maintainer runs before committing lessons.
//!
//! It changes no file. Each finding is one line with file, cell and what to do; none means that the lessons keep what
//! the course promises.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use loopbot_notebook::{
    CellKind, Fault, Finding, Lesson, Notebook, findings, verdict_findings, with_solutions,
};

use crate::exit::Status;
use crate::{console, execution, lessons};

/// Check that lessons run, exercises work and nothing is missing
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Notebooks [default: all lessons]
    #[arg(value_name = "NOTEBOOK")]
    notebooks: Vec<PathBuf>,
}

/// "Read on" points to a few good places, not to everything.
const MOST_LINKS: usize = 3;

impl Check {
    pub(crate) fn run(self) -> Result<Status> {
        let notebooks = lessons::named_or_all(&self.notebooks)?;
        let mut total = 0;
        for path in &notebooks {
            let started = Instant::now();
            let found = check(path).unwrap_or_else(|error| vec![console::sentence(&error)]);
            for finding in &found {
                console::result(format_args!("✘ {finding}"));
            }
            if found.is_empty() {
                let seconds = started.elapsed().as_secs_f32();
                console::result(format_args!(
                    "✔ {}: run twice in {seconds:.1} s",
                    path.display()
                ));
            }
            total += found.len();
        }
        console::result(match (total, notebooks.len()) {
            (0, 1) => "The notebook keeps its promises.".to_owned(),
            (0, count) => format!("All {count} notebooks keep their promises."),
            (1, _) => "One finding.".to_owned(),
            (count, _) => format!("{count} findings."),
        });
        Ok(Status::from_failures(total))
    }
}

/// The findings of one notebook, each a full line.
fn check(path: &Path) -> Result<Vec<String>> {
    let shipped = Notebook::read(path)?;
    let mut found = findings(&shipped);
    found.extend(reading_list(&shipped));
    found.extend(missing_lessons(&shipped, path));
    let mut lines = worded(path, "", found);

    let mut executed = shipped.clone();
    let run = execution::run(&mut executed, path)?;
    let mut found = faults(&run);
    if run.report.passed() {
        found.extend(verdict_findings(&executed, false));
        found.extend(no_picture(&executed));
    }
    lines.extend(worded(path, "", found));

    // A solution that is missing is a finding already.
    if let Ok(mut solved) = with_solutions(&shipped) {
        let run = execution::run(&mut solved, path)?;
        let mut found = faults(&run);
        if run.report.passed() {
            found.extend(verdict_findings(&solved, true));
        }
        lines.extend(worded(path, "with the solutions in place: ", found));
    }
    // What fails in both runs need not be told twice.
    let mut told: Vec<String> = Vec::new();
    lines.retain(|line| {
        let plain = line.replace("with the solutions in place: ", "");
        let is_new = !told.contains(&plain);
        told.push(plain);
        is_new
    });
    Ok(lines)
}

fn worded(path: &Path, when: &str, found: Vec<Finding>) -> Vec<String> {
    found
        .into_iter()
        .map(|Finding { cell, text }| {
            let cell = cell
                .map(|index| format!("cell {}: ", index + 1))
                .unwrap_or_default();
            format!("{}: {cell}{when}{text}", path.display())
        })
        .collect()
}

fn faults(run: &execution::Run) -> Vec<Finding> {
    run.report
        .faults()
        .map(|(index, fault)| {
            let next = match fault {
                Fault::Failed(_) | Fault::TookTooLong(_) => {
                    "open the lesson and run it up to this cell"
                }
                _ => "correct the cell, or its tag `raises-exception` and `loopbot.error_code`",
            };
            Finding {
                cell: Some(index),
                text: format!("{fault}; {next}"),
            }
        })
        .collect()
}

/// More links after "Read on" than a reader will follow.
fn reading_list(notebook: &Notebook) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, cell) in notebook.cells.iter().enumerate() {
        if cell.kind != CellKind::Markdown {
            continue;
        }
        let list: Vec<&str> = cell
            .source
            .lines()
            .skip_while(|line| !opens_reading_list(line))
            .collect();
        let links = list
            .iter()
            .map(|line| line.matches("](").count() + line.matches("<http").count())
            .sum::<usize>();
        if links > MOST_LINKS {
            let text = format!("\"Read on\" has {links} links; keep the best {MOST_LINKS}");
            found.push(Finding {
                cell: Some(index),
                text,
            });
        }
    }
    found
}

/// A heading or bold words `Read on`; in the middle of a sentence they open nothing.
fn opens_reading_list(line: &str) -> bool {
    let words = line.trim_start_matches(['#', '*', ' ']);
    let rest = words.strip_prefix("Read on");
    line.starts_with(['#', '*'])
        && rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// Lessons named under `needs` that are not there.
fn missing_lessons(notebook: &Notebook, path: &Path) -> Vec<Finding> {
    let folder = lessons::folder_of(path);
    Lesson::of(notebook)
        .needs
        .into_iter()
        .filter(|name| !folder.join(format!("{name}.ipynb")).is_file())
        .map(|name| Finding {
            cell: None,
            text: format!("`loopbot.needs` names `{name}`, but there is no {name}.ipynb beside it; correct the name"),
        })
        .collect()
}

/// Every lesson draws something that it has computed.
fn no_picture(executed: &Notebook) -> Option<Finding> {
    let is_picture = |mime: &String| mime.starts_with("image/");
    let mut outputs = executed.cells.iter().flat_map(|cell| &cell.outputs);
    let has_one = outputs.any(|output| {
        output
            .data()
            .is_some_and(|data| data.keys().any(is_picture))
    });
    (!has_one).then(|| Finding {
        cell: None,
        text: "no cell shows a picture; a lesson draws at least one from what it measured".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use loopbot_notebook::Cell;

    #[test]
    fn links_count_only_after_read_on() {
        let check = |text: &str, expected: usize| {
            let mut notebook = Notebook::new();
            notebook.cells.push(Cell::new(CellKind::Markdown, text));
            assert_eq!(reading_list(&notebook).len(), expected, "{text}");
        };
        check(
            "[a](1) [b](2)\n\n## Read on\n- [c](3)\n- [d](4)\n- <https://e>",
            0,
        );
        check("## Read on\n- [a](1)\n- [b](2)\n- [c](3)\n- [d](4)", 1);
        check("**Read on**: [a](1) [b](2) [c](3) [d](4)", 1);
        check("Read on: [a](1) [b](2) [c](3) [d](4)", 0);
        check("## Read once: [a](1) [b](2) [c](3) [d](4)", 0);
    }
}
