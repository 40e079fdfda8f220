//! Cells that do not compile: the learner's own lines, nothing of what is generated.

use loopbot_engine::FailureKind;

use crate::notebook::Notebook;

#[test]
fn a_type_error_shows_cell_line_and_column() {
    let mut notebook = Notebook::new();
    let failed = notebook.fail("let a = 1;\nlet y: i32 = \"a\";");
    failed.says(&[
        "error[E0308]: mismatched types",
        "cell [1]:2:14",
        "let y: i32 = \"a\";",
        "expected `i32`, found `&str`",
    ]);
    assert_eq!(failed.place, Some((2, 14)));
    assert_eq!(
        failed.failure.kind,
        FailureKind::Compile {
            codes: vec!["E0308".into()]
        }
    );
}

#[test]
fn an_error_in_the_last_expression_and_in_an_item_too() {
    let mut notebook = Notebook::new();
    let failed = notebook.fail("1 + missing");
    failed.says(&["cannot find value `missing`", "cell [1]:1:5"]);
    assert_eq!(failed.place, Some((1, 5)));
    let failed = notebook.fail("struct A;\nfn f(a: A) -> i32 {\n    a.b\n}\nf(A)");
    failed.says(&["no field `b` on type `A`", "cell [2]:3:7"]);
}

#[test]
fn text_that_is_not_rust_is_refused_in_place() {
    let mut notebook = Notebook::new();
    let failed = notebook.fail("let x = 1;\nlet y = ;\n");
    failed.says(&["expected expression", "cell [1]:2:9"]);
    assert_eq!(failed.failure.name, "syntax error");
    notebook
        .fail("if true {\n    1")
        .says(&["cell [2]:1:9", "this `{` is never closed"]);
    notebook
        .fail("1 + 1;\n}")
        .says(&["cell [3]:2:1", "this `}` closes nothing"]);
    notebook
        .fail("f(1, [2)")
        .says(&["cell [4]:1:8", "this `)` does not close the `[`"]);
    notebook.fail("let y = 1;\ny.").says(&["cell [5]:2:3"]);
    notebook
        .fail("let s = \"open;")
        .says(&["unterminated double quote string", "cell [6]:1:9"]);
    notebook.check("1", "1");
}

#[test]
fn borrow_errors_are_the_learners_not_the_engines() {
    let mut notebook = Notebook::new();
    notebook.check("let v = vec![1];", "");
    notebook
        .fail("let h = std::thread::spawn(|| println!(\"{v:?}\")); h.join().unwrap();")
        .says(&["cell [2]", "only borrows `v`: write `move`"]);
    let failed =
        notebook.fail("let w = vec![1];\nlet h = std::thread::spawn(|| println!(\"{w:?}\"));");
    failed.says(&["closure may outlive the current function", "move"]);
    assert!(
        matches!(&failed.failure.kind, FailureKind::Compile { codes } if codes.contains(&"E0373".into())),
        "{}",
        failed.report
    );
    let failed = notebook.fail("let s = String::new();\ndrop(s);\nprintln!(\"{s}\");");
    failed.says(&["borrow of moved value: `s`", "value moved here"]);
    notebook.check("v.len()", "1");
}

#[test]
fn advice_is_about_notebooks() {
    let mut notebook = Notebook::new();
    notebook
        .fail("use rand::Rng;")
        .says(&["unresolved import `rand`", ":dep rand = \"*\""]);
    notebook.check("let n = 3;", "");
    notebook
        .fail("fn f() -> i32 { n }")
        .says(&["functions do not see a notebook's variables"]);
    notebook.fail("Some(1)?;").says(&[".ok_or("]);
    let failed = notebook
        .fail("let rc = std::rc::Rc::new(5);\nstd::thread::spawn(move || println!(\"{rc}\"));");
    failed.says(&[
        "`Rc<i32>` cannot be sent between threads safely",
        "{closure@line 2}",
    ]);
}

#[test]
fn a_forgotten_await_is_warned_about() {
    let mut notebook = Notebook::new();
    let shown = notebook.try_run("async fn later() {}\nlater();").unwrap();
    assert!(
        shown.contains("unused implementer of `Future` that must be used")
            && shown.contains("cell [1]:2:1"),
        "{shown}"
    );
}

#[test]
fn an_error_in_a_cell_defines_nothing() {
    let mut notebook = Notebook::new();
    notebook.check("fn f() -> i32 { 1 }", "");
    notebook.fail("fn f() -> i32 { \"a\" }");
    notebook.check("f()", "1");
}

#[test]
fn errors_stand_in_the_order_of_the_cell() {
    let mut notebook = Notebook::new();
    let failed = notebook
        .fail("let a: i32 = \"a\";\nmissing();\nfn f() -> u8 { 'c' }\nstruct S { s: Strin }");
    failed.leaks_nothing();
    let lines: Vec<&str> = failed
        .report
        .lines()
        .filter(|line| line.contains("--> cell"))
        .collect();
    assert_eq!(
        lines,
        [
            " --> cell [1]:1:14",
            " --> cell [1]:2:1",
            " --> cell [1]:3:16",
            " --> cell [1]:4:15"
        ]
    );
    assert_eq!(failed.failure.name, "E0308");
    assert_eq!(failed.failure.message, "mismatched types");
}

#[test]
fn of_many_errors_the_first_are_shown() {
    let mut notebook = Notebook::new();
    let cell: String = (0..11).map(|n| format!("a{n};\n")).collect();
    let failed = notebook.fail(&cell);
    failed.says(&["cell [1]:8:1", "… and 3 more."]);
    assert_eq!(failed.report.matches("error[").count(), 8);
}

