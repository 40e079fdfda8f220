//! The sentence in front of an error, through real cells: rustc's messages are what chooses it.

use crate::notebook::Notebook;

/// Runs a cell that must fail; its report must begin with this sentence, and rustc's own words must follow.
#[track_caller]
fn check(notebook: &mut Notebook, cell: &str, sentence: &str) {
    let failed = notebook.fail(cell);
    failed.leaks_nothing();
    let first = failed.report.lines().next().unwrap_or_default();
    assert!(
        first.starts_with(&format!("In short: {sentence}")),
        "wanted: {sentence}\n{}",
        failed.report
    );
    assert!(
        failed
            .report
            .lines()
            .nth(1)
            .is_some_and(|line| line.starts_with("error")),
        "{}",
        failed.report
    );
    assert!(!failed.failure.message.contains("In short"));
}

#[test]
fn values_that_were_given_away() {
    let n = &mut Notebook::new();
    check(
        n,
        "let v = vec![1];\nlet w = v;\nprintln!(\"{v:?}\");",
        "`v` was given away earlier",
    );
    check(
        n,
        "let v = vec![1];\nfor _ in 0..2 { std::thread::spawn(move || v.len()); }",
        "the first round of the loop gives `v` away",
    );
    check(
        n,
        "let f = async { 1 };\nf.await;\nf.await;",
        "a future can be awaited only once",
    );
    check(
        n,
        "let names = vec![String::new()];\nlet first = names[0];",
        "one element cannot be taken out of a list",
    );
    check(
        n,
        "let s = String::new();\nlet r = &s;\ndrop(s);\nr.len()",
        "`s` is still lent out",
    );
}

#[test]
fn borrows_that_collide() {
    let n = &mut Notebook::new();
    check(
        n,
        "let mut v = vec![1];\nlet first = &v[0];\nv.push(2);\nprintln!(\"{first}\");",
        "`v` is being changed here while someone still holds a reference",
    );
    check(
        n,
        "let mut v = vec![1];\nlet a = &mut v;\nlet b = &mut v;\na.push(1);\nb.push(2);",
        "`v` is lent out for changing twice",
    );
    check(n, "let x = 1;\nx += 1;", "`x` was made without `mut`");
    check(
        n,
        "let v = vec![1];\nv.push(2);",
        "`v` was made without `mut`, so it cannot be changed",
    );
    check(
        n,
        "let c = std::sync::Arc::new(0);\n*c += 1;",
        "what is inside an `Arc` is shared and so can only be read",
    );
    check(
        n,
        "fn f() -> &'static str {\n    let s = String::new();\n    &s\n}",
        "this would return a reference to `s`",
    );
    check(
        n,
        "fn f(a: &str, b: &str) -> &str { a }",
        "a reference in a type or a return value needs to say",
    );
}

#[test]
fn threads_and_tasks() {
    let n = &mut Notebook::new();
    check(
        n,
        "let v = vec![1];\nstd::thread::spawn(|| println!(\"{v:?}\"));",
        "the closure (or thread) may run longer than this code, but only borrows `v`",
    );
    check(
        n,
        "let v = vec![1];\ntokio::spawn(async { println!(\"{v:?}\") });",
        "the task may run longer than this code, but only borrows `v`",
    );
    check(
        n,
        "let rc = std::rc::Rc::new(1);\nstd::thread::spawn(move || *rc);",
        "an `Rc` counts its owners without any protection",
    );
    check(
        n,
        "let c = std::sync::Arc::new(std::cell::RefCell::new(1));\nstd::thread::spawn(move || c.take());",
        "a `RefCell` has no protection",
    );
    check(
        n,
        "let m = std::sync::Arc::new(std::sync::Mutex::new(1));\ntokio::spawn(async move {\n    let g = m.lock().unwrap();\n    tokio::task::yield_now().await;\n    drop(g);\n});",
        "a task may change threads at every `.await`",
    );
    check(
        n,
        "let f: Box<dyn Fn()> = Box::new(|| ());\nstd::thread::spawn(move || f());",
        "what is behind a `dyn` may be anything",
    );
    check(
        n,
        "struct S;\nprintln!(\"{}\", std::rc::Rc::new(S));",
        "`S` says nowhere how it is shown to people",
    );
    check(
        n,
        "fn f(name: &str) {\n    std::thread::spawn(move || println!(\"{name}\"));\n}",
        "a thread or task may run longer than this code",
    );
    check(
        n,
        "async fn one() -> i32 { 1 }\nlet x: i32 = one();",
        "this is a future, which has not run yet",
    );
    check(n, "1.await", "only a future can be awaited");
    check(
        n,
        "fn f() { async { 1 }.await; }",
        "`.await` only works inside `async` code",
    );
    check(
        n,
        "let x: i32 = tokio::spawn(async { 1 }).await;",
        "what a spawned task or thread gives comes in a `Result`",
    );
}

