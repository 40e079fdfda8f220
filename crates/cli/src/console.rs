//! The one place that prints: results go to standard output, everything else to standard error.
//!
//! It refuses to fail: a closed pipe (`loopbot doctor | head -1`) is no reason to stop the work.

use std::fmt::Display;
use std::io::{IsTerminal, Write};

/// A line the user asked for; what a pipe should get.
pub(crate) fn result(line: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// A line about work under way.
pub(crate) fn progress(line: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// What went wrong, in one sentence that names the next step.
pub(crate) fn error(line: impl Display) {
    progress(format_args!("error: {line}"));
}

/// An error with its causes as one sentence. Some errors repeat their cause in their own text; it is told once.
pub(crate) fn sentence(error: &anyhow::Error) -> String {
    let mut sentence = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if sentence.is_empty() {
            sentence = cause;
        } else if !sentence.contains(&cause) {
            sentence = format!("{sentence}: {cause}");
        }
    }
    sentence
}

/// A line that the next one replaces, for someone who watches; nothing when nobody does. Empty takes it away.
pub(crate) fn passing(line: impl Display) {
    let mut stderr = std::io::stderr().lock();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r\x1b[K{line}");
        let _ = stderr.flush();
    }
}

/// A step of a longer work. The crates that cargo compiles pass by; they would fill a screen.
pub(crate) fn step(who: &str, text: &str) {
    if text.starts_with("Compiling ") {
        passing(format_args!("  {who}{text}"));
    } else {
        passing("");
        progress(format_args!("  {who}{text}"));
    }
}

/// A report of the engine: coloured for a terminal, plain for a pipe or a file.
pub(crate) fn report(lines: &[String]) {
    let coloured = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    for line in lines {
        if coloured {
            result(format_args!("    {line}\x1b[0m"))
        } else {
            result(format_args!("    {}", plain(line)))
        }
    }
}

/// `text` without terminal colours.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\u{1b}' {
            plain.push(c);
        } else if rest.next() == Some('[') {
            // A colour ends with its letter; parameters are digits and separators.
            rest.by_ref().find(|c| c.is_ascii_alphabetic());
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    #[test]
    fn causes_are_told_once() {
        let cause = anyhow::anyhow!("the disk is full");
        assert_eq!(
            super::sentence(&cause.context("x cannot be written")),
            "x cannot be written: the disk is full"
        );
        let repeated = anyhow::anyhow!("no such file").context("a.ipynb: no such file");
        assert_eq!(super::sentence(&repeated), "a.ipynb: no such file");
    }

    #[test]
    fn colours_are_taken_out() {
        assert_eq!(super::plain("\u{1b}[1;31merror\u{1b}[0m: no"), "error: no");
        assert_eq!(super::plain("cut \u{1b}[1"), "cut ");
    }
}
