//! The notebook as data: cells, outputs, metadata. Knows no file, no JSON text and no way to run anything.
//!
//! What this program does not know (fields of other tools, whatever metadata) is kept and written back.

use serde_json::{Map, Value};

use crate::Problem;

/// A notebook of format 4.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Notebook {
    /// The notebook's own metadata: kernelspec, language, `loopbot`, and whatever other tools put there.
    pub metadata: Map<String, Value>,
    /// All cells, in order.
    pub cells: Vec<Cell>,
    /// The `5` of format 4.5. From 5 on every cell has an id.
    pub minor: i64,
    /// Fields of the file that this program does not know.
    pub(crate) unknown: Map<String, Value>,
}

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    pub kind: CellKind,
    /// Unique in the notebook; formats before 4.5 have none.
    pub id: Option<String>,
    pub metadata: Map<String, Value>,
    /// The whole text, lines joined.
    pub source: String,
    /// Pictures that a Markdown cell carries with it: file name to MIME bundle.
    pub attachments: Option<Map<String, Value>>,
    /// What the last run printed and showed; only code cells have any.
    pub outputs: Vec<Output>,
    /// The `3` of `In [3]`; `None` when the cell was not run since it was stripped.
    pub execution_count: Option<i64>,
    pub(crate) unknown: Map<String, Value>,
}

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CellKind {
    Code,
    Markdown,
    Raw,
}

/// One output of a code cell, with the fields that this program does not know.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    pub kind: OutputKind,
    pub(crate) unknown: Map<String, Value>,
}

/// The four kinds of output of the format, and whatever else a file holds.
#[derive(Debug, Clone, PartialEq)]
pub enum OutputKind {
    /// Printed text, raw: carriage returns, backspaces and colours as they were printed (see [`crate::as_seen`]).
    Stream { name: StreamName, text: String },
    /// Something shown. Text types hold their text joined to one string, JSON types hold JSON, the others base64.
    Display {
        data: Map<String, Value>,
        metadata: Map<String, Value>,
    },
    /// The value of the cell's last expression.
    Result {
        execution_count: Option<i64>,
        data: Map<String, Value>,
        metadata: Map<String, Value>,
    },
    /// Why the cell stopped. The traceback carries ANSI colours.
    Error {
        name: String,
        value: String,
        traceback: Vec<String>,
    },
    /// A kind that the format does not name; kept as it is.
    Other(Value),
}

/// Which of the two streams a text was printed to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StreamName {
    Stdout,
    Stderr,
    /// Other names are allowed by the format.
    Other(String),
}

impl StreamName {
    /// The name as the file has it.
    pub fn as_str(&self) -> &str {
        match self {
            StreamName::Stdout => "stdout",
            StreamName::Stderr => "stderr",
            StreamName::Other(name) => name,
        }
    }
}

impl From<&str> for StreamName {
    fn from(name: &str) -> StreamName {
        match name {
            "stdout" => StreamName::Stdout,
            "stderr" => StreamName::Stderr,
            other => StreamName::Other(other.to_owned()),
        }
    }
}

impl From<OutputKind> for Output {
    fn from(kind: OutputKind) -> Output {
        Output {
            kind,
            unknown: Map::new(),
        }
    }
}

impl Output {
    /// The MIME bundle of a display or a result.
    pub fn data(&self) -> Option<&Map<String, Value>> {
        match &self.kind {
            OutputKind::Display { data, .. } | OutputKind::Result { data, .. } => Some(data),
            _ => None,
        }
    }
}

impl Cell {
    /// A new cell of this kind and text, without id and metadata.
    pub fn new(kind: CellKind, source: impl Into<String>) -> Cell {
        Cell {
            kind,
            id: None,
            metadata: Map::new(),
            source: source.into(),
            attachments: None,
            outputs: Vec::new(),
            execution_count: None,
            unknown: Map::new(),
        }
    }

    /// Whether this is a code cell.
    pub fn is_code(&self) -> bool {
        self.kind == CellKind::Code
    }

