//! Cursor positions: Jupyter counts Unicode code points, the engine counts bytes. Nothing else happens here.

/// Byte offset of the `chars`-th code point of `text`; the end of `text` when there are fewer.
pub(crate) fn byte_offset(text: &str, chars: usize) -> usize {
    text.char_indices()
        .nth(chars)
        .map_or(text.len(), |(at, _)| at)
}

/// How many code points of `text` start before byte `offset`; an offset past the end counts as the end.
pub(crate) fn char_offset(text: &str, offset: usize) -> usize {
    text.char_indices()
        .take_while(|&(at, _)| at < offset)
        .count()
}

#[cfg(test)]
mod tests {
    use super::{byte_offset, char_offset};

    fn check(text: &str, chars: usize, bytes: usize) {
        assert_eq!(byte_offset(text, chars), bytes, "{text:?} at {chars}");
        assert_eq!(char_offset(text, bytes), chars, "{text:?} at byte {bytes}");
    }

    #[test]
    fn counts_code_points_not_bytes_nor_utf16_units() {
        check("let x", 4, 4);
        check("è🦀x", 0, 0);
        check("è🦀x", 1, 2);
        check("è🦀x", 2, 6);
        check("è🦀x", 3, 7);
    }

    #[test]
    fn positions_outside_the_text_are_its_end() {
        assert_eq!(byte_offset("ab", 9), 2);
        assert_eq!(char_offset("è", 9), 1);
    }

    #[test]
    fn an_offset_inside_a_character_does_not_panic() {
        assert_eq!(char_offset("🦀x", 2), 1);
    }
}
