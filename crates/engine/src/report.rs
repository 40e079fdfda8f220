//! Compiler messages in the learner's terms: their own lines, drawn the way rustc draws them; nothing of what was
//! generated around them.

use std::collections::BTreeSet;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::advice;
use crate::brackets::{Brackets, brackets};
pub(crate) use crate::clean::clean;
use crate::diagnostic::{Diagnostic, Span};
use crate::event::{Failure, FailureKind, Position};
use crate::generate::{FileMap, Generated, Mapped, Part};
use crate::habits::habit;
use crate::plain_words::in_short;
use crate::session::Session;

/// Errors drawn for one cell; more would push the first ones, which matter most, out of sight.
const SHOWN: usize = 8;

/// The files of one compilation, to find one's way in its diagnostics.
pub(crate) struct Files<'a> {
    crate_name: &'a str,
    generated: &'a Generated,
    /// The cell as the learner wrote it, directives included.
    source: &'a str,
    pub(crate) number: usize,
    /// Whether the cell's text is no Rust as it stands, so that the parser runs on into what is generated.
    unparsed: bool,
}

/// A stretch of the learner's own text: the cell it is in (`None`: the present one) and its bytes.
pub(crate) struct Place<'a> {
    pub(crate) cell: Option<usize>,
    pub(crate) source: &'a str,
    pub(crate) range: Range<usize>,
    pub(crate) position: Position,
}

