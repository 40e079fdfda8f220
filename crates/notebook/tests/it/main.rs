//! Tests of the notebook room, one binary. A new topic is a new module beside these; its helper is called `check`.
#![allow(clippy::unwrap_used)]

mod execute;
mod exercises;
mod files;
mod lesson;
mod model;

use loopbot_notebook::{Cell, CellKind, Notebook};
use serde_json::{Value, json};

/// A cell with tags and `loopbot` metadata.
pub(crate) fn cell(kind: CellKind, source: &str, tags: &[&str], loopbot: Value) -> Cell {
    let mut cell = Cell::new(kind, source);
    if !tags.is_empty() {
        cell.metadata.insert("tags".into(), json!(tags));
    }
    if !loopbot.is_null() {
        cell.metadata.insert("loopbot".into(), loopbot);
    }
    cell
}

/// A notebook of these cells with ids `c0`, `c1`, …
pub(crate) fn notebook(cells: Vec<Cell>) -> Notebook {
    let mut notebook = Notebook::new();
    notebook.cells = cells;
    for (index, cell) in notebook.cells.iter_mut().enumerate() {
        cell.id = Some(format!("c{index}"));
    }
    notebook
}

/// The cells of one exercise whose solution is `code`.
pub(crate) fn exercise(id: &str, code: &str) -> Vec<Cell> {
    let own = || json!({"exercise": id});
    let hidden = |title: &str, text: &str| {
        format!("<details><summary>{title}</summary>\n\n{text}\n\n</details>")
    };
    vec![
        cell(CellKind::Code, "let n = 0;", &["exercise"], own()),
        cell(CellKind::Code, "check(n)", &["check"], own()),
        cell(
            CellKind::Markdown,
            &hidden("Hint", "Count."),
            &["hint"],
            own(),
        ),
        cell(
            CellKind::Markdown,
            &hidden("Solution", &format!("```rust\n{code}\n```")),
            &["solution"],
            own(),
        ),
    ]
}
