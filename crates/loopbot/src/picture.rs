//! A finished picture: drawing, sentences and table, in every form a notebook may want. Draws nothing itself.

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::Rich;
use crate::show::Bundle;
use crate::svg::{ID, WIDTH, escape, number};
use crate::table::Table;

/// A picture computed in a cell, with what it says in words and the same facts as a table.
///
/// It shows itself when it is the last expression of a cell. A notebook gets three forms: HTML (the drawing inline, so
/// that it follows the theme, and the table folded away beneath it), SVG that stands alone on white, and plain text.
///
/// ```
/// use loopbot::prelude::*;
/// let timeline = Timeline::new("two stretches");
/// timeline.run("first", || ());
/// let picture = timeline.picture();
/// assert!(picture.svg().starts_with("<svg"));
/// assert!(picture.table().to_text().contains("first"));
/// ```
#[derive(Debug, Clone)]
pub struct Picture {
    title: String,
    body: String,
    height: f64,
    sentences: Vec<String>,
    table: Table,
    table_title: String,
}

impl Picture {
    /// `sentences` say what is to be seen; the first ones also describe the drawing to those who do not see it.
    pub(crate) fn new(
        title: &str,
        body: String,
        height: f64,
        sentences: Vec<String>,
        table: Table,
    ) -> Picture {
        // Two pictures on one page must not share ids; the same picture twice may.
        let id = format!("lb{:08x}", fingerprint(&body));
        Picture {
            title: title.to_owned(),
            body: body.replace(ID, &id),
            height,
            sentences,
            table,
            table_title: "The same as a table".into(),
        }
    }

    /// Sets the words on the folded table.
    pub(crate) fn with_table_title(mut self, title: &str) -> Picture {
        self.table_title = title.to_owned();
        self
    }

    /// The title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What the picture says, in sentences.
    pub fn sentences(&self) -> &[String] {
        &self.sentences
    }

    /// The facts of the picture as a table.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The drawing as an SVG document that stands alone: dark on white, wherever it is put.
    pub fn svg(&self) -> String {
        let background = format!(
            "<rect width=\"{}\" height=\"{}\" fill=\"#ffffff\"/>\n",
            number(WIDTH),
            number(self.height)
        );
        let size = format!(
            "width=\"{}\" height=\"{}\" color=\"#1b1d22\"",
            number(WIDTH),
            number(self.height)
        );
        self.element(&size, &background)
    }

    /// The drawing and its table as HTML. Text and lines take the colour of the page around them.
    pub fn html(&self) -> String {
        let width = number(WIDTH);
        let style =
            format!("width=\"100%\" style=\"max-width:{width}px;height:auto;display:block\"");
        let mut html = format!(
            "<div style=\"max-width:{width}px\">\n<div dir=\"ltr\">{}</div>\n",
            self.element(&style, "")
        );
        for sentence in &self.sentences {
            html += &format!(
                "<p dir=\"auto\" style=\"margin:0.35em 0\">{}</p>\n",
                in_code_marks(sentence)
            );
        }
        html += &format!(
            "<details><summary dir=\"auto\">{}</summary>\n{}\n</details>\n</div>",
            escape(&self.table_title),
            self.table.to_html()
        );
        html
    }

    /// Title, sentences and table as plain text.
    pub fn text(&self) -> String {
        let mut parts = vec![self.title.clone()];
        parts.extend(self.sentences.iter().cloned());
        parts.push(String::new());
        parts.push(self.table.to_text());
        parts.join("\n")
    }

    /// Writes the drawing to a file: first beside it, then renamed, so that no reader meets half a picture.
    ///
    /// # Errors
    /// When the file cannot be written; the error says which and why.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), SaveError> {
        let path = path.as_ref();
        let write = || {
            let mut beside = path.as_os_str().to_owned();
            beside.push(format!(".{}.part", std::process::id()));
            let beside = PathBuf::from(beside);
            let written = std::fs::File::create(&beside)
                .and_then(|mut file| file.write_all(self.svg().as_bytes()))
                .and_then(|()| std::fs::rename(&beside, path));
            if written.is_err() {
                let _ = std::fs::remove_file(&beside);
            }
            written
        };
        write().map_err(|cause| SaveError {
            path: path.to_owned(),
            cause,
        })
    }

    /// Shows the picture now, for a cell whose last expression is something else.
    pub fn show(&self) {
        Bundle::from(self.forms()).show();
    }

    /// Shows the picture as the result of a cell; kernels call it.
    pub fn evcxr_display(&self) {
        self.show();
    }

    fn element(&self, attributes: &str, background: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" {attributes} role=\"img\" \
             direction=\"ltr\" font-family=\"system-ui, 'DejaVu Sans', sans-serif\" fill=\"currentColor\">\n\
             <title>{}</title>\n<desc>{}</desc>\n{background}{}</svg>",
            number(WIDTH),
            number(self.height),
            escape(&self.title),
            escape(&self.sentences.join(" ")),
            self.body,
        )
    }
}

/// FNV-1a with 32 bits. Std's hashers may change from release to release, and saved pictures with them.
fn fingerprint(text: &str) -> u32 {
    let step = |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    text.bytes().fold(0x811c_9dc5, step)
}

/// HTML of a sentence in which `` `names` `` stand between backticks.
pub(crate) fn in_code_marks(sentence: &str) -> String {
    let parts: Vec<&str> = sentence.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escape(sentence);
    }
    let mut html = String::new();
    for (index, part) in parts.into_iter().enumerate() {
        if index % 2 == 1 {
            html += &format!("<code>{}</code>", escape(part));
        } else {
            html += &escape(part);
        }
    }
    html
}

/// A picture that could not be saved.
pub struct SaveError {
    path: PathBuf,
    cause: std::io::Error,
}

impl fmt::Display for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the picture was not saved to {}: {}. Does the folder exist, and may you write to it?",
            self.path.display(),
            self.cause
        )
    }
}

/// A notebook shows the `Debug` form of an error, so it is the sentence.
impl fmt::Debug for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for SaveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}