impl<'a> Files<'a> {
    pub(crate) fn new(
        crate_name: &'a str,
        generated: &'a Generated,
        source: &'a str,
        number: usize,
        unparsed: bool,
    ) -> Files<'a> {
        Files {
            crate_name,
            generated,
            source,
            number,
            unparsed,
        }
    }

    /// The map of the file that a span is in, following macro calls outwards.
    pub(crate) fn locate<'s>(&self, span: &'s Span) -> Option<(&'a FileMap, &'s Span, &'a str)> {
        let names: Vec<String> = self
            .generated
            .files
            .iter()
            .map(|file| format!("{}/{}", self.crate_name, file.name))
            .collect();
        let span = span.in_files(&names.iter().map(String::as_str).collect::<BTreeSet<_>>())?;
        let file = self.generated.files.iter().find(|file| {
            span.file_name
                .strip_prefix(self.crate_name)
                .and_then(|rest| rest.strip_prefix('/'))
                == Some(&file.name)
        })?;
        Some((&file.map, span, &file.name))
    }

    /// Why the text of a span was generated; `None` for the learner's own text and for other files.
    pub(crate) fn part(&self, span: &Span) -> Option<Part> {
        let (map, span, _) = self.locate(span)?;
        match map.locate(span.line_start, span.column_start) {
            Mapped::Generated(part) => part,
            Mapped::Learner(..) => None,
        }
    }

    /// The bytes of the present cell's text that a span covers.
    pub(crate) fn offset_in_cell(&self, span: &Span) -> Option<Range<usize>> {
        let place = self.place(span)?;
        place.cell.is_none().then_some(place.range)
    }

    pub(crate) fn place(&self, span: &Span) -> Option<Place<'a>> {
        let (map, span, _) = self.locate(span)?;
        let (line, column) = match map.locate(span.line_start, span.column_start) {
            Mapped::Learner(line, column) => (line, column),
            // Behind the learner's last line: only a parser gets there, looking for what the cell does not have.
            Mapped::Generated(None) if map.cell.is_none() && self.unparsed => end_of(self.source),
            Mapped::Generated(_) => return None,
        };
        let (end_line, end_column) = match map.locate(span.line_end, span.column_end) {
            Mapped::Learner(line, column) => (line, column),
            // A span that runs into generated text ends with the learner's.
            Mapped::Generated(_) => (usize::MAX, 1),
        };
        let source = if map.cell.is_none() {
            self.source
        } else {
            &map.source
        };
        let start = offset(source, line, column);
        let end = offset(source, end_line, end_column).max(start);
        Some(Place {
            cell: map.cell,
            source,
            range: start..end,
            position: Position { line, column },
        })
    }

    /// Whether a diagnostic is about the learner's own text.
    pub(crate) fn concerns_learner(&self, diagnostic: &Diagnostic) -> bool {
        diagnostic.spans.is_empty()
            || diagnostic
                .spans
                .iter()
                .filter(|span| span.is_primary)
                .any(|span| self.place(span).is_some())
    }

    /// Warnings about the present cell, drawn, each kind explained once.
    pub(crate) fn warnings(&self, diagnostics: &[Diagnostic], session: &Session) -> Vec<String> {
        let about_cell: Vec<&Diagnostic> = diagnostics
            .iter()
            .filter(|warning| {
                warning
                    .primary()
                    .and_then(|span| self.place(span))
                    .is_some_and(|place| place.cell.is_none())
            })
            .collect();
        self.draw_all(&about_cell, session)
    }

    /// Diagnostics drawn one after the other: none twice, and each kind with one plain sentence in front of its first.
    fn draw_all(&self, diagnostics: &[&Diagnostic], session: &Session) -> Vec<String> {
        let (mut drawn, mut explained) = (Vec::<String>::new(), Vec::new());
        let mut texts = Vec::new();
        for diagnostic in diagnostics {
            // rustc may say the same twice when the parser starts again.
            let text = self.draw(diagnostic, session);
            if drawn.contains(&text) {
                continue;
            }
            let meant = advice::unknown_name(diagnostic, session).or_else(|| {
                let place = self.place(diagnostic.primary()?)?;
                habit(diagnostic, place.source, place.range.start)
            });
            let sentence = meant.or_else(|| {
                let (words, sentence) = in_short(diagnostic, clean)?;
                let first = !explained.contains(&words);
                explained.push(words);
                first.then_some(sentence)
            });
            texts.push(match sentence {
                Some(sentence) => format!("\u{1b}[1mIn short:\u{1b}[0m {sentence}.\n{text}"),
                None => text.clone(),
            });
            drawn.push(text);
        }
        texts
    }

    /// Errors as they stand in the cell from top to bottom, those of earlier cells last; without those that only follow
    /// from another one inside the same macro call.
    fn in_order<'d>(&self, errors: &[&'d Diagnostic]) -> Vec<&'d Diagnostic> {
        let place = |error: &Diagnostic| error.primary().and_then(|span| self.place(span));
        let own = |error: &Diagnostic| error.primary().is_some_and(|span| self.is_own(span));
        let follows = |error: &Diagnostic| {
            let Some(call) = place(error) else {
                return false;
            };
            // After `f"…"` or a curly quote the parser stumbles on over the same text.
            let stumbles = |other: &Diagnostic| {
                is_stray(other)
                    && place(other).is_some_and(|other| {
                        [other.range.start, other.range.end].contains(&call.range.start)
                    })
            };
            if !is_stray(error) && errors.iter().any(|other| stumbles(other)) {
                return true;
            }
            if own(error) {
                return false;
            }
            errors
                .iter()
                .filter(|other| own(other))
                .filter_map(|other| place(other))
                .any(|other| {
                    other.cell == call.cell
                        && call.range.start <= other.range.start
                        && other.range.end <= call.range.end
                })
        };
        let mut ordered: Vec<&'d Diagnostic> = errors
            .iter()
            .copied()
            .filter(|error| !follows(error))
            .collect();
        ordered.sort_by_key(|error| {
            place(error).map_or((true, 0), |place| (place.cell.is_some(), place.range.start))
        });
        ordered
    }

    /// The failure of a cell that did not compile.
    pub(crate) fn failure(&self, errors: &[&Diagnostic], session: &Session) -> Failure {
        let errors = self.in_order(errors);
        let codes: Vec<String> = errors
            .iter()
            .filter_map(|error| error.code.clone())
            .collect();
        let first = errors.first();
        let position = errors
            .iter()
            .filter_map(|error| error.primary())
            .filter_map(|span| self.place(span))
            .find(|place| place.cell.is_none())
            .map(|place| place.position);
        let mut drawn = self.draw_all(&errors, session);
        let more = drawn.len().saturating_sub(SHOWN);
        if more > 0 {
            drawn.truncate(SHOWN);
            drawn.push(format!(
                "… and {more} more. Mend these first: later errors often follow from earlier ones."
            ));
        }
        let report = drawn.join("\n\n").lines().map(str::to_owned).collect();
        let message = first.map_or_else(
            || "the cell does not compile".to_owned(),
            |error| clean(&error.message),
        );
        Failure {
            name: codes
                .first()
                .cloned()
                .unwrap_or_else(|| "syntax error".into()),
            message,
            report,
            position,
            kind: FailureKind::Compile { codes },
        }
    }
}

