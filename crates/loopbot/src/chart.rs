//! Charts through plotters, made fit for pictures: text and lines in the colour of the page, no background. Knows how
//! to draw with plotters; what is drawn is said by its callers.

use plotters::backend::SVGBackend;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::svg::WIDTH;

/// Stands for the page's text colour until the drawing is done.
const INK: RGBColor = RGBColor(1, 2, 3);
const INK_WRITTEN: &str = "#010203";

/// A label whose top stands at `at`. Plotters' sizes are heights of lines, not of letters.
pub(crate) fn label(text: String, at: (i32, i32), side: HPos) -> Text<'static, (i32, i32), String> {
    let style = ("sans-serif", 16).into_font().color(&INK);
    Text::new(text, at, style.pos(Pos::new(side, VPos::Top)))
}

/// Lines of axes and whiskers.
pub(crate) fn ink() -> RGBColor {
    INK
}

/// A fill of `svg`'s colours.
pub(crate) fn color(hex: &str) -> RGBColor {
    let part = |from: usize| {
        let digits = hex.get(from..from + 2);
        digits
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .unwrap_or(128)
    };
    RGBColor(part(1), part(3), part(5))
}

/// A plotting area.
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
/// What plotters says when it cannot draw.
pub(crate) type Trouble = DrawingAreaErrorKind<std::io::Error>;

/// Draws `height` pixels of chart, the elements without the `<svg>` around them. If plotters cannot, the text of its
/// error stands in the chart's place; the table beside the picture has the facts.
pub(crate) fn elements(height: f64, draw: impl FnOnce(&Area<'_>) -> Result<(), Trouble>) -> String {
    let mut written = String::new();
    let drawn = {
        let size = (WIDTH as u32, height.max(1.0) as u32);
        let area = SVGBackend::with_string(&mut written, size).into_drawing_area();
        draw(&area).and_then(|()| area.present())
    };
    if let Err(trouble) = drawn {
        let mut svg = crate::svg::Svg::default();
        let text = format!("The chart could not be drawn: {trouble}");
        svg.text(
            (10.0, 20.0),
            14.0,
            crate::svg::Anchor::Start,
            WIDTH - 20.0,
            &text,
        );
        return svg.body;
    }
    let inside = written.split_once('>').map_or("", |(_, rest)| rest);
    let inside = inside.trim_end().trim_end_matches("</svg>");
    inside
        .replace(INK_WRITTEN, "currentColor")
        .replace("font-family=\"sans-serif\" ", "")
}
