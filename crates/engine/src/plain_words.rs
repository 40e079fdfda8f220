//! What an error means, in one plain sentence, for people who meet it for the first time.
//!
//! The sentences stand in `plain_words.txt`, one line each, so that they can be read (and translated) as a whole. Here is
//! how one is chosen. Nothing is explained that the table does not hold; rustc's own words always follow.

use std::sync::LazyLock;

use crate::diagnostic::Diagnostic;

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Words {
    code: &'static str,
    /// Pieces of text that the diagnostic must hold, with ` & ` between; may be empty.
    when: &'static str,
    sentence: &'static str,
}

static TABLE: LazyLock<Vec<Words>> = LazyLock::new(|| {
    include_str!("plain_words.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| {
            let mut parts = line.splitn(3, '|').map(str::trim);
            Some(Words {
                code: parts.next()?,
                when: parts.next()?,
                sentence: parts.next()?,
            })
        })
        .collect()
});

/// The sentence for a diagnostic, with its names put in, and the line it came from (to say nothing twice). `clean` makes
/// a compiler's text fit for the learner.
pub(crate) fn in_short(
    diagnostic: &Diagnostic,
    clean: impl Fn(&str) -> String,
) -> Option<(&'static Words, String)> {
    let code = diagnostic.code.as_deref().unwrap_or("-");
    let mut texts = vec![diagnostic.message.as_str()];
    texts.extend(
        diagnostic
            .children
            .iter()
            .map(|child| child.message.as_str()),
    );
    texts.extend(
        std::iter::once(diagnostic)
            .chain(&diagnostic.children)
            .flat_map(|told| &told.spans)
            .filter_map(|span| span.label.as_deref()),
    );
    let names: Vec<String> = quoted(&clean(&diagnostic.message));
    let sides = diagnostic
        .primary()
        .and_then(|span| span.label.as_deref())
        .and_then(|label| sides(&clean(label)));
    TABLE
        .iter()
        .filter(|words| words.code == code)
        .filter(|words| {
            let mut wanted = words.when.split(" & ");
            wanted.all(|piece| texts.iter().any(|text| text.contains(piece)))
        })
        .find_map(|words| Some((words, fill(words.sentence, &names, sides.as_ref())?)))
}

/// The sentence with its placeholders filled, if there is something for each of them.
fn fill(sentence: &str, names: &[String], sides: Option<&(String, String)>) -> Option<String> {
    let bound = names.first().and_then(|name| name.rsplit_once(": "));
    let values = [
        ("{type}", bound.map(|(kind, _)| kind)),
        ("{trait}", bound.map(|(_, ability)| ability)),
        ("{0}", names.first().map(String::as_str)),
        ("{1}", names.get(1).map(String::as_str)),
        ("{last}", names.last().map(String::as_str)),
        ("{expected}", sides.map(|(expected, _)| expected.as_str())),
        ("{found}", sides.map(|(_, found)| found.as_str())),
    ];
    let mut filled = String::with_capacity(sentence.len());
    let mut rest = sentence;
    // In one pass: a name may hold braces itself (`{integer}`).
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        match values
            .iter()
            .find(|(placeholder, _)| rest.starts_with(placeholder))
        {
            Some((placeholder, value)) => {
                filled.push_str((*value)?);
                rest = &rest[placeholder.len()..];
            }
            None => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    Some(filled + rest)
}

/// What stands between backquotes.
fn quoted(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(|name| {
            name.replace("{integer}", "integer")
                .replace("{float}", "float")
        })
        .collect()
}

/// The two sides of "expected `i32`, found integer", with an article where they are words.
fn sides(label: &str) -> Option<(String, String)> {
    let (expected, found) = label.strip_prefix("expected ")?.split_once(", found ")?;
    Some((side(expected), side(found)))
}

fn side(text: &str) -> String {
    // "enum `Option<_>`" says no more than `Option<_>`.
    match text.find('`') {
        Some(at) => text[at..].to_owned(),
        None if ["a ", "an ", "one "]
            .iter()
            .any(|begin| text.starts_with(begin)) =>
        {
            text.to_owned()
        }
        None if text.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {text}"),
        None => format!("a {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnostic(code: &str, message: &str, label: Option<&str>) -> Diagnostic {
        let span = serde_json::json!({
            "file_name": "f", "line_start": 1, "line_end": 1, "column_start": 1, "column_end": 2,
            "is_primary": true, "label": label, "suggested_replacement": null, "expansion": null,
        });
        let whole = serde_json::json!({
            "message": message, "code": { "code": code }, "level": "error", "spans": [span], "children": [],
        });
        Diagnostic::parse(&whole.to_string()).unwrap_or_else(|| panic!("no diagnostic: {whole}"))
    }

    fn check(code: &str, message: &str, label: Option<&str>, sentence: &str) {
        let found = in_short(&diagnostic(code, message, label), str::to_owned);
        assert_eq!(
            found.map(|(_, sentence)| sentence).as_deref(),
            Some(sentence)
        );
    }

    #[test]
    fn names_of_the_message_are_put_in() {
        check(
            "E0384",
            "cannot assign twice to immutable variable `n`",
            None,
            "`n` was made without `mut`, so it keeps its first value: write `let mut n` to be able to change it",
        );
        check(
            "E0308",
            "mismatched types",
            Some("expected enum `Option<_>`, found integer"),
            "`Option<_>` is wanted here, and this is an integer",
        );
        check(
            "E0308",
            "mismatched types",
            None,
            "the type of this value is not the one that is wanted here",
        );
    }

    #[test]
    fn the_message_decides_where_a_code_means_several_things() {
        check(
            "E0277",
            "`{integer}` is not a future",
            None,
            "only a future can be awaited, and `integer` is none: the function is perhaps not `async`, or the `.await` is one too many",
        );
        check(
            "E0277",
            "`P` doesn't implement `Debug`",
            None,
            "`P` says nowhere how it is shown: write `#[derive(Debug)]` above its definition",
        );
    }

    #[test]
    fn every_line_of_the_table_is_whole_and_can_be_reached() {
        assert!(TABLE.len() > 200, "{}", TABLE.len());
        for (index, words) in TABLE.iter().enumerate() {
            let number = words.code.strip_prefix('E').unwrap_or_default();
            let is_error = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
            let is_lint = words
                .code
                .bytes()
                .all(|byte| byte == b'_' || byte.is_ascii_lowercase());
            assert!(is_error || is_lint || words.code == "-", "{words:?}");
            assert!(
                !words.sentence.is_empty() && !words.sentence.ends_with('.'),
                "{words:?}"
            );
            assert_eq!(words.sentence.matches('`').count() % 2, 0, "{words:?}");
            // A line after one that always fits would never be taken.
            let hidden = TABLE[..index].iter().any(|before| {
                before.code == words.code
                    && before.when.is_empty()
                    && !before.sentence.contains('{')
            });
            assert!(!hidden, "{words:?}");
        }
    }
}