#[test]
fn an_error_inside_a_macro_of_the_learners_shows_both_places() {
    let mut notebook = Notebook::new();
    let failed = notebook.fail("macro_rules! call { ($e:expr) => { $e.missing() } }\ncall!(1)");
    failed.says(&[
        "no method named `missing`",
        "cell [1]:1:39",
        "the macro is called here",
    ]);
    notebook.check("macro_rules! twice { ($e:expr) => { $e * $e } }", "");
    let failed = notebook.fail("twice!(\"a\")");
    failed.says(&[
        "cannot multiply `&str` by `&str`",
        "cell [3]:1:1",
        "in the code that `twice!` puts here",
    ]);
    let failed = notebook.fail("struct A;\n#[derive(Debug)]\nstruct B(A);");
    failed.says(&["`A` doesn't implement `Debug`", "asked for here"]);
}

#[test]
fn an_error_inside_a_macro_of_a_library_is_told_once_and_at_the_call() {
    let mut notebook = Notebook::new();
    let failed = notebook.fail("let (a, b) = tokio::join!(async { 1 }, 5);");
    failed.says(&["`{integer}` is not a future", "cell [1]:1:40"]);
    assert_eq!(
        failed.report.matches("error[").count(),
        1,
        "{}",
        failed.report
    );
    let failed = notebook
        .fail("tokio::select! {\n    x = async { 1 } => x,\n    y = async { \"a\" } => y,\n}");
    failed.says(&["incompatible types", "cell [2]:3:26"]);
}

#[test]
fn a_proposal_for_the_text_of_a_macro_is_not_made_for_its_call() {
    let mut notebook = Notebook::new();
    notebook.check(
        "macro_rules! text { ($e:expr) => {{ let s: String = $e + 0; s }} }",
        "",
    );
    let failed = notebook.fail("text!(1)");
    failed.says(&["mismatched types", "cell [2]:1:1"]);
    assert!(!failed.report.contains("to_string"), "{}", failed.report);
}

#[test]
fn names_that_could_be_brought_in_are_named() {
    let mut notebook = Notebook::new();
    notebook
        .fail("Mutex::new(1)")
        .says(&["bring it in first: `use std::sync::Mutex;`"]);
    notebook
        .fail("static N: AtomicU32 = AtomicU32::new(0);")
        .says(&["bring it in first: `use std::sync::atomic::AtomicU32;`"]);
    notebook
        .fail("fn f(o: Ordering) {}")
        .says(&["`use std::cmp::Ordering;` or `use std::sync::atomic::Ordering;`"]);
    notebook
        .fail("mod inner { pub struct Deep; }\nDeep")
        .says(&["`use inner::Deep;`"]);
}

#[test]
fn notes_with_a_place_show_it() {
    let mut notebook = Notebook::new();
    let failed = notebook.fail(
        "use std::sync::{Arc, Mutex};\nlet m = Arc::new(Mutex::new(0));\ntokio::spawn(async move {\n    let g = m.lock().unwrap();\n    tokio::task::yield_now().await;\n    drop(g);\n});",
    );
    failed.says(&[
        "note: future is not `Send` as this value is used across an await",
        "cell [1]:5:30",
        "has type `std::sync::MutexGuard<'_, i32>` which is not `Send`",
    ]);
}

#[test]
fn places_in_the_machine_are_not_shown() {
    let mut notebook = Notebook::new();
    notebook.fail("1i32 + \"a\"").says(&["cannot add"]);
    notebook
        .fail("let r: i32 = std::thread::spawn(|| 1).join();")
        .says(&["mismatched types"]);
    notebook
        .fail("tokio::spawn(|| 1);")
        .says(&["`{closure@line 1}` is not a future"]);
    notebook
        .fail("let v: Vec<i32> = vec![1].into_iter().map(|x| x.to_string()).collect();")
        .says(&["cannot be built from an iterator"]);
    notebook
        .fail("std::thread::scope(|s| { let h = s.spawn(|| 1); h });")
        .says(&["lifetime may not live long enough"]);
    notebook
        .fail("async fn f(n: u32) -> u32 { f(n - 1).await }")
        .says(&["recursion in an async fn"]);
    notebook
        .fail("let f = |x| x;\nf(1);\nf(\"a\");")
        .says(&["closure was earlier called with"]);
    notebook
        .fail("let a: [i32; 3] = [1; std::env::args().count()];")
        .says(&["cell [8]"]);
}

#[test]
fn warnings_do_not_stop_a_cell() {
    let mut notebook = Notebook::new();
    let shown = notebook
        .try_run("#[deprecated(note = \"take the new one\")]\nfn old() -> i32 { 1 }\nold()")
        .unwrap();
    assert!(
        shown.contains("warning: use of deprecated function `old`: take the new one")
            && shown.contains("cell [1]:3:1")
            && shown.ends_with('1'),
        "{shown}"
    );
    notebook.check(
        "fn early() -> i32 { return 1; 2 }\nlet unused = early();",
        "",
    );
}

#[test]
fn brackets_are_found_below_a_directive_of_more_bytes_than_letters() {
    let mut notebook = Notebook::new();
    let failed = notebook.fail(":type \"ääää\"\nlet ö = (1, \"ö\";");
    failed.says(&["this `(` is never closed", "cell [1]:2:9"]);
    assert_eq!(failed.place, Some((2, 9)));
}
