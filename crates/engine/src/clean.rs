//! Compiler texts made fit for the learner: no names of generated crates, modules and files, no paths of this machine,
//! no columns that only hold in generated text.

/// A compiler text without what is not the learner's.
pub(crate) fn clean(text: &str) -> String {
    let text = without_places(&without_generated(text));
    // rustc writes these in full as soon as some library has a trait of the same name. All are in scope everywhere.
    [
        "marker::Send",
        "marker::Sync",
        "marker::Copy",
        "marker::Sized",
        "marker::Unpin",
        "future::Future",
        "future::IntoFuture",
    ]
    .iter()
    .fold(text, |text, path| {
        let name = path.rsplit("::").next().unwrap_or(path);
        text.replace(&format!("std::{path}"), name)
    })
}

/// Whether a text names what was generated.
pub(crate) fn is_generated(text: &str) -> bool {
    without_generated(text) != text
}

/// `cell_0123456789abcdef::carried_0::Movie` is `Movie`.
fn without_generated(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest
        .find("cell_")
        .into_iter()
        .chain(rest.find("carried_"))
        .min()
    {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let prefix = if from.starts_with("cell_") {
            "cell_"
        } else {
            "carried_"
        };
        let tail = &from[prefix.len()..];
        let digits = tail
            .find(|character: char| !character.is_ascii_hexdigit())
            .unwrap_or(tail.len());
        let generated = digits > 0 && (prefix == "carried_" || digits == 16);
        let after = &tail[digits..];
        // A file that the cell includes is named as the cell names it.
        if let Some(path) = crate::store::learners_file(after).filter(|_| generated) {
            rest = path;
            continue;
        }
        // `cell_0123456789abcdef/body.rs:2:20` is line 2 of the cell.
        let file = after
            .strip_prefix('/')
            .and_then(|path| path.split_once(".rs"))
            .filter(|(name, _)| !name.contains([' ', '/']));
        match (generated, after.strip_prefix("::"), file) {
            (true, Some(path), _) => rest = path,
            (true, None, Some((_, position))) => {
                out.push_str("cell");
                rest = position;
            }
            _ => {
                out.push_str(prefix);
                rest = tail;
            }
        }
    }
    crate::libraries::without_aliases(&(out + rest))
        .replace("body::__rt::", "")
        .replace("__rt::prelude::", "")
        .replace("::__rt::", "::")
        .replace("__rt::", "")
        .replace("CellError", "Box<dyn Error>")
}

/// `{closure@cell:2:20: 2:27}` is `{closure@line 2}`, and a closure of a library is a `{closure}`: columns are those of
/// the generated text, and the files of libraries are nobody's business.
fn without_places(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let end = after.find('}').filter(|end| {
            before
                .rfind('{')
                .is_some_and(|open| !before[open..].contains('}'))
                && after[..*end].contains(':')
        });
        match end {
            Some(end) => {
                if let Some(place) = after[1..end].strip_prefix("cell:") {
                    let line = place.split(':').next().unwrap_or_default();
                    out.push_str(&format!("@line {line}"));
                }
                rest = &after[end..];
            }
            None => {
                out.push('@');
                rest = &after[1..];
            }
        }
    }
    out + rest
}

/// A note without the lines that speak of crates which the learner never asked for: rustc lists whatever implements a
/// trait anywhere.
pub(crate) fn without_strangers(note: &str) -> String {
    if !note.contains("other types implement") && !note.contains("following types implement") {
        return note.to_owned();
    }
    note.split_inclusive('\n')
        .filter(|line| !names_a_stranger(line))
        .collect::<String>()
        .trim_end()
        .to_owned()
}

fn names_a_stranger(line: &str) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices("::").any(|(at, _)| {
        let before = &line[..at];
        let start = before
            .rfind(|character: char| !is_word(character))
            .map_or(0, |found| found + 1);
        let first = &before[start..];
        // The first step of a path, that is: not behind another `::`; types and parameters begin with a capital.
        !first.is_empty()
            && !before[..start].ends_with("::")
            && !first.starts_with(char::is_uppercase)
            && !["std", "core", "alloc", "tokio", "futures", "loopbot"].contains(&first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_names_are_taken_out_of_messages() {
        assert_eq!(
            clean("expected `cell_0123456789abcdef::Movie`"),
            "expected `Movie`"
        );
        assert_eq!(
            clean("`cell_0123456789abcdef::carried_0::Movie`, `carried_1::A`"),
            "`Movie`, `A`"
        );
        assert_eq!(
            clean("my cell_count and cell_a::b"),
            "my cell_count and cell_a::b"
        );
    }

    #[test]
    fn places_are_lines_of_the_cell_or_nothing() {
        assert_eq!(
            clean("`{closure@cell_0123456789abcdef/body.rs:2:20: 2:27}`, me@home.org: {a}"),
            "`{closure@line 2}`, me@home.org: {a}"
        );
        assert_eq!(
            clean("`Map<A, {closure@/home/me/.cargo/registry/src/x/lib.rs:2:20: 2:27}>`"),
            "`Map<A, {closure}>`"
        );
    }

    #[test]
    fn strangers_are_left_out_of_lists() {
        let note = "the following other types implement trait `Add<Rhs>`:\n  `i32` implements `Add<&i32>`\n  `i32` implements `Add<zerocopy::byteorder::I32<O>>`\n  `std::time::Instant` implements `Add`";
        assert_eq!(
            without_strangers(note),
            "the following other types implement trait `Add<Rhs>`:\n  `i32` implements `Add<&i32>`\n  `std::time::Instant` implements `Add`"
        );
        assert_eq!(without_strangers("a::b"), "a::b");
    }
}
