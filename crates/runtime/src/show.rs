//! Showing the last expression of a cell: its own `evcxr_display` if it has one (its own method, or that of a trait in
//! scope), else its `Debug` form, else a note.
//!
//! The choice is made by method resolution where the type is known, in the cell itself, so that one compilation is
//! enough. First references and boxes are taken off ([`Bare`]). Then `.evcxr_display()` is called on a reference to what
//! is left. Rust tries methods on the reference itself first: there it finds the type's own method, or else a trait's.
//! Only then does it borrow once more, and there our [`Undisplayed`] waits. [`show!`] is what a generated cell calls.

use std::cell::RefCell;
use std::fmt::Debug;

/// Longest `Debug` text shown, in characters.
const LONGEST: usize = 20_000;
/// Longest `Debug` text counted, in characters: a second's work at most.
const COUNTED: usize = 5_000_000;
/// A `Debug` text up to this long stays on one line.
const ONE_LINE: usize = 100;

thread_local! {
    pub(crate) static SHOWN: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Shows a value, given as a reference to it, as the result of the running cell.
#[macro_export]
macro_rules! show {
    ($value:ident) => {{
        #[allow(unused_imports)]
        use $crate::show::{
            Bare as _, Other as _, Plain as _, Undisplayed as _, Unknown as _, Wrapped as _,
        };
        let value = $crate::show::Value($value).bare().bare().bare().0;
        #[allow(clippy::unit_arg)]
        let passed_on = value.evcxr_display();
        (&&&$crate::show::Chosen(&passed_on)).present();
    }};
}

/// A value on its way to being shown.
pub struct Value<'a, T: ?Sized>(pub &'a T);

/// Values that hold another one, and look like it.
pub trait Wrapped<'a> {
    /// What is inside.
    type Inside: ?Sized;
    /// Takes one layer off.
    fn bare(self) -> Value<'a, Self::Inside>;
}

macro_rules! wrapped {
    ($($kind:ty),*) => {
        $(impl<'a, T: ?Sized> Wrapped<'a> for Value<'a, $kind> {
            type Inside = T;
            fn bare(self) -> Value<'a, T> {
                Value(self.0)
            }
        })*
    };
}
wrapped!(&T, &mut T, Box<T>, std::rc::Rc<T>, std::sync::Arc<T>);

/// All others: found after [`Wrapped`], which needs no reference to the wrapper.
pub trait Bare<'a> {
    /// The value's type.
    type Itself: ?Sized;
    /// Leaves the value as it is.
    fn bare(&self) -> Value<'a, Self::Itself>;
}

impl<'a, T: ?Sized> Bare<'a> for Value<'a, T> {
    type Itself = T;
    fn bare(&self) -> Value<'a, T> {
        Value(self.0)
    }
}

/// The value of an expression that has no `evcxr_display` of its own.
pub struct PassedOn<'a, T: ?Sized>(&'a T);

/// Gives a reference to any type an `evcxr_display` that the type's own method, or a trait's, takes precedence over.
pub trait Undisplayed<'a> {
    /// The type referred to.
    type Itself: ?Sized;
    /// Passes the value on to the `Debug` form.
    fn evcxr_display(&self) -> PassedOn<'a, Self::Itself>;
}

impl<'a, T: ?Sized> Undisplayed<'a> for &'a T {
    type Itself = T;
    fn evcxr_display(&self) -> PassedOn<'a, T> {
        PassedOn(self)
    }
}

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
    let kind = short(type_name);
    let advice = if type_name.ends_with("{{closure}}") {
        "; a future wants `.await` behind it, a closure a call"
    } else if type_name.starts_with("dyn ") {
        ""
    } else {
        "; if the type is yours, add #[derive(Debug)] above it"
    };
    present(format!(
        "(a value of type {kind}: it has no Debug form to show{advice})"
    ));
}

fn present(text: String) {
    SHOWN.set(Some(text));
}

/// A type's name without the paths in it.
fn short(type_name: &str) -> String {
    if type_name.ends_with("{{closure}}") {
        return "closure, or a future made by an async function".into();
    }
    let mut short = String::new();
    let mut word = String::new();
    for character in type_name.chars() {
        match character {
            // The end of a module's name: only the last part of a path counts.
            ':' => word.clear(),
            c if c.is_alphanumeric() || c == '_' => word.push(c),
            c => {
                short += &std::mem::take(&mut word);
                short.push(c);
            }
        }
    }
    short + &word
}

/// One line if it is short, else the pretty form, cut with a note if it is very long.
fn debug_text(value: &dyn Debug) -> String {
    let line = bounded(format_args!("{value:?}"), ONE_LINE);
    if line.whole() && !line.text.contains('\n') {
        return line.text;
    }
    let mut pretty = bounded(format_args!("{value:#?}"), LONGEST);
    if !pretty.whole() {
        let more = if pretty.stopped { "more than " } else { "" };
        let all = grouped(pretty.length);
        let shown = grouped(LONGEST);
        pretty.text += &format!(
            "\n… cut after {shown} of {more}{all} characters; to see all, print it: println!(\"{{:#?}}\", …)"
        );
    }
    pretty.text
}

/// The beginning of a text, and how long the whole is, in characters.
#[derive(Default)]
struct Bounded {
    text: String,
    most: usize,
    length: usize,
    /// Whether counting was given up.
    stopped: bool,
}

