//! Printed text as a reader sees it: progress bars that wrote over themselves, letters taken back.
//!
//! Files keep the raw text; only what shows it calls [`as_seen`]. Cursor movements over several lines are not followed.

use std::borrow::Cow;
use std::rc::Rc;

/// `raw` after its carriage returns and backspaces did their work, as Jupyter's front ends show it: text after a
/// carriage return writes over the line, a backspace takes the last letter back. Colours stay with their letters;
/// "clear the line" (`ESC [ K`) is obeyed.
///
/// ```
/// use loopbot_notebook::as_seen;
/// assert_eq!(as_seen("10 %\r55 %\rdone\n"), "done\n");
/// assert_eq!(as_seen("helo\x08lo\n"), "hello\n");
/// ```
pub fn as_seen(raw: &str) -> Cow<'_, str> {
    // `\r\n` at the end of lines is so common that it gets by without the machinery below.
    let text = match raw.contains("\r\n") {
        true => Cow::Owned(raw.replace("\r\n", "\n")),
        false => Cow::Borrowed(raw),
    };
    if !text.contains(['\r', '\u{8}']) {
        return text;
    }
    let mut seen = String::with_capacity(text.len());
    let mut screen = Line::default();
    for line in text.split_inclusive('\n') {
        if line.contains(['\r', '\u{8}']) || !screen.style.is_empty() {
            screen.print(line.trim_end_matches('\n'));
            screen.finish(&mut seen);
        } else {
            screen.track(line);
            seen.push_str(line.trim_end_matches('\n'));
        }
        if line.ends_with('\n') {
            seen.push('\n');
        }
    }
    Cow::Owned(seen)
}

/// One line of a terminal: letters with the colour codes in force when each was written.
#[derive(Default)]
struct Line {
    letters: Vec<(Rc<str>, char)>,
    cursor: usize,
    /// The colour codes since the last reset; they outlast the line.
    style: Rc<str>,
}

impl Line {
    fn print(&mut self, text: &str) {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some(length) = escape(rest) {
                self.obey(&rest[..length]);
                rest = &rest[length..];
                continue;
            }
            rest = &rest[c.len_utf8()..];
            match c {
                '\r' => self.cursor = 0,
                '\u{8}' if self.cursor == self.letters.len() => {
                    self.letters.pop();
                    self.cursor = self.letters.len();
                }
                '\u{8}' => self.cursor -= 1,
                _ => self.put(c),
            }
        }
    }

    fn put(&mut self, c: char) {
        let letter = (self.style.clone(), c);
        match self.letters.get_mut(self.cursor) {
            Some(place) => *place = letter,
            None => self.letters.push(letter),
        }
        self.cursor += 1;
    }

    fn obey(&mut self, sequence: &str) {
        match sequence {
            "\x1b[K" | "\x1b[0K" => self.letters.truncate(self.cursor),
            "\x1b[2K" => {
                // The cursor stays where it is; what is before it becomes blank.
                self.letters.clear();
                let cursor = std::mem::take(&mut self.cursor);
                (0..cursor).for_each(|_| self.put(' '));
            }
            _ => self.track(sequence),
        }
    }

    /// Notes the colour codes of a text that is shown as it is.
    fn track(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find('\x1b') {
            rest = &rest[at..];
            let length = escape(rest).unwrap_or(1);
            let sequence = &rest[..length];
            if sequence == "\x1b[0m" || sequence == "\x1b[m" {
                self.style = Rc::default();
            } else if sequence.ends_with('m') {
                self.style = format!("{}{sequence}", self.style).into();
            }
            rest = &rest[length..];
        }
    }

    fn finish(&mut self, seen: &mut String) {
        let mut style: Rc<str> = Rc::default();
        for (own, c) in self.letters.drain(..) {
            if own != style {
                if !style.is_empty() {
                    seen.push_str("\x1b[0m");
                }
                seen.push_str(&own);
                style = own;
            }
            seen.push(c);
        }
        if !style.is_empty() {
            seen.push_str("\x1b[0m");
        }
        self.cursor = 0;
    }
}

/// The length of the control sequence (`ESC [ … letter`) that `text` begins with.
fn escape(text: &str) -> Option<usize> {
    let body = text.strip_prefix("\x1b[")?;
    let end = body.find(|c: char| ('\u{40}'..='\u{7e}').contains(&c))?;
    let parameters = &body[..end];
    let plain = parameters
        .chars()
        .all(|c| ('\u{20}'..='\u{3f}').contains(&c));
    plain.then_some(end + 3)
}

#[cfg(test)]
mod tests {
    use super::as_seen;

    fn check(raw: &str, seen: &str) {
        assert_eq!(as_seen(raw), seen, "{raw:?}");
    }

    #[test]
    fn a_carriage_return_writes_over_what_was_there() {
        check("abc\rX\n", "Xbc\n");
        check("1\n2\r3\n4", "1\n3\n4");
        check("a\r\nb\r\n", "a\nb\n");
        check("a\r\r\nb", "a\nb");
        check("", "");
    }

    #[test]
    fn a_backspace_takes_a_letter_back_and_stops_at_the_start() {
        check("ab\u{8}c", "ac");
        check("\u{8}\u{8}a", "a");
        check("abc\rX\u{8}Y", "Ybc");
    }

    #[test]
    fn clearing_a_line_is_obeyed() {
        check("loading…\r\x1b[Kok\n", "ok\n");
        check("loading…\r\x1b[2Kok\n", "ok\n");
    }

    #[test]
    fn colours_stay_with_their_letters() {
        check("\x1b[31mred\x1b[0m\rb", "b\x1b[31med\x1b[0m");
        check("\x1b[31ma\nb\rc\n", "\x1b[31ma\n\x1b[31mc\x1b[0m\n");
    }

    #[test]
    fn text_without_either_is_not_copied() {
        assert!(matches!(
            as_seen("\x1b[1mplain\n"),
            std::borrow::Cow::Borrowed(_)
        ));
    }
}
