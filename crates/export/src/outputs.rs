//! Outputs of code cells into HTML: of each the richest form that a page without scripts can show.

use loopbot_notebook::{Output, OutputKind, StreamName, VERDICT_MIME, Verdict, as_seen};
use serde_json::{Map, Value};

use crate::ansi::Ansi;
use crate::clean::{self, Ids};
use crate::escape::{self, escape};
use crate::labels::Labels;
use crate::markdown::Markdown;
use crate::{math, pictures};

/// A text with more lines than this is folded …
const FOLD_ABOVE: usize = 40;
/// … after so many …
const SHOWN: usize = 24;
/// … and one with more than this is cut: no one scrolls through it, and every browser suffers from it.
const CUT_ABOVE: usize = 5_000;

/// Writes outputs. `base` is the id of the cell; ids of its outputs begin with it.
pub(crate) struct Writer<'a, 'm> {
    pub(crate) labels: &'a Labels,
    pub(crate) markdown: &'a mut Markdown<'m>,
    pub(crate) base: &'a str,
}

impl Writer<'_, '_> {
    /// The HTML of the `index`th output (from 0) of the cell.
    pub(crate) fn html(&mut self, index: usize, output: &Output) -> String {
        let id = format!("{}-out-{}", self.base, index + 1);
        match &output.kind {
            OutputKind::Stream { name, text } => match name {
                StreamName::Stdout => self.text(text, "stdout", ""),
                _ => self.text(text, "stderr", self.labels.standard_error),
            },
            OutputKind::Display { data, metadata } | OutputKind::Result { data, metadata, .. } => {
                self.bundle(&id, data, metadata)
            }
            OutputKind::Error {
                name,
                value,
                traceback,
            } => {
                let report = match traceback.is_empty() {
                    true => format!("{name}: {value}"),
                    false => traceback.join("\n"),
                };
                self.text(&report, "error", "")
            }
            OutputKind::Other(value) => {
                let kind = value.get("output_type").and_then(Value::as_str);
                self.cannot_show(kind.unwrap_or("?"))
            }
        }
    }

    /// Printed text in its colours; long text is folded. `hidden_label` is read aloud before it, never shown.
    fn text(&self, raw: &str, class: &str, hidden_label: &str) -> String {
        let seen = as_seen(raw);
        let seen = seen.trim_end_matches('\n');
        if seen.is_empty() {
            return String::new();
        }
        let mut ansi = Ansi::default();
        let label = match hidden_label {
            "" => String::new(),
            label => format!("<span class=\"vh\">{}: </span>", escape(label)),
        };
        let lines: Vec<&str> = seen.split_inclusive('\n').collect();
        let mut pre = |lines: &[&str], label: &str| {
            let html = ansi.html(&lines.concat());
            format!("<pre class=\"out {class}\" dir=\"ltr\">{label}{html}</pre>\n")
        };
        if lines.len() <= FOLD_ABOVE {
            return pre(&lines, &label);
        }
        let kept = lines.len().min(CUT_ABOVE);
        let (start, rest) = lines[..kept].split_at(SHOWN);
        let mut html = pre(start, &label);
        html += &format!(
            "<details class=\"fold\"><summary>{} {} {}</summary>\n{}",
            self.labels.more_lines,
            lines.len() - SHOWN,
            self.labels.more_lines_after,
            pre(rest, ""),
        );
        if kept < lines.len() {
            let left_out = lines.len() - kept;
            html += &note(&format!("{left_out} {}", self.labels.lines_left_out));
        }
        html + "</details>\n"
    }

