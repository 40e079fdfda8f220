//! Variables live on: their values, their types, what moves them, what survives a panic.

use crate::notebook::Notebook;

#[test]
fn values_live_on_without_annotations() {
    let mut notebook = Notebook::new();
    notebook.check("let x = 1 + 2; x", "3");
    notebook.check(
        "let mut m = std::collections::HashMap::new(); m.insert(\"a\".to_string(), 1u32); m",
        "{\"a\": 1}",
    );
    notebook.check("m.insert(\"b\".to_string(), 2); m.len()", "2");
    notebook.check("x + m.len() as i32", "5");
    notebook.check("let x = format!(\"{x}!\");", "");
    notebook.check("x", "\"3!\"");
    notebook.check("let x = x.len(); x", "2");
}

#[test]
fn a_panic_leaves_the_variables_as_the_cell_left_them() {
    let mut notebook = Notebook::new();
    notebook.check("let mut v = vec![1];", "");
    let failed = notebook.fail("v.push(2);\nlet w = 5;\npanic!(\"boom {}\", w);\n");
    failed.says(&["the cell panicked: boom 5", "cell [2]:3:1", "panic!"]);
    assert_eq!(failed.failure.name, "panic");
    assert_eq!(failed.place, Some((3, 1)));
    notebook.check("v", "[1, 2]");
}

#[test]
fn an_early_error_leaves_the_variables_too() {
    let mut notebook = Notebook::new();
    notebook.check("let mut v = vec![1];", "");
    let failed = notebook.fail("v.push(2); let n: i32 = \"x\".parse()?; v.push(n);");
    failed.says(&["invalid digit found in string"]);
    notebook.check("v", "[1, 2]");
    let failed = notebook.fail("Err(String::from(\"no luck\"))?;");
    failed.says(&["no luck"]);
    notebook.check("let n: i32 = \"42\".parse()?; n", "42");
}

#[test]
fn what_is_moved_away_is_gone_and_can_be_defined_again() {
    let mut notebook = Notebook::new();
    notebook.check("let s = String::from(\"a\"); let t = 1;", "");
    notebook.check("let u = s; u", "\"a\"");
    notebook
        .fail("s.len()")
        .says(&["cannot find value `s`", "cell [2] moved `s` away"]);
    notebook.check("let s = 5; s + t", "6");
}

#[test]
fn what_moves_within_its_own_cell_is_not_kept() {
    let mut notebook = Notebook::new();
    notebook.check("let (tx, rx) = std::sync::mpsc::channel();\nlet h = std::thread::spawn(move || tx.send(7).unwrap());\nrx.recv()?", "7");
    notebook.check("h.join().is_ok()", "true");
    notebook
        .fail("tx.send(8)")
        .says(&["cell [1] moved `tx` away"]);
}

#[test]
fn closures_and_borrows_end_with_their_cell_and_advice_says_so() {
    let mut notebook = Notebook::new();
    notebook.check(
        "let v = vec![1, 2];\nlet first = &v[0];\nlet double = |x: i32| x * 2;\ndouble(*first)",
        "2",
    );
    notebook.check("v.len()", "2");
    notebook
        .fail("double(1)")
        .says(&["`double` of cell [1] is a closure", "fn"]);
    notebook
        .fail("first")
        .says(&["`first` of cell [1] borrows"]);
    notebook.check(
        "let double: Box<dyn Fn(i32) -> i32> = Box::new(|x| x * 2);",
        "",
    );
    notebook.check("double(21)", "42");
}

#[test]
fn mutability_is_as_declared() {
    let mut notebook = Notebook::new();
    notebook.check("let v = vec![1];", "");
    let failed = notebook.fail("v.push(2);");
    failed.says(&["cannot borrow `v` as mutable", "without `mut` in cell [1]"]);
    assert_eq!(failed.place, Some((1, 1)));
}

#[test]
fn patterns_bind_several_variables() {
    let mut notebook = Notebook::new();
    notebook.check(
        "let (a, [b, .., c]) = (1, [2, 3, 4]); let Some(d) = Some(5) else { panic!() };",
        "",
    );
    notebook.check("(a, b, c, d)", "(1, 2, 4, 5)");
}

#[test]
fn values_are_shown_in_their_best_form() {
    let mut notebook = Notebook::new();
    notebook.check("struct P; impl P { fn evcxr_display(&self) { println!(\"EVCXR_BEGIN_CONTENT text/plain\\nhello\\nEVCXR_END_CONTENT\"); } }\nP", "hello");
    notebook.check("struct Q;\nQ", "(a value of type Q: it has no Debug form to show; if the type is yours, add #[derive(Debug)] above it)");
    notebook.check("()", "");
    notebook.check("if 1 < 2 { \"yes\" } else { \"no\" }", "\"yes\"");
    notebook.check("vec![1; 3]", "[1, 1, 1]");
}
