//! Cells edited and run again, in any order: types redefined while values of them live.

use crate::notebook::Notebook;

#[test]
fn a_redefined_type_leaves_old_values_what_they_were() {
    let mut notebook = Notebook::new();
    notebook.check(
        "#[derive(Debug)] struct P { a: i32 }\nlet old = P { a: 1 };",
        "",
    );
    notebook.check(
        "#[derive(Debug)] struct P { b: String }\nlet new = P { b: \"x\".into() };",
        "note: this cell changes `P`. `old` of cell [1] still has the earlier one; to have the new one, run that cell again.",
    );
    notebook.check("(old.a, new.b.len())", "(1, 1)");
}

/// What is said when the values `names` of cell `cell` stay of an older `type_name`.
fn note(type_name: &str, names: &str, cell: usize) -> String {
    let verb = if names.contains(" and ") {
        "have"
    } else {
        "has"
    };
    format!(
        "note: this cell changes {type_name}. {names} of cell [{cell}] still {verb} the earlier one; to have the new one, run that cell again."
    )
}

#[test]
fn values_of_a_redefined_type_stay_what_they_were_wherever_they_are() {
    let mut notebook = Notebook::new();
    notebook.check("use std::collections::HashMap;\n#[derive(Debug)] struct P { a: u32 }\ntrait T { fn name(&self) -> String; }\nimpl T for P { fn name(&self) -> String { format!(\"P{}\", self.a) } }\nfn show(p: &P) -> u32 { p.a }\nstruct Holder { p: P }\ntype Ps = Vec<P>;", "");
    let make = "let p = P { a: 1 }; let v = vec![P { a: 2 }]; let o = Some(Box::new(P { a: 3 }));\nlet d: Box<dyn T> = Box::new(P { a: 4 }); let m = HashMap::from([(\"x\".to_string(), P { a: 5 })]);\nlet f: fn(&P) -> u32 = show; let h = Holder { p: P { a: 6 } }; let ps: Ps = vec![P { a: 7 }];";
    notebook.check(make, "");
    let read =
        "(p.a, v[0].a, o.as_ref().map(|p| p.a), d.name(), m[\"x\"].a, f(&p), h.p.a, ps[0].a)";
    let values = "(1, 2, Some(3), \"P4\", 5, 1, 6, 7)";
    notebook.check(read, values);
    let told = note(
        "`Holder` and `P`",
        "`p`, `v`, `o`, `m`, `f`, `h` and `ps`",
        2,
    );
    notebook.check("#[derive(Debug)] struct P { b: [u64; 4] }", &format!("{told}\nnote: `show` of cell [1] does not fit what this cell defines, and is left out: change it and run its cell again."));
    notebook.check(read, values);
    notebook.fail("show(&p)").says(&[
        "cannot find function `show`",
        "did not fit what cell [4] defined anew",
    ]);
    notebook.check(
        "impl P { fn sum(&self) -> u64 { self.b.iter().sum() } }\nP { b: [1; 4] }.sum()",
        "4",
    );
    notebook
        .fail("impl T for P { fn name(&self) -> String { format!(\"P{}\", self.a) } }")
        .says(&["no field `a`"]);
    notebook.check(
        "impl T for P { fn name(&self) -> String { format!(\"new {}\", self.b[0]) } }",
        "",
    );
    notebook.check(
        "let e: Box<dyn T> = Box::new(P { b: [1; 4] }); (d.name(), e.name())",
        "(\"P4\", \"new 1\")",
    );
    notebook.check(read, values);
    // The cell that makes them, for the type that is today's: all of them are dropped and made anew.
    notebook.fail(make).says(&["has no field named `a`"]);
    notebook.check(read, values);
}

#[test]
fn the_same_cell_again_changes_nothing() {
    let mut notebook = Notebook::new();
    let define = "#[derive(Debug, Clone)]\nstruct P { a: u32 }\nimpl P { fn double(&self) -> u32 { self.a * 2 } }\nimpl std::fmt::Display for P { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { write!(f, \"<{}>\", self.a) } }";
    notebook.check(define, "");
    notebook.check("let p = P { a: 1 }; let all = vec![p.clone()]; let shown: Box<dyn std::fmt::Display> = Box::new(p.clone());", "");
    notebook.check(define, "");
    notebook.check(
        "(p.double(), all[0].to_string(), shown.to_string())",
        "(2, \"<1>\", \"<1>\")",
    );
    // Only a method changed, in the same cell as the type.
    notebook.check(&define.replace("* 2", "* 20"), "");
    notebook.check(
        "(p.double(), all[0].to_string(), shown.to_string())",
        "(20, \"<1>\", \"<1>\")",
    );
    // Layout and comments are no change, but what a `derive` adds is.
    notebook.check(
        &define.replace("{ a: u32 }", "{\n    // how many\n    a: u32\n}"),
        "",
    );
    notebook.check("(p.double(), P { a: 1 }.double())", "(2, 2)");
    notebook.check(
        &define.replace("Clone", "Clone, PartialEq"),
        &note("`P`", "`p` and `all`", 2),
    );
    notebook.check("(p.double(), P { a: 1 } == P { a: 1 })", "(2, true)");
}

