//! Compiler messages in the learner's terms: their own lines, drawn the way rustc draws them; nothing of what was
//! generated around them.

use std::collections::BTreeSet;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};

use crate::brackets::{Brackets, brackets};
use crate::diagnostic::{Diagnostic, Span};
use crate::event::{Failure, FailureKind, Position};
use crate::generate::{FileMap, Generated, Mapped, Part};
use crate::session::{LossReason, Session};

/// The files of one compilation, to find one's way in its diagnostics.
pub(crate) struct Files<'a> {
    crate_name: &'a str,
    generated: &'a Generated,
    /// The cell as the learner wrote it, directives included.
    source: &'a str,
    number: usize,
    /// Whether the cell's text is no Rust as it stands, so that the parser runs on into what is generated.
    unparsed: bool,
}

/// A stretch of the learner's own text: the cell it is in (`None`: the present one) and its bytes.
struct Place<'a> {
    cell: Option<usize>,
    source: &'a str,
    range: Range<usize>,
    position: Position,
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

    fn place(&self, span: &Span) -> Option<Place<'a>> {
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

    /// One diagnostic, drawn with ANSI colours.
    pub(crate) fn draw(&self, diagnostic: &Diagnostic, session: &Session) -> String {
        let level = || {
            if diagnostic.is_error() {
                Level::ERROR
            } else {
                Level::WARNING
            }
        };
        let title = clean(&diagnostic.message);
        let mut head = level().primary_title(title.as_str());
        if let Some(code) = diagnostic
            .code
            .as_deref()
            .filter(|code| code.starts_with('E'))
        {
            head = head.id(code);
        }
        let marks: Vec<(Place<'a>, AnnotationKind, Option<String>)> = diagnostic
            .spans
            .iter()
            .filter_map(|span| {
                let kind = if span.is_primary {
                    AnnotationKind::Primary
                } else {
                    AnnotationKind::Context
                };
                Some((self.place(span)?, kind, span.label.as_deref().map(clean)))
            })
            .collect();
        let mut cells: Vec<Option<usize>> = Vec::new();
        for (place, ..) in &marks {
            if !cells.contains(&place.cell) {
                cells.push(place.cell);
            }
        }
        let mut group = Group::with_title(head);
        for cell in cells {
            let of_cell = || marks.iter().filter(|(place, ..)| place.cell == cell);
            let Some((first, ..)) = of_cell().next() else {
                continue;
            };
            let path = format!("cell [{}]", cell.unwrap_or(self.number));
            group = group.element(
                Snippet::source(first.source)
                    .path(path)
                    .fold(true)
                    .annotations(of_cell().map(|(place, kind, label)| {
                        kind.span(place.range.clone()).label(label.as_deref())
                    })),
            );
        }
        let mut groups = Vec::new();
        let mut advice: Vec<String> = Vec::new();
        for child in &diagnostic.children {
            match self.suggestion(child) {
                Some((cell, source, patches)) => {
                    let path = format!("cell [{}]", cell.unwrap_or(self.number));
                    let snippet = Snippet::source(source).path(path).fold(true).patches(
                        patches
                            .into_iter()
                            .map(|(range, text)| Patch::new(range, text)),
                    );
                    groups.push(
                        Group::with_title(Level::HELP.secondary_title(clean(&child.message)))
                            .element(snippet),
                    );
                }
                None if self.is_for_learner(child) => {
                    let level = if child.level == "help" {
                        Level::HELP
                    } else {
                        Level::NOTE
                    };
                    group = group.element(level.message(clean(&child.message)));
                }
                None => {}
            }
        }
        advice.extend(crate::store::advice(diagnostic));
        advice.extend(self.advice(diagnostic, session));
        for text in &advice {
            group = group.element(Level::HELP.message(text.as_str()));
        }
        groups.insert(0, group);
        Renderer::styled()
            .decor_style(DecorStyle::Ascii)
            .render(&groups)
    }

    /// A change to the learner's text that the compiler proposes.
    #[allow(clippy::type_complexity)]
    fn suggestion(
        &self,
        child: &Diagnostic,
    ) -> Option<(Option<usize>, &'a str, Vec<(Range<usize>, String)>)> {
        let mut found: Option<(Option<usize>, &'a str, Vec<(Range<usize>, String)>)> = None;
        for span in &child.spans {
            let replacement = span.suggested_replacement.clone()?;
            let place = self.place(span)?;
            let (cell, _, patches) = found.get_or_insert((place.cell, place.source, Vec::new()));
            if *cell != place.cell {
                return None;
            }
            patches.push((place.range, replacement));
        }
        found
    }

    /// Notes without a place are for everyone; those that point only into generated text or the libraries are not.
    fn is_for_learner(&self, child: &Diagnostic) -> bool {
        let technical = [
            "requested on the command line",
            "this error originates in the macro `$crate",
            "you might be missing a crate named",
        ];
        (child.spans.is_empty() || child.spans.iter().any(|span| self.place(span).is_some()))
            && !technical.iter().any(|text| child.message.contains(text))
    }

    /// What a notebook adds to the compiler's knowledge.
    fn advice(&self, diagnostic: &Diagnostic, session: &Session) -> Vec<String> {
        let mut advice = Vec::new();
        let code = diagnostic.code.as_deref().unwrap_or_default();
        if matches!(code, "E0596" | "E0594" | "E0384") {
            let takes = diagnostic
                .spans
                .iter()
                .chain(diagnostic.children.iter().flat_map(|child| &child.spans));
            for part in takes.filter_map(|span| self.part(span)) {
                if let Part::Take(name) = part
                    && let Some(variable) = session.variable(&name)
                {
                    let cell = variable.cell;
                    advice.push(format!("`{name}` was defined without `mut` in cell [{cell}]: write `let mut {name}` there and run it again"));
                    break;
                }
            }
        }
        if matches!(
            code,
            "E0405" | "E0412" | "E0422" | "E0423" | "E0424" | "E0425" | "E0433"
        ) {
            for (name, loss) in &session.lost {
                if diagnostic.message.contains(&format!("`{name}`")) {
                    advice.push(explain_loss(name, loss.cell, &loss.reason));
                }
            }
        }
        if code == "E0434"
            || (code == "E0425"
                && session
                    .variables
                    .iter()
                    .any(|v| diagnostic.message.contains(&format!("`{}`", v.name))))
        {
            advice.push(
                "functions do not see a notebook's variables: pass the value as a parameter".into(),
            );
        }
        if code == "E0658" && diagnostic.message.contains("loaded from the sysroot") {
            advice
                .push("ask for the crate first, in a line of its own: `:dep NAME = \"*\"`".into());
        }
        if matches!(code, "E0432" | "E0433" | "E0463")
            && let Some(name) = missing_crate(diagnostic)
        {
            advice.push(format!(
                "if `{name}` is a crate, ask for it first, in a line of its own: `:dep {name} = \"*\"`"
            ));
        }
        if code == "E0277"
            && diagnostic.message.contains("`?`")
            && diagnostic.message.contains("Option")
        {
            advice.push("at the top level of a cell `?` works on a Result: turn the Option into one with `.ok_or(\"what is missing\")?`".into());
        }
        advice
    }

    /// The failure of a cell that did not compile.
    pub(crate) fn failure(&self, errors: &[&Diagnostic], session: &Session) -> Failure {
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
        // rustc may say the same twice when the parser starts again.
        let mut drawn: Vec<String> = Vec::new();
        for text in errors.iter().map(|error| self.draw(error, session)) {
            if !drawn.contains(&text) {
                drawn.push(text);
            }
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
    let marks = [AnnotationKind::Primary.span(at..at + 1)].into_iter();
    let marks = marks.chain(opened.map(|opened| {
        AnnotationKind::Context
            .span(opened..opened + 1)
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
    let before = &code[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Some(Failure {
        kind: FailureKind::Compile { codes: Vec::new() },
        name: "syntax error".into(),
        position: Some(Position {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }),
        report: report.lines().map(str::to_owned).collect(),
        message,
    })
}

/// The name of the crate that rustc does not know, if that is the trouble.
fn missing_crate(diagnostic: &Diagnostic) -> Option<&str> {
    let texts = diagnostic
        .spans
        .iter()
        .filter_map(|span| span.label.as_deref())
        .chain([diagnostic.message.as_str()]);
    let signs = ["unlinked crate `", "can't find crate for `"];
    texts
        .into_iter()
        .find_map(|text| signs.iter().find_map(|sign| text.rsplit_once(sign)))?
        .1
        .split('`')
        .next()
}

/// Why a name is no variable, and what to do.
pub(crate) fn explain_loss(name: &str, cell: usize, reason: &LossReason) -> String {
    match reason {
        LossReason::Moved => format!(
            "cell [{cell}] moved `{name}` away (gave its value to something else): define it again, or pass a clone or a reference there"
        ),
        LossReason::Borrows => format!(
            "`{name}` of cell [{cell}] borrows from another variable and ended with its cell: keep an owned value instead, for example with `.clone()` or `.to_owned()`"
        ),
        LossReason::OtherCrate => format!(
            "`{name}` was of a type from a crate that `:dep` in cell [{cell}] replaced by another version: run the cell that defines it again"
        ),
        LossReason::Unassigned => format!(
            "cell [{cell}] declared `{name}` without giving it a value, so there was nothing to keep: write `let {name} = …`"
        ),
        LossReason::EndedEarly => format!(
            "cell [{cell}] ended early, before its new variables were kept, `{name}` among them: run it again when it works to its end"
        ),
        LossReason::NoLongerFits => format!(
            "`{name}` did not fit what cell [{cell}] defined anew, and was left out: change it and run its cell again"
        ),
        LossReason::ProcessEnded => format!(
            "`{name}` was lost when the process that ran the cells ended in cell [{cell}]: run the cell that defines it again"
        ),
        LossReason::Unnameable(kind) if kind.contains("{closure") && !kind.contains('<') => {
            format!(
                "`{name}` of cell [{cell}] is a closure, whose type has no name, so it ended with its cell: make it a `fn`, or box it as `Box<dyn Fn(…) -> …>`"
            )
        }
        LossReason::Unnameable(kind) if kind.contains("async") || kind.contains("Future") => {
            format!(
                "`{name}` of cell [{cell}] is a future, whose type has no name, so it ended with its cell: `.await` it there, spawn it, or keep `Box::pin({name})` as `std::pin::Pin<Box<dyn Future<Output = …>>>`"
            )
        }
        LossReason::MadeByMacro => format!(
            "the macro call in cell [{cell}] defines `{name}` for that cell alone: call it inside a module, `mod made {{ use super::*; … }}`, and write `pub` in the macro before what it defines; then it is `made::{name}`"
        ),
        LossReason::Unnameable(kind) if kind.starts_with("fn(") || kind.starts_with("for<") => {
            format!(
                "`{name}` of cell [{cell}] is a function itself, whose type has no name, so it ended with its cell: write a function pointer, `let {name}: fn(…) -> … = …;`"
            )
        }
        LossReason::Unnameable(kind) if kind.starts_with("impl ") => {
            let kind = crate::type_name::short(kind);
            format!(
                "`{name}` of cell [{cell}] is an `{kind}`, whose type has no name and which no box can stand for (a `Box<dyn …>` has one trait, whose methods must allow it), so it ended with its cell: use it there, or keep what you get from it"
            )
        }
        LossReason::Unnameable(kind) => {
            format!(
                "`{name}` of cell [{cell}] has a type that cannot be written (`{kind}`), so it ended with its cell: collect or box it there, for example as `Box<dyn Trait>`"
            )
        }
    }
}

/// A compiler text without the names of generated crates, modules and files.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest
        .find("cell_")
        .into_iter()
        .chain(rest.find("carried_"))
        .min()
    {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let prefix = if from.starts_with("cell_") {
            "cell_"
        } else {
            "carried_"
        };
        let tail = &from[prefix.len()..];
        let digits = tail
            .find(|character: char| !character.is_ascii_hexdigit())
            .unwrap_or(tail.len());
        let generated = digits > 0 && (prefix == "carried_" || digits == 16);
        let after = &tail[digits..];
        // A file that the cell includes is named as the cell names it.
        if let Some(path) = crate::store::learners_file(after).filter(|_| generated) {
            rest = path;
            continue;
        }
        // `cell_0123456789abcdef/body.rs:2:20` is line 2 of the cell.
        let file = after
            .strip_prefix('/')
            .and_then(|path| path.split_once(".rs"))
            .filter(|(name, _)| !name.contains([' ', '/']));
        match (generated, after.strip_prefix("::"), file) {
            (true, Some(path), _) => rest = path,
            (true, None, Some((_, position))) => {
                out.push_str("cell");
                rest = position;
            }
            _ => {
                out.push_str(prefix);
                rest = tail;
            }
        }
    }
    crate::libraries::without_aliases(&(out + rest)).replace("::__rt::", "::")
}

/// The line and column (from 1) behind the last visible character.
fn end_of(source: &str) -> (usize, usize) {
    let text = source.trim_end();
    (
        text.matches('\n').count() + 1,
        text.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
    )
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
    fn generated_names_are_taken_out_of_messages() {
        assert_eq!(
            clean("expected `cell_0123456789abcdef::Movie`"),
            "expected `Movie`"
        );
        assert_eq!(
            clean("`cell_0123456789abcdef::carried_0::Movie`, `carried_1::A`"),
            "`Movie`, `A`"
        );
        assert_eq!(
            clean("my cell_count and cell_a::b"),
            "my cell_count and cell_a::b"
        );
    }

    #[test]
    fn offsets_count_characters() {
        assert_eq!(offset("äb\ncd", 1, 2), 2);
        assert_eq!(offset("äb\ncd", 2, 1), 4);
        assert_eq!(offset("äb\ncd", 9, 1), 6);
    }
}