    fn bundle(
        &mut self,
        id: &str,
        data: &Map<String, Value>,
        metadata: &Map<String, Value>,
    ) -> String {
        let verdict = data.get(VERDICT_MIME);
        if let Some(verdict) = verdict.and_then(|value| Verdict::from_json(value, 0)) {
            return self.verdict(&verdict);
        }
        let text = |mime: &str| data.get(mime).and_then(Value::as_str);
        let mut notes = String::new();
        for (mime, is_svg) in [("text/html", false), ("image/svg+xml", true)] {
            let Some(source) = text(mime) else { continue };
            let cleaned = clean::clean(source, id, Ids::Prefix(&format!("{id}-")));
            if cleaned.had_script {
                notes = note(self.labels.script_left_out);
            } else if cleaned.had_other {
                notes = note(self.labels.part_left_out);
            }
            if cleaned.is_visible {
                let class = match is_svg {
                    true => pictures::svg_class(&cleaned.html),
                    false => "html",
                };
                let beside = if is_svg {
                    self.beside(data)
                } else {
                    String::new()
                };
                let html = cleaned.html.trim();
                return format!(
                    "<div class=\"out rich {class}\" dir=\"auto\" id=\"{id}\">{html}</div>\n{beside}{notes}"
                );
            }
        }
        for (mime, value) in data {
            let Some(base64) = value.as_str().filter(|_| mime.starts_with("image/")) else {
                continue;
            };
            if let Some(address) = pictures::data_address(mime, base64) {
                let image = self.image(&address, data, metadata.get(mime));
                return image + &self.beside(data) + &notes;
            }
        }
        if let Some(source) = text("text/markdown") {
            let headings = self.markdown.headings.len();
            let html = self.markdown.html(source, None, id, false);
            // Headings of an output are no sections of the lesson.
            self.markdown.headings.truncate(headings);
            return format!(
                "<div class=\"out rich text\" dir=\"auto\" id=\"{id}\">{html}</div>\n{notes}"
            );
        }
        if let Some(latex) = text("text/latex") {
            let latex = latex.trim().trim_matches('$');
            let formula = math::mathml(latex, true);
            return format!("<div class=\"out rich\">{formula}</div>\n{notes}");
        }
        if let Some(json) = data.get("application/json") {
            let pretty = serde_json::to_string_pretty(json).unwrap_or_default();
            return self.text(&pretty, "result", "") + &notes;
        }
        if let Some(plain) = text("text/plain") {
            return self.text(plain, "result", "") + &notes;
        }
        match data.keys().next() {
            Some(_) if !notes.is_empty() => notes,
            Some(mime) => self.cannot_show(mime),
            None => String::new(),
        }
    }

    fn image(&self, address: &str, data: &Map<String, Value>, metadata: Option<&Value>) -> String {
        let size = |side: &str| {
            let number = metadata.and_then(|own| own.get(side)?.as_f64());
            let number = number.filter(|n| *n >= 1.0 && *n < 20_000.0);
            number.map_or(String::new(), |n| format!(" {side}=\"{n:.0}\""))
        };
        // A picture made by code has a text that says what it is, or none at all.
        let text = data.get("text/plain").and_then(Value::as_str);
        let alt = text.filter(|text| !text.starts_with('<') && !text.contains('\n'));
        let alt = alt.unwrap_or(self.labels.picture);
        format!(
            "<div class=\"out rich card\"><img src=\"{address}\" alt=\"{}\"{}{}></div>\n",
            escape(alt),
            size("width"),
            size("height"),
        )
    }

    /// The text form of a picture, a table as a rule, folded beneath it.
    fn beside(&self, data: &Map<String, Value>) -> String {
        let text = data.get("text/plain").and_then(Value::as_str);
        match text.filter(|text| text.trim().contains('\n')) {
            Some(text) => format!(
                "<details class=\"fold\"><summary>{}</summary>\n{}</details>\n",
                self.labels.as_text,
                self.text(text, "result", "")
            ),
            None => String::new(),
        }
    }

    fn verdict(&self, verdict: &Verdict) -> String {
        let (class, mark, word) = match verdict.done {
            true => ("done", "✔", self.labels.done),
            false => ("open", "…", self.labels.not_yet),
        };
        let mut html = format!(
            "<div class=\"out verdict {class}\" dir=\"{}\"><p><span aria-hidden=\"true\">{mark}</span> \
             <bdi><code>{}</code></bdi>: {word}</p>",
            self.labels.direction,
            escape(&verdict.exercise)
        );
        if !verdict.missing.is_empty() {
            html.push_str("<ul>");
            for missing in &verdict.missing {
                html.push_str("<li><bdi>");
                with_code(&mut html, missing);
                html.push_str("</bdi></li>");
            }
            html.push_str("</ul>");
        }
        html + "</div>\n"
    }

    fn cannot_show(&self, kind: &str) -> String {
        let text = self.labels.cannot_show;
        format!(
            "<p class=\"note\" dir=\"auto\">{text} <code>{}</code></p>\n",
            escape(kind)
        )
    }
}

/// Text in which parts between backticks are code.
fn with_code(html: &mut String, text: &str) {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escape::push(html, text);
    }
    for (at, part) in parts.iter().enumerate() {
        match at % 2 {
            0 => escape::push(html, part),
            _ => html.push_str(&format!("<code>{}</code>", escape(part))),
        }
    }
}

/// A short remark of the page itself.
pub(crate) fn note(text: &str) -> String {
    format!("<p class=\"note\" dir=\"auto\">{}</p>\n", escape(text))
}
