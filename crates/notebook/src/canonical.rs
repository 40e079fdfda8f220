//! JSON text exactly as Jupyter writes it: one space of indent, sorted keys, text not escaped to ASCII, numbers as
//! Python prints them. Knows nothing of notebooks.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// `value` as text, without a final newline.
pub(crate) fn to_text(mut value: Value) -> String {
    value.sort_all_objects();
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Jupyter::new());
    // Writing a `Value` to memory has nothing that could fail: keys are strings, numbers are finite.
    let written = value.serialize(&mut serializer);
    debug_assert!(written.is_ok());
    String::from_utf8_lossy(&bytes).into_owned()
}

struct Jupyter(PrettyFormatter<'static>);

impl Jupyter {
    fn new() -> Jupyter {
        Jupyter(PrettyFormatter::with_indent(b" "))
    }
}

impl Formatter for Jupyter {
    fn write_f64<W: Write + ?Sized>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(python_float(value).as_bytes())
    }

    fn begin_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

/// A number as Python's `repr` prints it: shortest digits, exponents below 1e-4 and from 1e16 on, two digits at least.
fn python_float(value: f64) -> String {
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value == 0.0 || (-4..16).contains(&exponent) {
        let plain = format!("{value}");
        return if plain.contains('.') {
            plain
        } else {
            plain + ".0"
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::{python_float, to_text};

    #[test]
    fn numbers_are_printed_as_python_prints_them() {
        let printed = [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.25e-5, "1.25e-05"),
            (0.0001, "0.0001"),
            (1.5e300, "1.5e+300"),
        ];
        for (value, expected) in printed {
            assert_eq!(python_float(value), expected);
        }
    }

    #[test]
    fn keys_are_sorted_at_every_level_and_empty_lists_stay_short() {
        let value = serde_json::json!({"b": [], "a": {"z": {}, "é": "\u{7f}\t\u{1}", "y": [1]}});
        assert_eq!(
            to_text(value),
            "{\n \"a\": {\n  \"y\": [\n   1\n  ],\n  \"z\": {},\n  \"é\": \"\u{7f}\\t\\u0001\"\n },\n \"b\": []\n}"
        );
    }
}
