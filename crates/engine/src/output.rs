//! The learner's output as it streams out of the child: bytes to text, and rich content out of the text.
//!
//! Rich content is what evcxr made the custom: a line `EVCXR_BEGIN_CONTENT <mime>`, the content, a line
//! `EVCXR_END_CONTENT`. Blocks of different types that follow each other directly are one display in several forms.
//! Ours is what may follow the type: ` loopbot-id=NAME` makes it a display that later blocks of that name take the place
//! of. The lesson library writes it only where the environment says that it will be understood.
//!
//! It refuses content without end: what grows past [`LARGEST`] is left out, with a note.

use crate::event::{Event, MimeBundle};

const BEGIN: &str = "EVCXR_BEGIN_CONTENT";
const END: &str = "EVCXR_END_CONTENT";
const ID: &str = " loopbot-id=";

/// Largest content taken in, in bytes; far more than any page could show.
const LARGEST: usize = 64_000_000;

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
    /// The content being read, if there is one.
    inside: Option<Inside>,
    /// Forms of one display, as long as nothing else comes between.
    bundle: MimeBundle,
    /// Under which name the display can be replaced.
    id: Option<String>,
    /// Whether the next character begins a line.
    mid_line: bool,
}

/// Content whose end has not come.
#[derive(Debug)]
struct Inside {
    /// What stood behind the marker.
    head: String,
    kind: String,
    id: Option<String>,
    /// So much of the held text has been looked through for the end.
    seen: usize,
    /// How much was left out because the content is too large.
    left_out: usize,
}

impl Inside {
    fn new(head: &str) -> Inside {
        let (kind, id) = match head.split_once(ID) {
            Some((kind, id)) if !id.is_empty() => (kind, Some(id.to_owned())),
            _ => (head, None),
        };
        Inside {
            head: head.to_owned(),
            kind: kind.trim().to_owned(),
            id,
            seen: 0,
            left_out: 0,
        }
    }
}

impl Stdout {
    /// Takes text in, gives events out.
    pub(crate) fn push(&mut self, text: &str, emit: &mut dyn FnMut(Event)) {
        self.held.push_str(text);
        loop {
            match self.inside.take() {
                Some(mut inside) => match end_of_content(&self.held, inside.seen) {
                    Some((content_end, rest_at)) => {
                        let rest = self.held.split_off(rest_at);
                        let mut content = std::mem::replace(&mut self.held, rest);
                        content.truncate(content_end);
                        self.take(inside, content, emit);
                    }
                    None => {
                        if self.held.len() > LARGEST {
                            // The end marker may have begun, on a line of its own.
                            let line = last_line(&self.held);
                            let long = self.held.len() - line > END.len();
                            let gone = if long { self.held.len() } else { line };
                            inside.left_out += gone;
                            self.held.drain(..gone);
                        }
                        inside.seen = last_line(&self.held);
                        self.inside = Some(inside);
                        return;
                    }
                },
                None => {
                    if !self.plain(emit) {
                        return;
                    }
                }
            }
        }
    }

    /// Takes one form of a display.
    fn take(&mut self, inside: Inside, content: String, emit: &mut dyn FnMut(Event)) {
        if inside.left_out > 0 {
            self.flush(emit);
            emit(Event::Stderr(too_large(&inside, content.len())));
            return;
        }
        if self.bundle.contains_key(&inside.kind) || self.id != inside.id {
            self.flush(emit);
        }
        self.id = inside.id;
        self.bundle.insert(inside.kind, content);
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
        self.inside = Some(Inside::new(marker[BEGIN.len()..].trim()));
        self.mid_line = false;
        true
    }

    /// Emits the display that is complete.
    pub(crate) fn flush(&mut self, emit: &mut dyn FnMut(Event)) {
        if !self.bundle.is_empty() {
            let forms = std::mem::take(&mut self.bundle);
            emit(match self.id.take() {
                Some(id) => Event::Live { id, forms },
                None => Event::Display(forms),
            });
        }
    }

