//! One diagnostic on the learner's own lines, as rustc would draw it there: marks, notes, proposals; of macros the call
//! and, where it is the learner's, the text.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};

use crate::clean::{clean, is_generated, without_strangers};
use crate::diagnostic::{Diagnostic, Span};
use crate::report::{Files, Place};
use crate::session::Session;

/// A place that is marked, and what is said there.
struct Mark<'a> {
    place: Place<'a>,
    kind: AnnotationKind,
    label: Option<String>,
}

impl<'a> Files<'a> {
    /// One diagnostic, drawn with ANSI colours.
    pub(crate) fn draw(&self, diagnostic: &Diagnostic, session: &Session) -> String {
        let level = if diagnostic.is_error() {
            Level::ERROR
        } else {
            Level::WARNING
        };
        let title = clean(&diagnostic.message);
        let mut head = level.primary_title(title);
        if let Some(code) = diagnostic
            .code
            .as_deref()
            .filter(|code| code.starts_with('E'))
        {
            head = head.id(code.to_owned());
        }
        let mut marks = self.marks(&diagnostic.spans);
        marks.extend(self.macro_calls(diagnostic));
        let mut group = self.snippets(Group::with_title(head), &marks);
        let mut groups = Vec::new();
        for child in &diagnostic.children {
            let level = if child.level == "help" {
                Level::HELP
            } else {
                Level::NOTE
            };
            let text = without_strangers(&clean(&child.message));
            if let Some(imports) = imports(child) {
                group = group.element(Level::HELP.message(imports));
            } else if let Some((cell, source, patches)) =
                self.suggestion(child).filter(|_| !is_technical(child))
            {
                let path = format!("cell [{}]", cell.unwrap_or(self.number));
                let snippet = Snippet::source(source).path(path).fold(true).patches(
                    patches
                        .into_iter()
                        .map(|(range, text)| Patch::new(range, text)),
                );
                groups.push(Group::with_title(level.secondary_title(text)).element(snippet));
            } else if self.is_for_learner(child) {
                let marks = self.marks(&child.spans);
                if marks.is_empty() {
                    group = group.element(level.message(text));
                } else {
                    let titled = Group::with_title(level.secondary_title(text));
                    groups.push(self.snippets(titled, &marks));
                }
            }
        }
        if let Some(name) = self.inside_macro(diagnostic) {
            group = group.element(Level::NOTE.message(format!(
                "the trouble is in the code that `{name}` puts here"
            )));
        }
        let included = crate::store::advice(diagnostic);
        for text in included.into_iter().chain(self.advice(diagnostic, session)) {
            group = group.element(Level::HELP.message(text));
        }
        groups.insert(0, group);
        Renderer::styled()
            .decor_style(DecorStyle::Ascii)
            .render(&groups)
    }

    /// What is to be marked in the learner's own text.
    fn marks(&self, spans: &[Span]) -> Vec<Mark<'a>> {
        let mut marks: Vec<Mark<'a>> = Vec::new();
        for span in spans {
            let kind = if span.is_primary {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let Some(place) = self.place(span) else {
                continue;
            };
            let label = span.label.as_deref().map(clean);
            // All that a macro puts somewhere stands at its call: there it is said once.
            let told = marks.iter().any(|mark| {
                mark.place.cell == place.cell
                    && mark.place.range == place.range
                    && (label.is_none() || mark.label == label)
            });
            if !told {
                marks.push(Mark { place, kind, label });
            }
        }
        marks
    }

