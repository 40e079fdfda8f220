//! Cells into HTML: text, code with its outputs, exercises as one frame around their cells.

use loopbot_notebook::{Cell, CellKind, Notebook};

use crate::ansi;
use crate::escape::escape;
use crate::highlight;
use crate::labels::Labels;
use crate::markdown::Markdown;
use crate::outputs::{self, Writer};

/// The HTML of all cells.
pub(crate) fn html(
    notebook: &Notebook,
    labels: &Labels,
    markdown: &mut Markdown<'_>,
    title_cell: Option<usize>,
) -> String {
    let language = notebook.language().unwrap_or_else(|| "rust".to_owned());
    let mut html = String::new();
    let mut frame: Option<&str> = None;
    for (index, cell) in notebook.cells.iter().enumerate() {
        let own = cell.exercise();
        if own != frame {
            if frame.is_some() {
                html.push_str("</section>\n");
            }
            if let Some(id) = own {
                html.push_str(&format!(
                    "<section class=\"exercise\" aria-label=\"{} {}\">\n",
                    labels.exercise,
                    escape(id)
                ));
            }
            frame = own;
        }
        let id = format!("cell-{}", index + 1);
        html += &match cell.kind {
            CellKind::Markdown => text(cell, &id, labels, markdown, title_cell == Some(index)),
            CellKind::Code => code(cell, &id, &language, labels, markdown),
            CellKind::Raw => raw(cell, &id, labels),
        };
    }
    if frame.is_some() {
        html.push_str("</section>\n");
    }
    html
}

fn text(
    cell: &Cell,
    id: &str,
    labels: &Labels,
    markdown: &mut Markdown<'_>,
    holds_title: bool,
) -> String {
    let inside = markdown.html(&cell.source, Some(cell), id, holds_title);
    let inside = inside.trim();
    if inside.is_empty() {
        return String::new();
    }
    let hidden = [
        ("hint", labels.hint),
        ("solution", labels.solution),
        ("teacher-note", labels.teacher_note),
    ];
    match hidden.iter().find(|(tag, _)| cell.has_tag(tag)) {
        // Most such cells fold themselves already.
        Some((tag, _)) if inside.starts_with("<details") => {
            format!("<div class=\"cell aside {tag}\" id=\"{id}\">{inside}</div>\n")
        }
        Some((tag, summary)) => format!(
            "<div class=\"cell aside {tag}\" id=\"{id}\"><details><summary>{summary}</summary>\n\
             {inside}\n</details></div>\n"
        ),
        None => format!("<div class=\"cell text\" id=\"{id}\">{inside}</div>\n"),
    }
}

fn code(
    cell: &Cell,
    id: &str,
    language: &str,
    labels: &Labels,
    markdown: &mut Markdown<'_>,
) -> String {
    if cell.source.trim().is_empty() && cell.outputs.is_empty() {
        return String::new();
    }
    let mut classes = "cell code".to_owned();
    let mut label = String::new();
    if cell.has_tag("exercise") {
        classes += " task";
        label = labels.exercise.to_owned();
    } else if cell.has_tag("check") {
        classes += " check";
        label = labels.check.to_owned();
    }
    if let (false, Some(own)) = (label.is_empty(), cell.exercise()) {
        label += &format!(" <bdi><code>{}</code></bdi>", escape(own));
    }
    if cell.expects_error() {
        classes += " meant-to-fail";
        label = labels.meant_to_fail.to_owned();
        for code in cell.expected_codes() {
            label += &format!(" <code>{}</code>", escape(code));
        }
    }
    let mut html = format!("<div class=\"{classes}\" id=\"{id}\">\n");
    if !label.is_empty() {
        html += &format!("<p class=\"label\">{label}</p>\n");
    }
    // Cells with a magic such as `%%python` do not exist here; the language is the notebook's.
    let source = highlight::html(cell.source.trim_end(), language);
    let count = match cell.execution_count {
        Some(count) => format!(
            "<span class=\"count\"><span class=\"vh\">{} </span>{count}</span>",
            labels.cell
        ),
        None => String::new(),
    };
    let source = format!(
        "<div class=\"source\">{count}<pre class=\"code\" dir=\"ltr\"><code>{source}</code></pre></div>\n"
    );
    html += &if hides_source(cell) {
        let summary = labels.show_code;
        format!("<details class=\"fold\"><summary>{summary}</summary>\n{source}</details>\n")
    } else {
        source
    };
    let mut writer = Writer {
        labels,
        markdown,
        base: id,
    };
    let outputs = cell.outputs.iter().enumerate();
    let outputs: String = outputs
        .map(|(at, output)| writer.html(at, output))
        .collect();
    if !outputs.is_empty() {
        html += &format!("<div class=\"outputs\" dir=\"ltr\">\n{outputs}</div>\n");
    } else if cell.is_runnable() && !cell.was_run() {
        html += &outputs::note(labels.not_run);
    }
    html + "</div>\n"
}

fn raw(cell: &Cell, id: &str, labels: &Labels) -> String {
    if cell.source.trim().is_empty() {
        return String::new();
    }
    let text = escape(&ansi::plain(&cell.source));
    format!(
        "<div class=\"cell raw\" id=\"{id}\"><p class=\"label\">{}</p>\n\
         <pre class=\"code\" dir=\"auto\">{text}</pre></div>\n",
        labels.raw
    )
}

/// Whether the notebook shows this cell's code folded: Jupyter's own mark, or the tag that nbconvert and others know.
fn hides_source(cell: &Cell) -> bool {
    let jupyter = cell.metadata.get("jupyter");
    let hidden = jupyter.and_then(|marks| marks.get("source_hidden"));
    hidden.and_then(serde_json::Value::as_bool) == Some(true) || cell.has_tag("hide-input")
}