#[test]
fn a_type_that_is_changed_back_is_the_first_one_again() {
    let mut notebook = Notebook::new();
    let (first, second) = ("struct P { a: u32 }", "struct P { b: u8 }");
    notebook.check(first, "");
    notebook.check("let p = P { a: 1 };", "");
    notebook.check(second, &note("`P`", "`p`", 2));
    notebook.check("let q = P { b: 2 };", "");
    notebook.check(first, &note("`P`", "`q`", 4));
    notebook.check(
        "fn get(p: &P) -> u32 { p.a } (get(&p), get(&P { a: 5 }), q.b)",
        "(1, 5, 2)",
    );
    notebook.check("enum E { A } let e = E::A;", "");
    notebook.check("enum E { A, B(String) }", &note("`E`", "`e`", 7));
    notebook.check(
        "let e = E::B(\"b\".into()); match e { E::A => 1, E::B(_) => 2 }",
        "2",
    );
    notebook.check("struct G<T> { t: T } let g = G { t: 1u8 };", "");
    notebook.check(
        "impl<T: Clone> G<T> { fn get(&self) -> T { self.t.clone() } }",
        "",
    );
    notebook.check("g.get()", "1");
    notebook.check(
        "#[derive(Debug)] struct G<T> { t: T }",
        &note("`G`", "`g`", 10),
    );
    notebook.check("(g.t, G { t: 1 })", "(1, G { t: 1 })");
}

/// Cells `before`, a value made by `make`, then `change`, then an `impl` that makes the type move to a new crate: read
/// as before, the value must be what it was.
fn never_reinterpreted(
    before: &[&str],
    make: &str,
    change: &str,
    moving: &str,
    read: &str,
    value: &str,
) {
    let mut notebook = Notebook::new();
    for cell in before {
        notebook.check(cell, "");
    }
    notebook.check(make, "");
    notebook.check(read, value);
    for cell in [change, moving] {
        if let Err(failure) = notebook.try_run(cell) {
            panic!("{cell}\nfailed:\n{}", failure.report.join("\n"));
        }
        notebook.check(read, value);
    }
}

