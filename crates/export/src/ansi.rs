//! Colour codes of terminals into spans with CSS classes. Moves of the cursor and everything else is left out.
//!
//! The sixteen named colours become classes, so that the page's light and dark scheme can each give them enough
//! contrast; the others are rare and keep nearly their value.

use anstyle_parse::{DefaultCharAccumulator, Params, Parser, Perform};

use crate::escape;

/// Turns text with colour codes into HTML, piece by piece; a colour goes on from one piece to the next.
#[derive(Default)]
pub(crate) struct Ansi {
    style: Style,
}

impl Ansi {
    /// The HTML of the next piece; every span opened in it is closed in it.
    pub(crate) fn html(&mut self, text: &str) -> String {
        // Most text has no codes at all.
        if self.style == Style::default() && !text.contains('\x1b') {
            return escape::escape(text);
        }
        let mut painter = Painter {
            style: self.style,
            open: None,
            html: String::new(),
        };
        let mut parser = Parser::<DefaultCharAccumulator>::new();
        for &byte in text.as_bytes() {
            parser.advance(&mut painter, byte);
        }
        painter.close();
        self.style = painter.style;
        painter.html
    }
}

/// `text` with its codes left out.
pub(crate) fn plain(text: &str) -> String {
    struct Plain(String);
    impl Perform for Plain {
        fn print(&mut self, c: char) {
            self.0.push(c);
        }
        fn execute(&mut self, byte: u8) {
            if matches!(byte, b'\n' | b'\t') {
                self.0.push(char::from(byte));
            }
        }
    }
    let mut plain = Plain(String::new());
    let mut parser = Parser::<DefaultCharAccumulator>::new();
    for &byte in text.as_bytes() {
        parser.advance(&mut plain, byte);
    }
    plain.0
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Style {
    fg: Option<Color>,
    bg: Option<Color>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    strike: bool,
    reverse: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Color {
    /// One of the sixteen.
    Named(u8),
    Exact(u8, u8, u8),
}

struct Painter {
    style: Style,
    /// The style of the span that is open.
    open: Option<Style>,
    html: String,
}

impl Painter {
    fn close(&mut self) {
        if self.open.take().is_some_and(|own| own != Style::default()) {
            self.html.push_str("</span>");
        }
    }

    fn paint(&mut self, c: char) {
        if self.open != Some(self.style) {
            self.close();
            self.style.open(&mut self.html);
            self.open = Some(self.style);
        }
        escape::push(&mut self.html, c.encode_utf8(&mut [0; 4]));
    }
}

impl Perform for Painter {
    fn print(&mut self, c: char) {
        self.paint(c);
    }

    fn execute(&mut self, byte: u8) {
        if matches!(byte, b'\n' | b'\t') {
            self.paint(char::from(byte));
        }
    }

    fn csi_dispatch(&mut self, params: &Params, marks: &[u8], _ignore: bool, action: u8) {
        if action != b'm' || !marks.is_empty() {
            return;
        }
        // `38;5;1` and `38:5:1` say the same.
        let codes: Vec<u16> = params.iter().flatten().copied().collect();
        self.style.apply(&codes);
    }
}

impl Style {
    fn apply(&mut self, codes: &[u16]) {
        let mut codes = codes.iter().copied();
        while let Some(code) = codes.next() {
            match code {
                0 => *self = Style::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                3 => self.italic = true,
                4 => self.underline = true,
                7 => self.reverse = true,
                9 => self.strike = true,
                22 => (self.bold, self.dim) = (false, false),
                23 => self.italic = false,
                24 => self.underline = false,
                27 => self.reverse = false,
                29 => self.strike = false,
                30..=37 => self.fg = Some(named(code - 30)),
                38 => self.fg = extended(&mut codes).or(self.fg),
                39 => self.fg = None,
                40..=47 => self.bg = Some(named(code - 40)),
                48 => self.bg = extended(&mut codes).or(self.bg),
                49 => self.bg = None,
                90..=97 => self.fg = Some(named(code - 90 + 8)),
                100..=107 => self.bg = Some(named(code - 100 + 8)),
                _ => {}
            }
        }
    }

    fn open(&self, html: &mut String) {
        if *self == Style::default() {
            return;
        }
        let mut classes: Vec<String> = Vec::new();
        let mut styles = String::new();
        let (fg, bg) = match self.reverse {
            true => (self.bg, self.fg),
            false => (self.fg, self.bg),
        };
        if self.reverse {
            classes.push("a-rev".to_owned());
        }
        match fg {
            Some(Color::Named(number)) => classes.push(format!("a-f{number}")),
            Some(Color::Exact(r, g, b)) => {
                // The page mixes its own colour in, so that the text can be read on it.
                classes.push("a-fx".to_owned());
                styles += &format!("--c:#{r:02x}{g:02x}{b:02x};");
            }
            None => {}
        }
        match bg {
            Some(Color::Named(number)) => classes.push(format!("a-b{number}")),
            Some(Color::Exact(r, g, b)) => {
                styles += &format!("background:#{r:02x}{g:02x}{b:02x};");
            }
            None => {}
        }
        let marks = [
            (self.bold, "a-bold"),
            (self.dim, "a-dim"),
            (self.italic, "a-it"),
            (self.underline, "a-ul"),
            (self.strike, "a-st"),
        ];
        let marks = marks.into_iter().filter(|(is_on, _)| *is_on);
        classes.extend(marks.map(|(_, class)| class.to_owned()));
        html.push_str("<span");
        if !classes.is_empty() {
            html.push_str(&format!(" class=\"{}\"", classes.join(" ")));
        }
        if !styles.is_empty() {
            html.push_str(&format!(" style=\"{styles}\""));
        }
        html.push('>');
    }
}

fn named(code: u16) -> Color {
    Color::Named(u8::try_from(code).unwrap_or(0))
}

/// The colour after `38` or `48`: `5;NUMBER` of the palette of 256, or `2;RED;GREEN;BLUE`.
fn extended(codes: &mut impl Iterator<Item = u16>) -> Option<Color> {
    let mut byte = || u8::try_from(codes.next()?).ok();
    match byte()? {
        5 => Some(match byte()? {
            number @ 0..16 => Color::Named(number),
            number @ 16..232 => {
                let number = number - 16;
                let level = |part: u8| if part == 0 { 0 } else { 55 + 40 * part };
                Color::Exact(level(number / 36), level(number / 6 % 6), level(number % 6))
            }
            number => {
                let grey = 8 + 10 * (number - 232);
                Color::Exact(grey, grey, grey)
            }
        }),
        2 => Some(Color::Exact(byte()?, byte()?, byte()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Ansi, plain};

    fn check(text: &str, html: &str) {
        assert_eq!(Ansi::default().html(text), html, "{text:?}");
    }

    #[test]
    fn colours_become_classes() {
        check("a<b", "a&lt;b");
        check(
            "\x1b[1m\x1b[31merror\x1b[0m: x",
            r#"<span class="a-f1 a-bold">error</span>: x"#,
        );
        check("\x1b[91;44mx", r#"<span class="a-f9 a-b4">x</span>"#);
        check(
            "\x1b[38;5;12mx\x1b[39my",
            r#"<span class="a-f12">x</span>y"#,
        );
        check(
            "\x1b[38;2;1;2;255mx",
            r#"<span class="a-fx" style="--c:#0102ff;">x</span>"#,
        );
        check(
            "\x1b[38:5:196mx",
            r#"<span class="a-fx" style="--c:#ff0000;">x</span>"#,
        );
        check("\x1b[7;31mx", r#"<span class="a-rev a-b1">x</span>"#);
    }

    #[test]
    fn other_codes_are_left_out_and_broken_ones_do_no_harm() {
        check("a\x1b[2Kb\x1b]8;;http://x\x07c\x1b[38;5mz", "abcz");
        check("\x1b[", "");
        check("\x1b[999999999999m\x1b[;;;mx", "x");
        check(
            "\x1b[31m\"<script>",
            r#"<span class="a-f1">&quot;&lt;script&gt;</span>"#,
        );
        assert_eq!(plain("\x1b[1ma\x1b[0m\tb\n"), "a\tb\n");
    }

    #[test]
    fn a_colour_goes_on_into_the_next_piece() {
        let mut ansi = Ansi::default();
        assert_eq!(ansi.html("\x1b[32ma\n"), "<span class=\"a-f2\">a\n</span>");
        assert_eq!(ansi.html("b"), "<span class=\"a-f2\">b</span>");
    }
}
