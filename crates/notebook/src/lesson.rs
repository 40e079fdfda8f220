//! What makes a notebook a lesson of this course, and what a given one lacks. Pure: runs nothing, reads no file.

use std::collections::HashSet;

use serde_json::Value;

use crate::{CellKind, Notebook, exercises, solution_code};

/// The `loopbot` metadata of a lesson.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lesson {
    pub title: String,
    pub part: String,
    /// Minutes it takes to teach.
    pub minutes: u64,
    /// Names of the lessons that should come before.
    pub needs: Vec<String>,
    /// The section of the source that it retells.
    pub source: String,
    /// What the reader can do afterwards.
    pub goals: Vec<String>,
}

/// Something that a lesson lacks or has too much of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Index of the cell it is about; `None` when it is about the notebook.
    pub cell: Option<usize>,
    /// One sentence that says what is the matter.
    pub text: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.cell {
            Some(index) => write!(f, "cell {}: {}", index + 1, self.text),
            None => f.write_str(&self.text),
        }
    }
}

impl Lesson {
    /// The metadata as far as it is there; what is missing is empty or 0.
    pub fn of(notebook: &Notebook) -> Lesson {
        let text = |name: &str| match notebook.loopbot(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let list = |name: &str| -> Vec<String> {
            let values = notebook.loopbot(name).and_then(Value::as_array);
            let texts = values.into_iter().flatten().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        };
        let minutes = notebook.loopbot("minutes").and_then(Value::as_u64);
        Lesson {
            title: text("title"),
            part: text("part"),
            minutes: minutes.unwrap_or(0),
            needs: list("needs"),
            source: text("source"),
            goals: list("goals"),
        }
    }
}

/// What `notebook`, as shipped, lacks to be a lesson: metadata, ids, stripped outputs, whole exercises, stated error
/// codes. Empty when all is well. What only a run can tell is judged by [`crate::verdict_findings`].
pub fn findings(notebook: &Notebook) -> Vec<Finding> {
    let mut found = Findings(Vec::new());
    found.of_metadata(notebook);
    found.of_cells(notebook);
    found.of_exercises(notebook);
    found.0
}

struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, cell: Option<usize>, text: impl Into<String>) {
        let text = text.into();
        self.0.push(Finding { cell, text });
    }

    fn of_metadata(&mut self, notebook: &Notebook) {
        let lesson = Lesson::of(notebook);
        let texts = [
            ("title", lesson.title.is_empty()),
            ("part", lesson.part.is_empty()),
            ("source", lesson.source.is_empty()),
        ];
        for (name, is_missing) in texts {
            if is_missing {
                self.add(None, format!("the metadata lacks `loopbot.{name}`"));
            }
        }
        if lesson.minutes == 0 {
            self.add(
                None,
                "the metadata lacks `loopbot.minutes` (a whole number)",
            );
        }
        if lesson.goals.is_empty() {
            self.add(None, "the metadata lacks `loopbot.goals` (a list of texts)");
        }
        if !notebook.loopbot("needs").is_some_and(Value::is_array) {
            self.add(
                None,
                "the metadata lacks `loopbot.needs` (a list; empty when it needs none)",
            );
        }
        let kernel = notebook.metadata.get("kernelspec");
        let kernel = kernel.and_then(|spec| spec.get("name")?.as_str());
        if kernel != Some("rust") {
            self.add(None, "the kernelspec's name must be `rust`");
        }
        if notebook.minor < 5 {
            let minor = notebook.minor;
            self.add(None, format!("the format is 4.{minor}; lessons are 4.5"));
        }
    }

    fn of_cells(&mut self, notebook: &Notebook) {
        let mut ids = HashSet::new();
        for (index, cell) in notebook.cells.iter().enumerate() {
            let at = Some(index);
            match &cell.id {
                None if notebook.minor >= 5 => self.add(at, "it has no id"),
                Some(id) if !ids.insert(id) => {
                    self.add(at, format!("its id `{id}` is taken by another cell"));
                }
                _ => {}
            }
            if cell.was_run() {
                self.add(at, "it carries outputs of a run; strip them");
            }
            for tag in ["exercise", "check", "hint", "solution"] {
                if cell.has_tag(tag) && cell.exercise().is_none() {
                    self.add(
                        at,
                        format!("it is tagged `{tag}` but names no exercise (`loopbot.exercise`)"),
                    );
                }
            }
            for tag in ["hint", "solution", "teacher-note"] {
                if !cell.has_tag(tag) {
                    continue;
                }
                if cell.kind != CellKind::Markdown {
                    self.add(at, format!("a cell tagged `{tag}` must be Markdown"));
                } else if !cell.source.contains("<details>") {
                    self.add(
                        at,
                        format!("a cell tagged `{tag}` must hide its text in <details>"),
                    );
                }
            }
            for tag in ["exercise", "check"] {
                if cell.has_tag(tag) && !cell.is_code() {
                    self.add(at, format!("a cell tagged `{tag}` must be code"));
                }
            }
            if cell.expects_error() && cell.expected_codes().is_empty() {
                self.add(
                    at,
                    "it is meant to fail but does not say how (`loopbot.error_code`)",
                );
            }
            if !cell.expects_error() && !cell.expected_codes().is_empty() {
                self.add(
                    at,
                    "it names an error code but is not tagged `raises-exception`",
                );
            }
        }
    }

    fn of_exercises(&mut self, notebook: &Notebook) {
        let exercises = exercises(notebook);
        if exercises.len() < 2 {
            let count = exercises.len();
            self.add(
                None,
                format!("it has {count} exercises; a lesson has two at least"),
            );
        }
        for exercise in exercises {
            let id = &exercise.id;
            let parts = [
                ("exercise", exercise.task),
                ("check", exercise.check),
                ("hint", exercise.hints.first().copied()),
                ("solution", exercise.solution),
            ];
            for (tag, cell) in parts {
                if cell.is_none() {
                    self.add(None, format!("exercise `{id}` has no cell tagged `{tag}`"));
                }
            }
            for &index in &exercise.surplus {
                self.add(
                    Some(index),
                    format!("exercise `{id}` has such a cell already"),
                );
            }
            if let Some(index) = exercise.solution
                && let Err(error) = solution_code(&notebook.cells[index].source)
            {
                self.add(Some(index), error.to_string());
            }
        }
    }
}