/// A letter or sign beside a quotation that means nothing in Rust.
fn is_stray(error: &Diagnostic) -> bool {
    error.message.starts_with("prefix `") && error.message.ends_with("is unknown")
        || error.message.starts_with("unknown start of token")
}

/// The failure of a cell whose brackets do not match; rustc would blame what is generated around the cell. `code` is
/// `source` without directives.
pub(crate) fn unbalanced(source: &str, code: &str, number: usize) -> Option<Failure> {
    let bracket = |at: usize| code[at..].chars().next().unwrap_or(' ');
    let (at, message, opened) = match brackets(code) {
        Brackets::Open { at, .. } => (at, format!("this `{}` is never closed", bracket(at)), None),
        Brackets::Stray { at, opened: None } => {
            (at, format!("this `{}` closes nothing", bracket(at)), None)
        }
        Brackets::Stray {
            at,
            opened: Some(opened),
        } => (
            at,
            format!(
                "this `{}` does not close the `{}`",
                bracket(at),
                bracket(opened)
            ),
            Some(opened),
        ),
        Brackets::Balanced | Brackets::Unended => return None,
    };
    let path = format!("cell [{number}]");
    // Directive lines are blank in `code` and may be shorter there, in bytes.
    let in_source = |at: usize| {
        let at = line_and_column(code, at);
        let start = offset(source, at.line, at.column);
        start..start + source[start..].chars().next().map_or(0, char::len_utf8)
    };
    let marks = [AnnotationKind::Primary.span(in_source(at))].into_iter();
    let marks = marks.chain(opened.map(|opened| {
        AnnotationKind::Context
            .span(in_source(opened))
            .label("opened here")
    }));
    let snippet = Snippet::source(source)
        .path(path.as_str())
        .fold(true)
        .annotations(marks);
    let group = Group::with_title(Level::ERROR.primary_title(message.as_str())).element(snippet);
    let report = Renderer::styled()
        .decor_style(DecorStyle::Ascii)
        .render(&[group])
        .to_string();
    Some(Failure {
        kind: FailureKind::Compile { codes: Vec::new() },
        name: "syntax error".into(),
        position: Some(line_and_column(code, at)),
        report: report.lines().map(str::to_owned).collect(),
        message,
    })
}

/// The line and column (from 1) behind the last visible character.
fn end_of(source: &str) -> (usize, usize) {
    let text = source.trim_end();
    (
        text.matches('\n').count() + 1,
        text.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
    )
}

/// The line and column of a byte offset.
fn line_and_column(text: &str, at: usize) -> Position {
    let before = &text[..at];
    Position {
        line: before.matches('\n').count() + 1,
        column: before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1,
    }
}

/// The byte offset of a line and column (both from 1, columns in characters).
fn offset(source: &str, line: usize, column: usize) -> usize {
    let mut start = 0;
    for (index, text) in source.split_inclusive('\n').enumerate() {
        if index + 1 == line {
            let inside = text.trim_end_matches('\n');
            return start
                + inside
                    .char_indices()
                    .nth(column - 1)
                    .map_or(inside.len(), |(at, _)| at);
        }
        start += text.len();
    }
    source.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_characters() {
        assert_eq!(offset("äb\ncd", 1, 2), 2);
        assert_eq!(offset("äb\ncd", 2, 1), 4);
        assert_eq!(offset("äb\ncd", 9, 1), 6);
    }
}
