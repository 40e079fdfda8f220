//! Foreign CSS: keeps what only paints, refuses what could fetch something or leave its cell.
//!
//! It refuses rather than mends: styles are decoration, and a page without them is still readable. The page's
//! content security policy stands behind it and forbids every request.

use std::collections::HashSet;

/// Words that have no place in the styles of an output. `\` hides words, `<` ends the style element.
const REFUSED: &[&str] = &[
    "\\",
    "<",
    "@import",
    "@font-face",
    "@charset",
    "@namespace",
    "image-set(",
    "image(",
    "src(",
    "expression(",
    "-moz-binding",
    "behavior:",
    "javascript:",
    "position:fixed",
    "position:sticky",
];

/// `css` with references to `ids` renamed by `rename`, or nothing when it holds something that is refused.
pub(crate) fn declarations(
    css: &str,
    ids: &HashSet<String>,
    rename: impl Fn(&str) -> String,
) -> Option<String> {
    let css = without_comments(css)?;
    let mut small = css.to_ascii_lowercase();
    small.retain(|c| !c.is_whitespace());
    if REFUSED.iter().any(|word| small.contains(word)) {
        return None;
    }
    // `url(#name)` points into the picture; pictures within the text are allowed, everything else is an address.
    let mut clean = String::with_capacity(css.len());
    let mut rest = css.as_str();
    while let Some(at) = rest.to_ascii_lowercase().find("url(") {
        let inside = &rest[at + 4..];
        let (address, after) = inside.split_once(')')?;
        let address = address.trim().trim_matches(['"', '\'']);
        clean.push_str(&rest[..at]);
        match address.strip_prefix('#') {
            Some(id) if ids.contains(id) => clean.push_str(&format!("url(#{})", rename(id))),
            Some(id) => clean.push_str(&format!("url(#{id})")),
            None if address.starts_with("data:image/png;base64,") => {
                clean.push_str(&format!("url({address})"));
            }
            None => return None,
        }
        rest = after;
    }
    clean.push_str(rest);
    Some(clean)
}

/// A style sheet confined to the element with id `container`; nothing when it is refused or its braces do not match,
/// since then it would reach beyond the container.
pub(crate) fn sheet(
    css: &str,
    container: &str,
    ids: &HashSet<String>,
    rename: impl Fn(&str) -> String,
) -> Option<String> {
    let css = declarations(css, ids, &rename)?;
    if !is_balanced(&css) {
        return None;
    }
    let css = renamed_selectors(&css, ids, rename);
    Some(format!("#{container}{{{}}}", css.trim()))
}

fn without_comments(css: &str) -> Option<String> {
    let mut clean = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(at) = rest.find("/*") {
        clean.push_str(&rest[..at]);
        clean.push(' ');
        rest = rest[at + 2..].split_once("*/")?.1;
    }
    clean.push_str(rest);
    Some(clean)
}

fn is_balanced(css: &str) -> bool {
    let mut open = Vec::new();
    let mut quote = None;
    for c in css.chars() {
        match (quote, c) {
            (Some(own), c) if own == c => quote = None,
            (Some(_), '\n') => return false,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => open.push('}'),
            (None, '(') => open.push(')'),
            (None, '[') => open.push(']'),
            (None, '}' | ')' | ']') if open.pop() != Some(c) => return false,
            _ => {}
        }
    }
    open.is_empty() && quote.is_none()
}

/// `#name` of a selector, where the picture has such an id.
fn renamed_selectors(css: &str, ids: &HashSet<String>, rename: impl Fn(&str) -> String) -> String {
    let mut clean = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(at) = rest.find('#') {
        let (before, after) = rest.split_at(at + 1);
        let is_name = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        let end = after.find(|c| !is_name(c)).unwrap_or(after.len());
        let name = &after[..end];
        clean.push_str(before);
        // What stands in `url(#…)` has its new name already.
        match ids.contains(name) && !before.ends_with("url(#") {
            true => clean.push_str(&rename(name)),
            false => clean.push_str(name),
        }
        rest = &after[end..];
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::{declarations, sheet};
    use std::collections::HashSet;

    fn ids() -> HashSet<String> {
        HashSet::from(["clip".to_owned()])
    }

    fn check(css: &str, expected: Option<&str>) {
        let out = declarations(css, &ids(), |id| format!("o1-{id}"));
        assert_eq!(out.as_deref(), expected, "{css}");
    }

    #[test]
    fn paint_is_kept_and_addresses_are_refused() {
        check(
            "color: red /* x */; width:1px",
            Some("color: red  ; width:1px"),
        );
        check("clip-path:url('#clip')", Some("clip-path:url(#o1-clip)"));
        check("fill:URL(#other)", Some("fill:url(#other)"));
        check("background:url(http://x/y.png)", None);
        check("background:u\\72l(http://x)", None);
        check("background:url(//x", None);
        check("width: expression(alert(1))", None);
        check("position : FIXED", None);
        check("a /* never closed", None);
        check("x:</style><script>", None);
        check("background:image-set('x.png' 1x)", None);
    }

    #[test]
    fn a_sheet_stays_in_its_container() {
        let sheet = |css| sheet(css, "o1", &ids(), |id| format!("o1-{id}"));
        assert_eq!(
            sheet("#clip, text { fill: #abc; clip-path: url(#clip) }").as_deref(),
            Some("#o1{#o1-clip, text { fill: #abc; clip-path: url(#o1-clip) }}")
        );
        assert_eq!(sheet("a{} } body { display: none }"), None);
        assert_eq!(sheet("a{ b"), None);
        assert!(sheet("a::after { content: '}' }").is_some());
        assert_eq!(sheet("a { b: '\n} body {'"), None);
        assert_eq!(sheet("@import 'x';"), None);
    }
}
