//! Functions, types, traits, macros and statics across cells.

use crate::notebook::Notebook;

#[test]
fn items_are_visible_to_later_cells() {
    let mut notebook = Notebook::new();
    notebook.check("struct Movie { seats: i32 }\nimpl Movie { fn book(&mut self, n: i32) -> bool { if n <= self.seats { self.seats -= n; true } else { false } } }\nlet mut movie = Movie { seats: 2 };\nmovie.book(2)", "true");
    notebook.check("movie.book(2)", "false");
    notebook.check("movie.seats", "0");
    notebook.check("mod inner { pub fn open() -> i32 { hidden() } fn hidden() -> i32 { 3 } }\nconst LIMIT: usize = 4;", "");
    notebook.check("inner::open() as usize + LIMIT", "7");
    notebook
        .fail("inner::hidden()")
        .says(&["function `hidden` is private"]);
}

#[test]
fn an_impl_in_a_later_cell_keeps_the_variables() {
    let mut notebook = Notebook::new();
    notebook.check(
        "#[derive(Debug)]\nstruct P(i32);\nlet p = P(1); let all = vec![P(2), P(3)];",
        "",
    );
    notebook.check("impl P { fn double(&self) -> i32 { self.0 * 2 } }", "");
    notebook.check("p.double() + all.len() as i32", "4");
    notebook.check("impl std::fmt::Display for P { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, \"<{}>\", self.0) } }\np.to_string()", "\"<1>\"");
    notebook.check(
        "impl P { fn double(&self) -> i32 { self.0 * 20 } }\n(p.double(), p.to_string(), all)",
        "(20, \"<1>\", [P(2), P(3)])",
    );
}

#[test]
fn redefining_a_function_reaches_its_callers() {
    let mut notebook = Notebook::new();
    notebook.check("fn g() -> i32 { 1 }", "");
    notebook.check("fn f() -> i32 { g() + 10 }", "");
    notebook.check("f()", "11");
    notebook.check("fn g() -> i32 { 2 }", "");
    notebook.check("f()", "12");
    notebook.check("fn g() -> i32 { 2 }", "");
    notebook.check("f()", "12");
}

#[test]
fn traits_generics_and_macros_cross_cells() {
    let mut notebook = Notebook::new();
    notebook.check(
        "trait Area { fn area(&self) -> f64; fn twice(&self) -> f64 { 2.0 * self.area() } }",
        "",
    );
    notebook.check(
        "struct Square(f64); impl Area for Square { fn area(&self) -> f64 { self.0 * self.0 } }",
        "",
    );
    notebook.check(
        "fn total<T: Area>(all: &[T]) -> f64 { all.iter().map(|one| one.area()).sum() }",
        "",
    );
    notebook.check(
        "(total(&[Square(1.0), Square(2.0)]), Square(2.0).twice())",
        "(5.0, 8.0)",
    );
    notebook.check(
        "fn helper() -> i32 { 5 }\nmacro_rules! times { ($n:expr) => { helper() * $n } }",
        "",
    );
    notebook.check("times!(3)", "15");
    notebook.check("enum Color { Red, Green }\nuse Color::*;", "");
    notebook.check("match Green { Red => 1, Green => 2 }", "2");
}

#[test]
fn use_declarations_live_on() {
    let mut notebook = Notebook::new();
    notebook.check(
        "use std::collections::{BTreeMap as Map, HashSet};\nuse std::time::Duration;",
        "",
    );
    notebook.check("let m: Map<i32, i32> = Map::new(); let s: HashSet<i32> = HashSet::new();\nDuration::from_millis(1500)", "1.5s");
    notebook.check("struct Duration(i32); Duration(3).0", "3");
    notebook.check("Duration(4).0", "4");
}

#[test]
fn an_impl_is_allowed_wherever_one_program_would_allow_it() {
    let mut notebook = Notebook::new();
    notebook.check("#[derive(Debug, Clone)] struct My(i32);", "");
    notebook.check("let all = vec![My(1), My(2)];", "");
    notebook.check("trait Total { fn total(&self) -> i32; }", "");
    notebook.check("let none: Option<Box<dyn Total>> = None;", "");
    // Neither `Vec` nor `i32` is anyone's own: the trait moves in the first, the argument in the last.
    notebook.check(
        "impl Total for Vec<My> { fn total(&self) -> i32 { self.iter().map(|one| one.0).sum() } }",
        "",
    );
    notebook.check(
        "impl Total for My { fn total(&self) -> i32 { self.0 } }",
        "",
    );
    notebook.check("(all.total(), all[1].total())", "(3, 2)");
    notebook.check("type Short = My;", "");
    notebook.check("impl Short { fn twice(&self) -> i32 { self.0 * 2 } }", "");
    notebook.check(
        "impl dyn Total { fn more(&self) -> i32 { self.total() + 1 } }",
        "",
    );
    notebook.check(
        "impl std::ops::Add<My> for i32 { type Output = i32; fn add(self, my: My) -> i32 { self + my.0 } }",
        "",
    );
    notebook.check(
        "let boxed: Box<dyn Total> = Box::new(My(5));\n(boxed.more(), 10 + all[0].clone(), all[1].twice(), none.is_none())",
        "(6, 11, 4, true)",
    );
    notebook.check(
        "impl<T: std::fmt::Debug> Total for Option<T> { fn total(&self) -> i32 { -1 } }",
        "",
    );
    notebook.check("Some(\"x\").total() + all.total()", "2");
    notebook.check(
        "impl Drop for My { fn drop(&mut self) { println!(\"drop {}\", self.0) } }",
        "",
    );
    notebook.check("drop(all)", "drop 1\ndrop 2");
}

