//! `loopbot export`: lessons to web pages that need no network and no server.
//!
//! The pages' looks are the business of `loopbot-export`; this file runs what carries no outputs, writes the pages and
//! the list of lessons. One lesson that fails does not keep the others from being written.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use loopbot_notebook::{Cell, CellKind, Lesson, Notebook};

use crate::exit::Status;
use crate::{console, execution, files, lessons};

/// Turn lessons into web pages
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Notebooks [default: all lessons]; several get a page that lists them
    #[arg(value_name = "NOTEBOOK")]
    notebooks: Vec<PathBuf>,
    /// Folder for the pages
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Run every notebook first, also one that carries outputs
    #[arg(long, conflicts_with = "no_execute")]
    execute: bool,
    /// Run nothing; cells without outputs stay without
    #[arg(long)]
    no_execute: bool,
}

/// One line of the list of lessons.
struct Entry {
    lesson: Lesson,
    title: String,
    page: String,
}

impl Export {
    pub(crate) fn run(self) -> Result<Status> {
        let notebooks = lessons::named_or_all(&self.notebooks)?;
        lessons::refuse_same_names(&notebooks)?;
        std::fs::create_dir_all(&self.out)
            .with_context(|| format!("the folder {} cannot be made", self.out.display()))?;
        let mut failures = 0;
        let mut entries = Vec::new();
        for path in &notebooks {
            match self.export(path) {
                Ok((entry, passed)) => {
                    entries.push(entry);
                    failures += usize::from(!passed);
                }
                Err(error) => {
                    failures += 1;
                    console::error(console::sentence(&error));
                }
            }
        }
        if entries.len() > 1 {
            let index = self.out.join("index.html");
            files::write(&index, &page(&list(&entries), &index)?)?;
            console::result(format_args!("Open {} in a browser.", index.display()));
        }
        Ok(Status::from_failures(failures))
    }

    /// Writes the page of one notebook. Whether its cells ran as they should.
    fn export(&self, path: &Path) -> Result<(Entry, bool)> {
        let mut notebook = Notebook::read(path)?;
        let mut passed = true;
        if self.execute || !(self.no_execute || notebook.is_executed()) {
            let run = execution::run(&mut notebook, path)?;
            passed = run.report.passed();
            if !passed {
                // The page is written all the same: it shows how far the lesson came, and why not further.
                execution::tell(path, &run);
            }
        }
        let name = lessons::file_name(path).with_extension("html");
        let target = self.out.join(&name);
        files::write(&target, &page(&notebook, path)?)?;
        console::result(format_args!(
            "{} {} → {}",
            if passed { "✔" } else { "✘" },
            path.display(),
            target.display()
        ));
        let title = notebook
            .title()
            .unwrap_or_else(|| name.with_extension("").display().to_string());
        Ok((
            Entry {
                lesson: Lesson::of(&notebook),
                title,
                page: name.display().to_string(),
            },
            passed,
        ))
    }
}

/// The page of a notebook that came from `path`, with the pictures it shows from files.
fn page(notebook: &Notebook, path: &Path) -> Result<String> {
    let folder = lessons::folder_of(path);
    // A picture that is not there leaves its text; the page says so.
    let files = loopbot_export::wanted_files(notebook)
        .into_iter()
        .filter(|address| is_picture(address))
        .filter_map(|address| Some((address.clone(), std::fs::read(folder.join(&address)).ok()?)))
        .collect();
    let file_name = Some(lessons::file_name(path).display().to_string());
    let options = loopbot_export::Options {
        file_name,
        files,
        ..Default::default()
    };
    loopbot_export::page(notebook, &options).with_context(|| path.display().to_string())
}

/// A page must not carry off whatever file a foreign notebook calls a picture.
fn is_picture(address: &str) -> bool {
    let ending = Path::new(address)
        .extension()
        .map(|ending| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| {
        ["svg", "png", "jpg", "jpeg", "gif", "webp"]
            .iter()
            .any(|known| ending == *known)
    })
}

/// The list of lessons as a notebook of its own, so that it looks like the pages it leads to.
fn list(entries: &[Entry]) -> Notebook {
    let mut text = "# LoopBot\n\nA workbook on concurrency, in Rust.\n".to_owned();
    let mut part = "";
    for Entry {
        lesson,
        title,
        page,
    } in entries
    {
        if lesson.part != part {
            part = &lesson.part;
            let is_number = part.chars().all(|c| c.is_ascii_digit());
            text.push_str(&format!(
                "\n## {}{part}\n\n",
                if is_number { "Part " } else { "" }
            ));
        }
        let title: String = title
            .chars()
            .flat_map(|c| {
                ['\\', c]
                    .into_iter()
                    .skip(usize::from(!"[]\\<*_`".contains(c)))
            })
            .collect();
        text.push_str(&format!("- [{title}](<{page}>)"));
        if lesson.minutes > 0 {
            text.push_str(&format!(", {} minutes", lesson.minutes));
        }
        text.push('\n');
    }
    let mut notebook = Notebook::new();
    notebook.cells.push(Cell::new(CellKind::Markdown, text));
    notebook
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_names_parts_titles_and_minutes() {
        let entry = |part: &str, title: &str, minutes| Entry {
            lesson: Lesson {
                part: part.into(),
                minutes,
                ..Lesson::default()
            },
            title: title.into(),
            page: format!("{minutes}.html"),
        };
        let list = list(&[
            entry("1", "Why [so]", 20),
            entry("1", "Robots", 0),
            entry("The tour", "Poll", 30),
        ]);
        assert_eq!(
            list.cells[0].source,
            "# LoopBot\n\nA workbook on concurrency, in Rust.\n\n## Part 1\n\n- [Why \\[so\\]](<20.html>), 20 minutes\n\
             - [Robots](<0.html>)\n\n## The tour\n\n- [Poll](<30.html>), 30 minutes\n"
        );
    }
}