#[test]
fn locks_and_atomics() {
    let n = &mut Notebook::new();
    n.check(
        "use std::sync::{Arc, Mutex, RwLock, atomic::AtomicU32};",
        "",
    );
    for (cell, sentence) in [
        (
            "let m = Arc::new(Mutex::new(vec![1]));\nm.push(2);",
            "the value is behind a lock: take the lock first",
        ),
        (
            "let m = Mutex::new(1);\nm += 1;",
            "the value is behind a lock: `*m.lock().unwrap() += 1`",
        ),
        (
            "let m = Mutex::new(1);\n*m.lock() += 1;",
            "`.lock()` gives a `Result`",
        ),
        (
            "let l = RwLock::new(1);\n*l.read().unwrap() += 1;",
            "a read lock only allows looking",
        ),
        (
            "let a = AtomicU32::new(1);\na += 1;",
            "an atomic is changed by its methods",
        ),
        (
            "static N: u32 = 0;\nN += 1;",
            "a `static` cannot be changed like this",
        ),
        (
            "static mut M: u32 = 0;\nM += 1;",
            "all threads can change a `static mut` at once",
        ),
        (
            "async fn f() -> u8 { 1 }\nprintln!(\"{}\", f());",
            "this is a future, not yet the value",
        ),
        (
            "let guard = Mutex::new(1).lock().unwrap();",
            "a value without a name ends",
        ),
    ] {
        check(n, cell, sentence);
    }
}

#[test]
fn types_and_names() {
    let n = &mut Notebook::new();
    check(
        n,
        "let x: i32 = \"a\";",
        "the type you wrote wants `i32`, and this is `&str`",
    );
    check(n, "1i32 + 1i64", "`i64` cannot be added to `i32`");
    check(
        n,
        "println!(\"{}\", vec![1]);",
        "`Vec<integer>` says nowhere how it is shown to people",
    );
    check(
        n,
        "struct P;\nprintln!(\"{:?}\", P);",
        "`P` says nowhere how it is shown: write `#[derive(Debug)]`",
    );
    check(n, "let s = \"abc\";\ns[0]", "the index has the wrong type");
    check(
        n,
        "fn f() { \"1\".parse::<i32>()?; }",
        "`?` leaves the function (or `async` block) with the error",
    );
    check(
        n,
        "enum E { A, B }\nmatch E::A { E::A => 1 }",
        "`match` must cover every case",
    );
    check(n, "missing(1)", "no function `missing` is known here");
    check(n, "Mutex::new(1)", "no type `Mutex` is known here");
    check(
        n,
        "std::thread::spwan(|| 1)",
        "`std::thread` has no `spwan`",
    );
    check(
        n,
        "struct List { next: Option<List> }",
        "a `List` that holds a `List`",
    );
    check(n, "let s = String::new();\ns.len", "`len` is a method");
}

