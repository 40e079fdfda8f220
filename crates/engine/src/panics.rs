//! Panics in the learner's terms: which cell, which line, drawn like a compiler message.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use loopbot_runtime::wire::Report;

use crate::event::Position;
use crate::generate::{FileMap, Generated, Mapped};

/// The loaded cells by the names of their files, to translate places that running code reports.
#[derive(Debug, Clone, Default)]
pub(crate) struct LoadedCells(Arc<Mutex<HashMap<String, LoadedFile>>>);

#[derive(Debug, Clone)]
struct LoadedFile {
    map: FileMap,
    number: usize,
}

/// A panic, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DrawnPanic {
    pub(crate) message: String,
    /// Lines with ANSI colours.
    pub(crate) report: String,
    /// Where, if it was in the cell with this number.
    pub(crate) position: Option<(usize, Position)>,
}

impl LoadedCells {
    /// Notes the files of a cell that is about to run for the `number`th time.
    pub(crate) fn register(&self, crate_name: &str, generated: &Generated, number: usize) {
        if let Ok(mut files) = self.0.lock() {
            for file in &generated.files {
                let number = file.map.cell.unwrap_or(number);
                files.insert(
                    format!("{crate_name}/{}", file.name),
                    LoadedFile {
                        map: file.map.clone(),
                        number,
                    },
                );
            }
        }
    }

    /// The cell and the line in it that a line of a generated file stands for.
    pub(crate) fn line(&self, file: &str, line: usize) -> Option<(usize, usize)> {
        let files = self.0.lock().ok()?;
        let loaded = files.get(file)?;
        match loaded.map.locate(line, 1) {
            Mapped::Learner(line, _) => Some((loaded.number, line)),
            Mapped::Generated(_) => None,
        }
    }

    /// Draws a panic that the child reported.
    pub(crate) fn draw(&self, report: &Report) -> DrawnPanic {
        let Report::Panicked {
            on_cell_thread,
            thread,
            file,
            line,
            column,
            message,
        } = report
        else {
            return DrawnPanic {
                message: String::new(),
                report: String::new(),
                position: None,
            };
        };
        let place = self
            .0
            .lock()
            .ok()
            .and_then(|files| files.get(file.as_str()).cloned());
        let who = match thread.as_str() {
            _ if *on_cell_thread => "the cell panicked".to_owned(),
            "" | "<unnamed>" => "a thread panicked".to_owned(),
            name if name.starts_with("tokio-r") => "a Tokio task panicked".to_owned(),
            name => format!("thread `{name}` panicked"),
        };
        let title = format!("{who}: {message}");
        let mut group = Group::with_title(Level::ERROR.primary_title(title.as_str()));
        let mut position = None;
        let path;
        if let Some(LoadedFile { map, number }) = &place {
            if let Mapped::Learner(line, column) = map.locate(*line as usize, *column as usize) {
                position = Some((*number, Position { line, column }));
                path = format!("cell [{number}]");
                group = group.element(
                    Snippet::source(&*map.source)
                        .path(path.as_str())
                        .fold(true)
                        .annotation(
                            AnnotationKind::Primary
                                .span(word_at(&map.source, line, column))
                                .label("here"),
                        ),
                );
            }
        } else if !file.is_empty() {
            path = format!(
                "in {}, line {line}: code that the cell called",
                short_path(file)
            );
            group = group.element(Level::NOTE.message(path.as_str()));
        }
        let report = Renderer::styled()
            .decor_style(DecorStyle::Ascii)
            .render(&[group])
            .to_string();
        DrawnPanic {
            message: message.clone(),
            report,
            position,
        }
    }
}

/// The last parts of a path: enough to recognise a crate and a file.
pub(crate) fn short_path(file: &str) -> String {
    // A module of the learner's own stands beside the generated files.
    let own = file
        .strip_prefix("cell_")
        .and_then(|rest| rest.split_once('/'));
    let file = own.map_or(file, |(_, name)| name).trim_start_matches("./");
    let parts: Vec<&str> = file.split('/').collect();
    parts[parts.len().saturating_sub(4)..].join("/")
}

/// The bytes of the expression-like word at a place: a panic names only where it begins.
fn word_at(source: &str, line: usize, column: usize) -> std::ops::Range<usize> {
    let start: usize = source
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    let text = source[start..].split('\n').next().unwrap_or_default();
    let at = text
        .char_indices()
        .nth(column - 1)
        .map_or(text.len(), |(at, _)| at);
    let rest = &text[at..];
    let length = rest
        .find(|character: char| !(character.is_alphanumeric() || "_!.".contains(character)))
        .unwrap_or(rest.len())
        .max(rest.chars().next().map_or(0, char::len_utf8));
    start + at..start + at + length
}
