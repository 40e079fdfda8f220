//! The names a cell can use: what completion offers and inspection describes.

use std::sync::{Arc, RwLock};

use crate::cell::ItemKind;
use crate::directive;
use crate::session::Session;
use crate::type_name::short;

/// A cheap, shared view of an engine's names, usable from any thread, also while a cell runs.
#[derive(Debug, Clone, Default)]
pub struct ScopeHandle(Arc<RwLock<Scope>>);

/// The names themselves.
#[derive(Debug, Default)]
struct Scope {
    names: Vec<Name>,
}

#[derive(Debug, Clone)]
struct Name {
    text: String,
    kind: CompletionKind,
    /// The type of a variable, the head of an item.
    detail: String,
    cell: Option<usize>,
}

/// What could stand at the cursor. `start..end` is the part of the text to replace, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    pub start: usize,
    pub end: usize,
    pub matches: Vec<Match>,
}

/// One suggestion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    pub text: String,
    pub kind: CompletionKind,
    /// The type or signature, when known.
    pub detail: Option<String>,
}

/// What a suggestion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompletionKind {
    Variable,
    Function,
    Type,
    Module,
    Macro,
    Constant,
    Keyword,
    Directive,
}

/// What is known of the name at the cursor, as plain text and as Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    pub plain: String,
    pub markdown: String,
}

impl ScopeHandle {
    /// Suggestions at byte offset `cursor` of `code`. Nothing is suggested behind a dot or a `::`, where a wrong guess
    /// would mislead.
    pub fn complete(&self, code: &str, cursor: usize) -> Completion {
        let cursor = floor(code, cursor);
        let start = word_start(code, cursor);
        let (before, word) = (&code[..start], &code[start..cursor]);
        let nothing = Completion {
            start: cursor,
            end: cursor,
            matches: Vec::new(),
        };
        let line = before.rsplit('\n').next().unwrap_or_default();
        if line.trim() == ":" {
            let matches = directive::TABLE
                .iter()
                .filter(|entry| entry.name.starts_with(word))
                .map(|entry| Match {
                    text: entry.name.into(),
                    kind: CompletionKind::Directive,
                    detail: Some(entry.does.into()),
                });
            return Completion {
                start,
                end: cursor,
                matches: matches.collect(),
            };
        }
        if before.trim_end().ends_with(['.', ':']) {
            return nothing;
        }
        let Ok(scope) = self.0.read() else {
            return nothing;
        };
        let keywords = KEYWORDS
            .iter()
            .filter(|_| !word.is_empty())
            .map(|keyword| Name {
                text: (*keyword).into(),
                kind: CompletionKind::Keyword,
                detail: String::new(),
                cell: None,
            });
        let mut matches: Vec<Match> = Vec::new();
        for name in scope
            .names
            .iter()
            .cloned()
            .chain(keywords)
            .filter(|name| name.text.starts_with(word))
        {
            if !matches.iter().any(|found| found.text == name.text) {
                matches.push(Match {
                    text: name.text,
                    kind: name.kind,
                    detail: Some(name.detail).filter(|text| !text.is_empty()),
                });
            }
        }
        Completion {
            start,
            end: cursor,
            matches,
        }
    }

    /// What the name at byte offset `cursor` of `code` is, if it is known.
    pub fn inspect(&self, code: &str, cursor: usize) -> Option<Inspection> {
        let cursor = floor(code, cursor);
        let start = word_start(code, cursor);
        let rest = &code[start..];
        let word = &rest[..rest
            .find(|character: char| !is_word(character))
            .unwrap_or(rest.len())];
        if word.is_empty() {
            return None;
        }
        if code[..start].rsplit('\n').next().unwrap_or_default().trim() == ":" {
            let entry = directive::TABLE.iter().find(|entry| entry.name == word)?;
            let plain = format!(":{} {}\n{}", entry.name, entry.argument, entry.does);
            return Some(Inspection {
                markdown: format!("`:{} {}`\n\n{}", entry.name, entry.argument, entry.does),
                plain,
            });
        }
        let scope = self.0.read().ok()?;
        let name = scope.names.iter().find(|name| name.text == word)?;
        let head = match name.kind {
            CompletionKind::Variable => format!("{}: {}", name.text, name.detail),
            _ => name.detail.clone(),
        };
        let origin = name
            .cell
            .map(|cell| format!("defined in cell [{cell}]"))
            .unwrap_or_default();
        Some(Inspection {
            plain: format!("{head}\n{origin}"),
            markdown: format!("```rust\n{head}\n```\n\n{origin}"),
        })
    }

    /// Takes over what a session has in scope now.
    pub(crate) fn update(&self, session: &Session) {
        let variables = session.variables.iter().rev().map(|variable| Name {
            text: variable.name.clone(),
            kind: CompletionKind::Variable,
            detail: short(&variable.kind),
            cell: Some(variable.cell),
        });
        let items = session.definitions.iter().rev().flat_map(|definition| {
            let kind = match definition.item.kind {
                ItemKind::Function => CompletionKind::Function,
                ItemKind::Type | ItemKind::Trait => CompletionKind::Type,
                ItemKind::Macro => CompletionKind::Macro,
                ItemKind::Module => CompletionKind::Module,
                _ => CompletionKind::Constant,
            };
            let text = &definition.text[definition.item.range.clone()];
            definition.item.names.iter().map(move |name| Name {
                text: if kind == CompletionKind::Macro {
                    format!("{name}!")
                } else {
                    name.clone()
                },
                kind,
                detail: head_of(text),
                cell: Some(definition.cell),
            })
        });
        let uses = session.uses.iter().rev().filter_map(|one| {
            let name = one.name.clone()?;
            let kind = if name.starts_with(char::is_uppercase) {
                CompletionKind::Type
            } else {
                CompletionKind::Module
            };
            Some(Name {
                text: name,
                kind,
                detail: one.declaration.clone(),
                cell: None,
            })
        });
        let names = variables.chain(items).chain(uses).collect();
        if let Ok(mut scope) = self.0.write() {
            scope.names = names;
        }
    }
}

const KEYWORDS: [&str; 33] = [
    "as", "async", "await", "break", "const", "continue", "crate", "else", "enum", "extern",
    "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "ref", "return", "static", "struct", "trait", "true", "type", "unsafe", "use", "while",
];

/// The first line of an item without its attributes and its body.
fn head_of(text: &str) -> String {
    let line = text
        .lines()
        .find(|line| !line.trim_start().starts_with(['#', '/']))
        .unwrap_or_default();
    line.split('{')
        .next()
        .unwrap_or_default()
        .trim()
        .trim_end_matches(';')
        .to_owned()
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn word_start(code: &str, cursor: usize) -> usize {
    code[..cursor]
        .rfind(|character: char| !is_word(character))
        .map_or(0, |at| {
            at + code[at..].chars().next().map_or(1, char::len_utf8)
        })
}

/// The nearest character boundary at or before `cursor`.
fn floor(code: &str, cursor: usize) -> usize {
    let mut cursor = cursor.min(code.len());
    while !code.is_char_boundary(cursor) {
        cursor -= 1;
    }
    cursor
}