#[test]
fn items() {
    let n = &mut Notebook::new();
    for (cell, sentence) in [
        ("struct A; struct A;", "this cell defines `A` twice"),
        ("fn f() { self.x }", "`self` only exists in methods"),
        (
            "trait T { fn f(&self); }\nstruct S;\nimpl T for S {}",
            "the trait asks for more",
        ),
        (
            "trait T {}\nstruct S;\nimpl T for S { fn g() {} }",
            "`g` is not part of the trait `T`",
        ),
        (
            "struct S;\nimpl Missing for S {}",
            "no trait `Missing` is known here",
        ),
        (
            "struct S;\nimpl String for S {}",
            "`String` is a type, but a trait is wanted here",
        ),
        (
            "impl std::fmt::Display for Vec<i32> {}",
            "a trait of another crate can only be implemented",
        ),
        (
            "#[derive(Clone, Copy)]\nstruct S { s: String }",
            "a type can only be `Copy` if",
        ),
        (
            "struct P { x: i32 }\nP { y: 1 }",
            "`P` has no field of that name",
        ),
        (
            "struct P { x: i32, y: i32 }\nP { x: 1 }",
            "all fields need a value",
        ),
        (
            "struct P { x: i32, y: i32 }\nlet P { x } = P { x: 1, y: 2 };",
            "the pattern must name all fields",
        ),
        (
            "struct P { x: i32 }\nP { x: 1 }.z",
            "`P` has no field called `z`",
        ),
        (
            "mod m { fn f() {} }\nm::f()",
            "`f` is private to its module",
        ),
        (
            "mod m { pub struct P { x: i32 } }\nfn f(p: m::P) -> i32 { p.x }",
            "the field `x` is private",
        ),
        (
            "fn f() -> impl Iterator { let x: impl Iterator = 0..1; x }",
            "`impl Trait` is allowed in parameters",
        ),
        (
            "fn f() -> dyn Fn() { || () }",
            "a function cannot return a bare `dyn Trait`",
        ),
        ("mod elsewhere;", "the module `elsewhere` has no file"),
        (
            "fn f() { let x = 5; fn g() -> i32 { x } }",
            "a `fn` sees only its parameters",
        ),
        (
            "async fn f(n: u8) { f(n).await }",
            "an `async` function that calls itself",
        ),
        (
            "unsafe fn f() {}\nfn g() { f() }",
            "this is only allowed inside `unsafe",
        ),
        (
            "fn f<T>(t: T) { std::thread::spawn(move || { let _t = t; }); }",
            "`T` may be any type, also one that must stay on its thread",
        ),
        (
            "fn f<T: Send>(t: T) { std::thread::spawn(move || { let _t = t; }); }",
            "`T` might hold short-lived references",
        ),
    ] {
        check(n, cell, sentence);
    }
}

