//! Lines that begin with `!`: a command for the shell, or Rust?
//!
//! Rust comes first. `!ready` and `!a && b` are Rust; `!echo hi` is not. `!ls -l` could be both, so what counts is whether
//! the notebook knows a name `ls`. Without that knowledge a doubtful line is Rust.

use syn::parse::Parser;

/// Words that only the shell knows.
const BUILTINS: [&str; 7] = ["cd", "command", "exit", "export", "set", "ulimit", "umask"];

/// The command in the first line of `text`, if it is one. `before` is the code above it, `knows` tells the names that the
/// notebook has defined.
pub(super) fn command<'a>(
    text: &'a str,
    before: &str,
    knows: &dyn Fn(&str) -> bool,
) -> Option<&'a str> {
    let line = text.lines().next()?;
    let command = line.trim().strip_prefix('!')?.trim_end();
    let word = command.split_whitespace().next()?;
    let begins = |allowed: fn(char) -> bool| command.starts_with(allowed);
    if !begins(|first| first.is_ascii_alphabetic() || matches!(first, '/' | '.' | '~')) {
        return None;
    }
    // In the middle of a statement (`let x =`) it can only be Rust.
    if !parses(before) || !is_program(word) {
        return None;
    }
    let mut end = 0;
    let is_rust = text.split_inclusive('\n').any(|line| {
        end += line.len();
        parses(&text[..end])
    });
    let known = || matches!(word, "true" | "false") || knows(word) || mentions(before, word);
    (!is_rust || is_name(word) && !known()).then_some(command)
}

fn parses(code: &str) -> bool {
    syn::Block::parse_within.parse_str(code).is_ok()
}

fn is_name(word: &str) -> bool {
    syn::parse_str::<syn::Ident>(word).is_ok()
}

fn mentions(code: &str, name: &str) -> bool {
    code.split(|character: char| !character.is_alphanumeric() && character != '_')
        .any(|word| word == name)
}

/// Whether the shell would find something to run.
fn is_program(word: &str) -> bool {
    if word.contains('/') || BUILTINS.contains(&word) {
        return true;
    }
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(word).is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let defined = |name: &str| name == "test";
        assert_eq!(command(text, "", &defined), expected, "{text}");
    }

    #[test]
    fn commands() {
        check("!echo hi", Some("echo hi"));
        check("  !ls\n1 + 1", Some("ls"));
        check("!ls -l", Some("ls -l"));
        check("!./run.sh now", Some("./run.sh now"));
        check("!cd .. && ls", Some("cd .. && ls"));
    }

    #[test]
    fn rust() {
        check("!done", None);
        check("!flag && other", None);
        check("!true", None);
        check("!test", None);
        check("!(1 == 2)", None);
        check("!!ls", None);
        check("!ls(\n1)", None);
        check("!nosuchprogram -x", None);
        assert_eq!(command("!ls", "let a =\n", &|_| false), None);
        assert_eq!(command("!ls", "let ls = true;\n", &|_| false), None);
    }
}
