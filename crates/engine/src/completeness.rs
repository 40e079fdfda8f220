//! Whether a cell's text is a whole cell yet, for front ends that ask before they run it.

use syn::parse::Parser;

use crate::brackets::{Brackets, brackets};

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
    let verdict = match (brackets(&cell.text), parsed) {
        (Brackets::Stray { .. }, _) => Completeness::Invalid,
        (Brackets::Open { depth, .. }, _) => Completeness::Incomplete {
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
