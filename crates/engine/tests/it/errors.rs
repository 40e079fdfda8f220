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
        .says(&["cell [2]", "v"]);
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