    /// The tags of the cell, in order.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        let tags = self.metadata.get("tags").and_then(Value::as_array);
        tags.into_iter().flatten().filter_map(Value::as_str)
    }

    /// Whether the cell carries this tag.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags().any(|own| own == tag)
    }

    /// A field of the cell's `loopbot` metadata.
    pub fn loopbot(&self, field: &str) -> Option<&Value> {
        self.metadata.get("loopbot")?.get(field)
    }

    /// The exercise this cell belongs to.
    pub fn exercise(&self) -> Option<&str> {
        self.loopbot("exercise")?.as_str()
    }

    /// Whether the cell is meant to fail: a compile error that a lesson is about.
    pub fn expects_error(&self) -> bool {
        self.has_tag("raises-exception")
    }

    /// The error codes that a cell meant to fail must fail with (`E0382`); empty when any failure will do.
    pub fn expected_codes(&self) -> Vec<&str> {
        match self.loopbot("error_code") {
            Some(Value::String(code)) => vec![code],
            Some(Value::Array(codes)) => codes.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether a run has anything to do here: a code cell with text, not tagged `skip-execution`.
    pub fn is_runnable(&self) -> bool {
        self.is_code() && !self.source.trim().is_empty() && !self.has_tag("skip-execution")
    }

    /// Whether the cell shows traces of a run.
    pub fn was_run(&self) -> bool {
        self.execution_count.is_some() || !self.outputs.is_empty()
    }

    /// One file of the cell's attachments: its MIME type and its base64 text (or text, for SVG).
    pub fn attachment(&self, name: &str) -> Option<(&str, &str)> {
        let bundle = self.attachments.as_ref()?.get(name)?.as_object()?;
        let (mime, data) = bundle.iter().next()?;
        Some((mime, data.as_str()?))
    }
}

impl Notebook {
    /// An empty lesson for the Rust kernel.
    pub fn new() -> Notebook {
        let kernelspec =
            serde_json::json!({"display_name": "Rust", "language": "rust", "name": "rust"});
        let mut metadata = Map::new();
        metadata.insert("kernelspec".to_owned(), kernelspec);
        Notebook {
            metadata,
            minor: 5,
            ..Notebook::default()
        }
    }

    /// A field of the notebook's `loopbot` metadata.
    pub fn loopbot(&self, field: &str) -> Option<&Value> {
        self.metadata.get("loopbot")?.get(field)
    }

    /// The programming language, lower case, where the notebook names one.
    pub fn language(&self) -> Option<String> {
        let kernel = || self.metadata.get("kernelspec")?.get("language")?.as_str();
        let info = || self.metadata.get("language_info")?.get("name")?.as_str();
        kernel().or_else(info).map(str::to_lowercase)
    }

    /// Refuses a notebook for another language by name. One that names no language is taken for Rust.
    pub fn require_rust(&self) -> Result<(), Problem> {
        match self.language() {
            Some(language) if language != "rust" => Err(Problem::OtherLanguage { language }),
            _ => Ok(()),
        }
    }

    /// The human language of the text, as a tag such as `en` or `fa`: `lang` of the `loopbot` metadata, else `en`.
    pub fn human_language(&self) -> &str {
        let named = self.loopbot("lang").and_then(Value::as_str);
        named.filter(|tag| !tag.is_empty()).unwrap_or("en")
    }

    /// The title: from the metadata, else the first heading of the first level, else the first heading of any.
    pub fn title(&self) -> Option<String> {
        if let Some(title) = self.loopbot("title").and_then(Value::as_str) {
            return Some(title.to_owned());
        }
        if let Some(title) = self.metadata.get("title").and_then(Value::as_str) {
            return Some(title.to_owned());
        }
        let headings = || {
            let markdown = self.cells.iter().filter(|c| c.kind == CellKind::Markdown);
            markdown.flat_map(|cell| headings(&cell.source))
        };
        let first = headings().find(|(level, _)| *level == 1);
        first.or_else(|| headings().next()).map(|(_, text)| text)
    }

    /// Whether every cell that a run would run shows traces of a run. False for a notebook with no such cell.
    pub fn is_executed(&self) -> bool {
        let mut runnable = self
            .cells
            .iter()
            .filter(|cell| cell.is_runnable())
            .peekable();
        runnable.peek().is_some() && runnable.all(Cell::was_run)
    }

    /// Removes what runs left behind: outputs, execution counts, and the times that Jupyter notes in the metadata.
    pub fn strip_outputs(&mut self) {
        for cell in &mut self.cells {
            cell.outputs.clear();
            cell.execution_count = None;
            for left_behind in ["execution", "ExecuteTime", "collapsed", "scrolled"] {
                cell.metadata.remove(left_behind);
            }
        }
        self.metadata.remove("widgets");
    }

    /// Whether [`Notebook::strip_outputs`] would change nothing.
    pub fn is_stripped(&self) -> bool {
        let mut stripped = self.clone();
        stripped.strip_outputs();
        stripped == *self
    }
}

/// The `#` headings of a Markdown text, outside fenced code: level and plain text.
fn headings(markdown: &str) -> impl Iterator<Item = (usize, String)> {
    let mut fence: Option<&str> = None;
    markdown.lines().filter_map(move |line| {
        let text = line.trim_start();
        for mark in ["```", "~~~"] {
            if text.starts_with(mark) {
                fence = match fence {
                    None => Some(mark),
                    Some(open) if open == mark => None,
                    open => open,
                };
                return None;
            }
        }
        let level = text.chars().take_while(|&c| c == '#').count();
        let heading = text[level..].strip_prefix(' ')?;
        if fence.is_some() || !(1..=6).contains(&level) {
            return None;
        }
        let heading = heading.trim().trim_end_matches('#').trim();
        Some((level, heading.replace(['`', '*'], "")))
    })
}
