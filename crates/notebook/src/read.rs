//! From the text of a `.ipynb` file to the model, leniently: what is missing gets its default, what is unknown is kept.
//!
//! It refuses what is no notebook of format 4, with one sentence that says why.

use std::io::ErrorKind;
use std::path::Path;

use serde_json::{Map, Value};

use crate::{Cell, CellKind, Notebook, NotebookError, Output, OutputKind, Problem};

impl Notebook {
    /// Reads a notebook from a file.
    ///
    /// # Errors
    ///
    /// When there is no such file, or it holds no notebook of format 4; the error names the file.
    pub fn read(path: &Path) -> Result<Notebook, NotebookError> {
        let bytes = std::fs::read(path).map_err(|error| {
            let problem = match error.kind() {
                ErrorKind::NotFound => Problem::Missing,
                ErrorKind::IsADirectory => Problem::Folder,
                _ => Problem::Read(error),
            };
            problem.at(path)
        })?;
        let text = String::from_utf8(bytes).map_err(|_| {
            let reason = "it is not text (UTF-8)".to_owned();
            Problem::NotANotebook { reason }.at(path)
        })?;
        let name = path.file_name().map(|name| name.to_string_lossy());
        parse(&text, name.as_deref().unwrap_or("NOTEBOOK")).map_err(|problem| problem.at(path))
    }

    /// Reads a notebook from the text of a `.ipynb` file.
    ///
    /// # Errors
    ///
    /// When the text is no notebook of format 4.
    pub fn parse(text: &str) -> Result<Notebook, NotebookError> {
        parse(text, "NOTEBOOK").map_err(NotebookError::from)
    }
}

fn parse(text: &str, name: &str) -> Result<Notebook, Problem> {
    // Some editors of Windows put a byte order mark before the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(Problem::Empty);
    }
    let value: Value = serde_json::from_str(text).map_err(not_json)?;
    let Value::Object(mut fields) = value else {
        let reason = "its JSON is not an object".to_owned();
        return Err(Problem::NotANotebook { reason });
    };
    match fields.remove("nbformat").as_ref().and_then(Value::as_i64) {
        Some(4) => {}
        Some(major @ ..4) => {
            let name = name.to_owned();
            return Err(Problem::OldFormat { major, name });
        }
        Some(major) => return Err(Problem::NewFormat { major }),
        None => {
            let reason = "it has no format number (`nbformat`)".to_owned();
            return Err(Problem::NotANotebook { reason });
        }
    }
    let minor = fields.remove("nbformat_minor");
    let mut metadata = object(fields.remove("metadata"));
    for transient in ["orig_nbformat", "orig_nbformat_minor", "signature"] {
        metadata.remove(transient);
    }
    let Some(Value::Array(cells)) = fields.remove("cells") else {
        let reason = "it has no list of cells".to_owned();
        return Err(Problem::NotANotebook { reason });
    };
    let cells = cells.into_iter().enumerate().map(|(index, value)| {
        let cell = index + 1;
        read_cell(value).map_err(|reason| Problem::Cell { cell, reason })
    });
    Ok(Notebook {
        metadata,
        cells: cells.collect::<Result<_, _>>()?,
        minor: minor.as_ref().and_then(Value::as_i64).unwrap_or(0),
        unknown: fields,
    })
}

fn not_json(error: serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    if error.is_eof() {
        return Problem::Truncated { line };
    }
    let text = error.to_string();
    // serde_json appends the place, which the message already gives in words.
    let reason = text.split(" at line ").next().unwrap_or(&text).to_owned();
    Problem::NotJson {
        line,
        column,
        reason,
    }
}

fn read_cell(value: Value) -> Result<Cell, String> {
    let Value::Object(mut fields) = value else {
        return Err("it is not a JSON object".to_owned());
    };
    let kind = match fields.remove("cell_type").as_ref().and_then(Value::as_str) {
        Some("code") => CellKind::Code,
        Some("markdown") => CellKind::Markdown,
        Some("raw") => CellKind::Raw,
        Some(other) => return Err(format!("its kind `{other}` is unknown")),
        None => return Err("it does not say its kind (`cell_type`)".to_owned()),
    };
    let mut metadata = object(fields.remove("metadata"));
    // Jupyter's note to itself, which it never writes to a file.
    metadata.remove("trusted");
    let source = fields.remove("source").unwrap_or_default();
    let source = joined(source).ok_or("its source is neither text nor a list of lines")?;
    let mut cell = Cell {
        kind,
        id: take_string(&mut fields, "id"),
        metadata,
        source,
        attachments: None,
        outputs: Vec::new(),
        execution_count: None,
        unknown: Map::new(),
    };
    if let Some(Value::Object(mut files)) = fields.remove("attachments") {
        for (_, bundle) in &mut files {
            *bundle = Value::Object(read_bundle(Some(bundle.take())));
        }
        cell.attachments = Some(files);
    }
    if kind == CellKind::Code {
        let count = fields.remove("execution_count");
        cell.execution_count = count.as_ref().and_then(Value::as_i64);
        if let Some(Value::Array(outputs)) = fields.remove("outputs") {
            cell.outputs = outputs.into_iter().map(read_output).collect();
        }
    }
    cell.unknown = fields;
    Ok(cell)
}

fn read_output(value: Value) -> Output {
    let Value::Object(mut fields) = value else {
        return OutputKind::Other(value).into();
    };
    let name = fields.get("output_type").and_then(Value::as_str);
    let kind = match name.unwrap_or_default() {
        "stream" => {
            let name = take_string(&mut fields, "name");
            let text = joined(fields.remove("text").unwrap_or_default());
            OutputKind::Stream {
                name: name.as_deref().unwrap_or("stdout").into(),
                text: text.unwrap_or_default(),
            }
        }
        "display_data" => OutputKind::Display {
            data: read_bundle(fields.remove("data")),
            metadata: object(fields.remove("metadata")),
        },
        "execute_result" => OutputKind::Result {
            execution_count: fields.remove("execution_count").and_then(|n| n.as_i64()),
            data: read_bundle(fields.remove("data")),
            metadata: object(fields.remove("metadata")),
        },
        "error" => OutputKind::Error {
            name: take_string(&mut fields, "ename").unwrap_or_default(),
            value: take_string(&mut fields, "evalue").unwrap_or_default(),
            traceback: lines(fields.remove("traceback")),
        },
        _ => return OutputKind::Other(Value::Object(fields)).into(),
    };
    fields.remove("output_type");
    Output {
        kind,
        unknown: fields,
    }
}

/// A MIME bundle with its texts joined. JSON types are left alone: there a list is a list.
fn read_bundle(value: Option<Value>) -> Map<String, Value> {
    let mut bundle = object(value);
    for (mime, value) in &mut bundle {
        if !is_json(mime)
            && value.is_array()
            && let Some(text) = joined(value.clone())
        {
            *value = Value::String(text);
        }
    }
    bundle
}

/// Whether values of this MIME type are JSON, not text.
pub(crate) fn is_json(mime: &str) -> bool {
    mime == "application/json" || (mime.starts_with("application/") && mime.ends_with("+json"))
}

fn object(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn take_string(fields: &mut Map<String, Value>, name: &str) -> Option<String> {
    match fields.get(name) {
        Some(Value::String(_)) => match fields.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// One text from a string or a list of strings; nothing from anything else.
fn joined(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Null => Some(String::new()),
        Value::Array(parts) => parts.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

fn lines(value: Option<Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(parts)) => parts
            .into_iter()
            .map(|part| match part {
                Value::String(text) => text,
                other => other.to_string(),
            })
            .collect(),
        _ => Vec::new(),
    }
}
