//! Values whose types have no name: kept in a box where one can stand for them, refused with the reason where not.

use crate::notebook::Notebook;

#[test]
fn an_impl_trait_value_is_kept_in_a_box() {
    let mut notebook = Notebook::new();
    notebook.check("fn evens() -> impl Iterator<Item = u32> { (0..).step_by(2) }\nfn adder(n: i32) -> impl Fn(i32) -> i32 { move |x| x + n }\nfn length() -> impl Fn(&str) -> usize { |s| s.len() }\nfn five() -> impl std::fmt::Display { 5 }\nasync fn work(n: u32) -> u32 { n + 1 }", "");
    notebook.check("let mut it = evens(); let add = adder(1); let len = length(); let shown = five(); let future = work(1); let pinned = Box::pin(work(2));\nadd(1)", "2");
    notebook.check(
        "it.next(); (it.next(), add(41), len(\"abc\"), shown.to_string())",
        "(Some(2), 42, 3, \"5\")",
    );
    notebook.check(":vars", "mut it: Box<dyn Iterator<Item = u32> + Send>       cell [2]\nadd: Box<dyn Fn(i32) -> i32 + Send>                cell [2]\nlen: Box<dyn for<'a> Fn(&str) -> usize + Send>     cell [2]\nshown: Box<dyn Display + Send>                     cell [2]\nfuture: Pin<Box<dyn Future<Output = u32> + Send>>  cell [2]\npinned: Pin<Box<dyn Future<Output = u32> + Send>>  cell [2]");
    // They can be sent: to a task, to a thread.
    notebook.check("tokio::spawn(future).await? + pinned.await", "5");
    notebook.check(
        "std::thread::spawn(move || it.take(2).collect::<Vec<_>>()).join().unwrap_or_default()",
        "[4, 6]",
    );
    // Unless what is inside cannot.
    notebook.check("fn local() -> impl Iterator<Item = i32> { let rc = std::rc::Rc::new(3); (0..2).map(move |x| x + *rc) }\nlet mut here = local();", "");
    notebook.check("here.next()", "Some(3)");
    notebook
        .fail("std::thread::spawn(move || here.next());")
        .says(&["cannot be sent between threads safely"]);
    notebook.check("here.next()", "Some(4)");
    // A type of the learner's own inside, which then moves to another cell.
    notebook.check("struct Mv(i32); fn all() -> impl Iterator<Item = Mv> { (0..3).map(Mv) }\nlet mut mv = all();", "");
    notebook.check("impl Mv { fn get(&self) -> i32 { self.0 + 100 } }", "");
    notebook.check("mv.next().map(|one| one.0)", "Some(0)");
}

#[test]
fn what_no_box_can_stand_for_is_refused_with_the_reason() {
    let mut notebook = Notebook::new();
    notebook.check("fn both() -> impl Iterator<Item = u32> + Clone { 0..3u32 }\nfn clones() -> impl Clone { 5 }\nfn of<'a>(v: &'a [i32]) -> impl Iterator<Item = &'a i32> { v.iter() }\nfn plain() {}", "");
    notebook.check(
        "let v = vec![1, 2]; let b = both(); let c = clones(); let o = of(&v); let p = plain;",
        "",
    );
    notebook
        .fail("b")
        .says(&["is an `impl Iterator<Item = u32> + Clone`", "has one trait"]);
    notebook
        .fail("c")
        .says(&["is an `impl Clone`", "whose methods must allow it"]);
    notebook
        .fail("o")
        .says(&["`o` of cell [2] borrows from another variable"]);
    notebook
        .fail("p")
        .says(&["is a function itself", "function pointer"]);
    notebook.check("v", "[1, 2]");
}