#[test]
fn a_value_is_never_read_as_another_definition() {
    const SWAPPED: [&str; 2] = [
        "mod a { pub struct X { pub u: u32, pub v: u32 } } mod b { pub struct X { pub v: u32, pub u: u32 } }",
        "use a::X;",
    ];
    const MOVING: &str = "impl P { fn moving(&self) {} }";
    let value = "let p = P { x: X { u: 1, v: 2 } };";
    let check = |before: &[&str], make, change, read, value| {
        never_reinterpreted(before, make, change, MOVING, read, value);
    };
    // What the type mentions is another: a `use`, an alias of a module, a module, an alias.
    check(
        &[SWAPPED[0], SWAPPED[1], "struct P { x: X }"],
        value,
        "use b::X;",
        "p.x.u",
        "1",
    );
    check(
        &[SWAPPED[0], "use a as m;", "struct P { x: m::X }"],
        "let p = P { x: a::X { u: 1, v: 2 } };",
        "use b as m;",
        "p.x.u",
        "1",
    );
    check(
        &[SWAPPED[0], "use a::*;", "struct P { x: X }"],
        value,
        "mod a { pub struct X { pub v: u32, pub u: u32 } }",
        "p.x.u",
        "1",
    );
    check(
        &["type Id = u32;", "struct P { id: Id }"],
        "let p = P { id: 1 };",
        "type Id = f32;",
        "p.id",
        "1",
    );
    check(
        &["struct Q { u: u32, v: u32 }", "struct P { q: Q }"],
        "let p = P { q: Q { u: 1, v: 2 } };",
        "struct Q { v: u32, u: u32 }",
        "p.q.u",
        "1",
    );
    // A constant, directly and through a function; a macro.
    check(
        &["const N: usize = 2;", "struct P([u8; N]);"],
        "let p = P([1, 2]);",
        "const N: usize = 4;",
        "p.0",
        "[1, 2]",
    );
    check(
        &[
            "const fn n() -> usize { 2 }",
            "const N: usize = n();",
            "struct P([u8; N]);",
        ],
        "let p = P([1, 2]);",
        "const fn n() -> usize { 4 }",
        "p.0",
        "[1, 2]",
    );
    check(
        &[
            "macro_rules! field { () => { u32 } }",
            "struct P { f: field!() }",
        ],
        "let p = P { f: 1 };",
        "macro_rules! field { () => { f32 } }",
        "p.f",
        "1",
    );
    // An associated type, and a constant of an `impl`.
    check(
        &[
            "trait Tr { type Out; }",
            "struct K;",
            "impl Tr for K { type Out = u32; }",
            "struct P { f: <K as Tr>::Out }",
        ],
        "let p = P { f: 1 };",
        "impl Tr for K { type Out = f32; }",
        "p.f",
        "1",
    );
    check(
        &[
            "struct K;",
            "impl K { const N: usize = 2; }",
            "struct P([u8; K::N]);",
        ],
        "let p = P([1, 2]);",
        "impl K { const N: usize = 4; }",
        "p.0",
        "[1, 2]",
    );
    // The type stays, the argument changes.
    never_reinterpreted(
        &["struct K(u32);", "struct P<T>(T);"],
        "let p = (P(K(1)), vec![Some(P(K(2)))]);",
        "struct K(f32);",
        "impl<T> P<T> { fn moving(&self) {} }",
        "(p.0.0.0, p.1[0].as_ref().map(|p| p.0.0))",
        "(1, Some(2))",
    );
    // What is not in the text.
    check(
        &["struct P([u8; if cfg!(debug_assertions) { 2 } else { 4 }]);"],
        "let p = P([1, 2]);",
        ":opt 2\n",
        "p.0",
        "[1, 2]",
    );
}

#[test]
fn earlier_code_means_what_it_meant_where_it_was_written() {
    let mut notebook = Notebook::new();
    notebook.check("use std::fmt::{self, Result};\nstruct P(i32);\nimpl fmt::Display for P { fn fmt(&self, f: &mut fmt::Formatter) -> Result { write!(f, \"<{}>\", self.0) } }\nlet p = P(1);", "");
    notebook.check("use std::io::Result;", "");
    // Carries the `impl`, whose `Result` is still that of its own cell.
    notebook.check(
        "impl P { fn more(&self) -> Result<i32> { Ok(self.0 + 1) } }",
        "",
    );
    notebook.check("(p.to_string(), p.more()?)", "(\"<1>\", 2)");
    notebook.check("mod m { pub fn f() -> i32 { 1 } }", "");
    notebook.check("use m::f; fn h() -> i32 { f() }", "");
    notebook.check("mod m { pub fn f() -> i32 { 2 } }", "");
    notebook.check("h()", "2");
    // A cell that only changes where a name comes from.
    notebook.check("mod n { pub fn f() -> i32 { 3 } }", "");
    notebook.check("use n::f; fn h() -> i32 { f() }", "");
    notebook.check("h()", "3");
}

#[test]
fn a_trait_redefined_leaves_its_objects_usable() {
    let mut notebook = Notebook::new();
    notebook.check("trait T { fn name(&self) -> String; }\nstruct A; impl T for A { fn name(&self) -> String { \"A\".into() } }\nlet d: Box<dyn T> = Box::new(A); let all: Vec<Box<dyn T>> = vec![Box::new(A)];", "");
    notebook.check(
        "impl T for i32 { fn name(&self) -> String { \"i32\".into() } }",
        "",
    );
    notebook.check(
        "(d.name(), all[0].name(), 5.name())",
        "(\"A\", \"A\", \"i32\")",
    );
    let told = notebook
        .try_run("trait T { fn id(&self) -> u32 { 7 } fn name(&self) -> String; }")
        .unwrap();
    assert!(
        told.contains("`d` and `all` of cell [1] still have the earlier one"),
        "{told}"
    );
    notebook.check("(d.name(), all[0].name())", "(\"A\", \"A\")");
    notebook.check(
        "let e: Box<dyn T> = Box::new(A); (e.id(), e.name())",
        "(7, \"A\")",
    );
}
