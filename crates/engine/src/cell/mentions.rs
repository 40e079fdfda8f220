//! Which names a piece of code mentions.
//!
//! By tokens, not by resolution: also inside macro calls and in `{name}` of format strings. A name too many costs an
//! import that goes unused; a name too few would break the cell. So only what stands behind a dot, a field or a method,
//! is left out for certain.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};

/// Adds every identifier in `tokens` to `found`.
pub(super) fn collect(tokens: TokenStream, found: &mut BTreeSet<String>) {
    let mut dots = 0;
    for token in tokens {
        let behind = std::mem::take(&mut dots);
        match token {
            // `movie.seats` mentions no `seats`, but `0..seats` does.
            TokenTree::Ident(_) if behind == 1 => {}
            TokenTree::Ident(ident) => {
                found.insert(ident.to_string());
            }
            TokenTree::Group(group) => collect(group.stream(), found),
            TokenTree::Literal(literal) => in_format_string(&literal.to_string(), found),
            TokenTree::Punct(punct) if punct.as_char() == '.' => dots = behind + 1,
            TokenTree::Punct(_) => {}
        }
    }
}

/// Identifiers in a text that need not parse: every run of identifier characters.
pub(crate) fn mentions_of_text(text: &str) -> BTreeSet<String> {
    text.split(|character: char| !character.is_alphanumeric() && character != '_')
        .filter(|word| word.starts_with(|first: char| first.is_alphabetic() || first == '_'))
        .map(str::to_owned)
        .collect()
}

/// Names in `{name}` and `{name:?}`, and in `{0:width$}`.
fn in_format_string(literal: &str, found: &mut BTreeSet<String>) {
    if !literal.contains('"') {
        return;
    }
    for part in literal.split('{').skip(1) {
        let inside = part.split('}').next().unwrap_or_default();
        found.extend(mentions_of_text(inside));
    }
}
