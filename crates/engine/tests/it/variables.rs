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
fn a_variable_is_gone_only_if_the_cell_came_to_the_move() {
    let mut notebook = Notebook::new();
    notebook.check("struct Loud(&'static str);\nimpl Drop for Loud { fn drop(&mut self) { println!(\"drop {}\", self.0) } }\nlet a = Loud(\"a\"); let b = Loud(\"b\"); let c = Loud(\"c\"); let no = false;", "");
    notebook.check("if no { drop(a) } else { println!(\"kept\") }", "kept");
    notebook.check("if !no { drop(a) }", "drop a");
    notebook.fail("a.0").says(&["cell [3] moved `a` away"]);
    // Nor does an error before the move cost the variable, whatever moves it.
    notebook.fail("let n: i32 = \"x\".parse()?;\nlet h = std::thread::spawn(move || b.0.len());\nlet t = tokio::spawn(async move { c.0.len() });");
    notebook.check("(b.0, c.0)", "(\"b\", \"c\")");
    notebook
        .fail("if let Some(()) = None { drop(b) }\nlet all = vec![c];\npanic!(\"after\");")
        .says(&["after"]);
    notebook.check("b.0", "\"b\"");
    notebook.fail("c.0").says(&["cell [7] moved `c` away"]);
    notebook
        .fail("all.len()")
        .says(&["cell [7] ended early, before its new variables were kept, `all` among them"]);
    // Two places, one of them in a macro; each value is dropped once.
    notebook.check(
        "if no { drop(b) } else { println!(\"{}\", vec![b].len()) }",
        "1\ndrop b",
    );
    notebook.fail("b.0").says(&["cell [11] moved `b` away"]);
}

#[test]
fn a_variable_that_is_moved_and_assigned_again_lives_on() {
    let mut notebook = Notebook::new();
    notebook.check("enum State { Idle(u32), Busy(u32) }\nimpl State { fn next(self) -> State { match self { State::Idle(n) => State::Busy(n + 1), State::Busy(n) => State::Idle(n + 1) } } }\nlet mut state = State::Idle(0);", "");
    notebook.check("state = state.next();", "");
    notebook.check("for _ in 0..2 { state = state.next(); }\nmatch state { State::Idle(n) | State::Busy(n) => n }", "3");
    notebook.check("let mut x = String::from(\"1\");", "");
    notebook.check("let y = x; x = String::from(\"2\");", "");
    notebook.check("(x, y)", "(\"2\", \"1\")");
}

#[test]
fn a_use_after_a_move_is_refused_whatever_else_moves() {
    let mut notebook = Notebook::new();
    notebook.check("let a = vec![1]; let b = vec![2]; let no = false;", "");
    notebook
        .fail("if no { drop(b) }\ndrop(a);\nprintln!(\"{a:?}\");")
        .says(&["borrow of moved value: `a`", "cell [2]:3:12"]);
    notebook
        .fail("loop { drop(a); if no { break } }")
        .says(&["use of moved value: `a`", "previous iteration"]);
    notebook
        .fail("let r = &a; drop(a); println!(\"{r:?}\");")
        .says(&["cannot move out of `a` because it is borrowed"]);
    notebook.check("(a, b)", "([1], [2])");
}

#[test]
fn a_cell_that_returns_early_keeps_nothing_new() {
    let mut notebook = Notebook::new();
    notebook.check("let x = 1;", "");
    notebook.check("let x = \"new\"; let q = 3; if q == 3 { return }", "");
    notebook.check("x", "1");
    notebook
        .fail("q")
        .says(&["cell [2] ended early", "`q` among them"]);
    notebook.fail("let q = 4; \"x\".parse::<i32>()?;");
    notebook.fail("q").says(&["cell [5] ended early"]);
    notebook.check("let d: i32; if x == 1 { d = 5 } else { return }", "");
    notebook.check("d", "5");
    notebook.check("let later: i32;", "");
    notebook.fail("later").says(&["without giving it a value"]);
    notebook.check("let q = 4; q", "4");
}

#[test]
fn names_are_the_learners() {
    let mut notebook = Notebook::new();
    notebook.check("let r#type = 3; let naïve = 4; let 変数 = 5;", "");
    notebook.check("r#type + naïve + 変数", "12");
    notebook.check("let tokio = 1; let std = 2; let println = 3;", "");
    notebook.check(
        "println!(\"{println}\"); tokio + std::cmp::max(std, 1)",
        "3\n3",
    );
    notebook.check(
        "let __rt = 1; let __v = 2; let entry = 3; let cell_0123456789abcdef = 4;",
        "",
    );
    notebook.check("__rt + __v + entry + cell_0123456789abcdef", "10");
    // A field or a method of a variable's name has nothing to do with it.
    notebook.check("struct P { rc: i32 }\nimpl P { fn len(self) -> i32 { self.rc } }\nlet rc = std::rc::Rc::new(1); let len = vec![1]; let p = P { rc: 5 };", "");
    notebook.check(
        "tokio::spawn(async move { p.len() }).await? + (0..3).len() as i32",
        "8",
    );
    notebook.check("(rc, len)", "(1, [1])");
    notebook.check("let n = 4;", "");
    notebook.check("(0..n).sum::<i32>() + (1..=n).sum::<i32>()", "16");
    notebook.check("let _guard = 7; let _ = 8;", "");
    notebook.check("_guard", "7");
}

#[test]
fn text_is_taken_as_it_comes() {
    let mut notebook = Notebook::new();
    notebook.check("", "");
    notebook.check("  \n\t\n", "");
    notebook.check("// a comment\n/* and\nanother */", "");
    notebook.check("let a = 1;\r\nlet b = 2;\r\na + b\r\n", "3");
    notebook.check("\tlet tab = 1; // tail\n\ttab // shown", "1");
    notebook.check("a;;; b", "2");
    let long: String = (0..300).map(|n| format!("let v{n} = {n};\n")).collect();
    notebook.check(&long, "");
    notebook.check("v0 + v299", "299");
    let wide = format!("let wide = [{}]; wide.len()", "1, ".repeat(2000));
    notebook.check(&wide, "2000");
    for (code, complaint) in [
        ("'a", "a label"),
        ("r#\"abc", "unterminated raw string"),
        (
            "#[derive(Debug)]",
            "expected statement after outer attribute",
        ),
        ("/// nothing follows", "doesn't document anything"),
    ] {
        notebook.fail(code).says(&[complaint]);
    }
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
fn what_is_borrowed_is_kept_when_its_borrower_ends() {
    let mut notebook = Notebook::new();
    notebook.check(
        "let m = std::sync::Mutex::new(vec![1]);\nlet mut guard = m.lock()?;\nguard.push(2);",
        "",
    );
    notebook
        .fail("guard.len()")
        .says(&["`guard` of cell [1] borrows"]);
    notebook.check("m.lock()?.len()", "2");
    notebook.check(
        "let mut v = vec![1, 2, 3];\nlet mut drain = v.drain(..); drain.next(); drop(drain);",
        "",
    );
    notebook.check("v", "[]");
}

#[test]
fn a_later_definition_takes_the_name_whatever_it_defines() {
    let mut notebook = Notebook::new();
    notebook.check("let total = 5;", "");
    notebook.check("fn total() -> i32 { 6 }\ntotal()", "6");
    notebook.check("total()", "6");
    notebook.check("fn both() -> i32 { 1 } let both = 7; both", "7");
    notebook.check("both", "7");
    notebook.check("let total = total() + 1; total", "7");
    notebook.check("total", "7");
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
