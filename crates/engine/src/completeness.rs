//! Whether a cell's text is a whole cell yet, for front ends that ask before they run it.

use syn::parse::Parser;

/// Answer to "is this cell complete?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    Complete,
    /// More lines are needed; `indent` is what the next line should start with.
    Incomplete {
        indent: String,
    },
    /// No further line can mend it.
    Invalid,
}

/// Judges `code` without running or compiling it.
///
/// ```
/// use loopbot_engine::{Completeness, completeness};
/// assert_eq!(completeness("let x = 1;"), Completeness::Complete);
/// assert_eq!(completeness("fn f() {"), Completeness::Incomplete { indent: "    ".into() });
/// assert_eq!(completeness("fn f() }"), Completeness::Invalid);
/// ```
pub fn completeness(code: &str) -> Completeness {
    let cell = crate::cell::parse(code);
    let parsed = syn::Block::parse_within.parse_str(&cell.text);
    let verdict = match (open_brackets(&cell.text), parsed) {
        (Brackets::TooManyClosed, _) => Completeness::Invalid,
        (Brackets::Open(depth), _) => Completeness::Incomplete {
            indent: "    ".repeat(depth),
        },
        (Brackets::Unended, _) => Completeness::Incomplete {
            indent: String::new(),
        },
        (Brackets::Balanced, Ok(_)) => Completeness::Complete,
        // Something is missing exactly if the trouble is at the end: `let x =`, `1 +`.
        (Brackets::Balanced, Err(error))
            if error.to_string().contains("unexpected end of input") =>
        {
            Completeness::Incomplete {
                indent: String::new(),
            }
        }
        // `fn f()` waits for its body, `let x = 1` for its semicolon.
        (Brackets::Balanced, Err(_))
            if [";", " {}"]
                .iter()
                .any(|more| parses(&format!("{}{more}", cell.text))) =>
        {
            Completeness::Incomplete {
                indent: String::new(),
            }
        }
        (Brackets::Balanced, Err(_)) => Completeness::Invalid,
    };
    proc_macro2::extra::invalidate_current_thread_spans();
    verdict
}

fn parses(code: &str) -> bool {
    syn::Block::parse_within.parse_str(code).is_ok()
}

enum Brackets {
    Balanced,
    Open(usize),
    TooManyClosed,
    /// A string or a comment has no end yet.
    Unended,
}

/// Counts brackets outside strings, characters and comments.
fn open_brackets(code: &str) -> Brackets {
    let mut stack = Vec::new();
    let mut rest = code;
    while let Some(next) = rest.chars().next() {
        let skipped = match next {
            '/' if rest.starts_with("//") => Some(rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => comment_length(rest),
            '"' => string_length(rest, 0),
            'r' if raw_hashes(rest).is_some() => {
                let hashes = raw_hashes(rest).unwrap_or(0);
                string_length(&rest[1 + hashes..], hashes + 1).map(|length| length + 1 + hashes)
            }
            '\'' => Some(character_length(rest)),
            '(' | '[' | '{' => {
                stack.push(next);
                Some(1)
            }
            ')' | ']' | '}' => {
                let fits = matches!(
                    (stack.pop(), next),
                    (Some('('), ')') | (Some('['), ']') | (Some('{'), '}')
                );
                if !fits {
                    return Brackets::TooManyClosed;
                }
                Some(1)
            }
            // A name is skipped whole, so that the `r` of `for` begins no raw string.
            _ if next.is_alphanumeric() || next == '_' => Some(
                rest.find(|c: char| !c.is_alphanumeric() && c != '_')
                    .unwrap_or(rest.len()),
            ),
            _ => Some(next.len_utf8()),
        };
        match skipped {
            Some(length) => rest = &rest[length..],
            None => return Brackets::Unended,
        }
    }
    if stack.is_empty() {
        Brackets::Balanced
    } else {
        Brackets::Open(stack.len())
    }
}

fn comment_length(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    None
}

/// The hashes of a raw string that begins here.
fn raw_hashes(text: &str) -> Option<usize> {
    let hashes = text[1..].bytes().take_while(|byte| *byte == b'#').count();
    text[1 + hashes..].starts_with('"').then_some(hashes)
}

/// Length of a string that begins with a quote; `raw` is one more than its hashes, 0 for an ordinary string.
fn string_length(text: &str, raw: usize) -> Option<usize> {
    if raw > 0 {
        let end = format!("\"{}", "#".repeat(raw - 1));
        return text[1..].find(&end).map(|at| 1 + at + end.len());
    }
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// `'a'` and `'\n'` whole; of a lifetime only the tick.
fn character_length(text: &str) -> usize {
    let inside = &text[1..];
    if let Some(escape) = inside.strip_prefix('\\') {
        let skip = escape.chars().next().map_or(0, char::len_utf8);
        return escape[skip..]
            .find('\'')
            .map_or(1, |at| 1 + 1 + skip + at + 1);
    }
    let first = inside.chars().next().map_or(0, char::len_utf8);
    if first > 0 && inside[first..].starts_with('\'') {
        1 + first + 1
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: &str, expected: &str) {
        let found = match completeness(code) {
            Completeness::Complete => "complete".to_owned(),
            Completeness::Incomplete { indent } => format!("incomplete {}", indent.len()),
            Completeness::Invalid => "invalid".to_owned(),
        };
        assert_eq!(found, expected, "{code:?}");
    }

    #[test]
    fn whole_cells() {
        for code in [
            "",
            "1 + 2",
            "let x = 1;",
            ":vars",
            ":dep rand = \"0.9\"\nlet x = 1;",
            "fn f() {}",
            "let s = r#\"a\"b\"#;",
            "let c = '{'; /* } */ // {",
        ] {
            check(code, "complete");
        }
    }

    #[test]
    fn cells_that_go_on() {
        check("fn f() {", "incomplete 4");
        check("fn f() { if true {", "incomplete 8");
        check("let s = \"abc", "incomplete 0");
        check("/* a", "incomplete 0");
        check("let x =", "incomplete 0");
        check("let x = 1", "incomplete 0");
        check("fn f()", "incomplete 0");
    }

    #[test]
    fn cells_beyond_repair() {
        check("fn f() }", "invalid");
        check("let = 2;", "invalid");
    }
}
