//! The code in a solution cell: exactly one fenced `rust` block in its Markdown. Knows nothing else of Markdown.

/// Why a solution cell gives no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SolutionError {
    #[error("the solution holds no ```rust block; it needs exactly one")]
    NoBlock,
    #[error(
        "the solution holds {0} ```rust blocks; it needs exactly one, so mark the others ```text"
    )]
    SeveralBlocks(usize),
    #[error("the solution's ```rust block is never closed; end it with ```")]
    NotClosed,
    #[error("exercise `{0}` has no solution cell")]
    NoCell(String),
    #[error("exercise `{0}` has no cell tagged `exercise` to put the solution into")]
    NoTask(String),
}

/// The text of the one ```` ```rust ```` block of a Markdown text, without its fences and final newline.
///
/// ```
/// let cell = "<details><summary>Solution</summary>\n\n```rust\nlet x = 1;\n```\n\n</details>";
/// assert_eq!(loopbot_notebook::solution_code(cell).as_deref(), Ok("let x = 1;"));
/// ```
///
/// # Errors
///
/// When there is no such block, more than one, or one without an end.
pub fn solution_code(markdown: &str) -> Result<String, SolutionError> {
    let mut found = Vec::new();
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        let Some(fence) = Fence::opening(line) else {
            continue;
        };
        let mut body = Vec::new();
        let closed = loop {
            match lines.next() {
                None => break false,
                Some(line) if fence.is_closed_by(line) => break true,
                Some(line) => body.push(fence.unindented(line)),
            }
        };
        if fence.is_rust {
            if !closed {
                return Err(SolutionError::NotClosed);
            }
            found.push(body.join("\n"));
        }
    }
    match found.len() {
        0 => Err(SolutionError::NoBlock),
        1 => Ok(found.swap_remove(0)),
        more => Err(SolutionError::SeveralBlocks(more)),
    }
}

struct Fence {
    mark: char,
    length: usize,
    indent: usize,
    is_rust: bool,
}

impl Fence {
    fn opening(line: &str) -> Option<Fence> {
        let text = line.trim_start_matches(' ');
        let indent = line.len() - text.len();
        let mark = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let length = text.chars().take_while(|&c| c == mark).count();
        let info = text[length..].trim();
        if length < 3 || indent > 3 || (mark == '`' && info.contains('`')) {
            return None;
        }
        let language = info.split([',', ' ', '{']).next().unwrap_or_default();
        Some(Fence {
            mark,
            length,
            indent,
            is_rust: language == "rust",
        })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let text = line.trim();
        text.len() >= self.length && text.chars().all(|c| c == self.mark)
    }

    /// The line without the indent of the fence, as Markdown reads it.
    fn unindented<'a>(&self, line: &'a str) -> &'a str {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        &line[spaces.min(self.indent)..]
    }
}

#[cfg(test)]
mod tests {
    use super::{SolutionError, solution_code};

    fn check(markdown: &str, expected: Result<&str, SolutionError>) {
        assert_eq!(solution_code(markdown), expected.map(str::to_owned));
    }

    #[test]
    fn takes_the_one_rust_block() {
        check("```rust\na\n\n  b\n```", Ok("a\n\n  b"));
        check("~~~ rust\n```\n~~~\n", Ok("```"));
        check("```text\nno\n```\n```rust,no_run\nyes\n```", Ok("yes"));
        check("  ```rust\n  a\n    b\n  ```", Ok("a\n  b"));
    }

    #[test]
    fn says_what_is_missing() {
        check("nothing", Err(SolutionError::NoBlock));
        check("```text\n```rust\n```", Err(SolutionError::NoBlock));
        check("```rust\na", Err(SolutionError::NotClosed));
        check(
            "```rust\na\n```\n```rust\nb\n```",
            Err(SolutionError::SeveralBlocks(2)),
        );
    }
}
