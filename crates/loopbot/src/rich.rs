//! `Rich`: how a type of yours shows itself in a notebook. It refuses to choose among the forms; the page does.

use crate::show::Bundle;
use crate::{Comparison, CoreLoad, Exploration, Picture, Table, Timeline, Verdict};

/// A value with a form richer than text: HTML, a drawing, a picture.
///
/// Say in [`forms`](Rich::forms) what the value looks like, and it shows itself as the last expression of a cell. It is
/// also what [`Live`](crate::Live) shows in place. Each form is a MIME type and its text; the page takes the richest it can
/// draw, so add `text/plain` for those that can draw none. Types that are not text (`image/png`) are written in base64.
///
/// ```
/// use loopbot::prelude::*;
///
/// struct Swatch(u8, u8, u8);
///
/// impl Rich for Swatch {
///     fn forms(&self) -> Vec<(&'static str, String)> {
///         let Swatch(r, g, b) = self;
///         vec![
///             ("text/html", format!("<div style='width:4em;height:2em;background:rgb({r},{g},{b})'></div>")),
///             ("text/plain", format!("red {r}, green {g}, blue {b}")),
///         ]
///     }
/// }
///
/// Swatch(200, 80, 20)
/// # .evcxr_display();
/// ```
///
/// A method `evcxr_display` of the type's own comes first. Under other Rust kernels the trait must be in scope
/// (`use loopbot::prelude::*;`).
pub trait Rich {
    /// The value in all its forms.
    fn forms(&self) -> Vec<(&'static str, String)>;

    /// Shows the value as the result of a cell; kernels call it.
    fn evcxr_display(&self) {
        Bundle::from(self.forms()).show();
    }
}

impl Rich for Picture {
    fn forms(&self) -> Vec<(&'static str, String)> {
        vec![
            ("text/html", self.html()),
            ("image/svg+xml", self.svg()),
            ("text/plain", self.text()),
        ]
    }
}

impl Rich for Table {
    fn forms(&self) -> Vec<(&'static str, String)> {
        vec![
            ("text/html", self.to_html()),
            ("text/plain", self.to_text()),
        ]
    }
}

impl Rich for Verdict {
    fn forms(&self) -> Vec<(&'static str, String)> {
        vec![
            ("text/html", self.html()),
            ("application/vnd.loopbot.verdict+json", self.json()),
            ("text/plain", self.text()),
        ]
    }
}

/// What shows its picture.
macro_rules! as_picture {
    ($($kind:ty),*) => {
        $(impl Rich for $kind {
            fn forms(&self) -> Vec<(&'static str, String)> {
                self.picture().forms()
            }
        })*
    };
}
as_picture!(Timeline, Comparison, CoreLoad);

impl<T: std::fmt::Debug + Clone + Ord> Rich for Exploration<T> {
    fn forms(&self) -> Vec<(&'static str, String)> {
        self.picture().forms()
    }
}
