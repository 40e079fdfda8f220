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
fn a_redefined_type_leaves_old_values_what_they_were() {
    let mut notebook = Notebook::new();
    notebook.check(
        "#[derive(Debug)] struct P { a: i32 }\nlet old = P { a: 1 };",
        "",
    );
    notebook.check(
        "#[derive(Debug)] struct P { b: String }\nlet new = P { b: \"x\".into() };",
        "",
    );
    notebook.check("(old.a, new.b.len())", "(1, 1)");
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
fn statics_keep_their_value_until_their_cell_runs_again() {
    let mut notebook = Notebook::new();
    let define = "use std::sync::atomic::{AtomicU32, Ordering};\nstatic COUNT: AtomicU32 = AtomicU32::new(0);\nthread_local! { static HERE: std::cell::Cell<u32> = const { std::cell::Cell::new(5) }; }";
    notebook.check(define, "");
    notebook.check("COUNT.fetch_add(1, Ordering::SeqCst)", "0");
    notebook.check("COUNT.fetch_add(1, Ordering::SeqCst)", "1");
    notebook.check(
        "HERE.with(|here| { here.set(here.get() + 1); here.get() })",
        "6",
    );
    notebook.check(define, "");
    notebook.check("COUNT.load(Ordering::SeqCst)", "0");
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
fn a_program_pasted_as_a_whole_can_be_run() {
    let mut notebook = Notebook::new();
    notebook.check("fn main() { println!(\"hello\"); }", "");
    notebook.check("main()", "hello");
    notebook.check("#[tokio::main]\nasync fn main() { tokio::task::yield_now().await; println!(\"again\"); }\nmain()", "again");
}
