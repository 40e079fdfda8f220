//! The learner's output as it streams out of the child: bytes to text, and rich content out of the text.
//!
//! Rich content is what evcxr made the custom: a line `EVCXR_BEGIN_CONTENT <mime>`, the content, a line
//! `EVCXR_END_CONTENT`. Blocks of different types that follow each other directly are one display in several forms.

use crate::event::{Event, MimeBundle};

const BEGIN: &str = "EVCXR_BEGIN_CONTENT";
const END: &str = "EVCXR_END_CONTENT";

/// Bytes of one stream to text; what is not UTF-8 becomes visible as `�`.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// The beginning of a character whose rest has not come yet.
    pending: Vec<u8>,
}

impl Decoder {
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let mut text = String::with_capacity(self.pending.len());
        let mut incomplete = 0;
        for chunk in self.pending.utf8_chunks() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            let at_end = invalid.as_ptr_range().end == self.pending.as_ptr_range().end;
            if at_end && is_beginning(invalid) {
                incomplete = invalid.len();
            } else if !invalid.is_empty() {
                text.push('\u{fffd}');
            }
        }
        self.pending.drain(..self.pending.len() - incomplete);
        text
    }

    /// What is left when the stream has ended or the cell has.
    pub(crate) fn finish(&mut self) -> String {
        let rest = std::mem::take(&mut self.pending);
        if rest.is_empty() {
            String::new()
        } else {
            "\u{fffd}".into()
        }
    }
}

