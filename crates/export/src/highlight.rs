//! Source code into spans with CSS classes. Knows languages, no notebook.
//!
//! Cells are parsed as Rust, whole or broken; lines of the notebook's own directives (`:dep …`) are coloured apart,
//! because to a Rust parser they are noise.

use std::sync::LazyLock;

use tree_sitter_highlight::{HighlightConfiguration, HighlightEvent, Highlighter};

use crate::escape;

/// Names that grammars give to parts of a text, and the class each gets; the longest name that fits counts.
const CLASSES: &[(&str, &str)] = &[
    ("attribute", "h-at"),
    ("boolean", "h-nu"),
    ("comment", "h-co"),
    ("comment.documentation", "h-do"),
    ("constant", "h-nu"),
    ("constructor", "h-ty"),
    ("escape", "h-es"),
    ("function", "h-fn"),
    ("function.builtin", "h-fn"),
    ("function.macro", "h-ma"),
    ("keyword", "h-kw"),
    ("label", "h-la"),
    ("number", "h-nu"),
    ("property", "h-pr"),
    ("string", "h-st"),
    ("type", "h-ty"),
    ("variable.builtin", "h-kw"),
];

/// The HTML of `code`, to stand inside `<code>`. Languages that are not known stay without colours.
pub(crate) fn html(code: &str, language: &str) -> String {
    let mut html = String::with_capacity(code.len() * 2);
    match language {
        "rust" | "rs" => rust_cell(&mut html, code),
        "python" | "py" | "ipython" => with(&mut html, code, PYTHON.as_ref()),
        "toml" => with(&mut html, code, TOML.as_ref()),
        _ => escape::push(&mut html, code),
    }
    html
}

static RUST: LazyLock<Option<HighlightConfiguration>> = LazyLock::new(|| {
    configured(HighlightConfiguration::new(
        tree_sitter_rust::LANGUAGE.into(),
        "rust",
        tree_sitter_rust::HIGHLIGHTS_QUERY,
        tree_sitter_rust::INJECTIONS_QUERY,
        "",
    ))
});

static PYTHON: LazyLock<Option<HighlightConfiguration>> = LazyLock::new(|| {
    configured(HighlightConfiguration::new(
        tree_sitter_python::LANGUAGE.into(),
        "python",
        tree_sitter_python::HIGHLIGHTS_QUERY,
        "",
        "",
    ))
});

static TOML: LazyLock<Option<HighlightConfiguration>> = LazyLock::new(|| {
    configured(HighlightConfiguration::new(
        tree_sitter_toml_ng::LANGUAGE.into(),
        "toml",
        TOML_QUERY,
        "",
        "",
    ))
});

/// The grammar's own query gives a whole `key = value` the colour of the key.
const TOML_QUERY: &str = "(comment) @comment (string) @string (boolean) @boolean (bare_key) @property \
                          (quoted_key) @property [(integer) (float)] @number";

/// `None` when a grammar and its query do not fit; code is shown without colours then. A test sees to it that they do.
fn configured<E>(built: Result<HighlightConfiguration, E>) -> Option<HighlightConfiguration> {
    let mut configuration = built.ok()?;
    let names: Vec<&str> = CLASSES.iter().map(|(name, _)| *name).collect();
    configuration.configure(&names);
    Some(configuration)
}

/// Directive lines and runs of Rust between them.
fn rust_cell(html: &mut String, code: &str) {
    let is_directive = |line: &str| line.starts_with(':') && !line.starts_with("::");
    let mut run = 0;
    let mut at = 0;
    for line in code.split_inclusive('\n') {
        let end = at + line.len();
        if is_directive(line) {
            with(html, &code[run..at], RUST.as_ref());
            directive(html, line);
            run = end;
        }
        at = end;
    }
    with(html, &code[run..], RUST.as_ref());
}

fn directive(html: &mut String, line: &str) {
    let end = line.find(char::is_whitespace).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    html.push_str("<span class=\"h-di\">");
    escape::push(html, name);
    html.push_str("</span>");
    with(html, rest, TOML.as_ref());
}

fn with(html: &mut String, code: &str, configuration: Option<&HighlightConfiguration>) {
    if code.is_empty() {
        return;
    }
    let start = html.len();
    let Some(configuration) = configuration else {
        return escape::push(html, code);
    };
    if paint(html, code, configuration).is_none() {
        html.truncate(start);
        escape::push(html, code);
    }
}

