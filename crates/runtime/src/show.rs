//! Showing the last expression of a cell: its own `evcxr_display` if it has one, else its `Debug` form, else a note.
//!
//! The choice is made by method resolution where the type is known, in the cell itself, so that one compilation is
//! enough: an inherent method wins over a trait's, and fewer references win over more. [`show!`] is what a generated
//! cell calls.

use std::cell::RefCell;
use std::fmt::Debug;

/// Longest `Debug` text shown, in characters.
const LONGEST: usize = 20_000;
/// A `Debug` text up to this long stays on one line.
const ONE_LINE: usize = 100;

thread_local! {
    pub(crate) static SHOWN: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Shows a value as the result of the running cell.
#[macro_export]
macro_rules! show {
    ($value:ident) => {{
        #[allow(unused_imports)]
        use $crate::show::{Other as _, Plain as _, Undisplayed as _, Unknown as _};
        // An inherent `evcxr_display` is found first and prints by itself; the trait's only passes the value on.
        #[allow(clippy::unit_arg)]
        let passed_on = $value.evcxr_display();
        (&&&$crate::show::Chosen(&passed_on)).present();
    }};
}

/// The value of an expression that has no `evcxr_display` of its own.
pub struct PassedOn<'a, T: ?Sized>(&'a T);

/// Gives every type an `evcxr_display` that inherent methods of that name take precedence over.
pub trait Undisplayed {
    /// Passes the value on to the `Debug` form.
    fn evcxr_display(&self) -> PassedOn<'_, Self> {
        PassedOn(self)
    }
}

impl<T: ?Sized> Undisplayed for T {}

/// What `evcxr_display` returned, waiting for the method that fits it best.
pub struct Chosen<'a, T>(pub &'a T);

/// Values with a `Debug` form.
pub trait Plain {
    /// Shows the value.
    fn present(&self);
}

impl<T: Debug + ?Sized> Plain for &&Chosen<'_, PassedOn<'_, T>> {
    fn present(&self) {
        present_debug(&self.0.0, std::any::type_name::<T>());
    }
}

/// Values without one.
pub trait Unknown {
    /// Says that there is no way to show the value.
    fn present(&self);
}

impl<T: ?Sized> Unknown for &Chosen<'_, PassedOn<'_, T>> {
    fn present(&self) {
        present_unknown(std::any::type_name::<T>());
    }
}

/// Whatever an inherent `evcxr_display` returned.
pub trait Other {
    /// Does nothing: the value has shown itself.
    fn present(&self);
}

impl<T> Other for Chosen<'_, T> {
    fn present(&self) {}
}

// Not generic: compiled once, here, not in every cell.

fn present_debug(value: &dyn Debug, type_name: &str) {
    if type_name != "()" {
        present(debug_text(value));
    }
}

fn present_unknown(type_name: &str) {
    let kind = type_name
        .rsplit("::")
        .next()
        .unwrap_or("this type")
        .trim_end_matches('>');
    present(format!(
        "(a value of type {kind}: it has no Debug form to show; if the type is yours, add #[derive(Debug)] above it)"
    ));
}

fn present(text: String) {
    SHOWN.set(Some(text));
}

/// One line if it is short, else the pretty form, cut with a note if it is very long.
fn debug_text(value: &dyn Debug) -> String {
    let line = cut(format_args!("{value:?}"));
    if line.chars().count() <= ONE_LINE && !line.contains('\n') {
        line
    } else {
        cut(format_args!("{value:#?}"))
    }
}

/// Formats at most [`LONGEST`] characters, so that a huge value costs no more than what is shown of it.
fn cut(text: std::fmt::Arguments<'_>) -> String {
    struct Bounded(String, usize);
    impl std::fmt::Write for Bounded {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            match text.char_indices().nth(self.1) {
                Some((end, _)) => {
                    self.0.push_str(&text[..end]);
                    self.1 = 0;
                    Err(std::fmt::Error)
                }
                None => {
                    self.1 -= text.chars().count();
                    self.0.push_str(text);
                    Ok(())
                }
            }
        }
    }
    let mut bounded = Bounded(String::new(), LONGEST);
    if std::fmt::write(&mut bounded, text).is_err() && bounded.1 == 0 {
        bounded
            .0
            .push_str("\n… (cut here: the value is longer than 20,000 characters)");
    }
    bounded.0
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Silent;
    struct Own;
    impl Own {
        fn evcxr_display(&self) {
            present("its own".into());
        }
    }

    macro_rules! shown {
        ($value:expr) => {
            match $value {
                value => {
                    show!(value);
                    SHOWN.take()
                }
            }
        };
    }

    #[test]
    fn the_best_form_is_chosen() {
        assert_eq!(shown!(3).as_deref(), Some("3"));
        assert_eq!(shown!("text").as_deref(), Some("\"text\""));
        assert_eq!(shown!(()), None);
        assert_eq!(shown!(Own).as_deref(), Some("its own"));
        assert_eq!(shown!(&Own).as_deref(), Some("its own"));
        assert!(
            shown!(Silent)
                .is_some_and(|text| text.contains("type Silent") && text.contains("derive(Debug)"))
        );
    }

    #[test]
    fn long_values_are_pretty_and_then_cut() {
        assert!(shown!(vec![100_000; 30]).is_some_and(|text| text.starts_with("[\n    100000,")));
        let cut = shown!("x".repeat(1_000_000)).unwrap_or_default();
        assert!(cut.len() < 21_000 && cut.ends_with("20,000 characters)"));
    }
}
