//! rustc's diagnostics as data: what its JSON says, nothing added.

use std::collections::BTreeSet;

use serde::Deserialize;

/// A message of the compiler.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Diagnostic {
    pub(crate) message: String,
    #[serde(deserialize_with = "code")]
    pub(crate) code: Option<String>,
    /// `error`, `warning`, `note`, `help`, …
    pub(crate) level: String,
    pub(crate) spans: Vec<Span>,
    pub(crate) children: Vec<Diagnostic>,
}

/// A stretch of source text.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Span {
    pub(crate) file_name: String,
    pub(crate) line_start: usize,
    pub(crate) line_end: usize,
    pub(crate) column_start: usize,
    pub(crate) column_end: usize,
    pub(crate) is_primary: bool,
    pub(crate) label: Option<String>,
    pub(crate) suggested_replacement: Option<String>,
    /// For code that came out of a macro: the call.
    pub(crate) expansion: Option<Box<Expansion>>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Expansion {
    pub(crate) span: Span,
    /// `println!`, `#[derive(Debug)]`, `desugaring of …`.
    pub(crate) macro_decl_name: String,
    /// Where the macro is defined.
    pub(crate) def_site_span: Option<Box<Span>>,
}

impl Diagnostic {
    /// Reads one line of `--error-format=json`.
    pub(crate) fn parse(line: &str) -> Option<Diagnostic> {
        let diagnostic: Diagnostic = serde_json::from_str(line).ok()?;
        // The closing lines ("aborting due to 2 previous errors") say nothing new.
        let summary = diagnostic.spans.is_empty()
            && [
                "aborting due to",
                "For more information about",
                "Some errors have detailed",
                "warning emitted",
                "warnings emitted",
            ]
            .iter()
            .any(|text| diagnostic.message.contains(text));
        (!summary).then_some(diagnostic)
    }

    pub(crate) fn is_error(&self) -> bool {
        self.level.starts_with("error")
    }

    /// The span it is about.
    pub(crate) fn primary(&self) -> Option<&Span> {
        self.spans.iter().find(|span| span.is_primary)
    }
}

impl Span {
    /// The outermost call, in a file of `files`, of the macros that this code came out of; itself if it is in one.
    pub(crate) fn in_files<'a>(&'a self, files: &BTreeSet<&str>) -> Option<&'a Span> {
        if files.contains(self.file_name.as_str()) {
            return Some(self);
        }
        self.expansion.as_ref()?.span.in_files(files)
    }
}

fn code<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    struct Code {
        code: String,
    }
    Ok(Option::<Code>::deserialize(deserializer)?.map(|code| code.code))
}
