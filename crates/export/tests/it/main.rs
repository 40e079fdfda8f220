//! Tests of the export room, one binary. A new topic is a new module; what a page shows is compared with a snapshot.
#![allow(clippy::unwrap_used)]

mod hostile;
mod options;
mod shown;

use loopbot_export::{Options, page};
use loopbot_notebook::{Cell, CellKind, Notebook, Output, OutputKind, StreamName};
use serde_json::{Map, Value, json};

/// A notebook of these cells.
pub(crate) fn notebook(cells: Vec<Cell>) -> Notebook {
    let mut notebook = Notebook::new();
    notebook.cells = cells;
    notebook
}

pub(crate) fn text(source: &str) -> Cell {
    Cell::new(CellKind::Markdown, source)
}

/// A code cell that ran and left these outputs.
pub(crate) fn code(source: &str, outputs: Vec<Output>) -> Cell {
    let mut cell = Cell::new(CellKind::Code, source);
    cell.execution_count = Some(1);
    cell.outputs = outputs;
    cell
}

pub(crate) fn tagged(mut cell: Cell, tags: &[&str], loopbot: Value) -> Cell {
    cell.metadata.insert("tags".into(), json!(tags));
    cell.metadata.insert("loopbot".into(), loopbot);
    cell
}

pub(crate) fn stream(name: &str, text: &str) -> Output {
    let (name, text) = (StreamName::from(name), text.to_owned());
    OutputKind::Stream { name, text }.into()
}

/// Something shown, from `{MIME type: value}`.
pub(crate) fn shown(data: Value) -> Output {
    let data = data.as_object().unwrap().clone();
    let metadata = Map::new();
    OutputKind::Display { data, metadata }.into()
}

/// The page's own part of a notebook: between the head and the end of `<main>`.
pub(crate) fn body(notebook: &Notebook) -> String {
    let html = page(notebook, &Options::default()).unwrap();
    let (_, body) = html.split_once("</header>\n").unwrap();
    let (body, _) = body.split_once("</main>").unwrap();
    body.to_owned()
}

/// The outputs that a page shows of one cell.
pub(crate) fn outputs(outputs: Vec<Output>) -> String {
    let html = body(&notebook(vec![code("x", outputs)]));
    let (_, html) = html.split_once("</div>\n").unwrap();
    html.trim_end().trim_end_matches("</div>").to_owned()
}
