//! From the model to the text of a `.ipynb` file, byte for byte as Jupyter writes it, and onto the disk in one step.

use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value};

use crate::{Cell, CellKind, Notebook, NotebookError, Output, OutputKind, Problem, canonical};

impl Notebook {
    /// The text of the notebook's file. A notebook saved by Jupyter, read and written, gives the same bytes.
    pub fn to_text(&self) -> String {
        let mut fields = self.unknown.clone();
        fields.insert("metadata".to_owned(), self.metadata.clone().into());
        fields.insert("nbformat".to_owned(), 4.into());
        fields.insert("nbformat_minor".to_owned(), self.minor.into());
        let cells: Vec<Value> = self.cells.iter().map(write_cell).collect();
        fields.insert("cells".to_owned(), cells.into());
        canonical::to_text(fields.into()) + "\n"
    }

    /// Writes the notebook to `path`: beside its place first and then renamed, so that there is no moment at which
    /// the file is half written. A file that was there keeps its permissions, a symbolic link stays a link.
    ///
    /// # Errors
    ///
    /// When the folder is missing or cannot be written to; the file that was there is untouched then.
    pub fn write(&self, path: &Path) -> Result<(), NotebookError> {
        // The rename must replace the file, not a link that points to it.
        let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        self.write_to(&target)
            .map_err(|error| Problem::Write(error).at(path))
    }

    fn write_to(&self, target: &Path) -> std::io::Result<()> {
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".loopbot-").suffix(".ipynb");
        // Left to itself a temporary file is for its owner alone; this one becomes an ordinary file.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.tempfile_in(folder)?;
        if let Ok(before) = std::fs::metadata(target) {
            file.as_file().set_permissions(before.permissions())?;
        }
        file.write_all(self.to_text().as_bytes())?;
        file.persist(target).map_err(|error| error.error)?;
        Ok(())
    }
}

fn write_cell(cell: &Cell) -> Value {
    let mut fields = cell.unknown.clone();
    let kind = match cell.kind {
        CellKind::Code => "code",
        CellKind::Markdown => "markdown",
        CellKind::Raw => "raw",
    };
    fields.insert("cell_type".to_owned(), kind.into());
    if let Some(id) = &cell.id {
        fields.insert("id".to_owned(), id.as_str().into());
    }
    fields.insert("metadata".to_owned(), cell.metadata.clone().into());
    fields.insert("source".to_owned(), split(&cell.source));
    if let Some(files) = &cell.attachments {
        let mut files = files.clone();
        for (_, bundle) in &mut files {
            if let Value::Object(own) = bundle {
                *bundle = write_bundle(own);
            }
        }
        fields.insert("attachments".to_owned(), files.into());
    }
    if cell.kind == CellKind::Code {
        fields.insert("execution_count".to_owned(), cell.execution_count.into());
        let outputs: Vec<Value> = cell.outputs.iter().map(write_output).collect();
        fields.insert("outputs".to_owned(), outputs.into());
    }
    fields.into()
}

fn write_output(output: &Output) -> Value {
    let mut fields = output.unknown.clone();
    let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    match &output.kind {
        OutputKind::Stream { name, text } => {
            set("output_type", "stream".into());
            set("name", name.as_str().into());
            set("text", split(text));
        }
        OutputKind::Display { data, metadata } => {
            set("output_type", "display_data".into());
            set("data", write_bundle(data));
            set("metadata", metadata.clone().into());
        }
        OutputKind::Result {
            execution_count,
            data,
            metadata,
        } => {
            set("output_type", "execute_result".into());
            set("execution_count", (*execution_count).into());
            set("data", write_bundle(data));
            set("metadata", metadata.clone().into());
        }
        OutputKind::Error {
            name,
            value,
            traceback,
        } => {
            set("output_type", "error".into());
            set("ename", name.as_str().into());
            set("evalue", value.as_str().into());
            set("traceback", traceback.clone().into());
        }
        OutputKind::Other(value) => return value.clone(),
    }
    fields.into()
}

/// Jupyter splits into lines what people may want to compare line by line, and nothing else.
fn write_bundle(bundle: &Map<String, Value>) -> Value {
    let written = bundle.iter().map(|(mime, value)| {
        let is_text = mime.starts_with("text/")
            || mime == "application/javascript"
            || mime == "image/svg+xml";
        let value = match value {
            Value::String(text) if is_text => split(text),
            other => other.clone(),
        };
        (mime.clone(), value)
    });
    written.collect::<Map<_, _>>().into()
}

/// The lines of a text, each with its end, as a JSON list. Lines end where Python's `splitlines` ends them, which is
/// at more places than Rust's `lines`.
fn split(text: &str) -> Value {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let ends = matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'
                ..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        );
        if !ends || (c == '\r' && matches!(chars.peek(), Some((_, '\n')))) {
            continue;
        }
        let end = at + c.len_utf8();
        lines.push(Value::from(&text[start..end]));
        start = end;
    }
    if start < text.len() {
        lines.push(Value::from(&text[start..]));
    }
    lines.into()
}