    /// Where the learner's own macro was called, for trouble inside its definition.
    fn macro_calls(&self, diagnostic: &Diagnostic) -> Vec<Mark<'a>> {
        let mut calls = Vec::new();
        let Some(span) = diagnostic.primary().filter(|span| self.is_own(span)) else {
            return calls;
        };
        let mut expansion = span.expansion.as_deref();
        while let Some(step) = expansion {
            let derive = step.macro_decl_name.starts_with("#[derive");
            let own = step
                .def_site_span
                .as_deref()
                .is_some_and(|defined| self.is_own(defined));
            // `?`, `for` and format strings are macros to rustc, not to a learner.
            let sugar = step.macro_decl_name.starts_with("desugaring");
            if (derive || own && !sugar)
                && let Some(place) = self.place(&step.span)
            {
                let label = if derive {
                    "asked for here"
                } else {
                    "the macro is called here"
                };
                calls.push(Mark {
                    place,
                    kind: AnnotationKind::Context,
                    label: Some(label.to_owned()),
                });
            }
            expansion = step.span.expansion.as_deref();
        }
        calls
    }

    /// The macro whose text is the trouble, where the learner only sees its call. Not std's: what is said about their
    /// calls is about what was given to them.
    fn inside_macro<'d>(&self, diagnostic: &'d Diagnostic) -> Option<&'d str> {
        let mut span = diagnostic.primary()?;
        let mut name = None;
        while !self.is_own(span) {
            let step = span.expansion.as_deref()?;
            let library = step.def_site_span.as_deref().is_none_or(|defined| {
                defined.file_name.contains("/library/") || defined.file_name.starts_with("/rustc/")
            });
            name = (!library && !step.macro_decl_name.contains("$crate"))
                .then_some(step.macro_decl_name.as_str());
            span = &step.span;
        }
        name
    }

    /// Whether a span is in the learner's text itself, not in the text of a macro that it calls.
    pub(crate) fn is_own(&self, span: &Span) -> bool {
        self.locate(span)
            .is_some_and(|(_, found, _)| std::ptr::eq(found, span))
    }

    /// One snippet for each cell that is marked.
    fn snippets(&self, mut group: Group<'a>, marks: &[Mark<'a>]) -> Group<'a> {
        let mut cells: Vec<Option<usize>> = Vec::new();
        for mark in marks {
            if !cells.contains(&mark.place.cell) {
                cells.push(mark.place.cell);
            }
        }
        for cell in cells {
            let of_cell = || marks.iter().filter(|mark| mark.place.cell == cell);
            let Some(first) = of_cell().next() else {
                continue;
            };
            let path = format!("cell [{}]", cell.unwrap_or(self.number));
            group = group.element(
                Snippet::source(first.place.source)
                    .path(path)
                    .fold(true)
                    .annotations(of_cell().map(|mark| {
                        mark.kind
                            .span(mark.place.range.clone())
                            .label(mark.label.clone())
                    })),
            );
        }
        group
    }

    /// A change to the learner's text that the compiler proposes. None where the text is a macro's: the call is not what
    /// is to be changed.
    #[allow(clippy::type_complexity)]
    fn suggestion(
        &self,
        child: &Diagnostic,
    ) -> Option<(Option<usize>, &'a str, Vec<(Range<usize>, String)>)> {
        let mut found: Option<(Option<usize>, &'a str, Vec<(Range<usize>, String)>)> = None;
        for span in &child.spans {
            let replacement = span.suggested_replacement.clone()?;
            let place = self.place(span).filter(|_| self.is_own(span))?;
            let (cell, _, patches) = found.get_or_insert((place.cell, place.source, Vec::new()));
            if *cell != place.cell || is_generated(&replacement) {
                return None;
            }
            // The same place again: from here on it is another proposal instead of this one.
            if patches
                .iter()
                .any(|(range, _)| overlap(range, &place.range))
            {
                break;
            }
            patches.push((place.range, clean(&replacement)));
        }
        found
    }

    /// Notes without a place are for everyone; those that point only into generated text or the libraries are not, and
    /// no proposal is that cannot be shown.
    fn is_for_learner(&self, child: &Diagnostic) -> bool {
        let proposal = child
            .spans
            .iter()
            .any(|span| span.suggested_replacement.is_some());
        (child.spans.is_empty()
            || !proposal && child.spans.iter().any(|span| self.place(span).is_some()))
            && !is_technical(child)
    }
}

/// A proposal to bring a name in, as a sentence: where in the cell it is put does not matter, and rustc would put it among
/// generated lines.
fn imports(child: &Diagnostic) -> Option<String> {
    let lines: Option<Vec<String>> = child
        .spans
        .iter()
        .map(|span| {
            let line = span.suggested_replacement.as_deref()?.trim();
            (line.starts_with("use ") && line.ends_with(';') && !line.contains('\n'))
                .then(|| format!("`{}`", line.replace("use crate::", "use ")))
        })
        .collect();
    let lines: Vec<String> = lines?
        .into_iter()
        .filter(|line| !is_generated(line) && !line.contains("__"))
        .collect();
    match lines.as_slice() {
        [] => None,
        [line] => Some(format!("bring it in first: {line}")),
        [first, .., last] if lines.len() == 2 => {
            Some(format!("bring it in first: {first} or {last}"))
        }
        lines => Some(format!(
            "bring it in first, with one of these: {}",
            lines.join(", ")
        )),
    }
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start == other.start || one.start < other.end && other.start < one.end
}

/// Notes about compiling itself.
fn is_technical(note: &Diagnostic) -> bool {
    let technical = [
        "requested on the command line",
        "on by default",
        "this error originates in the macro `$crate",
        "you might be missing a crate named",
        "the full name for the type has been written to",
        "--verbose",
        "the return type of this call is",
        // Calls what must not be called: the trouble is a missing `Send`, or a derive.
        "use parentheses to call this trait object",
        "elsewhere in the crate already",
        // What follows "prefix `f` is unknown".
        "consider inserting whitespace here",
    ];
    technical.iter().any(|text| note.message.contains(text))
}