    /// Emits everything: the cell, or the stream, has ended.
    pub(crate) fn finish(&mut self, emit: &mut dyn FnMut(Event)) {
        self.flush(emit);
        let rest = std::mem::take(&mut self.held);
        match self.inside.take() {
            Some(inside) if inside.left_out > 0 => {
                emit(Event::Stderr(too_large(&inside, rest.len())));
            }
            Some(inside) => emit(Event::Stdout(format!("{BEGIN} {}\n{rest}", inside.head))),
            None if rest.is_empty() => {}
            None => emit(Event::Stdout(rest)),
        }
        self.mid_line = false;
    }
}

fn too_large(inside: &Inside, more: usize) -> String {
    format!(
        "(An output of type {} is not shown: it has {} MB, and {} MB is the most a page takes. Make it smaller, or \
         write it to a file with std::fs::write.)\n",
        inside.kind,
        (inside.left_out + more).div_ceil(1_000_000),
        LARGEST / 1_000_000,
    )
}

/// Where the last line begins, which has no end yet.
fn last_line(text: &str) -> usize {
    text.rfind('\n').map_or(0, |newline| newline + 1)
}

/// Where the content ends, and where what follows its end marker begins. The text before `seen` has no marker.
fn end_of_content(text: &str, seen: usize) -> Option<(usize, usize)> {
    let mut from = seen;
    loop {
        let at = from + text[from..].find(END)?;
        if at > 0 && text.as_bytes()[at - 1] != b'\n' {
            from = at + END.len();
            continue;
        }
        // The rest of the marker's line may still be on its way; without it a stray newline would follow the display.
        let after = at + END.len();
        let rest = match &text.as_bytes()[after..] {
            [b'\r', b'\n', ..] => after + 2,
            [b'\n', ..] => after + 1,
            [] | [b'\r'] => return None,
            _ => after,
        };
        return Some((at.saturating_sub(1), rest));
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
    fn a_named_display_takes_the_place_of_an_earlier_one() {
        let block = |kind: &str, text: &str| {
            format!("EVCXR_BEGIN_CONTENT {kind} loopbot-id=a1\n{text}\nEVCXR_END_CONTENT\n")
        };
        let live = |forms: &[(&str, &str)]| match display(forms) {
            Event::Display(forms) => Event::Live {
                id: "a1".into(),
                forms,
            },
            other => other,
        };
        let plain = "EVCXR_BEGIN_CONTENT text/html\nno name\nEVCXR_END_CONTENT\n";
        check(
            &(block("text/html", "1")
                + &block("text/plain", "one")
                + &block("text/html", "2")
                + plain),
            &[
                live(&[("text/html", "1"), ("text/plain", "one")]),
                live(&[("text/html", "2")]),
                display(&[("text/html", "no name")]),
            ],
        );
    }

    #[test]
    fn content_that_never_ends_is_not_kept() {
        let (mut stdout, mut events) = (Stdout::default(), Vec::new());
        let mut emit = |event| events.push(event);
        stdout.push("EVCXR_BEGIN_CONTENT image/png\n", &mut emit);
        let piece = "x".repeat(1_000_000);
        for _ in 0..70 {
            stdout.push(&piece, &mut emit);
            assert!(stdout.held.len() <= LARGEST + piece.len());
        }
        stdout.push("\nEVCXR_END_CONTENT\nafter\n", &mut emit);
        let [Event::Stderr(note), Event::Stdout(after)] = events.as_slice() else {
            panic!("{events:?}");
        };
        assert!(
            note.contains("image/png") && note.contains("70 MB"),
            "{note}"
        );
        assert_eq!(after, "after\n");
    }

    #[test]
    fn content_whose_end_is_missing_comes_out_as_it_was_written() {
        check(
            "EVCXR_BEGIN_CONTENT text/html\n<b>x\n",
            &[Event::Stdout(
                "EVCXR_BEGIN_CONTENT text/html\n<b>x\n".into(),
            )],
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

    #[test]
    fn control_characters_pass_unchanged() {
        let text = "50 %\r100 %\r\n\0\u{1b}[31mred\u{1b}[0m\u{8}\u{7}";
        check(text, &[Event::Stdout(text.into())]);
    }
}