#[test]
fn unusual_items_cross_cells() {
    let mut notebook = Notebook::new();
    notebook.check(
        "#![allow(unused)]\n//! A cell may open like a file.\nlet x = 1;",
        "",
    );
    notebook.check("#!/usr/bin/env rust-script\nx", "1");
    notebook
        .fail("// first\n#![feature(never_type)]\n1")
        .says(&[
            "may not be used on the stable release channel",
            "cell [3]:2:1",
        ]);
    notebook.check("unsafe extern \"C\" { fn abs(x: i32) -> i32; }", "");
    notebook.check("unsafe { abs(-4) }", "4");
    notebook.check("extern crate std as mystd;", "");
    notebook.check("mystd::cmp::max(1, 2)", "2");
    notebook.check(
        "#[repr(C)] union Bits { n: u32, f: f32 }\nlet bits = Bits { f: 1.0 };",
        "",
    );
    notebook.check("unsafe { bits.n }", "1065353216");
    notebook.check("mod body { pub fn f() -> i32 { 1 } }\nstruct entry;", "");
    notebook.check("body::f()", "1");
    notebook.check(
        "trait Job { type Out; const N: usize; async fn go(&self) -> Self::Out; fn map<F: Fn(i32) -> i32>(&self, f: F) -> i32 { f(Self::N as i32) } }\nstruct J;\nimpl Job for J { type Out = i32; const N: usize = 2; async fn go(&self) -> i32 { 4 } }",
        "",
    );
    notebook.check("J.go().await + J.map(|n| n * 10) + J::N as i32", "26");
    notebook.check("struct Raw(*mut i32); unsafe impl Send for Raw {}", "");
    notebook.check(
        "let raw = Raw(std::ptr::null_mut());\nstd::thread::spawn(move || { let raw = raw; raw.0.is_null() }).join().is_ok_and(|null| null)",
        "true",
    );
    notebook.check("#[test] fn t() {}\n#[tokio::test] async fn tt() {}\n#[cfg(test)] mod tests { use super::*; #[test] fn x() {} }", "");
    notebook.check(
        "{ struct Local(i32); fn inner() -> i32 { 5 } Local(inner()).0 }",
        "5",
    );
    notebook
        .fail("inner()")
        .says(&["cannot find function `inner`"]);
}

#[test]
fn macros_make_items_and_use_what_is_around_them() {
    let mut notebook = Notebook::new();
    notebook.check("fn helper() -> i32 { 4 }\nmacro_rules! call_helper { () => { helper() } }\nmacro_rules! largest { ($a:expr) => { $a }; ($a:expr, $($b:expr),+) => {{ let rest = largest!($($b),+); if $a > rest { $a } else { rest } }} }", "");
    notebook.check("(call_helper!(), largest!(1, 7, 3))", "(4, 7)");
    notebook.check("fn helper() -> i32 { 5 }", "");
    notebook.check("call_helper!()", "5");
    notebook.check("macro_rules! call_helper { () => { helper() * 100 } }", "");
    notebook.check("fn through() -> i32 { call_helper!() } through()", "500");
    let made = "macro_rules! shape { ($name:ident) => { #[derive(Debug)] pub struct $name { pub a: u32 } impl $name { pub fn get(&self) -> u32 { self.a } } } }";
    notebook.check(made, "");
    notebook.check("shape!(Here); Here { a: 2 }.get()", "2");
    notebook.fail("Here { a: 2 }").says(&[
        "cell [8] defines `Here` for that cell alone",
        "mod made { use super::*; … }",
    ]);
    notebook.check(
        "mod made { use super::*; shape!(There); }\nuse made::There;",
        "",
    );
    notebook.check("let there = There { a: 3 }; there.get()", "3");
    notebook.check("there", "There { a: 3 }");
}

#[test]
fn names_come_from_wherever_rust_lets_them() {
    let mut notebook = Notebook::new();
    notebook.check("use std::{collections::{HashMap, hash_map::{self, Entry}}, fmt::{self, Write as _}, sync::Arc as A};", "");
    notebook.check("let mut m: HashMap<&str, i32> = HashMap::new(); let e: Entry<&str, i32> = m.entry(\"a\"); e.or_insert(1);\nlet h: hash_map::HashMap<i32, i32> = Default::default(); let mut s = String::new(); write!(s, \"x\")?; let r: Result<(), fmt::Error> = Ok(());\n(A::new(m), s, r, h)", "({\"a\": 1}, \"x\", Ok(()), {})");
    notebook.check("mod shapes { pub fn f() -> i32 { super::base() * self::two() } fn two() -> i32 { 2 } pub mod deep { pub fn g() -> i32 { super::super::base() + crate::base() } } }\nfn base() -> i32 { 21 }", "");
    notebook.check("(shapes::f(), shapes::deep::g())", "(42, 42)");
    notebook.check("fn base() -> i32 { 10 }", "");
    notebook.check(
        "use shapes::deep; use shapes::f as eff;\n(deep::g(), eff(), crate::base())",
        "(20, 20, 10)",
    );
    notebook.check(
        "use crate::shapes::deep::g; use self::shapes::f; pub use shapes::f as pf;",
        "",
    );
    notebook.check("g() + f() + pf()", "60");
    notebook.check("mod late { use super::*; use crate::base as other; pub fn h() -> i32 { base() + other() } }\nlate::h()", "20");
    notebook.check("enum Color { Red, Green }\nuse Color::*;", "");
    notebook.check("enum Color { Red, Green, Blue }", "");
    notebook.check("match Blue { Red => 1, Green => 2, Blue => 3 }", "3");
    notebook.check("{ use std::rc::Rc; Rc::new(1) }", "1");
    notebook.fail("Rc::new(1)").says(&["`Rc`"]);
}
