//! State outside of variables: statics, thread-locals, what initializes itself, across cells.

use crate::notebook::Notebook;

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
fn a_static_that_moves_with_its_type_keeps_its_value() {
    let mut notebook = Notebook::new();
    notebook.check("use std::{cell::{Cell, RefCell}, sync::{LazyLock, Mutex, OnceLock}};\n#[derive(Debug)] struct Stats { n: u32 }\nstatic S: Mutex<Stats> = Mutex::new(Stats { n: 0 });\nstatic mut RAW: Stats = Stats { n: 0 };\nstatic LAZY: LazyLock<Mutex<Vec<Stats>>> = LazyLock::new(|| { println!(\"made\"); Mutex::new(vec![]) });\nstatic ONCE: OnceLock<Stats> = OnceLock::new();\nthread_local! {\n    static HERE: RefCell<Vec<Stats>> = RefCell::new(vec![]);\n    static OTHER: Cell<u32> = const { Cell::new(7) };\n}\nfn count() { S.lock().unwrap().n += 1; unsafe { RAW.n += 1 }; LAZY.lock().unwrap().push(Stats { n: 1 }); HERE.with_borrow_mut(|all| all.push(Stats { n: 2 })); OTHER.set(OTHER.get() + 1); }", "");
    notebook.check("count(); ONCE.set(Stats { n: 9 }).is_ok()", "made\ntrue");
    notebook.check("let held: &'static Mutex<Stats> = &S;", "");
    // Twice, so that what has moved moves again.
    for (round, sums) in [(10, "(11, 1, 1, 1, 9, 8)"), (100, "(111, 1, 1, 1, 9, 8)")] {
        notebook.check(
            &format!("impl Stats {{ fn add{round}(&mut self) {{ self.n += {round}; }} }}"),
            "",
        );
        notebook.check(&format!("S.lock()?.add{round}();\n(held.lock()?.n, unsafe {{ RAW.n }}, LAZY.lock()?.len(), HERE.with_borrow(|all| all.len()), ONCE.get().map_or(0, |one| one.n), OTHER.get())"), sums);
    }
    // The function of the first cell and those of later ones mean the same static.
    notebook.check("count(); held.lock()?.n", "112");
}

#[test]
fn a_static_begins_afresh_when_it_must_and_says_so() {
    let mut notebook = Notebook::new();
    notebook.check("use std::sync::{Mutex, atomic::{AtomicU32, Ordering::SeqCst}};\nconst fn first() -> u32 { 5 }\nstatic N: AtomicU32 = AtomicU32::new(first());\nfn bump() -> u32 { N.fetch_add(1, SeqCst) }", "");
    notebook.check("bump(); bump()", "6");
    notebook.check("fn unrelated() {}", "");
    notebook.check("bump()", "7");
    notebook.check(
        "const fn first() -> u32 { 50 }",
        "note: `N` begins afresh, because something that it rests on has changed.",
    );
    notebook.check("bump()", "50");
    notebook.check(
        "struct Q(u32);\nstatic ALL: Mutex<Vec<Q>> = Mutex::new(vec![]);",
        "",
    );
    notebook.check("ALL.lock()?.push(Q(1));", "");
    notebook.check(
        "struct Q(u64);",
        "note: `ALL` begins afresh, because something that it rests on has changed.",
    );
    notebook.check("ALL.lock()?.push(Q(2)); ALL.lock()?.len()", "1");
    notebook.check("impl Q { fn get(&self) -> u64 { self.0 } }", "");
    notebook.check("ALL.lock()?[0].get()", "2");
}

#[test]
fn a_static_of_a_dependency_exists_once() {
    let mut notebook = Notebook::new();
    notebook.check(
        "let id = tokio::spawn(async { tokio::task::id().to_string() }).await?;",
        "",
    );
    // Ids come from a counter in a static of Tokio: a second copy of it would begin again.
    notebook.check("let other = tokio::spawn(async { tokio::task::id().to_string() }).await?; id.parse::<u64>()? < other.parse::<u64>()?", "true");
    notebook.check("tokio::task_local! { static ID: u32; }", "");
    notebook.check("ID.scope(5, async { ID.get() }).await", "5");
    notebook.check("fn count() -> u32 { static N: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0); N.fetch_add(1, std::sync::atomic::Ordering::SeqCst) }", "");
    notebook.check("count(); count()", "1");
    notebook.check("count()", "2");
}
