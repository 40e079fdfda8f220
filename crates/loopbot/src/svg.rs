//! Writing SVG elements: shapes that read in light and dark, text that is escaped and fits. Knows no picture.
//!
//! Lines and text take `currentColor`, fills are mid-tones that show on white and on black, and every meaning that a
//! colour carries is also carried by a shape, a hatching or a word.

use std::fmt::Write as _;

/// Width of every picture in its own units, which are pixels at full size.
pub(crate) const WIDTH: f64 = 860.0;
/// Text size of labels.
pub(crate) const TEXT: f64 = 14.0;
/// Text size of secondary labels.
pub(crate) const SMALL: f64 = 12.0;
/// Replaced by an id of the picture's own once its content is known.
pub(crate) const ID: &str = "@id@";

/// The fills: what is at work, what waits for its turn, what went well, what went wrong, what is merely there.
pub(crate) const WORK: &str = "#3f83c9";
pub(crate) const TURN: &str = "#d4901e";
pub(crate) const GOOD: &str = "#2f9e62";
pub(crate) const BAD: &str = "#d8505f";
pub(crate) const PLAIN: &str = "#8b8f98";

/// Elements, in drawing order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Svg {
    pub(crate) body: String,
}

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    /// A filled rectangle.
    pub(crate) fn rect(&mut self, (x, y, width, height): (f64, f64, f64, f64), fill: &str) {
        self.shape("rect", (x, y, width, height), &format!("fill=\"{fill}\""));
    }

    /// A rectangle with attributes of your choice.
    pub(crate) fn shape(
        &mut self,
        name: &str,
        (x, y, width, height): (f64, f64, f64, f64),
        more: &str,
    ) {
        let (x, y) = (number(x), number(y));
        let (width, height) = (number(width), number(height));
        let _ = writeln!(
            self.body,
            "<{name} x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" {more}/>"
        );
    }

    /// A line in the text's colour.
    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), more: &str) {
        let _ = writeln!(
            self.body,
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"currentColor\" {more}/>",
            number(from.0),
            number(from.1),
            number(to.0),
            number(to.1),
        );
    }

    /// A path with attributes of your choice.
    pub(crate) fn path(&mut self, d: &str, more: &str) {
        let _ = writeln!(self.body, "<path d=\"{d}\" {more}/>");
    }

    /// The title above a picture.
    pub(crate) fn heading(&mut self, title: &str) {
        let bold = "font-weight=\"600\"";
        self.styled_text((10.0, 24.0), 17.0, Anchor::Start, WIDTH - 20.0, bold, title);
    }

    /// A text whose baseline is at `y`, cut to `room` pixels.
    pub(crate) fn text(
        &mut self,
        (x, y): (f64, f64),
        size: f64,
        anchor: Anchor,
        room: f64,
        text: &str,
    ) {
        self.styled_text((x, y), size, anchor, room, "", text);
    }

    /// A text with attributes of your choice.
    pub(crate) fn styled_text(
        &mut self,
        (x, y): (f64, f64),
        size: f64,
        anchor: Anchor,
        room: f64,
        more: &str,
        text: &str,
    ) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escape(&fit(text, room, size));
        let _ = writeln!(
            self.body,
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\" text-anchor=\"{anchor}\" {more}>{text}</text>",
            number(x),
            number(y),
            number(size),
        );
    }

    /// Defines the hatching that [`hatched`] refers to.
    pub(crate) fn define_hatching(&mut self, name: &str, color: &str) {
        let _ = writeln!(
            self.body,
            "<defs><pattern id=\"{ID}-{name}\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
             patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" fill=\"{color}\" fill-opacity=\"0.18\"/>\
             <rect width=\"2.5\" height=\"6\" fill=\"{color}\"/></pattern></defs>"
        );
    }
}

/// A fill that refers to a hatching.
pub(crate) fn hatched(name: &str) -> String {
    format!("url(#{ID}-{name})")
}

/// Text for XML and HTML, in content and in attributes. Characters that XML forbids become `�`.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            c if c.is_control() || c == '\u{fffe}' || c == '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// About how wide a text is. Narrow letters are counted as narrow, so the figure errs on the wide side.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let units: f64 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | '`' => 0.30,
            'f' | 't' | 'r' | ' ' | '(' | ')' | '[' | ']' | '-' | '/' => 0.40,
            'm' | 'w' | 'M' | 'W' | '@' | '…' | '→' | '—' => 0.92,
            c if c.is_uppercase() => 0.70,
            c if (c as u32) < 0x1100 => 0.575,
            _ => 1.0,
        })
        .sum();
    units * size
}

/// The text, cut with `…` if it is wider than `room`.
pub(crate) fn fit(text: &str, room: f64, size: f64) -> String {
    let one_line = text.replace(['\n', '\t'], " ");
    if width(&one_line, size) <= room {
        return one_line;
    }
    let mut kept = String::new();
    for character in one_line.chars() {
        kept.push(character);
        if width(&kept, size) + 0.92 * size > room {
            kept.pop();
            break;
        }
    }
    kept.truncate(kept.trim_end().len());
    kept + "…"
}

/// A coordinate with one decimal at most.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_fits() {
        assert_eq!(
            escape("a<b> & \"c\"\u{1}"),
            "a&lt;b&gt; &amp; &quot;c&quot;\u{fffd}"
        );
        assert_eq!(fit("short", 200.0, 14.0), "short");
        let cut = fit(&"long ".repeat(40), 100.0, 14.0);
        assert!(cut.ends_with('…') && width(&cut, 14.0) <= 100.0, "{cut}");
        assert_eq!(fit("two\nlines", 200.0, 14.0), "two lines");
        assert_eq!(number(3.04), "3");
    }
}