#[test]
fn single_expressions() {
    let n = &mut Notebook::new();
    for (cell, sentence) in [
        ("*5", "`*` follows a reference, and `integer` is none"),
        ("!\"a\"", "`!` does not work on `&'static str`"),
        (
            "\"a\" as i32",
            "`as` cannot convert `&'static str` to `i32`",
        ),
        ("vec![1] as i32", "`as` only converts numbers"),
        ("5u32 as char", "only a `u8` can be cast to `char`"),
        ("5[0]", "`integer` cannot be indexed"),
        (
            "let x = 5; x()",
            "only functions and closures can be called",
        ),
        ("2.0.powi(2)", "the number could be of several types"),
        ("break", "`break` and `continue`"),
        (
            "for i in 0..2 { || break; }",
            "`break` and `continue` cannot leave a closure",
        ),
        ("while true { break 5; }", "only `loop` can give a value"),
        ("let x: i32; x + 1", "`x` is declared, but"),
        (
            "let x = \"5\".parse().unwrap();",
            "several types would fit here",
        ),
        ("let x = None;", "the compiler cannot tell which type"),
        (
            "let (a, a) = (1, 2);",
            "the same name stands twice in one pattern",
        ),
        (
            "std::cmp::max(1)",
            "the function was called with the wrong number",
        ),
        (
            "let r = String::new().as_str();\nr.len()",
            "a value without a name ends at the end of its line",
        ),
        (
            "let r; { let s = 1; r = &s; } println!(\"{r}\");",
            "`s` ends (at the closing brace)",
        ),
        (
            "5 = 6",
            "only a variable, field or element can stand on the left",
        ),
        (
            "for x in 5 {}",
            "`integer` cannot be gone through one by one",
        ),
        (
            "let n = 3;\nlet a = [0; n];",
            "this must be known while compiling",
        ),
        ("let x: u8 = 300;", "the number does not fit into its type"),
        (
            "let s = \"a\" + \"b\";",
            "`+` does not work on `&str`: for text, use `format!",
        ),
        (
            "Some(1).clone().missing()",
            "`Option<T>` has no method `missing`",
        ),
        (
            "let x: Vec<i32> = (0..3).map(|x| x.to_string()).collect();",
            "`collect` (or `sum`) cannot make a `Vec<i32>`",
        ),
        (
            "use nowhere::Thing;",
            "`nowhere` cannot be brought in, because no crate",
        ),
        (
            "use std::sync::Mutx;",
            "`std::sync::Mutx` cannot be brought in, because there is no such thing",
        ),
        ("std::sync::Mutx::new(1)", "`sync` has no `Mutx`"),
        ("String::fresh()", "`String` has no function `fresh`"),
        ("missing!()", "no macro `missing!` is known here"),
        (
            "println!(\"{} {}\", 1)",
            "each `{}` in the text needs a value",
        ),
        (
            "println!(5)",
            "the first thing in `println!` is always a text",
        ),
        ("let match = 5;", "`match` is a word of Rust itself"),
        ("fn f(x) {}", "a parameter needs its type"),
        (
            "let x = 5 println!(\"{x}\");",
            "Rust cannot read on at `println`",
        ),
        ("1i32 == 1i64", "`i32` is wanted here, and this is `i64`"),
    ] {
        check(n, cell, sentence);
    }
}

#[test]
fn habits_from_python() {
    let n = &mut Notebook::new();
    check(
        n,
        "print(\"x\")",
        "`print` is a macro and is called with a `!`",
    );
    check(n, "len(vec![1])", "the length is asked of the value itself");
    check(
        n,
        "if True { 1 } else { 2 }",
        "`true` is written with a small letter",
    );
    check(n, "def f():\n    return 1", "a function is written `fn");
    check(
        n,
        "for i in range(3):\n    println!(\"{i}\")",
        "a block stands in braces",
    );
    check(n, "x = 5", "a new variable begins with `let`: `let x = …`");
    check(n, "import time", "`use` brings names in");
    check(n, "println!(f\"{x}\");", "Rust needs no `f\"…\"`");
    check(n, "# a comment\n1", "a comment begins with `//`");
    check(n, "2 ** 3", "`**` is no operator in Rust");
    check(n, "let x = null;", "Rust has no null");
    check(n, "if 1 == 2 { 1 } elif 2 == 2 { 2 }", "");
    n.fail("if false { } elif true { }")
        .says(&["`elif` is written `else if`"]);
}

#[test]
fn a_variable_that_was_lost_is_named_first() {
    let n = &mut Notebook::new();
    n.check("let v = vec![1];", "");
    n.check("drop(v);", "");
    check(n, "v.len()", "cell [2] moved `v` away");
}

#[test]
fn each_kind_is_explained_once() {
    let n = &mut Notebook::new();
    let failed = n.fail("first_missing;\nsecond_missing;\nlet x: i32 = \"a\";");
    assert_eq!(
        failed.report.matches("In short").count(),
        2,
        "{}",
        failed.report
    );
    assert_eq!(
        failed.report.matches("error[").count(),
        3,
        "{}",
        failed.report
    );
}

#[test]
fn warnings_are_explained_too() {
    let n = &mut Notebook::new();
    let shown = n.try_run("async fn soon() {}\nsoon();").unwrap();
    assert!(
        shown.starts_with("In short: a future does nothing until it is awaited"),
        "{shown}"
    );
    let shown = n.try_run("\"7\".parse::<u8>();").unwrap();
    assert!(
        shown.starts_with("In short: this may have failed, and nobody looks"),
        "{shown}"
    );
}