/// Whether bytes may still become a character.
fn is_beginning(bytes: &[u8]) -> bool {
    !bytes.is_empty() && std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

/// Standard output to events.
#[derive(Debug, Default)]
pub(crate) struct Stdout {
    /// Text that may be the beginning of a marker, or content whose end has not come.
    held: String,
    /// The MIME type of the content being read.
    inside: Option<String>,
    /// Forms of one display, as long as nothing else comes between.
    bundle: MimeBundle,
    /// Whether the next character begins a line.
    mid_line: bool,
}

impl Stdout {
    /// Takes text in, gives events out.
    pub(crate) fn push(&mut self, text: &str, emit: &mut dyn FnMut(Event)) {
        self.held.push_str(text);
        loop {
            match self.inside.take() {
                Some(kind) => {
                    let Some((content, rest)) = split_at_end(&self.held) else {
                        self.inside = Some(kind);
                        return;
                    };
                    let (content, rest) = (content.to_owned(), rest.to_owned());
                    if self.bundle.contains_key(&kind) {
                        self.flush(emit);
                    }
                    self.bundle.insert(kind, content);
                    self.held = rest;
                }
                None => {
                    if !self.plain(emit) {
                        return;
                    }
                }
            }
        }
    }

    /// Emits plain text up to the next content; whether content begins.
    fn plain(&mut self, emit: &mut dyn FnMut(Event)) -> bool {
        let mut at = 0;
        let mut found = None;
        let mut hold_from = self.held.len();
        while at < self.held.len() {
            let line_start = at > 0 || !self.mid_line;
            let rest = &self.held[at..];
            let end = rest.find('\n').map(|newline| at + newline + 1);
            if line_start && rest.starts_with(BEGIN) {
                match end {
                    Some(end) => found = Some((at, end)),
                    None => hold_from = at,
                }
                break;
            }
            // The beginning of a marker is held back until it is clear what it is.
            if line_start && end.is_none() && BEGIN.starts_with(rest) {
                hold_from = at;
                break;
            }
            match end {
                Some(end) => at = end,
                None => break,
            }
        }
        let text_end = found.map_or(hold_from, |(begin, _)| begin);
        if text_end > 0 {
            self.flush(emit);
            let text: String = self.held.drain(..text_end).collect();
            self.mid_line = !text.ends_with('\n');
            emit(Event::Stdout(text));
        }
        let Some((begin, end)) = found else {
            return false;
        };
        let marker: String = self.held.drain(..end - begin).collect();
        self.inside = Some(marker[BEGIN.len()..].trim().to_owned());
        self.mid_line = false;
        true
    }

    /// Emits the display that is complete.
    pub(crate) fn flush(&mut self, emit: &mut dyn FnMut(Event)) {
        if !self.bundle.is_empty() {
            emit(Event::Display(std::mem::take(&mut self.bundle)));
        }
    }

    /// Emits everything: the cell, or the stream, has ended.
    pub(crate) fn finish(&mut self, emit: &mut dyn FnMut(Event)) {
        self.flush(emit);
        let rest = std::mem::take(&mut self.held);
        if let Some(kind) = self.inside.take() {
            emit(Event::Stdout(format!("{BEGIN} {kind}\n")));
        }
        if !rest.is_empty() {
            emit(Event::Stdout(rest));
        }
        self.mid_line = false;
    }
}

/// The content before the end marker, and what follows the marker's line.
fn split_at_end(text: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    loop {
        let at = from + text[from..].find(END)?;
        let own_line = at == 0 || text[..at].ends_with('\n');
        let after = &text[at + END.len()..];
        if !own_line {
            from = at + END.len();
            continue;
        }
        // The rest of the marker's line may still be on its way; without it a stray newline would follow the display.
        let rest = after
            .strip_prefix("\r\n")
            .or_else(|| after.strip_prefix('\n'));
        let content = text[..at].strip_suffix('\n').unwrap_or(&text[..at]);
        return match rest {
            Some(rest) => Some((content, rest)),
            None if after.is_empty() => None,
            None => Some((content, after)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds the text in pieces of each size: where it is cut must not matter.
    fn check(text: &str, expected: &[Event]) {
        for size in 1..=text.len().max(1) {
            let (mut decoder, mut stdout, mut events) =
                (Decoder::default(), Stdout::default(), Vec::new());
            let mut emit = |event| match (events.last_mut(), event) {
                (Some(Event::Stdout(before)), Event::Stdout(text)) => before.push_str(&text),
                (_, event) => events.push(event),
            };
            for piece in text.as_bytes().chunks(size) {
                stdout.push(&decoder.decode(piece), &mut emit);
            }
            stdout.finish(&mut emit);
            assert_eq!(events, expected, "cut every {size} bytes");
        }
    }

    fn display(forms: &[(&str, &str)]) -> Event {
        Event::Display(
            forms
                .iter()
                .map(|(kind, text)| ((*kind).to_owned(), (*text).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn plain_text_passes_through() {
        check(
            "a\nbäb\nEVCXR_ no\n c",
            &[Event::Stdout("a\nbäb\nEVCXR_ no\n c".into())],
        );
    }

    #[test]
    fn content_becomes_a_display() {
        check(
            "before\nEVCXR_BEGIN_CONTENT text/html\n<b>x</b>\n\nEVCXR_END_CONTENT\nafter",
            &[
                Event::Stdout("before\n".into()),
                display(&[("text/html", "<b>x</b>\n")]),
                Event::Stdout("after".into()),
            ],
        );
    }

    #[test]
    fn forms_that_follow_each_other_are_one_display() {
        let block = |kind: &str, text: &str| {
            format!("EVCXR_BEGIN_CONTENT {kind}\n{text}\nEVCXR_END_CONTENT\n")
        };
        check(
            &(block("text/html", "1") + &block("text/plain", "2") + &block("text/html", "3")),
            &[
                display(&[("text/html", "1"), ("text/plain", "2")]),
                display(&[("text/html", "3")]),
            ],
        );
    }

    #[test]
    fn bytes_that_are_not_text_become_visible() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.decode(b"a\xffb\xc3"), "a\u{fffd}b");
        assert_eq!(decoder.decode(b"\xa4c"), "äc");
        assert_eq!(decoder.decode(b"\xe2\x82"), "");
        assert_eq!(decoder.finish(), "\u{fffd}");
    }
}
