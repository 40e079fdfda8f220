//! `:explain`: rustc's own long explanation of an error, which it carries with it, as Markdown that a notebook can show.

use std::path::Path;
use std::process::{Command, Stdio};

/// The code in what a learner wrote (`E0382`, `e382`, `[E0382]`), or in one sentence why it is none.
pub(crate) fn code(argument: &str) -> Result<String, String> {
    let digits = argument
        .trim_matches(|character: char| !character.is_ascii_alphanumeric())
        .trim_start_matches(['e', 'E']);
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!(
            "`{argument}` is no error code; they look like `E0382` and stand behind the word `error`"
        ));
    }
    Ok(format!("E{digits:0>4}"))
}

/// The explanation of `code` in Markdown, out of the compiler at `rustc`.
pub(crate) fn explain(rustc: &Path, code: &str) -> Result<String, String> {
    let output = Command::new(rustc)
        .args(["--explain", code])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("rustc does not run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || text.trim().is_empty() {
        return Err(format!("rustc has no explanation of `{code}`"));
    }
    Ok(format!("### {code}\n\n{}", markdown(&text).trim()))
}

/// Examples marked as plain Rust, without the lines that documentation hides.
fn markdown(text: &str) -> String {
    let (mut out, mut inside) = (String::with_capacity(text.len()), None);
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), inside) {
            (Some(_), Some(_)) => {
                inside = None;
                out += "```\n";
            }
            (Some(about), None) => {
                let rust = !["text", "toml", "sh", "console", "none", "c"]
                    .contains(&about.split([',', ' ']).next().unwrap_or_default());
                inside = Some(rust);
                out += if rust { "```rust\n" } else { "```text\n" };
            }
            (None, Some(true)) if line == "#" || line.starts_with("# ") => {}
            (None, _) => {
                out += line;
                out.push('\n');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_learners_write_them() {
        for text in [
            "E0382",
            "e382",
            "error[E0382]".trim_start_matches("error"),
            "382",
        ] {
            assert_eq!(code(text).as_deref(), Ok("E0382"), "{text}");
        }
        assert!(code("unused").is_err() && code("E12345").is_err() && code("E").is_err());
    }

    #[test]
    fn examples_become_rust() {
        assert_eq!(
            markdown(
                "a\n```compile_fail,E0382\n# fn main() {\nlet x;\n#[test]\n# }\n```\n\n```text\n# b\n```"
            ),
            "a\n```rust\nlet x;\n#[test]\n```\n\n```text\n# b\n```\n"
        );
    }
}
