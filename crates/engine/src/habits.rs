//! Habits from other languages, Python above all, where rustc's own words do not see what was meant.
//!
//! Only what can be told for certain from the words around an error; names such as `len` stand in `plain_words.txt`.

use crate::diagnostic::Diagnostic;

/// What was meant, for an error at byte `at` of the learner's `source`.
pub(crate) fn habit(diagnostic: &Diagnostic, source: &str, at: usize) -> Option<String> {
    let start = source[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let (before, after) = (&source[start..at], &source[at..]);
    let after = after.lines().next().unwrap_or_default();
    let message = diagnostic.message.as_str();
    match diagnostic.code.as_deref() {
        None if message == "prefix `f` is unknown" => Some(
            "Rust needs no `f\"…\"`: `println!(\"{name}\")` and `format!(\"{name}\")` take names in braces as they are".into(),
        ),
        None => in_syntax(message, before, after).map(str::to_owned),
        Some("E0425") if before.trim() == "!" => Some(format!(
            "`{0}` is no variable, and no program of that name is found either",
            word(after)
        )),
        Some("E0425") => {
            let name = word(after);
            let rest = after[name.len()..].trim_start();
            let assigns = rest.starts_with('=') && !rest.starts_with("==") && !rest.starts_with("=>");
            (before.trim().is_empty() && assigns && !name.is_empty())
                .then(|| format!("a new variable begins with `let`: `let {name} = …`"))
        }
        Some("E0614") if before.ends_with('*') && !before.trim_end_matches('*').trim().is_empty() => Some(
            "`**` is no operator in Rust: a power is written `x.pow(2)`, or `x.powf(0.5)` for floats".into(),
        ),
        _ => None,
    }
}

fn in_syntax(message: &str, before: &str, after: &str) -> Option<&'static str> {
    let first = word(before.trim_start());
    if before.trim() == "#" || before.trim().is_empty() && after.starts_with("# ") {
        return Some("a comment begins with `//` in Rust");
    }
    if !message.starts_with("expected") {
        return None;
    }
    if message.ends_with("found `:`") {
        if matches!(
            first,
            "for" | "while" | "if" | "else" | "elif" | "try" | "with"
        ) {
            return Some(
                "a block stands in braces, `{ … }`: there is no `:`, and indentation means nothing",
            );
        }
        if before.contains('{') && before.trim_end().ends_with('"') {
            return Some("a dictionary is a `HashMap`: `HashMap::from([(\"a\", 1), (\"b\", 2)])`");
        }
    }
    if message.ends_with("found keyword `if`") && before.contains('=') {
        return Some("`if` gives a value by itself: `if condition { a } else { b }`");
    }
    if message.ends_with("found keyword `for`") && before.contains('[') {
        return Some(
            "a list is made from another with an iterator: `(0..3).map(|x| x * 2).collect::<Vec<_>>()`",
        );
    }
    let here = word(after);
    let previous = before
        .trim_end()
        .rsplit(|character: char| !is_word(character))
        .next()
        .unwrap_or_default();
    [previous, here]
        .iter()
        .find_map(|word| HABITS.iter().find(|(habit, _)| habit == word))
        .map(|(_, meant)| *meant)
}

/// Words of other languages, and what Rust has instead.
const HABITS: [(&str, &str); 19] = [
    (
        "def",
        "a function is written `fn name(x: i32) -> i32 { … }`",
    ),
    (
        "function",
        "a function is written `fn name(x: i32) -> i32 { … }`",
    ),
    (
        "import",
        "`use` brings names in, such as `use std::time::Duration;`; another crate is asked for with `:dep`",
    ),
    (
        "from",
        "`use` brings names in, such as `use std::time::Duration;`; another crate is asked for with `:dep`",
    ),
    (
        "class",
        "a type is written `struct Name { field: i32 }`, and its methods stand in `impl Name { … }`",
    ),
    ("elif", "`elif` is written `else if`"),
    (
        "lambda",
        "a function without a name is a closure: `|x| x + 1`",
    ),
    (
        "with",
        "Rust needs no `with`: a value is closed or unlocked where it ends, at the end of its block",
    ),
    (
        "raise",
        "there are no exceptions: a function returns a `Result`, and `Err(…)` is the error",
    ),
    (
        "throw",
        "there are no exceptions: a function returns a `Result`, and `Err(…)` is the error",
    ),
    (
        "except",
        "there are no exceptions: a function returns a `Result`, looked at with `match` or passed on with `?`",
    ),
    (
        "catch",
        "there are no exceptions: a function returns a `Result`, looked at with `match` or passed on with `?`",
    ),
    (
        "finally",
        "there are no exceptions: what must happen at the end stands in `Drop`",
    ),
    (
        "assert",
        "`assert!(…)` is a macro, written with `!` and brackets",
    ),
    (
        "print",
        "`println!(\"{x}\")` is a macro, written with `!` and brackets",
    ),
    ("switch", "`match value { … }` chooses among cases"),
    ("del", "`drop(value)` ends a value early"),
    ("pass", "an empty block is written `{}`"),
    (
        "global",
        "what several functions share is a `static` with an atomic or a `Mutex`",
    ),
];

fn word(text: &str) -> &str {
    &text[..text
        .find(|character: char| !is_word(character))
        .unwrap_or(text.len())]
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}