impl Bounded {
    fn whole(&self) -> bool {
        self.length <= self.most && !self.stopped
    }
}

impl std::fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = self.most.saturating_sub(self.length);
        match text.char_indices().nth(room) {
            Some((end, _)) => self.text.push_str(&text[..end]),
            None => self.text.push_str(text),
        }
        self.length += text.chars().count();
        // A line that is too long need not be counted: the pretty form comes next.
        if self.length > self.most && (self.most < LONGEST || self.length > COUNTED) {
            self.stopped = true;
            return Err(std::fmt::Error);
        }
        Ok(())
    }
}

/// Formats at most `most` characters and counts the others, so that a huge value costs little more than what is shown.
fn bounded(text: std::fmt::Arguments<'_>, most: usize) -> Bounded {
    let mut bounded = Bounded {
        most,
        ..Bounded::default()
    };
    // An error is ours, or that of a Debug form which fails: what it has written by then is shown.
    let _ = std::fmt::write(&mut bounded, text);
    bounded
}

/// A number with its digits in groups of three: `grouped(1_234_567)` is `1,234,567`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
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

    /// A trait of somebody else.
    trait Rich {
        fn evcxr_display(&self) {
            present("rich".into());
        }
    }
    #[derive(Debug)]
    struct Picture;
    impl Rich for Picture {}
    #[derive(Debug)]
    struct Both;
    impl Both {
        fn evcxr_display(&self) {
            present("its own".into());
        }
    }
    impl Rich for Both {}

    macro_rules! shown {
        ($value:expr) => {
            match &($value) {
                value => {
                    show!(value);
                    SHOWN.take()
                }
            }
        };
    }

    fn generic<T: Debug>(value: T) -> Option<String> {
        shown!(value)
    }

    #[test]
    fn the_best_form_is_chosen() {
        assert_eq!(shown!(3).as_deref(), Some("3"));
        assert_eq!(shown!("text").as_deref(), Some("\"text\""));
        assert_eq!(shown!(*"text").as_deref(), Some("\"text\""));
        assert_eq!(shown!([1, 2][..]).as_deref(), Some("[1, 2]"));
        assert_eq!(shown!(()), None);
        assert_eq!(shown!(&()), None);
        assert_eq!(shown!(Some(Picture)).as_deref(), Some("Some(Picture)"));
        assert_eq!(generic(vec!['a']).as_deref(), Some("['a']"));
        // In a generic function nothing but Debug is known.
        assert_eq!(generic(Picture).as_deref(), Some("Picture"));
        assert_eq!(
            shown!(&3 as &dyn Debug).as_deref(),
            Some("3"),
            "a trait object"
        );
        let mut number = 4;
        assert_eq!(shown!(&mut number).as_deref(), Some("4"));
    }

    #[test]
    fn its_own_method_comes_first_then_a_traits_then_debug() {
        assert_eq!(shown!(Own).as_deref(), Some("its own"));
        assert_eq!(shown!(Both).as_deref(), Some("its own"));
        assert_eq!(shown!(Picture).as_deref(), Some("rich"));
        let rich: Box<dyn Rich> = Box::new(Picture);
        assert_eq!(shown!(rich).as_deref(), Some("rich"));
        // However it is held.
        assert_eq!(shown!(&Own).as_deref(), Some("its own"));
        assert_eq!(shown!(&&Picture).as_deref(), Some("rich"));
        assert_eq!(shown!(Box::new(Own)).as_deref(), Some("its own"));
        assert_eq!(
            shown!(std::sync::Arc::new(Picture)).as_deref(),
            Some("rich")
        );
        assert_eq!(shown!(&std::rc::Rc::new(Both)).as_deref(), Some("its own"));
    }

    #[test]
    fn a_value_without_any_form_says_what_to_do() {
        let note = |text: Option<String>| text.unwrap_or_default();
        let silent = note(shown!(Silent));
        assert!(silent.contains("type Silent") && silent.contains("derive(Debug)"));
        assert!(note(shown!(Some(Silent))).contains("type Option<Silent>"));
        assert!(note(shown!((&Silent, [Silent]))).contains("type (&Silent, [Silent; 1])"));
        let closure = note(shown!(|x: i32| x));
        assert!(closure.contains("closure") && !closure.contains("derive"));
        assert!(note(shown!(async { 1 })).contains("future"));
        let object: Box<dyn Fn()> = Box::new(|| ());
        assert!(note(shown!(object)).contains("dyn Fn()"));
    }

    #[test]
    fn long_values_are_pretty_and_then_cut() {
        assert!(shown!(vec![100_000; 30]).is_some_and(|text| text.starts_with("[\n    100000,")));
        assert_eq!(
            shown!(vec![1; 30]).map(|text| text.lines().count()),
            Some(1)
        );
        let cut = shown!("x".repeat(1_000_000)).unwrap_or_default();
        assert!(cut.len() < 21_000, "{}", cut.len());
        assert!(cut.contains("cut after 20,000 of 1,000,002 characters; to see all"));
        let huge = shown!(vec![vec![7_u8; 1_000]; 10_000]).unwrap_or_default();
        assert!(huge.contains("20,000 of more than 5,000,0"));
        let exact = "ä".repeat(LONGEST - 2);
        assert_eq!(
            shown!(exact).map(|text| text.chars().count()),
            Some(LONGEST)
        );
    }
}
