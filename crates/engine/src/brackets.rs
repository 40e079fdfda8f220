//! Brackets of a cell: whether each is closed, judged outside strings, characters and comments.

/// What became of the brackets of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Brackets {
    Balanced,
    /// The innermost bracket without an end, and how many are open.
    Open {
        at: usize,
        depth: usize,
    },
    /// A closing bracket that closes nothing, or another kind than the one that was opened at `opened`.
    Stray {
        at: usize,
        opened: Option<usize>,
    },
    /// A string or a comment has no end.
    Unended,
}

/// Looks at the brackets of `code`. All offsets are in bytes.
pub(crate) fn brackets(code: &str) -> Brackets {
    let mut stack: Vec<(char, usize)> = Vec::new();
    let mut rest = code;
    while let Some(next) = rest.chars().next() {
        let at = code.len() - rest.len();
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
                stack.push((next, at));
                Some(1)
            }
            ')' | ']' | '}' => {
                let opened = stack.pop();
                let fits = matches!(
                    (opened.map(|(open, _)| open), next),
                    (Some('('), ')') | (Some('['), ']') | (Some('{'), '}')
                );
                if !fits {
                    return Brackets::Stray {
                        at,
                        opened: opened.map(|(_, at)| at),
                    };
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
    stack
        .last()
        .map_or(Brackets::Balanced, |(_, at)| Brackets::Open {
            at: *at,
            depth: stack.len(),
        })
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