/// `None` when the parser gave up.
fn paint(html: &mut String, code: &str, configuration: &HighlightConfiguration) -> Option<()> {
    // A cell may end with an expression, which in Rust only a block may.
    let is_rust = configuration.language_name == "rust";
    let (before, after) = if is_rust { ("{\n", "\n}") } else { ("", "") };
    let source = format!("{before}{code}{after}");
    let inside = before.len()..before.len() + code.len();

    let mut highlighter = Highlighter::new();
    // The arguments of a macro are Rust, too.
    let inner = |name: &str| (name == "rust").then_some(configuration);
    let events = highlighter.highlight(configuration, source.as_bytes(), None, inner);
    let mut open: Vec<&str> = Vec::new();
    // The class of the span that is being written; one span may take several parts of the same class.
    let mut written = "";
    for event in events.ok()? {
        match event.ok()? {
            HighlightEvent::HighlightStart(highlight) => {
                open.push(CLASSES.get(highlight.0).map_or("", |(_, class)| class));
            }
            HighlightEvent::HighlightEnd => drop(open.pop()),
            HighlightEvent::Source { start, end } => {
                let (start, end) = (start.max(inside.start), end.min(inside.end));
                let Some(text) = source.get(start..end).filter(|text| !text.is_empty()) else {
                    continue;
                };
                // The innermost name says most; nested spans would only make the page longer.
                let class = open.last().copied().unwrap_or_default();
                if class != written && !text.trim().is_empty() {
                    end_span(html, written);
                    if !class.is_empty() {
                        html.push_str(&format!("<span class=\"{class}\">"));
                    }
                    written = class;
                }
                escape::push(html, text);
            }
        }
    }
    end_span(html, written);
    Some(())
}

fn end_span(html: &mut String, class: &str) {
    if !class.is_empty() {
        html.push_str("</span>");
    }
}

#[cfg(test)]
mod tests {
    use super::{PYTHON, RUST, TOML, html};

    /// The text of `html` without its tags must be the code, whatever the code is.
    fn text(html: &str) -> String {
        let mut text = String::new();
        let mut rest = html;
        while let Some(at) = rest.find('<') {
            text.push_str(&rest[..at]);
            rest = rest[at..].split_once('>').map_or("", |(_, rest)| rest);
        }
        text.push_str(rest);
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&")
    }

    #[test]
    fn no_code_loses_or_gains_a_letter() {
        let codes = [
            "",
            "\n",
            "let x = 1; // é\nx + 1",
            ":dep tokio = { version = \"1\", features = [\"full\"] }\nuse tokio::time;\n",
            "fn f() { \"unclosed",
            "}}}} <b> & 'a ::std::mem",
            "println!(\"{x} {}\", vec![1, 2]);\r\n",
            "#[derive(Debug)]\nstruct A<'a>(&'a str);\n:vars",
        ];
        for code in codes {
            for language in ["rust", "python", "toml", "cobol"] {
                assert_eq!(
                    text(&html(code, language)),
                    code.replace('\r', ""),
                    "{language}"
                );
            }
        }
    }

    #[test]
    fn every_grammar_fits_its_query() {
        assert!(RUST.is_some() && PYTHON.is_some() && TOML.is_some());
    }

    #[test]
    fn rust_is_coloured_also_inside_macros_and_at_the_end() {
        let out = html("let n = 1;\nprintln!(\"{}\", f(n));\nBox::new(n)", "rust");
        insta::assert_snapshot!(out, @r#"
        <span class="h-kw">let</span> n = <span class="h-nu">1</span>;
        <span class="h-ma">println!</span>(<span class="h-st">&quot;{}&quot;</span>, <span class="h-fn">f</span>(n));
        <span class="h-ty">Box</span>::<span class="h-fn">new</span>(n)
        "#);
    }

    #[test]
    fn directives_are_coloured_apart() {
        let out = html(
            ":dep tokio = { version = \"1\" }\nuse tokio::spawn;",
            "rust",
        );
        insta::assert_snapshot!(out, @r#"
        <span class="h-di">:dep</span> <span class="h-pr">tokio</span> = { <span class="h-pr">version</span> = <span class="h-st">&quot;1&quot;</span> }
        <span class="h-kw">use</span> tokio::spawn;
        "#);
    }
}
